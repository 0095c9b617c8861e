"""A card is blocked at once (挂失) when a case of its loss (补办) is opened, and let go where that is withdrawn.
Where it was declined or refused, the report stands until somebody lifts it (解挂).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from zhengka.bulk.services import Asked
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases.models import Case
from zhengka.cases.services.moving import part
from zhengka.cases.workflow import ENDS, found_again
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import lock, perform
from zhengka.core.models import Event
from zhengka.core.scope import seeing_all
from zhengka.registry import services as registry


def block(case: Case, asked: Asked) -> None:
    """Gates refuse the card from now on, wherever the case was received: who opens it carries out the report. One that
    was reported lost before stays as it is.
    """
    with seeing_all(connection):
        for card in Card.objects.filter(holder_id=case.holder_id or 0, state="active"):
            cards.report_lost(card, record=case.pk, **vars(_for_the_office(card, asked, "card.suspend")))


def let_go(case: Case, asked: Asked) -> None:
    """The case was withdrawn, for the card was found: what it, or an earlier case of a loss, blocked is accepted again.
    One that was reported lost otherwise, or whose certificate is frozen by now, stays refused.
    """
    with seeing_all(connection):
        current = registry.current(case.holder_id) if case.holder_id else None
        for card in _blocked_by_cases(case):
            if current is not None and current.state == "valid":
                cards.report_found(card, **vars(_for_the_office(card, asked, "card.restore")))


def still_lost(case: Case, *, by: Actor) -> bool:
    """True for a case of a loss that ended without another card while the old one is refused, and no other case of it
    is open: the report is lifted once the card is found, or another case makes a new one.
    """
    if case.kind_of_case != "loss" or case.state not in ENDS or case.ended_at is None:
        return False
    with seeing_all(connection):
        again = Case.objects.filter(kind_of_case="loss", holder=case.holder_id, ended_at__isnull=True)
        return bool(_liftable(case, by)) and not again.exists()


@transaction.atomic
def lift_loss(case: Case, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """The card of a loss for which none was made was found after all (解挂): it is accepted again, wherever the case
    was received; who holds it says so to whichever of its two offices.

    `Refusal`: `step-not-open` where no report is to be lifted, `certificate-not-valid` where what the card proves is
    frozen or has ended, `not-permitted`, `not-found`. Raises `Replayed`.
    """
    (case,) = lock(case)
    open_, step, asked = still_lost(case, by=by), found_again(case.state), Asked(by, request_id, at)
    case = perform(case, step, **vars(asked))
    if not open_:
        raise Refusal("step-not-open", subject="case", state=case.state, action=step.action)
    with seeing_all(connection):
        for card in _liftable(case, by):
            cards.report_found(card, **vars(_for_the_office(card, asked, "card.restore")))
    return case


def _liftable(case: Case, by: Actor) -> list[Card]:
    """The cards that are reported lost: every one of the actor's own office, of another's those that a case blocked."""
    own = Card.objects.filter(holder_id=case.holder_id or 0, state="suspended", area__code__range=(by.lo, by.hi))
    return sorted({*own, *_blocked_by_cases(case)}, key=lambda card: card.pk)


def _blocked_by_cases(case: Case) -> Iterator[Card]:
    """The cards that a case of a loss blocked, this one or another of the same holder."""
    cases = {*Case.objects.filter(kind_of_case="loss", holder=case.holder_id).values_list("pk", flat=True)}
    for card in Card.objects.filter(holder_id=case.holder_id or 0, state="suspended").order_by("pk"):
        lost = Event.objects.filter(subject="card", subject_id=card.pk, action="report_lost").order_by("version").last()
        if lost is not None and lost.facts.get("record") in cases:
            yield card


def _for_the_office(card: Card, asked: Asked, right: str) -> Asked:
    by = replace(asked.by, lo=card.area_id, hi=card.area_id, permissions=asked.by.permissions | {right})
    return part(replace(asked, by=by), f"card {card.pk}")
