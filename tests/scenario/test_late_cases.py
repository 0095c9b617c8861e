"""Who answers for an area sees what is late there, office by office, and no farther than the area goes."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

import builders
from stories import Story, applies
from visits import Visitor
from zhengka.accounts.services import actor_of
from zhengka.areas.models import Area
from zhengka.cases import late
from zhengka.cases.models import Case
from zhengka.core.errors import Refusal

pytestmark = pytest.mark.django_db
PAGE = "/staff/late/"


def due_in(days: int, area: Area) -> Case:
    """An open case whose step is due in so many days, or was due before."""
    case = applies(area=area).case
    Case.objects.filter(pk=case.pk).update(due_on=timezone.localdate() + dt.timedelta(days))
    return Case.get(case.pk)


@pytest.fixture
def here():
    return builders.make_area(430104, name="岳麓区")


@pytest.fixture
def there():
    return builders.make_area(430105, name="开福区")


def leader(area: Area):
    return builders.make_officer("leader", area=area)


def test_offices_are_told_with_the_most_late_ones_first(here, there):
    for days, area in ((-3, here), (-1, there), (-9, there), (2, there), (30, there)):
        due_in(days, area)
    applies(area=here)  # a step without a limit is never late
    found = late.by_office(actor_of(leader(here.parent)), timezone.localdate())
    assert [(one.office, one.limited, one.late, one.soon, one.longest) for one in found] == [
        (there, 4, 2, 1, 9), (here, 1, 1, 0, 3)]


def test_what_has_ended_is_not_late(here):
    Story(due_in(-3, here)).take("withdraw")
    assert late.by_office(actor_of(leader(here)), timezone.localdate()) == []


def test_the_list_begins_with_what_is_late_longest_and_ends_with_yesterday(here, there):
    cases = [due_in(days, area) for days, area in ((-1, here), (-9, there), (0, here), (5, there))]
    actor, today = actor_of(leader(here.parent)), timezone.localdate()
    assert late.listed(actor, today) == [cases[1], cases[0]]
    assert late.listed(actor, today, office=here.code) == [cases[0]]
    assert late.listed(actor, today, limit=1) == [cases[1]]


def test_a_leader_finds_offices_and_numbers_of_cases_and_nobody_s_name(here, there):
    case, other = due_in(-3, here), due_in(-1, there)
    visitor = Visitor(leader(here.parent))
    assert reverse("staff:late") == PAGE and PAGE in visitor.get(reverse("staff:home")).content.decode()
    page = visitor.get(PAGE).content.decode()
    assert "3 days late" in page and f"?office={here.code}" in page and str(case.pk) in page and case.name not in page
    assert f"/staff/cases/{case.pk}" not in page
    of_one = visitor.get(f"{PAGE}?office={there.code}").content.decode()
    assert "Late cases of 开福区" in of_one and str(other.pk) in of_one and str(case.pk) not in of_one


def test_a_leader_s_first_page_says_how_much_is_late_and_leads_on(here):
    due_in(-3, here), due_in(2, here)
    home = Visitor(leader(here.parent)).get(reverse("staff:home"))
    assert [(str(tile.label), tile.value) for tile in home.context["tiles"] if tile.href == PAGE] == [
        ("Late", 1), ("Due within a week", 1)]
    assert reverse("staff:plan") in home.content.decode()
    assert "Late" not in [str(tile.label) for tile in Visitor(builders.make_officer(area=here)).get(
        reverse("staff:home")).context["tiles"]]


def test_a_county_sees_its_own_late_cases_by_name_and_none_of_its_neighbour_s(here, there):
    due_in(-3, there)
    visitor = Visitor(builders.make_officer("clerk", area=here))
    assert "No case is late." in visitor.get(PAGE).content.decode()
    case = due_in(-2, here)
    page = visitor.get(PAGE).content.decode()
    assert f"/staff/cases/{case.pk}" in page and case.name in page and "开福区" not in page
    assert visitor.get(f"{PAGE}?office={there.code}").status_code == 404
    with pytest.raises(Refusal, match="not-found"):
        late.listed(actor_of(leader(here)), timezone.localdate(), office=there.code)


@pytest.mark.parametrize("asked", ["x", "-1", "9" * 40, "٣", ""])
def test_an_address_of_no_office_shows_all(here, asked):
    case = due_in(-2, here)
    assert str(case.pk) in Visitor(leader(here)).get(PAGE, {"office": asked}).content.decode()


def test_who_has_no_part_in_the_programme_does_not_see_it(here):
    assert Visitor(builders.make_officer("system", area=here)).get(PAGE).status_code == 403
