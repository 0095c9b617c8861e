"""Keys at work: made once, counted before each signature leaves, drawn for each card. Secrets stay in the store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F

from zhengka.core.errors import Refusal
from zhengka.formats.verdict import CHINA
from zhengka.keys import queries, rules
from zhengka.keys.models import Key
from zhengka.keys.store import (
    KeyInfo,
    KeyStore,
    KeyStoreError,
    LabelTaken,
    NoSuchKey,
    Pkcs11Store,
    SoftwareStore,
    Token,
    mechanisms,
)

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
        with _missing(self.label):
            return store().sign(self.label, messages)

    def sign(self, message: bytes) -> bytes:
        """The signature of one message."""
        return self.sign_many([message])[0]


def store() -> KeyStore:
    """The installation's key store, a file or a token, unlocked once per process: Argon2id makes it dear."""
    if place := settings.KEY_TOKEN:
        pin = Path(place.pin_file).read_text().strip() if place.pin_file else settings.KEY_PASSPHRASE
        return _open_token(place.module, place.label, pin)
    return _open_file(Path(settings.KEY_FILE or Path(settings.HOME) / "keys" / "store"), settings.KEY_PASSPHRASE)


def ensure(area: int, suite: str, *, slots: Sequence[str] = CARD_SLOTS, at: datetime) -> list[Key]:
    """Make the missing keys of the area's province, and new versions of those whose working days are over.

    Signing keys for credentials, status lists and batches; masters for each card slot, for blank cards and for the
    places of the status lists. A repeat makes nothing; the keys that work are returned.
    """
    wanted = [(purpose, slot) for purpose in rules.LIVES if purpose != rules.AUTHORITY
              for slot in (slots if purpose == "card_master" else [""])]
    return [ensure_one(purpose, area, suite, slot, at=at) for purpose, slot in wanted]


def signer(purpose: str, area: int, suite: str, *, at: datetime) -> Signer:
    """The key of the area's province that signs for `purpose` now; refusals as in `queries.working`."""
    key = queries.working(purpose, area, suite, at=at)
    return Signer(key.label, key.suite, bytes(key.key_id or b""))


def sign(purpose: str, area: int, suite: str, messages: Sequence[bytes], *, at: datetime) -> Signed:
    """Sign messages for a purpose; `signer` where the key id must be known first."""
    found = signer(purpose, area, suite, at=at)
    return Signed(found.key_id, found.sign_many(messages))


def card_keys(unit6: str, suite: str, slots: Sequence[str], serials: Sequence[str], *,
              at: datetime) -> dict[str, list[bytes]]:
    """The 16-byte keys of cards by slot, one per serial: master → issuing unit → card (密钥分散)."""
    area, factors = int(unit6) * 10**6, [rules.card_factor(number) for number in serials]
    masters = {slot: queries.working("card_master", area, suite, slot=slot, at=at) for slot in slots}
    through = [rules.region_factor(unit6)]
    return {slot: _diversify(master, factors, through) for slot, master in masters.items()}


def blank_card_key(area: int, suite: str, *, at: datetime) -> bytes:
    """The transport key (传输密钥) under which blank chips of the area's province take their keys."""
    key = queries.working("blank_card", area, suite, at=at)
    return _diversify(key, [rules.region_factor(f"{key.area // 10**6:06d}")], [])[0]


def status_index_key(area: int, suite: str, *, at: datetime) -> bytes:
    """The 16 bytes under which the places of the province's status lists are shuffled."""
    key = queries.working("status_index", area, suite, at=at)
    with _missing(key.label):
        return store().mac(key.label, [b"places of status lists"])[0]


def _diversify(key: Key, factors: Sequence[bytes], through: Sequence[bytes]) -> list[bytes]:
    with _missing(key.label):
        return store().diversify(key.label, factors, through=through)


def ensure_one(purpose: str, area: int, suite: str, slot: str = "", *, at: datetime) -> Key:
    """A key that works now. The store comes first: a row without its key would promise what is not there."""
    try:
        return queries.working(purpose, area, suite, at=at, slot=slot)
    except Refusal as refused:
        if refused.code == "key-not-yet":
            raise
    number = Key.objects.filter(purpose=purpose, suite=suite, area=rules.province(area), slot=slot).count() + 1
    info = _generate(rules.label(purpose, suite, area, slot, number), suite, purpose)
    first = at.astimezone(CHINA).date()
    works_until, not_after = rules.last_days(purpose, first)
    signing = purpose in rules.SIGNING
    key, _ = Key.objects.get_or_create(label=info.label, defaults={
        "purpose": purpose, "suite": suite, "area": rules.province(area), "slot": slot, "number": number,
        "public": bytes.fromhex(info.public) or None, "key_id": bytes.fromhex(info.check_value) if signing else None,
        "check_value": info.check_value, "kept": info.kept, "not_before": first, "works_until": works_until,
        "not_after": not_after})
    return key


def _generate(label: str, suite: str, purpose: str) -> KeyInfo:
    """A new key in the store, or the one that was made there before its row was lost or could be written."""
    with _missing(label):
        try:
            return store().generate(label, suite=suite, usage=rules.LIVES[purpose].usage)
        except LabelTaken:
            return store().describe(label)


@contextmanager
def _missing(label: str) -> Iterator[None]:
    """Say it plainly where the database knows a key that this store does not hold (a restore to another machine), and
    where the store fails: a token that is silent, lost, or answers for another key.
    """
    try:
        yield
    except NoSuchKey:
        raise Refusal("key-missing", label=label) from None
    except KeyStoreError as fault:
        raise Refusal("key-store-fails", label=label, fault=type(fault).__name__, why=str(fault)) from None


@cache
def _open_file(path: Path, passphrase: str) -> KeyStore:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return SoftwareStore(path, passphrase)


@cache
def _open_token(module: str, label: str, pin: str) -> KeyStore:
    families, lock = mechanisms.load(settings.KEY_MECHANISMS), Path(settings.HOME) / "token.lock"
    return Pkcs11Store(Token(module, label, pin), families, lock)
