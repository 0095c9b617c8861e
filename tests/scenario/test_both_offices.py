"""Both offices of a move see its clock (办法 art. 23), and a kind of departure leads no further than its name says."""

import datetime as dt
import re

import pytest

import builders
from builders import NOON, make_area, make_officer
from stories import Story, brings, card_holder, left_behind, person
from visits import Visitor
from zhengka.areas.models import Area
from zhengka.cases import fronts, services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.registry.models import Holder

pytestmark = pytest.mark.django_db



def there() -> Area:
    return make_area(110101, name="东城区")


def leaves(kind: str = "transfer_out_nation", to: int | None = None) -> Story:
    """A departure that knows where to, and whose day another clerk found in the household register."""
    away = brings(kind, card_holder(name="左小满")[0], moved="2026-11-01", to=there().pk if to is None else to)
    away.take("confirm_move")
    return away


def arrives(holder: Holder, area: Area) -> Case:
    """Who was let go unknown where to stands at the counter of an office, with ID card and certificate."""
    number = fields.open_(bytes(holder.id_number), "holder.id_number")
    return services.apply_arrival(
        person(name=holder.name, id_number=number),
        services.Brought(number + "42", dt.date(2021, 5, 1), dt.date(2031, 5, 1)),
        area, by=builders.make_actor(area=area), request_id=builders.request_id(), at=NOON)


def said(page: str, area: Area) -> str:
    """What a page says to a clerk of an office, without its markup."""
    html = Visitor(make_officer("clerk", area=area)).get(page).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.search(r"<main.*?</main>", html, re.S).group()))


def test_the_new_office_reads_both_days_of_the_clock_and_that_it_froze_the_certificate():
    away = leaves()
    days = [away.case.freezes_on.isoformat(), away.case.lapses_on.isoformat()]
    away.take("request", "review", "approve")
    services.move_on(away.case.pk, at=NOON)
    page = f"/staff/cases/{Case.get(away.case.pk).counterpart_id}"
    before = said(page, there())
    assert all(day in before for day in days) and "Frozen after" in before
    left_behind(NOON + dt.timedelta(200))
    assert said(page, there()).count("Frozen") > before.count("Frozen"), "and says that it is frozen now"


def test_an_office_sees_who_was_noted_to_be_on_the_way_to_it_before_its_own_side_opens():
    away = leaves()
    page = said("/staff/cases/coming", there())
    assert all(word in page for word in (
        "左小满", "岳麓区", away.case.freezes_on.isoformat(), away.case.lapses_on.isoformat()))
    assert "左小满" not in said("/staff/cases/coming", make_area(110102, name="西城区")), "nobody else's business"
    assert "左小满" not in said("/staff/cases/coming", away.case.area), "who leaves does not come"
    away.take("request", "review", "approve")
    services.move_on(away.case.pk, at=NOON)
    assert "左小满" not in said("/staff/cases/coming", there()), "from now on it is a case of the new office"


@pytest.mark.parametrize("kind, fits", [
    ("transfer_out_city", 430102), ("transfer_out_province", 430702), ("transfer_out_nation", 110101)])
def test_a_departure_leads_where_its_kind_says_and_nowhere_else(kind, fits):
    units = [make_area(code, name=f"{code}") for code in (430102, 430702, 110101)]
    holder, _ = card_holder()
    assert [unit.code for unit in fronts.reached(kind, holder.area_id)] == [fits * 10**6]
    for unit in units:
        if unit.code != fits * 10**6:
            with pytest.raises(Refusal, match="move-out-of-reach"):
                brings(kind, holder, moved="2026-11-01", to=unit.pk)
    assert brings(kind, holder, moved="2026-11-01", to=fits * 10**6).case.heads_for_id == fits * 10**6


def test_a_departure_heads_for_no_office_that_does_not_exist():
    with pytest.raises(Refusal, match="not-found"):
        brings("transfer_out_city", card_holder()[0], moved="2026-11-01", to=430199 * 10**6)


def test_the_form_of_a_departure_offers_the_offices_that_its_kind_reaches():
    for code in (430102, 430702, 110101):
        make_area(code, name=f"unit {code}")
    holder, _ = card_holder()
    page = said(f"/staff/holders/{holder.pk}/cases/transfer_out_city", holder.area)
    assert "unit 430102" in page and "unit 430702" not in page and "unit 110101" not in page


def test_an_office_beyond_the_reach_of_a_departure_that_knew_no_office_does_not_take_it_up():
    away = leaves("transfer_out_city", to=0)
    away.take("request", "review", "approve")
    holder = away.case.holder
    with pytest.raises(Refusal, match="move-out-of-reach"):
        arrives(holder, there())
    assert arrives(holder, builders.make_area(430102)).kind_of_case == "transfer_in_city"
    assert Case.get(away.case.pk).heads_for_id == 430102 * 10**6
