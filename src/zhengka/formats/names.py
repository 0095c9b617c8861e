"""A person's name: the written rule by which it is kept, and its pinyin for the search field.

The rule, in order:

1. White space at both ends goes. Full-width Latin letters and the ideographic space become ordinary.
2. Canonical composition (Unicode NFC). Never compatibility folding: it would change ideographs.
3. The dot of a minority name (少数民族姓名间隔号, GB/T 15834: `·`) is written in a dozen ways; beside an
   ideograph each becomes U+00B7. Spaces around it go.
4. Spaces between ideographs go; other runs of spaces become one.
5. Refused, with a code and the character: controls, marks of writing direction, invisible and
   zero-width characters, variation selectors, lone surrogates, private use, signs that stand for a
   lost character, and anything that is no letter.

Rare characters (生僻字), whatever their plane, are kept. Names that only look alike stay different.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from pypinyin import Style, lazy_pinyin

DOT: Final = "\u00b7"
LONGEST: Final = 64
"""Characters that a kept name has at most; the longest real ones have some thirty."""

REASONS: Final = {
    "name-empty": "no name given",
    "name-length": f"more than {LONGEST} characters",
    "name-control": "a control character or line break",
    "name-direction": "a mark that changes the direction of writing",
    "name-invisible": "an invisible character",
    "name-variation": "a variation selector",
    "name-surrogate": "half of a surrogate pair",
    "name-private-use": "a private-use character: no other computer knows what it means",
    "name-lost": "a sign that stands for a character lost on the way",
    "name-character": "a character that no name has",
    "name-joiner": "a dot, hyphen, apostrophe or space that does not stand between two parts of the name",
}

# Planes 2 and 3 are reserved for ideographs as a whole (Unicode §2.8), newer than this Python or not.
_IDEOGRAPH: Final = "\u3007\u3400-\u4dbf\u4e00-\u9fff\ufa0e-\ufa29\U00020000-\U0003fffd"
_DOTS: Final = "\u00b7\u2022\u30fb\u2027\u2219\u22c5\uff65\uff0e\u2024\u25cf.\u25aa\u2e31"
_IDEOGRAPH_RE: Final = re.compile(f"[{_IDEOGRAPH}]")
_A_DOT: Final = f" *[{re.escape(_DOTS)}] *"
_DOT_RE: Final = re.compile(f"(?<=[{_IDEOGRAPH}]){_A_DOT}|{_A_DOT}(?=[{_IDEOGRAPH}])")
_GAP_RE: Final = re.compile(f"(?<=[{_IDEOGRAPH}{DOT}]) +(?=[{_IDEOGRAPH}{DOT}])")
_PLAIN_RE: Final = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff]{1,16}")
_TO_HALF_WIDTH: Final = {code: code - 0xFEE0 for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
_TO_SPACE: Final = dict.fromkeys((0x3000, 0x00A0, 0x2002, 0x2003, 0x2009, 0x202F), " ")

_JOINERS: Final = frozenset(f"{DOT}.'- ")
_NEVER_LAST: Final = frozenset(f"{DOT}'- ")
_FAULTS: Final = {
    character: code
    for code, characters in {
        "name-direction": "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
        "name-invisible": "\u00ad\u034f\u115f\u1160\u180e\u3164\uffa0\u2800",
        "name-lost": "?\uff1f\ufffd\u25a1\u3013\u25a0\ufffc",
        "name-variation": [chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))],
    }.items()
    for character in characters
}
_LETTERS: Final = frozenset(("Lu", "Ll", "Lt", "Lo", "Lm"))
_MARKS: Final = frozenset(("Mn", "Mc"))
_FAULTS_BY_CATEGORY: Final = {
    "Cc": "name-control",
    "Zl": "name-control",
    "Zp": "name-control",
    "Cf": "name-invisible",
    "Cs": "name-surrogate",
    "Co": "name-private-use",
}


class BadName(ValueError):
    """Text that is no name. `code` is a key of `REASONS`, `character` the one at fault as `U+XXXX`."""

    def __init__(self, code: str, character: str = "") -> None:
        self.code = code
        self.character = f"U+{ord(character):04X}" if character else ""
        super().__init__(f"{code}: {REASONS[code]}" + (f" ({self.character})" if character else ""))


def normalise(text: str) -> str:
    """The name as it is kept, by the rule above. Raises `BadName`."""
    if _PLAIN_RE.fullmatch(text):
        return text
    if len(text) > 4 * LONGEST:
        raise BadName("name-length")
    name = unicodedata.normalize("NFC", text.strip().translate(_TO_HALF_WIDTH)).translate(_TO_SPACE)
    name = _DOT_RE.sub(DOT, " ".join(part for part in name.split(" ") if part))
    name = _GAP_RE.sub("", name)
    if not name:
        raise BadName("name-empty")
    if len(name) > LONGEST:
        raise BadName("name-length")
    _check(name)
    return name


def is_ideograph(character: str) -> bool:
    """True for one Chinese ideograph of any plane, and for 〇."""
    return _IDEOGRAPH_RE.fullmatch(character) is not None


def pinyin(name: str) -> tuple[str, str]:
    """Full pinyin and initials of a kept name, lower case, without tones: `张三` → `zhangsan`, `zs`.

    A character that nobody has given a reading stands for itself; of a Latin name each word counts.
    """
    if name.isascii():
        return name.translate(_FULL), "".join(word[0] for word in name.lower().split())
    start = next((size for size in (2, 1) if name[:size] in _SURNAMES), 0)
    syllables = _SURNAMES.get(name[:start], ())
    rest = name[start:]
    full = "".join(syllables) + rest.translate(_FULL)
    return full, "".join(syllable[0] for syllable in syllables) + rest.translate(_INITIALS)


def pinyin_many(names: Iterable[str]) -> list[tuple[str, str]]:
    """`pinyin` of each kept name, in their order: all in one text, so that a name costs a tenth."""
    whole = list(names)
    text = "\n".join(whole)
    readings = zip(whole, text.translate(_FULL).split("\n"), text.translate(_INITIALS).split("\n"), strict=True)
    return [pinyin(name) if name[:1] in _SURNAME_HEADS or name.isascii() else (full, initials)
            for name, full, initials in readings] if whole else []


def masked(name: str) -> str:
    """The first character of a name and stars, three at most: to compare with a face, not to learn it (脱敏)."""
    return name[:1] + "*" * min(max(len(name) - 1, 1), 3)


def _check(name: str) -> None:
    previous = ""
    for character in name:
        code = "" if is_ideograph(character) else _fault(character, previous)
        if code:
            raise BadName(code, character)
        previous = character
    if previous in _NEVER_LAST:
        raise BadName("name-joiner", previous)


def _fault(character: str, previous: str) -> str:
    """The code of what is wrong with this character after that one, or nothing."""
    if character in _JOINERS:
        joins = previous not in _JOINERS if previous else False
        return "" if joins or (previous == "." and character == " ") else "name-joiner"
    if character in _FAULTS:
        return _FAULTS[character]
    category = unicodedata.category(character)
    if category in _LETTERS or (category in _MARKS and previous not in _JOINERS and previous):
        return ""
    return _FAULTS_BY_CATEGORY.get(category, "name-character")


class _Readings(dict[int, str]):
    """Code point → reading, filled when first asked: each distinct character is looked up once."""

    def __init__(self, *, first_letter: bool) -> None:
        super().__init__()
        self._first_letter = first_letter
        self[ord("\n")] = "\n"  # stands between names that are read together

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character.isascii() or character == DOT:
            reading = character.lower() if character.isalpha() else ""
        else:
            reading = lazy_pinyin(character, style=Style.NORMAL)[0].lower()
        if self._first_letter:
            reading = reading[:1]
        self[code] = reading
        return reading


_FULL: Final = _Readings(first_letter=False)
_INITIALS: Final = _Readings(first_letter=True)

# Readings that only the surname has, at the head of a name.
_SURNAMES: Final = {
    surname: tuple(reading.split())
    for surname, reading in {
        "单": "shan", "解": "xie", "仇": "qiu", "查": "zha", "曾": "zeng", "区": "ou", "朴": "piao",
        "郇": "xun", "洗": "xian", "翟": "zhai", "折": "she", "秘": "bi", "缪": "miao", "覃": "qin",
        "员": "yun", "种": "chong", "繁": "po", "乐": "yue", "盖": "ge", "祭": "zhai", "隗": "wei",
        "单于": "chan yu", "尉迟": "yu chi", "万俟": "mo qi", "澹台": "tan tai",
    }.items()
}  # fmt: skip
_SURNAME_HEADS: Final = frozenset(surname[0] for surname in _SURNAMES)
