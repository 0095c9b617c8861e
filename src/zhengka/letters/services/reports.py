"""The provider of short messages reports what became of them (状态报告)."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction

from zhengka.core import signed
from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import perform, sub
from zhengka.letters.models import Letter
from zhengka.letters.services.outcome import CAME_BACK
from zhengka.letters.workflow import CARRY

OUTCOMES: Final = ("delivered", "failed")
RESULTS: Final = ("recorded", "repeated", "not-yet", "contradicts", "unknown-letter")
"""What became of a report."""
_ROOT: Final = UUID("5a0c8e52-1f43-4c1b-9f0e-5d3a7b9c2e61")
PROVIDER: Final = Actor(None, "provider", "provider", frozenset({"letter.send", CARRY}), *WHOLE_NATION)
"""Who reports, in the events of letters."""


class Report(NamedTuple):
    """What became of a message: its id, as the provider got it, the provider's own reference, one of `OUTCOMES`."""

    letter_id: int
    reference: str
    outcome: str


def check_signature(stamp: str, body: bytes, signature: str, *, at: datetime) -> None:
    """Refuse (`report-signature-wrong`) a body that was not signed by the provider's secret within `signed.FRESH`, as
    what goes to the provider is signed.
    """
    if not signed.is_signed(settings.SMS_SECRET, stamp, body, signature, at=at):
        raise Refusal("report-signature-wrong")


@transaction.atomic
def take_report(report: Report, *, at: datetime) -> str:
    """Write down what the provider says became of a message; one of `RESULTS`.

    The first report stands: the same once more is `repeated`, another outcome `contradicts`, and neither changes
    anything. `not-yet`: the message is about to go out as far as we know; a provider that is quicker than our own note
    of it reports again later. `unknown-letter`: no message of this id went out under this reference.
    """
    row = Letter.objects.select_for_update(of=("self",)).filter(pk=report.letter_id, channel="sms").first()
    if row is None:
        return "unknown-letter"
    if row.state in ("queued", "sending"):
        return "not-yet"
    if row.state != "unknown" and (row.sender, row.reference) != ("provider", report.reference):
        return "unknown-letter"
    if row.state not in ("sent", "unknown"):
        return "repeated" if row.state == report.outcome else "contradicts"
    action, also = _step(row, report.outcome, at)
    perform(row, action, also, by=PROVIDER, request_id=sub(_ROOT, f"{row.pk} {row.version}"), at=at)
    return "recorded"


def _step(row: Letter, outcome: str, at: datetime) -> tuple[str, dict[str, object]]:
    if outcome == "delivered":
        return "deliver", {"sent_at": row.sent_at or at}
    return "come_back" if row.state == "sent" else "fail", {"problem": CAME_BACK, "retry_at": None}
