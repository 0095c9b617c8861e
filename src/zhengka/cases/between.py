"""What one office of a move may know of the other's case (迁移双方): where it stands, and its clock (办法 art. 23)."""

from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.cards.workflow import IN_PRODUCTION
from zhengka.cases.models import Case
from zhengka.cases.workflow import DEPARTURES
from zhengka.core.actors import Actor
from zhengka.core.scope import seeing_all
from zhengka.registry.models import Certificate


@dataclass(frozen=True)
class OtherSide:
    """The other office's case. `freezes_on`, `lapses_on`: the last days before the clock of a departure acts, None of
    an arrival; `frozen`: it has frozen the certificate.
    """

    state: str
    area: Area
    freezes_on: date | None = None
    lapses_on: date | None = None
    frozen: bool = False


@dataclass(frozen=True)
class Coming:
    """Somebody on their way to an office of the actor's: no more than that office needs to expect them."""

    case_id: int
    name: str
    kind: str
    leaves: Area
    to: Area
    side: OtherSide


FROZEN = Exists(Certificate.objects.filter(holder=OuterRef("holder"), area=OuterRef("area"), state="frozen",
                                           frozen_for="left-behind"))
"""Departures whose certificate the clock has frozen."""


def other_side(case: Case) -> OtherSide | None:
    """The other side of a move; None where there is none. Either office may know that much."""
    if not case.kind_of_case.startswith("transfer"):
        return None
    with transaction.atomic(), seeing_all(connection):
        other = Case.objects.filter(Q(counterpart=case.pk) | Q(pk=case.counterpart_id)).annotate(
            stopped=FROZEN).select_related("area").first()
    return _side(other) if other else None


def left_at_the_old_office(case: Case) -> str:
    """The state of a card that the old office of an open move has on its way; empty where there is none. Either office
    may know that much of the other's.
    """
    if not case.kind_of_case.startswith("transfer") or case.ended_at is not None or case.holder_id is None:
        return ""
    with transaction.atomic(), seeing_all(connection):  # the card is the old office's
        found = Card.objects.filter(holder=case.holder_id, state__in=IN_PRODUCTION).first()
    return found.state if found else ""


def coming(actor: Actor, *, after: int = 0, limit: int = 50) -> list[Coming]:
    """Open departures that head for the actor's area and have no arrival there yet, from behind the case `after`: the
    new office, too, sees by when they must follow.
    """
    with transaction.atomic(), seeing_all(connection):
        found = Case.objects.filter(
            kind_of_case__in=DEPARTURES, ended_at__isnull=True, counterpart__isnull=True, pk__gt=after,
            heads_for__gte=actor.lo, heads_for__lte=actor.hi).exclude(area__gte=actor.lo, area__lte=actor.hi)
        return [Coming(case.pk, case.name, case.kind_of_case, case.area, case.heads_for, _side(case))
                for case in found.annotate(stopped=FROZEN).select_related("area", "heads_for").order_by("pk")[:limit]
                if case.heads_for]


def _side(case: Case) -> OtherSide:
    return OtherSide(case.state, case.area, case.freezes_on, case.lapses_on, case.stopped)  # type: ignore[attr-defined]
