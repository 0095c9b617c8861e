"""Prepare a batch in processes of one's own, for the command line and where no worker runs."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from datetime import datetime
from multiprocessing import get_context
from typing import Final

from django.db import connection

from zhengka.core.errors import Refusal
from zhengka.production.models import Batch
from zhengka.production.process import begin
from zhengka.production.services.chunks import prepare_next
from zhengka.production.services.finishing import finish_batch

LEASE: Final = 30
"""Seconds after which a chunk whose worker says nothing is given to another; a chunk takes one to four."""
POLL: Final = 0.5
GOING_ON: Final = ("preparing", "stalled")
"""States in which parts of a batch are prepared."""

Told = Callable[[int, int], None]


def run_chunks_here(batch: Batch, *, at: datetime, processes: int = 2, told: Told | None = None) -> Batch:
    """Prepare all chunks of a batch here, then finish it; the batch as it is then.

    `told(done, all)` hears how many chunks are done. Others may work on the same batch: a chunk belongs to one at a
    time, and one whose worker died is taken over after `LEASE` seconds.
    """
    processes = min(processes, batch.chunks.exclude(state="done").count())
    if processes > 1:
        _spread(batch, processes, at, told)
    while not _whole(batch, told):
        if not _prepare_next(batch.pk, at):
            batch.refresh_from_db()
            if batch.state not in GOING_ON:
                return batch
            time.sleep(POLL)
    return finish_batch(batch, at=at)


def _spread(batch: Batch, processes: int, at: datetime, told: Told | None) -> None:
    """Let processes take chunks until none waits."""
    name = str(connection.settings_dict["NAME"])
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=begin,
                             initargs=(name,)) as pool:
        working: set[Future[None]] = {pool.submit(_prepare_all, batch.pk, at) for _ in range(processes)}
        while working:
            done, working = wait(working, timeout=POLL)
            for one in done:
                one.result()
            _whole(batch, told)


def _prepare_all(batch_id: int, at: datetime) -> None:
    while _prepare_next(batch_id, at):
        pass


def _prepare_next(batch_id: int, at: datetime) -> bool:
    """Prepare the next chunk that nobody works on; False where there is none."""
    try:
        return prepare_next(batch_id, silent_for=LEASE, at=at)
    except Refusal as refused:
        if refused.code != "lease-lost":
            raise
        return True


def _whole(batch: Batch, told: Told | None) -> bool:
    """True once all chunks are done."""
    states = list(batch.chunks.values_list("state", flat=True))
    done = states.count("done")
    if told:
        told(done, len(states))
    return done == len(states)
