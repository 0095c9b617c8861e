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
from zhengka.registry.imports.shape import WIDEST, Header, Shape, check_width

BLOCK = 4 << 20
"""Bytes of text in a block: some twenty thousand rows. Each block has its own fixed cost."""
PIECE = 1 << 18
"""Bytes that are read at once, and in the first block: while it is made ready the database has nothing to write."""
LONGEST = 8 * BLOCK
"""Bytes in which a record must end; a file without any line break is none of ours."""
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
    """Consecutive rows of a sheet as they stand; `first` is the number of the first; `new`: a sheet begins here;
    `width`: its columns, of which `frame` holds those that a list may have.
    """

    frame: pl.DataFrame
    first: int
    new: bool
    width: int


def _headed(tables: Iterable[_Table], shape: Shape) -> Iterator[Block]:
    """Leave out titles, the header, empty rows, and sheets without a header where another sheet has one: how wide
    these are is no matter.
    """
    header: Header | None = None
    seen, widest = False, 0
    for table in tables:
        frame = table.frame.with_row_index("row", offset=table.first)
        if table.new:
            found = shape.find(table.frame.head(shape.header_rows).rows())
            header = found[1] if found else None
            frame = frame.slice(found[0] + 1) if found else frame
        widest = max(widest, table.width)
        if header:
            check_width(table.width)
            shape.check(header)
            seen = True
            yield Block(header, _fitted(frame, header.width))
    if not seen:
        check_width(widest)  # the header may stand behind what is looked at
        raise Refusal("header-missing", expected=shape.needed())


def _fitted(frame: pl.DataFrame, width: int) -> pl.DataFrame:
    """As many columns as the header has; what stands behind them in `extra`; rows with any text at all."""
    inside = [str(place) for place in range(width)]
    missing = [pl.lit("").alias(name) for name in inside if name not in frame.columns]
    behind = [name for name in frame.columns if name not in inside and name != "row"]
    extra = pl.concat_str(behind, separator=" ").str.strip_chars() if behind else pl.lit("")
    fitted = frame.with_columns(*missing, extra.alias(EXTRA)).select("row", *inside, EXTRA)
    return fitted.filter(pl.any_horizontal(pl.col(*inside, EXTRA) != ""))


# ---- text ----------------------------------------------------------------------------------------------------------


def _text(stream: BinaryIO, encoding: str, shape: Shape) -> Iterator[_Table]:
    first, delimiter, width = 1, "", 0
    last = b""
    for piece in _records(_utf8(stream, encoding)):
        if not delimiter:
            delimiter, width = _dialect(piece, shape)
        frame = _parsed(piece, delimiter, width)
        yield _Table(frame, first, new=first == 1, width=frame.width)
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
    """Blocks that end where a record ends; each half as large again as the one before, up to `BLOCK`, so that the next
    is ready when the last is written.
    """
    buffer, enough = bytearray(), PIECE
    for piece in pieces:
        buffer += piece
        if len(buffer) >= enough and (end := _end_of_record(buffer)):
            yield bytes(buffer[:end])
            del buffer[:end]
            enough = min(BLOCK, enough * 3 // 2)
        elif len(buffer) > LONGEST:
            raise Refusal("file-damaged")
    if buffer:
        yield bytes(buffer)


def _end_of_record(buffer: bytearray) -> int:
    """Behind the last line break that no quotes hold; 0 where more must be read. A quote that is never closed stops
    nothing: behind `LONGEST` any line break will do.
    """
    end = last = buffer.rfind(b"\n") + 1
    open_quotes = buffer.count(b'"', 0, end) % 2
    while end and open_quotes:
        before = buffer.rfind(b"\n", 0, end - 1) + 1
        open_quotes = (open_quotes + buffer.count(b'"', before, end)) % 2
        end = before
    return end or (last if len(buffer) > LONGEST else 0)


def _dialect(piece: bytes, shape: Shape) -> tuple[str, int]:
    """The delimiter under which a header is found, and the header's width."""
    head = piece[: 1 << 16].decode("utf-8", "replace")
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        rows = [row for row, _ in zip(reader, range(shape.header_rows), strict=False)]
        if found := shape.find(rows):
            check_width(found[1].width)
            return delimiter, found[1].width
    raise Refusal("header-missing", expected=shape.needed())


def _parsed(piece: bytes, delimiter: str, width: int) -> pl.DataFrame:
    """Records as text columns, as many as the widest has, at least `width`: a row with cells behind the last heading is
    refused, whole. Quotes are the csv module's business; without any, polars is ten times as fast.
    """
    if b'"' not in piece:
        mark = delimiter.encode()
        width = max(width, *(line.count(mark) + 1 for line in piece.split(b"\n")))
        check_width(width)
        return _split(piece, delimiter, "\n", width)
    try:
        rows = list(csv.reader(io.StringIO(piece.decode(), newline=""), delimiter=delimiter, strict=True))
    except csv.Error as bad:
        raise Refusal("file-truncated" if "end of data" in str(bad) else "file-damaged") from None
    width = max(width, *map(len, rows))
    check_width(width)
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
                table = _split(data, workbook.CELL, workbook.ROW, min(width, WIDEST))
                yield _Table(table, first, new, width)
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
