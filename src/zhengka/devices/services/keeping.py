"""Readings go when their time is over (到期删除): what a reader signed is kept no longer than the data files say."""

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction

from zhengka.devices import retention
from zhengka.devices.models import Reading
from zhengka.devices.retention import Retention
from zhengka.formats.verdict import CHINA

TOGETHER: Final = 5_000
"""Readings that go in one transaction."""


def forget_readings(*, at: datetime) -> int:
    """Delete the readings of every office that began before what its file keeps; their number. A repeat, or another
    worker at the same time, deletes nothing twice.
    """
    on, gone = at.astimezone(CHINA).date(), 0
    for area in list(Reading.objects.order_by("area").values_list("area", flat=True).distinct()):
        kept = retention.days(_files(Path(settings.DATA)), area, on)
        if kept is not None:
            gone += _forget(area, at - timedelta(days=kept))
    return gone


def _forget(area: int, before: datetime) -> int:
    gone = 0
    while True:
        with transaction.atomic():
            old = Reading.objects.filter(area=area, began_at__lte=before).select_for_update(skip_locked=True)
            ids = list(old.order_by("began_at").values_list("pk", flat=True)[:TOGETHER])
            gone += Reading.objects.filter(pk__in=ids).delete()[0]
        if len(ids) < TOGETHER:
            return gone


@cache
def _files(data: Path) -> tuple[Retention, ...]:
    return retention.load(data / "retention")
