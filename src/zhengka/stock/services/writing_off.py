"""Blank cards leave the world only by two persons: destroyed, or declared lost; and what turns up again comes back."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, lock, perform, replayed, sub
from zhengka.formats import serials
from zhengka.formats.serials import Runs
from zhengka.stock.models import Slip, Store
from zhengka.stock.queries import on_the_way
from zhengka.stock.services import ledger
from zhengka.stock.workflow import SPOILED

RIGHT = "stock.keep"


@transaction.atomic
def destroy(store: Store, runs: Runs, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    """Propose to destroy spoiled cards that lie in a store (销毁). Nothing moves until another person confirms.

    `Refusal`: `reason-missing`, `blanks-not-there` (only what is spoiled is destroyed), and those of `ledger.written`.
    """
    slip = Slip(sort="destroy", account="spoiled", serials=runs, reason=why)
    return _of_store(store, slip, by=by, request_id=request_id, at=at)


@transaction.atomic
def lose(store: Store, runs: Runs, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    """Propose to declare cards lost (报失) that lay ready in a store or machine, to be confirmed by another person; as
    `destroy`.
    """
    slip = Slip(sort="lose", account=ledger.lying(store), serials=runs, reason=why)
    return _of_store(store, slip, by=by, request_id=request_id, at=at)


@transaction.atomic
def lose_spoiled(store: Store, runs: Runs, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    """The same of cards that lay there spoiled (废卡报失)."""
    slip = Slip(sort="lose", account=SPOILED, serials=runs, reason=why)
    return _of_store(store, slip, by=by, request_id=request_id, at=at)


@transaction.atomic
def lose_on_the_way(shipment: Slip, runs: Runs, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    """Propose to declare lost what an office sent and nobody received; as `destroy`. Once that is confirmed and nothing
    of the shipment is on its way any more, it is ended.

    `Refusal`, too: `step-not-open` for a shipment of which nothing is on its way, or for what is none.
    """
    if event := replayed(request_id, Slip.kind()):
        raise Replayed(event)
    if not by.sees(shipment.area_id):
        raise Refusal("not-found")
    (shipment,) = lock(shipment)
    shipment.table.step(shipment.state, "write_off")
    if (stranger := serials.outside(runs, on_the_way(shipment))) is not None:
        raise Refusal("blanks-not-there", serial=stranger, account="moving")
    slip = Slip(area=shipment.area, sort="lose", account="moving", serials=runs, reason=why, shipment=shipment)
    return _written(slip, by=by, request_id=request_id, at=at)


@transaction.atomic
def confirm(slip: Slip, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    """The second person confirms a slip: now the cards move (确认).

    `Refusal`: `stock-same-person`, `step-not-open`, `blanks-not-there` (they moved meanwhile), `not-permitted`.
    Raises `Replayed` for a repeat.
    """
    if slip.source is not None:
        ledger.stores(slip.source, by=by, open_only=False)
    if slip.shipment is not None:  # before its pieces, as who takes it in does
        lock(slip.shipment, slip)
    slip = perform(slip, "confirm", {"confirmed_by": by.person}, by=by, request_id=request_id, at=at)
    ledger.move(slip, slip.account, slip.sort, runs=slip.serials, at=at)
    if slip.shipment is not None and not on_the_way(slip.shipment):
        perform(slip.shipment, "write_off", by=by, request_id=sub(request_id, "shipment"), at=at)
    return slip


@transaction.atomic
def decline(slip: Slip, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    """Do not confirm a slip: the cards stay where they are. `Refusal`: `reason-missing` and those of `perform`."""
    if not why.strip():
        raise Refusal("reason-missing")
    (slip,) = lock(slip)
    return perform(slip, "decline", by=by, request_id=request_id, at=at, reason=why.strip())


@transaction.atomic
def find(store: Store, runs: Runs, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    """Cards that had been declared lost lie in this store (找回). `Refusal`: as `destroy`."""
    if event := replayed(request_id, Slip.kind()):
        raise Replayed(event)
    (store,) = ledger.stores(store, by=by)
    if store.sort != "store":
        raise Refusal("stores-unfit")
    slip = Slip(area=store.area, sort="find", account="lost", serials=runs, target=store, reason=why)
    return _written(slip, by=by, request_id=request_id, at=at)


def _of_store(store: Store, slip: Slip, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    if event := replayed(request_id, Slip.kind()):
        raise Replayed(event)
    (store,) = ledger.stores(store, by=by, open_only=False)
    slip.area, slip.source = store.area, store
    return _written(slip, by=by, request_id=request_id, at=at)


def _written(slip: Slip, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    slip.reason = slip.reason.strip()
    if not slip.reason:
        raise Refusal("reason-missing")
    slip = ledger.written(slip, RIGHT, by=by, request_id=request_id, at=at)
    if slip.state == "proposed":
        ledger.refuse_absent(slip, at)
    return slip
