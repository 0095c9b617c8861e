"""Marks drawn elsewhere, as SVG (合作方标识): filled areas and nothing else, read strictly.

What a drawing program writes besides (styles, groups that are moved, text, pictures, scripts, references to other
files) is refused by name: a mark must look the same as PDF, as picture and on the screen, and brings no program along.
Source: SVG 1.1 (W3C, 2011), sections 8.3 paths and 9 basic shapes, of which these are a part.
"""

import math
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

Point = tuple[float, float]
Ring = tuple[Point, ...]

MOST_BYTES: Final = 65_536
MOST_POINTS: Final = 20_000
_SPACE: Final = "{http://www.w3.org/2000/svg}"
_SHAPES: Final = {"path": ("d",), "rect": ("x", "y", "width", "height"), "circle": ("cx", "cy", "r"),
                  "ellipse": ("cx", "cy", "rx", "ry"), "polygon": ("points",)}
_SAID: Final = ("title", "desc")
_COLOUR: Final = re.compile("#[0-9A-Fa-f]{6}")
_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TOKEN: Final = re.compile(rf"\s*,?\s*([MmLlHhVvCcSsQqTtZz]|{_NUMBER})")
_TAKES: Final = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2}
_STEPS: Final = 12
"""Straight pieces by which a curve is drawn: on a mark of ten millimetres none is a dot of the printer off."""
_ROUND: Final = 72


class ArtBroken(ValueError):
    """A drawing that cannot be used: `code` says why, `where` names element or attribute."""

    def __init__(self, code: str, where: str) -> None:
        super().__init__(f"{where}: {code}")
        self.code, self.where = code, where


class Area(NamedTuple):
    """A filled area: rings of points, of which an inner one is a hole (even-odd), and its colour (`#RRGGBB`)."""

    colour: str
    rings: tuple[Ring, ...]


class Art(NamedTuple):
    """A drawing of some width and height in units of its own, from the upper left corner."""

    width: float
    height: float
    areas: tuple[Area, ...]

    def fitted(self, width: float, height: float) -> tuple[Area, ...]:
        """The areas as large as they go into a box, in its middle, in the units of the box."""
        scale = min(width / self.width, height / self.height)
        right, down = (width - scale * self.width) / 2, (height - scale * self.height) / 2
        return tuple(Area(area.colour, tuple(tuple((right + scale * x, down + scale * y) for x, y in ring)
                                             for ring in area.rings)) for area in self.areas)


def read(path: Path) -> Art:
    """A drawing, checked to the last attribute. Raises ArtBroken: `svg-missing`, `svg-large`, `svg-broken`,
    `svg-element` and `svg-attribute` for what may not be in it, `svg-colour`, `svg-fill-rule`, `svg-shape`,
    `svg-outside`.
    """
    if not path.is_file():
        raise ArtBroken("svg-missing", path.name)
    if path.stat().st_size > MOST_BYTES:
        raise ArtBroken("svg-large", path.name)
    try:
        root = fromstring(path.read_bytes(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise ArtBroken("svg-broken", path.name) from None
    if root.tag != f"{_SPACE}svg":
        raise ArtBroken("svg-element", f"{path.name}: {_name(root)}")
    _allowed(root, ("viewBox", "width", "height", "version"))
    left, top, *size = _numbers(root.get("viewBox", ""), "viewBox")
    if len(size) != 2 or (left, top) != (0, 0) or min(size) <= 0:
        raise ArtBroken("svg-broken", "viewBox")
    areas = tuple(_area(element) for element in _drawn(root))
    points = [point for area in areas for ring in area.rings for point in ring]
    if not points or len(points) > MOST_POINTS:
        raise ArtBroken("svg-large" if points else "svg-shape", path.name)
    if not all(-1e-6 <= x <= size[0] + 1e-6 and -1e-6 <= y <= size[1] + 1e-6 for x, y in points):
        raise ArtBroken("svg-outside", path.name)
    return Art(size[0], size[1], areas)


def _drawn(root: Element) -> Iterator[Element]:
    """The shapes of a drawing, in their order; what is said of it besides is left out."""
    for element in root:
        name = _name(element)
        if name in _SAID and not len(element):
            continue
        if name not in _SHAPES or len(element) or (element.text or "").strip():
            raise ArtBroken("svg-element", name)
        yield element


def _area(element: Element) -> Area:
    name = _name(element)
    _allowed(element, (*_SHAPES[name], "id", "fill", "fill-rule"))
    colour = element.get("fill", "")
    if not _COLOUR.fullmatch(colour):
        raise ArtBroken("svg-colour", f"{name}: {colour}")
    if name in ("path", "polygon") and element.get("fill-rule") != "evenodd":
        raise ArtBroken("svg-fill-rule", name)  # the other rule is drawn otherwise by one of our surfaces
    return Area(colour.upper(), _rings(name, element.attrib))


def _rings(name: str, told: Mapping[str, str]) -> tuple[Ring, ...]:
    if name == "path":
        return tuple(_path(told.get("d", "")))
    if name == "polygon":
        numbers = _numbers(told.get("points", ""), name)
        if len(numbers) < 6 or len(numbers) % 2:
            raise ArtBroken("svg-shape", name)
        return (tuple(zip(numbers[::2], numbers[1::2], strict=True)),)
    figures = [figure for key in _SHAPES[name] for figure in _numbers(told.get(key, "0"), name)]
    if len(figures) != len(_SHAPES[name]) or min(figures[2:]) <= 0:
        raise ArtBroken("svg-shape", name)
    x, y, wide, high = figures if len(figures) == 4 else (*figures, figures[2])  # a circle has one radius
    if name == "rect":
        return (((x, y), (x + wide, y), (x + wide, y + high), (x, y + high)),)
    turns = [2 * math.pi * n / _ROUND for n in range(_ROUND)]
    return (tuple((x + wide * math.cos(turn), y + high * math.sin(turn)) for turn in turns),)


def _path(data: str) -> Iterator[Ring]:
    """The rings of a path: each is closed, whether it says so or not, for it is filled."""
    ring: list[Point] = []
    for command, points in _pieces(data):
        if command == "M" and ring:
            yield _closed(ring)
            ring = []
        ring += points
    yield _closed(ring)


def _closed(ring: list[Point]) -> Ring:
    if len(ring) < 3:
        raise ArtBroken("svg-shape", "path")
    return tuple(ring)


def _pieces(data: str) -> Iterator[tuple[str, list[Point]]]:
    """The commands of a path in absolute places, curves as points on them."""
    start = here = handle = (0.0, 0.0)
    before = ""
    for letter, numbers in _commands(data):
        command, base = letter.upper(), here if letter.islower() else (0.0, 0.0)
        if command == "Z":
            here, before = start, command
            continue
        if before in ("", "Z") and command != "M":
            raise ArtBroken("svg-shape", f"path: {letter}")
        places = _places(command, numbers, base, here)
        if command in "ST":  # the handle is the last one, mirrored, or there is none
            same = before in ("CS" if command == "S" else "QT")
            places.insert(0, (2 * here[0] - handle[0], 2 * here[1] - handle[1]) if same else here)
        handle = places[-2] if len(places) > 1 else places[-1]
        points = _curve([here, *places]) if len(places) > 1 else places
        yield command, points
        here, before = places[-1], command
        start = here if command == "M" else start


def _places(command: str, numbers: list[float], base: Point, here: Point) -> list[Point]:
    if command == "H":
        return [(base[0] + numbers[0], here[1])]
    if command == "V":
        return [(here[0], base[1] + numbers[0])]
    return [(base[0] + x, base[1] + y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]


def _curve(points: list[Point]) -> list[Point]:
    """Points on a Bézier curve of these handles (de Casteljau), without its first."""
    found = []
    for step in range(1, _STEPS + 1):
        share, left = step / _STEPS, points
        while len(left) > 1:
            left = [(a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))
                    for a, b in pairwise(left)]
        found.append(left[0])
    return found


def _commands(data: str) -> Iterator[tuple[str, list[float]]]:
    """Each command with the numbers that it takes; one that is not repeated is said once (SVG 1.1, 8.3.1)."""
    words, place = list[str](), 0
    while data[place:].strip():
        if not (found := _TOKEN.match(data, place)) or len(words) > MOST_POINTS:
            raise ArtBroken("svg-shape", f"path: {data[place:place + 12]}")
        words.append(found[1])
        place = found.end()
    letter, place = "", 0
    while place < len(words):
        if words[place].isalpha():
            letter, place = words[place], place + 1
        elif letter.upper() == "M":
            letter = "l" if letter == "m" else "L"
        takes = _TAKES.get(letter.upper(), 0)
        numbers, place = words[place:place + takes], place + takes
        if not letter or len(numbers) < takes or any(word.isalpha() for word in numbers) or (
                not takes and place < len(words) and not words[place].isalpha()):
            raise ArtBroken("svg-shape", "path")
        yield letter, [float(word) for word in numbers]


def _allowed(element: Element, names: tuple[str, ...]) -> None:
    for name in element.attrib:
        if name not in names:
            raise ArtBroken("svg-attribute", f"{_name(element)}: {name.rpartition('}')[2]}")


def _numbers(text: str, where: str) -> list[float]:
    words = text.replace(",", " ").split()
    if not words or not all(re.fullmatch(_NUMBER, word) for word in words):
        raise ArtBroken("svg-shape", where)
    return [float(word) for word in words]


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
