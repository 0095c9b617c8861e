"""Which signed status lists there are, for verifiers that work without a network."""

from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from zhengka.api.access import public
from zhengka.cards import queries

router = Router()


class StatusListOut(Schema):
    """The newest published version of one status list (状态表)."""

    number: int = Field(description="Which list it is; a card's credential names it.")
    version: int = Field(description="Higher is newer; a verifier refuses a lower one than it has seen.")
    published_at: datetime = Field(description="When it was signed.")
    age_seconds: int = Field(description="How old it is now.")
    blocked: int = Field(description="How many cards are not valid in it: lost, cancelled, not activated.")
    size: int = Field(description="Bytes of the file.")
    digest: str = Field(description="SHA-256 of the file, in hexadecimal digits.")
    url: str = Field(description="Where the file is, on this host.", examples=["/bundle/status-0.bin"])


class StatusListsOut(Schema):
    """All lists, and where the keys are by which to check them."""

    checked_at: datetime = Field(description="Time of this answer.")
    keys_url: str = Field(description="Where the issuers' public keys are, on this host.")
    lists: list[StatusListOut]


@router.get("/status-lists", auth=public, response=StatusListsOut,
            summary="The signed status lists", operation_id="statusLists", url_name="status-lists")
def status_lists(request: HttpRequest) -> StatusListsOut:  # noqa: ARG001 - ninja's signature
    """Numbers, versions, ages and digests of the lists under /bundle/. Fetch a list when its version has grown."""
    now = timezone.now()
    return StatusListsOut(checked_at=now, keys_url="/bundle/keys.json", lists=[
        StatusListOut(
            number=one.list_number, version=one.number, published_at=one.published_at,
            age_seconds=max(int((now - one.published_at).total_seconds()), 0), blocked=one.blocked, size=one.size,
            digest=one.digest, url=f"/bundle/status-{one.list_number}.bin")
        for one in queries.publications()])
