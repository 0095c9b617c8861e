"""What a gate (闸机/核验终端) asks: to be paired, where it stands, what it must know, and what became of its visits.

Every call but the pairing is signed by the gate's own key. Each may be repeated: nothing is done twice.
"""

import base64
import time
from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Path, Router, Schema, Status
from pydantic import ConfigDict, Field

from zhengka.api.access import gate, gate_log, public
from zhengka.cards import services as cards
from zhengka.core.actors import WHOLE_NATION
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.pace import PAIRINGS, TYPED, visitor
from zhengka.core.scope import enter
from zhengka.core.sending import send
from zhengka.devices import services as devices
from zhengka.devices.models import Device
from zhengka.formats import gatelog
from zhengka.formats import voucher as vouchers
from zhengka.formats.bundle import BadBundle
from zhengka.formats.gatelog import MOST_TEXT, Signed
from zhengka.formats.presenting import Looked, Place, Scanned, Shown, Tapped, Typed
from zhengka.formats.qr import LONGEST_PAYLOAD, LONGEST_TEXT
from zhengka.formats.suites import INTL
from zhengka.gates import queries
from zhengka.gates import services as gates
from zhengka.gates.models import Voucher

router = Router()
SIGNED = ["gate-signature-wrong", "gate-shut-out", "gate-clock-wrong"]
BASE64URL = r"^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$"
Asking = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description=(
    "A UUID of the device's own; a repeat tells it."))]
Bytes64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{86}$", description="64 bytes r ‖ s, base64url.")]


class PairIn(Schema):
    """A device that becomes a gate: the code that was typed in there, and its own new key."""

    model_config = ConfigDict(extra="forbid", strict=True)
    code: str = Field(pattern=r"^[0-9]{12}$", description="What the page of the gate shows to its office.")
    point: str = Field(pattern=r"^04[0-9a-f]{128}$", description="Public key on P-256: 04 ‖ x ‖ y.")
    signature: Bytes64
    request_id: Asking


class StandOut(Schema):
    """The gate and where it stands."""

    gate: int = Field(description="Number of the device: what X-Zhengka-Gate says.")
    name: str
    place: str
    operator: str = Field(description="Code of the operator at whose place it stands; empty where it stands nowhere.")
    venue: str = Field(description="Code of the venue.")
    services: list[str] = Field(description="Codes of the services that it gives; none: all of the venue.")
    plan: dict[str, Any] = Field(description=(
        "How cards are read by a security module of the office, without a network: for the desk agent, as it is."))
    now: datetime = Field(description="Time of this answer.")


@router.post("/gate/pair", auth=public, response=StandOut, summary="Pair a gate", operation_id="gatePair",
             url_name="gate-pair", openapi_extra={"x-problems": [
                 "gate-pairing-failed", "device-key-taken", "too-many-requests"]})
def pair(request: HttpRequest, asked: PairIn) -> StandOut:
    """Take the key of a gate. It signs `"zhengka-reading/1" ‖ "pair" ‖ code ‖ 00 ‖ origin` (ES256); the origin is that
    of this site as the device sees it, such as `https://card.example`.
    """
    PAIRINGS.take(visitor(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""),
                          behind_front=settings.BEHIND_FRONT), now=time.monotonic())
    enter(connection, *WHOLE_NATION)  # the code says at which office the gate is
    told = devices.Paired(INTL.name, bytes.fromhex(asked.point), asked.code, _bytes(asked.signature))
    origin, key = f"{request.scheme}://{request.get_host()}", UUID(asked.request_id)
    with suppress(Replayed):
        devices.pair_gate(told, origin, request_id=key, at=timezone.now())
        gates.ask_for_gate_keys()
    row = Device.objects.filter(sort="gate", public=told.point).first()
    if row is None:
        raise Refusal("gate-pairing-failed")
    return _stand(row)


@router.get("/gate/post", auth=gate, response=StandOut, summary="Where a gate stands", operation_id="gatePost",
            url_name="gate-post", openapi_extra={"x-problems": SIGNED})
def post(request: HttpRequest) -> StandOut:
    """The gate that asks, as its office has entered it."""
    return _stand(_gate(request))


class EventsOut(Schema):
    """What an upload brought."""

    fresh: int = Field(description="Events that were not known yet.")
    repeats: int = Field(description="Events that were known.")
    refused: dict[str, int] = Field(description="Lines that were refused: code → how many. Send them no more.")


@router.post("/gate/events", auth=gate_log, response=EventsOut, summary="Send the log of a gate",
             operation_id="gateEvents", url_name="gate-events", openapi_extra={
                 "x-problems": [*SIGNED, "upload-too-long"], "requestBody": {
                 "required": True, "description": "Lines of the log: event, tab, signature (docs/reference).",
                 "content": {"text/plain": {"schema": {"type": "string"}}}}})
def events(request: HttpRequest) -> EventsOut:
    """Take in events in any order, any number of times: the same set comes to the same state. Each line stands for
    itself; one that is refused holds up no other.
    """
    merged = gates.merge(request.upload, carrier=_gate(request), at=timezone.now())  # type: ignore[attr-defined]
    return EventsOut(fresh=merged.fresh, repeats=merged.repeats, refused=dict(merged.refused))


class RedeemIn(Schema):
    """A voucher that is shown at a gate with a network."""

    model_config = ConfigDict(extra="forbid", strict=True)
    line: str = Field(max_length=MOST_TEXT + 87, description=(
        "The event `redeem` as the gate's log has it: text, tab, signature. It keeps it if this is answered by 200."))
    voucher: str = Field(pattern=BASE64URL, min_length=2, max_length=342, description=(
        "The signed voucher as it was read, base64url."))


class RedeemOut(Schema):
    """The voucher is used up now, at this gate."""

    voucher: str = Field(description="Its code, 16 characters.")
    state: str = Field(examples=["redeemed"])


@router.post("/gate/redeem", auth=gate, response=RedeemOut, summary="Redeem a voucher at a gate",
             operation_id="gateRedeem", url_name="gate-redeem", openapi_extra={"x-problems": [
                 *SIGNED, "gate-unknown", "event-refused", "post-unknown", "voucher-unknown", "voucher-unsigned",
                 "voucher-used", "voucher-cancelled", "voucher-expired", "voucher-not-yet", "voucher-elsewhere"]})
def redeem(request: HttpRequest, asked: RedeemIn) -> RedeemOut:
    """Use a voucher up, at most once whoever else tries at the same moment. The same event again answers the same."""
    row = gates.redeem_signed(_own_line(asked.line, _gate(request)), _bytes(asked.voucher), at=timezone.now())
    return RedeemOut(voucher=vouchers.to_base32(bytes(row.code)), state=row.state)


class RedeemCodeIn(Schema):
    """A voucher of which only the code was typed."""

    model_config = ConfigDict(extra="forbid", strict=True)
    code: str = Field(pattern=r"^[A-Z2-7]{16}$")
    request_id: Asking


class RedeemCodeOut(RedeemOut):
    """The same, with what the gate did not read."""

    gives: str = Field(examples=["free"])
    companions: int


@router.post("/gate/redeem-code", auth=gate, response=RedeemCodeOut, summary="Redeem a voucher by its typed code",
             operation_id="gateRedeemCode", url_name="gate-redeem-code", openapi_extra={"x-problems": [
                 *SIGNED, "post-unknown", "voucher-unknown", "voucher-used", "voucher-cancelled", "voucher-expired",
                 "voucher-not-yet", "voucher-elsewhere"]})
def redeem_code(request: HttpRequest, asked: RedeemCodeIn) -> RedeemCodeOut:
    """Use a voucher up that the site knows: the site itself writes this into the gate's log."""
    post, code = gates.standing(_gate(request)), vouchers.from_base32(asked.code)
    with suppress(Replayed):
        gates.redeem(code, post, request_id=UUID(asked.request_id), at=timezone.now())
    row = queries.by_code(code)
    return RedeemCodeOut(voucher=asked.code, state=row.state, gives=row.gives, companions=row.companions)


class CompanionIn(RedeemCodeIn):
    """A voucher that is shown by a holder who does not come alone."""

    voucher: str = Field(pattern=BASE64URL, max_length=342, description=(
        "The signed voucher as it was read, base64url, so that one is known of which its gate has not told yet; empty "
        "where only the code was typed."))


class CompanionOut(Schema):
    """A voucher for one who comes along."""

    voucher: str = Field(description="Its code, 16 characters.")
    text: str = Field(description="Text of its QR code; empty for some seconds, until it is signed: ask again.")
    gives: str = Field(examples=["free"])
    begins: datetime
    ends: datetime = Field(description="From this moment on it is good no more.")
    left: int = Field(description="How many more may come along on the holder's own voucher.")


@router.post("/gate/companion", auth=gate, response=CompanionOut, summary="Give a companion a voucher at a gate",
             operation_id="gateCompanion", url_name="gate-companion", openapi_extra={"x-problems": [
                 *SIGNED, "post-unknown", "voucher-unknown", "voucher-unsigned", "voucher-elsewhere", "voucher-used",
                 "voucher-cancelled", "voucher-expired", "voucher-companions"]})
def companion(request: HttpRequest, asked: CompanionIn) -> CompanionOut:
    """A voucher of their own, beside the holder's, which says one companion fewer from then on. A repeat tells the same
    one, with its text once that is signed.
    """
    post, code = gates.standing(_gate(request)), vouchers.from_base32(asked.code)
    try:
        row = gates.companion_at(post, code, _bytes(asked.voucher) or None, request_id=UUID(asked.request_id),
                                 at=timezone.now())
    except Replayed as again:
        row = Voucher.objects.get(pk=again.event.subject_id)
    return CompanionOut(voucher=vouchers.to_base32(bytes(row.code)), text=queries.text_of(row), gives=row.gives,
                        begins=row.begins, ends=row.ends, left=queries.by_code(code).companions)


class SeenIn(Schema):
    """By which versions a gate decides now."""

    model_config = ConfigDict(extra="forbid", strict=True)
    bundle: int = Field(ge=0, lt=2**63, description="Version of the bundle.")
    lists: dict[Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,9})$")], Annotated[int, Field(ge=0, lt=2**63)]] = Field(
        max_length=1_000, description="Number of a status list → its version.")


@router.post("/gate/seen", auth=gate, response={204: None}, summary="Tell what a gate decides by",
             operation_id="gateSeen", url_name="gate-seen",
             openapi_extra={"x-problems": [*SIGNED, "post-unknown", "receipt-unknown"]})
def seen(request: HttpRequest, asked: SeenIn) -> Status[None]:
    """A receipt: these versions are in force at this gate from now on."""
    row = _gate(request)
    cards.take_receipts(gates.standing(row).operator, {int(number): version for number, version in asked.lists.items()},
                        in_force=True, gate=row.pk, at=timezone.now())
    return Status(204, None)


class ScannedIn(Schema):
    """A code that was read."""

    model_config = ConfigDict(extra="forbid")
    how: Literal["scanned"]
    text: str = Field(min_length=1, max_length=LONGEST_TEXT)


class TypedIn(Schema):
    """A number that was typed."""

    model_config = ConfigDict(extra="forbid")
    how: Literal["typed"]
    number: str = Field(min_length=1, max_length=64, description="Of the card or of the certificate.")


class LookedIn(Schema):
    """What was read from the face: of the holder no more than the rules of the place ask for."""

    model_config = ConfigDict(extra="forbid")
    how: Literal["looked"]
    valid_until: date
    same: bool = Field(description="The photo shows who holds it.")
    category: int | None = Field(ge=1, le=7, description="null where no rule of the place asks; so with the next.")
    grade: int | None = Field(ge=1, le=4)
    area: int | None = Field(ge=10**11, lt=10**12, description="Twelve digits.")
    born: date | None


class ChipIn(Schema):
    """What the gate passes on of what a chip told: the rest the register knows."""

    model_config = ConfigDict(extra="forbid")
    credential: str = Field(pattern=r"^(?:[0-9a-f]{2})+$", max_length=2 * LONGEST_PAYLOAD, description=(
        "The signed code on the chip, in hexadecimal digits: by it the card is looked up."))


class TappedIn(Schema):
    """A chip that was held to the gate's reader. What was read and proved is the gate's word: it signs the request."""

    model_config = ConfigDict(extra="forbid")
    how: Literal["tapped"]
    fields: ChipIn
    proven: bool = Field(description="Card and reader proved their keys to each other.")


class CheckIn(Schema):
    """A card that is shown for a service."""

    model_config = ConfigDict(extra="forbid")
    service: str = Field(max_length=40)
    shown: Annotated[ScannedIn | TypedIn | LookedIn | TappedIn, Field(discriminator="how")]


class CheckOut(Schema):
    """The answer, as the gate's own core gives it: nothing of the person is in it."""

    code: str = Field(examples=["valid"])
    colour: str = Field(examples=["green"])
    proof: str
    benefit: str = Field(description="free, half or fixed:FEN; empty for none.")
    companions: int
    rule: str
    vouchers: list[str]
    minutes: int = Field(description="For how long a voucher is good.")
    ways: list[str] = Field(description="How the card may be shown instead.")
    tone: str
    vibration: list[int]
    en: str
    zh: str
    subject: str = Field(description="Pseudonym of the card at this operator in this month.")


@router.post("/gate/check", auth=gate, response=CheckOut, summary="Ask about a card that is shown at a gate",
             operation_id="gateCheck", url_name="gate-check",
             openapi_extra={"x-problems": [*SIGNED, "post-unknown", "operator-unknown", "too-many-requests"]})
def check(request: HttpRequest, asked: CheckIn) -> CheckOut:
    """What the card gives here at this moment, by the register and all that gates have told: for what a gate cannot
    know by itself.
    """
    post, at = gates.standing(_gate(request)), timezone.now()
    if isinstance(asked.shown, TypedIn):
        TYPED.take(str(post.gate_id), now=time.monotonic())
    place = Place(post.operator, post.venue, asked.service)
    shown = _shown(asked.shown)
    answer = gates.present_online(shown, place, at=at).answer
    if answer.ok and answer.subject:
        used = queries.used(post.operator, answer.subject, at=at)
        answer = gates.present_online(shown, place, at=at, used=used).answer
    return CheckOut(**answer.to_dict())


@router.get("/gate/bundle/{name}", auth=gate, summary="A file of the bundle of a gate's operator",
            operation_id="gateBundle", url_name="gate-bundle", openapi_extra={"x-problems": [
                *SIGNED, "post-unknown", "no-such-address"]})
def bundle(request: HttpRequest, name: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]) -> HttpResponse:
    """A file that only this operator's gates may fetch, or one of the public ones that belong to it: `manifest.bin`
    names them all.
    """
    try:
        path = cards.place_of(gates.standing(_gate(request)).operator, name)
    except BadBundle:
        raise Http404 from None
    return send(request, path, "application/octet-stream", cache="private, no-cache")


def _shown(asked: ScannedIn | TypedIn | LookedIn | TappedIn) -> Shown:
    if isinstance(asked, ScannedIn):
        return Scanned(asked.text)
    if isinstance(asked, TappedIn):
        return Tapped({"credential": bytes.fromhex(asked.fields.credential)}, asked.proven)
    if isinstance(asked, TypedIn):
        return Typed(asked.number)
    return Looked(asked.valid_until, asked.same, asked.category, asked.grade, asked.area, asked.born)


def _gate(request: HttpRequest) -> Device:
    row: Device = request.auth  # type: ignore[attr-defined]
    return row


def _own_line(text: str, row: Device) -> Signed:
    """The one line of the gate's own log; `Refusal("event-refused")`."""
    with suppress(ValueError):  # a `BadEvent` is one, and so are two lines
        [line] = gatelog.from_lines(text.encode())
        if line is not None and line.place()[0] == row.pk:
            return line
    raise Refusal("event-refused", why="event-shape")


def _stand(row: Device) -> StandOut:
    here, at = None, timezone.now()
    with suppress(Refusal):
        here = gates.standing(row)
    return StandOut(gate=row.pk, name=row.name, place=row.place, operator=here.operator if here else "",
                    venue=here.venue if here else "", services=here.services if here else [],
                    plan=cards.gate_plan(row.area, at=at).told(), now=at)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
