"""Holders are told of their cards by phone or on paper: of the year that ends (激活提醒), 60, 30 and 7 days before, and
once it lapsed; of the card that lies ready for them (领取通知), was reported lost (挂失), or was found (解挂).
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import QuerySet

from zhengka.cards import queries
from zhengka.cards.activation import LAPSED, STOPS_EN, STOPS_ZH
from zhengka.cards.models import Card
from zhengka.cards.queries import Due
from zhengka.cards.services.activation import claim_lapsed, claim_reminders
from zhengka.core.actors import SYSTEM
from zhengka.formats.verdict import CHINA
from zhengka.letters import services as letters
from zhengka.letters.rules import HOTLINE, InWords, Value, ways
from zhengka.letters.services import Message
from zhengka.registry import services as registry

log = logging.getLogger("zhengka.cards")
GROUP = 1_000
"""Reminders that are claimed and written in one transaction: what a run that died had claimed is claimed again."""
PLATFORM = UUID("0b7d1c8a-9f7e-4f4b-8a53-2f9a3c1f6d02")
"""Name space of the platform's own requests."""
TO_COLLECT: Final = timedelta(days=60)
"""How long a letter asks a holder to come for the card [ours: the Measures name no day, and nothing ends with it]."""
VISUAL: Final = 1
"""Category 视力 (GB/T 26341)."""

Slots = Mapping[str, Value]


def remind(*, at: datetime) -> int:
    """Write the reminders of a day, each once for its card, term and stage, and to whom nobody came in time, once, that
    the activation lapsed (激活过期); for how many cards.

    A letter that cannot be written is noted and stands among those of its office; the log says how many there are.
    """
    day, told, left = at.astimezone(CHINA).date(), 0, Counter[str]()
    for claim in (claim_reminders, claim_lapsed):
        while claimed := _group(claim, day, at, left):
            told += claimed
    log.log(logging.WARNING if left else logging.INFO, "reminders of %s: %s cards; letters that could not be written: "
            "%s", day, told, dict(left) or "none")
    return told


@transaction.atomic
def tell_ready(card_ids: Sequence[int], *, at: datetime) -> int:
    """Write to the holders of those of the cards that lie ready (领取通知), once for each card; how many letters.

    Not to those whose certificate is frozen or has ended: they would come in vain.
    """
    until = at.astimezone(CHINA).date() + TO_COLLECT
    ready = Card.objects.filter(pk__in=card_ids, state="ready", certificate__state="valid")
    return _write("card-ready", ready, lambda card: ({"until": until, "place": _office(card)}, "once"), at)


def tell_blocked(card: Card, *, at: datetime) -> int:
    """Write to a holder that the card was reported lost (挂失告知), who may not have done so; how many letters."""
    return _of_card("card-blocked", card, at)


def tell_found(card: Card, *, at: datetime) -> int:
    """Write to a holder that the card was reported found and works again (解挂告知); how many letters."""
    return _of_card("card-found", card, at)


def _of_card(kind: str, card: Card, at: datetime) -> int:
    slots: Slots = {"card": card.serial[-4:] if card.serial else "", "day": at.astimezone(CHINA).date()}
    return _write(kind, Card.objects.filter(pk=card.pk), lambda one: (slots, f"v{one.version}"), at)


@transaction.atomic
def _group(claim: Callable[..., list[int]], day: date, at: datetime, left: Counter[str]) -> int:
    ids, due = claim(day, most=GROUP), dict[str, dict[int, Due]]()
    for one in queries.reminders(ids, day):
        due.setdefault(_kind(one, day), {})[one.card_id] = one
    for kind, each in due.items():
        _write(kind, Card.objects.filter(pk__in=each), partial(_says, each), at, left)
    return len(ids)


def _kind(due: Due, day: date) -> str:
    """The letter of a reminder: nobody is asked to come before the days on which the card may be activated."""
    return "activation-lapsed" if due.stage == LAPSED else (
        "activation-reminder" if due.opens <= day else "activation-ahead")


def _says(due: Mapping[int, Due], card: Card) -> tuple[Slots, str]:
    one = due[card.pk]
    slots: Slots = {"until": one.ends, "services": _stops(one.stops)}
    if one.stage == LAPSED:
        return slots, f"{one.ends:%Y%m%d}-lapsed"
    also: Slots = {"days": one.days_left} if one.opens <= one.ends - timedelta(one.days_left) else {"day": one.opens}
    return {**slots, **also}, f"{one.ends:%Y%m%d}-{one.stage}"


def _stops(stops: Sequence[str]) -> InWords:
    """What stops, in words; under a policy by which nothing does, just that."""
    return InWords("、".join(STOPS_ZH[each] for each in stops) or "没有",
                   " and ".join(STOPS_EN[each] for each in stops) or "nothing")


def _write(kind: str, rows: "QuerySet[Card]", says: Callable[[Card], tuple[Slots, str]], at: datetime,
           left: Counter[str] | None = None) -> int:
    """One letter of a kind about each of the cards, with what it says and on which occasion; how many letters. Those
    that could not be written are counted in `left` by the reason.
    """
    cards, messages = list(rows.select_related("holder", "certificate", "area").order_by("pk")), []
    reached = registry.written_to_many([card.holder for card in cards])
    for card, to in zip(cards, reached, strict=True):
        (slots, occasion) = says(card)
        messages.append(Message(kind, card.area, card, to, {**slots, "office": _office(card), "phone": HOTLINE},
                                ways(to, kind, braille=VISUAL in card.certificate.categories), occasion))
    done = letters.write_many(messages, by=SYSTEM, request_id=uuid5(PLATFORM, kind), at=at)
    if left is not None:
        left.update(done.left)
    return done.moved


def _office(card: Card) -> str:
    return f"{card.area.name}残联"
