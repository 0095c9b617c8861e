"""An old backup came back: what it forgot was in the world already, and must neither be given again nor be accepted."""

import datetime as dt
import threading
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, connections, transaction

import builders
from builders import NOON
from zhengka.cards import rules, services
from zhengka.cards.models import Card, Gap, StatusPublication
from zhengka.core.actors import SYSTEM
from zhengka.core.models import Event
from zhengka.formats import serial, statuslist
from zhengka.formats.issuers import KeySet
from zhengka.formats.statuslist import Status
from zhengka.keys import services as keys

pytestmark = pytest.mark.django_db
SEQUENCES = ("cards_serial_numbers", "cards_status_places")
A_SECOND, A_DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"
    keys.ensure(builders.make_area().code, "SM", at=NOON)


def numbered(*states):
    cards = [builders.make_card(state=state) for state in states]
    return services.allot([card.pk for card in cards], at=NOON)


def shown(number, at, known=None):
    """The list as a gate reads it that saw `known` before."""
    folder = services.status.folder()
    trusted = KeySet.from_json((folder / "keys.json").read_text())
    return statuslist.parse((folder / f"status-{number}.bin").read_bytes(), keys=trusted, at=at, known=known)


class Backup:
    """What a dump keeps, within the test's own transaction: rows by a savepoint, sequences by their values."""

    def __init__(self) -> None:
        self.savepoint = transaction.savepoint()
        with connection.cursor() as cursor:
            self.values = [self._value(cursor, name) for name in SEQUENCES]

    def restore(self) -> None:
        transaction.savepoint_rollback(self.savepoint)
        self.restore_sequences()

    def restore_sequences(self) -> None:
        with connection.cursor() as cursor:
            for name, (value, called) in zip(SEQUENCES, self.values, strict=True):
                cursor.execute("SELECT setval(%s, %s, %s)", [name, value, called])

    @staticmethod
    def _value(cursor, name):
        cursor.execute(f"SELECT last_value, is_called FROM {name}")
        return cursor.fetchone()


@contextmanager
def places_from(first):
    """So many cards have their places already; at the end the sequence is as it was, for the tests that follow."""
    before = Backup()
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('cards_status_places', %s, false)", [first])
    yield
    before.restore_sequences()


def leave_out(count=50, at=NOON):
    return services.leave_out(count, by=SYSTEM, request_id=builders.request_id(), at=at)


def test_gates_that_saw_newer_lists_take_the_next_one_and_refuse_a_card_that_is_lost_then():
    [card] = numbered("active")
    services.publish_status_lists(at=NOON)
    backup = Backup()
    for minutes in range(1, 30):
        services.publish_status_lists(at=NOON + minutes * dt.timedelta(hours=12))
    seen = shown(card.status_list, NOON + 15 * A_DAY)
    backup.restore()
    after = NOON + 15 * A_DAY
    leave_out(at=after)
    [first] = services.publish_status_lists(at=after)
    assert first.number > seen.version
    now = shown(card.status_list, after, known=seen)
    assert now.status(card.status_index) is Status.VALID
    services.report_lost(Card.get(card.pk), by=builders.make_actor(), request_id=builders.request_id(), at=after)
    services.publish_status_lists(at=after)
    assert shown(card.status_list, after, known=now).status(card.status_index) is Status.SUSPENDED


def test_a_list_s_number_is_above_the_last_one_and_never_below_the_time():
    noon = int(NOON.timestamp())
    assert rules.next_version(None, NOON) == rules.next_version(3, NOON) == noon
    assert rules.next_version(noon, NOON) == noon + 1, "two in one second differ"
    assert rules.next_version(noon + 90, NOON) == noon + 91, "a clock that was put back takes no number back"


def test_a_list_that_says_nothing_new_is_published_once_after_a_restore():
    """A full list, beyond which the gap lies: gates may have seen a higher number of it all the same."""
    [card] = numbered("active")
    services.publish_status_lists(at=NOON)
    with places_from(rules.places_of(card.status_list)[-1] + 1):
        leave_out(at=NOON + A_SECOND)
    own, of_the_gap = services.publish_status_lists(at=NOON + 2 * A_SECOND)
    assert (own.list_number, of_the_gap.list_number) == (card.status_list, card.status_list + 1)
    assert services.publish_status_lists(at=NOON + 3 * A_SECOND) == []
    assert StatusPublication.objects.filter(list_number=card.status_list).count() == 2


def test_no_serial_and_no_place_is_given_to_a_second_card():
    numbered("prepared")
    backup = Backup()
    forgotten = numbered(*["prepared"] * 40)
    backup.restore()
    leave_out(50)
    fresh = numbered(*["prepared"] * 40)
    for name in ("serial", "token"):
        assert not {getattr(card, name) for card in forgotten} & {getattr(card, name) for card in fresh}
    assert not {(card.status_list, card.status_index) for card in forgotten} \
        & {(card.status_list, card.status_index) for card in fresh}


def test_numbers_that_went_back_would_be_given_twice():
    """The fault that the gap heals: a dump brings its sequences back as they were."""
    numbered("prepared")
    backup = Backup()
    [forgotten] = numbered("prepared")
    backup.restore()
    [fresh] = numbered("prepared")
    assert (fresh.serial, fresh.status_index) == (forgotten.serial, forgotten.status_index)


def test_a_card_that_the_backup_does_not_know_is_refused_by_gates_without_a_network():
    [known] = numbered("active")
    backup = Backup()
    forgotten = numbered(*["active"] * 10)
    services.publish_status_lists(at=NOON)
    assert shown(known.status_list, NOON).status(forgotten[0].status_index) is Status.VALID
    backup.restore()
    leave_out(20)
    fresh = numbered("active")
    [published] = services.publish_status_lists(at=NOON + A_SECOND)
    now = shown(known.status_list, NOON + A_SECOND)
    assert {now.status(card.status_index) for card in forgotten} == {Status.REVOKED}
    assert {now.status(card.status_index) for card in (known, *fresh)} == {Status.VALID}
    assert published.blocked == 0, "blocked are cards that the registry knows"


def test_a_gap_reaches_over_the_end_of_a_list():
    [card] = numbered("active")
    with places_from(rules.places_of(card.status_list)[-1] - 4):
        leave_out(10)
        [beyond] = numbered("active")
        services.publish_status_lists(at=NOON)
    assert beyond.status_list == card.status_list + 1
    for one, revoked in ((card, 5), (beyond, 5)):
        found = shown(one.status_list, NOON)
        assert sum(found.status(index) is Status.REVOKED for index in range(rules.places_of(0)[-1] + 1)) == revoked


def test_a_list_in_which_none_but_forgotten_cards_stand_is_published_and_refuses_them():
    [known] = numbered("active")
    with places_from(rules.places_of(known.status_list)[-1]):
        backup = Backup()
        [last, *forgotten] = numbered(*["active"] * 4)
        services.publish_status_lists(at=NOON)
        seen = shown(last.status_list + 1, NOON)
        assert {(card.status_list, seen.status(card.status_index)) for card in forgotten} \
            == {(last.status_list + 1, Status.VALID)}
        backup.restore()
        leave_out(10, at=NOON + A_SECOND)
    services.publish_status_lists(at=NOON + A_SECOND)
    now = shown(last.status_list + 1, NOON + A_SECOND, known=seen)
    assert {now.status(card.status_index) for card in forgotten} == {Status.REVOKED}
    again = services.publish_status_lists(at=NOON + A_DAY)
    assert last.status_list + 1 in {one.list_number for one in again}, "it stays young"


def test_a_gap_beyond_the_last_list_of_a_province_touches_none():
    last = rules.lists_of(11, "SM", 0, 10**9)[-1]
    assert rules.of_list(last) == (11, "SM") and rules.of_list(last + 1) == (11, "INTL")
    beyond = rules.places_of(last)[-1] + 1
    assert not rules.lists_of(11, "SM", beyond, beyond + 5)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_draws_while_a_range_is_left_out_gets_no_number_of_it():
    """The fault: a number drawn between the first of the gap and its end stood in the list twice."""
    card, drawn = builders.make_card(state="prepared"), []

    def draw() -> None:
        try:
            drawn.extend(services.allot([card.pk], at=NOON))
        finally:
            connections.close_all()

    worker = threading.Thread(target=draw)

    def between(execute, sql, params, many, context):
        if "setval" in sql and worker.ident is None:
            worker.start()
            worker.join(1)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(between):
        gap = leave_out(50)
    worker.join(20)
    [one] = drawn
    assert serial.parse(one.serial).number > gap.last_serial
    services.publish_status_lists(at=NOON + A_SECOND)
    assert shown(one.status_list, NOON + A_SECOND).status(one.status_index) is Status.INACTIVE


def test_what_was_left_out_is_written_down_with_one_event():
    gap = leave_out(7)
    event = Event.objects.get(subject="gap")
    assert (event.subject_id, event.action, event.area) == (gap.pk, "leave_out", 0)
    assert event.facts["last_serial"] - event.facts["first_serial"] == 6 == gap.last_place - gap.first_place
    [card] = numbered("prepared")
    assert serial.parse(card.serial).number == gap.last_serial + 1


def test_a_gap_has_its_ends_in_order():
    with pytest.raises(IntegrityError, match="gap_ordered"), transaction.atomic():
        Gap.objects.create(state="left_out", first_serial=2, last_serial=1, first_place=1, last_place=1, at=NOON)
