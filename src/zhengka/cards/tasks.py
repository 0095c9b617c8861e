"""What the worker does for cards."""

from datetime import UTC, datetime

from django.utils import timezone

from zhengka.bulk.services import give_up
from zhengka.cards import services
from zhengka.core.queue import task


@task("cards.publish_status_lists", urgent=True)
def publish_status_lists(number: int | None = None) -> None:
    """Publish one status list, or all of them."""
    services.publish_status_lists(at=timezone.now(), number=number, clock=timezone.now)


@task("cards.publish_bundle", urgent=True)
def publish_bundle(operator: str) -> None:
    """Publish the manifest of an operator's bundle."""
    services.publish_bundles(at=timezone.now(), names=[operator])


@task("cards.refresh_status_lists", cron="1 * * * *", urgent=True)
def refresh_status_lists(timestamp: int) -> None:
    """Every hour: publish what midnight changed (activation years that are over), and sign anew what grows old."""
    services.publish_status_lists(at=datetime.fromtimestamp(timestamp, UTC), clock=timezone.now)


@task("cards.match_alive", given_up=give_up)
def match_alive(act_id: int) -> None:
    """Activate the cards of those who are known to be alive, in groups."""
    services.match_alive(act_id, clock=timezone.now)


@task("cards.remind", cron="20 1 * * *")
def remind(timestamp: int) -> None:
    """Every morning in China: tell those whose activation ends soon."""
    services.remind(at=datetime.fromtimestamp(timestamp, UTC))


@task("cards.forget_receipts", cron="50 17 * * *")
def forget_receipts(timestamp: int) -> None:
    """Every night in China: forget what gates said of lists of long ago."""
    services.forget_receipts(at=datetime.fromtimestamp(timestamp, UTC))
