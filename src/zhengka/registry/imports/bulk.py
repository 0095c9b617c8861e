"""Many rows into a table by COPY, as the single way would write them one by one."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
import psycopg
from django.db import connection, models

from zhengka.core.actors import Actor
from zhengka.core.models import PROVINCE_FACTOR, Stateful, sequence


class Writer:
    """Appends rows to tables by COPY, in a thread beside the caller's, on the caller's connection and in the order of
    the calls: while the database takes in one table, the caller makes the text of the next.
    """

    def __init__(self) -> None:
        """On the present connection, within its transaction."""
        connection.ensure_connection()
        self._pool = ThreadPoolExecutor(1, "copying")
        self._waiting: list[Future[None]] = []

    def add(self, model: type[models.Model], frame: pl.DataFrame) -> None:
        """Append the frame's rows; its columns have the names of the table's. Bytes are columns of type Binary."""
        if frame.is_empty():
            return
        text = frame.with_columns(
            (pl.lit("\\x") + pl.col(name).bin.encode("hex")).alias(name)
            for name, kind in frame.schema.items() if kind == pl.Binary
        ).write_csv(include_header=False)
        self._waiting.append(self._pool.submit(
            _copy, connection.connection, model._meta.db_table, ", ".join(frame.columns), text))

    def settle(self) -> None:
        """Wait until everything is written; raise what went wrong. The connection is the caller's again."""
        waiting, self._waiting = self._waiting, []
        with connection.wrap_database_errors:
            for one in waiting:
                one.result()

    def close(self) -> None:
        """End the thread, whatever happened."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _copy(own: psycopg.Connection[Any], table: str, columns: str, text: str) -> None:
    """Where row-level security binds the login role, PostgreSQL refuses COPY: the rows then go through a temporary
    table, and the policy judges them.
    """
    with own.cursor() as cursor:
        (bound,) = cursor.execute("SELECT row_security_active(%s)", [table]).fetchone() or (False,)
        if bound:
            cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table}_in (LIKE {table} INCLUDING DEFAULTS INCLUDING "
                           f"IDENTITY) ON COMMIT DROP")
        with cursor.copy(f"COPY {table}{'_in' if bound else ''} ({columns}) FROM STDIN (FORMAT csv)") as copy:
            copy.write(text)
        if bound:
            cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table}_in")
            cursor.execute(f"TRUNCATE {table}_in")


def new_ids(model: type[models.Model], provinces: pl.Series) -> pl.Series:
    """One new id for each row, in the province that the series names."""
    if not len(provinces):
        return pl.Series(dtype=pl.Int64)
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(nextval(%s)) FROM generate_series(1, %s)", [sequence(model), len(provinces)])
        numbers = pl.Series(cursor.fetchone()[0], dtype=pl.Int64)
    return numbers + provinces.cast(pl.Int64) * PROVINCE_FACTOR


@dataclass(frozen=True)
class Told:
    """What many events have in common: who acted, under which request, when."""

    by: Actor
    request_id: UUID
    at: datetime

    def events(self, rows: pl.DataFrame, model: type[Stateful], action: str) -> pl.DataFrame:
        """The events of a step of many rows, for `Writer.add`: one for each row of a frame with id, province, area,
        version, source, target and facts (JSON text).
        """
        kind, by = model.kind(), self.by
        return rows.select(
            "province", "area", pl.lit(kind).alias("subject"), pl.col("id").alias("subject_id"), "version",
            pl.lit(action).alias("action"), "source", "target",
            pl.lit(by.id, pl.Int64).alias("actor_id"), pl.lit(by.name).alias("actor_name"),
            pl.lit(by.person).alias("person"), _request_ids(rows, self.request_id, kind).alias("request_id"),
            pl.lit(self.at.isoformat()).alias("at"), "facts")


def _request_ids(rows: pl.DataFrame, request_id: UUID, kind: str) -> pl.Series:
    """An id of its own for each row's part of a request: four bytes of request and kind, the subject's version and id.

    Unique as (subject, id, version) is; they follow one another as the rows do, so the index over them grows at its
    end.
    """
    parts = np.empty((rows.height, 16), np.uint8)
    parts[:, :4] = np.frombuffer(hashlib.md5(f"{request_id}:{kind}".encode(), usedforsecurity=False).digest()[:4],
                                 np.uint8)
    parts[:, 4:8] = rows["version"].to_numpy().astype(">u4").view(np.uint8).reshape(-1, 4)
    parts[:, 8:] = rows["id"].to_numpy().astype(">u8").view(np.uint8).reshape(-1, 8)
    wide = parts.tobytes().hex()
    return pl.Series([wide[place : place + 32] for place in range(0, len(wide), 32)], dtype=pl.String)


def literals(**values: Any) -> Sequence[pl.Expr]:
    """Constant columns."""
    return [pl.lit(value).alias(name) for name, value in values.items()]
