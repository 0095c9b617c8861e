"""Each kind of case once (办理), on people of the sample: from the first paper to the last state, in six weeks' time.

A story is opened and walked by request ids that are the same in every run: what is done already is not done again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from zhengka.areas.calendars import add_months
from zhengka.areas.models import Area
from zhengka.cases import services as cases
from zhengka.cases.models import Case
from zhengka.cli.line import Officers, Told, act
from zhengka.core.actors import Actor
from zhengka.core.models import Event
from zhengka.formats import idnumber
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Finding, Person

SIX_WEEKS = timedelta(days=42)
"""Before now, when the stories begin: a public notice stands for five working days, the longest holiday is eight."""
NEED = 11
"""Holders of the sample whom the stories are about."""
REASON = "演示"
ACCEPT, ASSESS, DECIDE = ("accept",), ("accept", "book", "assess"), ("review", "approve")
NOTICE = ("publish", "end_notice")


@dataclass
class Teller:
    """Tells stories as the demo's officers, the first half of each at `then`, what follows a notice `now`."""

    who: Officers
    then: datetime
    now: datetime

    def open(self, name: str, do: Callable[..., Case]) -> Case:
        """The case that `do` opens, or opened in an earlier run."""
        key = act("story", name)
        if event := Event.objects.filter(request_id=key).first():
            return Case.get(event.subject_id)
        return do(by=self.who.clerk, request_id=key, at=self.then)

    def walk(self, name: str, case: Case, steps: Sequence[str], found: Finding | None = None) -> Case:
        """Take these steps of the case, each by whoever holds its permission."""
        at = self.then
        for place, action in enumerate(steps):
            key = act("story", name, place, action)
            if not Event.objects.filter(request_id=key).exists():
                at = self.now if "end_notice" in steps[:place + 1] or action == "approve" else at
                case = self._step(Case.get(case.pk), action, found, {"request_id": key, "at": at})
        return Case.get(case.pk)

    def tale(self, kind: str, holder: Holder, steps: Sequence[str], found: Finding | None = None, **told: Any) -> Case:
        """A case of a holder, from its opening on."""
        case = self.open(kind, lambda **by: cases.open_case(kind, Holder.get(holder.pk), **told, **by))
        return self.walk(kind, case, steps, found)

    def disputed(self, holder: Holder) -> None:
        """A change of grade that is disputed before the city, then before the province."""
        about = self.tale("change", holder, (*ASSESS, *NOTICE, *DECIDE), _other(holder))
        later = Teller(self.who, self.now, self.now)
        for kind, found in (("dispute_city", Finding(4, 1)), ("dispute_province", Finding(4, 2))):
            about = later.tale(kind, about.holder or holder, (*ASSESS, *DECIDE), found, disputed=about.pk)

    def moved(self, kind: str, holder: Holder, to: Area) -> None:
        """A move to another office of the platform."""
        away = self.tale(kind, holder, ("request", *DECIDE), to=to.pk)
        if away.counterpart:
            self.walk(away.counterpart.kind_of_case, away.counterpart, (*ACCEPT, *DECIDE))

    def left_behind(self, holder: Holder) -> None:
        """A certificate that did not follow within a year: frozen and cancelled by the clock."""
        self.tale("transfer_out_nation", holder, (), moved=add_months(timezone.localdate(), -13).isoformat())
        for _clock in ("freeze", "lapse"):
            cases.run_clocks(at=self.now)

    def undone(self, kind: str, holder: Holder, reason: str, back: str) -> None:
        """A cancellation that is restored, a freeze that is lifted."""
        verified = {"cancellation": ("accept", "verify"), "restoration": ("accept", "verify"), "freeze": ("verify",)}
        first = self.tale(kind, holder, (*verified[kind], *DECIDE), reason=reason)
        self.tale(back, first.holder or holder, (*verified.get(back, ACCEPT), *DECIDE))

    def _step(self, case: Case, action: str, found: Finding | None, told: dict[str, Any]) -> Case:
        if action == "end_notice":
            cases.run_clocks(at=self.now)
            return Case.get(case.pk)
        by = self._by(next(step.permission for step in case.table.steps if step.action == action))
        if action == "assess":
            return cases.assess(case, found, by=by, **told)
        done = cases.take(case, action, by=by, reason=REASON if action in cases.NEEDS_REASON else "", **told)
        return cases.move_on(done.pk, at=told["at"]) if "transfer" in done.kind_of_case else done

    def _by(self, permission: str) -> Actor:
        return {"case.review": self.who.reviewer, "case.approve": self.who.approver,
                "case.assess": self.who.assessor}.get(permission, self.who.clerk)


def tell(who: Officers, units: Sequence[Area], *, told: Told) -> None:
    """Tell every kind of case once; nothing in a sample too small for it, whose people all have an exchange."""
    now = timezone.now()
    teller = Teller(who, now - SIX_WEEKS, now)
    people = _people(timezone.localdate(teller.then), timezone.localdate(now))
    if len(people) < NEED:
        return
    stories = (*_applications(teller, units), *_holders(teller, people, units))
    for place, story in enumerate(stories):
        told(place, len(stories))
        story()
    told(len(stories), len(stories))


def _people(begun: date, today: date) -> list[Holder]:
    """The first adults of the sample with a portrait and a paper certificate that was in its tenth year on the day
    when the stories begin, and still is valid.
    """
    found = Certificate.objects.filter(
        generation=2, state="valid", issued_on__lte=add_months(begun, -12 * 9), valid_until__gt=today,
        category__in=(1, 2, 3, 4), holder__state="registered", holder__photo__isnull=False,
        holder__source__isnull=False, holder__cases=None, holder__birth_date__lt=date(2000, 1, 1)).order_by("holder_id")
    return [certificate.holder for certificate in found.select_related("holder", "holder__area")[:NEED]]


def _applications(teller: Teller, units: Sequence[Area]) -> list[Callable[[], object]]:
    """People whom the registry does not know: an adult, a child, one who comes from another province."""
    unit = units[0]

    def adult() -> None:
        case = teller.open("new", lambda **by: cases.apply(_person("韩江", "19790203", 5), 4, unit, **by))
        teller.walk("new", case, (*ASSESS, *NOTICE, *DECIDE), Finding(4, 3))

    def child() -> None:
        who = _person("韩溪", "20160411", 6, guardian_name="韩江", guardian_phone="13900000001")
        case = teller.open("new minor", lambda **by: cases.apply(who, 5, unit, **by))
        teller.walk("new minor", case, (*ASSESS, *DECIDE), Finding(7, 2, ((2, 3), (5, 2))))

    def arrival() -> None:
        who = _person("方远", "19650807", 7)
        brings = cases.Brought(f"{who.id_number}12", date(2020, 6, 1), date(2030, 6, 1))
        case = teller.open("arrival", lambda **by: cases.apply_arrival(who, brings, unit, **by))
        teller.walk("arrival", case, (*ACCEPT, *DECIDE))

    return [adult, child, arrival]


def _holders(teller: Teller, people: list[Holder], units: Sequence[Area]) -> list[Callable[[], object]]:
    """What holders bring, one after another."""
    damage, loss, change, correction, renewal, city, province, nation, wish, unmet, freeze = people[:NEED]
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
        lambda: tale("cancellation_unmet", unmet, (*ASSESS, *DECIDE)),
        lambda: teller.undone("freeze", freeze, "death-reported", "unfreeze")]


def _unit(units: Sequence[Area], holder: Holder, *, same_city: bool) -> Area:
    """A unit to which a holder may move."""
    return next(unit for unit in units if unit.pk != holder.area_id
                and (unit.pk // 10**8 == holder.area_id // 10**8) == same_city)


def _other(holder: Holder) -> Finding:
    """A finding that is not what the holder's certificate says."""
    has = holder.certificates.get(generation=2)
    return Finding(4, 3 if (has.category, has.grade) != (4, 3) else 4)


def _person(name: str, born: str, number: int, **more: Any) -> Person:
    """An invented person: no division ever had the first six digits of the number."""
    first17 = f"439902{born}{number:03d}"
    return Person(name=name, id_number=first17 + idnumber.check_digit(first17), ethnicity="汉族", **more)
