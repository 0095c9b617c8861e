"""Who answers for a child is named, also after a case was opened, and letters go there wherever it came from."""

import datetime as dt
from dataclasses import replace

import pytest
from django.urls import reverse

import builders
from builders import NOON
from stories import HAND, LEG, Story, applies, brings, card_holder, person
from visits import Visitor
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.cases.services import Brought, Guardian, Present
from zhengka.cases.services.opening import sealed
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.letters import contents
from zhengka.letters.models import Letter
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
BORN = dt.date(2015, 6, 1)


def named(name: str = "石山", phone: str = "13800000009") -> Guardian:
    return Guardian(name, builders.make_id_number(), phone)


def child(guardian: Guardian | None = None) -> Holder:
    """A child with a certificate and a card; the import told of no guardian, unless one is given."""
    number = builders.make_id_number(born=BORN)
    holder, _ = card_holder(id_number=number)
    Holder.objects.filter(pk=holder.pk).update(birth_date=BORN)
    if guardian:
        registry.name_guardian(holder, guardian.name, guardian.phone, by=builders.make_actor(area=holder.area),
                               request_id=builders.request_id(), at=NOON)
    return Holder.get(holder.pk)


def number_of(holder: Holder) -> str:
    return fields.open_(bytes(holder.id_number), "holder.id_number")


def names(case: Case, guardian: Guardian, *, by=None, key=None) -> Case:
    return services.name_guardian(case, guardian, by=by or builders.make_actor(area=case.area), at=NOON,
                                  request_id=key or builders.request_id())


def written(case: Case) -> set[str]:
    """To whom the letters of a case went."""
    return {contents.recipient(letter).name for letter in Letter.objects.filter(subject="case", subject_id=case.pk)}


def page(case: Case, area=None) -> str:
    return Visitor(builders.make_officer("clerk", area=area or case.area)).get(
        reverse("staff:case", args=[case.pk])).content.decode()


# ---- named after the case was opened ---------------------------------------------------------------------------------


def test_a_guardian_who_was_typed_wrongly_is_corrected_on_the_page_and_letters_and_record_follow():
    story = applies(person(id_number=builders.make_id_number(born=BORN), guardian_name="石三", guardian_phone=""))
    clerk, url = Visitor(builders.make_officer("clerk")), reverse("staff:case-guardian", args=[story.case.pk])
    assert url in page(story.case) and "石三" in page(story.case)
    assert clerk.get(url).status_code == 200
    typed = {"guardian_name": "石山", "guardian_id": builders.make_id_number(), "guardian_phone": "13800000009"}
    answer = clerk.act(url, **typed)
    assert answer.url == reverse("staff:case", args=[story.case.pk])
    html = page(story.case)
    assert "石山" in html and "石三" not in html and "Name the guardian" in html, "the act is in the history"
    event = Event.objects.get(subject="case", action="name_guardian")
    assert event.subject_id == story.case.pk and "石" not in str(event.facts), "who was named before lies sealed"
    story.case = Case.get(story.case.pk)
    assert services.told(story.case)["person"]["guardian_name"] == "石三", "as it was said at the opening"
    story.take("accept", "book")
    assert written(story.case) == {"石山（石榴的监护人）"}
    story.assess(LEG)
    story.take("review", "approve")
    assert registry.guardian_of(Holder.objects.get())[::2] == ("石山", "13800000009")


def test_a_case_of_a_child_whose_record_has_no_guardian_says_so_and_naming_one_is_kept_in_the_record():
    holder = child()
    story = brings("damage", holder)
    assert "until somebody is named, letters of a minor go to the child" in page(story.case)
    names(story.case, named())
    assert "until somebody is named" not in page(story.case)
    assert registry.guardian_of(Holder.get(holder.pk)) == ("石山", "", "13800000009")
    assert Event.objects.get(subject="holder", action="name_guardian").facts["was"]
    story.case = Case.get(story.case.pk)
    story.take("accept")
    assert written(story.case) == {f"石山（{holder.name}的监护人）"}


def test_an_adult_of_a_limb_is_asked_for_no_guardian():
    holder, _ = card_holder()
    story = brings("damage", holder)
    assert reverse("staff:case-guardian", args=[story.case.pk]) not in page(story.case)


@pytest.mark.parametrize(("wrong", "code"), [
    (Guardian(), "guardian-missing"), (Guardian("石山", "1", ""), "guardian-id-wrong"),
    (Guardian("石山", builders.make_id_number(born=dt.date(2015, 1, 1)), ""), "guardian-is-minor"),
    ("self", "guardian-is-applicant")])
def test_a_guardian_who_cannot_be_one_is_refused_by_name(wrong, code):
    who = person(id_number=builders.make_id_number())
    story = applies(who)
    with pytest.raises(Refusal, match=code):
        names(story.case, Guardian("石榴", who.id_number, "") if wrong == "self" else wrong)


def test_nobody_names_a_guardian_twice_by_one_request_nor_in_a_case_that_has_ended_nor_from_elsewhere():
    story = applies()
    key, clerk = builders.request_id(), builders.make_actor()
    names(story.case, named(), by=clerk, key=key)
    with pytest.raises(Replayed):
        names(story.case, named(), by=clerk, key=key)
    with pytest.raises(Refusal, match="not-permitted"):
        names(story.case, named(), by=builders.make_actor("reviewer"))
    with pytest.raises(Refusal, match="not-found"):
        names(story.case, named(), by=builders.make_actor(area=builders.make_area(430102)))
    story.case = Case.get(story.case.pk)
    story.take("withdraw")
    with pytest.raises(Refusal, match="step-not-open"):
        names(story.case, named())


def test_a_repeat_of_the_opening_is_one_though_the_guardian_was_corrected_meanwhile():
    who, key, clerk = person(guardian_name="石三"), builders.request_id(), builders.make_actor()
    told = {"by": clerk, "request_id": key, "at": NOON}
    case = services.apply(who, 4, builders.make_area(), **told)
    names(case, named())
    with pytest.raises(Replayed):
        services.apply(who, 4, builders.make_area(), **told)


def test_where_the_form_names_nobody_who_can_be_the_page_says_it_at_the_field():
    story = applies()
    url = reverse("staff:case-guardian", args=[story.case.pk])
    clerk = Visitor(builders.make_officer("clerk"))
    answer = clerk.act(url, guardian_name="石山", guardian_id="123", guardian_phone="")
    assert answer.status_code == 200 and "The guardian" in answer.content.decode()
    assert not Event.objects.filter(action="name_guardian").exists()


# ---- received from another province ----------------------------------------------------------------------------------


def away():
    return builders.make_area(420106, name="武昌区")


def asks(holder: Holder, guardian: Guardian) -> Case:
    """The child is brought to the counter where it lives."""
    present = Present(holder.name, number_of(holder), "13900000077", "解放路 3 号", guardian)
    return services.open_elsewhere("loss", present, by=builders.make_actor(area=away()), at=NOON,
                                   request_id=builders.request_id())


def test_with_a_child_from_another_province_stands_a_guardian_to_whom_letters_go():
    holder = child(named("石大", "13800000001"))
    child_itself = Guardian("石山", number_of(holder))
    for wrong, code in ((Guardian(), "guardian-missing"), (child_itself, "guardian-is-applicant")):
        with pytest.raises(Refusal, match=code):
            asks(holder, wrong)
    story = Story(asks(holder, named()))
    assert "石山" in page(story.case, away()) and "石大" not in page(story.case, away()), "the record is not shown"
    story.take("accept", by=builders.make_actor(area=away()))
    assert written(story.case) == {f"石山（{holder.name}的监护人）"}
    letter = Letter.objects.filter(subject="case", subject_id=story.case.pk, channel="sms").get()
    assert contents.recipient(letter).phone == "13800000009"


def test_the_counter_of_another_province_types_the_guardian_of_a_child():
    holder = child()
    clerk, url = Visitor(builders.make_officer(area=away())), reverse("staff:case-elsewhere-kind", args=["loss"])
    typed = {"present_name": holder.name, "present_id": number_of(holder)}
    answer = clerk.act(url, **typed)
    assert answer.status_code == 200 and "A guardian must be named" in answer.content.decode()
    answer = clerk.act(url, **typed, guardian_name="石山", guardian_id=builders.make_id_number(), guardian_phone="")
    assert answer.status_code == 302 and services.guardian_of(Case.objects.get()).name == "石山"


def test_a_case_of_a_child_that_was_received_before_guardians_were_asked_for_is_marked_and_one_is_named_there():
    holder = child()
    case = asks(holder, named())
    known = services.told(case)
    for name in ("guardian_name", "guardian_id", "guardian_phone"):
        del known["met"][name]
    Case.objects.filter(pk=case.pk).update(told=sealed(known))
    assert "until somebody is named" in page(case, away())
    names(Case.get(case.pk), named("石水"), by=builders.make_actor(area=away()))
    story = Story(Case.get(case.pk))
    story.take("accept", by=builders.make_actor(area=away()))
    assert written(story.case) == {f"石水（{holder.name}的监护人）"}


# ---- arrivals --------------------------------------------------------------------------------------------------------


def leaves(holder: Holder, to: int = 0) -> Story:
    story = brings("transfer_out_nation", holder, moved="2026-11-01", to=to)
    story.take("request", "review", "approve")
    services.move_on(story.case.pk, at=NOON)
    return story


def test_a_child_who_arrives_where_the_old_office_said_is_written_to_by_the_guardian_of_the_record():
    holder = child(named())
    departure = leaves(holder, builders.make_area(110101).pk)
    story = Story(Case.get(departure.case.pk).counterpart)
    story.take("accept")
    assert written(story.case) == {f"石山（{holder.name}的监护人）"}


def test_the_guardian_who_stands_at_the_counter_of_an_arrival_is_in_the_record_once_it_has_come():
    holder = child(named("石大", "13800000001"))
    leaves(holder)
    there = builders.make_area(110101)
    who = person(name=holder.name, id_number=number_of(holder))
    brought = Brought(f"{who.id_number}42", dt.date(2021, 5, 1), dt.date(2031, 5, 1))
    told = {"by": builders.make_actor(area=there), "at": NOON}
    with pytest.raises(Refusal, match="guardian-missing"):
        services.apply_arrival(who, brought, there, request_id=builders.request_id(), **told)
    who = replace(who, guardian_name="石山", guardian_id=builders.make_id_number(), guardian_phone="13800000009")
    story = Story(services.apply_arrival(who, brought, there, request_id=builders.request_id(), **told))
    story.take("accept", "review", "approve")
    services.move_on(story.case.pk, at=NOON)
    assert written(story.case) == {f"石山（{holder.name}的监护人）"}
    assert Case.get(story.case.pk).state == "ordered" and Certificate.objects.get().area_id == there.pk
    assert registry.guardian_of(Holder.get(holder.pk))[::2] == ("石山", "13800000009")


def test_a_dispute_gives_nobody_back_a_guardian_whom_the_record_does_not_name_any_more():
    story = applies(person(guardian_name="石一", guardian_phone="13800000001"))
    story.case = names(story.case, named("石二", "13800000002"))
    story.take("accept")
    story.assess(HAND)
    story.notice()
    story.take("review", "approve")
    holder = Case.get(story.case.pk).holder
    assert registry.guardian_of(holder)[0] == "石二"
    disputed = services.dispute("dispute_city", Case.get(story.case.pk), by=builders.make_actor(area=story.case.area),
                                request_id=builders.request_id(), at=story.at)
    names(brings("correction", holder, name="石榴红", at=story.at).case, named("石三", "13800000003"))
    assert services.guardian_of(Case.get(disputed.pk)).name == "石三", "letters of the dispute go there, too"
    city, heard = disputed.area.parent, Story(Case.get(disputed.pk), at=story.at)
    heard.take("accept", "book", by=heard.by("clerk", city))
    heard.assess(LEG, by=heard.by("assessor", city))
    heard.take("review", by=heard.by("reviewer", city))
    heard.take("approve", by=heard.by("approver", city))
    assert registry.guardian_of(Holder.get(holder.pk))[0] == "石三"


def test_the_dispute_of_who_was_refused_knows_the_guardian_who_was_named_for_the_application():
    story = applies(person(guardian_name="石一", guardian_phone="13800000001"))
    story.case = names(story.case, named("石二", "13800000002"))
    story.take("accept")
    story.assess(None)
    story.take("fail")
    case = services.dispute("dispute_city", Case.get(story.case.pk), by=builders.make_actor(area=story.case.area),
                            request_id=builders.request_id(), at=story.at)
    assert services.guardian_of(case).name == "石二"
