"""A card profile (卡片规格): which applications a chip holds, with whose files, rights and key slots, as data.

Regions differ by profile, never by code. `load` takes what TOML gives and returns a `Profile` in which everything has
been checked; an error names the file and the field, so that an official can mend it. Either the profile describes its
one application itself, or `applications` names the files that do, the card's own first.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from zhengka.formats.chip.layout import (
    CAPACITIES,
    DRAWN,
    FREE,
    NEVER,
    PIN,
    PIN_UNLOCK,
    PURPOSES,
    STRUCTURES,
    TRANSPARENT,
    WHOLE,
    Application,
    Field,
    File,
    Key,
    ProfileBroken,
    Table,
    read_application,
)

__all__ = [
    "FREE",
    "NEVER",
    "PURPOSES",
    "SERIAL",
    "STRUCTURES",
    "TRANSPARENT",
    "WHOLE",
    "Application",
    "Field",
    "File",
    "Key",
    "Kind",
    "Profile",
    "ProfileBroken",
    "load",
    "load_file",
    "load_whole",
]

SERIAL: Final = "serial"
MOST_VERSION: Final = 0xFF
"""The highest version that a key on a chip can have: it is told in one byte."""
NONE: Final[Mapping[str, Mapping[str, object]]] = {}
_RESERVED = {"0000", "3F00", "3FFF", "FFFF"}  # ISO/IEC 7816-4, 7.3


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
    applications: tuple[Application, ...]
    kinds: tuple[Kind, ...]
    canonical: bytes

    @property
    def main(self) -> Application:
        """The card's own application: the one by which gates know it."""
        return self.applications[0]

    @property
    def ours(self) -> tuple[Application, ...]:
        """The applications that are written when the card is made: all but those for which only room is left."""
        return tuple(each for each in self.applications if not each.reserve)

    @property
    def listed(self) -> tuple[Application, ...]:
        """The applications that the card's directory tells to every reader."""
        return tuple(each for each in self.ours if each.label)

    @property
    def aid(self) -> bytes:
        """The name of the card's own application."""
        return self.main.aid

    @property
    def fid(self) -> bytes:
        """The file identifier of the card's own application."""
        return self.main.fid

    @property
    def keys(self) -> tuple[Key, ...]:
        """The key slots of the card's own application; the keys of the others are drawn from these."""
        return self.main.keys

    @property
    def files(self) -> tuple[File, ...]:
        """The files of the card's own application."""
        return self.main.files

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the card's own application, in the order in which they lie on the chip."""
        return self.main.fields

    @property
    def used(self) -> int:
        """Bytes of the chip's memory that everything takes, the directory among it."""
        return sum(each.used(self.overhead) for each in self.applications) + self.directory

    @property
    def directory(self) -> int:
        """Bytes that the directories take: two applications, and a file of ten records (`chip.directory`)."""
        about = sum(len(each.aid) + len(each.label) + 9 for each in self.listed)
        return 3 * self.overhead + 640 + about + 24 if self.listed else 0

    def slot(self, purpose: str) -> int:
        """The slot of the card's own key with this purpose; raises KeyError if the profile has none."""
        return self.main.slot(purpose)

    def named(self, name: str) -> Application:
        """The application of this id; raises KeyError if the card has none."""
        return {each.id: each for each in self.applications}[name]

    def with_versions(self, numbers: Mapping[str, int]) -> "Profile":
        """The same profile for cards whose keys are of these versions (密钥版本), by purpose, in every application;
        those that are not given stay as the file has them. 0 stands for whichever a card has. ValueError beyond a byte.
        """
        if any(not 0 <= number <= MOST_VERSION for number in numbers.values()):
            raise ValueError("the version of a key on a chip is one byte")
        return self._replace(applications=tuple(each._replace(keys=tuple(
            key._replace(version=numbers.get(DRAWN.get(key.purpose, key.purpose), key.version))
            for key in each.keys)) for each in self.applications))

    def kind_for(self, category: int) -> Kind:
        """The look of the card for a category of disability (1 to 7); raises KeyError if none is meant for it."""
        return {number: kind for kind in self.kinds for number in kind.categories}[category]


def load_file(path: Path) -> Profile:
    """The profile in a TOML file; the applications that it names lie beside it or in `applications` under it.

    Raises ProfileBroken, and OSError or ValueError for a file that cannot be read or is not TOML.
    """
    data = tomllib.loads(path.read_text())
    others = {}
    names = data.get("applications", [])
    for name in names if isinstance(names, list) else []:
        for place in (path.parent / "applications" / f"{name}.toml", path.parent / f"{name}.toml"):
            if place.is_file() and place.name == f"{name}.toml":
                others[str(name)] = tomllib.loads(place.read_text())
                break
    return load(data, source=path.name, others=others)


def load(data: Mapping[str, object], *, source: str, others: Mapping[str, Mapping[str, object]] = NONE) -> Profile:
    """Check a profile as read from TOML; `source` is the name of its file, `others` the applications that it names.

    Raises ProfileBroken.
    """
    table = Table(data, source)
    if table.number("format", 1, 99) != 1:
        raise ProfileBroken("unknown-format", f"{source}: format")
    if table.has("applications"):
        names = table.names("applications")
        applications = tuple(_other(name, others, source) for name in names)
        table.text("title_zh", r".{0,200}")
    else:
        names, applications = (), (read_application(Table(data, source)),)
        table.drop("application", "keys", "files", "tables", "title_zh")
    profile = Profile(
        id=table.text("id", r"[a-z0-9-]{1,64}"),
        version=table.number("version", 1, 0xFFFF),
        title=table.text("title", r".{1,200}"),
        placeholder=table.flag("placeholder"),
        suite=table.text("suite", r"SM|INTL"),
        capacity=table.number("capacity", 256, 1 << 20),
        overhead=table.number("overhead", 0, 256),
        applications=applications,
        kinds=tuple(_kind(item) for item in table.tables("kinds")),
        canonical=_canonical([data, *[others[name] for name in names]] if names else data),
    )
    table.close()
    _check(profile, source)
    return profile


def load_whole(data: Any) -> Profile:
    """A profile as its canonical spelling tells it, read by JSON: one file, or a list of it and the files it names.

    Raises ProfileBroken.
    """
    files = data if isinstance(data, list) else [data]
    if not files or not all(isinstance(each, dict) for each in files):
        raise ProfileBroken("not-a-table", "profile")
    names = files[0].get("applications", [])
    others = dict(zip(map(str, names), files[1:], strict=False)) if isinstance(names, list) else {}
    return load(files[0], source=str(files[0].get("id", "profile"))[:64], others=others)


def _other(name: str, others: Mapping[str, Mapping[str, object]], source: str) -> Application:
    """An application of another file: one of its own, or the one that another profile describes."""
    if name not in others:
        raise ProfileBroken("no-such-application", f"{source}: applications: {name}")
    table = Table(others[name], f"{name}.toml")
    if table.number("format", 1, 99) != 1:
        raise ProfileBroken("unknown-format", f"{name}.toml: format")
    found = read_application(table)
    table.number("version", 1, 0xFFFF)
    if not table.has("kinds"):
        table.close()
    return found


def _canonical(data: object) -> bytes:
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _kind(table: Table) -> Kind:
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
    for each in profile.applications:
        _check_application(each, source)
    _unique([each.id for each in profile.applications], f"{source}: applications: id")
    _unique([each.aid.hex().upper() for each in profile.applications], f"{source}: applications: aid")
    _unique([each.fid.hex().upper() for each in profile.applications] + ["DF11", "DF12"] * bool(profile.listed),
            f"{source}: applications: fid")
    _unique([str(number) for kind in profile.kinds for number in kind.categories], f"{source}: kinds: categories")
    if not any(
        field[:3] == (SERIAL, "digits", 8) for file in profile.files if file.read == FREE for field in file.fields
    ):
        raise ProfileBroken("no-free-serial", f"{source}: files")
    purposes = {key.purpose for key in profile.keys}
    for each in profile.ours:
        named = {key.purpose for key in each.keys}
        if "internal" not in named:
            raise ProfileBroken("no-internal-key", f"{source}: keys")
        if strange := {DRAWN.get(purpose, purpose) for purpose in named} - purposes - {PIN_UNLOCK}:
            raise ProfileBroken("no-such-key", f"{source}: applications: {each.id}: {strange.pop()}")
    if profile.used > profile.capacity:
        raise ProfileBroken("too-big-for-the-chip", f"{source}: capacity")
    if profile.capacity not in CAPACITIES:
        raise ProfileBroken("no-such-chip", f"{source}: capacity")


def _check_application(each: Application, source: str) -> None:
    _unique([str(key.slot) for key in each.keys], f"{source}: keys: slot")
    _unique([key.purpose for key in each.keys], f"{source}: keys: purpose")
    _unique([file.fid.hex().upper() for file in each.files] + [each.fid.hex().upper()], f"{source}: files: fid")
    _unique([field.name for field in each.fields], f"{source}: files: fields: name")
    purposes = {key.purpose for key in each.keys}
    if (PIN in purposes) != (PIN_UNLOCK in purposes):
        raise ProfileBroken("pin-needs-unlock-key", f"{source}: keys: {each.id}")
    for file in each.files:
        if file.fid.hex().upper() in _RESERVED:
            raise ProfileBroken("reserved-fid", f"{source}: files: {file.title}")
        if missing := {file.read, file.update} - purposes - {FREE, NEVER}:
            raise ProfileBroken("no-such-key", f"{source}: files: {file.title}: {missing.pop()}")
        if file.update not in (FREE, NEVER) and not each.sfi_of(file):
            # the MAC of a write covers the file by this name alone: a SELECT says what the PC wants
            raise ProfileBroken("no-short-identifier", f"{source}: files: {file.title}")
    _unique([str(file.sfi) for file in each.files if not file.transparent], f"{source}: files: sfi")
    if each.extension and each.extension not in {file.fid for file in each.files if file.read == FREE}:
        raise ProfileBroken("no-such-file", f"{source}: application: extension")


def _unique(values: list[str], where: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ProfileBroken("given-twice", f"{where} {value}")
