"""Checks by programs are counted together (合并计数): a process keeps what it told and writes it within a second."""

import atexit
import logging
import threading
import time
from datetime import datetime
from typing import Final, NamedTuple

from django.db import DatabaseError, connection

LOG = logging.getLogger("zhengka.gates")
WITHIN: Final = 1.0
"""Seconds after which a check is written at the latest; a process that is killed loses what came since."""
MOST: Final = 500
"""So many at once are written by the request that brought the last of them."""
KEPT: Final = 20_000
"""So many wait for a database that is away; then the oldest are forgotten, and the log says how many."""
_COUNT = "SELECT gates_count_checks(%s::timestamptz[], %s::text[], %s::text[], %s::bigint[])"


class Counted(NamedTuple):
    """One answer: when, through which channel, which verdict, the card's office or None."""

    at: datetime
    channel: str
    verdict: str
    area: int | None


class Tally:
    """What one process has told and not written yet."""

    def __init__(self) -> None:
        """Begin with nothing; the thread that writes begins with the first."""
        self._rows: list[Counted] = []
        self._lock, self._came = threading.Lock(), threading.Event()
        self._writer: threading.Thread | None = None

    def add(self, told: Counted) -> None:
        """Count one answer; within a transaction it is a part of that."""
        if connection.in_atomic_block:
            _write([told])
            return
        with self._lock:
            self._rows.append(told)
            full = len(self._rows) >= MOST
            if self._writer is None:
                self._writer = threading.Thread(target=self._keep_writing, name="tally", daemon=True)
                self._writer.start()
                atexit.register(self.write)
        self._came.set()
        if full:
            self.write()

    def write(self) -> None:
        """Write what waits; what cannot be written goes on waiting."""
        with self._lock:
            rows, self._rows = self._rows, []
        if not rows:
            return
        try:
            _write(rows)
        except DatabaseError:
            LOG.warning("%d checks could not be counted yet", len(rows))
            self._came.set()
            with self._lock:
                self._rows[:0] = rows
                if (over := len(self._rows) - KEPT) > 0:
                    del self._rows[:over]
                    LOG.error("%d checks were never counted", over)

    def _keep_writing(self) -> None:
        while self._came.wait():
            self._came.clear()
            time.sleep(WITHIN)
            self.write()
            connection.close()  # this thread's own: no connection is held while nobody is checked


def _write(rows: list[Counted]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [list(column) for column in zip(*rows, strict=True)])


TALLY: Final = Tally()
