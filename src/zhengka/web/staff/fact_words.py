"""What stands in an event, in the reader's words: a code is never shown as it is written down."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import lazy

from zhengka.core.errors import PROBLEMS
from zhengka.letters.senders import REASONS
from zhengka.web.staff import letter_words
from zhengka.web.staff.batch_parts import FINDING_WORDS, hold_words
from zhengka.web.staff.case_words import FROZEN_WORDS, KIND_WORDS, REASON_WORDS, SOURCE_WORDS
from zhengka.web.staff.key_words import key_words
from zhengka.web.staff.words import (
    CHANNEL_WORDS,
    FORM_WORDS,
    PAPER_WORDS,
    PHASE_WORDS,
    PURPOSE_WORDS,
    ROLE_WORDS,
    bilingual,
    problem_words,
)
from zhengka.web.ui import parts, words

Words = Mapping[Any, Any] | Callable[[Any], Any]


def _problem(code: str) -> str:
    return problem_words(PROBLEMS[code])[0]


WHY: dict[str, Any] = {
    **{code: lazy(_problem, str)(code) for code in PROBLEMS},
    **KIND_WORDS, **REASON_WORDS, **{code: why for code, (why, _ends) in FROZEN_WORDS.items()}}
OF_ALL: dict[str, Words] = {
    "purpose": PURPOSE_WORDS, "phase": PHASE_WORDS, "role": ROLE_WORDS, "channel": CHANNEL_WORDS, "kind": KIND_WORDS,
    "form": FORM_WORDS, "paper": PAPER_WORDS, "lacking": PAPER_WORDS, "source": SOURCE_WORDS,
    "resumed": KIND_WORDS, "still_closed": KIND_WORDS, "label": key_words, "signed_by": key_words, "reason": WHY}
"""Fact → the words of its values, of whatever row."""
OF_ONE: dict[tuple[str, str], Words] = {
    ("case", "reason"): {**WHY, **{state: word for state, (_tone, word) in words.STATES["case"].items()}},
    ("card", "reason"): lambda said: {
        **WHY, **{state: word for state, (_tone, word) in words.STATES["card"].items()},
        **FINDING_WORDS}.get(said) or hold_words(said) or said,
    ("letter", "reason"): {code: lazy(bilingual, str)(pair) for code, pair in REASONS.items()},
    ("letter", "channel"): letter_words.CHANNEL_WORDS, ("letter", "template"): letter_words.KIND_WORDS,
    ("letter", "sender"): letter_words.SENDER_WORDS}
"""Kind of row and fact → the words of its values, where they are others."""


def said(subject: str, name: str, value: Any) -> parts.Text:
    """A value of an event's fact in words; free text and numbers stay as they are."""
    if isinstance(value, list):
        return ", ".join(str(said(subject, name, one)) for one in value)
    found: Words = OF_ONE.get((subject, name)) or OF_ALL.get(name, {})
    told: parts.Text = found(str(value)) if callable(found) else found.get(value, str(value))
    return told


def title(subject: str, action: str, facts: Mapping[str, Any], otherwise: parts.Text) -> parts.Text:
    """What happened, where the facts say more than the act: a letter that was only put away was not sent."""
    if (subject, action) == ("letter", "confirm_sent") and facts.get("sender") in letter_words.SENT_LOOKS:
        return letter_words.SENT_LOOKS[facts["sender"]][1]
    return otherwise
