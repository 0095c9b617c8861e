"""Spreadsheets as offices send them, written row by row: memory does not grow with the file."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from zhengka.exchange.sample.places import UnitSize
from zhengka.exchange.sample.rows import Cell, Columns
from zhengka.exchange.sample.styles import DATE_CELL, NUMBERING, Style

MADE: Final = datetime(2018, 3, 15, 15, 0)  # noqa: DTZ001 - a workbook knows no zone; the workbook's own date, so that equal samples are equal bytes
_DATE_FIELDS: Final = ("birth_date", "issued_on", "valid_until")
_TITLES: Final = ("{name}第二代残疾人证持证人员花名册", "填报单位：{name}残疾人联合会", "统计时间：2018年3月15日15时")


class Sink(Protocol):
    """Takes blocks of rows."""

    def write(self, table: Columns, order: list[int]) -> None:
        """Append the rows of a table of columns in this order."""


@contextmanager
def sheet(path: Path, unit: UnitSize, style: Style) -> Iterator[Sink]:
    """A new file at `path` with its titles and header written, to be filled; whole when the block ends."""
    titles = [title.format(name=unit.name) for title in _TITLES[: style.titles]]
    header = [NUMBERING] * style.numbered + list(style.columns.values())
    if style.kind == "csv":
        with path.open("w", encoding=style.encoding, newline="") as stream:
            writer = csv.writer(stream)
            writer.writerows([title] + [""] * (len(header) - 1) for title in titles)
            writer.writerow(header)
            yield _Csv(writer, numbered=style.numbered)
        return
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        book.set_properties({"created": MADE, "title": titles[0]})
        yield _Xlsx(book, titles, header, style)


class _Csv:
    def __init__(self, writer: Any, *, numbered: bool) -> None:
        self._writer = writer
        self._numbered = numbered
        self._row = 0

    def write(self, table: Columns, order: list[int]) -> None:
        rows: Iterable[tuple[Cell, ...]] = zip(*([cells[at] for at in order] for cells in table.values()), strict=True)
        if self._numbered:
            rows = ((number, *row) for number, row in enumerate(rows, self._row + 1))
        self._writer.writerows(rows)
        self._row += len(order)


class _Xlsx:
    def __init__(self, book: xlsxwriter.Workbook, titles: list[str], header: list[str], style: Style) -> None:
        self._sheet: Worksheet = book.add_worksheet("持证人")
        self._numbered = style.numbered
        title = book.add_format({"bold": True, "font_size": 14, "align": "center"})
        bold = book.add_format({"bold": True, "border": 1})
        date = book.add_format({"num_format": "yyyy/m/d"}) if style.dates == DATE_CELL else None
        self._formats: dict[str, Format | None] = {name: date for name in _DATE_FIELDS if name in style.columns}
        self._sheet.set_column(0, len(header) - 1, 16)
        for row, text in enumerate(titles):
            self._sheet.merge_range(row, 0, row, len(header) - 1, text, title)
        self._row = len(titles)
        self._first = self._row + 1
        for column, heading in enumerate(header):
            self._sheet.write_string(self._row, column, heading, bold)
        self._row += 1

    def write(self, table: Columns, order: list[int]) -> None:
        text, number = self._sheet.write_string, self._sheet.write_number
        columns = [(at, cells, self._formats.get(name))
                   for at, (name, cells) in enumerate(table.items(), self._numbered)]
        for at in order:
            row = self._row
            if self._numbered:
                number(row, 0, row - self._first + 1)
            for column, cells, form in columns:
                cell = cells[at]
                if not isinstance(cell, str):
                    number(row, column, cell, form)
                elif cell:
                    text(row, column, cell)
            self._row += 1
