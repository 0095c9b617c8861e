"""A card maker's answer that comes twice, late, in another order or for another batch is refused by name, and no table
says anything else than before.
"""

import hashlib

import pytest
from django.db import connection, transaction

import batches
import builders
from builders import NOON
from worker import work
from zhengka.bulk.models import Act
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.production import services
from zhengka.production.models import Batch

pytestmark = pytest.mark.django_db
TABLES = ("production_batch", "production_chunk", "production_item", "production_finding", "cards_card", "core_event",
          "letters_letter", "bulk_act", "procrastinate_jobs")


def sent(area, maker, cards: int = 2) -> Batch:
    for _ in range(cards):
        batches.make_ordered(area=area)
    return batches.send(batches.prepare(batches.open_batch(area, maker)))


def closed(batch: Batch) -> Batch:
    return services.close_batch(batch, by=batches.producer(batch.area), request_id=builders.request_id(), at=NOON)


def tables() -> dict[str, str]:
    """A digest of every row of each table."""
    found = {}
    with connection.cursor() as cursor:
        for name in TABLES:
            cursor.execute(f"SELECT t::text FROM {name} t ORDER BY 1")
            found[name] = hashlib.sha256("\n".join(row for (row,) in cursor.fetchall()).encode()).hexdigest()
    return found


def refused(code: str, batch: Batch, results) -> None:
    """The results are refused by that name, and every table is as it was."""
    before = tables()
    with pytest.raises(Refusal, match=code), transaction.atomic():
        batches.receive(batch, results)
    assert tables() == before


def asked(batch: Batch, results) -> Act:
    """An officer uploads results; a worker does the rest."""
    with results.open("rb") as file:
        return services.ask_results(batch, file, by=batches.producer(batch.area), request_id=builders.request_id(),
                                    at=NOON)


def test_an_answer_that_comes_after_its_batch_was_closed_is_refused(area, maker, home):
    batch = sent(area, maker)
    results, other = batches.make_cards(batch, home), home / "another.jsonl"
    batch = closed(batches.receive(batch, results))
    refused("result-replayed", batch, results)
    other.write_bytes(batches.make_cards(batch, home, spoil=0.9).read_bytes())
    refused("step-not-open", batch, other)
    assert Batch.get(batch.pk).state == "closed"


def test_answers_of_two_batches_that_are_swapped_are_refused_and_each_is_taken_where_it_belongs(area, maker, home):
    one, other = sent(area, maker), sent(area, maker, 3)
    of_one, of_other = (batches.make_cards(batch, home) for batch in (one, other))
    refused("results-of-another-batch", one, of_other)
    refused("results-of-another-batch", other, of_one)
    assert batches.receive(other, of_other).good == 3, "the later one may come first"
    refused("results-of-another-batch", one, of_other)
    assert batches.receive(one, of_one).good == 2


def test_an_answer_for_a_batch_that_was_given_up_is_refused_and_its_cards_stay_void(area, maker, home):
    for _ in range(2):
        batches.make_ordered(area=area)
    batch = batches.prepare(batches.open_batch(area, maker))
    results = batches.make_cards(batch, home)  # somebody had taken the package out of the house
    by = batches.producer(area)
    batch = services.give_up_batch(batch, by=by, request_id=builders.request_id(), at=NOON)
    refused("step-not-open", batch, results)
    assert batches.states(batch) == {"spoiled": 2}
    assert Card.objects.filter(state="ordered", replaces__state="spoiled").count() == 2


def test_an_answer_that_two_officers_upload_is_taken_once_and_the_second_act_says_why_not(area, maker, home):
    batch = sent(area, maker)
    results = batches.make_cards(batch, home)
    acts = [asked(batch, results), asked(batch, results)]
    work()
    told = [(act.state, act.problem) for act in Act.objects.filter(pk__in=[act.pk for act in acts]).order_by("pk")]
    assert told == [("done", ""), ("refused", "result-replayed")]
    assert (Batch.get(batch.pk).good, batches.states(batch)) == (2, {"ready": 2})
    assert all(batches.events_of(card).count("accept") == 1 for card in Card.objects.all())


def test_an_upload_for_another_batch_is_refused_at_once_and_nothing_is_kept_of_it(area, maker, home, settings):
    settings.FILES = home / "files"  # other tests keep files at the same time
    one, other = sent(area, maker), sent(area, maker)
    results, before = batches.make_cards(one, home), tables()
    kept = sorted(settings.FILES.rglob("*"))
    with pytest.raises(Refusal, match="results-of-another-batch"):
        asked(other, results)
    assert tables() == before and sorted(settings.FILES.rglob("*")) == kept


def test_the_same_request_that_comes_again_after_the_batch_was_closed_tells_what_the_first_did(area, maker, home):
    batch = sent(area, maker)
    results, told = batches.make_cards(batch, home), {"by": batches.producer(area),
                                                      "request_id": builders.request_id(), "at": NOON}
    batch = closed(services.receive_results(batch, results, **told))
    before = tables()
    with pytest.raises(Replayed):
        services.receive_results(batch, results, **told)
    assert tables() == before
