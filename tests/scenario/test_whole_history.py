"""The whole history of a holder, a case, a card is on its page, also what is older, and so are the letters."""

import datetime as dt
import re
from urllib.parse import unquote

import pytest

import builders
from builders import NOON, make_officer, request_id
from lettering import make_letter
from stories import applies
from visits import Visitor
from zhengka.accounts.services import actor_of
from zhengka.cases import services as cases
from zhengka.cases.models import Case
from zhengka.registry import services as registry
from zhengka.web.staff import history

pytestmark = pytest.mark.django_db

ENTRY = re.compile(r'zk-timeline__title">([^<]+)<.*?<time datetime="([^"]+)"', re.S)


def walk(visitor: Visitor, path: str) -> tuple[list[tuple[str, str]], int]:
    """Every entry of a page's history, from the newest on, by the link to what is older; on how many pages."""
    found, pages, address = [], 0, path
    while address:
        html = visitor.get(address).content.decode()
        found += ENTRY.findall(html)
        onward = re.search(r'aria-label="Pages of the history".*?rel="next" href="([^"]+)"', html, re.S)
        address, pages = (unquote(onward[1]).replace("&amp;", "&").partition("#")[0] if onward else ""), pages + 1
    return found, pages


def test_the_whole_history_of_a_holder_can_be_read_page_by_page():
    card = builders.make_card()
    officer = make_officer("clerk", area=card.area)
    for minute in range(2 * history.SHOWN + 20):
        registry.read_in_full(card.holder, purpose="desk", by=actor_of(officer), request_id=request_id(),
                              at=NOON + dt.timedelta(minutes=minute // 3))  # several in one instant
    found, pages = walk(Visitor(officer), f"/staff/holders/{card.holder_id}")
    assert pages == 3 and sum("in full" in title.lower() for title, _at in found) == 2 * history.SHOWN + 20
    assert [at for _title, at in found] == sorted((at for _title, at in found), reverse=True)


def test_the_whole_history_of_a_case_can_be_read_page_by_page_also_from_the_answer_to_a_form():
    story = applies()
    clerk = make_officer("clerk", area=story.case.area)
    for minute in range(55):
        told = {"by": actor_of(clerk), "at": NOON + dt.timedelta(minutes=minute)}
        holds = Case.get(story.case.pk).assignee_id
        cases.take_on(story.case, seen=holds, request_id=request_id(), **told)
        cases.give_back(story.case, request_id=request_id(), **told)
    visitor, path = Visitor(clerk), f"/staff/cases/{story.case.pk}"
    found, pages = walk(visitor, path)
    assert pages == 2 and len(found) == 111
    wrong = visitor.act(f"{path}/step", action="return_papers", reason="").content.decode()
    assert f'rel="next" href="{path}?history=' in wrong, "a link to the page, not to the form's address"
    nonsense = visitor.get(f"{path}?history=999999999999999").content.decode()
    assert len(ENTRY.findall(nonsense)) == history.SHOWN, "the start"


def test_a_short_history_has_no_pager():
    story = applies()
    html = Visitor(make_officer("clerk", area=story.case.area)).get(f"/staff/cases/{story.case.pk}").content.decode()
    assert "Pages of the history" not in html


@pytest.mark.parametrize("page", ["holders", "cases", "cards"])
def test_the_letters_about_a_row_are_on_its_page_with_state_and_way_and_link(page):
    card = builders.make_card()
    case = builders.make_case(card.holder)
    subject = card if page == "cards" else case
    letter = make_letter("card-ready", "print", subject=subject, area=card.area)
    visitor = Visitor(make_officer("clerk", area=card.area))
    row = {"holders": card.holder_id, "cases": case.pk, "cards": card.pk}[page]
    html = visitor.get(f"/staff/{page}/{row}{'/' * (page == 'cards')}").content.decode()
    section = html[html.index('id="letters"'):]
    assert f"/staff/letters/{letter.pk}/" in section and "On paper" in section and "Card ready" in section
    assert f"/staff/letters/{letter.pk}/" not in visitor.get(
        f"/staff/holders/{builders.make_holder(area=card.area).pk}").content.decode()


def test_more_letters_than_fit_are_on_further_pages_beside_the_history():
    story = applies()
    for number in range(12):
        make_letter("card-ready", "print", subject=story.case, area=story.case.area, occasion=f"n{number}")
    visitor, path = Visitor(make_officer("clerk", area=story.case.area)), f"/staff/cases/{story.case.pk}"
    first = visitor.get(path).content.decode()
    onward = re.search(r'aria-label="Pages of the letters".*?rel="next" href="([^"#]+)#letters"', first, re.S)
    second = visitor.get(onward[1]).content.decode()
    links = [set(re.findall(r"/staff/letters/(\d+)/", html)) for html in (first, second)]
    assert [len(each) for each in links] == [10, 2] and not links[0] & links[1]


def test_who_may_see_no_letters_sees_none_on_a_page():
    card = builders.make_card()
    make_letter("card-ready", "print", subject=card, area=card.area)
    html = Visitor(make_officer("producer", area=card.area)).get(f"/staff/cards/{card.pk}/").content.decode()
    assert "/staff/letters/" not in html
