"""Who had a certificate before comes back: after the year's bar, after a change there and back, at a new office."""

import base64
import datetime as dt
import json
from dataclasses import replace

import pytest

import builders
from builders import NOON
from stories import HAND, LEG, Story, applies, brings, card_holder, confirmed, left_behind, person
from zhengka.cards.models import Card
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Finding, Person

pytestmark = pytest.mark.django_db


def same(holder: Holder) -> Person:
    """The holder as an applicant, living elsewhere by now."""
    return person(id_number=fields.open_(bytes(holder.id_number), "holder.id_number"), phone="13900000002")


def decided(story: Story) -> Case:
    return story.take("review", "approve")


def found(story: Story, what: Finding) -> Case:
    """Accepted, assessed, publicised and decided."""
    story.take("accept", "book")
    story.assess(what)
    story.notice()
    return decided(story)


def ends(holder: Holder, reason: str) -> Story:
    story = brings("cancellation", holder, reason=reason)
    story.take("accept", "verify")
    decided(story)
    return story


def says(certificate: Certificate) -> Finding:
    return Finding(certificate.category, certificate.grade)


def test_after_the_bar_the_same_category_and_grade_has_its_number_again():
    holder, before = card_holder()
    ends(holder, "own-wish")
    case = found(applies(same(holder), at=NOON + dt.timedelta(400)), says(before))
    assert case.holder_id == holder.pk and case.certificate_id != before.pk
    assert registry.number_of(case.certificate) == registry.number_of(before)


def test_a_grade_that_changes_there_and_back_has_its_number_again():
    holder, _ = card_holder()
    for grade in (LEG, HAND, LEG):
        Card.objects.filter(state="ordered").update(state="spoiled")
        if says(registry.current(holder.pk)) != grade:
            found(brings("change", Holder.get(holder.pk)), grade)
    assert says(Certificate.objects.get(state="valid")) == LEG


def test_a_number_that_was_lost_never_holds_again():
    holder, before = card_holder()
    lost = brings("loss", holder)
    lost.take("accept")
    decided(lost)
    ends(holder, "own-wish")
    case = found(applies(same(holder), at=NOON + dt.timedelta(400)), says(before))
    assert str(registry.number_of(case.certificate)) == f"{registry.number_of(before)}B1"


def test_after_a_lapse_the_new_office_takes_the_record_up_and_issues_anew():
    holder, before = card_holder()
    story = confirmed(brings("transfer_out_nation", holder, moved="2026-11-20"))
    left_behind(NOON.replace(year=2027, month=5, day=21), NOON.replace(year=2027, month=11, day=23))
    assert Case.get(story.case.pk).state == "lapsed"
    new = builders.make_area(430102)
    case = found(applies(same(holder), area=new, at=NOON.replace(year=2027, month=12)), says(before))
    taken = Holder.get(holder.pk)
    assert (case.holder_id, taken.area_id, case.certificate.area_id) == (holder.pk, new.pk, new.pk)
    assert registry.reached(taken)[0] == "13900000002", "as they said when they came"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_who_comes_back_under_another_name_has_the_name_of_the_application_and_the_event_keeps_the_old_one(elsewhere):
    holder, before = card_holder()
    ends(holder, "own-wish")
    area = builders.make_area(430102) if elsewhere else holder.area
    case = found(applies(replace(same(holder), name="卓玛"), area=area, at=NOON.replace(year=2027, month=12)),
                 says(before))
    taken = Holder.get(holder.pk)
    assert (case.holder_id, taken.name, taken.pinyin) == (holder.pk, "卓玛", "zhuoma")
    last = Event.objects.filter(subject="holder", subject_id=holder.pk).latest("version")
    assert last.action == ("move" if elsewhere else "correct")
    sealed = last.facts["was_name" if elsewhere else "was"]
    assert holder.name not in str(last.facts)
    assert json.loads(fields.open_(base64.b64decode(sealed), "event.was")) == {"name": holder.name}


def test_who_comes_back_under_the_same_name_changes_no_record():
    holder, before = card_holder()
    ends(holder, "own-wish")
    found(applies(replace(same(holder), name=holder.name), at=NOON.replace(year=2027, month=12)), says(before))
    assert not Event.objects.filter(subject="holder", subject_id=holder.pk, action="correct").exists()


def test_a_number_is_there_once_among_certificates_in_force():
    _holder, certificate = card_holder()
    other = builders.make_holder()
    with pytest.raises(Refusal, match="certificate-opened"):
        registry.issue(other, registry.Content(registry.number_of(certificate), (NOON.date(), dt.date(2036, 1, 1))),
                       by=builders.make_actor("approver", area=other.area), request_id=builders.request_id(), at=NOON)


def test_nobody_applies_with_the_number_of_somebody_dead():
    holder, _ = card_holder()
    ends(holder, "death")
    with pytest.raises(Refusal, match="record-closed"):
        applies(same(holder))
    with pytest.raises(Refusal, match="elsewhere-unfit"):
        applies(same(holder), area=builders.make_area(430102))
