"""An operator's program issues, redeems and cancels vouchers (凭证), each act once, whatever the network does."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Header, Router, Schema
from pydantic import AwareDatetime, ConfigDict, Field

from zhengka.api.access import partner
from zhengka.api.v1.partner_verify import Code, Word, shown
from zhengka.core.events import sub
from zhengka.formats import voucher
from zhengka.gates import queries
from zhengka.gates import services as gates
from zhengka.gates.models import Voucher
from zhengka.partners import services as partners

router = Router()
Key = Annotated[str, Header(alias="Idempotency-Key", description=(
    "8 to 100 printable characters, new for each act and the same for its repeats; kept for two days."))]
Gate = Annotated[str, Field(pattern=r"^[0-9]{1,18}$", description="Number of the gate, as it was entered.")]
Bearer = Annotated[str, Field(min_length=16, max_length=2048, description=(
    "The voucher's 16 characters, or the text of its QR code."))]
ONCE: Final = ("idempotency-key-missing", "idempotency-key-reused", "request-id-reused")
_ROOT: Final = UUID("7b1f9a52-7d2e-5c0e-9a43-1f0f6f0a2306")


class IssueIn(Schema):
    """A card that is shown at a gate, for a voucher."""

    model_config = ConfigDict(extra="forbid", strict=True)
    code: Code
    gate: Gate
    service: Word = Field(description="Code of the service.")


class RedeemIn(Schema):
    """A voucher that is shown at a gate."""

    model_config = ConfigDict(extra="forbid", strict=True)
    voucher: Bearer
    gate: Gate


class CancelIn(Schema):
    """A voucher that is not to be used."""

    model_config = ConfigDict(extra="forbid", strict=True)
    voucher: Bearer
    why: str = Field(min_length=1, max_length=200, description="Why; never a person's name or number.")


class VoucherIn(Schema):
    """A voucher that is shown."""

    model_config = ConfigDict(extra="forbid", strict=True)
    voucher: Bearer


class TransferIn(Schema):
    """A voucher that is to be good at another time."""

    model_config = ConfigDict(extra="forbid", strict=True)
    voucher: Bearer
    begins: Annotated[AwareDatetime, Field(strict=False, description=(
        "From when the new one is good, with its time zone (RFC 3339); it is good as long as the old one."))]


class VoucherOut(Schema):
    """A voucher."""

    voucher: str = Field(description="Its 16 characters; who has them has the voucher.")
    state: str = Field(examples=["issued"])
    venue: str = Field(description="Where it is good; empty: at every venue of the operator.")
    service: str
    benefit: str = Field(description="free, half or fixed:FEN; empty where the operator sees only the verdict.")
    companions: int = Field(description="How many others pass on the same terms.")
    begins: datetime
    ends: datetime = Field(description="From this moment on it is good no more.")


class VoucherTextOut(VoucherOut):
    """A voucher, with what its QR code says."""

    text: str = Field(description=(
        "Text of its QR code, which gates read without a network, too. Empty for one that is no longer open, for one "
        "that a gate signed itself, and for some seconds until the platform has signed it: ask again."))


@router.post("/partner/vouchers", auth=partner("voucher.issue"), response=VoucherOut, summary="Issue a voucher",
             operation_id="partnerIssue", url_name="partner-issue", openapi_extra={"x-problems": [
                 *ONCE, "gate-unknown", "gate-shut-out", "card-not-accepted", "voucher-not-given", "quota-used",
                 "operator-unknown"]})
def issue(request: HttpRequest, asked: IssueIn, key: Key = "") -> dict[str, Any]:
    """For a card that is good and gets something at this gate's place. The same key and body get the same voucher."""
    def do(request_id: UUID, at: datetime) -> dict[str, Any]:
        given = gates.issue_for(request.auth.operator, asked.code, int(asked.gate),  # type: ignore[attr-defined]
                                asked.service, request_id=request_id, at=at)
        return _told(given.voucher, shown(given.answer))
    return once(request, "issue", key, asked, do)


@router.post("/partner/vouchers/redeem", auth=partner("voucher.redeem"), response=VoucherOut,
             summary="Redeem a voucher", operation_id="partnerRedeem", url_name="partner-redeem",
             openapi_extra={"x-problems": [
                 *ONCE, "gate-unknown", "gate-shut-out", "voucher-unknown", "voucher-used", "voucher-cancelled",
                 "voucher-expired", "voucher-not-yet", "voucher-elsewhere"]})
def redeem(request: HttpRequest, asked: RedeemIn, key: Key = "") -> dict[str, Any]:
    """At most once, whoever else tries at the same moment. The same key and body get the same answer."""
    def do(request_id: UUID, at: datetime) -> dict[str, Any]:
        return _told(gates.redeem_for(request.auth.operator, asked.voucher, int(asked.gate),  # type: ignore[attr-defined]
                                      request_id=request_id, at=at))
    return once(request, "redeem", key, asked, do)


@router.post("/partner/vouchers/cancel", auth=partner("voucher.redeem"), response=VoucherOut,
             summary="Cancel a voucher", operation_id="partnerCancel", url_name="partner-cancel",
             openapi_extra={"x-problems": [*ONCE, "voucher-unknown", "step-not-open", "reason-missing"]})
def cancel(request: HttpRequest, asked: CancelIn, key: Key = "") -> dict[str, Any]:
    """One that was not used. A use that a gate without a network brings later outranks the cancelling."""
    def do(request_id: UUID, at: datetime) -> dict[str, Any]:
        caller = request.auth  # type: ignore[attr-defined]
        return _told(gates.cancel_for(caller.operator, asked.voucher, asked.why, caller.partner.client_id,
                                      request_id=request_id, at=at))
    return once(request, "cancel", key, asked, do)


@router.post("/partner/vouchers/companion", auth=partner("voucher.issue"), response=VoucherOut,
             summary="Issue a companion's voucher", operation_id="partnerCompanion", url_name="partner-companion",
             openapi_extra={"x-problems": [
                 *ONCE, "voucher-unknown", "voucher-used", "voucher-cancelled", "voucher-expired",
                 "voucher-companions"]})
def companion(request: HttpRequest, asked: VoucherIn, key: Key = "") -> dict[str, Any]:
    """A voucher of their own for one who comes along; the holder's says one companion fewer from then on."""
    def do(request_id: UUID, at: datetime) -> dict[str, Any]:
        caller = request.auth  # type: ignore[attr-defined]
        return _told(gates.companion_for(caller.operator, asked.voucher, caller.partner.client_id,
                                         request_id=request_id, at=at))
    return once(request, "companion", key, asked, do)


@router.post("/partner/vouchers/transfer", auth=partner("voucher.issue"), response=VoucherOut,
             summary="Move a voucher to another time", operation_id="partnerTransfer", url_name="partner-transfer",
             openapi_extra={"x-problems": [
                 *ONCE, "voucher-unknown", "step-not-open", "voucher-expired", "voucher-outside-hours"]})
def transfer(request: HttpRequest, asked: TransferIn, key: Key = "") -> dict[str, Any]:
    """One that was not used is cancelled, and another of the time that is asked for is given. Returns the new one."""
    def do(request_id: UUID, at: datetime) -> dict[str, Any]:
        caller = request.auth  # type: ignore[attr-defined]
        return _told(gates.transfer_for(caller.operator, asked.voucher, asked.begins, caller.partner.client_id,
                                        request_id=request_id, at=at))
    return once(request, "transfer", key, asked, do)


@router.post("/partner/vouchers/look-up", auth=partner("voucher.issue"), response=VoucherTextOut,
             summary="Look a voucher up", operation_id="partnerLookUp", url_name="partner-look-up",
             openapi_extra={"x-problems": ["voucher-unknown"]})
def look_up(request: HttpRequest, asked: VoucherIn) -> dict[str, Any]:
    """As it is now, with the text of its QR code once that is signed. A POST, for who has the code has the voucher: it
    stands in no address.
    """
    row = gates.look_up_for(request.auth.operator, asked.voucher)  # type: ignore[attr-defined]
    return _told(row, {"text": queries.text_of(row)})


def once(request: HttpRequest, what: str, key: str, asked: Schema,
         do: Callable[[UUID, datetime], Mapping[str, Any]]) -> dict[str, Any]:
    """Do an act once under its key; a repeat gets the answer of the first. `do`: request id and time → the answer."""
    at, client = timezone.now(), request.auth.partner  # type: ignore[attr-defined]
    request_id = sub(_ROOT, f"{client.pk} {key}")
    body = {"what": what, **asked.model_dump(mode="json")}
    return partners.answer_once(client, key, body, lambda: do(request_id, at), at=at)


def _told(row: Voucher, also: Mapping[str, object] | None = None) -> dict[str, Any]:
    """As JSON keeps it: the answer under a key is told again word for word."""
    told = {"voucher": voucher.to_base32(bytes(row.code)), "state": row.state, "venue": row.venue,
            "service": row.service, "benefit": row.gives, "companions": row.companions,
            "begins": row.begins.isoformat(), "ends": row.ends.isoformat()}
    return told | dict(also or {})
