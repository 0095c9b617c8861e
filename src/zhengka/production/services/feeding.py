"""The blank cards of which a batch was made (空白卡): each is named by its maker, lay in its machine, and is used once.

A blank that became a good card is issued; that of every other card, and what was spoiled on the way, is spoiled, and is
destroyed with its card by the same two persons.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Done, sub
from zhengka.core.models import Event
from zhengka.core.scope import seeing_all
from zhengka.devices import queries as devices
from zhengka.formats.serials import Runs, common, joined
from zhengka.production.models import Batch, Item, Maker
from zhengka.production.workflow import FINDINGS
from zhengka.stock import queries as stock
from zhengka.stock import services as blanks
from zhengka.stock.models import Store

WITH_CARDS: Final = "随废卡、存疑卡一并销毁"
OTHER: Final = "其他"
MOST_REASONS: Final = 30
"""Reasons of waste that have a slip of their own; rarer ones share one."""

# Every blank that is named, whether it lies in the machine, and whether it was used up before. A position of the
# results names one of its own, and those that were wasted before it.
NAMED: Final = """
CREATE TEMP TABLE result_blank ON COMMIT DROP AS
SELECT blank, count(*) AS times, min(why) AS why, %(held)s::int8multirange @> blank AS there, false AS used FROM (
    SELECT blank, NULL AS why FROM result_line WHERE blank IS NOT NULL
    UNION ALL SELECT w.blank, w.why FROM result_line CROSS JOIN LATERAL unnest(wasted, wasted_why) AS w(blank, why)
) each GROUP BY blank;
CREATE UNIQUE INDEX ON result_blank (blank); ANALYZE result_blank
"""
NOT_THERE: Final = "SELECT array_agg(DISTINCT blank) FROM result_blank WHERE NOT there"
USED_BEFORE: Final = "UPDATE result_blank SET used = true WHERE NOT there AND %(used)s::int8multirange @> blank"
# A blank belongs to the first card that names it; to none where none of this batch does.
CLAIMED: Final = """
CREATE TEMP TABLE result_claim ON COMMIT DROP AS
SELECT b.blank, v.item, CASE
           WHEN v.verdict = 'good' THEN NULL
           WHEN v.verdict = 'spoiled' THEN coalesce(nullif(v.reason, ''), %(spoiled)s)
           WHEN v.item IS NOT NULL THEN coalesce(%(words)s::jsonb ->> v.verdict, %(other)s)
           ELSE coalesce(b.why, %(words)s::jsonb ->> 'not-ordered') END AS why
FROM result_blank b LEFT JOIN (
    SELECT DISTINCT ON (blank) blank, item, verdict, reason FROM result_verdict WHERE blank IS NOT NULL
    ORDER BY blank, item) v ON v.blank = b.blank
WHERE b.there;
CREATE INDEX ON result_claim (item); ANALYZE result_claim
"""
KEPT: Final = "UPDATE production_item i SET blank = c.blank FROM result_claim c WHERE i.id = c.item"
BY_REASON: Final = """
WITH ranked AS (
    SELECT why, row_number() OVER (ORDER BY count(*) DESC, why) AS rank FROM result_claim WHERE why IS NOT NULL
    GROUP BY why
), told AS (
    SELECT blank, CASE WHEN c.why IS NULL THEN '' WHEN r.rank <= %(most)s THEN c.why ELSE %(other)s END AS why
    FROM result_claim c LEFT JOIN ranked r ON r.why = c.why
)
SELECT why, (SELECT array_agg(ARRAY[lower(run), upper(run) - 1] ORDER BY run) FROM unnest(runs) run)
FROM (SELECT why, range_agg(int8range(blank, blank, '[]')) AS runs FROM told GROUP BY why) of_reason ORDER BY why
"""
WASTED: Final = "SELECT count(*) FROM result_claim WHERE item IS NULL"


@transaction.atomic
def feed(maker: Maker, machine: Store, *, by: Actor, request_id: UUID, at: datetime) -> Store:
    """From now on the blanks of a card maker come out of a machine of the ledger (供卡): results of batches that are
    sent from then on must name them. It may be changed for another machine, never taken away.

    `Refusal`: `stores-unfit` for a cupboard, `store-closed`, `not-permitted`, `not-found`. Raises `Replayed`.
    """
    if machine.sort != "machine":
        raise Refusal("stores-unfit")
    machine = blanks.feed(machine, maker.name, by=by, request_id=request_id, at=at)
    Maker.objects.filter(pk=maker.pk).update(store=machine)
    return machine


def hold(batch: Batch, by: Actor) -> bool:
    """Keep what lies in the batch's machine there until the end of the transaction, and hold the results' blanks
    against it; False for a batch whose maker has no machine.
    """
    if batch.machine_id is None:
        return False
    with seeing_all(connection):
        held = blanks.hold(Store.get(batch.machine_id), by=everywhere(by))
        with connection.cursor() as cursor:
            cursor.execute(NAMED, {"held": blanks.multirange(held)})
            cursor.execute(NOT_THERE)
            strangers = cursor.fetchone()[0] or []
            if strangers:
                used = stock.used_up(joined((one, one) for one in strangers))
                cursor.execute(USED_BEFORE, {"used": blanks.multirange(used)})
    return True


def claim() -> int:
    """Give each card that was judged the blank that it used; how many were spoiled beside those of the cards."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIMED, {"words": json.dumps(FINDINGS), "other": OTHER, "spoiled": "废卡"})
        cursor.execute(KEPT)
        cursor.execute(WASTED)
        return int(cursor.fetchone()[0])


def use_up(batch: Batch, *, by: Actor, request_id: UUID, at: datetime) -> None:
    """Write into the ledger what became of the blanks that were claimed (制成, 废卡)."""
    with connection.cursor() as cursor:
        cursor.execute(BY_REASON, {"most": MOST_REASONS, "other": OTHER})
        found: dict[str, Runs] = dict(cursor.fetchall())
    used = blanks.Use(found.pop("", []), found, batch.number, _operator(batch, by))
    with seeing_all(connection):
        machine = Store.get(batch.machine_id or 0)
        blanks.use(machine, used, by=everywhere(by), request_id=sub(request_id, "blanks"), at=at)


def _operator(batch: Batch, by: Actor) -> str:
    """Who worked the machine: the maker; at the reader of a desk the officer who gave in its results."""
    desk = by.id is not None and devices.is_device(bytes(batch.maker.public))
    return by.name if desk else batch.maker.name


@transaction.atomic
def destroy_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Destroy cards as `cards.services.destroy_many` does, and with them in the ledger the blanks of those that never
    were good: proposed by who proposed the cards, confirmed by who destroys them.
    """
    items = {item.card_id: item for item in Item.objects.filter(
        card__in=list(card_ids), blank__isnull=False, outcome__in=("spoiled", "suspect"),
        card__state__in=("spoiled", "suspect", "cancelled")).select_related("card", "batch")}
    machines = {item.batch.machine_id for item in items.values() if item.batch.machine_id}
    with seeing_all(connection):
        if machines:
            blanks.hold(*Store.objects.filter(pk__in=machines), by=everywhere(by))
        done = cards.destroy_many(card_ids, by=by, request_id=request_id, at=at)
        gone = Card.objects.filter(pk__in=items, state="destroyed").values_list("pk", "condemned_person")
        together = defaultdict[tuple[int, str], list[Item]](list)
        for card, person in gone.order_by("pk"):
            together[items[card].batch.machine_id or 0, person].append(items[card])
        for (machine, person), members in sorted(together.items()):
            _destroy_blanks(Store.get(machine), person, members, by=by, request_id=request_id, at=at)
    return done


def _destroy_blanks(machine: Store, person: str, items: Sequence[Item], *, by: Actor, request_id: UUID, at: datetime,
                    ) -> None:
    """Those of the items' blanks that still lie spoiled at the machine; some may have been written off there."""
    theirs = [(item.blank, item.blank) for item in items if item.blank]
    runs = common(theirs, stock.runs_in(machine, "spoiled"))
    if not runs:
        return
    proposed = Event.objects.filter(subject=Card.kind(), subject_id__in=[item.card_id for item in items],
                                    action="condemn", person=person).order_by("-at")[0]
    proposer = replace(everywhere(by), id=proposed.actor_id, name=proposed.actor_name, person=person, lent={})
    part = f"blanks {machine.pk} {person}"
    slip = blanks.destroy(machine, runs, WITH_CARDS, by=proposer, request_id=sub(request_id, part), at=proposed.at)
    blanks.confirm(slip, by=everywhere(by), request_id=sub(request_id, f"{part} confirm"), at=at)


def everywhere(by: Actor) -> Actor:
    """An officer as one whose results write into the machine of another office: the maker's."""
    return replace(by, lo=WHOLE_NATION[0], hi=WHOLE_NATION[1])
