"""Orders carried out on issued cards, on the reader's side: every outcome has a name, and good is only what the card
vouches for.

Whoever has the keys (the platform, or a security module at the desk) is asked for each protected command, and is told
the challenge that the card gave a moment before. Before the first of them the card proves that it is the order's own,
so that another card loses no try of its keys.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import cbor2

from zhengka.formats.apdu import OK, Command, Transport, decode_command, encode_command
from zhengka.formats.chip import asking, secure
from zhengka.formats.chip.layout import FREE, Application, File, Key
from zhengka.formats.chip.layout import PIN_UNLOCK as UNLOCK
from zhengka.formats.chip.orders import Load, Lock, Make, Order, Part, Reset, Step, Write
from zhengka.formats.chip.profile import Profile
from zhengka.formats.chip.script import reference
from zhengka.formats.chip.talk import GONE, LOCKED, Ended, Talk
from zhengka.formats.suites import SUITES

CODES: Final = {
    "": "carried out, and the card vouches for it",
    "no-application": "the card does not have the order's applications",
    "another-card": "the card is not the one that the order is for, or is a copy",
    "blocked": "the card's application is blocked",
    "no-such-key": "the card has keys of a version that is not at hand",
    "refused": "the card refused a command",
    "cut": "the card stopped answering",
    "garbled": "the card answered what is no answer",
    "receipt-differs": "the card does not vouch for what the order says",
}
"""Every name that an order's carrying out can end with."""

_MOST: Final = 4096
_BLOCKED: Final = 0x6985


class Receipt(NamedTuple):
    """One application's word on its state: what it told, and its MAC over the order's number."""

    application: str
    life: int
    versions: tuple[tuple[int, int], ...]
    mac: bytes


class Applied(NamedTuple):
    """What became of an order: `code` is one of CODES, "" for done; `sw` the card's status word if it said no, `at` the
    number of the command it ended with.
    """

    code: str
    receipts: tuple[Receipt, ...] = ()
    at: int = 0
    sw: int = OK


class Keys(Protocol):
    """Whoever has the keys of the order's card. KeyError for a key or version that is not at hand.

    `published`: whether the key's application is protected as its standard says (`layout.Application.published`).
    """

    def protect(
        self, name: str, version: int, challenge: bytes, command: Command, *, cipher: bool, published: bool
    ) -> bytes:
        """The command with line protection under the key `name` (`script.reference`)."""
        ...

    def load(self, name: str, version: int, challenge: bytes, key: Key, new: str, *, published: bool) -> bytes:
        """PUT KEY of the key `new`, under the control key `name` in the version that the card has."""
        ...

    def reset(self, name: str, version: int, challenge: bytes, slot: int, number: int, *, published: bool) -> bytes:
        """The command by which order `number` sets the PIN in a slot, under the key `name` that unblocks it."""
        ...

    def vouches(self, name: str, version: int, challenge: bytes, aid: bytes, told: secure.Told, mac: bytes) -> bool:
        """Whether a receipt's MAC is right under the internal key `name`."""
        ...


class CardKeys:
    """The keys of one card in memory, by reference and version."""

    def __init__(self, suite: str, keys: Mapping[tuple[str, int], bytes]) -> None:
        self._suite, self._keys = SUITES[suite], keys

    def __repr__(self) -> str:
        """Names only."""
        return f"<CardKeys {sorted(self._keys)}>"

    def protect(
        self, name: str, version: int, challenge: bytes, command: Command, *, cipher: bool, published: bool
    ) -> bytes:
        """See `Keys`."""
        key = self._keys[name, version]
        return secure.protect(self._suite, key, challenge, command, cipher=cipher, published=published)

    def load(self, name: str, version: int, challenge: bytes, key: Key, new: str, *, published: bool) -> bytes:
        """See `Keys`."""
        control, value = self._keys[name, version], self._keys[new, key.version]
        return secure.replace_key(self._suite, control, challenge, key, value, published=published)

    def reset(self, name: str, version: int, challenge: bytes, slot: int, number: int, *, published: bool) -> bytes:
        """See `Keys`."""
        key = self._keys[name, version]
        return secure.reset_pin(self._suite, key, challenge, slot, number, published=published)

    def one_time_pin(self, name: str, version: int, number: int) -> str:
        """What order `number` made a PIN, under the key `name` that unblocks it. KeyError as in `Keys`."""
        return secure.one_time_pin(self._suite, self._keys[name, version], number)

    def vouches(self, name: str, version: int, challenge: bytes, aid: bytes, told: secure.Told, mac: bytes) -> bool:
        """See `Keys`."""
        expected = secure.receipt(self._suite, self._keys[name, version], challenge, aid, told)
        return secure.same(expected, mac)


def apply(
    card: Transport, profile: Profile, order: Order, keys: Keys, *, random: Callable[[int], bytes] = os.urandom
) -> Applied:
    """Carry out an order on the card; it never raises, and may be called again whatever came of it."""
    talk, receipts = Talk(card), list[Receipt]()
    try:
        for part in order.parts:
            line = _Line(talk, profile, part.application, keys)
            line.open(random(secure.CHALLENGE))
            for step in part.steps:
                line.take(step, order.number)
            receipts.append(line.receipt(order.nonce, part))
        done = all_vouched(profile, order, receipts, keys)
    except Ended as ended:
        code = "blocked" if ended.sw == _BLOCKED else ended.code
        return Applied(code if code in CODES else "garbled", tuple(receipts), talk.asked, ended.sw)
    except KeyError:
        return Applied("no-such-key", tuple(receipts), talk.asked)
    except OSError:
        return Applied("cut", tuple(receipts), talk.asked)
    return Applied("" if done else "receipt-differs", tuple(receipts), talk.asked)


def all_vouched(profile: Profile, order: Order, receipts: Sequence[Receipt], keys: Keys) -> bool:
    """Whether the card vouches, in each application, that everything is as the order says. KeyError as in `Keys`."""
    if [receipt.application for receipt in receipts] != [part.application.id for part in order.parts]:
        return False
    return all([_vouched(profile, order, *pair, keys) for pair in zip(order.parts, receipts, strict=True)])


def _vouched(profile: Profile, order: Order, part: Part, receipt: Receipt, keys: Keys) -> bool:
    if receipt.life != (secure.LOCKED if part.locked else secure.SELECTABLE):
        return False
    if part.versions and not_of_pins(part.application, receipt.versions) != part.versions:
        return False
    if not set(part.pins) <= set(receipt.versions):
        return False
    told = secure.Told(receipt.life, receipt.versions, part.after)
    return _asked(profile, part.application, keys, order.nonce, told, receipt.mac)


def not_of_pins(application: Application, versions: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The versions of an application's keys alone, as `orders.versions` has them."""
    pins = {key.slot for key in application.pins}
    return tuple(pair for pair in versions if pair[0] not in pins)


def spell(receipts: Sequence[Receipt]) -> bytes:
    """Receipts as they are kept and sent: CBOR."""
    return cbor2.dumps([[each.application, each.life, [list(pair) for pair in each.versions], each.mac]
                        for each in receipts])


def read(data: bytes) -> tuple[Receipt, ...]:
    """Undo `spell`; ValueError for anything else."""
    if len(data) > _MOST:
        raise ValueError("not receipts")
    try:
        rows = cbor2.loads(data)
        found = tuple(_receipt(*row) for row in rows)
    except (cbor2.CBORDecodeError, TypeError, ValueError, RecursionError):
        raise ValueError("not receipts") from None
    if spell(found) != data:
        raise ValueError("not receipts")
    return found


def _receipt(application: object, life: object, versions: object, mac: object) -> Receipt:
    if not isinstance(application, str) or type(life) is not int or not isinstance(mac, bytes):
        raise ValueError("not a receipt")
    if not isinstance(versions, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(type(one) is int and 0 <= one <= 255 for one in pair)
        for pair in versions
    ):
        raise ValueError("not a receipt")
    if not 0 <= life <= 255 or len(mac) != secure.RECEIPT or len(versions) > 31:
        raise ValueError("not a receipt")
    return Receipt(application, life, tuple((slot, version) for slot, version in versions), mac)


class _Line:
    """One application of the card, opened and known to be the order's own."""

    def __init__(self, talk: Talk, profile: Profile, application: Application, keys: Keys) -> None:
        self._talk, self._profile, self._application, self._keys = talk, profile, application, keys
        self._versions: dict[int, int] = {}

    def open(self, challenge: bytes) -> None:
        """Select it, learn which keys it has, and let it prove that it is this card's."""
        _, sw = self._talk.ask(asking.select_application(self._application.aid), GONE, LOCKED)
        if sw == GONE:
            raise Ended("no-application", self._talk.asked, sw)
        receipt = self._state(challenge)
        told = secure.Told(receipt.life, receipt.versions)
        if not _asked(self._profile, self._application, self._keys, challenge, told, receipt.mac):
            raise Ended("another-card", self._talk.asked)

    def take(self, step: Step, number: int) -> None:
        """Carry out one step of the order with this number, if the card is not already as it says."""
        match step:
            case Write(file, record, data):
                self._send(file.update, decode_command(self._write(file, record, data)), cipher=file.cipher)
            case Lock(locked):
                self._send("control", Command(0x80, 0x1E if locked else 0x18, 0, 0))
            case Make(file, command):
                _, sw = self._talk.ask(encode_command(Command(0x00, 0xA4, 0x00, 0x0C, file.fid)), GONE)
                if sw == GONE:
                    self._send("control", decode_command(command))
            case Reset(key):
                name = reference(self._profile, self._application, UNLOCK)
                version = self._version(UNLOCK)
                self._talk.ask(self._keys.reset(name, version, self._talk.challenge(), key.slot, number,
                                                published=self._application.published))
            case Load(key):
                if self._versions.get(key.slot) != key.version:
                    control = reference(self._profile, self._application, "control")
                    new = reference(self._profile, self._application, key.purpose)
                    version = self._version("control")
                    self._talk.ask(self._keys.load(control, version, self._talk.challenge(), key, new,
                                                   published=self._application.published))
                    self._versions[key.slot] = key.version

    def _write(self, file: File, record: int, data: bytes) -> bytes:
        """The command names its file, so that the MAC covers that too: a SELECT before it says what the PC wants."""
        sfi = self._application.sfi_of(file)
        if not sfi:
            self._talk.ask(encode_command(Command(0x00, 0xA4, 0x00, 0x0C, file.fid)))
        if record:
            return asking.update_record(sfi, record, data)
        return encode_command(Command(0x00, 0xD6, 0x80 | sfi if sfi else 0, 0, data))

    def receipt(self, nonce: bytes, part: Part) -> Receipt:
        """The application's word on its state now."""
        return self._state(nonce, [(fid, number) for fid, number, _ in part.after])

    def _state(self, challenge: bytes, places: Sequence[tuple[bytes, int]] = ()) -> Receipt:
        self._versions = self._talk.versions()
        life, mac = self._talk.state(challenge, places)
        return Receipt(self._application.id, life, tuple(sorted(self._versions.items())), mac)

    def _send(self, purpose: str, command: Command, *, cipher: bool = False) -> None:
        if purpose == FREE:
            self._talk.ask(encode_command(command))
            return
        name, version = reference(self._profile, self._application, purpose), self._version(purpose)
        self._talk.ask(self._keys.protect(name, version, self._talk.challenge(), command, cipher=cipher,
                                          published=self._application.published))

    def _version(self, purpose: str) -> int:
        return self._versions[self._application.slot(purpose)]


def _asked(profile: Profile, application: Application, keys: Keys, challenge: bytes, told: secure.Told, mac: bytes,
           ) -> bool:
    version = dict(told.versions)[application.slot("internal")]
    return keys.vouches(reference(profile, application, "internal"), version, challenge, application.aid, told, mac)
