"""Sub-commands for cards (证卡) one by one, and for the lists that tell of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import typer
from django.utils import timezone

from zhengka.areas import queries as areas
from zhengka.cards import queries as card_queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cards.workflow import CARD
from zhengka.cli import cluster, line, proof
from zhengka.cli.acts import As, unit_of
from zhengka.cli.files import writing
from zhengka.cli.officers import actor
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.custody import services as custody
from zhengka.formats import qr
from zhengka.gates import services as gates
from zhengka.production import services as production
from zhengka.production.workflow import HOLDS

SERIAL = 16
"""Digits of a card's serial; an id has fewer."""

card = typer.Typer(name="card", help="Cards: hand over, activate, lost, found.", no_args_is_help=True)
lists = typer.Typer(name="lists", help="Status lists and keys for verifiers.", no_args_is_help=True)


def _card(serial: str, officer: str, change: Callable[..., Card]) -> None:
    cluster.ensure()
    by = actor(officer)
    moved = change(_find_card(serial, by), by=by, request_id=uuid4(), at=timezone.now())
    typer.echo(f"{serial}: {moved.state}" + (f" until {moved.active_until}" if moved.state == "active" else ""))


def _find_card(text: str, by: Actor) -> Card:
    """A card by its serial (16 digits), or by its id (15): a card has no serial before it is prepared."""
    if text.isascii() and text.isdigit() and len(text) < SERIAL:
        return card_queries.get(int(text), actor=by)
    return card_queries.by_serial(text, actor=by)


@card.command()
def held(unit: str = typer.Option("", help="Six-digit code of one issuing unit; else the officer's whole area."),
         officer: As = "producer") -> None:
    """List held cards: id, unit, the holder's id, and why the card is held."""
    cluster.ensure()
    by = actor(officer)
    if unit:
        area = areas.area(unit_of(unit).code, actor=by)
        by = replace(by, lo=area.code, hi=area.last)
    for page in line.pages(by, "held"):
        for one in page:
            typer.echo(f"{one.pk} {one.area.unit6} holder {one.holder_id}: {_hold_word(one.hold_reason)}")


def _hold_word(reason: str) -> str:
    """The code of a hold with its official term, and what it is about, such as the character that no font has."""
    code, _space, detail = reason.partition(" ")
    return " ".join(word for word in (code, HOLDS.get(code, ""), detail) if word)


@card.command()
def release(card: str = typer.Argument(help="Id of the card as `card held` lists it, or its serial."),
            officer: As = "producer") -> None:
    """Let a held card wait for the next batch, once what held it was put right."""
    _card(card, officer, production.release)


@card.command()
def hand_over(serial: str, officer: As = "clerk", *,
              number: str = typer.Option(..., "--list", help="Number of the list that the holder signed by hand."),
              day: datetime = typer.Option(None, "--signed", formats=["%Y-%m-%d"],
                                           help="Day on which it was signed; else today."),
              home: bool = typer.Option(False, "--home", help="The card was brought to the holder's home."),
              looked: bool = typer.Option(False, "--looked", help="You compared its print with the record.")) -> None:
    """Hand a finished card to its holder and take the old certificate back; the list that was signed is the proof."""
    listed = custody.SignedList(number, day.date() if day else timezone.localdate())
    proof = custody.Proof("home" if home else "counter", listed=listed, looked=looked)

    def give(card: Card, **told: Any) -> Card:
        return custody.hand_over(card, proof, **told)
    _card(serial, officer, give)


@card.command()
def activate(serial: str, officer: As = "clerk") -> None:
    """Make a handed-over card usable for its activation year."""
    _card(serial, officer, cards.activate)


@card.command()
def lost(serial: str, officer: As = "clerk") -> None:
    """Report a card lost (挂失)."""
    _card(serial, officer, cards.report_lost)
    line.publish(timezone.now())


@card.command()
def found(serial: str, officer: As = "clerk") -> None:
    """Undo a loss report (解挂)."""
    _card(serial, officer, cards.report_found)
    line.publish(timezone.now())


@card.command()
def some(state: str = typer.Argument("active"), count: int = typer.Option(5), officer: As = "clerk") -> None:
    """Show a few cards of a state: serial and the text of the QR code."""
    cluster.ensure()
    if state not in CARD.states:
        raise Refusal("card-state-unknown", state=state, states=" ".join(sorted(CARD.states)))
    shown = card_queries.worklist(actor(officer), state, limit=count)
    for one in shown:
        typer.echo(f"{one.serial} {proof.text(one)}")
    if not shown:
        typer.echo(f"no card is {state}", err=True)


@card.command("qr")
def show_qr(serial: str, out: Path = typer.Option(None, help="PNG file to write; else print the text."),
            officer: As = "clerk") -> None:
    """Show the QR code of a card: its text, or a picture of it."""
    cluster.ensure()
    text = proof.text(card_queries.by_serial(serial, actor=actor(officer)))
    if out is None:
        typer.echo(text)
        return
    with writing(out):
        out.write_bytes(qr.png(text))
    typer.echo(f"{out}: {out.stat().st_size} bytes")


@lists.command()
def claims() -> None:
    """Give operators their rules and the lists of those whom the rules are for, where these say something new."""
    cluster.ensure()
    typer.echo(f"{len(gates.publish_claims(at=timezone.now()))} lists of claims published")


@lists.command()
def publish() -> None:
    """Publish status lists that say something new."""
    cluster.ensure()
    typer.echo(f"{line.publish(timezone.now())} lists published")
