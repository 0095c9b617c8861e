"""A portrait made anew and measured. Pure; run in a process apart (`bounds`), asked by `reading`."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from zhengka.papers.bounds import Bad, serve
from zhengka.papers.cleaning import kind_of, redrawn
from zhengka.papers.faces import Finder
from zhengka.papers.measuring import measure
from zhengka.papers.reading import Examined

LARGEST: Final = (1_000, 1_400)
"""Pixels: a card face of 20 × 26 mm needs 236 × 307 at 300 dpi."""


def examined(data: bytes, model: Path) -> Examined:
    """The portrait made anew and measured, in this process. Raises `Bad`."""
    kind = kind_of(data)
    if kind not in ("JPEG", "PNG", "WEBP"):
        raise Bad("paper-kind-refused")
    jpeg = redrawn(data, kind, LARGEST)
    cv2.setNumThreads(1)
    pixels = np.asarray(Image.open(io.BytesIO(jpeg)))
    return Examined(jpeg, measure(pixels, Finder(model).find(pixels)))


def _work(data: bytes, told: Sequence[str]) -> tuple[dict[str, Any], bytes]:
    found = examined(data, Path(told[0]))
    return vars(found.measured), found.data


if __name__ == "__main__":
    serve(_work)
