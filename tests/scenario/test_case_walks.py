"""Cases of every kind walked at random, by anybody, at any time: whatever happens, the promises hold after each step.

Among the moves: the wrong person, the wrong office, a step out of order or twice, clocks that jump to and fro, a
calendar that changes while a public notice stands.
"""

import datetime as dt
import random
from collections import Counter
from contextlib import suppress
from itertools import pairwise

import pytest
from django.db import connection

import builders
from builders import NOON
from stories import HAND, LEG, applies, brings, card_holder
from zhengka.areas.calendars import Calendar
from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.cases import book, services
from zhengka.cases.models import Case
from zhengka.cases.workflow import KINDS, LINE
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
ACTIONS = sorted({step.action for leg in LINE for step in (leg.step, *leg.aside)})
TOLD = {"cancellation": {"reason": "own-wish"}, "freeze": {"reason": "death-reported"},
        "correction": {"name": "田埂"}, "transfer_out_city": {"to": 430102_000000}}
WALKED = [kind for kind in KINDS if kind not in ("exchange", "dispute_city", "dispute_province", "restoration",
                                                   "unfreeze", "renewal") and "transfer_in" not in kind]
STEPS = 135
LEADS = {leg.step.action for leg in LINE}


def opened(kind: str) -> Case:
    builders.make_area(430102)
    if kind == "new":
        return applies().case
    holder, _ = card_holder()
    return brings(kind, holder, **TOLD.get(kind, {})).case


def actors(dice: random.Random):
    people = [builders.make_actor(role) for role in ("clerk", "reviewer", "approver", "assessor") for _ in range(2)]
    people += [builders.make_actor("approver", person=people[2].person),  # a reviewer's second account
               builders.make_actor("clerk", area=builders.make_area(430102)),
               builders.make_actor("approver", area=Area.objects.get(code=430000_000000))]
    return lambda: dice.choice(people)


def attempt(dice: random.Random, case: Case, who, at: dt.datetime, key) -> None:
    """Most moves fit the state; some are anything."""
    fitting = [step.action for step in case.table.steps if step.source == case.state] or ACTIONS
    onward = [action for action in fitting if action in LEADS] or fitting
    action = dice.choice(onward if dice.random() < 0.6 else fitting if dice.random() < 0.7 else ACTIONS)
    told = {"by": who, "request_id": key, "at": at}
    if action == "assess":
        services.assess(case, dice.choice([LEG, HAND, None]), **told)
    elif action == "end_notice" or dice.random() < 0.1:
        services.run_clocks(at=at)
    else:
        services.take(case, action, reason=dice.choice(["", "because"]), **told)


def counts_of(table: str) -> Counter[tuple[object, ...]]:
    """Open cases by office, kind and state: the rows themselves, or what stands beside them."""
    what = {"cases_case": "count(*) FROM cases_case WHERE ended_at IS NULL",
            "cases_tally": "sum(number) FROM cases_tally WHERE NOT ended"}[table]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT area, kind_of_case, state, {what} GROUP BY 1, 2, 3")
        return +Counter({tuple(key): number for *key, number in cursor.fetchall()})


def promises(case: Case) -> None:
    """What must hold after every step (I1, I2, I6, I7, I16)."""
    assert counts_of("cases_tally") == counts_of("cases_case"), "what is counted beside the cases is what there is"
    case = Case.get(case.pk)
    events = list(Event.objects.filter(subject="case", subject_id=case.pk).order_by("version"))
    assert [event.version for event in events] == list(range(1, case.version + 1))
    assert all(later.source == former.target for former, later in pairwise(events))
    state, reviewed, noticed, assessed = "", "", None, False
    needs = KINDS[case.kind_of_case].needs
    for event in events:
        if event.action == "publish":
            noticed = dt.date.fromisoformat(event.facts["ends"])
        if event.action in ("reassess", "uphold"):
            noticed, assessed = None, False
        if event.action == "dismiss":
            noticed = case.notice_ends if event.version == case.version else noticed
        if event.action == "end_notice":
            assert noticed is not None and event.at.astimezone(NOON.tzinfo).date() > noticed, "I7: the full notice"
        assessed = assessed or event.action == "assess"
        reviewed = event.person if event.action == "review" else reviewed
        if event.action == "approve":
            assert reviewed and event.person != reviewed, "I6: two persons"
            assert assessed or "assessment" not in needs, "I7: assessed"
            assert "notice" not in needs or case.minor or noticed, "I7: publicised"
        state = event.target
    assert state == case.state
    usable = Counter(Card.objects.filter(state="active").values_list("holder", flat=True))
    assert not usable or max(usable.values()) == 1, "I1: one usable card"
    indexes = [bytes(index) for index in Holder.objects.values_list("id_index", flat=True)]
    assert len(indexes) == len(set(indexes)), "I2: one person, one record"
    valid = Counter(Certificate.objects.filter(state__in=("valid", "frozen"), generation=3).values_list(
        "holder", flat=True))
    assert not valid or max(valid.values()) == 1


@pytest.mark.parametrize("kind", WALKED)
def test_a_case_walked_at_random_breaks_no_promise(kind, monkeypatch):
    dice = random.Random(f"{kind} 20261125")
    case, someone, at, last = opened(kind), actors(dice), NOON, builders.request_id()
    ends: Counter[str] = Counter()
    for _step in range(STEPS):
        at += dt.timedelta(days=dice.choice([0, 0, 0, 1, 8, -3]))
        key = last if dice.random() < 0.1 else builders.request_id()
        if dice.random() < 0.05:
            monkeypatch.setattr(book, "calendar", lambda _area: Calendar(()))  # the list of holidays is withdrawn
        with suppress(Refusal, Replayed):
            attempt(dice, Case.get(case.pk), someone(), at, key)
        monkeypatch.undo()
        last = key
        promises(case)
        if Case.get(case.pk).ended_at and dice.random() < 0.3:
            ends[Case.get(case.pk).state] += 1
            case = opened(kind)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT target) FROM core_event WHERE subject = 'case'")
        assert cursor.fetchone()[0] > 2, f"the walks went somewhere: {ends}"
