"""Where another person is needed and the office has nobody: who else may is named, and asked by one form."""

import datetime as dt

import pytest
from django.utils import timezone

import builders
from builders import NOON
from stories import card_holder
from visits import Visitor
from zhengka.accounts import queries as accounts
from zhengka.accounts import services as account_services
from zhengka.accounts.models import Officer
from zhengka.accounts.services import actor_of
from zhengka.cases import queries, services
from zhengka.cases.models import Case
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


def reported(clerk: Officer, holder) -> Case:
    return services.open_case("freeze", holder, by=actor_of(clerk), request_id=builders.request_id(), at=timezone.now(),
                              reason="death-reported")


def told() -> dict:
    return {"request_id": builders.request_id(), "at": timezone.now()}


def test_the_offices_above_have_who_may_and_the_nearest_stands_first():
    county = builders.make_area()
    city, province = county.parent, county.parent.parent
    clerks = {area: builders.make_officer("clerk", area=area) for area in (province, county, city)}
    builders.make_officer("reviewer", area=county)
    builders.make_officer("clerk", area=builders.make_area(430102))
    found = accounts.able("case.confirm", county, TODAY, but="nobody")
    assert list(found) == [clerks[county], clerks[city], clerks[province]]
    assert list(accounts.able("case.confirm", county, TODAY, but=clerks[county].person)) == [
        clerks[city], clerks[province]]


def test_whose_right_was_lent_for_the_day_is_among_them():
    county = builders.make_area()
    clerk, reviewer = builders.make_officer("clerk", area=county), builders.make_officer("reviewer", area=county)
    days = account_services.Days(TODAY, TODAY + dt.timedelta(3))
    lent = account_services.lend(reviewer, days, by=actor_of(clerk), request_id=builders.request_id(), at=NOON)
    assert not accounts.able("case.confirm", county, TODAY, but=clerk.person)
    account_services.permit_lending(lent, by=builders.make_actor("security", area=county),
                                    request_id=builders.request_id(), at=NOON)
    assert list(accounts.able("case.confirm", county, TODAY, but=clerk.person)) == [reviewer]
    assert not accounts.able("case.confirm", county, days.last + dt.timedelta(1), but=clerk.person)


def test_a_single_clerk_asks_the_city_on_the_page_and_the_city_verifies_from_its_own_desk():
    holder, _ = card_holder()
    clerk, city = (builders.make_officer("clerk", area=area) for area in (holder.area, holder.area.parent))
    case = reported(clerk, holder)
    desk = Visitor(clerk)
    html = desk.get(f"/staff/cases/{case.pk}").content.decode()
    assert "Another person does this: Verify" in html and city.name in html and "lend a right" in html
    assert 'name="source"' not in html
    desk.act(f"/staff/cases/{case.pk}/ask", action="verify", officer=str(city.pk))
    assert Case.get(case.pk).assignee == city
    there = Visitor(city)
    assert f"/staff/cases/{case.pk}" in there.get("/staff/cases/?step=mine").content.decode()
    there.act(f"/staff/cases/{case.pk}/step", action="verify", source="police", reference="2026-7")
    assert Case.get(case.pk).state == "verified"


def test_where_nobody_may_the_page_says_so_and_how_a_right_is_lent():
    holder, _ = card_holder()
    clerk = builders.make_officer("clerk", area=holder.area)
    html = Visitor(clerk).get(f"/staff/cases/{reported(clerk, holder).pk}").content.decode()
    assert "Nobody else of this office" in html and "/staff/desk/lend" in html and "/ask" not in html


def test_a_case_is_given_to_nobody_who_may_not_take_the_step_and_none_is_taken_from_a_colleague():
    holder, _ = card_holder()
    clerk, colleague = (builders.make_officer("clerk", area=holder.area) for _ in range(2))
    case, reviewer = reported(clerk, holder), builders.make_officer("reviewer", area=holder.area)
    stranger = builders.make_officer("clerk", area=builders.make_area(430102))
    for unfit in (reviewer, stranger, clerk):
        with pytest.raises(Refusal, match="officer-unfit"):
            services.ask(case, "verify", unfit, by=actor_of(clerk), **told())
    with pytest.raises(Refusal, match="step-not-open"):
        services.ask(case, "approve", colleague, by=actor_of(clerk), **told())
    with pytest.raises(Refusal, match="not-found"):
        services.ask(case, "verify", colleague, by=actor_of(stranger), **told())
    key = told()
    assert services.ask(case, "verify", colleague, by=actor_of(clerk), **key).assignee == colleague
    with pytest.raises(Replayed):
        services.ask(case, "verify", colleague, by=actor_of(clerk), **key)
    other = builders.make_officer("clerk", area=holder.area)
    with pytest.raises(Refusal, match="case-taken"):
        services.ask(case, "verify", other, by=actor_of(clerk), **told())
    assert case.pk in [each.pk for each in queries.on_desks(
        actor_of(colleague), queries.mine(actor_of(colleague), timezone.localdate()))]


def test_a_form_that_names_nobody_who_may_is_refused():
    holder, _ = card_holder()
    clerk = builders.make_officer("clerk", area=holder.area)
    case = reported(clerk, holder)
    answer = Visitor(clerk).act(f"/staff/cases/{case.pk}/ask", action="verify", officer="1")
    assert answer.status_code == 422 and Case.get(case.pk).assignee == clerk


def test_an_office_below_is_told_whom_to_ask_above_and_sees_no_account_there(as_web):
    county = builders.make_area()
    clerk, city = (builders.make_officer("clerk", area=area) for area in (county, county.parent))
    as_web(county.code, county.last)
    told = accounts.able("case.confirm", county, TODAY, but="")
    assert [(one.pk, one.name, one.role, one.area_id) for one in told] == [
        (each.pk, each.name, "clerk", each.area_id) for each in (clerk, city)]
    assert list(Officer.objects.values_list("pk", flat=True)) == [clerk.pk]
