"""A case with the rooms that serve it: a day at an institution, the doctors' form, letters to the person."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

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
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.letters import contents
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
    assert told(story.case) == [("acceptance-undated", "sms"), ("appointment", "sms")]
    letter = Letter.objects.get(template="appointment")
    said = str(letters.shown(letter))
    assert [word for word in ("2026年11月20日", "08:00", institution.name) if word not in said] == [], said
    services.call_off_day(appointment, "医生生病", by=story.by("clerk"), request_id=builders.request_id(), at=NOON)
    assert "医生生病" in str(letters.shown(Letter.objects.get(template="appointment-called-off", channel="print")))
    story.case = services.book_day(Case.get(story.case.pk), assessing.make_session(), by=story.by("clerk"),
                                   request_id=builders.request_id(), at=NOON)
    services.miss_day(Appointment.objects.get(state="booked"), by=story.by("clerk"), request_id=builders.request_id(),
                      at=NOON)
    assert [name for name, _ in told(story.case)] == [
        "acceptance-undated", "appointment", "appointment", "appointment-called-off", "appointment-called-off",
        "appointment-missed"], "why it is called off is on paper, too"


def test_who_may_book_is_led_to_the_days():
    story = applies(wanted=3)
    story.take("accept")
    assessing.make_session_today()
    page = Visitor(builders.make_officer()).get(reverse("staff:case", args=[story.case.pk])).content.decode()
    assert reverse("staff:case-book", args=[story.case.pk]) in page


def test_each_day_that_is_offered_says_when_where_of_what_kind_and_how_many_places_are_free():
    story = applies(wanted=3)
    story.take("accept")
    hospital = assessing.make_institution(name="区残疾评定中心")
    day = assessing.begun().date() + dt.timedelta(3)
    for kind, capacity in (("institution", 10), ("home", 4), ("camp", 1)):
        assessing.make_session_today(hospital, day=day, place_kind=kind, place="门诊三楼", capacity=capacity)
    assessing.make_appointment(assessing.Session.objects.first(), at=assessing.begun())
    html = Visitor(builders.make_officer()).get(reverse("staff:case-book", args=[story.case.pk])).content.decode()
    for words in (f"{day} 00:00 – 23:59 · At the institution<br>区残疾评定中心 · 门诊三楼<br>9 of 10 places are free",
                  "Home visits<br>区残疾评定中心 · 门诊三楼<br>4 of 4 places are free",
                  "Camp<br>区残疾评定中心 · 门诊三楼<br>1 of 1 place is free"):
        assert words in html


def test_no_day_that_has_ended_is_offered():
    story = applies(wanted=3)
    story.take("accept")
    assessing.make_session_today(day=assessing.begun().date() - dt.timedelta(1),
                                 at=assessing.begun() - dt.timedelta(2))
    page = Visitor(builders.make_officer()).get(reverse("staff:case-book", args=[story.case.pk])).content.decode()
    assert "No day is open for this case" in page and "Book this day" not in page


def test_a_case_for_which_no_day_is_open_says_what_to_do_next():
    story = applies(wanted=3)
    story.take("accept")
    case, clerk = reverse("staff:case", args=[story.case.pk]), Visitor(builders.make_officer())
    assert "The approver enters one first" in clerk.get(case).content.decode()
    strange = assessing.make_institution(categories=[1])
    hospital = assessing.make_institution()
    page = clerk.get(case).content.decode()
    assert "No day is open for this case" in page and reverse("staff:day-new", args=[hospital.pk]) in page
    assert reverse("staff:day-new", args=[strange.pk]) not in page, "it may not assess this"
    assert reverse("staff:case-book", args=[story.case.pk]) not in page
    assessing.make_session_today(hospital)
    assert "No day is open for this case" not in clerk.get(case).content.decode()


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
    assert "Fill this in" in Visitor(clerk).act(url, day=session.pk).content.decode()
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


def test_a_day_that_the_office_calls_off_says_why_counts_for_nobody_and_leaves_the_case_waiting_for_another():
    story = applies(wanted=3)
    appointment, _institution = booked(story)
    url, clerk = reverse("staff:appointment-call-off", args=[appointment.pk]), Visitor(builders.make_officer())
    assert "Fill this in" in clerk.act(url, sure="1").content.decode(), "with a reason"
    asked = clerk.act(url, reason="医生生病").content.decode()
    assert "Call off this appointment?" in asked and "医生生病" in asked
    assert Appointment.objects.get().state == "booked", "asked once more"
    clerk.act(url, reason="医生生病", sure="1")
    case = Case.get(story.case.pk)
    assert (case.state, Appointment.objects.get().state) == ("accepted", "called_off")
    told_ = Event.objects.filter(subject="case", subject_id=case.pk).latest("version")
    assert (told_.action, told_.facts["reason"]) == ("call_off", "医生生病")
    page = clerk.get(reverse("staff:case", args=[case.pk])).content.decode()
    assert "Appointment called off by the office" in page and "Did not come" not in page
    assert appointment.session.__class__.objects.get(pk=appointment.session_id).taken == 0, "the place is free again"
    again = services.book_day(case, assessing.make_session(), by=story.by("clerk"), request_id=builders.request_id(),
                              at=NOON)
    assert again.state == "booked" and Appointment.objects.filter(state="booked").count() == 1


def test_another_day_is_one_act_and_one_letter_and_frees_the_old_place():
    story = applies(wanted=3)
    appointment, institution = booked(story)
    later = assessing.make_session_today(institution, day=assessing.begun().date() + dt.timedelta(3), place="二楼")
    clerk, url = Visitor(builders.make_officer()), reverse("staff:appointment-change", args=[appointment.pk])
    assert url in clerk.get(reverse("staff:appointment", args=[appointment.pk])).content.decode()
    page = clerk.get(url).content.decode()
    assert "Booked now: 2026-11-20" in page and f'value="{later.pk}"' in page
    assert f'value="{appointment.session_id}"' not in page, "the day that is booked is no other day"
    before = Letter.objects.filter(subject="case", subject_id=story.case.pk, template="appointment").count()
    clerk.act(url, day=str(later.pk))
    case, new = Case.get(story.case.pk), Appointment.objects.get(case_id=story.case.pk, state="booked")
    assert (case.state, new.session_id) == ("booked", later.pk)
    assert Appointment.objects.get(pk=appointment.pk).state == "cancelled"
    assert appointment.session.__class__.objects.get(pk=appointment.session_id).taken == 0, "the place is free again"
    events = Event.objects.filter(subject="case", subject_id=case.pk)
    assert events.latest("version").action == "rebook"
    assert events.latest("version").facts["day"] == later.day.isoformat()
    written = Letter.objects.filter(subject="case", subject_id=case.pk, template="appointment").order_by("pk")
    assert written.count() == 2 * before, "one letter more, on the same ways"
    assert "二楼" in str(contents.words(written.last()))
    assert "Another day for the assessment" in clerk.get(reverse("staff:case", args=[case.pk])).content.decode()
    doctor = assessing.make_assessor(institution)
    services.sign(new, assessing.SPEECH, by=doctor, request_id=builders.request_id(), at=timezone.now()
                  + dt.timedelta(3))
    assert Case.get(case.pk).state == "assessed"


def test_a_repeated_change_of_the_day_changes_nothing_and_an_appointment_that_ended_is_not_changed():
    story = applies(wanted=3)
    appointment, institution = booked(story)
    days = [assessing.make_session(institution, day=NOON.date() + dt.timedelta(each)) for each in (3, 4)]
    told_ = {"by": story.by("clerk"), "request_id": builders.request_id(), "at": NOON}
    services.change_day(appointment, days[0], **told_)
    with pytest.raises(Replayed):
        services.change_day(appointment, days[0], **told_)
    with pytest.raises(Refusal, match="step-not-open"):
        services.change_day(appointment, days[1], **{**told_, "request_id": builders.request_id()})
    now = Appointment.objects.get(case_id=story.case.pk, state="booked")
    with pytest.raises(Refusal, match="session-booked-so"):
        services.change_day(now, days[0], **{**told_, "request_id": builders.request_id()})
    assert now.session_id == days[0].pk and Letter.objects.filter(template="appointment", channel="sms").count() == 2
    old = reverse("staff:appointment-change", args=[appointment.pk])
    assert Visitor(builders.make_officer()).get(old).status_code == 302, "led to the appointment itself"


@pytest.mark.parametrize("action", ["miss", "call_off"])
def test_a_no_show_and_a_day_called_off_come_with_the_appointment_not_as_a_plain_step(action):
    story = applies(wanted=3)
    booked(story)
    with pytest.raises(Refusal, match="appointment-open"):
        services.take(story.case, action, reason="x", by=story.by("clerk"), request_id=builders.request_id(), at=NOON)


def test_an_appointment_is_not_called_off_without_a_reason():
    story = applies(wanted=3)
    appointment, _institution = booked(story)
    with pytest.raises(Refusal, match="reason-missing"):
        services.call_off_day(appointment, "  ", by=story.by("clerk"), request_id=builders.request_id(), at=NOON)
    assert Appointment.objects.get().state == "booked"


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
    assert told(story.case) == [
        ("acceptance-undated", "sms"), ("papers-missing", "print"), ("papers-missing", "sms")]
    paper = applies(person(phone=""), wanted=1)
    paper.take("accept")
    assert told(paper.case) == [("acceptance-undated", "braille"), ("acceptance-undated", "print")]


def test_a_refusal_that_no_doctor_had_a_part_in_names_its_reason_and_promises_no_dispute():
    holder, _ = card_holder()
    story = brings("damage", holder)
    story.take("accept", "review", "refuse", reason="卡未损坏")
    assert told(story.case) == [("acceptance-undated", "print"), ("decision-refused", "print")]
    assert not services.disputable(story.case, NOON)


def test_a_letter_that_cannot_be_written_keeps_no_case_from_going_on():
    story = applies(person(phone="", address="\u202e" * 3))
    assert story.take("accept").state == "accepted" and not told(story.case)
