"""Keys at work: made once, counted before each signature leaves, drawn for each card. Secrets stay in the store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import F

from zhengka.core.actors import SYSTEM, Actor
from zhengka.core.errors import Refusal
from zhengka.formats.chip.scp03 import KeySet
from zhengka.keys import queries, rules
from zhengka.keys.models import Key
from zhengka.keys.services import tree
from zhengka.keys.services.opening import missing, store
from zhengka.keys.store import KeyInfo, LabelTaken
from zhengka.keys.workflow import MANAGE

CARD_SLOTS = ("control", "maintenance", "reader", "internal")
"""The purposes of the keys on a card, each with a master key of its own."""


@dataclass(frozen=True)
class Signed:
    """The signatures of some messages, 64 bytes each and in their order, and the key that made them."""

    key_id: bytes
    signatures: list[bytes]


@dataclass(frozen=True)
class Signer:
    """A signing key at work. `key_id` goes into what is signed; `sign_many` counts, then signs."""

    label: str
    suite: str
    key_id: bytes

    def sign_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """The signatures of the messages; their number is durable before the first one is made (I9).

        Called outside every transaction, for a counter that could be rolled back counts nothing.
        `Refusal("key-retired")` where the key was retired meanwhile.
        """
        with transaction.atomic(durable=True):
            counted = Key.objects.filter(label=self.label, state="active", revoked_at=None).update(
                signatures=F("signatures") + len(messages))
        if not counted:
            raise Refusal("key-retired", label=self.label)
        with missing(self.label):
            return store().sign(self.label, messages)

    def sign(self, message: bytes) -> bytes:
        """The signature of one message."""
        return self.sign_many([message])[0]


def ensure(area: int, suite: str, *, slots: Sequence[str] = CARD_SLOTS, at: datetime) -> list[Key]:
    """Make the missing keys of the area's province, and new versions of those whose working days are over.

    Signing keys for credentials, status lists and batches; masters for each card slot, for blank cards, their
    loading channels, and the places of the status lists. A repeat makes nothing; the keys that work are returned.
    """
    wanted = [(purpose, slot) for purpose in rules.LIVES if purpose not in rules.ON_DEMAND
              for slot in (slots if purpose == "card_master" else [""])]
    return [ensure_one(purpose, area, suite, slot, at=at) for purpose, slot in wanted]


def signer(purpose: str, area: int, suite: str, *, at: datetime) -> Signer:
    """The key of the area's province that signs for `purpose` now; refusals as in `queries.working`."""
    key = queries.working(purpose, area, suite, at=at)
    return Signer(key.label, key.suite, bytes(key.key_id or b""))


def voucher_signer(area: int, suite: str, *, at: datetime) -> Signer:
    """The key of the area's province that signs vouchers and statements; made when it is first asked for."""
    ensure_one(rules.VOUCHER, area, suite, at=at)
    return signer(rules.VOUCHER, area, suite, at=at)


def sign(purpose: str, area: int, suite: str, messages: Sequence[bytes], *, at: datetime) -> Signed:
    """Sign messages for a purpose; `signer` where the key id must be known first."""
    found = signer(purpose, area, suite, at=at)
    return Signed(found.key_id, found.sign_many(messages))


@dataclass(frozen=True)
class CardKeys:
    """The keys of cards to be made: by slot one of 16 bytes for each serial, and the number of the master from which
    they come, which goes into the chip as their version (密钥版本).
    """

    versions: dict[str, int]
    values: dict[str, list[bytes]] = field(repr=False)


def card_keys(
        unit6: str, suite: str, slots: Sequence[str], serials: Sequence[str], *, at: datetime,
        of: Sequence[int] = ()) -> CardKeys:
    """The keys of cards that are made now: master → issuing unit → card (密钥分散), of the version that works, or of
    those that a batch keeps (`of`: row ids); `Refusal("batch-keys-over")` where one of these reads no more.
    """
    area, factors = int(unit6) * 10**6, [rules.card_factor(number) for number in serials]
    masters = {slot: _making(rules.CARD_MASTER, area, suite, slot, at=at, of=of) for slot in slots}
    through = [rules.region_factor(unit6)]
    return CardKeys({slot: master.number for slot, master in masters.items()},
                    {slot: _diversify(master, factors, through) for slot, master in masters.items()})


def region_keys(unit6: str, suite: str, slots: Sequence[str], *, at: datetime) -> dict[tuple[str, int], bytes]:
    """Slot and version → the 16-byte key of a region, one level below the province's, of every version that reads now:
    for a security module of its gates.
    """
    area = int(unit6) * 10**6
    return {(slot, key.number): _diversify(key, [rules.region_factor(unit6)], [])[0] for slot in slots
            for key in queries.reading(rules.CARD_MASTER, area, suite, at=at, slot=slot)}


def blank_card_key(area: int, suite: str, *, at: datetime, of: Sequence[int] = ()) -> bytes:
    """The transport key (传输密钥) under which blank chips of the area's province take their keys; `of` as in
    `card_keys`.
    """
    key = _making(rules.BLANK_CARD, area, suite, at=at, of=of)
    return _diversify(key, [rules.region_factor(f"{key.area // 10**6:06d}")], [])[0]


def channel_keys(area: int, suite: str, *, at: datetime, of: Sequence[int] = ()) -> KeySet:
    """The masters of the loading channel (安全通道) of the blank chips of the area's province; each chip has keys that
    are drawn from them by its identifier, under the version that is the number of the master. `of` as in `card_keys`.
    """
    key = _making(rules.CHANNEL, area, suite, at=at, of=of)
    place = rules.region_factor(f"{key.area // 10**6:06d}")
    return KeySet(key.number, *_diversify(key, rules.channel_factors(), [place]))


def earlier_channel_keys(area: int, suite: str, *, at: datetime) -> list[KeySet]:
    """The masters of the loading channel that were replaced and are in their overlap: blank chips that lie in store may
    have their keys from one of them.
    """
    read = queries.reading(rules.CHANNEL, area, suite, at=at)
    return [channel_keys(area, suite, at=at, of=[key.pk]) for key in read if key.state == "retiring"]


def status_index_key(area: int, suite: str, *, at: datetime) -> bytes:
    """The 16 bytes under which the places of the province's status lists are shuffled."""
    key = queries.working("status_index", area, suite, at=at)
    with missing(key.label):
        return store().mac(key.label, [b"places of status lists"])[0]


def reading_keys(unit6: str, suite: str, slot: str, number: str, *, at: datetime) -> dict[int, bytes]:
    """Version → the key of one card (16-digit serial), of every version that reads now: a card that was made under the
    version before is read through the overlap (轮换过渡期), and not after it.

    `Refusal`: those of `queries.working` where no version reads.
    """
    area = int(unit6) * 10**6
    found = queries.reading(rules.CARD_MASTER, area, suite, at=at, slot=slot) or [
        queries.working(rules.CARD_MASTER, area, suite, at=at, slot=slot)]
    return {key.number: _diversify(key, [rules.card_factor(number)], [rules.region_factor(unit6)])[0] for key in found}


def transport_key(area: int, suite: str, *, by: Actor, at: datetime) -> Key:
    """The key pair to which others wrap keys for the area's province, or for the nation; made when first asked for.

    `Refusal`: `not-permitted`, `not-found`.
    """
    if not by.may(MANAGE):
        raise Refusal("not-permitted", permission=MANAGE)
    if not by.sees(area):
        raise Refusal("not-found")
    return ensure_one(rules.TRANSPORT, area, suite, at=at)


def _making(purpose: str, area: int, suite: str, slot: str = "", *, at: datetime, of: Sequence[int]) -> Key:
    """The master that works, or the one of those that a batch keeps."""
    kept = Key.objects.filter(pk__in=of, purpose=purpose, slot=slot).first() if of else None
    if kept is None:
        return queries.working(purpose, area, suite, at=at, slot=slot)
    if queries.over([kept.pk], at=at):
        raise Refusal("batch-keys-over", label=kept.label)
    return kept


def _diversify(key: Key, factors: Sequence[bytes], through: Sequence[bytes]) -> list[bytes]:
    label, above = queries.source(key)
    with missing(label):
        return store().diversify(label, factors, through=[*above, *through])


def ensure_one(purpose: str, area: int, suite: str, slot: str = "", *, at: datetime) -> Key:
    """A key that works now. The store comes first: a row without its key would promise what is not there.

    A version whose days are over makes room for the new one, and goes on reading.
    """
    try:
        return queries.working(purpose, area, suite, at=at, slot=slot)
    except Refusal as refused:
        if refused.code == "key-not-yet":
            raise
    key = tree.new_version(purpose, rules.province(area), suite, slot, at=at)
    info = _generate(key.label, suite, purpose)
    try:
        return tree.enter(tree.described_by(key, info), by=SYSTEM, request_id=uuid4(), at=at)
    except IntegrityError:  # another process was quicker with the same version
        return queries.working(purpose, area, suite, at=at, slot=slot)


def _generate(label: str, suite: str, purpose: str) -> KeyInfo:
    """A new key in the store, or the one that was made there before its row was lost or could be written."""
    with missing(label):
        try:
            return store().generate(label, suite=suite, usage=rules.LIVES[purpose].usage)
        except LabelTaken:
            return store().describe(label)
