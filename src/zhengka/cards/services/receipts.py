"""Operators and their gates tell which version of a status list they have seen and decide by (回执)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from zhengka.cards.models import ListReceipt, LossTold, StatusPublication
from zhengka.core.errors import Refusal

KEPT: Final = timedelta(days=30)
TAKE = """
INSERT INTO cards_listreceipt (operator, gate, list_number, number, seen_at, in_force_at)
SELECT %(operator)s, %(gate)s, t.list, t.number, %(at)s, CASE WHEN %(in_force)s THEN %(at)s::timestamptz END
FROM unnest(%(lists)s::bigint[], %(numbers)s::bigint[]) AS t (list, number)
ON CONFLICT (operator, gate, list_number, number) DO UPDATE
SET in_force_at = coalesce(cards_listreceipt.in_force_at, greatest(excluded.in_force_at, cards_listreceipt.seen_at))
WHERE cards_listreceipt.in_force_at IS NULL AND excluded.in_force_at IS NOT NULL
"""


@transaction.atomic
def take_receipts(operator: str, versions: Mapping[int, int], *, in_force: bool, at: datetime, gate: int = 0) -> None:
    """Note that an operator (code), or one of its gates (row id of the device), has these versions of lists (list
    number → version): that it has seen them, or that it decides by them (`in_force`). A version covers all before it.

    The first time counts: a repeat changes nothing. `Refusal("receipt-unknown")` for what was never published.
    """
    published = set(StatusPublication.objects.filter(
        list_number__in=versions.keys(), number__in=versions.values()).exclude(digest="").values_list(
        "list_number", "number"))
    for each in versions.items():
        if each not in published:
            raise Refusal("receipt-unknown", list=each[0], version=each[1])
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"operator": operator, "gate": gate, "at": at, "in_force": in_force,
                              "lists": list(versions), "numbers": list(versions.values())})


@transaction.atomic
def forget_receipts(*, at: datetime) -> int:
    """Remove receipts and measured losses that are older than `KEPT`; how many."""
    old = at - KEPT
    return ListReceipt.objects.filter(seen_at__lt=old).delete()[0] + LossTold.objects.filter(
        reported_at__lt=old).delete()[0]
