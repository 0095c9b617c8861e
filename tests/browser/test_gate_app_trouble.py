"""The gate app when something is wrong with the site, the line, the clock or the gate: no good holder pays for it."""

import json
import time
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from browser.conftest import PHONE
from browser.test_gate_app import HELD, at_work, big, go, meet, type_in, type_in_voucher
from builders import request_id
from gate_phone import enter_gate, new_code
from gate_room import OPERATOR, text_of
from windows import NARROW, Window
from zhengka.cards.services import place_of
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import PROBLEMS
from zhengka.gates import services
from zhengka.gates.models import Visit, Voucher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
API = "**/api/v1/gate/"
THREE_DAYS = 3 * 86_400_000
CLOCK = """(() => { const Real = Date
globalThis.Date = class extends Real {
  constructor(...at) { at.length ? super(...at) : super(Real.now() + (%d)) }
  static now() { return Real.now() + (%d) }
} })()"""
"""A device whose clock is so many milliseconds before the site's."""


def words(window: Window):
    """The line under the large word."""
    return window.page.locator("[data-words]")


def warning(window: Window):
    """The bar that tells what is wrong with the gate."""
    return window.page.locator("[data-warning]")


@contextmanager
def answering(window: Window, path: str, code: str, **facts):
    """The site answers such requests with this problem."""
    status = PROBLEMS[code].status if code in PROBLEMS else 500
    told = json.dumps({"code": code, "status": status, "title": code, "title_zh": code, "facts": facts})
    window.context.route(API + path, lambda route: route.fulfill(
        status=status, content_type="application/problem+json", body=told))
    yield
    window.context.unroute(API + path)


@contextmanager
def held_up(window: Window, path: str):
    """Such requests wait until they are let go on; yields those that wait."""
    waiting: list = []
    window.context.route(API + path, lambda route: waiting.append(route))  # noqa: PLW0108 - Playwright looks into it
    yield waiting
    window.context.unroute(API + path)


def until_asked(window: Window, waiting: list, count: int = 1) -> None:
    """Wait until so many requests were held up."""
    end = time.monotonic() + 10
    while len(waiting) < count and time.monotonic() < end:
        window.page.wait_for_timeout(20)
    assert len(waiting) == count


def a_voucher(window: Window, card) -> str:
    """The text of a voucher that this gate gives for a card."""
    type_in(window, text_of(card))
    expect(big(window)).to_have_text("Let pass")
    window.page.locator("[data-whole]").press("Enter")
    expect(window.page.get_by_role("heading", name="Voucher")).to_be_visible()
    text = window.page.evaluate("document.querySelector('[data-qr] svg').dataset.text")
    window.page.locator("[data-done]").click()
    return text


def test_whatever_is_wrong_with_the_site_a_good_holder_is_not_turned_away(park, phones):
    card = park.card()
    park.publish()
    with phones() as window:
        at_work(window, park.code())
        for code in ("internal-fault", "too-many-requests", "post-unknown"):
            with answering(window, "check", code):
                type_in(window, card.serial)
                expect(words(window)).to_contain_text("please ask online. Or:")
                expect(big(window)).to_have_text("Please check")
        with held_up(window, "check") as waiting:
            type_in(window, card.serial)
            until_asked(window, waiting)
            expect(words(window)).to_contain_text("Asking the site …")
            expect(big(window)).to_have_text("Please check")
            expect(window.page.locator("[role=alert]")).to_contain_text("Asking the site …")
            faults = window.inspect(PHONE, NARROW)
            waiting[0].continue_()
            expect(big(window)).to_have_text("Let pass")
        made = [a_voucher(window, card) for _ in range(4)]
        for text, code in zip(made, ("internal-fault", "too-many-requests"), strict=False):
            with answering(window, "redeem", code):
                type_in_voucher(window, text, "Let pass")
                type_in_voucher(window, text, "Do not accept")
        for code in ("event-refused", "post-unknown"):
            with answering(window, "redeem", code):
                type_in_voucher(window, made[2], "Please check")
                expect(words(window)).to_contain_text("nothing speaks against this one")
        type_in_voucher(window, made[2], "Let pass")
        with answering(window, "redeem", "gate-shut-out", state="stopped"):
            type_in(window, made[3])
            expect(window.page.locator("[data-shut-why]")).to_contain_text("stopped by its office")
        window.page.get_by_role("button", name="Try again").click()
        expect(window.page.locator("[data-age]")).to_contain_text("old")
        type_in_voucher(window, made[3], "Let pass")
        meet(window)
        with answering(window, "check", "gate-signature-wrong"):
            type_in(window, card.serial)
            expect(window.page.locator("[data-shut-why]")).to_contain_text("does not know this device's key")
    assert not faults, "\n".join(faults)
    assert sorted(Voucher.objects.values_list("state", flat=True)) == ["redeemed"] * 4
    assert not Visit.objects.filter(forked=True).exists()


def test_a_gate_that_stops_while_it_asks_uses_the_voucher_once_and_so_do_two_windows(park, phones):
    card = park.card()
    park.publish()
    with phones() as window:
        at_work(window, park.code())
        text, other = a_voucher(window, card), a_voucher(window, card)
        with held_up(window, "redeem") as waiting:
            type_in(window, text)
            until_asked(window, waiting)
            window.page.close()
            window.page = window.context.new_page()
        window.context.set_offline(True)
        go(window)
        type_in_voucher(window, text, "Let pass")
        type_in_voucher(window, text, "Do not accept")
        window.context.set_offline(False)
        meet(window)
        first, second = window.page, window.context.new_page()
        with held_up(window, "redeem") as waiting:
            type_in(window, other)
            until_asked(window, waiting)
            window.page = second
            go(window)
            type_in(window, other)
            waiting[0].continue_()
            expect(first.locator("[data-big]")).to_have_text("Let pass")
            expect(big(window)).to_have_text("Do not accept")
        meet(window)
    used = Visit.objects.filter(kind="redeem")
    assert [list(used.values_list("counted", flat=True)), Visit.objects.filter(forked=True).count()] == [[True] * 2, 0]


def test_an_answer_that_is_lost_on_its_way_uses_up_no_voucher_whose_code_was_typed(park, phones):
    card = park.card()
    park.publish()
    with phones() as window:
        at_work(window, park.code())
        a_voucher(window, card)
        name = window.page.locator("[data-slip-code]").text_content().replace(" ", "")
        meet(window)

        def lost(route):
            route.fetch()
            route.abort()
        window.context.route(API + "redeem-code", lost)
        type_in(window, name)
        expect(words(window)).to_contain_text("A voucher's typed code needs the network.")
        assert Voucher.objects.get().state == "redeemed"
        window.context.unroute(API + "redeem-code")
        type_in_voucher(window, name, "Let pass")
        type_in_voucher(window, name, "Do not accept")
        expect(words(window)).to_have_text("This voucher has been used already.")
    assert Visit.objects.filter(kind="redeem").count() == 1


def test_a_voucher_of_a_gate_that_this_one_does_not_know_is_for_the_site_to_judge(park, phones):
    card = park.card()
    park.publish()
    with phones() as here, phones() as there:
        at_work(here, park.code(0))
        park.publish()
        at_work(there, park.code(1))
        text = a_voucher(there, card)
        here.context.set_offline(True)
        type_in_voucher(here, text, "Please check")
        expect(words(here)).to_contain_text("does not know who made this voucher")
        type_in_voucher(here, text[:-30] + str(9 - int(text[-30])) + text[-29:], "Please check")
        here.context.set_offline(False)
        with held_up(here, "redeem") as waiting:
            type_in(here, text)
            until_asked(here, waiting)
            waiting[0].abort()
            expect(words(here)).to_contain_text("does not know who made this voucher")
        type_in_voucher(here, text[:-30] + str(9 - int(text[-30])) + text[-29:], "Do not accept")
        type_in_voucher(here, text, "Let pass")
        type_in_voucher(here, text, "Do not accept")
    assert Voucher.objects.get().state == "redeemed"


def version(window: Window) -> int:
    """The version of the bundle that this gate holds."""
    return json.loads(window.page.evaluate(HELD)["stores"])["bundles"][0]["manifest"]["version"]


def meet_anyhow(window: Window) -> None:
    """A meeting in which something goes wrong."""
    before = int(window.page.locator("body").get_attribute("data-met") or 0)
    window.page.locator("[data-act=settings]").click()
    window.page.get_by_role("button", name="Send and fetch now").click()
    window.page.wait_for_function("before => Number(document.body.dataset.met) > before", arg=before)
    window.page.locator("[data-view=settings] [data-back]").click()


def test_a_bundle_that_is_refused_is_named_and_an_upload_that_fails_holds_up_no_list(park, phones):
    card = park.card()
    park.publish()
    with phones() as window:
        at_work(window, park.code())
        old = place_of(OPERATOR, "manifest.bin").read_bytes()
        before = version(window)
        park.card(name="李雷")
        park.publish()
        a_voucher(window, card)
        with answering(window, "events", "internal-fault"):
            meet_anyhow(window)
            expect(warning(window)).to_contain_text("The site did not take the events of this gate.")
            assert version(window) > before
            expect(window.page.locator("[data-waiting]")).to_have_text("1 to send")
        now = version(window)
        window.context.route(API + "bundle/manifest.bin", lambda route: route.fulfill(body=old))
        meet_anyhow(window)
        expect(warning(window)).to_contain_text("The site offered older lists than this gate has.")
        faults = window.inspect(PHONE, NARROW)
        assert version(window) == now
        expect(window.page.locator("[data-waiting]")).to_have_text("")
        window.context.unroute(API + "bundle/manifest.bin")
        meet(window)
        expect(warning(window)).to_be_hidden()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("apart", [THREE_DAYS, -THREE_DAYS])
def test_a_device_whose_clock_is_three_days_wrong_says_so_and_lets_nobody_pass_by_itself(park, phones, apart):
    card = park.card()
    park.publish()
    with phones() as window:
        window.context.add_init_script(CLOCK % (apart, apart))
        go(window)
        window.type(park.code())
        window.press("Enter")
        expect(window.page.locator("[data-whole]")).to_be_focused()
        expect(warning(window)).to_have_text("The clock of this device is wrong. Set it.")
        window.context.set_offline(True)
        type_in_voucher(window, text_of(card), "Please check")


@pytest.fixture
def buses(settings, park):
    """A bus of Changsha, whose rules ask where a certificate is from; its file is the one that ships."""
    places = settings.DATA / "places"
    shipped = (settings.DATA / "areas").resolve().parent / "places" / "changsha-transit.toml"
    (places / shipped.name).symlink_to(shipped)
    row = enter_gate(park.area, "公交一号")
    services.stand(row, services.Place("changsha-transit", "network"), by=SYSTEM, request_id=request_id(), at=park.now)
    return row


def test_a_certificate_in_hand_is_let_pass_where_the_rule_asks_where_it_is_from(buses, park, phones):
    park.publish()

    def look(area: str, same: str = "Yes, the same person") -> None:
        window.page.locator("[data-act=look]").click()
        window.page.get_by_label("Valid until").fill("2099-01-01")
        window.page.get_by_label("First six digits").fill(area)
        if same:
            window.page.get_by_label(same).check()
        window.page.locator("[data-look] button").first.click()
    with phones() as window:
        at_work(window, new_code(buses))
        window.context.set_offline(True)
        window.page.locator("[data-act=look]").click()
        expect(window.page.get_by_label("Valid until")).to_be_focused()
        for name in ("Category", "Day of birth"):
            expect(window.page.get_by_label(name)).to_be_hidden()
        window.page.locator("[data-look] button").first.click()
        for said in ("Enter the last day of validity", "Enter six digits", "say whether it shows the person here"):
            expect(window.page.get_by_text(said)).to_be_visible()
        expect(window.page.get_by_label("Valid until")).to_be_focused()
        faults = window.inspect(PHONE, NARROW)
        window.page.locator("[data-look] [data-back]").click()
        look("430181", same="")
        expect(window.page.get_by_text("say whether it shows the person here")).to_be_visible()
        window.page.locator("[data-look] [data-back]").click()
        for area, word in (("430181", "Let pass"), ("430104", "Please check"), ("430702", "Usual fare")):
            look(area)
            expect(big(window)).to_have_text(word)
        look("430181", "No, another person")
        expect(big(window)).to_have_text("Do not accept")
        look("430182")
        expect(words(window)).to_contain_text("The certificate was looked at")
        window.press("Enter")
        expect(words(window)).to_have_text("Counted.")
        window.context.set_offline(False)
        meet(window)
    assert not faults, "\n".join(faults)
    [told] = [json.loads(text) for text in Visit.objects.filter(kind="visit").values_list("text", flat=True)]
    assert (told["rule"], told["proof"], "430182" in json.dumps(told)) == ("bus-certificate", "show", False)
