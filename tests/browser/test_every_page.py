"""Every page that a role may open, in both languages, in care mode, on a desk and on a phone."""

import hashlib
import os
import re
from typing import Any

import pytest
from django.urls import reverse

from visits import Visitor, routes
from windows import NARROW, WIDE, Window
from world import World, make_world
from zhengka.accounts.roles import ROLES
from zhengka.web.staff.opening import AT_THE_COUNTER
from zhengka.web.staff.stock_acts import ACTS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
LOOKS = [("zh-hans", False, NARROW), ("en", True, NARROW), ("en", False, WIDE), ("zh-hans", True, WIDE)]
"""Language, care mode and width: either language in either mode, each mode on a phone and on a desk."""


def addresses(world: World, role: str | None) -> dict[str, str]:
    """Every page of the site that answers `role` (None: a passer-by): route and place of the row → address."""
    visitor = Visitor(world.officers[role] if role else None)
    found = {}
    for name, pattern in routes():
        if not pattern.callback.__module__.startswith("zhengka.web"):
            continue
        for place, url in enumerate(_filled(world, name, pattern)):
            answer = visitor.get(url)
            if answer.status_code == 200 and b"<html" in getattr(answer, "content", b""):
                found[f"{name} {place}"] = url
    return found


def _filled(world: World, name: str, pattern) -> list[str]:
    names = list(pattern.pattern.converters)
    kind = re.match(r"\w*", str(pattern.pattern)).group()
    rows = [[row] for row in world.ids.get(kind, [])] if names == ["pk"] else [] if names else [[]]
    return [reverse(name, args=row) for row in _special(world, name, names) or rows]


def _special(world: World, name: str, names: list[str]) -> list[list[Any]]:
    """What else than one row's number is in the addresses of some pages."""
    store, machine = world.ids["stores"]
    if name == "staff:stock-act":
        return [[store if "store" in act.stores else machine, word] for word, act in ACTS.items()]
    return {"code": [["not-found"]], "language": [["en"], ["zh-hans"]], "name": [["city-pass"]],
            "pk kind": [[world.ids["holders"][0], kind] for kind in AT_THE_COUNTER],
            "pk card": [[world.ids["readback"][0], card] for card in world.ids["drawn"]]}.get(" ".join(names), [])


@pytest.fixture
def first(tmp_path_factory):
    """True for who asks of a page first, of all processes of this run: another role sees other buttons on it at most,
    so that only what is too wide or complains is looked for then.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "inspected"
    folder.mkdir(exist_ok=True)

    def claim(page: str) -> bool:
        try:
            (folder / hashlib.sha256(page.encode()).hexdigest()).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    return claim


@pytest.mark.parametrize("role", [None, *ROLES])
def test_every_page_is_accessible_fits_a_phone_and_says_nothing_on_the_console(role, live_server, chromium, first):
    world = make_world()
    window = Window(chromium, live_server, world.officers[role] if role else None)
    pages, faults = addresses(world, role), []
    assert pages, "no page was found"
    for page, url in pages.items():
        fresh = first(page)
        for language, care, width in LOOKS if fresh else LOOKS[:1]:
            window.look(language=language, care=care)
            window.resize(width)
            assert window.go(url).status == 200
            faults += window.inspect(width, axe=fresh)
    window.close()
    assert not faults, "\n".join(dict.fromkeys(faults))


@pytest.mark.parametrize("care", [False, True])
def test_the_menu_of_a_name_opens_within_a_phone(care, live_server, chromium):
    window = Window(chromium, live_server, make_world().officers["clerk"], width=NARROW)
    window.look(language="en", care=care)
    window.go(reverse("staff:home"))
    window.page.click(".zk-menu > summary")
    assert window.page.is_visible(".zk-menu__sheet")
    assert not window.inspect(NARROW)
    window.close()


def test_the_inspection_itself_sees_an_inline_script_a_nameless_picture_and_a_page_too_wide(live_server, chromium):
    window = Window(chromium, live_server)
    window.go(reverse("staff:login"))
    assert not window.inspect(WIDE, NARROW)
    window.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: '1'}))")
    window.page.evaluate("document.querySelector('main').append(Object.assign(new Image(600, 10), {src: '/none.png'}))")
    window.page.wait_for_timeout(200)
    faults = "\n".join(window.inspect(NARROW))
    assert "image-alt" in faults and "px too wide" in faults and "script-src" in faults and "404" in faults
    window.close()
