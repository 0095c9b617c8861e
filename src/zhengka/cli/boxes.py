"""The blank cards of the demo: ordered by two persons, received in boxes, loaded into the maker's machine, used up."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from zhengka.accounts import demo
from zhengka.areas.models import Area
from zhengka.cli.line import Officers, act
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.formats import serials
from zhengka.formats.serials import Runs
from zhengka.production import queries as batches
from zhengka.production import services as production
from zhengka.production.models import Batch, Maker
from zhengka.stock import queries as stock
from zhengka.stock import services as blanks
from zhengka.stock.models import Order, Store
from zhengka.stock.services import About, Delivered, Wanted

FIRST: Final = 43_000_000_001
"""Serial of the demo's first blank card."""
BOX: Final = 500
PRICE_FEN: Final = 1300
SUPPLIER: Final = "示例卡基厂"
SPARE: Final = 20
"""A batch gets one blank in so many, and as many again, beside those of its cards."""
LEAD: Final = timedelta(days=12)


class Feeder:
    """Deals the blanks of a machine out to batches, in the order in which they lie in it."""

    def __init__(self, machine: Store) -> None:
        """Begin with all that lie there."""
        self._left = stock.runs_in(machine)[::-1]

    def take(self, batch: Batch) -> Runs:
        """The blanks for one batch."""
        found, need = [], share(batch)
        while need and self._left:
            first, last = self._left.pop()
            found.append((first, min(last, first + need - 1)))
            need -= found[-1][1] - first + 1
            if found[-1][1] < last:
                self._left.append((found[-1][1] + 1, last))
        return found


def share(batch: Batch) -> int:
    """How many blanks a batch gets."""
    return batch.prepared + batch.prepared // SPARE + SPARE


def machine_of(who: Officers, maker: Maker, at: datetime) -> Store:
    """The machine of the demo's card maker, of the province: entered once, and tied to the maker."""
    machine = _store("machine", "示例制卡商一号机", who, at)
    if maker.store_id != machine.pk:
        production.feed(maker, machine, by=who.producer, request_id=act("feed", maker.name), at=at)
        maker.refresh_from_db()
    return machine


def loaded(who: Officers, maker: Maker, waiting: Iterable[Batch]) -> Feeder:
    """As many blanks in the machine as batches will need, in boxes that were ordered and received for it; what lies in
    the cupboard is loaded.
    """
    at = timezone.now()
    machine, cupboard = machine_of(who, maker, at), _store("store", "省残联空白卡库", who, at)
    need = sum(map(share, waiting)) - serials.amount(stock.runs_in(machine))
    if need > serials.amount(stock.runs_in(cupboard)):
        _receive(who, cupboard, -(-need // BOX))
    if lying := stock.runs_in(cupboard):
        blanks.shift(cupboard, machine, lying, by=who.producer, request_id=act("load", lying[0][0]), at=timezone.now())
    return Feeder(machine)


def _receive(who: Officers, cupboard: Store, boxes: int) -> None:
    """Order so many boxes, approve them as another person, and receive them twelve days later."""
    received = stock.balance(who.producer.lo, who.producer.hi, timezone.now()).received
    number, last = received // BOX, FIRST + received + boxes * BOX - 1
    ordered = timezone.now() - LEAD
    wanted = Wanted(SUPPLIER, boxes * BOX, PRICE_FEN, timezone.localdate())
    order = _once(lambda key: blanks.order(cupboard, wanted, by=who.producer, request_id=key, at=ordered),
                  "order blanks", last)
    order = _once(lambda key: blanks.approve(order, by=who.second_producer, request_id=key, at=ordered),
                  "approve blanks", last)
    blanks.receive(cupboard, [Delivered(SUPPLIER, f"Z{number + n + 1:05d}", FIRST + received + n * BOX,
                                        FIRST + received + (n + 1) * BOX - 1, f"F{number + n + 1:05d}")
                              for n in range(boxes)], order=order, by=who.producer,
                   request_id=act("receive blanks", last), at=timezone.now())


def _once(do: Callable[[UUID], Order], *what: object) -> Order:
    """An order after an act that an earlier run may have done."""
    try:
        return do(act(*what))
    except Replayed as again:
        return Order.get(again.event.subject_id)


def leave_orders(who: Officers) -> None:
    """What officers find: an order that waits for a second person, and one that is overdue."""
    at, cupboard = timezone.now(), _store("store", "省残联空白卡库", who, timezone.now())
    for name, days, back in (("waits", 30, 0), ("overdue", -3, 33)):
        key = act("left order", name)
        if Event.objects.filter(request_id=key).exists():
            continue
        wanted = Wanted(SUPPLIER, 2 * BOX, PRICE_FEN, timezone.localdate(at) + timedelta(days=days))
        row = blanks.order(cupboard, wanted, by=who.producer, request_id=key, at=at - timedelta(days=back))
        if back:
            blanks.approve(row, by=who.second_producer, request_id=act("left order approved", name),
                           at=at - timedelta(days=back))


def used(who: Officers) -> tuple[int, int, int]:
    """Of the batches that came back: cards made of a blank of their own, blanks that were used, and those wasted beside
    the cards.
    """
    told = [found for batch in batches.batches(who.producer).filter(state__in=("received", "closed"))
            if (found := batches.blanks(batch, at=timezone.now()))]
    return (sum(one.good + one.bad for one in told), sum(one.issued + one.spoiled for one in told),
            sum(one.wasted for one in told))


def _store(sort: str, name: str, who: Officers, at: datetime) -> Store:
    """A store of the province, entered once."""
    area = Area.objects.get(code=demo.PROVINCE)
    found = Store.objects.filter(area=area, name=name).first()
    return found or blanks.open_store(area, About(sort, name, "陈刚", reorder_at=BOX if sort == "store" else 0),
                                      by=who.producer, request_id=act("open store", name), at=at)
