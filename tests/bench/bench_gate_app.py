"""How soon the gate app answers, in a real Chromium: from the camera's frame with the code on it, or from the last key,
to the answer on the screen. Bar: 1 s, also where the site takes its time.
"""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench_production import own_database
from django.conf import settings
from django.db import connections
from django.test import override_settings
from measure import tell
from playwright.sync_api import Browser, sync_playwright
from pytest_django.live_server_helper import LiveServer

from browser.conftest import CHROMIUM, FLAGS, PHONE, wait_until_alone
from browser.test_gate_app import at_work
from gate_room import Park, film, only_the_park, printed, text_of
from windows import Window

FRAMES, TYPED, ASKED = 8, 30, 8
BAR = "< 1,000 ms"
SHOW = """text => { const form = document.querySelector("[data-type]")
form.elements.text.value = text; form.requestSubmit() }"""
TOOK = """mark => { const at = name => performance.getEntriesByName(name).at(-1)?.startTime
const end = at(mark); return end === undefined ? null : end - at("gate-shown") }"""


def main() -> None:
    """Print medians, and the slowest."""
    with own_database(), tempfile.TemporaryDirectory() as folder, override_settings():
        only_the_park(settings, Path(folder))
        park = Park()
        card = park.card()
        park.publish()
        code = Path(folder) / "card.mjpeg"
        film(printed(card), code)
        with served() as server, sync_playwright() as playwright:
            camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
                      f"--use-file-for-fake-video-capture={code}"]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *camera])
            measured(browser, server, park, text_of(card), card.serial)
            browser.close()
            wait_until_alone()
            connections.close_all()  # those of Playwright's event loop


@contextmanager
def served() -> Iterator[LiveServer]:
    """The site, until the end."""
    server = LiveServer("localhost")
    server._live_server_modified_settings.enable()
    try:
        yield server
    finally:
        server._live_server_modified_settings.disable()
        server.stop()


def measured(browser: Browser, server: LiveServer, park: Park, text: str, serial: str) -> None:
    """One phone, three ways."""
    window = Window(browser, server, width=PHONE)
    at_work(window, park.code())
    found = []
    for _ in range(FRAMES):
        window.go("/gate/en")
        window.page.locator("body[data-ready]").wait_for()
        window.press("Enter")
        found.append(took(window, "gate-answer"))
    told("frame with the code → answer, the app just opened", found)
    told("last key → answer, a code that was typed", [typed(window, text, "gate-answer") for _ in range(TYPED)])
    window.context.route("**/api/v1/gate/check", lambda _: None)
    told("… of which the site is asked and says nothing", [
        typed(window, serial, "gate-early", rest=True) for _ in range(ASKED)])
    window.close()


def typed(window: Window, text: str, mark: str, *, rest: bool = False) -> float:
    """What it took for one; `rest`: wait until the site is not asked any more."""
    window.page.evaluate("performance.clearMarks()")
    window.page.evaluate(SHOW, text)
    found = took(window, mark)
    if rest:
        took(window, "gate-answer")
    return found


def took(window: Window, mark: str) -> float:
    """Milliseconds from what was shown to this mark."""
    handle: Any = window.page.wait_for_function(TOOK, arg=mark, timeout=30_000)
    return float(handle.json_value())


def told(title: str, found: list[float]) -> None:
    """One line: the median, and the slowest beside."""
    tell(title, f"{statistics.median(found):.0f} ms, slowest of {len(found)}: {max(found):.0f} ms", bar=BAR)
