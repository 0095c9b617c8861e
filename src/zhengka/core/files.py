"""The file store (文件库): bytes under their own digest, so that the same file is kept once and never changes."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from django.conf import settings


def place(digest: str) -> Path:
    """Where the file with this SHA-256 digest (64 hexadecimal digits) lies."""
    return Path(settings.FILES) / digest[:2] / digest[2:4] / digest


def put(data: bytes) -> str:
    """Keep `data`, durable before this returns; the answer is its digest."""
    digest = hashlib.sha256(data).hexdigest()
    path = place(digest)
    if path.exists():
        return digest
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
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


def remove(digest: str) -> None:
    """Forget a file that nobody needs any more (a sealed upload once it is taken); a repeat does nothing."""
    place(digest).unlink(missing_ok=True)
