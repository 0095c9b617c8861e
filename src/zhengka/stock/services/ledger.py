"""The one way in which blank cards move: out of one account, into another, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin
from zhengka.core.models import province_of
from zhengka.core.scope import seeing_all
from zhengka.formats import serials
from zhengka.formats.serials import Runs
from zhengka.stock.models import Entry, Slip, Store
from zhengka.stock.workflow import BLANK

MISSING: Final = """
WITH here AS (
    SELECT serials, lower(during) AS since FROM stock_span
    WHERE serials && %(runs)s::int8multirange AND upper_inf(during) AND account = %(account)s
      AND store_id IS NOT DISTINCT FROM %(store)s AND area = %(area)s
    FOR UPDATE
), all_here AS (SELECT coalesce(range_agg(serials), '{}') AS runs, max(since) AS since FROM here)
SELECT lower(%(runs)s::int8multirange - runs), since > %(at)s FROM all_here
"""
# One statement: what is taken is closed, and whatever of it stays or goes is opened from there, row by row.
MOVE: Final = """
WITH taken AS (
    UPDATE stock_span SET during = tstzrange(lower(during), %(at)s)
    WHERE serials && %(runs)s::int8multirange AND upper_inf(during) AND account = %(account)s
      AND store_id IS NOT DISTINCT FROM %(store)s AND area = %(area)s
    RETURNING area, account, store_id, slip_id, serials
)
INSERT INTO stock_span (area, account, store_id, slip_id, serials, during)
SELECT area, account, store_id, slip_id, unnest(int8multirange(serials) - %(runs)s::int8multirange),
       tstzrange(%(at)s, NULL) FROM taken
UNION ALL
SELECT %(to_area)s, %(to_account)s, %(to_store)s, %(slip)s, unnest(int8multirange(serials) * %(runs)s::int8multirange),
       tstzrange(%(at)s, NULL) FROM taken
"""
APPEAR: Final = """
INSERT INTO stock_span (area, account, store_id, slip_id, serials, during)
SELECT %(to_area)s, %(to_account)s, %(to_store)s, %(slip)s, unnest(%(runs)s::int8multirange), tstzrange(%(at)s, NULL)
"""
KNOWN: Final = """
SELECT lower(range_agg(serials) * %(runs)s::int8multirange) FROM stock_span WHERE serials && %(runs)s::int8multirange
"""


def written(slip: Slip, right: str, *, by: Actor, request_id: UUID, at: datetime) -> Slip:
    """Write a new slip with its event, and move what it moves where it needs nobody else.

    The caller has filled in area, sort, stores, serials and why; and locked the stores (`stores`).
    `Refusal`: `not-permitted`, `not-found` (an office outside the actor's), `blanks-not-there`, `blank-known`,
    `stock-time-back`. Raises `Replayed` for a repeat.
    """
    if not by.may(right):
        raise Refusal("not-permitted", permission=right)
    if not by.sees(slip.area_id):
        raise Refusal("not-found")
    slip.province, slip.person, slip.at = province_of(slip.area_id), by.person, at
    slip.quantity = serials.amount(slip.serials)
    slip = begin(slip, slip.sort, right, by=by, request_id=request_id, at=at, quantity=slip.quantity,
                 **({"reason": slip.reason} if slip.reason else {}))
    if slip.state != "proposed":
        move(slip, slip.account, slip.sort, runs=slip.serials, at=at)
    return slip


def move(slip: Slip, source: str, action: str, *, runs: Sequence[Sequence[int]], at: datetime) -> None:
    """Take these serials out of an account by a step of `BLANK`, and put them into the next one: both sides at once.

    `Refusal`: `blanks-not-there` with the first serial that is not, `blank-known` (received twice), `stock-time-back`
    (they came there later than `at`).
    """
    step = BLANK.step(source, action)
    to_store = slip.target if step.target in ("stock", "machine") else slip.source if step.target == "spoiled" else None
    told: dict[str, Any] = {
        "runs": multirange(runs), "at": at, "account": source, "area": slip.area_id,
        "store": slip.source_id if action not in ("arrive", "find") else None, "slip": slip.pk,
        "to_account": step.target, "to_store": to_store.pk if to_store else None,
        "to_area": to_store.area_id if to_store else slip.area_id}
    with connection.cursor() as cursor:
        if source == "outside":
            _appear(cursor, told)
        else:
            _are_there(cursor, told)
            cursor.execute(MOVE, told)
    many = serials.amount(runs)
    Entry.objects.bulk_create([
        Entry(area=told["area"], account=source, store_id=told["store"], slip=slip, quantity=-many, at=at),
        Entry(area=told["to_area"], account=step.target, store_id=told["to_store"], slip=slip, quantity=many, at=at)])


def refuse_absent(slip: Slip, at: datetime) -> None:
    """`Refusal("blanks-not-there")` for a slip that takes what is not in the account of which it speaks."""
    with connection.cursor() as cursor:
        _are_there(cursor, {"runs": multirange(slip.serials), "at": at, "account": slip.account,
                            "area": slip.area_id, "store": slip.source_id})


def stores(*asked: Store, by: Actor, open_only: bool = True) -> list[Store]:
    """These stores, locked in one order by everybody, so that what lies in them stays there until the end of the
    transaction. `Refusal`: `not-found` for one outside the actor's area, `store-closed`.
    """
    rows = {row.pk: row for row in Store.objects.select_for_update(of=("self",)).select_related("area").filter(
        pk__in=[store.pk for store in asked]).order_by("pk")}
    for row in rows.values():
        if not by.sees(row.area_id):
            raise Refusal("not-found")
        if open_only and row.state != "open":
            raise Refusal("store-closed", store=row.name)
    return [rows[store.pk] for store in asked]


def runs_of(text: str) -> Runs:
    """Serials as they were typed or scanned; `Refusal("serials-wrong")` with the piece that is wrong and why."""
    try:
        return serials.parse(text)
    except serials.SerialsWrong as wrong:
        raise Refusal("serials-wrong", why=wrong.code, part=wrong.part) from None


def lying(store: Store) -> str:
    """The account of what lies ready in a store."""
    return "machine" if store.sort == "machine" else "stock"


def _appear(cursor: Any, told: dict[str, Any]) -> None:
    """Plastic comes into the world once: a serial that was ever received is known."""
    try:
        with transaction.atomic():
            cursor.execute(APPEAR, told)
    except IntegrityError as broken:
        if "span_one_place" in str(broken):
            raise Refusal("blank-known", **_known(cursor, told)) from None
        raise


def _known(cursor: Any, told: dict[str, Any]) -> dict[str, int]:
    """The first of the serials that was received before, whoever has it: it is on the labels that were read here."""
    with seeing_all(connection):
        cursor.execute(KNOWN, told)
        [(serial,)] = cursor.fetchall()
    return {} if serial is None else {"serial": serial}


def _are_there(cursor: Any, told: dict[str, Any]) -> None:
    cursor.execute(MISSING, told)
    missing, later = cursor.fetchone()
    if missing is not None:
        raise Refusal("blanks-not-there", serial=missing, account=told["account"])
    if later:
        raise Refusal("stock-time-back")


def multirange(runs: Sequence[Sequence[int]]) -> str:
    """Runs as PostgreSQL's `int8multirange` reads them."""
    return "{" + ",".join(f"[{run[0]},{run[1]}]" for run in runs) + "}"
