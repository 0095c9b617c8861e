"""A doctor's day by keyboard alone: the list, the form, its result, the signature; and what a print shows."""

import os

import pytest
from django.urls import reverse

from assessing import begun, license_for, make_appointment, make_assessor, make_institution, make_session_today, signed
from builders import make_officer
from windows import NARROW, PASSWORD, WIDE, Window, follow, log_in, said
from zhengka.assessment import services
from zhengka.assessment.models import Assessment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]


def look(window: Window, name: str) -> None:
    """Keep a picture for eyes where SHOTS names a folder."""
    if folder := os.environ.get("SHOTS"):
        window.shot(f"{folder}/{name}.png")


def test_a_doctor_fills_in_a_form_sees_what_it_comes_to_and_signs_by_keyboard(live_server, chromium):
    session = make_session_today()
    doctor = make_officer("assessor", password=PASSWORD)
    license_for(session.institution, doctor)
    make_appointment(session, category=4, at=begun())
    window = Window(chromium, live_server)
    log_in(window, doctor)
    window.tab_to("Assessment days")
    follow(window, "Enter")
    follow(window, "j", "Enter")
    window.tab_to("田野")
    follow(window, "Enter")
    window.tab_to("Cannot live an independent daily life")
    window.press("ArrowDown", "ArrowDown")
    window.tab_to("c) One thigh or more missing")
    window.press("Space")
    window.tab_to("Another assessment")
    window.press("ArrowDown")
    window.tab_to("Why never, or why then")
    window.press("ArrowDown")
    faults = window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    window.tab_to("Show the result")
    follow(window, "Enter")
    assert "Physical, grade 3" in window.page.locator("#result").inner_text()
    look(window, "form")
    faults += window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    follow(window, "s")
    assert "The assessment is signed" in said(window) and Assessment.objects.get().grade == 3
    assert not faults + window.inspect(WIDE, NARROW)
    window.close()


def test_the_pages_that_only_a_form_opens_are_accessible_too(live_server, chromium):
    session = make_session_today(place_kind="home", point=services.Point(28.2, 112.9))
    doctor = make_officer("assessor")
    license_for(session.institution, doctor)
    other = make_assessor(session.institution)
    waits = signed(other, make_appointment(session, at=begun()), at=begun()).assessment
    person = services.Person("田野", begun().date().replace(year=1960), "13900000000", "解放路2号",
                             services.Point(28.3, 112.9))
    both = make_appointment(session, category=7, person=person, at=begun())
    window, faults = Window(chromium, live_server, doctor), []
    window.look(language="zh-hans", care=False)
    window.go(reverse("staff:day-route", args=[session.pk]))
    with window.page.expect_navigation():
        window.page.locator("main form button").click()
    assert "解放路2号" in window.page.content()
    look(window, "route")
    faults += window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    window.go(reverse("staff:appointment", args=[both.pk]) + "?parts=1&parts=2")
    look(window, "multiple")
    faults += window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    window.go(reverse("staff:assessment", args=[waits.pk]))
    window.page.get_by_text("查看评定表").first.click()
    window.page.select_option("#id_purpose", "case")
    with window.page.expect_navigation():
        window.page.locator('form[action$="/form"] button').click()
    assert "20 %" in window.page.content()
    look(window, "second")
    faults += window.inspect(WIDE, NARROW)
    assert not faults
    window.close()


def test_a_leader_sees_the_plot_and_the_same_figures_below(live_server, chromium):
    for place, clarity in enumerate(("5", "60", "30", "20", "50"), 1):
        session = make_session_today(make_institution(name=f"第{place}人民医院"), capacity=99)
        doctor = make_assessor(session.institution)
        for number in range(place * 6):
            signed(doctor, make_appointment(session, at=begun()), {"clarity": clarity if number % 3 else "70"},
                   at=begun())
    window = Window(chromium, live_server, make_officer("leader"))
    window.look(language="zh-hans", care=False)
    window.go(reverse("staff:assessment-figures"))
    assert window.page.locator("circle").count() == 5
    look(window, "figures")
    assert not window.inspect(WIDE, NARROW)
    look(window, "figures-narrow")
    window.close()
