"""A card that never came is not recorded as destroyed: it is missing, declared lost by two, and never good again."""

import html

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

import batches
import builders
from builders import NOON, make_actor, make_card, make_holder, make_officer, request_id
from visits import Visitor
from zhengka.cards import queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card, ChipOrder
from zhengka.cards.workflow import CARD
from zhengka.core import files
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.formats import statuslist
from zhengka.formats.statuslist import Status
from zhengka.keys import queries as key_queries
from zhengka.keys import services as keys

pytestmark = pytest.mark.django_db


def by(actor):
    return {"by": actor, "request_id": request_id(), "at": NOON}


def missing(state="missing"):
    """A card that is not here, of a holder who has another one in use."""
    holder = make_holder()
    gone = make_card(holder, state=state)
    make_card(holder, state="active")
    return gone


def events_of(card):
    return list(Event.objects.filter(subject="card", subject_id=card.pk).order_by("version").values_list(
        "action", "person"))


def test_a_card_that_is_not_in_the_results_is_missing_and_nobody_can_record_that_it_was_destroyed(tmp_path):
    area = builders.make_area()
    maker = batches.make_maker(tmp_path / "maker", area)
    for _ in range(3):
        batches.make_ordered(area=area)
    batch = batches.send(batches.prepare(batches.open_batch(area, maker)))
    batch = batches.receive(batch, batches.make_cards(batch, tmp_path / "maker", plant=("missing-card",)))
    gone = Card.objects.get(state="missing")
    assert (batch.good, batch.suspect, gone.uid) == (2, 1, None) and events_of(gone)[-1][0] == "go_missing"
    one, other = make_actor("producer"), make_actor("producer")
    assert len(cards.reorder_many([gone.pk], **by(one))) == 1, "its holder has another one made, as for a suspect card"
    assert cards.condemn_many([gone.pk], **by(one)).left == {"step-not-open": 1}
    assert cards.destroy_many([gone.pk], **by(other)).left == {"step-not-open": 1}
    assert cards.propose_lost_many([gone.pk], **by(one)).moved == 1
    assert cards.declare_lost_many([gone.pk], **by(other)).moved == 1
    assert cards.condemn_many([gone.pk], **by(one)).left == {"step-not-open": 1}


def test_no_step_leads_from_a_card_that_is_not_here_to_one_that_is_destroyed_or_good():
    onward = {step.target for step in CARD.steps if step.source in ("missing", "lost")}
    assert onward == {"missing", "lost", "suspect"}


def test_one_proposes_another_declares_it_lost_and_each_step_has_its_person():
    gone, one, other = missing(), make_actor("producer"), make_actor("producer")
    assert cards.declare_lost_many([gone.pk], **by(other)).left == {"loss-not-proposed": 1}
    assert cards.propose_lost_many([gone.pk], **by(one)).moved == 1
    assert cards.propose_lost_many([gone.pk], **by(other)).left == {"loss-proposed": 1}
    alone = cards.declare_lost_many([gone.pk], **by(one))
    assert (alone.moved, alone.left, Card.get(gone.pk).state) == (0, {"same-person": 1}, "missing")
    assert cards.declare_lost_many([gone.pk], **by(other)).moved == 1
    assert events_of(gone) == [("propose_lost", one.person), ("declare_lost", other.person)]
    assert Card.get(gone.pk).state == "lost"


def test_a_lost_card_that_turns_up_is_suspect_and_two_persons_destroy_it():
    gone, one, other = missing("lost"), make_actor("producer"), make_actor("producer")
    assert cards.turn_up_many([gone.pk], **by(one)).moved == 1
    back = Card.get(gone.pk)
    assert (back.state, back.missed_person, back.lost_person) == ("suspect", "", "")
    assert cards.destroy_many([gone.pk], **by(other)).left == {"card-not-condemned": 1}
    cards.condemn_many([gone.pk], **by(one))
    assert cards.destroy_many([gone.pk], **by(one)).left == {"same-person": 1}
    assert cards.destroy_many([gone.pk], **by(other)).moved == 1


def test_a_proposal_does_not_outlive_the_day_on_which_the_card_turned_up():
    gone, one, other = missing(), make_actor("producer"), make_actor("producer")
    cards.propose_lost_many([gone.pk], **by(one))
    cards.turn_up_many([gone.pk], **by(other))
    assert cards.note_missing_many([gone.pk], **by(one)).moved == 1
    assert cards.declare_lost_many([gone.pk], **by(other)).left == {"loss-not-proposed": 1}


@pytest.mark.parametrize("state", ["suspect", "spoiled", "cancelled"])
def test_a_useless_card_that_is_not_where_it_should_lie_is_missing_and_its_destruction_is_off(state):
    gone, one, other = missing(state), make_actor("producer"), make_actor("producer")
    cards.condemn_many([gone.pk], **by(one))
    assert cards.note_missing_many([gone.pk], **by(other)).moved == 1
    assert cards.destroy_many([gone.pk], **by(other)).left == {"step-not-open": 1}
    cards.turn_up_many([gone.pk], **by(other))
    assert cards.destroy_many([gone.pk], **by(other)).left == {"card-not-condemned": 1}


def test_no_card_that_is_with_the_maker_or_its_holder_is_noted_as_missing():
    used = [make_card(state=state).pk for state in ("sent", "ready", "issued", "active", "suspended")]
    assert cards.note_missing_many(used, **by(make_actor("producer"))).left == {"step-not-open": 5}


def test_a_card_in_whose_place_none_was_ordered_is_not_declared_lost_before_one_is():
    only, one, other = make_card(make_holder(), state="missing"), make_actor("producer"), make_actor("producer")
    assert cards.propose_lost_many([only.pk], **by(one)).left == {"card-not-replaced": 1}
    cards.reorder_many([only.pk], **by(one))
    assert cards.propose_lost_many([only.pk], **by(one)).moved == 1
    Card.objects.filter(replaces=only).update(state="cancelled", replaces=None)
    assert cards.declare_lost_many([only.pk], **by(other)).left == {"card-not-replaced": 1}


def test_a_repeat_moves_nothing_and_who_may_not_receive_batches_does_none_of_it():
    gone, one, other = missing(), make_actor("producer"), make_actor("producer")
    asked = by(one)
    assert cards.turn_up_many([gone.pk], **asked).moved == 1
    cards.note_missing_many([gone.pk], **by(one))
    again = cards.turn_up_many([gone.pk], **asked)
    assert (again.moved, again.left, Card.get(gone.pk).state) == (0, {}, "missing")
    elsewhere = make_actor("producer", area=builders.make_area(430102))
    for act in (cards.note_missing_many, cards.propose_lost_many, cards.declare_lost_many, cards.turn_up_many):
        with pytest.raises(Refusal, match="not-permitted"):
            act([gone.pk], **by(make_actor("clerk")))
        assert act([gone.pk], **by(elsewhere)).left == {"step-not-open": 1}, "a card of another office is not there"
    cards.propose_lost_many([gone.pk], **by(one))
    asked = by(other)
    assert [cards.declare_lost_many([gone.pk], **asked).moved for _ in range(2)] == [1, 0]
    assert [action for action, _ in events_of(gone)].count("declare_lost") == 1


def test_the_database_keeps_that_no_one_person_declares_a_card_lost():
    gone = missing()
    for proposer, second in (("", ""), ("a", ""), ("", "b"), ("a", "a")):
        with pytest.raises(IntegrityError, match="card_lost_by_two"), transaction.atomic(), \
                connection.cursor() as cursor:
            cursor.execute("UPDATE cards_card SET state = 'lost', missed_person = %s, lost_person = %s WHERE id = %s",
                           [proposer, second, gone.pk])


def test_gates_refuse_a_missing_card_and_are_told_at_once_that_a_lost_one_is_revoked(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"
    keys.ensure(builders.make_area().code, "SM", at=NOON)
    [gone] = builders.with_numbers(missing("sent"))
    number, one, other = gone.status_list, make_actor("producer"), make_actor("producer")
    cards.publish_status_lists(at=NOON, number=number)
    assert not queries.told_to_gates([make_card(state="sent").pk], at=NOON), "a card without a place is in no list"
    assert queries.told_to_gates([gone.pk], at=NOON) and queries.gate_state(gone, NOON) == "not-activated"
    Card.objects.filter(pk=gone.pk).update(state="missing")
    assert queries.gate_state(Card.get(gone.pk), NOON) == "revoked"
    cards.propose_lost_many([gone.pk], **by(one))
    cards.declare_lost_many([gone.pk], **by(other))
    [list_] = cards.publish_status_lists(at=NOON, number=number)
    said = statuslist.parse(files.get(list_.digest), keys=key_queries.key_set(), at=NOON)
    assert said.status(gone.status_index) is Status.REVOKED
    assert queries.gate_state(Card.get(gone.pk), NOON) == "revoked"


@pytest.mark.parametrize("state", ["missing", "lost", "suspect", "destroyed"])
def test_the_chip_of_a_card_that_turned_up_is_never_told_to_open(state):
    card = missing(state)
    ChipOrder(province=card.province, area_id=card.area_id, card=card, what="block", state="applied", ordered_at=NOON,
              applied_at=NOON, receipt=b"told").save()
    assert queries.chip_due(card).what == ""


def page(visitor, state):
    return html.unescape(visitor.get(reverse("staff:cards"), {"state": state}).content.decode())


def test_officers_do_it_on_the_list_of_missing_cards_and_the_worklist_leads_there():
    gone = missing()
    one, other = Visitor(make_officer("producer")), Visitor(make_officer("producer"))

    def press(visitor, state, name, **more):
        return visitor.act(reverse("staff:cards-useless", args=[state, name]), card=[gone.pk], **more)

    assert "Cards that are not here, to look for" in html.unescape(one.get(reverse("staff:home")).content.decode())
    press(one, "missing", "propose-lost")
    assert "You proposed to declare it lost" in page(one, "missing")
    assert "A colleague proposes to declare it lost" in page(other, "missing")
    assert "Declare 1 card lost?" in press(other, "missing", "declare-lost").content.decode()
    assert Card.get(gone.pk).state == "missing", "it is asked a second time"
    press(other, "missing", "declare-lost", sure="1")
    assert Card.get(gone.pk).state == "lost" and "Turned up" in page(one, "lost")
    assert press(one, "lost", "destroy", sure="1").status_code == 404, "nobody destroys what is not in hand"
    own = html.unescape(one.get(reverse("staff:card", args=[gone.pk])).content.decode())
    assert "Turned up" in own, "who lays it on a reader finds its page"
    one.act(reverse("staff:card-step", args=[gone.pk, "turn_up"]))
    assert "keep it apart" in html.unescape(one.get(reverse("staff:card", args=[gone.pk])).content.decode())
    Card.objects.filter(pk=gone.pk).update(state="missing")
    press(one, "missing", "turn-up")
    assert Card.get(gone.pk).state == "suspect" and "Note as not here" in page(one, "suspect")
    press(one, "suspect", "not-here")
    assert Card.get(gone.pk).state == "missing"
    assert "Turned up" not in page(Visitor(make_officer("clerk")), "missing")
