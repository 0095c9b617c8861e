"""A letter as text, as HTML for a screen reader and for print, and as lines for Braille. Pure."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

from zhengka.letters.rules import LANGUAGES, Recipient, Words

NORMAL, LARGE = 14, 18
"""Type size in points (GB/T 37668-2019, large print: 大字版)."""
MISSING: Final = "〓"
"""What printers set for a character that no font has (缺字符)."""

_SCREEN: Final = "body{max-width:40em;margin:2em auto;padding:0 1em;font-size:125%;line-height:1.7}"
_PAPER: Final = """
@page { size: A4; margin: 20mm 22mm }
body { margin: 0; font-family: %(families)s; font-size: 14pt; line-height: 1.6; overflow-wrap: anywhere }
section { break-before: page }
section:first-child { break-before: auto }
section.large { font-size: 18pt }
.window { min-height: 35mm; width: 110mm; margin: 25mm 0 12mm; font-size: 14pt; line-height: 1.4 }
.window p { margin: 0 }
h1 { font-size: 1.45em; line-height: 1.3; margin: 0 0 0.8em }
p { margin: 0 0 0.45em; orphans: 2; widows: 2 }
.close { margin-top: 1.6em; text-align: right; break-inside: avoid }
"""
"""Address in the window of a DL envelope (GB/T 1416-2003: 220 mm × 110 mm) when the sheet is folded in three."""


class Sheet(NamedTuple):
    """One letter to one recipient."""

    words: Words
    recipient: Recipient


def plain(words: Words) -> str:
    """The letter as text, a paragraph a line."""
    return "\n".join(lines(words)) + "\n"


def lines(words: Words) -> list[str]:
    """Title, greeting, paragraphs, office and day: what a voice or a Braille printer goes through, in order."""
    return [words.title, *filter(None, [words.greeting]), *words.paragraphs, words.office, words.day]


def screen(words: Words) -> str:
    """The letter as one HTML document that needs nothing else and runs nothing."""
    return _document(words.language, words.title, _SCREEN, [f"<main>{_said(words)}</main>"])


def paper(sheets: Sequence[Sheet], *, title: str, families: Iterable[str], faces: str = "") -> str:
    """Letters as one HTML document to print, each on its own sheets; `faces`: CSS that says where the families are.

    `title` stands in the title bar of a reader: no name of a person.
    """
    style = faces + _PAPER % {"families": ", ".join(families)}
    return _document(sheets[0].words.language, title, style, [_sheet(sheet) for sheet in sheets])


def _sheet(sheet: Sheet) -> str:
    to = "".join(f"<p>{escape(line)}</p>" for line in (sheet.recipient.address, sheet.recipient.name) if line)
    size = ' class="large"' if sheet.recipient.large else ""
    return (f'<section lang="{LANGUAGES[sheet.words.language]}"{size}><div class="window">{to}</div>'
            f"{_said(sheet.words)}</section>")


def _said(words: Words) -> str:
    body = "".join(f"<p>{escape(text)}</p>" for text in filter(None, [words.greeting, *words.paragraphs]))
    return f'<h1>{escape(words.title)}</h1>{body}<p class="close">{escape(words.office)}<br>{escape(words.day)}</p>'


def _document(language: str, title: str, style: str, parts: Iterable[str]) -> str:
    return (f'<!doctype html><html lang="{LANGUAGES[language]}"><head><meta charset="utf-8">'
            f"<title>{escape(title)}</title><style>{style}</style></head><body>{''.join(parts)}</body></html>")
