"""Every kind of case, from the first paper to the last state, where regions differ: one story, told under each file.

The lines below say what each policy is expected to ask for, step by step, and are read by nothing but these stories.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import NamedTuple

import pytest
from django.conf import settings

import builders
from builders import NOON
from stories import person, under
from telling import Telling, bearer, letters, number, picture, taken, weekdays
from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.cases import book, policies, services
from zhengka.cases.models import Case
from zhengka.cases.workflow import KINDS
from zhengka.core.dated import read
from zhengka.core.errors import Refusal
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db

LINES = {
    "measures-2017": """
        new change: accept book assess publish end_notice review<10 approve<= order
        exchange: confirm review approve order
        renewal damage loss correction: accept review approve order
        transfer_out_city transfer_out_province transfer_out_nation: request review approve arrive
        transfer_in_city transfer_in_province transfer_in_nation: accept review approve order
        cancellation restoration: accept verify review approve
        cancellation_unmet: accept book assess review approve
        freeze: verify review approve
        unfreeze: accept review approve
        dispute_city: accept@city book@city assess review@city approve@city
        dispute_province: accept@province book@province assess@province review@province approve@province
        """,
    "two-doctors": """
        new change: precheck<15 accept book assess countersign publish end_notice review<20 approve \
recheck@city order@city
        exchange: confirm book assess countersign review<20 approve recheck@city order@city
        renewal: precheck<15 accept book assess countersign review<20 approve recheck@city order@city
        damage loss correction: precheck<15 accept review<20 approve recheck@city order@city
        transfer_out_city transfer_out_province transfer_out_nation: request review<20 approve recheck@city arrive
        transfer_in_city transfer_in_province transfer_in_nation: \
precheck<15 accept book assess countersign review<20 approve recheck@city order
        cancellation: precheck<15 accept verify review<20 approve recheck@city
        cancellation_unmet: precheck<15 accept book assess countersign review<20 approve recheck@city
        restoration: precheck<15 accept verify review<20 approve
        freeze: verify review<20 approve
        unfreeze: precheck<15 accept review<20 approve
        dispute_city: accept@city book@city assess countersign review@city<20 approve@city
        dispute_province: accept@province book@province assess@province countersign@province review@province<20 \
approve@province
        """,
    "quick": """
        new: accept<1 book<2 assess publish<1 end_notice review<2 approve<1 order
        change: accept<1 book<2 assess review<2 approve<1 order
        exchange: confirm<1 review<2 approve<1 order
        renewal damage loss correction: accept<1 review<2 approve<1 order
        transfer_out_city transfer_out_province transfer_out_nation: request review<1 approve<1 arrive
        transfer_in_city transfer_in_province transfer_in_nation: accept<1 review<2 approve<1 order
        cancellation: accept<1 verify review<2 approve<1
        restoration unfreeze: accept<1 review<2 approve<1
        cancellation_unmet: accept<1 book<2 assess review<2 approve<1
        freeze: verify review<2 approve<1
        dispute_city: accept@city<1 book@city<2 assess review@city<2 approve@city<1
        dispute_province: accept@province<1 book@province<2 assess@province review@province<2 approve@province<1
        """,
    "chain-2008": """
        new change: accept book assess review approve@city order@city
        damage loss: accept review approve@city order@city
        """}


def _read(text: str) -> Iterator[tuple[str, str]]:
    for row in filter(None, map(str.strip, text.splitlines())):
        kinds, _colon, line = row.partition(":")
        yield from ((kind, line) for kind in kinds.split())


TOLD = {policy: dict(_read(text)) for policy, text in LINES.items()}


class Region(NamedTuple):
    """What differs between regions beyond their steps: working days of the notice, years before a renewal, years of a
    bar, months of the clocks of a move, working days in which a decision may be disputed.
    """

    policy: str
    notice: int = 5
    renewal: int = 9
    bar: int = 1
    clocks: tuple[str, str] = ("2027-05-20", "2027-11-22")
    dispute: int = 10


REGIONS = (Region("measures-2017"), Region("two-doctors", notice=7),
           Region("quick", renewal=8, bar=2, clocks=("2027-02-22", "2027-05-20"), dispute=15), Region("chain-2008"))
EXAMPLES = ("two-doctors", "quick")
"""Files in examples/regions."""
OLD_RULES_END, NEW_RULES_BEGIN = (NOON.replace(year=year, month=month, day=day)
                                  for year, month, day in ((2017, 12, 29), (2018, 1, 1)))
"""What was opened on the last working day of the old rules goes their way to its end, in 2018."""
ELSEWHERE = {"city": 430102, "province": 430202, "nation": 110101}


class Scene(NamedTuple):
    """Where a story is told: the region and the office."""

    region: Region
    area: Area

    @property
    def at(self) -> dt.datetime:
        """The moment of the first paper."""
        return OLD_RULES_END if self.region.policy == "chain-2008" else NOON

    def tells(self, case: Case, at: dt.datetime, grade: int | None = 3) -> Telling:
        """What becomes of a case; what was opened under the old rules goes on when the new ones are in force."""
        return Telling(case, TOLD, notice=self.region.notice, grade=grade,
                       at=NEW_RULES_BEGIN if self.region.policy == "chain-2008" else at)

    def opens(self, kind: str, holder: Holder, *, grade: int | None = 3, at: dt.datetime | None = None,
              **told: object) -> Telling:
        """A case of a holder is opened at their office."""
        at = at or self.at
        case = services.open_case(kind, holder, by=builders.make_actor(area=holder.area), at=at,
                                  request_id=builders.request_id(), **told)
        return self.tells(case, at, grade)

    def whole(self, kind: str, holder: Holder, **told: object) -> Telling:
        """A case of a holder, with its papers, to its end."""
        story = self.opens(kind, holder, **told)
        story.bring_papers()
        story.go_on()
        return story


Ending = tuple[Telling, list[str], list[str]]
"""A story that was told, and what the person then has: certificates and cards, each by state and end of the number."""


def new(scene: Scene) -> Ending:
    who = person()
    case = services.apply(who, 3, scene.area, by=builders.make_actor(area=scene.area), at=scene.at,
                          request_id=builders.request_id())
    story = scene.tells(case, scene.at)
    assert story.bring_papers() == (0 if case.policy == "chain-2008" else 4)  # no list of papers of that time is known
    story.go_on()
    certificate = Certificate.objects.get()
    assert number(certificate) == who.id_number + "33" and certificate.issued_on == story.at.date()
    assert certificate.valid_until == story.at.date().replace(year=story.at.year + 10)
    return story, ["valid 33"], ["ordered 33"]


def exchange(scene: Scene) -> Ending:
    holder = bearer(scene.area, at=scene.at, generation=2)
    services.open_exchange(scene.area, 1, by=builders.make_actor(area=scene.area), request_id=builders.request_id(),
                           at=scene.at)
    story = scene.tells(Case.objects.get(holder=holder), scene.at)
    story.bring_papers()
    story.go_on()
    if "assess" in story.line:
        return story, ["replaced 32", "valid 33"], ["ordered 33"]
    return story, ["valid 32", "valid 32"], ["ordered 32"]  # the paper is given back when the card is handed over


def renewal(scene: Scene) -> Ending:
    holder = bearer(scene.area, at=scene.at, years=scene.region.renewal)
    with pytest.raises(Refusal, match="renewal-too-early"):
        scene.opens("renewal", holder, at=scene.at - dt.timedelta(1))
    story = scene.whole("renewal", holder)
    certificate = Certificate.objects.get(state="valid")
    assert certificate.valid_until == story.at.date().replace(year=story.at.year + 10)
    if "assess" in story.line:
        return story, ["replaced 32", "valid 33"], ["active 32", "ordered 33"]
    return story, ["valid 32"], ["active 32", "ordered 32"]


def damage(scene: Scene) -> Ending:
    story = scene.whole("damage", bearer(scene.area, at=scene.at))
    return story, ["valid 32"], ["active 32", "ordered 32"]


def loss(scene: Scene) -> Ending:
    story = scene.whole("loss", bearer(scene.area, at=scene.at))
    return story, ["replaced 32", "valid 32B1"], ["cancelled 32", "ordered 32B1"]


def change(scene: Scene) -> Ending:
    story = scene.whole("change", bearer(scene.area, at=scene.at))
    return story, ["replaced 32", "valid 33"], ["active 32", "ordered 33"]


def correction(scene: Scene) -> Ending:
    story = scene.whole("correction", bearer(scene.area), name="田埂")
    assert Holder.objects.get().name == "田埂"
    return story, ["valid 32"], ["active 32", "ordered 32"]


def departs(scene: Scene, reach: str) -> Ending:
    holder, to = bearer(scene.area), builders.make_area(ELSEWHERE[reach])
    story = scene.opens(f"transfer_out_{reach}", holder, to=to.pk, moved="2026-11-20")
    assert (str(story.case.freezes_on), str(story.case.lapses_on)) == scene.region.clocks
    story.bring_papers()
    story.go_on()
    return story, *_arrived(story.case.counterpart, to)


def arrives(scene: Scene, reach: str) -> Ending:
    holder = bearer(builders.make_area(ELSEWHERE[reach]))
    departure = scene.whole(f"transfer_out_{reach}", holder, to=scene.area.pk)
    story = scene.tells(departure.case.counterpart, departure.at)
    return story, *_arrived(story.case, scene.area)


def _arrived(arrival: Case | None, to: Area) -> tuple[list[str], list[str]]:
    """Person, certificate and cards are at the new office, which assesses anew where its own policy asks for it."""
    assert arrival is not None and arrival.state == "ordered" and arrival.counterpart_of.state == "arrived"
    assert {*Holder.objects.values_list("area", flat=True), *Card.objects.values_list("area", flat=True),
            *Certificate.objects.filter(state="valid").values_list("area", flat=True)} == {to.pk}
    if "assess" in TOLD[arrival.policy][arrival.kind_of_case]:
        return ["replaced 32", "valid 33"], ["active 32", "ordered 33"]
    return ["valid 32"], ["active 32", "ordered 32"]


def cancellation(scene: Scene) -> Ending:
    story = scene.whole("cancellation", bearer(scene.area), reason="own-wish")
    _barred(scene, story)
    return story, ["cancelled 32"], ["cancelled 32"]


def cancellation_unmet(scene: Scene) -> Ending:
    story = scene.whole("cancellation_unmet", bearer(scene.area), grade=None)
    _barred(scene, story)
    return story, ["cancelled 32"], ["cancelled 32"]


def _barred(scene: Scene, story: Telling) -> None:
    today = story.at.date()
    assert Certificate.objects.get().barred_until == today.replace(year=today.year + scene.region.bar)


def restoration(scene: Scene) -> Ending:
    ended = scene.whole("cancellation", bearer(scene.area), reason="death")
    before = Certificate.objects.get()
    story = scene.whole("restoration", Holder.objects.get(), at=ended.at)
    after = Certificate.objects.get()
    assert (after.issued_on, after.valid_until) == (before.issued_on, before.valid_until)
    return story, ["valid 32"], ["cancelled 32", "ordered 32"]


def freeze(scene: Scene) -> Ending:
    story = scene.opens("freeze", bearer(scene.area), reason="death-reported")
    assert story.bring_papers() == 0 and Card.objects.get().state == "active", "a report alone stops nothing"
    story.go_on()
    return story, ["frozen 32"], ["frozen 32"]


def unfreeze(scene: Scene) -> Ending:
    frozen, *_had = freeze(scene)
    story = scene.whole("unfreeze", Holder.objects.get(), at=frozen.at)
    return story, ["valid 32"], ["active 32"]


def dispute_city(scene: Scene, grade: int = 2) -> Ending:
    first, *_had = new(scene)
    Card.objects.update(state="active", active_until=dt.date(2027, 11, 20))
    holder, decided = Holder.objects.get(), first.case.ended_at.astimezone(NOON.tzinfo)
    late = weekdays(decided.date(), scene.region.dispute) + dt.timedelta(1)
    with pytest.raises(Refusal, match="dispute-too-late"):
        scene.opens("dispute_city", holder, disputed=first.case.pk, at=decided + (late - decided.date()))
    at = decided + (late - decided.date()) - dt.timedelta(1)
    story = scene.whole("dispute_city", holder, disputed=first.case.pk, grade=grade, at=at)
    if grade == 3:
        return story, ["valid 33"], ["active 33"]
    return story, ["replaced 33", "valid 32"], ["active 33", "ordered 32"]


def dispute_province(scene: Scene) -> Ending:
    second, *had = dispute_city(scene, grade=3)
    assert picture(second.case.holder) == tuple(had), "the city found what the county had found"
    story = scene.whole("dispute_province", second.case.holder, disputed=second.case.pk, grade=2, at=second.at)
    return story, ["replaced 33", "valid 32"], ["active 33", "ordered 32"]


def _of_a_move(tell: Callable[[Scene, str], Ending], reach: str) -> Callable[[Scene], Ending]:
    return lambda scene: tell(scene, reach)


STORIES: dict[str, Callable[[Scene], Ending]] = {
    **{tell.__name__: tell for tell in (  # type: ignore[attr-defined]
        new, exchange, renewal, damage, loss, change, correction, cancellation, cancellation_unmet, restoration, freeze,
        unfreeze, dispute_city, dispute_province)},
    **{f"transfer_out_{reach}": _of_a_move(departs, reach) for reach in ELSEWHERE},
    **{f"transfer_in_{reach}": _of_a_move(arrives, reach) for reach in ELSEWHERE}}


RESULTS = {"dispute_city": "dispute-result", "dispute_province": "dispute-final", "restoration": "restored"}
"""Kinds whose last decision has a letter of its own."""


def told_of(kind: str, line: str) -> list[str]:
    """The letters of a case that ended well: one when it is taken in, with a day where each later step has a limit, one
    with the day of an assessment, one for the last decision, where doctors were asked one on how to dispute it, and no
    other.
    """
    words = {word.partition("<")[0].partition("@")[0] for word in line.split()}
    begins = "request" if kind.startswith("transfer_out") else "accept"
    limited = line.partition(begins)[2].split()[1:]
    dated = limited and all("<" in word for word in limited if word.partition("<")[0].partition("@")[0] not in (
        "end_notice", "order", "arrive"))
    first = ["acceptance" if dated else "acceptance-undated"] * (begins in words)
    first += ["appointment"] * ("book" in words) + ["exchange-opened"] * (kind == "exchange")
    ways = ["ways-to-dispute"] * ("assess" in words and not kind.startswith("dispute"))
    last = "departure-confirmed" if kind.startswith("transfer_out") else (
        "decision-approved" if "order" in words else "case-done")
    return sorted([*first, *ways, RESULTS.get(kind) or last])


@pytest.mark.parametrize(("kind", "region"), [(kind, region) for region in REGIONS for kind in TOLD[region.policy]],
                         ids=lambda part: getattr(part, "policy", part))
def test_a_case_goes_from_its_first_paper_to_its_last_state_as_its_region_has_it(kind, region, tmp_path):
    line = TOLD[region.policy][kind]
    with under(region.policy, tmp_path) if region.policy in EXAMPLES else nullcontext():
        story, certificates, cards = STORIES[kind](Scene(region, builders.make_area()))
        case = Case.get(story.case.pk)
        assert (case.kind_of_case, case.policy) == (kind, region.policy)
        assert case.state == book.pinned(case.policy, kind).end() and case.ended_at
        assert taken(case) == ["open", *(word.partition("<")[0] for word in line.split())]
        assert picture(Case.get(case.pk).holder) == (certificates, cards)
        assert letters(case) == told_of(kind, line)


def test_every_kind_of_case_is_told_under_three_policies_and_regions_differ_in_most():
    assert all(TOLD[policy].keys() == KINDS.keys() for policy in ("measures-2017", *EXAMPLES))
    assert STORIES.keys() == KINDS.keys()
    differ = [kind for kind in KINDS if len({TOLD[policy][kind] for policy in ("measures-2017", *EXAMPLES)}) == 3]
    assert len(differ) >= 19, set(KINDS) - set(differ)


@pytest.mark.parametrize("region", EXAMPLES)
def test_an_example_of_a_region_is_proved_as_shipped_policies_are_and_offers_every_kind(region):
    policy = policies.policy_of(read(settings.PROJECT_ROOT / "examples" / "regions" / f"{region}.toml"))
    assert policy.code == region and policy.procedures.keys() == KINDS.keys()
