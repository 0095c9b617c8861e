"""Where a process can be broken: at every statement and commit, and at every step of a file. Nothing in the product
knows of it: Django tells of its statements, and Python itself of files (audit events, PEP 578).
"""

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FILE_EVENTS = ("os.rename", "os.remove", "os.rmdir", "os.link", "shutil.rmtree", "shutil.copyfile")
TORN = 64
"""Bytes of a file that are written before the process that tears it dies."""


class Point(NamedTuple):
    """The `number`-th event of a kind (`row` or `file`) in one step of the life, and what it is."""

    kind: str
    step: str
    number: int
    what: str = ""

    def same(self, other: "Point | None") -> bool:
        """Whether it is the same place, whatever it is called there."""
        return other is not None and self[:3] == other[:3]


class Walk:
    """Counts the points that a process meets, and breaks it at one of them. `counted`: label and number of signatures
    that are counted in the database and not yet asked of the key store.
    """

    def __init__(self, target: Point | None = None, act: Callable[[Point], None] | None = None) -> None:
        self.step, self.met, self.counted = "", list[Point](), ("", 0)
        self._target, self._act, self._numbers = target, act, dict[tuple[str, str], int]()

    def meet(self, kind: str, what: str) -> None:
        """One event happens now."""
        number = self._numbers[kind, self.step] = self._numbers.get((kind, self.step), 0) + 1
        self.met.append(point := Point(kind, self.step, number, what))
        if point.same(self._target):
            self.strike(point)

    def ended(self) -> None:
        """The step is over, and nobody was told yet: a process whose point never came in it is broken here."""
        if self._target and self._target.step == self.step:
            self.strike(Point(self._target.kind, self.step, 0, "the end of the step"))

    def strike(self, point: Point) -> None:
        """Break the process, once."""
        act, self._act, self._target = self._act, None, None
        if act:
            act(point)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Hear of everything that this process writes. What hears of files stays until its end."""
        sys.addaudithook(self._audit)
        commit = connection._commit

        def told() -> None:
            self.meet("row", "before COMMIT")
            commit()
            self.meet("row", "after COMMIT")

        connection._commit = told
        try:
            with connection.execute_wrapper(self._statement):
                yield
        finally:
            connection._commit = commit

    def _statement(self, execute: Callable, sql: object, params: object, many: bool, context: dict) -> object:
        words = " ".join(str(sql).split())[:90]
        if words.startswith('UPDATE "keys_key" SET "signatures" ='):
            self.counted = (str(params[1]), int(params[0]))
        self.meet("row", f"before {words}")
        return execute(sql, params, many, context)

    def _audit(self, event: str, found: tuple) -> None:
        if event == "open" and isinstance(found[0], str | bytes) and found[2] & WRITES and _ours(found[0]):
            self.meet("file", f"open {Path(os.fsdecode(found[0])).name}")
        elif event in FILE_EVENTS and _ours(found[0]):
            self.meet("file", f"{event} {Path(os.fsdecode(found[0])).name}")


def _ours(path: object) -> bool:
    """Within the home; what is removed with its folder is told by its name alone."""
    if isinstance(path, int):
        return False
    name = os.fsdecode(path)
    return name.startswith(str(settings.HOME)) or not name.startswith("/")


def die(_: Point) -> None:
    """kill -9 of this process."""
    os.kill(os.getpid(), signal.SIGKILL)


def tear(point: Point) -> None:
    """Die in the middle of the next file that is written: the kernel ends who writes past the limit."""
    if not point.what.startswith("open"):
        die(point)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (TORN, resource.RLIM_INFINITY))


def kill_server(_: Point) -> None:
    """kill -9 of the server of this home; this process lives on and sees what that means."""
    pid = Path(settings.HOME, "postgres", "postmaster.pid")
    os.kill(int(pid.read_text().split()[0]), signal.SIGKILL)


def freeze(_: Point) -> None:
    """Stop, as if the machine slept, until somebody wakes us."""
    os.kill(os.getpid(), signal.SIGSTOP)
