"""Pictures that strangers send: looked at before they are decoded, then drawn anew, so that only the picture stays."""

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from PIL import Image, ImageOps

MOST_PIXELS: Final = 25_000_000
"""More than a scanner at 300 dpi needs for A4 (8.7 million) and than most telephones take: 75 MB once decoded."""

_BROKEN: Final = (OSError, ValueError, SyntaxError, EOFError, LookupError, ArithmeticError, TypeError, struct.error,
                  zlib.error)
"""What Pillow's readers are known to raise over bytes that are wrong."""


_SCAN: Final = 0xDA
_DRAWS: Final = frozenset({*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD})
"""Markers of frames, tables and scans."""
_TELLS: Final = frozenset({(0xE0, 16), (0xEE, 14)})
"""JFIF without a small picture, and Adobe's note on colours: marker, length."""
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""What ends the coded data of a scan: any marker but a restart."""


class BadPicture(ValueError):
    """A picture that cannot be used: `code` is `pixels` (too many) or `unreadable`."""

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


def decoded(data: bytes, kinds: Sequence[str], most_pixels: int = MOST_PIXELS) -> Image.Image:
    """The first picture of a file of one of these kinds (Pillow's names), decoded whole. Its size is read from its
    head first: one of more pixels is never decoded (Pillow itself only warns). Raises `BadPicture`.
    """
    with _named():
        picture = Image.open(io.BytesIO(data), formats=tuple(kinds))
        if picture.width * picture.height > most_pixels:
            raise BadPicture("pixels")
        picture.load()
        return picture


def redrawn(picture: Image.Image, largest: tuple[int, int], quality: int = 88) -> bytes:
    """The picture upright, on white, within `largest` pixels, as a JPEG without camera data, comment or profile.
    Raises `BadPicture`.
    """
    with _named():
        upright = ImageOps.exif_transpose(picture)
        if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
            clear = upright.convert("RGBA")
            upright = Image.new("RGB", clear.size, "white")
            upright.paste(clear, mask=clear.getchannel("A"))
        upright = upright.convert("RGB")
        upright.thumbnail(largest)
        upright.info = {}  # a comment or profile would be written again
        out = io.BytesIO()
        upright.save(out, "JPEG", quality=quality)
        return out.getvalue()


@contextmanager
def _named() -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd camera data, which is not kept
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except BadPicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadPicture("pixels") from None
    except _BROKEN:
        raise BadPicture("unreadable") from None


def bare(jpeg: bytes) -> bytes:
    """The same JPEG with the segments that its picture needs, and nothing else: no camera data, comment, profile, small
    picture, nor what lies behind its end. It is not decoded (ISO/IEC 10918-1, annex B). Raises `BadPicture`.
    """
    kept, place = [jpeg[:2]], 2
    if jpeg[:2] != b"\xff\xd8":
        raise BadPicture("unreadable")
    while jpeg[place:place + 2] != b"\xff\xd9":
        length = int.from_bytes(jpeg[place + 2:place + 4])
        if jpeg[place:place + 1] != b"\xff" or length < 2 or place + 2 + length > len(jpeg):
            raise BadPicture("unreadable")
        mark, end = jpeg[place + 1], place + 2 + length
        if mark == _SCAN:
            found = _MARKER.search(jpeg, end)
            end = found.start() if found else len(jpeg)
        if mark in _DRAWS or (mark, length) in _TELLS:
            kept.append(jpeg[place:end])
        place = end
    return b"".join([*kept, b"\xff\xd9"])
