"""From the counter to the gate: handed over, activated, lost and found; never two usable cards of one holder."""

import datetime as dt
import threading
from collections import Counter

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Q

import builders
from builders import NOON
from zhengka.cards import queries, rules, services
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.registry import services as registry

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def act(verb, subject, by=None, at=NOON, request_id=None):
    return verb(subject, by=by or builders.make_actor(), request_id=request_id or builders.request_id(), at=at)


def jobs():
    with connection.cursor() as cursor:
        cursor.execute("SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def test_a_card_is_handed_over_and_the_paper_certificate_comes_back():
    card = builders.make_card()
    paper = builders.make_certificate(card.holder)
    card = act(services.hand_over, card)
    paper.refresh_from_db()
    assert (card.state, card.handed_over_at, paper.state) == ("issued", NOON, "returned")


def test_a_card_whose_paper_certificate_is_back_already_is_handed_over():
    assert act(services.hand_over, builders.make_card()).state == "issued"


def test_a_handed_over_card_is_usable_once_it_is_activated_and_until_its_anniversary():
    card = builders.make_card(state="issued")
    assert queries.gate_state(card, NOON) == "not-activated"
    card = act(services.activate, card)
    assert card.active_until == dt.date(2027, 11, 20) and card.valid_until == dt.date(2036, 11, 20)
    assert queries.gate_state(card, NOON + (365 + 30) * DAY) == "valid", "with thirty days of grace"
    assert queries.gate_state(card, NOON + (366 + 30) * DAY) == "activation-lapsed"


def test_an_activation_repeated_with_its_request_id_gives_no_second_year():
    card, request, clerk = builders.make_card(state="issued"), builders.request_id(), builders.make_actor()
    act(services.activate, card, clerk, request_id=request)
    with pytest.raises(Replayed):
        act(services.activate, card, clerk, request_id=request)
    assert Card.get(card.pk).active_until == dt.date(2027, 11, 20)


def test_the_next_year_is_activated_near_the_end_only_and_never_shortens():
    card = builders.make_card(state="active")
    early = NOON + (365 - 91) * DAY
    with pytest.raises(Refusal, match="activation-not-due"):
        act(services.activate, card, at=early)
    assert act(services.activate, card, at=early + DAY).active_until == dt.date(2028, 11, 20)


def test_a_lapsed_card_is_good_for_a_year_from_the_day_of_its_activation():
    card = builders.make_card(state="active", active_until=NOON.date() - 40 * DAY)
    assert queries.gate_state(card, NOON) == "activation-lapsed"
    assert act(services.activate, card).active_until == dt.date(2027, 11, 20)


@pytest.mark.parametrize("old_state", ["active", "suspended"])
def test_a_new_card_ends_the_older_one_in_the_same_transaction(old_state):
    old = builders.make_card(state=old_state)
    new = act(services.activate, builders.make_card(old.holder, state="issued"))
    assert (Card.get(old.pk).state, new.state) == ("cancelled", "active")
    assert Event.objects.get(subject_id=old.pk).action == "supersede"


def test_an_older_card_stays_usable_until_the_new_one_is_activated():
    old = builders.make_card(state="active")
    act(services.hand_over, builders.make_card(old.holder))
    with pytest.raises(Refusal, match="step-not-open"):
        act(services.activate, builders.make_card(state="ready"))
    assert Card.get(old.pk).state == "active"


def test_many_cards_are_handed_over_and_activated_as_one_is():
    clerk = builders.make_actor()
    single, *many = (builders.make_card() for _ in range(4))
    older = {card.pk: builders.make_card(card.holder, state="suspended") for card in (single, many[0])}
    papers = [builders.make_certificate(card.holder) for card in (single, many[0])]
    act(services.activate, act(services.hand_over, single, clerk), clerk)
    ids = [card.pk for card in many]
    request = builders.request_id()
    assert act(services.hand_over_many, ids, clerk, request_id=request) == ids
    assert act(services.hand_over_many, ids, clerk, request_id=request) == []
    assert act(services.activate_many, ids, clerk) == ids
    assert act(services.activate_many, ids, clerk) == []
    for row in Card.objects.filter(pk__in=[single.pk, *ids]):
        assert (row.state, row.version, row.handed_over_at, row.active_until) == (
            "active", 3, NOON, dt.date(2027, 11, 20))
    assert {Card.get(old.pk).state for old in older.values()} == {"cancelled"}

    def story(card):
        paper = next(p.pk for p in papers if p.holder_id == card.holder_id)
        both = [card.pk, older[card.pk].pk]
        its = Q(subject="card", subject_id__in=both) | Q(subject="certificate", subject_id=paper)
        return sorted((e.subject, e.version, e.action, e.source, e.target, e.person, e.at, str(e.facts))
                      for e in Event.objects.filter(its))
    assert story(single) == story(many[0])


def test_a_lost_card_is_refused_at_once_and_accepted_again_when_it_is_found():
    card = builders.make_card(state="active")
    assert queries.gate_state(act(services.report_lost, card), NOON) == "suspended"
    assert queries.gate_state(act(services.report_found, card), NOON) == "valid"


def test_a_clerk_of_another_unit_cannot_report_a_card_lost():
    stranger = builders.make_actor(area=builders.make_area(430102))
    with pytest.raises(Refusal, match="not-found"):
        act(services.report_lost, builders.make_card(state="active"), stranger)


def test_each_change_asks_once_for_the_list_in_which_the_card_stands():
    one, two = builders.make_card(state="active"), builders.make_card(state="active")
    Card.objects.filter(pk=one.pk).update(status_list=11008, status_index=1)
    Card.objects.filter(pk=two.pk).update(status_list=11008, status_index=2)
    act(services.report_lost, one)
    act(services.report_lost, two)
    assert jobs() == ["status list 11008"]


def test_the_database_itself_refuses_a_second_usable_card():
    old = builders.make_card(state="active")
    with pytest.raises(IntegrityError, match="card_usable_once"), transaction.atomic():
        builders.make_card(old.holder, state="active")


def at_once(*works):
    """Run all works at one barrier; how often each answered, refused, or was a replay."""
    barrier, told = threading.Barrier(len(works)), Counter()

    def run(work):
        try:
            barrier.wait()
            work()
            told["done"] += 1
        except (Refusal, Replayed) as no:
            told[getattr(no, "code", "replayed")] += 1
        except Exception as bug:
            told[repr(bug)] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(4))
def test_eight_officers_at_once_leave_one_usable_card(round_):
    clerk, old = builders.make_actor(), builders.make_card(state="suspended")
    new = builders.make_card(old.holder, state="issued")
    told = at_once(
        *[lambda: act(services.activate, new, clerk)] * 3, *[lambda: act(services.report_found, old, clerk)] * 2,
        lambda: act(services.report_lost, old, clerk), lambda: act(services.activate_many, [new.pk], clerk),
        lambda: act(services.report_found, old, clerk))
    states = {card.pk: card.state for card in Card.objects.filter(holder=old.holder)}
    assert states == {old.pk: "cancelled", new.pk: "active"}
    assert set(told) <= {"done", "step-not-open", "activation-not-due"}, told
    assert Event.objects.filter(action="activate").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_request_sent_eight_times_at_once_has_one_effect():
    clerk, card, request = builders.make_actor(), builders.make_card(state="issued"), builders.request_id()
    told = at_once(*[lambda: act(services.activate, card, clerk, request_id=request)] * 8)
    assert told == {"done": 1, "replayed": 7}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("state", "verb"), [("issued", "activate"), ("issued", "activate_many"),
                                             ("suspended", "report_found")])
def test_a_certificate_is_not_frozen_between_the_look_at_it_and_the_card_that_is_made_usable(state, verb):
    card, clerk, approver = builders.make_card(state=state), builders.make_actor(), builders.make_actor("approver")
    done = threading.Event()

    def freeze():
        try:
            with transaction.atomic():
                registry.freeze(card.certificate, "under-inquiry", by=approver, request_id=builders.request_id(),
                                at=NOON)
                services.freeze_all(card.holder_id, by=approver, request_id=builders.request_id(), at=NOON)
            done.set()
        finally:
            connection.close()

    other = threading.Thread(target=freeze)
    with transaction.atomic():
        act(getattr(services, verb), [card.pk] if verb == "activate_many" else card, clerk)
        other.start()
        assert not done.wait(0.5), "it waits for the card"
    other.join()
    card = Card.get(card.pk)
    assert (card.certificate.state, card.state) == ("frozen", "frozen")
    assert queries.gate_state(card, NOON) == "suspended"


def test_a_gate_refuses_a_card_whose_certificate_does_not_hold_whatever_the_card_says():
    card = builders.make_card(state="active")
    for state, frozen_for, means in (("frozen", "under-inquiry", "suspended"), ("cancelled", "", "suspended"),
                                     ("replaced", "", "valid"), ("valid", "", "valid")):
        type(card.certificate).objects.update(state=state, frozen_for=frozen_for)
        assert queries.gate_state(Card.get(card.pk), NOON) == means


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", [
    "UPDATE registry_certificate SET state = 'frozen', frozen_for = 'under-inquiry' WHERE id = %(certificate)s",
    "UPDATE registry_certificate SET state = 'cancelled' WHERE id = %(certificate)s",
    "UPDATE registry_certificate SET state = 'replaced' WHERE id = %(certificate)s",
    "UPDATE registry_certificate SET state = 'cancelled' WHERE id = %(other)s; "
    "UPDATE cards_card SET state = 'active', active_until = '2027-01-01' WHERE certificate_id = %(other)s"])
def test_the_database_itself_lets_no_card_be_active_whose_certificate_does_not_hold(change):
    card, other = builders.make_card(state="active"), builders.make_card(state="issued")
    with pytest.raises(IntegrityError, match="whose certificate does not hold"), connection.cursor() as cursor:
        for one in change.split("; "):
            cursor.execute(one, {"certificate": card.certificate_id, "other": other.certificate_id})


@pytest.mark.parametrize(("state", "active_until", "day", "means"), [
    ("active", NOON.date(), NOON.date(), "valid"), ("active", NOON.date(), NOON.date() + DAY, "activation-lapsed"),
    ("issued", None, NOON.date(), "not-activated"), ("ready", None, NOON.date(), "not-activated"),
    ("suspended", NOON.date(), NOON.date(), "suspended"), ("cancelled", NOON.date(), NOON.date(), "revoked"),
    ("spoiled", None, NOON.date(), "revoked"), ("active", dt.date(2037, 1, 1), dt.date(2036, 11, 20), "valid"),
    ("active", dt.date(2037, 1, 1), dt.date(2036, 11, 21), "expired"),
    ("cancelled", None, dt.date(2036, 11, 21), "revoked")])
def test_a_gate_accepts_an_active_card_of_this_year_and_nothing_else(state, active_until, day, means):
    assert rules.standing(state, passes_until=active_until, valid_until=dt.date(2036, 11, 20), today=day) == means
