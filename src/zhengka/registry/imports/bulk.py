"""Many rows into a table by COPY, as the single way would write them one by one."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
from django.db import connection, models

from zhengka.core.actors import Actor
from zhengka.core.models import PROVINCE_FACTOR, Event, Stateful, sequence


def copy_in(model: type[models.Model], frame: pl.DataFrame) -> None:
    """Append the frame's rows; its columns have the names of the table's. Bytes are columns of type Binary.

    Where row-level security binds the login role, PostgreSQL refuses COPY: the rows then go through a temporary
    table, and the policy judges them.
    """
    if frame.is_empty():
        return
    table = model._meta.db_table
    columns = ", ".join(frame.columns)
    text = frame.with_columns(
        (pl.lit("\\x") + pl.col(name).bin.encode("hex")).alias(name)
        for name, kind in frame.schema.items() if kind == pl.Binary
    ).write_csv(include_header=False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_security_active(%s)", [table])
        bound = cursor.fetchone()[0]
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


def add_events(
    rows: pl.DataFrame, model: type[Stateful], action: str, *, by: Actor, request_id: UUID, at: datetime
) -> None:
    """One event for each row of a frame with id, province, area, version, source, target and facts (JSON text)."""
    if rows.is_empty():
        return
    kind = model.kind()
    copy_in(Event, rows.select(
        "province", "area", pl.lit(kind).alias("subject"), pl.col("id").alias("subject_id"), "version",
        pl.lit(action).alias("action"), "source", "target",
        pl.lit(by.id, pl.Int64).alias("actor_id"), pl.lit(by.name).alias("actor_name"),
        pl.lit(by.person).alias("person"), _request_ids(rows, request_id, kind).alias("request_id"),
        pl.lit(at.isoformat()).alias("at"), "facts"))


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
