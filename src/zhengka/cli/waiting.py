"""What waits for each role when the demo is done (待办): cases at every stage, told as stories without their end.

Each is opened and walked by request ids that are the same in every run, so a repeat opens nothing twice, and what an
officer has done with one since stays done.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.utils import timezone

from zhengka.accounts import demo
from zhengka.areas.models import Area
from zhengka.cases import services as cases
from zhengka.cases.models import Case
from zhengka.cli import officers
from zhengka.cli.line import Officers, Told, act
from zhengka.cli.stories import ASSESS, DECIDE, LIMB, NOTICE, SIX_WEEKS, Answers, Teller, person
from zhengka.core.actors import Actor
from zhengka.core.models import Event
from zhengka.registry.models import Holder

RECENTLY = timedelta(days=3)
ADULT = date(2000, 1, 1)


DISPUTES: Final = (("向大暑", "dispute_city"), ("易小寒", "dispute_province"))
"""Who was certified, and before whom the result is disputed."""


class Region(NamedTuple):
    """Who works in a region of the demo: its name in request ids, officers, the unit that decides and one to which
    holders move, who else takes which step, and who opens an application.
    """

    name: str
    who: Officers
    unit: Area
    other: Area
    others: Mapping[str, Actor]
    opener: Actor
    first: tuple[str, ...] = ()
    """Steps before acceptance, which another office takes."""
    last: tuple[str, ...] = ()
    """Steps behind approval."""
    number: int = 20
    """The first of the numbers of its invented applicants."""
    disputes: tuple[tuple[str, str], ...] = DISPUTES
    abroad: Area | None = None
    """A unit of another province for which its clerk receives an application (跨省通办)."""


class Application(NamedTuple):
    """A new application that waits: the applicant, since when, after which steps, with papers or without."""

    name: str
    since: timedelta
    steps: tuple[str, ...] = ()
    papers: bool = False


NOW: Final = timedelta(0)
APPLICATIONS: Final = (
    Application("沈秋月", RECENTLY, papers=True), Application("邹立冬", RECENTLY),
    Application("孟小满", RECENTLY, ("return_papers",)), Application("贺春生", RECENTLY, ("accept",)),
    Application("阮清明", NOW, ("accept", "book")), Application("龚谷雨", NOW, ("accept", "book")),
    Application("侯芒种", RECENTLY, ASSESS), Application("段白露", RECENTLY, (*ASSESS, "publish")),
    Application("钱寒露", RECENTLY, (*ASSESS, "publish", "object")),
    Application("雷霜降", SIX_WEEKS, (*ASSESS, *NOTICE)),
    Application("黎惊蛰", SIX_WEEKS, (*ASSESS, *NOTICE, "review")))
"""One at each stage: to accept, papers missing, asked for in writing, to book, to assess today (two), to publicise,
publicised, objected to, to review, to approve."""
LATELY: Final = (
    (14, Application("霍夏至", SIX_WEEKS)), (17, Application("崔秋分", timedelta(days=18))),
    (18, Application("万大寒", timedelta(days=24), ("precheck", "accept"))))
"""Where a span of days runs from the first paper on: one that the street has left lying too long, one that it
will soon, and one whose day at the district is near; each with the place of its number.
"""


class Wish(NamedTuple):
    """What a holder asked for and waits for: the kind of case, the steps that were taken, and what it was told."""

    kind: str
    steps: tuple[str, ...] = ()
    answers: Answers | None = None
    told: Mapping[str, Any] = {}
    by_colleague: bool = False
    """Whether the second clerk brings it, so that the first one may verify it."""


WISHES: Final = (
    Wish("change", ("accept",)), Wish("change", (*ASSESS, *NOTICE), LIMB[2]),
    Wish("cancellation_unmet", ASSESS, LIMB[0]), Wish("damage"), Wish("loss"), Wish("loss", ("accept", "review")),
    Wish("correction", ("accept",), told={"name": "更正名"}),
    Wish("cancellation", ("accept",), told={"reason": "death"}, by_colleague=True),
    Wish("freeze", told={"reason": "death-reported"}, by_colleague=True),
    Wish("transfer_out_nation"), Wish("cancellation", told={"reason": "own-wish"}))
MOVES: Final = (Wish("transfer_out_province", ("request",)), Wish("transfer_out_province", ("request", *DECIDE)))
"""A departure to be reviewed, and one that is approved: its other office has the arrival to accept."""


def hunan(who: Officers, units: Sequence[Area]) -> Region:
    """The pilot's province: its capital's first unit, and a unit of another city."""
    other = next(unit for unit in units if unit.pk // 10**8 != units[0].pk // 10**8)
    return Region("hunan", who, units[0], other, {}, who.clerk)


def second_officers() -> Officers:
    """Who acts in the demo's second region, in the places of those of the first."""
    county, colleague, reviewer, approver, producer, security, second = (officers.actor(name) for name in (
        "county", "county2", "county-reviewer", "county-approver", "county-producer", "security", "county-producer2"))
    return Officers(county, colleague, reviewer, approver, producer, security, second)


def second(abroad: Area) -> Region:
    """The second region: a street receives and checks, the county decides, the city looks again."""
    county, street = Area.objects.get(code=demo.COUNTY), officers.actor("street")
    return Region("second", second_officers(), county, county, {"precheck": street, "resubmit": street,
                                                 "recheck": officers.actor("city")},
                  street, ("precheck",), ("recheck",), 60, DISPUTES[:1], abroad)


def decide_first(region: Region, *, at: datetime) -> None:
    """What must have been decided before a dispute waits: told before cards are made, for it orders some."""
    teller = Teller(region.who, at - SIX_WEEKS, at, region.others)
    whole = (*region.first, *ASSESS, *NOTICE, *DECIDE, *region.last)
    for place, (name, _kind) in enumerate(region.disputes):
        _applied(region, teller, name, region.number + 15 + place, whole, 2)
    later = replace(teller, then=at)
    for name, _kind in region.disputes[1:]:
        _disputed(region, later, name, "dispute_city", (*ASSESS, *DECIDE), LIMB[1])


def tell(region: Region, holders: Callable[[], Iterator[Holder]], *, told: Told) -> None:
    """Let one case wait at each stage; `holders`: people with a card in use, who have no other case."""
    at, people = timezone.now(), _lazily(holders)
    stories: list[Callable[[], object]] = []
    for place, one in enumerate(APPLICATIONS):
        stories.append(lambda place=place, one=one: _wait(region, place, one, at))  # type: ignore[misc]
    if region.first:
        stories.append(lambda: _wait(region._replace(first=()), len(APPLICATIONS), Application("廖立秋", NOW), at))
        for place, one in LATELY:
            stories.append(lambda place=place, one=one: _wait(  # type: ignore[misc]
                region._replace(first=()), place, one, at))
    if region.last:
        again = Application("池冬至", SIX_WEEKS, (*ASSESS, *NOTICE, *DECIDE))
        stories.append(lambda: _wait(region, len(APPLICATIONS) + 2, again, at))
    if abroad := region.abroad:
        stories.append(lambda: _applied(region._replace(unit=abroad, opener=region.who.clerk), Teller(
            region.who, at, at), "柏立夏", region.number + len(APPLICATIONS) + 1, (), 3))
    for name, kind in region.disputes:
        stories.append(lambda name=name, kind=kind: _disputed(  # type: ignore[misc]
            region, Teller(region.who, at, at, region.others), name, kind, (), {}))
    for place, wish in enumerate((*WISHES, *(MOVES if region.other != region.unit else ()))):
        stories.append(lambda place=place, wish=wish: _ask(region, place, wish, people, at))  # type: ignore[misc]
    for place, story in enumerate(stories):
        told(place, len(stories))
        story()
    told(len(stories), len(stories))


def in_use(unit: Area) -> Iterator[Holder]:
    """The adults of a unit with one disability of category 4 (肢体) and a card in use, who have no case but an exchange
    that is done; in their order.
    """
    found = Holder.objects.filter(
        area=unit, state="registered", birth_date__lt=ADULT, cards__state="active", certificates__category=4,
        certificates__generation=3, certificates__state="valid").exclude(
            cases__ended_at=None, cases__isnull=False).exclude(
                pk__in=Case.objects.exclude(kind_of_case="exchange").filter(holder__area=unit).values("holder"))
    yield from found.order_by("pk").select_related("area")


def _lazily(holders: Callable[[], Iterator[Holder]]) -> Iterator[Holder]:
    """Looked for once somebody is needed: in a repeat nobody is."""
    yield from holders()


def _wait(region: Region, place: int, one: Application, at: datetime) -> None:
    teller = Teller(region.who, at - one.since, at, region.others)
    _applied(region, teller, one.name, region.number + place, (*region.first, *one.steps), 3, papers=one.papers)


def _applied(region: Region, teller: Teller, name: str, number: int, steps: Sequence[str], grade: int, *,  # noqa: PLR0913 - whose, by whom, how far
             papers: bool = False) -> Case:
    """An application of an invented person, opened by whoever receives it, taken so far."""
    who = person(name, f"{1962 + number % 30}0{number % 9 + 1}15", number)

    def do(**told: Any) -> Case:
        return cases.apply(who, 4, region.unit, **{**told, "by": region.opener})
    case = teller.open(_key(region, name), do)
    if papers:
        teller.brings(case, *(need.paper for need in cases.papers_needed(case) if need.paper != "photo"))
    return teller.walk(_key(region, name), case, steps, LIMB[grade])


def _disputed(region: Region, teller: Teller, name: str, kind: str, steps: Sequence[str],
              answers: Answers) -> None:
    """A dispute of what was decided of an applicant last."""
    key = _key(region, f"{name} {kind}")
    if (decided := _last(region, name, kind)) is not None:
        case = teller.open(key, lambda **told: cases.dispute(kind, decided, **told))
        teller.walk(key, case, steps, answers)


def _last(region: Region, name: str, kind: str) -> Case | None:
    """The decided case that a dispute of a kind is about."""
    first = _key(region, name) if kind == "dispute_city" else _key(region, f"{name} dispute_city")
    event = Event.objects.filter(request_id=act("story", first)).first()
    return Case.get(event.subject_id) if event else None


def _ask(region: Region, place: int, wish: Wish, people: Iterator[Holder], at: datetime) -> None:
    """What a holder asks for; nothing where the region has nobody left who fits."""
    key = _key(region, f"{place} {wish.kind}")
    since = SIX_WEEKS if "end_notice" in wish.steps else NOW
    who = replace(region.who, clerk=region.who.colleague) if wish.by_colleague else region.who
    teller = Teller(who, at - since, at, region.others)
    known = Event.objects.filter(request_id=act("story", key)).exists()
    holder = None if known else next(people, None)
    if not known and holder is None:
        return
    to = {"to": region.other.pk} if "transfer_out_province" in wish.kind else {}

    def do(**told: Any) -> Case:
        assert holder is not None  # or an earlier run opened it
        return cases.open_case(wish.kind, holder, **{**told, **to, **wish.told})
    case = teller.open(key, do)
    teller.walk(key, case, wish.steps, wish.answers)


def _key(region: Region, name: str) -> str:
    return f"waits {region.name} {name}"
