"""The refused rows as a file of the same shape, with the reason beside each: to be corrected and imported again."""

import csv
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl
import xlsxwriter
from django.conf import settings

from zhengka.core import files
from zhengka.registry.imports import upload
from zhengka.registry.imports.checking import EXTRA
from zhengka.registry.imports.envelope import Envelope
from zhengka.registry.imports.reasons import ROW_REASONS
from zhengka.registry.imports.shape import Header

REASON, CODE = "拒收原因", "原因代码"
"""Behind the row's own cells. What stood behind the file's last heading stands behind these, under no heading either:
whoever sends the file back as it is gets the same answer."""
SHEET_ROWS = 1_000_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Report:
    """Collects refused rows of an import, packed, and writes them as one file."""

    def __init__(self, envelope: Envelope) -> None:
        """Begin an empty report in the form and encoding of the file that came."""
        self._envelope = envelope
        self._parts: list[tuple[list[str], bytes]] = []
        self.reasons: Counter[str] = Counter()

    @property
    def refused(self) -> int:
        """Rows refused so far."""
        return self.reasons.total()

    def add(self, header: Header, frame: pl.DataFrame, bad: pl.DataFrame) -> None:
        """Refuse rows of a block: `place` in the frame and `code`."""
        if bad.is_empty():
            return
        self.reasons.update(dict(bad["code"].value_counts().rows()))
        places = [place for place, heading in enumerate(header.headings) if heading not in (REASON, CODE)]
        cells = frame.select(*map(str, places), EXTRA)[bad["place"].to_list()]
        packed = io.BytesIO()
        cells.with_columns(bad["code"]).write_ipc(packed, compression="zstd")
        self._parts.append(([*(header.headings[place] for place in places), REASON, CODE], packed.getvalue()))

    def keep(self) -> str:
        """Seal the report into the file store; its digest, or nothing where no row was refused."""
        if not self._parts:
            return ""
        with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as file:
            if self._envelope.form == "xlsx":
                with files.scratch() as folder:
                    self._write_workbook(file, folder)
            else:
                self._write_text(file)
            return files.put_sealed_stream(file, upload.REFUSED)

    def _write_text(self, file: BinaryIO) -> None:
        text = io.TextIOWrapper(file, encoding=self._envelope.encoding, newline="")
        writer = csv.writer(text)
        header: list[str] = []
        for part_header, packed in self._parts:
            if part_header != header:
                header = part_header
                writer.writerow(header)
            for cells in _rows(packed):
                writer.writerow(map(guarded, cells))
        text.detach()

    def _write_workbook(self, file: BinaryIO, scratch: Path) -> None:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                   "tmpdir": str(scratch)}
        with xlsxwriter.Workbook(file, options) as book:
            header: list[str] = []
            sheet, at = book.add_worksheet(), 0
            for part_header, packed in self._parts:
                if part_header != header or at >= SHEET_ROWS:
                    sheet = book.add_worksheet() if header else sheet
                    header, at = part_header, 0
                    at = _write_row(sheet, at, header)
                for cells in _rows(packed):
                    at = _write_row(sheet, at, cells)


def guarded(cell: str) -> str:
    """A cell of a text file that no spreadsheet takes for a formula (an apostrophe before it; reading takes it off)."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _rows(packed: bytes) -> Iterator[list[str]]:
    for *cells, extra, code in pl.read_ipc(io.BytesIO(packed)).rows():
        yield [*cells, ROW_REASONS[code].zh, code, *filter(None, [extra])]


def _write_row(sheet: "xlsxwriter.worksheet.Worksheet", at: int, cells: list[str]) -> int:
    for place, cell in enumerate(cells):
        if cell:
            sheet.write_string(at, place, cell)
    return at + 1
