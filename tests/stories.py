"""Cases told step by step: who does what, one day after the other."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

import assessing
import builders
from builders import NOON
from papers_brought import jpeg, photograph, put_first, subject_of
from portraits import make_photo
from zhengka.accounts.models import Officer
from zhengka.areas.models import Area
from zhengka.assessment.models import Appointment, Assessment, Licence
from zhengka.bulk.services import Asked
from zhengka.cases import book, policies, services
from zhengka.cases.models import Case
from zhengka.cases.services import moving, steps
from zhengka.cases.services.moving import move
from zhengka.cases.workflow import KINDS
from zhengka.core.actors import Actor
from zhengka.core.scope import ROLE, enter, leave, see_all
from zhengka.papers import queries as papers_there
from zhengka.papers import services as papers
from zhengka.papers.queries import Subject
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Finding, Person

ROLE_OF = {"case.open": "clerk", "case.confirm": "clerk", "case.review": "reviewer", "case.approve": "approver",
           "case.assess": "assessor"}
LEG, HAND = Finding(4, 2), Finding(4, 3)


def person(**more: Any) -> Person:
    """An adult applicant with everything filled in; a guardian who is named has a number of their own."""
    if more.get("guardian_name"):
        more.setdefault("guardian_id", builders.make_id_number())
    return Person(**{"name": "石榴", "id_number": builders.make_id_number(), "ethnicity": "汉族",
                     "phone": "13900000001", "address": "麓山路 1 号", **more})


def take(case: Case, action: str, *, by: Actor, request_id: UUID, at: dt.datetime, reason: str = "") -> Case:
    """Take a step; also one that only a day or a signed form brings, in a story that is not about these."""
    if action == "book":
        return move(case, action, Asked(by, request_id, at))
    do = steps.carry if action in services.BY_ASSESSMENT else services.take
    return do(case, action, by=by, request_id=request_id, at=at, reason=reason)


ALL_DAY = {"starts": dt.time(0), "ends": dt.time(23, 59)}


@contextmanager
def backstage() -> Iterator[None]:
    """What a story needs is built by the platform, whoever acts in it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('app.lo', true), current_setting('app.hi', true)")
        role, lo, hi = cursor.fetchone()
    if role == ROLE:
        leave(connection)
        see_all(connection)
    try:
        yield
    finally:
        if role == ROLE:
            enter(connection, lo, hi)


class Story:
    """One case, with a person of its own in every role of its area; time goes on by hand."""

    def __init__(self, case: Case, *, at: dt.datetime = NOON) -> None:
        """Begin where the case is."""
        self.case, self.at = case, at
        self._people: dict[str, Actor] = {}

    def by(self, role: str, area: Area | None = None) -> Actor:
        """The person of a role in this story."""
        area = area or self.case.area
        return self._people.setdefault(f"{role} {area.pk}", builders.make_actor(role, area=area))

    def later(self, days: int) -> "Story":
        """So many days later."""
        self.at += dt.timedelta(days)
        return self

    def take(self, *actions: str, by: Actor | None = None, reason: str = "because") -> Case:
        """Take these steps, each by whoever holds its permission; what nobody accepts without is there by then."""
        for action in actions:
            step = next(step for step in self.case.table.steps if step.action == action)
            who = by or self.by(ROLE_OF[step.permission])
            if action == "accept" and not by and self.case.checker_person == who.person:
                who = self._people.setdefault("who accepts", builders.make_actor(area=self.case.area))
            if action in self.OWN:
                getattr(self, action)(by=who)
                continue
            if action == "accept":
                put_first(self.case)  # the other papers are to follow
            why = {"reason": reason} if action in {"accept", *services.NEEDS_REASON} else {}
            self.case = take(self.case, action, by=who, request_id=builders.request_id(), at=self.at, **why)
        return self.case

    def bring_papers(self) -> int:
        """The person brings every paper that is needed, and the photo is taken; how many are needed."""
        case, clerk = self.case, self.by("clerk")
        subject, needs = Subject("case", case.pk, case.area_id), services.papers_needed(case)
        photo = bool(case.holder and case.holder.photo)
        there = {paper.kind_of_paper for paper in papers_there.papers_of(subject)} | ({"photo"} if photo else set())
        missing = papers_there.missing(needs, subject, photo=photo)
        assert missing == [need for need in needs if need.paper not in there]
        for need in missing:
            asked: dict[str, Any] = {"by": clerk, "request_id": builders.request_id(), "at": self.at}
            if need.paper == "photo":
                whose = subject_of(case.holder) if case.holder else subject
                assert papers.take_portrait(whose, jpeg(photograph()), dark_glasses=False, **asked).state == "kept"
            else:
                papers.add_paper(subject, papers.Upload(need.paper, "扫描件.jpg", make_photo()), **asked)
        holder = Holder.objects.filter(pk=case.holder_id).first()
        assert papers_there.missing(needs, subject, photo=bool(holder and holder.photo)) == []
        return len(needs)

    OWN = ("verify", "book", "countersign")
    """Steps that have a way of their own."""

    def book(self, *, by: Actor | None = None) -> Case:
        """A day is booked at a hospital of the office that sees to the assessment, on which it has a free place."""
        with backstage():
            hospital = assessing.make_institution(self.case.place)
            day = assessing.make_session(hospital, day=moving.day(self.at), at=self.at, **ALL_DAY)
        self.case = services.book_day(self.case, day, by=by or self.by("clerk", self.case.place),
                                      request_id=builders.request_id(), at=self.at)
        return self.case

    def assess(self, *found: Finding | None, by: Actor | None = None) -> Case:
        """A licensed doctor fills in the form of the day and signs it: with nothing said, the second grade of what the
        case asks for is found; None: no disability of the standard.
        """
        category = services.category_of(self.case)
        [wanted] = found or [Finding(7, 2, ((3, 2), (4, 3))) if category == 7 else Finding(category, 2)]
        if not self._booked():
            self.book()
        [place] = self._booked()
        parts = (wanted.components or [(wanted.category, wanted.grade)]) if wanted else []
        services.sign(place, assessing.filled_in(category, parts), by=self._licensed(place, by),
                      request_id=builders.request_id(), at=self.at)
        self.case = Case.get(self.case.pk)
        assert self.case.found == ({"category": wanted.category, "grade": wanted.grade, "components": [
            list(part) for part in wanted.components]} if wanted else {})
        return self.case

    def countersign(self, *, by: Actor | None = None) -> Case:
        """A second licensed doctor agrees."""
        first = Assessment.objects.filter(case_id=self.case.pk).latest("pk")
        services.second(first, agrees=True, by=self._licensed(first.appointment, by), request_id=builders.request_id(),
                        at=self.at)
        self.case = Case.get(self.case.pk)
        return self.case

    def _booked(self) -> list[Appointment]:
        return list(Appointment.objects.filter(case_id=self.case.pk, state="booked"))

    def _licensed(self, place: Appointment, by: Actor | None) -> Actor:
        """The doctor, with a licence at the hospital."""
        doctor = by or self.by("assessor", self.case.place)
        with backstage():
            hospital = place.session.institution
            if not Licence.objects.filter(institution=hospital, officer=doctor.id).exists():
                assessing.license_for(hospital, Officer.objects.get(pk=doctor.id))
        return doctor

    def verify(self, *, by: Actor | None = None) -> Case:
        """A clerk other than the one who brought the case in finds the report in a second source."""
        self.case = services.verify(self.case, "hospital", "2026-118", by=by or self.by("clerk"),
                                    request_id=builders.request_id(), at=self.at)
        return self.case

    def notice(self, days: int = 8) -> Case:
        """The public notice is put up, stands, and comes down by the clock."""
        self.take("publish")
        self.later(days)
        services.run_clocks(at=self.at)
        self.case = Case.get(self.case.pk)
        return self.case


def applies(who: Person | None = None, *, wanted: int = 4, area: Area | None = None, at: dt.datetime = NOON) -> Story:
    """Somebody applies for a first certificate."""
    area = area or builders.make_area()
    case = services.apply(who or person(), wanted, area, by=builders.make_actor(area=area),
                          request_id=builders.request_id(), at=at)
    return Story(case, at=at)


def brings(kind: str, holder: Holder, *, at: dt.datetime = NOON, **told: Any) -> Story:
    """A case of a holder is opened at their office."""
    assert kind in KINDS
    case = services.open_case(kind, holder, by=builders.make_actor(area=holder.area), request_id=builders.request_id(),
                              at=at, **told)
    return Story(case, at=at)


def card_holder(**more: Any) -> tuple[Holder, Certificate]:
    """A holder with an active card and its certificate of the third generation, issued ten months ago."""
    card = builders.make_card(builders.make_holder(**more), state="active")
    Certificate.objects.filter(pk=card.certificate_id).update(issued_on=dt.date(2026, 1, 20))
    card.certificate.refresh_from_db()
    return card.holder, card.certificate


def confirmed(story: Story) -> Story:
    """Another clerk than the one who noted a move finds its day in the household register."""
    story.take("confirm_move")
    return story


def left_behind(*days: dt.datetime) -> list[dict[str, int]]:
    """The clock runs on each of these days, and some weeks before it, when it is time for a letter."""
    def run(at: dt.datetime) -> dict[str, int]:
        services.run_clocks(at=at - dt.timedelta(31))
        return services.run_clocks(at=at)
    return [run(at) for at in days]


@contextmanager
def under(region: str, folder: Path) -> Iterator[None]:
    """The city of the unit 430104 has a file of its own beside the shipped ones: one of examples/regions."""
    for path in (*(settings.DATA / "cases").glob("*.toml"), settings.PROJECT_ROOT / f"examples/regions/{region}.toml"):
        (folder / path.name).write_text(path.read_text())
    loaded = policies.load(folder)
    kept, cached = book.shipped, (book.table, book.limits, book.waiting, book.concludes)
    book.shipped = lambda: loaded  # type: ignore[assignment]
    for each in cached:
        each.cache_clear()
    try:
        services.load_ways()
        yield
    finally:
        book.shipped = kept
        for each in cached:
            each.cache_clear()
