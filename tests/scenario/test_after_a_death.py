"""A death closes the record: what else was open for the person ends with it, at every office."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

import assessing
import builders
from builders import NOON
from stories import HAND, Story, applies, brings, card_holder
from zhengka.assessment.models import Appointment
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.cases.services import moving
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.letters.models import Letter
from zhengka.registry.models import Holder

pytestmark = pytest.mark.django_db


def test_every_other_open_case_of_who_has_died_ends_with_the_reason():
    holder, _ = card_holder()
    loss = brings("loss", holder)
    loss.take("accept", "review")
    away = brings("transfer_out_city", holder, to=builders.make_area(430102).pk)
    away.take("request", "review", "approve")
    services.move_on(away.case.pk, at=away.at)
    change = brings("change", holder)
    change.take("accept")
    day = assessing.make_session(assessing.make_institution(holder.area), at=change.at)
    services.book_day(change.case, day, by=change.by("clerk"), request_id=builders.request_id(), at=change.at)
    somebody = applies()
    death = brings("cancellation", holder, reason="death")
    death.take("accept", "verify", "review", "approve")
    assert Holder.get(holder.pk).state == "closed"
    others = [loss.case, away.case, Case.get(away.case.pk).counterpart, change.case]
    for case in (Case.get(other.pk) for other in others):
        last = Event.objects.filter(subject="case", subject_id=case.pk).latest("version")
        assert (case.state, case.due_on, last.action) == ("closed", None, "end_by_death"), case.kind_of_case
        assert case.ended_at and last.facts["reason"] == "death"
    assert Appointment.objects.get().state == "cancelled", "the place is free for somebody else"
    assert Case.get(somebody.case.pk).ended_at is None
    with pytest.raises(Refusal, match="step-not-open"):
        loss.take("approve")
    services.move_on(others[2].pk, at=death.at)
    assert Case.get(away.case.pk).state == "closed", "nothing turns back"


def test_a_cancellation_on_ones_own_wish_closes_no_other_case():
    holder, _ = card_holder()
    restored = brings("correction", holder, name="田埂")
    wish = brings("cancellation", holder, reason="own-wish")
    wish.take("accept", "verify", "review", "approve")
    assert Case.get(restored.case.pk).ended_at is None


LATER = NOON + dt.timedelta(40)


def dies(holder: Holder) -> Story:
    """A clerk brings the death, a colleague verifies it, two persons decide."""
    death = brings("cancellation", holder, reason="death")
    death.take("accept", "verify", "review", "approve")
    return death


def undone(death: Story) -> Case:
    return services.undo(death.case, "本人接听电话", by=death.by("clerk"), request_id=builders.request_id(), at=LATER)


def last_event(case: Case) -> Event:
    return Event.objects.filter(subject="case", subject_id=case.pk).latest("version")


def test_a_wrong_death_lets_every_case_that_it_ended_go_on_where_it_was_with_its_limits_from_that_day():
    holder, _ = card_holder()
    change, away = brings("change", holder), brings("transfer_out_city", holder, to=builders.make_area(430102).pk)
    change.take("accept", "book")
    change.assess(HAND)
    change.notice()
    assert change.case.due_on
    away.take("request", "review", "approve")
    services.move_on(away.case.pk, at=away.at)
    was = Case.get(away.case.pk)
    death = dies(holder)
    undone(death)
    now, left, arrival = (Case.get(pk) for pk in (change.case.pk, was.pk, was.counterpart_id))
    assert (now.state, left.state, arrival.state) == ("noticed", "approved", "applied")
    assert {case.ended_at for case in (now, left, arrival)} == {None} and left.counterpart == arrival
    assert now.due_on == moving.due(now, "noticed", LATER) and now.due_on > LATER.date()
    gap = LATER.date() - NOON.date()
    assert (left.freezes_on - was.freezes_on).days in range(gap.days, gap.days + 9), "no day of it ran meanwhile"
    assert [last_event(case).action for case in (now, left, arrival)] == ["resume"] * 3
    facts = last_event(death.case).facts
    assert sorted(facts["resumed"]) == ["change", "transfer_out_city"], "the other office's says so itself"
    change.case, change.at = now, LATER
    assert change.take("review", "approve").state == "ordered"


def test_a_notice_that_a_wrong_death_took_down_hangs_for_its_full_days_anew():
    holder, _ = card_holder()
    change = brings("change", holder)
    change.take("accept", "book")
    change.assess(HAND)
    before = change.take("publish")
    undone(dies(holder))
    again = Case.get(before.pk)
    assert (again.state, again.notice_from) == ("publicised", LATER.date())
    assert again.notice_ends > LATER.date() > before.notice_ends
    with pytest.raises(Refusal, match="notice-running"):
        services.end_notice(again, by=change.by("clerk"), request_id=builders.request_id(), at=LATER)


def test_a_day_that_was_given_back_is_booked_anew_and_the_person_is_told():
    holder, _ = card_holder()
    change = brings("change", holder)
    change.take("accept")
    day = assessing.make_session(assessing.make_institution(holder.area), at=change.at)
    services.book_day(change.case, day, by=change.by("clerk"), request_id=builders.request_id(), at=change.at)
    undone(dies(holder))
    now = Case.get(change.case.pk)
    assert (now.state, last_event(now).action) == ("accepted", "call_off") and services.waits_for_day(now)
    assert Letter.objects.filter(subject_id=now.pk, template="appointment-called-off", channel="print").count() == 1


def test_a_case_that_cannot_go_on_is_named_and_the_others_go_on():
    holder, _ = card_holder()
    loss, exchange = brings("loss", holder), builders.make_case(holder)
    loss.take("accept")
    death = dies(holder)
    again = builders.make_case(holder)
    undone(death)
    assert (Case.get(loss.case.pk).state, Case.get(exchange.pk).state) == ("accepted", "closed")
    stays, facts = last_event(exchange), last_event(death.case).facts
    assert (stays.action, stays.facts["reason"], Case.get(again.pk).ended_at) == ("stay_closed", "case-open", None)
    assert (facts["resumed"], facts["still_closed"]) == (["loss"], ["exchange"])


def test_a_second_wrong_death_wakes_nothing_that_the_first_one_ended_for_good():
    holder, _ = card_holder()
    exchange = builders.make_case(holder)
    first = dies(holder)
    builders.make_case(holder)
    undone(first)
    undone(dies(Holder.get(holder.pk)))
    assert Case.get(exchange.pk).state == "closed"


def test_two_persons_who_restore_let_them_go_on_too():
    holder, _ = card_holder()
    loss = brings("loss", holder)
    loss.take("accept", "review")
    dies(holder)
    back = brings("restoration", Holder.get(holder.pk), at=LATER)
    back.take("accept", "verify", "review", "approve")
    assert Case.get(loss.case.pk).state == "reviewed" and last_event(loss.case).action == "resume"


def test_the_database_lets_a_case_out_of_its_end_by_death_alone_and_to_where_it_was():
    holder, _ = card_holder()
    loss, other = brings("loss", holder), brings("correction", holder, name="田埂")
    loss.take("accept")
    other.take("withdraw")
    closed = brings("transfer_out_city", holder)
    closed.take("close")
    dies(holder)
    for case, state in ((loss.case, "reviewed"), (closed.case, "noted")):
        with pytest.raises(IntegrityError, match="has no way from closed"), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(state=state)
    Case.objects.filter(pk=loss.case.pk).update(state="accepted")
