"""People are told what becomes of their case (告知): a letter or a short message with each step that concerns them.

Who has a mobile phone gets a message, all others a sheet of paper, and with 视力 who is not told by phone a sheet in
Braille, too. A step is never refused because a letter cannot be written: the case goes on, and its page shows none.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from zhengka.areas.models import Area
from zhengka.bulk.services import Asked
from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.cases.services.moving import day, part
from zhengka.cases.services.opening import told
from zhengka.cases.workflow import KINDS
from zhengka.core.errors import Refusal
from zhengka.formats.certnumber import CATEGORIES, GRADES
from zhengka.letters import services as letters
from zhengka.letters.rules import HOTLINE, UNREACHED, Recipient, is_phone
from zhengka.letters.services import Message
from zhengka.registry import services as registry

TO_BRING = timedelta(days=30)
"""How long an application waits for papers that are missing [ours: the Measures name no day]."""

Slots = Callable[[Case, Asked, str], dict[str, Any]]


def tell(case: Case, action: str, asked: Asked, reason: str = "") -> None:
    """Write what a step says to the person, to be carried after the transaction; nothing for a step of no letter, nor
    for an approval that another office looks at again.
    """
    letters_of = _decision(case, action) if action in LAST else LETTERS.get(action, ())
    if not letters_of or not asked.by.may("letter.send"):
        return
    for kind, slots in letters_of:
        _write(case, kind, slots(case, asked, reason), f"v{case.version}", part(asked, kind))


def _decision(case: Case, action: str) -> "tuple[tuple[str, Slots], ...]":
    """The letter of the last decision: a certificate is granted and a card made, or another matter is settled."""
    concludes = book.concludes(case.policy, case.kind_of_case, minor=case.minor)
    if action == "approve" and not concludes:
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
    to = recipient(case)
    office, other = (case.area, case.front_id) if asked.by.sees(case.area_id) or case.front is None else (
        case.front, case.area_id)  # whoever takes the step says so, on paper of their own
    filled = slots | {"office": f"{office.name}残联", "phone": HOTLINE}
    message = Message(kind, office, case, to, filled, channels(case, to), occasion, shared_with=other)
    try:
        letters.write(message, **vars(asked))
    except Refusal as no:
        if no.code not in UNREACHED:
            raise


def recipient(case: Case) -> Recipient:
    """Whom a case concerns, and how they are reached."""
    person = told(case).get("person")
    if person:
        return Recipient(person["name"], person["phone"], person["address"])
    if met := told(case).get("met"):
        return Recipient(case.name, met["phone"], met["address"])
    holder = case.holder
    if holder is None:
        return Recipient(case.name)
    return Recipient(holder.name, *registry.reached(holder))


def channels(case: Case, to: Recipient) -> tuple[str, ...]:
    """The ways on which a person is told."""
    if is_phone(to.phone):
        return ("sms",)
    known = told(case)
    category = case.certificate.category if "met" not in known and case.certificate else known.get("wanted")
    return ("print", "braille") if category == VISUAL else ("print",)


VISUAL = 1
"""Category 视力 (GB/T 26341)."""


def _accepted(case: Case, asked: Asked, _reason: str) -> dict[str, Any]:
    return {"number": str(case.pk), "until": case.due_on or day(asked.at) + timedelta(days=60)}


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
    "accept": (("acceptance", _accepted),), "return_papers": (("papers-missing", _missing),),
    "refuse": (("decision-refused", _refused), ("ways-to-dispute", _dispute)),
    "fail": (("decision-refused", _refused), ("ways-to-dispute", _dispute)),
    "decline": (("decision-refused", _refused),)}
"""Step → the letters that it writes."""
LAST = ("approve", "recheck")
"""Steps of which the last one writes what was decided."""

