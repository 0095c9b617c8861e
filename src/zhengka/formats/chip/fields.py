"""Fields of a chip's files, read: from the bytes that lie there to the value that a record had (卡内数据项).

Written apart from the compiler's encoders, so that a fault in one side is seen by the other. ValueError or IndexError
for bytes that spell no value.
"""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any, Final

from zhengka.formats.chip.profile import File


def values(file: File, content: bytes) -> dict[str, Any]:
    """Every field of a file by name; ValueError names the first that spells no value or is not all there."""
    found, at = {}, 0
    for field in file.fields:
        if at + field.size > len(content):
            raise ValueError(field.name)
        try:
            found[field.name] = READ[field.kind](content[at : at + field.size])
        except (ValueError, IndexError):
            raise ValueError(field.name) from None
        at += field.size
    return found


def _read_digits(spelled: bytes) -> str:
    text = spelled.hex()
    if not text.isdigit():
        raise ValueError("not packed decimal")
    return text


@lru_cache(maxsize=1024)  # the cards of a batch share a few days
def _read_date(spelled: bytes) -> date:
    text = _read_digits(spelled)
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def _read_text(spelled: bytes) -> str:
    return _unpadded(spelled).decode("ascii")


def _read_name(spelled: bytes) -> str:
    return _unpadded(spelled).decode("gb18030")


def _read_bytes(spelled: bytes) -> bytes:
    size = spelled[0] * 256 + spelled[1]
    if size > len(spelled) - 2 or spelled[2 + size :].strip(b"\0"):
        raise ValueError("length and content differ")
    return spelled[2 : 2 + size]


def _unpadded(spelled: bytes) -> bytes:
    text, _, padding = spelled.partition(b"\0")
    if padding.strip(b"\0"):
        raise ValueError("text after the padding")
    return text


READ: Final[dict[str, Callable[[bytes], Any]]] = {
    "digits": _read_digits,
    "date": _read_date,
    "number": int.from_bytes,
    "text": _read_text,
    "name": _read_name,
    "bytes": _read_bytes,
}
"""What reads the bytes of each kind of field."""
