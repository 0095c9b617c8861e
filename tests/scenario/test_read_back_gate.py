"""Print = chip = QR = record (I4): every finished card is matched when the results come, and each swap is caught."""

from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import batches
import builders
from builders import NOON
from custody_rooms import SIGNED
from portraits import make_photo
from visits import Visitor
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cli import planting
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.formats.keyfile import read_public
from zhengka.production import queries, services
from zhengka.production.models import Batch, Item, Maker
from zhengka.registry import photos
from zhengka.registry.models import Holder

pytestmark = pytest.mark.django_db


@pytest.fixture
def own_home(settings, tmp_path):
    """A home of the demo's own; keys stay where they are."""
    settings.KEY_FILE = str(Path(settings.HOME) / "keys" / "store")
    settings.HOME = tmp_path


@pytest.fixture
def maker(area, home):
    made = batches.make_maker(home, area)
    Maker.objects.filter(pk=made.pk).update(camera=True)
    return Maker.objects.get(pk=made.pk)


def sent(area, maker, count: int = 4) -> Batch:
    for _ in range(count):
        batches.make_ordered(area=area)
    return batches.send(batches.prepare(batches.open_batch(area, maker)))


def items(batch: Batch) -> list[Item]:
    return list(Item.objects.filter(batch=batch).select_related("card__holder").order_by("position"))


def outcomes(batch: Batch) -> list[tuple[str, str]]:
    return [(item.outcome, item.reason) for item in items(batch)]


def made_again(area, maker, home, batch: Batch) -> Batch:
    """Other cards in place of the suspect ones, made and received."""
    by = batches.producer(area)
    suspects = [item.card_id for item in items(batch) if item.outcome == "suspect"]
    assert len(cards.reorder_many(suspects, by=by, request_id=builders.request_id(), at=NOON)) == len(suspects)
    second = batches.send(batches.prepare(batches.open_batch(area, maker)))
    return batches.receive(second, batches.make_cards(second, home))


def test_a_camera_that_is_named_by_a_repeat_is_taken_and_none_is_taken_away_by_one(home, maker):
    public, by = read_public(home / "maker-public.json"), SYSTEM
    assert not services.enrol_maker("press", public, by=by).camera
    assert services.enrol_maker("press", public, by=by, camera=True).camera
    assert services.enrol_maker("press", public, by=by).camera and Maker.objects.get(name="press").camera


def test_every_card_that_is_what_the_record_says_passes_and_each_was_looked_at(area, maker, home):
    batch = sent(area, maker)
    assert all(len(item.texts) == len(item.photo) == len(item.code) == len(item.record) == 16 for item in items(batch))
    batch = batches.receive(batch, batches.make_cards(batch, home))
    assert outcomes(batch) == [("good", "")] * 4


@pytest.mark.parametrize(("plant", "code"), [
    ("print-swapped", "print-differs"), ("chip-swapped", "readback-differs"), ("qr-swapped", "qr-differs"),
    ("photo-swapped", "photo-differs")])
def test_a_swap_in_the_makers_feeder_is_caught_on_both_cards_and_made_good(area, maker, home, plant, code):
    batch = sent(area, maker)
    batch = batches.receive(batch, batches.make_cards(batch, home, plant=(plant,)))
    assert outcomes(batch) == [("suspect", code)] * 2 + [("good", "")] * 2
    assert sorted(found.code for found in queries.findings(batch)) == [code] * 2
    assert outcomes(made_again(area, maker, home, batch)) == [("good", "")] * 2


@pytest.mark.parametrize("change", [
    lambda holder: Holder.objects.filter(pk=holder.pk).update(name="另一人"),
    lambda holder: Holder.objects.filter(pk=holder.pk).update(photo=photos.keep(make_photo(999))),
    lambda holder: holder.certificates.update(grade=4),
    lambda holder: Card.objects.filter(holder=holder).update(valid_until=NOON.date().replace(year=2031))])
def test_a_record_that_changed_after_the_card_was_prepared_is_caught_and_the_next_card_is_of_the_new_one(
        area, maker, home, change):
    batch = sent(area, maker)
    change(items(batch)[2].card.holder)
    assert services.changed(batch) == [items(batch)[2].pk]
    batch = batches.receive(batch, batches.make_cards(batch, home))
    assert outcomes(batch) == [("good", "")] * 2 + [("suspect", "record-differs")] + [("good", "")]
    assert outcomes(made_again(area, maker, home, batch)) == [("good", "")]


def test_the_data_of_two_codes_swapped_in_the_record_are_caught_on_both_cards(area, maker, home):
    batch = sent(area, maker)
    one, other = (item.card for item in items(batch)[:2])
    one.credential, other.credential = other.credential, one.credential
    Card.objects.bulk_update([one, other], ["credential"])
    batch = batches.receive(batch, batches.make_cards(batch, home))
    assert outcomes(batch) == [("suspect", "record-differs")] * 2 + [("good", "")] * 2


def test_a_card_at_which_no_camera_looked_is_not_taken_from_a_maker_that_has_one(area, maker, home):
    batch = sent(area, maker, 2)
    unseen = batches.rewritten(batches.make_cards(batch, home), home,
                               lambda made: [made[0]._replace(shown=None), made[1]])
    batch = batches.receive(batch, unseen)
    assert outcomes(batch) == [("suspect", "not-looked-at"), ("good", "")]


def test_a_maker_without_a_camera_is_matched_by_chip_and_record(area, maker, home):
    Maker.objects.filter(pk=maker.pk).update(camera=False)
    batch = sent(area, maker, 3)
    Holder.objects.filter(pk=items(batch)[2].card.holder_id).update(name="另一人")
    unseen = batches.rewritten(batches.make_cards(batch, home, plant=("wrong-readback",)), home,
                       lambda made: [each._replace(shown=None) for each in made])
    batch = batches.receive(batch, unseen)
    assert outcomes(batch) == [("suspect", "readback-differs"), ("good", ""), ("suspect", "record-differs")]


def test_a_batch_that_was_prepared_before_the_gate_is_matched_by_the_chip_as_it_was_then(area, maker, home):
    batch = sent(area, maker, 2)
    Item.objects.filter(batch=batch).update(texts=None, photo=None, code=None, record=None)
    batch = batches.receive(batch, batches.make_cards(batch, home, plant=("wrong-readback",)))
    assert outcomes(batch) == [("suspect", "readback-differs"), ("good", "")]


def test_a_card_that_ended_while_it_was_made_is_set_aside_whatever_its_record_says_now(area, maker, home):
    batch = sent(area, maker, 2)
    card = items(batch)[0].card
    Holder.objects.filter(pk=card.holder_id).update(name="另一人")
    Card.objects.filter(pk=card.pk).update(state="cancelled")
    batch = batches.receive(batch, batches.make_cards(batch, home))
    assert outcomes(batch) == [("good", "")] * 2 and Card.objects.get(pk=card.pk).state == "cancelled"
    assert [found.code for found in queries.findings(batch)] == ["card-ended"]


def test_the_gate_costs_the_same_statements_for_few_cards_and_many(area, maker, home):
    asked = []
    for count in (3, 12):
        batch = sent(area, maker, count)
        results = batches.make_cards(batch, home)
        with CaptureQueriesContext(connection) as seen:
            batches.receive(batch, results)
        asked.append(len(seen))
    assert asked[0] == asked[1]


def test_the_database_holds_that_a_prepared_card_can_be_read_back(area, maker):
    batch = sent(area, maker, 1)
    with pytest.raises(IntegrityError, match="item_prepared_can_be_read_back"), transaction.atomic():
        Item.objects.filter(batch=batch).update(readback=None)


def test_the_demo_plants_a_swap_of_each_kind_once_and_every_one_is_caught_and_made_good(
        area, maker, home, own_home):
    by = batches.producer(area)
    assert planting.chosen(by) is None and planting.caught(by) == []
    batch = sent(area, maker, planting.LEAST)
    for _again in range(2):
        assert planting.chosen(by) == batch
        planting.mix_up(batch)
    batch = batches.receive(batch, batches.make_cards(batch, home, plant=tuple(planting.BY_MAKER)))
    assert batch.suspect == 2 * len(planting.BY_MAKER) - 1 + 3 and batch.good == planting.LEAST - batch.suspect
    assert {kind.words: (kind.planted, kind.caught, kind.made_good) for kind in planting.caught(by)} == {
        planting.WORDS[kind]: (1 if kind in ("record-changed", "missing-card") else 2,) * 2 + (0,)
        for kind in planting.WORDS}
    request = builders.request_id()
    for expected in (batch.suspect, 0):
        assert planting.make_good(batch, by=by, request_id=request, at=NOON) == expected
    second = batches.send(batches.prepare(batches.open_batch(area, maker)))
    second = batches.receive(second, batches.make_cards(second, home))
    assert outcomes(second) == [("good", "")] * batch.suspect
    assert all(kind.planted == kind.caught == kind.made_good for kind in planting.caught(by))


def test_results_that_a_maker_sends_twice_are_noticed_by_name_and_change_nothing(area, maker, home):
    batch = sent(area, maker, 2)
    results = batches.make_cards(batch, home)
    by = batches.producer(area)
    batch = batches.receive(batch, results)
    assert planting.answered_twice(batch, results, by=by, at=NOON) and Batch.get(batch.pk).version == batch.version
    other = sent(area, maker, 1)
    assert not planting.answered_twice(other, batches.make_cards(other, home), by=by, at=NOON)  # the first answer


def test_a_demo_of_before_plants_nothing_in_what_was_received_long_ago(area, maker, home, own_home):
    batch = sent(area, maker, planting.LEAST)
    batches.receive(batch, batches.make_cards(batch, home))
    assert planting.chosen(batches.producer(area)) is None


# -- what no camera saw ------------------------------------------------------------------------------------------------
@pytest.fixture
def blind(area, home):
    """Two finished cards of a maker without a camera: nobody has looked at the first."""
    maker = batches.make_maker(home, area)
    batch = sent(area, maker, 2)
    results = batches.rewritten(batches.make_cards(batch, home), home,
                                lambda told: [told[0]._replace(shown=None), told[1]])
    assert batches.receive(batch, results).good == 2
    first = Item.objects.get(batch=batch, unseen=True).card
    return first, Card.objects.exclude(pk=first.pk).get(state="ready")


def test_a_card_that_no_camera_saw_is_handed_over_once_the_officer_has_looked_and_that_is_kept(blind):
    first, _ = blind
    told = {"by": builders.make_actor(area=first.area), "at": NOON}
    with pytest.raises(Refusal, match="card-unseen"):
        services.hand_over(first, request_id=builders.request_id(), **told)
    assert services.hand_over(first, looked=True, request_id=builders.request_id(), **told).state == "issued"
    assert Event.objects.get(subject="card", subject_id=first.pk, action="hand_over").facts["looked"] is True


def test_a_round_hands_over_what_a_camera_saw_and_the_page_of_the_other_asks_whether_somebody_looked(blind):
    first, second = blind
    clerk = Visitor(builders.make_officer("clerk", area=first.area))
    with TestCase.captureOnCommitCallbacks():
        page = clerk.act(reverse("staff:cards-bulk", args=["hand-over"]), card=[first.pk, second.pk], **SIGNED)
    assert "No camera has looked at this card" in page.content.decode()
    assert (Card.get(first.pk).state, Card.get(second.pk).state) == ("ready", "issued")
    form, said = reverse("staff:card-hand-over", args=[first.pk]), {
        "way": "home", "list_number": SIGNED["number"], "list_day": SIGNED["day"]}
    assert "No camera has looked at this card" in clerk.act(form, **said).content.decode()
    assert Card.get(first.pk).state == "ready"
    clerk.act(form, looked="on", **said)
    assert Card.get(first.pk).state == "issued"
