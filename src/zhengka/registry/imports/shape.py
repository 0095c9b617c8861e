"""Which columns a file has: headings as offices write them, from the dated table under `data/imports`."""

import re
import tomllib
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zhengka.core.errors import Refusal

_BRACKETS = re.compile(r"\([^)]*\)|\[[^]]*\]|【[^】]*】|〔[^〕]*〕")
FEWEST = 2
"""A row of titles may hold one word that is also a heading; a header holds at least two."""

WIDEST = 500
"""Columns that a list of holders may have; each costs memory in every row, whether anything stands in it or not."""


def check_width(columns: int) -> None:
    """`Refusal("file-too-wide")` for more columns than a list has, such as a stray cell at the sheet's far edge."""
    if columns > WIDEST:
        raise Refusal("file-too-wide", columns=columns, most=WIDEST)


def word(text: str) -> str:
    """A heading or spelling as it is compared: NFKC, no white space, no bracketed remark, no trailing `*` or `:`."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return _BRACKETS.sub("", plain).rstrip("*:")


@dataclass(frozen=True)
class Header:
    """The header of one sheet: field → position of its column, the width, and the headings as they stand."""

    columns: Mapping[str, int]
    headings: tuple[str, ...]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.headings)


@dataclass(frozen=True)
class Shape:
    """A kind of file: alias → field, field → heading of files that the platform writes itself, what must be there,
    spellings of values, rows in which a header is looked for.
    """

    aliases: Mapping[str, str]
    headings: Mapping[str, str]
    required: tuple[str, ...]
    one_of: tuple[tuple[str, ...], ...]
    spellings: Mapping[str, Mapping[str, int]]
    header_rows: int

    def find(self, rows: Sequence[Sequence[str]]) -> tuple[int, Header] | None:
        """Place of the header among the first rows, and what it says; None where no row is one."""
        best: tuple[int, Header] | None = None
        for place, cells in enumerate(rows[: self.header_rows]):
            header = self._read(cells)
            if len(header.columns) >= max(FEWEST, len(best[1].columns) + 1 if best else 0):
                best = place, header
        return best

    def needed(self) -> str:
        """The headings without which a file is refused, alternatives as "A / B": 姓名, 残疾人证号 / 身份证号, …"""
        return ", ".join(self._lacking(frozenset()))

    def _lacking(self, there: Container[str]) -> list[str]:
        return [self.headings[field] for field in self.required if field not in there] + [
            " / ".join(self.headings[field] for field in group) for group in self.one_of
            if not any(field in there for field in group)]

    def check(self, header: Header) -> None:
        """`Refusal("columns-missing")` where a column that a row cannot do without is not there: it names each that is
        `missing` by its heading, alternatives as "A / B", and those `found` as they stand, of which the platform knows.
        """
        if missing := self._lacking(header.columns):
            found = [header.headings[place].strip() for place in sorted(header.columns.values())]
            raise Refusal("columns-missing", missing=", ".join(missing), found=", ".join(found))

    def _read(self, cells: Sequence[str]) -> Header:
        columns: dict[str, int] = {}
        for place, cell in enumerate(cells):
            field = self.aliases.get(word(cell))
            if field and field not in columns:
                columns[field] = place
        last = max((place for place, cell in enumerate(cells) if cell.strip()), default=-1)
        return Header(columns, tuple(cells[: last + 1]))


def load(path: Path) -> Shape:
    """The shape that a dated table says."""
    table = tomllib.loads(path.read_text("utf-8"))
    columns = table["column"]
    return Shape(
        aliases={word(alias): field for field, column in columns.items() for alias in column["aliases"]},
        headings={field: column["aliases"][0] for field, column in columns.items()},
        required=tuple(field for field, column in columns.items() if column["required"]),
        one_of=tuple(tuple(group) for group in table["one_of"]),
        spellings={kind: {word(text): int(code) for code, texts in values.items() for text in texts}
                   for kind, values in table["values"].items()},
        header_rows=table["header_rows"])
