"""What a finished card shows (成品卡面): its texts, its photo and its QR code, as whoever looks at it can tell them.

Each is told as a digest over the batch's salt and what was seen, so that the results of a batch hold no person's data
and nobody who does not have the batch's content key can guess any from them. Texts are all that is printed for this
card alone, front then back, slot by slot, without spaces: where a line breaks says nothing.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from zhengka.formats.suites import Suite

SIZE: Final = 16
"""Bytes of each digest."""
_SPACE: Final = re.compile(r"[\s\u200b]+")
_WORD: Final = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{32})\.([0-9a-f]{32})")


class Shown(NamedTuple):
    """Digests of a card's texts, of the bytes of its photo, and of the payload of its QR code."""

    texts: bytes
    photo: bytes
    code: bytes

    def word(self) -> str:
        """As one word of a line of results."""
        return ".".join(part.hex() for part in self)


def salt_of(suite: Suite, content_key: bytes) -> bytes:
    """The salt of a batch: whoever opens its package has it."""
    return suite.digest(b"zhengka-shown" + content_key)


def shown(suite: Suite, salt: bytes, texts: Iterable[str], photo: bytes, code: bytes) -> Shown:
    """What a card shows; `photo` and `code` are empty where nothing was to be read."""
    text = _SPACE.sub("", "".join(texts)).encode()
    return Shown(*[suite.digest(salt + kind + seen)[:SIZE]
                   for kind, seen in ((b"texts", text), (b"photo", photo), (b"code", code))])


def from_word(word: str) -> Shown:
    """Undo `Shown.word`; ValueError for anything else."""
    match = _WORD.fullmatch(word)
    if match is None:
        raise ValueError("not what a card shows")
    return Shown(*map(bytes.fromhex, match.groups()))
