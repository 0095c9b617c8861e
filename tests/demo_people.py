"""People of whom the demo can tell its stories."""

import datetime as dt

from django.utils import timezone

from builders import make_actor, make_certificate, request_id
from portraits import make_photo
from zhengka.areas.calendars import add_months
from zhengka.core.events import begin
from zhengka.registry import photos
from zhengka.registry.models import Certificate, Holder, Import


def fits(holder: Holder, today: dt.date) -> None:
    """An adult from a file, with a photo and a paper certificate in its last months."""
    record = Import(province=43, area=holder.area, filename="x.csv", digest="0", form="csv", encoding="utf-8",
                    received_at=timezone.now())
    begin(record, "receive", by=make_actor(area=holder.area), request_id=request_id())
    Holder.objects.filter(pk=holder.pk).update(source=record, photo=photos.keep(make_photo()))
    certificate = make_certificate(holder)
    Certificate.objects.filter(pk=certificate.pk).update(
        issued_on=add_months(today, -117), valid_until=add_months(today, 3))


def nothing(_done: int, _of: int) -> None:
    """Nobody watches."""
