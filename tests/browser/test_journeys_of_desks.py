"""Before the holidays, by keyboard alone: a deputy is named, and finds the absent one's case on the desk."""

import pytest
from django.utils import timezone

from builders import make_case, make_officer
from windows import NARROW, PASSWORD, WIDE, Window, follow, log_in, said
from zhengka.cases.models import Case

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]


def at_the_desk(chromium, live_server, officer) -> Window:
    window = Window(chromium, live_server)
    log_in(window, officer)
    return window


def test_a_deputy_is_named_and_finds_the_case_of_who_is_away_and_takes_it_on(live_server, chromium):
    absent, deputy = [make_officer("reviewer", password=PASSWORD) for _ in range(2)]
    case = make_case(state="confirmed")
    Case.objects.filter(pk=case.pk).update(assignee=absent)
    leaving = at_the_desk(chromium, live_server, absent)
    leaving.tab_to(absent.name)
    leaving.press("Enter")
    leaving.tab_to("My desk")
    follow(leaving, "Enter")
    faults = leaving.inspect(WIDE, NARROW)
    leaving.resize(WIDE)
    follow(leaving, "n")
    faults += leaving.inspect(WIDE, NARROW)
    leaving.resize(WIDE)
    leaving.tab_to("Colleague")
    leaving.press("ArrowDown", "Tab")
    today = f"{timezone.localdate():%Y%m%d}"
    leaving.type(today)
    leaving.press("Tab")
    leaving.type(today)
    follow(leaving, "Enter")
    assert "The deputy is named" in said(leaving)
    assert f"{deputy.name} stands in for you" in leaving.page.locator("main").inner_text()
    faults += leaving.inspect(WIDE, NARROW)

    staying = at_the_desk(chromium, live_server, deputy)
    staying.tab_to("On my desk")
    follow(staying, "Enter")
    faults += staying.inspect(WIDE, NARROW)
    staying.resize(WIDE)
    follow(staying, "j", "Enter")
    assert staying.page.title().startswith(case.name) and absent.name in staying.page.locator("main").inner_text()
    faults += staying.inspect(WIDE, NARROW)
    staying.resize(WIDE)
    follow(staying, "t")
    assert "The case is on your desk" in said(staying)
    assert Case.get(case.pk).assignee == deputy
    follow(staying, "t")
    assert "The case is off your desk" in said(staying) and Case.get(case.pk).assignee is None
    for window in (leaving, staying):
        window.close()
    assert not faults
