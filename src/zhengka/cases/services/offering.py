"""Which kinds of case may be opened for a holder now, and why the others may not."""

from datetime import datetime

from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.cases.services.disputing import DISPUTED, disputable
from zhengka.cases.services.moving import day
from zhengka.cases.services.opening import CHECKS, certificate_of, not_expired
from zhengka.cases.workflow import slot
from zhengka.core.errors import Refusal
from zhengka.registry.models import Holder


def unopened(kind: str, holder: Holder, *, at: datetime) -> str:
    """Why a case of a kind cannot be opened for a holder now: the code of the refusal that `open_case` would say before
    it looks at what is told; empty where it can.
    """
    today = day(at)
    its = Case.objects.filter(person_index=bytes(holder.id_index))
    if slot(kind) in {slot(one) for one in its.filter(ended_at__isnull=True).values_list("kind_of_case", flat=True)}:
        return "case-open"
    if kind in DISPUTED:
        return "" if any(disputable(case, at) == kind for case in its.filter(ended_at__isnull=False)) else (
            "dispute-of-nothing")
    try:
        case = Case(kind_of_case=kind, area_id=holder.area_id, holder=holder, certificate=certificate_of(kind, holder),
                    person_index=bytes(holder.id_index))
        case.policy = book.procedure_for(kind, holder.area_id, today)[0]
        if kind in BY_THE_CERTIFICATE:
            CHECKS[kind](case, {}, today)
        elif kind == "correction":
            not_expired(case, {}, today)
    except Refusal as no:
        return no.code
    return ""


BY_THE_CERTIFICATE = frozenset({"exchange", "renewal", "damage", "loss"})
"""Kinds whose checks look at the certificate and the card alone."""
