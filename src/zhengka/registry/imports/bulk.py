"""Many rows into a table by COPY, as the single way would write them one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import polars as pl
from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper

from zhengka.core.actors import Actor
from zhengka.core.models import PROVINCE_FACTOR, Event, Stateful, sequence
from zhengka.registry.imports import binary


@dataclass(frozen=True)
class Batch:
    """Rows of a table, encoded and not yet written."""

    model: type[models.Model]
    columns: tuple[str, ...]
    pieces: list[bytes]

    def write(self) -> None:
        """Append the rows to the table, within the caller's transaction.

        Where row-level security binds the login role, PostgreSQL refuses COPY: the rows then go through a temporary
        table, and the policy judges them.
        """
        table, columns = self.model._meta.db_table, ", ".join(self.columns)
        with connection.cursor() as cursor:
            cursor.execute("SELECT row_security_active(%s)", [table])
            (bound,) = cursor.fetchone()
            if bound:
                cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table}_in (LIKE {table} INCLUDING DEFAULTS "
                               "INCLUDING IDENTITY) ON COMMIT DROP")
            with connection.wrap_database_errors, cursor.copy(
                    f"COPY {table}{'_in' if bound else ''} ({columns}) FROM STDIN (FORMAT binary)") as copy:
                for piece in self.pieces:
                    copy.write(piece)
            if bound:
                cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table}_in")
                cursor.execute(f"TRUNCATE {table}_in")


def encoded(model: type[models.Model], height: int, columns: Mapping[str, Any]) -> Batch:
    """`height` rows of the table of `model`: columns by the names of the table's, as `binary.encode` takes them."""
    return Batch(model, tuple(columns), binary.encode(columns, _kinds(model), height))


def write(model: type[models.Model], height: int, columns: Mapping[str, Any]) -> None:
    """Append rows to the table of `model`."""
    if height:
        encoded(model, height, columns).write()


@cache
def _kinds(model: type[models.Model]) -> dict[str, str]:
    """Column → its type in the database."""
    return {str(field.column): field.db_type(connection) or "" for field in model._meta.concrete_fields}


def new_ids(model: type[models.Model], provinces: pl.Series, on: BaseDatabaseWrapper | None = None) -> pl.Series:
    """One new id for each row, in the province that the series names; drawn `on` a connection beside, if named."""
    if not len(provinces):
        return pl.Series(dtype=pl.Int64)
    with (on or connection).cursor() as cursor:
        cursor.execute("SELECT array_agg(nextval(%s)) FROM generate_series(1, %s)", [sequence(model), len(provinces)])
        numbers = pl.Series(cursor.fetchone()[0], dtype=pl.Int64)
    return numbers + provinces.cast(pl.Int64) * PROVINCE_FACTOR


@dataclass(frozen=True)
class Told:
    """What many events of an import have in common: who acted, when. Their facts name the import, whose own event has
    the request's id.
    """

    by: Actor
    at: datetime

    def events(self, rows: pl.DataFrame, model: type[Stateful], action: str, source: str, target: str) -> Batch:
        """The events of a step of many rows, one for each row of a frame with id, province, area, version and facts
        (JSON text).
        """
        by = self.by
        return encoded(Event, rows.height, {
            **{name: rows[name] for name in ("province", "area", "version", "facts")},
            "subject": model.kind(), "subject_id": rows["id"], "action": action, "source": source, "target": target,
            "actor_id": by.id, "actor_name": by.name, "person": by.person, "at": self.at})
