"""Histories: the events of a row as people read them, newest first."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from zhengka.core.models import Event, Stateful
from zhengka.core.queries import EventFilter, events
from zhengka.web.access import Request
from zhengka.web.staff import fact_words
from zhengka.web.staff.paging import Place, cursor, pager_of
from zhengka.web.staff.words import FACT_WORDS, SUBJECT_WORDS, event_word
from zhengka.web.ui import parts

TONES = {"approve": "good", "activate": "good", "accept": "good", "report_found": "good", "permit": "good",
         "report_lost": "bad", "suspect": "bad", "go_missing": "bad", "declare_lost": "bad", "lock_out": "bad"}
SHOWN = 100
PLACE = Place("history", _("Pages of the history"))


def of_row(request: Request, row: Stateful, *, without: Collection[str] = (), here: str = "") -> parts.History:
    """What happened to one row, apart from the acts in `without`; `here`: the address of its page, where answers to
    forms show the history, too.
    """
    found = events(EventFilter(subject=row.kind(), subject_id=row.pk), actor=request.actor).exclude(action__in=without)
    last = _last(request, found)
    if last:
        found = found.filter(version__lt=last.version)
    return _page(request, list(found.order_by("-version")[:SHOWN + 1]), here, first=last is None)


def of_rows(request: Request, found: "QuerySet[Event]", *, here: str = "") -> parts.History:
    """What happened to several rows, with the subject of each: by time, and of one instant by key."""
    last = _last(request, found)
    if last:
        found = found.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))
    return _page(request, list(found.order_by("-at", "-pk")[:SHOWN + 1]), here, first=last is None, with_subject=True)


def _last(request: Request, found: "QuerySet[Event]") -> Event | None:
    """The last event of the page before, one of the same history."""
    after = cursor(request, PLACE.name)
    return None if after is None else found.filter(pk=after).first()


def _page(request: Request, rows: list[Event], here: str, *, first: bool, with_subject: bool = False) -> parts.History:
    onward = str(rows[SHOWN - 1].pk) if len(rows) > SHOWN else ""
    pager = pager_of(request, min(len(rows), SHOWN), onward=onward, where=replace(PLACE, here=here))
    return parts.History(told(rows[:SHOWN], with_subject=with_subject), None if first and not onward else pager)


def told(found: Iterable[Event], *, with_subject: bool = False) -> list[parts.Event]:
    """Events in words; `with_subject` says before each what it happened to."""
    return [parts.Event(event.at, _title(event, with_subject), by=event.actor_name, facts=_facts(event),
                        tone=TONES.get(event.action, "")) for event in found]


def _title(event: Event, with_subject: bool) -> str:
    act = str(fact_words.title(event.subject, event.action, event.facts, event_word(event.subject, event.action)))
    return f"{SUBJECT_WORDS.get(event.subject, event.subject)} · {act}" if with_subject else act


def _facts(event: Event) -> list[tuple[parts.Text, parts.Text]]:
    return [(FACT_WORDS[name], fact_words.said(event.subject, name, value)) for name, value in event.facts.items()
            if name in FACT_WORDS and value not in ("", None)]
