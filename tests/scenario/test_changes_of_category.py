"""A change of category (类别变更) by the pages: asked for at the counter, a day booked, the doctor's form signed."""

import datetime as dt
from contextlib import nullcontext

import pytest
from django.urls import reverse
from django.utils import timezone

import assessing
import builders
from builders import NOON
from stories import Story, card_holder, under
from telling import go_until
from visits import Visitor
from zhengka.areas.models import Area
from zhengka.assessment.models import Appointment, Assessment
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
BLIND = {"acuity_right": "0", "acuity_left": "0"}
LIMB = {"independence": "hardly", "grade_2": ["a"]}


def opens(holder: Holder, wanted: int) -> Case:
    """The clerk opens the change on the holder's page, for this category (0: the one certified)."""
    clerk = Visitor(builders.make_officer("clerk", area=holder.area))
    page = reverse("staff:case-brought", args=[holder.pk, "change"])
    assert "Kind of disability to be assessed" in clerk.get(page).content.decode()
    assert clerk.act(page, wanted=str(wanted)).status_code == 302
    return Case.objects.get(kind_of_case="change")


def books(case: Case) -> None:
    """The clerk books the first free day, on the page that offers the days of the category."""
    session = assessing.make_session(assessing.make_institution(case.area), day=timezone.localdate(),
                                     ends=dt.time(23, 59, 59), at=assessing.begun())
    clerk = Visitor(builders.make_officer("clerk", area=case.area))
    assert clerk.act(reverse("staff:case-book", args=[case.pk]), day=str(session.pk)).status_code == 302


def signs(case: Case, answers: dict) -> None:
    """The doctors of the day sign: one, or two where the region asks for it."""
    place = Appointment.objects.get(case_id=case.pk, state="booked")
    first, second = (assessing.make_assessor(place.session.institution) for _ in range(2))
    told = {"request_id": builders.request_id(), "at": timezone.now()}
    services.sign(place, answers, by=first, **told)
    if Case.get(case.pk).state == "assessed":
        services.second(Assessment.objects.get(case_id=case.pk), agrees=True, by=second, at=timezone.now(),
                        request_id=builders.request_id())


def changed(wanted: int, answers: dict) -> Case:
    """The whole change of a holder of 肢体二级."""
    holder, _certificate = card_holder()
    story = Story(opens(holder, wanted), at=timezone.now())
    go_until(story, "book")
    story.bring_papers()
    books(story.case)
    story.case = Case.get(story.case.pk)
    assert Appointment.objects.get(case_id=story.case.pk).category == (wanted or 4)
    signs(story.case, answers)
    story.case = Case.get(story.case.pk)
    return go_until(story)


@pytest.mark.parametrize("region", ["", "two-doctors", "quick"])
@pytest.mark.parametrize(("wanted", "answers", "certified"), [
    (1, BLIND, (1, 1, [])), (7, {"1": BLIND, "4": LIMB}, (7, 1, [[1, 1], [4, 2]]))], ids=["视力", "多重"])
def test_who_had_a_limb_certificate_and_goes_blind_gets_the_other_category_and_a_new_card(
        region, wanted, answers, certified, tmp_path):
    with under(region, tmp_path) if region else nullcontext():
        case = changed(wanted, answers)
    assert case.state == "ordered"
    now = Certificate.objects.get(state="valid")
    assert (now.category, now.grade, now.components) == certified
    assert Card.objects.get(state="ordered").certificate == now


def test_a_change_of_grade_alone_asks_for_the_category_that_is_certified():
    changed(0, {"independence": "partly", "grade_3": ["c"]})
    assert Certificate.objects.get(state="valid").grade == 3


def test_a_category_that_a_year_bars_cannot_be_asked_for_at_the_form():
    holder, _certificate = card_holder()
    had = builders.make_certificate(holder, category=1)
    Certificate.objects.filter(pk=had.pk).update(state="cancelled", barred_until=timezone.localdate() + dt.timedelta(9))
    clerk = Visitor(builders.make_officer("clerk", area=holder.area))
    page = clerk.act(reverse("staff:case-brought", args=[holder.pk, "change"]), wanted="1")
    assert "cancelled less than a year ago" in page.content.decode() and not Case.objects.exists()


def test_a_category_is_named_for_a_holder_of_another_province_too():
    holder, _certificate = card_holder()
    away: Area = builders.make_area(110101)
    present = services.Present(holder.name, fields.open_(bytes(holder.id_number), "holder.id_number"))
    told = {"by": builders.make_actor(area=away), "at": NOON}
    case = services.open_elsewhere("change", present, wanted=1, request_id=builders.request_id(), **told)
    assert services.category_of(case) == 1
    with pytest.raises(Refusal, match="request-id-reused"):
        again = services.Present("另一人", builders.make_id_number())
        services.open_elsewhere("change", again, request_id=Event.objects.get(
            subject="case", subject_id=case.pk, version=1).request_id, **told)
