"""The photo on its way to the face: a JPEG that any printer can decode, small, and never a bomb."""

import io
import struct
from typing import Final, NamedTuple

from PIL import Image

MOST_PIXELS: Final = 25_000_000
MOST_BYTES: Final = 150_000
LONGEST_SIDE: Final = 700
"""Pixels beyond which a photo is made smaller: the slot is 20 × 26 mm, 310 dots high at 300 dpi."""
_EXIF: Final = 0xE1
_SCAN: Final = 0xDA
_FRAMES: Final = (0xC0, 0xC1, 0xC2)
"""Markers of JPEG (ITU-T T.81, annex B): camera data, the scan, and the frames that every reader knows."""
_FRAME: Final = struct.Struct(">BHHB")  # precision, lines, samples per line, components (B.2.2)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class BadPhoto(ValueError):
    """A photo that cannot be printed."""


class Photo(NamedTuple):
    """A JPEG with its size in pixels; `grey` where it has one channel."""

    jpeg: bytes
    width: int
    height: int
    grey: bool


def ready(data: bytes) -> Photo:
    """The photo as it goes into the PDF: passed through as it is, or made smaller and plain. Raises BadPhoto.

    What is passed through is known by its headers and by its end. It is not decoded again: it was decoded whole when it
    was taken in, and its seal says that no bit of it changed.
    """
    return _passed(data) or _made_small(data)


def _passed(data: bytes) -> Photo | None:
    """A JPEG that is whole, in RGB or grey, small enough, and without camera data; None for all else."""
    if len(data) > MOST_BYTES or not (data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9")):
        return None
    at, photo = 2, None
    while at + 10 <= len(data) and data[at] == 0xFF and data[at + 1] not in (_EXIF, _SCAN):
        if data[at + 1] in _FRAMES:
            depth, height, width, channels = _FRAME.unpack_from(data, at + 4)
            if depth == 8 and channels in (1, 3) and 0 < min(width, height) <= max(width, height) <= LONGEST_SIDE:
                photo = Photo(data, width, height, grey=channels == 1)
        at += 2 + int.from_bytes(data[at + 2:at + 4])
    return photo if data[at:at + 2] == bytes((0xFF, _SCAN)) else None


def _made_small(data: bytes) -> Photo:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise BadPhoto("too many pixels")
            plain = picture.convert("RGB")
    except BadPhoto:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, *_BOMBS) as error:
        raise BadPhoto("not a readable picture") from error
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=88)
    return Photo(out.getvalue(), *plain.size, grey=False)
