"""An operator's program fetches the statements (结算单) that were sent to it."""

from datetime import date
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router, Schema
from pydantic import Field

from zhengka.api.access import partner
from zhengka.gates import queries

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
