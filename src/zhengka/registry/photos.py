"""A portrait as it is kept: checked before it is decoded, without camera data, large enough to be printed."""

from PIL import Image

from zhengka.core import files
from zhengka.formats import picture

MOST_BYTES = 10 << 20
LEAST = (150, 200)
"""Width and height in pixels below which a face of 20 × 26 mm is not to be recognised."""
LARGEST = (1000, 1400)
SEALED_AS = "holder.photo"

FAULTS = {
    "photo-too-large": ("照片文件过大", "The photo file is too large"),
    "photo-unreadable": ("照片无法读取", "The photo cannot be read"),
    "photo-pixels": ("照片像素过多", "The photo has too many pixels"),
    "photo-small": ("照片像素过少，无法印制", "The photo is too small to be printed"),
}
"""Code → why a photo cannot be used, in Chinese and English."""


class BadPhoto(ValueError):
    """A photo that cannot be used; `code` is a key of `FAULTS`."""

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


def keep(portrait: bytes) -> str:
    """Keep a portrait, sealed: a face is personal data like a number. The answer is its name in the file store."""
    return files.put_sealed(portrait, SEALED_AS)


def read(name: str) -> bytes:
    """A portrait that was kept; `FileNotFoundError`, or `SealBroken` where it was changed."""
    return files.get_sealed(name, SEALED_AS)


def accept(data: bytes) -> bytes:
    """The photo as a JPEG without anything but the picture. Raises `BadPhoto`.

    A plain JPEG passes as it is once it has been decoded whole; everything else is drawn anew (T8, T9).
    """
    if len(data) > MOST_BYTES:
        raise BadPhoto("photo-too-large")
    try:
        return _accepted(picture.decoded(data, ("JPEG", "PNG")), data)
    except picture.BadPicture as bad:
        raise BadPhoto(f"photo-{bad.code}") from None


def _accepted(image: Image.Image, data: bytes) -> bytes:
    if image.width < LEAST[0] or image.height < LEAST[1]:
        raise BadPhoto("photo-small")
    fits = image.width <= LARGEST[0] and image.height <= LARGEST[1]
    if fits and image.format == "JPEG" and image.mode in ("RGB", "L") and _bare(data):
        return data
    return picture.redrawn(image, LARGEST)


def _bare(data: bytes) -> bool:
    """True for a JPEG whose segments are a picture's and nothing else, and which ends where the picture ends."""
    place = 2
    while data[place : place + 1] == b"\xff" and data[place + 1] != 0xDA:
        if data[place + 1] == 0xFE or 0xE1 <= data[place + 1] <= 0xEF:
            return False
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return data[place : place + 2] == b"\xff\xda" and data.find(b"\xff\xd9", place) == len(data) - 2
