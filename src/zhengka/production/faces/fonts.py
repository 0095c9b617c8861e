"""The fonts of the faces: which one draws a character, how wide it is, and which characters none can draw."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from django.conf import settings
from reportlab.pdfbase import ttfonts
from reportlab.pdfbase.ttfonts import TTFont

MAIN: Final = "NotoSansSC-Regular.ttf"
RARE: Final = ("HanaMinA.ttf", "HanaMinB.ttf")
"""Fonts of rare characters (生僻字), asked in this order after the main one: Unicode planes 0 and 2."""
INSTALLED: Final = Path("/usr/share/fonts/truetype/hanazono")
_NO_GLYPH: Final = frozenset(("Mn", "Me", "Cc", "Cf", "Co", "Cs", "Cn"))


T = TypeVar("T")
_to_unicode = ttfonts.makeToUnicodeCMap


def _in_utf16(font: str, subset: Sequence[int]) -> str:
    """ReportLab writes code points beyond the first plane as they are; PDF wants UTF-16 (ISO 32000-1, 9.10.3)."""
    return str(_to_unicode(font, [int.from_bytes(chr(code).encode("utf-16-be")) for code in subset]))


ttfonts.makeToUnicodeCMap = _in_utf16  # type: ignore[assignment]


class Glyph(NamedTuple):
    """Which font of the stack draws a character, and its advance in thousandths of the size."""

    font: int
    width: float


class _Kept(dict[str, T]):
    """What a function says of a character, asked once."""

    def __init__(self, ask: Callable[[str], T]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, character: str) -> T:
        """Ask, and keep the answer."""
        self[character] = found = self._ask(character)
        return found


class FontStack:
    """Fonts asked one after another for each character."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.fonts = [TTFont(path.stem, str(path)) for path in paths]
        self._glyphs = _Kept(self._find)
        self._widths = _Kept(self._advance)

    def glyph(self, character: str) -> Glyph | None:
        """Who draws the character; None where nobody does, or only as an empty box."""
        return self._glyphs[character]

    def missing(self, text: str) -> list[str]:
        """The code points (`U+20BB7`) of the text's characters that no font draws."""
        return [f"U+{ord(character):04X}" for character in text if self.glyph(character) is None]

    def width(self, text: str, size: float, spacing: float = 0.0) -> float:
        """Width in points; ValueError for a character without a glyph."""
        total: float = sum(map(self._widths.__getitem__, text))
        return total * size / 1000 + spacing * max(len(text) - 1, 0)

    def runs(self, text: str) -> list[tuple[TTFont, str]]:
        """The text in pieces of one font each."""
        places = [found.font if found else 0 for found in map(self._glyphs.__getitem__, text)]
        pieces = groupby(zip(places, text, strict=True), key=itemgetter(0))
        return [(self.fonts[place], "".join([character for _, character in piece])) for place, piece in pieces]

    def _advance(self, character: str) -> float:
        found = self.glyph(character)
        if found is None:
            raise ValueError(f"no font draws U+{ord(character):04X}")
        return found.width

    def _find(self, character: str) -> Glyph | None:
        code = ord(character)
        if unicodedata.category(character) in _NO_GLYPH and not 0x20000 <= code < 0x40000:
            return None  # a mark would need shaping; what is invisible does not belong on a card
        for place, font in enumerate(self.fonts):
            face = font.face
            glyph = face.charToGlyph.get(code, 0)
            drawn = glyph and (character.isspace() or face.glyphPos[glyph + 1] > face.glyphPos[glyph])
            if drawn:
                return Glyph(place, face.charWidths.get(code, face.defaultWidth))
        return None


@cache
def fonts() -> FontStack:
    """The fonts of this installation: Noto Sans SC of `data/fonts`, then HanaMin where it is there."""
    rare = [found for name in RARE if (found := _where(name))]
    return FontStack([Path(settings.DATA) / "fonts" / MAIN, *rare])


def _where(name: str) -> Path | None:
    return next((folder / name for folder in (INSTALLED, Path(settings.HOME) / "fonts") if (folder / name).is_file()),
                None)


def coverage(texts: Iterable[str]) -> list[list[str]]:
    """For each text the code points that no font can draw; all empty means that everything can be printed."""
    return [fonts().missing(text) for text in texts]
