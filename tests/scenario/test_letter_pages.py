"""The outbox on the officers' pages, without a browser."""

import html
import io
from uuid import uuid4

import pytest
from django.urls import reverse
from pypdf import PdfReader

from builders import NOON, make_area, make_officer
from lettering import TO, make_letter
from visits import Visitor
from zhengka.core.models import Event
from zhengka.letters import services
from zhengka.letters.models import Letter
from zhengka.letters.rules import Recipient
from zhengka.letters.senders import Parcel, Receipt, Unsure
from zhengka.registry.services import in_care

pytestmark = pytest.mark.django_db


def page(visitor: Visitor, letter: Letter) -> str:
    return html.unescape(visitor.get(reverse("staff:letter", args=[letter.pk])).content.decode())


def state(letter: Letter) -> str:
    return Letter.objects.get(pk=letter.pk).state


def unsure(_parcel: Parcel, _at) -> Receipt:
    raise Unsure("no-answer")


def test_the_outbox_shows_letters_by_state_and_to_whom_only_in_part():
    make_letter("card-ready", "print")
    services.send(make_letter().pk, at=NOON)
    visitor = Visitor(make_officer("clerk"))
    for query, there in (("", "Card ready Application"), ("?state=queued", "Card ready"),
                         ("?state=sent", "Application"), ("?state=nonsense", "Card ready Application")):
        told = visitor.get(reverse("staff:letters") + query).content.decode()
        assert all(word in told for word in there.split()) and "𠮷**" in told and TO.name not in told
    assert "Card ready" not in visitor.get(reverse("staff:letters") + "?state=sent").content.decode()


@pytest.mark.parametrize(("language", "shown"), [("zh", "易**（欧***的监护人）"), ("en", "易** (guardian of 欧***)")])
def test_of_a_letter_to_a_guardian_neither_name_is_shown_in_full(language, shown):
    to = in_care(Recipient("欧阳小山", address="枫林路1号", language=language), "易大山", "13800138000")
    letter = make_letter("card-ready", "print", recipient=to)
    visitor = Visitor(make_officer("clerk"))
    for told in (visitor.get(reverse("staff:letters")).content.decode(), page(visitor, letter)):
        assert shown in told and "大山" not in told and "小山" not in told


def test_a_letters_page_says_what_was_said_but_not_to_whom_in_full():
    visitor, letter = Visitor(make_officer("reviewer")), make_letter("decision-refused", "print")
    told = page(visitor, letter)
    assert "评定的结果不到四级" in told and "您的残疾人证申请，我们没有批准。" in told
    assert TO.name not in told and "枫林路" not in told
    assert not Event.objects.filter(subject="letter", action="read").exists()


def test_a_short_messages_page_shows_its_length_and_the_phone_in_part():
    told = page(Visitor(make_officer("clerk")), services.send(make_letter().pk, at=NOON))
    assert "of 70 characters" in told and "138****8000" in told and TO.phone not in told
    assert "the person has not got it" in told, "no provider is set"


@pytest.mark.parametrize(("form", "begins"), [
    ("pdf", b"%PDF"), ("pdf-large", b"%PDF"), ("brf", b"  "), ("html", b"<!doctype html>")])
def test_a_letter_is_taken_in_full_as_a_file_and_who_took_it_is_kept(form, begins):
    officer, letter = make_officer("clerk"), make_letter("card-ready", "print")
    visitor, sent = Visitor(officer), {"request_id": str(uuid4())}
    for _ in range(2):
        answer = visitor.post(reverse("staff:letter-file", args=[letter.pk, form]), sent)
        assert answer.status_code == 200 and answer.content.startswith(begins)
        assert "attachment" in answer["Content-Disposition"] and TO.name not in answer["Content-Disposition"]
        assert answer["Cache-Control"] == "no-store"
    (event,) = Event.objects.filter(subject="letter", action="read")
    assert (event.actor_id, event.facts) == (officer.pk, {"form": form})
    assert "Read in full" in page(visitor, letter)


def test_a_form_that_there_is_not_is_not_found():
    visitor, letter = Visitor(make_officer("clerk")), make_letter("card-ready", "print")
    assert visitor.act(reverse("staff:letter-file", args=[letter.pk, "doc"])).status_code == 404
    assert visitor.act(reverse("staff:letters-print", args=["sms"])).status_code == 409
    assert visitor.act(reverse("staff:letter-step", args=[letter.pk, "start"])).status_code == 409
    assert visitor.act(reverse("staff:letters-run", args=[uuid4()])).status_code == 404


def test_the_letters_of_the_day_are_printed_at_once_and_again_when_the_paper_jams():
    visitor = Visitor(make_officer("clerk"))
    letters = [make_letter(kind, "print") for kind in ("acceptance", "card-ready")]
    assert "On paper: print 2" in visitor.get(reverse("staff:letters")).content.decode()
    first = visitor.act(reverse("staff:letters-print", args=["print"]))
    assert len(PdfReader(io.BytesIO(first.content)).pages) == 2 and {state(each) for each in letters} == {"sent"}
    assert visitor.act(reverse("staff:letters-print", args=["print"])).status_code == 404, "nothing waits"
    Letter.objects.filter(pk=letters[0].pk).update(state="delivered")
    run = Letter.objects.get(pk=letters[1].pk).run
    again = visitor.act(reverse("staff:letters-run", args=[run]))
    assert len(PdfReader(io.BytesIO(again.content)).pages) == 1


def test_when_the_press_fails_nothing_counts_as_printed(monkeypatch, settings, tmp_path):
    visitor, letter = Visitor(make_officer("clerk")), make_letter("acceptance", "braille")
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = visitor.act(reverse("staff:letters-print", args=["braille"]))
    assert answer.status_code == 503 and "letter-press-missing" in answer.content.decode()
    assert state(letter) == "queued"


@pytest.mark.parametrize(("action", "target"), [("send_again", "queued"), ("deliver", "delivered"),
                                                ("cancel", "cancelled")])
def test_an_officer_decides_what_becomes_of_a_letter_of_which_nobody_knows(action, target):
    visitor, letter = Visitor(make_officer("clerk")), make_letter()
    services.send(letter.pk, at=NOON, choose=lambda _channel: unsure)
    assert f"Ask the provider about message {letter.pk}" in page(visitor, letter)
    assert "The provider did not answer" in page(visitor, letter)
    assert visitor.act(reverse("staff:letter-step", args=[letter.pk, action])).status_code == 302
    assert state(letter) == target


def test_a_letter_that_came_back_says_so_in_words():
    visitor, letter = Visitor(make_officer("clerk")), services.send(make_letter().pk, at=NOON)
    visitor.act(reverse("staff:letter-step", args=[letter.pk, "come_back"]))
    assert "It came back" in page(visitor, letter) and state(letter) == "failed"


def test_a_character_that_no_font_has_is_named_on_the_page():
    letter = make_letter("card-ready", "print", recipient=Recipient("王\ue000", address="麓山路 1 号"))
    assert "U+E000" in page(Visitor(make_officer("clerk")), letter)


def test_markup_in_a_letter_is_text_on_the_page():
    letter = make_letter("generic", "print", slots={
        "heading": "<b>x</b>", "body": "<script>alert(1)</script>", "office": "<i>", "phone": "1"})
    told = Visitor(make_officer("clerk")).get(reverse("staff:letter", args=[letter.pk])).content.decode()
    assert "<script>alert" not in told and "&lt;script&gt;alert(1)" in told and "<b>x" not in told


def test_another_offices_letters_are_not_there():
    letter = make_letter("card-ready", "print")
    visitor = Visitor(make_officer("clerk", area=make_area(430702)))
    assert "Card ready" not in visitor.get(reverse("staff:letters")).content.decode()
    assert visitor.get(reverse("staff:letter", args=[letter.pk])).status_code == 404
    assert visitor.act(reverse("staff:letter-file", args=[letter.pk, "pdf"])).status_code == 404
