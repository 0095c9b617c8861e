"""A security module of chip kind (PSAM 卡): it holds keys of one region, draws a card's key inside, and answers for it.

One in software, and how a gate asks it. The manner is that of the banks' modules, with SM4 or AES by suite; name and
GET DATA are ours, for the federation's specification is not public.

    SELECT by name
    PUT KEY            84 D4 00 slot   a key of the region, under the module's transport key, until it is finished
    FINISH             80 EA 00 00     number (8, BCD) ‖ region (3, BCD) ‖ answers that it may give (4)
    GET DATA           00 CA DF 30     the same, and answers given (4)
    INIT_FOR_DESCRYPT  80 1A vers slot factor of a card (8): its key of that version, for the next command
    DES CRYPT          80 FA 00 00     challenge (8) → proof (8); it is counted before it is made
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from zhengka.formats import serial, sm4
from zhengka.formats.apdu import (
    OK,
    ApduBroken,
    Command,
    Response,
    Transport,
    decode_command,
    decode_response,
    encode_command,
    encode_response,
)
from zhengka.formats.chip import asking, secure
from zhengka.formats.chip.gate import ANOTHER_REGION, CardRefused
from zhengka.formats.chip.profile import Key, Profile
from zhengka.formats.suites import SUITES, Suite

AID: Final = bytes.fromhex("F0") + b"ZHENGKA-PSAM"
"""A placeholder of the proprietary kind, like that of the card's own application."""
ATR: Final = bytes.fromhex("3B8680015A4B5053414D19")
"""T=0 and T=1, historical bytes "ZKPSAM", check byte (ISO/IEC 7816-3, 8.2)."""
SELECT: Final = asking.select_application(AID)
TRIES: Final = 15
MODULE_KEYS: Final = ("reader", "internal")
"""Purposes of the keys that a security module answers with."""

_TELL: Final = 0xDF30
_NO_KEY, _SPENT, _NOT_NOW, _WRONG_DATA, _WRONG_MAC = 0x6A88, 0x6983, 0x6985, 0x6A80, 0x6988


class ModuleFault(RuntimeError):
    """The module does not do what it was asked: `sw` is its status word, 0 where it answers what is no answer."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"the security module says {sw:04X}")
        self.sw = sw


class Told(NamedTuple):
    """What a module tells of itself: its number, the first six digits of the cards that it answers for, how many
    answers it may give, and how many it gave.
    """

    number: str
    region: str
    allowed: int
    uses: int


@dataclass(frozen=True)
class _Memory:
    keys: Mapping[tuple[int, int], bytes] = field(default_factory=dict, repr=False)
    about: Told | None = None


class SoftModule:
    """A module in software, as it lies in a reader's slot. Every command changes its memory at once or not at all."""

    atr: Final = ATR

    def __init__(self, *, kek: bytes, suite: Suite) -> None:
        """A blank module: `kek` is its transport key."""
        self._kek, self._suite, self._memory = kek, suite, _Memory()
        self._selected, self._ready = False, b""

    def __repr__(self) -> str:
        """What it tells of itself, never a key."""
        return f"<SoftModule {self._memory.about}>"

    def reset(self) -> bytes:
        """Power off and on: nothing is selected, no card's key is drawn; what it counted stays."""
        self._selected, self._ready = False, b""
        return self.atr

    def transmit(self, apdu: bytes) -> bytes:
        """One command; a status word comes out, whatever comes in."""
        try:
            command = decode_command(apdu)
            work = _COMMANDS.get((command.cla, command.ins))
            if work is None:
                raise ModuleFault(0x6D00)
            if work is not SoftModule._select and not self._selected:
                raise ModuleFault(_NOT_NOW)
            return encode_response(Response(work(self, command), OK))
        except ModuleFault as fault:
            return encode_response(Response(b"", fault.sw))
        except ApduBroken:
            return encode_response(Response(b"", 0x6700))

    def _select(self, command: Command) -> bytes:
        if command.data != AID:
            raise ModuleFault(0x6A82)
        self._selected, self._ready = True, b""
        return b""

    def _put_key(self, command: Command) -> bytes:
        if self._memory.about is not None or len(command.data) != secure.KEY_BLOB:
            raise ModuleFault(_NOT_NOW if self._memory.about else 0x6700)
        header = bytes([command.cla, command.ins, command.p1, command.p2, secure.KEY_BLOB])
        blob, mac = command.data[:32], command.data[32:]
        expected = self._suite.cmac_many(self._kek, [header + blob])[0][: secure.MAC]
        if not hmac.compare_digest(mac, expected):
            raise ModuleFault(_WRONG_MAC)
        try:
            entry, key = secure.read_key(
                self._suite, sm4.ecb_decrypt(self._kek, blob, cipher=self._suite.cipher), command.p2)
        except ValueError:
            raise ModuleFault(_WRONG_DATA) from None
        self._memory = replace(self._memory, keys={**self._memory.keys, (entry.slot, entry.version): key})
        return b""

    def _finish(self, command: Command) -> bytes:
        if self._memory.about is not None or not self._memory.keys:
            raise ModuleFault(_NOT_NOW)
        digits = command.data[:11].hex()
        if len(command.data) != 15 or not digits.isdecimal():
            raise ModuleFault(_WRONG_DATA)
        about = Told(digits[:16], digits[16:], int.from_bytes(command.data[11:]), 0)
        self._memory = replace(self._memory, about=about)
        return b""

    def _tell(self, command: Command) -> bytes:
        if command.p1 << 8 | command.p2 != _TELL:
            raise ModuleFault(_NO_KEY)
        about = self._finished()
        return bytes.fromhex(about.number + about.region) + about.allowed.to_bytes(4) + about.uses.to_bytes(4)

    def _draw(self, command: Command) -> bytes:
        """The key of one card of the region; a card of another one gets no answer, and costs none."""
        about, key = self._finished(), self._memory.keys.get((command.p2, command.p1))
        if len(command.data) != 8 or command.data.hex()[:6] != about.region:
            raise ModuleFault(_WRONG_DATA)
        if key is None:
            raise ModuleFault(_NO_KEY)
        [self._ready] = self._suite.diversify(key, [command.data])
        return b""

    def _answer(self, command: Command) -> bytes:
        about, key = self._finished(), self._ready
        if not key or len(command.data) != secure.CHALLENGE:
            raise ModuleFault(_NOT_NOW)
        if about.uses >= about.allowed:
            raise ModuleFault(_SPENT)
        self._ready = b""
        self._memory = replace(self._memory, about=about._replace(uses=about.uses + 1))
        return secure.answer(self._suite, key, command.data)

    def _finished(self) -> Told:
        if self._memory.about is None:
            raise ModuleFault(_NOT_NOW)
        return self._memory.about


_COMMANDS: Final[Mapping[tuple[int, int], Callable[[SoftModule, Command], bytes]]] = {
    (0x00, 0xA4): SoftModule._select, (0x84, 0xD4): SoftModule._put_key, (0x80, 0xEA): SoftModule._finish,
    (0x00, 0xCA): SoftModule._tell, (0x80, 0x1A): SoftModule._draw, (0x80, 0xFA): SoftModule._answer}


class Module:
    """A module in a slot, as a gate asks it (`gate.Answer`)."""

    def __init__(self, slot: Transport, profile: Profile) -> None:
        """Select it. ModuleFault where there is none, or it is not finished."""
        self._slot, self._profile = slot, profile
        _done(slot, SELECT)

    def told(self) -> Told:
        """What it tells of itself. ModuleFault."""
        return told(self._slot)

    def __call__(self, purpose: str, version: int, number: str, challenge: bytes) -> bytes:
        """The proof of a card's key for a challenge. ModuleFault; KeyError for a version that it does not have;
        CardRefused for a card of another region; ValueError for no serial.
        """
        factor = serial.factor(number)
        try:
            _done(self._slot, encode_command(Command(0x80, 0x1A, version, self._profile.slot(purpose), factor)))
        except ModuleFault as fault:
            if fault.sw == _NO_KEY:
                raise KeyError(version) from None
            if fault.sw == _WRONG_DATA:
                raise CardRefused(ANOTHER_REGION) from None
            raise
        proof = _done(self._slot, encode_command(
            Command(0x80, 0xFA, 0, 0, challenge, secure.CHALLENGE)))
        if len(proof) != secure.CHALLENGE:
            raise ModuleFault(0)
        return proof


def told(slot: Transport) -> Told:
    """What the selected module tells of itself. ModuleFault."""
    data = _done(slot, encode_command(Command(0x00, 0xCA, _TELL >> 8, _TELL & 0xFF, b"", 256)))
    if len(data) != 19:
        raise ModuleFault(0)
    digits = data[:11].hex()
    return Told(digits[:16], digits[16:], int.from_bytes(data[11:15]), int.from_bytes(data[15:]))


def script(about: Told, profile: Profile, keys: Mapping[tuple[str, int], bytes], kek: bytes) -> list[bytes]:
    """The commands that make a module of a blank one: `keys` are the region's by purpose and version, `kek` its
    transport key.
    """
    suite, commands = SUITES[profile.suite], [SELECT]
    for (purpose, version), key in keys.items():
        commands += secure.put_key_many(suite, kek, Key(profile.slot(purpose), purpose, version, TRIES), [key])
    finish = bytes.fromhex(about.number + about.region) + about.allowed.to_bytes(4)
    return [*commands, encode_command(Command(0x80, 0xEA, 0, 0, finish))]


def _done(slot: Transport, apdu: bytes) -> bytes:
    try:
        data, sw = decode_response(slot.transmit(apdu))
    except ValueError:
        raise ModuleFault(0) from None
    if sw != OK:
        raise ModuleFault(sw)
    return data
