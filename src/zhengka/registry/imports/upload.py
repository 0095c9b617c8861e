"""The uploaded file: sealed as it comes in, opened as a stream and never whole in memory or in clear on a disk."""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from zhengka.core import fields, files
from zhengka.core.errors import Refusal
from zhengka.formats import seal

UPLOAD = b"import.upload"
REFUSED = b"import.refused"


class _Hashing:
    """Reads through to a file and keeps the digest of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


def keep(file: IO[bytes], context: bytes) -> tuple[str, str]:
    """Seal a file into the file store: (digest of the clear bytes, digest of what is kept)."""
    file.seek(0)
    source = _Hashing(file)
    kept = files.put_stream(lambda target: seal.seal_stream(fields.key_ring(), source, target, context=context))
    return source.digest.hexdigest(), kept


@contextmanager
def opened(digest: str, context: bytes) -> Iterator[IO[bytes]]:
    """The clear bytes of a sealed file, as a pipe to read from. `seal.SealBroken` at the end of the block where the
    file was changed: the caller takes nothing for granted before that.
    """
    try:
        source = files.place(digest).open("rb")
    except FileNotFoundError:
        raise Refusal("upload-missing") from None
    read_end, write_end = os.pipe()
    faults: list[BaseException] = []

    def open_all() -> None:
        try:
            with source, os.fdopen(write_end, "wb") as target:
                seal.open_stream(fields.key_ring(), source, target, context=context)
        except BrokenPipeError:
            pass  # the reader had enough
        except BaseException as fault:  # noqa: BLE001 - raised again in the reader's thread
            faults.append(fault)

    thread = threading.Thread(target=open_all, name="opening a sealed file")
    thread.start()
    try:
        with os.fdopen(read_end, "rb") as stream:
            yield stream
    finally:
        thread.join()
    if faults:
        raise faults[0]
