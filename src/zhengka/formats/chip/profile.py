"""A card profile (卡片规格): the files, rights and key slots of one kind of chip, as data.

Regions differ by profile, never by code. `load` takes what TOML gives and returns a `Profile` in which everything has
been checked; an error names the file and the field, so that an official can mend it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

PURPOSES: Final = ("control", "maintenance", "reader", "internal")
"""What a key of the card is for: 主控, 应用维护, 外部认证, 内部认证."""

FREE: Final = "free"
NEVER: Final = "never"
SERIAL: Final = "serial"
_RESERVED = {"0000", "3F00", "3FFF", "FFFF"}  # ISO/IEC 7816-4, 7.3.1.2
_SIZES = {
    "digits": (1, 32),
    "date": (4, 4),
    "number": (1, 8),
    "text": (1, 255),
    "name": (4, 255),
    "bytes": (3, 4096),
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
    """One value in a file: `kind` is how it is spelled (see the profile's own comments), `size` is in bytes."""

    name: str
    kind: str
    size: int
    personal: bool


class File(NamedTuple):
    """One transparent elementary file. `read` and `update` are free, never, or the purpose of the key needed."""

    fid: bytes
    title: str
    size: int
    read: str
    update: str
    fields: tuple[Field, ...]

    @property
    def sfi(self) -> int:
        """Its short identifier, the five last bits of the long one; 0 where those make none (ISO/IEC 7816-4, 7.4.3)."""
        return self.fid[1] & 0x1F if self.fid[1] & 0x1F != 31 else 0


class Key(NamedTuple):
    """One key slot of the application: number 1 to 31, purpose, version, and wrong tries before it blocks."""

    slot: int
    purpose: str
    version: int
    tries: int


class Kind(NamedTuple):
    """One look of the card (卡种) and the categories of disability it is made for."""

    code: str
    title: str
    categories: tuple[int, ...]
    braille: bool


class Profile(NamedTuple):
    """A checked card profile. `canonical` is its one spelling as bytes, from which its digest is taken."""

    id: str
    version: int
    title: str
    placeholder: bool
    suite: str
    capacity: int
    overhead: int
    aid: bytes
    fid: bytes
    keys: tuple[Key, ...]
    files: tuple[File, ...]
    kinds: tuple[Kind, ...]
    canonical: bytes

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields, in the order in which they lie on the chip."""
        return tuple(field for file in self.files for field in file.fields)

    @property
    def used(self) -> int:
        """Bytes of the chip's memory that the application takes."""
        return sum(file.size for file in self.files) + self.overhead * (len(self.files) + len(self.keys) + 1)

    def slot(self, purpose: str) -> int:
        """The slot of the key with this purpose; raises KeyError if the profile has none."""
        return {key.purpose: key.slot for key in self.keys}[purpose]

    def kind_for(self, category: int) -> Kind:
        """The look of the card for a category of disability (1 to 7); raises KeyError if none is meant for it."""
        return {number: kind for kind in self.kinds for number in kind.categories}[category]


def load(data: Mapping[str, object], *, source: str) -> Profile:
    """Check a profile as read from TOML; `source` is the name of its file. Raises ProfileBroken."""
    table = _Table(data, source)
    if table.number("format", 1, 99) != 1:
        raise ProfileBroken("unknown-format", f"{source}: format")
    application = table.table("application")
    profile = Profile(
        id=table.text("id", r"[a-z0-9-]{1,64}"),
        version=table.number("version", 1, 0xFFFF),
        title=table.text("title", r".{1,200}"),
        placeholder=table.flag("placeholder"),
        suite=table.text("suite", r"SM|INTL"),
        capacity=table.number("capacity", 256, 1 << 20),
        overhead=table.number("overhead", 0, 256),
        aid=bytes.fromhex(application.text("aid", r"([0-9A-F]{2}){5,16}")),
        fid=bytes.fromhex(application.text("fid", r"[0-9A-F]{4}")),
        keys=tuple(_key(item) for item in table.tables("keys")),
        files=tuple(_file(item) for item in table.tables("files")),
        kinds=tuple(_kind(item) for item in table.tables("kinds")),
        canonical=json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode(),
    )
    table.text("title_zh", r".{0,200}")
    application.close()
    table.close()
    _check(profile, source)
    return profile


class _Table:
    """One TOML table: every value is asked for by name and type, and what nobody asked for is refused."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, Mapping):
            raise ProfileBroken("not-a-table", where)
        self._data = dict(data)
        self.where = where

    def text(self, name: str, pattern: str) -> str:
        value = self._take(name)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ProfileBroken("bad-text", f"{self.where}: {name}")
        return value

    def number(self, name: str, low: int, high: int) -> int:
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ProfileBroken("bad-number", f"{self.where}: {name}")
        return value

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        value = default if default is not None and name not in self._data else self._take(name)
        if not isinstance(value, bool):
            raise ProfileBroken("bad-flag", f"{self.where}: {name}")
        self._data.pop(name, None)
        return value

    def numbers(self, name: str) -> tuple[int, ...]:
        value = self._take(name)
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            raise ProfileBroken("bad-list", f"{self.where}: {name}")
        return tuple(value)

    def table(self, name: str) -> "_Table":
        return _Table(self._take(name), f"{self.where}: {name}")

    def tables(self, name: str) -> Iterator["_Table"]:
        value = self._take(name)
        if not isinstance(value, list) or not 1 <= len(value) <= 64:
            raise ProfileBroken("bad-list", f"{self.where}: {name}")
        return (_Table(item, f"{self.where}: {name}[{number}]") for number, item in enumerate(value, 1))

    def close(self) -> None:
        if self._data:
            raise ProfileBroken("unknown-name", f"{self.where}: {sorted(map(str, self._data))[0]}")

    def _take(self, name: str) -> object:
        if name not in self._data:
            raise ProfileBroken("missing", f"{self.where}: {name}")
        return self._data.pop(name)


def _key(table: _Table) -> Key:
    key = Key(
        slot=table.number("slot", 1, 31),
        purpose=table.text("purpose", "|".join(PURPOSES)),
        version=table.number("version", 1, 255),
        tries=table.number("tries", 1, 15),
    )
    table.close()
    return key


def _file(table: _Table) -> File:
    provable = "|".join((FREE, NEVER, "control", "maintenance"))
    file = File(
        fid=bytes.fromhex(table.text("fid", r"[0-9A-F]{4}")),
        title=table.text("title", r".{1,64}"),
        size=table.number("size", 1, 0x7FFF),
        read=table.text("read", provable + "|reader"),
        update=table.text("update", provable),
        fields=tuple(_field(item) for item in table.tables("fields")),
    )
    table.text("title_zh", r".{0,64}")
    table.close()
    if sum(field.size for field in file.fields) > file.size:
        raise ProfileBroken("fields-exceed-file", table.where)
    for field in file.fields:
        if field.personal and file.read == FREE:
            raise ProfileBroken("personal-data-free-to-read", f"{table.where}: {field.name}")
    return file


def _field(table: _Table) -> Field:
    field = Field(
        name=table.text("name", r"[a-z][a-z0-9_]{0,31}"),
        kind=table.text("kind", "|".join(_SIZES)),
        size=table.number("size", 1, 4096),
        personal=table.flag("personal", default=False),
    )
    table.close()
    low, high = _SIZES[field.kind]
    if not low <= field.size <= high:
        raise ProfileBroken("bad-size", f"{table.where}: {field.name}")
    return field


def _kind(table: _Table) -> Kind:
    kind = Kind(
        code=table.text("code", r"[a-z0-9-]{1,32}"),
        title=table.text("title", r".{1,64}"),
        categories=table.numbers("categories"),
        braille=table.flag("braille"),
    )
    table.text("title_zh", r".{0,64}")
    table.close()
    return kind


def _check(profile: Profile, source: str) -> None:
    """What no single table can say: things that must be unique, present, or fit together."""
    _unique([str(key.slot) for key in profile.keys], f"{source}: keys: slot")
    _unique([key.purpose for key in profile.keys], f"{source}: keys: purpose")
    _unique(
        [file.fid.hex().upper() for file in profile.files] + [profile.fid.hex().upper()],
        f"{source}: files: fid",
    )
    _unique([field.name for field in profile.fields], f"{source}: files: fields: name")
    _unique([str(number) for kind in profile.kinds for number in kind.categories], f"{source}: kinds: categories")
    purposes = {key.purpose for key in profile.keys}
    for file in profile.files:
        if file.fid.hex().upper() in _RESERVED:
            raise ProfileBroken("reserved-fid", f"{source}: files: {file.title}")
        if missing := {file.read, file.update} - purposes - {FREE, NEVER}:
            raise ProfileBroken("no-such-key", f"{source}: files: {file.title}: {missing.pop()}")
    if not any(
        field[:3] == (SERIAL, "digits", 8) for file in profile.files if file.read == FREE for field in file.fields
    ):
        raise ProfileBroken("no-free-serial", f"{source}: files")
    if "internal" not in purposes:
        raise ProfileBroken("no-internal-key", f"{source}: keys")
    if profile.used > profile.capacity:
        raise ProfileBroken("too-big-for-the-chip", f"{source}: capacity")


def _unique(values: list[str], where: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ProfileBroken("given-twice", f"{where} {value}")
