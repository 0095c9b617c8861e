"""People are written to as they ask: on paper beside the message, in large type, in Braille, in English."""

import re

import pytest
from django.utils import timezone

import builders
from builders import NOON, make_actor, make_officer, request_id
from lettering import make_letter
from stories import Story, applies, brings, card_holder, person
from telling import go_until
from visits import Visitor
from zhengka.bulk.services import Asked
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases.models import Case
from zhengka.cases.services.telling import tell
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.letters import contents
from zhengka.letters.models import Letter
from zhengka.letters.rules import WISHES, Recipient, ways, wishing
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Finding
from zhengka.web.staff.wishes import WISH_WORDS
from zhengka.web.staff.words import PURPOSE_WORDS

pytestmark = pytest.mark.django_db
PHONE = "13900000001"


def channels(template: str) -> list[str]:
    return sorted(Letter.objects.filter(template=template).values_list("channel", flat=True))


def test_who_has_a_phone_gets_the_list_of_missing_papers_on_paper_too():
    story = applies(person(phone=PHONE), at=timezone.now())
    story.take("return_papers", reason="户口簿；照片")
    assert channels("papers-missing") == ["print", "sms"]
    sheet = contents.words(Letter.objects.get(template="papers-missing", channel="print"))
    assert "户口簿；照片" in "\n".join(sheet.paragraphs)


@pytest.mark.parametrize(("wishes", "expected"), [
    ("", ("sms",)), ("paper", ("sms", "print")), ("large", ("sms", "print")), ("braille", ("sms", "braille")),
    ("paper braille", ("sms", "print", "braille")), ("en", ("sms",))])
def test_who_has_a_phone_is_written_to_on_the_ways_asked_for(wishes, expected):
    assert ways(wishing(Recipient("王", PHONE), wishes.split()), "acceptance") == expected


def test_who_has_no_phone_gets_paper_and_with_it_what_they_asked_for():
    assert ways(wishing(Recipient("王"), ["braille"]), "acceptance") == ("print", "braille")
    assert ways(Recipient("王", PHONE), "decision-refused", braille=True) == ("sms", "print", "braille")


def test_a_wish_said_at_the_counter_is_obeyed_and_goes_into_the_record():
    clerk = make_officer("clerk")
    said = person(phone=PHONE)
    form = {name: getattr(said, name) for name in ("name", "id_number", "ethnicity", "phone", "address")}
    Visitor(clerk).act("/staff/cases/new", **form, wanted="1", unit=str(clerk.area_id), guardian_name="",
                       guardian_id="", guardian_phone="", wishes=["large", "braille", "en"])
    story = applies_again(Case.objects.get())
    story.take("accept")
    assert channels("acceptance-undated") == ["braille", "print", "sms"]
    sheet = Letter.objects.get(template="acceptance-undated", channel="print")
    assert contents.recipient(sheet).large and contents.words(sheet).language == "en"
    go_until(story)
    assert registry.wishes_of([Holder.objects.get()]) == [("large", "braille", "en")]


def applies_again(case: Case) -> Story:
    return Story(case, at=timezone.now())


def in_full(visitor: Visitor, page: str) -> str:
    """The page of a holder, read in full for a purpose."""
    return visitor.act(f"{page}/in-full", purpose=next(iter(PURPOSE_WORDS))).content.decode()


def test_how_somebody_wishes_to_be_written_to_is_on_no_page_without_a_purpose_that_is_kept():
    holder, clerk = builders.make_holder(), make_officer("clerk")
    registry.wish(holder, ["braille"], by=make_actor("clerk"), request_id=request_id(), at=NOON)
    visitor, page = Visitor(clerk), f"/staff/holders/{holder.pk}"
    shown = visitor.get(page).content.decode()
    assert "Braille" not in shown and "No special wish" not in shown
    assert "checked" not in visitor.get(f"{page}/wishes").content.decode()
    assert not Event.objects.filter(action="read_in_full").exists()
    assert "In Braille" in in_full(visitor, page)
    assert Event.objects.filter(action="read_in_full").count() == 1


def test_a_wish_changed_on_the_holders_page_is_an_event_that_does_not_say_which_and_is_obeyed_in_bulk():
    card = builders.make_card()
    holder = card.holder
    visitor, page = Visitor(make_officer("clerk", area=holder.area)), f"/staff/holders/{holder.pk}"
    assert "No special wish" in in_full(visitor, page)
    visitor.act(f"{page}/wishes", wishes=["paper", "braille"])
    holder.refresh_from_db()
    assert b"braille" not in bytes(holder.wishes) and registry.wishes_of([holder]) == [("paper", "braille")]
    event = Event.objects.get(subject="holder", action="wish")
    assert "braille" not in str(event.facts)
    shown = in_full(visitor, page)
    assert "On paper, In Braille" in shown and "Wish for letters kept" in shown
    other = builders.make_card(holder=builders.make_holder(area=holder.area))
    cards.tell_ready([card.pk, other.pk], at=NOON)
    told = Letter.objects.filter(template="card-ready").values_list("subject_id", "channel")
    assert sorted(told) == [(card.pk, "braille"), (card.pk, "print"), (other.pk, "print")]
    visitor.act(f"{page}/wishes")
    assert registry.wishes_of([Holder.objects.get(pk=holder.pk)]) == [()], "a wish may be taken back"


def several(*, visual: bool) -> Certificate:
    """A certificate of 多重, of which 视力 is a part or is not, of a holder without a phone."""
    holder, certificate = card_holder()
    Holder.objects.filter(pk=holder.pk).update(phone=None)
    Certificate.objects.filter(pk=certificate.pk).update(
        category=7, components=[[1 if visual else 3, 2], [4, 3]])
    return Certificate.get(certificate.pk)


@pytest.mark.parametrize("visual", [True, False])
def test_who_has_visual_among_several_disabilities_gets_braille_beside_paper(visual):
    certificate = several(visual=visual)
    card = Card.objects.get(certificate=certificate)
    Card.objects.filter(pk=card.pk).update(state="ready", active_until=None)
    cards.tell_ready([card.pk], at=NOON)
    brings("renewal", certificate.holder, at=NOON.replace(year=2036)).take("accept")
    expected = ["braille", "print"] if visual else ["print"]
    assert channels("card-ready") == expected
    assert channels("acceptance") + channels("acceptance-undated") == expected


@pytest.mark.parametrize("part", [1, 3])
def test_who_is_found_to_see_little_is_told_in_braille_before_a_certificate_says_so(part):
    story = applies(person(phone=""), wanted=7)
    story.take("accept")
    story.assess(Finding(7, 2, ((part, 2), (4, 3))))
    case = Case.get(story.case.pk)
    tell(case, "return_papers", Asked(story.by("clerk"), request_id(), story.at), "户口簿")
    assert channels("papers-missing") == (["braille", "print"] if part == 1 else ["print"])


def test_a_wish_is_taken_once_and_only_from_who_may_and_for_what_there_is():
    holder, clerk, asked = builders.make_holder(), make_actor("clerk"), request_id()
    registry.wish(holder, ["large"], by=clerk, request_id=asked, at=NOON)
    with pytest.raises(Replayed):
        registry.wish(holder, ["large"], by=clerk, request_id=asked, at=NOON)
    for by, wishes, code in ((clerk, ["pigeon"], "wish-unknown"), (make_actor("producer"), [], "not-permitted"),
                             (make_actor("clerk", area=builders.make_area(430702)), [], "not-found")):
        with pytest.raises(Refusal, match=code):
            registry.wish(holder, wishes, by=by, request_id=request_id(), at=NOON)


def test_the_full_view_of_a_holder_tells_the_wish():
    holder, clerk = builders.make_holder(), make_actor("clerk")
    registry.wish(holder, ["braille", "paper"], by=clerk, request_id=request_id(), at=NOON)
    assert registry.read_in_full(holder, by=clerk, request_id=request_id(), purpose="desk").wishes == (
        "paper", "braille")


@pytest.mark.parametrize("form", ["pdf", "pdf-large", "brf", "html"])
def test_the_whole_letter_of_a_short_message_can_be_had_on_paper_and_in_braille(form):
    letter = make_letter("decision-refused", "sms")
    visitor = Visitor(make_officer("clerk", area=letter.area))
    page = visitor.get(f"/staff/letters/{letter.pk}/").content.decode()
    assert f"/staff/letters/{letter.pk}/file/{form}" in page
    answer = visitor.act(f"/staff/letters/{letter.pk}/file/{form}")
    assert answer.status_code == 200 and len(answer.content) > 200
    if form == "html":
        assert "评定的结果不到四级" in answer.content.decode()
    assert "评定的结果不到四级" not in re.sub(r"<[^>]+>", "", page), "a message's page shows the message"


def test_a_message_of_before_the_whole_was_kept_offers_no_file():
    letter = make_letter("acceptance", "sms")
    Letter.objects.filter(pk=letter.pk).update(whole=None)
    visitor = Visitor(make_officer("clerk", area=letter.area))
    assert "/file/" not in visitor.get(f"/staff/letters/{letter.pk}/").content.decode()
    assert visitor.act(f"/staff/letters/{letter.pk}/file/pdf").status_code == 404


def test_every_wish_has_its_words():
    assert set(WISH_WORDS) == set(WISHES)
