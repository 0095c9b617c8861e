"""Renewal waves: what ends when, whom each street is asked to invite, and files that are safe to open."""

import csv
import datetime as dt
import io
from uuid import uuid4

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone

from builders import make_actor, make_area, make_certificate, make_holder, make_officer
from visits import Visitor
from zhengka.areas.services import add_street
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.programme import renewals
from zhengka.programme.waves import first_day, month_of
from zhengka.registry import queries
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 20)


def certified(area, ends: dt.date, *, name: str = "田野", generation: int = 3,
              street: int | None = None) -> Certificate:
    holder = make_holder(area=area, name=name)
    Holder.objects.filter(pk=holder.pk).update(street=street)
    row = make_certificate(holder, generation=generation)
    row.issued_on, row.valid_until = ends.replace(year=ends.year - 10), ends
    row.save()
    return row


def test_a_person_counts_once_by_the_certificate_of_the_card_and_not_at_all_once_it_ended():
    area, other = make_area(), make_area(430105, name="开福区")
    both = certified(area, dt.date(2036, 5, 9))
    paper = make_certificate(both.holder, generation=2)
    Certificate.objects.filter(pk=paper.pk).update(valid_until=dt.date(2028, 3, 1))
    certified(area, dt.date(2028, 3, 31), generation=2)
    certified(other, dt.date(2028, 3, 1))
    Certificate.objects.filter(pk=certified(area, dt.date(2028, 3, 1)).pk).update(state="cancelled")
    assert queries.ending(actor=make_actor(area=area)) == {area.code: {month_of(dt.date(2036, 5, 1)): 1,
                                                                       month_of(dt.date(2028, 3, 1)): 1}}
    assert set(queries.ending(actor=make_actor(area=area.parent))) == {area.code, other.code}


def test_a_wave_is_invited_street_by_street_each_person_once_within_the_window():
    area = make_area()
    streets = [add_street(area, number, f"街道{number}").code for number in (1, 2)]
    for number in range(22):
        certified(area, dt.date(2029, 6, 1 + number), street=streets[number % 2] if number % 3 else None)
    actor = make_actor(area=area)
    told = renewals.forecast(TODAY, actor=actor)
    assert told.invited[area.code].most == 2 and told.next_wave() == (22, 2)
    first, last = month_of(dt.date(2028, 6, 1)), month_of(dt.date(2029, 4, 1))
    by_month = [renewals.invited_in(area.code, month, TODAY, actor=actor) for month in range(first, last + 1)]
    assert [len(found) for found in by_month] == [2] * 11
    order = [row.street for found in by_month for row in found]
    assert order == sorted(order, key=lambda street: street or 10**12), "one street after another"
    assert len({row.certificate for found in by_month for row in found}) == 22
    assert renewals.invited_in(area.code, last + 1, TODAY, actor=actor) == []
    with pytest.raises(Refusal, match="not-found"):
        renewals.invited_in(make_area(430105, name="开福区").code, first, TODAY, actor=actor)


def test_pages_show_the_wave_and_its_plan_and_the_lists_come_as_files_in_which_no_cell_is_a_formula():
    area = make_area()
    street = add_street(area, 1, "=街道")
    today = timezone.localdate()
    ends = first_day(month_of(today) + 20)
    certified(area, ends, name="=1+1", street=street.code)
    officer = make_officer("clerk", area=area)
    clerk = Visitor(officer)
    page = clerk.get(reverse("staff:renewals"))
    assert page.status_code == 200 and page.context["tiles"][0].value == 1
    assert sum(values[1] for _, values in page.context["chart"]) == 1
    url = reverse("staff:renewals-list")
    asked = {"unit": area.code, "month": month_of(ends) - 2}
    listed = clerk.get(url, asked)
    assert "=1+1" in listed.content.decode() and "=街道" in listed.content.decode()
    file, told = reverse("staff:renewals-file"), asked | {"purpose": "invitation"}
    assert clerk.get(file, told | {"form": "csv"}).url == url, "a link takes nothing"
    unsaid = clerk.act(file, **asked, form="csv")
    assert unsaid.status_code == 400 and "attachment" not in unsaid.headers.get("Content-Disposition", "")
    assert not Event.objects.filter(action="list_out").exists()
    text = clerk.act(file, **told, form="csv").content.decode("utf-8-sig")
    event = Event.objects.get(action="list_out")
    assert (event.subject, event.facts, event.actor_name) == ("holder", {"purpose": "invitation"}, officer.name)
    row = list(csv.reader(io.StringIO(text)))[1]
    assert row[:2] == ["'=街道", "'=1+1"] and "********" in row[2] and row[3] == ends.isoformat()
    book = openpyxl.load_workbook(io.BytesIO(clerk.act(file, **told, form="xlsx").content))
    cells = list(book.active.iter_rows())[1]
    assert [cell.data_type for cell in cells] == ["s"] * 5 and cells[1].value == "=1+1"
    assert clerk.get(url, asked | {"month": month_of(ends)}).context["persons"] is None
    twice = str(uuid4())
    for expected in (200, 302):
        assert clerk.post(file, {**told, "form": "csv", "request_id": twice}).status_code == expected
    assert Event.objects.filter(action="list_out").count() == 3
    for wrong in ({}, {"unit": "x", "month": 1}, asked | {"month": 5}, asked | {"unit": 430105_000000}):
        assert clerk.get(url, wrong).status_code == 404
    assert Visitor(make_officer("leader", area=area)).get(url, asked).status_code == 403


def test_certificates_on_paper_can_be_counted_as_exchanged_by_the_plan():
    area, other = make_area(), make_area(430105, name="开福区")
    for ends in (dt.date(2027, 3, 1), dt.date(2028, 9, 9), dt.date(2030, 1, 1)):
        certified(area, ends, generation=2)
    certified(area, dt.date(2036, 11, 5))
    certified(other, dt.date(2028, 9, 9), generation=2)
    actor = make_actor(area=area.parent)
    told = renewals.forecast(TODAY, {area.code: dt.date(2027, 1, 8)}, actor=actor)
    first = month_of(dt.date(2036, 11, 1))
    assert told.ending[area.code] == {first: 2, first + 1: 1, first + 2: 1}
    assert told.ending[other.code] == {month_of(dt.date(2028, 9, 9)): 1}, "no plan says when it is exchanged"
    page = Visitor(make_officer("leader", area=area)).get(reverse("staff:renewals"), {"plan": "1"})
    assert page.status_code == 200 and page.context["planned"]


def test_an_area_without_a_certificate_says_so():
    assert Visitor(make_officer("leader", area=make_area())).get(reverse("staff:renewals")).context["none"]
