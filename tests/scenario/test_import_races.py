"""Imports at the same time, and imports whose worker dies: one person is one record, a file is whole or not there."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections

import builders
from builders import NOON
from importing import TABLES, counts, file_of, imported, received, row
from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.models import Event
from zhengka.registry import services
from zhengka.registry.imports import reading, shape
from zhengka.registry.imports.envelope import Envelope
from zhengka.registry.models import Holder, Import

pytestmark = pytest.mark.django_db(transaction=True)

WORKER = """
import os, sys
sys.path[:0] = {paths!r}
os.environ["DJANGO_SETTINGS_MODULE"] = "zhengka.config.settings"
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from zhengka.registry.imports import reading
reading.BLOCK = reading.PIECE = 20_000
from zhengka.registry import services
from datetime import datetime
print("begun", flush=True)
services.take_import(int(sys.argv[2]), at=datetime.fromisoformat(sys.argv[3]))
print("done", flush=True)
"""


@pytest.fixture
def clerk() -> Actor:
    builders.make_area(430102, name="芙蓉区")
    builders.make_area()
    return builders.make_actor(area=Area.objects.get(code=430000_000000))


def content() -> list[tuple]:
    """What the tables say, without ids, times and what is sealed afresh each time."""
    holders = Holder.objects.order_by("id_index").values_list(
        "id_index", "area_id", "name", "version", "source_row", "row_digest", "certificates__number_index",
        "certificates__state", "certificates__version")
    steps = Event.objects.exclude(subject="import").values_list("subject", "action", "version", "facts__row")
    return [*holders.order_by("id_index", "certificates__number_index"), *sorted(map(tuple, steps))]


def emptied() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)}, core_event, registry_import CASCADE")


def test_two_units_that_import_the_same_people_at_once_make_each_of_them_once(clerk, tmp_path):
    rows = [row(number) for number in range(1, 200)]
    records = [received(file_of(tmp_path, *order, name=f"{unit}.csv"), clerk, unit=unit)
               for unit, order in ((430104, rows), (430102, rows[::-1]))]
    barrier = threading.Barrier(2)
    faults: list[BaseException] = []

    def take(record: Import) -> None:
        try:
            barrier.wait()
            services.take_import(record.pk, at=NOON)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take, args=(record,)) for record in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    both = [Import.objects.get(pk=record.pk) for record in records]
    assert sorted(counts(record) for record in both) == [(0, 199, 0, 0), (199, 0, 0, 0)]
    assert Holder.objects.count() == 199


def test_one_import_taken_by_two_workers_at_once_is_taken_once(clerk, tmp_path):
    record = received(file_of(tmp_path, *(row(number) for number in range(1, 100))), clerk)
    threads = [threading.Thread(target=_take_and_close, args=(record.pk,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(Import.objects.get(pk=record.pk)) == (99, 0, 0, 0)
    assert Event.objects.filter(subject="import").count() == 2


def _take_and_close(pk: int) -> None:
    services.take_import(pk, at=NOON)
    connections.close_all()


def test_the_progress_of_an_import_is_seen_while_it_runs(clerk, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK", 4_000)
    monkeypatch.setattr(reading, "PIECE", 4_000)
    record = received(file_of(tmp_path, *(row(number) for number in range(1, 400))), clerk)
    seen: set[int] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.add(Import.objects.get(pk=record.pk).progress)
        connections.close_all()

    watcher = threading.Thread(target=look)
    watcher.start()
    services.take_import(record.pk, at=NOON)
    stop.set()
    watcher.join()
    assert len(seen) > 3, "several stages were seen before the end"
    assert Import.objects.get(pk=record.pk).progress == 399


def test_a_worker_killed_at_any_point_leaves_nothing_and_a_second_run_completes(clerk, tmp_path):
    dice = random.Random(20261120)
    rows = [row(number) for number in range(1, 700)] + [row(number, suffix="B1") for number in range(1, 90)]
    path = file_of(tmp_path, *rows, *(row(n).replace("肢体,2", "肢体,3") for n in range(700, 720)))
    began = time.monotonic()
    imported(path, clerk)
    took, whole = time.monotonic() - began, content()
    emptied()
    record = received(path, clerk)
    killed = 0
    for _ in range(5):
        worker = _worker(record.pk)
        assert worker.stdout.readline() == "begun\n"
        time.sleep(dice.uniform(0.0, took) if killed else 0)
        worker.send_signal(signal.SIGKILL)
        ended = "done" in worker.communicate()[0]
        killed += not ended
        there = Holder.objects.exists()  # asked first: what was sent before the kill may be committed just now
        state = Import.objects.get(pk=record.pk).state
        assert state in ("received", "done")
        if state == "received":
            assert not there, "a file is taken whole or not at all"
        else:
            break
    assert killed
    services.take_import(record.pk, at=NOON)
    assert content() == whole
    assert counts(Import.objects.get(pk=record.pk)) == (699, 89, 0, 20)


def _worker(pk: int) -> "subprocess.Popen[str]":
    paths = [str(settings.PROJECT_ROOT / "src")]
    return subprocess.Popen(
        [sys.executable, "-c", WORKER.format(paths=paths), connection.settings_dict["NAME"], str(pk), NOON.isoformat()],
        stdout=subprocess.PIPE, text=True, env=dict(os.environ))


def test_nothing_of_an_upload_lies_in_clear_on_the_disk(clerk, tmp_path):
    path = file_of(tmp_path, row(1), row(2).replace("肢体,2", "肢体,3"))
    record = received(path, clerk)
    _no_trace("before")
    services.take_import(record.pk, at=NOON)
    _no_trace("after")


def _no_trace(when: str) -> None:
    marks = [builders.make_id_number(number=number).encode() for number in (1, 2)] + ["云溪镇".encode()]
    for folder in (Path(settings.FILES), Path(settings.FILE_UPLOAD_TEMP_DIR)):
        for file in folder.rglob("*"):
            data = file.read_bytes() if file.is_file() else b""
            assert not any(mark in data for mark in marks), (when, file)


def test_the_first_blocks_of_a_file_are_small_so_that_the_database_begins_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK", 16_000)
    monkeypatch.setattr(reading, "PIECE", 1_000)
    form = shape.load(settings.DATA / "imports" / "second-generation.toml")
    with file_of(tmp_path, *(row(number) for number in range(1, 800))).open("rb") as file:
        sizes = [block.frame.height for block in reading.blocks(file, Envelope("csv"), form)]
    assert sum(sizes) == 799
    assert sizes[0] * 4 < sizes[4] and max(sizes[:-1]) < sizes[0] * 32
