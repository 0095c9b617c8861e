"""A departure (迁出) is about the certificate that its office holds: it ends with it, or when it has left elsewise."""

from dataclasses import replace

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from zhengka.areas.models import Area
from zhengka.bulk.services import Asked
from zhengka.cases.models import Case
from zhengka.cases.rules import reach_of
from zhengka.cases.services.moving import part
from zhengka.cases.workflow import DEPARTURES, bereft
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import lock, perform
from zhengka.core.queue import later
from zhengka.core.scope import seeing_all
from zhengka.registry.models import IN_FORCE, Certificate

HELD = Exists(Certificate.objects.filter(holder=OuterRef("holder"), area=OuterRef("area"), state__in=IN_FORCE))
"""Departures whose office holds a certificate of the person."""


def departures() -> "QuerySet[Case]":
    """Every departure that is open."""
    return Case.objects.filter(kind_of_case__in=DEPARTURES, ended_at__isnull=True)


def strayed(case: Case) -> bool:
    """True for an open departure whose certificate has ended, or is at another office by now."""
    return departures().filter(pk=case.pk).exclude(HELD).exists()


def headed_for(case: Case, code: int | None) -> Area | None:
    """The unit where somebody moves (12-digit code; 0 or None: not known yet)."""
    if not code:
        return None
    unit = Area.objects.filter(code=code, issuing=True).first()
    if unit is None:
        raise Refusal("not-found")
    check_reach(case.kind_of_case, case.area_id, unit.code)
    return unit


def check_reach(kind: str, leaves: int, to: int) -> None:
    """A departure within the city, within the province or to another province goes just there (issuing units' 12-digit
    codes): each has its own level to decide on it. `Refusal("move-out-of-reach")`.
    """
    if kind.rpartition("_")[2] != reach_of(leaves, to):
        raise Refusal("move-out-of-reach")


def end_departure(case: Case, asked: Asked) -> Case:
    """End one, wherever it stands: the platform does, and the event says why."""
    return end_case(case, "certificate-missing", asked)


def end_case(case: Case, reason: str, asked: Asked) -> Case:
    """End a case that has lost what it is about, wherever it stands: the platform does, and the event says why."""
    return perform(case, bereft(case.state), {"ended_at": asked.at, "moved_at": asked.at, "due_on": None},
                   reason=reason, **vars(replace(asked, by=SYSTEM)))


def end_departures(holder_id: int, asked: Asked) -> None:
    """End what is open of a holder whose certificate has ended, at whichever office; an arrival ends after it."""
    with seeing_all(connection):
        for case in lock(*departures().filter(holder=holder_id)):
            end_departure(case, part(asked, f"departure {case.pk}"))
            later("cases.move_on", case_id=case.pk)
