"""Where the faces of a picture are: BlazeFace (short range), a model of 229 KB under Apache-2.0 that lies in
`data/photos`, run by OpenCV. Pure.

Tried beside OpenCV's own cascades (docs/explanation/photo-checks.md): it finds faces that are dark, turned upside down
or wear dark glasses, tells where eyes, nose, mouth and ears are, and needs 7 ms instead of 40.
"""

from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

MODEL: Final = "face_detection_short_range.tflite"
SURE: Final = 0.6
"""A face is one from this score on: a cat's gets 0.58, a photographed person's 0.8 and more."""

_SIDE: Final = 128
_SAME: Final = 0.3
"""Boxes that share more of their area are of one face."""

Points = NDArray[Any]
"""Numbers as float32; the last axis is x, y."""
Pixels = NDArray[Any]
"""Rows × columns × RGB as uint8."""


class Face(NamedTuple):
    """A face: its score, its box from the brows to the chin (left, top, width, height), and where its eyes (the one on
    the left of the picture first), nose, mouth and ears are (x, y); all in pixels of the picture.
    """

    score: float
    box: tuple[float, float, float, float]
    eyes: Points
    nose: Points
    mouth: Points
    ears: Points


def _anchors() -> Points:
    """The places that the model's answers count from: two for each cell of 8 pixels, then six for each of 16."""
    layers = []
    for stride, number in ((8, 2), (16, 6)):
        middles = (np.arange(_SIDE // stride, dtype=np.float32) + 0.5) * stride / _SIDE
        rows, columns = np.meshgrid(middles, middles, indexing="ij")
        layers.append(np.repeat(np.stack([columns.ravel(), rows.ravel()], axis=1), number, axis=0))
    return np.concatenate(layers)


class Finder:
    """Finds faces; made once, used by one thread."""

    def __init__(self, model: Path) -> None:
        """Read the model."""
        self._net = cv2.dnn.readNetFromTFLite(str(model))
        self._anchors = _anchors()

    def find(self, picture: Pixels) -> list[Face]:
        """The faces of a picture (rows × columns × RGB), the largest first."""
        height, width = picture.shape[:2]
        side = max(height, width)
        left, top = (side - width) // 2, (side - height) // 2
        square = np.zeros((side, side, 3), np.uint8)
        square[top:top + height, left:left + width] = picture
        small = cv2.resize(square, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        self._net.setInput(np.ascontiguousarray((small / 127.5 - 1).transpose(2, 0, 1)[None]))
        scores, boxes = self._net.forward(["classificators", "regressors"])
        found = _joined(np.asarray(scores).reshape(-1), np.asarray(boxes).reshape(-1, 8, 2), self._anchors)
        faces = [_face(score, points * side - np.array([left, top], np.float32)) for score, points in found]
        return sorted(faces, key=lambda face: -face.box[2])


def _joined(raw: Points, boxes: Points, anchors: Points) -> list[tuple[float, Points]]:
    """One answer for each face: score, and two corners and six points as shares of the square, weighed by score."""
    scores = 1 / (1 + np.exp(-np.clip(raw, -80, 80)))
    sure = scores > SURE
    scores, points, anchors = scores[sure], boxes[sure] / _SIDE, anchors[sure]
    half = points[:, 1] / 2
    middles = points[:, 0] + anchors
    points = np.concatenate([np.stack([middles - half, middles + half], axis=1), points[:, 2:] + anchors[:, None]], 1)
    left, found = list(np.argsort(-scores)), []
    while left:
        same = [other for other in left if _shared(points[left[0]], points[other]) > _SAME]
        found.append((float(scores[left[0]]), np.average(points[same], axis=0, weights=scores[same])))
        left = [other for other in left if other not in same]
    return found


def _shared(one: Points, other: Points) -> float:
    """Share of the area of two boxes that both have (1: they are the same)."""
    sides = np.clip(np.minimum(one[1], other[1]) - np.maximum(one[0], other[0]), 0, None)
    both = float(sides[0] * sides[1])
    areas = [float(np.prod(box[1] - box[0])) for box in (one, other)]
    return both / max(sum(areas) - both, 1e-9)


def _face(score: float, points: Points) -> Face:
    (left, top), (right, bottom) = points[0].tolist(), points[1].tolist()
    return Face(score, (left, top, right - left, bottom - top), points[2:4], points[4], points[5], points[6:8])
