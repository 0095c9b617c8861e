"""A job of a card printer (证卡打印机): what came of it is how the printer is."""

from datetime import datetime
from typing import Final

from django.db import transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.devices import queries
from zhengka.devices.models import Device

JOB_ENDS: Final = ("printed", "not-printed")


@transaction.atomic
def note_job(reader: Device, queue: str, ended: str, *, by: Actor, at: datetime) -> Device:
    """Note that the printer beside a reader was seen, and how its job ended: one of JOB_ENDS, else ValueError.

    `Refusal`: `not-permitted`, `not-found`, and those of `queries.printer`.
    """
    if ended not in JOB_ENDS:
        raise ValueError(f"a job cannot end with {ended}")
    if not by.may("device.use"):
        raise Refusal("not-permitted", permission="device.use")
    if not by.sees(reader.area_id):
        raise Refusal("not-found")
    row = queries.printer(queue, beside=reader)
    Device.objects.filter(pk=row.pk).update(seen_at=at, health=ended)
    row.seen_at, row.health = at, ended
    return row
