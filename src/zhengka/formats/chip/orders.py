"""What is to become of a card that was issued (发卡后更新): an order, and the receipt by which it says so when done.

    activate   年度激活  the new end of the activation term, in every file that holds it
    block      挂失     every application of ours is blocked; unblock (解挂) undoes it
    update     数据更新  every file and record that may be written and whose data the platform holds
    upgrade    规格升级  new keys and new files of a later version of the card's profile
    pin        口令解锁  each PIN has all its tries, and a one-time value by which its holder chooses another

An order is data: it holds no key and no MAC. It is carried out by `applying.apply`, whose every write is protected
over a challenge that the card has just given, so nothing that was sent once can be sent again. Each step is one command
and one step may be repeated; a file's content or a record is written whole by one command, or `OrderBroken` says that
it cannot be. A card that was pulled away in between holds of each the old or the new, has given no receipt, and the
order is carried out once more.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from zhengka.formats.chip import secure, spelling
from zhengka.formats.chip.layout import NEVER, WHOLE, Application, File, Key
from zhengka.formats.chip.profile import SERIAL, Profile
from zhengka.formats.chip.script import create_file
from zhengka.formats.chip.spelling import Record

Kind = Literal["activate", "block", "unblock", "update", "upgrade", "pin"]
KINDS: Final = ("activate", "block", "unblock", "update", "upgrade", "pin")
TERM: Final = "activation_until"


class OrderBroken(ValueError):
    """There is no such order for these cards: `code` says why, `where` names application and file."""

    def __init__(self, code: str, where: str) -> None:
        super().__init__(code, where)
        self.code, self.where = code, where

    def __str__(self) -> str:
        """Where, then the code."""
        return f"{self.where}: {self.code}"


class Write(NamedTuple):
    """Another content of a transparent file, from its beginning, or of its record `record` from 1."""

    file: File
    record: int
    data: bytes


class Lock(NamedTuple):
    """The application is blocked, or no longer."""

    locked: bool


class Make(NamedTuple):
    """One more file, where the card does not have it yet."""

    file: File
    command: bytes


class Load(NamedTuple):
    """Another version of a key, where the card does not have it yet."""

    key: Key


class Reset(NamedTuple):
    """A PIN gets all its tries, and the one-time value of this order, which who has the key draws: it is not here."""

    key: Key


Step = Write | Lock | Make | Load | Reset


class Part(NamedTuple):
    """What is done in one application, and how it must be then: blocked or not, and which keys it must have (none
    given: whichever it had), and of which versions its PINs must be, where that is given.
    """

    application: Application
    steps: tuple[Step, ...]
    locked: bool = False
    versions: tuple[tuple[int, int], ...] = ()
    pins: tuple[tuple[int, int], ...] = ()

    @property
    def after(self) -> tuple[tuple[bytes, int, bytes], ...]:
        """What must lie where: identifier of the file, number of the record or 0, content."""
        return tuple((step.file.fid, step.record, step.data if step.record else step.data.ljust(step.file.size, b"\0"))
                     for step in self.steps if isinstance(step, Write))


class Order(NamedTuple):
    """An order for one card: `number` is never given twice, for the receipt answers it."""

    kind: Kind
    number: int
    serial: str
    parts: tuple[Part, ...]

    @property
    def nonce(self) -> bytes:
        """What the receipt answers: the order's number as 8 bytes."""
        return self.number.to_bytes(8)


def activate(profile: Profile, number: int, record: Record, until: date) -> Order:
    """The activation term ends on another day. `record` gives the other values of the same files."""
    told = {**record, TERM: until}
    parts = [_written(each, [file for file in each.files if _holds(file, TERM)], told) for each in profile.ours]
    return _order("activate", number, record, parts)


def block(profile: Profile, number: int, serial: str, *, locked: bool = True) -> Order:
    """Every application of ours is blocked, the card's own first; or all are unblocked, the card's own last."""
    parts = [Part(each, (Lock(locked),), locked) for each in profile.ours]
    return Order("block" if locked else "unblock", number, serial, tuple(parts if locked else reversed(parts)))


def update(profile: Profile, number: int, record: Record) -> Order:
    """Every file and record that may still be written gets what the record says now."""
    parts = [_written(each, [file for file in each.files if _asks(file)], record) for each in profile.ours]
    return _order("update", number, record, parts)


def pin(profile: Profile, number: int, serial: str) -> Order:
    """Every PIN of every application can be used again, by a one-time value first. OrderBroken where there is none."""
    parts = [Part(each, tuple(Reset(key) for key in each.pins),
                  pins=tuple((key.slot, secure.once(number)) for key in each.pins)) for each in profile.ours]
    return _order("pin", number, {SERIAL: serial}, parts)


def upgrade(old: Profile, new: Profile, number: int, record: Record) -> Order:
    """From one version of a profile to the next: new files with their data, then new versions of keys. OrderBroken for
    what a finished card cannot take: other applications or slots, a file that is gone, or one with another size or
    other rights.
    """
    if [(each.aid, each.reserve) for each in old.applications] != [
        (each.aid, each.reserve) for each in new.applications
    ] or old.suite != new.suite:
        raise OrderBroken("other-applications", new.id)
    parts = [_upgraded(*pair, record) for pair in zip(old.ours, new.ours, strict=True)]
    return _order("upgrade", number, record, parts)


def _order(kind: Kind, number: int, record: Record, parts: Sequence[Part]) -> Order:
    found = tuple(part for part in parts if part.steps)
    if not found:
        raise OrderBroken("nothing-to-do", kind)
    return Order(kind, number, str(record[SERIAL]), found)


def _holds(file: File, name: str) -> bool:
    return file.update != NEVER and file.transparent and any(field.source == name for field in file.fields)


def _asks(file: File) -> bool:
    """Whether a file may be written, and something in it comes from the record."""
    return file.update != NEVER and any(field.asks for part in file.written for field in part)


def _written(application: Application, files: Sequence[File], record: Record) -> Part:
    return Part(application, tuple(step for file in files for step in _writes(application, file, record)))


def _writes(application: Application, file: File, record: Record) -> Iterator[Write]:
    size = sum(field.taken for field in file.fields)
    if file.transparent and size > WHOLE:
        raise OrderBroken("too-big-to-be-whole", f"{application.id}: {file.title}")
    if file.transparent:
        yield Write(file, 0, spelling.content(file, record)[:size])
    for number, fields in enumerate(file.records, 1):
        if any(field.asks for field in fields):
            yield Write(file, number, spelling.record(file, fields, record))


def _upgraded(old: Application, new: Application, record: Record) -> Part:
    held, slots = {file.fid: file for file in old.files}, {key.slot: key for key in old.keys}
    for file in old.files:
        if not any(_same_shape(file, other) for other in new.files):
            raise OrderBroken("file-cannot-change", f"{new.id}: {file.title}")
    if [(key.slot, key.purpose) for key in old.keys] != [(key.slot, key.purpose) for key in new.keys]:
        raise OrderBroken("slots-cannot-change", new.id)
    made = [file for file in new.files if file.fid not in held]
    if any(not file.transparent or not _asks(file) for file in made):
        raise OrderBroken("file-cannot-come-later", new.id)
    written = _written(new, made, record)
    later = [key for key in new.keys if key.version != slots[key.slot].version]
    if any(key.version < slots[key.slot].version for key in later):
        raise OrderBroken("older-key", new.id)
    steps = [
        *[Make(file, create_file(new, file)) for file in made],
        *written.steps,
        *[Load(key) for key in later],
    ]
    return Part(new, tuple(steps), versions=versions(new))


def _same_shape(file: File, other: File) -> bool:
    return (file.fid, file.structure, file.size, file.most, file.read, file.update, file.cipher) == (
        other.fid, other.structure, other.size, other.most, other.read, other.update, other.cipher)


def versions(application: Application) -> tuple[tuple[int, int], ...]:
    """The keys that an application of this profile has, as its receipt tells them: slot and version; no PIN, for its
    version is its holder's doing.
    """
    return tuple(sorted((key.slot, key.version) for key in application.keys if key not in application.pins))
