"""The pages of assessments: an office designates and opens days, a doctor fills in and signs, and a second signs."""

import datetime as dt

import pytest
import time_machine
from django.test import override_settings
from django.urls import reverse

from assessing import (
    EVERY,
    begun,
    license_for,
    make_appointment,
    make_assessor,
    make_institution,
    make_session_today,
    signed,
)
from builders import make_area, make_id_number, make_officer, request_id
from visits import Visitor
from zhengka.accounts.models import Officer
from zhengka.accounts.services import actor_of
from zhengka.assessment import services
from zhengka.assessment.funnel import LEVELS
from zhengka.assessment.models import Appointment, Assessment, Conflict, Institution, Licence, Session
from zhengka.assessment.rules import BY_RULE
from zhengka.cli.reference import WORKFLOWS
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.web.staff.assessment.figures import VERDICTS
from zhengka.web.staff.assessment.terms import RULE_WORDS
from zhengka.web.staff.words import SUBJECT_WORDS
from zhengka.web.ui import words

pytestmark = pytest.mark.django_db
OURS = ("institution", "licence", "session", "appointment", "assessment", "conflict")
LIMB = {"c4-independence": "partly", "c4-grade_3": ["c", "f"], "c4-again": "never", "c4-again_reason": "limb-lost"}


def doctor_of(session: Session, **changed) -> Visitor:
    """A doctor licensed where the day is, as a visitor of the site."""
    officer = make_officer("assessor", area=session.institution.area)
    license_for(session.institution, officer, **changed)
    return Visitor(officer)


def page(answer) -> str:
    return answer.content.decode()


@pytest.mark.parametrize("workflow", [one for one in WORKFLOWS if one.name in OURS], ids=lambda one: one.name)
def test_every_state_act_and_subject_of_an_assessment_has_its_word(workflow):
    assert set(words.STATES[workflow.name]) == workflow.states
    assert workflow.actions <= set(words.ACTIONS) and workflow.name in SUBJECT_WORDS


def test_every_finding_and_every_reason_of_the_rules_has_its_word():
    assert set(VERDICTS) == {"within", *LEVELS} and set(RULE_WORDS) == set(BY_RULE)


# -- the office --------------------------------------------------------------------------------------------------------


def test_an_approver_enters_an_institution_and_licenses_a_doctor_and_a_clerk_opens_a_day():
    area, doctor = make_area(), make_officer("assessor")
    approver, clerk = Visitor(make_officer("approver")), Visitor(make_officer("clerk"))
    form = {"area": area.code, "name": "岳麓医院", "address": "人民路1号", "categories": ["3", "4"],
            "document": "湘残联发〔2018〕1号", "valid_from": "2018-01-01"}
    assert approver.act(reverse("staff:institution-new"), **form).status_code == 302
    assert "institution of this name" in page(approver.act(reverse("staff:institution-new"), **form))
    hospital = Institution.objects.get()
    number = make_id_number()
    licence = {"officer": doctor.pk, "id_number": number, "categories": ["3"], "valid_from": "2018-01-01"}
    url = reverse("staff:institution-license", args=[hospital.pk])
    assert "no ID number" in page(approver.act(url, **licence | {"id_number": "43010419000101000"}))
    assert "before the first" in page(approver.act(url, **licence | {"valid_to": "2017-01-01"}))
    assert approver.act(url, **licence).status_code == 302
    assert doctor.name in page(approver.get(reverse("staff:institution", args=[hospital.pk])))
    day = {"area": area.code, "place_kind": "home", "place": "正门", "day": str(begun().date() + dt.timedelta(1)),
           "starts": "8:30", "ends": "17:00", "categories": ["3"], "capacity": "12", "latitude": "28.2"}
    url = reverse("staff:day-new", args=[hospital.pk])
    assert "both coordinates" in page(clerk.act(url, **day))
    assert "ends after" in page(clerk.act(url, **day | {"longitude": "112.9", "ends": "8:00"}))
    assert "over or not open" in page(clerk.act(url, **day | {"longitude": "112.9", "day": "2018-01-02"}))
    assert clerk.act(url, **day | {"longitude": "112.9"}).status_code == 302
    session = Session.objects.get()
    assert (session.latitude, session.capacity, session.categories) == (28.2, 12, [3])
    assert approver.act(url, **day).status_code == 403
    approver.act(reverse("staff:licence-revoke", args=[Licence.objects.get().pk]))
    approver.act(reverse("staff:institution-end", args=[hospital.pk]))
    assert (Licence.objects.get().state, Institution.objects.get().state) == ("revoked", "ended")


def test_a_clerk_notes_a_no_show_calls_an_appointment_off_and_a_day():
    session = make_session_today()
    clerk = Visitor(make_officer("clerk"))
    one, other = make_appointment(session, at=begun()), make_appointment(session, at=begun())
    assert "Call the day off" not in page(clerk.get(reverse("staff:day", args=[session.pk])))
    miss = reverse("staff:appointment-miss", args=[one.pk])
    assert "Did this person not come?" in page(clerk.act(miss)) and Appointment.objects.get(pk=one.pk).state == "booked"
    clerk.act(miss, sure="1")
    clerk.act(reverse("staff:appointment-call-off", args=[other.pk]), reason="医生生病", sure="1")
    assert list(Appointment.objects.order_by("pk").values_list("state", flat=True)) == ["missed", "called_off"]
    tiles = Visitor(make_officer("leader")).get(reverse("staff:assessment-figures")).context["tiles"]
    assert [(str(tile.label), tile.value) for tile in tiles[-2:]] == [
        ("Did not come", 1), ("Called off by the office", 1)], "a no-show is only the first"
    empty = make_session_today()
    assert clerk.act(reverse("staff:day-call-off", args=[empty.pk])).status_code == 302
    assert "Called off" in page(clerk.get(reverse("staff:days")))


def test_a_day_that_is_over_is_not_called_open_for_booking():
    session, clerk = make_session_today(), make_officer("clerk")

    def standing():
        visitor = Visitor(clerk)
        return [page(visitor.get(path)) for path in (reverse("staff:days"), reverse("staff:day", args=[session.pk]))]

    assert all("Open for booking" in one for one in standing())
    with time_machine.travel(begun() + dt.timedelta(1), tick=False):
        assert all("Over" in one and "Open for booking" not in one for one in standing())


# -- the doctor --------------------------------------------------------------------------------------------------------


def test_a_doctor_sees_the_own_days_and_who_is_expected():
    session, elsewhere = make_session_today(), make_session_today(make_institution(name="别的医院"))
    visitor = doctor_of(session)
    make_appointment(session, at=begun())
    listed = page(visitor.get(reverse("staff:days")))
    assert session.institution.name in listed and "别的医院" not in listed and elsewhere.pk
    assert "田野" in page(visitor.get(reverse("staff:day", args=[session.pk])))


def test_what_a_form_comes_to_is_shown_before_it_is_signed_and_then_signed_as_shown():
    session = make_session_today()
    visitor, row = doctor_of(session), make_appointment(session, category=4, at=begun())
    url = reverse("staff:appointment", args=[row.pk])
    form = page(visitor.get(url))
    assert "5.5.4" in form and "One forearm" not in form.split("5.5.4")[0].split("Assessment form")[0]
    shown = visitor.act(url, do="check", **LIMB)
    assert "Physical, grade 3" in page(shown) and "5.5.4 c, 5.5.4 f" in page(shown) and "Never again" in page(shown)
    assert not Assessment.objects.exists()
    seen = shown.context["seen"]
    changed = visitor.act(url, do="sign", seen=seen, **LIMB | {"c4-grade_3": ["c"]})
    assert changed.status_code == 200 and not Assessment.objects.exists(), "not what was shown"
    assert visitor.act(url, do="sign", seen=seen, **LIMB).url == reverse("staff:day", args=[session.pk])
    assessment = Assessment.objects.get()
    assert (assessment.category, assessment.grade, assessment.case_id) == (4, 3, row.case_id)


def test_the_same_signature_sent_twice_is_one_and_leads_to_the_same_page():
    session = make_session_today()
    visitor, row = doctor_of(session), make_appointment(session, at=begun())
    url = reverse("staff:appointment", args=[row.pk])
    seen = visitor.act(url, do="check", **{"c3-clarity": "20"}).context["seen"]
    form = {"do": "sign", "seen": seen, "c3-clarity": "20", "request_id": "6f0d2a52-9df5-4c40-9d5e-3f6a3c1c9a10"}
    assert visitor.post(url, form).status_code == 302
    assert visitor.post(url, form).status_code == 200, "the appointment is done: its page has no form any more"
    assert Assessment.objects.count() == 1


@pytest.mark.parametrize(("answers", "words_"), [
    ({"c4-independence": "partly", "c4-grade_1": ["a"]}, "do not fit how independent"),
    ({}, "Fill this in"), ({"c4-independence": "partly", "c4-again": "never"}, "Choose a reason that fits"),
    ({"c4-independence": "partly", "c4-grade_3": ["z"]}, "Choose one of the list")])
def test_a_form_with_a_fault_says_which_and_signs_nothing(answers, words_):
    session = make_session_today()
    visitor, row = doctor_of(session), make_appointment(session, category=4, at=begun())
    assert words_ in page(visitor.act(reverse("staff:appointment", args=[row.pk]), do="sign", seen="", **answers))
    assert not Assessment.objects.exists()


TOMORROW = {"day": begun().date() + dt.timedelta(1)}


def test_a_form_filled_in_on_the_day_before_says_when_signing_opens_and_is_kept_for_that_doctor_alone():
    session = make_session_today(**TOMORROW)
    visitor, other = doctor_of(session), doctor_of(session)
    row = make_appointment(session, category=4, at=begun())
    url, when = reverse("staff:appointment", args=[row.pk]), f"Signing opens on {TOMORROW['day']}"
    assert when in page(visitor.get(url)) and "Your draft" not in page(visitor.get(url))
    shown = page(visitor.act(url, do="check", **LIMB))
    assert when in shown and 'value="sign"' not in shown and "Physical, grade 3" in shown
    kept = page(visitor.get(url))
    assert "Your draft" in kept and kept.count("checked") == 3, "how independent, and two criteria"
    assert visitor.act(url, do="keep", **LIMB | {"c4-grade_3": ["c"]}).status_code == 302
    assert page(visitor.get(url)).count("checked") == 2, "the last one kept"
    assert "checked" not in page(other.get(url)) and "Your draft" not in page(other.get(url))
    sealed = bytes(Appointment.objects.get().drafts)
    assert b"partly" not in sealed and b"independence" not in sealed


def test_a_signature_before_the_day_is_refused_on_the_form_as_it_was_filled_in():
    session = make_session_today(**TOMORROW)
    visitor, row = doctor_of(session), make_appointment(session, category=4, at=begun())
    url = reverse("staff:appointment", args=[row.pk])
    seen = visitor.act(url, do="check", **LIMB).context["seen"]
    answer = visitor.act(url, do="sign", seen=seen, **LIMB)
    assert answer.status_code == 409 and not Assessment.objects.exists()
    assert "The day of assessments has not come" in page(answer) and "nothing is lost" in page(answer)
    assert page(answer).count("checked") == 3 and "Your draft" in page(visitor.get(url)), "it is kept, too"


@pytest.mark.parametrize("ends", ["signed", "missed", "called off", "given back"])
def test_no_draft_outlives_its_appointment(ends):
    session = make_session_today()
    doctor = make_assessor(session.institution)
    row = services.keep_draft(make_appointment(session, at=begun()), {"c3-clarity": ["20"]}, by=doctor)
    assert services.draft_of(row, by=doctor) == {"c3-clarity": ["20"]}
    told = {"by": actor_of(make_officer("clerk")), "request_id": request_id(), "at": begun()}
    if ends == "signed":
        signed(doctor, row, at=begun())
    elif ends == "missed":
        services.miss(row, **told)
    elif ends == "called off":
        services.call_off_appointment(row, "医生生病", **told)
    else:
        services.cancel(row, **told)
    assert Appointment.objects.get().drafts is None
    with pytest.raises(Refusal, match="step-not-open"):
        services.keep_draft(row, {}, by=doctor)


def test_a_draft_is_kept_by_doctors_alone_and_each_has_an_own():
    row = make_appointment(make_session_today(), at=begun())
    one, other = (make_assessor(row.session.institution) for _ in range(2))
    services.keep_draft(row, {"c3-clarity": ["20"]}, by=one)
    row = services.keep_draft(row, {"c3-clarity": ["50"]}, by=other)
    assert [services.draft_of(row, by=by) for by in (one, other)] == [{"c3-clarity": ["20"]}, {"c3-clarity": ["50"]}]
    with pytest.raises(Refusal, match="not-permitted"):
        services.keep_draft(row, {}, by=actor_of(make_officer("clerk")))


def test_a_draft_of_several_parts_comes_back_with_its_parts():
    session = make_session_today(**TOMORROW)
    visitor, row = doctor_of(session), make_appointment(session, category=7, at=begun())
    url = reverse("staff:appointment", args=[row.pk])
    visitor.act(url, do="keep", **{"parts": ["3", "4"], "c3-clarity": "5"} | LIMB)
    kept = page(visitor.get(url))
    assert 'name="c3-clarity" value="5"' in kept and kept.count("checked") == 3


def test_a_child_gets_the_questions_of_its_age():
    session = make_session_today()
    child = services.Person("小田", begun().date() - dt.timedelta(365 * 5), "", "")
    visitor = doctor_of(session)
    row = make_appointment(session, category=5, person=child, at=begun())
    form = page(visitor.get(reverse("staff:appointment", args=[row.pk])))
    assert "c5-dq" in form and "c5-iq" not in form


def test_a_multiple_disability_is_assessed_by_the_forms_of_its_parts():
    session = make_session_today()
    visitor, row = doctor_of(session), make_appointment(session, category=7, at=begun())
    url = reverse("staff:appointment", args=[row.pk])
    assert "Parts of the multiple disability" in page(visitor.get(url))
    assert "two parts or more" in page(visitor.get(url, {"parts": "3"}))
    assert "c3-clarity" in page(visitor.get(url, {"parts": ["3", "4"]}))
    answers = {"parts": ["3", "4"], "c3-clarity": "5"} | LIMB
    shown = visitor.act(url, do="check", **answers)
    assert "Speech, grade 1; Physical, grade 3" in page(shown)
    visitor.act(url, do="sign", seen=shown.context["seen"], **answers)
    assert (Assessment.objects.get().category, Assessment.objects.get().grade) == (7, 1)


def test_a_doctor_who_must_not_assess_says_so_and_is_then_refused():
    session = make_session_today()
    visitor, row = doctor_of(session), make_appointment(session, at=begun())
    url = reverse("staff:appointment-conflict", args=[row.pk])
    assert "Fill this in" in page(visitor.act(url))
    assert visitor.act(url, relation="relative").status_code == 302 and Conflict.objects.count() == 1
    url = reverse("staff:appointment", args=[row.pk])
    seen = visitor.act(url, do="check", **{"c3-clarity": "20"}).context["seen"]
    refused = visitor.act(url, do="sign", seen=seen, **{"c3-clarity": "20"})
    assert refused.status_code == 409 and "conflict of interest was declared" in page(refused)


def test_the_office_declares_on_the_appointment_s_page_which_doctor_must_not_assess():
    session = make_session_today()
    visitor, row = doctor_of(session), make_appointment(session, at=begun())
    doctor = Officer.objects.get(pk=visitor.session["_auth_user_id"])
    clerk, url = Visitor(make_officer("clerk", area=session.area)), reverse("staff:appointment", args=[row.pk])
    html = page(clerk.get(url))
    assert "A doctor must not assess this person" in html and f'value="{doctor.person}"' in html
    conflict = reverse("staff:appointment-conflict", args=[row.pk])
    assert "Choose one of the list" in page(clerk.act(conflict, doctor="nobody", relation="relative"))
    assert clerk.act(conflict, doctor=doctor.person, relation="relative").status_code == 302
    declared = Conflict.objects.get()
    assert (declared.assessor_person, bytes(declared.person_index)) == (doctor.person, bytes(row.person_index))
    seen = visitor.act(url, do="check", **{"c3-clarity": "20"}).context["seen"]
    assert visitor.act(url, do="sign", seen=seen, **{"c3-clarity": "20"}).status_code == 409


def test_addresses_come_with_a_route_only_when_it_is_taken_and_that_is_an_event():
    session = make_session_today(place_kind="home", point=services.Point(28.2, 112.9))
    person = services.Person("田野", dt.date(1950, 1, 1), "13900000000", "解放路2号", services.Point(28.3, 112.9))
    make_appointment(session, person=person, at=begun())
    visitor, url = doctor_of(session), reverse("staff:day-route", args=[session.pk])
    before = page(visitor.get(url))
    assert "解放路2号" not in before and "11.1 km in straight lines" in before
    assert not Event.objects.filter(action="take_route").exists()
    taken = page(visitor.act(url))
    assert "解放路2号" in taken and "13900000000" in taken and Event.objects.filter(action="take_route").count() == 1


def test_a_second_doctor_reads_the_form_for_a_purpose_and_signs_or_differs():
    session = make_session_today()
    first = make_assessor(session.institution)
    rows = [signed(first, make_appointment(session, at=begun()), at=begun()).assessment for _ in range(2)]
    visitor = doctor_of(session)
    assert str(rows[0].case_id) in page(visitor.get(reverse("staff:assessments")))
    url = reverse("staff:assessment", args=[rows[0].pk])
    assert "Speech, grade 2" in page(visitor.get(url)) and "20 %" not in page(visitor.get(url))
    read = reverse("staff:assessment-form", args=[rows[0].pk])
    assert "Fill this in" in page(visitor.act(read, purpose=""))
    assert "20 %" in page(visitor.act(read, purpose="case"))
    visitor.act(reverse("staff:assessment-countersign", args=[rows[0].pk]))
    differ = reverse("staff:assessment-differ", args=[rows[1].pk])
    assert "Fill this in" in page(visitor.act(differ))
    visitor.act(differ, reason="复测为 50%")
    assert list(Assessment.objects.order_by("pk").values_list("state", flat=True)) == ["countersigned", "differed"]
    own = Visitor(Officer.objects.get(pk=first.id))
    assert own.act(reverse("staff:assessment-countersign", args=[rows[0].pk])).status_code == 409


def test_figures_show_the_same_as_a_plot_and_a_table():
    for name, clarity in (("甲医院", "5"), ("乙医院", "60")):
        session = make_session_today(make_institution(name=name), capacity=40)
        doctor = make_assessor(session.institution)
        for _ in range(12):
            signed(doctor, make_appointment(session, at=begun()), {"clarity": clarity}, at=begun())
    visitor, url = Visitor(make_officer("leader")), reverse("staff:assessment-figures")
    shown = page(visitor.get(url))
    assert shown.count("<circle") == 2 and shown.count("Outside 99.8 %") == 2 and "甲医院" in shown
    assert "50.0 %" in shown
    assert "Nothing was assessed" in page(visitor.get(url, {"category": "1"}))
    assert "Enter a date" in page(visitor.get(url, {"since": "soon"}))
    by_doctor = page(visitor.get(url, {"by": "assessor"}))
    assert doctor.name in by_doctor


@override_settings(DEMO=True)
def test_the_demo_s_doctor_has_a_login_of_its_own_role():
    assert "assessor" in page(Visitor().get(reverse("staff:login")))
    assert EVERY and actor_of(make_officer("assessor")).may("case.assess")
