"""Which decisions may be disputed (异议复核), by which kind of case, and until when (办法 art. 25)."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import date, datetime

from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.cases.services.moving import day
from zhengka.cases.workflow import DISPUTES, ENDS, KINDS, UNHEARD
from zhengka.core.errors import Refusal

DISPUTED = {"dispute_city": tuple(name for name, kind in KINDS.items()
                                  if "assessment" in kind.stages and name not in DISPUTES),
            "dispute_province": ("dispute_city",)}
"""Kind of dispute → the kinds of case whose assessment is disputed by it (办法 art. 25)."""


def did_not_arrive(decided: Case) -> bool:
    """True of an arrival (迁入) of this platform that was refused, and of its dispute: the record stays with the old
    office, and the new one's city hears the dispute.
    """
    while decided.disputes is not None:
        decided = decided.disputes
    return decided.kind_of_case.startswith("transfer_in") and decided.holder_id is not None and decided.state in ENDS


def disputable(decided: Case, at: datetime) -> str:
    """The kind of dispute that may be brought against a decided case now; empty where none may."""
    return disputable_many([decided], at).get(decided.pk, "")


def disputable_many(decided: Iterable[Case], at: datetime) -> dict[int, str]:
    """The same of many cases, by their ids; against which none may be brought is left out."""
    assessed = [case for case in decided if case.found is not None and case.ended_at is not None]
    kinds = {case.pk: kind for case in assessed for kind, kinds in DISPUTED.items() if case.kind_of_case in kinds}
    heard, found = heard_of(list(kinds)), {}
    for case in assessed:
        if kind := kinds.get(case.pk):
            with suppress(Refusal):
                policy = book.procedure_for(kind, case.area_id, day(at))[0]
                check_dispute(kind, policy, case.area_id, case, day(at), heard=case.pk in heard)
                found[case.pk] = kind
    return found


def heard_of(decided: Collection[int]) -> set[int]:
    """Those of these cases (ids) of which a dispute was heard."""
    heard = Case.objects.filter(disputes__in=decided, ended_at__isnull=False).exclude(state__in=UNHEARD)
    return set(heard.values_list("disputes_id", flat=True)) if decided else set()


def dispute_ends(kind: str, decided: Case, *, at: datetime) -> date:
    """The last day on which a dispute of a kind may be brought against a case that has ended, by today's policy."""
    rule = book.procedure_for(kind, decided.area_id, day(at))[1]
    return rule.closes(day(decided.ended_at or at), book.calendar(decided.area_id)).day


def check_dispute(kind: str, policy: str, area: int, decided: Case, today: date, *, heard: bool) -> None:
    """An assessment of the county is disputed within ten working days, the city's result before the province; each
    once, and the province's result is final (办法 art. 25).
    """
    if decided.found is None or decided.ended_at is None or decided.state in UNHEARD:
        raise Refusal("dispute-of-nothing")
    if decided.kind_of_case == "dispute_province" or heard:
        raise Refusal("dispute-final")
    if decided.kind_of_case not in DISPUTED[kind]:
        raise Refusal("dispute-of-nothing")
    last = book.pinned(policy, kind).closes(day(decided.ended_at), book.calendar(area)).day
    if today > last:
        raise Refusal("dispute-too-late", last=last.isoformat())
