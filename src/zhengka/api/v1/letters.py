"""The provider of short messages reports what became of them (状态报告)."""

from typing import Annotated, Literal

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from zhengka.api.access import provider
from zhengka.core.actors import WHOLE_NATION
from zhengka.core.scope import enter
from zhengka.letters import services

router = Router()
MOST = 500
"""Reports in one request."""
Id = Annotated[str, Field(pattern=r"^[0-9]{1,18}$", description="The message's id, as the provider got it.")]


class ReportIn(Schema):
    """What became of one message."""

    model_config = ConfigDict(extra="forbid", strict=True)
    id: Id
    reference: str = Field(max_length=100, description="The provider's own reference, as it answered then.")
    outcome: Literal["delivered", "failed"]


class ReportsIn(Schema):
    """What became of some messages."""

    model_config = ConfigDict(extra="forbid", strict=True)
    reports: list[ReportIn] = Field(min_length=1, max_length=MOST)


class ReportOut(Schema):
    """What became of one report."""

    id: Id
    result: Literal["recorded", "repeated", "not-yet", "contradicts", "unknown-letter"] = Field(description=(
        "recorded: it stands now; repeated: it stood already; not-yet: report it again later; contradicts: another "
        "outcome stands, and is kept; unknown-letter: no message of this id went out under this reference."))


class ReportsOut(Schema):
    """What became of the reports, in their order."""

    results: list[ReportOut]


@router.post("/letters/reports", auth=provider, response=ReportsOut, summary="Report what became of short messages",
             operation_id="letterReports", url_name="letter-reports",
             openapi_extra={"x-problems": ["report-signature-wrong"]})
def letter_reports(request: HttpRequest, asked: ReportsIn) -> ReportsOut:  # noqa: ARG001 - ninja's signature
    """Each report is taken by itself, and may be repeated: the first one about a message stands. The request is signed
    as what the provider gets: headers `X-Zhengka-Time` (UTC, at most five minutes ago) and `X-Zhengka-Signature`.
    """
    now = timezone.now()
    enter(connection, *WHOLE_NATION)  # the provider serves every area
    return ReportsOut(results=[ReportOut(id=one.id, result=services.take_report(  # type: ignore[arg-type]
        services.Report(int(one.id), one.reference, one.outcome), at=now)) for one in asked.reports])
