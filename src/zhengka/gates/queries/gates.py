"""What may be read of gates: where they stand, what their logs lack, whether their clocks and keys can be believed."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from django.db.models import Count, Max, Q, QuerySet, Sum

from zhengka.cards.models import BundlePublication
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.devices.models import Device
from zhengka.formats.bundle import PUBLIC
from zhengka.formats.issuers import VOUCHER, KeySet, issuer_key
from zhengka.gates import clocks, quota
from zhengka.gates.clocks import Fault, Tick
from zhengka.gates.models import DoubleUse, Post, Upload, Visit

OWN: Final = 10**12
"""From this number on events are the platform's own."""
LOOKED_AT: Final = 5_000
"""So many of a gate's last events its clock is judged by."""
_EVER: Final = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC))


@dataclass(frozen=True)
class GateLine:
    """One gate as the overview shows it."""

    gate: Device
    post: Post | None
    events: int = 0
    missing: int = 0
    forks: int = 0
    doubles: int = 0
    last_upload: datetime | None = None


@dataclass(frozen=True)
class Sent:
    """Lines that gates sent, how many were new, how many known, and those that were refused by code."""

    lines: int
    fresh: int
    repeats: int
    refused: Mapping[str, int]


@dataclass(frozen=True)
class Bound:
    """How often the gates at one place could serve somebody too often while cut off: of one voucher, at worst."""

    operator: str
    venue: str
    gates: int
    connected: int
    vouchers: int
    worst: quota.Bound = field(repr=False)


def gate(pk: int, *, actor: Actor) -> Device:
    """A gate of the actor's area; `Refusal("not-found")`."""
    for row in _gates(actor).filter(pk=pk):
        return row
    raise Refusal("not-found")


def gate_lines(*, actor: Actor) -> list[GateLine]:
    """The gates of the actor's area with what their logs tell."""
    rows = list(_gates(actor).order_by("area", "pk"))
    ids = [row.pk for row in rows]
    standing = {post.gate_id: post for post in Post.objects.filter(gate__in=ids, state="standing")}
    told = {gate: rest for gate, *rest in Visit.objects.filter(gate__in=ids, seq__lt=OWN).values_list("gate").annotate(
        n=Count("seq", distinct=True), last=Max("seq"), forks=Count("pk", filter=Q(forked=True)))}
    uploaded = dict(Upload.objects.filter(gate__in=ids).values_list("gate").annotate(last=Max("at")))
    twice: defaultdict[int, int] = defaultdict(int)
    for one, other in DoubleUse.objects.filter(Q(counted__gate__in=ids) | Q(again__gate__in=ids)).values_list(
            "counted__gate", "again__gate"):
        for pk in {one, other}:
            twice[pk] += 1
    return [GateLine(row, standing.get(row.pk), *_log(told.get(row.pk)), twice[row.pk], uploaded.get(row.pk))
            for row in rows]


def posts(gate: Device) -> QuerySet[Post]:
    """Where a gate stands and stood, the newest first."""
    return Post.objects.filter(gate=gate).order_by("-pk")


def uploads(gate: Device) -> QuerySet[Upload]:
    """What a gate sent, the newest first."""
    return Upload.objects.filter(gate=gate).order_by("-at", "-pk")


def sent(*, actor: Actor) -> Sent:
    """What the gates of the actor's area sent in all their uploads."""
    rows = Upload.objects.filter(area__range=(actor.lo, actor.hi))
    sums = rows.aggregate(*(Sum(name, default=0) for name in ("lines", "fresh", "repeats")))
    refused: Counter[str] = Counter()
    for told in rows.exclude(refused={}).values_list("refused", flat=True):
        refused.update(told)
    return Sent(sums["lines__sum"], sums["fresh__sum"], sums["repeats__sum"], dict(refused))


def doubles(*, actor: Actor) -> QuerySet[DoubleUse]:
    """Uses that were one too many at gates of the actor's area, the newest first, with both events and gates."""
    mine = Q(area__range=(actor.lo, actor.hi)) | Q(shared_with__range=(actor.lo, actor.hi))
    return DoubleUse.objects.filter(mine).select_related("counted__gate", "again__gate").order_by("-pk")


def forks(*, actor: Actor) -> QuerySet[Visit]:
    """Events under numbers for which a gate of the actor's area signed more than one thing (闸机日志分叉)."""
    return Visit.objects.filter(forked=True, area__range=(actor.lo, actor.hi)).select_related("gate").order_by(
        "gate", "seq", "digest")


def clock(gate: Device) -> list[Fault]:
    """What is wrong with a gate's clock, by its last events."""
    rows = Visit.objects.filter(gate=gate, seq__lt=OWN).order_by("-seq").values_list(
        "seq", "at", "list_version", "received_at")[:LOOKED_AT]
    ticks = [Tick(*row) for row in rows]
    issued = BundlePublication.objects.filter(bundle=PUBLIC, number__in={tick.list_version for tick in ticks})
    return clocks.judge(ticks, dict(issued.values_list("number", "published_at")))


def gate_keys(operator: str) -> KeySet:
    """The public keys of the gates of an operator that are at work, for gates that read each other's vouchers."""
    rows = Device.objects.filter(state="active", sort="gate", public__isnull=False, posts__operator=operator,
                                 posts__state="standing").distinct()
    return KeySet(issuer_key(row.suite, bytes(row.public or b""), not_before=_EVER[0], not_after=_EVER[1],
                             purposes=[VOUCHER]) for row in rows)


def bounds(*, actor: Actor, connected_since: datetime) -> list[Bound]:
    """For each place in the actor's area: how many gates, how many of them spoke since then, and the bound."""
    found: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    for operator, venue, seen in Post.objects.filter(
            state="standing", area__code__range=(actor.lo, actor.hi)).order_by("operator", "venue").values_list(
            "operator", "venue", "gate__seen_at"):
        found[operator, venue].append(seen is not None and seen >= connected_since)
    return [_bound(*place, spoke) for place, spoke in found.items()]


def _bound(operator: str, venue: str, spoke: Sequence[bool]) -> Bound:
    worst = quota.bound(1, len(spoke), len(spoke) - sum(spoke))
    return Bound(operator, venue, len(spoke), sum(spoke), worst.vouchers, worst)


def _gates(actor: Actor) -> QuerySet[Device]:
    return Device.objects.filter(sort="gate", area__code__range=(actor.lo, actor.hi)).select_related("area")


def _log(told: Sequence[int] | None) -> tuple[int, int, int]:
    if told is None:
        return 0, 0, 0
    events, last, forks = told
    return events, last - events, forks
