"""Faces as vector PDF: constant art once as a form, photos passed through, QR as rectangles of whole dots."""

import hashlib
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from reportlab import rl_config
from reportlab.lib.colors import CMYKColorSep, HexColor
from reportlab.pdfbase import pdfdoc, pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from zhengka.formats import symbol
from zhengka.formats.qr import Modules
from zhengka.production.faces.fitting import Line
from zhengka.production.faces.fonts import FontStack
from zhengka.production.faces.layout import DOT, POINT
from zhengka.production.faces.photos import Photo
from zhengka.production.faces.surface import Box, Point

DOTS_PER_MODULE: Final = 4
MODULE: Final = DOTS_PER_MODULE * DOT
"""Millimetres of a module of the QR code: four whole dots at 300 dpi, never scaled by the layout."""
RAISED: Final = CMYKColorSep(0.0, 0.0, 0.0, 0.28, spotName="Braille")
"""The spot colour by which the embossing unit finds the dots; on the screen a light grey."""


QUICK: Final = 1
"""Level of compression: a page comes out a quarter larger than at the usual level, in a third of the time."""

Inner = Any
"""A ReportLab canvas or object whose inner parts are used: its public ones would cost half of the speed."""

rl_config.useA85 = 0  # binary streams: a quarter smaller, and quicker


def new_canvas(out: BinaryIO, width: float, height: float, stack: FontStack) -> Inner:
    """An empty document with pages of this size in millimetres. The same content makes the same bytes."""
    pdfmetrics.registerFont(stack.fonts[0])  # else ReportLab names Helvetica, which nobody embeds
    maker: Inner = Canvas
    return maker(out, pagesize=(round(width / POINT, 4), round(height / POINT, 4)), pageCompression=1, invariant=1,
                 initialFontName=stack.fonts[0].fontName)


def end_form(canvas: Inner) -> None:
    """Close a form with the shadings and spot colours that it uses: ReportLab gives those to pages only."""
    resources = pdfdoc.PDFResourceDictionary()
    resources.basicFonts()
    resources.setColorSpace(canvas._colorsUsed)
    resources.setShading(canvas._shadingUsed)
    canvas.endForm(Resources=resources)


class _Ready(pdfdoc.PDFObject):
    """An object of the document whose bytes are known already: ReportLab would put them together piece by piece."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def format(self, _document: Inner) -> bytes:
        """What stands in the file."""
        return self._data


def _stream(about: bytes, content: bytes) -> _Ready:
    return _Ready(b"<< %b /Length %d >>\nstream\n%b\nendstream\n" % (about, len(content), content))


def end_page(canvas: Inner) -> None:
    """Close a page on which `PdfSurface` alone has drawn: `Canvas.showPage` without its search for all else."""
    document, (width, height) = canvas._doc, canvas._pagesize
    used = {document.getXObjectName(name) for name in canvas._formsinuse}
    objects = " ".join([f"/{name} {_number(document, name)} 0 R" for name in sorted(used)])
    content = zlib.compress("\n".join(canvas._code).encode("latin-1"), QUICK)
    written = document.Reference(_stream(b"/Filter /FlateDecode", content))
    parent = document.Reference(document.Pages)
    document.addPage(_Ready(
        f"<< /Type /Page /Parent {_number(document, parent.name)} 0 R /MediaBox [ 0 0 {width} {height} ] "
        f"/Resources << /Font {_number(document, pdfdoc.BasicFonts)} 0 R /XObject << {objects} >> >> "
        f"/Contents {_number(document, written.name)} 0 R >>\n".encode()))
    canvas._code, canvas._formsinuse = [], []


def _number(document: Inner, name: str) -> int:
    """The number of an object of the document."""
    return int(document.idToObjectNumberAndVersion[name][0])


class PdfSurface:
    """One side on a page of a ReportLab canvas, or the content of a form."""

    def __init__(self, canvas: Inner, stack: FontStack, height: float) -> None:
        self._canvas, self._stack, self._top = canvas, stack, height
        self._spelled: dict[Line, str] = {}

    def _x(self, x: float) -> float:
        return x / POINT

    def _y(self, y: float) -> float:
        return (self._top - y) / POINT

    def _add(self, code: str) -> None:
        self._canvas._code.append(code)

    def fill(self, box: Box, colour: str, radius: float = 0.0) -> None:
        """See `Surface.fill`."""
        self._canvas.setFillColor(HexColor(colour))
        place = (self._x(box.x), self._y(box.y + box.height), box.width / POINT, box.height / POINT)
        if radius:
            self._canvas.roundRect(*place, radius / POINT, stroke=0, fill=1)
        else:
            self._canvas.rect(*place, stroke=0, fill=1)

    def gradient(self, box: Box, start: str, end: str) -> None:
        """See `Surface.gradient`."""
        canvas = self._canvas
        canvas.saveState()
        path = canvas.beginPath()
        path.rect(self._x(box.x), self._y(box.y + box.height), box.width / POINT, box.height / POINT)
        canvas.clipPath(path, stroke=0, fill=0)
        canvas.linearGradient(self._x(box.x), self._y(box.y), self._x(box.x), self._y(box.y + box.height),
                              (HexColor(start), HexColor(end)), extend=True)
        canvas.restoreState()

    def strokes(self, paths: Sequence[Sequence[Point]], colour: str, width: float) -> None:
        """See `Surface.strokes`."""
        self._canvas.setStrokeColor(HexColor(colour))
        self._canvas.setLineWidth(width / POINT)
        for path in paths:
            points = [f"{self._x(x):.2f} {self._y(y):.2f}" for x, y in path]
            self._add(f"{points[0]} m {' l '.join(points[1:])} l S")

    def area(self, rings: Sequence[Sequence[Point]], colour: str) -> None:
        """See `Surface.area`."""
        self._canvas.setFillColor(HexColor(colour))
        paths = [[f"{self._x(x):.3f} {self._y(y):.3f}" for x, y in ring] for ring in rings]
        self._add(" ".join(f"{path[0]} m {' l '.join(path[1:])} l h" for path in paths) + " f*")

    def text(self, line: Line) -> None:
        """See `Surface.text`."""
        if line not in self._spelled:  # issuer, category and date are the same on many cards
            self._spelled[line] = self._text(line)
        self._add(self._spelled[line])

    def _text(self, line: Line) -> str:
        document, colour = self._canvas._doc, _rgb(line.colour)
        code = ["BT", f"{colour} rg", f"1 0 0 1 {self._x(line.x):.3f} {self._y(line.y):.3f} Tm",
                f"{line.spacing:.2f} Tc"]
        if line.bold:
            code.append(f"2 Tr {colour} RG")
        for font, text in self._stack.runs(line.text):
            if line.bold:  # the fonts of rare characters are lighter than the main one
                code.append(f"{line.size * (0.028 if font is self._stack.fonts[0] else 0.05):.3f} w")
            for subset, codes in font.splitString(text, document):
                code.append(f"{font.getSubsetInternalName(subset, document)} {line.size:.2f} Tf <{codes.hex()}> Tj")
        code.append("0 Tr ET" if line.bold else "ET")
        return " ".join(code)

    def photo(self, box: Box, photo: Photo) -> None:
        """See `Surface.photo`."""
        scale = max(box.width / photo.width, box.height / photo.height) / POINT
        width, height = photo.width * scale, photo.height * scale
        x, y, w, h = self._x(box.x), self._y(box.y + box.height), box.width / POINT, box.height / POINT
        self._add(f"q {x:.2f} {y:.2f} {w:.2f} {h:.2f} re W n {width:.3f} 0 0 {height:.3f} "
                  f"{x - (width - w) / 2:.3f} {y - (height - h) / 2:.3f} cm /{self._image(photo)} Do Q")

    def modules(self, x: float, y: float, square: Modules) -> None:
        """See `Surface.modules`."""
        step, top = MODULE / POINT, round(self._top / POINT, 4)  # as the page's height is written
        self._add(f"q 0 0 0 rg {step:.4f} 0 0 -{step:.4f} {snapped(x) / POINT:.4f} "
                  f"{top - snapped(y) / POINT:.4f} cm {_rectangles(square)}f Q")

    def dots(self, points: Sequence[Point], diameter: float) -> None:
        """See `Surface.dots`."""
        self._canvas.setFillColor(RAISED)
        for x, y in points:
            self._canvas.circle(self._x(x), self._y(y), diameter / 2 / POINT, stroke=0, fill=1)

    def _image(self, photo: Photo) -> str:
        """The name of the photo as an object of the document, in which it is kept once."""
        document = self._canvas._doc
        name = hashlib.sha256(photo.jpeg).hexdigest()
        registered: str = document.getXObjectName(name)
        if registered not in document.idToObject:
            about = (f"/Type /XObject /Subtype /Image /Width {photo.width} /Height {photo.height} /BitsPerComponent 8 "
                     f"/ColorSpace /{'DeviceGray' if photo.grey else 'DeviceRGB'} /Filter /DCTDecode")
            document.Reference(_stream(about.encode(), photo.jpeg), registered)
        self._canvas._formsinuse.append(name)
        return registered


def _rectangles(square: Modules) -> str:
    """The black runs of a code as rectangles, spelled by two tables: where one begins, how wide it is."""
    begins, widths = _spellings(len(square))
    at, wide = symbol.runs(square)
    return np.hstack((begins[at], widths[wide])).tobytes().decode("ascii")


@cache
def _spellings(side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The beginning of a rectangle by its place in rows of side + 1, and the rest of it by its width."""
    begins = [b"%2d %2d " % (place % (side + 1), place // (side + 1)) for place in range(side * (side + 1))]
    widths = [b"%2d 1 re " % width for width in range(side + 1)]
    return (np.frombuffer(b"".join(begins), np.uint8).reshape(len(begins), -1),
            np.frombuffer(b"".join(widths), np.uint8).reshape(len(widths), -1))


def snapped(place: float) -> float:
    """The nearest whole dot, in millimetres from the corner."""
    return round(place / DOT) * DOT


def _rgb(colour: str) -> str:
    return " ".join(f"{int(colour[at:at + 2], 16) / 255:.3f}" for at in (1, 3, 5))
