"""The text form that older card makers' programs read (旧版制卡文本), and the file that these give back.

A zip file holds `cards.txt` and a photo `<ID number>.jpg` for each row. The text is GBK (or GB 18030), its fields stand
apart by `|`, its tasks by a line of ten hyphens; a task is what is printed on one kind of blank card:

    430104-20261120-01|2|3|3|GBK                                        batch, tasks, rows, photos, code
    task_id|data_seq|client_id|name|cert_no|category|grade|issuer|issued|valid_until|card_no
    …
    ----------
    …

There is no key in it, no chip script and no QR code: it is the print alone. The file that comes back has a line for
each card printed, `task_id|data_seq|client_id|name|cert_no|card_no|bar_code|card_id|atr|rfatr|bankcardno|`, in these
columns, or in those that its first line names.
"""

import re
import struct
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import BinaryIO, Final, NamedTuple

from zhengka.formats.archive import listing

CODES: Final = ("gbk", "gb18030")
TEXT: Final = "cards.txt"
APART: Final = "-" * 10
COLUMNS: Final = ("task_id", "data_seq", "client_id", "name", "cert_no", "category", "grade", "issuer", "issued",
                  "valid_until", "card_no")
RETURNED: Final = ("task_id", "data_seq", "client_id", "name", "cert_no", "card_no", "bar_code", "card_id", "atr",
                   "rfatr", "bankcardno")
"""Columns of the file that comes back, where its first line names no others."""
MOST_ROWS: Final = 1000
MOST_TEXT: Final = 1 << 20
MOST_PHOTO: Final = 4 << 20
MOST_LINE: Final = 2048
"""Bytes at most: of the text, of a photo, of a line that comes back."""

_PHOTO: Final = re.compile(r"[0-9]{17}[0-9X]\.jpg")
_BAD: Final = re.compile(r"[|\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NEEDED: Final = {"task_id": "[0-9A-Za-z-]{1,60}", "data_seq": "[0-9]{1,6}", "card_no": "[0-9]{1,32}",
                  "card_id": "([0-9A-Fa-f]{2}){4,10}", "atr": "([0-9A-Fa-f]{2}){2,33}"}


class LegacyBroken(ValueError):
    """A text form that is not written, or not taken: `code` says why, `where` which row, line or file."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(code, where)
        self.code, self.where = code, where

    def __str__(self) -> str:
        """The code, and where if that is known."""
        return f"the text form is not taken: {self.code} {self.where}".rstrip()


class Row(NamedTuple):
    """One card to print. `task` is of all that are printed on one kind of blank, `seq` its place in the member."""

    task: str
    seq: int
    client: str
    name: str
    number: str
    category: str
    grade: str
    issuer: str
    issued: date
    valid_until: date
    serial: str

    def __repr__(self) -> str:
        """Task and place: a name does not belong in a log."""
        return f"<Row {self.task} {self.seq}>"


class Returned(NamedTuple):
    """One card that an older program says it printed: place, serial, and the chip that lay in it."""

    line: int
    task: str
    seq: int
    serial: str
    uid: bytes
    atr: bytes


class Fault(NamedTuple):
    """A line that came back and cannot be read: which, from 1, and why."""

    line: int
    code: str


def unfit(texts: Iterable[str], code: str) -> str:
    """The first character that this code does not have, or that no field may hold; "" where all are fit."""
    for text in texts:
        for character in text:
            if _BAD.match(character):
                return f"U+{ord(character):04X}"
            try:
                character.encode(code)
            except UnicodeEncodeError:
                return character
    return ""


def write(out: BinaryIO, batch: str, rows: Sequence[tuple[Row, bytes]], code: str) -> None:
    """Write the text form of some cards with their photos (JPEG), then read it again: LegacyBroken where tasks, rows
    and photos are not as many as they must be, a photo is missing, or a field cannot be written in this code.
    """
    if code not in CODES or not 1 <= len(rows) <= MOST_ROWS:
        raise ValueError(f"a code of {CODES} and 1 to {MOST_ROWS} rows")
    ordered = sorted(rows, key=lambda each: (each[0].task, each[0].seq))
    tasks = {row.task for row, _ in ordered}
    photos = {f"{row.client}.jpg": photo for row, photo in ordered}
    if len(photos) != len(rows):
        raise LegacyBroken("photo-twice")
    lines = [f"{batch}|{len(tasks)}|{len(rows)}|{len(photos)}|{code.upper()}", "|".join(COLUMNS)]
    for place, (row, photo) in enumerate(ordered):
        if not photo.startswith(b"\xff\xd8"):
            raise LegacyBroken("photo-missing", repr(row))
        if place and row.task != ordered[place - 1][0].task:
            lines.append(APART)
        lines.append(_line(row, code))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(TEXT), ("\r\n".join(lines) + "\r\n").encode(code))
        for name, photo in photos.items():
            archive.writestr(zipfile.ZipInfo(name), photo)
    if [row for row, _ in read(out)] != [row for row, _ in ordered]:
        raise LegacyBroken("rows-differ")


def read(file: BinaryIO) -> Iterator[tuple[Row, bytes]]:
    """Every row of a text form with its photo; LegacyBroken before the first one where the counts differ."""
    try:
        found = listing(file)
        if found.members > MOST_ROWS + 1 or found.size > 1024 * (MOST_ROWS + 1) or found.comment:
            raise LegacyBroken("too-many-files")
        archive = zipfile.ZipFile(file)
        sizes = _sizes(archive)
        rows = _rows(archive.read(TEXT), set(sizes) - {TEXT})
        for row in rows:
            yield row, archive.read(f"{row.client}.jpg")
    except LegacyBroken:
        raise
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, OverflowError, RuntimeError, struct.error) as fault:
        raise LegacyBroken("no-zip-file", type(fault).__name__) from None


def read_returned(file: BinaryIO) -> Iterator[Returned | Fault]:
    """Every line of the file that an older program gives back, or what is wrong with it. Empty lines and those of
    hyphens say nothing. LegacyBroken where the first line names columns and one that is needed is not among them.
    """
    columns: Sequence[str] = RETURNED
    number = 0
    while line := file.readline(MOST_LINE + 1):
        number += 1
        if len(line) > MOST_LINE:
            yield Fault(number, "line-too-long")
            while line and not line.endswith(b"\n"):
                line = file.readline(MOST_LINE)
            continue
        if number == 1 and line.startswith(b"task_id|"):
            columns = _columns(line)
            continue
        if line.strip(b"-\r\n \x1a"):
            yield _returned(line, number, columns)


def _line(row: Row, code: str) -> str:
    fields = [row.task, str(row.seq), row.client, row.name, row.number, row.category, row.grade, row.issuer,
              f"{row.issued:%Y%m%d}", f"{row.valid_until:%Y%m%d}", row.serial]
    if bad := unfit(fields, code):
        raise LegacyBroken("bad-character", f"{row!r} {bad}")
    return "|".join(fields)


def _sizes(archive: zipfile.ZipFile) -> dict[str, int]:
    """Name and size of every file in the zip, if they are of names and sizes that a text form has, each once."""
    sizes: dict[str, int] = {}
    for item in archive.infolist():
        name, most = item.orig_filename, MOST_TEXT if item.orig_filename == TEXT else MOST_PHOTO
        if name != TEXT and not _PHOTO.fullmatch(name):
            raise LegacyBroken("bad-name")
        if item.compress_type != zipfile.ZIP_STORED or item.file_size != item.compress_size or item.file_size > most:
            raise LegacyBroken("compressed-or-large", name if name == TEXT else "")
        if name in sizes:
            raise LegacyBroken("file-twice")
        sizes[name] = item.file_size
    if TEXT not in sizes:
        raise LegacyBroken("text-missing")
    return sizes


def _rows(text: bytes, photos: set[str]) -> list[Row]:
    """The rows of the text, if it has as many tasks, rows and photos as its first line says."""
    head, _, rest = text.partition(b"\r\n")
    told = head.split(b"|")
    code = told[-1].decode("ascii", "replace").lower()
    if len(told) != 5 or code not in CODES or not all(one.isdigit() and len(one) < 6 for one in told[1:4]):
        raise LegacyBroken("bad-head", "line 1")
    try:
        lines = rest.decode(code).split("\r\n")
    except UnicodeDecodeError:
        raise LegacyBroken("not-in-its-code") from None
    if lines[0] != "|".join(COLUMNS) or lines[-1]:
        raise LegacyBroken("bad-head", "line 2")
    rows = [_row(line, number) for number, line in enumerate(lines[1:-1], 3) if line != APART]
    tasks = {row.task for row in rows}
    counted = (len(tasks), len(rows), len(photos))
    if counted != tuple(map(int, told[1:4])) or lines.count(APART) != len(tasks) - 1:
        raise LegacyBroken("counts-differ")
    if {f"{row.client}.jpg" for row in rows} != photos or len(photos) != len(rows):
        raise LegacyBroken("photos-differ")
    return rows


def _row(line: str, number: int) -> Row:
    task, seq, client, name, card, category, grade, issuer, issued, until, serial = _fields(line, number)
    try:
        return Row(task, int(seq), client, name, card, category, grade, issuer, date.fromisoformat(issued),
                   date.fromisoformat(until), serial)
    except ValueError:
        raise LegacyBroken("bad-row", f"line {number}") from None


def _fields(line: str, number: int) -> list[str]:
    fields = line.split("|")
    if len(fields) != len(COLUMNS):
        raise LegacyBroken("bad-row", f"line {number}")
    return fields


def _columns(line: bytes) -> tuple[str, ...]:
    columns = tuple(line.decode("ascii", "replace").strip().rstrip("|").split("|"))
    for needed in _NEEDED:
        if columns.count(needed) != 1:
            raise LegacyBroken("column-missing", needed)
    return columns


def _returned(line: bytes, number: int, columns: Sequence[str]) -> Returned | Fault:
    """One line that came back; every field after the last `|` is empty."""
    try:
        fields = line.decode("gb18030").rstrip("\r\n").split("|")
    except UnicodeDecodeError:
        return Fault(number, "not-in-its-code")
    if fields[-1] == "" and len(fields) == len(columns) + 1:
        fields.pop()
    if len(fields) != len(columns):
        return Fault(number, "wrong-number-of-fields")
    told = dict(zip(columns, fields, strict=True))
    for name, pattern in _NEEDED.items():
        if not re.fullmatch(pattern, told[name]):
            return Fault(number, f"bad-{name}")
    return Returned(number, told["task_id"], int(told["data_seq"]), told["card_no"], bytes.fromhex(told["card_id"]),
                    bytes.fromhex(told["atr"]))
