"""From records to the bytes of files (写卡数据): the compiler's encoders, a column of many cards at a time.

A record gives every value that a profile asks for by name: digits, text and name as str, number as int, date as
datetime.date, bytes as bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final

from zhengka.formats.chip.layout import Application, Field, File

Record = Mapping[str, Any]
_FAULTS: Final = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


class RecordBroken(ValueError):
    """A record that does not fit the profile: `code`, the field, and which record it was (from 0)."""

    def __init__(self, code: str, field: str, place: int) -> None:
        super().__init__(code, field, place)
        self.code, self.field, self.place = code, field, place

    def __str__(self) -> str:
        """Place, field and code; never the value."""
        return f"record {self.place}, {self.field}: {self.code}"


def images(application: Application, records: Sequence[Record]) -> list[list[list[bytes]]]:
    """What is written at first: for each file, and each of its parts (the content, or each record), one per card."""
    return [image(file, records) for file in application.files]


def image(file: File, records: Sequence[Record]) -> list[list[bytes]]:
    """The same of one file."""
    return [_part(file, fields, records) for fields in file.written]


def content(file: File, record: Record) -> bytes:
    """The whole content of a transparent file for one card."""
    return b"".join([_encode(field, [record])[0] for field in file.fields]).ljust(file.size, b"\0")


def record(file: File, fields: Sequence[Field], values: Record) -> bytes:
    """One record of a file for one card."""
    spelled = b"".join([_encode(field, [values])[0] for field in fields])
    return spelled if file.structure == "variable" else spelled.ljust(file.size, b"\0")


def _part(file: File, fields: Sequence[Field], records: Sequence[Record]) -> list[bytes]:
    """One column. Zeros at the end of a transparent file are left off, as a new file is all zeros."""
    if file.blank and file.transparent:
        return [b""] * len(records)
    columns = [_encode(field, records) for field in fields]
    rows = [b"".join(row) for row in zip(*columns, strict=True)]
    if file.transparent:
        return [row.rstrip(b"\0") for row in rows]
    return rows if file.structure == "variable" else [row.ljust(file.size, b"\0") for row in rows]


def _encode(field: Field, records: Sequence[Record]) -> list[bytes]:
    """One column as bytes, each of the field's size; RecordBroken names the first value that does not fit."""
    if not field.asks:
        return [_tagged(field, field.fixed or bytes(field.size))] * len(records)
    spell, size, told = _SPELL[field.kind], field.size, _told(field)
    try:
        column = [spell(told(record[field.source]), size) for record in records]
    except _FAULTS:
        column = []
    if len(column) != len(records) or any([len(value) != size for value in column]):
        for place, record in enumerate(records):
            _check_one(field, record, place)
        raise RecordBroken("bad-value", field.name, 0)
    return [_tagged(field, value) for value in column] if field.tag else column


def _check_one(field: Field, record: Record, place: int) -> None:
    if field.source not in record:
        raise RecordBroken("missing", field.name, place)
    try:
        size = len(_SPELL[field.kind](_told(field)(record[field.source]), field.size))
    except _FAULTS:
        raise RecordBroken("bad-value", field.name, place) from None
    if size != field.size:
        raise RecordBroken("wrong-length", field.name, place)


def _told(field: Field) -> Callable[[Any], Any]:
    """From the record's value to the one that the card tells; KeyError for one that the field's table has not."""
    if field.cut is None and not field.prefix and not field.suffix and not field.table:
        return _same
    start, end = field.cut or (0, None)

    def told(value: str) -> str | int:
        text = field.prefix + value[start:end] + field.suffix
        if not field.table:
            return text
        for begins, meant in field.table:  # the longest beginnings first
            if text.startswith(begins):
                return meant
        raise KeyError(field.name)

    return told


def _same(value: Any) -> Any:
    return value


def _tagged(field: Field, value: bytes) -> bytes:
    if not field.tag:
        return value
    size = bytes([len(value)]) if len(value) < 0x80 else bytes([0x81, len(value)])
    return bytes([field.tag]) + size + value


def _digits(value: str, _size: int) -> bytes:
    if not value.isdecimal() or not value.isascii():
        raise ValueError("not digits")
    return bytes.fromhex(value)


@lru_cache(maxsize=1024)  # the cards of a batch share a few days
def _date(value: date, _size: int) -> bytes:
    return bytes.fromhex(f"{value.year:04}{value.month:02}{value.day:02}")


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size)


def _text(value: str, size: int) -> bytes:
    return _padded(value.encode("ascii"), size)


def _name(value: str, size: int) -> bytes:
    return _padded(value.encode("gb18030"), size)


def _bytes(value: bytes, size: int) -> bytes:
    return len(value).to_bytes(2) + value.ljust(size - 2, b"\0")


def _padded(value: bytes, size: int) -> bytes:
    if b"\0" in value:
        raise ValueError("a zero byte")
    return value.ljust(size, b"\0")


_SPELL: Final[dict[str, Callable[[Any, int], bytes]]] = {
    "digits": _digits,
    "date": _date,
    "number": _number,
    "text": _text,
    "name": _name,
    "bytes": _bytes,
}
