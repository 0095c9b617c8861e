"""A package cut into parts (分卷), so that its transfer goes on where it stopped: a signed list of their digests.

    {"format": "zhengka-parts/1", "batch": …, "package": digest, "file": name, "size": bytes, "part": bytes,
     "parts": [digest, …], "signer": …, "suite": …}

Part n holds the bytes from (n - 1) × `part` on; all but the last are equally long. The list is a signed statement, so
that a broken part is known, and named, before anything of the package is looked at.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from zhengka.formats import statement
from zhengka.formats.durable import settle
from zhengka.formats.statement import StatementBroken
from zhengka.formats.suites import SUITES, PublicKey, SigningKey

FORMAT: Final = "zhengka-parts/1"
LEAST, MOST = 1 << 16, 64 << 20
"""Fewest and most bytes in a part, so that a part always fits in memory."""
MOST_PARTS: Final = 100_000

_FILE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")


class PartBroken(ValueError):
    """Bytes that are not the part that they are said to be; `name` is that part's."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        """Which part it is."""
        return f"{self.name} is broken"


class PartList(NamedTuple):
    """How a file is cut: `package` is the digest of the package's manifest, `digests` are those of the parts."""

    batch: str
    package: bytes
    file: str
    size: int
    part: int
    digests: tuple[bytes, ...]
    suite: str

    def name(self, number: int) -> str:
        """The name of part `number`, from 1."""
        return f"{self.file}.{number:04d}"

    def span(self, number: int) -> tuple[int, int]:
        """Where part `number` begins in the file, and how many bytes it has; ValueError where there is none."""
        if not 1 <= number <= len(self.digests):
            raise ValueError("there is no such part")
        start = (number - 1) * self.part
        return start, min(self.part, self.size - start)

    def check(self, number: int, data: bytes) -> None:
        """That these bytes are part `number`; PartBroken."""
        if len(data) != self.span(number)[1] or SUITES[self.suite].digest(data) != self.digests[number - 1]:
            raise PartBroken(self.name(number))


def cut(path: Path, part: int, *, batch: str, package: bytes, suite: str, name: str = "") -> PartList:
    """The list of the parts of a file, which is read once, a part at a time. ValueError for a size out of range."""
    size = path.stat().st_size
    if not LEAST <= part <= MOST or not 0 < size <= part * MOST_PARTS:
        raise ValueError(f"a part has {LEAST} to {MOST} bytes, and a file at most {MOST_PARTS} parts")
    digest = SUITES[suite].digest
    with path.open("rb") as file:
        digests = tuple(digest(data) for data in iter(lambda: file.read(part), b""))
    return PartList(batch, package, name or path.name, size, part, digests, suite)


def piece(path: Path, plan: PartList, number: int) -> bytes:
    """The bytes of part `number` of the file; PartBroken where the file is not what was cut."""
    start, size = plan.span(number)
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(size)
    plan.check(number, data)
    return data


def sign(plan: PartList, key: SigningKey) -> bytes:
    """The list as a signed statement."""
    return statement.sign({
        "format": FORMAT, "batch": plan.batch, "package": plan.package.hex(), "file": plan.file, "size": plan.size,
        "part": plan.part, "parts": [digest.hex() for digest in plan.digests]}, key)


def read(text: bytes, signer: PublicKey) -> PartList:
    """A list of parts, once it is known to be the signer's. StatementBroken."""
    return _plan(statement.read(text, signer, FORMAT))


def unchecked(text: bytes) -> PartList:
    """A list of parts as it lies in the house that signed it: its signature is not looked at. StatementBroken."""
    return _plan(statement.said(text, FORMAT))


def _plan(said: dict[str, Any]) -> PartList:
    size, part = statement.field(said, "size", int), statement.field(said, "part", int)
    digests = tuple(statement.as_digest(one, "parts") for one in statement.field(said, "parts", list))
    found = PartList(statement.field(said, "batch", str), statement.digest_of(said, "package"),
                     statement.field(said, "file", str), size, part, digests, statement.field(said, "suite", str))
    if not _FILE.fullmatch(found.file):
        raise StatementBroken("bad-field", "file")
    if found.suite not in SUITES:
        raise StatementBroken("bad-field", "suite")
    if not LEAST <= part <= MOST or size <= 0 or len(digests) != -(-size // part) or len(digests) > MOST_PARTS:
        raise StatementBroken("bad-field", "parts")
    return found


class Assembly:
    """A file that is put together part by part, in any order; what is there is known by its digest, so that a stopped
    run, or another program, goes on with what is missing.
    """

    def __init__(self, plan: PartList, path: Path) -> None:
        """`path`: where the whole file is to lie; until then it has another name beside it."""
        self._plan, self._path = plan, path
        self._open = path.with_name(f".{path.name}.parts")

    def missing(self) -> Iterator[int]:
        """The numbers of the parts that are not there, or not right; each part is read."""
        self._open.touch(mode=0o600)
        with self._open.open("rb") as file:
            for number in range(1, len(self._plan.digests) + 1):
                start, size = self._plan.span(number)
                file.seek(start)
                try:
                    self._plan.check(number, file.read(size))
                except PartBroken:
                    yield number

    def put(self, number: int, data: bytes) -> None:
        """Keep part `number`; PartBroken where these bytes are another one's."""
        self._plan.check(number, data)
        self._open.touch(mode=0o600)
        with self._open.open("r+b") as file:
            file.seek(self._plan.span(number)[0])
            file.write(data)

    def finish(self) -> None:
        """Give the whole file its name, durably. PartBroken names the first part that is not there."""
        for number in self.missing():
            raise PartBroken(self._plan.name(number))
        os.truncate(self._open, self._plan.size)
        settle(self._open, self._path)
