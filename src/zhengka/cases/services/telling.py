"""People are told what becomes of their case (告知): a letter or a short message with each step that concerns them.

Who has a mobile phone gets a message, all others a sheet of paper, and with 视力 one in Braille beside each on paper.
What must be said in full is on paper for all, and who asked for paper, large type, Braille or English gets it so. A
step is never refused because a letter cannot be written: the case goes on, and its page says that the person was not
told, why, and what to do (`letters.models.Unwritten`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import prefetch_related_objects

from zhengka.areas.models import Area
from zhengka.assessment.models import Appointment
from zhengka.bulk.services import Asked
from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.cases.rules import Procedure, office_of
from zhengka.cases.services import wording
from zhengka.cases.services.disputing import disputable_many
from zhengka.cases.services.guarding import guardian_of, guardian_told
from zhengka.cases.services.moving import day, part
from zhengka.cases.services.needed import in_care, papers_missing, papers_until, visual
from zhengka.cases.services.opening import Guardian, told
from zhengka.cases.workflow import DISPUTES
from zhengka.letters import services as letters
from zhengka.letters.rules import HOTLINE, INVITATION, NOT_ASKED, Recipient, Value, is_phone, ways, wishing
from zhengka.letters.services import Message
from zhengka.registry import services as registry

MOVED = "moved"
"""What is told of a case that ended at the old office because its person moved: a step of no officer's."""


@dataclass(frozen=True)
class Occasion:
    """A step that some cases took, as letters tell of it: what they say beside the case is read once for all."""

    cases: Sequence[Case]
    action: str
    asked: Asked
    reason: str = ""

    @cached_property
    def disputable(self) -> Collection[int]:
        """The ids of those cases that the step ended and that may be disputed from then on (办法 art. 25): each of them
        is told how.
        """
        return disputable_many(self.cases, self.asked.at) if self.action in ENDING else ()

    @cached_property
    def offices(self) -> Mapping[int, str]:
        """The offices (残联) of the city and the province of each case, by their 12-digit codes."""
        codes = {office_of(level, case) for case in self.cases for level in ("city", "province")}
        return {code: f"{name}残联" for code, name in Area.objects.filter(code__in=codes).values_list("code", "name")}

    def office(self, level: str, case: Case) -> str:
        """What the office of this level is called that a case belongs to."""
        return self.offices.get(office_of(level, case), "残联")


Slots = Callable[[Case, Occasion], dict[str, Any]]


def tell(case: Case, action: str, asked: Asked, reason: str = "") -> None:
    """Write what a step says to the person, to be carried after the transaction; nothing for a step of no letter, nor
    for an approval that another office looks at again.
    """
    _came([case.pk], action, asked)
    _tell(Occasion([case], action, asked, reason))


SAID_OF = (
    "area", "front", "holder", "certificate", "card", "disputes", "told", "kind_of_case", "policy", "minor", "name",
    "state", "version", "reason", "found", "ended_at", "moved_at", "freezes_on", "lapses_on",
    "holder__name", "holder__phone", "holder__address", "holder__guardian", "holder__birth_date",
    "holder__wishes", "certificate__category", "certificate__grade",
    "certificate__components", "card__certificate", "card__certificate__category", "card__certificate__grade")
"""What letters say of a case, and to whom: no more is read where many are written. What else is asked for is read then.
"""


def tell_many(case_ids: Sequence[int], action: str, asked: Asked) -> None:
    """As `tell` does for each of the cases that took a step together: the same letters, by one statement for a kind."""
    _came(case_ids, action, asked)
    if action not in {*LETTERS, *LAST} or not asked.by.may("letter.send"):
        return
    cases = list(Case.objects.filter(pk__in=case_ids).select_related(
        "holder", "certificate", "card__certificate").only(*SAID_OF).order_by("pk"))
    prefetch_related_objects(cases, "area", "front")  # few offices: one object of each, not one for each case
    _tell(Occasion(cases, action, asked))


def _tell(step: Occasion) -> None:
    found = [(case, letters_of) for case in step.cases if (letters_of := _letters_of(case, step))]
    if not found or not step.asked.by.may("letter.send"):
        return
    messages: dict[str, list[Message]] = {}
    for (case, letters_of), to in zip(found, recipients([case for case, _ in found]), strict=True):
        for kind, slots in letters_of:
            messages.setdefault(kind, []).append(
                _message(case, to, kind, slots(case, step), f"v{case.version}", step.asked))
    for kind, each in messages.items():
        letters.write_many(each, **vars(part(step.asked, kind)))


def invite(case_ids: Sequence[int], asked: Asked) -> Mapping[str, int]:
    """Tell the holders whose exchange was opened that they may come for it (换发通知): each of whom there is a phone or
    an address. How many letters are missing, by the reason: `queries.uninvited` counts them, `inviting` tries again.
    """
    cases = list(Case.objects.filter(pk__in=case_ids).select_related("holder", "certificate").only(
        *(name for name in SAID_OF if not name.startswith("card"))).order_by("pk"))
    prefetch_related_objects(cases, "area", "front")
    messages = []
    for case, to in zip(cases, recipients(cases), strict=True):
        message = _message(case, to, INVITATION, _numbered(case), "once", asked)
        messages.append(message if is_phone(to.phone) or to.address.strip() else replace(message, channels=()))
    if not asked.by.may("letter.send"):
        return letters.leave(messages, NOT_ASKED, at=asked.at)
    return letters.write_many(messages, **vars(part(asked, INVITATION))).left


def _came(case_ids: Sequence[int], action: str, asked: Asked) -> None:
    """Whoever came, or is not waited for any more, needs no invitation."""
    if action in ("confirm", "close", MOVED):
        letters.settle("case", case_ids, INVITATION, at=asked.at)


def _letters_of(case: Case, step: Occasion) -> "tuple[tuple[str, Slots], ...]":
    """The letters of a step. Of the last decision: a certificate is granted and a card made, or a matter is settled."""
    kind, action = case.kind_of_case, step.action
    if kind == "cancellation" and case.reason == "death" and action != "undo":
        return ()  # nobody writes to the dead; who reports it stands at the counter
    if action == "approve" and not book.concludes(case.policy, kind, minor=case.minor):
        return ()
    if kind in DISPUTES and action in (*LAST, "refuse"):
        return (RESULTS[kind],)
    if action == "undo" or (kind == "restoration" and action in LAST):
        return (("report-undone" if kind == "freeze" else "restored", _numbered),)
    if action in LAST:
        first = (("decision-approved", _approved),) if "order" in case.table.actions else _ended(case)
    else:
        first = LETTERS.get(action, ())
        if action in ("accept", "request") and _promised(case) is None:
            first = (("acceptance-undated", _taken_in),)
        if kind == "loss" and action in ("decline", "refuse"):
            first = (*first, ("generic", _still_lost))
    return (*first, ("ways-to-dispute", _dispute)) if case.pk in step.disputable else first


def _ended(case: Case) -> "tuple[tuple[str, Slots], ...]":
    """What a last decision says that makes no card; nothing has moved yet where a departure is approved."""
    return (("departure-confirmed", _leaves),) if case.kind_of_case.startswith("transfer_out") else (
        ("case-done", _settled),)


def _promised(case: Case) -> date | None:
    """The last day for the decision of a case that has just come where it is; None where the policy sets none."""
    days = book.pinned(case.policy, case.kind_of_case).promised(case.state, minor=case.minor)
    rule = book.limits(case.policy, case.kind_of_case, minor=case.minor).get(case.state)
    since = day(case.moved_at)
    if days and rule and rule.since and case.due_on:  # its span runs already, and ends on that day
        since, days = case.due_on, days - (rule.within or 0)
    return book.calendar(case.area_id).add_working_days(since, days).day if days else None if days is None else since


def warn(case: Case, kind: str, freezes: date, lapses: date, asked: Asked) -> None:
    """Warn somebody whose certificate did not follow their move (办法 art. 23), once of each: of the day on which it is
    frozen, and of the one on which it is cancelled.
    """
    slots = {"new_area": _goes_to(case), "freeze_day": freezes, "lapse_day": lapses}
    letters.write_many([_message(case, recipients([case])[0], kind, slots, "once", asked)], **vars(asked))


def _message(case: Case, to: Recipient, kind: str, slots: dict[str, Any], occasion: str, asked: Asked) -> Message:
    office, other = (case.area, case.front_id) if asked.by.sees(case.area_id) or case.front is None else (
        case.front, case.area_id)  # whoever takes the step says so, on paper of their own
    filled = {"office": f"{office.name}残联", "phone": HOTLINE} | slots
    channels = ways(to, kind, braille=visual(case))
    return Message(kind, office, case, to, filled, channels, occasion, shared_with=other)


def recipients(cases: Sequence[Case]) -> list[Recipient]:
    """Whom each of these cases concerns, and how they are reached: as they said at the counter, else as recorded; who
    is in care by the guardian who is named.
    """
    said_ = [_as_said(case) for case in cases]
    prefetch_related_objects(cases, "holder", "certificate")  # None of a person who is another office's by now
    recorded = [case for case, to in zip(cases, said_, strict=True) if to is None and case.holder]
    holders = {case.pk: case.holder for case in recorded if case.holder}
    guardians = {case.holder_id: (guardian_told(case) or Guardian())[::2] for case in recorded
                 if case.holder_id and in_care(case)}
    reached = dict(zip(holders, registry.written_to_many(list(holders.values()), guardians), strict=True))
    return [to or reached.get(case.pk) or Recipient(case.name) for case, to in zip(cases, said_, strict=True)]


def _as_said(case: Case) -> Recipient | None:
    known = told(case)
    if said := known.get("person") or known.get("met"):
        guardian = guardian_of(case) if in_care(case) else Guardian()
        to = Recipient(said.get("name", case.name), said["phone"], said["address"])
        return registry.in_care(wishing(to, said.get("wishes", "").split()), guardian.name, guardian.phone)
    return None


def _accepted(case: Case, step: Occasion) -> dict[str, Any]:
    return _taken_in(case, step) | {"until": _promised(case)}


def _taken_in(case: Case, step: Occasion) -> dict[str, Any]:
    """What was taken in, and what is still to be brought (容缺受理)."""
    lacking = papers_missing(case) if step.action == "accept" else []
    return _settled(case, step) | {"next": wording.to_follow(lacking, papers_until(case, step.asked.at)) if lacking
                                   else wording.NOTHING_MORE}


def _leaves(case: Case, step: Occasion) -> dict[str, Any]:
    """Where the person takes the certificate to, and by when, before it is frozen or, once it is, cancelled."""
    days = [last for last in (case.freezes_on, case.lapses_on) if last and last >= day(step.asked.at)]
    return {"number": str(case.pk), "new_area": _goes_to(case), "until": days[0] if days else day(step.asked.at)}


def _goes_to(case: Case) -> Value:
    new = Area.objects.filter(code=told(case).get("to") or 0).first()
    return new.name if new else wording.SOMEWHERE


def _booked(case: Case, _step: Occasion) -> dict[str, Any]:
    """The day of the case's appointment, and where to go."""
    day_ = Appointment.objects.select_related("session__institution").get(case_id=case.pk, state="booked").session
    return {"number": str(case.pk), "day": day_.day, "time": f"{day_.starts:%H:%M}",
            "place": f"{day_.institution.name} {day_.place}"}


def _still_lost(_case: Case, _step: Occasion) -> dict[str, Any]:
    return {**wording.STILL_LOST}


def _moved(case: Case, _step: Occasion) -> dict[str, Any]:
    return {"heading": wording.MOVED, "body": wording.ended_by_a_move(case.kind_of_case, str(case.pk))}


def _missing(case: Case, step: Occasion) -> dict[str, Any]:
    return _settled(case, step) | {"papers": wording.still_missing(papers_missing(case), step.reason),
                                   "until": papers_until(case, step.asked.at)}


def _approved(case: Case, _step: Occasion) -> dict[str, Any]:
    """What the new card will say; of an arrival, whose card the platform orders later, what the old one says."""
    if "from" in (known := told(case)):
        return {"number": str(case.pk), "disability": wording.disability(known["wanted"], known["grade"])}
    certificate = case.card.certificate if case.card else case.certificate
    return {"number": str(case.pk),
            "disability": wording.disability(certificate.category, certificate.grade) if certificate else "—"}


def _settled(case: Case, _step: Occasion) -> dict[str, Any]:
    return {"number": str(case.pk), "matter": wording.MATTERS[case.kind_of_case]}


def _refused(case: Case, step: Occasion) -> dict[str, Any]:
    return {"number": str(case.pk), "reason": step.reason}


def _dispute(case: Case, step: Occasion) -> dict[str, Any]:
    rule = book.procedure_for("dispute_city", case.area_id, day(step.asked.at))[1]
    return {"number": str(case.pk), "reason": step.reason or _result(case, step), "days":
            rule.times["closes_working_days"], "until": _closes(rule, case, step),
            "city_office": step.office("city", case), "province_office": step.office("province", case)}


def _of_the_city(case: Case, step: Occasion) -> dict[str, Any]:
    """What the city found, and until when the province may be asked (办法 art. 25)."""
    rule = book.procedure_for("dispute_province", case.area_id, day(step.asked.at))[1]
    return {"office": step.office("city", case), "number": str(case.pk), "result": _result(case, step),
            "until": _closes(rule, case, step), "province_office": step.office("province", case)}


def _closes(rule: Procedure, case: Case, step: Occasion) -> date:
    return rule.closes(day(step.asked.at), book.calendar(case.area_id)).day


def _of_the_province(case: Case, step: Occasion) -> dict[str, Any]:
    """What the province's experts found: the last word."""
    return {"office": step.office("province", case), "number": str(case.pk), "result": _result(case, step)}


def _result(case: Case, step: Occasion) -> Value:
    """What a dispute came to, in words."""
    return wording.stays(step.reason) if case.state == "refused" else wording.found(case.found or {})


def _numbered(case: Case, _step: Occasion | None = None) -> dict[str, Any]:
    return {"number": str(case.pk)}


LETTERS: Mapping[str, tuple[tuple[str, Slots], ...]] = {
    "book": (("appointment", _booked),), "miss": (("appointment-missed", _numbered),),
    "call_off": (("appointment-called-off", _refused),),
    "accept": (("acceptance", _accepted),), "request": (("acceptance", _accepted),),
    "return_papers": (("papers-missing", _missing),),
    "refuse": (("decision-refused", _refused),), "fail": (("decision-refused", _refused),),
    "decline": (("decision-refused", _refused),), MOVED: (("generic", _moved),)}
"""Step → the letters that it writes. A departure that is asked for is acknowledged as an application is; who confirms
an exchange was called by letter, stands at the counter, and hears of the decision next: no third letter to a county.
"""
RESULTS: Mapping[str, tuple[str, Slots]] = {
    "dispute_city": ("dispute-result", _of_the_city), "dispute_province": ("dispute-final", _of_the_province)}
"""Kind of dispute → the letter that tells its result, also where the dispute is refused."""
LAST = ("approve", "recheck")
"""Steps of which the last one writes what was decided."""
ENDING = (*LAST, "refuse", "fail", "order")
"""Steps that may end a case of which something was found."""

