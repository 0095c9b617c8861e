"""Blank cards come in, go from store to store, into machines, and are used up there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, lock, perform, replayed, sub
from zhengka.core.models import province_of
from zhengka.core.scope import seeing_all
from zhengka.devices.models import Device
from zhengka.formats import serials
from zhengka.formats.serials import Runs
from zhengka.stock.models import Box, Order, Slip, Span, Store
from zhengka.stock.queries import on_the_way, runs_in
from zhengka.stock.services import ledger
from zhengka.stock.services.ordering import deliver
from zhengka.stock.workflow import ARRIVALS, ON_ITS_WAY


class Delivered(NamedTuple):
    """A box as its label says."""

    supplier: str
    label: str
    first: int
    last: int
    seal: str = ""


class Use(NamedTuple):
    """What became of the pieces that a machine took: `issued` are cards now, `spoiled`, by reason, never will be."""

    issued: Runs
    spoiled: Mapping[str, Runs]
    batch: str = ""
    operator: str = ""


class About(NamedTuple):
    """What is told of a new store: a cupboard, or a machine with the device that it is."""

    sort: str
    name: str
    keeper: str
    reorder_at: int = 0
    device: Device | None = None


@transaction.atomic
def open_store(area: Area, about: About, *, by: Actor, request_id: UUID, at: datetime) -> Store:
    """Enter a store or a machine of an office (设库). `Refusal`: `not-permitted`, `not-found`, `store-name-taken`."""
    _permit(area.code, by)
    row = Store(province=province_of(area.code), area=area, **about._asdict())
    try:
        with transaction.atomic():
            return begin(row, "open", "stock.keep", by=by, request_id=request_id, at=at, sort=about.sort)
    except IntegrityError as fault:
        if "store_name_once" in str(fault):
            raise Refusal("store-name-taken") from None
        raise


@transaction.atomic
def close_store(store: Store, *, by: Actor, request_id: UUID, at: datetime) -> Store:
    """Close a store in which nothing lies any more (撤库), and into which nothing is on its way or on order.

    `Refusal("store-not-empty")`, and those of `perform`.
    """
    (store,) = lock(store)
    if (Span.objects.filter(store=store, during__upper_inf=True).exists()
            or Slip.objects.filter(target=store, state__in=ON_ITS_WAY).exists()
            or Order.objects.filter(store=store, state__in=("proposed", "open")).exists()):
        raise Refusal("store-not-empty")
    return perform(store, "close", by=by, request_id=request_id, at=at)


@transaction.atomic
def feed(machine: Store, maker: str, *, by: Actor, request_id: UUID, at: datetime) -> Store:
    """Say that a card maker takes its blank cards out of this machine (供卡). `Refusal`: `store-closed`, and those of
    `perform`.
    """
    (machine,) = ledger.stores(machine, by=by)
    return perform(machine, "feed", by=by, request_id=request_id, at=at, maker=maker)


def hold(*asked: Store, by: Actor) -> Runs:
    """Lock stores for the rest of the transaction: what lies ready in them, and stays there until then."""
    return serials.joined(run for store in ledger.stores(*asked, by=by, open_only=False) for run in runs_in(store))


@transaction.atomic
def receive(store: Store, boxes: Sequence[Delivered], *, order: Order | None = None, by: Actor, request_id: UUID,
            at: datetime) -> Slip:
    """Take in boxes of blank cards from a supplier (入库), for an `order` where there is one: each serial becomes known
    to the ledger, once for ever.

    `Refusal`: `serials-wrong` (an empty delivery, a box whose range runs backwards, two boxes with one serial),
    `box-known`, `blank-known`, `store-closed`, those of `ordering.deliver` and of `ledger.written`.
    """
    if event := replayed(request_id, Slip.kind()):
        raise Replayed(event)
    (store,) = ledger.stores(store, by=by)
    runs = ledger.runs_of(",".join(f"{box.first}-{box.last}" for box in boxes))
    slip = ledger.written(Slip(area=store.area, sort="receive", account="outside", serials=runs, target=store,
                               order=order), "stock.keep", by=by, request_id=request_id, at=at)
    try:
        with transaction.atomic():
            Box.objects.bulk_create([Box(area=store.area_id, slip=slip, **box._asdict()) for box in boxes])
    except IntegrityError as fault:
        if "box_label_once" in str(fault):
            raise Refusal("box-known", **_known(boxes)) from None
        raise
    if order:
        deliver(order, {box.supplier for box in boxes}, slip, by=by, request_id=sub(request_id, "order"), at=at)
    return slip


@transaction.atomic
def shift(source: Store, target: Store, runs: Runs, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    """Put blank cards of a store into a machine of the same office (上机), or back (退库).

    To another store, of this office or another, they are shipped. `Refusal`: `stores-unfit`, `store-closed`,
    `blanks-not-there`, and those of `ledger.written`.
    """
    if event := replayed(request_id, Slip.kind()):
        raise Replayed(event)
    source, target = ledger.stores(source, target, by=by)
    if {source.sort, target.sort} != {"store", "machine"} or source.area_id != target.area_id:
        raise Refusal("stores-unfit")
    slip = Slip(area=source.area, sort="load" if target.sort == "machine" else "unload", serials=runs,
                account=ledger.lying(source), source=source, target=target)
    return ledger.written(slip, "stock.keep", by=by, request_id=request_id, at=at)


@transaction.atomic
def ship(source: Store, target: Store, runs: Runs, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    """Send blank cards to another store (调出): they are on their way, and this office answers for them until they
    arrive. `Refusal`: `stores-unfit`, `store-closed`, `blanks-not-there`, `not-permitted`, `not-found` (the source is
    not of the actor's area; the target may be anybody's).
    """
    if event := replayed(request_id, Slip.kind()):
        raise Replayed(event)
    (source,) = ledger.stores(source, by=by)
    with seeing_all(connection):
        target = Store.objects.select_related("area").get(pk=target.pk)
        if source.sort != "store" or target.sort != "store" or source.pk == target.pk or target.state != "open":
            raise Refusal("stores-unfit")
        slip = Slip(area=source.area, sort="ship", account="stock", serials=runs, source=source, target=target,
                    shared_with=target.area_id)
        return ledger.written(slip, "stock.keep", by=by, request_id=request_id, at=at)


@transaction.atomic
def arrive(slip: Slip, found: Runs, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    """Take in a shipment (调入), as it was counted, or what came of it later: what is missing stays on its way, in the
    sender's account, and the shipment is short until it turns up or two persons declare it lost.

    `Refusal`: `not-found` (not of the office to which it goes), `blanks-not-there` for a piece that was not sent or is
    not on its way any more, `serials-wrong` for none. Raises `Replayed` for a repeat.
    """
    if event := replayed(request_id, Slip.kind(), slip.pk):
        raise Replayed(event)
    if slip.target is None or not by.sees(slip.target.area_id):
        raise Refusal("not-found")
    if not found:
        raise Refusal("serials-wrong", why="empty", part="")
    with seeing_all(connection):
        (slip,) = lock(slip)
        missing = on_the_way(slip)
        if (stranger := serials.outside(found, missing)) is not None:
            raise Refusal("blanks-not-there", serial=stranger, account="moving")
        ledger.move(slip, "moving", "arrive", runs=found, at=at)
        came = serials.amount(found)
        short = serials.amount(missing) - came
        return perform(slip, ARRIVALS[slip.state, short > 0], by=by, request_id=request_id, at=at, quantity=came,
                       short=short)


@transaction.atomic
def use(machine: Store, used: Use, *, by: Actor, request_id: UUID, at: datetime) -> list[Slip]:
    """Write down what became of blank cards in a machine (制成, 废卡): one slip for the cards, one for each reason of
    waste.

    `Refusal`: `stores-unfit`, `serials-wrong` (a serial that is both), `reason-missing`, `blanks-not-there`. Raises
    `Replayed` for a repeat.
    """
    wasted = [("spoil" if number == 0 else f"spoil {number}", "spoil", runs, why.strip())
              for number, (why, runs) in enumerate(used.spoiled.items()) if runs]
    parts = [*([("issue", "issue", used.issued, "")] if used.issued else []), *wasted]
    if parts and (event := replayed(sub(request_id, parts[0][0]), Slip.kind())):
        raise Replayed(event)
    (machine,) = ledger.stores(machine, by=by, open_only=False)
    if machine.sort != "machine":
        raise Refusal("stores-unfit")
    slips = []
    for part, sort, runs, why in parts:
        if sort == "spoil" and not why:
            raise Refusal("reason-missing")
        slip = Slip(area=machine.area, sort=sort, account="machine", serials=runs, source=machine, reason=why,
                    batch=used.batch, operator=used.operator)
        slips.append(ledger.written(slip, "stock.use", by=by, request_id=sub(request_id, part), at=at))
    return slips


@transaction.atomic
def spoil(store: Store, runs: Runs, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    """Set blank cards aside that are faulty as they lie in a store (废卡). `Refusal`: `reason-missing`,
    `blanks-not-there`, and those of `ledger.written`.
    """
    if event := replayed(request_id, Slip.kind()):
        raise Replayed(event)
    if not why.strip():
        raise Refusal("reason-missing")
    (store,) = ledger.stores(store, by=by)
    slip = Slip(area=store.area, sort="spoil", account=ledger.lying(store), serials=runs, source=store,
                reason=why.strip())
    return ledger.written(slip, "stock.use", by=by, request_id=request_id, at=at)


def _known(boxes: Sequence[Delivered]) -> dict[str, str]:
    """The first label that stands on two of these boxes, or on one that was received before, whoever has it."""
    with seeing_all(connection):
        there = set(Box.objects.filter(label__in=[box.label for box in boxes]).values_list("supplier", "label"))
    for box in boxes:
        if (box.supplier, box.label) in there:
            return {"part": box.label}
        there.add((box.supplier, box.label))
    return {}


def _permit(area: int, by: Actor) -> None:
    if not by.may("stock.keep"):
        raise Refusal("not-permitted", permission="stock.keep")
    if not by.sees(area):
        raise Refusal("not-found")
