"""A card in words (读卡显示): every application, file, record and field that it shows, each with its clause.

`show` reads over any transport what anybody may read; given a software card's `memory` it shows what is guarded, too.
Whatever the card answers comes out as lines: bytes that do not fit their layout are shown as such.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from zhengka.formats.apdu import OK, Command, Transport, decode_response, encode_command, status_text
from zhengka.formats.certnumber import CATEGORIES, GRADES
from zhengka.formats.chip import asking, directory, memory, secure
from zhengka.formats.chip.card import GET_UID
from zhengka.formats.chip.fields import READ
from zhengka.formats.chip.layout import PIN, WHOLE, Application, Field, File
from zhengka.formats.chip.profile import Profile
from zhengka.formats.chip.wording import APPLICATIONS, FCI, FIELDS, PURPOSES_ZH, VALUES
from zhengka.formats.tlv import TlvBroken, decode, find, is_constructed

_DEEP: Final = 6
_MOST_RECORDS: Final = 255
_UNKNOWN: Final = ("未知应用", "unknown application")


class Line(NamedTuple):
    """One line: how deep it stands, what it is in Chinese and English, what is there, and the clause that says so."""

    depth: int
    zh: str
    en: str
    value: str = ""
    clause: str = ""


OURS: Final = "ours, placeholder"
"""The clause of what no public standard says: the disability application's own specification is not public."""


class Content(NamedTuple):
    """What lies in a file, one item for a transparent one, or the status word that stands in the way."""

    items: tuple[bytes, ...] = ()
    sw: int = OK


def show(card: Transport, profiles: Sequence[Profile], *, held: memory.Memory | None = None) -> list[Line]:
    """All of a card. It never raises but for a mistake of ours: where the card stops, the last line says so."""
    lines: list[Line] = []
    try:
        lines.extend(_card(card, profiles, held))
    except OSError:
        lines.append(Line(0, "卡片无应答", "the card stopped answering"))
    except ValueError:
        lines.append(Line(0, "应答无法识别", "the card answered what is no answer"))
    return lines


def _card(card: Transport, profiles: Sequence[Profile], held: memory.Memory | None) -> Iterator[Line]:
    uid, sw = decode_response(card.transmit(GET_UID))
    yield Line(0, "卡片唯一标识", "chip identifier", _hex(uid) if sw == OK else status_text(sw), "PC/SC 3, 3.2.2.1.3")
    if held is not None:
        yield Line(0, "生命周期", "life cycle", held.state, "ISO/IEC 7816-4, 7.4.10")
        yield Line(0, "剩余空间", "memory left", f"{held.free} bytes", OURS)
    listed = directory.applications(card)
    for entry in listed:
        yield Line(0, "应用目录", "directory", f"{_hex(entry.aid)} {_safe(entry.label)}", "EMV 1, 12.2; EMV B, 3.3")
    known = {each.aid: each for profile in profiles for each in profile.applications}
    names = dict.fromkeys([*known, *[entry.aid for entry in listed], *(held.applications if held else ())])
    for name in names:
        yield from _application(card, name, known.get(name), held.applications.get(name) if held else None)


def _application(
    card: Transport, name: bytes, known: Application | None, held: memory.Application | None
) -> Iterator[Line]:
    data, sw = decode_response(card.transmit(asking.select_application(name)))
    title = (known.title_zh or known.id, known.title) if known else APPLICATIONS.get(name, _UNKNOWN)
    if sw == 0x6A82:
        if known is not None and known.reserve:
            yield Line(0, *title, f"{_hex(name)} 空 empty", "ISO/IEC 7816-4, 8.2.1.2")
        return
    yield Line(0, *title, _hex(name), "ISO/IEC 7816-4, 8.2.1.2")
    if sw != OK:
        yield Line(1, "状态", "state", "已锁定 blocked" if sw == 0x6283 else status_text(sw), "ISO/IEC 7816-4, 5.6")
    yield from _tree(data, 1)
    yield from _keys(card, known)
    for file in known.files if known else ():
        ours = OURS if known and known.placeholder else ""
        yield from _file(card, file, held.files.get(file.fid) if held else None, ours)
    laid = {file.fid for file in known.files} if known else set()
    for fid, other in (held.files if held else {}).items():
        if fid not in laid:
            yield Line(1, "未知文件", "unknown file", _hex(fid), "ISO/IEC 7816-4, 7.4.3")
            for item in other.records or (other.content,):
                yield from _raw(item, 2, "ISO/IEC 7816-4, 7.4.3")


def _keys(card: Transport, known: Application | None) -> Iterator[Line]:
    data, sw = decode_response(card.transmit(asking.tell_keys()))
    if sw != OK:
        return
    purposes = {key.slot: key.purpose for key in known.keys} if known else {}
    try:
        told = [item.value for item in decode(find(data, 0xE0)) if len(item.value) >= 2]
    except TlvBroken:
        yield Line(1, "密钥信息有误", "wrong bytes", _hex(data))
        return
    for each in told:
        purpose = purposes.get(each[0], "")
        if purpose == PIN:
            yield _pin(card, each[0], each[1])
            continue
        yield Line(1, f"密钥 {PURPOSES_ZH.get(purpose, '')}".strip(), f"key {purpose}".strip(),
                   f"slot {each[0]}, version {each[1]}", "GlobalPlatform 2.3, 11.3.3.1")


def _pin(card: Transport, slot: int, version: int) -> Line:
    """A PIN's state. VERIFY without data asks how many tries are left, and costs none."""
    _, sw = decode_response(card.transmit(encode_command(Command(0x00, 0x20, 0, slot))))
    state = ("未设置 not set yet" if version == secure.NOBODYS else "持卡人 holder's own" if version == secure.OWN
             else "一次性,须更改 one-time, to be changed")
    left = f"{sw & 0x0F} tries left" if sw & 0xFFF0 == 0x63C0 else "已锁定 blocked" if sw == 0x6983 else status_text(sw)
    return Line(1, PURPOSES_ZH[PIN], "PIN", f"slot {slot}, {state}, {left}", "ISO/IEC 7816-4, 11.5")


def _file(card: Transport, file: File, held: memory.File | None, ours: str) -> Iterator[Line]:
    clause = file.clause or ours
    rights = f"read {file.read}, update {file.update}{' enciphered' if file.cipher else ''}"
    yield Line(1, file.title_zh or file.title, file.title, f"{_hex(file.fid)} · {rights}", clause)
    content = _read(card, file) if held is None else Content(
        (held.content,) if held.structure == memory.TRANSPARENT else held.records)
    if content.sw != OK:
        zh, en = ("受保护", "guarded") if content.sw == 0x6982 else ("无法读取", "not read")
        yield Line(2, zh, en, status_text(content.sw), "ISO/IEC 7816-4, 5.6")
    for number, item in enumerate(content.items, 1):
        depth = 2
        if not file.transparent:
            yield Line(2, "记录", "record", str(number), clause)
            depth = 3
        yield from _fields(_layout(file, number), item, depth, clause)


def _layout(file: File, number: int) -> Sequence[Field]:
    """The fields of a transparent file, or of its record: those of the first records, or those of any later one."""
    if file.transparent or file.fields or number > len(file.records):
        return file.fields
    return file.records[number - 1]


def _read(card: Transport, file: File) -> Content:
    _, sw = decode_response(card.transmit(encode_command(Command(0x00, 0xA4, 0x00, 0x0C, file.fid))))
    if sw != OK:
        return Content(sw=sw)
    return _read_binary(card, file) if file.transparent else _read_records(card)


def _read_binary(card: Transport, file: File) -> Content:
    found = b""
    for at in range(0, file.size, WHOLE):
        size = min(WHOLE, file.size - at)
        data, sw = decode_response(card.transmit(encode_command(Command(0x00, 0xB0, at >> 8, at & 0xFF, b"", size))))
        if sw != OK:
            return Content((found,) if found else (), sw)
        found += data
        if not data:  # a card that says done and gives nothing would be asked for ever
            break
    return Content((found,))


def _read_records(card: Transport) -> Content:
    found: list[bytes] = []
    for number in range(1, _MOST_RECORDS + 1):
        data, sw = decode_response(card.transmit(asking.read_record(0, number)))
        if sw == 0x6A83 or (sw == OK and not data):
            break
        if sw != OK:
            return Content(tuple(found), sw)
        found.append(data)
    return Content(tuple(found))


def _fields(fields: Sequence[Field], content: bytes, depth: int, clause: str) -> Iterator[Line]:
    at = 0
    for field in fields:
        head = field.taken - field.size
        spelled, at = content[at : at + field.taken], at + field.taken
        zh, en = FIELDS.get(field.name) or FIELDS.get(field.source) or (field.name, field.name.replace("_", " "))
        tagged = not head or (spelled[:1] == bytes([field.tag]) and spelled[head - 1 : head] == bytes([field.size]))
        fits = len(spelled) == field.taken and tagged
        value = _value(field, spelled[head:]) if fits else None
        wrong = f"字节有误 wrong bytes {_hex(spelled)}"
        yield Line(depth, zh, en, wrong if value is None else value, field.clause or clause)
    if rest := content[at:].rstrip(b"\0"):
        yield from _raw(rest, depth, clause)


def _value(field: Field, spelled: bytes) -> str | None:
    """The value in words; None for bytes that spell none."""
    try:
        value: Any = READ[field.kind](spelled)
    except (ValueError, IndexError):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        blank = field.kind == "blank" and not spelled.strip(b"\0")
        return "空 blank" if blank else _hex(value) + _meant(field, value.hex().upper())
    term = {"category": CATEGORIES, "grade": GRADES}.get(field.source, {}).get(value)
    if term:
        return f"{value} {term.zh} {term.en}"
    return _safe(str(value)) + _meant(field, str(value)) or "空 blank"


def _meant(field: Field, value: str) -> str:
    """What a code stands for, where that is known."""
    meaning = VALUES.get((field.name, value), "")
    return f" {meaning}" if meaning else ""


def _raw(data: bytes, depth: int, clause: str) -> Iterator[Line]:
    """Bytes of which no layout is known: as data objects if they are some, or else as they are."""
    lines = list(_tree(data, depth))
    yield from lines or [Line(depth, "数据", "bytes", _hex(data.rstrip(b"\0")) or "空 blank", clause)]


def _tree(data: bytes, depth: int, left: int = _DEEP) -> Iterator[Line]:
    """Data objects with what their tags mean; nothing for bytes that are none."""
    try:
        items = decode(data) if left else []
    except TlvBroken:
        return
    for tag, value in items:
        zh, en, clause = FCI.get(tag, ("数据对象", "data object", "ISO/IEC 7816-4, 6.3"))
        inner = list(_tree(value, depth + 1, left - 1)) if is_constructed(tag) else []
        yield Line(depth, zh, en, f"{tag:02X}" if inner else f"{tag:02X} {_hex(value)}".strip(), clause)
        yield from inner


def _safe(text: str) -> str:
    """Text of a card on its way to a terminal: what is not printable is shown by its code."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def _hex(data: bytes) -> str:
    return data.hex().upper()

