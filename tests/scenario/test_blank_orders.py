"""Blank cards are ordered by two persons, deliveries are held against the order, and the alarm comes in time."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

import batches
import stocking
from builders import NOON, make_actor, make_area, make_officer, request_id
from visits import Visitor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.production.queries import outlook
from zhengka.stock import queries, services
from zhengka.stock.models import Order, Store
from zhengka.stock.services import Delivered, Use, Wanted

pytestmark = pytest.mark.django_db
DUE = NOON.date() + dt.timedelta(days=20)


def refused(code: str):
    return pytest.raises(Refusal, match=rf"\[{code}\]")


class Buyer:
    """An office with a store and two persons."""

    def __init__(self) -> None:
        self.area = make_area()
        self.first, self.second = (make_actor("producer", area=self.area) for _ in range(2))
        self.store = stocking.open_store(self.area)

    def told(self, by=None, at: dt.datetime = NOON) -> dict:
        return {"by": by or self.first, "request_id": request_id(), "at": at}

    def ordered(self, quantity: int = 100, *, approved: bool = True) -> Order:
        row = services.order(self.store, Wanted("金卡", quantity, 1300, DUE), **self.told())
        return services.approve(row, **self.told(self.second)) if approved else row

    def receives(self, row: Order | None, first: int, last: int, at: dt.datetime = NOON, supplier: str = "金卡"):
        services.receive(self.store, [Delivered(supplier, f"箱{first}", first, last)], order=row,
                         **self.told(at=at))
        return Order.get(row.pk) if row else None


@pytest.fixture
def buyer(db) -> Buyer:
    return Buyer()


def test_who_writes_an_order_does_not_approve_it(buyer):
    row = buyer.ordered(approved=False)
    assert (row.state, row.fen) == ("proposed", 130_000)
    again = make_actor("producer", area=buyer.area, person=buyer.first.person)
    for by in (buyer.first, again):
        with refused("order-same-person"):
            services.approve(row, **buyer.told(by))
    with refused("not-permitted"):
        services.approve(row, **buyer.told(make_actor("clerk", area=buyer.area)))
    told = buyer.told(buyer.second)
    assert services.approve(row, **told).state == "open"
    with pytest.raises(Replayed):
        services.approve(row, **told)
    with pytest.raises(IntegrityError, match="order_two_persons"), transaction.atomic():
        Order.objects.filter(pk=row.pk).update(approved_by=row.person)


def test_an_order_that_is_declined_orders_nothing(buyer):
    row = buyer.ordered(approved=False)
    with refused("reason-missing"):
        services.decline_order(row, " ", **buyer.told(buyer.second))
    assert services.decline_order(row, "单价过高", **buyer.told(buyer.second)).state == "declined"
    assert queries.on_order(buyer.area.code, buyer.area.last) == 0
    with refused("step-not-open"):
        buyer.receives(row, 1001, 1010)


def test_deliveries_fill_an_order_and_the_last_one_closes_it(buyer):
    row = buyer.ordered(100)
    row = buyer.receives(row, 1001, 1060)
    assert (row.state, row.delivered, row.left, row.faults(DUE)) == ("open", 60, 40, [])
    assert queries.on_order(buyer.area.code, buyer.area.last) == 40
    row = buyer.receives(row, 1061, 1100)
    assert (row.state, row.left, row.faults(DUE)) == ("complete", 0, [])
    assert [slip.quantity for slip in row.slips.order_by("pk")] == [60, 40]
    with pytest.raises(IntegrityError, match="order_complete_truly"), transaction.atomic():
        Order.objects.filter(pk=row.pk).update(delivered=99)


def test_what_comes_late_short_or_over_is_named_and_what_is_overdue_too(buyer):
    late = dt.timedelta(days=25)
    row = buyer.ordered(100)
    assert row.faults(DUE) == [] and row.faults(DUE + dt.timedelta(days=1)) == ["overdue"]
    row = buyer.receives(row, 1001, 1110, at=NOON + late)
    assert row.faults(DUE) == ["late", "over"] and queries.in_stores([buyer.store.pk], NOON + late)
    other = buyer.receives(buyer.ordered(100), 2001, 2050)
    other = services.end_order(other, "供应商停产", **buyer.told(buyer.second))
    assert other.faults(DUE) == ["short"] and other.left == 0


def test_boxes_of_another_supplier_are_not_taken_for_the_order(buyer):
    row = buyer.ordered()
    with refused("order-of-another"):
        buyer.receives(row, 1001, 1010, supplier="银卡")
    assert not queries.in_stores([buyer.store.pk], NOON), "nothing was received"


def test_the_alarm_comes_before_the_suppliers_lead_time(buyer):
    machine = stocking.open_store(buyer.area, "machine")
    buyer.receives(None, 1001, 2000)
    assert outlook(buyer.first, at=NOON).alarm == "" and outlook(buyer.first, at=NOON).days is None
    services.shift(buyer.store, machine, [(1001, 1280)], **buyer.told())
    services.use(machine, Use([(1001, 1280)], {}), **buyer.told())
    found = outlook(buyer.first, at=NOON)
    assert (found.on_hand, found.a_day, found.days, found.lead, found.alarm) == (720, 10.0, 72, queries.LEAD, "")
    services.shift(buyer.store, machine, [(1281, 1840)], **buyer.told())
    services.use(machine, Use([(1281, 1840)], {}), **buyer.told())
    found = outlook(buyer.first, at=NOON)
    assert (found.on_hand, found.a_day, found.days, found.alarm) == (160, 30.0, 5, "order-now")
    buyer.ordered(2000)
    assert outlook(buyer.first, at=NOON).alarm == "", "what is on order lasts beyond another order's coming"


def test_the_alarm_counts_the_cards_that_wait_for_a_batch(buyer):
    buyer.receives(None, 1001, 1002)
    for _ in range(5):
        batches.make_ordered(area=buyer.area)
    found = outlook(buyer.first, at=NOON)
    assert (found.waiting, found.missing, found.alarm) == (5, 3, "short")
    buyer.ordered(3)
    assert outlook(buyer.first, at=NOON).missing == 0


def test_the_lead_time_is_that_of_the_newest_deliveries(buyer):
    for days, first in ((12, 1001), (45, 2001)):
        buyer.receives(buyer.ordered(10), first, first + 9, at=NOON + dt.timedelta(days=days))
    assert queries.lead_days(buyer.area.code, buyer.area.last) == 45


def test_an_order_is_written_approved_and_filled_on_pages():
    first, second = (Visitor(make_officer("producer", area=make_area())) for _ in range(2))
    store = stocking.open_store(make_area(), name="库房")
    due = timezone.localdate() + dt.timedelta(days=9)
    past = first.act(reverse("staff:blank-order-new"), supplier="金卡", quantity=200, price="13.00", store=store.pk,
                     due="2020-01-01")
    assert past.status_code == 200 and not Order.objects.exists()
    first.act(reverse("staff:blank-order-new"), supplier="金卡", quantity=200, price="13.00", store=store.pk,
              due=due.isoformat())
    row = Order.objects.get()
    assert (row.price_fen, row.quantity, row.due) == (1300, 200, due)
    page = first.get(reverse("staff:blank-order", args=[row.pk])).content.decode()
    assert "You wrote this order" in page and "¥2,600.00" in page
    assert first.act(reverse("staff:blank-order-approve", args=[row.pk])).status_code == 403
    assert second.act(reverse("staff:blank-order-approve", args=[row.pk])).status_code == 302
    first.act(reverse("staff:stock-act", args=[store.pk, "receive"]), supplier="金卡", boxes="箱1, 1, 150",
              order=row.pk)
    assert Order.get(row.pk).delivered == 150
    Order.objects.filter(pk=row.pk).update(due="2020-01-31")
    page = first.get(reverse("staff:blank-order", args=[row.pk])).content.decode()
    assert all(word in page for word in ("Order written", "Order approved", "Delivered")), "its history in words"
    overview = first.get(reverse("staff:stock")).content.decode()
    assert "Overdue" in overview and "How long the blank cards last" in overview
    assert second.act(reverse("staff:blank-order-end", args=[row.pk]), why="停产").status_code == 302
    assert "Came short" in first.get(reverse("staff:blank-orders")).content.decode()
    stranger = Visitor(make_officer("producer", area=make_area(430702)))
    assert stranger.get(reverse("staff:blank-order", args=[row.pk])).status_code == 404
    assert Store.objects.count() == 1
