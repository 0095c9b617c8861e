"""What can be measured of a portrait, as numbers: pixels in, figures out; nothing is decided here. Pure.

Luminance and chroma are those of CIE L*a*b*: luminance from 0 (black) to 100 (white), chroma from 0 (grey) upwards.
"""

from math import atan2, degrees
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from zhengka.papers.faces import Face, Pixels
from zhengka.papers.reading import Measured

FACE_WIDTH: Final = 120
"""A face is scaled down to this width before its sharpness is measured, so that more pixels are not more sharpness."""

Lab = NDArray[Any]


def measure(picture: Pixels, faces: list[Face]) -> Measured:
    """The figures of a picture (rows × columns × RGB) in which these faces were found."""
    height, width = picture.shape[:2]
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    figures = {"width": float(width), "height": float(height), "shape": width / height, "faces": float(len(faces))}
    if not faces:
        return Measured(figures | _background(lab, height // 3), (width, height))
    face = faces[0]
    figures |= _place(face, width, height) | _light(lab, face) | _background(lab, int(face.eyes[:, 1].mean()))
    return Measured(figures | {"sharpness": _sharpness(picture, face)}, (width, height), face.box)


def _place(face: Face, width: int, height: int) -> dict[str, float]:
    """Where the head is and how it is held. Its height is twice the way from the eyes to the chin; the chin lies as far
    below the mouth as four fifths of the way from eyes to mouth.
    """
    eyes, mouth = face.eyes.mean(axis=0), face.mouth
    head = 2 * 1.8 * float(np.hypot(*(mouth - eyes)))
    across, down = (face.eyes[1] - face.eyes[0]).tolist()
    ears = face.ears[1] - face.ears[0]
    along = float(np.dot(face.nose - face.ears[0], ears) / max(float(np.dot(ears, ears)), 1e-6))
    return {"head": head / height, "centre": abs(float(eyes[0] + mouth[0]) / 2 / width - 0.5),
            "eye_line": float(eyes[1]) / height, "tilt": abs(degrees(atan2(down, across))), "turn": abs(along - 0.5)}


def _light(lab: Lab, face: Face) -> dict[str, float]:
    """How bright, how evenly lit and how coloured the face is, and how dark its eyes are against its cheeks."""
    skin = _patch(lab, face.nose, 0.5 * face.box[2])
    middle = skin.shape[1] // 2
    left, right = float(skin[:, :middle, 0].mean()), float(skin[:, middle:, 0].mean())
    reach = 0.16 * face.box[2]
    bright = [float(np.percentile(_patch(lab, eye, reach)[..., 0], 75)) for eye in face.eyes]
    cheeks = float(np.median(skin[..., 0]))
    return {"face_light": cheeks, "blown": float((skin[..., 0] > 98).mean()),
            "sides": abs(left - right) / max(left, right, 1.0), "eyes": min(bright) / max(cheeks, 1.0),
            "colour": float(np.hypot(skin[..., 1], skin[..., 2]).mean())}


def _background(lab: Lab, eye_line: int) -> dict[str, float]:
    """The strips beside the head, from the top down to the eyes, and the one above it."""
    height, width = lab.shape[:2]
    edge, down = max(width // 10, 1), max(eye_line, 1)
    parts = (lab[:down, :edge], lab[:down, -edge:], lab[:max(height // 40, 1)])
    strips = np.concatenate([part.reshape(-1, 3) for part in parts])
    low, middle, high = np.percentile(strips[:, 0], (5, 50, 95)).tolist()
    return {"background": middle, "shadow": high - low,
            "tint": float(np.median(np.hypot(strips[:, 1], strips[:, 2])))}


def _sharpness(picture: Pixels, face: Face) -> float:
    """Variance of the Laplacian over the face, in units of grey levels²."""
    left, top, width, height = face.box
    grey = cv2.cvtColor(_patch(picture, np.array([left + width / 2, top + height / 2]), width), cv2.COLOR_RGB2GRAY)
    scale = min(FACE_WIDTH / grey.shape[1], 1.0)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(small, cv2.CV_64F).var())


def _patch(picture: NDArray[Any], middle: NDArray[Any], side: float) -> NDArray[Any]:
    """The square of `side` around a point, as far as it lies in the picture; never empty."""
    height, width = picture.shape[:2]
    left, top = (int(np.clip(middle[axis] - side / 2, 0, limit - 2)) for axis, limit in ((0, width), (1, height)))
    right, bottom = (int(np.clip(middle[axis] + side / 2, low + 2, limit))
                     for axis, low, limit in ((0, left, width), (1, top, height)))
    return picture[top:bottom, left:right]
