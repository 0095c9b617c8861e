"""Suspect and spoiled cards are destroyed by two persons, many at once, and no holder is left without a card by it."""

import html

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from builders import NOON, make_actor, make_card, make_holder, make_officer, request_id
from visits import Visitor
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.core.models import Event

pytestmark = pytest.mark.django_db


def useless(state="suspect"):
    """A card that is good for nothing, of a holder who has another one in use."""
    holder = make_holder()
    wrong = make_card(holder, state=state)
    make_card(holder, state="active")
    return wrong


def by(actor):
    return {"by": actor, "request_id": request_id(), "at": NOON}


def events_of(card):
    return list(Event.objects.filter(subject="card", subject_id=card.pk).order_by("version").values_list(
        "action", "person"))[-2:]


def test_one_proposes_another_destroys_and_each_card_has_both_events():
    wrong = [useless("suspect"), useless("spoiled"), useless("cancelled")]
    ids, first, second = [card.pk for card in wrong], make_actor("producer"), make_actor("producer")
    assert cards.condemn_many(ids, **by(first)).moved == 3
    alone = cards.destroy_many(ids, **by(first))
    assert (alone.moved, alone.left) == (0, {"same-person": 3})
    assert cards.destroy_many(ids, **by(second)).moved == 3
    for card in wrong:
        assert Card.get(card.pk).state == "destroyed"
        assert events_of(card) == [("condemn", first.person), ("destroy", second.person)]


def test_what_nobody_proposed_is_not_destroyed_and_what_is_spared_is_as_before():
    wrong, first, second = useless(), make_actor("producer"), make_actor("producer")
    assert cards.destroy_many([wrong.pk], **by(second)).left == {"card-not-condemned": 1}
    cards.condemn_many([wrong.pk], **by(first))
    assert cards.condemn_many([wrong.pk], **by(second)).left == {"card-condemned": 1}
    assert cards.spare_many([wrong.pk], **by(second)).moved == 1
    assert cards.destroy_many([wrong.pk], **by(second)).left == {"card-not-condemned": 1}
    assert Card.get(wrong.pk).state == "suspect"


def test_a_card_in_whose_place_none_was_ordered_is_kept_until_one_is():
    holder, producer = make_holder(), make_actor("producer")
    only = make_card(holder, state="suspect")
    assert cards.condemn_many([only.pk], **by(producer)).left == {"card-not-replaced": 1}
    cards.reorder_many([only.pk], **by(producer))
    assert cards.condemn_many([only.pk], **by(producer)).moved == 1


def test_a_repeat_moves_nothing_and_a_card_in_use_is_left_alone():
    wrong, producer = useless(), make_actor("producer")
    asked = by(producer)
    assert cards.condemn_many([wrong.pk], **asked).moved == 1
    cards.spare_many([wrong.pk], **by(producer))
    again = cards.condemn_many([wrong.pk], **asked)
    assert (again.moved, again.left) == (0, {})
    used = Card.objects.get(holder=wrong.holder, state="active")
    assert cards.condemn_many([used.pk], **by(producer)).left == {"step-not-open": 1}
    with pytest.raises(Refusal, match="not-permitted"):
        cards.condemn_many([wrong.pk], **by(make_actor("clerk")))


def test_the_database_keeps_that_no_one_person_destroys_a_card():
    wrong = useless()
    for proposer, destroyer in (("", ""), ("a", ""), ("", "b"), ("a", "a")):
        with pytest.raises(IntegrityError, match="card_destroyed_by_two"), transaction.atomic(), \
                connection.cursor() as cursor:
            cursor.execute("UPDATE cards_card SET state = 'destroyed', condemned_person = %s, destroyed_person = %s "
                           "WHERE id = %s", [proposer, destroyer, wrong.pk])


def test_a_card_whose_replacement_has_ended_since_it_was_proposed_is_not_destroyed():
    wrong, first, second = useless(), make_actor("producer"), make_actor("producer")
    cards.condemn_many([wrong.pk], **by(first))
    Card.objects.filter(holder=wrong.holder, state="active").update(state="cancelled")
    assert cards.destroy_many([wrong.pk], **by(second)).left == {"card-not-replaced": 1}
    assert Card.get(wrong.pk).state == "suspect"


def page(visitor):
    return html.unescape(visitor.get(reverse("staff:cards"), {"state": "suspect"}).content.decode())


def test_officers_do_it_on_the_list_of_suspect_cards_and_are_told_why_a_card_stays():
    wrong, only = useless(), make_card(make_holder(), state="suspect")
    one, other = Visitor(make_officer("producer")), Visitor(make_officer("producer"))

    def press(visitor, name, *ids, **more):
        return visitor.act(reverse("staff:cards-useless", args=["suspect", name]), card=ids, **more)

    press(one, "condemn", wrong.pk, only.pk)
    said = page(one)
    assert "Propose destruction: 1 card" in said and "First order another card in its place." in said
    assert "You proposed to destroy it" in said and "A colleague proposes to destroy it" in page(other)
    press(one, "order-again", only.pk)
    assert "Order others in their place: 1 card" in page(one)
    assert "Destroy 1 card?" in press(other, "destroy", wrong.pk).content.decode()
    assert Card.get(wrong.pk).state == "suspect", "it is asked a second time"
    press(other, "destroy", wrong.pk, sure="1")
    assert Card.get(wrong.pk).state == "destroyed" and "Destroy: 1 card" in page(other)
    assert "Propose destruction" not in page(Visitor(make_officer("clerk")))


def test_a_card_that_ended_and_came_back_is_destroyed_from_its_list_and_none_is_ordered_in_its_place_there():
    ended = useless("cancelled")
    one, other = Visitor(make_officer("producer")), Visitor(make_officer("producer"))
    listed = html.unescape(one.get(reverse("staff:cards"), {"state": "cancelled"}).content.decode())
    assert "Propose destruction" in listed and "Order others in their place" not in listed
    told = {"card": [ended.pk]}
    assert one.act(reverse("staff:cards-useless", args=["cancelled", "order-again"]), **told).status_code == 404
    one.act(reverse("staff:cards-useless", args=["cancelled", "condemn"]), **told)
    other.act(reverse("staff:cards-useless", args=["cancelled", "destroy"]), sure="1", **told)
    assert Card.get(ended.pk).state == "destroyed"
