"""`zhengka db …`, `backup`, `restore`: the database and the file store as one thing."""

import subprocess
import tarfile
from pathlib import Path
from uuid import uuid4

import typer
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from zhengka.cards import services as cards
from zhengka.cards.rules import LEFT_OUT
from zhengka.cases import services as cases
from zhengka.cli import cluster
from zhengka.core import files
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.queries import EventFilter, events

db = typer.Typer(help="The database: make, start, stop, migrate.", no_args_is_help=True)
ROLES = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zhengka_web') THEN
        CREATE ROLE zhengka_web NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
"""A dump names the web's role but does not hold it: roles belong to the whole server."""
KEPT = ("files", "keys", "secrets", "public", "gates", "packages")
"""What is kept beside the database; a backup holds all of it, so it must be guarded like the keys themselves."""


@db.command()
def ensure() -> None:
    """Make and start the private cluster (or reach DATABASE_URL), and say so."""
    typer.echo(cluster.ensure())


@db.command()
def stop() -> None:
    """Stop the private cluster."""
    cluster.stop()


@db.command()
def migrate() -> None:
    """Bring the tables to this version's shape."""
    cluster.ensure()
    bring_up_to_date()
    typer.echo("tables are current")


def bring_up_to_date() -> None:
    """Tables of this version's shape, in them the ways that its case policies allow, and the days of open cases by its
    calendars.
    """
    call_command("migrate", verbosity=0, interactive=False)
    cases.load_ways()
    cases.count_again(at=timezone.now())


def backup(target: Path = typer.Argument(help="File to write, .tar")) -> None:
    """Write the whole platform, database and file store, into one file."""
    cluster.ensure()
    with files.scratch() as work:
        dump = work / "database.dump"
        _postgres("pg_dump", "--format=custom", "--no-owner", "--enable-row-security", f"--file={dump}")
        part = target.with_suffix(target.suffix + ".part")
        with tarfile.open(part, "w") as tar:
            tar.add(dump, "database.dump")
            for name in _kept():
                if (Path(settings.HOME) / name).exists():
                    tar.add(Path(settings.HOME) / name, name)
        part.chmod(0o600)
        part.rename(target)
    typer.echo(f"{target}: {target.stat().st_size / 2**20:.1f} MiB")


def restore(
    source: Path = typer.Argument(help="File that `zhengka backup` wrote", exists=True),
    leave_out: int = typer.Option(LEFT_OUT, min=1, max=100 * LEFT_OUT, help=(
        "Serials and places in status lists that no card gets: more than were given since the backup.")),
) -> None:
    """Bring a backup back into an empty home; refused where anything is there already."""
    home = Path(settings.HOME)
    if any((home / name).exists() and any((home / name).iterdir()) for name in ("files", "keys")):
        raise Refusal("home-not-empty", home=str(home))
    cluster.ensure()
    with files.scratch() as work, tarfile.open(source) as tar:
        if "database.dump" not in tar.getnames():
            raise Refusal("backup-unreadable", file=source.name)
        tar.extractall(work, filter="data")
        with connection.cursor() as cursor:
            cursor.execute(ROLES)
        _postgres("pg_restore", "--no-owner", "--clean", "--if-exists", "--exit-on-error",
                  "--dbname", str(settings.DATABASES["default"]["NAME"]), str(work / "database.dump"))
        bring_up_to_date()
        last = events(EventFilter(), actor=SYSTEM).order_by("-pk").first()
        gap = cards.leave_out(leave_out, by=SYSTEM, request_id=uuid4(), at=timezone.now())
        _bring_files(work, home)  # last: a home that holds files is a whole one
    until = f"{timezone.localtime(last.at):%Y-%m-%d %H:%M:%S}" if last else "nothing"
    typer.echo(f"restored; the last that is known here: {until}")
    typer.echo(f"no card gets a running number from {gap.first_serial} to {gap.last_serial}: cards may have it already")
    typer.echo("now report again what was reported lost since then; then run `zhengka lists publish`")


def _bring_files(work: Path, home: Path) -> None:
    for name in _kept():
        kept = work / name
        for file in sorted(kept.rglob("*")) if kept.is_dir() else [kept] if kept.exists() else []:
            place = home / name / file.relative_to(kept)
            if file.is_dir():
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                file.replace(place)


def _postgres(program: str, *words: str) -> None:
    at = settings.DATABASES["default"]
    command = [str(cluster.find_programs() / program), "-h", str(at["HOST"]), "-U", str(at["USER"])]
    command += ["-p", str(at["PORT"])] if at.get("PORT") else []
    command += list(words) if program == "pg_restore" else [*words, str(at["NAME"])]
    environment = {"PGPASSWORD": str(at.get("PASSWORD") or ""), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
                   "PGOPTIONS": "-c app.lo=0 -c app.hi=999999999999"}  # a dump holds every area
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603
    if done.returncode:
        raise cluster.ClusterFault(f"{program}: {done.stderr.strip()[-500:]}")


def _kept() -> tuple[str, ...]:
    return (*KEPT, settings.PUBLIC_URL_FILE, settings.CODE_HOSTS_FILE)
