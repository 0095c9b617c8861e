"""Which papers a case needs, and which of them are missing (材料)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils import timezone

from zhengka.cases import book, rules
from zhengka.cases.models import Case
from zhengka.cases.services.moving import day
from zhengka.cases.services.opening import MULTIPLE, told
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.formats import certnumber
from zhengka.formats.certnumber import GUARDED
from zhengka.papers import queries as papers
from zhengka.papers.queries import Subject
from zhengka.papers.rules import CaseOf, Need
from zhengka.registry.models import Holder


def papers_needed(case: Case) -> list[Need]:
    """The papers that a case's kind needs where it is; none where no file speaks of the kind."""
    try:
        return papers.required(CaseOf(case.kind_of_case, case.area_id, timezone.localdate(case.opened_at),
                                      minor=case.minor, categories=frozenset(_categories(case)), reason=case.reason,
                                      route=rules.route_of(case.area_id, case.front_id)))
    except Refusal:
        return []


def _categories(case: Case) -> set[int]:
    """The categories of which a case is: those certified, and those found, until then those applied for, which of 多重
    may be any.
    """
    known, found = told(case), case.found or {}
    wanted = wanted_of(known)
    prefetch_related_objects([case], "certificate")  # None of a person who is another office's by now
    certified = None if "met" in known else case.certificate  # the record is another office's
    asked_for = {wanted, *(GUARDED if wanted == MULTIPLE else ())} if wanted else set()
    had = {certified.category, *(part[0] for part in certified.components)} if certified else set()
    return had | ({found["category"], *(part[0] for part in found["components"])} if found else asked_for)


def wanted_of(known: Mapping[str, Any]) -> int:
    """The category (GB/T 26341) for which a case is brought by what it was told (`opening.told`): the one that was
    applied for, or that stands in the number of the certificate somebody brings along; 0 where it was told none.
    """
    if wanted := known.get("wanted"):
        return int(wanted)
    return certnumber.parse(known["number"]).category if "number" in known else 0


def unproved(cases: Sequence[Case]) -> set[int]:
    """The ids of those cases in which an assessment found 智力 or 精神, and the proof of the guardian that the kind of
    case needs (办法 art. 9(1)) was not brought: acceptance could not know it yet.
    """
    assessed = [case for case in cases if case.found]
    prefetch_related_objects(assessed, "certificate")
    needing = {case.pk for case in assessed if GUARDED & _categories(case) and needs_proof(case)}
    brought = papers.received(Case.kind(), needing) if needing else {}
    return {pk for pk in needing if PROOF not in brought.get(pk, ())}


def needs_proof(case: Case) -> bool:
    """True where the kind of case needs the proof of a guardian."""
    return any(need.paper == PROOF for need in papers_needed(case))


PROOF = "guardian-proof"
"""The paper that proves who somebody's guardian is."""


def in_care(case: Case) -> bool:
    """True where letters go to the guardian who is named: of a minor, of 智力 and of 精神, also as a part of 多重."""
    return case.minor or bool(GUARDED & _categories(case))


def visual(case: Case) -> bool:
    """True where a person of this case is likely to read Braille: 视力, also as a part of 多重."""
    return VISUAL in _categories(case)


VISUAL = 1
"""Category 视力 (GB/T 26341)."""


TO_BRING = timedelta(days=30)
"""How long a case waits for papers that are missing [ours: the Measures name no day]."""


def papers_until(case: Case, asked: datetime) -> date:
    """The last day for papers that were asked for at a moment: a working day, thirty days on or the first one after."""
    before = day(asked) + TO_BRING - timedelta(days=1)
    return book.calendar(case.area_id).add_working_days(before, 1).day


def papers_awaited(case: Case) -> date | None:
    """By when the person was told to bring what is still missing: of a case that went back for its papers, or was
    accepted with papers to follow. None where nothing is awaited.
    """
    if case.ended_at is not None:
        return None
    asked = Event.objects.filter(subject=Case.kind(), subject_id=case.pk, action__in=("accept", "return_papers"))
    last = asked.order_by("version").last()
    waits = last is not None and (case.state == "returned" or bool(last.facts.get("lacking")))
    return papers_until(case, last.at) if last and waits and papers_missing(case) else None


def papers_missing(case: Case) -> list[Need]:
    """Those of `papers_needed` that nobody brought. Whose record is another office's has a photo there, or gets one."""
    holder = Holder.objects.filter(pk=case.holder_id).first() if case.holder_id else None
    photo = case.holder_id is not None and (holder is None or bool(holder.photo))
    return papers.missing(papers_needed(case), Subject(case.kind(), case.pk, case.area_id, case.front_id), photo=photo)
