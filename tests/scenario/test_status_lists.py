"""What gates fetch: signed lists that only grow newer, and say of each card what its row says."""

import datetime as dt
import json
import threading

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app

import builders
from builders import NOON
from zhengka.cards import queries, rules, services, tasks
from zhengka.cards.models import BundlePublication, Card, StatusPublication
from zhengka.cards.workflow import CARD
from zhengka.core import files
from zhengka.core.queue import later
from zhengka.formats import statuslist
from zhengka.formats.issuers import KeySet
from zhengka.formats.statuslist import Status
from zhengka.keys import services as keys
from zhengka.keys.models import Key

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
FIRST = int(NOON.timestamp())
"""The number of a list that is published for the first time at noon: a number is never below the seconds since 1970."""


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"


def numbered(*states):
    """Cards in these states, with their numbers; the keys of the province are there."""
    keys.ensure(builders.make_area().code, "SM", at=NOON)
    return builders.with_numbers(*[builders.make_card(state=state) for state in states])


def shown(number, at=NOON, known=None):
    """The list as a gate reads it from the public folder."""
    folder = services.status.folder()
    trusted = KeySet.from_json((folder / "keys.json").read_text())
    return statuslist.parse((folder / f"status-{number}.bin").read_bytes(), keys=trusted, at=at, known=known)


def test_a_list_says_of_every_state_what_a_gate_must_think():
    states = sorted(CARD.states)
    cards = numbered(*states)
    today = NOON.date()
    Card.objects.filter(pk__in=[card.pk for card in cards], state="active").update(active_until=today)
    services.publish_status_lists(at=NOON)
    found = shown(cards[0].status_list)
    for state, card in zip(states, cards, strict=True):
        means = rules.standing(state, passes_until=today if state == "active" else None, valid_until=None, today=today)
        assert found.status(card.status_index) is rules.STATUS_OF[means], state
    [active] = [card for state, card in zip(states, cards, strict=True) if state == "active"]
    for days, status in ((30, Status.VALID), (31, Status.INACTIVE)):
        later_on = NOON + days * 24 * HOUR
        services.publish_status_lists(at=later_on)
        found = shown(active.status_list, later_on)
        assert found.status(active.status_index) is status, "the year is over, and then its days of grace"


def test_a_lost_card_is_in_the_next_list_and_out_of_the_one_after_it_was_found():
    [card] = numbered("active")
    clerk, told = builders.make_actor(), []
    for verb in (None, services.report_lost, services.report_found):
        if verb:
            verb(Card.get(card.pk), by=clerk, request_id=builders.request_id(), at=NOON)
        services.publish_status_lists(at=NOON, number=card.status_list)
        found = shown(card.status_list)
        told.append((found.version, found.status(card.status_index)))
    assert told == [(FIRST, Status.VALID), (FIRST + 1, Status.SUSPENDED), (FIRST + 2, Status.VALID)]


def test_a_repeat_without_change_publishes_nothing_until_the_list_grows_old():
    numbered("active", "ready")
    [first] = services.publish_status_lists(at=NOON)
    assert services.publish_status_lists(at=NOON + 11 * HOUR) == []
    [second] = services.publish_status_lists(at=NOON + 12 * HOUR)
    assert (first.number, second.number) == (FIRST, FIRST + 12 * 3600)
    assert [row.number for row in queries.publications()] == [second.number]


def test_what_was_published_is_kept_under_its_digest():
    [card] = numbered("suspended")
    [publication] = services.publish_status_lists(at=NOON)
    data = (services.status.folder() / f"status-{card.status_list}.bin").read_bytes()
    assert files.get(publication.digest) == data and publication.size == len(data) and publication.blocked == 1


def intended():
    """How many signatures were written down before they were made: of lists, of what changed in them, of bundles."""
    return sum(row.signatures for row in StatusPublication.objects.all()) + BundlePublication.objects.count()


def test_every_signature_of_a_list_was_counted():
    numbered("active")
    services.publish_status_lists(at=NOON)
    services.publish_status_lists(at=NOON + 12 * HOUR)
    assert Key.objects.get(purpose="status").signatures == intended() == 5, "two lists, one change, two bundles"


def test_a_version_that_was_never_shown_is_a_gap_and_never_used_again():
    [card] = numbered("active")
    StatusPublication.objects.create(list_number=card.status_list, number=FIRST + 7, published_at=NOON, content="x",
                                     blocked=0)
    [publication] = services.publish_status_lists(at=NOON)
    assert publication.number == FIRST + 8


def test_a_slow_publisher_does_not_put_an_older_list_over_a_newer_one():
    [card] = numbered("active")
    services.publish_status_lists(at=NOON)
    slow = services.status._intend(card.status_list, NOON + 12 * HOUR)
    services.publish_status_lists(at=NOON + 13 * HOUR)
    assert services.status._store(slow, b"late", None, lambda: NOON) is None
    assert shown(card.status_list, NOON + 13 * HOUR).version == FIRST + 13 * 3600


def test_without_cards_only_the_keys_are_published():
    assert services.publish_status_lists(at=NOON) == []
    assert len(KeySet.from_json(services.publish_keys().read_text())) == 0


def test_a_gate_that_saw_a_list_takes_no_older_one():
    [card] = numbered("active")
    [old] = services.publish_status_lists(at=NOON)
    services.publish_status_lists(at=NOON + 12 * HOUR)
    newer = shown(card.status_list)
    with pytest.raises(statuslist.RollBack):
        statuslist.parse(files.get(old.digest), keys=KeySet.from_json(services.publish_keys().read_text()), at=NOON,
                         known=newer)


def test_a_publisher_bound_by_row_level_security_still_sees_every_card():
    """Without a superuser's rights, rows outside the scope are invisible: a blocked card would be told as valid."""
    [card] = numbered("suspended")
    with connection.cursor() as cursor:  # a login bound by the policies, with the platform's rights on its tables
        cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO zhengka_web")
        cursor.execute("SET LOCAL ROLE zhengka_web")
    services.publish_status_lists(at=NOON)
    assert shown(card.status_list).status(card.status_index) is Status.SUSPENDED


@pytest.mark.django_db(transaction=True)
def test_publishers_at_once_make_one_version():
    [card] = numbered("active")
    made = []

    def publish():
        try:
            made.extend(services.publish_status_lists(at=NOON))
        finally:
            connection.close()

    threads = [threading.Thread(target=publish) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    versions = list(StatusPublication.objects.order_by("number").values_list("number", "digest"))
    assert shown(card.status_list).version == max(number for number, digest in versions if digest)
    assert Key.objects.get(purpose="status").signatures == intended()


def test_what_a_report_asked_for_is_published_and_every_hour_what_grew_old():
    [card] = numbered("active")
    services.report_lost(card, by=builders.make_actor(), request_id=builders.request_id(), at=NOON)
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, args FROM procrastinate_jobs WHERE status = 'todo'")
        [(name, args)] = cursor.fetchall()
    app.tasks[name](**json.loads(args))
    [publication] = queries.publications()
    assert (publication.list_number, publication.blocked) == (card.status_list, 1)
    later_on = int((publication.published_at + 13 * HOUR).timestamp())
    tasks.refresh_status_lists(timestamp=later_on)
    assert [row.number for row in queries.publications()] == [later_on]


FETCH = "SELECT id FROM procrastinate_jobs WHERE status = 'todo' FOR UPDATE SKIP LOCKED"


@pytest.mark.django_db(transaction=True)
def test_a_waiting_job_does_not_begin_before_those_who_count_on_it_have_committed(empty_queue):
    """Else a list would be published just before a loss is committed, and nobody would publish it again."""
    later("cards.publish_status_lists", once="status list 1", number=1)
    told = []

    def worker():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(FETCH)
            told.append(len(cursor.fetchall()))
        connection.close()

    def fetch():
        thread = threading.Thread(target=worker)
        thread.start()
        thread.join()

    with transaction.atomic():
        later("cards.publish_status_lists", once="status list 1", number=1)
        fetch()
    fetch()
    assert told == [0, 1]
