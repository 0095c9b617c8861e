"""Cases are opened: a new application of anybody, or what a holder's certificate or card needs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from zhengka.areas.calendars import is_minor
from zhengka.areas.models import Area
from zhengka.bulk.services import Asked
from zhengka.cards.models import Card
from zhengka.cases import assumed, book
from zhengka.cases.models import Case, seen_by
from zhengka.cases.rules import route_of
from zhengka.cases.services.disputing import DISPUTED, check_dispute, did_not_arrive, heard_of
from zhengka.cases.services.eligible import refuse_barred, refuse_unfit
from zhengka.cases.services.leaving import headed_for
from zhengka.cases.services.losing import block
from zhengka.cases.services.moving import day, due
from zhengka.cases.workflow import ENDS, KINDS
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, replayed
from zhengka.core.models import province_of
from zhengka.formats import idnumber, phones
from zhengka.formats.certnumber import GUARDED
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Person

TOLD = "case.told"
MULTIPLE = 7
"""The category of a multiple disability (GB/T 26341)."""
REASONS = {
    "cancellation": ("death", "own-wish"), "freeze": ("death-reported", "left-the-area", "under-inquiry"),
}
"""Kind of case → why it is brought; the others need no reason of a list."""
ON_CANCELLED = frozenset({"restoration"})
ON_FROZEN = frozenset({"unfreeze", "transfer_out_city", "transfer_out_province", "transfer_out_nation"})


def apply(person: Person, wanted: int, area: Area, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Open the application for a first certificate (申领) of a category that the applicant names (GB/T 26341, 1–7).

    `area` decides. Whoever opens it for an area that is not theirs receives it (`front_office`): 跨省通办, a street.
    `Refusal`: `not-permitted`, `not-found`, `id-number-wrong`, `birth-after-application`, `guardian-missing`,
    `guardian-id-wrong`, `guardian-is-applicant`, `guardian-is-minor`, `phone-wrong`, `guardian-phone-wrong`,
    `record-closed`, `certificate-opened`,
    `category-barred`, `elsewhere-unfit`, `case-open`, `kind-not-offered`. Not one transaction but two (`refuse_unfit`).
    """
    try:
        number = idnumber.parse(person.id_number)
    except idnumber.BadIdNumber as bad:
        raise Refusal("id-number-wrong", fault=bad.code) from None
    today, index = day(at), fields.index(number.id18)
    if number.birth > today:
        raise Refusal("birth-after-application")
    minor = is_minor(number.birth, today)
    check_guardian(Guardian.of(person), index, today, needed=minor or wanted in GUARDED)
    person = with_phones(person)
    asked = Asked(by, request_id, at)
    refuse_unfit(index, wanted, asked)
    case = Case(kind_of_case="new", area=area, name=person.name, person_index=index, minor=minor,
                holder=Holder.objects.filter(id_index=index, area=area, state="registered").first())
    return begin_case(case, {"person": asdict(person), "wanted": wanted}, asked)


@transaction.atomic
def open_case(kind: str, holder: Holder, *, by: Actor, request_id: UUID, at: datetime, reason: str = "",
              **told: Any) -> Case:
    """Open a case of a holder: any kind but an application (`apply`) and a move's arrival. An exchange is opened for
    who stands at the counter; those of a whole unit are asked to come (`exchange`).

    `reason`: one of `REASONS` where the kind has any. `told`: for a correction `name` and `id_number` (empty: as it
    is), for a departure `to` (12-digit code of the unit, 0: not known yet) and `moved` (the day of the household
    register), for a dispute `disputed` (id of the case whose decision is disputed), for a change `wanted` (the category
    that the holder asks to be assessed for, 1–7; absent: the one certified).

    `Refusal`: `not-permitted`, `not-found`, `reason-unknown`, `certificate-missing`, `certificate-opened` (an exchange
    of who has the new certificate), `renewal-too-early`, `card-lost`,
    `category-barred`, what `dispute` says, `correction-empty`, `id-number-wrong`,
    `birth-after-application`, `case-open`, `kind-not-offered`.
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
    if told.get("id_number"):
        try:
            told["id_number"] = idnumber.parse(told["id_number"]).id18
        except idnumber.BadIdNumber as bad:
            raise Refusal("id-number-wrong", fault=bad.code) from None
    certificate = certificate_of(kind, holder)
    case = Case(kind_of_case=kind, area_id=holder.area_id, name=holder.name, person_index=bytes(holder.id_index),
                minor=is_minor(holder.birth_date, day(at)), holder=holder, certificate=certificate, reason=reason)
    return begin_case(case, told, Asked(by, request_id, at))


@transaction.atomic
def dispute(kind: str, decided: Case, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Open the dispute of what was decided in a case, for the person whom it concerns: whether they have a record and a
    certificate or were refused both (办法 art. 25). `kind`: `dispute_city`, or `dispute_province` of the city's result.

    `Refusal`: `not-permitted`, `not-found`, `dispute-of-nothing`, `dispute-final`, `dispute-too-late`, `case-open`,
    `kind-not-offered`, `elsewhere-unfit` where the person has moved to another office.
    """
    if kind not in DISPUTED:
        raise Refusal("kind-not-offered", kind=kind)
    holder = None if did_not_arrive(decided) else Holder.objects.filter(pk=decided.holder_id or 0).first()
    if holder is None and decided.holder_id and not did_not_arrive(decided):  # the record is another office's by now
        raise Refusal("elsewhere-unfit")
    case = Case(kind_of_case=kind, area_id=holder.area_id if holder else decided.area_id, name=decided.name,
                person_index=bytes(decided.person_index), minor=decided.minor, disputes=decided,
                holder_id=decided.holder_id, certificate_id=decided.certificate_id)
    if holder and (now := registry.current(holder.pk)):
        case.certificate = now
    return begin_case(case, _disputed(decided, holder) | {"disputed": decided.pk}, Asked(by, request_id, at))


def _disputed(decided: Case, holder: Holder | None) -> dict[str, Any]:
    """What a dispute is told of the case that is disputed. A guardian only where no record says who it is: it may have
    become another one there since. Of an application that was refused the record was told nothing.
    """
    known = told(decided)
    if holder is None or ("person" in known and decided.state in ENDS):
        return known
    nobody = as_told(Guardian())
    return {name: value | {key: value[key] and nobody[key] for key in nobody if key in value}
            if name in ("person", "met") else value for name, value in at_first(known).items()}


def refuse_lost(holder_id: int) -> None:
    """`Refusal("card-lost")` where a card was reported lost: another one has the next suffix (art. 20)."""
    if Card.objects.filter(holder_id=holder_id, state="suspended").exists():
        raise Refusal("card-lost")


def told(case: Case) -> dict[str, Any]:
    """What a case was told when it was opened, in clear."""
    found: dict[str, Any] = json.loads(fields.open_(bytes(case.told), TOLD)) if case.told else {}
    return found


def sealed(told: Mapping[str, Any]) -> bytes:
    """What a case was told, as its row keeps it."""
    return fields.close(json.dumps(told, ensure_ascii=False), TOLD)


SINCE = frozenset({"guardian", "waits"})
"""What a case is told after it was opened: who answers for the person, and whether the record is yet to say so."""


@transaction.atomic
def begin_case(case: Case, told: dict[str, Any], asked: Asked) -> Case:
    """Check what its policy asks of the kind, and begin it, on the desk of who opens it (经办人)."""
    by, today = asked.by, day(asked.at)
    if not by.may("case.open"):
        raise Refusal("not-permitted", permission="case.open")
    case.front = None if by.sees(case.area_id) else front_office(by, case.area)
    if event := replayed(asked.request_id, Case.kind()):
        _same(case, told, Case.get(event.subject_id))
        raise Replayed(event)
    case.policy, procedure = book.procedure_for(case.kind_of_case, case.area_id, today,
                                                route_of(case.area_id, case.front_id))
    if case.front and not procedure.has_front:
        raise Refusal("kind-not-offered", kind=case.kind_of_case)
    facts = CHECKS.get(case.kind_of_case, _nothing)(case, told, today) or {}
    case.province, case.opened_at, case.moved_at = province_of(case.area_id), asked.at, asked.at
    case.told = sealed(told) if told else None
    case.due_on = due(case, procedure.start, asked.at)
    case.assignee_id = by.id
    try:
        with transaction.atomic():
            case = begin(case, "open", "case.open", by=by, request_id=asked.request_id, at=asked.at,
                         kind=case.kind_of_case, **facts)
    except IntegrityError as broken:
        if any(name in str(broken) for name in ("case_open_once", "case_departs_once", "case_disputed_once")):
            seen = _open_already(case, by)
            raise Refusal("case-open" if seen or case.disputes_id else "elsewhere-unfit", kind=case.kind_of_case,
                          **({"case": seen.pk} if seen else {})) from None
        raise
    if case.kind_of_case == "loss":
        block(case, asked)
    return case


def _open_already(case: Case, by: Actor) -> Case | None:
    """The open case of the person that stands in the way of a new one, where the actor may see it: of the same kind
    if there is one, else another departure.
    """
    seen = list(Case.objects.filter(seen_by(by), person_index=case.person_index, ended_at__isnull=True).order_by("-pk"))
    return next((one for one in seen if one.kind_of_case == case.kind_of_case), seen[0] if seen else None)


def _same(case: Case, said: dict[str, Any], first: Case) -> None:
    """A repeat says what the first one said, of the same person; `Refusal("request-id-reused")` for another (I17)."""
    def content(one: Case) -> tuple[object, ...]:
        return one.kind_of_case, one.area_id, one.reason, bytes(one.person_index), one.disputes_id
    if content(case) != content(first) or at_first(said) != at_first(told(first)):
        raise Refusal("request-id-reused")


def at_first(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a case was told when it was opened, without what it is told since: a repeat does not say that."""
    return {name: value for name, value in told.items() if name not in SINCE}


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


class Guardian(NamedTuple):
    """Who answers for a person (监护人), and how they are reached; without a name nobody is named."""

    name: str = ""
    id_number: str = ""
    phone: str = ""

    @classmethod
    def of(cls, person: Person) -> "Guardian":
        """The one whom an application names."""
        return cls(person.guardian_name.strip(), person.guardian_id.strip(), person.guardian_phone.strip())


def as_told(guardian: Guardian) -> dict[str, str]:
    """A guardian as a case is told of one beside the person."""
    return {"guardian_name": guardian.name, "guardian_id": guardian.id_number, "guardian_phone": guardian.phone}


def check_guardian(guardian: Guardian, applicant: bytes, today: date, *, needed: bool) -> None:
    """Who is named as guardian is another person than the applicant (of this blind index), and of age.

    `Refusal`: `guardian-missing`, `guardian-id-wrong`, `guardian-is-applicant`, `guardian-is-minor`.
    """
    if not guardian.name and (needed or guardian.id_number):
        raise Refusal("guardian-missing")
    if not guardian.name:
        return
    try:
        number = idnumber.parse(guardian.id_number)
    except idnumber.BadIdNumber as bad:
        raise Refusal("guardian-id-wrong", fault=bad.code) from None
    if fields.index(number.id18) == applicant:
        raise Refusal("guardian-is-applicant")
    if is_minor(number.birth, today):
        raise Refusal("guardian-is-minor")


def phone_said(said: str, code: str = "phone-wrong") -> str:
    """A phone number as records keep it, empty where none was said; a refusal of this code for what is none."""
    if said.strip() and not phones.normalised(said):
        raise Refusal(code)
    return phones.normalised(said)


def with_phones(person: Person) -> Person:
    """The person with both phone numbers as records keep them; `Refusal`: `phone-wrong`, `guardian-phone-wrong`."""
    return replace(person, phone=phone_said(person.phone),
                   guardian_phone=phone_said(person.guardian_phone, "guardian-phone-wrong"))


def certificate_of(kind: str, holder: Holder) -> Certificate:
    """The certificate that a case of a kind is about."""
    if kind in ON_CANCELLED:
        if registry.current(holder.pk) is not None:
            raise Refusal("certificate-opened")
        found = _cancelled(holder)
    else:
        found = registry.current(holder.pk)
        if found is not None and found.state == "frozen" and kind not in ON_FROZEN | {"cancellation"}:
            raise Refusal("certificate-not-valid", state="frozen")
    if found is None:
        raise Refusal("certificate-ended" if _cancelled(holder) else "certificate-missing")
    if kind == "unfreeze" and found.state != "frozen":
        raise Refusal("certificate-not-frozen")
    return found


def _cancelled(holder: Holder) -> Certificate | None:
    """The last of the holder's certificates that was cancelled."""
    return holder.certificates.filter(state="cancelled").order_by("-generation", "-pk").first()


def _nothing(case: Case, told: dict[str, Any], today: date) -> None:
    """Nothing more is asked of this kind."""


def _exchange(case: Case, _told: dict[str, Any], _today: date) -> None:
    """A paper certificate is exchanged for a card once."""
    if case.certificate and case.certificate.generation != PAPER:
        raise Refusal("certificate-opened")


PAPER = 2
"""Generation of a paper certificate."""


def _renewal(case: Case, _told: dict[str, Any], today: date) -> None:
    opens = book.pinned(case.policy, "renewal").opens(case.certificate.issued_on)  # type: ignore[union-attr]
    if today < opens:
        raise Refusal("renewal-too-early", opens=opens.isoformat())


def _change(case: Case, told: dict[str, Any], today: date) -> None:
    """Another category may be asked for, such as 视力 by who had 肢体, unless a year bars it (art. 22, 24)."""
    had = case.certificate
    if had is not None and (wanted := told.get("wanted")):
        certified = {had.category, *(category for category, _grade in had.components)}
        refuse_barred(bytes(case.person_index), {wanted} - certified, today)


def _departure(case: Case, told: dict[str, Any], today: date) -> dict[str, Any]:
    """The clock of art. 23 begins on the day of the household register: while there was a certificate to follow."""
    moved = date.fromisoformat(told.get("moved") or today.isoformat())
    if moved > today:
        raise Refusal("move-in-future")
    if case.holder and moved < (first := registry.first_issued(case.holder)):
        raise Refusal("move-before-issue", since=first.isoformat())
    if told.get("to") == case.area_id:
        raise Refusal("move-nowhere")
    case.heads_for = headed_for(case, told.get("to"))
    freezes, lapses = book.pinned(case.policy, case.kind_of_case).clock(moved, book.calendar(case.area_id))
    case.freezes_on, case.lapses_on = freezes.day, lapses.day
    return assumed.fact(freezes, lapses)


def _dispute(case: Case, _told: dict[str, Any], today: date) -> None:
    if case.disputes is None:
        raise Refusal("dispute-of-nothing")
    heard = bool(heard_of([case.disputes.pk]))
    check_dispute(case.kind_of_case, case.policy, case.area_id, case.disputes, today, heard=heard)


def not_expired(case: Case, _told: dict[str, Any], today: date) -> None:
    """What has run out is renewed, not replaced: a card of the same days would be refused by every gate."""
    if case.certificate and case.certificate.valid_until < today:
        raise Refusal("certificate-expired", since=case.certificate.valid_until.isoformat())


def _restorable(case: Case, told: dict[str, Any], today: date) -> None:
    """What has run out meanwhile is not restored, but for who was taken for dead: they live, and renew it then."""
    if case.holder and case.holder.state != "closed":
        not_expired(case, told, today)


def _damage(case: Case, told: dict[str, Any], today: date) -> None:
    not_expired(case, told, today)
    if case.holder_id:
        refuse_lost(case.holder_id)


def _corrected(case: Case, told: dict[str, Any], today: date) -> None:
    """Name or ID number become others; nobody is born after the day on which their record is corrected."""
    if not (told.get("name") or told.get("id_number")):
        raise Refusal("correction-empty")
    if told.get("id_number") and idnumber.parse(told["id_number"]).birth > today:
        raise Refusal("birth-after-application")
    not_expired(case, told, today)


CHECKS: Mapping[str, Callable[[Case, dict[str, Any], date], dict[str, Any] | None]] = {
    "damage": _damage, "loss": not_expired, "restoration": _restorable,
    "exchange": _exchange, "renewal": _renewal, "change": _change, "correction": _corrected,
    "dispute_city": _dispute, "dispute_province": _dispute,
    "transfer_out_city": _departure, "transfer_out_province": _departure, "transfer_out_nation": _departure}
"""Kind → what is asked of a case of it beyond its certificate; it may give facts of the opening."""
