"""What workers do for letters; each calls one service and may run twice."""

from datetime import UTC, datetime

from django.utils import timezone

from zhengka.core.queue import task
from zhengka.letters import services


@task("letters.send")
def send(letter_id: int) -> None:
    """Carry one letter that waits: a message to a provider, a file into the store."""
    services.send(letter_id, at=timezone.now())


@task("letters.send_many")
def send_many(letter_ids: list[int]) -> None:
    """Carry letters that were written together, one after another; those that went out already are left alone."""
    for letter_id in letter_ids:
        services.send(letter_id, at=timezone.now())


@task("letters.retry", cron="*/5 * * * *")
def retry(timestamp: int) -> None:
    """Every five minutes: try again what failed, and ask officers about what lost its worker."""
    services.retry(at=datetime.fromtimestamp(timestamp, UTC))
