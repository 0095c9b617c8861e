"""The photo on its way to the face: a JPEG that any printer can decode, small, and never a bomb."""

import io
from typing import Final, NamedTuple

from PIL import Image

MOST_PIXELS: Final = 25_000_000
MOST_BYTES: Final = 150_000
LONGEST_SIDE: Final = 700
"""Pixels beyond which a photo is made smaller: the slot is 20 × 26 mm, 310 dots high at 300 dpi."""
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

    It is decoded once at an eighth of its size, which is quick and finds a file that was cut or damaged.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise BadPhoto("too many pixels")
            size, mode, plain = picture.size, picture.mode, _plain(picture, data)
            if plain:
                picture.draft(None, (max(size[0] // 8, 1), max(size[1] // 8, 1)))
            picture.load()
            if not plain:
                return _made_small(picture)
    except BadPhoto:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, *_BOMBS) as error:
        raise BadPhoto("not a readable picture") from error
    return Photo(data, *size, grey=mode == "L")


def _plain(picture: Image.Image, data: bytes) -> bool:
    """True for what can be passed through: a JPEG in RGB or grey, small enough, without camera data."""
    return (picture.format == "JPEG" and picture.mode in ("RGB", "L") and len(data) <= MOST_BYTES
            and max(picture.size) <= LONGEST_SIDE and "exif" not in picture.info)


def _made_small(picture: Image.Image) -> Photo:
    plain = picture.convert("RGB")
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=88)
    return Photo(out.getvalue(), *plain.size, grey=False)
