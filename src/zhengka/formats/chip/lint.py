"""A second pair of eyes on a script before anything is signed: it runs the commands on paper and reads the files.

Written apart from the compiler and sharing none of its encoders: a fault in one is seen by the other. It sees sizes,
rights, encodings, capacity and order; it cannot see inside an encrypted key.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from zhengka.formats.chip import directory, paper, secure
from zhengka.formats.chip.fields import READ, parts
from zhengka.formats.chip.layout import FREE, NEVER, WHOLE, Application, Field, File
from zhengka.formats.chip.orders import Lock, Order, Reset, Write
from zhengka.formats.chip.paper import Finding, Paper, check_dates
from zhengka.formats.chip.profile import Profile
from zhengka.formats.chip.script import Script

__all__ = ["Finding", "lint", "lint_many", "lint_order"]

_DAYS: Final = ("issued", "activation_until", "valid_until")
"""Dates in the order in which they must come."""

_SHAPE: Final = {"transparent": b"\x01", "linear": b"\x02", "variable": b"\x04", "cyclic": b"\x06"}


def lint(profile: Profile, script: Script, record: Mapping[str, Any]) -> list[Finding]:
    """Every fault of a script against its profile and the record it was made from; an empty list is a clean script."""
    page = _on_paper(profile, script.commands)
    for each in profile.ours:
        for file in each.files:
            _check_content(page, each, file, record)
    if script.serial != record.get("serial"):
        page.say("serial-differs", "serial")
    check_dates(page, record, _DAYS)
    return page.findings


def lint_many(
    profile: Profile, scripts: Sequence[Script], records: Sequence[Mapping[str, Any]]
) -> list[list[Finding]]:
    """`lint` of every script against its own record, in order.

    Scripts that differ in nothing but the bytes which they write are run on paper once, to learn where each byte comes
    to lie. Then every card's own bytes are read and compared with its own record, a field at a time. Where one is not
    clean, each of them is looked at alone.
    """
    findings: list[list[Finding]] = [[] for _ in scripts]
    alike: dict[object, list[int]] = defaultdict(list)
    for place, script in enumerate(scripts):
        alike[paper.shape(script.commands)].append(place)
    for places in alike.values():
        if not _all_clean(profile, [scripts[place] for place in places], [records[place] for place in places]):
            for place in places:
                findings[place] = lint(profile, scripts[place], records[place])
    return findings


def lint_order(profile: Profile, order: Order, record: Mapping[str, Any]) -> list[Finding]:
    """Every fault of an order for an issued card against its profile and the record that the card shall then tell."""
    page = Paper(profile)
    if order.serial != record.get("serial"):
        page.say("serial-differs", "serial")
    for part in order.parts:
        known = {file.fid: file for file in part.application.files}
        for step in part.steps:
            if isinstance(step, Write):
                _check_write(page, known.get(step.file.fid), step, record)
            elif isinstance(step, Lock) and step.locked != (order.kind == "block"):
                page.say("wrong-lock", part.application.id)
            elif isinstance(step, Reset) and (step.key not in part.application.pins or order.kind != "pin"
                                              or (step.key.slot, secure.once(order.number)) not in part.pins):
                page.say("wrong-pin", part.application.id)
    check_dates(page, record, _DAYS)
    return page.findings


def _check_write(page: Paper, file: File | None, step: Write, record: Mapping[str, Any]) -> None:
    """A write of an order: into a file that may still be written, whole by one command, and true."""
    if file is None or file.update == NEVER or not 0 <= step.record <= len(file.records):
        return page.say("no-such-file", step.file.title)
    if file.transparent == bool(step.record) or not 0 < len(step.data) <= min(WHOLE, file.size):
        return page.say("write-past-the-end", file.title)
    fields = file.fields if file.transparent else file.records[step.record - 1]
    _check_fields(page, fields, step.data, record)
    if step.data[sum(item.taken for item in fields) :].strip(b"\0"):
        page.say("bytes-outside-fields", file.title)
    return None


def _all_clean(profile: Profile, scripts: Sequence[Script], records: Sequence[Mapping[str, Any]]) -> bool:
    """True where `lint` finds nothing in any of these scripts, which are of one shape."""
    page = _on_paper(profile, scripts[0].commands)
    for days in {tuple([record.get(name) for name in _DAYS]) for record in records}:
        check_dates(page, dict(zip(_DAYS, days, strict=True)), _DAYS)
    if page.findings or [script.serial for script in scripts] != [record.get("serial") for record in records]:
        return False
    for number in page.listing:  # the directory tells the same on every card
        if {script.commands[number - 1] for script in scripts} != {scripts[0].commands[number - 1]}:
            return False
    for each in profile.ours:
        for file in each.files:
            writes = [write for write in page.writes if write.place == (each.aid, file.fid)]
            for number, fields in enumerate(file.written, 1):
                contents = [_content(file, number, writes, script.commands) for script in scripts]
                if not _fields_agree(file, fields, contents, records):
                    return False
    return True


def _content(file: File, number: int, writes: Sequence[paper.Write], commands: Sequence[bytes]) -> bytes:
    """One card's own content of a file, or of its record `number`, from the writes of its shape."""
    if not file.transparent:
        return next(commands[each.command - 1][5:] for each in writes if each.record == number)
    content = bytearray(file.size)
    for write in writes:
        content[write.offset : write.offset + write.size] = commands[write.command - 1][5 : 5 + write.size]
    return bytes(content)


def _fields_agree(
    file: File, fields: Sequence[Field], contents: Sequence[bytes], records: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether every card's content of a file says what its record says, and nothing else."""
    at = 0
    for item in fields:
        start, end = at + item.taken - item.size, at + item.taken
        wanted, read = _wanted(item), READ[item.kind]
        try:
            values = [read(content[start:end]) for content in contents]
        except (ValueError, IndexError):
            return False
        if item.tag and len({content[at:start] for content in contents} | {_head(item)}) > 1:
            return False
        if values != [wanted(record) for record in records]:
            return False
        at = end
    nothing = bytes(file.size - at) if file.structure != "variable" else b""
    return all([content[at:] == nothing for content in contents])


def _head(item: Field) -> bytes:
    """Tag and length of a field that has them."""
    return bytes([item.tag, 0x81, item.size]) if item.size > 127 else bytes([item.tag, item.size])


def _wanted(item: Field) -> Callable[[Mapping[str, Any]], Any]:
    """What the card must tell of a record: the profile's rule for a field, read apart from the compiler's."""
    source, fixed = item.source, item.fixed or bytes(item.size)
    if not item.asks:
        return lambda _: fixed
    if item.cut is None and not (item.prefix or item.suffix or item.table):
        return lambda record: record.get(source)
    start, end = item.cut if item.cut is not None else (None, None)

    def wanted(record: Mapping[str, Any]) -> Any:
        value = record.get(source)
        if not isinstance(value, str):
            return None
        value = f"{item.prefix}{value[start:end]}{item.suffix}"
        if not item.table:
            return value
        longest = max((begins for begins, _ in item.table if value.startswith(begins)), key=len, default=None)
        return None if longest is None else dict(item.table)[longest]

    return wanted


def _on_paper(profile: Profile, commands: Sequence[bytes]) -> Paper:
    """What the commands make, and every fault that can be seen without the record."""
    page = paper.run(profile, commands)
    for each in profile.ours:
        _check_keys(page, each)
        for file in each.files:
            _check_form(page, each, file)
    known = {(each.aid, file.fid) for each in profile.ours for file in each.files}
    for aid, fid in page.files.keys() - known:
        if not page.lists(aid):
            page.say("unknown-file", fid.hex())
    _check_memory(page)
    _check_directory(page)
    return page


def _check_keys(page: Paper, each: Application) -> None:
    loaded = [slot for aid, slot in page.keys if aid == each.aid]
    for key in each.keys:
        if loaded.count(key.slot) != 1:
            page.say("key-not-loaded-once", key.purpose)
    for slot in set(loaded) - {key.slot for key in each.keys}:
        page.say("key-in-unknown-slot", slot)


def _check_memory(page: Paper) -> None:
    profile = page.profile
    units = len(page.applications) + len(page.files) + len(set(page.keys))
    taken = sum(file.reserved for file in page.files.values()) + sum(map(len, page.applications.values()))
    reserved = sum(each.reserve for each in profile.applications)
    if taken + reserved + units * profile.overhead > profile.capacity:
        page.say("too-big-for-the-chip", profile.id)


def _check_directory(page: Paper) -> None:
    """The directories tell of the applications with a label, and of no other: that a card is one is told to nobody."""
    wanted = [(each.aid, each.label) for each in page.profile.listed]
    records = [record for (aid, _), file in page.files.items() if aid == directory.PSE for record in file.records]
    told = {
        "PSE": [entry for record in records for entry in directory.entries(record, 0x70)],
        "PPSE": directory.entries(page.applications.get(directory.PPSE, b""), 0xBF0C),
    }
    for name, entries in told.items():
        if [entry[:2] for entry in entries] != wanted:
            page.say("wrong-directory", name)


def _check_form(page: Paper, each: Application, file: File) -> None:
    found = page.files.get((each.aid, file.fid))
    slots = {key.purpose: key.slot for key in each.keys} | {FREE: 0, NEVER: 255}
    if found is None or (found.size, found.most) != (file.size, file.most):
        page.say("file-missing" if found is None else "wrong-size", file.title)
    elif found.rights != bytes([slots[file.read], slots[file.update] | (0x20 if file.cipher else 0)]):
        page.say("wrong-rights", file.title)
    elif found.structure != _SHAPE[file.structure] or len(found.records) != len(file.records):
        page.say("wrong-structure" if found.structure != _SHAPE[file.structure] else "wrong-records", file.title)


def _check_content(page: Paper, each: Application, file: File, record: Mapping[str, Any]) -> None:
    found = page.files.get((each.aid, file.fid))
    if found is None or (found.size, found.most) != (file.size, file.most):
        return
    contents = [bytes(found.content)] if file.transparent else found.records
    for fields, content in zip(file.written, contents, strict=False):
        _check_fields(page, fields, content, record)
        if content[sum(item.taken for item in fields) :].strip(b"\0"):
            page.say("bytes-outside-fields", file.title)


def _check_fields(page: Paper, fields: Sequence[Field], content: bytes, record: Mapping[str, Any]) -> None:
    try:
        spelled = list(parts(fields, content))
    except ValueError as broken:
        return page.say("bad-encoding", broken)
    for item, piece in spelled:
        try:
            value = READ[item.kind](piece)
        except (ValueError, IndexError):
            page.say("bad-encoding", item.name)
            continue
        if value != _wanted(item)(record):
            page.say("differs-from-record", item.name)
    return None
