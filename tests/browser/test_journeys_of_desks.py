"""Desks by keyboard alone: a deputy is named before the holidays and finds the absent one's case on the desk; a clerk
who is alone asks the city.
"""

import pytest
from django.urls import reverse
from django.utils import timezone

from builders import make_card, make_case, make_holder, make_officer, request_id
from windows import NARROW, PASSWORD, WIDE, Window, follow, log_in, said
from zhengka.accounts.services import actor_of
from zhengka.cases import services
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


def test_a_single_clerk_asks_the_city_for_a_second_source_and_the_city_writes_it_down(live_server, chromium):
    holder = make_card(make_holder(name="田野"), state="active").holder
    clerk, city = (make_officer("clerk", area=area, password=PASSWORD) for area in (holder.area, holder.area.parent))
    case = services.open_case("freeze", holder, by=actor_of(clerk), request_id=request_id(), at=timezone.now(),
                              reason="death-reported")
    alone = at_the_desk(chromium, live_server, clerk)
    alone.go(reverse("staff:case", args=[case.pk]))
    alone.tab_to("Who is to take it")
    assert city.name in alone.page.locator("select[name=officer]").inner_text()
    faults = alone.inspect(WIDE, NARROW)
    alone.resize(WIDE)
    alone.tab_to("Ask this officer")
    follow(alone, "Enter")
    assert f"on the desk of {city.name}" in said(alone) and Case.get(case.pk).assignee == city

    above = at_the_desk(chromium, live_server, city)
    above.tab_to("On my desk")
    follow(above, "Enter")
    follow(above, "j", "Enter")
    above.tab_to("Second source")
    above.type("List of the police")
    above.press("Tab")
    above.type("2026-118")
    faults += above.inspect(WIDE, NARROW)
    above.resize(WIDE)
    above.tab_to("Verify")
    follow(above, "Enter")
    assert "The report is verified" in said(above) and Case.get(case.pk).state == "verified"
    for window in (alone, above):
        window.close()
    assert not faults
