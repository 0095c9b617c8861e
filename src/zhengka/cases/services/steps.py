"""The steps of one case, from acceptance to the last decision (受理 评定 公示 审核 批准)."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from zhengka.assessment.models import Appointment
from zhengka.bulk.services import Asked
from zhengka.cases import assumed, book
from zhengka.cases.models import Case
from zhengka.cases.services.deciding import check_decision
from zhengka.cases.services.effects import conclude
from zhengka.cases.services.eligible import as_heard
from zhengka.cases.services.losing import let_go
from zhengka.cases.services.moving import day, move
from zhengka.cases.services.needed import papers_missing
from zhengka.cases.services.notices import last_day
from zhengka.cases.services.opening import MULTIPLE
from zhengka.cases.services.telling import tell
from zhengka.cases.workflow import desk
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import lock
from zhengka.core.models import Event
from zhengka.core.queue import later
from zhengka.formats import idnumber
from zhengka.registry.services import Finding

NEEDS_REASON = frozenset({
    "close", "return_papers", "decline", "withdraw", "disprove", "miss", "call_off", "fail", "differ", "object",
    "dismiss", "uphold", "reassess", "send_back", "send_back_to_review", "send_back_to_approval", "refuse",
    "turn_back"})
"""Steps that go back, aside or to an end: who takes them says why, and the person may read it."""
BY_ASSESSMENT = frozenset({"book", "assess", "countersign", "differ"})
"""Steps that come with a day, a signed form or a second signature: `assessing` asks for licence and fairness."""
OF_A_DAY = frozenset({"miss", "call_off"})
"""Steps that come with the end of an appointment, where there is one: `assessing` takes both."""
BY_OTHERS = BY_ASSESSMENT | {"verify", "order", "arrive", "freeze", "lapse", "end_notice", "extend_notice"}
"""Steps that have a service of their own, or that the platform takes."""
FRESH: Mapping[str, dict[str, Any]] = {
    "send_back": {"reviewer_person": ""}, "send_back_to_review": {"reviewer_person": ""},
    "send_back_to_approval": {"approver_person": ""},
    "differ": {"assessor_person": ""}, "reassess": {"assessor_person": "", "notice_from": None, "notice_ends": None},
    "uphold": {"assessor_person": "", "notice_from": None, "notice_ends": None},
    "turn_back": {"reviewer_person": "", "approver_person": ""}}
"""Step → what it takes back, so that it is decided anew."""


def take(case: Case, action: str, *, by: Actor, request_id: UUID, at: datetime, reason: str = "") -> Case:
    """Take the step `action` of a case, whatever its kind. The last decision does what was decided (`effects`).

    `case`: as the officer saw it. `Refusal`: `case-changed` where another step was taken since, `step-not-open` (also
    for a step of `BY_OTHERS`), `not-permitted`, `not-found`, `office-wrong`, `same-person`, `notice-running`,
    `reason-missing`, `papers-missing`, `papers-first` (of these none may follow), `appointment-open` (an appointment
    itself says who did not come, or that it is called off), and what the effects say; of a record that is another
    office's `elsewhere-unfit`. Raises `Replayed` for a repeat. Not one transaction but two (`as_heard`).
    """
    if action in BY_OTHERS:
        raise Refusal("step-not-open", subject="case", state=case.state, action=action)
    if action in OF_A_DAY and Appointment.objects.filter(case_id=case.pk, state="booked").exists():
        raise Refusal("appointment-open")
    try:
        with transaction.atomic():
            done = carry(case, action, by=by, request_id=request_id, at=at, reason=reason)
            _as_seen(done, request_id, case.version)
    except Refusal as no:
        raise as_heard(case, no, Asked(by, request_id, at)) from None
    return done


def _as_seen(case: Case, request_id: UUID, seen: int) -> None:
    """`Refusal("case-changed")` where another step was taken after the version `seen` and before the one of this
    request: who decides has not looked at it. Who has the case on the desk is no matter.
    """
    steps = Event.objects.filter(subject=case.kind(), subject_id=case.pk)
    this = steps.get(request_id=request_id)
    if this.version > seen + 1 and steps.filter(version__gt=seen, version__lt=this.version).exclude(
            action__in=desk("").actions).exists():
        raise Refusal("case-changed")


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
    """What was reported is true by a second source (核实): one of `SOURCES`, and its list number, or the day and time
    of a call or visit. Both stand in the event.

    `Refusal` as `take`, `source-missing`, `reference-wrong`, and `same-person` where who reported it would verify it.
    """
    if source not in SOURCES or not reference.strip():
        raise Refusal("source-missing")
    if not is_reference(reference.strip()):
        raise Refusal("reference-wrong")
    return move(case, "verify", Asked(by, request_id, at), source=source, reference=reference.strip())


SOURCES = ("hospital", "police", "funeral", "village", "call", "in-person")
"""Where a report is verified: lists of the hospital, the police or the funeral service, the village or community, a
call to the family or the holder, the holder seen in person.
"""
_REFERENCE = re.compile(r"(?!.*\d{11})[A-Za-z0-9][A-Za-z0-9./: -]{0,39}")
_PHONE = re.compile(r"(86)?1[3-9]\d{9}|0\d{9,11}")


def is_reference(text: str) -> bool:
    """True for the number of a list, or a day and time: an event is kept for ever and in clear, so it takes no name,
    no phone number and no ID number.
    """
    bare = re.sub("[^A-Za-z0-9]", "", text)
    if not _REFERENCE.fullmatch(text) or _PHONE.fullmatch(bare):
        return False
    try:
        idnumber.parse(bare)
    except idnumber.BadIdNumber:
        return True
    return False


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
    last = last_day(case.policy, case.kind_of_case, case.area_id, case.notice_from) if case.notice_from else None
    if last and day(at) <= last.day:
        raise Refusal("notice-running", ends=last.day.isoformat())
    return move(case, "end_notice", Asked(by, request_id, at), on=day(at).isoformat())


def _check(found: Finding) -> None:
    """A multiple disability has at least two different components, and the grade of the most severe (办法 art. 13)."""
    parts = found.components
    several = len({category for category, _ in parts}) == len(parts) >= 2
    fits = several and found.grade == min(grade for _, grade in parts) if found.category == MULTIPLE else not parts
    known = all(1 <= category < MULTIPLE and 1 <= grade <= LEAST for category, grade in parts)
    if not (fits and known and 1 <= found.category <= MULTIPLE and 1 <= found.grade <= LEAST):
        raise Refusal("finding-impossible")


LEAST = 4
"""The least severe grade (GB/T 26341)."""


def _move(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    return move(case, action, asked, FRESH.get(action), **facts)


def _accept(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    """What is complete is accepted, and where who accepts says why, what lacks papers that may follow (容缺受理): the
    event names both.
    """
    missing = papers_missing(case)
    if not (lacking := [need.paper for need in missing]):
        return move(case, action, asked, **facts)
    done = move(case, action, asked, lacking=lacking, **facts)
    if "reason" not in facts:
        raise Refusal("papers-missing", papers=lacking)
    if first := [need.paper for need in missing if not need.may_follow]:
        raise Refusal("papers-first", papers=first)
    return done


def _precheck(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    """The office that checks first may send on what is not complete, as the one behind it accepts: the event names the
    papers that lacked.
    """
    lacking = [need.paper for need in papers_missing(case)]
    return move(case, action, asked, **facts, **({"lacking": lacking} if lacking else {}))


def _publish(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    """A notice shows the least, begins on its day, and its own day does not count (民法典 art. 201)."""
    notice = book.pinned(case.policy, case.kind_of_case).notice
    if notice is None:
        raise Refusal("step-not-open", subject="case", state=case.state, action=action)
    first = day(asked.at)
    last = notice.last_day(first, book.calendar(case.area_id))
    done = move(case, action, asked, {"notice_from": first, "notice_ends": last.day}, ends=last.day.isoformat(),
                **assumed.fact(last), **facts)
    if not (done.found or {}).get("category"):  # whether the step is open at all is asked first
        raise Refusal("standard-not-met")
    return done


def _dismiss(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    """The objection does not hold: the notice stands for its full days anew, for all to see the answer."""
    first = day(asked.at)
    notice = book.pinned(case.policy, case.kind_of_case).notice
    if notice is None:
        return move(case, action, asked, {"notice_from": first}, **facts)
    last = notice.last_day(first, book.calendar(case.area_id))
    return move(case, action, asked, {"notice_from": first, "notice_ends": last.day}, **assumed.fact(last), **facts)


def _withdraw(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    case = move(case, action, asked, **facts)
    if case.kind_of_case == "loss":
        let_go(case, asked)
    return case


def _review(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    done = move(case, action, asked, {"reviewer_person": asked.by.person}, **facts)
    check_decision(done, action, asked)
    return done


def _confirm_move(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    """The case stays where it is, and as long."""
    stays = {"witness_person": asked.by.person, "moved_at": case.moved_at, "due_on": case.due_on}
    return move(case, action, asked, stays, **facts)


def _decide(case: Case, action: str, asked: Asked, facts: dict[str, Any]) -> Case:
    also = {"approver_person": asked.by.person} if action == "approve" else {}
    return conclude(move(case, action, asked, also, **facts), asked)


DOES: Mapping[str, Callable[[Case, str, Asked, dict[str, Any]], Case]] = {
    "accept": _accept, "precheck": _precheck, "publish": _publish, "dismiss": _dismiss,
    "confirm_move": _confirm_move, "review": _review, "withdraw": _withdraw,
    "approve": _decide, "recheck": _decide}
"""Steps that write more than the state."""
