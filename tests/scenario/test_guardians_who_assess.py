"""An assessor never assesses a relative (回避): the guardian whom a case names, by their ID number."""

import datetime as dt

import pytest

import assessing
import builders
from builders import NOON, make_area, make_id_number, request_id
from stories import Story, applies, brings, person
from zhengka.assessment.models import Appointment
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.cases.services import Guardian
from zhengka.core import fields
from zhengka.core.errors import Refusal

pytestmark = pytest.mark.django_db


def with_a_father() -> tuple[Story, str]:
    """The application of a child whose father is named, and the father's ID number."""
    number = make_id_number(born=dt.date(1980, 1, 1))
    child = person(id_number=make_id_number(born=dt.date(2016, 1, 1)), guardian_name="石山", guardian_id=number)
    story = applies(child, wanted=3)
    story.take("accept")
    return story, number


def books(story: Story) -> Appointment:
    """A clerk books a day for the case; the doctor's licence is at that day's institution."""
    session = assessing.make_session(at=story.at)
    services.book_day(story.case, session, by=story.by("clerk"), request_id=request_id(), at=story.at)
    return Appointment.objects.get(case_id=story.case.pk)


def test_a_father_who_is_the_named_guardian_does_not_sign_his_own_childs_form():
    story, number = with_a_father()
    place = books(story)
    father = assessing.make_assessor(place.session.institution, id_number=number)
    with pytest.raises(Refusal, match="assessor-conflict"):
        services.sign(place, assessing.SPEECH, by=father, request_id=request_id(), at=NOON)
    assert Case.get(story.case.pk).state == "booked"
    other = assessing.make_assessor(place.session.institution)
    assert services.sign(place, assessing.SPEECH, by=other, request_id=request_id(), at=NOON).grade == 2


def test_a_doctor_who_is_named_as_guardian_after_the_day_was_booked_does_not_sign_either():
    story = applies(person(id_number=make_id_number(born=dt.date(2016, 1, 1)), guardian_name="石山",
                           guardian_id=make_id_number(born=dt.date(1950, 1, 1))), wanted=3)
    story.take("accept")
    place, number = books(story), make_id_number(born=dt.date(1980, 1, 1))
    father = assessing.make_assessor(place.session.institution, id_number=number)
    services.name_guardian(story.case, Guardian("石川", number, ""), by=story.by("clerk"), request_id=request_id(),
                           at=story.at)
    with pytest.raises(Refusal, match="assessor-conflict"):
        services.sign(place, assessing.SPEECH, by=father, request_id=request_id(), at=NOON)
    other = assessing.make_assessor(place.session.institution)
    form = services.sign(place, assessing.SPEECH, by=other, request_id=request_id(), at=NOON)
    with pytest.raises(Refusal, match="assessor-conflict"):
        services.second(form, agrees=True, by=father, request_id=request_id(), at=NOON)
    aunt = make_id_number(born=dt.date(1985, 1, 1))
    services.name_guardian(story.case, Guardian("石兰", aunt, ""), by=story.by("clerk"), request_id=request_id(),
                           at=story.at)
    with pytest.raises(Refusal, match="assessor-conflict"):
        services.second(form, agrees=True, by=assessing.make_assessor(place.session.institution, id_number=aunt),
                        request_id=request_id(), at=NOON)


def test_a_later_case_of_the_same_child_knows_the_guardian_whom_the_first_one_named():
    story, number = with_a_father()
    holder = builders.make_holder(area=make_area(), id_number=make_id_number(born=dt.date(2016, 1, 1)))
    certificate = builders.make_certificate(holder, category=3, generation=3)
    certificate.issued_on, certificate.valid_until = dt.date(2021, 1, 4), dt.date(2031, 1, 4)
    certificate.save()
    Case.objects.filter(pk=story.case.pk).update(holder=holder)
    change = brings("change", holder)
    change.take("accept")
    place = books(change)
    father = assessing.make_assessor(place.session.institution, id_number=number)
    with pytest.raises(Refusal, match="assessor-conflict"):
        services.sign(place, assessing.SPEECH, by=father, request_id=request_id(), at=NOON)


@pytest.mark.parametrize("since", [False, True], ids=["at the opening", "since then"])
def test_a_case_for_which_no_day_was_booked_yet_says_whom_it_names_once_one_is(since):
    story, number = with_a_father()
    if since:
        number = make_id_number(born=dt.date(1985, 1, 1))
        services.name_guardian(story.case, Guardian("石兰", number, ""), by=story.by("clerk"), request_id=request_id(),
                               at=story.at)
        story.case = Case.get(story.case.pk)
    assert not Appointment.objects.exists()
    assert bytes(books(story).guardian_index) == fields.index(number)
