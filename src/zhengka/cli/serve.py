"""`zhengka serve` and `zhengka worker`: the site and its workers, kept alive together."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import typer
from django.conf import settings
from django.core.management import call_command

from zhengka.cli import cluster
from zhengka.cli.line import workers
from zhengka.core import queue

RESTART_AFTER = 1.0
GRACE = 25.0
"""Seconds that all of them together have to end what they are at; a worker takes 20."""


def worker(until_empty: bool = typer.Option(False, help="End when nothing waits but letters written in bulk.")) -> None:
    """Carry out waiting work: imports, batches, status lists."""
    cluster.ensure()
    queue.work(until_empty=until_empty)


def serve() -> None:
    """Serve the site and run its workers until stopped; a process that dies is started again."""
    cluster.ensure()
    call_command("collectstatic", verbosity=0, interactive=False)
    host, _, port = settings.BIND.rpartition(":")
    site = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", port,
            "--workers", str(workers()), "--blocking-threads", "1", "--no-ws", "--log-level", "warning",
            "zhengka.config.wsgi:application"]
    hand = [sys.executable, "-m", "zhengka.cli", "worker"]
    keep_alive([site, *([hand] * workers())])


def keep_alive(commands: Sequence[Sequence[str]]) -> None:
    """Run the commands side by side; start again what ends; end them all on SIGTERM or SIGINT."""
    running = {number: _start(command) for number, command in enumerate(commands)}

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        while True:
            time.sleep(RESTART_AFTER)
            for number, process in running.items():
                if process.poll() is not None:
                    running[number] = _start(commands[number])
    except KeyboardInterrupt:
        for process in running.values():
            process.terminate()
        patience = time.monotonic() + GRACE
        for process in running.values():
            try:
                process.wait(max(patience - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                process.kill()


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=Path.cwd())  # noqa: S603 - our own programs
