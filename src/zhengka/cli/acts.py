"""One sub-command for each step of the main job, done by a named officer."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import typer
from django.conf import settings
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from zhengka.areas.models import Area
from zhengka.areas.services import add_nation as keep_nation
from zhengka.areas.services import add_street as keep_street
from zhengka.areas.services import code12
from zhengka.cards import queries as card_queries
from zhengka.cases import queries as case_queries
from zhengka.cases import services as cases
from zhengka.cli import cluster, line
from zhengka.cli.files import keep_public_url, writing
from zhengka.cli.officers import actor
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.exchange.sample import generate, generate_photos, pilot_units
from zhengka.formats import keyfile
from zhengka.keys import services as keys
from zhengka.production import queries as batches
from zhengka.production import services as production
from zhengka.programme import queries as programmes
from zhengka.registry import queries as registry_queries
from zhengka.registry import services as registry
from zhengka.stock import queries as stock

As = Annotated[str, typer.Option("--as", help="User name of the officer who acts.")]
Unit = Annotated[str, typer.Option(help="Six-digit code of the issuing unit.")]

plan = typer.Typer(name="plan", help="Areas and the plan of the pilot.", no_args_is_help=True)
exchange = typer.Typer(name="exchange", help="Exchange of certificates (换发).", no_args_is_help=True)
batch = typer.Typer(name="batch", help="Batches (制卡批次).", no_args_is_help=True)
maker = typer.Typer(name="maker", help="Card makers (制卡单位): keys handed to each other.", no_args_is_help=True)


def unit_of(code: str) -> Area:
    """The issuing unit of a six-digit code; `Refusal("unit-not-listed")`."""
    cluster.ensure()
    found = Area.objects.filter(code=int(code) * 10**6, issuing=True).first() if code.isdigit() else None
    if found is None:
        raise Refusal("unit-not-listed", unit=code)
    return found


def _now() -> tuple[UUID, datetime]:
    return uuid4(), timezone.now()


@plan.command()
def load() -> None:
    """Load the areas and the plan from the dated files under data/."""
    cluster.ensure()
    typer.echo(f"{len(line.load_plan(Path(settings.DATA)))} areas")


@plan.command()
def add_nation() -> None:
    """Keep the nation's own office (国家级): its administrators are made by `officer install --area 0`, and hold the
    ceremonies of the nation's keys with custodians of their own.
    """
    cluster.ensure()
    nation = keep_nation()
    typer.echo(f"{nation.code:012d} {nation.name}")


@plan.command()
def add_street(unit: str, number: Annotated[int, typer.Argument(help="Three digits of GB/T 10114, such as 001.")],
               name: str, english: Annotated[str, typer.Option(help="English name.")] = "") -> None:
    """Keep a street or township (街道、乡镇) of a unit: its clerks receive applications where the policy lets them."""
    street = keep_street(unit_of(unit), number, name, english)
    placed = registry.place_in_streets(unit_of(unit))
    typer.echo(f"{street.code} {street.name}: {placed} holders now found in another street than before")


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
            raise Refusal(record.problem, file=path.name, **record.problem_facts)
        typer.echo(f"{path.name}: {record.rows} rows: {record.created} created, {record.merged} merged, "
                   f"{record.unchanged} unchanged, {record.refused} refused"
                   + (f" ({_counted(record.reasons)})" if record.reasons else ""))
        if refused and record.refused:
            name, data = registry.fetch_refused(record, by=by, request_id=uuid4(), at=at)
            with writing(refused / name) as file:
                file.touch(mode=0o600)  # people's data in clear: for the officer who asked, and nobody else
                file.write_bytes(data)


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
    if silent := case_queries.uninvited([one for one, _ in units], actor=by):
        typer.echo(f"not written to: {silent} (add phones or addresses, then: zhengka exchange invite)")


@exchange.command()
def invite(officer: As = "clerk") -> None:
    """Write to all in the officer's area whose exchange is open and who were not written to, as far as they can be."""
    cluster.ensure()
    request_id, at = _now()
    done = cases.invite_again(by=actor(officer), request_id=request_id, at=at)
    typer.echo(f"{done.moved} holders need no letter any more; letters still missing: {dict(done.left) or 'none'}")


def _planned(unit: str, phase: int | None, by: Actor) -> list[tuple[Area, int]]:
    """The officer's units within an area and of a phase, where these are given, each with its phase in the plan."""
    within = Area.objects.filter(code=code12(unit)).first() if unit.isdigit() else None
    found = [(one, planned) for one, planned in programmes.phases(actor=by).items()
             if (not unit or (within and within.code <= one.code <= within.last)) and phase in (None, planned)]
    if not found:
        raise Refusal("unit-not-listed", **{name: told for name, told in (("unit", unit), ("phase", phase)) if told})
    return found


def _bulk(name: str, action: str, officer: str, decide: Callable[..., cases.Done]) -> None:
    cluster.ensure()
    request_id, at = _now()
    by = actor(officer)
    exchanges = cases.waiting(action, by).filter(kind_of_case="exchange").values_list("pk", flat=True)
    done = decide(list(exchanges), by=by, request_id=request_id, at=at)
    unwritten = f"; letters that could not be written: {_counted(done.unwritten)}" if done.unwritten else ""
    typer.echo(f"{done.moved} cases: {name}; left alone: {_counted(done.left) or 'none'}{unwritten}")


def _counted(reasons: Mapping[str, int]) -> str:
    """Reasons with their numbers, in plain words."""
    return "; ".join(f"{code} {number:,}" for code, number in sorted(reasons.items()))


@exchange.command()
def confirm(officer: As = "clerk") -> None:
    """Confirm photo and data of all notified exchanges in the officer's area."""
    _bulk("confirmed", "confirm", officer, cases.confirm_many)


@exchange.command()
def review(officer: As = "reviewer") -> None:
    """Review all confirmed exchanges in the officer's area."""
    _bulk("reviewed", "review", officer, cases.review_many)


@exchange.command()
def approve(officer: As = "approver") -> None:
    """Approve all reviewed exchanges in the officer's area, as another person than the reviewer; order their cards."""
    _bulk("approved", "approve", officer, cases.approve_many)


@batch.command("open")
def open_batch(unit: Unit, maker: str = typer.Option(line.MAKER), officer: As = "producer") -> None:
    """Open a batch of all ordered cards of a unit and prepare its package."""
    area, by = unit_of(unit), actor(officer)
    keep_public_url()
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
def send(number: str, officer: As = "producer2") -> None:
    """Say that a batch's package went to the card maker, as another person than who prepared it."""
    cluster.ensure()
    by, (request_id, at) = actor(officer), _now()
    line.publish(at)  # no batch is sent before gates know of its cards
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
               f"+ {found.suspect} suspect"
               + (f"; {batches.looked_at(found)[1]} are to be looked at first" if found.gate else ""))
    for finding in batches.findings(found):
        typer.echo(f"  {finding.code} {finding.serial} {finding.detail}")


@batch.command()
def look(number: str, seen: Path = typer.Argument(exists=True), officer: As = "producer") -> None:
    """Match what a read-back station saw of the finished cards of a batch."""
    cluster.ensure()
    by, (request_id, at) = actor(officer), _now()
    found = production.take_station(batches.batch_by_number(number, actor=by), seen, by=by, request_id=request_id,
                                    at=at)
    done, whole = batches.looked_at(found)
    typer.echo(f"{number}: {done} of {whole} looked at" + (", the cards are ready" if found.gate == "passed" else ""))
    for finding in batches.findings(found):
        typer.echo(f"  {finding.code} {finding.serial} {finding.detail}")


@maker.command("key")
def customer_key(unit: Unit, out: Path = typer.Option(Path("customer.json"), help="File to write.")) -> None:
    """Write the public key by which a card maker checks that packages of a unit are ours."""
    area, at = unit_of(unit), timezone.now()
    suite = card_queries.profile(card_queries.policy(area.code, at.date()).profile).suite
    keys.ensure(area.code, suite, at=at)
    key = batches.batch_public_key(area.code, suite, at=at)
    with writing(out):
        keyfile.write_public(out, key)
    typer.echo(f"{out}: key {key.key_id.hex()}, {suite}")


@maker.command()
def feed(name: str, store: int = typer.Argument(help="Number of the machine's store, as in its page's address."),
         officer: As = "producer") -> None:
    """Say that a card maker's blanks come out of a machine of the ledger: its results must name each of them."""
    cluster.ensure()
    by, (request_id, at) = actor(officer), _now()
    found = next((one for one in batches.makers() if one.name == name), None)
    machine = stock.stores(actor=by).filter(pk=store).first()
    if found is None or machine is None:
        raise Refusal("not-found", maker=name)
    production.feed(found, machine, by=by, request_id=request_id, at=at)
    typer.echo(f"{name}: blanks come out of {machine.name}")
