"""One import from its sealed upload to the registry, in one transaction; reading and checking run ahead of writing."""

import os
import queue
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import polars as pl
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from zhengka.accounts.queries import area_of
from zhengka.areas.queries import unit_words
from zhengka.core.actors import SYSTEM, WHOLE_NATION, Actor
from zhengka.core.models import Event
from zhengka.registry.imports import reading, shape, template, upload
from zhengka.registry.imports.bulk import Told
from zhengka.registry.imports.checking import Rules, check
from zhengka.registry.imports.envelope import Envelope
from zhengka.registry.imports.merging import Arrivals, Arrived, Merger
from zhengka.registry.imports.preparing import prepare
from zhengka.registry.imports.reading import Block
from zhengka.registry.imports.report import Report
from zhengka.registry.models import Import

Item = TypeVar("Item")
AHEAD = 2
"""Blocks that are read and checked while one is being written."""
ROOM = 1 << 20
"""Bytes that the writing connection may hold for the database. While another thread computes, Python lets the writing
one go on every five milliseconds only: the database must have enough to read until then.
"""


@dataclass(frozen=True)
class Taken:
    """What came of a file: the columns of its `Import` row."""

    rows: int
    created: int
    merged: int
    unchanged: int
    refused: int
    reasons: dict[str, int]
    refused_file: str


def take(record: Import, begun: Event, *, at: datetime, progress: Callable[[int], None]) -> Taken:
    """Write the file of an import into the registry, within the caller's transaction, and tell what came of it.

    `begun`: the event of its receipt, whose officer stands in every event. `progress` is told the rows taken so far.
    Raises `Refusal` for a file that cannot be taken, `SealBroken` for one that was changed in the file store.
    """
    form = template.columns()
    envelope = Envelope(record.form, record.encoding)
    told, sender = Told(on_behalf(begun), at), area_of(record.officer_id) or record.area
    merger, report = Merger(record.pk, told, (sender.code, sender.last)), Report(envelope)
    done = 0
    _make_room()
    with beside() as own, upload.opened(record.upload, upload.UPLOAD) as stream:
        arrivals = Arrivals(record.pk, told, own)
        for block, bad, arrived in _ahead(_ready(reading.blocks(stream, envelope, form), rules(record, form, at),
                                                 arrivals)):
            late = merger.take(arrived)
            report.add(block.header, block.frame, _all_bad(bad, late))
            done += block.frame.height
            progress(done)
    counts = merger.counts
    return Taken(done, counts.created, counts.merged, counts.unchanged, report.refused, dict(report.reasons),
                 report.keep())


def on_behalf(begun: Event) -> Actor:
    """The officer who sent the file, as the platform continues for them: a task may do what was allowed to begin."""
    return Actor(begun.actor_id, begun.actor_name, begun.person, SYSTEM.permissions, *WHOLE_NATION)


def rules(record: Import, form: shape.Shape, at: datetime) -> Rules:
    """What the rows of an import are held against: the units of its area, spellings, the day."""
    area = record.area
    return Rules(units={shape.word(text): code for text, code in unit_words(area.code, area.last).items()},
                 unit=area.code if area.issuing else None, spellings=form.spellings, today=at.date())


def _ready(blocks: Iterable[Block], held: Rules, arrivals: Arrivals) -> Iterator[tuple[Block, pl.DataFrame, Arrived]]:
    """Each block with the rows that its check refused, and the others ready to be written."""
    for block in blocks:
        checked = check(block.frame, block.header, held)
        yield block, checked.bad, arrivals.sort(prepare(checked.good))


def _all_bad(bad: pl.DataFrame, late: pl.DataFrame) -> pl.DataFrame:
    """What the check refused and what the merge refused."""
    if late.is_empty():
        return bad
    return pl.concat([bad, late], how="vertical_relaxed").sort("place")


def _make_room() -> None:
    """`ROOM` for the connection of the transaction, as far as the system allows it."""
    connection.ensure_connection()
    with socket.socket(fileno=os.dup(connection.connection.pgconn.socket)) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)


@contextmanager
def beside() -> Iterator[BaseDatabaseWrapper]:
    """A connection beside the import's transaction, for another thread too: what is done on it holds at once, though
    it does not wait for the disk. Ids drawn and progress told just before a crash may be lost with the import itself.
    """
    own = connection.copy()
    own.inc_thread_sharing()
    with closing(own), own.cursor() as cursor:
        cursor.execute("SELECT set_config('app.lo', '0', false), set_config('app.hi', %s, false), "
                       "set_config('enable_seqscan', 'off', false), set_config('synchronous_commit', 'off', false)",
                       [str(WHOLE_NATION[1])])
        yield own


def _ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The items, made by a thread of their own a little ahead of their use; its exception is raised here."""
    line: queue.Queue[Item | BaseException | None] = queue.Queue(AHEAD)
    stop = threading.Event()

    def put(item: Item | BaseException | None) -> None:
        while not stop.is_set():
            try:
                line.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    return
            put(None)
        except BaseException as fault:
            put(fault)

    thread = threading.Thread(target=work, name="reading ahead")
    thread.start()
    try:
        while (item := line.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()


class Progress:
    """Writes how far an import is on a connection beside it, so that a page sees it before the import commits."""

    def __init__(self, record: Import, beside: BaseDatabaseWrapper) -> None:
        """For one import."""
        self._record, self._beside = record, beside

    def __call__(self, rows: int) -> None:
        """`rows` have been taken."""
        with self._beside.cursor() as cursor:
            cursor.execute("UPDATE registry_import SET progress = %s WHERE id = %s", [rows, self._record.pk])
