"""One side as an SVG picture for the staff page: what the PDF shows, in the fonts of the screen."""

import base64
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from zhengka.formats import qr
from zhengka.formats.qr import Modules
from zhengka.production.faces.braille import DIAMETER
from zhengka.production.faces.fitting import Line
from zhengka.production.faces.layout import POINT
from zhengka.production.faces.pdf import MODULE, snapped
from zhengka.production.faces.photos import Photo
from zhengka.production.faces.surface import Box, Point

FAMILY: Final = "'Noto Sans SC','Noto Sans CJK SC','PingFang SC','Microsoft YaHei',HanaMinA,HanaMinB,sans-serif"


class SvgSurface:
    """Collects the parts of the picture; `svg` puts them together."""

    def __init__(self, width: float, height: float) -> None:
        self._size, self._parts, self._names = (width, height), [], 0  # type: tuple[float, float], list[str], int

    def svg(self, title: str) -> str:
        """The whole picture; `title` is what a screen reader says."""
        width, height = self._size
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">'
                f"<title>{escape(title)}</title><defs><clipPath id=\"card\"><rect width=\"{width:g}\" "
                f'height="{height:g}" rx="3.18"/></clipPath></defs><g clip-path="url(#card)">'
                f"{''.join(self._parts)}</g></svg>")

    def fill(self, box: Box, colour: str, radius: float = 0.0) -> None:
        """See `Surface.fill`."""
        self._parts.append(f'<rect {_at(box)} rx="{radius:g}" fill="{colour}"/>')

    def gradient(self, box: Box, start: str, end: str) -> None:
        """See `Surface.gradient`."""
        self._names += 1
        self._parts.append(f'<linearGradient id="g{self._names}" x2="0" y2="1"><stop stop-color="{start}"/>'
                           f'<stop offset="1" stop-color="{end}"/></linearGradient>'
                           f'<rect {_at(box)} fill="url(#g{self._names})"/>')

    def strokes(self, paths: Sequence[Sequence[Point]], colour: str, width: float) -> None:
        """See `Surface.strokes`."""
        data = "".join("M" + " ".join(f"{x:.2f},{y:.2f}" for x, y in path) for path in paths)
        self._parts.append(f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>')

    def area(self, rings: Sequence[Sequence[Point]], colour: str) -> None:
        """See `Surface.area`."""
        data = "".join("M" + " ".join(f"{x:.3f},{y:.3f}" for x, y in ring) + "Z" for ring in rings)
        self._parts.append(f'<path d="{data}" fill="{colour}" fill-rule="evenodd"/>')

    def text(self, line: Line) -> None:
        """See `Surface.text`."""
        bold = f' stroke="{line.colour}" stroke-width="{line.size * POINT * 0.028:.3f}"' if line.bold else ""
        self._parts.append(
            f'<text x="{line.x:.3f}" y="{line.y:.3f}" font-family={quoteattr(FAMILY)} '
            f'font-size="{line.size * POINT:.3f}" textLength="{line.width:.3f}" fill="{line.colour}"{bold} '
            f'xml:space="preserve">{escape(line.text)}</text>')

    def photo(self, box: Box, photo: Photo) -> None:
        """See `Surface.photo`."""
        data = base64.b64encode(photo.jpeg).decode()
        self._parts.append(f'<image {_at(box)} preserveAspectRatio="xMidYMid slice" '
                           f'href="data:image/jpeg;base64,{data}"/>')

    def modules(self, x: float, y: float, square: Modules) -> None:
        """See `Surface.modules`."""
        path = "".join(f"M{column} {row}h{width}v1h-{width}z" for column, row, width in qr.runs(square))
        self._parts.append(f'<path transform="translate({snapped(x):.4f} {snapped(y):.4f}) scale({MODULE:.6f})" '
                           f'd="{path}" shape-rendering="crispEdges"/>')

    def dots(self, points: Sequence[Point], diameter: float = DIAMETER) -> None:
        """See `Surface.dots`."""
        circles = "".join(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{diameter / 2:g}"/>' for x, y in points)
        self._parts.append(f'<g fill="#000" fill-opacity="0.25">{circles}</g>')


def _at(box: Box) -> str:
    return f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"'
