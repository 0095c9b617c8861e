"""What is fuzzed: each function takes any bytes and must return. What it checks on the way is always true."""

import contextlib
import copy
import json
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fuzz import gates
from made_cards import (
    KEK,
    PROFILE,
    UID,
    card_keys,
    finished_card,
    make_keys,
    make_profile,
    make_records,
    profile_table,
    whole_profile,
)
from zhengka.formats import apdu, gaps, tlv
from zhengka.formats.chip import (
    ProfileBroken,
    ReadingPlan,
    Script,
    SoftCard,
    asking,
    compile_many,
    directory,
    lint,
    lint_many,
    load,
)
from zhengka.formats.chip.agreement import Known, Seen, differences
from zhengka.formats.chip.applying import CODES, apply, read, spell
from zhengka.formats.chip.fields import values
from zhengka.formats.chip.orders import activate, block, update
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.chip.showing import show
from zhengka.formats.suites import SM

LAYOUT = make_profile()
RECORDS = make_records(1)
[SCRIPT] = compile_many(LAYOUT, RECORDS, keys_by_slot=make_keys(LAYOUT, RECORDS), kek=KEK)
WHOLE = whole_profile()
[WHOLE_SCRIPT] = compile_many(WHOLE, RECORDS, keys_by_slot=make_keys(WHOLE, RECORDS), kek=KEK)
ISSUED = finished_card(WHOLE, RECORDS[0]).memory
KEYS = card_keys(WHOLE, RECORDS[0])
ORDERS = [activate(WHOLE, 1, RECORDS[0], RECORDS[0]["valid_until"]), update(WHOLE, 2, RECORDS[0]),
          block(WHOLE, 3, RECORDS[0]["serial"])]
PARTS = {name: tomllib.loads((PROFILE.parent / "applications" / f"{name}.toml").read_text())
         for name in ("transit-t-union", "social-security-merge", "bank-slot")}
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


def read_gaps(data: bytes) -> None:
    """Coded rows: what is read is written so that it reads the same."""
    size, order = int.from_bytes(data[:2]) + 1, (1, 2, 3)
    try:
        cells = gaps.decode(data[2:], size, order, rest=0)
    except gaps.BadGaps:
        return
    assert gaps.decode(gaps.encode(cells, order), size, order, rest=0).tolist() == cells.tolist()


def read_profile(data: bytes) -> None:
    """Profiles: as TOML, or, when the first byte is odd, our own with one value somewhere replaced by any JSON."""
    others: dict[str, Any] = {}
    try:
        if data[:1] and data[0] & 2:  # an application that a card's profile names
            name = sorted(PARTS)[(data[0] >> 2) % 3]
            others = {name: _changed(data[1:], copy.deepcopy(PARTS[name])), "disability-placeholder": profile_table()}
            table = {each: value for each, value in profile_table().items()
                     if each not in ("application", "keys", "files")} | {
                "capacity": 1 << 15, "applications": ["disability-placeholder", name]}
        else:
            ours = bool(data[:1] and data[0] & 1)
            table = _changed(data[1:], profile_table()) if ours else tomllib.loads(data[1:].decode())
    except (ValueError, RecursionError):
        return
    try:
        profile = load(table, source="fuzz.toml", others=others)
    except ProfileBroken as broken:
        assert ".toml" in broken.where
        return
    assert profile.used <= profile.capacity


def _changed(data: bytes, table: Any) -> dict[str, Any]:
    """A table with the value at a place, one byte for each level, replaced by the JSON that follows a zero."""
    path, _, spelled = data.partition(b"\0")
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
    longer = Script(SCRIPT.serial, [*WHOLE_SCRIPT.commands[: 4 * data[0]], *_pieces(data[1:])] if data else [])
    assert lint_many(WHOLE, [WHOLE_SCRIPT, longer], RECORDS * 2) == [[], lint(WHOLE, longer, RECORDS[0])]
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


def ask_issued(data: bytes) -> None:
    """A finished card of several applications: whoever has no key changes nothing but the counts of tries."""
    card = SoftCard.of(ISSUED, rng=bytes)
    for command in _pieces(data):
        assert apdu.decode_response(card.transmit(command)).sw >= 0x6100
    for name, each in card.memory.applications.items():
        assert each.files == ISSUED.applications[name].files and each.locked == ISSUED.applications[name].locked
        assert [one.key for one in each.keys.values()] == [one.key for one in ISSUED.applications[name].keys.values()]


class Says:
    """A card that answers the pieces of the data, one after the other, each with 9000 or, if it ends odd, as it is."""

    def __init__(self, data: bytes) -> None:
        self.left = _pieces(data)

    def transmit(self, _: bytes) -> bytes:
        """The next piece."""
        piece = next(self.left, b"")
        return piece if len(piece) > 2 and piece[-1] & 1 else piece + b"\x90\x00"


def read_orders(data: bytes) -> None:
    """Whatever a card answers, an order ends in a name, and is never called done by one that has not the keys."""
    for order in ORDERS:
        assert apply(Says(data), WHOLE, order, KEYS, random=bytes).code in set(CODES) - {""}
    known, seen = Known(RECORDS[0], {}, UID), Seen({}, RECORDS[0]["credential"])
    assert differences(Says(data), WHOLE, known, seen, KEYS, random=bytes)


def read_receipts(data: bytes) -> None:
    """Receipts: what is read is written back alike."""
    try:
        assert spell(read(data)) == data
    except ValueError:
        return


def show_card(data: bytes) -> None:
    """Whatever a card answers is shown as printable lines, to the end."""
    for line in show(Says(data), [WHOLE, LAYOUT]):
        assert (line.zh + line.en + line.value).isprintable()


def read_card(data: bytes) -> None:
    """What a card says: directories and fields."""
    with contextlib.suppress(apdu.ApduBroken):
        assert all(5 <= len(entry.aid) <= 16 for entry in directory.applications(Says(data)))
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
    "answers": read_card, "issued": ask_issued, "orders": read_orders, "receipts": read_receipts, "show": show_card,
    "gaps": read_gaps,
}
_ENTRIES = [directory.Entry(LAYOUT.aid, "ZHENGKA", 1)]
_MADE = [*directory.pse(_ENTRIES), *directory.ppse(_ENTRIES)]
_ASKED = [asking.select_application(LAYOUT.aid), bytes.fromhex("0084000008"), bytes.fromhex("0020000506") + b"123456",
          asking.read_record(1, 1), bytes.fromhex("8050010008") + bytes(8), bytes.fromhex("80EA0000")]
_KEYS = bytes.fromhex("E018C00401010410C00402010410C00403010410C00404010410")
_ISSUED = [asking.select_application(WHOLE.named("transit-t-union").aid), asking.tell_keys(),
           asking.tell_state(bytes(8)), asking.tell_state(bytes(8), [(b"\x00\x15", 0)]), bytes.fromhex("0084000008"),
           bytes.fromhex("04D6950004") + bytes(4), bytes.fromhex("841E000004") + bytes(4),
           b"\x04" + asking.create_transparent(b"\x00\x05", 8, b"\0\2")[1:]]
SEEDS: dict[str, list[bytes]] = {
    "tlv": [command[5:] for command in _MADE],
    "apdu": [*SCRIPT.commands, *_ASKED, b"\x90\x00"],
    "profile": [b"\0" + PROFILE.read_bytes(), b"\1\5\0\0" + b'"x"', b"\1\7\1\0[1, 2]", b"\2\1\1\1\0" + b'"hex"',
                b"\6\1\5\4\0-1"],
    "script": [b"\x1f", b"\x0a" + _joined(SCRIPT.commands[10:]), b"\0" + _joined(_MADE), b'["00A4040C05*"]'],
    "card": [b"\x1f" + _joined(_ASKED), b"\0" + _joined([*_MADE, *_ASKED]), b"\x80" + _joined(_ASKED)],
    "answers": [_joined([command[5:] for command in _MADE]), bytes(320)],
    "issued": [_joined(_ISSUED), _joined([*_ISSUED, *_ASKED])],
    "orders": [_joined([b"", _KEYS, b"\x07" + bytes(8), b"", bytes(8), b""]), b""],
    "receipts": [spell(apply(SoftCard.of(ISSUED), WHOLE, order, KEYS).receipts) for order in ORDERS],
    "gaps": [b"\0\x3f" + gaps.encode(np.arange(64, dtype=np.uint8) * 7 % 4, (1, 2, 3)), b"\0\x3f" + bytes(27)],
    "show": [_joined([UID, *[command[5:] for command in _MADE]]), _joined([b"", b"", _KEYS, bytes(32)] * 9)],
}
TARGETS |= gates.TARGETS
SEEDS |= gates.SEEDS
