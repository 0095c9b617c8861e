"""The gate app: a printed card before a camera gets its verdict with the network cut; a voucher is good once."""

import json
import re
import time
from contextlib import ExitStack

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from browser.conftest import PHONE
from builders import make_actor, request_id
from gate_room import OPERATOR, printed, text_of
from windows import NARROW, WIDE, Window
from zhengka.devices import services as devices
from zhengka.formats.presenting import subject
from zhengka.gates import quota
from zhengka.gates.models import Visit, Voucher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
HELD = """async () => {
  const base = await new Promise((yes, no) => {
    const asked = indexedDB.open("zhengka-gate"); asked.onsuccess = () => yes(asked.result); asked.onerror = no })
  const all = {}
  for (const name of base.objectStoreNames) {
    all[name] = await new Promise((yes, no) => {
      const asked = base.transaction(name).objectStore(name).getAll(); asked.onsuccess = () => yes(asked.result) })
  }
  base.close()
  const bytes = (key, value) => value instanceof Uint8Array ? `bytes:${Array.from(value, each =>
    String.fromCharCode(each)).join("")}` : value instanceof CryptoKey ? {key: value.type, out: value.extractable}
    : value instanceof Map ? [...value] : typeof value === "bigint" ? String(value) : value
  const caught = []
  for (const name of await caches.keys()) {
    for (const each of await (await caches.open(name)).keys()) caught.push(new URL(each.url).pathname)
  }
  return {stores: JSON.stringify(all, bytes), caches: caught}
}"""
AS_BEFORE = """async () => {
  const opened = (version, make) => new Promise((yes, no) => {
    const asked = indexedDB.open("zhengka-gate", version)
    asked.onupgradeneeded = () => make(asked.result); asked.onsuccess = () => yes(asked.result); asked.onerror = no })
  const told = (asked) => new Promise((yes, no) => {
    asked.onsuccess = () => yes(asked.result); asked.onerror = no })
  const [base, all] = [await opened(), {}]
  for (const name of base.objectStoreNames) {
    const store = base.transaction(name).objectStore(name)
    all[name] = await Promise.all([told(store.getAllKeys()), told(store.getAll())])
  }
  base.close()
  await told(indexedDB.deleteDatabase("zhengka-gate"))
  const older = await opened(1, (made) => {
    for (const name of ["state", "bundles", "vouchers"]) made.createObjectStore(name)
    made.createObjectStore("events", {keyPath: "seq"}).createIndex("sent", "sent") })
  for (const [name, [keys, rows]] of Object.entries(all)) {
    for (const [at, row] of rows.entries()) {
      const store = older.transaction(name, "readwrite").objectStore(name)
      if (name === "events") delete row.subject
      await told(name === "events" ? store.put(row) : store.put(row, keys[at]))
    }
  }
  older.close()
}"""
"""Puts what the device keeps into the form in which earlier versions of the app kept it."""

FELT = """globalThis.felt = {tones: [], shakes: [], prints: 0}
navigator.vibrate = pattern => felt.shakes.push(pattern)
window.print = () => { felt.prints += 1 }
const start = OscillatorNode.prototype.start
OscillatorNode.prototype.start = function (...at) {
  felt.tones.push(this.frequency.value)
  return start.apply(this, at)
}
"""
"""What an answer sounds and feels like, and what goes to the printer: kept for `felt`."""


def felt(window: Window) -> dict:
    """What was heard, felt and printed since this was asked last."""
    return window.page.evaluate(
        "(() => { const told = felt; felt = {tones: [], shakes: [], prints: 0}; return told })()")


def go(window: Window, language: str = "en") -> None:
    """Open the app and wait until it is kept on the device."""
    window.go(f"/gate/{language}")
    window.page.locator("body[data-ready]").wait_for()
    window.page.evaluate("navigator.serviceWorker.ready.then(() => null)")


def pair(window: Window, code: str) -> None:
    """Make the device a gate by keyboard, until it holds a bundle."""
    expect(window.page.get_by_label("Code, 12 digits")).to_be_focused()
    window.type(f"{code[:4]} {code[4:8]} {code[8:]}")
    window.press("Enter")
    expect(window.page.locator("[data-whole]")).to_be_focused()
    expect(window.page.locator("[data-age]")).to_contain_text("old")
    expect(window.page.locator("[data-net]")).to_have_text("Online")


def at_work(window: Window, code: str) -> None:
    """Opened and paired."""
    go(window)
    pair(window, code)


def big(window: Window):
    """The large word."""
    return window.page.locator("[data-big]")


def type_in(window: Window, text: str) -> None:
    """Type what a card or voucher says, by keyboard alone."""
    window.tab_to("Type")
    window.press("Enter")
    expect(window.page.get_by_label("Digits of the code", exact=False)).to_be_focused()
    window.page.keyboard.insert_text(text)
    window.press("Tab", "Enter")


def meet(window: Window) -> None:
    """Send and fetch now."""
    before = int(window.page.locator("body").get_attribute("data-met") or 0)
    window.page.locator("[data-act=settings]").click()
    window.page.get_by_role("button", name="Send and fetch now").click()
    window.page.wait_for_function("before => Number(document.body.dataset.met) > before", arg=before)
    expect(window.page.locator("[data-waiting]")).to_have_text("", timeout=15_000)  # or with the next meeting, soon
    window.page.locator("[data-view=settings] [data-back]").click()


def test_a_printed_card_gets_its_verdict_with_the_network_cut_and_its_voucher_is_good_once(park, phones):
    card = park.card()
    with ExitStack() as opened:
        first = opened.enter_context(phones(printed(card)))
        first.context.add_init_script(FELT)
        park.publish()
        at_work(first, park.code(0))
        park.publish()
        meet(first)
        first.context.set_offline(True)
        first.go("/gate/en")
        expect(big(first)).to_have_text("Press to begin")
        expect(first.page.locator("[data-net]")).to_have_text("Offline")
        first.press("Enter")
        expect(big(first)).to_have_text("Let pass", timeout=15_000)
        assert first.page.locator("[data-words]").inner_text() == "The card is valid: free, with 1 companion."
        expect(first.page.locator("[role=alert]")).to_contain_text("Let pass. The card is valid")
        assert felt(first) == {"tones": [880, 1320], "shakes": [[80]], "prints": 0}
        faults = first.inspect(PHONE, NARROW)
        first.press("Enter")
        expect(first.page.get_by_role("heading", name="Voucher")).to_be_visible()
        name = first.page.locator("[data-slip-code]").inner_text().replace(" ", "")
        assert re.fullmatch("[A-Z2-7]{16}", name)
        expect(first.page.get_by_text("With 1 companion(s)")).to_be_visible()
        text = first.page.evaluate("document.querySelector('[data-qr] svg').dataset.text")
        faults += first.inspect(PHONE, NARROW)
        second = opened.enter_context(phones(first.page.locator("[data-qr] svg").screenshot()))
        at_work(second, park.code(1))
        second.press("Enter")
        expect(big(second)).to_have_text("Let pass", timeout=15_000)
        assert Voucher.objects.get().state == "redeemed"
        type_in_voucher(second, text, "Do not accept")
        expect(second.page.locator("[data-words]")).to_have_text("This voucher has been used already.")
        first.page.locator("[data-done]").click()
        first.context.set_offline(False)
        felt(first)
        type_in_voucher(first, text, "Do not accept")
        assert felt(first) == {"tones": [220, 165], "shakes": [[400, 100, 400]], "prints": 0}
        expect(first.page.locator("[data-words]")).to_have_text("This voucher has been used already.")
        meet(first)
        meet(second)
    assert not faults, "\n".join(faults)
    events = Visit.objects.order_by("gate", "seq").values_list("gate", "kind", "counted")
    assert [(kind, counted) for gate, kind, counted in events if gate == park.gates[0].pk] == [
        ("issue", False), ("refusal", False)]
    assert [(kind, counted) for gate, kind, counted in events if gate == park.gates[1].pk] == [
        ("redeem", True), ("refusal", False)]


def type_in_voucher(window: Window, text: str, word: str) -> None:
    """Show a voucher by typing what its code says."""
    type_in(window, text)
    expect(big(window)).to_have_text(word)


def test_two_gates_without_a_network_both_take_a_voucher_and_it_is_counted_once(park, phones):
    card = park.card()
    with phones() as first, phones() as second:
        for window, code in ((first, park.code(0)), (second, park.code(1))):
            park.publish()
            window.context.add_init_script(FELT)
            at_work(window, code)
        park.publish()
        meet(first)
        for window in (first, second):
            window.context.set_offline(True)
        type_in(first, text_of(card))
        expect(big(first)).to_have_text("Let pass")
        first.page.get_by_role("button", name="Printed slip").click()
        expect(first.page.get_by_role("heading", name="Voucher")).to_be_visible()
        assert felt(first)["prints"] == 1
        text = first.page.evaluate("document.querySelector('[data-qr] svg').dataset.text")
        first.page.locator("[data-done]").click()
        for window in (first, second):
            type_in_voucher(window, text, "Let pass")
            type_in_voucher(window, text, "Do not accept")
        for window in (second, first):
            window.context.set_offline(False)
            meet(window)
    used = Visit.objects.filter(kind="redeem")
    assert sorted(used.values_list("counted", flat=True)) == [False, True]
    assert len(set(used.values_list("gate", flat=True))) == 2


def test_a_gate_counts_a_benefit_and_knows_when_it_is_used_up_for_the_day(park, phones):
    card, lost = park.card(), park.card("suspended", "李雷")
    park.publish()
    with phones() as window:
        at_work(window, park.code())
        park.publish()
        meet(window)
        faults = to_the_bus(window)
        window.context.set_offline(True)
        type_in(window, text_of(card))
        expect(big(window)).to_have_text("Let pass")
        window.press("Enter")
        expect(window.page.locator("[data-words]")).to_have_text("Counted.")
        window.context.set_offline(False)
        meet(window)
        window.go("/")
        window.page.evaluate(AS_BEFORE)
        window.context.set_offline(True)
        go(window)
        type_in(window, text_of(card))
        expect(big(window)).to_have_text("Usual fare")
        faults += window.inspect(PHONE, NARROW)
        assert "category" not in window.page.locator("main").inner_text().lower()
        type_in(window, text_of(lost))
        expect(big(window)).to_have_text("Do not accept")
        expect(window.page.locator("[data-words]")).to_have_text("The card was reported lost.")
        faults += window.inspect(PHONE, NARROW)
        type_in(window, text_of(card)[:-1] + ("1" if text_of(card)[-1] != "1" else "2"))
        expect(window.page.locator("[data-words]")).to_have_text("The code was forged or changed.")
        type_in(window, "4301 0102 0000 0012")
        expect(big(window)).to_have_text("Please check")
        faults += window.inspect(PHONE, NARROW)
        expect(window.page.locator("[data-waiting]")).to_have_text("3 to send")
        window.context.set_offline(False)
        meet(window)
    assert not faults, "\n".join(faults)
    told = [json.loads(text) for text in Visit.objects.order_by("seq").values_list("text", flat=True)]
    assert [(each["kind"], each["rule"], each["code"]) for each in told] == [
        ("visit", "bus-free", "valid"), ("refusal", "", "quota-used"), ("refusal", "", "suspended"),
        ("refusal", "", "signature-wrong")]
    assert all(not each["subject"] for each in told[1:]), "a refusal is nobody's"


def to_the_bus(window: Window) -> list[str]:
    """Let this gate give what has a quota; the faults of the page where that is chosen."""
    window.page.locator("[data-act=settings]").click()
    window.page.get_by_label("Service").select_option("bus")
    faults = window.inspect(PHONE, NARROW)
    window.page.locator("[data-view=settings] [data-back]").click()
    return faults


def test_of_two_gates_without_a_network_one_alone_gives_what_is_free_once_a_day_and_the_site_knows_for_both(
        park, phones):
    card, other = park.card(), park.card(name="李雷")
    with phones() as first, phones() as second:
        windows = {park.gates[0].pk: first, park.gates[1].pk: second}
        for number, window in enumerate(windows.values()):
            park.publish()
            at_work(window, park.code(number))
        park.publish()
        for window in windows.values():
            meet(window)
            to_the_bus(window)
            window.context.set_offline(True)
        pseudonym = subject(OPERATOR, bytes(card.token), timezone.now())
        [gives] = [pk for pk, share in quota.split(1, list(windows), pseudonym).items() if share]
        gives, asks = windows.pop(gives), *windows.values()
        faults = []
        for _ in "ab":
            type_in(asks, text_of(card))
            expect(big(asks)).to_have_text("Please check")
            expect(asks.page.locator("[data-words]")).to_contain_text("its share of the quota is used up")
        faults += asks.inspect(PHONE, NARROW)
        type_in(gives, text_of(card))
        expect(big(gives)).to_have_text("Let pass")
        gives.press("Enter")
        expect(gives.page.locator("[data-words]")).to_have_text("Counted.")
        type_in(gives, text_of(card))
        expect(big(gives)).to_have_text("Usual fare")
        for window in (gives, asks):
            window.context.set_offline(False)
        meet(gives)
        type_in(asks, text_of(card))
        expect(big(asks)).to_have_text("Usual fare")
        type_in(asks, text_of(other))
        expect(big(asks)).to_have_text("Let pass")
        asks.press("Enter")
        expect(asks.page.locator("[data-words]")).to_have_text("Counted.")
        wait_until(lambda: Visit.objects.filter(kind="visit").count() == 2)
        type_in(gives, text_of(other))
        expect(big(gives)).to_have_text("Usual fare")
    assert not faults, "\n".join(faults)
    assert sorted(Visit.objects.filter(kind="visit").values_list("gate", flat=True)) == [one.pk for one in park.gates]


def wait_until(holds) -> None:
    """Wait for what comes a moment later."""
    for _ in range(100):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come")


def test_a_companion_gets_a_voucher_that_counts_for_nobodys_quota_and_brings_nobody_along(park, phones):
    card = park.card()
    with phones() as window:
        park.publish()
        at_work(window, park.code())
        window.context.set_offline(True)
        type_in(window, text_of(card))
        expect(big(window)).to_have_text("Let pass")
        window.page.get_by_role("button", name="One voucher for each person").click()
        expect(window.page.get_by_text("Person 2 of 2")).to_be_visible()
        expect(window.page.get_by_text("For one person")).to_have_count(2)
        faults = window.inspect(PHONE, NARROW)
        texts = window.page.evaluate("[...document.querySelectorAll('[data-qr] svg')].map(svg => svg.dataset.text)")
        window.page.locator("[data-done]").click()
        for text in texts:
            type_in_voucher(window, text, "Let pass")
            type_in_voucher(window, text, "Do not accept")
        window.context.set_offline(False)
        meet(window)
    assert not faults, "\n".join(faults)
    rows = list(Voucher.objects.values_list("companions", "state", "subject"))
    assert sorted(bool(subject) for *_, subject in rows) == [False, True]
    assert {row[:2] for row in rows} == {(0, "redeemed")}


def test_a_gate_holds_no_list_of_holders_and_its_key_cannot_be_taken_out(park, phones):
    card = park.card(name="欧阳娜娜")
    park.publish()
    with phones() as window:
        at_work(window, park.code())
        type_in(window, text_of(card))
        expect(big(window)).to_have_text("Let pass")
        window.press("Enter")
        expect(window.page.get_by_role("heading", name="Voucher")).to_be_visible()
        held = window.page.evaluate(HELD)
    stores = json.loads(held["stores"])
    whole = held["stores"]
    certificate = card.certificate
    token = "".join(chr(each) for each in bytes(card.token))
    for telling in ("欧阳", card.serial, card.holder.name, "视力", json.dumps(token, ensure_ascii=False)[1:-1],
                    bytes(card.token).hex()):
        assert telling not in whole, telling
    assert certificate.pk and "credential" not in {name for row in stores["events"] for name in json.loads(row["text"])}
    [gate] = [row for row in stores["state"] if isinstance(row, dict) and "key" in row]
    assert gate["key"]["privateKey"] == {"key": "private", "out": False}
    assert stores["bundles"][0]["manifest"]["bundle"] == OPERATOR
    assert all(path.startswith(("/gate/", "/static/")) for path in held["caches"])


def test_a_lost_gate_forgets_everything_when_it_next_meets_the_site(park, phones):
    card = park.card()
    park.publish()
    with phones() as window:
        at_work(window, park.code())
        type_in(window, text_of(card))
        expect(big(window)).to_have_text("Let pass")
        devices.change(park.gates[0], "lose", by=make_actor("system", area=park.area), request_id=request_id(),
                       at=timezone.now())
        meet_refused(window)
        expect(window.page.get_by_role("heading", name="This gate is shut out")).to_be_visible()
        expect(window.page.locator("[data-shut-why]")).to_contain_text("wiped")
        stores = json.loads(window.page.evaluate(HELD)["stores"])
        assert not stores["bundles"] and not stores["events"] and not stores["vouchers"]
        assert [sorted(row) for row in stores["state"]] == [["at", "why"]]
        faults = window.inspect(PHONE, NARROW)
        window.context.set_offline(True)
        window.go("/gate/en")
        expect(window.page.get_by_role("heading", name="This gate is shut out")).to_be_visible()
    assert not faults, "\n".join(faults)


def test_a_stopped_gate_lets_nobody_pass_and_works_again_once_it_was_started(park, phones):
    system = make_actor("system", area=park.area)
    park.publish()
    with phones() as window:
        at_work(window, park.code())
        devices.change(park.gates[0], "stop", by=system, request_id=request_id(), at=timezone.now())
        meet_refused(window)
        expect(window.page.locator("[data-shut-why]")).to_contain_text("stopped by its office")
        assert not json.loads(window.page.evaluate(HELD)["stores"])["bundles"]
        devices.change(park.gates[0], "start", by=system, request_id=request_id(), at=timezone.now())
        window.page.get_by_role("button", name="Try again").click()
        expect(window.page.locator("[data-whole]")).to_be_visible()
        expect(window.page.locator("[data-age]")).to_contain_text("old")


def meet_refused(window: Window) -> None:
    """A meeting with a site that says no."""
    window.page.locator("[data-act=settings]").click()
    window.page.get_by_role("button", name="Send and fetch now").click()


def test_a_code_that_is_wrong_is_said_at_its_field(park, phones):
    with phones() as window:
        go(window)
        window.type("123456789012")
        window.press("Enter")
        expect(window.page.get_by_text("The gate was not paired")).to_be_visible()
        expect(window.page.get_by_label("Code, 12 digits")).to_be_focused()
        assert not window.inspect(PHONE, NARROW)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("look", ["", "night", "care", "left", "night care left"])
def test_every_look_is_accessible_on_a_phone_and_a_desk(park, phones, language, look):
    card = park.card()
    park.publish()
    with phones() as window:
        at_work(window, park.code())
        window.page.locator("[data-act=settings]").click()
        for name in look.split():
            window.page.locator(f"#{name}").check()
        window.page.locator(f"[data-language={language}]").click()
        window.page.locator("body[data-ready]").wait_for()
        faults = window.inspect(NARROW, PHONE, WIDE)
        window.page.locator("[data-act=settings]").click()
        faults += window.inspect(NARROW, WIDE)
        window.page.locator("[data-view=settings] [data-back]").click()
        window.page.locator("[data-act=type]").click()
        faults += window.inspect(NARROW)
        window.page.locator("#type-text").fill(text_of(card))
        window.page.locator("[data-type] button").first.click()
        expect(window.page.locator(".zk-gate__whole--green")).to_be_visible()
        faults += window.inspect(NARROW, PHONE, WIDE)
        window.page.locator("[data-whole]").click()
        expect(window.page.locator("[data-qr] svg")).to_be_visible()
        faults += window.inspect(NARROW, WIDE)
    assert not faults, "\n".join(faults)


def test_without_a_camera_the_app_says_so_and_offers_to_type(park, phones):
    park.publish()
    with phones() as window:
        at_work(window, park.code())
        window.press("Enter")
        expect(window.page.get_by_label("Digits of the code", exact=False)).to_be_focused()
        expect(window.page.locator("[role=alert]")).to_contain_text("The camera cannot be used here")


def test_without_a_reader_a_tap_is_told_so(park, phones, settings):
    settings.READER_AGENT = "ws://127.0.0.1:9"
    park.publish()
    with phones() as window:
        window.expected = (*window.expected, "WebSocket")
        at_work(window, park.code())
        window.page.locator("[data-act=tap]").click()
        expect(window.page.locator("[data-words]")).to_contain_text("No reader that can prove a chip")


def test_only_the_gates_page_may_compile_its_decoder_and_it_runs_no_inline_script(park, phones):
    with phones() as window:
        policies = {path: window.page.request.get(window.url + path).headers["content-security-policy"]
                    for path in ("/gate/", "/")}
    assert "script-src 'self' 'wasm-unsafe-eval';" in policies["/gate/"] and "unsafe-inline" not in policies["/gate/"]
    assert "wasm-unsafe-eval" not in policies["/"]
