"""Fields of a chip's files, read: from the bytes that lie there to the value that a record had (卡内数据项).

Written apart from the compiler's encoders, so that a fault in one side is seen by the other. ValueError or IndexError
for bytes that spell no value.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final

from zhengka.formats.chip.layout import Field, File


def values(file: File, content: bytes) -> dict[str, Any]:
    """Every field of a transparent file by name; ValueError names the first that spells no value or is not there."""
    found = {}
    for field, spelled in parts(file.fields, content):
        try:
            found[field.name] = READ[field.kind](spelled)
        except (ValueError, IndexError):
            raise ValueError(field.name) from None
    return found


def parts(fields: Sequence[Field], content: bytes) -> Iterator[tuple[Field, bytes]]:
    """The bytes of each field, one after the other, tag and length taken off; ValueError names the first that is not
    all there.
    """
    at = 0
    for field in fields:
        if field.tag:
            head = bytes([field.tag, 0x81, field.size]) if field.size > 127 else bytes([field.tag, field.size])
            if content[at : at + len(head)] != head:
                raise ValueError(field.name)
            at += len(head)
        if at + field.size > len(content):
            raise ValueError(field.name)
        yield field, content[at : at + field.size]
        at += field.size


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
    "hex": bytes,
    "blank": bytes,
}
"""What reads the bytes of each kind of field."""
