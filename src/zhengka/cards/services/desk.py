"""A card on the desk's reader (桌面读卡): who it is, and what its chip is told, each as a signed reading.

The talk with the card is a plain function over a `Transport`. Here that transport is what the reader has signed so far:
where the talk wants an answer that is not there yet, the reader is asked for it, and with it the talk runs anew. So the
server alone decides, and the reader holds no key.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import transaction

from zhengka.cards import queries
from zhengka.cards.models import Card, ChipOrder
from zhengka.cards.services import chips
from zhengka.cards.services.answering import AGAIN, LOOKS, PROVES, Signed, Wanted, challenges, prove
from zhengka.cards.services.gating import read_by_gate
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import sub
from zhengka.devices import queries as devices
from zhengka.devices import services as readers
from zhengka.devices.models import Device, Psam, Reading
from zhengka.devices.workflow import GATE
from zhengka.formats.apdu import ApduBroken, Command
from zhengka.formats.chip import Profile, applying, gate, secure
from zhengka.formats.chip.gate import CardRefused
from zhengka.formats.chip.layout import Key
from zhengka.formats.chip.orders import TERM
from zhengka.formats.chip.psam import MODULE_KEYS, ModuleFault
from zhengka.formats.verdict import CHINA
from zhengka.keys import queries as keys_known

WRITE: Final = "write"
"""What a page asks for: the next thing that the chip is to be told. The reading's purpose is that order's kind."""
TOLD: Final = (*gate.PUBLIC, "credential")
"""What is read to know a card: what anybody may read of it. Nothing of the person."""
ENDS: Final = {
    "no-application": "not-our-card", "another-card": "another-chip", "blocked": "locked",
    "no-such-key": "key-not-read", "refused": "refused", "cut": "unreadable", "garbled": "unreadable",
    "receipt-differs": "differs"}
"""How an order's carrying out ended (`applying.CODES`) → how its reading ends."""
REFUSES: Final = "gate-refused"
"""How a reading ends in which the card did not accept our key: it is kept with the card, for it cost a try."""
REFUSED: Final = {
    "psam-missing": "psam-missing", "psam-behind": "psam-behind", "key-store-fails": "psam-failed",
    "key-missing": "key-missing",
    "key-not-yet": "key-not-yet", "key-retired": "key-retired", "profile-missing": "profile-missing",
    "policy-missing": "profile-missing", "not-found": "order-changed", "step-not-open": "order-changed",
    "chip-not-vouched": "differs"}
"""A no of ours in the middle of a reading → how that ends: none stays open, and each is counted."""


class Talk(NamedTuple):
    """Where a reading stands: what the reader is to carry next, or, once it is over, its outcome and card. `pins`: what
    it made the card's PINs, for the holder's eyes, and kept nowhere.
    """

    reading: Reading
    commands: Sequence[bytes] = ()
    card: Card | None = None
    pins: tuple[str, ...] = ()
    module: bool = False
    """Whether the commands are for the security module in the reader's second slot, and not for the card."""
    read: Mapping[str, Any] | None = None
    """What a gate has read, once its reading ended well; it is kept nowhere."""


@transaction.atomic
def put_on(reader: Device, purpose: str, *, by: Actor, request_id: UUID, at: datetime, card: Card | None = None,
           ) -> Talk:
    """Begin with the card that lies on a reader: to know whose it is (`identify`, or `identify-again` on purpose after
    it refused us), to read what a gate needs (`gate`), or to tell the chip of `card` what is due next (`write`).

    `Refusal`: those of `devices.begin_reading` and `next_chip_order`; `chip-says-all` where nothing is due;
    `step-not-open` for another purpose.
    """
    if purpose in (*LOOKS, GATE):
        return _go_on(readers.begin_reading(reader, purpose, by=by, at=at), by=by, at=at)
    if purpose != WRITE or card is None:
        raise Refusal("step-not-open", action=purpose)
    order = chips.next_chip_order(card, by=by, request_id=request_id, at=at)
    if order is None:
        raise Refusal("chip-says-all", card=card.pk)
    return _go_on(readers.begin_reading(reader, order.what, by=by, at=at, subject_id=card.pk), by=by, at=at)


def carried(reading: Reading, told: Any, *, by: Actor, at: datetime) -> Talk:
    """Take what the reader signed, and go on. `Refusal`: those of `devices.take_step`."""
    before = Talk(reading) if reading.outcome else _go_on(reading, by=by, at=at)
    if before.reading.outcome and not reading.outcome:  # what it was for has changed since the last step
        return before
    reading = readers.take_step(before.reading, told, before.commands, by=by, at=at,
                                module=before.module)
    return Talk(reading) if reading.outcome else _go_on(reading, by=by, at=at)


def initialise_module(module: Psam, *, by: Actor, request_id: Any, at: datetime) -> Psam:
    """Tie a module to the masters that it draws from, by reference: their numbers and check values are noted, those in
    their overlap among them, and no key is copied.
    """
    return readers.initialise(module, masters_of(module, at), by=by, request_id=request_id, at=at)


def masters_of(module: Psam, at: datetime) -> str:
    """Number and check value of the masters from which a module's keys come, by purpose."""
    masters = []
    for slot in MODULE_KEYS:
        keys_known.working("card_master", module.area_id, module.suite, slot=slot, at=at)
        masters += keys_known.reading("card_master", module.area_id, module.suite, slot=slot, at=at)
    return " ".join(f"{key.slot}.{key.number}={key.check_value}" for key in masters)


def lacking(module: Psam, at: datetime) -> tuple[str, ...]:
    """Slot and number of the masters that read now and that a module of chip kind has not: it was made before, takes no
    key any more, and is to be replaced by another one. One in the key store lacks nothing.
    """
    if module.form != "chip" or not module.check_value:
        return ()
    noted, read = set(module.check_value.split()), masters_of(module, at).split()
    return tuple(one.partition("=")[0] for one in read if one not in noted)


def _go_on(reading: Reading, *, by: Actor, at: datetime) -> Talk:
    """The talk from its beginning over what is signed: to the next command, or to its end."""
    try:
        return _to_its_end(reading, by, at)
    except Wanted as wanted:
        return Talk(reading, [wanted.command], module=wanted.module)
    except CardRefused as refused:
        of = reading.subject_id if refused.code == REFUSES else None
        return Talk(readers.end_reading(reading, refused.code, at=at, subject_id=of))
    except (ApduBroken, ModuleFault) as fault:
        outcome = "garbled" if isinstance(fault, ApduBroken) else "psam-failed"
        return Talk(readers.end_reading(reading, outcome, at=at))
    except Refusal as no:
        if no.code not in REFUSED:
            raise
        return Talk(readers.end_reading(reading, REFUSED[no.code], at=at))


def _to_its_end(reading: Reading, by: Actor, at: datetime) -> Talk:
    """The talk to its end, if all of it is signed; else Wanted, or why not."""
    if reading.purpose in LOOKS:
        card = _identify(reading, Signed(reading), by, at)
        return Talk(readers.end_reading(reading, "good", at=at, subject_id=card.pk), card=card)
    if reading.purpose == GATE:
        read = read_by_gate(Signed(reading), by=by, at=at)
        return Talk(readers.end_reading(reading, "good", at=at, subject_id=reading.subject_id), read=read)
    order, receipts = _carry_out(reading, Signed(reading), by, at)
    with transaction.atomic():
        key = sub(UUID(bytes=bytes(reading.nonce)), "apply")
        order = chips.record_receipt(order, receipts, by=by, request_id=key, at=at)
        pins = chips.one_time_pins(order, at=at)
        return Talk(readers.end_reading(reading, "good", at=at), card=order.card, pins=pins)


def _identify(reading: Reading, wire: Signed, by: Actor, at: datetime) -> Card:
    """Whose card it is. The chip proves its key; its identifier, its dates, its term and its credential must be the
    record's.

    What anybody may read comes first: by it the record is found, and the record says by which profile and suite the
    card was made, whatever its office makes now. The card proves its key before we prove ours, so what is none of ours
    loses no try. One that did not accept ours is not asked again (`tried-before`) but on purpose: each time it loses a
    try, and cards are laid down by who does not know that.
    """
    shown = gate.look(wire, queries.profile(queries.policy(reading.area, at.astimezone(CHINA).date()).profile))
    try:
        card = queries.by_serial(shown.fields["serial"], actor=by)
    except Refusal:
        raise CardRefused("unknown-card") from None
    _same_chip(card, reading)
    if reading.purpose != AGAIN and devices.refused_us(card.pk, bytes(reading.uid), PROVES):
        raise CardRefused("tried-before")
    profile, reading.subject_id = queries.profile(card.profile), card.pk
    told = prove(wire, shown, profile, TOLD, by=by, at=at)
    record = {"issued": card.issued_on, "valid_until": card.valid_until,
              "credential": bytes(card.credential or b"")}
    if any(value and told[name] != value for name, value in record.items()):
        raise CardRefused("differs")
    if TERM in told and not queries.may_tell(card, told[TERM]):
        raise CardRefused("differs")
    return card


def _carry_out(reading: Reading, wire: Signed, by: Actor, at: datetime) -> tuple[ChipOrder, bytes]:
    """The order that the reading is for, and the chip's receipts for it. One that was overtaken, because the card was
    lost or found meanwhile, is not carried out to its end.
    """
    card = queries.get(reading.subject_id or 0, actor=by)
    if reading.steps:
        _same_chip(card, reading)
    order = queries.chip_due(card).given
    if order is None or order.what != reading.purpose:
        raise CardRefused("order-changed")
    profile, planned = chips.chip_plan(order, at=at)
    own = _OfModule(reading, profile, planned.serial, at)
    done = applying.apply(wire, profile, planned, own, random=challenges(reading))
    if done.code:
        raise CardRefused(ENDS[done.code], done.sw)
    return order, applying.spell(done.receipts)


def _same_chip(card: Card, reading: Reading) -> None:
    """The chip tells the identifier that it told when it was made (I4): a chip that lies is another chip."""
    if card.uid is not None and bytes(card.uid) != bytes(reading.uid):
        raise CardRefused("another-chip")


class _OfModule:
    """The keys of an order's card (`applying.Keys`) as the key store draws them for the reader's security module: not
    before the first is asked for, and that is counted first, also where the module is a chip, which has no keys that
    write. Where no module answers for the reader nothing is drawn.
    """

    def __init__(self, reading: Reading, profile: Profile, serial: str, at: datetime) -> None:
        self._reading, self._profile, self._serial, self._at = reading, profile, serial, at

    @cached_property
    def _own(self) -> applying.CardKeys:
        readers.count_use(self._reading, self._profile.suite, at=self._at)
        return chips.chip_keys(self._profile, self._serial, at=self._at)

    def protect(
        self, name: str, version: int, challenge: bytes, command: Command, *, cipher: bool, published: bool
    ) -> bytes:
        """See `applying.Keys`."""
        return self._own.protect(name, version, challenge, command, cipher=cipher, published=published)

    def load(self, name: str, version: int, challenge: bytes, key: Key, new: str, *, published: bool) -> bytes:
        """See `applying.Keys`."""
        return self._own.load(name, version, challenge, key, new, published=published)

    def reset(self, name: str, version: int, challenge: bytes, slot: int, number: int, *, published: bool) -> bytes:
        """See `applying.Keys`."""
        return self._own.reset(name, version, challenge, slot, number, published=published)

    def vouches(self, name: str, version: int, challenge: bytes, aid: bytes, told: secure.Told, mac: bytes) -> bool:
        """See `applying.Keys`."""
        return self._own.vouches(name, version, challenge, aid, told, mac)


def reader_of(key_id: bytes, *, by: Actor) -> Device:
    """The reader at work that signs with this key, in the actor's area; `Refusal("device-unknown")`."""
    return devices.by_key(key_id, actor=by)
