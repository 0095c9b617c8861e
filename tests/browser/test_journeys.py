"""Whole jobs by keyboard alone, as a clerk, a reviewer and an approver do them all day."""

import datetime as dt

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from builders import make_area, make_case, make_certificate, make_holder, make_id_number, make_officer, request_id
from stories import applies
from windows import NARROW, PASSWORD, WIDE, Window, follow, log_in, said
from worker import work
from world import make_world
from zhengka.cards.models import Card
from zhengka.cases.models import Case
from zhengka.registry.models import Import

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]


def test_a_clerk_finds_a_holder_reads_the_number_and_confirms_the_case(live_server, chromium):
    number = make_id_number()
    holder = make_holder(id_number=number, name="欧阳㛃")
    make_certificate(holder)
    case = make_case(holder)
    window = Window(chromium, live_server)
    log_in(window, make_officer("clerk", password=PASSWORD))
    window.press("/")
    window.type("欧阳")
    follow(window, "Enter")
    assert window.page.title().startswith("欧阳㛃") and number not in window.page.content()
    window.tab_to("Show numbers, phone and address in full")
    window.press("Enter", "Tab", "ArrowDown")
    window.tab_to("Show in full")
    follow(window, "Enter")
    assert number in window.page.content()
    faults = window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    window.tab_to("Exchange")
    follow(window, "Enter")
    follow(window, "c")
    assert "Photo and data are confirmed" in said(window)
    assert Case.objects.get(pk=case.pk).state == "confirmed"
    assert not faults + window.inspect(WIDE, NARROW)
    window.close()


def test_a_reviewer_walks_the_list_ticks_two_and_reviews_them_together(live_server, chromium):
    chosen = [make_case(state="confirmed").pk for _ in range(3)]
    window = Window(chromium, live_server)
    log_in(window, make_officer("reviewer", password=PASSWORD))
    window.tab_to("Work through the whole list")
    follow(window, "Enter")
    window.press("j", "x", "j", "x")
    assert window.page.locator("[data-select-count]").inner_text() == "2 selected"
    follow(window, "r")
    faults = window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    assert window.page.locator("h1").inner_text() == "Review 2 cases?"
    follow(window, "y")
    assert "2 cases are done" in said(window)
    assert list(Case.objects.order_by("pk").values_list("state", flat=True)) == ["reviewed", "reviewed", "confirmed"]
    follow(window, "j", "Enter")
    follow(window, "r")
    assert Case.objects.filter(pk__in=chosen, state="reviewed").count() == 3
    assert not faults + window.inspect(WIDE, NARROW)
    window.close()


def test_an_approver_approves_everything_and_is_told_what_was_left(live_server, chromium):
    officer = make_officer("approver", password=PASSWORD, person="staff-9")
    for reviewer in ("other", "other", "staff-9"):
        make_case(state="reviewed", reviewer=reviewer)
    window = Window(chromium, live_server)
    log_in(window, officer)
    window.tab_to("Cases to approve")
    follow(window, "Enter")
    window.tab_to("Approve all 3 of my area")
    follow(window, "Enter")
    follow(window, "y")
    assert "0 / 3 cases" in window.page.content() and not Card.objects.exists()
    faults = window.inspect(WIDE, NARROW)
    work()
    window.page.get_by_text("Approved, card ordered").wait_for()
    assert "Two different persons must do this" in window.page.content()
    assert Card.objects.filter(state="ordered").count() == 2
    assert not faults + window.inspect(WIDE, NARROW)
    window.close()


def test_the_list_of_shortcuts_opens_by_a_question_mark_and_switches_them_off(live_server, chromium):
    make_case(state="confirmed")
    window = Window(chromium, live_server, make_officer("reviewer"))
    window.go(reverse("staff:cases"))
    window.press("j", "x", "?")
    listed = window.page.locator("#zk-keys").inner_text()
    assert "Review selected" in listed and "Next row" in listed
    assert not window.inspect(WIDE, NARROW)
    window.page.locator("#zk-keys-switch").focus()
    window.press("Space")
    window.go(reverse("staff:cases"))
    window.press("j")
    assert window.focused() != "田野"
    window.close()


def test_the_key_of_the_search_selects_the_old_words_and_every_subject_stands_in_one_line(live_server, chromium):
    window = Window(chromium, live_server, make_officer("clerk"))
    window.go(reverse("staff:home"))
    tops = window.page.evaluate("[...document.querySelectorAll('#navigation li')].map(item => item.offsetTop)")
    assert len(tops) > 10 and len(set(tops)) == 1, "in English, where words are long"
    field = window.page.locator("input[name=q]")
    field.fill("张三")
    window.page.locator("h1").click()
    window.press("/")
    window.page.keyboard.type("li")
    assert field.input_value() == "li"
    window.close()


def test_an_import_shows_its_progress_and_then_its_result_by_itself(live_server, chromium):
    world = make_world()
    running = world.ids["imports"][0]
    window = Window(chromium, live_server, world.officers["clerk"])
    window.go(reverse("staff:import", args=[running]))
    assert "12,000 rows so far" in window.page.content()
    with window.page.expect_response("**/progress"):
        Import.objects.filter(pk=running).update(progress=15_000)
    window.page.get_by_text("15,000 rows so far").wait_for()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registry_import SET state = 'done', rows = 15000, created = 15000, finished_at = now() "
                       "WHERE id = %s", [running])
    window.page.get_by_text("new holders").wait_for()
    assert not window.inspect(WIDE, NARROW)
    window.close()


def test_language_and_care_mode_are_switched_by_keyboard_and_stay(live_server, chromium):
    window = Window(chromium, live_server, make_officer("clerk"))
    window.go(reverse("staff:home"))
    window.tab_to("简体中文")
    follow(window, "Enter")
    assert window.page.locator("h1").inner_text() == "待办"
    window.tab_to("关怀模式")
    follow(window, "Enter")
    assert "zk-care" in window.page.locator("html").get_attribute("class")
    window.go(reverse("staff:holders"))
    assert window.page.locator("html").get_attribute("lang") == "zh-Hans"
    window.close()


def test_a_double_click_does_it_once(live_server, chromium):
    case = make_case(state="confirmed")
    window = Window(chromium, live_server, make_officer("reviewer"))
    window.go(reverse("staff:case", args=[case.pk]))
    window.page.get_by_role("button", name="Review").dblclick()
    window.page.get_by_text("The case is reviewed").wait_for()
    case.refresh_from_db()
    assert (case.state, case.version) == ("reviewed", 2)
    window.close()


def test_a_refusal_and_a_form_with_faults_are_accessible_pages(live_server, chromium):
    area = make_area()
    case = make_case(state="confirmed")
    window = Window(chromium, live_server, make_officer("clerk", area=area))
    window.expected = ("409", "403", "404")
    window.go(reverse("staff:case", args=[case.pk]))
    window.page.evaluate(
        "([url, token, key]) => { const form = document.createElement('form'); form.method = 'post'; form.action = url;"
        " for (const [name, value] of [['csrfmiddlewaretoken', token], ['request_id', key], ['action', 'confirm']])"
        " { const field = document.createElement('input'); field.name = name; field.value = value; form.append(field) }"
        " document.body.append(form); form.submit() }",
        [reverse("staff:case-step", args=[case.pk]),
         window.page.locator("[name=csrfmiddlewaretoken]").first.input_value(), str(request_id())])
    window.page.get_by_text("step-not-open").wait_for()
    faults = window.inspect(WIDE, NARROW)
    window.go(reverse("staff:officers"))
    faults += window.inspect(WIDE, NARROW)
    window.go("/staff/nowhere")
    faults += window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    window.go(reverse("staff:import-new"))
    window.tab_to("Send the file")
    follow(window, "Enter")
    assert "There is a problem" in window.page.content()
    assert not faults + window.inspect(WIDE, NARROW)
    window.close()


def chosen_for(window: Window, name: str) -> str:
    """Which office the form has chosen once a file of this name was."""
    window.page.locator("#id_file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": b"x"})
    return window.page.locator("#id_area option:checked").inner_text()


def test_the_name_of_a_file_chooses_its_office_where_it_holds_exactly_one_and_nobody_has_chosen(live_server, chromium):
    clerk = make_officer("clerk", area=make_area().parent)
    for code, name in ((430102, "雨湖区"), (430103, "东雨湖区")):
        make_area(code, name=name)
    window = Window(chromium, live_server, clerk)
    window.go(reverse("staff:import-new"))
    for name, office in (("岳麓区2018.csv", "岳麓区"), ("430102.csv", "雨湖区"), ("东雨湖区（终版）.csv", "东雨湖区")):
        assert chosen_for(window, name) == office
        assert window.page.get_by_text("Chosen by the name of the file.").is_visible()
    for name in ("名册.csv", "岳麓区和雨湖区.csv", "岳麓区430102.csv", "4301020.csv"):
        window.go(reverse("staff:import-new"))
        assert chosen_for(window, name).startswith("---") and window.page.get_by_text("Chosen by the name").count() == 0
    window.page.locator("#id_area").select_option(label="雨湖区")
    assert chosen_for(window, "岳麓区.csv") == "雨湖区", "what somebody chose stays"
    assert not window.inspect(WIDE, NARROW)
    window.close()


def test_a_leader_goes_from_the_office_that_is_behind_to_its_late_cases_by_keyboard(live_server, chromium):
    here, there = make_area(), make_area(430105, name="开福区")
    for number, area in enumerate((here, here, there), 1):
        case = applies(area=area).case
        Case.objects.filter(pk=case.pk).update(due_on=timezone.localdate() - dt.timedelta(number))
    window = Window(chromium, live_server, make_officer("leader", area=here.parent))
    window.go(reverse("staff:home"))
    window.tab_to("Late cases")
    follow(window, "Enter")
    assert "Offices with late cases" in window.page.content()
    faults = window.inspect(WIDE, NARROW)
    window.resize(WIDE)
    window.tab_to("开福区")
    follow(window, "Enter")
    assert "Late cases of 开福区" in window.page.content() and "3 days late" in window.page.content()
    assert not faults + window.inspect(WIDE, NARROW)
    window.close()
