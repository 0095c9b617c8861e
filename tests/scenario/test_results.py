"""What the card maker sends back: each fault is named, nothing taken twice, made = good + spoiled + suspect."""

import json

import pytest
from django.db import IntegrityError, connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

import batches
import builders
from builders import NOON
from worker import tried
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.formats.results import CardResult, ResultReader, ResultWriter
from zhengka.formats.suites import SM
from zhengka.letters.models import Letter
from zhengka.production import queries, services
from zhengka.production.models import Batch, Item
from zhengka.registry.models import Certificate
from zhengka_maker import home as homes
from zhengka_maker.making import PLANTS

pytestmark = pytest.mark.django_db


def sent(area, maker, cards: int = 6) -> Batch:
    for _ in range(cards):
        batches.make_ordered(area=area)
    return batches.send(batches.prepare(batches.open_batch(area, maker)))


def found(batch: Batch) -> list[str]:
    return [finding.code for finding in queries.findings(batch)]


def test_spoiled_cards_are_ordered_again_and_counted(area, maker, home):
    batch = sent(area, maker, 12)
    batch = batches.receive(batch, batches.make_cards(batch, home, spoil=0.4))
    assert batch.spoiled and batch.good and batch.good + batch.spoiled == batch.prepared == 12
    again = Card.objects.filter(state="ordered")
    assert again.count() == batch.spoiled
    assert {card.replaces.state for card in again} == {"spoiled"}
    assert {card.replaces_id for card in again} == set(
        Item.objects.filter(batch=batch, outcome="spoiled").values_list("card_id", flat=True))
    assert all(Item.objects.filter(batch=batch, outcome="spoiled").values_list("reason", flat=True))
    second = batches.prepare(batches.open_batch(area, maker))
    serials = list(Card.objects.exclude(serial=None).values_list("serial", flat=True))
    assert second.prepared == batch.spoiled and len(set(serials)) == 12 + batch.spoiled


@pytest.mark.parametrize(("plant", "codes", "suspect"), [
    ("duplicate-uid", ["uid-twice", "uid-twice"], 2),
    ("wrong-readback", ["readback-differs"], 1),
    ("unordered-serial", ["not-ordered"], 0),
    ("missing-card", ["card-missing"], 1),
    ("power-cut", ["maker-unsure"], 1),
    ("chip-swapped", ["readback-differs", "readback-differs"], 2),
    ("print-swapped", ["print-differs", "print-differs"], 2),
    ("photo-swapped", ["photo-differs", "photo-differs"], 2),
    ("qr-swapped", ["qr-differs", "qr-differs"], 2)])
def test_each_fault_that_the_maker_plants_is_found_and_named(area, maker, home, plant, codes, suspect):
    batch = sent(area, maker)
    batch = batches.receive(batch, batches.make_cards(batch, home, plant=(plant,)))
    assert found(batch) == codes and plant in PLANTS
    assert (batch.good, batch.suspect) == (6 - suspect, suspect)
    state, action = ("missing", "go_missing") if plant == "missing-card" else ("suspect", "suspect")
    assert Card.objects.filter(state=state).count() == suspect
    for item in Item.objects.filter(batch=batch, outcome="suspect"):
        assert item.reason == codes[0] and item.card.uid is None
        if action == "go_missing":
            assert batches.events_of(item.card)[-1] == action
            continue
        assert Event.objects.get(subject="card", subject_id=item.card_id, action="suspect").facts["why"] == codes[0]


def test_all_faults_at_once_are_told_apart(area, maker, home):
    batch = sent(area, maker, 16)
    batch = batches.receive(batch, batches.make_cards(batch, home, plant=PLANTS))
    assert sorted(found(batch)) == [
        "card-missing", "maker-unsure", "not-ordered", *["photo-differs"] * 2, *["print-differs"] * 2,
        *["qr-differs"] * 2, *["readback-differs"] * 3, *["uid-twice"] * 2]
    assert batch.good + batch.suspect == 16


def test_a_card_that_is_told_twice_is_suspect(area, maker, home):
    batch = sent(area, maker)
    results = batches.rewritten(batches.make_cards(batch, home), home, lambda cards: [*cards, cards[0]])
    batch = batches.receive(batch, results)
    assert (found(batch), batch.suspect) == (["serial-twice"], 1)


def test_a_chip_that_an_earlier_card_has_is_found(area, maker, home):
    first = sent(area, maker, 2)
    batches.receive(first, batches.make_cards(first, home))
    known = bytes(Card.objects.filter(state="ready").first().uid)
    second = sent(area, maker, 2)

    def reused(cards: list[CardResult]) -> list[CardResult]:
        return [cards[0]._replace(uid=known), cards[1]]

    second = batches.receive(second, batches.rewritten(batches.make_cards(second, home), home, reused))
    assert (found(second), second.good, second.suspect) == (["uid-twice"], 1, 1)


def test_a_chip_of_another_office_is_found_though_its_card_is_not_seen(area, maker, home, as_web):
    other = builders.make_area(430102, name="芙蓉区")
    first = sent(other, maker, 1)
    batches.receive(first, batches.make_cards(first, home))
    known = bytes(Card.objects.get(state="ready").uid)
    batch = sent(area, maker, 2)
    results = batches.rewritten(batches.make_cards(batch, home), home,
                        lambda cards: [cards[0]._replace(uid=known), *cards[1:]])
    producer = batches.producer(area)
    with connection.cursor() as cursor:  # a login bound to one area, with the platform's rights to judge results
        cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO zhengka_web")
        cursor.execute("GRANT EXECUTE ON FUNCTION production_known_uids(bytea[]) TO zhengka_web")
    as_web(area.code, area.last)
    assert Card.objects.filter(uid=known).count() == 0
    batch = services.receive_results(batch, results, by=producer, request_id=builders.request_id(), at=NOON)
    assert (found(batch), batch.good, batch.suspect) == (["uid-twice"], 1, 1)


def test_results_sent_twice_change_nothing(area, maker, home):
    batch = sent(area, maker)
    results, request, by = batches.make_cards(batch, home, spoil=0.3), builders.request_id(), batches.producer(area)
    services.receive_results(batch, results, by=by, request_id=request, at=NOON)
    before = (Event.objects.count(), batches.states(batch), Card.objects.count())
    with pytest.raises(Replayed):
        services.receive_results(batch, results, by=by, request_id=request, at=NOON)
    with pytest.raises(Refusal, match="result-replayed"):
        batches.receive(batch, results)
    assert before == (Event.objects.count(), batches.states(batch), Card.objects.count())


def test_other_results_for_a_batch_that_was_received_are_refused(area, maker, home):
    batch = sent(area, maker)
    results = batches.make_cards(batch, home)
    batches.receive(batch, results)
    other = batches.make_cards(batch, home, spoil=0.9)
    with pytest.raises(Refusal, match="step-not-open"):
        batches.receive(batch, other)


def test_results_of_another_batch_are_refused(area, maker, home):
    one = sent(area, maker, 2)
    results = batches.make_cards(one, home)
    other = sent(area, maker, 2)
    with pytest.raises(Refusal, match="results-of-another-batch"):
        batches.receive(other, results)
    assert batches.states(other) == {"sent": 2}


def test_results_that_were_changed_or_cut_are_refused(area, maker, home):
    batch = sent(area, maker)
    results = batches.make_cards(batch, home)
    lines = results.read_bytes().splitlines(keepends=True)
    for lines_ in (lines[:-1], [*lines[:1], lines[1].replace(b'"good"', b'"spoiled"'), *lines[2:]], [b"{}\n"], []):
        results.write_bytes(b"".join(lines_))
        with pytest.raises(Refusal, match="results-broken"):
            batches.receive(batch, results)
    assert batches.states(batch) == {"sent": 6}


def test_results_signed_by_another_maker_are_refused(area, maker, home):
    batch = sent(area, maker)
    results, key = batches.make_cards(batch, home), SM.generate()
    reader = ResultReader(results, homes.private_key(home).public)
    with ResultWriter(results.with_suffix(".forged"), reader.info, key) as writer:
        for card in reader.cards():
            writer.add(card)
    with pytest.raises(Refusal, match="results-broken"):
        batches.receive(batch, results.with_suffix(".forged"))


def test_results_are_received_once_the_batch_was_sent_and_by_its_own_office(area, maker, home):
    for _ in range(2):
        batches.make_ordered(area=area)
    batch = batches.prepare(batches.open_batch(area, maker))
    results = batches.make_cards(batch, home)
    with pytest.raises(Refusal, match="step-not-open"):
        batches.receive(batch, results)
    batch = batches.send(batch)
    stranger = batches.producer(builders.make_area(430102))
    with pytest.raises(Refusal, match="not-found"):
        services.receive_results(batch, results, by=stranger, request_id=builders.request_id(), at=NOON)
    with pytest.raises(Refusal, match="not-permitted"):
        services.receive_results(batch, results, by=builders.make_actor("clerk", area=area),
                                 request_id=builders.request_id(), at=NOON)


def test_a_received_batch_is_closed(area, maker, home):
    batch = sent(area, maker, 1)
    batch = batches.receive(batch, batches.make_cards(batch, home))
    batch = services.close_batch(batch, by=batches.producer(area), request_id=builders.request_id(), at=NOON)
    assert batch.state == "closed"


def test_the_database_itself_keeps_the_counts_together(area, maker, home):
    batch = sent(area, maker, 2)
    batch = batches.receive(batch, batches.make_cards(batch, home))
    for broken in ("good = 1", "held = 1", "prepared = 3"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE production_batch SET {broken}")


def test_the_events_of_a_received_card_name_the_batch_and_not_the_person(area, maker, home):
    batch = sent(area, maker, 1)
    batches.receive(batch, batches.make_cards(batch, home))
    card = Card.objects.get()
    told = json.dumps(list(Event.objects.filter(subject_id=card.pk).values_list("facts", flat=True)))
    assert batch.number in told and card.holder.name not in told


# -- cards that ended on their way -------------------------------------------------------------------------------------
def end(card: Card) -> None:
    """The holder's certificate is cancelled, and the card with it."""
    Certificate.objects.filter(pk=card.certificate_id).update(state="cancelled")
    cards.cancel_all(card.holder_id, by=builders.make_actor("approver"), request_id=builders.request_id(), at=NOON)


def test_a_card_that_ends_before_its_batch_is_prepared_is_held_out_of_it(area, maker):
    ended, other = (batches.make_ordered(area=area) for _ in range(2))
    batch = batches.open_batch(area, maker)
    end(ended)
    batch = batches.prepare(batch)
    assert (batch.prepared, batch.held, Card.get(ended.pk).state) == (1, 1, "cancelled")
    assert Item.objects.get(card=ended).reason == "certificate-not-valid"
    assert (Card.get(other.pk).state, Card.get(ended.pk).serial) == ("prepared", None)


def test_a_card_that_was_cancelled_is_held_though_its_certificate_holds_again(area, maker):
    card = batches.make_ordered(area=area)
    batch = batches.open_batch(area, maker)
    end(card)
    Certificate.objects.filter(pk=card.certificate_id).update(state="valid")
    assert (batches.prepare(batch).held, Item.objects.get(card=card).reason) == (1, "card-cancelled")


@pytest.mark.parametrize("when", ["prepared", "sent"])
def test_a_card_that_ends_once_it_is_prepared_comes_back_to_be_destroyed(area, maker, home, when):
    ended, other = (batches.make_ordered(area=area) for _ in range(2))
    batch = batches.prepare(batches.open_batch(area, maker))
    if when == "sent":
        batch = batches.send(batch)
    end(ended)
    assert queries.ended(batch) == 1
    if when == "prepared":
        batch = batches.send(batch)
    assert batches.states(batch) == {"cancelled": 1, "sent": 1}
    again = batches.make_ordered(area=area)  # nothing keeps the holder of an ended card from another one
    again.holder = ended.holder
    again.save()
    batch = batches.receive(batch, batches.make_cards(batch, home))
    assert (batch.good, batch.suspect, found(batch)) == (2, 0, ["card-ended"])
    ended.refresh_from_db()
    assert (ended.state, Card.get(other.pk).state) == ("cancelled", "ready") and ended.uid is not None
    assert queries.findings(batch).get().serial == ended.serial
    assert batches.events_of(ended)[-2:] == ["cancel", "set_aside"]
    services.tell_ready(batch.pk, at=NOON)
    assert [letter.subject_id for letter in Letter.objects.all()] == [other.pk]


@pytest.mark.parametrize(("plant", "code"), [
    ("wrong-readback", "readback-differs"), ("power-cut", "maker-unsure"), ("duplicate-uid", "uid-twice"),
    ("print-swapped", "print-differs")])
def test_ended_cards_of_which_the_maker_tells_something_wrong_are_set_aside_too(area, maker, home, plant, code):
    batch = sent(area, maker, 2)
    for card in Card.objects.all():
        end(card)
    batch = batches.receive(batch, batches.make_cards(batch, home, plant=(plant,)))
    assert batches.states(batch) == {"cancelled": 2} and code in found(batch)
    assert found(batch).count("card-ended") == 2, "each is named to be destroyed"
    for card in Card.objects.all():
        assert batches.events_of(card)[-2:] == ["cancel", "set_aside"]
    assert not Card.objects.filter(items__outcome="suspect").exclude(uid=None).exists()


def test_an_ended_card_that_is_not_in_the_results_did_not_come_and_is_missing_not_set_aside(area, maker, home):
    batch = sent(area, maker, 1)
    card = Card.objects.get()
    end(card)
    batch = batches.receive(batch, batches.make_cards(batch, home, plant=("missing-card",)))
    assert (found(batch), batches.events_of(card)[-2:]) == (["card-missing"], ["cancel", "go_missing"])


def test_a_frozen_certificate_ends_no_card_it_waits_at_the_office(area, maker, home):
    card = batches.make_ordered(area=area)
    batch = batches.send(batches.prepare(batches.open_batch(area, maker)))
    Certificate.objects.filter(pk=card.certificate_id).update(state="frozen", frozen_for="under-inquiry")
    batch = batches.receive(batch, batches.make_cards(batch, home))
    assert (found(batch), Card.get(card.pk).state) == ([], "ready")
    with pytest.raises(Refusal, match="certificate-not-valid"):
        cards.hand_over(Card.get(card.pk), by=builders.make_actor(area=area), request_id=builders.request_id(), at=NOON)


def test_holders_are_told_by_a_worker_that_their_cards_came(area, maker, home):
    batch = sent(area, maker, 3)
    batch = batches.receive(batch, batches.make_cards(batch, home))
    asked = ProcrastinateJob.objects.filter(task_name="production.tell_ready", args__batch_id=batch.pk)
    assert asked.count() == 1 and not Letter.objects.exists()
    for _ in range(2):
        tried("production.tell_ready", batch_id=batch.pk)
    assert set(Letter.objects.values_list("template", "channel")) == {("card-ready", "print")}
    assert Letter.objects.count() == 3
