"""A death closes the record: what else was open for the person ends with it, at every office."""

import pytest

import assessing
import builders
from stories import applies, brings, card_holder
from zhengka.assessment.models import Appointment
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
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
