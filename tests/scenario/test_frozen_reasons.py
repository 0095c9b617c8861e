"""Why a certificate is frozen stays on its row: only that reason's own end lifts it, and an undo returns to it."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

import builders
from builders import NOON
from stories import Story, brings, card_holder, confirmed, left_behind
from visits import Visitor
from zhengka.bulk.services import Asked
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.cases.services.freezing import hold_again
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.workflow import FROZEN_FOR
from zhengka.web.staff.case_words import FROZEN_WORDS

pytestmark = pytest.mark.django_db


def stopped(holder: Holder, reason: str) -> Case:
    story = brings("freeze", holder, reason=reason)
    return story.take("verify", "review", "approve")


def follows(holder: Holder) -> Case:
    """Both offices have decided on a move; the platform has not done it yet."""
    away = brings("transfer_out_city", holder, to=builders.make_area(430102).pk, moved="2026-11-01")
    away.take("request", "review", "approve")
    services.move_on(away.case.pk, at=away.at)
    here = Story(Case.get(away.case.pk).counterpart, at=away.at)
    return here.take("accept", "review", "approve")


def states() -> tuple[str, list[str]]:
    return Certificate.objects.get().state, sorted(Card.objects.values_list("state", flat=True))


def test_a_move_waits_for_the_end_of_an_inquiry_and_goes_on_by_itself():
    holder, certificate = card_holder()
    stopped(holder, "under-inquiry")
    arrival = follows(holder)
    with pytest.raises(Refusal, match="certificate-not-valid"):
        services.move_on(arrival.pk, at=NOON)
    assert states() == ("frozen", ["frozen"]) and Certificate.get(certificate.pk).area_id == holder.area_id
    brings("unfreeze", holder).take("accept", "review", "approve")
    assert services.run_clocks(at=NOON)["move_on"] == 1
    assert (Case.get(arrival.pk).state, states()) == ("ordered", ("valid", ["active", "ordered"]))


def test_a_holder_who_had_left_the_area_is_no_longer_frozen_once_the_certificate_has_followed():
    holder, certificate = card_holder()
    stopped(holder, "left-the-area")
    services.move_on(follows(holder).pk, at=NOON)
    moved = Certificate.get(certificate.pk)
    assert (moved.frozen_for, moved.area_id) == ("", 430102_000000)
    assert states() == ("valid", ["active", "ordered"])


@pytest.mark.parametrize(("reason", "after"), [("under-inquiry", "frozen"), ("death-reported", "valid")])
def test_a_wrong_death_leaves_a_certificate_as_it_was_before(reason, after):
    holder, certificate = card_holder()
    stopped(holder, reason)
    story = brings("cancellation", holder, reason="death")
    story.take("accept", "verify", "review", "approve")
    assert Certificate.get(certificate.pk).frozen_for == reason
    services.undo(story.case, "本人接听电话", by=builders.make_actor(area=holder.area),
                  request_id=builders.request_id(), at=NOON)
    assert states() == (after, ["cancelled", "ordered"])
    if after == "frozen":
        brings("unfreeze", Holder.get(holder.pk)).take("accept", "review", "approve")
        assert states() == ("valid", ["cancelled", "ordered"])


def test_two_persons_who_restore_what_was_frozen_restore_it_frozen():
    holder, certificate = card_holder()
    stopped(holder, "under-inquiry")
    brings("cancellation", holder, reason="own-wish").take("accept", "verify", "review", "approve")
    brings("restoration", Holder.get(holder.pk)).take("accept", "verify", "review", "approve")
    back = Certificate.get(certificate.pk)
    assert (back.state, back.frozen_for, back.barred_until) == ("frozen", "under-inquiry", None)


@pytest.mark.parametrize(("state", "reason"), [("frozen", ""), ("frozen", "a whim"), ("valid", "under-inquiry")])
def test_the_database_keeps_no_freeze_without_its_reason_and_no_reason_without_a_freeze(state, reason):
    _, certificate = card_holder()
    with pytest.raises(IntegrityError, match="certificate_frozen_for_a_reason"), transaction.atomic():
        Certificate.objects.filter(pk=certificate.pk).update(state=state, frozen_for=reason)


def test_what_the_clock_froze_says_so_until_it_follows():
    holder, certificate = card_holder()
    confirmed(brings("transfer_out_city", holder, to=builders.make_area(430102).pk, moved="2026-05-01"))
    left_behind(NOON + dt.timedelta(40))
    assert Certificate.get(certificate.pk).frozen_for == "left-behind"


# ---- an exchange under way -------------------------------------------------------------------------------------------

ON_THE_WAY = ("ordered", "batched", "held", "prepared", "sent", "ready", "issued")


def under_way(state: str) -> tuple[Holder, Certificate, Card]:
    """A holder of a paper certificate whose card is being made."""
    holder = builders.make_holder()
    paper = builders.make_certificate(holder)
    return holder, paper, builders.make_card(holder, state=state)


def frozen_by(how: str, holder: Holder) -> None:
    """Two persons freeze what a holder has, or the clock of a move does."""
    if how == "inquiry":
        stopped(holder, "under-inquiry")
    else:
        confirmed(brings("transfer_out_city", holder, to=builders.make_area(430102).pk, moved="2026-05-01"))
        left_behind(NOON + dt.timedelta(40))


@pytest.mark.parametrize("how", ["inquiry", "clock"])
@pytest.mark.parametrize("state", ON_THE_WAY)
def test_paper_and_card_of_an_exchange_under_way_are_frozen_and_thawed_together(how, state):
    holder, paper, card = under_way(state)
    if how == "clock":
        Certificate.objects.update(issued_on=dt.date(2026, 1, 1), valid_until=dt.date(2036, 1, 1))
    frozen_by(how, holder)
    both = Certificate.objects.filter(holder=holder).order_by("pk")
    assert {one.state for one in both} == {"frozen"} and len({one.frozen_for for one in both}) == 1
    assert Card.get(card.pk).state == state, "it is made"
    brings("unfreeze", Holder.get(holder.pk), at=NOON + dt.timedelta(41)).take("accept", "review", "approve")
    assert {one.state for one in both.all()} == {"valid"} and Certificate.get(paper.pk).frozen_for == ""


def test_the_card_of_a_frozen_certificate_is_neither_handed_over_nor_activated_alone_nor_among_many():
    told = {"by": builders.make_actor(), "at": NOON}
    (holder, paper, ready), (other, _, issued) = under_way("ready"), under_way("issued")
    for one in (holder, other):
        frozen_by("inquiry", one)
    for verb, card in ((cards.hand_over, ready), (cards.activate, issued)):
        with pytest.raises(Refusal, match="certificate-not-valid"):
            verb(Card.get(card.pk), request_id=builders.request_id(), **told)
    assert cards.hand_over_many([ready.pk], request_id=builders.request_id(), **told) == []
    assert cards.activate_many([issued.pk], request_id=builders.request_id(), **told) == []
    clerk = Visitor(builders.make_officer())
    for url in (reverse("staff:holder", args=[holder.pk]), reverse("staff:card", args=[ready.pk])):
        assert reverse("staff:card-hand-over", args=[ready.pk]) not in clerk.get(url).content.decode()
    brings("unfreeze", Holder.get(holder.pk)).take("accept", "review", "approve")
    assert cards.hand_over(Card.get(ready.pk), request_id=builders.request_id(), **told).state == "issued"
    assert Certificate.get(paper.pk).state == "returned"


@pytest.mark.parametrize("state", ["frozen", "cancelled", "replaced"])
def test_the_database_itself_hands_no_card_over_whose_certificate_does_not_hold(state):
    _, _, card = under_way("ready")
    Certificate.objects.filter(pk=card.certificate_id).update(
        state=state, frozen_for="under-inquiry" if state == "frozen" else "")
    with pytest.raises(IntegrityError, match="whose certificate does not hold"), transaction.atomic():
        Card.objects.filter(pk=card.pk).update(state="issued")


# ---- the clock, after another reason has ended -----------------------------------------------------------------------


@pytest.mark.parametrize("lifted", ["unfreeze", "undo"])
def test_what_was_frozen_for_another_reason_on_its_day_is_frozen_by_the_next_run_once_that_has_ended(lifted):
    holder, certificate = card_holder()
    away = confirmed(brings("transfer_out_city", holder, to=builders.make_area(430102).pk, moved="2026-05-01"))
    reason = "under-inquiry" if lifted == "unfreeze" else "death-reported"
    case = stopped(holder, reason)
    late = NOON + dt.timedelta(40)
    left_behind(late)
    assert Certificate.get(certificate.pk).frozen_for == reason
    if lifted == "unfreeze":
        brings("unfreeze", holder, at=late).take("accept", "review", "approve")
    else:
        services.undo(case, "本人接听电话", by=builders.make_actor(area=holder.area),
                      request_id=builders.request_id(), at=late)
    assert states() == ("valid", ["active"])
    for expected in (1, 0):
        assert services.run_clocks(at=late + dt.timedelta(1))["freeze"] == expected
    assert (Certificate.get(certificate.pk).frozen_for, states()) == ("left-behind", ("frozen", ["frozen"]))
    told = Event.objects.filter(subject="case", subject_id=away.case.pk).latest("version")
    assert (told.action, told.source, told.target) == ("freeze_again", "frozen", "frozen")
    brings("unfreeze", holder, at=late).take("accept", "review", "approve")
    services.run_clocks(at=late + dt.timedelta(2))
    assert states() == ("valid", ["active"]), "what two persons lift stays so"


# ---- paper and card, each for a reason of its own --------------------------------------------------------------------

REASONS = ("death-reported", "under-inquiry")


def frozen_apart(paper_for: str, card_for: str) -> tuple[Holder, Certificate, Certificate]:
    """A holder whose paper certificate is frozen for one reason, and whose card's for another."""
    holder, certificate = card_holder()
    paper = builders.make_certificate(holder)
    stopped(holder, card_for)
    Certificate.objects.filter(pk=paper.pk).update(frozen_for=paper_for)
    return holder, paper, certificate


def lift(holder: Holder, *reasons: str) -> list[Certificate]:
    asked = Asked(builders.make_actor("approver", area=holder.area), builders.request_id(), NOON)
    return hold_again(holder.pk, reasons, asked)


@pytest.mark.parametrize("first", REASONS)
def test_who_is_frozen_for_two_reasons_is_back_in_use_only_after_both_have_ended_in_either_order(first):
    holder, paper, certificate = frozen_apart(*REASONS)
    second = next(reason for reason in REASONS if reason != first)
    (stays,) = lift(holder, first)
    assert (stays.frozen_for, Certificate.get(stays.pk).state) == (second, "frozen")
    other = paper if stays.pk == certificate.pk else certificate
    assert Certificate.get(other.pk).state == "valid" and Card.objects.get().state == "frozen"
    with pytest.raises(Refusal, match="certificate-not-valid"):
        lift(holder, first)
    assert lift(holder, second) == []
    assert {one.state for one in Certificate.objects.all()} == {"valid"} and Card.objects.get().state == "active"


def test_two_persons_lift_what_is_frozen_for_several_reasons_at_once():
    holder, _, _ = frozen_apart(*REASONS)
    brings("unfreeze", holder).take("accept", "review", "approve")
    assert {one.state for one in Certificate.objects.all()} == {"valid"} and Card.objects.get().state == "active"


@pytest.mark.parametrize(("paper_for", "card_for"), [("left-the-area", "under-inquiry"),
                                                     ("under-inquiry", "left-the-area")])
def test_a_move_waits_while_either_of_two_certificates_is_frozen_for_another_reason(paper_for, card_for):
    holder, _, _ = frozen_apart(paper_for, card_for)
    arrival = follows(holder)
    with pytest.raises(Refusal, match="certificate-not-valid"):
        services.move_on(arrival.pk, at=NOON)
    assert sorted(Certificate.objects.values_list("state", "frozen_for")) == sorted(
        ("frozen", reason) for reason in (paper_for, card_for)), "nothing of the move is done by half"
    assert lift(holder, "under-inquiry")
    services.move_on(arrival.pk, at=NOON)
    assert Case.get(arrival.pk).state == "ordered" and not Certificate.objects.filter(state="frozen").exists()


# ---- on the pages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reason", "ends"), [
    ("under-inquiry", "two officers lift the freeze: open a case for it"),
    ("death-reported", "undone as wrong, on the page of the case that believed it"),
    ("left-the-area", "when the certificate arrives at the new office")])
def test_holder_card_and_case_page_say_why_a_certificate_is_frozen_and_what_ends_it(reason, ends):
    holder, _ = card_holder()
    case = stopped(holder, reason)
    clerk = Visitor(builders.make_officer("clerk", area=holder.area))
    for url in (reverse("staff:holder", args=[holder.pk]), reverse("staff:case", args=[case.pk]),
                reverse("staff:card", args=[Card.objects.get().pk])):
        html = clerk.get(url).content.decode()
        assert str(FROZEN_WORDS[reason][0]) in html and ends in html
        assert reason not in html, "no code of a reason, not in the history either"
    assert "The certificate is frozen" in clerk.get(reverse("staff:holder", args=[holder.pk])).content.decode()


def test_every_reason_of_a_freeze_has_its_words():
    assert set(FROZEN_WORDS) == set(FROZEN_FOR)
