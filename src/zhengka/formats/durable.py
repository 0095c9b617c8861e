"""Files that are there whole or not at all, whenever the machine stops (持久写入)."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def settle(temporary: Path, path: Path) -> None:
    """Make a finished file durable, then give it its name in place of what had it, then make the name durable."""
    with temporary.open("rb") as done:
        os.fsync(done.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def or_gone(temporary: Path) -> Iterator[None]:
    """A file that cannot be written whole takes no room: where the disk is full the next try needs it."""
    try:
        yield
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Put these bytes at `path`, durably, in the place of what was there; others see the old file or the new one, and
    tell them apart by the time of its last change. OSError leaves the old one.
    """
    later = path.stat().st_mtime_ns + 1 if path.exists() else 0
    temporary = path.with_name(f".{path.name}.{threading.get_native_id()}")
    temporary.unlink(missing_ok=True)  # of a run that was killed: no other thread of this machine has our number
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            os.fchmod(file.fileno(), mode)  # whatever the umask
            file.write(data)
            file.flush()
            os.utime(file.fileno(), ns=(max(time.time_ns(), later),) * 2)
        settle(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
