"""The disability certificate number (残疾人证号), its categories (残疾类别) and grades (残疾等级).

《中华人民共和国残疾人证管理办法》 art. 5 and 20: the eighteen characters of the identity number, one digit
of category, one of grade, and after the n-th loss the suffix `B1`, `B2`, … without limit. The rules of
2008 wrote the first replacement as a bare `B`. Categories and grades: GB/T 26341-2010.
The number changes with a person's life, so nothing may use it as a key.
"""

import re
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self

from zhengka.formats import idnumber
from zhengka.formats.idnumber import BadIdNumber


class Term(NamedTuple):
    """A name in both languages: `zh` the official one, `short` as offices write it, `en`."""

    zh: str
    short: str
    en: str


CATEGORIES: Final = {
    1: Term("视力残疾", "视力", "Visual"),
    2: Term("听力残疾", "听力", "Hearing"),
    3: Term("言语残疾", "言语", "Speech"),
    4: Term("肢体残疾", "肢体", "Physical"),
    5: Term("智力残疾", "智力", "Intellectual"),
    6: Term("精神残疾", "精神", "Mental"),
    7: Term("多重残疾", "多重", "Multiple"),
}
"""Category digit to its names (GB/T 26341-2010, clause 5)."""
GUARDED: Final = frozenset({5, 6})
"""Categories (智力, 精神) whose holders a guardian answers for (办法 art. 9(1)); also as a part of 多重."""

GRADES: Final = {
    1: Term("一级", "一", "Grade 1"),
    2: Term("二级", "二", "Grade 2"),
    3: Term("三级", "三", "Grade 3"),
    4: Term("四级", "四", "Grade 4"),
}
"""Grade digit to its names; 1 is the most severe."""

REASONS: Final = {
    "cert-empty": "no certificate number given",
    "cert-float": "a spreadsheet turned the number into a floating-point value and digits were lost",
    "cert-length": "too few or too many characters",
    "cert-21-digits": "21 digits: one more than a certificate number has, and nobody can say which",
    "cert-category": "the category is none of 1 to 7",
    "cert-grade": "the grade is none of 1 to 4",
    "cert-suffix": "what follows the first twenty characters is not B, B1, B2, …",
} | {code: f"the identity number inside: {reason}" for code, reason in idnumber.REASONS.items()}

LONGEST_SUFFIX: Final = 6  # digits after the B; a person who lost a million cards does not exist

_SUFFIX: Final = re.compile(r"B([1-9][0-9]{0,5})?", re.ASCII)
_GRADE_WORDS: Final = {
    word: grade
    for grade, words in {
        1: "1 一 壹 Ⅰ ⅰ I",
        2: "2 二 贰 貳 Ⅱ ⅱ II",
        3: "3 三 叁 叄 Ⅲ ⅲ III",
        4: "4 四 肆 Ⅳ ⅳ IV",
    }.items()
    for word in words.split()
}
_CATEGORY_WORDS: Final = (
    {str(digit): digit for digit in CATEGORIES}
    | {term.short: digit for digit, term in CATEGORIES.items()}
    | {"视障": 1, "盲": 1, "低视力": 1, "听障": 2, "聋": 2, "语言": 3, "肢": 4, "肢障": 4, "智": 5, "智障": 5}
)


class BadCertNumber(ValueError):
    """Text that is no certificate number, category or grade. `code` is a key of `REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {REASONS[code]}")
        self.code = code


@dataclass(frozen=True, slots=True)
class CertNumber:
    """A certificate number. `replacement` counts the cards lost: 0 for a first issue, n for `Bn`."""

    id18: str
    category: int
    grade: int
    replacement: int = 0

    def __str__(self) -> str:
        return self.first_issue + (f"B{self.replacement}" if self.replacement else "")

    def __repr__(self) -> str:
        return f"CertNumber(***, {self.category}, {self.grade}, {self.replacement})"

    @property
    def first_issue(self) -> str:
        """The twenty characters without a suffix."""
        return f"{self.id18}{self.category}{self.grade}"

    def replaced(self) -> Self:
        """The number after one more loss (补发): suffix n becomes n + 1."""
        return replace(self, replacement=self.replacement + 1)

    def regraded(self, category: int, grade: int) -> Self:
        """The number after a change of category or grade (类别/等级变更): the suffix stays."""
        if category not in CATEGORIES:
            raise BadCertNumber("cert-category")
        if grade not in GRADES:
            raise BadCertNumber("cert-grade")
        return replace(self, category=category, grade=grade)


def parse(text: str) -> CertNumber:
    """The certificate number that `text` means; every variant in use, `B` alone read as `B1`.

    Raises `BadCertNumber` with a code of `REASONS`.
    """
    number = _twenty_or_more(text)
    try:
        id18 = idnumber.parse(number[:18]).id18
    except BadIdNumber as bad:
        raise BadCertNumber(bad.code) from None
    category, grade = ord(number[18]) - 48, ord(number[19]) - 48
    if category not in CATEGORIES:
        raise BadCertNumber("cert-category")
    if grade not in GRADES:
        raise BadCertNumber("cert-grade")
    return CertNumber(id18, category, grade, _replacement(number[20:]))


def parse_category(text: str) -> int:
    """The category digit 1 to 7 that an office's word means (`肢体`, `肢体残疾`, `4`, `４`, `4.0`)."""
    word = _word(text)
    for ending in ("残疾人", "残疾", "残"):
        word = word.removesuffix(ending) or word
    try:
        return _CATEGORY_WORDS[word]
    except KeyError:
        raise BadCertNumber("cert-category") from None


def parse_grade(text: str) -> int:
    """The grade digit 1 to 4 that an office's word means (`一级`, `1`, `壹`, `Ⅰ`, `I`, `1.0`)."""
    try:
        return _GRADE_WORDS[_word(text).removesuffix("级")]
    except KeyError:
        raise BadCertNumber("cert-grade") from None


def _word(text: str) -> str:
    """A cell's word: plain, without the zero fraction and the leading zero of a number."""
    if len(text) > idnumber.LONGEST_TEXT:
        return ""
    word = idnumber.plain(text).removesuffix(".0").removesuffix(".00")
    return word[1:] if len(word) == 2 and word[0] == "0" else word


def _twenty_or_more(text: str) -> str:
    """The plain characters, at least twenty of them, or the reason why not."""
    if len(text) > idnumber.LONGEST_TEXT:
        raise BadCertNumber("cert-length")
    number = idnumber.plain(text)
    if not number:
        raise BadCertNumber("cert-empty")
    if idnumber.looks_like_float(number):
        raise BadCertNumber("cert-float")
    if len(number) == 21 and idnumber.is_digits(number[:17] + number[18:]):
        raise BadCertNumber("cert-21-digits")
    if len(number) < 20 or len(number) > 21 + LONGEST_SUFFIX:
        raise BadCertNumber("cert-length")
    return number


def _replacement(suffix: str) -> int:
    if not suffix:
        return 0
    match = _SUFFIX.fullmatch(suffix)
    if match is None:
        raise BadCertNumber("cert-suffix")
    return int(match[1] or 1)
