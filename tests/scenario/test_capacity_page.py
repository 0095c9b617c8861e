"""The page of the capacity plan: what is still to be made, between which days, what is last, and what if."""

import datetime as dt

import pytest
from django.urls import reverse

import stocking
from builders import make_area, make_card, make_holder, make_officer
from visits import Visitor
from zhengka.programme import capacity, planning
from zhengka.programme.models import Programme, Target

pytestmark = pytest.mark.django_db
CODES = (430104, 430121, 430723)


@pytest.fixture
def units(db):
    programme = Programme.objects.create(code="hunan-2018", title="试点", title_en="Pilot",
                                         counted_on=dt.date(2018, 3, 15), budget_fen=0)
    found = [make_area(code, name=f"单位{code}") for code in CODES]
    for unit, phase in zip(found, (1, 2, 2), strict=True):
        Target.objects.create(programme=programme, area=unit, holders=3_000, phase=phase)
    return found


def test_what_is_made_is_needed_no_more_and_what_waits_is(units):
    actor = Visitor(make_officer("leader", area=units[0].parent.parent))
    for state in ("active", "ready", "ordered", "spoiled"):
        make_card(make_holder(area=units[0]), state=state)
    Target.objects.filter(area=units[1]).update(holders=0)
    make_card(make_holder(area=units[1]), state="batched")
    page = actor.get(reverse("staff:capacity"))
    assert page.context["tiles"][0].value == 2_998 + 1 + 3_000
    assert sorted(one.cards for one in page.context["chart"]) == [1, 2_998, 3_000]


def test_the_page_shows_a_range_what_is_last_and_what_one_machine_or_shift_would_change(units):
    actor = Visitor(make_officer("leader", area=units[0].parent.parent))
    url = reverse("staff:capacity")
    page = actor.get(url, {"begins": "2018-11-01"})
    tiles = page.context["tiles"]
    assert " – " in tiles[1].value and tiles[1].value.startswith("2018\u201111")
    assert page.context["bottleneck"]["unit"] == "单位430104" and not page.context["bottleneck"]["operators"]
    assert len(page.context["chart"]) == 3 and page.context["weeks"].rows
    more = actor.get(url, {"begins": "2018-11-01", "line": "0", "unit": str(units[0].code), "shifts": "1"})
    assert "earlier" in more.context["tiles"][2].note
    less = actor.get(url, {"begins": "2018-11-01", "line": "0", "unit": str(units[0].code), "machines": "-1"})
    assert less.context["tiles"][2].value == "—"
    assert next(one for one in less.context["chart"] if one.label == "单位430104").changed == "—"
    wrong = actor.get(url, {"shifts": "9"})
    assert wrong.status_code == 200 and len(wrong.context["tiles"]) == 2


def test_the_alarm_for_blank_cards_knows_the_plan_before_a_single_card_is_ordered(units):
    store = stocking.open_store(units[0])
    officer = Visitor(make_officer("producer", area=units[0]))

    def told() -> tuple[int, str]:
        page = officer.get(reverse("staff:stock"))
        facts = {str(fact.label): fact.value for fact in page.context["outlook"]["facts"]}
        return facts["Cards of the plan until an order comes"], page.context["outlook"]["alarm"]
    assert told() == (3_000, "order-now"), "3,000 planned, none ordered, and no blank is here"
    stocking.receive(store, 1001, 3_990)
    assert told() == (3_000, "order-now")
    stocking.receive(store, 3_991, 4_100)
    assert told() == (3_000, "")
    Target.objects.filter(area=units[0]).update(holders=0)
    assert told() == (0, "")


def test_an_office_sees_its_own_units_alone_and_a_clerk_of_devices_nothing(units):
    page = Visitor(make_officer("clerk", area=units[0])).get(reverse("staff:capacity"))
    assert [one.label for one in page.context["chart"]] == ["单位430104"]
    assert Visitor(make_officer("system", area=units[0])).get(reverse("staff:capacity")).status_code == 403


def test_years_without_a_published_list_are_named(units):
    page = Visitor(make_officer("leader", area=units[0])).get(reverse("staff:capacity"), {"begins": "2041-03-01"})
    assert 2041 in page.context["assumed"] and "2041" in page.content.decode()


def test_a_file_that_is_wrong_is_told_on_the_page_and_nothing_is_reckoned(units, settings, tmp_path):
    good = (settings.DATA / "capacity" / "hunan-2018.toml").read_text("utf-8")
    (tmp_path / "capacity").mkdir()
    (tmp_path / "capacity" / "hunan-2018.toml").write_text(good.replace("shifts = 1", "shifts = 4", 1))
    settings.DATA = tmp_path
    planning.plans.cache_clear()
    try:
        text = Visitor(make_officer("leader", area=units[0])).get(reverse("staff:capacity")).content.decode()
    finally:
        planning.plans.cache_clear()
    assert "shifts: 4" in text and "value-out-of-range" in text


def test_without_a_programme_or_a_plan_the_page_says_so(db):
    assert Visitor(make_officer("leader")).get(reverse("staff:capacity")).status_code == 200
    assert capacity.RUNS >= 1_000
