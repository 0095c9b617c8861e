"""A card is received with a signature drawn in the browser, or by who cannot draw with a typed name and keys alone."""

import pytest
from django.urls import reverse

from builders import make_officer
from custody_rooms import Rooms
from windows import NARROW, WIDE, Window
from zhengka.custody import services
from zhengka.custody.models import Receipt

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]


def test_a_signature_is_drawn_cleared_drawn_again_and_kept_and_a_name_is_typed_in_its_place(live_server, chromium):
    rooms = Rooms()
    drawn, typed = rooms.cards(2)
    rooms.unpack(rooms.brought([drawn, typed]), [drawn, typed])
    window = Window(chromium, live_server, make_officer("clerk", area=rooms.county))
    page = window.page
    window.go(reverse("staff:card-hand-over", args=[drawn.pk]))
    assert not window.inspect(NARROW, WIDE)
    for times in (1, 2):
        page.locator("canvas").scroll_into_view_if_needed()
        box = page.locator("canvas").bounding_box()
        page.mouse.move(box["x"] + 20, box["y"] + 60)
        page.mouse.down()
        for step in range(15):
            page.mouse.move(box["x"] + 20 + 10 * step, box["y"] + 60 + 5 * (step % 4))
        page.mouse.up()
        assert page.locator("[data-signature-strokes]").input_value().startswith("[[[")
        if times == 1:
            page.get_by_role("button", name="Clear the signature").click()
            assert page.locator("[data-signature-strokes]").input_value() == ""
    page.locator("[name=why_not]").select_option("back")
    page.get_by_role("button", name="Hand over").click()
    page.get_by_text("Signed on the screen").wait_for()
    assert b"<polyline" in services.signature_of(Receipt.objects.get(card=drawn))
    window.go(reverse("staff:card-hand-over", args=[typed.pk]))
    page.locator("[name=why_not]").select_option("back")
    page.locator("[name=typed]").focus()
    page.keyboard.type("田野")
    page.locator("[name=why]").select_option("writing")
    page.locator("[name=confirmed]").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.get_by_text("Name typed and confirmed").wait_for()
    assert not window.faults
    window.close()
