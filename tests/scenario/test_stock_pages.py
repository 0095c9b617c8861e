"""Officers keep the ledger of blank cards by its pages; each no is said beside its field, with the serial it names."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

import stocking
from builders import make_area, make_officer
from visits import Visitor
from zhengka.stock import services as stock
from zhengka.stock.models import Box, Count, Slip, Store
from zhengka.stock.services import Delivered, Use
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


def receives(visitor: Visitor, store: Store, lines: str):
    return does(visitor, store, "receive", supplier="金卡", boxes=lines)


def test_words_of_accounts_and_slips_are_complete():
    assert set(ACCOUNT_WORDS) == BLANK.states - {"outside"} and set(SLIP_WORDS) == set(SLIPS)


def test_a_box_is_received_used_and_its_waste_destroyed_by_two_persons_all_on_pages(keeper):
    store, machine = entered(keeper, "store", "库房"), entered(keeper, "machine", "一号机")
    receives(keeper, store, "箱1, 1001, 1100, F7")
    does(keeper, store, "load", target=machine.pk, serials="1001-1095")
    stock.use(machine, Use([(1001, 1089)], {}, "430104-1", "李"), **stocking.told(machine.area, timezone.now()))
    does(keeper, machine, "use", spoiled="1090", why="偏色", operator="李")
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
    receives(keeper, store, "箱1, 1001, 1100")
    answer = does(keeper, store, "spoil", serials="1100-1101", why="裂")
    assert answer.status_code == 200 and "1101" in answer.content.decode() and "1100-1101" in answer.content.decode()
    for lines, no in (("箱3，1201，1300\n箱2\t1100\t1200", "Line 2: A blank card of this delivery"),
                      ("箱3,1201,1300\n箱1,2001,2002", "Line 2: A box with this label was received before"),
                      ("箱3,1201,1300\n箱3,1300,1400", "Line 2: Line 1 has this label, too."),
                      ("箱3,1201,1300\n\n箱4,1300", "Line 3: Write label"),
                      ("箱3,12,1x", "Line 1: A serial is a whole"), ("箱3,12,1", "Line 1: The last serial"),
                      ("箱3,1,9\n箱4,9,12", "Line 2: Line 1 has serials")):
        answer = receives(keeper, store, lines)
        assert answer.status_code == 200 and no in answer.content.decode() and lines in answer.content.decode(), no
    assert receives(keeper, store, "箱7,7001,7010,F7\n箱8,7011,7020\n").status_code == 302
    assert Slip.objects.count() == 2 and Box.objects.count() == 3
    answer = does(keeper, store, "lose", serials="第一箱", why="找不到")
    assert answer.status_code == 200 and "第一箱" in answer.content.decode()
    assert Slip.objects.count() == 2


def test_a_count_that_differs_is_on_the_overview_until_it_is_settled(keeper):
    store = entered(keeper, "store", "库房")
    receives(keeper, store, "箱1, 1001, 1100")
    does(keeper, store, "count", serials="1001-1098")
    count = Count.objects.get()
    assert "Count differs" in text(keeper, reverse("staff:stock"))
    assert keeper.act(reverse("staff:stock-settle", args=[count.pk])).status_code == 409
    does(keeper, store, "lose", serials="1099-1100", why="盘亏")
    second = Visitor(make_officer("approver", area=make_area()))
    second.act(reverse("staff:stock-confirm", args=[Slip.objects.get(sort="lose").pk]))
    assert second.act(reverse("staff:stock-settle", args=[count.pk])).status_code == 302
    assert "Count differs" not in text(keeper, reverse("staff:stock"))


def confirmed(visitor: Visitor, slip: Slip) -> None:
    assert visitor.act(reverse("staff:stock-confirm", args=[slip.pk])).status_code == 302


def test_a_shipment_that_came_short_waits_until_the_rest_came_or_two_persons_declared_it_lost(keeper):
    store, second = entered(keeper, "store", "库房"), Visitor(make_officer("approver", area=make_area()))
    other = Visitor(make_officer("clerk", area=make_area(430702)))
    there = Store.objects.create(id=1, province=43, area=make_area(430702), sort="store", name="武陵库", keeper="吴",
                                 state="open")
    receives(keeper, store, "箱1, 1001, 1100")
    assert "武陵库" in text(keeper, reverse("staff:stock-act", args=[store.pk, "ship"]))
    assert does(keeper, store, "ship", target=there.pk, serials="1001-1010").status_code == 302
    slip, overview = Slip.objects.get(sort="ship"), reverse("staff:stock")
    page, arrive, lose = (reverse(f"staff:{name}", args=[slip.pk]) for name in ("stock-slip", "stock-arrive",
                                                                                "stock-lose"))
    assert arrive not in text(keeper, page) and lose in text(keeper, page)
    assert arrive in text(other, page) and lose not in text(other, page)
    other.act(arrive, serials="1001-1007")
    assert Slip.get(slip.pk).state == "short" and "Missing" in text(other, page) and "1008-1010" in text(other, arrive)
    assert all("Arrived short" in text(visitor, overview) for visitor in (keeper, other))
    other.act(arrive, serials="1009")
    assert Slip.get(slip.pk).state == "short" and "1008, 1010" in text(keeper, lose)
    assert "1009" in other.act(arrive, serials="1009").content.decode(), "it came already"
    keeper.act(lose, serials="1008", why="途中丢失")
    confirmed(second, Slip.objects.get(sort="lose"))
    assert Slip.get(slip.pk).state == "short", "1010 may come still"
    keeper.act(lose, serials="1010", why="途中丢失")
    last = Slip.objects.filter(sort="lose").latest("pk")
    assert keeper.act(reverse("staff:stock-confirm", args=[last.pk])).status_code == 403
    confirmed(second, last)
    assert Slip.get(slip.pk).state == "ended" and "Arrived short" not in text(keeper, overview)
    for visitor, told in ((keeper, (100, 0, 8, 92)), (other, (0, 8, 0, 8))):
        shown = text(visitor, overview).split("Received from suppliers")[1]
        facts = re.findall(r'summary-list__value"><span>([\d,]+)', shown)
        assert tuple(map(int, facts[:4])) == told and "Both sides are equal" in text(visitor, overview)


def test_the_ledger_a_store_and_a_box_are_shown_as_they_were_at_a_past_moment(keeper):
    area, store = make_area(), entered(keeper, "store", "库房")
    machine, days = entered(keeper, "machine", "一号机"), [timezone.now() - dt.timedelta(days=n) for n in (9, 6, 3)]
    stock.receive(store, [Delivered("金卡", "箱1", 1001, 1100)], **stocking.told(area, days[0]))
    stock.shift(store, machine, [(1001, 1040)], **stocking.told(area, days[1]))
    stock.use(machine, Use([(1001, 1039)], {"偏色": [(1040, 1040)]}), **stocking.told(area, days[2]))
    box = Box.objects.get()
    slip = reverse("staff:stock-slip", args=[box.slip_id])
    page = reverse("staff:stock-box", args=[box.pk])
    assert page in text(keeper, slip) and page in text(keeper, reverse("staff:stock"))
    assert "2.5%" in text(keeper, page)
    asked = [f"{timezone.localtime(day + dt.timedelta(hours=1)):%Y年%m月%d日 %H:%M}" for day in days]
    for n, there in ((0, {"In stock": 100}), (1, {"In stock": 60, "In machines": 40}),
                     (2, {"In stock": 60, "Became cards": 39, "Spoiled": 1})):
        for url in (page, reverse("staff:stock")):
            shown = keeper.get(url, {"at": asked[n]}).content.decode()
            rows = dict(re.findall(r'<th scope="row">([^<]+)</th><td class="zk-numeric">([\d,]+)</td>', shown))
            assert {word: int(many) for word, many in rows.items() if many != "0"} == there and "As it was at" in shown
    before = keeper.get(reverse("staff:stock-store", args=[store.pk]), {"at": asked[0]}).content.decode()
    assert "1001-1100" in before and "Ship" not in before and "Loaded into a machine" not in before
    early = keeper.get(page, {"at": "2020-01-01"}).content.decode()
    assert "Nothing was written down by then" in early
    for wrong in ("2999-01-01", "2020-13-01 00:00", "2020-01-01 25:00", "x"):
        assert "govuk-error-message" in keeper.get(page, {"at": wrong}).content.decode(), wrong


def test_an_empty_store_is_closed_on_its_page_and_one_in_which_blanks_lie_is_not(keeper):
    store = entered(keeper, "store", "库房")
    receives(keeper, store, "箱1, 1001, 1100")
    assert "still lie in this store" in does(keeper, store, "close").content.decode()
    does(keeper, store, "lose", serials="1001-1099", why="水淹")
    does(keeper, store, "spoil", serials="1100", why="裂")
    does(keeper, store, "lose", serials="1100", why="水淹", account="spoiled")
    second = Visitor(make_officer("approver", area=make_area()))
    for slip in Slip.objects.filter(sort="lose"):
        confirmed(second, slip)
    assert does(keeper, store, "close").status_code == 302 and Store.get(store.pk).state == "closed"
