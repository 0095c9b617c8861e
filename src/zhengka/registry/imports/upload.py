"""The uploaded file: sealed once it is here, then opened as a stream and never whole in memory or in clear on a disk.

Before that, while the request runs, one above 1 MiB lies in clear in a file without a name (`web.uploads`).
"""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from zhengka.core import fields, files
from zhengka.core.errors import Refusal
from zhengka.formats import seal

UPLOAD = "import.upload"
REFUSED = "import.refused"


def keep(file: BinaryIO) -> tuple[str, str]:
    """Seal an upload into the file store: (SHA-256 of the clear bytes, name of what is kept)."""
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type] # typing.BinaryIO has no readinto
    return digest.hexdigest(), files.put_sealed_stream(file, UPLOAD)


@contextmanager
def opened(name: str, context: str) -> Iterator[BinaryIO]:
    """The clear bytes of a sealed file, as a pipe to read from. `seal.SealBroken` at the end of the block where the
    file was changed: the caller takes nothing for granted before that.
    """
    try:
        source = files.place(name).open("rb")
    except FileNotFoundError:
        raise Refusal("upload-missing") from None
    read_end, write_end = os.pipe()
    faults: list[BaseException] = []

    def open_all() -> None:
        try:
            with source, os.fdopen(write_end, "wb") as target:
                seal.open_stream(fields.key_ring(), source, target, context=context.encode())
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
