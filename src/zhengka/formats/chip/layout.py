"""What lies where on a chip, as data (卡内结构): applications, files, records, fields and key slots, each checked.

A field's value is its record's value of the same name, or of `source`; `cut` takes a piece of a text, `prefix` and
`suffix` go around it, `table` turns it into another. `fixed` bytes, and blank ones, ask no record.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

PURPOSES: Final = ("control", "maintenance", "reader", "internal")
"""What a key of the card is for: 主控, 应用维护, 外部认证, 内部认证."""
PIN: Final = "pin"
PIN_UNLOCK: Final = "pin-unlock"
"""A person's PIN (口令), and the key under which it is unblocked and set anew (PIN 解锁密钥)."""
DRAWN: Final = {PIN_UNLOCK: "control", PIN: PIN_UNLOCK}
"""Slots that have no master key of their own → the application's key that theirs is drawn from."""

FREE: Final = "free"
NEVER: Final = "never"
TRANSPARENT: Final = "transparent"
STRUCTURES: Final = (TRANSPARENT, "linear", "variable", "cyclic")
PERSONAL: Final = frozenset({"number", "name", "category", "grade"})
"""Values of a record that no file may hold which anybody can read, whatever its profile calls them."""

CAPACITIES: Final = tuple(kib * 1024 for kib in (8, 16, 32, 64, 80))
"""Bytes of user memory of the chips that makers offer."""

WHOLE: Final = 224
"""Most bytes that one command writes, so that it is all there or not at all; with padding, MAC and a loading channel
it still fits into a short command.
"""

_RECORD: Final = 255
_SIZES: Final = {
    "digits": (1, 32),
    "date": (4, 4),
    "number": (1, 8),
    "text": (1, 255),
    "name": (4, 255),
    "bytes": (3, 4096),
    "hex": (1, 255),
    "blank": (1, 0x7FFF),
}


class ProfileBroken(ValueError):
    """A profile that cannot be used: `code` says why, `where` names the file and the field."""

    def __init__(self, code: str, where: str) -> None:
        super().__init__(code, where)
        self.code, self.where = code, where

    def __str__(self) -> str:
        """Where, then the code."""
        return f"{self.where}: {self.code}"


class Field(NamedTuple):
    """One value in a file: `kind` is how it is spelled (see the profile's own comments), `size` is in bytes.

    `tag` of 1 to 255: the value lies in a record as a data object of this tag.
    """

    name: str
    kind: str
    size: int
    personal: bool
    source: str = ""
    fixed: bytes = b""
    cut: tuple[int, int] | None = None
    prefix: str = ""
    suffix: str = ""
    table: tuple[tuple[str, str | int], ...] = ()
    tag: int = 0
    clause: str = ""

    @property
    def asks(self) -> bool:
        """Whether the value comes from the record."""
        return self.kind != "blank" and not self.fixed

    @property
    def taken(self) -> int:
        """Bytes that it takes, with tag and length where it has them."""
        return self.size if not self.tag else self.size + (3 if self.size > 127 else 2)


class File(NamedTuple):
    """One elementary file. `read` and `update` are free, never, or the purpose of the key needed; with `cipher` an
    update comes enciphered. `size` is that of a transparent one or of each of its `most` records.

    `fields` lie in a transparent file, or in each record that comes later; `records` are those written at first.
    """

    fid: bytes
    title: str
    size: int
    read: str
    update: str
    fields: tuple[Field, ...]
    structure: str = TRANSPARENT
    most: int = 1
    records: tuple[tuple[Field, ...], ...] = ()
    cipher: bool = False
    title_zh: str = ""
    clause: str = ""

    @property
    def sfi(self) -> int:
        """Its short identifier, the five last bits of the long one; 0 where those make none (ISO/IEC 7816-4, 7.4.4)."""
        return self.fid[1] & 0x1F if self.fid[1] & 0x1F != 31 else 0

    @property
    def transparent(self) -> bool:
        """Whether it has no records."""
        return self.structure == TRANSPARENT

    @property
    def reserved(self) -> int:
        """Bytes that it takes of the chip's memory, full or not."""
        return self.size * self.most

    @property
    def blank(self) -> bool:
        """Whether nothing is written into it when the card is made."""
        return not self.records if not self.transparent else all(field.kind == "blank" for field in self.fields)

    @property
    def written(self) -> tuple[tuple[Field, ...], ...]:
        """What is written when the card is made: the one content, or the first records."""
        return (self.fields,) if self.transparent else self.records


class Key(NamedTuple):
    """One key slot of the application: number 1 to 31, purpose, version, and wrong tries before it blocks. `blocked`:
    it is loaded with none of them left.
    """

    slot: int
    purpose: str
    version: int
    tries: int
    blocked: bool = False


class Application(NamedTuple):
    """One application (应用). `label` is what any reader sees of it in the card's directory, if anything; `about` and
    `extension` are what its FCI says. One with `reserve` is another's: room is left for it, and nothing is written.
    """

    id: str
    title: str
    title_zh: str
    placeholder: bool
    aid: bytes
    fid: bytes
    label: str
    about: bytes
    extension: bytes
    reserve: int
    keys: tuple[Key, ...]
    files: tuple[File, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields that are written when the card is made, in the order in which they lie on the chip."""
        return tuple(field for file in self.files for part in file.written for field in part)

    @property
    def published(self) -> bool:
        """Whether a published standard says what its FCI tells, and how its lines are protected (`published_mac`)."""
        return bool(self.about or self.extension)

    @property
    def pins(self) -> tuple[Key, ...]:
        """The slots of PINs."""
        return tuple(key for key in self.keys if key.purpose == PIN)

    def slot(self, purpose: str) -> int:
        """The slot of the key with this purpose; raises KeyError if there is none."""
        return {key.purpose: key.slot for key in self.keys}[purpose]

    def file_of(self, name: str) -> File:
        """The file in which the value of this name lies; raises KeyError if there is none."""
        return {field.source: file for file in self.files for field in file.fields if field.asks}[name]

    def sfi_of(self, file: File) -> int:
        """The short identifier by which a file is reached without being selected; 0 where it has none of its own."""
        return file.sfi if [each.sfi for each in self.files].count(file.sfi) == 1 else 0

    def used(self, overhead: int) -> int:
        """Bytes of the chip's memory that it takes, with the system's overhead for itself, each file and key."""
        parts = len(self.files) + len(self.keys) + 1
        return self.reserve or sum(file.reserved for file in self.files) + len(self.about) + overhead * parts


class Table:
    """One TOML table: every value is asked for by name and type, and what nobody asked for is refused."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, Mapping):
            raise ProfileBroken("not-a-table", where)
        self._data = dict(data)
        self.where = where

    def text(self, name: str, pattern: str, *, default: str | None = None) -> str:
        """A text that matches; `default` where it may be left out."""
        value = self._take(name, default)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ProfileBroken("bad-text", f"{self.where}: {name}")
        return value

    def octets(self, name: str, least: int, most: int, *, default: str | None = None) -> bytes:
        """Bytes in hexadecimal digits."""
        return bytes.fromhex(self.text(name, rf"([0-9A-F]{{2}}){{{least},{most}}}", default=default))

    def number(self, name: str, low: int, high: int, *, default: int | None = None) -> int:
        """A whole number between two bounds."""
        value = self._take(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ProfileBroken("bad-number", f"{self.where}: {name}")
        return value

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        """True or false."""
        value = self._take(name, default)
        if not isinstance(value, bool):
            raise ProfileBroken("bad-flag", f"{self.where}: {name}")
        return value

    def numbers(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        value = self._take(name)
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            raise ProfileBroken("bad-list", f"{self.where}: {name}")
        return tuple(value)

    def names(self, name: str) -> tuple[str, ...]:
        """A list of names of files beside this one."""
        value = self._take(name)
        if not isinstance(value, list) or not 1 <= len(value) <= 8 or not all(
            isinstance(item, str) and re.fullmatch(r"[a-z0-9-]{1,64}", item) for item in value
        ):
            raise ProfileBroken("bad-list", f"{self.where}: {name}")
        return tuple(value)

    def table(self, name: str) -> "Table":
        """A table inside."""
        return Table(self._take(name), f"{self.where}: {name}")

    def tables(self, name: str, *, least: int = 1) -> Iterator["Table"]:
        """A list of tables inside; with `least` 0 it may be left out."""
        value = self._take(name, None if least else [])
        if not isinstance(value, list) or not least <= len(value) <= 64:
            raise ProfileBroken("bad-list", f"{self.where}: {name}")
        return (Table(item, f"{self.where}: {name}[{number}]") for number, item in enumerate(value, 1))

    def rows(self, name: str) -> dict[str, tuple[tuple[str, str | int], ...]]:
        """Tables of words by beginning, the longest beginnings first."""
        found: dict[str, tuple[tuple[str, str | int], ...]] = {}
        for title, rows in Table(self._take(name, {}), f"{self.where}: {name}")._data.items():
            where = f"{self.where}: {name}: {title}"
            if not isinstance(rows, Mapping) or not rows or not all(
                isinstance(key, str) and (type(value) is int or isinstance(value, str)) for key, value in rows.items()
            ):
                raise ProfileBroken("bad-list", where)
            found[str(title)] = tuple(sorted(rows.items(), key=lambda row: -len(row[0])))
        return found

    def has(self, name: str) -> bool:
        """Whether it is given and was not yet asked for."""
        return name in self._data

    def drop(self, *names: str) -> None:
        """Take these as asked for: another has read them."""
        for name in names:
            self._data.pop(name, None)

    def close(self) -> None:
        """Refuse what nobody asked for."""
        if self._data:
            raise ProfileBroken("unknown-name", f"{self.where}: {sorted(map(str, self._data))[0]}")

    def _take(self, name: str, default: object = None) -> object:
        if name not in self._data:
            if default is None:
                raise ProfileBroken("missing", f"{self.where}: {name}")
            return default
        return self._data.pop(name)


def read_application(table: Table) -> Application:
    """The application that a table describes: its names, keys and files; ProfileBroken."""
    own, rows = table.table("application"), table.rows("tables")
    reserve = own.number("reserve", 0, 0x10000, default=0)
    found = Application(
        id=table.text("id", r"[a-z0-9-]{1,64}"),
        title=table.text("title", r".{1,200}"),
        title_zh=table.text("title_zh", r".{0,200}"),
        placeholder=table.flag("placeholder"),
        aid=own.octets("aid", 5, 16),
        fid=own.octets("fid", 2, 2),
        label=own.text("label", r"[ -~]{0,16}", default=""),
        about=own.octets("about", 0, 64, default=""),
        extension=own.octets("extension", 0, 2, default=""),
        reserve=reserve,
        keys=() if reserve else tuple(_key(item) for item in table.tables("keys")),
        files=() if reserve else tuple(_file(item, rows) for item in table.tables("files")),
    )
    own.close()
    return found


def _key(table: Table) -> Key:
    """A key, or a PIN: of that it must be said how it is at first, and its version says whose it is (`secure.NOBODYS`).

    The only first state is `blocked`, until it is unblocked at a desk: a transport PIN that comes with the card would
    have to be printed, and stand in a letter.
    """
    purpose = table.text("purpose", "|".join((*PURPOSES, *DRAWN)))
    if purpose == PIN:
        table.text("initial", "blocked")
    key = Key(
        slot=table.number("slot", 1, 31),
        purpose=purpose,
        version=0 if purpose == PIN else table.number("version", 1, 255),
        tries=table.number("tries", 1, 15),
        blocked=purpose == PIN,
    )
    table.close()
    return key


def _file(table: Table, rows: Mapping[str, tuple[tuple[str, str | int], ...]]) -> File:
    provable = "|".join((FREE, NEVER, "control", "maintenance"))
    structure = table.text("structure", "|".join(STRUCTURES), default=TRANSPARENT)
    whole = structure == TRANSPARENT
    file = File(
        fid=table.octets("fid", 2, 2),
        title=table.text("title", r".{1,64}"),
        size=table.number("size", 1, 0x7FFF if whole else _RECORD),
        read=table.text("read", provable + f"|reader|{PIN}"),
        update=table.text("update", provable),
        fields=tuple(_field(item, rows) for item in table.tables("fields", least=1 if whole else 0)),
        structure=structure,
        most=1 if whole else table.number("most", 1, 255),
        records=() if whole else tuple(
            tuple(_field(item, rows) for item in record.tables("fields"))
            for record in table.tables("records", least=0)),
        cipher=table.flag("cipher", default=False),
        title_zh=table.text("title_zh", r".{0,64}"),
        clause=table.text("clause", r".{0,120}", default=""),
    )
    table.close()
    _check_file(file, table.where)
    return file


def _check_file(file: File, where: str) -> None:
    for part in (file.fields, *file.records):
        taken = sum(field.taken for field in part)
        if taken > file.size:
            raise ProfileBroken("fields-exceed-file", where)
        for field in part:
            if file.read == FREE and (field.personal or (field.asks and field.source in PERSONAL)):
                raise ProfileBroken("personal-data-free-to-read", f"{where}: {field.name}")
    if not file.transparent and (not file.sfi or len(file.records) > file.most or file.size > WHOLE):
        raise ProfileBroken("bad-records", where)


def _field(table: Table, rows: Mapping[str, tuple[tuple[str, str | int], ...]]) -> Field:
    name = table.text("name", r"[a-z][a-z0-9_]{0,31}")
    cut = table.numbers("cut") if table.has("cut") else None
    rule = table.text("table", r"[a-z0-9_]{1,32}") if table.has("table") else ""
    field = Field(
        name=name,
        kind=table.text("kind", "|".join(_SIZES)),
        size=table.number("size", 1, 0x7FFF),
        personal=table.flag("personal", default=False),
        source=table.text("source", r"[a-z][a-z0-9_]{0,31}", default=name),
        fixed=table.octets("fixed", 1, 255) if table.has("fixed") else b"",
        cut=(cut[0], cut[1]) if cut is not None and len(cut) == 2 and 0 <= cut[0] < cut[1] else None,
        prefix=table.text("prefix", r"[ -~]{0,32}", default=""),
        suffix=table.text("suffix", r"[ -~]{0,32}", default=""),
        table=rows.get(rule, ()),
        tag=table.number("tag", 0, 0xFF, default=0),
        clause=table.text("clause", r".{0,120}", default=""),
    )
    table.close()
    where = f"{table.where}: {field.name}"
    low, high = _SIZES[field.kind]
    if not low <= field.size <= high or (field.fixed and len(field.fixed) != field.size):
        raise ProfileBroken("bad-size", where)
    if (cut is not None and field.cut is None) or (rule and not field.table):
        raise ProfileBroken("bad-list", where)
    if (field.kind == "hex") != bool(field.fixed) or (field.tag and (field.tag & 31 == 31 or field.size > 255)):
        raise ProfileBroken("bad-value", where)
    return field
