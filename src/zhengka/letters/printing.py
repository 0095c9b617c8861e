"""Letters on paper and in Braille (打印与盲文), made by two programs beside this one: see `press`, and liblouis."""

import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from django.conf import settings
from fontTools.ttLib import TTFont
from pypinyin import Style, lazy_pinyin, pinyin

from zhengka.core.errors import Refusal
from zhengka.letters import braille, rendering
from zhengka.letters.rendering import MISSING, Sheet
from zhengka.letters.rules import Recipient, Words

RARE: Final = ("HanaMinA.ttf", "HanaMinB.ttf")
INSTALLED: Final = Path("/usr/share/fonts/truetype/hanazono")
PATIENCE: Final = 120
"""Seconds that one print run may take; 400 letters take four."""

TABLES: Final = {"zh": "zhcn-cbs.ctb", "en": "en-ueb-g1.ctb"}
"""Braille tables of liblouis: 国家通用盲文方案 (GF 0019-2018), and Unified English Braille, uncontracted."""
UNDEFINED: Final = "⣿"
"""What stands for a character that the table does not know: see data/braille/undefined.ctb."""
STOP: Final = "⠐⠆"


def pdf(sheets: Sequence[Sheet], *, title: str) -> bytes:
    """Letters as one tagged PDF (PDF/UA-1) in large type; `title` names nobody. `Refusal("letter-press-missing")`."""
    faces, families = _faces()
    return _press(rendering.paper([_drawn(sheet) for sheet in sheets], title=title, faces=faces, families=families))


def document(body: str, *, title: str, style: str) -> bytes:
    """Another document than a letter as a tagged PDF (PDF/UA-1), in Chinese. Nothing of it is written to disk.

    `body` is HTML of the caller's own making, in which what came from elsewhere is escaped, without line breaks.
    `Refusal("letter-press-missing")`.
    """
    faces, families = _faces()
    style = f"{faces}body{{font-family:{', '.join(families)}}}{style}"
    return _press(f'<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8"><title>{escape(title)}</title>'
                  f"<style>{style}</style></head><body>{_draw(body)}</body></html>")


def brf(words: Words) -> bytes:
    """One letter as a Braille file. `Refusal("letter-press-missing")`."""
    return braille.file(transcribe(rendering.lines(words), words.language))


def transcribe(lines: Sequence[str], language: str) -> list[str]:
    """Each line in cells of six dots (Unicode). A character that no table knows is written by how it is said, which is
    all that Braille writes of a Chinese character anyway.
    """
    known = _cells(lines, language)
    if any(UNDEFINED in line for line in known):
        strange = sorted(set("".join(lines)))
        unknown = {character for character, cells in zip(strange, _cells(strange, language), strict=True)
                   if UNDEFINED in cells}
        said = {ord(character): _said(character, language) for character in unknown}
        known = _cells([line.translate(said) for line in lines], language)
    # the table sets a full stop apart from a number before it, and a line could begin with it
    return [line.replace(f"{braille.BLANK}{STOP}", STOP) for line in known] if language == "zh" else known


def missing(text: str) -> list[str]:
    """The code points (`U+20BB7`) of a text that no font draws: on paper each becomes 〓, to be written in by hand."""
    return [f"U+{ord(character):04X}" for character in dict.fromkeys(text) if not _drawable(character)]


def _faces() -> tuple[str, list[str]]:
    """CSS that says where the fonts are, and the names by which they are asked for."""
    fonts = _fonts()
    families = [f"F{number}" for number in range(len(fonts))]
    return "".join(f"@font-face{{font-family:{family};src:url({path.as_uri()})}}"
                   for family, path in zip(families, fonts, strict=True)), families


def _press(html: str) -> bytes:
    return _run([sys.executable, "-m", "zhengka.letters.press", *map(str, _fonts())], html.encode())


def _cells(lines: Sequence[str], language: str) -> list[str]:
    extra = Path(settings.DATA) / "braille" / "undefined.ctb"
    told = _run(["lou_translate", "--forward", f"unicode.dis,{extra},{TABLES[language]}"],
                "".join(f"{line}\n" for line in lines).encode())
    return told.decode().splitlines()


def _said(character: str, language: str) -> str:
    """A character that the tables know and that is said alike (in an English letter its syllable in Latin letters); a
    question mark for one that nobody knows how to say, such as 𠮷.
    """
    if language != "zh":
        return f"{''.join(lazy_pinyin(character, errors='ignore')) or '?'} "
    (sound, *_), *_ = pinyin(character, style=Style.TONE3)
    return _homophones().get(sound, "？")


@cache
def _homophones() -> dict[str, str]:
    """Sound with its tone → a common character of GB/T 2312 (level 1) that has no other sound."""
    found: dict[str, str] = {}
    for row in range(0xB0, 0xD8):
        for cell in range(0xA1, 0xFF):
            character = bytes([row, cell]).decode("gb2312", errors="ignore")
            sounds = pinyin(character, style=Style.TONE3, heteronym=True)
            if len(sounds) == 1 and len(sounds[0]) == 1:
                found.setdefault(sounds[0][0], character)
    return found


def _drawn(sheet: Sheet) -> Sheet:
    """The sheet with 〓 for what no font draws."""
    words, to = sheet.words, sheet.recipient
    return Sheet(
        Words(words.language, _draw(words.title), _draw(words.greeting), tuple(map(_draw, words.paragraphs)),
              _draw(words.office), words.day),
        Recipient(_draw(to.name), to.phone, _draw(to.address), to.language, to.large))


def _draw(text: str) -> str:
    return "".join(character if _drawable(character) else MISSING for character in text)


def _drawable(character: str) -> bool:
    return ord(character) in _covered()


@cache
def _covered() -> frozenset[int]:
    """Every code point that a font of this installation has."""
    return frozenset(code for path in _fonts() for code in TTFont(path, lazy=True).getBestCmap())


@cache
def _fonts() -> tuple[Path, ...]:
    """Noto Sans SC of `data/fonts`, then the fonts of rare characters (生僻字) where they are there."""
    folders = (INSTALLED, Path(settings.HOME) / "fonts")
    rare = [next((folder / name for folder in folders if (folder / name).is_file()), None) for name in RARE]
    return (Path(settings.DATA) / "fonts" / "NotoSansSC-Regular.ttf", *filter(None, rare))


def _run(command: Sequence[str], text: bytes) -> bytes:
    """What another program makes of a text; `Refusal("letter-press-missing")` where it is not there or fails."""
    try:
        done = subprocess.run(command, input=text, capture_output=True, timeout=PATIENCE, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as broken:
        raise Refusal("letter-press-missing", program=Path(command[0]).name) from broken
    return done.stdout
