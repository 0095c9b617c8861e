"""A program of its own that reads one .xlsx workbook from its input and writes the cells' texts to its output.

It runs apart from the server with bounded memory and processor time, so that a workbook made to exhaust them ends this
process only. It imports nothing of the platform.

Output: frames of one letter, four bytes of length (big-endian) and the bytes: `S` a new sheet (the number of its first
row, from 1), `R` rows of the sheet: cells end with 1F, rows with 1E. The last frame is `E`, without bytes.
Exit status: 0 all written, 3 protected by a password, 4 not readable; a signal: the limits were met.
"""

import io
import resource
import sys
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineWorkbook, PasswordError

MEMORY = 3 << 30
SECONDS = 900
ROWS = 20_000
CELL, ROW = "\x1f", "\x1e"
ENCRYPTED, UNREADABLE = 3, 4


def text(cell: Any) -> str:
    """A cell as text: whole numbers without a fraction, days as 2018-03-05."""
    if type(cell) is str:
        return cell if CELL not in cell and ROW not in cell else cell.replace(CELL, "\ufffd").replace(ROW, "\ufffd")
    if type(cell) is float:
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if type(cell) is datetime:
        return cell.date().isoformat()
    if isinstance(cell, (date, time, timedelta)):
        return str(cell)
    return str(cell)


def main() -> int:
    """Read standard input, write standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        for name in book.sheet_names:
            _write_sheet(book.get_sheet_by_name(name))
    except PasswordError:
        return ENCRYPTED
    except BrokenPipeError:
        return 0
    except Exception:
        return UNREADABLE
    _frame(b"E", b"")
    return 0


def _write_sheet(sheet: Any) -> None:
    if sheet.start is None:
        return
    _frame(b"S", str(sheet.start[0] + 1).encode())
    rows: list[str] = []
    for row in sheet.iter_rows():
        rows.append(CELL.join(map(text, row)) + ROW)
        if len(rows) == ROWS:
            _frame(b"R", "".join(rows).encode("utf-8", "replace"))
            rows = []
    if rows:
        _frame(b"R", "".join(rows).encode("utf-8", "replace"))


def _frame(kind: bytes, data: bytes) -> None:
    sys.stdout.buffer.write(kind + len(data).to_bytes(4) + data)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
