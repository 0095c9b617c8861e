"""What the worker does for cards."""

from django.utils import timezone

from zhengka.cards import services
from zhengka.core.queue import task


@task("cards.publish_status_lists")
def publish_status_lists(number: int | None = None) -> None:
    """Publish one status list, or all of them."""
    services.publish_status_lists(at=timezone.now(), number=number)
