"""Scanned cards on a phone, with and without script; the desk's cards, batches and the plan in a real browser."""

import base64

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from builders import make_area, make_card, make_holder, make_officer
from codes import code_of, digits_of, finished
from custody_rooms import SIGNED
from desk import make_desk
from windows import NARROW, WIDE, Window
from zhengka.areas.models import Area
from zhengka.areas.services import load as load_areas
from zhengka.cards.models import Card
from zhengka.config.env import PROJECT
from zhengka.core.pace import CHECKS
from zhengka.formats import qr
from zhengka.production.faces.printing import SAMPLE_QR
from zhengka.programme.services import load as load_programme

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
LOOKS = [("zh-hans", False), ("zh-hans", True), ("en", False), ("en", True)]


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"
    CHECKS.forget()


def test_every_answer_of_a_scan_is_accessible_and_fits_a_phone(live_server, chromium):
    window = Window(chromium, live_server, width=NARROW)
    digits = {state: digits_of(finished(state, name="阿依古丽·买买提江·吐尔逊")) for state in
              ("active", "suspended", "cancelled", "issued")}
    digits["forged"] = digits["active"][:-1] + str((int(digits["active"][-1]) + 1) % 10)
    digits["foreign"] = "123"
    faults = []
    for number in digits.values():
        for language, care in LOOKS:
            window.look(language=language, care=care)
            assert window.go(f"/V/{number}").status == 200
            faults += window.inspect(WIDE, NARROW)
    window.go("/problems/too-many-requests")
    faults += window.inspect(WIDE, NARROW)
    window.close()
    assert not faults, "\n".join(dict.fromkeys(faults))


def test_the_answer_is_on_the_first_screen_of_a_small_phone_without_any_script(live_server, chromium):
    context = chromium.new_context(viewport={"width": 320, "height": 568}, java_script_enabled=False,
                                   locale="zh-CN")
    phone = context.new_page()
    phone.goto(f"{live_server.url}/V/{digits_of(finished('suspended'))}")
    answer = phone.locator("#verdict")
    expect(answer).to_have_text("已挂失")
    box = answer.bounding_box()
    assert box["y"] + box["height"] < 568 and box["height"] > 30
    phone.goto(f"{live_server.url}/")
    phone.locator("textarea[name=code]").fill(digits_of(finished("active")))
    phone.get_by_role("button", name="查验数字").click()
    expect(phone.locator("#verdict")).to_have_text("有效")
    assert not context.cookies()
    context.close()


def test_a_clerk_hands_over_and_activates_many_cards_by_keyboard(live_server, chromium):
    area = make_area()
    holders = ("王一", "王二", "王三")
    made = [make_card(make_holder(area=area, name=name), state="ready") for name in holders]
    window, faults = Window(chromium, live_server, make_officer("clerk", area=area)), []
    for state, button in (("ready", "Hand over"), ("issued", "Activate")):
        window.go(reverse("staff:cards") + f"?state={state}")
        window.tab_to("Select all on this page")
        window.press(" ")
        window.tab_to(button)
        with window.page.expect_navigation():
            window.press("Enter")
        if state == "ready":  # it is asked on which list the holders signed
            assert "Hand over 3 cards?" in window.page.locator("h1").inner_text()
            faults += window.inspect(WIDE, NARROW)
            for name in ("number", "day"):
                window.page.locator(f"[name={name}]").focus()
                window.page.keyboard.type(SIGNED[name])
            window.tab_to(button)
            with window.page.expect_navigation():
                window.press("Enter")
        assert f"{button}: 3 cards" in window.page.locator(".zk-messages").inner_text()
    assert {Card.get(card.pk).state for card in made} == {"active"}
    faults += window.inspect(WIDE, NARROW)
    window.close()
    assert not faults, "\n".join(faults)


def test_a_camera_finds_no_card_s_code_on_an_officer_s_screen(live_server, chromium):
    card = finished("active")
    window = Window(chromium, live_server, make_officer("clerk", area=card.area))
    window.go(reverse("staff:card", args=[card.pk]))
    found = qr.read_image(window.page.screenshot(full_page=True))
    picture = "data:image/png;base64," + base64.b64encode(qr.png(code_of(card))).decode()
    window.page.evaluate("source => document.querySelector('main').prepend(Object.assign(new Image(), {src: source}))",
                         picture)
    window.page.wait_for_function("document.querySelector('main img').complete")
    planted = qr.read_image(window.page.screenshot(full_page=True))
    window.close()
    assert set(found) <= {SAMPLE_QR} and code_of(card) in planted, "the camera sees a code where one is"


def test_the_pages_of_a_real_batch_and_its_cards_are_accessible(live_server, chromium, tmp_path):
    desk = make_desk(tmp_path / "maker")
    window, faults = Window(chromium, live_server, make_officer("producer", area=desk.area)), []
    clerk = Window(chromium, live_server, make_officer("clerk", area=desk.area))
    for language, care in LOOKS:
        for each in (window, clerk):
            each.look(language=language, care=care)
        for pk in desk.ids["batches"]:
            window.go(reverse("staff:batch", args=[pk]))
            faults += window.inspect(WIDE, NARROW)
        for pk in desk.ids["cards"][:2]:
            clerk.go(reverse("staff:card", args=[pk]))
            faults += clerk.inspect(WIDE, NARROW)
    assert not faults, "\n".join(dict.fromkeys(faults))


def test_the_plan_of_the_pilot_is_accessible_and_its_table_scrolls_within_itself(live_server, chromium):
    load_areas(PROJECT / "data/areas/hunan-2018.toml")
    load_programme(PROJECT / "data/programmes/hunan-2018.toml")
    leader = make_officer("leader", area=Area.objects.get(code=430000 * 10**6))
    window, faults = Window(chromium, live_server, leader), []
    for language, care in LOOKS:
        window.look(language=language, care=care)
        window.go(reverse("staff:plan"))
        faults += window.inspect(WIDE, NARROW)
    window.close()
    assert not faults, "\n".join(dict.fromkeys(faults))
