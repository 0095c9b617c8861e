"""What is fuzzed: each function takes any bytes and must return. What it checks on the way is always true."""

import json
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

from made_cards import KEK, PROFILE, UID, make_keys, make_profile, make_records, profile_table
from zhengka.formats import apdu, tlv
from zhengka.formats.chip import (
    ProfileBroken,
    ReadingPlan,
    Script,
    SoftCard,
    asking,
    compile_many,
    directory,
    lint,
    load,
)
from zhengka.formats.chip.fields import values
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.suites import SM

LAYOUT = make_profile()
RECORDS = make_records(1)
[SCRIPT] = compile_many(LAYOUT, RECORDS, keys_by_slot=make_keys(LAYOUT, RECORDS), kek=KEK)
CHANNEL = KeySet(1, b"e" * 16, b"m" * 16, b"d" * 16)


def read_tlv(data: bytes) -> None:
    """BER-TLV: what is read is written back alike."""
    try:
        assert tlv.encode_all(list(tlv.decode(data))) == data
        tlv.walk(data)
    except tlv.TlvBroken:
        return


def read_apdu(data: bytes) -> None:
    """Commands and answers: what is read is written back alike."""
    for decode, encode in ((apdu.decode_command, apdu.encode_command), (apdu.decode_response, apdu.encode_response)):
        try:
            assert encode(decode(data)) == data  # type: ignore[operator]
        except apdu.ApduBroken:
            continue


def read_profile(data: bytes) -> None:
    """Profiles: as TOML, or, when the first byte is odd, our own with one value somewhere replaced by any JSON."""
    try:
        table = _changed(data[1:]) if data[:1] and data[0] & 1 else tomllib.loads(data[1:].decode())
    except (ValueError, RecursionError):
        return
    try:
        profile = load(table, source="fuzz.toml")
    except ProfileBroken as broken:
        assert "fuzz.toml" in broken.where
        return
    assert profile.used <= profile.capacity


def _changed(data: bytes) -> dict[str, Any]:
    """Our profile with the value at a place, one byte for each level, replaced by the JSON that follows a zero."""
    path, _, spelled = data.partition(b"\0")
    table: Any = profile_table()
    whole = table
    for step in path[:6]:
        places = sorted(table) if isinstance(table, dict) else range(len(table)) if isinstance(table, list) else ()
        if not places:
            break
        place = places[step % len(places)]
        if not isinstance(table[place], dict | list):
            table[place] = json.loads(spelled)
            break
        table = table[place]
    return whole


def read_script(data: bytes) -> None:
    """Scripts and reading plans: the linter answers for every script, and a clean one is the compiler's own."""
    commands = [*SCRIPT.commands[: data[0] % 32], *_pieces(data[1:])] if data else []
    found = lint(LAYOUT, Script(SCRIPT.serial, commands), RECORDS[0])
    assert found or len(commands) >= len(SCRIPT.commands)
    try:
        ReadingPlan.from_steps("SM", json.loads(data))
    except (ValueError, RecursionError):
        return


def ask_card(data: bytes) -> None:
    """The chip: whatever it is asked, a status word comes out, and its memory never gets more than it had."""
    if not data:
        return
    card = SoftCard(uid=UID, kek=KEK, suite=SM, channel=CHANNEL if data[0] & 0x80 else None, rng=bytes)
    for command in (*SCRIPT.commands[: data[0] % 32], *_pieces(data[1:])):
        assert apdu.decode_response(card.transmit(command)).sw >= 0x6100
    used = 8192 - card.free
    assert used >= 0 and sum(f.reserved for a in card.memory.applications.values() for f in a.files.values()) <= used


def read_card(data: bytes) -> None:
    """What a card says: directories and fields."""
    class Says:
        def __init__(self) -> None:
            self.left = _pieces(data)

        def transmit(self, _: bytes) -> bytes:
            return next(self.left, b"") + b"\x90\x00"

    assert all(5 <= len(entry.aid) <= 16 for entry in directory.applications(Says()))
    for file in LAYOUT.files:
        try:
            assert set(values(file, data)) == {field.name for field in file.fields}
        except ValueError:
            continue


def _pieces(data: bytes) -> Iterator[bytes]:
    """The bytes cut into pieces, each after a byte that says how long it is."""
    at = 0
    while at < len(data):
        yield data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]


def _joined(pieces: list[bytes]) -> bytes:
    return b"".join(bytes([len(piece)]) + piece for piece in pieces if len(piece) < 256)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "tlv": read_tlv, "apdu": read_apdu, "profile": read_profile, "script": read_script, "card": ask_card,
    "answers": read_card,
}
_ENTRIES = [directory.Entry(LAYOUT.aid, "ZHENGKA", 1)]
_MADE = [*directory.pse(_ENTRIES), *directory.ppse(_ENTRIES)]
_ASKED = [asking.select_application(LAYOUT.aid), bytes.fromhex("0084000008"), bytes.fromhex("0020000506") + b"123456",
          asking.read_record(1, 1), bytes.fromhex("8050010008") + bytes(8), bytes.fromhex("80EA0000")]
SEEDS: dict[str, list[bytes]] = {
    "tlv": [command[5:] for command in _MADE],
    "apdu": [*SCRIPT.commands, *_ASKED, b"\x90\x00"],
    "profile": [b"\0" + PROFILE.read_bytes(), b"\1\5\0\0" + b'"x"', b"\1\7\1\0[1, 2]"],
    "script": [b"\x1f", b"\x0a" + _joined(SCRIPT.commands[10:]), b"\0" + _joined(_MADE), b'["00A4040C05*"]'],
    "card": [b"\x1f" + _joined(_ASKED), b"\0" + _joined([*_MADE, *_ASKED]), b"\x80" + _joined(_ASKED)],
    "answers": [_joined([command[5:] for command in _MADE]), bytes(320)],
}
