"""The page of a case: where it stands or stopped, what each of its forms asks, and whose form was filled in wrongly."""

import re

import pytest
from django.db import transaction
from django.utils import timezone

import builders
from builders import NOON
from papers_brought import put_first
from stories import Story, applies, brings, card_holder
from visits import Visitor
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.cases.workflow import KINDS
from zhengka.core.errors import Refusal
from zhengka.registry.models import Certificate

pytestmark = pytest.mark.django_db
STAGE = re.compile(r'zk-steps__step--(\w+)"[^>]*>([^<]+)<')


def page(case: Case, role: str = "clerk") -> str:
    return Visitor(builders.make_officer(role, area=case.area)).get(f"/staff/cases/{case.pk}").content.decode()


def stages(case: Case) -> list[str]:
    return [state for state, _word in STAGE.findall(page(case))]


def begun(*steps: str) -> Story:
    """An application after these steps; a doctor who saw the person found no disability."""
    story = applies(at=timezone.now())
    story.take(*steps)
    if "book" in steps:
        story.assess(None)
    return story


@pytest.mark.parametrize(("steps", "end", "shown"), [
    ((), "withdraw", ["stopped", "todo", "todo", "todo", "todo"]),
    (("accept", "book"), "fail", ["done", "stopped", "todo", "todo", "todo"])])
def test_a_case_that_ended_badly_shows_the_stage_in_which_it_stopped(steps, end, shown):
    assert stages(begun(*steps).take(end)) == shown


def test_a_case_that_was_refused_at_the_end_stopped_at_the_decision():
    story = applies(at=timezone.now())
    story.take("accept", "book")
    story.assess()
    story.notice()
    assert stages(story.take("review", "refuse")) == ["done", "done", "done", "stopped", "todo"]


def test_what_a_form_says_wrongly_stands_at_that_form_alone():
    case = begun().case
    put_first(case)
    clerk = Visitor(builders.make_officer("clerk", area=case.area))
    html = clerk.act(f"/staff/cases/{case.pk}/step", action="decline", reason="").content.decode()
    assert html.count("Fill this in") == 2, "in the summary and at the field"
    assert 'href="#id_decline_reason"' in html and html.count('id="id_decline_reason"') == 1
    assert {f'id="id_{action}_reason"' in html for action in ("withdraw", "return_papers", "accept")} == {True}
    assert html.count("<details class=\"govuk-details\" open") == 1


def test_papers_to_follow_are_named_where_the_form_asks_for_them():
    case = begun().case
    put_first(case)
    html = page(case)
    assert "These papers are missing" in html and "Where the papers are, or by when they come" in html
    assert html.index("Accept with papers to follow") < html.index('value="decline"')


def test_the_last_day_of_a_dispute_stands_on_the_page():
    story = begun("accept", "book")
    case = story.take("fail")
    html = page(case)
    assert "Does the person not agree?" in html and "Open: Dispute before the city" in html
    assert "The result may be disputed until 20" in html
    assert "Does the person not agree?" not in page(case, "reviewer")


def test_a_holder_s_page_offers_what_can_be_opened_and_says_why_the_rest_cannot():
    holder, certificate = card_holder()
    clerk = Visitor(builders.make_officer("clerk", area=holder.area))

    def offered() -> set[str]:
        html = clerk.get(f"/staff/holders/{holder.pk}").content.decode()
        assert "zk-closed" in html
        return set(re.findall(rf'/staff/holders/{holder.pk}/cases/(\w+)"', html))
    assert {"damage", "loss", "change", "cancellation", "freeze"} <= offered()
    assert not {"renewal", "unfreeze", "restoration", "dispute_city", "dispute_province"} & offered()
    for kind in offered():
        assert clerk.get(f"/staff/holders/{holder.pk}/cases/{kind}").status_code == 200
    brings("loss", holder, at=timezone.now())
    assert "loss" not in offered()
    _is(certificate, "frozen")
    assert "unfreeze" in offered() and not {"damage", "change", "freeze"} & offered()


def _is(certificate: Certificate, state: str) -> None:
    """The certificate is in this state, and its card is not in use where it does not hold."""
    Certificate.objects.filter(pk=certificate.pk).update(
        state=state, frozen_for="under-inquiry" if state == "frozen" else "")
    Card.objects.filter(certificate=certificate).update(
        state={"valid": "active", "frozen": "frozen", "cancelled": "cancelled"}[state])


def test_a_holder_s_page_offers_no_kind_that_is_then_refused_for_the_certificate():
    holder, certificate = card_holder()
    for state in ("valid", "frozen", "cancelled"):
        _is(certificate, state)
        told = {"moved": "2026-11-01", "to": 0, "name": "石磊", "reason": ""}
        for kind in (kind for kind in KINDS if "transfer_in" not in kind and kind not in ("new", "exchange")):
            why = services.unopened(kind, holder, at=NOON)
            told["reason"] = next(iter(services.REASONS.get(kind, ("",))))
            try:
                with transaction.atomic():
                    services.open_case(kind, holder, by=builders.make_actor(area=holder.area), at=NOON,
                                       request_id=builders.request_id(), **told)
                    transaction.set_rollback(True)
                said = ""
            except Refusal as no:
                said = no.code
            assert why == said, f"{kind} of a certificate that is {state}"
