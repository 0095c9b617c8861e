"""An operator follows the status lists (状态表), fetches its bundle, and tells how far a version has come (回执)."""

from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated, Literal

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Path, Router, Schema
from pydantic import ConfigDict, Field

from zhengka.api.access import partner
from zhengka.cards import queries, reach
from zhengka.cards import services as cards
from zhengka.core.sending import send
from zhengka.formats import bundle
from zhengka.formats.bundle import BadBundle

router = Router()
FRESH = "private, max-age=60, must-revalidate"


class FeedListOut(Schema):
    """The newest published version of one status list, and what leads to it."""

    list: int = Field(description="Which list it is; a card's credential names it.")
    version: int = Field(description="Higher is newer.")
    published_at: datetime
    size: int = Field(description="Bytes of the file.")
    digest: str = Field(description="SHA-256 of the file, in hexadecimal digits.")
    url: str = Field(description="Where the file is, on this host.", examples=["/bundle/status-0.bin"])
    delta_url: str = Field(description="Where that is, on this host, which makes a version that you hold into the next "
                                       "one: put its number in the place of VERSION. Not there: take the whole list.")


class FeedOut(Schema):
    """All lists, and where the signed manifest is that names what belongs together."""

    checked_at: datetime = Field(description="Time of this answer.")
    bundle_url: str = Field(description="Where the operator's own bundle begins, on this host; by a token, too.")
    lists: list[FeedListOut]


class ReceiptIn(Schema):
    """How far a version of a list has come at the operator."""

    model_config = ConfigDict(extra="forbid", strict=True)
    list: int = Field(ge=0, lt=2**31)
    version: int = Field(ge=0, lt=2**63)
    what: Literal["seen", "in-force"] = Field(description=(
        "seen: your server has it; in-force: your gates decide by it."))


class ReceiptOut(Schema):
    """What is kept of it: the first time counts, by this site's clock."""

    list: int
    version: int
    seen_at: datetime
    in_force_at: datetime | None
    delay_seconds: int = Field(description="From publication until it was seen, or in force, as you told.")


@router.get("/partner/feed", auth=partner("status.read"), response=FeedOut, summary="The feed of status lists",
            operation_id="partnerFeed", url_name="partner-feed")
def feed(request: HttpRequest) -> FeedOut:  # noqa: ARG001 - ninja's signature
    """Which versions are the newest. Ask once a minute, or be told by a webhook; then fetch what changed."""
    lists = [FeedListOut(
        list=one.list_number, version=one.number, published_at=one.published_at, size=one.size, digest=one.digest,
        url=f"/bundle/status-{one.list_number}.bin", delta_url=f"/bundle/status-{one.list_number}.from-VERSION.bin")
        for one in queries.publications()]
    return FeedOut(checked_at=timezone.now(), bundle_url=f"/api/v1/partner/bundle/{bundle.MANIFEST}", lists=lists)


@router.post("/partner/receipts", auth=partner("status.read"), response=ReceiptOut, summary="Tell how far a list came",
             operation_id="partnerReceipt", url_name="partner-receipt",
             openapi_extra={"x-problems": ["receipt-unknown"]})
def receipts(request: HttpRequest, asked: ReceiptIn) -> ReceiptOut:
    """A version covers all before it; a repeat changes nothing. The office sees the delays of each operator."""
    operator, at = request.auth.operator, timezone.now()  # type: ignore[attr-defined]
    cards.take_receipts(operator, {asked.list: asked.version}, in_force=asked.what == "in-force", at=at)
    found = reach.receipt(operator, asked.list, asked.version)
    delay = found.seen if asked.what == "seen" or found.in_force is None else found.in_force
    return ReceiptOut(list=asked.list, version=asked.version, seen_at=found.seen_at, in_force_at=found.in_force_at,
                      delay_seconds=max(int(delay.total_seconds()), 0))


@router.get("/partner/bundle/{name}", auth=partner("status.read"), summary="A file of one's own bundle",
            operation_id="partnerBundle", url_name="partner-bundle", openapi_extra={
                "x-problems": ["no-such-address"], "responses": {200: {
                    "description": "The file.", "content": {"application/octet-stream": {"schema": {
                        "type": "string", "format": "binary"}}}}}})
def own_bundle(request: HttpRequest,
               name: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]) -> HttpResponse:
    """The manifest, rules, claims and lists for the operator's gates (src/zhengka/formats/bundle.py), with ranges and
    validators as RFC 9110 has them.
    """
    return send(request, _file(request.auth.operator, name), "application/octet-stream",  # type: ignore[attr-defined]
                cache=FRESH)


def _file(operator: str, name: str) -> FilePath:
    try:
        return cards.place_of(operator, name)
    except BadBundle:
        raise Http404 from None
