"""The key tree (密钥树): versions come into it, work, are replaced with an overlap, and end; keys drawn from keys."""

from datetime import date, datetime
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Max

from zhengka.areas.models import Area
from zhengka.core.actors import SYSTEM, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, lock, perform, replayed, sub
from zhengka.core.models import province_of
from zhengka.formats.verdict import CHINA
from zhengka.keys import queries, rules
from zhengka.keys.models import Ceremony, Key
from zhengka.keys.services.opening import missing, store
from zhengka.keys.store import KeyInfo
from zhengka.keys.workflow import MANAGE


def next_number(purpose: str, suite: str, area: int, slot: str) -> int:
    """The number of the next version of a key. One that a ceremony was opened for is its own for ever: what a ceremony
    that was cut and cancelled may have left under its label is taken for nobody's key.
    `Refusal("key-versions-used-up")` where a chip could not be told of another version.
    """
    told = {"purpose": purpose, "suite": suite, "slot": slot}
    made = Key.objects.filter(area=area, **told).aggregate(last=Max("number"))["last"]
    meant = Ceremony.objects.filter(place=area, **told).aggregate(last=Max("number"))["last"]
    number = max(made or 0, meant or 0) + 1
    if number > rules.MOST_NUMBER.get(purpose, number):
        raise Refusal("key-versions-used-up", slot=slot)
    return number


def new_version(purpose: str, area: int, suite: str, slot: str, *, at: datetime, number: int = 0) -> Key:
    """A version of a key, not saved yet: its label, number (the next one, or that of its ceremony) and days."""
    number, first = number or next_number(purpose, suite, area, slot), at.astimezone(CHINA).date()
    works_until, not_after = rules.last_days(purpose, first)
    return Key(province=province_of(area), area=area, level=rules.level(area), purpose=purpose, suite=suite, slot=slot,
               number=number, label=rules.label(purpose, suite, area, slot, number), not_before=first,
               works_until=works_until, not_after=not_after)


def described_by(key: Key, info: KeyInfo) -> Key:
    """The key with what its store tells of it."""
    key.check_value, key.kept, key.exportable = info.check_value, info.kept, info.exportable
    if info.public:
        key.public, key.key_id = bytes.fromhex(info.public), bytes.fromhex(info.check_value)
    return key


@transaction.atomic
def enter(key: Key, *, by: Actor, request_id: UUID, at: datetime, activates: bool = True,
          overlap_until: date | None = None) -> Key:
    """Keep a new version, whose value is in the store already, and put it to work unless it is to wait."""
    key = begin(key, "make", MANAGE, by=by, request_id=request_id, at=at, label=key.label, check_value=key.check_value)
    if not activates:
        return key
    return activate(key, overlap_until=overlap_until, by=by, request_id=sub(request_id, "activate"), at=at)


@transaction.atomic
def activate(key: Key, *, overlap_until: date | None = None, by: Actor, request_id: UUID, at: datetime) -> Key:
    """Put a version to work (启用); the one that worked goes on reading until `overlap_until`, or for a year (轮换).

    `Refusal("overlap-over")` for a day that is past.
    """
    today = at.astimezone(CHINA).date()
    until = overlap_until or today + rules.OVERLAP
    if until < today:
        raise Refusal("overlap-over", until=until.isoformat())
    before = Key.objects.filter(purpose=key.purpose, suite=key.suite, area=key.area, slot=key.slot,
                                state="active").exclude(pk=key.pk).first()
    lock(*filter(None, (key, before)))
    if event := replayed(request_id, Key.kind(), key.pk):
        raise Replayed(event)
    if before:
        perform(before, "supersede", {"reads_until": until}, by=by, request_id=sub(request_id, "supersede"), at=at,
                until=until.isoformat(), label=before.label)
    return perform(key, "activate", by=by, request_id=request_id, at=at, label=key.label)


@transaction.atomic
def retire(key: Key, *, by: Actor, request_id: UUID, at: datetime) -> Key:
    """A version makes and reads nothing more (停用): before its overlap is over, or at once where it is feared lost."""
    return perform(key, "retire", by=by, request_id=request_id, at=at, label=key.label)


def derive(parent: Key, area: Area, *, by: Actor, request_id: UUID, at: datetime) -> Key:
    """Keep the key of a place as one that is drawn (分散) from the key of the level above: its check value and state,
    never a value. One person replaces no master so: a drawn key follows a newer version of the master that it is
    drawn from, which two custodians brought in; beside any other that works none is drawn.

    `Refusal`: `not-permitted`, `not-found`, `key-not-a-master`, `key-works-already`, `key-versions-used-up`, and those
    of the key store.
    """
    if not by.may(MANAGE):
        raise Refusal("not-permitted", permission=MANAGE)
    if not (by.sees(area.code) and by.sees(area.last)):
        raise Refusal("not-found")
    if event := replayed(request_id, Key.kind()):
        raise Replayed(event)
    draws = rules.LIVES[parent.purpose].usage == "diversify" and parent.state == "active"
    if not draws or rules.level(area.code) == "nation" or rules.above(area.code) != parent.area:
        raise Refusal("key-not-a-master", label=parent.label)
    works = Key.objects.filter(purpose=parent.purpose, suite=parent.suite, area=area.code, slot=parent.slot,
                               state="active").select_related("parent").first()
    if works and not _follows(works, parent):
        raise Refusal("key-works-already", label=works.label)
    key = new_version(parent.purpose, area.code, parent.suite, parent.slot, at=at)
    key.parent, key.rule, key.kept = parent, rules.RULES[parent.suite], "drawn"
    key.by_ceremony = parent.by_ceremony
    label, factors = queries.source(key)
    with missing(label):
        key.check_value = store().check_value(label, through=factors)
    return enter(key, by=by, request_id=request_id, at=at)


def _follows(works: Key, parent: Key) -> bool:
    """True where the key that works was drawn from an earlier version of this master, and no ceremony is undone."""
    drawn_from = works.parent if works.rule else None
    return (drawn_from is not None and drawn_from.number < parent.number
            and (parent.by_ceremony or not works.by_ceremony))


def end_overlaps(*, at: datetime) -> int:
    """Retire the versions whose overlap is over; their number."""
    today, ended = at.astimezone(CHINA).date(), 0
    for key in Key.objects.filter(state="retiring", reads_until__lt=today).order_by("pk"):
        with transaction.atomic():
            (fresh,) = lock(key)
            if fresh.state == "retiring":
                perform(fresh, "retire", by=SYSTEM, request_id=uuid4(), at=at, label=key.label)
                ended += 1
    return ended
