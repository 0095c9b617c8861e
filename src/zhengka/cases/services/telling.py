"""People are told what becomes of their case (告知): a letter or a short message with each step that concerns them.

Who has a mobile phone gets a message, all others a sheet of paper, and with 视力 who is not told by phone a sheet in
Braille, too. A step is never refused because a letter cannot be written: the case goes on, and its page shows none.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import prefetch_related_objects

from zhengka.areas.models import Area
from zhengka.assessment.models import Appointment
from zhengka.bulk.services import Asked
from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.cases.services.moving import day, part
from zhengka.cases.services.opening import told
from zhengka.cases.workflow import KINDS
from zhengka.core.errors import Refusal
from zhengka.formats.certnumber import CATEGORIES, GRADES
from zhengka.letters import services as letters
from zhengka.letters.rules import HOTLINE, UNREACHED, Recipient, ways
from zhengka.letters.services import Message
from zhengka.registry import services as registry

TO_BRING = timedelta(days=30)
"""How long an application waits for papers that are missing [ours: the Measures name no day]."""

Slots = Callable[[Case, Asked, str], dict[str, Any]]


def tell(case: Case, action: str, asked: Asked, reason: str = "") -> None:
    """Write what a step says to the person, to be carried after the transaction; nothing for a step of no letter, nor
    for an approval that another office looks at again.
    """
    letters_of = _letters_of(case, action)
    if not letters_of or not asked.by.may("letter.send"):
        return
    for kind, slots in letters_of:
        _write(case, kind, slots(case, asked, reason), f"v{case.version}", part(asked, kind))


def tell_many(case_ids: Sequence[int], action: str, asked: Asked) -> None:
    """As `tell` does for each of the cases that took a step together: the same letters, by one statement for a kind."""
    if action not in {*LETTERS, *LAST} or not asked.by.may("letter.send"):
        return
    cases = list(Case.objects.filter(pk__in=case_ids).select_related(
        "holder", "certificate", "card__certificate").order_by("pk"))
    prefetch_related_objects(cases, "area", "front")  # few offices: one object of each, not one for each case
    messages: dict[str, list[Message]] = {}
    for case, to in zip(cases, recipients(cases), strict=True):
        for kind, slots in _letters_of(case, action):
            messages.setdefault(kind, []).append(
                _message(case, to, kind, slots(case, asked, ""), f"v{case.version}", asked))
    for kind, each in messages.items():
        letters.write_many(each, **vars(part(asked, kind)))


def _letters_of(case: Case, action: str) -> "tuple[tuple[str, Slots], ...]":
    """The letters of a step. Of the last decision: a certificate is granted and a card made, or a matter is settled."""
    if action not in LAST:
        return LETTERS.get(action, ())
    if action == "approve" and not book.concludes(case.policy, case.kind_of_case, minor=case.minor):
        return ()
    makes_card = "order" in case.table.actions
    return (("decision-approved", _approved),) if makes_card else (("case-done", _settled),)


def warn(case: Case, kind: str, asked: Asked) -> None:
    """Warn somebody whose certificate did not follow their move (办法 art. 23) before its day, once for each day."""
    new = Area.objects.filter(code=told(case).get("to") or 0).first()
    if case.freezes_on and case.lapses_on:
        slots = {"new_area": new.name if new else "迁入地", "freeze_day": case.freezes_on, "lapse_day": case.lapses_on}
        _write(case, kind, slots, "once", asked)


def _write(case: Case, kind: str, slots: dict[str, Any], occasion: str, asked: Asked) -> None:
    try:
        letters.write(_message(case, recipients([case])[0], kind, slots, occasion, asked), **vars(asked))
    except Refusal as no:
        if no.code not in UNREACHED:
            raise


def _message(case: Case, to: Recipient, kind: str, slots: dict[str, Any], occasion: str, asked: Asked) -> Message:
    office, other = (case.area, case.front_id) if asked.by.sees(case.area_id) or case.front is None else (
        case.front, case.area_id)  # whoever takes the step says so, on paper of their own
    known = told(case)
    category = case.certificate.category if "met" not in known and case.certificate else known.get("wanted")
    filled = slots | {"office": f"{office.name}残联", "phone": HOTLINE}
    return Message(kind, office, case, to, filled, ways(to, braille=category == VISUAL), occasion, shared_with=other)


def recipients(cases: Sequence[Case]) -> list[Recipient]:
    """Whom each of these cases concerns, and how they are reached: as they said at the counter, else as recorded."""
    said_ = [_as_said(case) for case in cases]
    holders = {case.pk: case.holder for case, to in zip(cases, said_, strict=True) if to is None and case.holder}
    reached = dict(zip(holders, registry.reached_many(list(holders.values())), strict=True))
    return [to or Recipient(holders[case.pk].name if case.pk in holders else case.name, *reached.get(case.pk, ()))
            for case, to in zip(cases, said_, strict=True)]


def _as_said(case: Case) -> Recipient | None:
    known = told(case)
    if person := known.get("person"):
        return Recipient(person["name"], person["phone"], person["address"])
    if met := known.get("met"):
        return Recipient(case.name, met["phone"], met["address"])
    return None


VISUAL = 1
"""Category 视力 (GB/T 26341)."""


def _accepted(case: Case, asked: Asked, _reason: str) -> dict[str, Any]:
    return {"number": str(case.pk), "until": case.due_on or day(asked.at) + timedelta(days=60)}


def _booked(case: Case, _asked: Asked, _reason: str) -> dict[str, Any]:
    """The day of the case's appointment, and where to go."""
    day_ = Appointment.objects.select_related("session__institution").get(case_id=case.pk, state="booked").session
    return {"number": str(case.pk), "day": day_.day, "time": f"{day_.starts:%H:%M}",
            "place": f"{day_.institution.name} {day_.place}"}


def _unbooked(_case: Case, _asked: Asked, _reason: str) -> dict[str, Any]:
    return {"heading": "残疾评定另约时间", "body": "您约好的残疾评定没有了。我们会另约时间。"}


def _missing(case: Case, asked: Asked, reason: str) -> dict[str, Any]:
    return {"number": str(case.pk), "papers": reason, "until": day(asked.at) + TO_BRING}


def _approved(case: Case, _asked: Asked, _reason: str) -> dict[str, Any]:
    """What the new card will say; of an arrival, whose card the platform orders later, what the old one says."""
    certificate = case.card.certificate if case.card else case.certificate
    return {"number": str(case.pk), "disability": said(certificate.category, certificate.grade) if certificate else "—"}


def _settled(case: Case, _asked: Asked, _reason: str) -> dict[str, Any]:
    return {"number": str(case.pk), "matter": KINDS[case.kind_of_case].zh.partition("（")[0]}


def _refused(case: Case, _asked: Asked, reason: str) -> dict[str, Any]:
    return {"number": str(case.pk), "reason": reason}


def _dispute(case: Case, asked: Asked, reason: str) -> dict[str, Any]:
    last = book.procedure_for("dispute_city", case.area_id, day(asked.at))[1].closes(
        day(asked.at), book.calendar(case.area_id)).day
    city, province = (_office(case.area_id, digits) for digits in (10**8, 10**10))
    return {"number": str(case.pk), "reason": reason, "until": last, "city_office": city, "province_office": province}


def _office(area: int, digits: int) -> str:
    found = Area.objects.filter(code=area // digits * digits).first()
    return f"{found.name if found else ''}残联"


def said(category: int, grade: int) -> str:
    """Category and grade as people say them: 肢体二级."""
    return f"{CATEGORIES[category].short}{GRADES[grade].zh}"


LETTERS: Mapping[str, tuple[tuple[str, Slots], ...]] = {
    "book": (("appointment", _booked),), "miss": (("generic", _unbooked),),
    "accept": (("acceptance", _accepted),), "return_papers": (("papers-missing", _missing),),
    "refuse": (("decision-refused", _refused), ("ways-to-dispute", _dispute)),
    "fail": (("decision-refused", _refused), ("ways-to-dispute", _dispute)),
    "decline": (("decision-refused", _refused),)}
"""Step → the letters that it writes."""
LAST = ("approve", "recheck")
"""Steps of which the last one writes what was decided."""

