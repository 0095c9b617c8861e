"""What a chip keeps when the power is off (芯片的记忆): applications, files, keys and counters, each of them a value.

A command never changes a value: it makes a new one, and the card takes the whole of it in one step. So whenever the
power goes, the old is there or the new, and never a mixture. Nothing here checks a right: that is the commands' work.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from zhengka.formats.chip.profile import Key
from zhengka.formats.chip.scp03 import KeySet

FREE: Final = 0x00
NEVER: Final = 0xFF
CIPHERED: Final = 0x20
"""Bit of a right to update: the data must come enciphered too (密文+MAC), not only with a MAC (明文+MAC)."""

TRANSPARENT: Final = 0x01
LINEAR_FIXED: Final = 0x02
LINEAR_VARIABLE: Final = 0x04
CYCLIC: Final = 0x06
"""File descriptor bytes of the four structures (ISO/IEC 7816-4, 7.4.5)."""

OVERHEAD: Final = 32
"""Bytes that the chip's system takes for each application, file and key."""

KEK_TRIES: Final = 3
CHANNEL_TRIES: Final = 10

State = Literal["blank", "personalising", "operational", "blocked", "terminated"]


class NoRoom(ValueError):
    """The chip's memory, a file or a record is too small for what is to be put there."""


@dataclass(frozen=True, slots=True)
class File:
    """One elementary file (基本文件). A transparent one has `content`, the others `records`, the first is number 1.

    `size` is the bytes of the content or the most of one record, `most` the number of records. `read` and `update` are
    FREE, NEVER or the slot of the key that is needed. `sfi` is 1 to 30, or 0 for a file that has none.
    """

    fid: bytes
    structure: int
    size: int
    most: int
    sfi: int
    read: int
    update: int
    content: bytes = b""
    records: tuple[bytes, ...] = ()

    @property
    def reserved(self) -> int:
        """Bytes that the file takes of the chip's memory, full or not."""
        return self.size * self.most

    def written(self, offset: int, data: bytes) -> "File":
        """The file with `data` at `offset` of its content; NoRoom when that is past its end."""
        if offset + len(data) > self.size:
            raise NoRoom
        content = self.content[:offset] + data + self.content[offset + len(data) :]
        return File(self.fid, self.structure, self.size, self.most, self.sfi, self.read, self.update, content)

    def with_record(self, number: int, data: bytes) -> "File":
        """The file with another record in the place of record `number`, which is there; NoRoom when it does not fit."""
        place = number - 1
        return replace(self, records=(*self.records[:place], self._fitting(data), *self.records[place + 1 :]))

    def appended(self, data: bytes) -> "File":
        """The file with one more record: the last of a linear one, the first of a cyclic one, whose oldest may go."""
        if self.structure == CYCLIC:
            return replace(self, records=(self._fitting(data), *self.records[: self.most - 1]))
        if len(self.records) == self.most:
            raise NoRoom
        return replace(self, records=(*self.records, self._fitting(data)))

    def _fitting(self, data: bytes) -> bytes:
        if len(data) > self.size or (self.structure != LINEAR_VARIABLE and len(data) != self.size):
            raise NoRoom
        return data


@dataclass(frozen=True, slots=True)
class Secret:
    """A key or a PIN in its slot; `left` counts the wrong tries that are left."""

    entry: Key
    key: bytes = field(repr=False)
    left: int


@dataclass(frozen=True, slots=True)
class Application:
    """One application (应用): `about` is the proprietary part of its FCI, `extension` a file that the FCI repeats."""

    name: bytes
    fid: bytes
    about: bytes = b""
    extension: bytes = b""
    locked: bool = False
    files: Mapping[bytes, File] = field(default_factory=dict)
    keys: Mapping[int, Secret] = field(default_factory=dict)

    @property
    def published(self) -> bool:
        """Whether it has words of a standard in its FCI, and so that standard's line protection."""
        return bool(self.about or self.extension)

    def with_file(self, file: File) -> "Application":
        """The application with this file, new or in the place of the one with the same identifier."""
        files = {**self.files, file.fid: file}
        return Application(self.name, self.fid, self.about, self.extension, self.locked, files, self.keys)

    def with_key(self, secret: Secret) -> "Application":
        """The application with this key in its slot."""
        keys = {**self.keys, secret.entry.slot: secret}
        return Application(self.name, self.fid, self.about, self.extension, self.locked, self.files, keys)

    def by_sfi(self, sfi: int) -> File | None:
        """The file with this short identifier."""
        return next((file for file in self.files.values() if file.sfi == sfi), None)


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything that one chip keeps: `kek` is the transport key, `channel` the keys of the loading channel if any."""

    uid: bytes
    suite: str
    free: int
    kek: bytes = field(repr=False)
    state: State = "blank"
    kek_left: int = KEK_TRIES
    channel: KeySet | None = None
    channel_left: int = CHANNEL_TRIES
    applications: Mapping[bytes, Application] = field(default_factory=dict)

    def with_application(self, application: Application) -> "Memory":
        """The chip with this application, new or in the place of the one with the same name."""
        return self._with(self.free, {**self.applications, application.name: application})

    def taken(self, size: int) -> "Memory":
        """The chip with so many bytes and the system's overhead less; NoRoom when it has not so many."""
        if self.free < size + OVERHEAD:
            raise NoRoom
        return self._with(self.free - size - OVERHEAD, self.applications)

    def _with(self, free: int, applications: Mapping[bytes, Application]) -> "Memory":
        """Spelled out, as in the values above: `replace` would take longer than all else that a command does."""
        return Memory(self.uid, self.suite, free, self.kek, self.state, self.kek_left, self.channel,
                      self.channel_left, applications)
