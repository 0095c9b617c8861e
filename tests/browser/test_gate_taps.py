"""A card is held to the reader of a gate: real PC/SC, card and security module in software, the line to the site cut.

The line is cut itself (`line`): a browser that is told to be offline does not reach the agent on this machine either.
"""

import json
import threading

import pytest
from playwright.sync_api import expect

from browser.conftest import PHONE
from browser.test_gate_app import at_work, big, meet
from builders import make_area
from chips_of_cards import chip_of
from gate_room import Park, only_the_park
from line import Line
from made_cards import UID
from reading_desk import make_counter, with_chip_module, with_other_keys
from windows import NARROW, Window
from zhengka.core.pace import PAIRINGS
from zhengka.formats.chip import SoftCard
from zhengka.gates.models import Visit
from zhengka_reader import home as homes
from zhengka_reader.serve import Agent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
OTHER_UID = bytes.fromhex("04A1B2C3D4E5F7")


class Copy(SoftCard):
    """It takes every gate and has no key."""

    def transmit(self, apdu: bytes) -> bytes:
        return bytes(8) + b"\x90\x00" if apdu[1] == 0x82 else super().transmit(apdu)


class Door:
    """A park's gate on a PC whose reader has a security module in its second slot."""

    def __init__(self, park: Park, window: Window, line: Line, room, module) -> None:
        """Before anybody is there."""
        self.park, self.window, self.line, self._room, self._module = park, window, line, room, module

    def hold(self, chip: SoftCard) -> None:
        """Take away what lay there; hold this to the reader."""
        self._room.empty()
        self._room.lay(self._module, slot=1)
        self._room.lay(chip)

    def tap(self, word: str, words: str) -> None:
        """Press Tap; the answer is this."""
        self.window.page.locator("[data-act=tap]").click()
        expect(self.window.page.locator("[data-words]")).to_have_text(words, timeout=20_000)
        expect(big(self.window)).to_have_text(word)

    def cut_off(self) -> None:
        """The network is gone; the page is opened anew from what the device keeps."""
        self.line.cut()
        self.window.go("/gate/en")
        expect(self.window.page.locator("[data-net]")).to_have_text("Offline")


@pytest.fixture
def line(live_server):
    """The line to the site."""
    laid = Line(live_server.url)
    yield laid
    laid.close()


@pytest.fixture
def door(chromium, line, room, settings, tmp_path):
    """The gate is paired and holds a bundle and a plan; the agent is paired with the site."""
    only_the_park(settings, tmp_path)
    PAIRINGS.forget()
    counter = make_counter(tmp_path / "reader", make_area())
    park, module = Park(counter.area), with_chip_module(counter, room)
    homes.expect(counter.home, "12345678")
    assert homes.pair(counter.home, line.url, "12345678")
    agent = Agent(counter.home, port=0)
    settings.READER_AGENT = f"ws://127.0.0.1:{agent.port}"
    thread = threading.Thread(target=agent.run, daemon=True)
    thread.start()
    window = Window(chromium, line, width=PHONE)
    window.expected = ("Failed to load resource", "ERR_")
    yield Door(park, window, line, room, module)
    assert not window.faults
    window.close()
    agent.close()
    thread.join(5)


def ready(door: Door) -> None:
    """Its bundle names what was made until now."""
    door.park.publish()
    at_work(door.window, door.park.code())
    door.park.publish()
    meet(door.window)


def test_a_card_is_tapped_with_the_site_cut_off_and_a_copy_is_refused_by_name(door):
    card, lost = door.park.card(), door.park.card("suspended", "李雷")
    chip, lost_chip = (chip_of(each, uid, at=door.park.now) for each, uid in ((card, UID), (lost, OTHER_UID)))
    ready(door)
    door.cut_off()
    door.hold(chip)
    door.tap("Let pass", "The card is valid: free, with 1 companion.")
    door.window.page.get_by_role("button", name="Count only").click()
    expect(door.window.page.locator("[data-words]")).to_have_text("Counted.")
    door.hold(lost_chip)
    door.tap("Do not accept", "The card was reported lost.")
    door.hold(Copy.of(chip.memory))
    door.tap("Do not accept", "The chip could not prove that it is genuine: it is a copy.")
    faults = door.window.inspect(PHONE, NARROW)
    door.line.mend()
    meet(door.window)
    assert not faults, "\n".join(faults)
    told = [json.loads(text) for text in Visit.objects.order_by("seq").values_list("text", flat=True)]
    assert [(each["kind"], each["proof"], each["code"], bool(each["subject"])) for each in told] == [
        ("visit", "tap", "valid", True), ("refusal", "tap", "suspended", False),
        ("refusal", "tap", "not-authentic", False)]


def test_a_chip_that_does_not_take_the_gates_key_is_asked_once_more_on_purpose_alone(door):
    chip = with_other_keys(chip_of(door.park.card(), UID, at=door.park.now), "reader")
    ready(door)
    door.cut_off()
    door.hold(chip)
    refused = "The chip did not accept this gate's key. Scan the code."
    door.tap("Please check", refused)
    memory = chip.memory
    door.tap("Please check", "The chip did not accept this gate's key before and was not asked again. Scan the code.")
    assert chip.memory == memory
    faults = door.window.inspect(PHONE, NARROW)
    door.window.page.get_by_role("button", name="Ask this card once more").click()
    expect(door.window.page.locator("[data-words]")).to_have_text(refused)
    assert chip.memory != memory and not faults, "\n".join(faults)
    door.line.mend()
    meet(door.window)
    assert not Visit.objects.exists(), "nothing was proved against the card"
