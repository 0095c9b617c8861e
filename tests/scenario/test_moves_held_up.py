"""What keeps a move between two offices from its end, and what becomes of it."""

import pytest
from django.urls import reverse

import assessing
import builders
from builders import NOON
from stories import Story, brings, card_holder, under
from visits import Visitor
from zhengka.areas.models import Area
from zhengka.assessment.models import Appointment, Session
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import between, queries, services
from zhengka.cases.models import Case
from zhengka.core.models import Event
from zhengka.letters.models import Letter
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
UNDELIVERED = ("ordered", "batched", "held", "prepared", "sent", "ready", "issued")


def under_way(holder: Holder) -> tuple[Story, Story]:
    """A departure, and the arrival that both offices have approved."""
    away = brings("transfer_out_city", holder, to=builders.make_area(430102, name="芙蓉区").pk, moved="2026-11-01")
    away.take("request", "review", "approve")
    services.move_on(away.case.pk, at=away.at)
    here = Story(Case.get(away.case.pk).counterpart, at=away.at)
    here.take("accept", "review", "approve")
    away.case = Case.get(away.case.pk)
    return away, here


def page(case: Case, area: Area | None = None) -> str:
    """A case as a clerk of its office sees it."""
    return Visitor(builders.make_officer("clerk", area=area or case.area)).get(
        reverse("staff:case", args=[case.pk])).content.decode()


def facts(case: Case, action: str) -> dict[str, object]:
    return Event.objects.filter(subject="case", subject_id=case.pk, action=action).latest("version").facts


@pytest.mark.parametrize("state", UNDELIVERED)
def test_a_card_of_the_old_office_that_was_never_in_use_is_withdrawn_and_the_new_office_has_another_one_made(state):
    holder, certificate = card_holder()
    old = builders.make_card(holder, state=state, certificate=certificate)
    away, here = under_way(holder)
    assert services.run_clocks(at=here.at)["move_on"] == 1
    here.case = Case.get(here.case.pk)
    assert (Card.get(old.pk).state, here.case.state, here.case.card.state) == ("cancelled", "ordered", "ordered")
    assert Card.objects.get(state="active").area_id == here.case.card.area_id == here.case.area_id
    assert facts(away.case, "arrive")["withdrawn"] == facts(here.case, "order")["withdrawn"] == 1


def test_a_card_that_was_withdrawn_is_not_handed_over_any_more():
    holder, certificate = card_holder()
    old = builders.make_card(holder, state="ready", certificate=certificate)
    _away, here = under_way(holder)
    services.move_on(here.case.pk, at=here.at)
    with pytest.raises(Exception, match="step-not-open"):
        cards.hand_over(Card.get(old.pk), by=builders.make_actor(area=holder.area), request_id=builders.request_id(),
                        at=NOON)


def test_both_offices_read_that_a_card_of_the_old_office_is_on_its_way_and_what_becomes_of_it():
    holder, certificate = card_holder()
    builders.make_card(holder, state="ready", certificate=certificate)
    away, here = under_way(holder)
    for case in (away.case, here.case):
        assert "withdrawn when the certificate arrives" in page(case)
    services.move_on(here.case.pk, at=here.at)
    for case in (away.case, here.case):
        shown = page(case)
        assert "Cards of the old office withdrawn" in shown and "withdrawn when the certificate arrives" not in shown


def test_what_keeps_the_platform_from_a_move_stands_on_both_pages_once_and_the_clock_tries_again():
    holder, _ = card_holder()
    away, here = under_way(holder)
    Holder.objects.filter(pk=holder.pk).update(state="closed")
    for _twice in range(2):
        services.run_clocks(at=here.at)
    for case in (away.case, here.case):
        waits = Event.objects.filter(subject="case", subject_id=case.pk, action="wait")
        assert [event.facts["reason"] for event in waits] == ["step-not-open"]
        assert services.why_it_waits(Case.get(case.pk)) == "step-not-open"
        assert "What is missing" in page(case)
    Holder.objects.filter(pk=holder.pk).update(state="registered")
    services.run_clocks(at=here.at)
    assert (Case.get(away.case.pk).state, Case.get(here.case.pk).state) == ("arrived", "ordered")


@pytest.mark.parametrize("ending", ["turned-back", "cancelled"])
def test_an_arrival_that_closes_gives_its_booked_day_back(tmp_path, ending):
    with under("two-doctors", tmp_path):
        holder, _ = card_holder()
        away = brings("transfer_out_city", holder, to=builders.make_area(430102).pk, moved="2026-11-01")
        away.take("request", "review", "approve")
        away.take("recheck", by=builders.make_actor("approver", area=holder.area.parent))
        services.move_on(away.case.pk, at=NOON)
        here = Story(Case.get(away.case.pk).counterpart, at=NOON)
        here.take("precheck", "accept")
        session = assessing.make_session(assessing.make_institution(here.case.area), area=here.case.area)
        services.book_day(here.case, session, by=here.by("clerk"), request_id=builders.request_id(), at=NOON)
        assert Session.objects.get(pk=session.pk).taken == 1
        away.case = Case.get(away.case.pk)
        if ending == "turned-back":
            away.take("turn_back")
        else:
            Certificate.objects.update(state="cancelled")
            Card.objects.update(state="cancelled")
        services.move_on(away.case.pk, at=NOON)
        assert Case.get(here.case.pk).state == "closed"
        assert Appointment.objects.get().state == "cancelled" and Session.objects.get(pk=session.pk).taken == 0


def test_each_office_on_the_site_takes_its_own_steps_of_a_move_and_reads_where_the_other_stands(as_web):
    holder, _ = card_holder()
    away = brings("transfer_out_city", holder, to=builders.make_area(430102, name="芙蓉区").pk, moved="2026-11-01")
    away.take("request", "review", "approve")
    services.move_on(away.case.pk, at=away.at)
    here = Story(Case.get(away.case.pk).counterpart, at=away.at)
    officers = {action: here.by(role) for action, role in (
        ("accept", "clerk"), ("review", "reviewer"), ("approve", "approver"))}
    as_web(here.case.area_id, here.case.area.last)
    for action, officer in officers.items():
        here.case = queries.get(here.case.pk, actor=officer)
        here.take(action, by=officer)
    other = between.other_side(here.case)
    assert (here.case.state, other.state, other.area.pk) == ("approved", "approved", holder.area_id)
    assert set(Letter.objects.values_list("template", flat=True)) == {"acceptance-undated", "decision-approved"}
