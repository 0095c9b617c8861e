"""A card reader on this machine, used from the command line as pages use one at a desk: the same signed readings."""

import base64
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from django.conf import settings
from django.utils import timezone

from zhengka.cards import queries as cards_known
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cli import cluster, line, stations
from zhengka.cli.acts import As, Unit, unit_of
from zhengka.cli.officers import actor
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.devices import queries, services
from zhengka.devices.models import Device
from zhengka.formats import keyfile
from zhengka.formats.chip import Profile
from zhengka.formats.chip.gate import CardRefused
from zhengka.production import queries as batches
from zhengka.production import services as production
from zhengka.production.models import Batch
from zhengka_reader import home as homes
from zhengka_reader.desk import Desk
from zhengka_reader.pcsc import Readers, card_on
from zhengka_reader.printing import Printer

Slot = Annotated[str, typer.Option("--slot", help="Reader as PC/SC names it, where several have a card.")]
Home = Annotated[Path, typer.Option("--home", help="Folder of the reader's own key pair.")]
_HOME = Path(settings.HOME) / "reader"

reader = typer.Typer(name="reader", help="Card readers (读卡机具): what is connected, and the card that lies there.",
                     no_args_is_help=True)


@reader.command("list")
def list_(officer: As = "system") -> None:
    """The readers of this machine, and the devices of the officer's area."""
    cluster.ensure()
    with Readers() as here:
        there = here.with_card()
        for name in here.names():
            typer.echo(f"here: {name}: {'card' if name in there else 'empty'}")
    for row in queries.devices(actor=actor(officer)):
        seen = f"{timezone.localtime(row.seen_at):%Y-%m-%d %H:%M}" if row.seen_at else "never seen"
        typer.echo(f"{row.name} {row.sort} {row.area_id} {row.state} {row.health or '-'} {seen}")


@reader.command()
def show(slot: Slot = "") -> None:
    """Answer to reset and identifier of the card that lies there."""
    with card_on(slot) as card:
        typer.echo(f"{card.reader}: answer to reset {card.atr.hex().upper()}, identifier {card.uid.hex().upper()}")


@reader.command()
def enter(name: str, unit: Unit, place: str = typer.Option("—"), home: Home = _HOME,
          officers: Annotated[str, typer.Option(help="Who enters it, who pairs it, who gives it its module.")]
          = "system,clerk,security") -> None:
    """Enter a reader of a unit, pair it with this machine, bind a software module to it, and let it make cards."""
    system, user, security = officers.split(",")
    area, at = unit_of(unit), timezone.now()
    suite = _profile(area.code, at).suite
    homes.init(home, suite)
    row = services.register(area, services.About("reader", name, place, user), by=actor(system), request_id=uuid4(),
                            at=at)
    row = stations.pair(row, home, by=actor(user), request_id=uuid4(), at=at)
    by = actor(security)
    module = services.issue(area, "software", suite, by=by, request_id=uuid4(), at=at)
    module = cards.initialise_module(module, by=by, request_id=uuid4(), at=at)
    services.bind(module, row, by=by, request_id=uuid4(), at=at)
    production.enrol_maker(_maker(row), queries.key_of(row), by=by)
    typer.echo(f"{row.name}: key {bytes(row.key_id or b'').hex()}, module {module.number}, card maker {_maker(row)}")


@reader.command()
def read(slot: Slot = "", home: Home = _HOME, officer: As = "clerk",
         again: bool = typer.Option(False, "--again", help="Ask one that refused our keys; it costs a try.")) -> None:
    """Whose card lies there: both prove themselves, and the chip must be the one that the record knows."""
    card = _identify(actor(officer), home, slot, cards.AGAIN if again else cards.IDENTIFY)
    typer.echo(f"{card.serial}: {card.state}, card {card.pk}")


@reader.command()
def issue(number: str, slot: Slot = "", home: Home = _HOME, officer: As = "producer2",
          printer: str = typer.Option("", help="Print queue of the card printer, as it is entered."),
          print_command: str = typer.Option("lp", help="What puts jobs into it.")) -> None:
    """Send a batch of one card (number), make it on the blank chip that lies there, print it, take the results in.

    Where blanks are counted it is the next one of the desk's machine.

    Who sends it is another person than who prepared it.
    """
    cluster.ensure()
    by, at = actor(officer), timezone.now()
    batch = batches.batch_by_number(number, actor=by)
    with tempfile.TemporaryDirectory() as folder:
        public = Path(folder) / "issuer.json"
        keyfile.write_public(public, batches.batch_public_key(batch.area_id, batch.maker.suite, at=at))
        homes.trust(home, settings.PUBLIC_URL, public)
        beside = cards.reader_of(homes.private_key(home).public.key_id, by=by)
        if printer:
            queries.printer(printer, beside=beside)  # one that was stopped gets no job
        batch = _sent(batch, by, at)
        with _desk(home, Printer(printer, print_command) if printer else None) as desk:
            package = base64.b64encode(batches.package_path(batch).read_bytes()).decode()
            made = _must(desk.answer({"do": "make", "package": package, "reader": slot, "printer": printer,
                                      "blank": str(batches.next_blank(batch) or "")}))
        if made["printed"]:
            services.note_job(beside, printer, made["printed"], by=by, at=timezone.now())
        results = Path(folder) / "results.jsonl"
        results.write_text(made["results"])
        production.receive_results(batch, results, by=by, request_id=uuid4(), at=timezone.now())
    typer.echo(f"{number}: {made['outcome']}" + (f", {made['reason']}" if made["reason"] else ""))


def _sent(batch: Batch, by: Actor, at: datetime) -> Batch:
    """The batch sent, before a chip is touched: a refused release makes no card, and no card is made of which gates
    were not told.
    """
    if batch.state != "prepared":
        return batch
    line.publish(at)
    return production.send_batch(batch, by=by, request_id=uuid4(), at=at)


@reader.command()
def activate(slot: Slot = "", home: Home = _HOME, officer: As = "clerk") -> None:
    """Activate the card that lies there for its term, in the record and on its chip."""
    by = actor(officer)
    card = _identify(by, home, slot)
    card = cards.activate(card, by=by, request_id=uuid4(), at=timezone.now())
    _write(by, home, slot, card)
    typer.echo(f"{card.serial}: {card.state} until {card.active_until}")


@reader.command()
def block(slot: Slot = "", home: Home = _HOME, officer: As = "clerk") -> None:
    """Block the card that lies there: every check refuses it, and its chip is locked."""
    by = actor(officer)
    card = _identify(by, home, slot)
    card = cards.report_lost(card, by=by, request_id=uuid4(), at=timezone.now())
    _write(by, home, slot, card)
    typer.echo(f"{card.serial}: {card.state}, chip locked")


@reader.command()
def unblock(serial: str, slot: Slot = "", home: Home = _HOME, officer: As = "clerk") -> None:
    """Accept a blocked card again, and unlock the chip that lies there, if it is that card's."""
    cluster.ensure()
    by = actor(officer)
    card = cards_known.by_serial(serial, actor=by)
    if card.state == "suspended":
        card = cards.report_found(card, by=by, request_id=uuid4(), at=timezone.now())
    told = _write(by, home, slot, card)
    typer.echo(f"{card.serial}: {card.state}, {'chip unlocked' if told else 'its chip vouched for that before'}")


@reader.command()
def pin(slot: Slot = "", home: Home = _HOME, officer: As = "clerk") -> None:
    """Unblock the PIN of the card that lies there, and tell the one by which its holder chooses another."""
    by = actor(officer)
    card = _identify(by, home, slot)
    cards.ask_chip(card, "pin", by=by, request_id=uuid4(), at=timezone.now())
    while cards_known.chip_due(cards_known.get(card.pk, actor=by)).what:
        talk = _carried(by, home, slot, cards.WRITE, card)
        if talk.pins:
            typer.echo(f"{card.serial}: PIN unblocked, {', '.join(talk.pins)}; the holder chooses another")


@reader.command()
def update(slot: Slot = "", home: Home = _HOME, officer: As = "clerk",
           upgrade: bool = typer.Option(False, "--upgrade", help="New files and keys instead of new data.")) -> None:
    """Tell the chip that lies there its data anew, or load the files and keys of today into it."""
    by, what = actor(officer), "upgrade" if upgrade else "update"
    card = _identify(by, home, slot)
    cards.ask_chip(card, what, by=by, request_id=uuid4(), at=timezone.now())
    told = _write(by, home, slot, card)
    typer.echo(f"{card.serial}: chip told {', '.join(told)}")


def _write(by: Actor, home: Path, slot: str, card: Card) -> list[str]:
    """Tell the chip of the card that lies there all that is due; what that was."""
    told = []
    while what := cards_known.chip_due(cards_known.get(card.pk, actor=by)).what:
        _talk(by, home, slot, cards.WRITE, card)
        told.append(what)
    return told


@reader.command()
def module(number: str, slot: Slot = "", officer: As = "security") -> None:
    """Make the security module NUMBER, which was issued as a chip, of the blank one that lies there (PSAM 卡)."""
    cluster.ensure()
    by, at = actor(officer), timezone.now()
    row = queries.module_by_number(number, actor=by)
    with card_on(slot) as chip:
        made = cards.make_module(row, chip, _profile(row.area_id, at), by=by, request_id=uuid4(), at=at)
    typer.echo(f"{made.number}: {made.state}, {made.check_value}")


@reader.command()
def gate(slot: Annotated[str, typer.Option("--slot", help="Reader on which the card lies.")],
         module: Annotated[str, typer.Option("--module", help="Reader in which the security module sits.")],
         unit: Unit, officer: As = "clerk") -> None:
    """Read a card as a gate does, by the security module in another slot: what a gate may know, and nothing else."""
    area, by, at = unit_of(unit), actor(officer), timezone.now()
    with Readers() as readers, readers.connect(slot) as card, readers.connect(module) as chip:
        try:
            found = cards.read_at_gate(card, chip, _profile(area.code, at), by=by, at=at)
        except CardRefused as refused:
            raise Refusal("reading-ended", outcome=refused.code) from None
    for name, value in found.fields.items():
        typer.echo(f"{name}: {value}")


def _profile(area: int, at: datetime) -> Profile:
    """The card profile of an office now."""
    return cards_known.profile(cards_known.policy(area, at.date()).profile)


def _identify(by: Actor, home: Path, slot: str, purpose: str = cards.IDENTIFY) -> Card:
    cluster.ensure()
    return _talk(by, home, slot, purpose, None)


def _talk(by: Actor, home: Path, slot: str, purpose: str, card: Card | None) -> Card:
    """The card of a reading that ended well; `Refusal("reading-ended")`."""
    found = _carried(by, home, slot, purpose, card).card
    if found is None:
        raise Refusal("reading-ended", outcome="")
    return found


def _carried(by: Actor, home: Path, slot: str, purpose: str, card: Card | None) -> cards.Talk:
    """One reading, from the first command to its end; `Refusal("reading-ended")` where that is no good one."""
    device = cards.reader_of(homes.private_key(home).public.key_id, by=by)
    talk = cards.put_on(device, purpose, by=by, request_id=uuid4(), at=timezone.now(), card=card)
    with _desk(home) as desk:
        while not talk.reading.outcome:
            told = desk.answer({"do": "carry", "nonce": bytes(talk.reading.nonce).hex(), "reader": slot,
                                "number": talk.reading.steps, "commands": [each.hex() for each in talk.commands],
                                "slot": "module" if talk.module else ""})
            if "no" in told:
                ended = services.end_reading(talk.reading, told["no"], at=timezone.now())
                talk = cards.Talk(ended)
            else:
                talk = cards.carried(talk.reading, told, by=by, at=timezone.now())
    if talk.card is None:
        raise Refusal("reading-ended", outcome=talk.reading.outcome)
    return talk


@contextmanager
def _desk(home: Path, printer: Printer | None = None) -> Iterator[Desk]:
    desk = Desk(home, settings.PUBLIC_URL, printer=printer)
    try:
        yield desk
    finally:
        desk.close()


def _must(told: dict[str, Any]) -> dict[str, Any]:
    if "no" in told:
        raise Refusal("reading-ended", outcome=told["no"])
    return told


def _maker(row: Device) -> str:
    return batches.desk_maker(row.name, row.area_id)
