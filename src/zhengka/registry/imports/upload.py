"""The uploaded file: sealed as it comes in, opened as a stream and never whole in memory or in clear on a disk."""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from zhengka.core import fields, files
from zhengka.core.errors import Refusal
from zhengka.formats import seal

UPLOAD = b"import.upload"
REFUSED = b"import.refused"


def keep(file: BinaryIO, context: bytes) -> tuple[str, str]:
    """Seal a file into the file store: (SHA-256 of the clear bytes, digest of what is kept)."""
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(seal.FRAME):
        digest.update(piece)
    file.seek(0)
    kept = files.put_stream(lambda target: seal.seal_stream(fields.key_ring(), file, target, context=context))
    return digest.hexdigest(), kept


@contextmanager
def opened(digest: str, context: bytes) -> Iterator[BinaryIO]:
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
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=open_all, name="opening a sealed file")
    thread.start()
    try:
        with os.fdopen(read_end, "rb") as stream:
            yield stream
    except Exception as found:  # what a reader finds in half a file is not what is wrong with it
        thread.join()
        raise faults[0] if faults else found from None
    finally:
        thread.join()
    if faults:
        raise faults[0]
