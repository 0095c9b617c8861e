"""Rows of a file as blocks of text columns, whatever the file is; memory does not grow with the file."""

import codecs
import csv
import io
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl

from zhengka.core.errors import Refusal
from zhengka.registry.imports import workbook
from zhengka.registry.imports.checking import EXTRA
from zhengka.registry.imports.envelope import Envelope
from zhengka.registry.imports.shape import Header, Shape

BLOCK = 4 << 20
"""Bytes of text in a block: some thirty thousand rows. The first block is a wait for the database, the last one too."""
PIECE = 1 << 18
SPARE = 4
"""Cells behind the last heading that are looked at: a row that has some there is refused."""
DELIMITERS = (",", "\t", ";")


@dataclass(frozen=True)
class Block:
    """Rows of one sheet: text columns "0" to "n-1" by position, `extra`, and `row`, the row's number in the sheet."""

    header: Header
    frame: pl.DataFrame


def blocks(stream: BinaryIO, envelope: Envelope, shape: Shape) -> Iterator[Block]:
    """All rows of the opened file below its header. Raises `Refusal` with `header-missing`, `columns-missing` or one
    of `file-…`; then what came before must not be kept either.
    """
    source = _sheets(stream) if envelope.form == "xlsx" else _text(stream, envelope.encoding, shape)
    found = False
    for block in _headed(source, shape):
        found = True
        yield block
    if not found:
        raise Refusal("file-empty")


@dataclass(frozen=True)
class _Table:
    """Consecutive rows of a sheet as they stand; `first` is the number of the first; `new`: a sheet begins here."""

    frame: pl.DataFrame
    first: int
    new: bool


def _headed(tables: Iterable[_Table], shape: Shape) -> Iterator[Block]:
    """Leave out titles, the header, empty rows, and sheets without a header where another sheet has one."""
    header: Header | None = None
    seen = False
    for table in tables:
        frame = table.frame.with_row_index("row", offset=table.first)
        if table.new:
            found = shape.find(table.frame.head(shape.header_rows).rows())
            header = found[1] if found else None
            frame = frame.slice(found[0] + 1) if found else frame
        if header:
            shape.check(header)
            seen = True
            yield Block(header, _fitted(frame, header.width))
    if not seen:
        raise Refusal("header-missing")


def _fitted(frame: pl.DataFrame, width: int) -> pl.DataFrame:
    """As many columns as the header has; what stands behind them in `extra`; rows with any text at all."""
    inside = [str(place) for place in range(width)]
    missing = [pl.lit("").alias(name) for name in inside if name not in frame.columns]
    behind = [name for name in frame.columns if name not in inside and name != "row"]
    extra = pl.concat_str([pl.col(name).str.strip_chars() for name in behind]) if behind else pl.lit("")
    fitted = frame.with_columns(*missing, extra.alias(EXTRA)).select("row", *inside, EXTRA)
    return fitted.filter(pl.any_horizontal(pl.col(*inside, EXTRA) != ""))


# ---- text ----------------------------------------------------------------------------------------------------------


def _text(stream: BinaryIO, encoding: str, shape: Shape) -> Iterator[_Table]:
    first, delimiter, width = 1, "", 0
    last = b""
    for piece in _records(_utf8(stream, encoding)):
        if not delimiter:
            delimiter, width = _dialect(piece, shape)
        frame = _parsed(piece, delimiter, width + SPARE)
        yield _Table(frame, first, new=first == 1)
        first += frame.height
        last = piece
    if last and not last.endswith(b"\n") and _cells_of_last(last, delimiter) < width:
        raise Refusal("file-truncated")


def _utf8(stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    """Pieces of the stream as UTF-8 without a byte-order mark."""
    if encoding != "gb18030":
        head = stream.read(3)
        yield b"" if head == codecs.BOM_UTF8 else head
        while piece := stream.read(PIECE):
            yield piece
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    while piece := stream.read(PIECE):
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()


def _records(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Blocks that end where a record ends."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        if len(buffer) >= BLOCK and (end := _end_of_record(buffer)):
            yield bytes(buffer[:end])
            del buffer[:end]
    if buffer:
        yield bytes(buffer)


def _end_of_record(buffer: bytearray) -> int:
    """Behind the last line break that no quotes hold; 0 where more must be read. A quote that is never closed stops
    nothing: after eight blocks any line break will do.
    """
    end = last = buffer.rfind(b"\n") + 1
    open_quotes = buffer.count(b'"', 0, end) % 2
    while end and open_quotes:
        before = buffer.rfind(b"\n", 0, end - 1) + 1
        open_quotes = (open_quotes + buffer.count(b'"', before, end)) % 2
        end = before
    return end or (last if len(buffer) > 8 * BLOCK else 0)


def _dialect(piece: bytes, shape: Shape) -> tuple[str, int]:
    """The delimiter under which a header is found, and the header's width."""
    head = piece[: 1 << 16].decode("utf-8", "replace")
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        rows = [row for row, _ in zip(reader, range(shape.header_rows), strict=False)]
        if found := shape.find(rows):
            return delimiter, found[1].width
    raise Refusal("header-missing")


def _parsed(piece: bytes, delimiter: str, width: int) -> pl.DataFrame:
    """Records as text columns. Quotes are the csv module's business; without any, polars is ten times as fast."""
    if b'"' not in piece:
        return _split(piece, delimiter, "\n", width)
    try:
        rows = list(csv.reader(io.StringIO(piece.decode(), newline=""), delimiter=delimiter, strict=True))
    except csv.Error as bad:
        raise Refusal("file-truncated" if "end of data" in str(bad) else "file-damaged") from None
    columns: list[list[str]] = [[row[place] if place < len(row) else "" for row in rows] for place in range(width)]
    return pl.DataFrame({str(place): column for place, column in enumerate(columns)},
                        schema=dict.fromkeys(map(str, range(width)), pl.String))


def _split(piece: bytes, delimiter: str, end: str, width: int) -> pl.DataFrame:
    return pl.read_csv(
        piece, has_header=False, separator=delimiter, eol_char=end, quote_char=None, empty_string_is_null=False,
        schema=dict.fromkeys(map(str, range(width)), pl.String), extra_columns="ignore", missing_columns="insert",
        truncate_ragged_lines=True)


def _cells_of_last(piece: bytes, delimiter: str) -> int:
    last = piece[piece.rstrip(b"\r\n").rfind(b"\n") + 1 :].decode("utf-8", "replace")
    return max((len(row) for row in csv.reader(io.StringIO(last, newline=""), delimiter=delimiter)), default=0)


# ---- workbooks -----------------------------------------------------------------------------------------------------


def _sheets(stream: BinaryIO) -> Iterator[_Table]:
    with _reader(stream) as frames:
        first, new = 1, True
        for kind, data in frames:
            if kind == b"S":
                first, new = int(data), True
            elif kind == b"R":
                width = data.count(b"\x1f", 0, data.index(b"\x1e")) + 1
                table = _split(data, workbook.CELL, workbook.ROW, width)
                yield _Table(table, first, new)
                first, new = first + table.height, False


@contextmanager
def _reader(stream: BinaryIO) -> Iterator[Iterator[tuple[bytes, bytes]]]:
    """The workbook program at work on the stream; `Refusal` for what it ends with."""
    command: Sequence[str] = [sys.executable, "-I", str(Path(workbook.__file__))]
    with subprocess.Popen(command, stdin=stream, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:  # noqa: S603
        stream.close()  # the child has it now; a second reader would keep a broken pipe from being noticed
        output = cast(BinaryIO, child.stdout)
        complete = False

        def frames(output: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
            nonlocal complete
            while head := output.read(5):
                if head[:1] == b"E":
                    complete = True
                    return
                yield head[:1], output.read(int.from_bytes(head[1:]))

        try:
            yield frames(output)
        finally:
            if not complete and child.poll() is None and sys.exc_info()[0] is not None:
                child.kill()
        status = child.wait()
        if not complete:
            codes = {workbook.ENCRYPTED: "file-encrypted", workbook.UNREADABLE: "file-damaged"}
            raise Refusal(codes.get(status, "file-bomb"))
