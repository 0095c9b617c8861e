"""Every history says what happened in the reader's own words: no code of a row stands in it."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone, translation

from builders import make_card, make_holder
from demo_people import fits
from lettering import make_letter
from zhengka.cases.services import load_ways
from zhengka.cli import line, stories
from zhengka.cli.officers import enrol_demo
from zhengka.core.models import Event
from zhengka.letters import services as letters
from zhengka.web.staff import history
from zhengka.web.staff.fact_words import said
from zhengka.web.staff.key_words import key_words

pytestmark = pytest.mark.django_db

CODE = re.compile(r"[a-z]{2,}|_|^True$|^False$")
"""What no Chinese reader is to meet: the demo's own free texts are Chinese."""


def test_no_code_stands_in_any_history_that_the_demo_makes():
    load_ways()
    line.load_plan(Path(settings.DATA))
    enrol_demo()
    who, today, units = line.Officers.demo(), timezone.localdate(), line.issuing_units()
    line.furnish(who)
    for _ in range(stories.NEED):
        fits(make_holder(area=units[0]), today)
    assert stories.tell(who, units, told=lambda _done, _of: None) == 0
    line.exchange(who, told=lambda _done, _of: None)
    letter = letters.send(make_letter(subject=make_card()).pk, at=timezone.now())
    letters.come_back(letter, by=who.clerk, request_id=line.act("back"), at=timezone.now())
    events = list(Event.objects.order_by("pk"))
    assert len(events) > 300 and {"letter", "card", "case", "certificate"} <= {event.subject for event in events}
    with translation.override("zh-hans"):
        words = [text for event in history.told(events, with_subject=True)
                 for text in (event.title, *(part for fact in event.facts for part in fact))]
        assert not sorted({str(text) for text in words if CODE.search(str(text))})


@pytest.mark.parametrize(("subject", "name", "value", "en", "zh"), [
    ("card", "reason", "exchange", "Exchange of the certificate for a card", "换发"),
    ("card", "reason", "glyph-missing U+E000", "No font has a character of the name · U+E000", "生僻字无字形 · U+E000"),
    ("card", "reason", "spoiled", "Spoiled", "废卡"),
    ("card", "channel", "counter", "At the counter", "窗口"),
    ("letter", "channel", "sms", "Short message", "短信"),
    ("letter", "template", "case-done", "Case settled", "办结"),
    ("letter", "reason", "no-answer", "The provider did not answer", "短信平台没有回音"),
    ("certificate", "reason", "cancellation_unmet", "Cancellation: standard not met", "注销"),
    ("case", "reason", "材料不齐", "材料不齐", "材料不齐"),
    ("paper", "lacking", ["household-register", "photo"], ", ", ", ")])
def test_one_code_is_said_by_what_it_is_about(subject, name, value, en, zh):
    for language, words in (("en", en), ("zh-hans", zh)):
        with translation.override(language):
            assert words in str(said(subject, name, value))


def test_a_key_is_named_by_whose_it_is_what_it_is_for_and_its_version():
    with translation.override("en"):
        assert key_words("00/batch/SM/1") == "Nation · Signing packages · SM · version 1"
        assert key_words("43/card_master/INTL/reader/12") == (
            "43 · Master key of cards · External authentication · INTL · version 12")
        assert key_words("a key of another house") == "a key of another house"
