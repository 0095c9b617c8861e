"""Public notices that have stood come down, and stand longer where a day off was announced (公示期满、公示顺延): by
what they have in common, not case by case.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from django.db import transaction

from zhengka.areas.calendars import Due
from zhengka.cases import assumed, book
from zhengka.cases.models import Case
from zhengka.cases.services.moving import day, due
from zhengka.core.actors import SYSTEM
from zhengka.core.events import Many, perform_many

PLATFORM = UUID("0d6c1a52-7e8f-4d0e-8a27-3b0c5d9f6e71")
"""Name space of the platform's own requests."""
CHUNK = 2000
"""Notices that take a step in one transaction."""


class Alike(NamedTuple):
    """What hanging notices have in common whose last day is the same: office, policy, kind, first and last day, and the
    day by which the case is due that they hang for.
    """

    area: int
    policy: str
    kind: str
    minor: bool
    notice_from: date
    notice_ends: date
    due_on: date | None

    @property
    def counted(self) -> Due | None:
        """The last day by the calendar as it is now."""
        return last_day(self.policy, self.kind, self.area, self.notice_from)

    def due(self, state: str, at: datetime) -> date | None:
        """The last day for the step that leads on from a state."""
        if self.due_on and (self.policy, self.kind, self.minor, state) in book.spans():
            return self.due_on
        return due(Case(policy=self.policy, kind_of_case=self.kind, minor=self.minor, area_id=self.area), state, at)


def last_day(policy: str, kind: str, area: int, first: date) -> Due | None:
    """The last day of a notice that was put up on a day, by the calendar as it is now; None where a kind has none."""
    notice = book.pinned(policy, kind).notice
    return notice.last_day(first, book.calendar(area)) if notice else None


def extend_notices(*, at: datetime) -> int:
    """Let the notices stand longer whose last days a day off falls on that was announced meanwhile; how many.

    One that was taken back makes no notice shorter than it says.
    """
    return sum(_take("extend_notice", alike, at, {"notice_ends": last.day}, ends=last.day.isoformat(),
                     **assumed.fact(last))
               for alike in _hanging(day(at)) if (last := alike.counted) and last.day > alike.notice_ends)


def end_notices(*, at: datetime) -> int:
    """Take the notices down that have stood for their full days, by the calendar as it is now; how many."""
    today = day(at)
    return sum(_take("end_notice", alike, at, {}, on=today.isoformat()) for alike in _hanging(today)
               if alike.notice_ends < today and ((last := alike.counted) is None or last.day < today))


def _hanging(on: date) -> Iterator[Alike]:
    """What is alike among the notices whose last day has come."""
    found = Case.objects.filter(state="publicised", ended_at__isnull=True, notice_ends__lte=on)
    alike = found.values_list("area", "policy", "kind_of_case", "minor", "notice_from", "notice_ends",
                              "due_on").distinct()
    yield from sorted((Alike(area, policy, kind, minor, first, last, due_on)
                       for area, policy, kind, minor, first, last, due_on in alike if first and last),
                      key=lambda one: (*one[:-1], one.due_on or date.max))


def _take(action: str, alike: Alike, at: datetime, also: dict[str, Any], **facts: Any) -> int:
    """Take one step with all that are alike; how many took it. One that somebody moved, or put up anew, is left."""
    table = book.table(alike.policy, alike.kind, minor=alike.minor)
    values = {"at": at, "due_on": alike.due(table.step("publicised", action).target, at), **also}
    rows = Case.objects.filter(state="publicised", ended_at__isnull=True, area=alike.area, policy=alike.policy,
                               kind_of_case=alike.kind, minor=alike.minor, notice_from=alike.notice_from,
                               notice_ends=alike.notice_ends, due_on=alike.due_on)
    ids, done = list(rows.order_by("pk").values_list("pk", flat=True)), 0
    for start in range(0, len(ids), CHUNK):
        with transaction.atomic():
            still = rows.filter(pk__in=ids[start:start + CHUNK]).order_by("pk").select_for_update(of=("self",))
            done += len(perform_many(
                Many(Case, list(still.values_list("pk", flat=True)), "publicised", facts, table=table, values=values,
                     also=", moved_at = %(at)s" + "".join(f", {name} = %({name})s" for name in ("due_on", *also))),
                action, by=SYSTEM, request_id=uuid5(PLATFORM, f"{action} {at.isoformat()}"), at=at))
    return done
