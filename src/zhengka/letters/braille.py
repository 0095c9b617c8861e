"""Braille files (盲文文件, BRF): cells in lines of 40 and pages of 25, in the ASCII that embossers read. Pure.

Chinese cells are those of the National Common Braille Scheme (国家通用盲文方案, GF 0019-2018): a syllable is an
initial, a final and a tone, and initials and finals are different cells: a syllable's beginning can be seen.
"""

from collections.abc import Iterable, Sequence
from typing import Final

WIDTH, HEIGHT = 40, 25
"""Cells in a line, lines on a page: the sheet of most embossers."""
INDENT: Final = 2
"""Cells before a paragraph."""
BLANK: Final = "\u2800"
HYPHEN: Final = "⠤"
"""At the end of a line whose last word goes on (连接号)."""
NUMBER: Final = "⠼"

_ASCII: Final = " A1B'K2L@CIF/MSP\"E3H9O6R^DJG>NTQ,*5<-U8V.%[$+X!&;:4\\0Z7(_?W]#Y)="
"""North American ASCII Braille, by Unicode pattern from U+2800 on."""
_INITIALS: Final = frozenset("⠃⠏⠍⠋⠙⠞⠝⠇⠛⠅⠓⠌⠟⠱⠚⠵⠉⠎")
_DIGITS: Final = frozenset("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚")


def file(paragraphs: Sequence[str]) -> bytes:
    """A letter's paragraphs in cells (Unicode, six dots), the first one its title, as a BRF."""
    return to_ascii(pages(paragraphs))


def pages(paragraphs: Sequence[str]) -> list[list[str]]:
    """Pages of lines of cells. A letter of more than one page has its page's number in the last line."""
    title, *rest = paragraphs
    rows = [_centred(row) for row in wrap(title, first=0, width=WIDTH - 4)] + [""]
    for paragraph in rest:
        rows += wrap(paragraph)
    if len(rows) <= HEIGHT:
        return [rows]
    room = HEIGHT - 1
    return [rows[start:start + room] + [""] * max(start + room - len(rows), 0) + [_page_number(start // room + 1)]
            for start in range(0, len(rows), room)]


def to_ascii(found: Iterable[Sequence[str]]) -> bytes:
    """Pages as bytes: lines end in CR LF, pages in a form feed."""
    return "".join("".join(_line(row) + "\r\n" for row in page) + "\f" for page in found).encode("ascii")


def _line(row: str) -> str:
    return "".join(_ASCII[ord(cell) - 0x2800] for cell in row).rstrip()


def _centred(row: str) -> str:
    return BLANK * ((WIDTH - len(row)) // 2) + row


def _page_number(number: int) -> str:
    shown = NUMBER + "".join("⠚⠁⠃⠉⠙⠑⠋⠛⠓⠊"[int(digit)] for digit in str(number))
    return BLANK * (WIDTH - len(shown)) + shown


def wrap(cells: str, *, first: int = INDENT, width: int = WIDTH) -> list[str]:
    """The cells in lines of at most `width`, the first one indented. A word that would leave more than a quarter of a
    line empty, or fills more than a line, goes on behind a hyphen from a syllable on, or from anywhere if it has none.
    """
    rows, row, begun = [], BLANK * first, False
    for word in filter(None, cells.split(BLANK)):
        left = word
        while left:
            room = width - len(row) - begun
            if len(left) <= room:
                row, begun, left = row + BLANK * begun + left, True, ""
                continue
            if cut := _cut(left, room - 1) if room > width // 4 or len(left) > width else 0:
                row, left = row + BLANK * begun + left[:cut] + HYPHEN, left[cut:]
            elif not begun:
                row, left = row + left[:room], left[room:]
            rows.append(row)
            row, begun = "", False
    return [*rows, row] if begun else rows


def _cut(word: str, most: int) -> int:
    """Where the last syllable begins of which no more than `most` cells stand before; 0 where none does."""
    found, in_number = 0, False
    for place, cell in enumerate(word[:most + 1]):
        if cell == NUMBER:
            in_number = not place or word[place - 1] not in _INITIALS  # the final of zheng is the sign of numbers, too
        elif in_number:
            in_number = cell in _DIGITS
        if place and cell in _INITIALS and not in_number:
            found = place
    return found
