"""What the worker does for keys."""

from datetime import UTC, datetime

from django.utils import timezone

from zhengka.core.queue import task
from zhengka.keys import services


@task("keys.carry_on", given_up=services.give_up)
def carry_on(ceremony_id: int) -> None:
    """Do the platform's part of a ceremony: draw components, work in the key store, sign the transcript."""
    services.carry_on(ceremony_id, at=timezone.now())


@task("keys.tidy")
def tidy(ceremony_id: int) -> None:
    """Take away what a cancelled ceremony left in the key store."""
    services.tidy(ceremony_id)


@task("keys.run_clocks", cron="50 16 * * *")
def run_clocks(timestamp: int) -> None:
    """Every night in China: retire versions whose overlap is over, cancel ceremonies that nobody ended."""
    services.run_clocks(at=datetime.fromtimestamp(timestamp, UTC))
