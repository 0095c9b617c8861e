"""What a gate does with a card that is held to it (闸机读卡): both prove themselves, then it reads what it needs.

Six commands for the layout that we ship: SELECT, the card's public file, GET CHALLENGE, MUTUAL AUTHENTICATE, and one
READ for each further file. The gate's keys stay in its security module (PSAM): it is only asked for answers.
"""

import hmac
import os
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from zhengka.formats.apdu import OK, Command, Transport, decode_response, encode_command
from zhengka.formats.chip import asking, secure
from zhengka.formats.chip.fields import values
from zhengka.formats.chip.profile import SERIAL, File, Profile

Answer = Callable[[str, str, bytes], bytes]
"""The gate's security module: purpose of the key, serial of the card, 8-byte challenge, to the 8-byte proof."""

PUBLIC: Final = (SERIAL, "issuer", "issued", "valid_until", "activation_until")
"""What a gate needs that anybody may read."""

NEEDED: Final = (*PUBLIC, "category", "grade")
"""What a gate needs to let somebody through. A name is not among it."""


class CardRefused(ValueError):
    """The gate does not take the card: `code` says why, `sw` is the chip's status word if it was the chip that said no.

    `not-our-card`: no such application; `locked`; `gate-refused`: the card does not accept the gate's key;
    `gate-blocked`: it accepts no gate any more; `not-authentic`: the card cannot prove its key, it is a copy;
    `unreadable`: it answers what its layout does not allow.
    """

    def __init__(self, code: str, sw: int = OK) -> None:
        super().__init__(code)
        self.code, self.sw = code, sw


class Read(NamedTuple):
    """What was read: the fields by name, as a record has them, and how many commands it took."""

    fields: dict[str, Any]
    commands: int


def read(
    card: Transport, profile: Profile, answer: Answer, *, needed: Sequence[str] = NEEDED,
    random: Callable[[int], bytes] = os.urandom,
) -> Read:
    """Prove each to the other, and read the files in which the needed fields lie. Raises CardRefused."""
    wire = _Wire(card)
    _, sw = wire.ask(asking.select_application(profile.aid))
    if sw != OK:
        raise CardRefused({0x6A82: "not-our-card", 0x6283: "locked"}.get(sw, "unreadable"), sw)
    public = next(file for file in profile.files for field in file.fields if field.name == SERIAL)
    fields = _read_file(wire, public)
    _prove(wire, profile, answer, fields[SERIAL], random(secure.CHALLENGE))
    for file in profile.files:
        if file is not public and any(field.name in needed for field in file.fields):
            fields |= _read_file(wire, file)
    return Read({name: fields[name] for name in needed if name in fields}, wire.commands)


class _Wire:
    """The card, and a count of what it was asked."""

    def __init__(self, card: Transport) -> None:
        self._card, self.commands = card, 0

    def ask(self, apdu: bytes) -> tuple[bytes, int]:
        self.commands += 1
        try:
            return decode_response(self._card.transmit(apdu))
        except ValueError:
            raise CardRefused("unreadable") from None


def _prove(wire: _Wire, profile: Profile, answer: Answer, serial: str, own: bytes) -> None:
    challenge, sw = wire.ask(encode_command(Command(0x00, 0x84, 0, 0, b"", secure.CHALLENGE)))
    if sw != OK or len(challenge) != secure.CHALLENGE:
        raise CardRefused("unreadable", sw)
    try:
        proof, expected = answer("reader", serial, challenge), answer("internal", serial, own)
    except ValueError:  # no serial that the module would draw a key from
        raise CardRefused("unreadable") from None
    mutual = Command(0x00, 0x82, 0, profile.slot("reader"), proof + own, secure.CHALLENGE)
    shown, sw = wire.ask(encode_command(mutual))
    if sw != OK:
        raise CardRefused("gate-blocked" if sw == 0x6983 else "gate-refused", sw)
    if not hmac.compare_digest(shown, expected):
        raise CardRefused("not-authentic")


def _read_file(wire: _Wire, file: File) -> dict[str, Any]:
    content, sw = wire.ask(asking.read_binary(file.sfi, size=min(file.size, 256)))
    if sw != OK:
        raise CardRefused("unreadable", sw)
    try:
        return values(file, content)
    except ValueError:
        raise CardRefused("unreadable") from None
