"""The camera at the end of the line (成品检测): it looks at both sides of every finished card.

The stand-in's print is a PDF, so its camera looks at the pages: texts through the fonts' own tables, the photo's bytes,
and the code as the black squares that are drawn, read by a program that knows QR codes and nothing of us.
"""

import io
import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pikepdf
import zxingcpp

from zhengka.formats import qr
from zhengka.formats.shown import Shown, shown
from zhengka.formats.suites import Suite

_TEXT: Final = re.compile(rb"/(\S+) [\d.]+ Tf <([0-9a-f]*)> Tj")
_PLACED: Final = re.compile(rb"/(\S+) Do\b")
_SQUARES: Final = re.compile(rb" cm ((?:[ \d]+ re )+)f Q")
_UNICODE: Final = re.compile(rb"<([0-9A-Fa-f]{2})> <([0-9A-Fa-f]{4,8})>")
_FORMAT: Final = zxingcpp.barcode_formats_from_str("QRCode")
_QUIET = qr.QUIET_ZONE

Glyphs = dict[str, dict[int, str]]
"""Name of a font on the pages → code → character (ISO 32000-1, 9.10.3)."""


class NotPrinted(ValueError):
    """The faces are no document of two pages a card."""


def look(pdf: bytes, suite: Suite, salt: bytes) -> list[Shown]:
    """What each card of a member shows, in the order of its pages, front and back. NotPrinted."""
    try:
        with pikepdf.open(io.BytesIO(pdf)) as document:
            pages = list(document.pages)
            if len(pages) % 2:
                raise NotPrinted("a page has no other side")
            glyphs: Glyphs = {}
            sides = [_Side(page, glyphs) for page in pages]
            return [shown(suite, salt, [*front.texts, *back.texts], front.photo + back.photo, front.code + back.code)
                    for front, back in zip(sides[::2], sides[1::2], strict=True)]
    except pikepdf.PdfError:
        raise NotPrinted("the faces are no PDF") from None


class _Side:
    """One printed side: what is this card's own on it."""

    def __init__(self, page: pikepdf.Page, glyphs: Glyphs) -> None:
        drawn, resources = page.obj.Contents.read_bytes(), page.obj.Resources
        self.texts = list(_texts(drawn, resources, glyphs))
        self.photo = b"".join(_photos(drawn, resources))
        self.code = b"".join(map(_payload, _SQUARES.findall(drawn)))


def _texts(drawn: bytes, resources: Any, glyphs: Glyphs) -> Iterator[str]:
    for name, codes in _TEXT.findall(drawn):
        font = name.decode()
        if font not in glyphs:
            table = resources.Font[f"/{font}"].ToUnicode.read_bytes()
            glyphs[font] = {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be")
                            for code, text in _UNICODE.findall(table, table.index(b"beginbfchar"))}
        yield "".join([glyphs[font][code] for code in bytes.fromhex(codes.decode())])


def _photos(drawn: bytes, resources: Any) -> Iterator[bytes]:
    for name in _PLACED.findall(drawn):
        found = resources.XObject[f"/{name.decode()}"]
        if found.Subtype == "/Image":
            yield found.read_raw_bytes()


def _payload(squares: bytes) -> bytes:
    """The payload of the code that these rectangles draw, each one module high; nothing where they draw none."""
    column, row, width, _ = np.fromstring(squares.replace(b"re", b""), dtype=np.int32, sep=" ").reshape(-1, 4).T
    side = int((column + width).max())
    if int(row.max()) >= side or side > qr.CARD.side:
        return b""
    edges = np.zeros((side, side + 1), dtype=np.int8)
    edges[row, column] += 1
    edges[row, column + width] -= 1
    picture = np.full((side + 2 * _QUIET,) * 2, 255, dtype=np.uint8)
    picture[_QUIET:-_QUIET, _QUIET:-_QUIET] -= 255 * edges.cumsum(axis=1, dtype=np.uint8)[:, :-1]
    try:
        return b"".join([qr.from_text(code.text) for code in zxingcpp.read_barcodes(
            picture, formats=_FORMAT, is_pure=True, binarizer=zxingcpp.Binarizer.BoolCast)])
    except qr.BadQr:
        return b""
