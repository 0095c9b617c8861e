"""What the worker does for the registry."""

from django.utils import timezone

from zhengka.bulk.services import give_up
from zhengka.core.queue import task
from zhengka.registry import services


def _give_up(import_id: int) -> None:
    services.give_up_import(import_id, at=timezone.now())


@task("registry.take_import", given_up=_give_up)
def take_import(import_id: int) -> None:
    """Take a received file in."""
    services.take_import(import_id, at=timezone.now())


@task("registry.take_photos", given_up=give_up)
def take_photos(act_id: int) -> None:
    """Give the portraits of a pack to their holders, in groups."""
    services.take_photos(act_id, clock=timezone.now)


@task("registry.place_streets", cron="20 18 * * *")
def place_streets(timestamp: int) -> None:  # noqa: ARG001 - when it was due
    """Every night in China: find again in which street each holder lives."""
    services.place_all()
