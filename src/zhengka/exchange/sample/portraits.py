"""Portraits of nobody: faces drawn from ellipses and curves, white background, bare-headed, both ears to be seen.

Two-inch proportion (35 x 43 mm at 260 dpi), head about two thirds of the frame, as a photo for a certificate is
(办法 art. 9). No photograph of anybody went into them.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

WIDTH: Final = 358
HEIGHT: Final = 441
LARGEST: Final = 12 * 1024
_ZOOM: Final = 2  # drawn larger, then reduced: smooth edges

Age = Literal["child", "adult", "old"]
Colour = tuple[int, int, int]

_SKINS: Final = ((246, 214, 184), (238, 200, 166), (228, 186, 150), (214, 168, 132), (200, 152, 116))
_HAIRS: Final = ((24, 20, 20), (38, 28, 24), (52, 38, 30), (16, 16, 20))
_GREYS: Final = ((120, 118, 116), (160, 158, 156), (196, 194, 192), (86, 84, 84))
_CLOTHES: Final = (
    (40, 60, 96), (88, 40, 48), (52, 84, 68), (70, 70, 78), (120, 96, 70), (150, 60, 70), (60, 100, 140), (96, 80, 120),
)  # fmt: skip


class Group(NamedTuple):
    """Who a portrait may stand for. `dark_glasses`: the blind may wear them on the photo."""

    male: bool
    age: Age
    dark_glasses: bool


GROUPS: Final = tuple(
    Group(male, age, dark)
    for dark in (False, True)
    for age in ("adult", "old", "child")
    for male in (True, False)
)  # fmt: skip
_SHARES: Final = np.array([0.26, 0.24, 0.18, 0.16, 0.03, 0.03, 0.03, 0.02, 0.02, 0.01, 0.01, 0.01])


@dataclass(frozen=True)
class _Face:
    """Measures of one face, in units of the frame's width; x is counted from the middle."""

    group: Group
    skin: Colour
    hair: Colour
    cloth: Colour
    width: float
    height: float
    chin: float
    eye_gap: float
    eye_size: float
    brow: float
    nose: float
    mouth: float
    smile: float
    hair_style: int
    collar: int
    glasses: bool


def pool(seed: int, size: int) -> dict[Group, list[bytes]]:
    """`size` different portraits (at least one of each group) as JPEG files, by group."""
    rng = np.random.default_rng((seed, 6))
    counts = np.maximum(1, np.floor(_SHARES / _SHARES.sum() * size)).astype(int).tolist()
    return {group: [portrait(rng, group) for _ in range(count)] for group, count in zip(GROUPS, counts, strict=True)}


def portrait(rng: Generator, group: Group) -> bytes:
    """One new face as a JPEG file of at most `LARGEST` bytes."""
    image = _drawn(_measures(rng, group))
    for quality in (72, 60, 48, 36):
        stream = BytesIO()
        image.save(stream, "JPEG", quality=quality, optimize=True)
        if stream.tell() <= LARGEST:
            break
    return stream.getvalue()


def _measures(rng: Generator, group: Group) -> _Face:
    def between(low: float, high: float) -> float:
        return low + (high - low) * float(rng.random())

    child = group.age == "child"
    hairs = _GREYS if group.age == "old" and rng.random() < 0.85 else _HAIRS
    skin, hair, cloth = (_varied(rng, table[rng.integers(len(table))]) for table in (_SKINS, hairs, _CLOTHES))
    return _Face(
        group, skin, hair, cloth,
        width=between(0.245, 0.275) - 0.015 * (not group.male), height=between(0.335, 0.365) - 0.03 * child,
        chin=between(0.55, 0.8) - 0.1 * (not group.male), eye_gap=between(0.105, 0.125),
        eye_size=between(0.030, 0.038) + 0.008 * child, brow=between(0.008, 0.016) * (1 if group.male else 0.7),
        nose=between(0.030, 0.045) * (0.75 if child else 1), mouth=between(0.065, 0.090) * (0.85 if child else 1),
        smile=between(-0.004, 0.022), hair_style=int(rng.integers(4)), collar=int(rng.integers(3)),
        glasses=not child and bool(rng.random() < 0.2),
    )  # fmt: skip


def _varied(rng: Generator, colour: Colour) -> Colour:
    """A colour a little beside another."""
    red, green, blue = (int(np.clip(part + rng.integers(-9, 10), 0, 255)) for part in colour)
    return red, green, blue


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, int(part * factor)) for part in colour)
    return red, green, blue


class _Canvas:
    """A white frame on which x runs from -0.5 to 0.5 and y from 0 downwards, in widths of the frame."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (WIDTH * _ZOOM, HEIGHT * _ZOOM), "white")
        self._pen = ImageDraw.Draw(self.image)
        self._unit = WIDTH * _ZOOM

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return (x + 0.5) * self._unit, y * self._unit

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        self._pen.ellipse([self._at(x - rx, y - ry), self._at(x + rx, y + ry)], fill=colour)

    def half_oval(self, x: float, y: float, rx: float, ry: float, span: tuple[int, int], colour: Colour) -> None:
        self._pen.pieslice([self._at(x - rx, y - ry), self._at(x + rx, y + ry)], *span, fill=colour)

    def arc(self, x: float, y: float, rx: float, ry: float, span: tuple[int, int], pen: tuple[Colour, float]) -> None:
        box = [self._at(x - rx, y - ry), self._at(x + rx, y + ry)]
        self._pen.arc(box, *span, fill=pen[0], width=max(1, round(pen[1] * self._unit)))

    def shape(self, points: list[tuple[float, float]], colour: Colour) -> None:
        self._pen.polygon([self._at(x, y) for x, y in points], fill=colour)

    def mirrored(self, points: list[tuple[float, float]], colour: Colour) -> None:
        self.shape(points, colour)
        self.shape([(-x, y) for x, y in points], colour)


_MIDDLE: Final = 0.56  # height of the eyes' line, from the top, in widths


def _drawn(face: _Face) -> Image.Image:
    canvas = _Canvas()
    _back_hair(canvas, face)
    _body(canvas, face)
    _head(canvas, face)
    _front_hair(canvas, face)
    _features(canvas, face)
    if face.group.dark_glasses or face.glasses:
        _glasses(canvas, face)
    softened = canvas.image.filter(ImageFilter.GaussianBlur(1.2))
    return softened.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def _back_hair(canvas: _Canvas, face: _Face) -> None:
    """Long hair falls behind the ears."""
    if face.group.male or face.hair_style == 0:
        return
    length = (0, 0.30, 0.42, 0.20)[face.hair_style]
    wide = face.width * 1.13
    canvas.oval(0, _MIDDLE - 0.06, wide, face.height * 0.95, face.hair)
    canvas.shape([(-wide, _MIDDLE - 0.06), (wide, _MIDDLE - 0.06), (wide * 0.95, _MIDDLE + length),
                  (-wide * 0.95, _MIDDLE + length)], face.hair)  # fmt: skip


def _body(canvas: _Canvas, face: _Face) -> None:
    """Shoulders, neck and one of three collars."""
    broad = 0.47 if face.group.male else 0.42
    if face.group.age == "child":
        broad = 0.38
    neck = _shade(face.skin, 0.88)
    canvas.oval(0, 1.30, broad, 0.30, face.cloth)
    canvas.shape([(-0.105, 0.78), (0.105, 0.78), (0.13, 1.06), (-0.13, 1.06)], neck)
    canvas.oval(0, 1.05, 0.13, 0.05, neck)
    if face.collar == 0:
        canvas.mirrored([(0, 1.13), (-0.13, 1.00), (-0.20, 1.06), (-0.07, 1.19)], (242, 242, 244))
    elif face.collar == 1:
        canvas.mirrored([(0, 1.12), (-0.135, 0.98), (-0.22, 1.05), (-0.10, 1.24)], _shade(face.cloth, 0.75))
    else:
        canvas.arc(0, 1.05, 0.15, 0.07, (0, 180), (_shade(face.cloth, 0.7), 0.02))


def _head(canvas: _Canvas, face: _Face) -> None:
    """Ears, skull and jaw, with a soft cheek."""
    ear = _shade(face.skin, 0.93)
    for side in (-1, 1):
        canvas.oval(side * face.width * 1.0, _MIDDLE + 0.03, 0.036, 0.068, ear)
        canvas.oval(side * face.width * 1.01, _MIDDLE + 0.03, 0.018, 0.042, _shade(face.skin, 0.82))
    top, chin = _MIDDLE - 0.02, _MIDDLE + 0.30 + 0.02 * face.group.male
    canvas.oval(0, top, face.width, face.height * 0.92, face.skin)
    jaw = face.width * face.chin
    canvas.shape([(-face.width, top), (face.width, top), (face.width * 0.93, _MIDDLE + 0.16), (jaw, chin - 0.03),
                  (-jaw, chin - 0.03), (-face.width * 0.93, _MIDDLE + 0.16)], face.skin)  # fmt: skip
    canvas.oval(0, chin - 0.06, jaw * 1.03, 0.075, face.skin)
    blush = (min(255, face.skin[0] + 4), max(0, face.skin[1] - 12), max(0, face.skin[2] - 10))
    for side in (-1, 1):
        canvas.oval(side * face.width * 0.6, _MIDDLE + 0.13, 0.045, 0.032, blush)


def _front_hair(canvas: _Canvas, face: _Face) -> None:
    """The hairline; old men may be bald above it."""
    top, wide = _MIDDLE - 0.02, face.width * 1.05
    bald = face.group.male and face.group.age == "old" and face.hair_style == 3
    if bald:
        for side in (-1, 1):
            canvas.oval(side * face.width * 0.98, _MIDDLE - 0.08, 0.035, 0.10, face.hair)
        return
    canvas.half_oval(0, top, wide, face.height, (180, 360), face.hair)
    low = _MIDDLE - (0.115, 0.14, 0.10, 0.13)[face.hair_style]
    forehead = face.width * (0.9 if face.group.male else 0.84)
    canvas.oval(0, low + 0.125, forehead, 0.145, face.skin)
    canvas.shape([(-face.width * 0.97, _MIDDLE - 0.01), (face.width * 0.97, _MIDDLE - 0.01),
                  (forehead, low + 0.10), (-forehead, low + 0.10)], face.skin)  # fmt: skip
    if face.hair_style == 1:
        canvas.shape([(-forehead * 0.98, low + 0.10), (-0.05, low - 0.05), (forehead * 0.9, low + 0.02),
                      (0.02, low + 0.015)], face.hair)  # fmt: skip
    elif face.hair_style == 2 and face.group.age != "old":
        canvas.half_oval(0, low + 0.02, forehead * 0.98, 0.055, (0, 180), face.hair)


def _features(canvas: _Canvas, face: _Face) -> None:
    """Brows, eyes, nose, mouth; lines of age."""
    line = _shade(face.skin, 0.66)
    for side in (-1, 1):
        x = side * face.eye_gap
        canvas.arc(x, _MIDDLE - 0.045, 0.058, 0.030, (200, 340), (_shade(face.hair, 0.9), face.brow))
        canvas.oval(x, _MIDDLE, face.eye_size * 1.35, face.eye_size * 0.66, (250, 250, 248))
        canvas.oval(x, _MIDDLE, face.eye_size * 0.62, face.eye_size * 0.62, (46, 30, 22))
        canvas.oval(x + 0.006, _MIDDLE - 0.006, 0.005, 0.005, (255, 255, 255))
        canvas.arc(x, _MIDDLE + 0.002, face.eye_size * 1.42, face.eye_size * 0.8, (195, 345), ((30, 22, 20), 0.007))
        if face.group.age == "old":
            canvas.arc(x, _MIDDLE + 0.02, 0.048, 0.030, (40, 140), (_shade(face.skin, 0.8), 0.005))
            canvas.arc(side * 0.075, _MIDDLE + 0.15, 0.035, 0.07, (290, 60) if side > 0 else (120, 250),
                       (_shade(face.skin, 0.78), 0.006))  # fmt: skip
    canvas.arc(0, _MIDDLE + 0.10, face.nose, 0.026, (20, 160), (line, 0.009))
    canvas.arc(-0.012, _MIDDLE + 0.05, 0.018, 0.06, (110, 180), (_shade(face.skin, 0.85), 0.006))
    lips: Colour = (178, 92, 88) if face.group.male else (196, 72, 78)
    y = _MIDDLE + 0.185
    canvas.oval(0, y, face.mouth, 0.015, lips)
    canvas.arc(0, y - face.smile, face.mouth * 1.05, 0.006 + face.smile, (10, 170), (_shade(lips, 0.6), 0.006))


def _glasses(canvas: _Canvas, face: _Face) -> None:
    """Dark glasses cover the eyes; ordinary ones are a frame."""
    frame: Colour = (40, 38, 40)
    for side in (-1, 1):
        x = side * face.eye_gap
        if face.group.dark_glasses:
            canvas.oval(x, _MIDDLE + 0.005, 0.082, 0.062, (28, 28, 32))
        else:
            canvas.arc(x, _MIDDLE + 0.005, 0.080, 0.060, (0, 360), (frame, 0.009))
        canvas.shape([(x + side * 0.078, _MIDDLE - 0.008), (side * face.width * 1.0, _MIDDLE - 0.02),
                      (side * face.width * 1.0, _MIDDLE - 0.008), (x + side * 0.078, _MIDDLE + 0.004)],
                     frame)  # fmt: skip
    canvas.arc(0, _MIDDLE, 0.042, 0.02, (200, 340), (frame, 0.010))
