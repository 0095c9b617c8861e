"""Rows in the binary form of COPY (PostgreSQL, COPY "Binary Format"), made a column at a time.

A row is its number of fields (two bytes) and its fields, each a length (four bytes, -1 for null) and that many bytes;
all numbers are big-endian. PostgreSQL takes this in for half the work of text, and sealed values are not doubled by
hexadecimal digits on the way.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SLICE: Final = 4_096
"""Rows that are laid out at once: one long cell makes all their cells as wide (0.2 KB a cell, 20 MB at the worst)."""
HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
_NULL: Final = np.frombuffer(b"\xff\xff\xff\xff", np.uint8)
_INTEGERS: Final = {"smallint": ">i2", "integer": ">i4", "bigint": ">i8"}
_FIRST_DAY: Final = date(2000, 1, 1)
_FIRST_INSTANT: Final = datetime(2000, 1, 1, tzinfo=UTC)
_JSONB: Final = b"\x01"  # version of jsonb's own binary form


def encode(columns: Mapping[str, Any], kinds: Mapping[str, str], height: int) -> list[bytes]:
    """`height` rows of columns as the pieces of what COPY takes in. A column is a polars series, a matrix of so many
    bytes a row, or one value for all; `kinds`: column → its type in the database, as Django names it.
    """
    slices = ({name: column[at : at + SLICE] if isinstance(column, (pl.Series, np.ndarray)) else column
               for name, column in columns.items()} for at in range(0, height, SLICE))
    return [HEADER, *(_slice(part, kinds, min(SLICE, height - place * SLICE)) for place, part in enumerate(slices)),
            TRAILER]


def _slice(columns: Mapping[str, Any], kinds: Mapping[str, str], height: int) -> bytes:
    cells: list[tuple[Bytes, Mask | None]] = [(_same_for_all(len(columns).to_bytes(2)), None)]
    for name, column in columns.items():
        if isinstance(column, pl.Series):
            cells.append(_series(column, kinds[name]))
        elif isinstance(column, np.ndarray):
            cells.append((_with_length(column), None))
        else:
            cells.append((_same_for_all(_constant(column, kinds[name])), None))
    return _joined(cells, height)


def _joined(cells: list[tuple[Bytes, Mask | None]], height: int) -> bytes:
    """The cells side by side, without what no value fills."""
    width = sum(cell.shape[1] for cell, _ in cells)
    matrix, filled = np.empty((height, width), np.uint8), np.ones((height, width), np.bool_)
    at = 0
    for cell, there in cells:
        matrix[:, at : at + cell.shape[1]] = cell
        if there is not None:
            filled[:, at : at + cell.shape[1]] = there
        at += cell.shape[1]
    return matrix[filled].tobytes()


def _series(column: pl.Series, kind: str) -> tuple[Bytes, Mask | None]:
    if kind in ("text", "jsonb", "bytea"):
        return _variable(column, _JSONB if kind == "jsonb" else b"")
    if kind == "date":
        return _fixed(column, ">i4", zero=(_FIRST_DAY - date(1970, 1, 1)).days)
    return _fixed(column, _INTEGERS[kind])


def _fixed(column: pl.Series, form: str, zero: int = 0) -> tuple[Bytes, Mask | None]:
    """Values of one width, counted from `zero`; a null is its length alone."""
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


def _variable(column: pl.Series, prefix: bytes) -> tuple[Bytes, Mask | None]:
    """Texts or bytes, each behind its length, in a matrix as wide as the longest; what is filled of it."""
    null = column.is_null().to_numpy() if column.null_count() else None
    sizes, flat = _lengths_and_bytes(column)
    if null is None and not prefix and (sizes == sizes[0]).all():
        return _with_length(np.frombuffer(flat, np.uint8).reshape(len(sizes), -1)), None
    head = 4 + len(prefix)
    cell = np.zeros((len(sizes), head + int(sizes.max())), np.uint8)
    there = np.arange(-head, cell.shape[1] - head, dtype=np.int32) < sizes[:, None]
    cell[:, :4] = (sizes + len(prefix)).astype(">i4").view(np.uint8).reshape(-1, 4)
    cell[:, 4:head] = np.frombuffer(prefix, np.uint8)
    cell[:, head:][there[:, head:]] = np.frombuffer(flat, np.uint8)
    if null is not None:
        cell[null, :4] = _NULL
        there[null, 4:] = False
    return cell, there


def _lengths_and_bytes(column: pl.Series) -> tuple[NDArray[np.int32], bytes]:
    """How many bytes each value has (a null: none), and all of them one behind the other."""
    full = column.fill_null(b"" if column.dtype == pl.Binary else "") if column.null_count() else column
    if column.dtype == pl.Binary:
        values = full.to_list()
        return np.fromiter(map(len, values), np.int32, len(values)), b"".join(values)
    return full.str.len_bytes().to_numpy().astype(np.int32), (full.str.join("").item() or "").encode()


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
