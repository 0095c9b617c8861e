"""`zhengka serve` and `zhengka worker`: the site and its workers, kept alive together."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

import typer
from django.conf import settings
from django.core.management import call_command

from zhengka.cli import cluster
from zhengka.cli.files import keep_public_url
from zhengka.cli.line import workers
from zhengka.core import queue
from zhengka.core.errors import Refusal

RESTART_AFTER = 1.0
LOOK_EVERY = 0.5
"""Seconds from one look to the next whether the site answers."""
GRACE = 25.0
"""Seconds that all of them together have to end what they are at; a worker takes 20."""


def worker(until_empty: bool = typer.Option(False, help="End when nothing waits but letters written in bulk.")) -> None:
    """Carry out waiting work: imports, batches, status lists."""
    cluster.ensure()
    queue.work(until_empty=until_empty)


def serve() -> None:
    """Serve the site and run its workers until stopped; a process that dies is started again.

    The address is printed when the site answers. `Refusal("address-in-use")` where another program listens there.
    """
    host, port = check_free()
    keep_public_url()
    cluster.ensure()
    call_command("collectstatic", verbosity=0, interactive=False)
    site = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
            "--workers", str(workers()), "--blocking-threads", "1", "--no-ws", "--log-level", "warning",
            "zhengka.config.wsgi:application"]
    hand = [sys.executable, "-m", "zhengka.cli", "worker"]
    keep_alive([site, *([hand] * workers())], once_answers=(host, port), say=lambda: typer.secho(
        f"\nhttp://{settings.BIND}/staff/  (Ctrl-C ends)", bold=True))


def check_free() -> tuple[str, int]:
    """Where the site will listen; `Refusal("address-in-use")` where somebody listens already. The site's own processes
    share the port, and would share it with another installation's, too, which would then get every second request.
    """
    host, _, port = settings.BIND.rpartition(":")
    host = host.strip("[]")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a site that ended a minute ago is no hindrance
        try:
            trial.bind((host, int(port)))
        except OSError as no:
            raise Refusal("address-in-use", address=settings.BIND) from no
    return host, int(port)


def keep_alive(commands: Sequence[Sequence[str]], *, once_answers: tuple[str, int] | None = None,
               say: Callable[[], object] = lambda: None) -> None:
    """Run the commands side by side; start again what ends; end them all, and what they started, on SIGTERM or SIGINT.

    `say` is called once, when somebody answers at the address.
    """
    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    running: dict[int, subprocess.Popen[bytes]] = {}
    waits = once_answers is not None
    try:
        while True:
            for number, command in enumerate(commands):
                if number not in running or running[number].poll() is not None:
                    running[number] = _start(command)
            if waits and once_answers and _answers(once_answers):
                say()
                waits = False
            time.sleep(LOOK_EVERY if waits else RESTART_AFTER)
    except KeyboardInterrupt:
        _end(running.values())


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """A group of its own: what the program starts is ended with it."""
    return subprocess.Popen(command, cwd=Path.cwd(), start_new_session=True)  # noqa: S603 - our own programs


def _answers(address: tuple[str, int]) -> bool:
    with suppress(OSError), socket.create_connection(address, timeout=RESTART_AFTER):
        return True
    return False


def _end(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """Ask each group to end, and make it end when its time is up; a second Ctrl-C does not cut this short."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ended = list(processes)
    for process in ended:
        _tell(process, signal.SIGTERM)
    patience = time.monotonic() + GRACE
    for process in ended:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(patience - time.monotonic(), 0))
        _tell(process, signal.SIGKILL)
        process.wait()


def _tell(process: subprocess.Popen[bytes], what: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # the whole group has ended
        os.killpg(process.pid, what)
