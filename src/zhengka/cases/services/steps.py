"""The steps of one case, from acceptance to the last decision (受理 评定 公示 审核 批准)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from zhengka.areas.calendars import Due
from zhengka.assessment.models import Appointment
from zhengka.bulk.services import Asked
from zhengka.cases import assumed, book
from zhengka.cases.models import Case
from zhengka.cases.services.effects import conclude
from zhengka.cases.services.moving import day, move
from zhengka.cases.services.needed import papers_missing
from zhengka.cases.services.telling import tell
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import lock
from zhengka.core.queue import later
from zhengka.registry.services import Finding

NEEDS_REASON = frozenset({
    "close", "return_papers", "decline", "withdraw", "disprove", "miss", "fail", "differ", "object", "dismiss",
    "uphold", "reassess", "send_back", "send_back_to_review", "send_back_to_approval", "refuse", "turn_back"})
"""Steps that go back, aside or to an end: who takes them says why, and the person may read it."""
BY_ASSESSMENT = frozenset({"book", "assess", "countersign", "differ"})
"""Steps that come with a day, a signed form or a second signature: `assessing` asks for licence and fairness."""
BY_OTHERS = BY_ASSESSMENT | {"verify", "order", "arrive", "freeze", "lapse", "end_notice", "extend_notice"}
"""Steps that have a service of their own, or that the platform takes."""
FRESH: Mapping[str, dict[str, Any]] = {
    "send_back": {"reviewer_person": ""}, "send_back_to_review": {"reviewer_person": ""},
    "send_back_to_approval": {"approver_person": ""},
    "differ": {"assessor_person": ""}, "reassess": {"assessor_person": "", "notice_from": None, "notice_ends": None},
    "uphold": {"assessor_person": "", "notice_from": None, "notice_ends": None},
    "turn_back": {"reviewer_person": "", "approver_person": ""}}
"""Step → what it takes back, so that it is decided anew."""


@transaction.atomic
def take(case: Case, action: str, *, by: Actor, request_id: UUID, at: datetime, reason: str = "") -> Case:
    """Take the step `action` of a case, whatever its kind. The last decision does what was decided (`effects`).

    `Refusal`: `step-not-open` (also for a step of `BY_OTHERS`), `not-permitted`, `not-found`, `office-wrong`,
    `same-person`, `notice-running`, `reason-missing`, `papers-missing`, `appointment-open` (an appointment itself says
    who did not come), and what the effects say. Raises `Replayed` for a repeat.
    """
    if action in BY_OTHERS:
        raise Refusal("step-not-open", subject="case", state=case.state, action=action)
    if action == "miss" and Appointment.objects.filter(case_id=case.pk, state="booked").exists():
        raise Refusal("appointment-open")
    return carry(case, action, by=by, request_id=request_id, at=at, reason=reason)


@transaction.atomic
def carry(case: Case, action: str, *, by: Actor, request_id: UUID, at: datetime, reason: str = "") -> Case:
    """As `take`, for the service that a step belongs to: it has looked at what the step's own table does not know."""
    if action in NEEDS_REASON and not reason.strip():
        raise Refusal("reason-missing")
    asked, facts = Asked(by, request_id, at), {"reason": reason.strip()} if reason.strip() else {}
    done = DOES.get(action, _move)(case, action, asked, facts)
    if done.kind_of_case.startswith("transfer") and (done.ended_at or action == "turn_back"):
        later("cases.move_on", case_id=done.pk)  # the other office's case does not wait for one that has ended
    tell(done, action, asked, reason.strip())
    return done


@transaction.atomic
def verify(case: Case, source: str, reference: str, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """What was reported is true by a second source (核实): one of `SOURCES`, and its list number, or who was called
    when. Both stand in the event.

    `Refusal` as `take`, `source-missing`, and `same-person` where who reported it would verify it.
    """
    if source not in SOURCES or not reference.strip():
        raise Refusal("source-missing")
    return move(case, "verify", Asked(by, request_id, at), source=source, reference=reference.strip())


SOURCES = ("hospital", "police", "funeral", "village", "call", "in-person")
"""Where a report is verified: lists of the hospital, the police or the funeral service, the village or community, a
call to the family or the holder, the holder seen in person.
"""


@transaction.atomic
def assess(case: Case, found: Finding | None, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Keep an institution's conclusion (评定结论): category and grade, or None where the standard is not met.

    For `assessing.sign`, which asks for appointment, licence and fairness. `Refusal` as `take`, and
    `finding-impossible`.
    """
    if found is not None:
        _check(found)
    told = {"category": found.category, "grade": found.grade, "components": [list(part) for part in found.components],
            } if found else {}
    return move(case, "assess", Asked(by, request_id, at),
                {"assessor_person": by.person, "found": told}, met=found is not None)


@transaction.atomic
def end_notice(case: Case, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """The public notice has stood for its full days and comes down (公示期满). `Refusal("notice-running")`, also where
    a day off was announced meanwhile: its days are counted again.
    """
    (case,) = lock(case)
    if (last := _counted_again(case)) and day(at) <= last.day:
        raise Refusal("notice-running", ends=last.day.isoformat())
    return move(case, "end_notice", Asked(by, request_id, at), on=day(at).isoformat())


@transaction.atomic
def extend_notice(case: Case, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """A day off was announced while the notice stands: it stands longer by it (公示顺延). One that was taken back makes
    no notice shorter than it says. `Refusal("step-not-open")` where its last day is as it was.
    """
    (case,) = lock(case)
    last = _counted_again(case)
    if last is None or case.notice_ends is None or last.day <= case.notice_ends:
        raise Refusal("step-not-open", subject="case", state=case.state, action="extend_notice")
    return move(case, "extend_notice", Asked(by, request_id, at), {"notice_ends": last.day},
                ends=last.day.isoformat(), **assumed.fact(last))


def _counted_again(case: Case) -> Due | None:
    """The last day of a case's notice by the calendar as it is now; None where it has none."""
    notice = book.pinned(case.policy, case.kind_of_case).notice
    if notice is None or case.notice_from is None:
        return None
    return notice.last_day(case.notice_from, book.calendar(case.area_id))


def _check(found: Finding) -> None:
    """A multiple disability has at least two different components, and the grade of the most severe (办法 art. 13)."""
    parts = found.components
    several = len({category for category, _ in parts}) == len(parts) >= 2
    fits = several and found.grade == min(grade for _, grade in parts) if found.category == MULTIPLE else not parts
    known = all(1 <= category < MULTIPLE and 1 <= grade <= LEAST for category, grade in parts)
    if not (fits and known and 1 <= found.category <= MULTIPLE and 1 <= found.grade <= LEAST):
        raise Refusal("finding-impossible")


MULTIPLE, LEAST = 7, 4
"""The category of a multiple disability, and the least severe grade (GB/T 26341)."""


def _move(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    return move(case, action, asked, FRESH.get(action), **facts)


def _accept(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    """What is complete is accepted, and where who accepts says why, what is not (容缺受理): the event names both."""
    if not (lacking := [need.paper for need in papers_missing(case)]):
        return move(case, action, asked, **facts)
    done = move(case, action, asked, lacking=lacking, **facts)
    if "reason" not in facts:
        raise Refusal("papers-missing", papers=lacking)
    return done


def _publish(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    """A notice shows the least, begins on its day, and its own day does not count (民法典 art. 201)."""
    if not (case.found or {}).get("category"):
        raise Refusal("standard-not-met")
    notice = book.pinned(case.policy, case.kind_of_case).notice
    if notice is None:
        raise Refusal("step-not-open", subject="case", state=case.state, action=action)
    first = day(asked.at)
    last = notice.last_day(first, book.calendar(case.area_id))
    return move(case, action, asked, {"notice_from": first, "notice_ends": last.day}, ends=last.day.isoformat(),
                **assumed.fact(last), **facts)


def _dismiss(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    """The objection does not hold: the notice stands for its full days anew, for all to see the answer."""
    first = day(asked.at)
    notice = book.pinned(case.policy, case.kind_of_case).notice
    if notice is None:
        return move(case, action, asked, {"notice_from": first}, **facts)
    last = notice.last_day(first, book.calendar(case.area_id))
    return move(case, action, asked, {"notice_from": first, "notice_ends": last.day}, **assumed.fact(last), **facts)


def _review(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    return move(case, action, asked, {"reviewer_person": asked.by.person}, **facts)


def _decide(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    also = {"approver_person": asked.by.person} if action == "approve" else {}
    return conclude(move(case, action, asked, also, **facts), asked)


DOES: Mapping[str, Callable[[Case, str, Asked, dict[str, Any]], Case]] = {
    "accept": _accept, "publish": _publish, "dismiss": _dismiss, "review": _review, "approve": _decide,
    "recheck": _decide}
"""Steps that write more than the state."""
