"""A day's work on cases by keyboard alone: clerk, doctor, reviewer, approver, and the city that hears a dispute."""

import pytest
from django.urls import reverse
from django.utils import timezone

from assessing import license_for, make_institution, make_session_today
from builders import make_area, make_id_number, make_officer
from papers_brought import put_first
from stories import HAND, Story, applies, brings, card_holder
from windows import NARROW, PASSWORD, WIDE, Window, accept_without_papers, follow, log_in, said
from zhengka.accounts.models import Officer
from zhengka.areas.models import Area
from zhengka.assessment.models import Assessment
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.registry.models import Certificate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]


def working(chromium, live_server, role: str, area: Area | None = None) -> Window:
    window = Window(chromium, live_server)
    log_in(window, make_officer(role, password=PASSWORD, area=area))
    return window


def waiting(window: Window, what: str) -> None:
    """From the home page to the first case of a list."""
    window.go(reverse("staff:home"))
    window.tab_to(what)
    follow(window, "Enter")
    follow(window, "j", "Enter")


def booked_on(window: Window, place: str) -> None:
    """Book a day at an institution for the case that is open."""
    follow(window, "d")
    window.tab_to(place)
    window.press("Space")
    follow(window, "Enter")
    assert "The assessment is booked" in said(window)


def signs(doctor: Window) -> None:
    """The doctor of the open case fills in the form of its appointment and signs: 肢体, grade 3."""
    doctor.resize(WIDE)
    follow(doctor, "b")
    doctor.tab_to("Cannot live an independent daily life")
    doctor.press("ArrowDown", "ArrowDown")
    doctor.tab_to("c) One thigh or more missing")
    doctor.press("Space")
    doctor.tab_to("Show the result")
    follow(doctor, "Enter")
    follow(doctor, "s")
    assert "The assessment is signed" in said(doctor)


def test_a_first_application_is_typed_in_one_go_and_goes_through_all_hands(live_server, chromium):
    session = make_session_today()
    clerk = working(chromium, live_server, "clerk")
    clerk.go(reverse("staff:cases"))
    follow(clerk, "n")
    faults = clerk.inspect(WIDE, NARROW)
    clerk.resize(WIDE)
    clerk.page.locator("#id_name").focus()
    number = make_id_number()
    for text in ("石榴", number, "4", "汉族", "13900000001", "麓山路 1 号"):
        clerk.type(text)
        clerk.press("Tab")
    with clerk.page.expect_navigation():
        clerk.press("Enter")
    assert clerk.page.title().startswith("石榴") and number not in clerk.page.content()
    accept_without_papers(clerk)
    assert "The application is accepted" in said(clerk)
    booked_on(clerk, "门诊三楼")
    faults += clerk.inspect(WIDE, NARROW)

    doctor = working(chromium, live_server, "assessor")
    license_for(session.institution, Officer.objects.get(role="assessor"))
    waiting(doctor, "Assessments to do")
    faults += doctor.inspect(WIDE, NARROW)
    signs(doctor)
    assert Assessment.objects.get().grade == 3

    clerk.page.reload()
    clerk.resize(WIDE)
    follow(clerk, "p")
    assert "The public notice is up" in said(clerk)
    faults += clerk.inspect(WIDE, NARROW)
    case = Case.objects.get()
    story = Story(case, at=timezone.now())
    story.later(15)
    services.run_clocks(at=story.at)

    reviewer = working(chromium, live_server, "reviewer")
    waiting(reviewer, "Cases to review")
    follow(reviewer, "r")
    assert "Review a case without its papers?" in reviewer.page.content()
    follow(reviewer, "y")
    approver = working(chromium, live_server, "approver")
    waiting(approver, "Cases to approve")
    follow(approver, "a")
    faults += approver.inspect(WIDE, NARROW)
    approver.resize(WIDE)
    follow(approver, "y")
    assert "The case is approved" in said(approver)
    faults += approver.inspect(WIDE, NARROW)
    assert Certificate.objects.get().grade == 3 and Card.objects.get().state == "ordered"
    for window in (clerk, doctor, reviewer, approver):
        window.close()
    assert not faults


def test_what_is_wrong_in_an_application_stands_at_its_field_and_nothing_typed_is_lost(live_server, chromium):
    make_area()
    clerk = working(chromium, live_server, "clerk")
    clerk.go(reverse("staff:case-new"))
    clerk.page.locator("#id_name").focus()
    for text in ("石榴", make_id_number()[:-1] + "?", "5"):
        clerk.type(text)
        clerk.press("Tab")
    with clerk.page.expect_navigation():
        clerk.press("Enter")
    assert "The ID number is not right" in clerk.page.locator("main form").inner_text()
    assert clerk.page.locator("#id_name").input_value() == "石榴" and not Case.objects.exists()
    assert not clerk.inspect(WIDE, NARROW)
    clerk.close()


def test_the_city_hears_a_dispute_that_the_county_cannot_decide(live_server, chromium):
    story = applies(at=timezone.now())
    story.take("accept", "book")
    story.assess(HAND)
    story.notice(days=15)
    first = story.take("review", "approve")
    make_session_today(make_institution(make_area().parent))
    Card.objects.update(state="active", active_until=timezone.localdate())
    brings("dispute_city", first.holder, disputed=first.pk, at=story.at)
    county = working(chromium, live_server, "clerk")
    county.go(reverse("staff:case", args=[Case.objects.get(kind_of_case="dispute_city").pk]))
    assert "Taken by: 某市" in county.page.content(), "it stands in no list of the county's own steps"
    city = working(chromium, live_server, "clerk", Area.objects.get(code=430100_000000))
    waiting(city, "Applications to accept")
    put_first(Case.objects.get(kind_of_case="dispute_city"))  # the written request is all that a dispute needs
    city.page.reload()
    follow(city, "c")
    booked_on(city, "门诊三楼")
    assert Case.objects.get(kind_of_case="dispute_city").state == "booked"
    assert not county.inspect(WIDE, NARROW) + city.inspect(WIDE, NARROW)
    county.close()
    city.close()


def test_an_arrival_with_a_certificate_of_elsewhere_is_typed_by_keyboard_and_taken_up_where_nobody_was_named(
        live_server, chromium):
    home, to = make_area(), make_area(430102, name="芙蓉区")
    holder, _ = card_holder(area=home)
    away = brings("transfer_out_city", holder, at=timezone.now(), moved="2026-02-01", to=0)
    away.take("request", "review", "approve")
    number = fields.open_(bytes(holder.id_number), "holder.id_number")
    clerk = working(chromium, live_server, "clerk", to)
    clerk.go(reverse("staff:cases"))
    clerk.tab_to("Arrival from another office")
    follow(clerk, "Enter")
    faults = clerk.inspect(WIDE, NARROW)
    clerk.resize(WIDE)
    clerk.page.locator("#id_name").focus()
    for text in (holder.name, number, f"{number}43", "2026-02-30", "20360120"):
        clerk.type(text)
        clerk.press("Tab")
    with clerk.page.expect_navigation():
        clerk.press("Enter")
    assert "Enter a date such as" in clerk.page.locator("main form").inner_text()
    faults += clerk.inspect(WIDE, NARROW)
    clerk.resize(WIDE)
    for field, text in (("number", f"{number}42"), ("issued_on", "2026年1月20日")):
        clerk.page.locator(f"#id_{field}").fill("")
        clerk.page.locator(f"#id_{field}").focus()
        clerk.type(text)
    with clerk.page.expect_navigation():
        clerk.press("Enter")
    faults += clerk.inspect(WIDE, NARROW)
    assert clerk.page.title().startswith(holder.name) and "At the other office" in clerk.page.content()
    county = working(chromium, live_server, "clerk", home)
    county.go(reverse("staff:case", args=[away.case.pk]))
    assert "The new office named itself" in county.page.content() and "芙蓉区" in county.page.content()
    faults += county.inspect(WIDE, NARROW)
    for window in (clerk, county):
        window.close()
    assert not faults


def test_where_somebody_lives_their_application_is_typed_and_accepted_and_home_is_told_who_acts(live_server, chromium):
    home, away = make_area(), make_area(420106, name="武昌区")
    clerk = working(chromium, live_server, "clerk", away)
    clerk.go(reverse("staff:cases"))
    clerk.tab_to("Receive for another office")
    follow(clerk, "Enter")
    faults = clerk.inspect(WIDE, NARROW)
    clerk.resize(WIDE)
    clerk.tab_to("Replacement after a loss")
    follow(clerk, "Enter")
    faults += clerk.inspect(WIDE, NARROW)
    clerk.go(reverse("staff:case-elsewhere"))
    clerk.tab_to("First application")
    follow(clerk, "Enter")
    faults += clerk.inspect(WIDE, NARROW)
    clerk.resize(WIDE)
    clerk.page.locator("#id_name").focus()
    for text in ("石榴", make_id_number(), "4", "汉族", "13900000001", "珞珈山 1 号"):
        clerk.type(text)
        clerk.press("Tab")
    with clerk.page.expect_navigation():
        clerk.press("Enter")
    case = Case.objects.get()
    assert (case.area, case.front) == (home, away)
    county = working(chromium, live_server, "clerk", home)
    county.go(reverse("staff:case", args=[case.pk]))
    assert "Taken by: 武昌区" in county.page.content()
    accept_without_papers(clerk)
    assert "The application is accepted" in said(clerk)
    county.go(f"{reverse('staff:cases')}?step=office")
    faults += clerk.inspect(WIDE, NARROW) + county.inspect(WIDE, NARROW)
    clerk.close()
    county.close()
    assert not faults
