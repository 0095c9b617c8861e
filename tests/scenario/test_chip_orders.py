"""What the registry decides reaches the chip: activated, lost, found; done by any reader, vouched for by the chip."""

import datetime as dt
import shutil

import pytest
from django.db import IntegrityError, connection, transaction

import builders
from builders import NOON
from ceremonies import use_store
from chips import given_out
from zhengka.cards import queries, services
from zhengka.cards.models import Card, ChipOrder
from zhengka.cards.services import chips
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.formats import chip
from zhengka.formats.chip import applying
from zhengka.formats.chip.applying import apply, spell
from zhengka.keys import rules
from zhengka.keys import services as keys
from zhengka.keys.models import Key
from zhengka.keys.services import tree
from zhengka.production.faces import layout_for
from zhengka.production.services import gathering, making
from zhengka.registry.models import Holder

pytestmark = pytest.mark.django_db
UNTIL = dt.date(2027, 11, 20)


def act(verb, subject, by=None, at=NOON, **more):
    return verb(subject, **more, by=by or builders.make_actor(), request_id=builders.request_id(), at=at)


def put_down(card, made, by=None):
    """A reader has the card: every order that is due is carried out and noted."""
    done = []
    while (row := act(services.next_chip_order, Card.get(card.pk), by)) is not None:
        work = services.chip_work(row, at=NOON)
        applied = apply(made, work.profile, work.order, work.keys)
        assert applied.code == "", applied
        done.append(act(services.record_receipt, row, by, receipts=spell(applied.receipts)))
    return [row.what for row in done]


def term_on(made, profile="disability-one-card"):
    held = made.memory.applications
    layout = queries.profile(profile)
    ends = [held[each.aid].files[fid].content[at:at + 4].hex() for each, fid, at in (
        (layout.main, b"\x00\x17", 0), (layout.named("transit-t-union"), b"\x00\x15", 24))]
    assert len(set(ends)) == 1
    return ends[0]


def test_a_card_that_was_just_handed_over_has_nothing_to_be_told():
    card, made = given_out()
    assert put_down(card, made) == []


def test_an_activation_reaches_the_chip_once_and_its_word_is_kept():
    card, made = given_out()
    act(services.activate, card)
    assert put_down(card, made) == ["activate"] and term_on(made) == "20271120"
    assert put_down(card, made) == []
    [row] = ChipOrder.objects.all()
    assert (row.state, row.until, row.applied_at) == ("applied", UNTIL, NOON)
    assert [receipt.application for receipt in applying.read(bytes(row.receipt))] == [
        "disability-placeholder", "transit-t-union"]
    told = Event.objects.filter(subject="chip-order", subject_id=row.pk).order_by("version")
    assert [event.action for event in told] == ["ask", "apply"]


def test_a_card_that_was_lost_is_blocked_by_the_reader_to_which_it_comes_and_opened_when_found():
    card, made = given_out()
    card = act(services.activate, card)
    put_down(card, made)
    card = act(services.report_lost, card)
    assert put_down(card, made) == ["block"]
    assert all(each.locked for name, each in made.memory.applications.items() if each.keys)
    act(services.report_found, card)
    assert put_down(card, made) == ["unblock"]
    assert not any(each.locked for each in made.memory.applications.values())


def test_a_block_of_which_nobody_knows_whether_the_chip_took_it_is_undone_all_the_same():
    card, made = given_out()
    card = act(services.activate, card)
    put_down(card, made)
    card = act(services.report_lost, card)
    work = services.chip_work(act(services.next_chip_order, card), at=NOON)
    assert apply(made, work.profile, work.order, work.keys).code == "", "and the connection to the office is cut"
    act(services.report_found, card)
    assert put_down(card, made) == ["unblock"]
    assert not any(each.locked for each in made.memory.applications.values())
    assert sorted(ChipOrder.objects.values_list("what", "state")) == [
        ("activate", "applied"), ("block", "superseded"), ("unblock", "applied")]


def test_an_order_that_was_not_vouched_for_is_given_out_again():
    card, _ = given_out()
    card = act(services.activate, card)
    first = act(services.next_chip_order, card)
    assert act(services.next_chip_order, card).pk == first.pk
    card = act(services.report_lost, card)
    block = act(services.next_chip_order, card)
    assert act(services.next_chip_order, card).pk == block.pk
    assert sorted(ChipOrder.objects.values_list("what", "state")) == [("activate", "superseded"), ("block", "ordered")]


def test_next_years_term_takes_the_place_of_an_order_that_nobody_carried_out():
    card, made = given_out()
    card = act(services.activate, card)
    old = act(services.next_chip_order, card)
    act(services.activate, card, at=NOON + dt.timedelta(days=300))
    assert put_down(card, made) == ["activate"] and term_on(made) == "20281120"
    assert ChipOrder.get(old.pk).state == "superseded"


@pytest.mark.parametrize("spoil", [
    lambda receipts: b"", lambda receipts: b"\x80",
    lambda receipts: spell([each._replace(mac=bytes(8)) for each in applying.read(receipts)]),
    lambda receipts: spell(applying.read(receipts)[:1])])
def test_a_word_that_is_not_the_chips_is_not_taken(spoil):
    card, made = given_out()
    row = act(services.next_chip_order, act(services.activate, card))
    work = services.chip_work(row, at=NOON)
    receipts = spell(apply(made, work.profile, work.order, work.keys).receipts)
    with pytest.raises(Refusal, match="chip-not-vouched"):
        act(services.record_receipt, row, receipts=spoil(receipts))
    assert ChipOrder.get(row.pk).state == "ordered"
    assert act(services.record_receipt, row, receipts=receipts).state == "applied"


def test_the_word_of_another_card_is_not_taken():
    card, made = given_out()
    row = act(services.next_chip_order, act(services.activate, card))
    other, theirs = given_out()
    work = services.chip_work(act(services.next_chip_order, act(services.activate, other)), at=NOON)
    receipts = spell(apply(theirs, work.profile, work.order, work.keys).receipts)
    with pytest.raises(Refusal, match="chip-not-vouched"):
        act(services.record_receipt, row, receipts=receipts)
    mine = services.chip_work(row, at=NOON)
    assert apply(theirs, mine.profile, mine.order, mine.keys).code == "another-card"
    assert apply(made, mine.profile, mine.order, mine.keys).code == ""


def test_a_receipt_is_noted_once():
    card, made = given_out()
    row = act(services.next_chip_order, act(services.activate, card))
    work = services.chip_work(row, at=NOON)
    receipts = spell(apply(made, work.profile, work.order, work.keys).receipts)
    request, clerk = builders.request_id(), builders.make_actor()
    services.record_receipt(row, receipts, by=clerk, request_id=request, at=NOON)
    with pytest.raises(Replayed):
        services.record_receipt(row, receipts, by=clerk, request_id=request, at=NOON)
    with pytest.raises(Refusal, match="step-not-open"):
        act(services.record_receipt, row, receipts=receipts)


def test_who_may_not_activate_tells_a_chip_nothing():
    card, _ = given_out()
    card = act(services.activate, card)
    with pytest.raises(Refusal, match="not-permitted"):
        act(services.next_chip_order, card, builders.make_actor("leader"))
    with pytest.raises(Refusal, match="not-found"):
        act(services.next_chip_order, card, builders.make_actor(area=builders.make_area(430702, name="武陵区")))


def test_a_card_that_moves_is_asked_for_anew_at_its_new_office():
    card, made = given_out()
    card = act(services.activate, card)
    old = act(services.next_chip_order, card)
    other = builders.make_area(430702, name="武陵区")
    services.move_all(card.holder_id, other.code, by=builders.make_actor("approver", area=other.parent.parent),
                      request_id=builders.request_id(), at=NOON)
    assert ChipOrder.get(old.pk).state == "superseded"
    assert put_down(card, made, builders.make_actor(area=other)) == ["activate"]


@pytest.mark.parametrize("change", [
    {"what": "erase"}, {"until": None}, {"what": "block"}, {"profile": "x"}, {"receipt": b"x"},
    {"state": "applied"}, {"state": "lost"}])
def test_the_database_keeps_orders_whole(change):
    card, _ = given_out()
    row = act(services.next_chip_order, act(services.activate, card))
    with pytest.raises(IntegrityError), transaction.atomic():
        ChipOrder.objects.filter(pk=row.pk).update(**change)


def test_a_card_has_one_open_order():
    card, _ = given_out()
    row = act(services.next_chip_order, act(services.activate, card))
    with pytest.raises(IntegrityError), transaction.atomic():
        ChipOrder.objects.create(province=row.province, area_id=row.area_id, card_id=row.card_id, what="block",
                                 state="ordered", ordered_at=NOON)


# -- asked for by an officer -------------------------------------------------------------------------------------------


def contents(made, profile="disability-one-card"):
    held = made.memory.applications
    return b"".join(file.content + b"".join(file.records) for each in queries.profile(profile).ours
                    for file in held[each.aid].files.values())


def test_new_data_are_written_to_every_application_when_an_officer_asked_for_them():
    card, made = given_out()
    Holder.objects.filter(pk=card.holder_id).update(name="田小野")
    act(services.activate, card)
    act(services.ask_chip, card, what="update")
    assert put_down(card, made) == ["update", "activate"], "what was asked for, then the term"
    assert contents(made).count("田小野".encode("gb18030")) == 2 and term_on(made) == "20271120"
    assert put_down(card, made) == []
    assert sorted(ChipOrder.objects.values_list("what", "state")) == [("activate", "applied"), ("update", "applied")]
    assert all(ChipOrder.objects.values_list("receipt", flat=True)), "each leaves its receipt"


def test_a_pin_is_unblocked_when_an_officer_asked_for_it_and_is_kept_nowhere(caplog):
    card, made = given_out()
    layout = queries.profile("disability-one-card")
    social = layout.named("social-security-merge")
    assert queries.has_pin(card) and not queries.has_pin(builders.make_card(profile="disability-placeholder"))
    row = act(services.ask_chip, card, what="pin")
    assert services.one_time_pins(row, at=NOON) == ()
    assert put_down(card, made) == ["pin"] and put_down(card, made) == []
    row = ChipOrder.objects.get(what="pin")
    [told] = services.one_time_pins(row, at=NOON)
    assert row.state == "applied" and len(told) == 6
    made.transmit(chip.asking.select_application(social.aid))
    change = bytes([0, 0x24, 0, social.slot("pin"), 16]) + told.encode() + b"\xff\xff428571\xff\xff"
    assert made.transmit(change) == b"\x90\x00", "by it the holder chooses another"
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(e::text, ' ') FROM core_event e")
        kept = cursor.fetchone()[0] + caplog.text
    assert "pin" in kept and told not in kept
    assert told.encode() not in bytes(row.receipt) and told.encode().hex() not in bytes(row.receipt).hex()
    again = act(services.ask_chip, card, what="pin")
    assert again.pk != row.pk and put_down(card, made) == ["pin"]
    assert services.one_time_pins(ChipOrder.objects.get(pk=again.pk), at=NOON) != (told,)


def test_a_card_without_a_slot_for_a_pin_is_asked_for_none():
    card, _ = given_out(profile="disability-placeholder")
    with pytest.raises(Refusal, match="chip-cannot-take"):
        act(services.ask_chip, card, what="pin")
    assert not ChipOrder.objects.exists()


def test_asked_for_twice_is_asked_for_once_and_done_twice_is_done_once():
    card, made = given_out()
    first, again = (act(services.ask_chip, card, what="update") for _ in range(2))
    assert first.pk == again.pk
    work = services.chip_work(first, at=NOON)
    assert apply(made, work.profile, work.order, work.keys).code == "", "and the connection to the office is cut"
    memory = made.memory
    assert put_down(card, made) == ["update"] and made.memory == memory


def test_an_upgrade_brings_the_keys_that_work_now_and_leaves_a_card_that_both_sides_know(settings, tmp_path):
    use_store("file", settings, tmp_path)
    card, made = given_out()
    for key in Key.objects.filter(purpose="card_master"):
        new = tree.new_version(key.purpose, key.area, key.suite, key.slot, at=NOON)
        keys.store().generate(new.label, suite=key.suite, usage=rules.LIVES[key.purpose].usage)
        tree.enter(tree.described_by(new, keys.store().describe(new.label)), by=SYSTEM,
                   request_id=builders.request_id(), at=NOON)
    act(services.ask_chip, card, what="upgrade")
    assert put_down(card, made) == ["upgrade"]
    told = {secret.entry.version for each in made.memory.applications.values() for secret in each.keys.values()
            if secret.entry.purpose != "pin"}  # a PIN's version says whose it is
    assert told == {2}
    act(services.activate, card)
    assert put_down(card, made) == ["activate"] and term_on(made) == "20271120"


@pytest.fixture
def later_profile(settings, tmp_path):
    """The area's policy names a profile that is the one that ships with one more file."""
    folder = tmp_path / "data"
    shutil.copytree(settings.DATA, folder)
    settings.DATA = folder
    own = (folder / "profiles" / "disability-placeholder.toml").read_text()
    extra = """[[files]]
fid = "0019"
title = "second-term"
title_zh = "第二期限"
size = 8
read = "free"
update = "maintenance"
fields = [{ name = "second_until", kind = "date", size = 4, source = "valid_until" }]

# What the card looks like"""
    later = own.replace("# What the card looks like", extra, 1).replace(
        'id = "disability-placeholder"\nversion = 1', 'id = "disability-later"\nversion = 2')
    assert later != own
    (folder / "profiles" / "disability-later.toml").write_text(later)
    for policy in (folder / "policies").glob("*.toml"):
        policy.write_text(policy.read_text().replace('"disability-placeholder"', '"disability-later"'))
    return "disability-later"


def test_an_upgrade_to_the_profile_that_the_area_names_adds_its_file_and_the_card_is_one_of_it_then(later_profile):
    card, made = given_out(profile="disability-placeholder")
    assert queries.policy(card.area_id, NOON.date()).profile == later_profile
    row = act(services.ask_chip, card, what="upgrade")
    assert row.profile == later_profile
    assert put_down(card, made) == ["upgrade"] and Card.get(card.pk).profile == later_profile
    assert made.memory.applications[queries.profile(later_profile).aid].files[b"\x00\x19"].content[:4].hex() == (
        f"{card.valid_until:%Y%m%d}")
    act(services.ask_chip, card, what="update")
    assert put_down(card, made) == ["update"], "from then on all of its files are"


def test_a_card_with_other_applications_than_its_area_names_gets_new_keys_alone(later_profile):
    card, made = given_out()
    assert act(services.ask_chip, card, what="upgrade").profile == "disability-one-card"
    assert put_down(card, made) == ["upgrade"] and Card.get(card.pk).profile == "disability-one-card"


def test_what_was_asked_for_waits_while_the_card_is_blocked_and_is_dropped_with_the_card():
    card, made = given_out()
    card = act(services.activate, card)
    put_down(card, made)
    act(services.ask_chip, card, what="update")
    card = act(services.report_lost, card)
    assert put_down(card, made) == ["block"] and put_down(card, made) == []
    with pytest.raises(Refusal, match="step-not-open"):
        act(services.ask_chip, card, what="upgrade")
    act(services.report_found, card)
    assert put_down(card, made) == ["unblock", "update"]
    act(services.ask_chip, card, what="update")
    Card.objects.filter(pk=card.pk).update(state="cancelled")
    assert put_down(card, made) == ["block"]
    assert set(ChipOrder.objects.filter(what="update").values_list("state", flat=True)) == {"applied", "superseded"}


def test_an_order_that_one_command_cannot_write_is_refused_by_name_and_leaves_nothing(settings, tmp_path):
    card, _ = given_out(profile="disability-placeholder")
    folder = tmp_path / "data"
    shutil.copytree(settings.DATA, folder)
    settings.DATA = folder
    path = folder / "profiles" / "disability-placeholder.toml"
    path.write_text(path.read_text().replace("size = 96", "size = 296").replace('"name", kind = "name", size = 60',
                                                                               '"name", kind = "name", size = 255'))
    with pytest.raises(Refusal, match="chip-cannot-take"), transaction.atomic():
        act(services.ask_chip, card, what="update")
    assert not ChipOrder.objects.exists()


def test_who_may_not_activate_asks_for_nothing_on_a_chip():
    card, _ = given_out()
    with pytest.raises(Refusal, match="not-permitted"):
        act(services.ask_chip, card, builders.make_actor("leader"), what="update")
    with pytest.raises(Refusal, match="not-found"):
        act(services.ask_chip, card, builders.make_actor(area=builders.make_area(430702, name="武陵区")),
            what="update")
    with pytest.raises(Refusal, match="step-not-open"):
        act(services.ask_chip, card, what="block")


def test_the_database_keeps_one_of_each_kind_that_is_asked_for():
    card, _ = given_out()
    row = act(services.ask_chip, card, what="upgrade")
    for change in ({"profile": ""}, {"what": "update"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ChipOrder.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(IntegrityError, match="chip_order_asked_once"), transaction.atomic():
        ChipOrder.objects.create(province=row.province, area_id=row.area_id, card_id=row.card_id, what="upgrade",
                                 profile=row.profile, state="ordered", ordered_at=NOON)


def test_the_record_of_an_order_is_that_by_which_the_card_was_made():
    card, _ = given_out()
    card.refresh_from_db()
    made = making.record_of(gathering.subject_of(card), card.serial, bytes(card.credential or b""),
                            layout_for(card.profile))
    told = {"serial": card.serial, "issued": card.issued_on, "valid_until": card.valid_until} | chips._whole(card)
    assert told == made
