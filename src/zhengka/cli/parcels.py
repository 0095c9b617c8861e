"""The demo's finished cards travel in sealed parcels from the card maker by the city to the counter of their county; on
one of them the seal is another one than on the paper, and that is noticed.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from django.utils import timezone

from zhengka.areas.models import Area
from zhengka.cli import line
from zhengka.core.actors import Actor
from zhengka.custody import queries, services
from zhengka.custody.models import Parcel
from zhengka.custody.services import Seals
from zhengka.production import queries as batches
from zhengka.production.models import Batch

Done = TypeVar("Done")
SIZE: Final = 200
BROKEN: Final = "-X"
"""What the planted seal has behind its number."""


def travel(who: line.Officers, *, told: line.Told) -> None:
    """Pack all that came from the card maker, and bring it to the counters; a repeat goes on where it was."""
    for batch in batches.batches(who.producer).filter(state__in=("received", "closed")).order_by("pk"):
        if wanted := len(queries.left_at_the_plant(batch.pk)):
            services.pack_batch(batch, _seals(batch, wanted), batch.area, by=who.producer, at=timezone.now(),
                                request_id=line.act("parcels", batch.number, wanted))
    under_way = list(queries.parcels(actor=who.clerk).filter(state__in=queries.UNDER_WAY).order_by("pk"))
    planted = not queries.troubles(actor=who.clerk).exists()
    for number, parcel in enumerate(under_way):
        told(number, len(under_way))
        bring(parcel, planted and not number, by=who.clerk)
    told(1, 1)


def bring(parcel: Parcel, wrong: bool, *, by: Actor) -> None:
    """A parcel goes on from where it is to its counter, and is opened. `wrong`: its seal was exchanged on the way."""
    for office in Area.objects.filter(pk__in=parcel.stops[parcel.passed:]).order_by("pk"):
        seal = parcel.seal + BROKEN if wrong and office.pk == parcel.target_id else parcel.seal
        parcel = _do(partial(services.arrive, parcel, office, seal), parcel, f"arrive {office.pk}", by)
    serials = [each.serial for each in queries.lines(parcel)]
    _do(partial(services.unpack, parcel, parcel.seal + BROKEN * wrong, serials), parcel, "unpack", by)


def _do(service: Callable[..., Done], parcel: Parcel, what: str, by: Actor) -> Done:
    return service(by=by, request_id=line.act("parcel", parcel.number, what), at=timezone.now())


def _seals(batch: Batch, cards: int) -> Seals:
    done = batch.parcels.count()
    return Seals([f"F{batch.number.replace('-', '')}{place:03d}"
                  for place in range(done + 1, done + 1 + -(-cards // SIZE))], SIZE)
