"""A person's cases walked at random: any kind and step, by anybody, at any time; clocks jump and calendars change.

After each move the promises are looked for in what was written, and the walk counts days itself: it knows which days it
declared off, and when.
"""

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

from django.db import connection

import builders
from builders import NOON
from papers_brought import put_first
from stories import HAND, LEG, ROLE_OF, person, take
from zhengka.areas.calendars import Calendar, Layer
from zhengka.areas.models import Area
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import book, services
from zhengka.cases.models import Case
from zhengka.cases.services import steps
from zhengka.cases.workflow import KINDS, LINE
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.core.workflow import Step
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Person

HERE = (430104, 430102)
REACHES = {"city": 430102, "province": 430702, "nation": 420104}
"""How far a move goes from 430104 → an office there."""
TOGETHER: dict[str, Callable[..., services.Done]] = {
    "confirm": services.confirm_many, "review": services.review_many, "approve": services.approve_many}
ACTIONS = sorted({step.action for leg in LINE for step in (leg.step, *leg.aside)})
LEADS = {leg.step.action for leg in LINE}
ON_THE_BOARD = {"publicised", "objected", "noticed"}
"""States in which every way is as likely as the next."""
TOLD: dict[str, dict[str, Any]] = {
    "cancellation": {"reason": "own-wish"}, "freeze": {"reason": "death-reported"}, "correction": {"name": "田埂"},
    **{f"transfer_out_{reach}": {"to": code * 10**6} for reach, code in REACHES.items()}}
AGAIN = {"send_back", "send_back_to_review", "turn_back", "reassess", "uphold"}
"""Steps after which a case is reviewed anew."""


class Walk:
    """One person, their cases and cards, the offices around them, and a calendar that changes."""

    def __init__(self, seed: str, who: Person, at: dt.datetime = NOON, offices: tuple[int, int] = HERE) -> None:
        """`seed`: the same walk again; `offices`: six-digit codes of the one where it begins, and of another one. Where
        that is in another province, it receives cases for the first.
        """
        self.dice, self.who, self.at = random.Random(seed), who, at
        self.area, self.other = (builders.make_area(code) for code in offices)
        self.across = offices[0] // 10_000 != offices[1] // 10_000
        self.off: dict[dt.date, bool] = {}
        self.last_key, self.seen, self.ends = builders.request_id(), 0, set[int]()
        self.stood: dict[int, tuple[dt.date, dt.date]] = {}
        above = dict.fromkeys(Area.objects.get(code=office.pk // width * width)
                              for office in (self.area, self.other) for width in (10**8, 10**10))
        persons = ("walker-1", "walker-2", "walker-3")  # each with accounts in several roles and offices
        self.people = {(role, area.pk): [builders.make_actor(role, area=area, person=person)
                                         for person in self.dice.sample(persons, 2)]
                       for role in ("clerk", "reviewer", "approver", "assessor")
                       for area in (self.area, self.other, *above)}

    def calendar(self, _area: int) -> Calendar:
        """The working days as they are declared now."""
        return Calendar((Layer("walk", 0, 10**12, 0, frozenset(range(2000, 2100)), self.off),))

    def works(self, day: dt.date) -> bool:
        """True for a working day, told without the calendar."""
        return self.off.get(day, day.weekday() < 5)

    def day(self) -> dt.date:
        """Today."""
        return self.at.date()

    def move(self) -> None:
        """One move; what is refused changes nothing."""
        board = Case.objects.filter(state="publicised").exists()  # near its last day every day counts
        self.at += dt.timedelta(days=self.dice.choice([0, 1, 1, 2, 2, -1, -3] if board else [0, 0, 0, 1, 1, 8, -3]))
        moves = [(self.step, 12), (self.many, 2), (self.clock, 6 if board else 2), (self.holiday, 6 if board else 1),
                 (self.worker, 1), (self.card, 2), (self.open, 1)]
        [(do, _weight)] = self.dice.choices(moves, [weight for _do, weight in moves])
        with suppress(Refusal, Replayed):
            do()
        self.promises()

    def asked(self, by: Actor) -> dict[str, Any]:
        """By whom, under which request, when; now and then the last request once more."""
        self.last_key = self.last_key if self.dice.random() < 0.1 else builders.request_id()
        return {"by": by, "request_id": self.last_key, "at": self.at}

    def anybody(self, permission: str = "", area: int = 0) -> Actor:
        """Somebody; mostly one who may do it there."""
        fitting = [each for (role, _code), people in sorted(self.people.items()) for each in people
                   if role == ROLE_OF.get(permission) and each.sees(area)]
        if fitting and self.dice.random() < 0.8:
            return self.dice.choice(fitting)
        return self.dice.choice([each for _key, people in sorted(self.people.items()) for each in people])

    def step(self) -> None:
        """A step of some open case: most fit its state and lead on, some are anything."""
        running = list(Case.objects.filter(ended_at=None).order_by("pk"))
        if not running:
            return self.open()
        case = running[0] if self.dice.random() < 0.6 else self.dice.choice(running)
        steps = {step.action: step for step in case.table.steps if step.source == case.state}
        onward = sorted(steps.keys() & LEADS) if case.state not in ON_THE_BOARD else sorted(steps)
        onward = onward or sorted(steps)
        luck = self.dice.random()
        action = self.dice.choice(onward if luck < 0.7 else sorted(steps) if luck < 0.9 else ACTIONS)
        self._take(case, action, steps.get(action))
        return None

    def _take(self, case: Case, action: str, step: Step | None) -> None:
        office = case.front_id if case.front_id and self.dice.random() < 0.6 else case.area_id
        told = self.asked(self.anybody(step.permission if step else "", office))
        if action == "assess":
            steps.assess(case, self.dice.choice([LEG, HAND, HAND, None]), **told)
        elif action == "verify":
            services.verify(case, self.dice.choice(["", "hospital", "call"]), "2026-118", **told)
        elif action == "end_notice":
            services.end_notice(case, **told)
        else:
            if action == "accept":
                put_first(case)
            take(case, action, reason=self.dice.choice(["", "because", "because"]), **told)

    def many(self) -> None:
        """A step that many take together: all that wait for it, or the ones that were chosen, whatever they are."""
        action = self.dice.choice(sorted(TOGETHER))
        chosen = self.dice.choice([None, list(Case.objects.order_by("pk").values_list("pk", flat=True))])
        by = self.anybody(f"case.{action}", self.dice.choice([self.area, self.other]).pk)
        done = TOGETHER[action](chosen, **self.asked(by))
        assert chosen is None or done.moved + sum(done.left.values()) == len(chosen), "each moved, or was left by name"

    def clock(self) -> None:
        """The platform takes what is due by the calendar."""
        services.run_clocks(at=self.at)
        self.moves_are_whole(looked_after=False)

    def worker(self) -> None:
        """A worker looks after a move, whether anything was asked for or not."""
        for case in Case.objects.filter(kind_of_case__startswith="transfer").order_by("pk"):
            services.move_on(case.pk, at=self.at)
        self.moves_are_whole(looked_after=True)

    def holiday(self) -> None:
        """A day of the next two weeks is declared off, or worked, or what was declared is taken back."""
        day = self.day() + dt.timedelta(self.dice.randint(0, 9))
        if self.off.pop(day, None) is None:
            self.off[day] = day.weekday() >= 5

    def card(self) -> None:
        """A card comes from the maker, is activated, is lost, or is found."""
        made = Card.objects.filter(state="ordered", certificate__state="valid")
        made.update(state=self.dice.choice(["ordered", "issued"]))
        mine = list(Card.objects.order_by("pk"))
        if mine:
            card, clerk = self.dice.choice(mine), self.dice.choice(self.people["clerk", mine[-1].area_id])
            self.dice.choice([cards.activate, cards.activate, cards.report_lost, cards.report_found])(
                card, **self.asked(clerk))

    def open(self) -> None:
        """Another case of the person: of any kind, at any office."""
        kind, holder = self.dice.choice(["new", *KINDS]), Holder.objects.first()
        area = self.dice.choice([self.area, self.other])
        if kind == "new" or holder is None:
            services.apply(self.who, 4, area, **self.asked(self.anybody("case.open", self.receives(area.pk))))
            return
        told = dict(TOLD.get(kind, {}))
        if "to" in told:
            told["to"] = self.other.pk
        if kind.startswith("dispute"):
            ended = Case.objects.exclude(ended_at=None).order_by("pk").last()
            told["disputed"] = ended.pk if ended else 0
        services.open_case(kind, holder, **self.asked(self.anybody("case.open", self.receives(holder.area_id))), **told)

    def receives(self, area: int) -> int:
        """The office that receives a case of an area: itself, or now and then the one in another province."""
        return self.other.pk if self.across and self.dice.random() < 0.5 else area

    def moves_are_whole(self, *, looked_after: bool) -> None:
        """No side of a move is open with the other ended, once a worker looked after it or the clock ended one."""
        for case in Case.objects.exclude(counterpart=None).select_related("counterpart"):
            if looked_after or case.state == "lapsed":
                assert bool(case.ended_at) == bool(case.counterpart.ended_at), f"{case.state}, {case.counterpart.state}"

    # ---- what must hold ---------------------------------------------------------------------------------------------

    def promises(self) -> None:
        """What must hold after every move (I1, I2, I6, I7, I16)."""
        assert counts_of("cases_tally") == counts_of("cases_case"), "what is counted beside the cases is what there is"
        usable = Counter(Card.objects.filter(state="active").values_list("holder", flat=True))
        assert not usable or max(usable.values()) == 1, "I1: one usable card"
        persons = [bytes(index) for index in Holder.objects.values_list("id_index", flat=True)]
        assert len(persons) == len(set(persons)), "I2: one person, one record"
        valid = Counter(Certificate.objects.filter(state__in=("valid", "frozen"), generation=3).values_list(
            "holder", flat=True))
        assert not valid or max(valid.values()) == 1, "I2: one certificate of a card"
        told: dict[int, list[Event]] = {}
        for event in Event.objects.filter(subject="case").order_by("subject_id", "version"):
            told.setdefault(event.subject_id, []).append(event)
        self._notices([event for events in told.values() for event in events if event.pk > self.seen])
        self.seen = max((event.pk for events in told.values() for event in events), default=0)
        for case in Case.objects.order_by("pk"):
            holds(case, told[case.pk])
            goes_on(case)
            if case.ended_at:
                self.ends.add(case.pk)

    def _notices(self, fresh: list[Event]) -> None:
        """A notice came down after its full working days: as they were when it was put up, and as they are now."""
        for event in fresh:
            today = event.at.astimezone(NOON.tzinfo).date()
            if event.action in ("publish", "dismiss"):
                self.stood[event.subject_id] = today, self._full(event.subject_id, today)
            if event.action == "end_notice":
                first, last = self.stood[event.subject_id]
                assert today > last, "I7: the full notice as it was announced"
                assert today > self._full(event.subject_id, first), "I7: the full notice as days are counted now"

    def _full(self, pk: int, day: dt.date) -> dt.date:
        case = Case.get(pk)
        left = book.pinned(case.policy, case.kind_of_case).notice.working_days  # type: ignore[union-attr]
        while left:
            day += dt.timedelta(1)
            left -= self.works(day)
        return day


def holds(case: Case, events: list[Event]) -> None:
    """The events of one case are whole, and nothing was decided that lacked a step or a second person (I6, I7, I16)."""
    assert [event.version for event in events] == list(range(1, case.version + 1)), "I16: an event for each change"
    assert all(later.source == former.target for former, later in pairwise(events)) and events[-1].target == case.state
    needs, rules = KINDS[case.kind_of_case].needs, book.pinned(case.policy, case.kind_of_case)
    who: dict[str, str] = {}
    for event in events:
        if event.action in ("uphold", "reassess", "differ"):
            who = {}
        elif event.action in AGAIN:
            who.pop("review", None)
            who.pop("approve", None)
        who[event.action] = event.person
        if event.action in ("dismiss", "uphold"):
            who.pop("object", None)
        if event.action == "dismiss":
            who.pop("end_notice", None)
        if event.action == "countersign":
            assert event.person != who["assess"], "I6: two doctors"
        if event.action == "approve":
            assert who.get("review") not in (None, event.person), "I6: two persons"
            assert "assess" in who or "assessment" not in needs, "I7: assessed"
            public = "notice" in needs and not case.minor and "notice" not in rules.waived
            assert "end_notice" in who or not public, "I7: publicised"
            assert "object" not in who, "I7: no open objection"
        if event.action == "recheck":
            assert event.person != who["approve"], "I6: the city looks again by another person"


def goes_on(case: Case) -> None:
    """An open case has a way on: somebody takes it, or the calendar or the platform does by itself."""
    onward = {step.action for step in case.table.steps if step.source == case.state}
    assert case.ended_at or onward & (LEADS | {"resubmit", "dismiss"}), f"{case.kind_of_case} stuck in {case.state}"


def someone(*, minor: bool = False) -> Person:
    """The person of a walk."""
    born = {"id_number": builders.make_id_number(born=dt.date(2015, 6, 1)), "guardian_name": "石山"} if minor else {}
    return person(**born)


def counts_of(table: str) -> Counter[tuple[object, ...]]:
    """Open cases by office and line: the rows themselves, or what stands beside them."""
    what = {"cases_case": "count(*) FROM cases_case WHERE ended_at IS NULL",
            "cases_tally": "sum(number) FROM cases_tally WHERE NOT ended"}[table]
    fronted = {"cases_case": "shared_with IS NOT NULL", "cases_tally": "fronted"}[table]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT area, policy, kind_of_case, minor, {fronted}, state, {what} GROUP BY 1, 2, 3, 4, 5, 6")
        return +Counter({tuple(key): number for *key, number in cursor.fetchall()})
