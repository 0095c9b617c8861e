"""What the worker does for gates."""

from datetime import UTC, datetime
from uuid import uuid4

from zhengka.core.queue import task
from zhengka.gates import services


@task("gates.renew_by_use", cron="40 17 * * *")
def renew_by_use(timestamp: int) -> None:
    """Every night in China (01:40): cards that were used while their window is open get their next term."""
    services.renew_by_use(request_id=uuid4(), at=datetime.fromtimestamp(timestamp, UTC))


@task("gates.publish_claims", cron="10 17 * * *")
def publish_claims(timestamp: int | None = None) -> None:
    """Every night in China (01:10), and when it is asked for: give operators their rules, and the lists of those whom
    the rules are for, where that changed.
    """
    services.publish_claims(at=datetime.now(UTC) if timestamp is None else datetime.fromtimestamp(timestamp, UTC))
