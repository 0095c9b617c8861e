"""Assessments told as stories: who may, where, when, for whom; two signatures; disputes; and many at once."""

import datetime as dt
import threading

import pytest
from django.db import IntegrityError, ProgrammingError, connections, transaction

from assessing import (
    EVERY,
    SPEECH,
    TODAY,
    city,
    license_for,
    make_appointment,
    make_assessor,
    make_institution,
    make_session,
    signed,
    wanted,
)
from builders import NOON, make_actor, make_area, make_id_number, make_officer, request_id
from zhengka.accounts.services import actor_of
from zhengka.assessment import queries, services
from zhengka.assessment.demo import furnish
from zhengka.assessment.models import Appointment, Assessment, Conflict, Institution, Licence, Session
from zhengka.assessment.queries import Period
from zhengka.assessment.rules import Again
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.formats.idnumber import BadIdNumber

pytestmark = pytest.mark.django_db
TOMORROW = TODAY + dt.timedelta(1)


def told(at: dt.datetime = NOON) -> dict:
    return {"request_id": request_id(), "at": at}


def refused(code: str):
    return pytest.raises(Refusal, match=rf"\[{code}\]")


def clerk(area=None):
    return make_actor("clerk", area=area or make_area())


# -- who may assess, and where -----------------------------------------------------------------------------------------


def test_an_institution_is_designated_once_by_those_who_answer_for_its_area():
    hospital = make_institution(name="岳麓医院")
    assert (hospital.state, hospital.last) == ("designated", 430104_999999)
    with refused("institution-known"):
        make_institution(name="岳麓医院")
    designation = services.Designation(city(), "市医院", "x", [1], TODAY, None, "文件")
    with refused("not-permitted"):
        services.register_institution(designation, by=clerk(city()), request_id=request_id())
    with refused("not-found"):
        services.register_institution(designation, by=make_actor("approver"), request_id=request_id())
    key = request_id()
    services.register_institution(designation, by=make_actor("approver", area=city()), request_id=key)
    with pytest.raises(Replayed):
        services.register_institution(designation, by=make_actor("approver", area=city()), request_id=key)


def test_a_licence_is_for_an_assessor_of_the_place_and_for_what_the_institution_may():
    hospital = make_institution(categories=[1, 2])
    doctor = make_officer("assessor")
    with refused("assessor-unfit"):
        license_for(hospital, make_officer("clerk"), categories=[1])
    with refused("assessor-unfit"):
        license_for(hospital, make_officer("assessor", area=make_area(430702)), categories=[1])
    with refused("institution-not-valid"):
        license_for(hospital, doctor, categories=[1, 3])
    with pytest.raises(BadIdNumber):
        license_for(hospital, doctor, categories=[1], id_number="430104190001010000")
    licence = license_for(hospital, doctor, categories=[2, 1, 1])
    assert licence.categories == [1, 2]
    with refused("licence-known"):
        license_for(hospital, doctor, categories=[1])


def test_nobody_licenses_themselves():
    hospital = make_institution()
    with refused("own-account"):
        services.license_assessor(
            hospital, services.Licensing(make_officer("assessor", person="staff-1"), make_id_number(), [1], TODAY),
            by=make_actor("approver", person="staff-1"), request_id=request_id())


def test_the_doctor_s_own_number_is_kept_as_an_index_alone():
    number = make_id_number()
    licence = license_for(make_institution(), make_officer("assessor"), id_number=number)
    assert bytes(licence.person_index) == fields.index(number)
    assert number not in str(list(Licence.objects.values())) and number not in str(list(Event.objects.values("facts")))


@pytest.mark.parametrize(("changed", "code"), [
    ({"day": TODAY - dt.timedelta(1)}, "session-past"), ({"starts": dt.time(8), "ends": dt.time(11)}, "session-past"),
    ({"categories": [1, 4]}, "institution-not-valid"),
    ({"day": dt.date(2027, 1, 1)}, "institution-not-valid")])
def test_a_day_of_assessments_lies_ahead_and_within_what_the_institution_may(changed, code):
    hospital = make_institution(categories=[1, 2], valid_to=dt.date(2026, 12, 31))
    with refused(code):
        make_session(hospital, **{"categories": [1], **changed})


def test_a_county_opens_a_camp_of_its_own_with_the_city_s_team_and_no_other_county_s():
    hospital = make_institution(city())
    camp = make_session(hospital, area=make_area(), place_kind="camp", place="镇卫生院")
    assert (camp.area_id, camp.institution) == (430104_000000, hospital)
    elsewhere = make_area(430702)
    with refused("session-elsewhere"):
        make_session(hospital, area=elsewhere)


def test_after_its_designation_has_ended_nothing_is_opened_booked_or_signed_there():
    hospital = make_institution()
    doctor, session = make_assessor(hospital), make_session(hospital)
    appointment = make_appointment(session)
    services.end_designation(hospital, by=make_actor("approver"), **told())
    with refused("institution-not-valid"):
        make_session(Institution.objects.get())
    with refused("licence-missing"):
        signed(doctor, appointment)
    assert not queries.free_sessions(3, 430104_000000, at=NOON)


# -- appointments ------------------------------------------------------------------------------------------------------


def test_free_days_are_those_with_a_place_for_the_category_that_serve_the_office():
    hospital = make_institution(city())
    whole = make_session(hospital, day=TOMORROW)
    camp = make_session(hospital, area=make_area(430102, name="芙蓉区"), day=TODAY)
    full = make_session(hospital, day=TOMORROW, capacity=1)
    make_appointment(full, area=make_area())
    make_session(hospital, categories=[1], day=TODAY)
    called_off = make_session(hospital, day=TODAY)
    services.call_off(called_off, by=clerk(city()), **told())
    assert list(queries.free_sessions(3, 430104_000000, at=NOON)) == [whole]
    assert list(queries.free_sessions(3, 430102_000000, at=NOON)) == [camp, whole]
    assert list(queries.free_sessions(3, 430102_000000, at=NOON.replace(hour=17))) == [whole], "the camp is over"


def test_a_case_has_one_open_appointment_and_a_place_that_is_given_back_is_free_again():
    session, other = make_session(capacity=1), make_session(day=TOMORROW)
    first = make_appointment(session)
    with refused("appointment-open"):
        services.book(other, wanted(case_id=first.case_id), by=clerk(), **told())
    with refused("session-full"):
        make_appointment(session)
    services.cancel(first, by=clerk(), reason="出差", **told())
    assert make_appointment(session).state == "booked"
    session.refresh_from_db()
    assert session.taken == 1


def test_the_same_request_books_once():
    session, key, want = make_session(), request_id(), wanted()
    services.book(session, want, by=clerk(), request_id=key, at=NOON)
    with pytest.raises(Replayed):
        services.book(session, want, by=clerk(), request_id=key, at=NOON)
    assert Appointment.objects.count() == 1


def test_a_booking_for_another_office_or_category_or_after_the_end_of_the_day_is_refused():
    session = make_session(categories=[1])
    with refused("session-elsewhere"):
        make_appointment(session)
    with refused("session-elsewhere"):
        services.book(session, wanted(make_area(430102), category=1), by=clerk(make_area(430102)), **told())
    with refused("session-past"):
        services.book(session, wanted(category=1), by=clerk(), **told(NOON.replace(hour=17)))
    with refused("not-found"):
        services.book(session, wanted(category=1), by=clerk(make_area(430102)), **told())
    with refused("not-permitted"):
        services.book(session, wanted(category=1), by=make_actor("approver"), **told())


def test_an_appointment_that_is_changed_frees_the_old_day_and_keeps_whom_it_is_for():
    old, new = make_session(), make_session(day=TOMORROW)
    first = make_appointment(old, dispute=True)
    second = services.rebook(first, new, by=clerk(), **told())
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.taken, new.taken, second.case_id, second.dispute) == (0, 1, first.case_id, True)
    assert queries.day(new, actor=clerk())[0].person.name == "田野"
    full = make_session(capacity=1)
    make_appointment(full)
    with refused("session-full"):
        services.rebook(second, full, by=clerk(), **told())
    second.refresh_from_db()
    assert second.state == "booked", "nothing half done"


def test_nobody_missed_a_day_that_has_not_begun_and_who_missed_it_may_book_another():
    session = make_session()
    appointment = make_appointment(session)
    with refused("session-not-begun"):
        services.miss(appointment, by=clerk(), **told(NOON.replace(hour=7)))
    services.miss(appointment, by=clerk(), **told(NOON.replace(hour=8)))
    session.refresh_from_db()
    assert session.taken == 1
    assert services.book(make_session(day=TOMORROW), wanted(case_id=appointment.case_id), by=clerk(), **told()).pk


def test_a_day_on_which_somebody_is_expected_is_not_called_off():
    session = make_session()
    appointment = make_appointment(session)
    with refused("session-booked"):
        services.call_off(session, by=clerk(), **told())
    services.cancel(appointment, by=clerk(), **told())
    assert services.call_off(session, by=clerk(), **told()).state == "called_off"
    with refused("session-past"):
        make_appointment(session)


def test_a_person_is_sealed_and_stands_in_no_event():
    make_appointment()
    row = Appointment.objects.values().get()
    assert "田野".encode() not in bytes(row["person"]) and "解放路" not in str(list(Event.objects.values("facts")))


def test_a_route_goes_by_the_nearest_home_and_its_taking_is_an_event():
    session = make_session(place_kind="home", point=services.Point(28.20, 112.90))
    doctor = make_assessor(session.institution)
    for name, north in (("远", 28.40), ("近", 28.21), ("中", 28.30)):
        person = services.Person(name, dt.date(1950, 1, 1), "139", f"{name}路", services.Point(north, 112.90))
        make_appointment(session, person=person)
    services.take_route(session, by=doctor, **told())
    route, homes = queries.route(session, actor=doctor)
    assert [home.person.name for home in homes] == ["近", "中", "远"] and 21 < route.kilometres < 24
    assert Event.objects.filter(subject="session", action="take_route").count() == 1


# -- signatures --------------------------------------------------------------------------------------------------------


def test_a_doctor_signs_and_the_case_is_told_category_grade_and_clauses():
    session = make_session()
    doctor, appointment = make_assessor(session.institution), make_appointment(session)
    assessment, conclusion = signed(doctor, appointment)
    assert (assessment.state, assessment.category, assessment.grade) == ("signed", 3, 2)
    assert (conclusion.grade, conclusion.clauses, conclusion.forms) == (2, ("5.4",), ("speech-2010",))
    appointment.refresh_from_db()
    assert appointment.state == "done"
    (result,) = queries.results(appointment.case_id, actor=make_actor("reviewer"))
    assert result.conclusion == conclusion
    assert not queries.results(appointment.case_id, actor=make_actor("reviewer", area=make_area(430702)))
    with refused("step-not-open"):
        signed(doctor, appointment)


def test_the_same_signature_twice_is_one():
    session, key = make_session(), request_id()
    doctor, appointment = make_assessor(session.institution), make_appointment(session)
    services.record(appointment, SPEECH, by=doctor, request_id=key, at=NOON)
    with pytest.raises(Replayed):
        services.record(appointment, SPEECH, by=doctor, request_id=key, at=NOON)
    assert Assessment.objects.count() == 1


def test_who_does_not_meet_the_standard_gets_a_signed_conclusion_without_a_grade():
    session = make_session()
    assessment, conclusion = signed(make_assessor(session.institution), make_appointment(session), {"clarity": "90"})
    assert assessment.grade is None and conclusion.reason == "standard-not-met"


def test_never_again_is_part_of_what_was_signed():
    session = make_session()
    appointment = make_appointment(session)
    signed(make_assessor(session.institution), appointment, SPEECH | {"again": "never", "again_reason": "final"})
    (result,) = queries.results(appointment.case_id, actor=clerk())
    assert result.conclusion.again == Again(None, "final")


def test_the_form_s_answers_are_sealed_and_read_only_for_a_purpose_that_is_noted():
    session = make_session()
    assessment, _ = signed(make_assessor(session.institution), make_appointment(session))
    assert b"clarity" not in bytes(Assessment.objects.values_list("answers", flat=True).get())
    reviewer = make_actor("reviewer")
    with refused("purpose-missing"):
        services.read_in_full(assessment, purpose=" ", by=reviewer, **told())
    assert services.read_in_full(assessment, purpose="case", by=reviewer, **told()) == SPEECH
    assert Event.objects.get(action="read_in_full").facts == {"purpose": "case"}
    with refused("not-permitted"):
        services.read_in_full(assessment, purpose="case", by=clerk(), **told())


def test_several_parts_make_a_multiple_disability_if_the_doctor_may_assess_each_of_them():
    session = make_session()
    answers = {"3": SPEECH, "1": {"acuity_right": "0.01", "acuity_left": "0.01"}}
    half = make_assessor(session.institution, categories=[3])
    appointment = make_appointment(session, category=7)
    with refused("licence-missing"):
        signed(half, appointment, answers)
    for wrong in ({"3": SPEECH}, {"3": SPEECH, "8": {}}, {"3": SPEECH, "7": {}}):
        with refused("components-missing"):
            signed(make_assessor(session.institution), appointment, wrong)
    assessment, conclusion = signed(make_assessor(session.institution), appointment, answers)
    assert (assessment.category, assessment.grade, conclusion.components) == (7, 1, ((1, 1), (3, 2)))


@pytest.mark.parametrize("changed", [
    {"categories": [1]}, {"valid_from": TOMORROW}, {"valid_to": TODAY - dt.timedelta(1)}])
def test_without_a_licence_for_the_category_on_the_day_nobody_signs(changed):
    session = make_session()
    doctor, appointment = make_assessor(session.institution, **changed), make_appointment(session)
    with refused("licence-missing"):
        signed(doctor, appointment)
    appointment.refresh_from_db()
    assert appointment.state == "booked" and not Assessment.objects.exists()


def test_a_licence_is_for_one_institution_and_ends_when_it_is_revoked():
    session = make_session()
    appointment = make_appointment(session)
    with refused("licence-missing"):
        signed(make_assessor(make_institution()), appointment)
    doctor = make_assessor(session.institution)
    licence = Licence.objects.get(officer_id=doctor.id)
    services.revoke_licence(licence, by=make_actor("approver"), **told())
    with refused("licence-missing"):
        signed(doctor, appointment)
    assert license_for(session.institution, licence.officer).pk != licence.pk


def test_nobody_signs_before_the_day_or_without_the_permission():
    session = make_session(day=TOMORROW)
    doctor, appointment = make_assessor(session.institution), make_appointment(session)
    with refused("session-not-begun"):
        signed(doctor, appointment)
    with refused("not-permitted"):
        signed(clerk(), appointment)
    assert signed(doctor, appointment, at=NOON + dt.timedelta(1)).assessment.pk


def test_the_second_signature_is_another_person_s_whatever_account_it_comes_from():
    session = make_session()
    first, second = make_assessor(session.institution), make_assessor(session.institution)
    assessment, _ = signed(first, make_appointment(session))
    other_account = make_assessor(session.institution, officer=make_officer("assessor", person=first.person))
    assert list(queries.waiting(actor=second)) == [assessment]
    assert not queries.waiting(actor=first) and not queries.waiting(actor=other_account)
    for same in (first, other_account):
        with refused("same-person"):
            services.countersign(assessment, agrees=True, by=same, **told())
    assessment = services.countersign(assessment, agrees=True, by=second, **told())
    assert (assessment.state, assessment.second_person) == ("countersigned", second.person)
    with refused("step-not-open"):
        services.countersign(assessment, agrees=False, by=make_assessor(session.institution), **told())


def test_a_second_doctor_who_differs_says_so_and_the_case_can_be_booked_again():
    session = make_session()
    appointment = make_appointment(session)
    assessment, _ = signed(make_assessor(session.institution), appointment)
    with refused("licence-missing"):
        services.countersign(assessment, agrees=False, by=make_assessor(session.institution, categories=[1]), **told())
    second = make_assessor(session.institution)
    assert services.countersign(assessment, agrees=False, by=second, reason="复测", **told()).state == "differed"
    assert services.book(session, wanted(case_id=appointment.case_id), by=clerk(), **told()).pk


# -- fairness ----------------------------------------------------------------------------------------------------------


def test_a_doctor_never_assesses_themselves():
    session, number = make_session(), make_id_number()
    oneself, other = make_assessor(session.institution, id_number=number), make_assessor(session.institution)
    mine = make_appointment(session, person_index=fields.index(number))
    with refused("assessor-is-applicant"):
        signed(oneself, mine)
    assessment, _ = signed(other, mine)
    with refused("assessor-is-applicant"):
        services.countersign(assessment, agrees=True, by=oneself, **told())


def test_a_doctor_never_assesses_a_relative_whoever_declared_it():
    session = make_session()
    doctor, appointment = make_assessor(session.institution), make_appointment(session)
    index = bytes(appointment.person_index)
    services.declare_conflict(doctor.person, index, relation="relative", by=doctor, **told())
    with refused("assessor-conflict"):
        signed(doctor, appointment)
    with refused("conflict-known"):
        services.declare_conflict(doctor.person, index, relation="interest", by=clerk(), **told())
    other, third = make_assessor(session.institution), make_assessor(session.institution)
    assessment, _ = signed(other, appointment)
    services.declare_conflict(third.person, index, relation="guardian", by=clerk(), **told())
    with refused("assessor-conflict"):
        services.countersign(assessment, agrees=True, by=third, **told())


def test_a_guardian_who_is_a_doctor_never_assesses_their_ward_first_or_second_or_on_another_day():
    session, number = make_session(), make_id_number(born=dt.date(1980, 1, 1))
    father, other = make_assessor(session.institution, id_number=number), make_assessor(session.institution)
    ward = make_appointment(session, guardian_index=fields.index(number))
    with refused("assessor-conflict"):
        signed(father, ward)
    moved = services.rebook(ward, make_session(session.institution), by=clerk(), **told())
    with refused("assessor-conflict"):
        signed(father, moved)
    assessment, _ = signed(other, moved)
    with refused("assessor-conflict"):
        services.countersign(assessment, agrees=True, by=father, **told())


def test_a_doctor_declares_for_themselves_and_an_office_for_everybody():
    doctor, other = make_actor("assessor"), make_actor("assessor")
    with refused("not-permitted"):
        services.declare_conflict(other.person, bytes(16), relation="relative", by=doctor, **told())
    key = request_id()
    services.declare_conflict(other.person, bytes(16), relation="relative", by=clerk(), request_id=key, at=NOON)
    with pytest.raises(Replayed):
        services.declare_conflict(other.person, bytes(16), relation="relative", by=clerk(), request_id=key, at=NOON)


def test_in_a_dispute_nobody_who_signed_before_signs_again_first_or_second():
    session = make_session()
    first, second, third, fourth = (make_assessor(session.institution) for _ in range(4))
    appointment = make_appointment(session)
    index = bytes(appointment.person_index)
    services.countersign(signed(first, appointment).assessment, agrees=True, by=second, **told())
    again = make_appointment(session, person_index=index, dispute=True)
    for before in (first, second):
        with refused("assessor-again"):
            signed(before, again)
    disputed, _ = signed(third, again)
    for before in (first, second):
        with refused("assessor-again"):
            services.countersign(disputed, agrees=True, by=before, **told())
    services.countersign(disputed, agrees=True, by=fourth, **told())
    later = make_appointment(session, person_index=index)
    assert signed(first, later).assessment.pk, "a change years later is no dispute"


# -- the database itself -----------------------------------------------------------------------------------------------


def row_of(appointment: Appointment, licence: Licence, **changed) -> dict:
    return {"province": 43, "area_id": appointment.area_id, "appointment": appointment, "state": "signed",
            "institution": licence.institution, "case_id": appointment.case_id, "category": 3, "grade": 2,
            "person_index": bytes(appointment.person_index), "dispute": appointment.dispute, "answers": b"",
            "conclusion": b"", "first": licence, "first_person": licence.person, "signed_at": NOON, **changed}


@pytest.mark.parametrize(("fault", "said"), [
    ("oneself", "nobody assesses themselves"), ("ward", "nobody assesses their ward"),
    ("conflict", "conflict was declared"),
    ("again", "in a dispute nobody"), ("borrowed", "by its own person"), ("twice", "assessment_by_two_persons"),
    ("half", "assessment_second_signed"), ("grade", "assessment_grade_known")])
def test_the_database_refuses_an_unfair_assessment_by_itself(fault, said):
    session, number = make_session(), make_id_number()
    doctor = make_assessor(session.institution, id_number=number)
    licence = Licence.objects.get(officer_id=doctor.id)
    index = fields.index(number) if fault == "oneself" else fields.index("x")
    if fault == "again":
        signed(doctor, make_appointment(session, person_index=index))
    appointment = make_appointment(session, person_index=index, dispute=True,
                                   guardian_index=fields.index(number) if fault == "ward" else None)
    if fault == "conflict":
        services.declare_conflict(doctor.person, index, relation="relative", by=doctor, **told())
    both = {"state": "countersigned", "second": licence, "second_person": licence.person, "second_at": NOON}
    changed = {"borrowed": {"first_person": "somebody else"}, "twice": both, "half": {"state": "countersigned"},
               "grade": {"grade": 5}}.get(fault, {})
    with pytest.raises(IntegrityError, match=said), transaction.atomic():
        Assessment.objects.create(**row_of(appointment, licence, **changed))


def test_the_database_refuses_a_place_too_many_a_second_open_appointment_and_a_strange_office():
    session = make_session(capacity=1)
    first = make_appointment(session)
    row = {"province": 43, "session": session, "state": "booked", "category": 3, "person_index": b"", "person": b"",
           "booked_at": NOON, "area_id": first.area_id, "case_id": 7}
    with pytest.raises(IntegrityError, match="session_has_room"), transaction.atomic():
        Appointment.objects.create(**row)
    with pytest.raises(IntegrityError, match="one_open_per_case"), transaction.atomic():
        Appointment.objects.create(**row | {"session": make_session(), "case_id": first.case_id})
    for strange in ({"area_id": make_area(430702).code}, {"session": make_session(categories=[1])},
                    {"booked_at": NOON.replace(hour=17)}, {"booked_at": NOON + dt.timedelta(1)}):
        with pytest.raises(IntegrityError, match="does not take this case"), transaction.atomic():
            Appointment.objects.create(**row | {"session": make_session()} | strange)


@pytest.mark.parametrize("late", [dt.timedelta(hours=5), dt.timedelta(1)])
def test_the_database_opens_no_day_that_has_ended(late):
    open_ = make_session()
    told_ = {name: value for name, value in Session.objects.filter(pk=open_.pk).values()[0].items() if name != "id"}
    with pytest.raises(IntegrityError, match="session_opened_before_its_end"), transaction.atomic():
        Session.objects.create(**told_ | {"opened_at": NOON + late})


def test_a_county_s_web_takes_a_place_on_the_city_s_day_and_changes_nothing_else_of_it(as_web):
    session = make_session(make_institution(city()))
    other = make_session(make_institution(make_area(430702)))
    county, officer = make_area(), clerk()
    as_web(county.code, county.last)
    appointment = services.book(session, wanted(county), by=officer, **told())
    services.cancel(appointment, by=officer, **told())
    assert list(Session.objects.values_list("pk", flat=True)) == [session.pk] and other.pk
    assert Institution.objects.count() == 1
    with pytest.raises(ProgrammingError, match="another office"), transaction.atomic():
        Session.objects.filter(pk=session.pk).update(state="called_off")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Session.objects.filter(pk=session.pk).update(capacity=99)
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        Institution.objects.filter().update(state="ended")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        list(Conflict.objects.all())


def test_a_doctor_signs_and_a_second_one_countersigns_within_the_web_s_own_rights(as_web):
    session = make_session(make_institution(city()))
    first, second = make_assessor(session.institution), make_assessor(session.institution)
    appointment, area = make_appointment(session, area=make_area()), city()
    as_web(area.code, area.last)
    assessment, _ = signed(first, appointment)
    services.declare_conflict(first.person, fields.index("brother"), relation="relative", by=first, **told())
    assert services.countersign(assessment, agrees=True, by=second, **told()).state == "countersigned"
    assert services.read_in_full(assessment, purpose="case", by=second, **told()) == SPEECH


# -- many at once ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_many_who_book_the_last_places_at_the_same_moment_only_as_many_get_one():
    session, actor, wants = make_session(capacity=3), clerk(), [wanted() for _ in range(8)]
    answers, barrier = [], threading.Barrier(8)

    def book(want) -> None:
        barrier.wait()
        try:
            answers.append(services.book(session, want, by=actor, **told()).state)
        except Refusal as no:
            answers.append(no.code)
        finally:
            connections.close_all()

    run([threading.Thread(target=book, args=[want]) for want in wants])
    assert sorted(answers) == ["booked"] * 3 + ["session-full"] * 5
    session.refresh_from_db()
    assert session.taken == 3 == Appointment.objects.filter(session=session, state="booked").count()


@pytest.mark.django_db(transaction=True)
def test_of_two_clerks_who_book_one_case_on_two_days_at_the_same_moment_one_hears_that_it_has_a_day():
    days, actor, want = [make_session(day=TODAY + dt.timedelta(turn)) for turn in range(6)], clerk(), wanted()
    answers, barrier = [], threading.Barrier(6)

    def book(session) -> None:
        barrier.wait()
        try:
            answers.append(services.book(session, want, by=actor, **told()).state)
        except Refusal as no:
            answers.append(no.code)
        except Exception as fault:
            answers.append(repr(fault))
        finally:
            connections.close_all()

    run([threading.Thread(target=book, args=[session]) for session in days])
    assert sorted(answers) == ["appointment-open"] * 5 + ["booked"]
    assert Appointment.objects.filter(case_id=want.case_id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_conflict_that_two_declare_at_the_same_moment_is_known_to_one_of_them():
    doctor, actor, answers, barrier = make_actor("assessor"), clerk(), [], threading.Barrier(6)

    def declare() -> None:
        barrier.wait()
        try:
            answers.append(services.declare_conflict(
                doctor.person, bytes(16), relation="relative", by=actor, **told()).state)
        except Refusal as no:
            answers.append(no.code)
        except Exception as fault:
            answers.append(repr(fault))
        finally:
            connections.close_all()

    run([threading.Thread(target=declare) for _ in range(6)])
    assert sorted(answers) == ["conflict-known"] * 5 + ["declared"]


@pytest.mark.django_db(transaction=True)
def test_appointments_that_change_days_in_opposite_ways_wait_for_each_other_and_end():
    days = [make_session(), make_session(day=TOMORROW)]
    actor, faults = clerk(), []
    pairs = [(make_appointment(days[turn % 2]), days[1 - turn % 2]) for turn in range(8)]
    barrier = threading.Barrier(8)

    def change(appointment, to) -> None:
        barrier.wait()
        try:
            services.rebook(appointment, to, by=actor, **told())
        except Exception as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    run([threading.Thread(target=change, args=pair) for pair in pairs])
    assert not faults
    for day in days:
        day.refresh_from_db()
        assert day.taken == 4


@pytest.mark.django_db(transaction=True)
def test_two_doctors_who_sign_one_appointment_at_the_same_moment_make_one_assessment():
    session = make_session()
    appointment, answers, barrier = make_appointment(session), [], threading.Barrier(2)
    doctors = [make_assessor(session.institution) for _ in range(2)]

    def sign(doctor) -> None:
        barrier.wait()
        try:
            answers.append(signed(doctor, appointment).assessment.state)
        except Refusal as no:
            answers.append(no.code)
        finally:
            connections.close_all()

    run([threading.Thread(target=sign, args=[doctor]) for doctor in doctors])
    assert sorted(answers) == ["signed", "step-not-open"] and Assessment.objects.count() == 1


def run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


# -- figures -----------------------------------------------------------------------------------------------------------


def test_figures_tell_each_institution_and_doctor_against_the_area(django_assert_max_num_queries):
    strict, mild = make_institution(name="甲"), make_institution(name="乙")
    for hospital, clarity, number in ((strict, "5", 12), (mild, "60", 20)):
        session, doctor = make_session(hospital, capacity=40), make_assessor(hospital)
        for _ in range(number):
            signed(doctor, make_appointment(session), {"clarity": clarity})
    signed(doctor, make_appointment(session), {"clarity": "90"})
    lost = signed(doctor, make_appointment(session)).assessment
    services.countersign(lost, agrees=False, by=make_assessor(mild), **told())
    period, leader = Period(TODAY, TODAY), make_actor("leader")
    with django_assert_max_num_queries(2):
        found = queries.figures("institution", period, actor=leader)
    assert (found.number, round(found.share, 4)) == (33, round(12 / 33, 4))
    first, second = found.units
    assert (first.label, first.number, first.severe, dict(first.grades)) == ("乙", 21, 0, {4: 20, 0: 1})
    assert (second.label, second.share, second.verdict, first.verdict) == ("甲", 1.0, "99.8", "99.8")
    assert first.differed == 1 and round(first.expected[1], 2) == round(21 * 12 / 33, 2)
    by_doctor = queries.figures("assessor", period, actor=leader)
    assert [unit.number for unit in by_doctor.units] == [21, 12]
    assert queries.figures("assessor", Period(TOMORROW, TOMORROW), actor=leader).units == ()
    assert queries.figures("assessor", Period(TODAY, TODAY, 1), actor=leader).number == 0
    assert queries.figures("assessor", period, actor=make_actor("leader", area=make_area(430702))).number == 0
    with refused("not-permitted"):
        queries.figures("assessor", period, actor=clerk())


# -- demo --------------------------------------------------------------------------------------------------------------


def test_the_demo_has_an_institution_two_doctors_and_days_in_each_city_and_asking_twice_changes_nothing():
    cities = [make_area(430104).parent, make_area(430702).parent]
    for _ in range(2):
        made = furnish(cities, by=make_actor("approver", area=cities[0].parent),
                       clerk=make_actor("clerk", area=cities[0].parent), at=NOON)
        assert [one.area for one in made] == cities
    assert Licence.objects.count() == 4 and len({one.person for one in Licence.objects.all()}) == 4
    session = queries.free_sessions(7, 430702_000000, at=NOON).first()
    appointment = make_appointment(session, area=make_area(430702))
    doctor = actor_of(session.institution.licences.first().officer)
    assert signed(doctor, appointment, at=NOON + dt.timedelta(30)).assessment.pk
    assert set(session.categories) == set(EVERY)
