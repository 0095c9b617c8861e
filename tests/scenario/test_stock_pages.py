"""Officers keep the ledger of blank cards by its pages; each no is said beside its field, with the serial it names."""

import pytest
from django.urls import reverse

from builders import make_area, make_officer
from visits import Visitor
from zhengka.stock.models import Count, Slip, Store
from zhengka.stock.workflow import BLANK, SLIPS
from zhengka.web.staff.words import ACCOUNT_WORDS, SLIP_WORDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper():
    return Visitor(make_officer("producer", area=make_area()))


def entered(keeper: Visitor, sort: str, name: str) -> Store:
    told = {"sort": sort, "name": name, "area": make_area().pk, "keeper": "周敏", "reorder_at": 10}
    assert keeper.act(reverse("staff:stock-new"), **told).status_code == 302
    return Store.objects.get(name=name)


def text(visitor: Visitor, url: str) -> str:
    return visitor.get(url).content.decode()


def does(visitor: Visitor, store: Store, name: str, **told: object):
    return visitor.act(reverse("staff:stock-act", args=[store.pk, name]), **told)


def test_words_of_accounts_and_slips_are_complete():
    assert set(ACCOUNT_WORDS) == BLANK.states - {"outside"} and set(SLIP_WORDS) == set(SLIPS)


def test_a_box_is_received_used_and_its_waste_destroyed_by_two_persons_all_on_pages(keeper):
    store, machine = entered(keeper, "store", "库房"), entered(keeper, "machine", "一号机")
    does(keeper, store, "receive", supplier="金卡", label="箱1", first=1001, last=1100, seal="F7")
    does(keeper, store, "load", target=machine.pk, serials="1001-1095")
    does(keeper, machine, "use", issued="1001-1089", spoiled="1090", why="偏色", batch="430104-1", operator="李")
    page = text(keeper, reverse("staff:stock"))
    assert "Runs low" in page and "1.1%" in page
    does(keeper, machine, "destroy", serials="1090", why="切碎")
    slip = Slip.objects.get(sort="destroy")
    assert keeper.act(reverse("staff:stock-confirm", args=[slip.pk])).status_code == 403
    second = Visitor(make_officer("approver", area=make_area()))
    assert second.act(reverse("staff:stock-confirm", args=[slip.pk])).status_code == 302
    piece = text(keeper, reverse("staff:stock-piece", args=[1090]))
    places = [piece.index(word) for word in ("Destroyed", "Spoiled", "In machines", "In stock")]
    assert places == sorted(places), "the newest first"
    assert keeper.get(reverse("staff:stock"), {"serial": "1090"})["Location"].endswith("/pieces/1090/")
    assert keeper.get(reverse("staff:stock-piece", args=[7])).status_code == 404


def test_a_no_stands_beside_its_field_and_keeps_what_was_typed(keeper):
    store = entered(keeper, "store", "库房")
    does(keeper, store, "receive", supplier="金卡", label="箱1", first=1001, last=1100)
    answer = does(keeper, store, "spoil", serials="1100-1101", why="裂")
    assert answer.status_code == 200 and "1101" in answer.content.decode() and "1100-1101" in answer.content.decode()
    answer = does(keeper, store, "receive", supplier="金卡", label="箱2", first=1100, last=1200)
    assert answer.status_code == 200 and "received before" in answer.content.decode()
    answer = does(keeper, store, "lose", serials="第一箱", why="找不到")
    assert answer.status_code == 200 and "第一箱" in answer.content.decode()
    assert Slip.objects.count() == 1


def test_a_count_that_differs_is_on_the_overview_until_it_is_settled(keeper):
    store = entered(keeper, "store", "库房")
    does(keeper, store, "receive", supplier="金卡", label="箱1", first=1001, last=1100)
    does(keeper, store, "count", serials="1001-1098")
    count = Count.objects.get()
    assert "Count differs" in text(keeper, reverse("staff:stock"))
    assert keeper.act(reverse("staff:stock-settle", args=[count.pk])).status_code == 409
    does(keeper, store, "lose", serials="1099-1100", why="盘亏")
    second = Visitor(make_officer("approver", area=make_area()))
    second.act(reverse("staff:stock-confirm", args=[Slip.objects.get(sort="lose").pk]))
    assert second.act(reverse("staff:stock-settle", args=[count.pk])).status_code == 302
    assert "Count differs" not in text(keeper, reverse("staff:stock"))


def test_a_shipment_goes_to_another_office_that_takes_it_in(keeper):
    store = entered(keeper, "store", "库房")
    other = Visitor(make_officer("clerk", area=make_area(430702)))
    there = Store.objects.create(id=1, province=43, area=make_area(430702), sort="store", name="武陵库", keeper="吴",
                                 state="open")
    does(keeper, store, "receive", supplier="金卡", label="箱1", first=1001, last=1100)
    assert "武陵库" in text(keeper, reverse("staff:stock-act", args=[store.pk, "ship"]))
    assert does(keeper, store, "ship", target=there.pk, serials="1001-1010").status_code == 302
    slip = Slip.objects.get(sort="ship")
    assert reverse("staff:stock-arrive", args=[slip.pk]) not in text(keeper,
        reverse("staff:stock-slip", args=[slip.pk]))
    assert reverse("staff:stock-arrive", args=[slip.pk]) in text(other, reverse("staff:stock-slip", args=[slip.pk]))
    other.act(reverse("staff:stock-arrive", args=[slip.pk]), serials="1001-1010")
    assert Slip.get(slip.pk).state == "arrived" and "10" in text(other, reverse("staff:stock-store", args=[there.pk]))
