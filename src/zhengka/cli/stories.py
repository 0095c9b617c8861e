"""Each kind of case once (办理), on people of the sample: from the first paper to the last state, in six weeks' time.

A story is opened and walked by request ids that are the same in every run: what is done already is not done again.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from PIL import Image

from zhengka.areas.calendars import add_months
from zhengka.areas.models import Area
from zhengka.assessment import demo as assessment
from zhengka.assessment.models import Appointment
from zhengka.cases import services as cases
from zhengka.cases.models import Case
from zhengka.cli.line import Officers, Told, act
from zhengka.core.actors import Actor
from zhengka.core.models import Event
from zhengka.formats import idnumber
from zhengka.papers import services as papers
from zhengka.papers.queries import Subject
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Person

SIX_WEEKS = timedelta(days=42)
"""Before now, when the stories begin: a public notice stands for five working days, the longest holiday is eight."""
NEED, ASSESSED = 11, 2
"""Holders of the sample whom the stories are about, and how many of them are assessed."""
REASON = "演示"
TO_FOLLOW = "演示数据不附材料"
"""Why a story's case is accepted without the papers that may follow."""
ACCEPT, ASSESS, DECIDE = ("accept",), ("accept", "book", "assess"), ("review", "approve")
NOTICE = ("publish", "end_notice")
Answers = Mapping[str, Any]
LIMB: Mapping[int, Answers] = {
    0: {"independence": "fully"}, 1: {"independence": "cannot", "grade_1": ["a"]},
    2: {"independence": "hardly", "grade_2": ["a"]}, 3: {"independence": "partly", "grade_3": ["c"]},
    4: {"independence": "mostly", "grade_4": ["a"]}}
"""Grade → what a doctor writes into the form of category 4 (肢体); 0: the standard is not met."""
EAR_AND_MIND: Answers = {
    "2": {f"{side}_{tone}": "70" for side in ("right", "left") for tone in (500, 1000, 2000, 4000)},
    "5": {"iq": "30", "adaptive": "severe"}}
"""Two parts of a multiple disability: 听力 grade 3, 智力 grade 2."""


@dataclass
class Teller:
    """Tells stories as the demo's officers, the first half of each at `then`, what follows a notice `now`."""

    who: Officers
    then: datetime
    now: datetime
    others: Mapping[str, Actor] = field(default_factory=dict)
    """Step → who takes it, where that is another office's."""

    def open(self, name: str, do: Callable[..., Case]) -> Case:
        """The case that `do` opens, or opened in an earlier run."""
        key = act("story", name)
        if event := Event.objects.filter(request_id=key).first():
            return Case.get(event.subject_id)
        return do(by=self.who.clerk, request_id=key, at=self.then)

    def walk(self, name: str, case: Case, steps: Sequence[str], answers: Answers | None = None) -> Case:
        """Take these steps of the case, each by whoever holds its permission."""
        at = self.then
        for place, action in enumerate(steps):
            key = act("story", name, place, action)
            if not Event.objects.filter(request_id=key).exists():
                at = self.now if "end_notice" in steps[:place + 1] or action == "approve" else at
                case = self._step(Case.get(case.pk), action, answers, {"request_id": key, "at": at})
        return Case.get(case.pk)

    def tale(self, kind: str, holder: Holder, steps: Sequence[str], answers: Answers | None = None,
             **told: Any) -> Case:
        """A case of a holder, from its opening on."""
        case = self.open(kind, lambda **by: cases.open_case(kind, Holder.get(holder.pk), **told, **by))
        return self.walk(kind, case, steps, answers)

    def disputed(self, holder: Holder) -> None:
        """A change of grade that is disputed before the city, then before the province."""
        about = self.tale("change", holder, (*ASSESS, *NOTICE, *DECIDE), LIMB[_other(holder)])
        later = Teller(self.who, self.now, self.now)
        for kind, grade in (("dispute_city", 1), ("dispute_province", 2)):
            about = later.tale(kind, about.holder or holder, (*ASSESS, *DECIDE), LIMB[grade], disputed=about.pk)

    def moved(self, kind: str, holder: Holder, to: Area) -> None:
        """A move to another office of the platform."""
        away = self.tale(kind, holder, ("request", *DECIDE), to=to.pk)
        if away.counterpart:
            self.walk(away.counterpart.kind_of_case, away.counterpart, (*ACCEPT, *DECIDE))

    def left_behind(self, holder: Holder) -> None:
        """A certificate that did not follow within a year: warned of six weeks before all others, then frozen and
        warned of once more, then cancelled, by the clock.
        """
        before = Teller(self.who, self.then - SIX_WEEKS, self.then)
        before.tale("transfer_out_nation", holder, ("confirm_move",),
                    moved=add_months(timezone.localdate(), -13).isoformat())
        for at in (before.then, self.then, self.now):
            cases.run_clocks(at=at)

    def undone(self, kind: str, holder: Holder, reason: str, back: str) -> None:
        """A cancellation that is restored, a freeze that is lifted."""
        verified = {"cancellation": ("accept", "verify"), "restoration": ("accept", "verify"), "freeze": ("verify",)}
        first = self.tale(kind, holder, (*verified[kind], *DECIDE), reason=reason)
        self.tale(back, first.holder or holder, (*verified.get(back, ACCEPT), *DECIDE))

    def brings(self, case: Case, *kinds: str) -> None:
        """Papers of these kinds are taken in: nobody of the sample has any, and an empty sheet stands for each."""
        for kind in kinds:
            key, sheet = act("story", "paper", case.pk, kind), io.BytesIO()
            if not Event.objects.filter(request_id=key).exists():
                Image.new("RGB", (620, 877), "white").save(sheet, "JPEG")
                papers.add_paper(Subject(case.kind(), case.pk, case.area_id), papers.Upload(
                    kind, f"{REASON}.jpg", sheet.getvalue()), by=self.who.clerk, request_id=key, at=self.then)

    def _step(self, case: Case, action: str, answers: Answers | None, told: dict[str, Any]) -> Case:
        if action == "end_notice":
            cases.run_clocks(at=self.now)
            return Case.get(case.pk)
        if action == "book":
            day = assessment.day_of(assessment.place_of(case.place), clerk=self.who.clerk, at=told["at"])
            return cases.book_day(case, day, by=self.who.clerk, **told)
        if action == "assess":
            place = Appointment.objects.get(case_id=case.pk, state="booked")
            cases.sign(place, answers or {}, by=assessment.doctor_for(place), **told)
            return Case.get(case.pk)
        if action == "accept":
            self.brings(case, *(need.paper for need in cases.papers_needed(case) if not need.may_follow
                                or need.paper == "guardian-proof"))  # without it nobody decides on 智力 in 多重
        if action == "confirm_move":
            return cases.take(case, action, by=self.who.colleague, **told)
        if action == "verify":
            return cases.verify(case, "hospital", "2026-118", by=self.who.colleague, **told)
        by = self.others.get(action) or self._by(next(step.permission for step in case.table.steps
                                                      if step.action == action))
        why = TO_FOLLOW if action == "accept" else REASON if action in cases.NEEDS_REASON else ""
        done = cases.take(case, action, by=by, reason=why, **told)
        return cases.move_on(done.pk, at=told["at"]) if "transfer" in done.kind_of_case else done

    def _by(self, permission: str) -> Actor:
        return {"case.review": self.who.reviewer, "case.approve": self.who.approver}.get(permission, self.who.clerk)


def tell(who: Officers, units: Sequence[Area], *, told: Told) -> int:
    """Tell every kind of case once, but the exchange; how many people the sample lacks for it: where any, nothing is
    told. In a run after the one that told them all people have an exchange, and none are lacking.
    """
    now = timezone.now()
    teller = Teller(who, now - SIX_WEEKS, now)
    people = _people(timezone.localdate(teller.then), timezone.localdate(now))
    if len(people) < NEED:
        return 0 if Event.objects.filter(request_id=act("story", "new")).exists() else NEED - len(people)
    stories = (*_applications(teller, units), *_holders(teller, people, units))
    for place, story in enumerate(stories):
        told(place, len(stories))
        story()
    told(len(stories), len(stories))
    return 0


def _people(begun: date, today: date) -> list[Holder]:
    """The first adults of the sample with a portrait and a paper certificate that was in its tenth year on the day
    when the stories begin, and still is valid; before all others two of category 4 (肢体), who are assessed.
    """
    found = Certificate.objects.filter(
        generation=2, state="valid", issued_on__lte=add_months(begun, -12 * 9), valid_until__gt=today,
        category__in=(1, 2, 3, 4), holder__state="registered", holder__photo__isnull=False,
        holder__source__isnull=False, holder__cases=None, holder__birth_date__lt=date(2000, 1, 1),
        ).select_related("holder", "holder__area").order_by("holder_id")
    assessed = list(found.filter(category=4)[:ASSESSED])
    others = found.exclude(pk__in=[certificate.pk for certificate in assessed])[:NEED - ASSESSED]
    return [certificate.holder for certificate in (*assessed, *others)]


def _applications(teller: Teller, units: Sequence[Area]) -> list[Callable[[], object]]:
    """People whom the registry does not know: an adult, a child, one who comes from another province."""
    unit = units[0]

    def adult() -> None:
        case = teller.open("new", lambda **by: cases.apply(person("韩江", "19790203", 5), 4, unit, **by))
        teller.walk("new", case, (*ASSESS, *NOTICE, *DECIDE), LIMB[3])

    def child() -> None:
        father = person("韩江", "19790203", 5)
        who = person("韩溪", "20160411", 6, guardian_name=father.name, guardian_id=father.id_number,
                      guardian_phone="13900000001")
        case = teller.open("new minor", lambda **by: cases.apply(who, 7, unit, **by))
        teller.walk("new minor", case, (*ASSESS, *DECIDE), EAR_AND_MIND)

    def arrival() -> None:
        who = person("方远", "19650807", 7)
        brings = cases.Brought(f"{who.id_number}12", date(2020, 6, 1), date(2030, 6, 1))
        case = teller.open("arrival", lambda **by: cases.apply_arrival(who, brings, unit, **by))
        teller.walk("arrival", case, (*ACCEPT, *DECIDE))

    return [adult, child, arrival]


def _holders(teller: Teller, people: list[Holder], units: Sequence[Area]) -> list[Callable[[], object]]:
    """What holders bring, one after another."""
    change, unmet, damage, loss, correction, renewal, city, province, nation, wish, freeze = people[:NEED]
    tale = teller.tale
    return [
        lambda: tale("damage", damage, (*ACCEPT, *DECIDE)), lambda: tale("loss", loss, (*ACCEPT, *DECIDE)),
        lambda: teller.disputed(change),
        lambda: tale("correction", correction, (*ACCEPT, *DECIDE), name="卓玛·措"),
        lambda: tale("renewal", renewal, (*ACCEPT, *DECIDE)),
        lambda: teller.moved("transfer_out_city", city, _unit(units, city, same_city=True)),
        lambda: teller.moved("transfer_out_province", province, _unit(units, province, same_city=False)),
        lambda: teller.left_behind(nation),
        lambda: teller.undone("cancellation", wish, "own-wish", "restoration"),
        lambda: tale("cancellation_unmet", unmet, (*ASSESS, *DECIDE), LIMB[0]),
        lambda: teller.undone("freeze", freeze, "death-reported", "unfreeze")]


def _unit(units: Sequence[Area], holder: Holder, *, same_city: bool) -> Area:
    """A unit to which a holder may move."""
    return next(unit for unit in units if unit.pk != holder.area_id
                and (unit.pk // 10**8 == holder.area_id // 10**8) == same_city)


def _other(holder: Holder) -> int:
    """A grade that is not what the holder's certificate says."""
    return 4 if holder.certificates.filter(generation=2).latest("pk").grade == 3 else 3  # a merged person has two


def person(name: str, born: str, number: int, **more: Any) -> Person:
    """An invented person: no division ever had the first six digits of the number."""
    first17 = f"439902{born}{number:03d}"
    return Person(**{"name": name, "id_number": first17 + idnumber.check_digit(first17), "ethnicity": "汉族",
                     "address": f"示例路{number}号", **more})
