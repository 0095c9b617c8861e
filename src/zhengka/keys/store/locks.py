"""One writer at a time, among processes and threads of one machine."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of this file, which is made where it is missing."""
    with opened(path, os.O_RDWR | os.O_CREAT) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    """The file's number while it is open; a new file is its owner's alone."""
    number = os.open(path, flags, 0o600)
    try:
        yield number
    finally:
        os.close(number)
