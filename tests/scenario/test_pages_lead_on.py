"""No page is a dead end: links open, addresses of forms lead back, refusals name their field and the open case."""

import html
import re
from collections import Counter
from pathlib import Path
from urllib.parse import urljoin

import pytest
import xlsxwriter
from django.urls import reverse
from python_calamine import CalamineWorkbook

import builders
import stories
from importing import HEADER, file_of, imported, row
from visits import Visitor, routes
from world import World, make_world
from zhengka.accounts.roles import ROLES
from zhengka.cases.models import Case

pytestmark = pytest.mark.django_db
LINK = re.compile(r'<a [^>]*?href="([^"#][^"]*)"')
OF_A_SHAPE = 4
"""Pages of one shape that are read: lists link to many rows of the same kind, in every state that the world has."""


def walk(visitor: Visitor) -> list[str]:
    """Follow every link from the worklist on; those that answer with a no, and the page that shows them."""
    seen, shapes, closed, ahead = set(), Counter(), [], [(reverse("staff:home"), "")]
    while ahead:
        url, shown_by = ahead.pop()
        shape = re.sub(r"\d+", "N", url)
        if url in seen or shapes[shape] == OF_A_SHAPE or not url.startswith("/staff/"):
            continue
        seen.add(url)
        shapes[shape] += 1
        answer = visitor.get(url)
        if answer.status_code >= 400:
            closed.append(f"{answer.status_code} {url} from {shown_by}")
        elif "text/html" in answer.headers.get("Content-Type", ""):
            ahead += [(urljoin(url, html.unescape(link)), url) for link in LINK.findall(answer.content.decode())]
    assert len(seen) > 2, "the walk came to nothing"
    return closed


@pytest.mark.parametrize("role", ROLES)
def test_no_page_of_a_role_links_to_one_that_says_no(role):
    world = make_world()
    assert not walk(Visitor(world.officers[role]))


@pytest.mark.parametrize("role", ["clerk", "reviewer", "approver", "leader"])
def test_nor_does_one_of_an_officer_above_the_office(role):
    world = make_world()
    assert not walk(Visitor(builders.make_officer(role, area=world.area.parent)))


def forms(world: World) -> list[str]:
    """Addresses that take forms alone, of rows of the world."""
    clerk, found = Visitor(world.officers["clerk"]), []
    for name, pattern in routes("staff:"):
        kind = re.match(r"\w*", str(pattern.pattern)).group()
        if list(pattern.pattern.converters) == ["pk"]:
            url = reverse(name, args=[world.ids[kind][0]])
            found += [url] if clerk.get(url).status_code == 302 else []
    return found


def test_an_address_that_takes_forms_alone_leads_to_its_page():
    world = make_world()
    case, clerk = world.ids["cases"][0], Visitor(world.officers["clerk"])
    for tail in ("ask", "step", "take-on", "give-back", "dispute"):
        assert clerk.get(f"/staff/cases/{case}/{tail}").url == f"/staff/cases/{case}"
    assert clerk.get("/staff/cases/bulk").url == "/staff/cases/"
    assert clerk.head(f"/staff/cases/{case}/step").status_code == 302
    found = forms(world)
    assert len(found) > 10
    for url in found:
        to = clerk.get(url).url
        assert url.startswith(to) and to != url, f"{url} leads to {to}"
    assert clerk.put(f"/staff/cases/{case}/step").status_code == 405, "it is no address to read or to send"


# ---- forms and refusals ---------------------------------------------------------------------------------------------


def test_each_entry_of_a_summary_names_its_field():
    clerk = Visitor(builders.make_officer("clerk", area=builders.make_area()))
    page = clerk.act(reverse("staff:case-new"), name="").content.decode()
    summary = re.search(r'<ul class="govuk-list govuk-error-summary__list">(.*?)</ul>', page, re.S).group(1)
    entries = dict(re.findall(r'href="#(\w+)">([^<]+)<', summary))
    assert entries["id_name"] == "Name: Fill this in."
    assert entries["id_id_number"] == "ID number: Fill this in."
    assert all(f'id="{anchor}"' in page for anchor in entries)


def test_who_has_an_open_case_already_is_led_to_it():
    holder, _certificate = stories.card_holder()
    first = stories.brings("damage", holder).case
    clerk = Visitor(builders.make_officer("clerk", area=holder.area))
    answer = clerk.act(reverse("staff:case-brought", args=[holder.pk, "damage"]))
    page = answer.content.decode()
    assert answer.status_code == 409 and f'href="/staff/cases/{first.pk}"' in page
    assert "Go on with the open case" in page


def test_a_form_too_leads_to_the_case_that_is_open():
    who, area = stories.person(), builders.make_area()
    first = stories.applies(who, area=area).case
    said = {"name": who.name, "id_number": who.id_number, "wanted": 4, "unit": area.code}
    page = Visitor(builders.make_officer("clerk", area=area)).act(reverse("staff:case-new"), **said).content.decode()
    assert f'href="/staff/cases/{first.pk}"' in page and Case.objects.count() == 1


# ---- files of holders -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_file_without_a_header_is_told_which_columns_are_needed(tmp_path):
    record = imported(file_of(tmp_path, "1,2,3", header="甲,乙,丙"), builders.make_actor())
    clerk = Visitor(builders.make_officer("clerk", area=record.area))
    page = clerk.get(reverse("staff:import", args=[record.pk])).content.decode()
    assert record.problem == "header-missing"
    assert "Columns that are needed: 姓名, 残疾人证号 / 身份证号, 残疾人证号 / 残疾类别" in page
    assert "姓名, 残疾人证号 / 身份证号" in clerk.get(reverse("staff:import-new")).content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_the_template_is_offered_and_what_is_filled_into_it_is_imported(form, tmp_path):
    area = builders.make_area()
    clerk, url = Visitor(builders.make_officer("clerk", area=area)), reverse("staff:import-template", args=[form])
    assert f'href="{url}"' in clerk.get(reverse("staff:import-new")).content.decode()
    path = tmp_path / f"template.{form}"
    path.write_bytes(clerk.get(url).content)
    headings = _headings(path)
    assert "姓名*" in headings
    cells = dict(zip(HEADER.split(","), row(1).split(","), strict=True))
    _fill(path, headings, [cells.get(heading.rstrip("*"), "") for heading in headings])
    record = imported(path, builders.make_actor(area=area))
    assert (record.state, record.created, record.refused) == ("done", 1, 0), record.problem


def test_there_is_no_template_of_another_form():
    assert Visitor(builders.make_officer()).get("/staff/imports/template.pdf").status_code == 404


def _headings(path: Path) -> list[str]:
    if path.suffix == ".csv":
        return path.read_text("utf-8-sig").strip().split(",")
    return CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()[0]


def _fill(path: Path, headings: list[str], cells: list[str]) -> None:
    """The file with one row more, as an office would save it."""
    if path.suffix == ".csv":
        path.write_text(path.read_text("utf-8-sig") + ",".join(cells) + "\r\n", "utf-8-sig")
        return
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, headings)
        sheet.write_row(1, 0, cells)


def test_the_office_of_a_file_is_asked_of_who_has_several_and_preset_for_who_has_one():
    area = builders.make_area()
    builders.make_area(430105, name="开福区")
    chosen = re.compile(r'<option value="(\d*)"[^>]* selected')
    one, many = (Visitor(builders.make_officer("clerk", area=of)).get(reverse("staff:import-new")).content.decode()
                 for of in (area, area.parent))
    assert chosen.findall(one) == [str(area.code)]
    assert chosen.findall(many) in ([], [""]), "nobody is to send one unit's file for the whole city by oversight"
