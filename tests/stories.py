"""Cases told step by step: who does what, one day after the other."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

import builders
from builders import NOON
from papers_brought import jpeg, photograph, subject_of
from portraits import make_photo
from zhengka.areas.models import Area
from zhengka.bulk.services import Asked
from zhengka.cases import book, policies, services
from zhengka.cases.models import Case
from zhengka.cases.services import steps
from zhengka.cases.services.moving import move
from zhengka.cases.workflow import KINDS
from zhengka.core.actors import Actor
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
        """Take these steps, each by whoever holds its permission."""
        for action in actions:
            step = next(step for step in self.case.table.steps if step.action == action)
            who = by or self.by(ROLE_OF[step.permission])
            if action == "verify":
                self.verify(by=by)
                continue
            why = {"reason": reason} if action in {"accept", *services.NEEDS_REASON} else {}  # its papers are to follow
            self.case = take(self.case, action, by=who, request_id=builders.request_id(), at=self.at, **why)
        return self.case

    def bring_papers(self) -> int:
        """The person brings every paper that is needed, and the photo is taken; how many they were."""
        case, clerk = self.case, self.by("clerk")
        subject, needs = Subject("case", case.pk, case.area_id), services.papers_needed(case)
        photo = bool(case.holder and case.holder.photo)
        missing = papers_there.missing(needs, subject, photo=photo)
        assert missing == [need for need in needs if need.paper != "photo" or not photo]
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

    def assess(self, found: Finding | None = LEG, by: Actor | None = None) -> Case:
        """The institution's conclusion, in a story that is not about how it came about."""
        self.case = steps.assess(self.case, found, by=by or self.by("assessor"), request_id=builders.request_id(),
                                 at=self.at)
        return self.case

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
    """A holder with an active card and its certificate of the third generation."""
    card = builders.make_card(builders.make_holder(**more), state="active")
    return card.holder, card.certificate


@contextmanager
def under(region: str, folder: Path) -> Iterator[None]:
    """The city of the unit 430104 has a file of its own beside the shipped ones: one of examples/regions."""
    for path in (*(settings.DATA / "cases").glob("*.toml"), settings.PROJECT_ROOT / f"examples/regions/{region}.toml"):
        (folder / path.name).write_text(path.read_text())
    loaded = policies.load(folder)
    kept, cached = book.shipped, (book.table, book.limits, book.sources, book.fronted, book.concludes)
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
