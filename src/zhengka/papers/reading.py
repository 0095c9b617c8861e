"""Asks a process apart to read what people bring, and says what came of it. Pure; imports neither OpenCV nor pikepdf,
so that the site does not load them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from zhengka.core.errors import Refusal
from zhengka.papers.bounds import apart

MOST_BYTES: Final = 20 << 20
PDF, JPEG = "application/pdf", "image/jpeg"
SUFFIXES: Final = {PDF: ".pdf", JPEG: ".jpg"}


class Clean(NamedTuple):
    """A paper as it is kept: `media` is a key of `SUFFIXES`; `removed`: what was taken out of a PDF."""

    media: str
    data: bytes
    pages: int
    removed: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """The figures of a portrait by name, those of a face only where one was found; `face`: the box of the largest, as
    left, top, width and height in pixels of the picture; `size`: width and height of the picture.
    """

    figures: dict[str, float]
    size: tuple[int, int]
    face: tuple[float, float, float, float] | None = None


class Examined(NamedTuple):
    """A portrait as it is kept (JPEG), and what was measured of it."""

    data: bytes
    measured: Measured


def clean(data: bytes) -> Clean:
    """The paper made anew. `Refusal`: `paper-empty`, `paper-too-large`, `paper-kind-refused`, `paper-damaged`,
    `paper-too-many-pixels`, `paper-too-long`, `paper-encrypted`, `paper-carries-files`, `paper-too-heavy`.
    """
    _check_size(data)
    answer = apart("zhengka.papers.cleaning", data)
    return Clean(answer.head["media"], answer.data, answer.head["pages"], tuple(answer.head["removed"]))


def examine(data: bytes, model: Path) -> Examined:
    """A portrait made anew and measured; `model`: the file that faces are found by. `Refusal`: `paper-empty`,
    `paper-too-large`, `paper-kind-refused`, `paper-damaged`, `paper-too-many-pixels`, `paper-too-heavy`.
    """
    _check_size(data)
    answer = apart("zhengka.papers.examining", data, [str(model)])
    (width, height), face = answer.head["size"], answer.head["face"]
    return Examined(answer.data, Measured(answer.head["figures"], (width, height), tuple(face) if face else None))


def _check_size(data: bytes) -> None:
    if not data:
        raise Refusal("paper-empty")
    if len(data) > MOST_BYTES:
        raise Refusal("paper-too-large", most_mb=MOST_BYTES >> 20)
