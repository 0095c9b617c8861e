"""A day's work of each role by keyboard alone, where two doctors sign and the city looks again: every page that it
leads over is looked at by axe, wide and narrow.
"""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from assessing import license_for, make_institution, make_session_today
from builders import make_area, make_id_number, make_officer, request_id
from stories import Story, applies, brings, person, under
from telling import bearer, go_until
from windows import NARROW, PASSWORD, WIDE, Window, accept_without_papers, follow, log_in, said
from zhengka.accounts.models import Officer
from zhengka.areas.models import Area
from zhengka.areas.services import add_street
from zhengka.assessment.models import Assessment
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.registry.models import Certificate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
CITY = 430100_000000


@pytest.fixture(autouse=True)
def two_doctors(tmp_path, transactional_db):
    """The city's own file."""
    with under("two-doctors", tmp_path):
        make_area()
        yield


class Day(Window):
    """The window of one officer, who uses no mouse; `found`: what axe says of every page that it came over."""

    def __init__(self, chromium, server, officer: Officer) -> None:
        super().__init__(chromium, server)
        self.found: list[str] = []
        log_in(self, officer)
        self.see()

    def on(self, *keys: str) -> None:
        """The keys that lead to the next page, and a look at it."""
        follow(self, *keys)
        self.see()

    def see(self) -> None:
        """Look at the page as it stands; no key stands for two things on it."""
        keys = self.page.evaluate("[...document.querySelectorAll('[data-shortcut]')].map(one => one.dataset.shortcut)")
        self.found += [f"{self.page.url}: two are on the key {key}" for key in set(keys) if keys.count(key) > 1]
        self.found += self.inspect(WIDE, NARROW)
        self.resize(WIDE)

    def to(self, words: str) -> None:
        """Along the Tab key to a link or button, and press it."""
        self.tab_to(words)
        self.on("Enter")

    def first_of(self, tile: str) -> None:
        """From the worklist to the first case of one of its lists."""
        self.go(reverse("staff:home"))
        self.to(tile)
        self.on("j", "Enter")

    def gives_a_reason(self, label: str, reason: str) -> None:
        """Open what goes back or ends, say why, and do it."""
        self.tab_to(label)
        self.press("Enter", "Tab")
        self.type(reason)
        self.press("Tab")
        self.on("Enter")

    def says_yes(self, question: str) -> None:
        """Answer what is asked before something is done."""
        assert question in self.page.content()
        self.on("y")

    def over(self) -> None:
        """The day is done, and no page had a fault."""
        self.close()
        assert not self.found, "\n".join(self.found)


def officer(role: str, area: Area | None = None) -> Officer:
    return make_officer(role, area=area, password=PASSWORD)


def waits_for(action: str, *, name: str = "石榴") -> Story:
    """An application that began some weeks ago and waits for a step."""
    story = applies(person(name=name), wanted=3, at=timezone.now() - dt.timedelta(30))
    go_until(story, action)
    return story


def test_the_streets_clerk_takes_in_and_checks_the_countys_accepts_books_a_day_and_puts_up_a_notice(
        live_server, chromium):
    make_session_today()
    publish = waits_for("publish", name="田野")
    street = add_street(make_area(), 1, "一街道（虚构）", "First Street (invented)")
    day = Day(chromium, live_server, officer("clerk", street))
    day.on("n")
    for text in ("石榴", make_id_number(), "3", "", "13900000001"):
        day.type(text)
        day.press("Tab")
    day.type("麓山路1号")
    day.on("Enter")
    day.on("c")
    day.says_yes("Pass an application without its papers?")
    case = Case.objects.get(name="石榴")
    assert (case.state, case.front) == ("prechecked", street)
    day.over()
    day = Day(chromium, live_server, officer("clerk"))
    day.first_of("Applications to accept")
    accept_without_papers(day)
    assert "The application is accepted" in said(day)
    day.on("d")
    day.tab_to("门诊三楼")
    day.press("Space")
    day.on("Enter")
    assert "The assessment is booked" in said(day) and Case.objects.get(name="石榴").state == "booked"
    day.first_of("Public notices to put up")
    day.on("p")
    assert "The public notice is up" in said(day) and Case.get(publish.case.pk).state == "publicised"
    day.over()


def test_two_doctors_sign_one_after_the_other(live_server, chromium):
    session = make_session_today(make_institution(name="区残疾评定中心"))
    story = applies(wanted=3, at=timezone.now() - dt.timedelta(3))
    story.take("precheck", "accept")
    services.book_day(story.case, session, by=story.by("clerk"), request_id=request_id(), at=timezone.now())
    for number in range(2):
        doctor = officer("assessor")
        license_for(session.institution, doctor)
        day = Day(chromium, live_server, doctor)
        if number == 0:
            day.to("Assessment days")
            day.on("j", "Enter")
            day.to("石榴")
            day.tab_to("Clarity of speech")
            day.type("30")
            day.to("Show the result")
            assert "grade 3" in day.page.locator("#result").inner_text()
        else:
            day.to("Assessment days")
            day.to("Second signatures")
            day.on("j", "Enter")
        day.on("s")
        day.over()
    assert Assessment.objects.get().state == "countersigned" and Case.objects.get().state == "signed"


def test_the_reviewer_reviews_one_case_and_sends_another_one_back(live_server, chromium):
    back, good = waits_for("review", name="王芳"), waits_for("review")
    Case.objects.filter(pk=back.case.pk).update(due_on=timezone.localdate())
    day = Day(chromium, live_server, officer("reviewer"))
    day.first_of("Cases to review")
    day.gives_a_reason("Send back", "户口簿复印件不清楚")
    assert "went back to the clerk" in said(day) and Case.get(back.case.pk).state == "applied"
    day.first_of("Cases to review")
    day.on("r")
    day.says_yes("Review a case without its papers?")
    assert "The case is reviewed" in said(day) and Case.get(good.case.pk).state == "reviewed"
    day.over()


def test_the_approver_approves_one_case_for_the_city_to_see_and_refuses_another(live_server, chromium):
    bad, good = waits_for("approve", name="王芳"), waits_for("approve")
    day = Day(chromium, live_server, officer("approver"))
    day.first_of("Cases to approve")
    day.gives_a_reason("Do not approve", "申请人不符合条件")
    assert Case.get(bad.case.pk).state == "refused"
    day.first_of("Cases to approve")
    day.on("a")
    day.says_yes("Approve a case without its papers?")
    assert "The case is approved" in said(day) and Case.get(good.case.pk).state == "approved"
    assert not Certificate.objects.exists(), "the city has not looked yet"
    day.over()


def test_the_citys_supervisor_looks_again_hears_a_dispute_and_sees_what_is_late(live_server, chromium):
    waits_for("recheck")
    late = waits_for("review", name="赵晚")
    Case.objects.filter(pk=late.case.pk).update(due_on=timezone.localdate() - dt.timedelta(5))
    disputed = _disputed()
    day = Day(chromium, live_server, officer("approver", Area.objects.get(code=CITY)))
    day.first_of("Check again (city)")
    day.on("a")
    assert Certificate.objects.filter(holder__name="石榴").count() == Card.objects.filter(state="ordered").count() == 1
    day.first_of("Cases to approve")
    day.on("a")
    assert "The case is approved" in said(day) and Case.get(disputed.pk).state == "approved"
    day.to("Cases")
    day.to("All open cases of my area")
    assert "5 days late" in day.page.locator("main").inner_text()
    day.to("Assessment figures")
    day.over()


def _disputed() -> Case:
    """A dispute that the city has assessed and reviewed."""
    holder, at = bearer(make_area()), timezone.now() - dt.timedelta(3)
    unmet = brings("cancellation_unmet", holder, at=at)
    go_until(unmet, "approve")
    unmet.take("refuse")
    return go_until(brings("dispute_city", holder, at=at, disputed=unmet.case.pk), "approve")
