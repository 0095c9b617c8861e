"""A case with the rooms that serve it: a day at an institution, the doctors' form, letters to the person."""

import pytest
from django.urls import reverse

import assessing
import builders
from builders import NOON
from portraits import make_photo
from stories import applies, brings, card_holder, person, under
from visits import Visitor
from zhengka.accounts.models import Officer
from zhengka.accounts.services import actor_of
from zhengka.assessment import services as assessment
from zhengka.assessment.models import Appointment
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.letters import queries as letters
from zhengka.letters.models import Letter
from zhengka.papers import services as papers
from zhengka.papers.queries import Subject

pytestmark = pytest.mark.django_db


def told(case: Case) -> list[tuple[str, str]]:
    return sorted(Letter.objects.filter(subject="case", subject_id=case.pk).values_list("template", "channel"))


def booked(story, *, accepted=False, **of_session):
    """The case has a place on today's list of a hospital, with a doctor there."""
    story.take(*() if accepted else ("accept",))
    session = assessing.make_session(**of_session)
    story.case = services.book_day(story.case, session, by=story.by("clerk"), request_id=builders.request_id(), at=NOON)
    return Appointment.objects.get(case_id=story.case.pk), session.institution


def test_a_day_is_booked_the_doctor_signs_and_the_case_knows_the_conclusion():
    story = applies(wanted=3)
    appointment, institution = booked(story)
    assert story.case.state == "booked"
    doctor = assessing.make_assessor(institution)
    services.sign(appointment, assessing.SPEECH, by=doctor, request_id=builders.request_id(), at=NOON)
    case = Case.get(story.case.pk)
    assert (case.state, case.assessor_person) == ("assessed", doctor.person)
    assert case.found == {"category": 3, "grade": 2, "components": []}


def test_no_page_and_no_plain_step_books_or_signs_beside_the_day_and_the_form(tmp_path):
    """A doctor who declared a conflict and holds no licence sends what once was a form of the case page."""
    with under("two-doctors", tmp_path):
        story, stranger = applies(wanted=3), builders.make_officer("assessor")
        assessment.declare_conflict(stranger.person, bytes(story.case.person_index), relation="relative",
                                    by=actor_of(stranger), request_id=builders.request_id(), at=NOON)
        story.take("precheck", "accept")
        beside(story.case, builders.make_officer(), "book")
        appointment, institution = booked(story, accepted=True)
        beside(story.case, stranger, "assess")
        services.sign(appointment, assessing.SPEECH, by=assessing.make_assessor(institution),
                      request_id=builders.request_id(), at=NOON)
        beside(Case.get(story.case.pk), stranger, "countersign", "differ")


def beside(case: Case, officer: Officer, *actions: str) -> None:
    """The officer tries these steps on the case page, and as plain steps; the case stays where it is."""
    for action in actions:
        Visitor(officer).act(reverse("staff:case-step", args=[case.pk]), action=action, category_3="2", reason="x")
        assert Case.get(case.pk).state == case.state, action
        with pytest.raises(Refusal, match="step-not-open"):
            services.take(case, action, reason="x", by=actor_of(officer), request_id=builders.request_id(), at=NOON)


def test_who_is_booked_is_told_day_and_place_and_told_again_when_it_comes_to_nothing_or_is_another():
    story = applies(wanted=3)
    appointment, institution = booked(story)
    assert told(story.case) == [("acceptance", "sms"), ("appointment", "sms")]
    letter = Letter.objects.get(template="appointment")
    said = str(letters.shown(letter))
    assert [word for word in ("2026年11月20日", "08:00", institution.name) if word not in said] == [], said
    services.cancel_day(appointment, by=story.by("clerk"), request_id=builders.request_id(), at=NOON)
    story.case = services.book_day(Case.get(story.case.pk), assessing.make_session(), by=story.by("clerk"),
                                   request_id=builders.request_id(), at=NOON)
    services.miss_day(Appointment.objects.get(state="booked"), by=story.by("clerk"), request_id=builders.request_id(),
                      at=NOON)
    assert [name for name, _ in told(story.case)] == ["acceptance", "appointment", "appointment", "generic", "generic"]


def test_who_may_book_is_led_to_the_days():
    story = applies(wanted=3)
    story.take("accept")
    page = Visitor(builders.make_officer()).get(reverse("staff:case", args=[story.case.pk])).content.decode()
    assert reverse("staff:case-book", args=[story.case.pk]) in page


def test_who_need_never_be_assessed_again_is_booked_only_with_a_reason():
    story = applies(wanted=4)
    appointment, institution = booked(story)
    limb = {"independence": "partly", "grade_3": ["c"], "again": "never", "again_reason": "limb-lost"}
    services.sign(appointment, limb, by=assessing.make_assessor(institution), request_id=builders.request_id(), at=NOON)
    story.case = Case.get(story.case.pk)
    story.notice()
    holder = story.take("review", "approve").holder
    again, clerk = brings("change", holder, at=story.at), builders.make_officer()
    again.take("accept")
    assert "Never again" in Visitor(clerk).get(reverse("staff:case", args=[again.case.pk])).content.decode()
    session = assessing.make_session_today(institution)
    url = reverse("staff:case-book", args=[again.case.pk])
    assert "This field is required" in Visitor(clerk).act(url, day=session.pk).content.decode()
    with pytest.raises(Refusal, match="reason-missing"):
        services.book_day(again.case, session, by=again.by("clerk"), request_id=builders.request_id(), at=NOON)
    Visitor(clerk).act(url, day=session.pk, reason="另一肢体受伤")
    assert Case.get(again.case.pk).state == "booked"
    assert Event.objects.get(subject="case", subject_id=again.case.pk, action="book").facts["reason"] == "另一肢体受伤"


def test_who_is_booked_is_noted_as_missing_on_the_appointment_alone():
    story = applies(wanted=3)
    appointment, _institution = booked(story)
    page = Visitor(builders.make_officer()).get(reverse("staff:case", args=[story.case.pk])).content.decode()
    assert reverse("staff:case-book", args=[story.case.pk]) not in page, "one day at a time"
    assert reverse("staff:appointment", args=[appointment.pk]) in page and 'value="miss"' not in page
    with pytest.raises(Refusal, match="appointment-open"):
        services.take(story.case, "miss", reason="x", by=story.by("clerk"), request_id=builders.request_id(), at=NOON)


def test_a_place_that_is_given_back_leaves_the_case_waiting_for_another_day():
    story = applies(wanted=3)
    appointment, _institution = booked(story)
    Visitor(builders.make_officer()).act(reverse("staff:appointment-cancel", args=[appointment.pk]))
    case = Case.get(story.case.pk)
    assert (case.state, Appointment.objects.get().state) == ("accepted", "cancelled")
    again = services.book_day(case, assessing.make_session(), by=story.by("clerk"), request_id=builders.request_id(),
                              at=NOON)
    assert again.state == "booked" and Appointment.objects.filter(state="booked").count() == 1


def test_who_did_not_come_is_booked_again_and_a_day_that_is_full_leaves_the_case_where_it_was():
    story = applies(wanted=3)
    appointment, institution = booked(story, capacity=1)
    other = applies(wanted=3)
    other.take("accept")
    with pytest.raises(Refusal, match="session-full"):
        services.book_day(other.case, appointment.session, by=other.by("clerk"), request_id=builders.request_id(),
                          at=NOON)
    assert Case.get(other.case.pk).state == "accepted" and Appointment.objects.count() == 1
    services.miss_day(appointment, by=story.by("clerk"), request_id=builders.request_id(), at=NOON)
    assert (Case.get(story.case.pk).state, Appointment.objects.get().state) == ("accepted", "missed")
    assert institution.state == "designated"


def test_where_a_policy_asks_for_two_doctors_the_second_sends_on_or_back(tmp_path):
    with under("two-doctors", tmp_path):
        story = applies(wanted=3)
        story.take("precheck")
        appointment, institution = booked(story)
        first, second = assessing.make_assessor(institution), assessing.make_assessor(institution)
        signed = services.sign(appointment, assessing.SPEECH, by=first, request_id=builders.request_id(), at=NOON)
        with pytest.raises(Refusal, match="same-person"):
            services.second(signed, agrees=True, by=first, request_id=builders.request_id(), at=NOON)
        services.second(signed, agrees=False, reason="听不清", by=second, request_id=builders.request_id(), at=NOON)
        case = Case.get(story.case.pk)
        assert (case.state, case.assessor_person) == ("accepted", "")


def test_the_photo_of_an_application_is_on_the_record_once_it_is_approved():
    story = applies()
    subject = Subject("case", story.case.pk, story.case.area_id)
    papers.take_portrait(subject, make_photo(3), dark_glasses=False, by=story.by("clerk"),
                         request_id=builders.request_id(), at=NOON)
    story.take("accept", "book")
    story.assess()
    story.notice()
    case = story.take("review", "approve")
    assert case.holder.photo and case.card.state == "ordered"
    assert story.by("approver").may("case.confirm") is False


def test_each_step_that_concerns_the_person_is_told_once_by_phone_or_on_paper():
    story = applies()
    story.take("return_papers", reason="户口簿")
    story.take("resubmit", "accept")
    assert told(story.case) == [("acceptance", "sms"), ("papers-missing", "sms")]
    paper = applies(person(phone=""), wanted=1)
    paper.take("accept")
    assert told(paper.case) == [("acceptance", "braille"), ("acceptance", "print")]


def test_a_refusal_names_its_reason_and_the_ways_to_dispute_it():
    holder, _ = card_holder()
    story = brings("damage", holder)
    story.take("accept", "review", "refuse", reason="卡未损坏")
    assert told(story.case) == [("acceptance", "print"), ("decision-refused", "print"), ("ways-to-dispute", "print")]


def test_a_letter_that_cannot_be_written_keeps_no_case_from_going_on():
    story = applies(person(phone="", address="\u202e" * 3))
    assert story.take("accept").state == "accepted" and not told(story.case)
