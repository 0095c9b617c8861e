"""Cases are opened: a new application of anybody, or what a holder's certificate or card needs."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from zhengka.areas.calendars import add_months
from zhengka.areas.models import Area
from zhengka.bulk.services import Asked
from zhengka.cards.models import Card
from zhengka.cases import assumed, book
from zhengka.cases.models import Case
from zhengka.cases.rules import route_of
from zhengka.cases.services.moving import day, due
from zhengka.cases.workflow import KINDS, UNHEARD
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, replayed
from zhengka.core.models import province_of
from zhengka.formats import certnumber, idnumber
from zhengka.registry import services as registry
from zhengka.registry.models import IN_FORCE, Certificate, Holder
from zhengka.registry.services import Person

TOLD = "case.told"
ADULT = 18
GUARDED = frozenset({5, 6})
"""Categories (智力, 精神) of whose applicants a guardian is proved (办法 art. 9(1))."""
REASONS = {
    "cancellation": ("death", "own-wish"), "freeze": ("death-reported", "left-the-area", "under-inquiry"),
}
"""Kind of case → why it is brought; the others need no reason of a list."""
ON_CANCELLED = frozenset({"restoration"})
ON_FROZEN = frozenset({"unfreeze", "transfer_out_city", "transfer_out_province", "transfer_out_nation"})
DISPUTED = {"dispute_city": ("new", "change", "cancellation_unmet"), "dispute_province": ("dispute_city",)}
"""Kind of dispute → the kinds of case whose assessment is disputed by it (办法 art. 25)."""


@transaction.atomic
def apply(person: Person, wanted: int, area: Area, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Open the application for a first certificate (申领) of a category that the applicant names (GB/T 26341, 1–7).

    `area` decides. Whoever opens it for an area that is not theirs receives it (`front_office`): 跨省通办, a street.
    `Refusal`: `not-permitted`, `not-found`, `id-number-wrong`, `birth-after-application`, `guardian-missing`,
    `guardian-id-wrong`, `guardian-is-applicant`, `guardian-is-minor`, `record-closed`, `certificate-opened`,
    `category-barred`, `case-open`, `kind-not-offered`.
    """
    try:
        number = idnumber.parse(person.id_number)
    except idnumber.BadIdNumber as bad:
        raise Refusal("id-number-wrong", fault=bad.code) from None
    today, index = day(at), fields.index(number.id18)
    if number.birth > today:
        raise Refusal("birth-after-application")
    minor = is_minor(number.birth, today)
    _check_guardian(person, number.id18, today, needed=minor or wanted in GUARDED)
    _may_begin(index)
    refuse_barred(index, {wanted}, today)
    case = Case(kind_of_case="new", area=area, name=person.name, person_index=index, minor=minor,
                holder=Holder.objects.filter(id_index=index, area=area, state="registered").first())
    return _open(case, {"person": asdict(person), "wanted": wanted}, Asked(by, request_id, at))


@dataclass(frozen=True)
class Brought:
    """The certificate that somebody brings along: number, first and last day."""

    number: str = field(repr=False)
    issued_on: date
    valid_until: date


@transaction.atomic
def apply_arrival(person: Person, brought: Brought, area: Area, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Open the arrival (迁入) of a person whose old office is not on this platform, with the certificate they bring.

    `Refusal`: as `apply`, and `cert-number-wrong` where the number is none or is another person's, `term-impossible`
    and `brought-expired` where its days are.
    """
    try:
        read, own = certnumber.parse(brought.number), idnumber.parse(person.id_number)
    except (certnumber.BadCertNumber, idnumber.BadIdNumber) as bad:
        raise Refusal("cert-number-wrong", fault=bad.code) from None
    if read.id18 != own.id18:
        raise Refusal("cert-number-wrong", fault="id-mismatch")
    index = fields.index(own.id18)
    check_term(brought.issued_on, brought.valid_until, day(at))
    _may_begin(index)
    refuse_barred(index, {read.category}, day(at))
    case = Case(kind_of_case="transfer_in_nation", area=area, name=person.name, person_index=index,
                minor=is_minor(own.birth, day(at)))
    told = {"person": asdict(person), "number": str(read),
            "term": [brought.issued_on.isoformat(), brought.valid_until.isoformat()]}
    return _open(case, told, Asked(by, request_id, at))


@transaction.atomic
def open_case(kind: str, holder: Holder, *, by: Actor, request_id: UUID, at: datetime, reason: str = "",
              **told: Any) -> Case:
    """Open a case of a holder: any kind but an application (`apply`), an exchange in bulk, and a move's arrival.

    `reason`: one of `REASONS` where the kind has any. `told`: for a correction `name` and `id_number` (empty: as it
    is), for a departure `to` (12-digit code of the unit, 0: not known yet) and `moved` (the day of the household
    register), for a dispute `disputed` (id of the case whose decision is disputed).

    `Refusal`: `not-permitted`, `not-found`, `reason-unknown`, `certificate-missing`, `renewal-too-early`, `card-lost`,
    what `dispute` says, `correction-empty`, `id-number-wrong`, `case-open`, `kind-not-offered`.
    """
    if kind == "new" or kind not in KINDS or "transfer_in" in kind:
        raise Refusal("kind-not-offered", kind=kind)
    if reason not in REASONS.get(kind, ("",)):
        raise Refusal("reason-unknown", kind=kind)
    if kind in DISPUTED:
        decided = Case.objects.filter(Q(holder=holder) | Q(person_index=bytes(holder.id_index)),
                                      pk=told.get("disputed") or 0).first()
        if decided is None:
            raise Refusal("dispute-of-nothing")
        return dispute(kind, decided, by=by, request_id=request_id, at=at)
    certificate = _certificate(kind, holder)
    case = Case(kind_of_case=kind, area_id=holder.area_id, name=holder.name, person_index=bytes(holder.id_index),
                minor=is_minor(holder.birth_date, day(at)), holder=holder, certificate=certificate, reason=reason)
    return _open(case, told, Asked(by, request_id, at))


@transaction.atomic
def dispute(kind: str, decided: Case, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Open the dispute of what was decided in a case, for the person whom it concerns: whether they have a record and a
    certificate or were refused both (办法 art. 25). `kind`: `dispute_city`, or `dispute_province` of the city's result.

    `Refusal`: `not-permitted`, `not-found`, `dispute-of-nothing`, `dispute-final`, `dispute-too-late`, `case-open`,
    `kind-not-offered`.
    """
    if kind not in DISPUTED:
        raise Refusal("kind-not-offered", kind=kind)
    holder = decided.holder
    case = Case(kind_of_case=kind, area_id=holder.area_id if holder else decided.area_id, name=decided.name,
                person_index=bytes(decided.person_index), minor=decided.minor, holder=holder, disputes=decided,
                certificate=(registry.current(holder.pk) if holder else None) or decided.certificate)
    return _open(case, told(decided) | {"disputed": decided.pk}, Asked(by, request_id, at))


def disputable(decided: Case, at: datetime) -> str:
    """The kind of dispute that may be brought against a decided case now; empty where none may."""
    kind = next((kind for kind, kinds in DISPUTED.items() if decided.kind_of_case in kinds), "")
    if not kind or decided.ended_at is None:
        return ""
    case = Case(kind_of_case=kind, area_id=decided.area_id, disputes=decided)
    try:
        case.policy = book.procedure_for(kind, case.area_id, day(at))[0]
        _dispute(case, {}, day(at))
    except Refusal:
        return ""
    return kind


def open_arrival(departure: Case, to: Area, asked: Asked) -> Case:
    """Open the arrival (迁入) of a move at the other office; the platform does, for it sees both."""
    holder = departure.holder
    if holder is None:
        raise Refusal("not-found")
    case = Case(kind_of_case=departure.kind_of_case.replace("_out_", "_in_"), area=to, name=holder.name,
                person_index=bytes(holder.id_index), minor=is_minor(holder.birth_date, day(asked.at)), holder=holder,
                certificate=registry.current(holder.pk))
    return _open(case, {"from": departure.area_id}, asked)


def check_term(issued: date, until: date, today: date) -> None:
    """A certificate that somebody brings was issued, and holds today: `term-impossible`, `brought-expired`."""
    if not issued < until or issued > today:
        raise Refusal("term-impossible")
    if until < today:
        raise Refusal("brought-expired", since=until.isoformat())


def refuse_barred(person_index: bytes, categories: Iterable[int], today: date) -> None:
    """`Refusal("category-barred")` where one of these was cancelled less than a year ago (办法 art. 24)."""
    for category in sorted(categories):
        if until := registry.bar(person_index, category, today):
            raise Refusal("category-barred", until=until.isoformat())


def refuse_lost(holder_id: int) -> None:
    """`Refusal("card-lost")` where a card was reported lost: another one has the next suffix (art. 20)."""
    if Card.objects.filter(holder_id=holder_id, state="suspended").exists():
        raise Refusal("card-lost")


def _may_begin(index: bytes) -> None:
    """Who is to have a first certificate is alive and has none in force, at whichever office."""
    if registry.died(index):
        raise Refusal("record-closed")
    if any(one.state in IN_FORCE for one in registry.had(index)):
        raise Refusal("certificate-opened")


def is_minor(born: date, on: date) -> bool:
    """True before the eighteenth birthday (民法典 art. 17)."""
    return on < add_months(born, 12 * ADULT)


def told(case: Case) -> dict[str, Any]:
    """What a case was told when it was opened, in clear."""
    found: dict[str, Any] = json.loads(fields.open_(bytes(case.told), TOLD)) if case.told else {}
    return found


def _open(case: Case, told: dict[str, Any], asked: Asked) -> Case:
    """Check what its policy asks of the kind, and begin it, on the desk of who opens it (经办人)."""
    by, today = asked.by, day(asked.at)
    if not by.may("case.open"):
        raise Refusal("not-permitted", permission="case.open")
    case.front = None if by.sees(case.area_id) else front_office(by, case.area)
    if event := replayed(asked.request_id, Case.kind()):
        raise Replayed(event)
    case.policy, procedure = book.procedure_for(case.kind_of_case, case.area_id, today,
                                                route_of(case.area_id, case.front_id))
    if case.front and not procedure.has_front:
        raise Refusal("kind-not-offered", kind=case.kind_of_case)
    facts = CHECKS.get(case.kind_of_case, _nothing)(case, told, today) or {}
    case.province, case.opened_at, case.moved_at = province_of(case.area_id), asked.at, asked.at
    case.told = fields.close(json.dumps(told, ensure_ascii=False), TOLD) if told else None
    case.due_on = due(case, procedure.start, asked.at)
    case.assignee_id = by.id
    try:
        with transaction.atomic():
            return begin(case, "open", "case.open", by=by, request_id=asked.request_id, at=asked.at,
                         kind=case.kind_of_case, **facts)
    except IntegrityError as broken:
        if "case_open_once" in str(broken) or "case_disputed_once" in str(broken):
            raise Refusal("case-open", kind=case.kind_of_case) from None
        raise


def front_office(by: Actor, area: Area) -> Area:
    """The actor's office, where it may receive a case for an issuing unit (受理机构): a street or township of the unit,
    or an issuing unit of another province. `Refusal("not-found")` for others.
    """
    front = Area.objects.filter(code=by.lo, last=by.hi).first()
    if front is not None and area.issuing:
        if front.level == "street" and area.code < front.code <= area.last:
            return front
        if front.issuing and route_of(area.code, front.code) == "cross-province":
            return front
    raise Refusal("not-found")


def _check_guardian(person: Person, applicant: str, today: date, *, needed: bool) -> None:
    """Who is named as guardian is another person than the applicant (of this 18-digit number), and of age."""
    named = person.guardian_name.strip()
    if not named and (needed or person.guardian_id.strip()):
        raise Refusal("guardian-missing")
    if not named:
        return
    try:
        guardian = idnumber.parse(person.guardian_id)
    except idnumber.BadIdNumber as bad:
        raise Refusal("guardian-id-wrong", fault=bad.code) from None
    if guardian.id18 == applicant:
        raise Refusal("guardian-is-applicant")
    if is_minor(guardian.birth, today):
        raise Refusal("guardian-is-minor")


def _certificate(kind: str, holder: Holder) -> Certificate:
    """The certificate that a case of a kind is about."""
    if kind in ON_CANCELLED:
        found = holder.certificates.filter(state="cancelled").order_by("-generation", "-pk").first()
    else:
        found = registry.current(holder.pk)
        if found is not None and found.state == "frozen" and kind not in ON_FROZEN | {"cancellation"}:
            raise Refusal("certificate-not-valid", state="frozen")
    if found is None or (kind == "unfreeze" and found.state != "frozen"):
        raise Refusal("certificate-missing")
    return found


def _nothing(case: Case, told: dict[str, Any], today: date) -> None:
    """Nothing more is asked of this kind."""


def _renewal(case: Case, _told: dict[str, Any], today: date) -> None:
    opens = book.pinned(case.policy, "renewal").opens(case.certificate.issued_on)  # type: ignore[union-attr]
    if today < opens:
        raise Refusal("renewal-too-early", opens=opens.isoformat())


def _correction(_case: Case, told: dict[str, Any], _today: date) -> None:
    if not (told.get("name") or told.get("id_number")):
        raise Refusal("correction-empty")
    if told.get("id_number"):
        try:
            told["id_number"] = idnumber.parse(told["id_number"]).id18
        except idnumber.BadIdNumber as bad:
            raise Refusal("id-number-wrong", fault=bad.code) from None


def _departure(case: Case, told: dict[str, Any], today: date) -> dict[str, Any]:
    """The clock of art. 23 begins on the day of the household register."""
    moved = date.fromisoformat(told.get("moved") or today.isoformat())
    if moved > today:
        raise Refusal("move-in-future")
    if told.get("to") == case.area_id:
        raise Refusal("move-nowhere")
    freezes, lapses = book.pinned(case.policy, case.kind_of_case).clock(moved, book.calendar(case.area_id))
    case.freezes_on, case.lapses_on = freezes.day, lapses.day
    return assumed.fact(freezes, lapses)


def _dispute(case: Case, _told: dict[str, Any], today: date) -> None:
    """An assessment of the county is disputed within ten working days, the city's result before the province; each
    once, and the province's result is final (办法 art. 25).
    """
    decided = case.disputes
    if decided is None or decided.found is None or decided.ended_at is None or decided.state in UNHEARD:
        raise Refusal("dispute-of-nothing")
    heard = Case.objects.filter(disputes=decided, ended_at__isnull=False).exclude(state__in=UNHEARD)
    if decided.kind_of_case == "dispute_province" or heard.exists():
        raise Refusal("dispute-final")
    if decided.kind_of_case not in DISPUTED[case.kind_of_case]:
        raise Refusal("dispute-of-nothing")
    last = book.pinned(case.policy, case.kind_of_case).closes(day(decided.ended_at), book.calendar(case.area_id)).day
    if today > last:
        raise Refusal("dispute-too-late", last=last.isoformat())


def _not_expired(case: Case, _told: dict[str, Any], today: date) -> None:
    """What has run out is renewed, not replaced: a card of the same days would be refused by every gate."""
    if case.certificate and case.certificate.valid_until < today:
        raise Refusal("certificate-expired", since=case.certificate.valid_until.isoformat())


def _damage(case: Case, told: dict[str, Any], today: date) -> None:
    _not_expired(case, told, today)
    if case.holder_id:
        refuse_lost(case.holder_id)


def _corrected(case: Case, told: dict[str, Any], today: date) -> None:
    _correction(case, told, today)
    _not_expired(case, told, today)


CHECKS: Mapping[str, Callable[[Case, dict[str, Any], date], dict[str, Any] | None]] = {
    "damage": _damage, "loss": _not_expired,
    "renewal": _renewal, "correction": _corrected, "dispute_city": _dispute, "dispute_province": _dispute,
    "transfer_out_city": _departure, "transfer_out_province": _departure, "transfer_out_nation": _departure}
"""Kind → what is asked of a case of it beyond its certificate; it may give facts of the opening."""
