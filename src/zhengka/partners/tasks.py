"""What workers do for partners; each calls one service and may run twice."""

from datetime import UTC, datetime

from django.utils import timezone

from zhengka.core.queue import task
from zhengka.partners import services


@task("partners.deliver")
def deliver(webhook_id: int) -> None:
    """Send what is due to one webhook."""
    services.deliver(webhook_id, at=timezone.now())


@task("partners.sweep", cron="* * * * *")
def sweep(timestamp: int) -> None:
    """Every minute: deliveries whose next try has come get a worker."""
    services.sweep(at=datetime.fromtimestamp(timestamp, UTC))


@task("partners.forget", cron="25 18 * * *")
def forget(timestamp: int) -> None:
    """Every night in China (02:25): answers and deliveries whose time is over are removed."""
    services.forget(at=datetime.fromtimestamp(timestamp, UTC))
