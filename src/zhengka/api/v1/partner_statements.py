"""An operator's program fetches the statements (结算单) that were sent to it, and disputes events of them (争议)."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router, Schema
from pydantic import ConfigDict, Field

from zhengka.api.access import partner
from zhengka.api.v1.partner_vouchers import ONCE, Key, once
from zhengka.gates import queries
from zhengka.gates import services as gates
from zhengka.gates.models import Dispute

router = Router()
Name = Annotated[str, Path(pattern=r"^[0-9]{12}-[0-9]{4}-[0-9]{2}$", description="The statement's name.")]


class StatementOut(Schema):
    """One statement: of an office and a month."""

    statement: str = Field(description="Its name.", examples=["430104000000-2026-11"])
    month: date = Field(description="The month's first day.")
    state: str = Field(description="sent, disputed, agreed or closed.")
    events: int = Field(description="Events that it holds.")
    counted: int = Field(description="Events that are paid.")
    fen: int = Field(description="What it comes to, in fen.")
    digest: str = Field(description="SHA-256 over the sorted digests of its events, in hexadecimal digits.")


class StatementsOut(Schema):
    """The newest statements."""

    statements: list[StatementOut]


@router.get("/partner/statements", auth=partner("statement.read"), response=StatementsOut,
            summary="One's own statements", operation_id="partnerStatements", url_name="partner-statements")
def statements(request: HttpRequest) -> StatementsOut:
    """Those that were sent to the operator, the newest first, two hundred at most."""
    rows = queries.sent_to(request.auth.operator)[:200]  # type: ignore[attr-defined]
    return StatementsOut(statements=[StatementOut(
        statement=queries.name_of(row), month=row.month, state=row.state, events=row.events, counted=row.counted,
        fen=row.fen, digest=bytes(row.digest).hex()) for row in rows])


@router.get("/partner/statements/{name}", auth=partner("statement.read"), summary="One statement as a file",
            operation_id="partnerStatement", url_name="partner-statement", openapi_extra={"x-problems": ["not-found"],
            "responses": {200: {"description": "The file that `zhengka settlement verify` reckons again.", "content": {
                "application/json": {"schema": {"type": "object"}}}}}})
def statement(request: HttpRequest, name: Name) -> HttpResponse:
    """Every event that it holds, word for word as its gate signed it, with the keys: whoever has it can reckon the
    amount again.
    """
    row = queries.sent_statement(request.auth.operator, name)  # type: ignore[attr-defined]
    answer = HttpResponse(queries.to_json(row), content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


class DisputeIn(Schema):
    """One event of a statement that is wrong."""

    model_config = ConfigDict(extra="forbid", strict=True)
    event: str = Field(pattern=r"^[0-9a-f]{64}$", description=(
        "SHA-256 of the event's text, in hexadecimal digits: the text is in the statement's file."))
    why: str = Field(min_length=1, max_length=300, description="Why; never a person's name or number.")


class DisputeOut(Schema):
    """A dispute. Another person at the office decides it: what is upheld is not paid."""

    statement: str = Field(description="Name of the statement.")
    event: str = Field(description="SHA-256 of the event's text.")
    state: str = Field(description="open, upheld or rejected.", examples=["open"])
    why: str
    opened_at: datetime


class DisputesOut(Schema):
    """All disputes of one statement, the office's own among them."""

    disputes: list[DisputeOut]


@router.get("/partner/statements/{name}/disputes", auth=partner("statement.read"), response=DisputesOut,
            summary="Disputes of one statement", operation_id="partnerDisputes", url_name="partner-disputes",
            openapi_extra={"x-problems": ["not-found"]})
def disputes(request: HttpRequest, name: Name) -> DisputesOut:
    """In the order in which they were entered, with what was decided."""
    row = queries.sent_statement(request.auth.operator, name)  # type: ignore[attr-defined]
    return DisputesOut(disputes=[DisputeOut(**_told(name, one)) for one in queries.disputes(row)])


@router.post("/partner/statements/{name}/disputes", auth=partner("statement.dispute"), response=DisputeOut,
             summary="Dispute an event of a statement", operation_id="partnerDispute", url_name="partner-dispute",
             openapi_extra={"x-problems": [*ONCE, "not-found", "reason-missing", "step-not-open", "dispute-again"]})
def dispute(request: HttpRequest, name: Name, asked: DisputeIn, key: Key = "") -> dict[str, Any]:
    """As long as nobody has agreed to the statement. The same key and body get the same answer."""
    def do(request_id: UUID, at: datetime) -> dict[str, Any]:
        caller = request.auth  # type: ignore[attr-defined]
        wrong = gates.Contested(name, bytes.fromhex(asked.event), asked.why)
        told = _told(name, gates.dispute_for(caller.operator, wrong, caller.partner.client_id, request_id=request_id,
                                             at=at))
        return told | {"opened_at": told["opened_at"].isoformat()}
    return once(request, f"dispute {name}", key, asked, do)


def _told(name: str, row: Dispute) -> dict[str, Any]:
    return {"statement": name, "event": bytes(row.visit.digest).hex(), "state": row.state, "why": row.why,
            "opened_at": row.opened_at}
