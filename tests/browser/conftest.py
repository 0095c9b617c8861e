"""A real Chromium, one for all browser tests, against a live server with real PostgreSQL behind it."""

import io
import os
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, connections
from PIL import Image
from playwright.sync_api import sync_playwright

from gate_room import Park, film, only_the_park
from windows import Window
from zhengka.core.pace import PAIRINGS

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps an event loop in the tests' thread

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run", "--disable-quic"]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PHONE = 390


@pytest.fixture(scope="session")
def chromium(django_db_setup, django_db_blocker):
    """The browser; each test opens its own windows."""
    if not Path(CHROMIUM).exists():
        pytest.fail(f"{CHROMIUM} is missing: install Debian's chromium package")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
        with django_db_blocker.unblock():
            wait_until_alone()
            connections.close_all()  # under an event loop Django keeps connections apart from those of the other tests


def wait_until_alone() -> None:
    """The server's threads end when the browser lets go of them; only then can the test database be dropped."""
    end = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                           "AND pid <> pg_backend_pid()")
            if cursor.fetchone()[0] <= 1:  # the other one is this thread's own, outside the event loop
                return
            time.sleep(0.05)


@pytest.fixture
def park(settings, tmp_path):
    """A park whose files are its own."""
    only_the_park(settings, tmp_path)
    PAIRINGS.forget()
    return Park()


@pytest.fixture
def phones(chromium, live_server, tmp_path):
    """Opens a gate app, before whose camera a picture is held where one is given."""
    opened = []

    @contextmanager
    def open_phone(picture: Image.Image | bytes | None = None, *, width: int = PHONE):
        browser = chromium
        if picture is not None:
            held = Image.open(io.BytesIO(picture)).convert("RGB") if isinstance(picture, bytes) else picture
            shown = film(held, tmp_path / f"{len(opened)}.mjpeg")
            browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=[
                *FLAGS, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={shown}"])
            opened.append(browser)
        window = Window(browser, live_server, width=width)
        window.expected = ("ERR_INTERNET_DISCONNECTED", "Failed to load resource")
        yield window
        assert not window.faults
        window.close()

    yield open_phone
    for browser in opened:
        browser.close()
