"""A physical count (盘点) is held against the ledger; it explains itself, and never writes the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, lock, perform, replayed
from zhengka.core.models import province_of
from zhengka.formats import serials
from zhengka.formats.serials import Runs
from zhengka.stock.models import Count, Store
from zhengka.stock.services import ledger
from zhengka.stock.workflow import READY

HELD: Final = """
WITH held AS (
    SELECT coalesce(range_agg(serials), '{}') AS runs, coalesce(sum(upper(serials) - lower(serials)), 0) AS many
    FROM stock_span WHERE store_id = %(store)s AND account = %(account)s AND upper_inf(during)
), asked AS (SELECT %(found)s::int8multirange AS runs)
SELECT held.many,
       (SELECT coalesce(array_agg(ARRAY[lower(r), upper(r) - 1] ORDER BY r), '{}')
        FROM unnest(held.runs - asked.runs) r),
       (SELECT coalesce(array_agg(ARRAY[lower(r), upper(r) - 1] ORDER BY r), '{}')
        FROM unnest(asked.runs - held.runs) r)
FROM held, asked
"""


@transaction.atomic
def count(store: Store, found: Runs, account: str = READY, *, by: Actor, request_id: UUID, at: datetime) -> Count:
    """Hold what was counted in a store against the ledger: it agrees, or a difference is open until slips explain it.

    `found`: the serials that lay there ready or (`account`) spoiled, empty for none. `Refusal`: `not-permitted`,
    `not-found`, `store-closed`. Raises `Replayed` for a repeat.
    """
    if event := replayed(request_id, Count.kind()):
        raise Replayed(event)
    if not by.may("stock.keep"):
        raise Refusal("not-permitted", permission="stock.keep")
    (store,) = ledger.stores(store, by=by)
    expected, missing, surplus = differences(store, found, account)
    row = Count(province=province_of(store.area_id), area=store.area, store=store, account=account,
                found=serials.amount(found), expected=expected, missing=missing, surplus=surplus, at=at)
    return begin(row, "count", "stock.keep", by=by, request_id=request_id, at=at, found=row.found, expected=expected)


@transaction.atomic
def settle(row: Count, *, by: Actor, request_id: UUID, at: datetime) -> Count:
    """Close a difference (核销差异) once the ledger has moved to what was counted: what was missing is no longer on
    this store's account, and what lay there too much is.

    `Refusal`: `count-still-differs` with how many serials, `step-not-open`, `not-permitted`, `not-found`. Raises
    `Replayed` for a repeat.
    """
    (row,) = lock(row)
    (store,) = ledger.stores(row.store, by=by, open_only=False)
    runs = [tuple(run) for run in row.missing]
    missing = serials.amount(runs) - serials.amount(differences(store, runs, row.account)[2])
    surplus = serials.amount(differences(store, [tuple(run) for run in row.surplus], row.account)[2])
    if missing or surplus:
        raise Refusal("count-still-differs", missing=missing, surplus=surplus)
    return perform(row, "settle", by=by, request_id=request_id, at=at)


def differences(store: Store, found: Sequence[Sequence[int]], account: str = READY,
                ) -> tuple[int, list[list[int]], list[list[int]]]:
    """How many lie ready in a store by the ledger, or of it on another account; which of them are not in `found`, and
    which of `found` are not.
    """
    with connection.cursor() as cursor:
        cursor.execute(HELD, {"store": store.pk, "account": account or ledger.lying(store),
                              "found": ledger.multirange(found)})
        many, missing, surplus = cursor.fetchone()
    return int(many), missing, surplus
