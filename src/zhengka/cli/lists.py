"""Sub-commands for status lists: what waits for two persons, how fast losses travel, and a bundle from a web server."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import typer
from django.utils import timezone

from zhengka.cards import reach
from zhengka.cards import services as cards
from zhengka.cards.models import ListHold
from zhengka.cards.reach import Delay
from zhengka.cli import cluster
from zhengka.cli.acts import As
from zhengka.cli.fetching import Server, mirror
from zhengka.cli.officers import actor
from zhengka.core.errors import Refusal
from zhengka.formats.bundle import PUBLIC, BadBundle

Why = typer.Option(help="Why; no name and no number of a person.")
Seen = typer.Option(help="How many cards `lists held` showed.")


def held(officer: As = "leader") -> None:
    """List blocks that gates are not told of before two persons have released them."""
    cluster.ensure()
    for row in reach.holds(actor(officer)).filter(ended_at=None):
        acts = ", ".join(f"{one.action} {one.cards}" for one in reach.causes(row))
        typer.echo(f"{row.pk} {row.state} area {row.area_id:012d} cards {row.cards} "
                   f"since {timezone.localtime(row.at):%Y-%m-%d %H:%M}: {acts}")


def ask_release(hold: int, why: str = Why, seen: int = Seen, officer: As = "approver") -> None:
    """Say that blocks which were held back are meant: the first of two persons."""
    cluster.ensure()
    by = actor(officer)
    _told(cards.ask_release(reach.hold(hold, actor=by), why, seen=seen, by=by, request_id=uuid4(), at=timezone.now()))


def keep_held(hold: int, why: str = Why, officer: As = "leader") -> None:
    """Do not release blocks that were held back."""
    cluster.ensure()
    by = actor(officer)
    _told(cards.keep_held(reach.hold(hold, actor=by), why, by=by, request_id=uuid4(), at=timezone.now()))


def release(hold: int, seen: int = Seen, officer: As = "leader") -> None:
    """Release blocks that were held back, as another person than who asked."""
    cluster.ensure()
    by = actor(officer)
    _told(cards.release(reach.hold(hold, actor=by), seen=seen, by=by, request_id=uuid4(), at=timezone.now()))


def delays(days: int = typer.Option(7, min=1, help="Of how many days."), officer: As = "leader") -> None:
    """Show how long losses took to the signed list, and to the gates of each operator."""
    cluster.ensure()
    now, by = timezone.now(), actor(officer)
    period = {"since": now - timedelta(days=days), "until": now}
    _delay("in the signed list", reach.published(by, **period))
    for one in reach.reached(by, **period):
        _delay(f"{one.operator}, {one.gates} gates: seen", one.seen)
        _delay(f"{one.operator}, {one.gates} gates: in force", one.in_force)


def fetch(address: str = typer.Argument(help="Folder of a bundle on a web server, such as https://HOST/bundle."),
          to: Path = typer.Option(help="Folder that is to hold the bundle."),
          keys: Path = typer.Option(None, help="Public keys to begin with, from a place that you trust."),
          whose: str = typer.Option(PUBLIC, help="Whose bundle it must be: public, or an operator's code.")) -> None:
    """Bring a folder up to what a web server has: the bundle whole and checked, or nothing of it."""
    at = timezone.now()
    try:
        got = mirror(Server(address), to, at=at, keys=keys, whose=whose)
    except BadBundle as bad:
        raise Refusal("bundle-refused", reason=bad.code, file=bad.name) from None
    except OSError as broken:
        raise Refusal("bundle-unreachable", address=address, reason=type(broken).__name__) from None
    age = got.manifest.age(at)
    typer.echo(f"{to}: version {got.manifest.version}, {len(got.manifest.files)} files, {len(got.lists)} lists, "
               f"{int(age.total_seconds())} s old{', TOO OLD to let anybody pass' if got.manifest.too_old(at) else ''}")


def _told(hold: ListHold) -> None:
    typer.echo(f"{hold.pk}: {hold.state}, {hold.cards} cards")


def _delay(name: str, delay: Delay | None) -> None:
    if delay is None:
        typer.echo(f"{name}: nothing measured")
        return
    typer.echo(f"{name}: {delay.measured} measured, median {delay.median.total_seconds():.1f} s, "
               f"95 of 100 {delay.p95.total_seconds():.1f} s, worst {delay.worst.total_seconds():.1f} s")
