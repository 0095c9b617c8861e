"""Work for later, on the same PostgreSQL: a job exists only if the transaction that asked for it commits."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection, transaction
from procrastinate import JobContext, RetryStrategy, exceptions
from procrastinate.contrib.django import app
from procrastinate.jobs import DEFAULT_PRIORITY, DEFAULT_QUEUE, Status

from zhengka.core import files

Work = TypeVar("Work", bound=Callable[..., Any])
log = logging.getLogger("zhengka.queue")

STALLED_AFTER = 30
"""Seconds without a heartbeat after which a worker counts as dead and its job is given to another."""
TRIES = 5
"""How often a job that failed is tried again."""
DEATHS = 3 * TRIES
"""After so many tries a job whose workers die is taken for what kills them."""
URGENT, IDLE = 10, -10
SPARE = "spare"
"""Queue of work that comes by the ten thousand and may wait."""
_GIVEN_UP: dict[str, Callable[..., Any]] = {}


def task(name: str, *, cron: str = "", urgent: bool = False,
         given_up: Callable[..., Any] | None = None) -> Callable[[Work], Work]:
    """Register a function as the task `name`. It gets row ids only, calls one service, and may run twice.

    `cron`: workers also begin it at these times (minute, hour, day, month, weekday), with `timestamp` in seconds.
    `urgent`: goes before all work that waits, such as a list that tells gates of a lost card (I12).
    `given_up`: called with the same ids when the last try has failed, so that no page waits for ever.
    """
    def register(function: Work) -> Work:
        options: dict[str, Any] = {"name": name, "queueing_lock": name if cron else None,
                                   "priority": URGENT if urgent else DEFAULT_PRIORITY,
                                   "retry": RetryStrategy(max_attempts=TRIES, linear_wait=2)}
        if given_up:
            _GIVEN_UP[name] = given_up
            made = app.task(pass_context=True, **options)(_ending(function, given_up))
        else:
            made = app.task(**options)(function)
        if cron:
            app.periodic(cron=cron)(made)
        return function
    return register


def _ending(function: Callable[..., Any], given_up: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with `given_up` behind its last try."""
    @wraps(function)
    def run(context: JobContext, **ids: Any) -> None:
        try:
            function(**ids)
        except Exception:
            if context.job.attempts >= TRIES:
                given_up(**ids)
            raise
    return run


def task_names() -> list[str]:
    """Names of this program's tasks, for the tests that hold every name against its service."""
    return sorted(name for name in app.tasks if "." in name and not name.startswith(("procrastinate", "builtin")))


def later(name: str, *, lock: str | None = None, once: str | None = None, **ids: int | str) -> None:
    """Ask for the task `name`, within the present transaction.

    `lock`: jobs of one lock run one after another; `once`: nothing is added while a job of that name still waits.
    """
    job = app.configure_task(name, lock=lock, queueing_lock=once)
    while True:
        try:
            with transaction.atomic():  # AlreadyEnqueued must not spoil the caller's transaction
                job.defer(**ids)
            return
        except exceptions.AlreadyEnqueued:
            if _held(once):
                return


def later_many(name: str, ids: Sequence[Mapping[str, Any]]) -> None:
    """Ask for the task `name` many times by one statement, within the present transaction. It waits behind all other
    work, in a queue that only workers serve who stay: ten thousand letters keep no status list and no batch.
    """
    if ids:
        app.configure_task(name, queue=SPARE, priority=IDLE).batch_defer(*(dict(each) for each in ids))


def _held(once: str | None) -> bool:
    """Keep the waiting job from being begun until this transaction ends; begun before, it would not see what is
    written here, and nobody would come again. False where a worker was quicker.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo' FOR SHARE", [once])
        return bool(cursor.rowcount)


@app.periodic(cron="* * * * * */15")
@app.task(name="core.revive_stalled", queueing_lock="core.revive_stalled", priority=URGENT, pass_context=True)
async def revive_stalled(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - when it was due
    """Give the jobs of dead workers to living ones: procrastinate itself leaves them marked as being done. A job that
    kills every worker (of hunger for memory, say) is not handed on for ever.
    """
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER):
        if job.attempts < DEATHS:
            log.warning("job %s (%s) of a dead worker is given to another", job.id, job.task_name)
            await manager.retry_job(job)
            continue
        log.error("job %s (%s) is given up: its workers die", job.id, job.task_name)
        if given_up := _GIVEN_UP.get(job.task_name):
            await sync_to_async(given_up)(**job.task_kwargs)
        await manager.finish_job(job, status=Status.FAILED, delete_job=False)


def work(*, until_empty: bool = False) -> None:
    """Run a worker in this process, until a signal or (`until_empty`) until nothing waits but `SPARE` work. What killed
    processes left in clear is removed first.
    """
    files.sweep()
    close_old_connections()
    with app.replace_connector(app.connector.get_worker_connector()) as worker:  # type: ignore[attr-defined]
        worker.run_worker(queues=[DEFAULT_QUEUE] if until_empty else None, wait=not until_empty,
                          fetch_job_polling_interval=1.0, delete_jobs="successful", install_signal_handlers=True,
                          shutdown_graceful_timeout=20)
