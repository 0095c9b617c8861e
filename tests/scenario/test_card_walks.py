"""Random walks of a holder through the offices: whatever is asked, at most one card is usable (I1)."""

import datetime as dt

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import builders
from builders import NOON
from zhengka.cards import queries, services
from zhengka.cards.models import Card
from zhengka.cards.workflow import CARD, IN_PRODUCTION, OUT_OF_LIFE
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, perform_many
from zhengka.core.models import Event

pytestmark = pytest.mark.django_db
MADE = (("ordered", "batch"), ("batched", "prepare"), ("prepared", "send"), ("sent", "accept"))
VERBS = ("order", "finish", "spoil", "reorder", "hand_over", "activate_many", "report_found",
         *("new_card", "activate", "report_lost") * 2)
WALKS = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 2), st.integers(0, 500)), min_size=8, max_size=25)


class Offices:
    """What the offices can be asked for one holder, each by the officer who may."""

    def __init__(self):
        self.holder = builders.make_holder()
        builders.make_card(self.holder, state="active")
        self.certificate = self.holder.certificates.get(generation=3)
        self.by = {role: builders.make_actor(role) for role in ("clerk", "approver", "producer")}

    def ask(self, verb, card, at):
        told = {"request_id": builders.request_id(), "at": at}
        if verb == "new_card":  # all the way to the counter: such walks meet an older card
            for step in ("order", "finish", "hand_over"):
                self.ask(step, Card.objects.filter(holder=self.holder).latest("pk"), at)
        elif verb == "order":
            services.order(self.certificate, profile="disability-placeholder", reason="lost", by=self.by["approver"],
                           **told)
        elif verb in ("finish", "spoil"):
            for source, action in (*MADE[:3], (*MADE[3:], ("sent", "spoil"))[verb == "spoil"]):
                perform_many(Many(Card, [card.pk], source), action, by=self.by["producer"],
                             request_id=builders.request_id(), at=at)
        elif verb == "reorder":
            services.reorder(card, by=self.by["producer"], **told)
        elif verb == "activate_many":
            services.activate_many([card.pk], by=self.by["clerk"], **told)
        else:
            getattr(services, verb)(card, by=self.by["clerk"], **told)


def promises_hold(holder, at):
    cards = list(Card.objects.filter(holder=holder))
    usable = [card for card in cards if queries.gate_state(card, at) == "valid"]
    assert len(usable) <= 1
    assert sum(card.state == "active" for card in cards) <= 1
    assert not ({"active", "suspended"} <= {card.state for card in cards}), "a lost card could come back beside it"
    assert sum(card.state in IN_PRODUCTION for card in cards) <= 1
    for card in cards:
        events = list(Event.objects.filter(subject="card", subject_id=card.pk).order_by("version"))
        assert not events or (events[-1].target, events[-1].version) == (card.state, card.version)


@settings(max_examples=30, deadline=None, phases=(Phase.reuse, Phase.generate),
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walk=WALKS)
def test_a_holder_never_has_two_usable_cards(walk):
    with transaction.atomic():
        offices, day = Offices(), 0
        for verb, which, days in walk:
            day += days // 5
            at = NOON + dt.timedelta(days=day)
            cards = list(Card.objects.filter(holder=offices.holder).order_by("-pk"))
            try:
                with transaction.atomic():
                    offices.ask(verb, cards[which % len(cards)], at)
            except Refusal:
                pass
            promises_hold(offices.holder, at)
        transaction.set_rollback(True)


def test_no_step_leads_back_from_the_end_of_a_cards_life():
    assert [step for step in CARD.steps if step.source in OUT_OF_LIFE and step.target not in OUT_OF_LIFE] == []
