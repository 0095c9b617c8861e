"""One command checks what must never break; each of its checks was seen to find what was planted."""

import pytest
from django.db import DatabaseError, connection, transaction
from typer.testing import CliRunner

import batches
import builders
import gating
import partnering
import stocking
from builders import NOON
from custody_rooms import ON_A_LIST, Rooms
from zhengka.cards import services as cards
from zhengka.cli import invariants
from zhengka.cli.app import app
from zhengka.core.invariants import Found, run
from zhengka.custody import services as custody
from zhengka.custody.models import Booklet, Trouble
from zhengka.production import services
from zhengka.production.models import Item
from zhengka.stock import services as stock
from zhengka.stock.services import Wanted

pytestmark = pytest.mark.django_db
EVENTS = "ALTER TABLE core_event DISABLE TRIGGER USER"
SPANS = "ALTER TABLE stock_span DISABLE TRIGGER USER"
ENTRIES = "ALTER TABLE stock_entry DISABLE TRIGGER USER"
CASES = "ALTER TABLE cases_case DISABLE TRIGGER USER"
LINES = "ALTER TABLE custody_listed DISABLE TRIGGER USER"
PARCELS = "ALTER TABLE custody_parcel DISABLE TRIGGER USER"
SLIPS = "ALTER TABLE stock_slip DISABLE TRIGGER USER"


def drop(table: str, *names: str) -> str:
    return "; ".join(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}; DROP INDEX IF EXISTS {name}"
                     for name in names)


def same(table: str, column: str, where: str = "true") -> str:
    """Two rows of a table have the same value."""
    return (f"UPDATE {table} SET {column} = (SELECT {column} FROM {table} WHERE {column} IS NOT NULL AND {where} "
            f"ORDER BY id LIMIT 1) WHERE id = (SELECT id FROM {table} WHERE {column} IS NOT NULL AND {where} "
            f"ORDER BY id DESC LIMIT 1)")


CARD, ITEM, BATCH = "cards_card", "production_item", "production_batch"
PLANTS: dict[str, tuple[str, ...]] = {
    "one-person-one-record": (drop("registry_holder", "holder_person_once"), same("registry_holder", "id_index")),
    "certificate-in-force-once": (
        "DROP INDEX certificate_number_once", "UPDATE registry_certificate SET number_index = '\\x00'"),
    "certificate-of-a-person-once": (
        "DROP INDEX certificate_valid_once", "ALTER TABLE registry_certificate DISABLE TRIGGER USER",
        "UPDATE registry_certificate SET holder_id = (SELECT min(id) FROM registry_holder)"),
    "one-usable-card": (
        drop(CARD, "card_usable_once"),
        f"UPDATE {CARD} SET state = 'active', active_until = '2030-01-01', holder_id = (SELECT min(holder_id) "
        f"FROM {CARD} WHERE state = 'ready') WHERE state IN ('ready', 'active')"),
    "one-card-on-its-way": (
        drop(CARD, "card_on_its_way_once"),
        f"UPDATE {CARD} SET holder_id = (SELECT min(holder_id) FROM {CARD} WHERE state = 'ready') "
        "WHERE state = 'ready'"),
    "usable-as-certified": (
        "ALTER TABLE cards_card DISABLE TRIGGER USER", "ALTER TABLE registry_certificate DISABLE TRIGGER USER",
        f"UPDATE {CARD} SET state = 'active', active_until = '2030-01-01' WHERE id = (SELECT min(id) FROM {CARD} "
        "WHERE state = 'ready')",
        f"UPDATE registry_certificate SET state = 'cancelled' WHERE id IN (SELECT certificate_id FROM {CARD})"),
    "serial-once": (drop(CARD, "card_serial_once"), same(CARD, "serial")),
    "chip-once": (drop(CARD, "card_uid_once"), same(CARD, "uid")),
    "code-once": (drop(CARD, "card_token_once"), same(CARD, "token")),
    "status-place-once": (drop(CARD, "card_status_place_once"), same(CARD, "status_index")),
    "card-destroyed-by-two": (
        drop(CARD, "card_destroyed_by_two"),
        f"UPDATE {CARD} SET destroyed_person = condemned_person WHERE state = 'destroyed'"),
    "list-released-by-two": (
        drop("cards_listhold", "list_hold_released_by_two"),
        "INSERT INTO cards_listhold (state, version, area, at, cards, asked_person, released_person, ended_at) "
        "VALUES ('released', 3, 0, now(), 1, 'one', 'one', now())"),
    "held-back-once": (
        "DROP INDEX held_back_once",
        "INSERT INTO cards_listhold (state, version, area, at, cards, asked_person, released_person) "
        "VALUES ('held', 1, 0, now(), 1, '', '')",
        f"INSERT INTO cards_heldback (hold_id, card_id, area, cause) SELECT h.id, c.id, c.area, 'lapsed' "
        f"FROM cards_listhold h, (SELECT * FROM {CARD} LIMIT 1) c, generate_series(1, 2)"),
    "loss-after-its-report": (
        drop("cards_losstold", "loss_told_after_report"),
        "INSERT INTO cards_losstold (area, list_number, number, reported_at, written_at) "
        "VALUES (0, 1, 1, now(), now() - interval '1 minute')"),
    "signatures-counted": ("UPDATE keys_key SET signatures = 0",),
    "blank-in-one-place": (
        drop("stock_span", "span_one_place"),
        "INSERT INTO stock_span (area, account, store_id, slip_id, serials, during) SELECT area, 'lost', NULL, "
        "slip_id, serials, during FROM stock_span WHERE account = 'machine' AND upper_inf(during)"),
    "slips-balanced": (ENTRIES, "UPDATE stock_entry SET quantity = quantity + 1 WHERE account = 'issued'"),
    "entries-as-serials": (SPANS, "UPDATE stock_span SET account = 'lost' WHERE account = 'issued'"),
    "partners-by-two": (
        drop("partners_partner", "partner_by_two_persons"),
        "UPDATE partners_partner SET permitted_by = asked_by WHERE state = 'active'"),
    "answers-whole": ("UPDATE partners_answered SET answer = NULL",),
    "deliveries-end": ("UPDATE partners_delivery SET tries = 11 WHERE next_at IS NOT NULL",),
    "received-is-all": (SPANS, "DELETE FROM stock_span WHERE account = 'machine' AND upper_inf(during)"),
    "shipment-as-its-pieces": (SLIPS, "UPDATE stock_slip SET state = 'arrived' WHERE state = 'short'"),
    "written-off-by-two": (
        SLIPS, drop("stock_slip", "slip_two_persons"),
        "UPDATE stock_slip SET confirmed_by = person WHERE sort = 'destroy'"),
    "ordered-by-two": (drop("stock_order", "order_two_persons"), "UPDATE stock_order SET approved_by = person"),
    "delivered-as-received": ("UPDATE stock_order SET delivered = delivered - 1",),
    "batch-in-adds-up": (drop(BATCH, "batch_in_adds_up"), f"UPDATE {BATCH} SET held = held + 1"),
    "batch-out-adds-up": (drop(BATCH, "batch_out_adds_up"), f"UPDATE {BATCH} SET good = good + 1"),
    "batch-counts-its-cards": (f"UPDATE {ITEM} SET outcome = 'suspect' WHERE outcome = 'good'",),
    "card-made-once": (drop(ITEM, "item_card_once"), same(ITEM, "card_id")),
    "good-cards-only": (f"UPDATE {ITEM} SET outcome = 'suspect' WHERE outcome = 'good'",),
    "batch-sent-by-two": (drop(BATCH, "batch_sent_by_two"), f"UPDATE {BATCH} SET sent_person = prepared_person"),
    "blank-of-one-card": (drop(ITEM, "item_blank_once"), same(ITEM, "blank")),
    "good-card-has-its-blank": (f"UPDATE {ITEM} SET blank = NULL WHERE outcome = 'good'",),
    "blanks-of-a-batch": (f"UPDATE {BATCH} SET wasted = wasted + 1",),
    "issued-by-hand": (SLIPS, "UPDATE stock_slip SET batch = 'none' WHERE sort = 'issue'"),
    "blank-where-its-card-is": (SPANS, "UPDATE stock_span SET account = 'spoiled' WHERE account = 'issued'"),
    "decided-by-two": (
        CASES, drop("cases_case", "case_decided_by_two", "case_two_persons"),
        "UPDATE cases_case SET state = 'approved', reviewer_person = 'one', approver_person = 'one'"),
    "minor-not-publicised": (
        CASES, drop("cases_case", "case_minor_not_publicised"),
        "UPDATE cases_case SET minor = true, notice_from = '2026-01-01', notice_ends = '2026-01-09'"),
    "notice-stood-in-full": (
        CASES,
        "UPDATE cases_case SET notice_from = '2026-01-01', notice_ends = '2099-01-09'",
        "INSERT INTO core_event (province, area, subject, subject_id, version, action, source, target, actor_name, "
        "person, request_id, at, facts) SELECT province, area, 'case', id, 99, 'end_notice', '', '', '', '', "
        "gen_random_uuid(), '2026-06-01', '{}' FROM cases_case"),
    "ordered-has-card": (
        CASES, drop("cases_case", "case_ordered_has_card"), "UPDATE cases_case SET state = 'ordered', "
        "reviewer_person = 'one', approver_person = 'two', card_id = NULL"),
    "cases-counted": ("INSERT INTO cases_tally (area, policy, kind_of_case, minor, fronted, state, ended, day, number) "
                      "SELECT area, policy, kind_of_case, minor, false, state, false, '2026-01-01', 1 FROM cases_case "
                      "LIMIT 1",),
    "ceremony-by-two-persons": (
        "ALTER TABLE keys_ceremony DISABLE TRIGGER USER", drop("keys_ceremony", "ceremony_written_down"),
        "INSERT INTO keys_ceremony SELECT (jsonb_populate_record(NULL::keys_ceremony, %(ceremony)s)).*",),
    "key-works-once": (drop("keys_key", "key_active_once", "key_version_once"),
                       "UPDATE keys_key SET state = 'active', purpose = 'batch', slot = '', level = 'province', "
                       "rule = '', number = 1 WHERE state = 'active' AND purpose IN ('batch', 'credential')"),
    "role-by-two-persons": (
        drop("accounts_officer", "officer_role_by_two_persons"),
        "UPDATE accounts_officer SET state = 'active', installed = false, permitted_by = asked_by"),
    "bulk-adds-up": (
        drop("bulk_act", "bulk_act_adds_up"),
        "INSERT INTO bulk_act SELECT (jsonb_populate_record(NULL::bulk_act, %(act)s)).*"),
    "voucher-counted-once": (drop("gates_visit", "visit_voucher_counted_once"),
                             "UPDATE gates_visit SET counted = true WHERE kind = 'redeem'"),
    "double-use-found": ("DELETE FROM gates_doubleuse",),
    "voucher-as-its-log": ("UPDATE gates_voucher SET state = 'issued' WHERE state = 'redeemed'",),
    "fork-named": ("UPDATE gates_visit SET forked = false WHERE forked",),
    "statement-closed-by-two": (drop("gates_statement", "statement_closed_by_another"),
                                "UPDATE gates_statement SET closed_by = made_by WHERE state = 'closed'"),
    "statement-adds-up": ("UPDATE gates_statement SET fen = fen + 1",),
    "packed-in-an-open-parcel": (PARCELS, "UPDATE custody_parcel SET state = 'unpacked'"),
    "listed-is-its-quantity": (LINES, "DELETE FROM custody_listed WHERE outcome = 'there'"),
    "opened-parcel-counted": (LINES, "UPDATE custody_listed SET outcome = '' WHERE outcome = 'there'"),
    "parcel-in-one-place": ("ALTER TABLE custody_stay DISABLE TRIGGER USER",
                            "UPDATE custody_stay SET until = now() + interval '9 years' WHERE until IS NULL"),
    "missing-has-its-case": ("UPDATE custody_trouble SET state = 'settled', reason = 'x'",),
    "collected-was-handed-over": (f"UPDATE {CARD} SET handed_over_at = NULL",),
    "card-lost-by-two": (drop("custody_trouble", "custody_case_lost_by_two"),
                         "UPDATE custody_trouble SET confirmed_by = person WHERE state = 'lost'"),
    "booklets-destroyed-by-two": (drop("custody_pulping", "pulping_counted_by_two"),
                                  "UPDATE custody_pulping SET counted = 1 WHERE state = 'destroyed'"),
    "booklet-given-up-by-two": (drop("custody_trouble", "custody_case_lost_by_two"),
                                "UPDATE custody_trouble SET confirmed_by = '' WHERE sort = 'booklet-missing'"),
    "statement-as-its-events": ("UPDATE gates_statement SET counted = 0",),
    "events-in-a-chain": (EVENTS, "DELETE FROM core_event WHERE subject = 'batch' AND version = 2"),
    "requests-once": (EVENTS, drop("core_event", "event_once_per_request"),
                      "UPDATE core_event SET request_id = (SELECT min(request_id::text)::uuid FROM core_event) "
                      "WHERE subject = 'batch'"),
}
"""Check → what breaks it, once the constraint that forbids it is gone."""
MOVED = {
    "slip-as-told": (SLIPS, "UPDATE stock_slip SET version = version + 7"),
    "store-as-told": ("UPDATE stock_store SET state = 'closed'",),
    "blank-order-as-told": ("UPDATE stock_order SET version = version - 1",),
    "card-as-told": (f"ALTER TABLE {CARD} DISABLE TRIGGER custody_hand_over_proved",
                     f"UPDATE {CARD} SET state = 'issued' WHERE state = 'ready'",),
    "batch-as-told": (f"UPDATE {BATCH} SET state = 'closed'",)}
"""States that were changed behind the events."""
ROWS = {
    "ceremony": '{"id": 1, "province": 43, "area": %d, "state": "done", "version": 1, "aim": "generate", '
                '"purpose": "", "suite": "SM", "slot": "", "place": 1, "number": 1, "label": "x", "needed": 2, '
                '"among": 3, "check_value": "", "exportable": false, "activates": true, "reason": "", "led_by": "p", '
                '"led_by_name": "p", "problem": "", "transcript": "x", "signed_by": "x", "signature": "\\\\x00", '
                '"opened_at": "2026-01-01", "ended_at": "2026-01-01"}',
    "act": '{"id": 1, "province": 43, "area": %d, "state": "done", "version": 1, "task": "x", "asked": {}, '
           '"who_left": {}, "permissions": [], "upload": "", "total": 2, "done": 2, "moved": 1, "left_alone": 0, '
           '"reasons": {}, '
           '"unwritten": {}, "groups": 1, "problem": "", "problem_facts": {}, "asked_at": "2026-01-01", '
           '"finished_at": "2026-01-01"}'}


@pytest.fixture
def area(tmp_path):
    """A batch that came back, with a suspect card that was destroyed; an order that was filled; a shipment that came
    short; a case; an officer; parcels and booklets; gates, vouchers, statements.
    """
    area = builders.make_area()
    machine, home = stocking.loaded(area, 1001, 1100), tmp_path / "maker"
    maker = stocking.feed(batches.make_maker(home, area), machine)
    for _ in range(5):
        batches.make_ordered(area=area)
    batch = batches.send(batches.prepare(batches.open_batch(area, maker)))
    batches.receive(batch, batches.make_cards(batch, home, blanks="1001-1100", plant=("wrong-readback",)))
    suspect = Item.objects.get(outcome="suspect").card_id
    one, other = (builders.make_actor("producer", area=area) for _ in range(2))
    told = {"at": NOON}
    cards.reorder_many([suspect], by=one, request_id=builders.request_id(), **told)
    cards.condemn_many([suspect], by=one, request_id=builders.request_id(), **told)
    services.destroy_many([suspect], by=other, request_id=builders.request_id(), **told)
    store = stocking.open_store(area)
    order = stock.order(store, Wanted("金卡", 10, 1300, NOON.date()), by=one, request_id=builders.request_id(), **told)
    order = stock.approve(order, by=other, request_id=builders.request_id(), **told)
    stock.receive(store, [stock.Delivered("金卡", "箱9", 9001, 9005)], order=order, by=one,
                  request_id=builders.request_id(), **told)
    there = stocking.open_store(area)
    slip = stock.ship(store, there, [(9001, 9003)], by=one, request_id=builders.request_id(), **told)
    stock.arrive(slip, [(9001, 9002)], by=one, request_id=builders.request_id(), **told)
    builders.make_case(builders.make_holder(area=area))
    gating.populate(area)
    kept_and_counted(Rooms(area))
    partnering.populate(area, *(builders.make_officer(role, area=area) for role in ("system", "security")))
    return area


def kept_and_counted(rooms: Rooms) -> None:
    """A parcel on its way, one that was opened with two cards missing of which one is lost; booklets: two destroyed,
    one that two persons say was not taken back, and one that is missing.
    """
    made = rooms.cards(7)
    rooms.pack(made[:1])
    rooms.unpack(rooms.brought(made[1:]), made[3:])
    lost = Trouble.objects.get(card=made[1])
    custody.propose_loss(lost, "找遍", **rooms.told())
    custody.confirm_loss(lost, **rooms.told(by=rooms.approver))
    custody.hand_over_many([card.pk for card in made[3:]], ON_A_LIST, **rooms.told(rooms.county))
    first, second = Booklet.objects.order_by("pk")[:2]
    given_up, _ = custody.report_missing([first.pk, second.pk], "lost", "误登记", **rooms.told())
    custody.confirm_loss(given_up, **rooms.told(by=rooms.approver))
    pulping = custody.propose_pulping(rooms.county, 2, "粉碎", **rooms.told())
    custody.confirm_pulping(pulping, 2, **rooms.told(by=rooms.approver))


def found(name: str) -> Found:
    [check] = [check for check in invariants.checks() if check.name == name]
    return run(check)


def test_a_world_in_which_all_was_done_by_services_breaks_none(area):
    made = {f"{kind}-as-told" for kind in ("card", "holder", "certificate", "case", "officer")}  # put there by builders
    wrong = {one.check.name: one.rows for one in invariants.broken() if one.check.name not in made}
    assert wrong.pop("events-in-a-chain", None) is not None, "builders put cards into the world without a beginning"
    assert not wrong


def planted(name: str, statements: tuple[str, ...], area: int) -> tuple[Found, Found]:
    """What a check finds before and after; the world is as before then."""
    before = found(name)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for statement in statements:
                told = {key: row % area for key, row in ROWS.items()} if "%(" in statement else None
                cursor.execute(statement, told)
        after = found(name)
        transaction.set_rollback(True)
    return before, after


def test_each_check_finds_what_is_planted_and_names_the_row(area):
    missed = {}
    for name, statements in (PLANTS | MOVED).items():
        try:
            before, after = planted(name, statements, area.code)
        except DatabaseError as fault:
            missed[name] = str(fault)
        else:
            if after.broken <= before.broken or not after.rows:
                missed[name] = f"{before.broken} before, {after.broken} after"
    assert not missed


def test_every_check_has_its_plant():
    by_kind = {check.name for check in invariants.checks() if check.name.endswith("-as-told")}
    assert set(PLANTS) == {check.name for check in invariants.checks()} - by_kind
    assert {"card-as-told", "batch-as-told", "slip-as-told", "blank-order-as-told"} <= by_kind


def test_the_command_says_what_is_broken_and_ends_with_one():
    builders.make_card(builders.make_holder(), state="active")  # with no event of its beginning
    said = CliRunner().invoke(app, ["check-invariants"])
    assert said.exit_code == 1 and "card-as-told" in said.output and "told: nothing" in said.output
