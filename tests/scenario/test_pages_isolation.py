"""An officer of one unit meets another unit's rows as if they did not exist: every route, every role, 404."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse

from builders import make_area, make_officer
from visits import Visitor, routes
from world import make_world
from zhengka.accounts.roles import ROLES

pytestmark = pytest.mark.django_db
ACTIONS = {"cards": "report_lost", "batches": "prepare"}
"""A word for the routes that take one besides the row's id; the row is looked for first, so any would do."""


def routes_with_a_row() -> list[tuple[str, str, list[str]]]:
    """(name, first part of the address, converters) of each officers' route that names a row."""
    found = []
    for name, pattern in routes("staff:"):
        if converters := list(pattern.pattern.converters):
            found.append((name, re.match(r"\w*", str(pattern.pattern)).group(), converters))
    return found


ROUTES = routes_with_a_row()


def address(name: str, kind: str, converters: list[str], ids: dict[str, list[int]]) -> str | None:
    if "pk" not in converters:
        return None
    values = {"pk": ids[kind][0], "action": ACTIONS.get(kind, "x"), "name": "x", "kind": "renewal", "what": "update",
              "card": ids["cards"][0], "decision": "wait", "seen": 1}
    return reverse(name, kwargs={each: values[each] for each in converters})


def test_every_route_that_names_a_row_is_known_to_the_world():
    world = make_world()
    unknown = [name for name, kind, converters in ROUTES if "pk" in converters and not world.ids.get(kind)]
    assert not unknown, "give these rows a line in World.ids"


@pytest.mark.parametrize("role", ROLES)
def test_another_unit_s_row_is_not_found_by_any_route(role):
    theirs = make_world(430702, "武陵区")
    visitor = Visitor(make_officer(role, area=make_area(430104)))
    wrong = []
    for name, kind, converters in ROUTES:
        url = address(name, kind, converters, theirs.ids)
        if url is None:
            continue
        for method, answer in (("GET", visitor.get(url)), ("POST", visitor.post(url, form()))):
            led_up = method == "GET" and answer.status_code == 302 and url.startswith(f"{answer.url.rstrip('/')}/")
            if answer.status_code not in allowed(role, name, method) and not led_up:
                wrong.append(f"{method} {name}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def allowed(role: str, name: str, method: str) -> tuple[int, ...]:
    """404 for a role that may open the page; 403 for one that may not, whatever the id. An address that takes forms
    alone never looks at the row when it is read: it leads to the page above. One that is only read takes no form: 405.
    """
    pattern = dict(routes("staff:"))[name]
    held, needed = ROLES[role][1], pattern.callback.permissions
    if needed and not held & set(needed):
        return (403,)
    return (404,) if method == "GET" else (404, 405)


def form() -> dict[str, str]:
    return {"request_id": str(uuid4()), "purpose": "desk", "role": "reviewer", "action": "confirm", "reason": "x",
            "sure": "1"}


@pytest.mark.parametrize("role", ROLES)
def test_lists_and_counts_hold_nothing_of_another_unit(role):
    make_world(430702, "武陵区")
    visitor = Visitor(make_officer(role, area=make_area(430104)))
    for name, pattern in routes("staff:"):
        if pattern.pattern.converters or name == "staff:login":
            continue
        page = visitor.get(reverse(name)).content.decode()
        assert "武陵区" not in page and "430702" not in page and "阿依古丽" not in page, name


def test_a_search_finds_nobody_of_another_unit():
    theirs = make_world(430702, "武陵区")
    visitor = Visitor(make_officer("clerk", area=make_area(430104)))
    assert theirs.ids["holders"]
    for word in ("阿依古丽", "ty", "tianye"):
        page = visitor.post(reverse("staff:holders"), {"q": word}, follow=True).content.decode()
        assert "Nobody in your area is found" in page


def test_bulk_acts_leave_another_unit_s_cases_alone():
    theirs = make_world(430702, "武陵区")
    from zhengka.cases.models import Case

    visitor = Visitor(make_officer("clerk", area=make_area(430104)))
    for chosen in ({"chosen": theirs.ids["cases"]}, {"all": "1"}):
        visitor.act(reverse("staff:cases-bulk"), action="confirm", sure="1", **chosen)
    assert Case.objects.get(pk=theirs.ids["cases"][0]).state == "notified"
