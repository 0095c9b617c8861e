"""A batch and its keys: it keeps the versions with which its preparation began, is refused where they ended, and can be
given up; whatever the order in which keys and batch move.
"""

import datetime as dt

import pytest
from django.urls import reverse

import batches
import builders
from builders import NOON, make_officer, request_id
from ceremonies import Hall, use_store
from visits import Visitor
from worker import tried
from zhengka.cards import queries as cards
from zhengka.cards.models import Card, KeyGroup
from zhengka.core import queue
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.formats.package import PackageReader
from zhengka.keys import services as keys
from zhengka.keys.models import Key
from zhengka.production import queries, services
from zhengka.production.models import Batch, Chunk, Item
from zhengka.production.services import batches as batch_services
from zhengka.production.services import chunks
from zhengka_maker import home as homes

pytestmark = pytest.mark.django_db
LAST = NOON.date() + dt.timedelta(days=30)
IN, OVER = NOON + dt.timedelta(days=30), NOON + dt.timedelta(days=31)
MASTERS = [("blank_card", ""), ("channel", ""), ("card_master", "reader")]
"""The transport key of blanks, that of their loading channels, and one of the cards' own keys."""


@pytest.fixture
def area(db, settings, tmp_path):
    use_store("file", settings, tmp_path)
    return builders.make_area()


@pytest.fixture
def home(area, tmp_path):
    return tmp_path / "maker"


@pytest.fixture
def batch(area, home):
    maker = batches.make_maker(home, area)
    for _ in range(4):
        batches.make_ordered(area=area)
    return batches.open_batch(area, maker)


@pytest.fixture
def small(monkeypatch):
    """Chunks of two cards: a rotation may come between them."""
    monkeypatch.setattr(batch_services, "MOST_CARDS", 2)


def begin(batch: Batch, at=NOON) -> Batch:
    return services.prepare_batch(batch, by=batches.producer(batch.area), request_id=request_id(), at=at)


def master(purpose: str, slot: str = "", state: str = "active") -> Key:
    return Key.objects.get(purpose=purpose, slot=slot, state=state)


def rotate(purpose: str, slot: str = "") -> Key:
    return Hall().hold("rotate", master(purpose, slot), slot=slot, overlap_until=LAST).key


def lost(purpose: str, slot: str = "", state: str = "active") -> None:
    """A master is feared stolen: retired at once."""
    keys.retire(master(purpose, slot, state), by=Hall().by, request_id=request_id(), at=NOON)


def give_up(batch: Batch) -> Batch:
    services.give_up_batch(batch, by=batches.producer(batch.area), request_id=request_id(), at=NOON)
    services.erase_batch(batch.pk, at=NOON)
    return Batch.get(batch.pk)


def made(batch: Batch, home, at=NOON) -> Batch:
    """Made by the maker and taken back."""
    results = batches.make_cards(batch, home)
    return services.receive_results(batch, results, by=batches.producer(batch.area), request_id=request_id(), at=at)


@pytest.mark.parametrize("purpose, slot", MASTERS)
def test_a_rotation_between_two_parts_of_a_batch_leaves_it_whole_under_the_version_with_which_it_began(
        small, batch, home, purpose, slot):
    begin(batch)
    first, second = batch.chunks.order_by("number")
    services.prepare_chunk(first.pk, at=NOON)
    new = rotate(purpose, slot)
    services.prepare_chunk(second.pk, at=IN)
    batch = batches.send(services.finish_batch(batch, at=IN))
    assert batch.prepared == 4 and new.pk not in batch.keys
    assert {new.pk in group.keys for group in KeyGroup.objects.all()} == {False}
    batch = made(batch, home, at=IN)
    assert (batch.good, batch.suspect, batch.spoiled) == (4, 0, 0), "every chip took its keys"


@pytest.mark.parametrize("purpose, slot", MASTERS)
def test_a_batch_that_begins_after_the_rotation_is_of_the_new_version(batch, home, purpose, slot):
    new = rotate(purpose, slot)
    batch = batches.send(batches.prepare(batch))
    assert new.pk in batch.keys
    assert made(batch, home).good == 4


def test_a_rotation_while_the_batch_is_at_the_maker_changes_nothing_in_the_overlap_and_makes_it_suspect_after_it(
        batch, home):
    batch = batches.send(batches.prepare(batch))
    results = batches.make_cards(batch, home)
    rotate("blank_card")
    keys.run_clocks(at=OVER)
    batch = services.receive_results(batch, results, by=batches.producer(batch.area), request_id=request_id(), at=OVER)
    assert (batch.good, batch.suspect) == (0, 4)
    assert {finding.code for finding in queries.findings(batch)} == {"keys-over"}
    assert set(batches.states(batch)) == {"suspect"}


def test_the_calendar_need_not_have_run_for_results_after_the_overlap_to_be_suspect(batch, home):
    batch = batches.send(batches.prepare(batch))
    results = batches.make_cards(batch, home)
    rotate("card_master", "reader")
    told = {"by": batches.producer(batch.area), "request_id": request_id()}
    assert services.receive_results(batch, results, **told, at=OVER).suspect == 4


def test_results_in_the_overlap_are_good(batch, home):
    batch = batches.send(batches.prepare(batch))
    rotate("blank_card")
    assert made(batch, home, at=IN).good == 4


@pytest.mark.parametrize("purpose, slot", MASTERS)
def test_a_batch_whose_master_ended_before_it_was_sent_is_not_sent_and_its_cards_are_ordered_anew(
        batch, purpose, slot):
    batch = batches.prepare(batch)
    package, old = batches.package_path(batch), {card.serial for card in Card.objects.all()}
    rotate(purpose, slot)
    lost(purpose, slot, "retiring")
    with pytest.raises(Refusal, match="batch-keys-over"):
        batches.send(batch)
    assert set(batches.states(batch)) == {"prepared"}

    batch = give_up(batch)
    assert batch.state == "cancelled" and not package.exists()
    assert batches.states(batch) == {"spoiled": 4}
    assert list(Card.objects.filter(state="ordered").values_list("serial", flat=True)) == [None] * 4
    again = batches.send(batches.prepare(batches.open_batch(batch.area, batch.maker)))
    assert again.prepared == 4 and not old & {card.serial for card in Card.objects.filter(state="sent")}


def test_a_void_card_of_a_batch_that_was_given_up_is_told_to_gates_as_revoked(batch):
    batch = give_up(batches.prepare(batch))
    void = list(Item.objects.filter(batch=batch).values_list("card", flat=True))
    assert {cards.gate_state(Card.get(pk), NOON) for pk in void} == {"revoked"}


def test_a_batch_signed_under_a_revoked_key_is_not_sent(batch):
    batch = batches.prepare(batch)
    assert Hall().hold("revoke", master("credential")).state == "done"
    with pytest.raises(Refusal, match="batch-keys-over"):
        batches.send(batch)


def test_a_credential_key_that_was_only_replaced_stops_no_batch(batch):
    batch = batches.prepare(batch)
    rotate("credential")
    lost("credential", state="retiring")
    assert batches.send(batch).state == "sent"


def test_a_master_that_ends_while_a_batch_is_prepared_stalls_it_by_name_and_it_can_only_be_given_up(small, batch):
    begin(batch)
    first, second = batch.chunks.order_by("number")
    services.prepare_chunk(first.pk, at=NOON)
    rotate("blank_card")
    lost("blank_card", state="retiring")
    with pytest.raises(Refusal, match="batch-keys-over"):
        tried("production.prepare_chunk", attempts=queue.TRIES, chunk_id=second.pk)
    batch = Batch.get(batch.pk)
    assert (batch.state, batch.problem) == ("stalled", "batch-keys-over")
    by = batches.producer(batch.area)
    with pytest.raises(Refusal, match="batch-keys-over"):
        services.retry_batch(batch, by=by, request_id=request_id(), at=NOON)
    waits = services.staging.folder(batch)
    assert waits.is_dir()
    batch = give_up(batch)
    assert batches.states(batch) == {"spoiled": 2, "ordered": 2} and not waits.exists()
    assert Card.objects.filter(state="ordered").count() == 4


def test_a_batch_of_which_nothing_is_done_goes_on_with_the_master_that_works_now(batch, home):
    begin(batch)
    new = rotate("blank_card")
    lost("blank_card", state="retiring")
    [chunk] = batch.chunks.all()
    with pytest.raises(Refusal, match="batch-keys-over"):
        tried("production.prepare_chunk", attempts=queue.TRIES, chunk_id=chunk.pk)
    services.retry_batch(Batch.get(batch.pk), by=batches.producer(batch.area), request_id=request_id(), at=NOON)
    batch = batches.send(services.run_chunks_here(Batch.get(batch.pk), at=NOON, processes=1))
    assert new.pk in batch.keys and batch.problem == ""
    assert made(batch, home).good == 4


def test_a_worker_that_wakes_up_after_its_batch_was_given_up_changes_nothing(batch, monkeypatch):
    begin(batch)
    [chunk] = batch.chunks.all()
    services.stall(batch.pk, at=NOON)
    make = chunks.making.make_cards

    def meanwhile(*told):
        give_up(Batch.get(batch.pk))
        return make(*told)

    monkeypatch.setattr(chunks.making, "make_cards", meanwhile)
    with pytest.raises(Refusal, match="lease-lost"):
        services.prepare_chunk(chunk.pk, at=NOON)
    monkeypatch.undo()
    services.prepare_chunk(chunk.pk, at=NOON)
    assert Chunk.objects.get().state != "done"
    assert batches.states(batch) == {"ordered": 4} and Batch.get(batch.pk).state == "cancelled"


def test_no_worker_takes_a_part_of_a_batch_that_was_given_up(batch):
    begin(batch)
    services.stall(batch.pk, at=NOON)
    give_up(Batch.get(batch.pk))
    assert not chunks.prepare_next(batch.pk, silent_for=0, at=NOON)
    assert batches.states(batch) == {"ordered": 4} and Chunk.objects.get().state != "done"


def test_a_part_is_not_committed_to_a_batch_that_is_not_being_prepared_whatever_its_lease_says(batch, monkeypatch):
    begin(batch)
    [chunk] = batch.chunks.all()
    make = chunks.making.make_cards

    def meanwhile(*told):
        Batch.objects.filter(pk=batch.pk).update(state="cancelled", erase_on=NOON.date())
        return make(*told)

    monkeypatch.setattr(chunks.making, "make_cards", meanwhile)
    with pytest.raises(Refusal, match="lease-lost"):
        services.prepare_chunk(chunk.pk, at=NOON)
    assert Chunk.objects.get().state != "done" and batches.states(batch) == {"batched": 4}


def test_a_batch_is_given_up_once_however_often_it_is_asked(batch):
    batch, key = batches.prepare(batch), request_id()
    services.give_up_batch(batch, by=batches.producer(batch.area), request_id=key, at=NOON)
    with pytest.raises(Replayed):
        services.give_up_batch(batch, by=batches.producer(batch.area), request_id=key, at=NOON)
    assert Card.objects.filter(state="ordered").count() == 4


def test_the_maker_s_own_key_opens_a_package_of_the_kept_transport_key(batch, home):
    begin(batch)
    old = keys.blank_card_key(batch.area_id, "SM", at=NOON)
    rotate("blank_card")
    batch = services.run_chunks_here(batch, at=NOON, processes=1)
    assert keys.blank_card_key(batch.area_id, "SM", at=NOON) != old
    with PackageReader(batches.package_path(batch), homes.private_key(home), homes.issuer_key(home)) as package:
        assert package.kek == old


def test_the_page_of_a_stalled_batch_says_why_and_asks_again_before_it_is_given_up(batch):
    begin(batch)
    services.note_problem(batch.pk, "key-store-fails")
    services.stall(batch.pk, at=NOON)
    visitor = Visitor(make_officer("producer", area=batch.area))
    page = visitor.get(reverse("staff:batch", args=[batch.pk])).content.decode()
    assert "key store" in page or "密钥库" in page
    asked = visitor.act(reverse("staff:batch-step", args=[batch.pk, "give_up"]))
    assert Batch.get(batch.pk).state == "stalled", asked
    visitor.act(reverse("staff:batch-step", args=[batch.pk, "give_up"]), sure="1")
    assert Batch.get(batch.pk).state == "cancelled"


def test_packages_and_parts_that_no_batch_needs_go_the_night_after_their_first_day(batch):
    begin(batch)
    waits = services.staging.folder(batch)
    [chunk] = batch.chunks.all()
    services.prepare_chunk(chunk.pk, at=NOON)
    other = services.staging.packages()
    lost = [other / "430104-20261120-07-aaaaaa.zkp", other / "staging" / "430104-20261120-07-0123456789abcdef"]
    lost[0].write_bytes(b"sealed")
    lost[1].mkdir()
    assert services.sweep_packages(at=dt.datetime.now(dt.UTC)) == 0, "they may be of work that is under way"
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1, minutes=1)
    assert services.sweep_packages(at=tomorrow) == 2
    assert not lost[0].exists() and not lost[1].exists() and waits.exists()
    batch = services.finish_batch(batch, at=NOON)
    assert services.sweep_packages(at=tomorrow) == 0 and batches.package_path(batch).exists()
