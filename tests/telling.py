"""Whole cases told as their policy has them: papers are brought, each step is taken by whoever must, and before it is
tried what must not succeed: another office, one person where two are needed, a later step, a worker that comes early.

A line is what a policy is expected to say, told without it: `review@city<20` is the city's, within 20 working days.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import pytest

import assessing
import builders
from builders import NOON
from stories import ROLE_OF, Story, take
from zhengka.accounts.models import Officer
from zhengka.areas.models import Area
from zhengka.assessment.models import Appointment, Assessment
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.cases.services import steps
from zhengka.cases.workflow import LINE, PAIRS
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.core.workflow import Step
from zhengka.letters.models import Letter
from zhengka.registry.models import Certificate, Holder

LEADS = {leg.step.action for leg in LINE}
WIDTH = {"": 1, "city": 10**8, "province": 10**10}
BY_THE_PLATFORM = {"end_notice", "arrive", "order"}
SPEECH = {2: {"clarity": "20"}, 3: {"clarity": "30"}, None: {"clarity": "70"}}
"""Grade (None: the standard is not met) → what the doctor writes into the form of 言语."""


def weekdays(day: dt.date, number: int) -> dt.date:
    """The last of so many working days after a day, in weeks without a holiday."""
    while number:
        day += dt.timedelta(1)
        number -= day.weekday() < 5
    return day


class Telling(Story):
    """A case on its way. `line`: what its policy is expected to say; `notice`: working days of its public notice;
    `grade`: what the doctors find.
    """

    def __init__(self, case: Case, lines: Mapping[str, Mapping[str, str]], *, notice: int = 5, grade: int | None = 3,
                 at: dt.datetime = NOON) -> None:
        """Begin where the case is; `lines`: policy → kind → line."""
        super().__init__(case, at=at)
        self.lines, self.days, self.grade = lines, notice, grade
        self.line = lines[case.policy][case.kind_of_case].split()

    def go_on(self) -> Case:
        """To the last state, a day after the other. `<10`: so many working days for a step, `<=`: the days run on."""
        due: dt.date | None = None
        for word in self.line:
            action, office, within = re.fullmatch(r"(\w+)@?(\w*)<?(\d*|=)", word).groups()  # type: ignore[union-attr]
            if action == "order" and self.case.ended_at:
                continue  # the last decision ordered the card with it
            step = onward(self.case)
            assert step is not None and step.action == action, f"{step} where {word} was expected"
            runs_on, since = within == "=", self.case.moved_at.astimezone(NOON.tzinfo).date()
            due = due if runs_on else weekdays(since, int(within)) if within else None
            assert self.case.due_on == due, word
            self.later(1)
            self._refused(step, office)
            getattr(self, f"_{action}", self._step)(step, Area.objects.get(code=self._code(office)))
            self.case = Case.get(self.case.pk)
        assert onward(self.case) is None and self.case.ended_at
        return self.case

    def _code(self, office: str) -> int:
        return self.case.area_id // WIDTH[office] * WIDTH[office]

    def _refused(self, step: Step, office: str) -> None:
        """What must not succeed now; each refusal has its name."""
        if step.action in BY_THE_PLATFORM:
            return
        role, area = ROLE_OF[step.permission], Area.objects.get(code=self._code(office))
        neighbour = builders.make_actor(role, area=builders.make_area(self.case.area_id // 10**8 * 100 + 99))
        self._no("not-found", step.action, neighbour)
        if office:
            self._no("office-wrong", step.action, builders.make_actor(role, area=self.case.area))
        for first, then in (*PAIRS, ("open", "verify")):
            before = Event.objects.filter(subject="case", subject_id=self.case.pk, action=first).last()
            if then == step.action and before:
                self._no("same-person", then, builders.make_actor(role, area=area, person=before.person))
        if others := self.case.table.actions & LEADS - BY_THE_PLATFORM - {step.action, "assess"}:
            action = max(others)
            permission = next(each.permission for each in self.case.table.steps if each.action == action)
            self._no("step-not-open", action, self.by(ROLE_OF[permission]))
        if "transfer" in self.case.kind_of_case:
            services.move_on(self.case.pk, at=self.at)
            now = Case.get(self.case.pk)
            assert (now.state, now.counterpart_id) == (self.case.state, None), "the worker waits for the last decision"

    def _no(self, code: str, action: str, by: Actor) -> None:
        told: dict[str, Any] = {"by": by, "request_id": builders.request_id(), "at": self.at}
        with pytest.raises(Refusal) as no:
            if action == "assess":
                steps.assess(self.case, None, **told)
            elif action == "verify":
                services.verify(self.case, "call", "13:05", **told)
            else:
                take(self.case, action, reason="because", **told)
        assert no.value.code == code, f"{action}: {no.value.code} where {code} was expected"

    def _step(self, step: Step, area: Area) -> None:
        role = ROLE_OF[step.permission]
        another = step.action == "precheck"  # than who accepts
        self.take(step.action, by=builders.make_actor(role, area=area) if another else self.by(role, area))

    def _book(self, step: Step, area: Area) -> None:
        """A day at a hospital; its doctors answer for the office that hears the case."""
        hospital = assessing.make_institution(self.case.area)
        self.doctors = [assessing.make_assessor(hospital, officer=builders.make_officer("assessor", area=each))
                        for each in (self._doctors_area(),) * 2]
        day = assessing.make_session(hospital, day=self.at.date(), at=self.at)
        services.book_day(self.case, day, by=self.by("clerk", area), request_id=builders.request_id(), at=self.at)

    def _doctors_area(self) -> Area:
        [word] = [word for word in self.line if word.startswith("assess")]
        return Area.objects.get(code=self._code(word.partition("@")[2]))

    def _assess(self, _step: Step, _area: Area) -> None:
        place = Appointment.objects.get(case_id=self.case.pk, state="booked")
        services.sign(place, SPEECH[self.grade], by=self.doctors[0], request_id=builders.request_id(), at=self.at)

    def _countersign(self, _step: Step, _area: Area) -> None:
        first = Assessment.objects.filter(case_id=self.case.pk).latest("pk")
        services.second(first, agrees=True, by=self.doctors[1], request_id=builders.request_id(), at=self.at)

    def _end_notice(self, _step: Step, _area: Area) -> None:
        """It stands for its full working days, and comes down on the day after by the clock alone."""
        first, last = self.case.notice_from, self.case.notice_ends
        assert last == weekdays(first, self.days)
        self.at = NOON.replace(year=last.year, month=last.month, day=last.day, hour=23)
        assert services.run_clocks(at=self.at)["end_notice"] == 0
        self.at += dt.timedelta(hours=2)
        assert services.run_clocks(at=self.at)["end_notice"] == 1

    def _arrive(self, _step: Step, _area: Area) -> None:
        """The other office takes its own steps by its own policy."""
        services.move_on(self.case.pk, at=self.at)
        arrival = Telling(Case.get(self.case.pk).counterpart, self.lines, grade=self.grade, at=self.at)
        arrival.bring_papers()
        arrival.go_on()
        self.at = arrival.at

    def _order(self, _step: Step, _area: Area) -> None:
        """The card of an arrival is ordered by the platform, which sees both offices."""
        for _twice in range(2):
            services.move_on(self.case.pk, at=self.at)


def onward(case: Case) -> Step | None:
    """The step that leads a case on; None at the end of its line."""
    return next((step for step in case.table.steps if step.source == case.state and step.action in LEADS), None)


def go_until(story: Story, action: str = "") -> Case:
    """The shortest way to the state in which this step is the next, or to the end; each step by a person of its own."""
    while (step := onward(story.case)) and step.action != action:
        if step.action == "assess":
            story.assess()
        elif step.action == "publish":
            story.notice(days=15)
        else:
            [office, *_others] = step.guards[0].levels  # type: ignore[attr-defined]
            area = Area.objects.get(code=story.case.area_id // WIDTH.get(office, 1) * WIDTH.get(office, 1))
            story.take(step.action, by=builders.make_actor(ROLE_OF[step.permission], area=area))
    return story.case


def taken(case: Case) -> list[str]:
    """Every step of a case in its order, and which office took it where that is not the county."""
    found = []
    for event in Event.objects.filter(subject="case", subject_id=case.pk).order_by("version"):
        level = Officer.objects.get(pk=event.actor_id).area.level if event.actor_id else "county"
        found.append(event.action + (f"@{level}" if level != "county" else ""))
    return found


def number(certificate: Certificate) -> str:
    """A certificate's number."""
    return fields.open_(bytes(certificate.number), "certificate.number")


def picture(holder: Holder) -> tuple[list[str], list[str]]:
    """The certificates and the cards of a holder: the state of each, and what its number ends with."""
    certificates = Certificate.objects.filter(holder=holder)
    cards = Card.objects.filter(holder=holder).select_related("certificate")
    return (sorted(f"{one.state} {number(one)[18:]}" for one in certificates),
            sorted(f"{one.state} {number(one.certificate)[18:]}" for one in cards))


def letters(case: Case) -> list[str]:
    """What the person was told of a case, by kind of letter, on however many ways."""
    told = Letter.objects.filter(subject="case", subject_id=case.pk).values_list("template", "occasion").distinct()
    return sorted(template for template, _occasion in told)


def bearer(area: Area, *, at: dt.datetime = NOON, years: int = 0, generation: int = 3) -> Holder:
    """Somebody with 言语二级 since so many years, and an active card where the certificate is one of a card."""
    holder = builders.make_holder(area=area)
    certificate = builders.make_certificate(holder, category=3, generation=generation)
    first = at.date().replace(year=at.year - years)
    certificate.issued_on, certificate.valid_until = first, first.replace(year=first.year + 10)
    certificate.save()
    if generation == 3:
        builders.make_card(holder, certificate=certificate, state="active")
    return holder
