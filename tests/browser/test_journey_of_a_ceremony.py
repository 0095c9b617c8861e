"""Four people hold a ceremony over a key by keyboard alone, each at their own login; axe looks at every page of it."""

import pytest
from django.utils import timezone

from builders import make_area, make_officer
from ceremonies import use_store
from windows import NARROW, PASSWORD, WIDE, Window, follow, log_in, said
from zhengka.keys import services
from zhengka.keys.models import Ceremony

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]


def test_three_custodians_make_a_key_at_their_own_logins(live_server, chromium, settings, tmp_path):
    use_store("file", settings, tmp_path)
    area = make_area()
    leader, *custodians = [make_officer(role, area=area, password=PASSWORD)
                           for role in ("security", "custodian", "custodian", "custodian")]
    leading = Window(chromium, live_server)
    log_in(leading, leader)
    for words in ("Key ceremonies", "Generate a key"):
        leading.tab_to(words)
        follow(leading, "Enter")
    for custodian in custodians:
        leading.tab_to(custodian.name)
        leading.press("Space")
    leading.tab_to("Open the ceremony")
    follow(leading, "Enter")
    assert "The ceremony is open" in said(leading)
    faults = leading.inspect(WIDE, NARROW)
    services.carry_on(Ceremony.objects.get().pk, at=timezone.now())
    for number, custodian in enumerate(custodians):
        faults += part(chromium, live_server, custodian, look=number == 0)
    row = services.carry_on(Ceremony.objects.get().pk, at=timezone.now())
    leading.page.reload()
    told = leading.page.locator("main").inner_text()
    assert row.state == "done" and row.check_value in told and "Transcript signed by" in told
    leading.resize(WIDE)
    faults += leading.inspect(WIDE, NARROW)
    leading.close()
    assert not faults, "\n".join(faults)


def part(chromium, live_server, custodian, *, look: bool) -> list[str]:
    """One custodian's part: what is shown is typed back from what would be their paper."""
    window = Window(chromium, live_server)
    log_in(window, custodian)
    for words in ("Key ceremonies that wait", "Generate a key", "Show my component"):
        window.tab_to(words)
        follow(window, "Enter")
    faults = window.inspect(WIDE, NARROW) if look else []
    window.resize(WIDE)
    value, check = [window.page.locator("#component .zk-number").nth(place).inner_text() for place in (0, 1)]
    window.page.keyboard.press("Home")
    window.tab_to("Component")
    window.type(value)
    window.tab_to("Check value of the component")
    window.type(check)
    window.tab_to("My part is done")
    follow(window, "Enter")
    assert "Your part is done" in said(window)
    assert value.replace(" ", "") not in window.page.content().replace(" ", "")
    faults += window.inspect(WIDE, NARROW) if look else []
    window.close()
    return faults
