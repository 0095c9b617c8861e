"""Rows that we encode ourselves are what PostgreSQL understands, and what it would write itself."""

import datetime as dt
from uuid import UUID

import numpy as np
import polars as pl
import pytest
from django.db import connection

from zhengka.registry.imports import binary

pytestmark = pytest.mark.django_db

TABLE = """CREATE TEMP TABLE kinds (small smallint, whole integer, big bigint, words text, bytes bytea, day date,
                                   told jsonb, name uuid, at timestamptz, same text, none text)"""
KINDS = {"small": "smallint", "whole": "integer", "big": "bigint", "words": "text", "bytes": "bytea", "day": "date",
         "told": "jsonb", "name": "uuid", "at": "timestamp with time zone", "same": "text", "none": "text"}
AT = dt.datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC)
UUIDS = [UUID(int=place) for place in range(3)]
ROWS = [
    (-1, 2**31 - 1, 2**63 - 1, "𠮷野家·古丽", b"\0\xff", dt.date(1912, 2, 29), {"row": 1}),
    (None, None, None, None, None, None, None),
    (7, -2**31, 0, "", b"", dt.date(2026, 11, 25), {}),
]


def encoded() -> bytes:
    small, whole, big, words, data, day, told = zip(*ROWS, strict=True)
    return b"".join(binary.encode({
        "small": pl.Series(small, dtype=pl.Int16), "whole": pl.Series(whole, dtype=pl.Int32),
        "big": pl.Series(big, dtype=pl.Int64), "words": pl.Series(words), "bytes": pl.Series(data, dtype=pl.Binary),
        "day": pl.Series(day), "told": pl.Series([None if one is None else str(one).replace("'", '"') for one in told]),
        "name": binary.Cells(np.frombuffer(b"".join(one.bytes for one in UUIDS), np.uint8).reshape(3, 16),
                             np.full(3, 16)),
        "at": AT, "same": "一样", "none": None}, KINDS, len(ROWS)))


def taken_in(data: bytes) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
        with cursor.copy("COPY kinds FROM STDIN (FORMAT binary)") as copy:
            copy.write(data)
        cursor.execute("SELECT * FROM kinds ORDER BY name")
        return cursor.fetchall()


def test_every_kind_of_value_arrives_as_it_was_and_null_as_null():
    for place, (found, row) in enumerate(zip(taken_in(encoded()), ROWS, strict=True)):
        assert tuple(bytes(one) if isinstance(one, memoryview) else one for one in found[:6]) == row[:6]
        assert found[6] in (row[6], str(row[6]).replace("'", '"'))
        assert found[7:] == (UUIDS[place], AT, "一样", None)


def test_our_bytes_are_those_that_postgresql_writes_itself():
    taken_in(encoded())
    with connection.cursor() as cursor, cursor.copy(
            "COPY (SELECT * FROM kinds ORDER BY name) TO STDOUT (FORMAT binary)") as copy:
        assert b"".join(bytes(piece) for piece in copy) == encoded()


def test_no_rows_are_an_empty_copy():
    assert taken_in(b"".join(binary.encode(dict.fromkeys(KINDS), KINDS, 0))) == []
