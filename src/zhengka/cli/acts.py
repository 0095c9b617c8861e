"""One sub-command for each step of the main job, done by a named officer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import typer
from django.conf import settings
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from zhengka.areas import queries as areas
from zhengka.areas.models import Area
from zhengka.areas.services import add_street as keep_street
from zhengka.areas.services import code12
from zhengka.cards import queries as card_queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import queries as case_queries
from zhengka.cases import services as cases
from zhengka.cli import cluster, line, proof
from zhengka.cli.officers import actor
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.exchange.sample import generate, generate_photos, pilot_units
from zhengka.formats import keyfile, qr
from zhengka.keys import services as keys
from zhengka.production import queries as batches
from zhengka.production import services as production
from zhengka.production.workflow import HOLDS
from zhengka.programme import queries as programmes
from zhengka.registry import queries as registry_queries
from zhengka.registry import services as registry

As = Annotated[str, typer.Option("--as", help="User name of the officer who acts.")]
Unit = Annotated[str, typer.Option(help="Six-digit code of the issuing unit.")]

SERIAL = 16
"""Digits of a card's serial; an id has fewer."""

plan = typer.Typer(name="plan", help="Areas and the plan of the pilot.", no_args_is_help=True)
exchange = typer.Typer(name="exchange", help="Exchange of certificates (换发).", no_args_is_help=True)
batch = typer.Typer(name="batch", help="Batches (制卡批次).", no_args_is_help=True)
maker = typer.Typer(name="maker", help="Card makers (制卡单位): keys handed to each other.", no_args_is_help=True)
card = typer.Typer(name="card", help="Cards: hand over, activate, lost, found.", no_args_is_help=True)
lists = typer.Typer(name="lists", help="Status lists and keys for verifiers.", no_args_is_help=True)


def unit_of(code: str) -> Area:
    """The issuing unit of a six-digit code; `Refusal("unit-unknown")`."""
    cluster.ensure()
    found = Area.objects.filter(code=int(code) * 10**6, issuing=True).first() if code.isdigit() else None
    if found is None:
        raise Refusal("unit-unknown", unit=code)
    return found


def _now() -> tuple[UUID, datetime]:
    return uuid4(), timezone.now()


@plan.command()
def load() -> None:
    """Load the areas and the plan from the dated files under data/."""
    cluster.ensure()
    typer.echo(f"{len(line.load_plan(Path(settings.DATA)))} areas")


@plan.command()
def add_street(unit: str, number: Annotated[int, typer.Argument(help="Three digits of GB/T 10114, such as 001.")],
               name: str, english: Annotated[str, typer.Option(help="English name.")] = "") -> None:
    """Keep a street or township (街道、乡镇) of a unit: its clerks receive applications where the policy lets them."""
    street = keep_street(unit_of(unit), number, name, english)
    typer.echo(f"{street.code} {street.name}")


@plan.command()
def show(officer: As = "leader") -> None:
    """Plan and fact for each issuing unit."""
    cluster.ensure()
    by = actor(officer)
    facts = {"holders": registry_queries.counts(actor=by),
             "ordered": {code: states.get("ordered", 0) for code, states in case_queries.counts_by_area(by).items()},
             "active": {code: states.get("active", 0) for code, states in card_queries.counts_by_area(by).items()}}
    table = Table("Unit", "Phase", "Planned", *facts)
    found = programmes.plan_and_fact(line.PROGRAMME, facts, actor=by)
    for one in found:
        table.add_row(one.unit.name, str(one.phase), f"{one.planned:,}", *(f"{n:,}" for n in one.facts.values()))
    table.add_row("合计", "", f"{sum(one.planned for one in found):,}",
                  *(f"{sum(one.facts[name] for one in found):,}" for name in facts))
    Console().print(table)


def import_(files: list[Path] = typer.Argument(help=".xlsx or .csv files", exists=True), unit: Unit = "",
            officer: As = "clerk",
            refused: Path = typer.Option(None, help="Folder for the files of refused rows.")) -> None:
    """Import second-generation holders; the unit is the file name's first six digits unless one is given."""
    cluster.ensure()
    by = actor(officer)
    for path in files:
        area = unit_of(unit) if unit else line.unit_of(path, line.issuing_units())
        request_id, at = _now()
        record = registry.receive_import(path.name, path, area, by=by, request_id=request_id, at=at)
        record = registry.take_import(record.pk, at=at)
        if record.problem:
            raise Refusal(record.problem, file=path.name)
        typer.echo(f"{path.name}: {record.rows} rows: {record.created} created, {record.merged} merged, "
                   f"{record.unchanged} unchanged, {record.refused} refused {dict(record.reasons) or ''}".rstrip())
        if refused and record.refused:
            name, data = registry.fetch_refused(record, by=by, request_id=uuid4(), at=at)
            (refused / name).touch(mode=0o600)  # people's data in clear: for the officer who asked, and nobody else
            (refused / name).write_bytes(data)


def photos(packs: list[Path] = typer.Argument(help="zip files of <ID number>.jpg", exists=True), unit: Unit = "",
           officer: As = "clerk") -> None:
    """Take packs of portraits."""
    cluster.ensure()
    for path in packs:
        area = unit_of(unit) if unit else line.unit_of(path, line.issuing_units())
        request_id, at = _now()
        taken = registry.set_photos(path, area, by=actor(officer), request_id=request_id, at=at)
        typer.echo(f"{path.name}: {taken.kept} kept, {taken.unchanged} unchanged, {taken.unknown} of unknown people, "
                   f"{taken.unnamed} without a number, "
                   f"{sum(taken.faults.values())} unusable {taken.faults or ''}".rstrip())


def sample(folder: Path = typer.Argument(help="Folder to fill"), scale: float = typer.Option(0.01),
           seed: int = typer.Option(20180516)) -> None:
    """Make a sample of invented second-generation holders with their portraits."""
    units = pilot_units(Path(settings.DATA))
    made = generate(folder, scale=scale, seed=seed, units=units, on_progress=_quiet, processes=line.workers())
    generate_photos(folder, scale=scale, seed=seed, units=units, on_progress=_quiet, processes=line.workers())
    typer.echo(f"{folder}: {len(made.files)} files, {made.total.rows} rows")


def _quiet(_done: int, _total: int) -> None:
    """Tell nobody."""


@exchange.command()
def open(unit: str = typer.Option("", help="Six-digit code of an issuing unit, or of an area with several."),
         phase: int = typer.Option(None, help="Units of this phase of the plan only."), officer: As = "clerk") -> None:
    """Open the exchange for all holders of a unit, or of all units of an area or phase, each in its planned phase."""
    if not unit and phase is None:
        raise typer.BadParameter("name a unit, an area or a phase")
    cluster.ensure()
    by, total = actor(officer), 0
    units = _planned(unit, phase, by)
    for one, planned in units:
        request_id, at = _now()
        opened = cases.open_exchange(one, planned, by=by, request_id=request_id, at=at)
        typer.echo(f"{one.unit6} {one.name}, phase {planned}: {opened} cases opened")
        total += opened
    if len(units) > 1:
        typer.echo(f"{len(units)} units: {total} cases opened")


def _planned(unit: str, phase: int | None, by: Actor) -> list[tuple[Area, int]]:
    """The officer's units within an area and of a phase, where these are given, each with its phase in the plan."""
    within = Area.objects.filter(code=code12(unit)).first() if unit.isdigit() else None
    found = [(one, planned) for one, planned in programmes.phases(actor=by).items()
             if (not unit or (within and within.code <= one.code <= within.last)) and phase in (None, planned)]
    if not found:
        raise Refusal("unit-unknown", **{name: given for name, given in (("unit", unit), ("phase", phase)) if given})
    return found


def _bulk(name: str, officer: str, decide: Callable[..., cases.Done]) -> None:
    cluster.ensure()
    request_id, at = _now()
    done = decide(None, by=actor(officer), request_id=request_id, at=at)
    typer.echo(f"{done.moved} cases: {name}; left alone: {dict(done.left) or 'none'}")


@exchange.command()
def confirm(officer: As = "clerk") -> None:
    """Confirm photo and data of all notified cases in the officer's area."""
    _bulk("confirmed", officer, cases.confirm_many)


@exchange.command()
def review(officer: As = "reviewer") -> None:
    """Review all confirmed cases in the officer's area."""
    _bulk("reviewed", officer, cases.review_many)


@exchange.command()
def approve(officer: As = "approver") -> None:
    """Approve all reviewed cases in the officer's area, as another person than the reviewer; order their cards."""
    _bulk("approved", officer, cases.approve_many)


@batch.command("open")
def open_batch(unit: Unit, maker: str = typer.Option(line.MAKER), officer: As = "producer") -> None:
    """Open a batch of all ordered cards of a unit and prepare its package."""
    area, by = unit_of(unit), actor(officer)
    request_id, at = _now()
    found = next((one for one in batches.makers() if one.name == maker), None)
    if found is None:
        raise Refusal("not-found", maker=maker)
    profile = card_queries.policy(area.code, at.date()).profile
    made = production.open_batch(area, profile, found, by=by, request_id=request_id, at=at)
    made = production.prepare_batch(made, by=by, request_id=uuid4(), at=at)
    made = production.run_chunks_here(made, at=at, processes=line.workers())
    typer.echo(f"{made.number}: {made.ordered} ordered, {made.prepared} prepared, {made.held} held; "
               f"package {batches.package_path(made) if made.prepared else 'none'}")


@batch.command()
def send(number: str, officer: As = "producer") -> None:
    """Say that a batch's package went to the card maker."""
    cluster.ensure()
    by, (request_id, at) = actor(officer), _now()
    production.send_batch(batches.batch_by_number(number, actor=by), by=by, request_id=request_id, at=at)
    typer.echo(f"{number}: sent")


@batch.command()
def cancel(number: str, officer: As = "producer") -> None:
    """Take a batch back before its cards have numbers, or when all are held: its cards wait for another batch."""
    cluster.ensure()
    by, (request_id, at) = actor(officer), _now()
    production.cancel_batch(batches.batch_by_number(number, actor=by), by=by, request_id=request_id, at=at)
    typer.echo(f"{number}: cancelled")


@batch.command()
def receive(number: str, results: Path = typer.Argument(exists=True), officer: As = "producer") -> None:
    """Match the card maker's signed results card by card."""
    cluster.ensure()
    by, (request_id, at) = actor(officer), _now()
    found = batches.batch_by_number(number, actor=by)
    found = production.receive_results(found, results, by=by, request_id=request_id, at=at)
    typer.echo(f"{number}: {found.prepared} made = {found.good} good + {found.spoiled} spoiled "
               f"+ {found.suspect} suspect")
    for finding in batches.findings(found):
        typer.echo(f"  {finding.code} {finding.serial} {finding.detail}")


@maker.command("key")
def customer_key(unit: Unit, out: Path = typer.Option(Path("customer.json"), help="File to write.")) -> None:
    """Write the public key by which a card maker checks that packages of a unit are ours."""
    area, at = unit_of(unit), timezone.now()
    suite = card_queries.profile(card_queries.policy(area.code, at.date()).profile).suite
    keys.ensure(area.code, suite, at=at)
    key = batches.batch_public_key(area.code, suite, at=at)
    keyfile.write_public(out, key)
    typer.echo(f"{out}: key {key.key_id.hex()}, {suite}")


@maker.command("enrol")
def enrol(name: str, public: Path = typer.Argument(help="The maker's public key file.", exists=True),
          officer: As = "security") -> None:
    """Take a card maker's public key under a name; read the key id out over the telephone first."""
    cluster.ensure()
    key = keyfile.read_public(public)
    production.enrol_maker(name, key, by=actor(officer))
    typer.echo(f"{name}: key {key.key_id.hex()}, {key.suite}")


def _card(serial: str, officer: str, change: Callable[..., Card]) -> None:
    cluster.ensure()
    by, (request_id, at) = actor(officer), _now()
    moved = change(_find_card(serial, by), by=by, request_id=request_id, at=at)
    typer.echo(f"{serial}: {moved.state}" + (f" until {moved.active_until}" if moved.active_until else ""))


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
def hand_over(serial: str, officer: As = "clerk") -> None:
    """Hand a finished card to its holder and take the old certificate back."""
    _card(serial, officer, cards.hand_over)


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
    for one in card_queries.worklist(actor(officer), state, limit=count):
        typer.echo(f"{one.serial} {proof.text(one)}")


@card.command("qr")
def show_qr(serial: str, out: Path = typer.Option(None, help="PNG file to write; else print the text."),
            officer: As = "clerk") -> None:
    """Show the QR code of a card: its text, or a picture of it."""
    cluster.ensure()
    text = proof.text(card_queries.by_serial(serial, actor=actor(officer)))
    if out is None:
        typer.echo(text)
        return
    out.write_bytes(qr.png(text))
    typer.echo(f"{out}: {out.stat().st_size} bytes")


@lists.command()
def publish() -> None:
    """Publish status lists that say something new."""
    cluster.ensure()
    typer.echo(f"{line.publish(timezone.now())} lists published")
