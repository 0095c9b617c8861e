"""Nothing of a person is left open at an office that they have left: it ends with the move, or is decided before it."""

import pytest

import builders
from builders import NOON
from stories import Story, applies, backstage, brings, card_holder, person
from visits import Visitor
from zhengka.assessment.models import Appointment
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.letters.models import Letter
from zhengka.registry.models import Holder
from zhengka.web.staff.case_words import KIND_WORDS

pytestmark = pytest.mark.django_db


def under_way(holder: Holder) -> tuple[Story, Story]:
    """A move that both offices have decided."""
    away = brings("transfer_out_city", holder, to=builders.make_area(430102, name="芙蓉区").pk, moved="2026-11-01")
    away.take("request", "review", "approve")
    services.move_on(away.case.pk, at=away.at)
    here = Story(Case.get(away.case.pk).counterpart, at=away.at)
    here.take("accept", "review", "approve")
    return away, here


def moves(holder: Holder) -> Story:
    """The move goes to its end; the case at the new office."""
    _, here = under_way(holder)
    assert services.move_on(here.case.pk, at=NOON).state == "ordered"
    return here


def why_ended(story: Story) -> str:
    story.case = Case.get(story.case.pk)
    assert (story.case.state, story.case.ended_at) == ("closed", NOON)
    return Event.objects.filter(subject="case", subject_id=story.case.pk).latest("version").facts["reason"]


@pytest.mark.parametrize("kind", ["damage", "loss", "correction", "change"])
def test_what_the_old_office_had_open_ends_with_the_move_and_the_new_one_may_open_it(kind):
    holder, _ = card_holder()
    left = brings(kind, holder, **({"name": "田埂"} if kind == "correction" else {}))
    here = moves(holder)
    assert why_ended(left) == here.case.kind_of_case
    told = Letter.objects.get(subject="case", subject_id=left.case.pk, template="generic")
    assert told.area_id == left.case.area_id, "the old office says so"
    if kind in ("correction", "change"):
        assert brings(kind, Holder.get(holder.pk), name="田埂").case.area == here.case.area


def test_a_day_at_a_doctor_s_is_given_back_with_a_case_that_ends_with_the_move():
    holder, _ = card_holder()
    left = brings("change", holder, wanted=1)
    left.take("accept", "book")
    moves(holder)
    assert why_ended(left) == "transfer_in_city"
    assert Appointment.objects.get(case_id=left.case.pk).state == "cancelled"


@pytest.mark.parametrize(("kind", "told"), [
    ("cancellation", {"reason": "own-wish"}), ("freeze", {"reason": "under-inquiry"})])
def test_what_may_take_the_certificate_away_is_decided_before_the_move_which_goes_on_then(kind, told):
    holder, _ = card_holder()
    _, here = under_way(holder)
    left = brings(kind, Holder.get(holder.pk), **told)
    services.run_clocks(at=NOON)
    here.case = Case.get(here.case.pk)
    assert (here.case.state, services.why_it_waits(here.case)) == ("approved", "decided-before-move")
    left.take("disprove" if kind == "freeze" else "withdraw")
    services.run_clocks(at=NOON)
    assert Case.get(here.case.pk).state == "ordered" and Case.get(left.case.pk).state != "closed"


def test_whoever_is_granted_a_certificate_elsewhere_leaves_nothing_open_behind(as_web):
    holder, _ = card_holder()
    brings("cancellation", holder, reason="own-wish").take("accept", "verify", "review", "approve")
    left = brings("restoration", Holder.get(holder.pk))
    number = fields.open_(bytes(holder.id_number), "holder.id_number")
    anew = applies(person(name=holder.name, id_number=number), wanted=1, area=builders.make_area(430102))
    anew.take("accept")
    anew.assess()
    anew.notice()
    anew.take("review")
    approver, area = anew.by("approver"), anew.case.area
    as_web(area.code, area.last)
    anew.take("approve", by=approver)
    with backstage():
        left.case = Case.get(left.case.pk)
        assert (left.case.state, left.case.ended_at, Holder.get(holder.pk).area_id) == ("closed", anew.at, area.pk)


@pytest.mark.parametrize("action", ["return_papers", "decline", "name"])
def test_a_case_whose_record_is_another_office_s_by_now_breaks_no_step_of_a_clerk(action, as_web):
    holder, _ = card_holder()
    left = brings("damage", holder)
    there = builders.make_area(430102)
    clerk = left.by("clerk")
    Card.objects.filter(holder=holder).update(area=there)
    holder.certificates.update(area=there)
    Holder.objects.filter(pk=holder.pk).update(area=there)  # as moves left it before cases ended with them
    case = Case.objects.get(pk=left.case.pk)
    as_web(clerk.lo, clerk.hi)
    told = {"by": clerk, "request_id": builders.request_id(), "at": NOON}
    if action == "name":
        services.name_guardian(case, services.Guardian("石磊", builders.make_id_number(), "13900000002"), **told)
    else:
        services.take(case, action, reason="because", **told)
    assert Case.objects.get(pk=case.pk).version > case.version


def test_the_page_of_the_old_office_says_by_what_its_case_ended():
    holder, _ = card_holder()
    left = brings("damage", holder)
    here = moves(holder)
    page = Visitor(builders.make_officer("clerk", area=left.case.area)).get(f"/staff/cases/{left.case.pk}")
    assert str(KIND_WORDS[here.case.kind_of_case]) in page.content.decode()


def test_a_decision_of_the_old_office_is_disputed_no_more_once_the_person_has_moved(as_web):
    holder, _ = card_holder()
    decided = brings("damage", holder)
    decided.take("accept", "review", "approve")
    there = builders.make_area(430102)
    Holder.objects.filter(pk=holder.pk).update(area=there)
    clerk = decided.by("clerk")
    case = Case.objects.get(pk=decided.case.pk)
    as_web(clerk.lo, clerk.hi)
    with pytest.raises(Refusal, match="elsewhere-unfit"):
        services.dispute("dispute_city", Case.objects.get(pk=case.pk), by=clerk, request_id=builders.request_id(),
                         at=NOON)
