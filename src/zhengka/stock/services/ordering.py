"""Blank cards are ordered from suppliers (采购) by two persons, and deliveries are held against the order."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, lock, perform, replayed
from zhengka.core.models import province_of
from zhengka.stock.models import Order, Slip, Store
from zhengka.stock.services import ledger


class Wanted(NamedTuple):
    """What is ordered: `price_fen` of one card, `due` the last day on which it is to come."""

    supplier: str
    quantity: int
    price_fen: int
    due: date


@transaction.atomic
def order(store: Store, wanted: Wanted, *, by: Actor, request_id: UUID, at: datetime) -> Order:
    """Write an order for a store (采购); nothing is ordered until another person approves it.

    `Refusal`: `not-permitted`, `not-found`, `store-closed`, `stores-unfit` for a machine. Raises `Replayed`.
    """
    if event := replayed(request_id, Order.kind()):
        raise Replayed(event)
    if not by.may("stock.keep"):
        raise Refusal("not-permitted", permission="stock.keep")
    (store,) = ledger.stores(store, by=by)
    if store.sort != "store":
        raise Refusal("stores-unfit")
    row = Order(province=province_of(store.area_id), area=store.area, store=store, person=by.person, at=at,
                **wanted._asdict())
    return begin(row, "order_blanks", "stock.keep", by=by, request_id=request_id, at=at, quantity=wanted.quantity)


@transaction.atomic
def approve(row: Order, *, by: Actor, request_id: UUID, at: datetime) -> Order:
    """The second person approves, and the order goes out (批准采购). `Refusal("order-same-person")`."""
    return perform(row, "approve_order", {"approved_by": by.person, "approved_at": at}, by=by, request_id=request_id,
                   at=at)


@transaction.atomic
def decline_order(row: Order, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Order:
    """Do not approve: nothing is ordered (不同意). `Refusal`: `reason-missing` and those of `perform`."""
    return perform(row, "decline", by=by, request_id=request_id, at=at, reason=_said(why))


@transaction.atomic
def end_order(row: Order, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Order:
    """No more comes for an order (终止采购): what is missing is named short. `Refusal`: `reason-missing` and those of
    `perform`.
    """
    why = _said(why)
    return perform(row, "end_order", {"reason": why}, by=by, request_id=request_id, at=at, reason=why)


def deliver(row: Order, suppliers: set[str], slip: Slip, *, by: Actor, request_id: UUID, at: datetime) -> Order:
    """Hold a delivery against its order, in the transaction in which it is received; the one that fills it closes it.
    What comes too much is taken in, too, and named.

    `Refusal`: `order-of-another` where store or supplier differ, `step-not-open` for one that is not open.
    """
    (row,) = lock(row)
    if row.area_id != slip.area_id or suppliers != {row.supplier}:
        raise Refusal("order-of-another", supplier=row.supplier)
    now = row.delivered + slip.quantity
    return perform(row, "complete" if now >= row.quantity else "deliver", {"delivered": now, "delivered_at": at}, by=by,
                   request_id=request_id, at=at, quantity=slip.quantity)


def _said(why: str) -> str:
    if not why.strip():
        raise Refusal("reason-missing")
    return why.strip()
