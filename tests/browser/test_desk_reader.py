"""A clerk with a card reader, by keyboard alone: paired, a card laid down, blocked; a producer makes one with a key."""

import threading

import pytest
from django.urls import reverse

import stocking
from builders import NOON, make_actor, make_officer, request_id
from reading_desk import blank_chip, make_batch, make_counter, make_issued, make_reader
from windows import NARROW, WIDE, Window, follow
from zhengka.bulk.models import Act
from zhengka.cards.models import Card
from zhengka.core.actors import SYSTEM
from zhengka.devices import services
from zhengka.devices.models import Device, Reading
from zhengka.devices.queries import key_of
from zhengka.production import services as production
from zhengka.production.models import Item
from zhengka.production.queries import desk_maker
from zhengka_reader import home as homes
from zhengka_reader.printing import Printer
from zhengka_reader.serve import Agent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]


@pytest.fixture
def agent(room, tmp_path, settings):
    """The desk agent on this PC, not paired with anybody."""
    homes.init(tmp_path / "reader", "SM")
    served = Agent(tmp_path / "reader", port=0)
    settings.READER_AGENT = f"ws://127.0.0.1:{served.port}"
    thread = threading.Thread(target=served.run, daemon=True)
    thread.start()
    yield served
    served.close()
    thread.join(5)


def until_said(window: Window, words: str) -> None:
    window.page.locator("[data-reader-said]", has_text=words).wait_for(timeout=15_000)


def test_a_reader_is_paired_by_the_code_that_the_page_shows(live_server, chromium, agent, tmp_path):
    clerk = make_officer("clerk")
    row = make_reader(clerk.area)
    window = Window(chromium, live_server, clerk)
    window.expected = ("WebSocket", "403")
    window.go(reverse("staff:device", args=[row.pk]))
    follow(window, "c")
    faults = window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    code = window.page.locator(".zk-typed").inner_text().removeprefix("zhengka-reader pair ")
    window.press("c")
    until_said(window, "No card reader program")  # nobody typed the code in: the agent shuts its door
    homes.expect(tmp_path / "reader", code.replace(" ", ""))
    window.press("c")
    window.page.locator("main", has_text="Key id").wait_for()
    row = Device.objects.get(pk=row.pk)
    assert row.state == "active" and homes.origins(tmp_path / "reader") == [live_server.url]
    faults += window.inspect(WIDE, NARROW)
    window.close()
    assert not faults


def test_a_card_that_is_laid_down_opens_its_holders_page_and_one_key_blocks_it_and_its_chip(
        live_server, chromium, agent, room, tmp_path):
    counter = make_counter(tmp_path / "desk")
    card, chip = make_issued(room, counter)
    room.empty()
    clerk = make_officer("clerk", area=counter.area)
    _paired(counter, agent, live_server)
    window = Window(chromium, live_server, clerk)
    window.expected = ("409",)  # the last press of w: nothing is due any more
    window.go(reverse("staff:reader"))
    policies = {name: window.page.request.get(live_server.url + reverse(f"staff:{name}")).headers[
        "content-security-policy"] for name in ("reader", "home")}
    assert "ws://127.0.0.1" in policies["reader"] and "ws:" not in policies["home"]
    window.press("r")
    until_said(window, "No card lies on the reader. Lay the card down.")
    faults = window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    window.go(reverse("staff:reader"))
    until_said(window, "Lay a card on the reader.")
    room.lay(chip)
    window.page.wait_for_url(f"**/holders/{card.holder_id}", timeout=15_000)
    faults += window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    window.go(reverse("staff:card", args=[card.pk]))
    window.press("w")
    until_said(window, "The chip knows the new term.")
    window.tab_to("Ask for new data on the chip")
    follow(window, "Enter")
    until_said(window, "The chip knows the new data.")
    window.go(reverse("staff:card", args=[card.pk]))
    faults += window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    follow(window, "l")
    window.tab_to("Report lost")
    follow(window, "Enter")
    until_said(window, "The chip is locked.")
    [application] = chip.memory.applications.values()
    assert application.locked and Card.objects.get(pk=card.pk).state == "suspended"
    room.empty()
    window.press("w")
    until_said(window, "The chip says all that it should.")
    window.press("r")
    until_said(window, "No card lies on the reader.")
    faults += window.inspect(WIDE, NARROW)
    assert set(Reading.objects.values_list("outcome", flat=True)) == {"good", "no-card"}
    window.close()
    assert not faults


def test_one_key_on_the_holders_page_blocks_the_card_that_lies_there_and_another_undoes_it(
        live_server, chromium, agent, room, tmp_path):
    counter = make_counter(tmp_path / "desk")
    card, chip = make_issued(room, counter)
    _paired(counter, agent, live_server)
    window = Window(chromium, live_server, make_officer("clerk", area=counter.area))
    window.go(reverse("staff:holder", args=[card.holder_id]))
    faults = window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    window.press("b")
    window.page.wait_for_url(f"**/holders/{card.holder_id}?card=*", timeout=30_000)
    window.page.locator("main", has_text="The card is blocked, and its chip is locked. Press f to undo it.").wait_for()
    [application] = chip.memory.applications.values()
    assert application.locked and Card.objects.get(pk=card.pk).state == "suspended"
    faults += window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    window.press("f")
    window.page.locator("main", has_text="The card is accepted again, and its chip is unlocked.").wait_for()
    [application] = chip.memory.applications.values()
    assert not application.locked and Card.objects.get(pk=card.pk).state == "active"
    window.close()
    assert not faults


def test_a_producer_makes_a_card_with_one_key_and_its_results_are_taken_in(
        live_server, chromium, agent, room, tmp_path):
    counter = make_counter(tmp_path / "desk")
    batch, chip = make_batch(counter), blank_chip(counter)
    _paired(counter, agent, live_server)
    room.lay(chip)
    window = Window(chromium, live_server, make_officer("producer", area=counter.area))
    window.go(reverse("staff:batch", args=[batch.pk]))
    faults = window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    with window.page.expect_navigation(timeout=20_000):
        window.press("m")
    assert chip.state == "operational"
    act = Act.objects.get(task="production.take_results", subject_id=batch.pk)
    assert act.state == "waiting"
    assert window.page.locator("[data-reader-make]").count() == 0, "it is made once"
    faults += window.inspect(WIDE, NARROW)
    window.close()
    assert not faults


def test_where_blanks_are_counted_the_page_offers_the_next_serial_and_the_results_name_it(
        live_server, chromium, agent, room, tmp_path):
    counter = make_counter(tmp_path / "desk")
    name = desk_maker(counter.reader.name, counter.area.code)
    maker = production.enrol_maker(name, key_of(counter.reader), by=SYSTEM)
    stocking.feed(maker, stocking.loaded(counter.area, 2001, 2010))
    batch = make_batch(counter)
    _paired(counter, agent, live_server)
    room.lay(blank_chip(counter))
    window = Window(chromium, live_server, make_officer("producer", area=counter.area))
    window.go(reverse("staff:batch", args=[batch.pk]))
    faults = window.inspect(WIDE, NARROW)
    assert window.page.locator("[data-reader-blank]").input_value() == "2001"
    window.page.fill("[data-reader-blank]", "2004")
    with window.page.expect_navigation(timeout=20_000):
        window.page.click("[data-reader-make]")
    act = Act.objects.get(task="production.take_results", subject_id=batch.pk)
    production.take_results(act.pk, clock=lambda: NOON)
    window.close()
    assert not faults and Item.objects.get(batch=batch).blank == 2004


@pytest.mark.parametrize("end", ["session", "refused"])
def test_results_that_the_site_did_not_take_are_said_and_pressing_once_more_brings_them(
        live_server, chromium, agent, room, tmp_path, end):
    counter = make_counter(tmp_path / "desk")
    batch, chip = make_batch(counter), blank_chip(counter)
    _paired(counter, agent, live_server)
    room.lay(chip)
    window = Window(chromium, live_server, make_officer("producer", area=counter.area))
    window.expected = ("403",)
    context = window.page.context
    kept = [cookie for cookie in context.cookies() if cookie["name"] != "csrftoken"]

    def package_then_away(route):
        """The package comes; what keeps the officer signed in, or proves the form, is gone when the results do."""
        answer = route.fetch()
        if end == "session":
            for cookie in kept:
                context.clear_cookies(name=cookie["name"])
        else:
            context.clear_cookies(name="csrftoken")
        route.fulfill(response=answer)

    window.go(reverse("staff:batch", args=[batch.pk]))
    window.page.route("**/take_package", package_then_away)
    window.press("m")
    until_said(window, {"session": "Your session is over", "refused": ""}[end])
    window.page.locator(".zk-reader__said--bad").wait_for(timeout=15_000)
    assert chip.state == "operational" and not Act.objects.exists()
    assert window.page.locator("[data-reader-said]").inner_text().strip()
    window.page.unroute("**/take_package")
    context.add_cookies(kept)
    window.go(reverse("staff:batch", args=[batch.pk]))
    with window.page.expect_navigation(timeout=20_000):
        window.press("m")
    assert Act.objects.get(task="production.take_results", subject_id=batch.pk).state == "waiting"
    window.close()


def test_a_printer_that_was_stopped_from_afar_prints_nothing_and_one_at_work_is_seen(
        live_server, chromium, agent, room, tmp_path):
    counter = make_counter(tmp_path / "desk")
    batch, chip = make_batch(counter), blank_chip(counter)
    _paired(counter, agent, live_server)
    (tmp_path / "lp").write_text(f"#!/bin/sh\ncat > {tmp_path}/job.pdf\n")
    (tmp_path / "lp").chmod(0o755)
    agent._printer = Printer("cards", str(tmp_path / "lp"))
    system = make_actor("system", area=counter.area)

    def change(action: str) -> None:
        services.change(row, action, by=system, request_id=request_id(), at=NOON)

    row = services.register(counter.area, services.About("printer", "cards", "一楼", "周敏"), by=system,
                            request_id=request_id(), at=NOON)
    change("start")
    change("stop")
    room.lay(chip)
    window = Window(chromium, live_server, make_officer("producer", area=counter.area))
    window.expected = ("403",)
    window.go(reverse("staff:batch", args=[batch.pk]))
    window.press("m")
    until_said(window, "nothing is printed there")
    assert chip.state == "blank" and not (tmp_path / "job.pdf").exists()
    change("start")
    with window.page.expect_navigation(timeout=20_000):
        window.press("m")
    row.refresh_from_db()
    assert chip.state == "operational" and (tmp_path / "job.pdf").read_bytes().startswith(b"%PDF")
    assert row.health == "printed" and row.seen_at is not None
    window.close()


def _paired(counter, agent: Agent, live_server) -> None:
    """The agent has the counter's key pair, and is paired with this site."""
    agent._home = counter.home
    homes.expect(counter.home, "12345678")
    assert homes.pair(counter.home, live_server.url, "12345678")
    if (counter.home / "site.json").exists():
        homes.trust(counter.home, live_server.url, counter.home / "site.json")
