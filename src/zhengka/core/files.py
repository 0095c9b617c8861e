"""The file store (文件库): bytes under their own digest, so that the same file is kept once and never changes."""

import fcntl
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from zhengka.core import fields
from zhengka.formats import seal

SCRATCH = "scratch-"


def place(digest: str) -> Path:
    """Where the file with this digest (hexadecimal digits) lies."""
    return Path(settings.FILES, digest[:2], digest[2:4], digest)


def put(data: bytes) -> str:
    """Keep `data`, durable before this returns; the answer is its digest."""
    return _put(hashlib.sha256(data).hexdigest(), lambda: data)


def put_sealed(data: bytes, context: str) -> str:
    """Keep `data` sealed, under a keyed digest of what it was: the same is kept once, and its name tells nothing."""
    name = fields.index(f"{context} {hashlib.sha256(data).hexdigest()}").hex()
    return _put(name, lambda: seal.seal_file(fields.key_ring(), data, context=context.encode()))


def get_sealed(name: str, context: str) -> bytes:
    """The bytes that `put_sealed` kept; `FileNotFoundError`, or `SealBroken` where one of them was changed."""
    return seal.open_file(fields.key_ring(), get(name), context=context.encode())


def _put(digest: str, made: Callable[[], bytes]) -> str:
    path = place(digest)
    if path.exists():
        return digest
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(made())
        file.flush()
        os.fsync(file.fileno())
    Path(name).rename(path)
    return digest


def get(digest: str) -> bytes:
    """The bytes of a kept file; `FileNotFoundError` where there are none."""
    return place(digest).read_bytes()


def put_stream(write: Callable[[BinaryIO], object]) -> str:
    """Keep what `write` writes into the file it is given, however long; durable before this returns."""
    folder = Path(settings.FILES)
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "w+b") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        path = place(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        Path(name).rename(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return digest


def put_sealed_stream(source: BinaryIO, context: str) -> str:
    """Keep all that `source` gives from its beginning, sealed a frame at a time; the answer is its name."""
    source.seek(0)
    return put_stream(lambda target: seal.seal_stream(fields.key_ring(), source, target, context=context.encode()))


def open_sealed(name: str, context: str) -> BinaryIO:
    """What `put_sealed_stream` kept, as a file to read and to seek in; `FileNotFoundError`. Reading raises `SealBroken`
    where it was changed. Nothing is in clear but the frame at hand, in memory.
    """
    return io.BufferedReader(seal.SealedFile(fields.key_ring(), place(name).open("rb"), context=context.encode()))


@contextmanager
def or_removed(name: str) -> Iterator[None]:
    """Forget the file `name` that was kept just now (none: "") when the block that needs it fails: nobody else would.

    For sealed streams alone: each has a name of its own, so that no other row needs the same file.
    """
    try:
        yield
    except BaseException:
        if name:
            remove(name)
        raise


def remove(digest: str) -> None:
    """Forget a file that nobody needs any more (a sealed upload once it is taken); a repeat does nothing."""
    place(digest).unlink(missing_ok=True)


def streams(since: datetime, until: datetime) -> Iterator[str]:
    """The names of the sealed streams that were written between two moments."""
    for entry in _kept():
        try:
            if since.timestamp() <= entry.stat().st_mtime < until.timestamp() and _is_stream(entry.path):
                yield entry.name
        except FileNotFoundError:  # somebody removed it meanwhile
            continue


def _is_stream(path: str) -> bool:
    with Path(path).open("rb") as file:
        return seal.is_stream(file.read(4))


def remove_halves(until: datetime) -> int:
    """Remove what was half written before that moment by a process that died; how many files."""
    folder = Path(settings.FILES)
    halves = [path for path in [*folder.glob("tmp*"), *folder.glob("*/*/tmp*")]
              if path.stat().st_mtime < until.timestamp()]
    for path in halves:
        path.unlink(missing_ok=True)
    return len(halves)


def _kept() -> "Iterator[os.DirEntry[str]]":
    """Every file of the store."""
    level = [Path(settings.FILES)] if Path(settings.FILES).exists() else []
    for _ in range(2):
        level = [Path(entry.path) for folder in level for entry in os.scandir(folder) if entry.is_dir()]
    for folder in level:
        yield from (entry for entry in os.scandir(folder) if entry.is_file())


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for what a library or another program must write in clear and under a name. It goes at the end of the
    block; where the process was killed before that, with `sweep`.
    """
    with ExitStack() as held:
        with _locked(Path(settings.FILE_UPLOAD_TEMP_DIR)) as folder:
            own = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=folder))
            held.enter_context(_locked(own))
        try:
            yield own
        finally:
            shutil.rmtree(own)


def sweep() -> None:
    """Remove the scratch folders of processes that are no more: a lock ends with the process that holds it."""
    with _locked(Path(settings.FILE_UPLOAD_TEMP_DIR)) as folder:
        for left in folder.glob(f"{SCRATCH}*"):
            try:
                with _locked(left, fcntl.LOCK_NB):
                    shutil.rmtree(left)
            except (BlockingIOError, FileNotFoundError):  # in use, or removed by its own process
                continue


@contextmanager
def _locked(folder: Path, how: int = 0) -> Iterator[Path]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | how)
        yield folder
    finally:
        os.close(handle)
