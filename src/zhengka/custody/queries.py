"""What may be read of custody: who has which parcel, where a card is, what is amiss, how long cards have waited."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.scope import seeing_all
from zhengka.custody import rules
from zhengka.custody.models import Booklet, Keeping, Listed, Parcel, Pulping, Receipt, Stay, Trouble
from zhengka.formats.serial import BadSerial, parse
from zhengka.production.models import Item

UNDER_WAY: Final = ("packed", "moving", "kept")
AT_THE_PLANT: Final = ("prepared", "sent", "arrived", "ready")
"""States of a card that is numbered and was packed into no parcel: it lies at the plant."""
AGES: Final = """
SELECT k.office, width_bucket(extract(epoch FROM %(at)s - k.waits_since) / 86400, %(buckets)s::numeric[]::float8[]),
       count(*), max(k.counted_at)
FROM custody_keeping k JOIN cards_card c ON c.id = k.card_id
WHERE k.state = 'waiting' AND c.state = 'ready'
  AND (k.area BETWEEN %(lo)s AND %(hi)s OR k.shared_with BETWEEN %(lo)s AND %(hi)s)
GROUP BY 1, 2 ORDER BY 1, 2
"""


class Place(NamedTuple):
    """Where a finished card is: `where` is `plant`, `parcel`, `office`, `missing`, `lost`, `hand` or `gone`."""

    where: str
    parcel: Parcel | None = None
    office: int | None = None


@dataclass(frozen=True)
class Aged:
    """How many cards wait at an office, by the buckets of `rules.BUCKETS`: less than 7 days first; and when they were
    counted last.
    """

    office: int
    counts: tuple[int, ...]
    counted_at: datetime | None = None

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts)


def parcels(*, actor: Actor) -> QuerySet[Parcel]:
    """The parcels that an officer sees: of the area's cards, or on their way there; the newest first."""
    return Parcel.objects.filter(_mine(actor)).select_related("area", "target", "batch").order_by("-pk")


def parcel(pk: int, *, actor: Actor) -> Parcel:
    """One of them; `Refusal("not-found")`."""
    for row in parcels(actor=actor).filter(pk=pk):
        return row
    raise Refusal("not-found")


def by_state(actor: Actor) -> dict[str, int]:
    """How many parcels there are in each state."""
    found = parcels(actor=actor).select_related(None).order_by()
    return dict(found.values_list("state").annotate(n=Count("pk")))


def has(rows: "list[Parcel]") -> dict[int, Stay]:
    """Who has each of these parcels now: parcel → its open stay."""
    return {stay.parcel_id: stay for stay in Stay.objects.filter(parcel__in=rows, until=None)}


def journey(parcel: Parcel) -> list[Stay]:
    """Where a parcel was from when to when, the first place first."""
    return list(Stay.objects.filter(parcel=parcel).order_by("since", "pk"))


def lines(parcel: Parcel) -> QuerySet[Listed]:
    """The list of a parcel, by serial."""
    return Listed.objects.filter(parcel=parcel).order_by("serial")


def troubles(*, actor: Actor) -> QuerySet[Trouble]:
    """The custody cases that an officer sees, the newest first."""
    return Trouble.objects.filter(_mine(actor)).select_related("area", "parcel", "other").order_by("-pk")


def trouble(pk: int, *, actor: Actor) -> Trouble:
    """One of them; `Refusal("not-found")`."""
    for row in troubles(actor=actor).filter(pk=pk):
        return row
    raise Refusal("not-found")


def open_troubles(actor: Actor) -> int:
    """How many custody cases are not settled."""
    return Trouble.objects.filter(_mine(actor), state__in=("open", "proposed")).count()


def kept(card: Card) -> Keeping | None:
    """Where a card is kept; None for one that never came into custody."""
    return Keeping.objects.filter(card=card).select_related("parcel").first()


def place_of(card: Card) -> Place:
    """Where a card is now that has a serial."""
    keeping = kept(card)
    if keeping is None or (keeping.state in ("waiting", "returned") and card.state != "ready"):
        return Place("hand" if card.handed_over_at else "plant" if card.state in AT_THE_PLANT
                     else card.state if card.state in ("missing", "lost") else "gone")
    if keeping.state == "packed":
        return Place("parcel", keeping.parcel)
    where = {"missing": "missing", "lost": "lost", "collected": "hand", "withdrawn": "gone"}
    return Place(where.get(keeping.state, "office"), keeping.parcel, keeping.office)


def scanned(text: str) -> Parcel | Card:
    """What a scanned or typed number means: a parcel by its number or seal, wherever it is, or a card by its serial,
    from the moment that it has one: what was never packed may have left the plant by no door of ours.

    `Refusal("nothing-under-number")`. The caller shows no more of what is another office's than that it is.
    """
    asked = text.strip()[:64]
    with seeing_all(connection):
        for row in Parcel.objects.filter(Q(number=asked) | Q(seal=asked)).select_related("area", "target")[:1]:
            return row
        try:
            asked = str(parse(asked))
        except BadSerial:
            raise Refusal("nothing-under-number") from None
        for card in Card.objects.filter(serial=asked)[:1]:
            return card
    raise Refusal("nothing-under-number")


def counted(actor: Actor) -> tuple[int, dict[str, int]]:
    """How many cards were sealed into parcels that come from the plant, and what became of them as these were opened,
    by outcome; empty: not opened yet.
    """
    found = Parcel.objects.filter(_mine(actor), batch__isnull=False)
    sealed = found.aggregate(n=Sum("quantity", default=0))["n"]
    lines = Listed.objects.filter(parcel__in=found).order_by().values_list("outcome").annotate(n=Count("pk"))
    return sealed, dict(lines)


def left_at_the_plant(batch_id: int) -> list[int]:
    """The good cards of a batch that were packed into no parcel yet, in the batch's order."""
    found = Item.objects.filter(batch=batch_id, outcome="good", card__state="ready", card__keeping=None)
    return list(found.order_by("position").values_list("card", flat=True))


def waiting(actor: Actor, at: datetime, *, office: int = 0, bucket: int | None = None) -> QuerySet[Keeping]:
    """The cards that wait for their holders (待领); of one office, of one bucket of ages."""
    found = Keeping.objects.filter(_mine(actor), state="waiting", card__state="ready")
    if office:
        found = found.filter(office=office)
    if bucket is not None:
        days = (0, *rules.BUCKETS)
        found = found.filter(waits_since__lte=at - timedelta(days[bucket]))
        if bucket < len(rules.BUCKETS):
            found = found.filter(waits_since__gt=at - timedelta(days[bucket + 1]))
    return found.select_related("card__holder", "area").order_by("waits_since", "pk")


def ages(actor: Actor, at: datetime) -> list[Aged]:
    """How long cards have waited at each office."""
    with connection.cursor() as cursor:
        cursor.execute(AGES, {"at": at, "buckets": list(rules.BUCKETS), "lo": actor.lo, "hi": actor.hi})
        found = cursor.fetchall()
    offices: dict[int, Counter[int]] = {}
    counted_at: dict[int, datetime] = {}
    for office, bucket, many, counted in found:
        offices.setdefault(office, Counter())[bucket] = many
        if counted and (office not in counted_at or counted > counted_at[office]):
            counted_at[office] = counted
    return [Aged(office, tuple(counts[place] for place in range(len(rules.BUCKETS) + 1)), counted_at.get(office))
            for office, counts in offices.items()]


def returned(actor: Actor) -> QuerySet[Keeping]:
    """The cards that went back uncollected and lie at an office still, those that went back first at the top."""
    found = Keeping.objects.filter(_mine(actor), state="returned", card__state="ready")
    return found.select_related("card__holder", "area").order_by("pk")


def lying(card_ids: Sequence[int], *, actor: Actor) -> list[Keeping]:
    """Those of some cards that wait or went back at an office, where an officer may take them from it."""
    found = Keeping.objects.filter(_mine(actor), card__in=card_ids, state__in=("waiting", "returned"),
                                   card__state="ready")
    return list(found.select_related("area").order_by("pk"))


def targets(area: Area, origin: Area) -> QuerySet[Area]:
    """Where cards of an office (`area`) may be sent from where they lie: to it, below it, or to an office above it."""
    below = Q(code__range=(area.code, area.last), level__in=("county", "street"))
    return Area.objects.filter(below | Q(code__in=above(area))).exclude(code=origin.code).order_by("code")


def above(area: Area) -> list[int]:
    """The offices from this one up at which parcels stop; the nation's and, above a city, the province's are none."""
    found: list[int] = []
    place: Area | None = area
    while place is not None and place.level in rules.LEVELS:
        if place.level != "province" or not found:
            found.append(place.code)
        place = place.parent
    return found


def counters(actor: Actor) -> QuerySet[Area]:
    """The offices of the actor's area at which cards wait or went back, and the actor's own."""
    found = Keeping.objects.filter(_mine(actor), state__in=("waiting", "returned"))
    return Area.objects.filter(Q(code__in=found.values("office"), code__range=(actor.lo, actor.hi))
                               | Q(code=actor.lo, level__in=("county", "street"))).order_by("code")


def booklets_in(state: str, *, actor: Actor) -> QuerySet[Booklet]:
    """The old booklets of an officer's area in one state, with the cards against which they came."""
    found = Booklet.objects.filter(area__code__range=(actor.lo, actor.hi), state=state)
    return found.select_related("card__holder").order_by("pk")


def booklets(actor: Actor) -> dict[str, int]:
    """How many old booklets there are in each state."""
    found = Booklet.objects.filter(area__code__range=(actor.lo, actor.hi)).order_by()
    return dict(found.values_list("state").annotate(n=Count("pk")))


def pulpings(*, actor: Actor) -> QuerySet[Pulping]:
    """The counted batches of old booklets, the newest first."""
    return Pulping.objects.filter(area__code__range=(actor.lo, actor.hi)).select_related("area").order_by("-pk")


def receipt(card: Card) -> Receipt | None:
    """How a card was handed over; None for one that was handed over without proof, or not yet."""
    return Receipt.objects.filter(card=card).first()


def proofs(actor: Actor, since: datetime) -> dict[str, Counter[str]]:
    """By what each person has proved hand-overs since then: person → proof → how many."""
    found: dict[str, Counter[str]] = {}
    rows = Receipt.objects.filter(area__range=(actor.lo, actor.hi), at__gte=since).order_by()
    for person, proof, many in rows.values_list("person", "proof").annotate(n=Count("pk")):
        found.setdefault(person, Counter())[proof] = many
    return found


def office(actor: Actor, parcel: Parcel | None = None) -> Area:
    """The office at which an officer works: that of the actor's area; who works for a whole province stands in for the
    office to which a parcel goes next, or went.
    """
    own = Area.objects.get(pk=actor.lo)
    if parcel is None or own.level not in ("nation", "province"):
        return own
    return Area.objects.get(pk=[*parcel.stops[parcel.passed:], parcel.target_id][0])


def _mine(actor: Actor) -> Q:
    return Q(area__code__range=(actor.lo, actor.hi)) | Q(shared_with__range=(actor.lo, actor.hi))


def office_of(place: Place) -> Area | None:
    """The office at which a card lies."""
    return Area.objects.filter(pk=place.office).first() if place.office else None
