"""Rows in the binary form of COPY (PostgreSQL, COPY "Binary Format"), made a column at a time.

A row is its number of fields (two bytes) and its fields, each a length (four bytes, -1 for null) and that many bytes;
all numbers are big-endian. PostgreSQL takes this in for half the work of text, and sealed values are not doubled by
hexadecimal digits on the way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Part = Callable[[slice], tuple[Bytes, Mask | None]]

SLICE: Final = 4_096
"""Rows that are laid out at once: one long cell makes all their cells as wide (0.2 KB a cell, 20 MB at the worst)."""
HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
_NULL: Final = np.frombuffer(b"\xff\xff\xff\xff", np.uint8)
_INTEGERS: Final = {"smallint": ">i2", "integer": ">i4", "bigint": ">i8"}
_DAYS_BEFORE: Final = (date(2000, 1, 1) - date(1970, 1, 1)).days
_FIRST_INSTANT: Final = datetime(2000, 1, 1, tzinfo=UTC)
_JSONB: Final = b"\x01"  # version of jsonb's own binary form


@dataclass(frozen=True)
class Cells:
    """Texts or bytes, each at the beginning of a row of a matrix, zeros behind it; a length of -1 is null."""

    rows: Bytes
    lengths: NDArray[np.int64]

    def __getitem__(self, part: slice) -> "Cells":
        """Some of the rows."""
        return Cells(self.rows[part], self.lengths[part])


class Texts:
    """Texts or bytes of a series, one behind the other; a length of -1 is null."""

    def __init__(self, column: pl.Series) -> None:
        """Ask the series once, for all slices."""
        sizes, flat = _lengths_and_bytes(column)
        self._flat, self._ends = np.frombuffer(flat, np.uint8), np.cumsum(sizes)
        self._lengths = np.where(column.is_null(), -1, sizes) if column.null_count() else sizes

    def __getitem__(self, part: slice) -> Cells:
        """Some of the rows, as wide as the longest of them."""
        lengths, ends = self._lengths[part], self._ends[part]
        sizes = np.maximum(lengths, 0)
        flat = self._flat[ends[0] - sizes[0] : ends[-1]] if len(ends) else self._flat
        return Cells(_laid_out(flat, sizes, int(sizes.max(initial=0))), lengths)

    def blocks(self, size: int) -> Cells:
        """All rows, in a matrix that is whole blocks of `size` bytes wide."""
        sizes = np.maximum(self._lengths, 0)
        return Cells(_laid_out(self._flat, sizes, -(-int(sizes.max(initial=0)) // size) * size), self._lengths)


def encode(columns: Mapping[str, Any], kinds: Mapping[str, str], height: int) -> list[bytes]:
    """`height` rows of columns as the pieces of what COPY takes in. A column is a polars series, `Cells`, or one value
    for all; `kinds`: column → its type in the database, as Django names it.
    """
    parts = [_column(column, kinds[name]) for name, column in columns.items()]
    slices = (slice(at, min(at + SLICE, height)) for at in range(0, height, SLICE))
    return [HEADER, *(_joined(len(columns), [part(rows) for part in parts], rows.stop - rows.start)
                      for rows in slices), TRAILER]


def _column(column: Any, kind: str) -> Part:
    """What gives the cells of a slice of rows."""
    if isinstance(column, Cells):
        return lambda rows: _variable(column[rows], b"")
    if isinstance(column, pl.Series) and kind in ("text", "jsonb", "bytea"):
        texts, prefix = Texts(column), _JSONB if kind == "jsonb" else b""
        return lambda rows: _variable(texts[rows], prefix)
    if isinstance(column, pl.Series):
        cell, there = _fixed(column, kind)
        return lambda rows: (cell[rows], None if there is None else there[rows])
    same = _same_for_all(_constant(column, kind))
    return lambda _: (same, None)


def _joined(count: int, cells: list[tuple[Bytes, Mask | None]], height: int) -> bytes:
    """The `count` cells of each row side by side, without what no value fills."""
    parts = [(_same_for_all(count.to_bytes(2)), None), *cells]
    width = sum(cell.shape[1] for cell, _ in parts)
    matrix, filled = np.empty((height, width), np.uint8), np.ones((height, width), np.bool_)
    at = 0
    for cell, there in parts:
        matrix[:, at : at + cell.shape[1]] = cell
        if there is not None:
            filled[:, at : at + cell.shape[1]] = there
        at += cell.shape[1]
    return (matrix if all(there is None for _, there in parts) else matrix[filled]).tobytes()


def _fixed(column: pl.Series, kind: str) -> tuple[Bytes, Mask | None]:
    """Numbers, and days counted from the first; a null is its length alone."""
    form, zero = (">i4", _DAYS_BEFORE) if kind == "date" else (_INTEGERS[kind], 0)
    null = column.is_null().to_numpy() if column.null_count() else None
    values = column.to_physical() if null is None else column.to_physical().fill_null(0)
    numbers = (values.to_numpy() - zero).astype(form)
    cell = _with_length(numbers.view(np.uint8).reshape(len(numbers), -1))
    if null is None:
        return cell, None
    cell[null, :4] = _NULL
    there = np.ones(cell.shape, np.bool_)
    there[null, 4:] = False
    return cell, there


def _variable(values: Cells, prefix: bytes) -> tuple[Bytes, Mask | None]:
    """Texts or bytes, each behind its length, in a matrix as wide as the longest; what is filled of it."""
    sizes, head = values.lengths.astype(np.int32), 4 + len(prefix)
    null, longest = sizes < 0, int(sizes.max(initial=0))
    cell = np.empty((len(sizes), head + longest), np.uint8)
    cell[:, :4] = np.where(null, -1, sizes + len(prefix)).astype(">i4").view(np.uint8).reshape(-1, 4)
    cell[:, 4:head] = np.frombuffer(prefix, np.uint8)
    cell[:, head:] = values.rows[:, :longest]
    if (sizes == longest).all():
        return cell, None
    there = np.arange(-head, longest, dtype=np.int32) < sizes[:, None]
    there[null] = np.arange(cell.shape[1]) < 4
    return cell, there


def _laid_out(flat: Bytes, sizes: NDArray[np.int64], width: int) -> Bytes:
    """Values that stand one behind the other as rows of `width` bytes, with zeros behind them."""
    rows = np.zeros((len(sizes), width), np.uint8)
    if len(sizes) and (sizes == sizes[0]).all():
        rows[:, : sizes[0]] = flat.reshape(len(sizes), sizes[0])
    else:
        rows[np.arange(width, dtype=np.int32) < sizes.astype(np.int32)[:, None]] = flat
    return rows


def _lengths_and_bytes(column: pl.Series) -> tuple[NDArray[np.int64], bytes]:
    """How many bytes each value has (a null: none), and all of them one behind the other."""
    full = column.fill_null(b"" if column.dtype == pl.Binary else "") if column.null_count() else column
    if column.dtype == pl.Binary:
        values = full.to_list()
        return np.fromiter(map(len, values), np.int64, len(values)), b"".join(values)
    return full.str.len_bytes().to_numpy().astype(np.int64), (full.str.join("").item() or "").encode()


def _with_length(values: Bytes) -> Bytes:
    length = np.frombuffer(values.shape[1].to_bytes(4), np.uint8)
    return np.hstack([np.broadcast_to(length, (len(values), 4)), values])


def _same_for_all(cell: bytes) -> Bytes:
    """A matrix of one row."""
    return np.frombuffer(cell, np.uint8)[None]


def _constant(value: Any, kind: str) -> bytes:
    """One cell: its length and bytes."""
    if value is None:
        return _NULL.tobytes()
    if isinstance(value, datetime):
        since = value - _FIRST_INSTANT
        data = ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds).to_bytes(8, signed=True)
    elif isinstance(value, int):
        data = value.to_bytes(int(_INTEGERS[kind][-1]), signed=True)
    else:
        data = (_JSONB if kind == "jsonb" else b"") + value.encode()
    return len(data).to_bytes(4) + data
