"""Blocks that are too many to be told to gates without two persons' word (暂缓下发), as a list is made (I13)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from uuid import uuid4

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from zhengka.cards import holding
from zhengka.cards.models import Card, HeldBack, ListHold
from zhengka.core.actors import SYSTEM
from zhengka.core.events import begin, lock, perform
from zhengka.formats.statuslist import Status

USED: Final = 4
"""The card was in use once: who never had it is refused nowhere by it."""
HELD: Final = 8
"""The card is held back."""
FREED: Final = 16
"""The card was held back and has been released, and no version has told of it yet."""
BLOCKS: Final = np.dtype([("index", ">i4"), ("told", ">i4"), ("card", ">i8")])
"""A card that is not valid: its place in the list, its status with the flags above, its row id."""

LAPSED: Final = "lapsed"
LOST: Final = "report_lost"
CAUSES = """
SELECT c.id, CASE WHEN c.state = 'active' THEN %(lapsed)s ELSE e.action || ' ' || e.person END, c.area,
       CASE WHEN e.action = %(lost)s AND c.state = 'suspended' THEN e.at END
FROM cards_card c LEFT JOIN LATERAL (
    SELECT action, person, at FROM core_event WHERE subject = 'card' AND subject_id = c.id ORDER BY version DESC LIMIT 1
) e ON true WHERE c.id = ANY(%(ids)s)
"""
SPENT = """
SELECT t.key, sum(t.value::int) FROM cards_statuspublication p, jsonb_each_text(p.causes) t
WHERE p.newly > 0 AND p.published_at > %s AND p.published_at <= %s GROUP BY 1
"""
NO_MORE = """
UPDATE cards_heldback b SET out_at = %(at)s FROM cards_card c
WHERE c.id = b.card_id AND b.out_at IS NULL AND c.status_list = %(list)s AND NOT b.card_id = ANY(%(still)s)
RETURNING b.hold_id
"""


@dataclass(frozen=True)
class Told:
    """Which of the blocks the next version tells, and what it says of those that the version before did not: how many
    by which cause, and of each loss its office and when it was reported.
    """

    blocks: NDArray[np.void]
    held: int
    newly: int = 0
    causes: Mapping[str, int] = field(default_factory=dict)
    losses: Sequence[tuple[int, datetime]] = ()


class _Cause(NamedTuple):
    """By which act and whom a card was blocked, its office, and when it was reported lost, if it was."""

    name: str
    area: int
    lost_at: datetime | None


def sort_out(number: int, blocks: NDArray[np.void], before: NDArray[np.uint8] | None, at: datetime) -> Told:
    """Sort out the blocks of a list that wait. Within the transaction in which its next version is stored.

    `before`: what the newest published version says of each place; None for a list that no gate ever had: it takes
    nothing from anybody. Only cards that were in use count, and none that two persons released.
    """
    flags = blocks["told"]
    _let_go(number, blocks["card"][flags & (HELD | FREED) != 0].tolist(), at)
    waits = flags & HELD != 0
    if before is None:
        return Told(blocks[~waits], int(waits.sum()))
    counts = (flags & USED != 0) & (flags & (HELD | FREED) == 0) & (before[blocks["index"]] == Status.VALID)
    if not counts.any():
        return Told(blocks[~waits], int(waits.sum()))
    causes = _causes(blocks["card"][counts].tolist())
    newly = Counter(cause.name for cause in causes.values())
    back = _held_back(newly, at)
    if back:
        stopped = {card: cause for card, cause in causes.items() if cause.name in back}
        _hold(stopped, at)
        waits = waits | np.isin(blocks["card"], np.fromiter(stopped, dtype=np.int64))
    out = {holding.mark(name): cards for name, cards in newly.items() if name not in back}
    return Told(blocks[~waits], int(waits.sum()), sum(out.values()), out, [
        (cause.area, cause.lost_at) for cause in causes.values() if cause.lost_at and cause.name not in back])


def tell_out(cards: Sequence[int], at: datetime) -> None:
    """Gates were told of these cards, which two persons had released."""
    HeldBack.objects.filter(card_id__in=cards, out_at=None, hold__state="released").update(out_at=at)


def _held_back(newly: Mapping[str, int], at: datetime) -> set[str]:
    """The causes that wait. All lists are counted together, so that a mass act is not let through list by list."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('status blocks'))")
        cursor.execute(SPENT, [at - holding.WINDOW, at])
        marked = dict(cursor.fetchall())
    spent = {cause: marked.get(holding.mark(cause), 0) for cause in newly}
    if not holding.held_back(newly, spent, holding.FEWEST):  # however few cards there are: nobody need count them
        return set()
    return holding.held_back(newly, spent, holding.most_blocked(Card.objects.filter(state="active").count()))


def _causes(cards: Sequence[int]) -> dict[int, _Cause]:
    with connection.cursor() as cursor:
        cursor.execute(CAUSES, {"ids": list(cards), "lapsed": LAPSED, "lost": LOST})
        return {card: _Cause(name or "", area, lost_at) for card, name, area, lost_at in cursor.fetchall()}


def _hold(stopped: Mapping[int, _Cause], at: datetime) -> None:
    """Keep these blocks from gates: in the hold of their area for which nobody has asked yet, or in a new one."""
    area = holding.area_of({cause.area for cause in stopped.values()})
    open_ = ListHold.objects.filter(state="held", area_id=area).order_by("-pk").first()
    facts = {"cards": len(stopped)}
    if open_ is not None:
        [open_] = lock(open_)
    if open_ is not None and open_.state == "held":
        hold = perform(open_, "hold_more", {"cards": open_.cards + len(stopped)}, by=SYSTEM, request_id=uuid4(), at=at,
                       **facts)
    else:
        hold = begin(ListHold(area_id=area, at=at, cards=len(stopped)), "hold_back", by=SYSTEM, request_id=uuid4(),
                     at=at, **facts)
    HeldBack.objects.bulk_create([HeldBack(hold=hold, card_id=card, area=cause.area, cause=cause.name)
                                  for card, cause in stopped.items()], batch_size=5_000)


def _let_go(number: int, still: Sequence[int], at: datetime) -> None:
    """Cards of the list that are held back and not blocked any more are held no longer; an empty hold falls away."""
    with connection.cursor() as cursor:
        cursor.execute(NO_MORE, {"at": at, "list": number, "still": list(still)})
        holds = {row[0] for row in cursor.fetchall()}
    for hold in lock(*ListHold.objects.filter(pk__in=holds)):
        if hold.state in ("held", "asked") and not hold.held.filter(out_at=None).exists():
            perform(hold, "fall_away", {"ended_at": at}, by=SYSTEM, request_id=uuid4(), at=at)
