"""A portrait by the camera, without the mouse: Chromium's fake camera shows the photograph."""

import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import expect

from browser.conftest import CHROMIUM, FLAGS
from builders import make_holder, make_officer
from papers_brought import WHITE, jpeg, photograph
from windows import NARROW, WIDE, Window
from zhengka.papers.models import Portrait
from zhengka.registry.models import Holder

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]


@pytest.fixture
def with_camera(chromium, tmp_path):
    """A second browser, before whose camera the photographed person sits."""
    frame, film = Image.new("RGB", (1280, 720), WHITE), tmp_path / "camera.mjpeg"
    frame.paste(photograph().resize((480, 592)), (400, 60))
    film.write_bytes(jpeg(frame) * 30)
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=[
        *FLAGS, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}"])
    yield browser
    browser.close()


def test_a_portrait_is_taken_by_keyboard_alone_and_fits(live_server, with_camera):
    holder = make_holder()
    window = Window(with_camera, live_server, make_officer("clerk"))
    window.go(reverse("staff:holder-portrait", args=[holder.pk]))
    page = window.page
    page.get_by_role("button", name="Use the camera").focus()
    window.press("Enter")
    expect(page.get_by_role("button", name="Take it now")).to_be_focused()
    assert not window.inspect(WIDE, NARROW)
    page.wait_for_timeout(500)
    window.press("Enter")
    expect(page.get_by_role("button", name="Take it again")).to_be_focused()
    expect(page.get_by_text("The photo is taken")).to_be_visible()
    assert not window.inspect(WIDE, NARROW)
    page.get_by_role("button", name="Check the photo").focus()
    window.press("Enter")
    expect(page.get_by_text("The photo passed every check and is kept")).to_be_visible()
    assert not window.inspect(WIDE, NARROW)
    window.close()
    assert Portrait.objects.get().state == "kept" and Holder.get(holder.pk).photo


def test_without_leave_to_use_the_camera_the_page_says_so_and_the_file_field_is_next(live_server, chromium):
    window = Window(chromium, live_server, make_officer("clerk"))
    window.go(reverse("staff:holder-portrait", args=[make_holder().pk]))
    page = window.page
    page.get_by_role("button", name="Use the camera").focus()
    window.press("Enter")
    expect(page.get_by_text("The camera cannot be used here")).to_be_visible()
    expect(page.get_by_label("Photo", exact=True)).to_be_focused()
    assert not window.inspect(WIDE, NARROW)
    window.close()
