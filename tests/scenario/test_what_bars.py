"""What a case may not end in: a barred category, days that cannot be, a card for one that may be found again."""

import datetime as dt

import pytest

import builders
from builders import NOON
from stories import Story, applies, brings, card_holder, person
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.services import Brought
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Finding, Person

pytestmark = pytest.mark.django_db
TERM = (dt.date(2021, 5, 1), dt.date(2031, 5, 1))


def arrives(who: Person, *term: dt.date, number: str = "42", unit: int = 430102) -> Story:
    """Somebody comes from an office elsewhere with a certificate of these days."""
    area = builders.make_area(unit)
    return Story(services.apply_arrival(who, Brought(who.id_number + number, *term), area, at=NOON,
                                        by=builders.make_actor(area=area), request_id=builders.request_id()))


def barred() -> Person:
    """Somebody whose category 4 was cancelled today."""
    holder, _ = card_holder()
    story = brings("cancellation", holder, reason="own-wish")
    story.take("accept", "verify", "review", "approve")
    return person(id_number=fields.open_(bytes(holder.id_number), "holder.id_number"))


def test_a_change_into_a_category_that_is_barred_is_refused():
    story = applies(barred(), wanted=3)
    for opens, found in ((None, Finding(3, 3)), ("change", Finding(7, 3, ((3, 3), (4, 4))))):
        if opens:
            story = brings(opens, Holder.objects.get(), at=story.at, wanted=7)
        story.take("accept", "book")
        story.assess(found)
        story.notice()
        story.take("review")
        if not opens:
            story.take("approve")
    with pytest.raises(Refusal, match="category-barred"):
        story.take("approve")
    assert Certificate.objects.get(state="valid").category == 3


def test_nobody_arrives_with_a_category_that_is_barred():
    who = barred()
    with pytest.raises(Refusal, match="category-barred"):
        arrives(who, *TERM, unit=430104)
    with pytest.raises(Refusal, match="elsewhere-unfit"):
        arrives(who, *TERM)
    assert arrives(who, *TERM, number="32").case.state == "applied"


@pytest.mark.parametrize(("term", "code"), [
    ((dt.date(2031, 5, 1), dt.date(2021, 5, 1)), "term-impossible"),
    ((dt.date(2021, 5, 1), dt.date(2021, 5, 1)), "term-impossible"),
    ((dt.date(2026, 12, 1), dt.date(2036, 12, 1)), "term-impossible"),
    ((dt.date(2001, 5, 1), dt.date(2011, 5, 1)), "brought-expired")])
def test_days_of_a_brought_certificate_that_cannot_hold_are_refused(term, code):
    with pytest.raises(Refusal, match=code):
        arrives(person(), *term)


def test_a_brought_certificate_that_runs_out_before_it_is_decided_is_refused():
    story = arrives(person(), dt.date(2016, 12, 1), dt.date(2026, 12, 1))
    story.take("accept", "review")
    story.later(30)
    with pytest.raises(Refusal, match="brought-expired"):
        story.take("approve")


def test_a_card_that_was_reported_lost_is_replaced_as_lost_not_as_damaged():
    holder, _ = card_holder()
    clerk = builders.make_actor(area=holder.area)
    before = brings("damage", holder)
    cards.report_lost(Card.objects.get(), by=clerk, request_id=builders.request_id(), at=NOON)
    before.take("accept", "review")
    with pytest.raises(Refusal, match="card-lost"):
        before.take("approve")
    other, _ = card_holder()
    cards.report_lost(Card.objects.get(holder=other), by=clerk, request_id=builders.request_id(), at=NOON)
    with pytest.raises(Refusal, match="card-lost"):
        brings("damage", other)
    assert brings("loss", other).case.state == "applied"
