"""Blank cards: each serial in one place at every moment, and received = everything that they became (I3)."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from builders import NOON, make_actor, make_area, request_id
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.core.scope import enter
from zhengka.formats.serials import Runs
from zhengka.stock import queries, services
from zhengka.stock.models import Box, Count, Slip, Span, Store
from zhengka.stock.services import Delivered, Use, Wanted

pytestmark = pytest.mark.django_db
NATION = (0, 10**12 - 1)
HOUR = dt.timedelta(hours=1)


def refused(code: str):
    return pytest.raises(Refusal, match=rf"\[{code}\]")


class Office:
    """An office with a store, a machine, and three persons; each act is an hour after the one before."""

    def __init__(self, code: int = 430104) -> None:
        self.area, self.hours = make_area(code), 0
        self.keeper, self.second = make_actor("producer", area=self.area), make_actor("producer", area=self.area)
        self.store, self.machine = self.opened("store", "库房"), self.opened("machine", "一号机")

    def now(self) -> dt.datetime:
        self.hours += 1
        return NOON + self.hours * HOUR

    def told(self, by=None) -> dict:
        return {"by": by or self.keeper, "request_id": request_id(), "at": self.now()}

    def opened(self, sort: str, name: str, **more) -> Store:
        return services.open_store(self.area, services.About(sort, name, "王保管", **more), **self.told())

    def receives(self, first: int, last: int, label: str = "") -> Slip:
        return services.receive(self.store, [Delivered("金卡", label or f"箱{first}", first, last)], **self.told())

    def loads(self, *runs: tuple[int, int]) -> Slip:
        return services.shift(self.store, self.machine, list(runs), **self.told())

    def uses(self, issued: Runs, spoiled: Runs = (), batch: str = "", operator: str = "李操作") -> list[Slip]:
        return services.use(self.machine, Use(issued, {"打印偏色": list(spoiled)}, batch, operator),
                            **self.told())

    def balance(self, at: dt.datetime | None = None) -> dict[str, int]:
        balance = queries.balance(*NATION, at or self.now())
        assert balance.closes and not queries.unbalanced()
        return {account: many for account, many in balance.accounts.items() if many}


@pytest.fixture
def office(db) -> Office:
    return Office()


def test_what_was_received_is_at_every_moment_all_that_it_became(office):
    office.receives(1001, 1500)
    before = office.now()
    office.loads((1001, 1100))
    office.uses([(1001, 1060), (1062, 1090)], [(1061, 1061)], "430104-1")
    slip = services.destroy(office.machine, [(1061, 1061)], "切碎", **office.told())
    services.confirm(slip, **office.told(office.second))
    assert office.balance() == {"stock": 400, "machine": 10, "issued": 89, "destroyed": 1}
    assert office.balance(before) == {"stock": 500}
    assert queries.of_batch("430104-1", office.now()) == {"issue": 89, "spoil": 1}


def test_a_piece_tells_where_it_is_and_where_it_was_at_any_moment(office):
    office.receives(1001, 1500)
    in_store = office.now()
    office.loads((1001, 1100))
    office.loads((1200, 1210))  # its neighbours go: 1150 stays where it is
    in_machine = office.now()
    office.uses([(1005, 1005)])
    assert queries.where(1005, in_store, actor=office.keeper)[:2] == ("stock", "库房")
    assert queries.where(1005, in_machine, actor=office.keeper)[:2] == ("machine", "一号机")
    assert [stay.account for stay in queries.history(1005, actor=office.keeper)] == ["stock", "machine", "issued"]
    [stay] = queries.history(1150, actor=office.keeper)
    assert (stay.account, stay.until) == ("stock", None)
    with refused("blank-unknown"):
        queries.where(1005, NOON, actor=office.keeper)
    with refused("blank-unknown"):
        queries.history(99, actor=office.keeper)


def test_a_serial_is_received_once_for_ever(office):
    office.receives(1001, 1500)
    with refused("blank-known"):
        office.receives(1500, 1600)
    with refused("box-known"):
        office.receives(2001, 2100, label="箱1001")
    office.loads((1001, 1001))
    office.uses([(1001, 1001)])
    with refused("blank-known"):
        office.receives(1001, 1001, label="又一箱")
    assert office.balance() == {"stock": 499, "issued": 1}


def test_the_database_keeps_a_serial_in_one_place_whatever_is_written_to_it(office):
    slip = office.receives(1001, 1500)
    place = {"area": office.area.code, "account": "stock", "store": office.store, "slip": slip}
    with pytest.raises(IntegrityError, match="span_one_place"), transaction.atomic():
        Span.objects.create(**place, serials=(1500, 1501), during=(NOON + 9 * HOUR, None))
    for change in ("UPDATE stock_span SET account = 'lost'", "DELETE FROM stock_span",
                   "UPDATE stock_span SET during = tstzrange(lower(during) - interval '1 day', NULL)",
                   "UPDATE stock_entry SET quantity = 0", "DELETE FROM stock_entry",
                   "UPDATE stock_slip SET quantity = 1", "DELETE FROM stock_slip"):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    with pytest.raises(IntegrityError, match="both sides"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO stock_entry (area, account, slip_id, quantity, at) VALUES (%s, 'lost', %s, 1, %s)",
                       [office.area.code, slip.pk, NOON])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_what_is_not_there_is_not_taken_and_nothing_moves(office):
    office.receives(1001, 1500)
    with pytest.raises(Refusal) as no:
        office.loads((1490, 1510))
    assert (no.value.code, no.value.facts["serial"]) == ("blanks-not-there", 1501)
    office.loads((1001, 1100))
    with refused("blanks-not-there"):
        office.loads((1100, 1101))
    with refused("blanks-not-there"):
        office.uses([(1101, 1101)])
    assert office.balance() == {"stock": 400, "machine": 100}


def test_a_slip_dated_before_the_cards_came_there_is_refused(office):
    office.receives(1001, 1500)
    with refused("stock-time-back"):
        services.shift(office.store, office.machine, [(1001, 1001)], by=office.keeper, request_id=request_id(), at=NOON)


def test_the_same_request_twice_moves_nothing_twice(office):
    office.receives(1001, 1500)
    told = office.told()
    services.shift(office.store, office.machine, [(1001, 1010)], **told)
    with pytest.raises(Replayed):
        services.shift(office.store, office.machine, [(1001, 1010)], **told)
    told = office.told()
    services.use(office.machine, Use([(1001, 1002)], {}, "b"), **told)
    with pytest.raises(Replayed):
        services.use(office.machine, Use([(1001, 1002)], {}, "b"), **told)
    assert Event.objects.filter(subject="slip").count() == 3


def test_blank_cards_are_destroyed_by_two_persons_and_only_once_they_are_spoiled(office):
    office.receives(1001, 1010)
    with refused("blanks-not-there"):
        services.destroy(office.store, [(1001, 1001)], "多余", **office.told())
    services.spoil(office.store, [(1001, 1002)], "芯片脱落", **office.told())
    with refused("reason-missing"):
        services.destroy(office.store, [(1001, 1002)], " ", **office.told())
    slip = services.destroy(office.store, [(1001, 1002)], "切碎", **office.told())
    assert office.balance() == {"stock": 8, "spoiled": 2}
    again = make_actor("producer", area=office.area, person=office.keeper.person)
    for by in (office.keeper, again):
        with refused("stock-same-person"):
            services.confirm(slip, **office.told(by))
    with refused("not-permitted"):
        services.confirm(slip, **office.told(make_actor("clerk", area=office.area)))
    services.confirm(slip, **office.told(office.second))
    assert office.balance() == {"stock": 8, "destroyed": 2}
    with refused("step-not-open"):
        services.confirm(slip, **office.told(office.second))
    with pytest.raises(IntegrityError, match="slip_two_persons"), transaction.atomic():
        Slip.objects.filter(pk=slip.pk).update(confirmed_by=slip.person)


def test_what_moved_before_the_second_person_came_is_not_confirmed(office):
    office.receives(1001, 1010)
    slip = services.lose(office.store, [(1001, 1003)], "盘亏", **office.told())
    office.loads((1003, 1003))
    with refused("blanks-not-there"):
        services.confirm(slip, **office.told(office.second))
    assert Slip.get(slip.pk).state == "proposed" and office.balance() == {"stock": 9, "machine": 1}
    with refused("reason-missing"):
        services.decline(slip, "", **office.told(office.second))
    assert services.decline(slip, "又出现了", **office.told(office.second)).state == "declined"


def test_lost_cards_that_turn_up_come_back(office):
    office.receives(1001, 1010)
    services.confirm(services.lose(office.store, [(1005, 1006)], "盘亏", **office.told()), **office.told(office.second))
    assert office.balance() == {"stock": 8, "lost": 2}
    services.find(office.store, [(1006, 1006)], "柜后找到", **office.told())
    assert office.balance() == {"stock": 9, "lost": 1}


def test_a_shipment_is_the_senders_until_the_other_office_took_it_in(office):
    other = Office(430102)
    other.hours = 50
    office.receives(1001, 1100)
    slip = services.ship(office.store, other.store, [(1001, 1050)], **office.told())
    assert office.balance() == {"stock": 50, "moving": 50}
    with refused("not-found"):
        services.arrive(slip, [(1001, 1050)], **office.told())
    with refused("blanks-not-there"):
        services.arrive(slip, [(1001, 1051)], **other.told())
    told = other.told()
    assert services.arrive(slip, [(1001, 1048)], **told).state == "short"
    with pytest.raises(Replayed):
        services.arrive(slip, [(1001, 1048)], **told)
    assert queries.in_stores([other.store.pk], other.now()) == {(other.store.pk, "stock"): 48}
    later = dt.timedelta(days=9)
    assert queries.balance(office.area.code, office.area.last, NOON + later).accounts["moving"] == 2, "two are missing"
    with refused("not-found"):
        services.lose_on_the_way(slip, [(1049, 1050)], "途中丢失", **other.told())
    with pytest.raises(IntegrityError, match="slip_of_shipment_loses"), transaction.atomic():
        Slip.objects.create(id=1, province=43, area=office.area, sort="spoil", account="stock", serials=[[1, 1]],
                            quantity=1, reason="裂", person="x", at=NOON, state="posted", version=1, shipment=slip)
    with refused("blanks-not-there"):
        services.lose_on_the_way(slip, [(1048, 1050)], "途中丢失", **office.told())
    lost = services.lose_on_the_way(slip, [(1049, 1050)], "途中丢失", by=office.keeper, request_id=request_id(),
                                    at=NOON + later)
    told = {"by": office.second, "request_id": request_id(), "at": NOON + later}
    services.confirm(lost, **told)
    with pytest.raises(Replayed):
        services.confirm(lost, **told)
    assert office.balance(NOON + later) == {"stock": 98, "lost": 2} and Slip.get(slip.pk).state == "ended"
    with refused("step-not-open"):
        services.lose_on_the_way(slip, [(1049, 1050)], "途中丢失", **office.told())


def test_each_office_closes_with_what_came_from_others_and_what_went_to_them(office):
    other = Office(430102)
    other.hours = 50
    office.receives(1001, 1100)
    slip = services.ship(office.store, other.store, [(1001, 1050)], **office.told())
    on_its_way = office.now()
    services.arrive(slip, [(1001, 1048)], **other.told())
    services.arrive(slip, [(1049, 1049)], **other.told())
    after = other.now()

    def told(one: Office, at: dt.datetime) -> tuple[int, int, int, int]:
        found = queries.balance(one.area.code, one.area.last, at)
        assert found.closes
        return found.received, found.came, found.went, found.there
    assert (told(office, on_its_way), told(other, on_its_way)) == ((100, 0, 0, 100), (0, 0, 0, 0))
    assert (told(office, after), told(other, after)) == ((100, 0, 49, 51), (0, 49, 0, 49))
    with transaction.atomic():
        enter(connection, other.area.code, other.area.last)
        assert told(other, after) == (0, 49, 0, 49), "and by what this office may see"
        transaction.set_rollback(True)
    assert queries.balance(*NATION, after)[2:] == (0, 0)


def test_a_box_tells_where_its_blanks_were_before_and_after_a_move(office):
    office.receives(1001, 1100)
    office.receives(1101, 1200)
    before = office.now()
    office.loads((1090, 1110))
    after = office.now()
    office.uses([(1100, 1101)], [(1099, 1099)])
    [one, other] = Box.objects.order_by("pk")
    assert (queries.in_box(one, before), queries.in_box(other, before)) == ({"stock": 100}, {"stock": 100})
    assert queries.in_box(one, after) == {"stock": 89, "machine": 11}
    assert queries.in_box(one, office.now()) == {"stock": 89, "machine": 9, "issued": 1, "spoiled": 1}
    assert queries.in_box(other, office.now()) == {"stock": 90, "machine": 9, "issued": 1}
    assert queries.in_box(one, NOON) == {}


def test_spoiled_blanks_are_counted_and_declared_lost_as_the_ready_ones_are(office):
    office.receives(1001, 1010)
    services.spoil(office.store, [(1001, 1003)], "裂", **office.told())
    assert services.count(office.store, [(1001, 1003)], "spoiled", **office.told()).state == "agrees"
    row = services.count(office.store, [(1002, 1004)], "spoiled", **office.told())
    assert (row.expected, row.missing, row.surplus) == (3, [[1001, 1001]], [[1004, 1004]])
    with refused("blanks-not-there"):
        services.lose(office.store, [(1001, 1001)], "盘亏", **office.told())
    lost = services.lose_spoiled(office.store, [(1001, 1001)], "盘亏", **office.told())
    services.confirm(lost, **office.told(office.second))
    with refused("count-still-differs"):
        services.settle(row, **office.told(office.second))
    services.spoil(office.store, [(1004, 1004)], "裂", **office.told())
    assert services.settle(row, **office.told(office.second)).state == "settled"
    with pytest.raises(IntegrityError, match="count_account_known"), transaction.atomic():
        Count.objects.filter(pk=row.pk).update(account="stock")


def test_a_piece_of_another_shipment_does_not_arrive_with_this_one(office):
    other = Office(430102)
    other.hours = 50
    office.receives(1001, 1100)
    first, second = (services.ship(office.store, other.store, [run], **office.told())
                     for run in ((1001, 1010), (1011, 1020)))
    with refused("blanks-not-there"):
        services.arrive(first, [(1001, 1011)], **other.told())
    assert services.arrive(second, [(1011, 1020)], **other.told()).state == "arrived"
    assert office.balance(NOON + 99 * HOUR) == {"stock": 90, "moving": 10}


def test_another_office_neither_sees_nor_moves_what_is_not_its_own(office):
    office.receives(1001, 1100)
    stranger = make_actor("producer", area=make_area(430702))
    for act in (lambda: services.shift(office.store, office.machine, [(1001, 1001)], **office.told(stranger)),
                lambda: services.receive(office.store, [Delivered("金卡", "x", 1, 2)], **office.told(stranger)),
                lambda: services.count(office.store, [], **office.told(stranger))):
        with refused("not-found"):
            act()
    with refused("blank-unknown"):
        queries.history(1001, actor=stranger)
    with transaction.atomic():
        enter(connection, stranger.lo, stranger.hi)
        assert not Span.objects.exists() and not Slip.objects.exists() and not Store.objects.exists()
        transaction.set_rollback(True)


def test_a_count_that_differs_stays_open_until_slips_explain_it_and_never_overwrites(office):
    office.receives(1001, 1100)
    assert services.count(office.store, [(1001, 1100)], **office.told()).state == "agrees"
    office.loads((1001, 1001))
    row = services.count(office.store, [(1001, 1001), (1002, 1097), (1100, 1100)], **office.told())
    assert (row.state, row.expected, row.found) == ("differs", 99, 98)
    assert (row.missing, row.surplus) == ([[1098, 1099]], [[1001, 1001]])
    assert office.balance() == {"stock": 99, "machine": 1}
    assert list(queries.differences(actor=office.keeper)) == [row]
    with pytest.raises(Refusal) as no:
        services.settle(row, **office.told(office.second))
    assert (no.value.code, no.value.facts["missing"], no.value.facts["surplus"]) == ("count-still-differs", 2, 1)
    services.shift(office.machine, office.store, [(1001, 1001)], **office.told())
    lost = services.lose(office.store, [(1098, 1099)], "盘亏", **office.told())
    services.confirm(lost, **office.told(office.second))
    assert services.settle(row, **office.told(office.second)).state == "settled"
    assert not queries.differences(actor=office.keeper)
    with pytest.raises(IntegrityError, match="count_agrees_truly"), transaction.atomic():
        Count.objects.filter(pk=row.pk).update(state="agrees")


def test_a_box_a_machine_and_an_operator_show_their_waste(office):
    office.receives(1001, 1100)
    office.receives(2001, 2100)
    office.loads((1001, 1100), (2001, 2100))
    office.uses([(1001, 1095)], [(1096, 1100)], operator="甲")
    office.uses([(2001, 2100)], operator="乙")
    told = (office.area.code, office.area.last, NOON)
    assert [(used.of, used.spoiled, round(used.share, 3)) for used in queries.waste("box", *told)] == [
        ("金卡 箱1001", 5, 0.05), ("金卡 箱2001", 0, 0.0)], "the worst first"
    assert [(used.of, used.spoiled) for used in queries.waste("operator", *told)] == [("甲", 5), ("乙", 0)]
    assert [used.of for used in queries.waste("operator", *told, most=1)] == ["甲"]
    [machine] = queries.waste("machine", *told)
    assert (machine.of, machine.issued, machine.spoiled) == ("一号机", 195, 5)


def test_machines_of_one_name_in_two_counties_are_two_and_a_cupboard_is_none(office):
    other = Office(430102)
    for one, first, waste in ((office, 1001, 1), (other, 2001, 4)):
        one.receives(first, first + 99)
        one.loads((first, first + 9))
        one.uses([(first, first + 9 - waste)], [(first + 10 - waste, first + 9)], operator="同名")
        services.spoil(one.store, [(first + 50, first + 59)], "裂", **one.told())
    told = (other.machine, 4), (office.machine, 1)
    assert [(used.key, used.area, used.spoiled) for used in queries.waste("machine", *NATION, NOON)] == [
        (machine.pk, machine.area_id, spoiled) for machine, spoiled in told]
    assert [used.area for used in queries.waste("operator", *NATION, NOON)] == [row.area_id for row, _ in told]


def test_a_store_that_runs_low_says_so(office):
    watched = office.opened("store", "窗口柜", reorder_at=50)
    services.receive(watched, [Delivered("金卡", "小箱", 5001, 5060)], **office.told())
    assert not queries.low(actor=office.keeper, at=office.now())
    services.shift(watched, office.machine, [(5001, 5011)], **office.told())
    assert queries.low(actor=office.keeper, at=office.now()) == [(watched, 49)]


def test_a_store_closes_once_it_is_empty(office):
    office.receives(1001, 1002)
    with refused("store-not-empty"):
        services.close_store(office.store, **office.told())
    office.loads((1001, 1002))
    order = services.order(office.store, Wanted("金卡", 5, 1300, NOON.date()), **office.told())
    with refused("store-not-empty"):
        services.close_store(office.store, **office.told())
    services.decline_order(order, "多余", **office.told(office.second))
    assert services.close_store(office.store, **office.told()).state == "closed"
    with refused("store-closed"):
        office.receives(3001, 3002)


def test_typed_serials_are_runs_or_a_refusal_that_names_the_piece():
    assert services.runs_of("43000001-43000500，43000501\n43000600") == [(43000001, 43000501), (43000600, 43000600)]
    for text, why in (("", "empty"), ("12a", "not-a-run"), ("9-3", "backwards"), ("0", "backwards"), ("5-9,7", "twice"),
                      ("1" * 19, "not-a-run")):
        with pytest.raises(Refusal) as no:
            services.runs_of(text)
        assert (no.value.code, no.value.facts["why"]) == ("serials-wrong", why)


@pytest.mark.django_db(transaction=True)
def test_two_desks_that_take_from_one_machine_at_once_both_get_what_is_theirs():
    office = Office()
    office.receives(1001, 1016)
    office.loads((1001, 1016))
    at = office.now()

    def takes(serial: int) -> None:
        try:
            services.use(office.machine, Use([(serial, serial)], {}), by=office.keeper, request_id=request_id(), at=at)
        finally:
            connection.close()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(takes, range(1001, 1017)))
    assert office.balance() == {"issued": 16}
