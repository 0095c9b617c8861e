"""People are told before it is too late: a year of activation that ends, a certificate that did not follow a move."""

import datetime as dt

import pytest

import builders
from builders import NOON
from stories import brings, card_holder, confirmed
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services as cases
from zhengka.core import fields
from zhengka.letters.models import Letter

pytestmark = pytest.mark.django_db


def letters(kind: str) -> list[tuple[str, str]]:
    return sorted(Letter.objects.filter(template=kind).values_list("occasion", "channel"))


def test_a_holder_is_reminded_60_30_and_7_days_before_the_end_once_each():
    end = NOON.date() + dt.timedelta(60)
    card = builders.make_card(state="active", active_until=end)
    card.holder.phone = fields.close("13900000001", "holder.phone")
    card.holder.save()
    on_paper = builders.make_card(state="active", active_until=end)
    assert [cards.remind(at=NOON + dt.timedelta(days)) for days in (-1, 0, 0, 30, 53, 60)] == [0, 2, 0, 2, 2, 0]
    told = letters("activation-reminder")
    assert told == sorted((f"{end:%Y%m%d}-{stage}", way) for stage in (60, 30, 7) for way in ("sms", "print"))
    assert Letter.objects.filter(subject_id=on_paper.pk, channel="sms").count() == 0


def test_who_has_the_next_year_already_is_not_reminded():
    card = builders.make_card(state="active", active_until=NOON.date() + dt.timedelta(7))
    Card.objects.filter(pk=card.pk).update(state="cancelled")
    cards.remind(at=NOON)
    assert not Letter.objects.exists()


def test_who_did_not_take_the_certificate_along_is_warned_before_it_is_frozen_and_before_it_is_cancelled():
    holder, _ = card_holder()
    story = confirmed(brings("transfer_out_nation", holder, moved="2026-11-20"))
    assert cases.run_clocks(at=story.later(100).at)["warn"] == 0
    story.at = NOON.replace(year=2027, month=5, day=1)
    cases.run_clocks(at=story.at)
    cases.run_clocks(at=story.later(1).at)
    assert letters("freeze-warning") == [("once", "print")]
    cases.run_clocks(at=NOON.replace(year=2027, month=6, day=1))
    cases.run_clocks(at=NOON.replace(year=2027, month=11, day=1))
    assert letters("lapse-warning") == [("once", "print")]
