"""A token that is gone, or that answers for another key, while cards are read, written and made: each end has its name
and is counted, no card loses a try, and none is made of it.
"""

from collections.abc import Callable

import pytest
from pkcs11 import Attribute, ObjectClass

import batches
import tokens
from builders import NOON, make_area, request_id
from ceremonies import use_store
from reading_desk import make_counter, make_issued, talk
from zhengka.cards.models import Card
from zhengka.config.env import TokenPlace
from zhengka.core.errors import Refusal
from zhengka.devices import queries
from zhengka.keys.models import Key
from zhengka.keys.store.token import Token
from zhengka.production import services
from zhengka.production.models import Batch, Chunk
from zhengka.production.tasks import prepare_chunk

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pcsc")]


@pytest.fixture
def in_token(db, token_home, settings, tmp_path):
    """The key store is a token."""
    (tmp_path / "home").mkdir()
    use_store("token", settings, tmp_path / "home")
    return settings


def go(settings) -> None:
    """The token is pulled out."""
    settings.KEY_TOKEN = TokenPlace(tokens.SOFTHSM, "no such token", "")


def swap(settings) -> None:
    """Somebody puts the entry of one master in the place of every other one."""
    labels = list(Key.objects.filter(purpose__in=("card_master", "credential")).values_list("label", flat=True))

    def work(desk) -> None:
        entries = [one for label in labels for one in desk.session.get_objects({Attribute.LABEL: label})
                   if one[Attribute.CLASS] is ObjectClass.DATA]
        values = [bytes(one[Attribute.VALUE]) for one in entries]
        for one, label, other in zip(entries, labels, values[1:] + values[:1], strict=True):
            one.destroy()
            desk.session.create_object({
                Attribute.CLASS: ObjectClass.DATA, Attribute.TOKEN: True, Attribute.PRIVATE: True,
                Attribute.APPLICATION: "zhengka", Attribute.LABEL: label, Attribute.VALUE: other})
    Token(tokens.SOFTHSM, settings.KEY_TOKEN.label, tokens.PIN).call(work)


@pytest.mark.parametrize("fail", [go, swap])
@pytest.mark.parametrize("purpose", ["identify", "write", "gate"])
def test_a_token_that_fails_while_a_card_lies_on_the_reader_is_named_and_counted_and_costs_no_try(
        room, in_token, tmp_path, fail: Callable, purpose):
    counter = make_counter(tmp_path / "reader")
    card, chip = make_issued(room, counter)
    before = chip.memory
    fail(in_token)
    said = talk(counter, purpose, card if purpose == "write" else None)
    assert (said.reading.outcome, said.read) == ("psam-failed", None) and chip.memory == before
    assert queries.outcomes(counter.reader, since=NOON) == {"psam-failed": 1}


@pytest.mark.parametrize("fail", [go, swap])
def test_a_token_that_fails_while_a_batch_is_prepared_makes_no_card_and_the_batch_says_why(
        in_token, tmp_path, fail: Callable):
    area = make_area()
    batches.make_ordered(area=area)
    batch = batches.open_batch(area, batches.make_maker(tmp_path / "maker", area))
    batch = services.prepare_batch(batch, by=batches.producer(area), request_id=request_id(), at=NOON)
    fail(in_token)
    [chunk] = Chunk.objects.filter(batch=batch)
    with pytest.raises(Refusal, match="key-store-fails"):
        prepare_chunk(chunk.pk)
    assert Batch.get(batch.pk).problem == "key-store-fails"
    assert not Card.objects.filter(state="prepared").exists() and not Card.objects.exclude(credential=None).exists()
