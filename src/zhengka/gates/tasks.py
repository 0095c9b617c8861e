"""What the worker does for gates."""

from datetime import UTC, datetime
from uuid import uuid4

from zhengka.core.queue import task
from zhengka.gates import services


@task("gates.renew_by_use", cron="40 17 * * *")
def renew_by_use(timestamp: int) -> None:
    """Every night in China (01:40): cards that were used while their window is open get their next term."""
    services.renew_by_use(request_id=uuid4(), at=datetime.fromtimestamp(timestamp, UTC))


@task("gates.sign_voucher", urgent=True)
def sign_voucher(voucher_id: int) -> None:
    """Give a voucher its signed form, for gates without a network."""
    services.sign_voucher(voucher_id, at=datetime.now(UTC))


@task("gates.sign_own_events", cron="* * * * *")
def sign_own_events(timestamp: int) -> None:
    """Every minute: sign what the platform wrote into logs of gates."""
    services.sign_own_events(at=datetime.fromtimestamp(timestamp, UTC))


@task("gates.sign_statement")
def sign_statement(statement_id: int) -> None:
    """Sign a statement that was sent."""
    services.sign_statement(statement_id, at=datetime.now(UTC))


@task("gates.expire_vouchers", cron="20 * * * *")
def expire_vouchers(timestamp: int) -> None:
    """Every hour: vouchers whose time is over end."""
    services.expire(at=datetime.fromtimestamp(timestamp, UTC))


@task("gates.publish_claims", cron="10 17 * * *")
def publish_claims(timestamp: int | None = None) -> None:
    """Every night in China (01:10), and when it is asked for: give operators their rules, and the lists of those whom
    the rules are for, where that changed.
    """
    services.publish_claims(at=datetime.now(UTC) if timestamp is None else datetime.fromtimestamp(timestamp, UTC))


@task("gates.publish_gate_keys", cron="*/5 * * * *")
def publish_gate_keys(timestamp: int | None = None) -> None:  # noqa: ARG001 - a periodic task is told its time
    """Every five minutes, and when a gate was paired: tell the gates of an operator each other's public keys."""
    services.publish_gate_keys()
