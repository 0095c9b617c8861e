"""What may be asked of the ledger of blank cards: how many where, at any moment; and where one piece is and was."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.formats import serials
from zhengka.stock.models import Box, Count, Order, Slip, Span, Store

ACCOUNTS: Final = ("stock", "moving", "machine", "issued", "spoiled", "destroyed", "lost")


class Balance(NamedTuple):
    """How many blank cards of some offices: `received` from suppliers, `came` from other offices and `went` to them,
    and those in each of `ACCOUNTS`. `closes`: the two sides are equal (I3).
    """

    received: int
    accounts: dict[str, int]
    came: int = 0
    went: int = 0

    @property
    def there(self) -> int:
        """In stock + moving + in machine + issued + spoiled + destroyed + lost."""
        return sum(self.accounts.values())

    @property
    def closes(self) -> bool:
        """Received + came from others − went to others = all that they became."""
        return self.received + self.came - self.went == self.there


class Stay(NamedTuple):
    """Where one piece was: on which account, in which store and office, from when to when, brought by which slip."""

    account: str
    store: str
    area: int
    since: datetime
    until: datetime | None
    slip: int


class Used(NamedTuple):
    """What was made of the blanks of one box, machine or operator, and what of them was spoiled; `area`: 12-digit code
    of the office, `key`: row of the box or machine, 0 for an operator.
    """

    of: str
    issued: int
    spoiled: int
    area: int
    key: int

    @property
    def share(self) -> float:
        """Spoiled of all that were used, between 0 and 1."""
        return self.spoiled / (self.issued + self.spoiled)


BALANCE: Final = """
SELECT account, sum(quantity) FROM stock_entry WHERE area BETWEEN %(lo)s AND %(hi)s AND at <= %(at)s GROUP BY account
"""
# What came into stock off a shipment of somebody else, and what left the way of one's own into somebody else's stock:
# each side is told by entries of these offices alone, for nobody else's are seen.
EXCHANGED: Final = """
SELECT coalesce(sum(e.quantity) FILTER (WHERE e.account = 'stock'), 0),
       coalesce(-sum(e.quantity) FILTER (WHERE e.account = 'moving'), 0)
FROM stock_entry e JOIN stock_slip s ON s.id = e.slip_id
WHERE e.area BETWEEN %(lo)s AND %(hi)s AND e.at <= %(at)s AND e.account IN ('stock', 'moving')
  AND (e.account = 'stock') = (e.quantity > 0) AND s.sort = 'ship'
  AND CASE e.account WHEN 'stock' THEN s.area ELSE s.shared_with END NOT BETWEEN %(lo)s AND %(hi)s
"""
STORES: Final = """
SELECT store_id, account, sum(quantity) FROM stock_entry
WHERE store_id = ANY(%(stores)s) AND at <= %(at)s GROUP BY store_id, account
"""
WHERE: Final = """
SELECT s.account, coalesce(t.name, ''), s.area, lower(s.during), upper(s.during), s.slip_id
FROM stock_span s LEFT JOIN stock_store t ON t.id = s.store_id
WHERE s.serials @> %(serial)s::bigint {when} AND s.area BETWEEN %(lo)s AND %(hi)s ORDER BY lower(s.during), s.id
"""
IN_BOX: Final = """
SELECT account, sum(upper(part) - lower(part)) FROM (
    SELECT account, serials * int8range(%(first)s, %(last)s, '[]') AS part FROM stock_span
    WHERE serials && int8range(%(first)s, %(last)s, '[]') AND during @> %(at)s::timestamptz
      AND area BETWEEN %(lo)s AND %(hi)s) each
GROUP BY account
"""
OF_BATCH: Final = """
SELECT sort, sum(quantity) FROM stock_slip WHERE batch = %(batch)s AND at <= %(at)s GROUP BY sort
"""
LEAD: Final = 30
"""Days until the first delivery, as long as none has told better."""
ON_ORDER: Final = """
SELECT coalesce(sum(greatest(quantity - delivered, 0)), 0) FROM stock_order
WHERE state = 'open' AND area BETWEEN %(lo)s AND %(hi)s
"""
USED_SINCE: Final = """
SELECT coalesce(sum(quantity), 0) FROM stock_entry
WHERE account IN ('issued', 'spoiled') AND quantity > 0 AND area BETWEEN %(lo)s AND %(hi)s AND at >= %(since)s
"""
LEADS: Final = """
SELECT ceil(extract(epoch FROM delivered_at - approved_at) / 86400) FROM stock_order
WHERE state = 'complete' AND area BETWEEN %(lo)s AND %(hi)s ORDER BY delivered_at DESC LIMIT 3
"""
USED_UP: Final = """
SELECT lower(run), upper(run) - 1 FROM (
    SELECT range_agg(serials) * %(runs)s::int8multirange AS runs FROM stock_span
    WHERE serials && %(runs)s::int8multirange AND upper_inf(during) AND account IN ('issued', 'spoiled', 'destroyed')
) used CROSS JOIN LATERAL unnest(runs) AS run ORDER BY 1
"""
NEWEST_BOXES: Final = 400
"""Of so many boxes, the newest, the worst are looked for; older ones are asked for one by one (`in_box`)."""
USED: Final = """
    SELECT coalesce(sum(slip.quantity) FILTER (WHERE slip.sort = 'issue'), 0) AS issued,
           coalesce(sum(slip.quantity) FILTER (WHERE slip.sort = 'spoil'), 0) AS spoiled,
"""
WORST: Final = "SELECT name, issued, spoiled, area, key FROM ({}) each ORDER BY {}, name, key LIMIT %(most)s"
WORST_FIRST: Final = "spoiled::float8 / (issued + spoiled) DESC, issued + spoiled DESC"
WASTE: Final = {
    "machine": USED + """ min(store.name) AS name, min(store.area) AS area, store.id AS key
    FROM stock_slip slip JOIN stock_store store ON store.id = slip.source_id
    WHERE slip.sort IN ('issue', 'spoil') AND store.sort = 'machine' AND slip.area BETWEEN %(lo)s AND %(hi)s
      AND slip.at >= %(since)s GROUP BY store.id""",
    "operator": USED + """ slip.operator AS name, slip.area, 0 AS key FROM stock_slip slip
    WHERE slip.sort IN ('issue', 'spoil') AND slip.operator <> '' AND slip.area BETWEEN %(lo)s AND %(hi)s
      AND slip.at >= %(since)s GROUP BY slip.operator, slip.area""",
    "box": """
    SELECT min(box.supplier || ' ' || box.label) AS name, min(box.area) AS area, box.id AS key,
           coalesce(sum(upper(part.r) - lower(part.r)) FILTER (WHERE part.account = 'issued'), 0) AS issued,
           coalesce(sum(upper(part.r) - lower(part.r)) FILTER (WHERE part.account <> 'issued'), 0) AS spoiled
    FROM (SELECT * FROM stock_box WHERE area BETWEEN %(lo)s AND %(hi)s ORDER BY id DESC LIMIT %(newest)s) box
    CROSS JOIN LATERAL (
        SELECT account, serials * int8range(box.first, box.last, '[]') AS r FROM stock_span
        WHERE serials && int8range(box.first, box.last, '[]') AND upper_inf(during)
          AND account IN ('issued', 'spoiled', 'destroyed')) part
    GROUP BY box.id"""}


def balance(lo: int, hi: int, at: datetime) -> Balance:
    """The ledger of the offices from `lo` to `hi` (12 digits) at a moment. What an office shipped to others stays in
    its balance until it arrives there; from then on it is what went to others here, and what came from others there.
    """
    rows = dict(_rows(BALANCE, lo=lo, hi=hi, at=at))
    accounts = {account: int(rows.get(account, 0)) for account in ACCOUNTS}
    [(came, went)] = _rows(EXCHANGED, lo=lo, hi=hi, at=at)
    return Balance(-int(rows.get("outside", 0)), accounts, int(came), int(went))


def in_stores(stores: Sequence[int], at: datetime) -> dict[tuple[int, str], int]:
    """How many lie in each of these stores at a moment, by store and account."""
    return {(store, account): int(many) for store, account, many in _rows(STORES, stores=list(stores), at=at) if many}


def in_box(box: Box, at: datetime, *, lo: int = WHOLE_NATION[0], hi: int = WHOLE_NATION[1]) -> dict[str, int]:
    """What became of the serials of one box by a moment, as far as the offices from `lo` to `hi` answer for them: how
    many on each account.
    """
    return {account: int(many) for account, many in _rows(
        IN_BOX, first=box.first, last=box.last, at=at, lo=lo, hi=hi)}


def of_batch(batch: str, at: datetime) -> dict[str, int]:
    """How many blanks were used for a batch by a moment: `issue`, `spoil`."""
    return {sort: int(many) for sort, many in _rows(OF_BATCH, batch=batch, at=at)}


def where(serial: int, at: datetime, *, actor: Actor) -> Stay:
    """Where a piece was at a moment; `Refusal("blank-unknown")` where the actor's offices did not have it then."""
    for row in _rows(WHERE.format(when="AND s.during @> %(at)s::timestamptz"), serial=serial, at=at, lo=actor.lo,
                     hi=actor.hi):
        return Stay(*row)
    raise Refusal("blank-unknown", serial=serial)


def history(serial: int, *, actor: Actor) -> list[Stay]:
    """Where a piece was, one stay after the other: a stay that only its neighbours left goes on."""
    stays: list[Stay] = []
    for row in _rows(WHERE.format(when="AND NOT isempty(s.during)"), serial=serial, lo=actor.lo, hi=actor.hi):
        stay = Stay(*row)
        if stays and stays[-1].slip == stay.slip and stays[-1].until == stay.since:
            stays[-1] = stays[-1]._replace(until=stay.until)
        else:
            stays.append(stay)
    if not stays:
        raise Refusal("blank-unknown", serial=serial)
    return stays


def stores(*, actor: Actor) -> QuerySet[Store]:
    """The stores and machines of the actor's offices."""
    return Store.objects.filter(area__code__range=(actor.lo, actor.hi)).select_related("area").order_by("area", "pk")


def slips(*, actor: Actor) -> QuerySet[Slip]:
    """The slips of the actor's offices, and those that are on their way to them; the newest first."""
    here = Q(area__code__range=(actor.lo, actor.hi)) | Q(shared_with__range=(actor.lo, actor.hi))
    return Slip.objects.filter(here).select_related("area", "source", "target").order_by("-at", "-id")


def slips_of(store: Store) -> QuerySet[Slip]:
    """The slips that took out of a store or brought into it."""
    return Slip.objects.filter(Q(source=store) | Q(target=store)).select_related("area").order_by("-at", "-id")


def runs_in(store: Store, account: str = "", at: datetime | None = None) -> list[tuple[int, int]]:
    """The serials that lie ready in a store now, or lay there at a moment, or of it on another account."""
    account = account or ("machine" if store.sort == "machine" else "stock")
    found = Span.objects.filter(store=store, account=account)
    return _runs(found.filter(during__contains=at) if at else found.filter(during__upper_inf=True))


def on_the_way(shipment: Slip) -> list[tuple[int, int]]:
    """The serials of a shipment that neither arrived nor were declared lost; those of another office's are seen by the
    platform alone.
    """
    return _runs(Span.objects.filter(slip=shipment, account="moving", during__upper_inf=True))


def _runs(spans: QuerySet[Span]) -> list[tuple[int, int]]:
    return serials.joined((one.lower, one.upper - 1) for one in spans.values_list("serials", flat=True))


def next_in(machine: int) -> int | None:
    """The serial of the blank card that comes next out of a machine (its row's key): the lowest that lies in it."""
    found = Span.objects.filter(store=machine, account="machine", during__upper_inf=True).order_by("serials").first()
    return found.serials.lower if found else None


def used_up(runs: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Those of some serials of which a card was made, or that were spoiled, wherever."""
    rows = _rows(USED_UP, runs="{" + ",".join(f"[{run[0]},{run[1]}]" for run in runs) + "}")
    return [(first, last) for first, last in rows]


def differences(*, actor: Actor) -> QuerySet[Count]:
    """The counts of the actor's offices that differ and are not explained yet."""
    return Count.objects.filter(area__code__range=(actor.lo, actor.hi), state="differs").select_related(
        "area", "store").order_by("at")


def orders(*, actor: Actor) -> QuerySet[Order]:
    """The orders of the actor's offices from suppliers, the newest first."""
    return Order.objects.filter(area__code__range=(actor.lo, actor.hi)).select_related("area", "store").order_by(
        "-at", "-id")


def on_order(lo: int, hi: int) -> int:
    """How many blank cards are still to come for the open orders of the offices from `lo` to `hi` (12 digits)."""
    return int(_rows(ON_ORDER, lo=lo, hi=hi)[0][0])


def used_since(lo: int, hi: int, since: datetime) -> int:
    """How many blank cards these offices used up since a moment, for cards and for nothing."""
    return int(_rows(USED_SINCE, lo=lo, hi=hi, since=since)[0][0])


def lead_days(lo: int, hi: int) -> int:
    """How many days a supplier needs from the order to the last box: the longest of the three newest deliveries, or
    `LEAD` before there is any.
    """
    found = _rows(LEADS, lo=lo, hi=hi)
    return max((int(days) for (days,) in found), default=LEAD)


def waste(by: str, lo: int, hi: int, since: datetime, *, most: int = 20) -> list[Used]:
    """How much was spoiled since a moment, `by` machine or operator; by box, of the `NEWEST_BOXES`, since ever: the
    `most` that spoil the largest share, the worst first.
    """
    return [Used(of, int(issued), int(spoiled), area, key) for of, issued, spoiled, area, key in _rows(
        WORST.format(WASTE[by], WORST_FIRST), lo=lo, hi=hi, since=since, most=most, newest=NEWEST_BOXES)]


def low(*, actor: Actor, at: datetime) -> list[tuple[Store, int]]:
    """Stores in which fewer blanks lie than their alarm says, with how many."""
    watched = list(stores(actor=actor).filter(sort="store", state="open", reorder_at__gt=0))
    held = in_stores([store.pk for store in watched], at)
    return [(store, many) for store in watched if (many := held.get((store.pk, "stock"), 0)) < store.reorder_at]


def unbalanced() -> list[str]:
    """What contradicts I3, in words; empty where all is well: entries of a slip that do not cancel out, and accounts
    of which the entries and the runs of serials say different numbers.
    """
    wrong = [f"slip {slip}: {total:+}" for slip, total in _rows(UNEQUAL)]
    return wrong + [f"{account} store {store} area {area}: {entries} by entries, {runs} by serials"
                    for area, account, store, entries, runs in _rows(CONTRADICTIONS)]


UNEQUAL: Final = "SELECT slip_id, sum(quantity) FROM stock_entry GROUP BY 1 HAVING sum(quantity) <> 0"
CONTRADICTIONS: Final = """
SELECT area, account, store, coalesce(e.many, 0), coalesce(s.many, 0) FROM (
    SELECT area, account, coalesce(store_id, 0) AS store, sum(quantity) AS many FROM stock_entry
    WHERE account <> 'outside' GROUP BY 1, 2, 3) e
FULL JOIN (
    SELECT area, account, coalesce(store_id, 0) AS store, sum(upper(serials) - lower(serials)) AS many FROM stock_span
    WHERE upper_inf(during) GROUP BY 1, 2, 3) s USING (area, account, store)
WHERE coalesce(e.many, 0) <> coalesce(s.many, 0)
"""


def _rows(statement: str, **told: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, told)
        return list(cursor.fetchall())
