"""Counts that stand beside the cases, and lists read queue by queue: they say what the cases themselves say."""

import datetime as dt
import random
import threading
from collections import Counter
from contextlib import suppress

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

import builders
from builders import NOON
from zhengka.cases import queries, services
from zhengka.cases.models import NO_LIMIT, Case, Tally
from zhengka.cases.queries import Place, Wanted
from zhengka.core.scope import enter, leave

pytestmark = pytest.mark.django_db
UNITS = (430104, 430102, 430702)
CASES = """
SELECT area, policy, kind_of_case, minor, shared_with IS NOT NULL, state, ended_at IS NOT NULL,
       CASE WHEN ended_at IS NULL THEN coalesce(due_on, '9999-12-31')
       ELSE (ended_at AT TIME ZONE 'Asia/Shanghai')::date END, count(*) FROM cases_case
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
TALLY = """
SELECT area, policy, kind_of_case, minor, fronted, state, ended, day, sum(number) FROM cases_tally
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
HAVING sum(number) <> 0
"""


def read(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return Counter({tuple(key): number for *key, number in cursor.fetchall()})


def everyone(role="clerk"):
    return builders.make_actor(role, area=builders.make_area(430000))


def moved(dice, clerk, reviewer, approver):
    """One thing that happens to some cases: an act for many, a day, another office, an end, a removal."""
    some = dice.sample(list(Case.objects.values_list("pk", flat=True)), 6)
    told = {"request_id": builders.request_id(), "at": NOON + dt.timedelta(dice.randrange(40))}
    return dice.choice([
        lambda: services.confirm_many(some, by=clerk, **told),
        lambda: services.review_many(some, by=reviewer, **told),
        lambda: services.approve_many(some, by=approver, **told),
        lambda: Case.objects.filter(pk__in=some).update(due_on=NOON.date() + dt.timedelta(dice.randrange(3))),
        lambda: Case.objects.filter(pk__in=some).update(due_on=None),
        lambda: Case.objects.filter(pk__in=some).update(area=builders.make_area(dice.choice(UNITS))),
        lambda: Case.objects.filter(pk__in=some).update(ended_at=told["at"]),
        lambda: Case.objects.filter(pk=some[0]).delete(),
        builders.make_case,
        services.add_up,
    ])


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_to_cases_their_counts_are_those_of_the_rows(seed):
    dice = random.Random(seed)
    people = [everyone(role) for role in ("clerk", "reviewer", "approver")]
    for _ in range(40):
        builders.make_case(builders.make_holder(area=builders.make_area(dice.choice(UNITS))))
    for _step in range(40):
        with suppress(IntegrityError), transaction.atomic():
            moved(dice, *people)()
        assert read(TALLY) == read(CASES)
    assert services.add_up() >= 0
    assert read(TALLY) == read(CASES)
    assert Tally.objects.count() == len(read(CASES)), "one row for each key is left, and none that counts nothing"
    assert services.add_up() == 0


def test_what_was_rolled_back_is_not_counted():
    builders.make_case()
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.update(ended_at=NOON)
        Case.objects.update(state="nowhere")
    assert queries.open_counts(everyone()) == {"notified": 1}


@pytest.mark.django_db(transaction=True)
def test_two_who_add_up_at_once_beside_one_who_moves_cases_lose_nothing():
    for _ in range(12):
        builders.make_case()

    def work(many):
        try:
            for _ in range(10):
                many()
        finally:
            connection.close()

    def touch():
        Case.objects.filter(pk=Case.objects.order_by("?").values("pk")[:1]).update(
            due_on=NOON.date() + dt.timedelta(random.randrange(3)))

    threads = [threading.Thread(target=work, args=[one]) for one in (services.add_up, services.add_up, touch, touch)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert read(TALLY) == read(CASES)


def test_an_office_counts_its_own_cases_and_the_web_role_can_change_no_count():
    builders.make_case()
    other = builders.make_area(430102)
    builders.make_case(builders.make_holder(area=other))
    enter(connection, other.code, other.last)
    try:
        assert set(Tally.objects.values_list("area", flat=True)) == {other.code}
        for change in (lambda: Tally.objects.update(number=7), Tally.objects.all().delete, lambda: Tally.objects.create(
                area=other.code, policy="measures-2017", kind_of_case="exchange", minor=False, fronted=False,
                state="notified", ended=False, day=NOON, number=1)):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                change()
        Case.objects.update(state="confirmed")
    finally:
        leave(connection)
    assert queries.open_counts(everyone()) == {"notified": 1, "confirmed": 1}, "what the web's role does is counted"


def test_what_a_front_office_does_with_a_case_of_another_office_is_counted_there():
    case, front = builders.make_case(), builders.make_area(430102)
    Case.objects.filter(pk=case.pk).delete()
    case.front = front
    Case.objects.bulk_create([case])
    enter(connection, front.code, front.last)
    try:
        assert Case.objects.update(state="confirmed") == 1
        assert not Tally.objects.exists(), "it sees no other office's counts"
    finally:
        leave(connection)
    assert read(TALLY) == read(CASES)
    assert queries.open_counts(builders.make_actor(area=front)) == {"confirmed": 1}, "which it received"
    assert queries.open_counts(builders.make_actor(area=case.area)) == {"confirmed": 1}


@pytest.mark.parametrize("limit", [1, 2, 7, 50])
def test_the_pages_of_a_list_are_its_cases_in_the_order_of_their_days(limit):
    dice = random.Random(limit)
    for number in range(60):
        case = builders.make_case(builders.make_holder(area=builders.make_area(dice.choice(UNITS))), state=dice.choice(
            ["notified", "confirmed", "reviewed"]))
        due = NOON.date() + dt.timedelta(dice.randrange(5)) if number % 3 else None
        Case.objects.filter(pk=case.pk).update(due_on=due)
        if number % 4 == 0:
            Case.objects.filter(pk=case.pk).delete()
            Case.objects.bulk_create([_as(case, "damage")])
    for wanted in (Wanted(frozenset({"notified"})), Wanted(frozenset({"notified", "reviewed"})),
                   Wanted(frozenset({"confirmed", "reviewed"}), "damage")):
        due = sorted((case.due_on or NO_LIMIT, case.pk) for case in Case.objects.filter(state__in=wanted.states)
                      if wanted.kind in ("", case.kind_of_case))
        place, found = Place(), []
        while page := queries.worklist(everyone(), wanted, after=place, limit=limit):
            found += [(case.due_on or NO_LIMIT, case.pk) for case in page]
            place = Place(*found[-1])
        assert found == due


def _as(case, kind):
    case.kind_of_case = kind
    return case


def test_the_cases_that_ended_last_come_first():
    holders = [builders.make_holder(area=builders.make_area(UNITS[number % 3])) for number in range(9)]
    cases = [builders.make_case(holder) for holder in holders]
    for number, case in enumerate(cases):
        Case.objects.filter(pk=case.pk).update(ended_at=NOON + dt.timedelta(days=number * 4 % 9))
    last = sorted(range(9), key=lambda number: -(number * 4 % 9))
    assert [case.pk for case in queries.ended(everyone(), limit=2)] == [cases[number].pk for number in last[:2]]
