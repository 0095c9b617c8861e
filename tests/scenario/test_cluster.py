"""The private server comes back when it was killed, while what is left of the old one still holds its lock."""

import os
import signal
import threading
import time
from pathlib import Path

import psycopg
import pytest

from zhengka.cli import cluster

pytestmark = pytest.mark.own_home
BUSY = 4
"""Seconds for which a statement runs on after its server was killed."""


@pytest.fixture
def server(settings, monkeypatch, tmp_path):
    """A server of this test's own."""
    settings.HOME, settings.EMBEDDED_DATABASE = tmp_path, True
    for name, value in {"HOST": str(tmp_path / "run"), "PORT": "", "USER": "zhengka", "NAME": "zhengka"}.items():
        monkeypatch.setitem(settings.DATABASES["default"], name, value)
    cluster.ensure()
    yield tmp_path
    cluster.stop()


def busy(home: Path) -> threading.Thread:
    """A statement that is under way, and does not look up before it is done."""
    def run() -> None:
        with pytest.raises(psycopg.OperationalError), psycopg.connect(
                host=str(home / "run"), user="zhengka", dbname="zhengka") as connection:
            connection.execute("SELECT count(*) FROM generate_series(1, 1000000000)")

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def backends(home: Path) -> list[int]:
    """The processes that run a statement."""
    with psycopg.connect(host=str(home / "run"), user="zhengka", dbname="zhengka") as connection:
        return [pid for (pid,) in connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND pid <> pg_backend_pid()")]


def test_a_server_that_was_killed_comes_back_once_the_last_of_it_has_ended(server):
    statement = busy(server)
    while not (left := backends(server)):
        time.sleep(0.05)
    os.kill(int((server / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    threading.Timer(BUSY, os.kill, (left[0], signal.SIGTERM)).start()
    began = time.monotonic()
    cluster.ensure()
    assert time.monotonic() - began > BUSY - 1, "what is left of the old one was waited for"
    statement.join()
