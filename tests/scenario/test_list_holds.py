"""Mass blocks wait for two persons (I13), and single losses do not wait behind them."""

import datetime as dt
import threading

import pytest
from django.db import IntegrityError, connection, transaction

import builders
from blocking import MANY, block_many, many_active, refused, released, report, shown
from builders import NOON
from zhengka.cards import queries, services
from zhengka.cards.models import Card, HeldBack, ListHold, StatusPublication
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.formats.statuslist import Status

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"


def publish(at=NOON):
    return services.publish_status_lists(at=at)


def asked(hold, *, person="", role="approver", seen=None, why="已核实", request_id=None):
    return services.ask_release(hold, why, seen=hold.cards if seen is None else seen,
                                by=builders.make_actor(role, person=person),
                                request_id=request_id or builders.request_id(), at=NOON)


def release(hold, *, person="", role="leader", seen=None):
    return services.release(hold, seen=hold.cards if seen is None else seen,
                            by=builders.make_actor(role, person=person), request_id=builders.request_id(), at=NOON)


def refusal(do):
    with pytest.raises(Refusal) as no, transaction.atomic():
        do()
    return no.value.code


def test_a_mass_block_by_mistake_reaches_no_gate_and_is_undone_without_one_having_known():
    """What happened elsewhere: a wrong run put good cards on the list of stopped ones, and a city's gates closed."""
    cards = many_active(MANY + 3)
    block_many(cards[:MANY])
    publish(NOON + MINUTE)
    assert refused(cards) == 0, "no gate refuses anybody"
    hold = ListHold.objects.get()
    assert (hold.state, hold.cards, hold.area_id) == ("held", MANY, builders.make_area().code)
    assert {queries.gate_state(card, NOON) for card in Card.objects.filter(pk__in=[c.pk for c in cards[:MANY]])} == {
        "suspended"}, "the site itself refuses them meanwhile"
    for card in cards[:3]:
        report(services.report_found, card)
    publish(NOON + 2 * MINUTE)
    assert ListHold.objects.get().state == "held" and HeldBack.objects.filter(out_at=None).count() == MANY - 3
    for card in cards[3:MANY]:
        Card.objects.filter(pk=card.pk).update(state="active")
    publish(NOON + 3 * MINUTE)
    assert ListHold.objects.get().state == "undone" and refused(cards) == 0
    assert not HeldBack.objects.filter(out_at=None).exists()


def test_losses_that_are_reported_singly_do_not_wait_behind_a_mass_act():
    cards = many_active(MANY + 4)
    mass, before, beside, after, good = cards[:MANY], *cards[MANY:]
    report(services.report_lost, before)
    publish(NOON + MINUTE)
    block_many(mass)
    report(services.report_lost, beside)
    publish(NOON + 2 * MINUTE)
    report(services.report_lost, after)
    publish(NOON + 3 * MINUTE)
    assert (refused([before, beside, after]), refused([*mass, good])) == (3, 0)
    newest = queries.publications().get()
    assert (newest.blocked, newest.held, newest.newly) == (3, MANY, 1)


def test_five_hundred_go_out_at_once_and_one_more_waits():
    cards = many_active(501)
    block_many(cards[:500])
    publish(NOON + MINUTE)
    assert refused(cards) == 500 and not ListHold.objects.exists()
    publish(NOON + 30 * HOUR)
    for card in cards[:500]:
        Card.objects.filter(pk=card.pk).update(state="active")
    publish(NOON + 31 * HOUR)
    block_many(cards, at=NOON + 32 * HOUR)
    publish(NOON + 32 * HOUR)
    assert refused(cards, NOON + 32 * HOUR) == 0 and ListHold.objects.get().cards == 501


def test_what_one_officer_blocks_in_portions_is_counted_together_within_a_day():
    cards = many_active(MANY + 1)
    clerk = builders.make_actor()
    block_many(cards[:400], by=clerk)
    publish(NOON + MINUTE)
    block_many(cards[400:MANY], by=clerk)
    publish(NOON + 2 * MINUTE)
    assert refused(cards) == 400 and ListHold.objects.get().cards == MANY - 400
    report(services.report_lost, cards[MANY])
    publish(NOON + 3 * MINUTE)
    assert refused(cards) == 401, "another officer's report goes out"


def test_two_persons_release_a_mass_block_and_gates_are_told_of_it_then():
    cards = many_active()
    block_many(cards)
    publish(NOON + MINUTE)
    hold = asked(ListHold.objects.get())
    publish(NOON + 2 * MINUTE)
    assert refused(cards) == 0, "one person is not enough"
    release(hold)
    [publication] = publish(NOON + 3 * MINUTE)
    assert refused(cards) == MANY and (publication.newly, publication.held) == (0, 0)
    assert not HeldBack.objects.filter(out_at=None).exists()
    assert list(Event.objects.filter(subject="list-hold").order_by("version").values_list("action", flat=True)) == [
        "hold_back", "ask_release", "release"]


def test_the_same_mass_that_was_released_once_waits_again_the_next_time():
    cards = many_active()
    block_many(cards)
    publish(NOON + MINUTE)
    released(ListHold.objects.get())
    publish(NOON + 2 * MINUTE)
    Card.objects.update(state="active")
    publish(NOON + 3 * MINUTE)
    block_many(cards)
    publish(NOON + 4 * MINUTE)
    assert refused(cards) == 0 and ListHold.objects.filter(state="held").count() == 1


def test_a_hold_is_released_by_another_person_though_the_first_has_two_accounts():
    cards = many_active()
    block_many(cards)
    publish(NOON + MINUTE)
    hold = asked(ListHold.objects.get(), person="same")
    assert refusal(lambda: release(hold, person="same", role="leader")) == "same-person"
    with pytest.raises(IntegrityError), transaction.atomic():
        ListHold.objects.filter(pk=hold.pk).update(state="released", released_person="same", ended_at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        ListHold.objects.filter(pk=hold.pk).update(state="released", ended_at=NOON)
    assert release(hold, person="other").state == "released"


def test_who_asks_or_releases_has_seen_how_many_there_are_gives_a_reason_and_has_the_right():
    cards = many_active(MANY + 510)
    block_many(cards[:MANY])
    publish(NOON + MINUTE)
    hold = ListHold.objects.get()
    block_many(cards[MANY:])
    publish(NOON + 2 * MINUTE)
    assert refusal(lambda: asked(hold, seen=MANY)) == "hold-changed", "more came since the page was read"
    hold.refresh_from_db()
    assert hold.cards == MANY + 510
    assert refusal(lambda: asked(hold, why=" ")) == "reason-missing"
    assert refusal(lambda: asked(hold, role="clerk")) == "not-permitted"
    assert refusal(lambda: release(hold)) == "step-not-open"
    hold = asked(hold)
    assert refusal(lambda: release(hold, seen=MANY)) == "hold-changed"
    abroad = builders.make_area(430102)
    assert refusal(lambda: services.release(hold, seen=hold.cards, by=builders.make_actor("leader", area=abroad),
                                            request_id=builders.request_id(), at=NOON)) == "not-found"


def test_what_comes_after_somebody_asked_waits_in_a_hold_of_its_own():
    cards = many_active(MANY * 2)
    block_many(cards[:MANY])
    publish(NOON + MINUTE)
    hold = asked(ListHold.objects.get())
    block_many(cards[MANY:])
    publish(NOON + 2 * MINUTE)
    release(hold)
    publish(NOON + 3 * MINUTE)
    assert refused(cards[:MANY]) == MANY and refused(cards[MANY:]) == 0
    assert sorted(ListHold.objects.values_list("state", "cards")) == [("held", MANY), ("released", MANY)]


def test_not_released_after_all_it_waits_on_and_may_be_asked_for_again():
    cards = many_active()
    block_many(cards)
    publish(NOON + MINUTE)
    hold, key = ListHold.objects.get(), builders.request_id()
    hold = asked(hold, request_id=key)
    with pytest.raises(Replayed):
        asked(hold, request_id=key)
    hold = services.keep_held(hold, "尚未核实", by=builders.make_actor("leader"), request_id=builders.request_id(),
                              at=NOON)
    assert (hold.state, hold.asked_person) == ("held", "")
    released(hold)
    publish(NOON + 2 * MINUTE)
    assert refused(cards) == MANY


def test_new_cards_that_nobody_uses_yet_and_places_left_out_are_told_at_once():
    [card, *_] = many_active()
    Card.objects.exclude(pk=card.pk).update(state="ready", active_until=None)
    publish(NOON + MINUTE)
    assert not ListHold.objects.exists() and shown(card.status_list).version == int((NOON + MINUTE).timestamp())
    services.leave_out(1000, by=builders.make_actor(), request_id=builders.request_id(), at=NOON)
    publish(NOON + 2 * MINUTE)
    assert not ListHold.objects.exists()


def test_terms_that_end_for_very_many_on_one_day_wait_as_well():
    cards = many_active()
    day_after = dt.datetime(2027, 12, 25, 4, tzinfo=dt.UTC)
    services.publish_status_lists(at=day_after - 30 * 24 * HOUR)
    publish(day_after)
    assert refused(cards, day_after) == 0
    assert set(HeldBack.objects.values_list("cause", flat=True)) == {"lapsed"}


def test_the_first_version_of_a_list_takes_nothing_from_anybody():
    cards = many_active()
    StatusPublication.objects.all().delete()
    block_many(cards)
    publish(NOON + MINUTE)
    assert refused(cards) == MANY and not ListHold.objects.exists()


def test_the_database_itself_takes_no_version_that_blocks_too_many():
    with pytest.raises(IntegrityError), transaction.atomic():
        StatusPublication.objects.create(list_number=1, number=1, published_at=NOON, content="x", blocked=501,
                                         newly=501)
    StatusPublication.objects.create(list_number=1, number=1, published_at=NOON, content="x", blocked=500, newly=500)


@pytest.mark.django_db(transaction=True)
def test_publishers_at_once_hold_a_mass_block_once_and_two_leaders_at_once_release_it_once():
    cards = many_active()
    block_many(cards)
    together(*[publish] * 4)
    hold = ListHold.objects.get()
    assert (hold.cards, HeldBack.objects.count(), refused(cards)) == (MANY, MANY, 0)
    hold = asked(hold)
    told = together(*[lambda: release(hold)] * 4)
    assert sorted(told) == ["done", "step-not-open", "step-not-open", "step-not-open"]
    together(*[publish] * 3)
    assert refused(cards) == MANY
    assert Card.objects.filter(state="suspended").count() == MANY
    assert shown(cards[0].status_list).status(cards[0].status_index) is Status.SUSPENDED


def together(*acts):
    """What became of acts that were begun at the same time."""
    told, gate = [], threading.Barrier(len(acts))

    def run(act):
        try:
            gate.wait()
            act()
            told.append("done")
        except Refusal as no:
            told.append(no.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told
