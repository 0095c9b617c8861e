"""A case is accepted with its papers, or with the word of whoever accepts it without them (容缺受理)."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

import builders
from assessing import make_institution, make_session
from papers_brought import put_first
from stories import applies, person
from visits import Visitor
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core.errors import Refusal
from zhengka.core.models import Event

pytestmark = pytest.mark.django_db
FIRST, LATER = ["id-card", "application-form"], ["household-register", "photo", "guardian-proof"]
FIVE = ["id-card", "household-register", "application-form", "photo", "guardian-proof"]


def main_acts(html: str) -> list[str]:
    """The words of the buttons of a page that stand out."""
    return re.findall(r'class="govuk-button"[^>]*>([^<]+)<', html.partition("<main")[2].partition("</main>")[0])


def child():
    born = builders.make_id_number(born=dt.date(2015, 6, 1))
    return applies(person(id_number=born, guardian_name="石山"), wanted=6)


def accept(story, reason="", **by):
    return services.take(story.case, "accept", by=by.get("by") or story.by("clerk"), request_id=builders.request_id(),
                         at=story.at, reason=reason)


def last(story):
    return Event.objects.filter(subject="case", subject_id=story.case.pk).latest("pk")


def test_a_case_without_its_papers_is_not_accepted_and_each_of_them_is_named():
    story = child()
    for reason in ("", "  "):
        with pytest.raises(Refusal, match="papers-missing") as no:
            accept(story, reason)
        assert no.value.facts == {"papers": FIVE}
    assert (Case.get(story.case.pk).state, last(story).action) == ("applied", "open"), "nothing moved"


def test_who_may_not_accept_hears_that_first():
    story = child()
    with pytest.raises(Refusal, match="not-permitted"):
        accept(story, by=story.by("reviewer"))


def test_with_its_papers_it_is_accepted_without_a_word():
    story = child()
    assert story.bring_papers() == len(FIVE)
    assert accept(story).state == "accepted" and last(story).facts == {}


def test_the_word_of_who_accepts_without_papers_stands_in_the_event_with_what_was_missing():
    story = child()
    put_first(story.case)
    assert accept(story, "户籍地已核").state == "accepted"
    assert last(story).facts == {"reason": "户籍地已核", "lacking": LATER}


def test_without_the_papers_that_may_not_follow_no_word_helps_and_each_of_them_is_named():
    story = child()
    with pytest.raises(Refusal, match="papers-first") as no:
        accept(story, "户籍地已核")
    assert no.value.facts == {"papers": FIRST}
    assert (Case.get(story.case.pk).state, last(story).action) == ("applied", "open"), "nothing moved"


def test_the_page_closes_the_step_and_says_which_papers_must_be_there_and_which_may_follow():
    story, clerk = child(), Visitor(builders.make_officer("clerk", area=builders.make_area()))
    page, step = (reverse(f"staff:{name}", args=[story.case.pk]) for name in ("case", "case-step"))
    text = clerk.get(page).content.decode()
    assert ("Papers are missing: ID card, Application form; may follow later: Household register, Photo, "
            "Proof of the legal guardian") in text
    assert "Accept with papers to follow" not in text and "[ours]" not in text
    assert clerk.act(step, action="accept", reason="材料在户籍地").status_code == 409
    assert main_acts(text) == ["Take in a paper"], "the one button that stands out is what to do next"


def test_who_reviews_or_approves_is_asked_about_papers_that_were_to_follow_and_hears_of_the_photo():
    story = applies(at=timezone.now() - dt.timedelta(20))
    story.take("accept", "book")
    story.assess()
    case = story.notice(days=9)
    for role, action, then in (("reviewer", "review", "reviewed"), ("approver", "approve", "ordered")):
        officer = Visitor(builders.make_officer(role, area=case.area))
        url = reverse("staff:case-step", args=[case.pk])
        asked = officer.act(url, action=action).content.decode()
        assert "without its papers?" in asked and "Household register" in asked and "Photo" in asked
        assert "Without a photo the card is held" in asked and Case.get(case.pk).state != then
        officer.act(url, action=action, sure="1")
        assert Case.get(case.pk).state == then


def test_nobody_is_asked_about_papers_that_came():
    story = applies(at=timezone.now() - dt.timedelta(20))
    story.take("accept", "book")
    story.bring_papers()
    story.assess()
    case = story.notice(days=9)
    officer = Visitor(builders.make_officer("reviewer", area=case.area))
    assert officer.act(reverse("staff:case-step", args=[case.pk]), action="review").status_code == 302


def test_the_page_takes_a_reason_for_papers_that_follow():
    story, clerk = child(), Visitor(builders.make_officer("clerk", area=builders.make_area()))
    put_first(story.case)
    page, step = (reverse(f"staff:{name}", args=[story.case.pk]) for name in ("case", "case-step"))
    text = clerk.get(page).content.decode()
    assert "Papers are missing: Household register" in text and "Accept with papers to follow" in text
    assert clerk.act(step, action="accept").status_code == 409
    assert "Fill this in" in clerk.act(step, action="accept", reason="").content.decode()
    assert clerk.act(step, action="accept", reason="材料在户籍地").status_code == 302
    text = clerk.get(page).content.decode()
    assert Case.get(story.case.pk).state == "accepted" and "Papers to follow" in text
    assert "Household register, Photo, Proof of the legal guardian" in text
    assert main_acts(text) == [], "no day is open: what stands out is where to open one"
    make_session(make_institution(story.case.area), day=timezone.localdate() + dt.timedelta(1))
    assert main_acts(clerk.get(page).content.decode()) == ["Book a day at an institution"]


def test_who_asks_for_what_is_missing_is_told_that():
    story, clerk = child(), Visitor(builders.make_officer("clerk", area=builders.make_area()))
    step = reverse("staff:case-step", args=[story.case.pk])
    done = clerk.act(step, action="return_papers", reason="户口簿")
    assert "The person was asked for what is missing" in clerk.get(done.url).content.decode()
