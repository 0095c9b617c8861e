"""The import of second-generation records against raw COPY of the same rows into the same indexed tables.

A database of its own on the same server, each import in a process of its own, ours and the floor in turn.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import python_calamine
import xlsxwriter
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from measure import ROUNDS, compared, ratio, tell

from builders import NOON
from zhengka.areas import services as areas
from zhengka.areas.models import Area
from zhengka.cli import cluster
from zhengka.core.actors import SYSTEM
from zhengka.exchange import sample
from zhengka.registry import services
from zhengka.registry.imports import reading, shape
from zhengka.registry.imports.envelope import Envelope

HOLDERS = 298_485
BOOK_ROWS = 200_000
NAME = "zhengka_bench_import"
TABLES = {
    "registry_import": "id", "registry_holder": "source_row", "registry_certificate": "id",
    "registry_sighting": "digest", "core_event": "(facts->>'row')::int"}
"""Table → order of the file: so a plain loader would write the rows."""
WORKER = """
import json, os, resource, sys, time
sys.path[:0] = {paths!r}
os.environ["DJANGO_SETTINGS_MODULE"] = "zhengka.config.settings"
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from datetime import datetime
from zhengka.core import fields
from zhengka.registry import services
if sys.argv[4] == "bare":
    # Encryption and blind index are counted apart: values as long as sealed ones, indexes as spread as keyed ones.
    import numpy as np, polars as pl
    fields.close_many = lambda values, field: [bytes(29) + value.encode() for value in values]
    def spread(values):
        texts = pl.Series(values, dtype=pl.String)
        both = np.stack([texts.hash(1).to_numpy(), texts.hash(2).to_numpy()], axis=1).tobytes()
        return [both[place:place + 16] for place in range(0, len(both), 16)]
    fields.close_rows = lambda rows, lengths, field: np.pad(rows, ((0, 0), (29, 0)))
    fields.index_many = spread
start, spent = time.perf_counter(), time.process_time()
done = services.take_import(int(sys.argv[2]), at=datetime.fromisoformat(sys.argv[3]))
own, child = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps(dict(seconds=time.perf_counter() - start, cpu=time.process_time() - spent, rows=done.rows,
                      created=done.created, merged=done.merged, refused=done.refused, state=done.state,
                      problem=done.problem, mib=own // 1024, child_mib=child // 1024)))
"""


def main(holders: int = HOLDERS, rounds: int = ROUNDS) -> None:
    """Print rates, ratios and memory at `holders`."""
    with tempfile.TemporaryDirectory() as folder:
        _make_database()
        try:
            path = Path(folder) / "rows.csv"
            sample.generate_csv(path, holders=holders, seed=1, units=sample.pilot_units(settings.DATA),
                                on_progress=lambda done, total: None)
            _against_copy(path, Path(folder), rounds)
            _workbook(path, Path(folder))
        finally:
            connection.close()
            _on_server(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def _against_copy(path: Path, folder: Path, rounds: int) -> None:
    rows = _take(path)["rows"]
    _dump(folder)
    told: dict[str, list[dict[str, Any]]] = {"whole": [], "bare": []}
    floors: list[float] = []
    for _ in range(rounds):
        for mode, seen in told.items():
            seen.append(_take(path, mode))
        floors.append(_copy(folder))
    tell(f"raw COPY of the tables of {rows:,} rows, indexes included", _rate(rows, floors))
    for mode, title in (("bare", "validate, merge, refuse-report, events"), ("whole", "everything")):
        times = [one["seconds"] for one in told[mode]]
        tell(title, _rate(rows, times), bar="" if mode == "bare" else "bar 40,000 rows/s")
        tell(f"{title}: rate ÷ raw COPY's", compared(list(zip(floors, times, strict=True))),
             bar="bar 1.0 ×" if mode == "bare" else "bar 0.59 × (40,000 where COPY made 68,000)")
    cpu = statistics.median(one["cpu"] for one in told["whole"])
    tell("processor time of the worker, beside the database's", f"{cpu / rows * 1e6:.1f} µs a row")
    tell("peak memory of the worker", f"{max(one['mib'] for one in told['whole']):,} MiB", bar="bar 1,536 MiB")


def _workbook(path: Path, folder: Path) -> None:
    """Reading a workbook against the fastest reader alone; what follows is the same for every form of file."""
    book = folder / "rows.xlsx"
    with xlsxwriter.Workbook(book, {"constant_memory": True}) as made, path.open(encoding="utf-8") as lines:
        sheet = made.add_worksheet()
        for at, line in zip(range(BOOK_ROWS), lines, strict=False):
            for place, cell in enumerate(line.rstrip("\n").split(",")):
                if cell:
                    sheet.write_string(at, place, cell)
    form = shape.load(settings.DATA / "imports" / "second-generation.toml")

    def ours() -> None:
        with book.open("rb") as file:
            rows = sum(block.frame.height for block in reading.blocks(file, Envelope("xlsx"), form))
        assert rows == BOOK_ROWS - 1

    def calamine() -> None:
        python_calamine.CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()

    tell(f"workbook of {BOOK_ROWS:,} rows read into columns ÷ calamine alone", ratio(ours, calamine),
         bar="bar 1.3 ×")
    told = _take(book)
    tell("the same workbook imported", _rate(told["rows"], [told["seconds"]]))
    tell("peak memory of the worker, of its reader", f"{told['mib']:,}, {told['child_mib']:,} MiB")


def _rate(rows: int, times: list[float]) -> str:
    return f"{rows / statistics.median(times):,.0f} rows/s, best {rows / min(times):,.0f}"


def _take(path: Path, mode: str = "whole") -> dict[str, Any]:
    """Receive and take one file into empty tables; what the worker says."""
    _empty()
    record = services.receive_import(path.name, path, Area.objects.get(code=430000_000000), by=SYSTEM,
                                     request_id=uuid4(), at=NOON)
    script = WORKER.format(paths=[str(settings.PROJECT_ROOT / "src")])
    done = subprocess.run([sys.executable, "-c", script, NAME, str(record.pk), NOON.isoformat(), mode],
                          stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["state"] == "done", told
    return told


def _dump(folder: Path) -> None:
    """The tables' rows as text, in the order of the file that they came from."""
    with connection.cursor() as cursor:
        for table, order in TABLES.items():
            cursor.execute("SELECT string_agg(column_name, ', ' ORDER BY ordinal_position) FROM "
                           "information_schema.columns WHERE table_name = %s", [table])
            (columns,) = cursor.fetchone()
            (folder / f"{table}.columns").write_text(columns)
            with (folder / table).open("wb") as file, cursor.copy(
                    f"COPY (SELECT {columns} FROM {table} ORDER BY {order}) TO STDOUT (FORMAT csv)") as copy:
                for piece in copy:
                    file.write(piece)


def _copy(folder: Path) -> float:
    """Seconds of COPY into the same tables, emptied, in one transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
        cursor.execute("CHECKPOINT")
    start = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            columns = (folder / f"{table}.columns").read_text()
            with (folder / table).open("rb") as file, cursor.copy(
                    f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)") as copy:
                while piece := file.read(1 << 20):
                    copy.write(piece)
    return time.perf_counter() - start


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
        cursor.execute("CHECKPOINT")


def _make_database() -> None:
    cluster.ensure()
    _on_server(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)", f"CREATE DATABASE {NAME}")
    connection.close()
    connection.settings_dict["NAME"] = NAME
    call_command("migrate", verbosity=0)
    areas.load(settings.DATA / "areas" / "hunan-2018.toml")


def _on_server(*statements: str) -> None:
    at = settings.DATABASES["default"]
    with psycopg.connect(host=at["HOST"], port=at["PORT"] or None, user=at["USER"], dbname="postgres",
                         password=at.get("PASSWORD") or None, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)
