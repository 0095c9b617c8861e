"""What a face is drawn on: the few acts that a printer's file and a screen's picture have in common."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from zhengka.formats.qr import Modules
from zhengka.production.faces.fitting import Line
from zhengka.production.faces.photos import Photo

Point = tuple[float, float]


class Box(NamedTuple):
    """A rectangle in millimetres, from the upper left corner of the card."""

    x: float
    y: float
    width: float
    height: float


class Surface(Protocol):
    """One side of one card. Places in millimetres from the upper left corner, colours as `#RRGGBB`."""

    def fill(self, box: Box, colour: str, radius: float = 0.0) -> None:
        """A filled rectangle with corners of `radius`."""

    def gradient(self, box: Box, start: str, end: str) -> None:
        """A rectangle that goes from `start` above to `end` below."""

    def strokes(self, paths: Sequence[Sequence[Point]], colour: str, width: float) -> None:
        """Fine lines along points."""

    def area(self, rings: Sequence[Sequence[Point]], colour: str) -> None:
        """What lies within closed rings, an inner one a hole (even-odd)."""

    def text(self, line: Line) -> None:
        """One line of type; its colour is resolved already."""

    def photo(self, box: Box, photo: Photo) -> None:
        """The photo, filling the box, what is too much cut off evenly."""

    def modules(self, x: float, y: float, square: Modules) -> None:
        """The black modules of a code whose upper left module begins at (x, y)."""

    def dots(self, points: Sequence[Point], diameter: float) -> None:
        """Raised dots of Braille."""
