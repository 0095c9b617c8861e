"""When somebody is to be assessed again (重新评定): kept by its day, taken along by the person, and told in time."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models import Q

from zhengka.assessment import queries as assessment
from zhengka.cases import book, recalls
from zhengka.cases.models import Case, Recall
from zhengka.cases.queries import Place
from zhengka.cases.recalls import Due
from zhengka.cases.services.moving import day
from zhengka.cases.services.needed import VISUAL
from zhengka.cases.services.telling import recipients
from zhengka.core.actors import SYSTEM
from zhengka.core.scope import seeing_all
from zhengka.letters import services as letters
from zhengka.letters.rules import HOTLINE, Value, ways
from zhengka.letters.services import Message
from zhengka.registry import services as registry
from zhengka.registry.models import Holder

PLATFORM = UUID("c5a3e0f4-52f1-4d3f-9d42-1a0a9f7f6a10")
"""Name space of the platform's own requests."""
log = logging.getLogger("zhengka.cases")
GROUP = 1_000
"""Reminders that are written in one transaction."""
LATE: Final = timedelta(days=3)
"""A day that passed longer ago is not written about any more: the list has it."""


def note_again(case: Case) -> None:
    """Keep from which day on the person of a case is to be assessed again, as their last assessment says, at whichever
    office it was; nothing where it says never, or nothing.
    """
    index = bytes(case.person_index)
    with seeing_all(connection):
        last = assessment.latest(index)
        again = last.conclusion.again if last else None
        if last is None or again is None or again.on is None:
            Recall.objects.filter(person_index=index).delete()
            return
        holder = Holder.objects.filter(id_index=index).first()
        found = {"area_id": holder.area_id if holder else case.area_id, "holder": holder, "name": case.name,
                 "case_id": last.assessment.case_id, "category": last.conclusion.category,
                 "met": last.conclusion.grade is not None, "again_on": again.on}
        recall, made = Recall.objects.get_or_create(person_index=index, defaults=found)
        if not made:
            told = recall.told_on if recall.again_on == again.on else None
            Recall.objects.filter(pk=recall.pk).update(**found, told_on=told)


def follow(holder: Holder) -> None:
    """Their record was made, corrected, or went to another office: the day goes with it."""
    index = bytes(holder.id_index)
    with seeing_all(connection):
        found = list(Recall.objects.filter(Q(holder=holder) | Q(person_index=index)).order_by("pk"))
        for one in found[:-1]:  # one person who was two by a wrong number
            one.delete()
        for one in found[-1:]:
            Recall.objects.filter(pk=one.pk).update(holder=holder, area=holder.area_id, person_index=index)


def remind_again(*, at: datetime) -> int:
    """Tell whoever is to be assessed again soon, so many days before as the policy of the area says, each once for a
    day; how many persons. Who has an open case that assesses them is left for later, and who has died is never told.
    """
    today, told, after, left = day(at), 0, Place(), Counter[str]()
    furthest = today + timedelta(days=book.longest_reminder())
    while found := recalls.to_tell(today - LATE, furthest, after, GROUP):
        due = [one for one in found if one.recall.again_on <= today + _before(one.recall.area_id, today)]
        with transaction.atomic():
            Recall.objects.filter(pk__in=[one.recall.pk for one in due]).update(told_on=today)
            left.update(_write(due, at))
        told, after = told + len(due), Place(found[-1].recall.again_on, found[-1].recall.pk)
    log.log(logging.WARNING if left else logging.INFO, "new assessments of %s: %s persons; letters that could not be "
            "written: %s", today, told, dict(left) or "none")
    return told


def _before(area: int, on: date) -> timedelta:
    return timedelta(days=book.reminded_before(area, on))


def _write(due: Sequence[Due], at: datetime) -> Mapping[str, int]:
    """A letter for each: to come for a new assessment, or to apply again; about the record, or else the last case. How
    many could not be written, by the reason.
    """
    holders = [one.recall.holder for one in due if one.recall.holder]
    reached = dict(zip([holder.pk for holder in holders], registry.written_to_many(holders), strict=True))
    cases = Case.objects.in_bulk([one.recall.case_id for one in due])
    without = [cases[one.recall.case_id] for one in due if one.recall.holder is None]
    said = dict(zip([case.pk for case in without], recipients(without), strict=True))
    messages = []
    for one in due:
        recall, holder = one.recall, one.recall.holder
        to = reached[holder.pk] if holder else said[recall.case_id]
        kind = "assessment-again" if one.certificate else "apply-again"
        slots: dict[str, Value] = {"office": f"{recall.area.name}残联", "phone": HOTLINE, "day": recall.again_on}
        messages.append(Message(kind, recall.area, holder or cases[recall.case_id], to, slots,
                                ways(to, kind, braille=VISUAL in _categories(one, cases.get(recall.case_id))),
                                f"{recall.again_on:%Y%m%d}"))
    return letters.write_many(messages, by=SYSTEM, request_id=uuid5(PLATFORM, f"again {day(at)}"), at=at).left


def _categories(due: Due, last: Case | None) -> set[int]:
    """What was assessed, certified and found, each part of 多重 for itself."""
    found = (last.found or {}).get("components", ()) if last else ()
    certified = due.certificate.categories if due.certificate else set()
    return {due.recall.category, *(category for category, _ in found), *certified}
