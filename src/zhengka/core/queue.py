"""Work for later, on the same PostgreSQL: a job exists only if the transaction that asked for it commits."""

from collections.abc import Callable
from typing import Any, TypeVar

import procrastinate
from django.db import transaction
from procrastinate import exceptions
from procrastinate.contrib.django import app

Work = TypeVar("Work", bound=Callable[..., Any])
_blueprint = procrastinate.Blueprint()
STALLED_AFTER = 30
"""Seconds without a heartbeat after which a worker counts as dead and its job is given to another."""


def task(name: str, *, queueing_lock: str | None = None) -> Callable[[Work], Work]:
    """Register a function as the task `name`. It gets row ids only, calls one service, and may run twice."""
    def register(function: Work) -> Work:
        _blueprint.task(name=name, queueing_lock=queueing_lock, retry=procrastinate.RetryStrategy(
            max_attempts=5, linear_wait=2))(function)
        return function
    return register


def task_names() -> list[str]:
    """Names of all tasks, for the tests that hold every name against its service."""
    return sorted(_blueprint.tasks)


def on_app_ready(ready: procrastinate.App) -> None:
    """Called by procrastinate's Django application once every room's tasks are known."""
    ready.add_tasks_from(_blueprint, namespace="zhengka") if not ready.tasks.get("zhengka:sweep") else None


def later(name: str, *, lock: str | None = None, once: str | None = None, **ids: int | str) -> None:
    """Ask for the task `name`, within the present transaction. `lock`: jobs of one lock run one after another;
    `once`: nothing is added while a job of that queueing lock still waits.
    """
    job = app.configure_task(f"zhengka:{name}", lock=lock, queueing_lock=once)
    try:
        with transaction.atomic():  # AlreadyEnqueued must not spoil the caller's transaction
            job.defer(**ids)
    except exceptions.AlreadyEnqueued:
        return
