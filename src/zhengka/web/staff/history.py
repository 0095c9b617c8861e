"""Histories: the events of a row as people read them, newest first."""

from collections.abc import Collection, Iterable
from typing import Any

from django.utils.functional import lazy

from zhengka.core.errors import PROBLEMS
from zhengka.core.models import Event, Stateful
from zhengka.core.queries import EventFilter, events
from zhengka.letters.senders import REASONS
from zhengka.web.access import Request
from zhengka.web.staff.case_words import KIND_WORDS, SOURCE_WORDS
from zhengka.web.staff.words import (
    CHANNEL_WORDS,
    FACT_WORDS,
    FORM_WORDS,
    PAPER_WORDS,
    PHASE_WORDS,
    PURPOSE_WORDS,
    ROLE_WORDS,
    SUBJECT_WORDS,
    bilingual,
    event_word,
    problem_words,
)
from zhengka.web.ui import parts, words

TONES = {"approve": "good", "activate": "good", "accept": "good", "report_found": "good", "permit": "good",
         "report_lost": "bad", "suspect": "bad", "lock_out": "bad"}
CODES: dict[str, dict[Any, Any]] = {
    "purpose": PURPOSE_WORDS, "phase": PHASE_WORDS, "role": ROLE_WORDS, "channel": CHANNEL_WORDS, "kind": KIND_WORDS,
    "form": FORM_WORDS, "paper": PAPER_WORDS, "lacking": PAPER_WORDS, "source": SOURCE_WORDS,
    "reason": {**{code: lazy(bilingual, str)(pair) for code, pair in REASONS.items()},
               **{state: word for state, (_tone, word) in words.STATES["case"].items()},
               "certificate-missing": lazy(lambda: problem_words(PROBLEMS["certificate-missing"])[0], str)()}}
SHOWN = 100


def of_row(request: Request, row: Stateful, *, without: Collection[str] = ()) -> list[parts.Event]:
    """What happened to one row, apart from the acts in `without`."""
    found = events(EventFilter(subject=row.kind(), subject_id=row.pk), actor=request.actor).exclude(action__in=without)
    return told(found.order_by("-version")[:SHOWN])


def told(found: Iterable[Event], *, with_subject: bool = False) -> list[parts.Event]:
    """Events in words; `with_subject` says before each what it happened to."""
    return [parts.Event(event.at, _title(event, with_subject), by=event.actor_name, facts=_facts(event),
                        tone=TONES.get(event.action, "")) for event in found]


def _title(event: Event, with_subject: bool) -> str:
    act = str(event_word(event.subject, event.action))
    return f"{SUBJECT_WORDS.get(event.subject, event.subject)} · {act}" if with_subject else act


def _facts(event: Event) -> list[tuple[parts.Text, parts.Text]]:
    return [(FACT_WORDS[name], _said(name, value)) for name, value in event.facts.items()
            if name in FACT_WORDS and value not in ("", None)]


def _said(name: str, value: Any) -> parts.Text:
    if isinstance(value, list):
        return ", ".join(str(_said(name, one)) for one in value)
    found: parts.Text = CODES.get(name, {}).get(value, str(value))
    return found
