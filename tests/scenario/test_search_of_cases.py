"""A case is found by its number, and by who applied: also those who have no record yet."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import builders
import stories
from visits import Visitor
from zhengka.cases import search, services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.formats.idnumber import parse

pytestmark = pytest.mark.django_db


def sought(visitor: Visitor, text: str):
    """Where the search leads: the address, or the page with the results."""
    return visitor.post(reverse("staff:holders"), {"q": text}).url


def results(visitor: Visitor, text: str) -> str:
    return visitor.post(reverse("staff:holders"), {"q": text}, follow=True).content.decode()


@pytest.fixture
def area():
    return builders.make_area()


@pytest.fixture
def clerk(area):
    return Visitor(builders.make_officer("clerk", area=area))


def test_the_number_stands_on_the_page_of_a_case_and_finds_it_however_it_is_typed(area, clerk):
    case = stories.applies(area=area).case
    page = f"/staff/cases/{case.pk}"
    assert str(case.pk) in clerk.get(page).content.decode() and "Case number" in clerk.get(page).content.decode()
    wide = str(case.pk).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    for typed in (str(case.pk), f" {str(case.pk)[:3]} {str(case.pk)[3:]} ", wide):
        assert sought(clerk, typed) == page
    for role in ("reviewer", "approver"):
        assert sought(Visitor(builders.make_officer(role, area=area)), str(case.pk)) == page


def test_a_case_out_of_reach_is_found_by_nothing(area):
    who = stories.person()
    case = stories.applies(who, area=area).case
    other = Visitor(builders.make_officer("clerk", area=builders.make_area(430102)))
    for typed in (str(case.pk), case.name, who.id_number):
        assert sought(other, typed) == reverse("staff:holders")
        assert f"/staff/cases/{case.pk}" not in results(other, typed)


def test_an_applicant_without_a_record_is_found_by_name_and_by_id_number(area, clerk):
    who = stories.person()
    case = stories.applies(who, area=area).case
    assert case.holder_id is None
    for typed in (case.name, case.name[:1], who.id_number, who.id_number.lower()):
        assert sought(clerk, typed) == f"/staff/cases/{case.pk}"
    second = Case.objects.get(pk=stories.applies(stories.person(), area=area).case.pk)
    Case.objects.filter(pk=second.pk).update(name=case.name)
    page = results(clerk, case.name)
    assert f'/staff/cases/{case.pk}"' in page and f'/staff/cases/{second.pk}"' in page
    assert "Nobody in your area" not in page


def test_who_has_a_record_is_found_by_it_and_the_open_case_is_linked_beside(area, clerk):
    holder, _certificate = stories.card_holder()
    case = stories.brings("damage", holder).case
    assert sought(clerk, holder.name) == f"/staff/holders/{holder.pk}"
    builders.make_holder(name=holder.name)
    page = results(clerk, holder.name)
    assert page.count(f'href="/staff/cases/{case.pk}"') == 1 and "Cases of applicants" not in page


def test_the_search_reads_indexes_and_the_number_of_its_statements_does_not_grow(area):
    told = {"low": "石", "high": "石\U0010ffff", "lo": 0, "hi": 10**12, "limit": 50}
    index = stories.applies(area=area).case.person_index
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute("EXPLAIN " + search.BY_NAME, told)
        by_name = "\n".join(row[0] for row in cursor.fetchall())
        by_person = Case.objects.filter(search.WITHOUT_RECORD, person_index=bytes(index)).explain()
    assert "case_by_applicant" in by_name and "case_front_by_name" in by_name
    assert "case_by_person" in by_person
    actor = builders.make_actor(area=area)

    def statements() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert search.of_applicants("石", actor=actor)
        return len(seen)
    Case.objects.update(name="石磊")
    few = statements()
    for _one in range(4):
        stories.applies(stories.person(), area=area)
    Case.objects.update(name="石磊")
    assert statements() == few == 2


def test_an_old_number_of_fifteen_digits_is_an_id_number_too(area, clerk):
    who = stories.person()
    case = stories.applies(who, area=area).case
    new = parse(who.id_number).id18
    assert new[6:8] == "19"
    assert sought(clerk, new[:6] + new[8:17]) == f"/staff/cases/{case.pk}"


def test_who_arrives_is_found_by_the_new_office_while_the_record_is_the_old_one_s_and_by_the_record_then(area):
    holder, _certificate = stories.card_holder(name="左小满")
    to = builders.make_area(430102, name="芙蓉区")
    away = stories.brings("transfer_out_city", holder, to=to.pk, moved="2026-11-01")
    away.take("request", "review", "approve")
    services.move_on(away.case.pk, at=away.at)
    arrival = Case.get(away.case.pk).counterpart
    there, number = Visitor(builders.make_officer("clerk", area=to)), fields.open_(
        bytes(holder.id_number), "holder.id_number")
    for typed in (holder.name, "左", number):
        assert sought(there, typed) == f"/staff/cases/{arrival.pk}"
    assert sought(Visitor(builders.make_officer("clerk", area=area)), holder.name) == f"/staff/holders/{holder.pk}"
    here = stories.Story(arrival)
    here.take("accept", "review", "approve")
    services.move_on(arrival.pk, at=here.at)
    for typed in (holder.name, number):
        assert sought(there, typed) == f"/staff/holders/{holder.pk}", "once"
