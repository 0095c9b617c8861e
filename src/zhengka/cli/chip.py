"""`zhengka card show`, `check`, `sample`, `script`: a chip in words and against its record, a card of nobody."""

import os
import secrets
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import typer
from django.conf import settings
from django.utils import timezone
from rich.console import Console
from rich.markup import escape

from zhengka.cards import queries as cards
from zhengka.cli import cluster
from zhengka.cli.acts import As
from zhengka.cli.officers import actor
from zhengka.cli.verify import REFUSED, read
from zhengka.core.errors import Refusal
from zhengka.formats import chip, qr, serial
from zhengka.formats.chip import agreement, showing
from zhengka.formats.chip.image import ImageBroken
from zhengka.formats.qr import BadQr
from zhengka.formats.suites import SUITES
from zhengka.production import services as production
from zhengka_reader.pcsc import card_on

KEY = 16
"""Bytes of the key under which a card's file is sealed."""


def show(
    file: Path | None = typer.Argument(None, help="File of a software card; else the card on a reader."),
    key: Path | None = typer.Option(None, help="File with the key that seals it: 32 hexadecimal digits."),
    slot: str = typer.Option("", "--reader", help="Name of the reader; needed where cards lie on more than one."),
) -> None:
    """Show a chip in words: every application, file, record and field, each with its clause (读卡显示).

    Of a card on a reader it shows what anybody may read.
    """
    known = [cards.profile(path.stem) for path in sorted((Path(settings.DATA) / "profiles").glob("*.toml"))]
    if file is None or key is None:
        with card_on(slot) as card:
            _print(showing.show(card, known))
        return
    held = _opened(file, key)
    _print(showing.show(held, known, held=held.memory))


def _print(lines: Iterable[showing.Line]) -> None:
    screen = Console(soft_wrap=True)
    for line in lines:
        clause = f"  [dim]({escape(line.clause)})[/]" if line.clause else ""
        screen.print(f"{'  ' * line.depth}{escape(line.zh)} {escape(line.en)}: {escape(line.value)}{clause}")


def check(
    serial_: str = typer.Argument(metavar="SERIAL", help="The card's printed serial, 16 digits."),
    file: Path = typer.Argument(help="File of the software card."),
    key: Path = typer.Option(help="File with the key under which it is sealed."),
    code: str = typer.Option(help="The text of the printed QR code, or a photo of it."),
    officer: As = "producer",
) -> None:
    """See before a card is handed out that print, chip, QR code and record are of one card (发卡前核对)."""
    cluster.ensure()
    one = cards.by_serial(serial_, actor=actor(officer))
    wanted = production.inspection(one, at=timezone.now())
    seen = agreement.Seen({"serial": serial_}, _payload(code))
    found = agreement.differences(_opened(file, key), wanted.profile, wanted.known, seen, wanted.keys)
    for code_, where in found:
        typer.echo(f"{code_}: {where}")
    if found:
        raise typer.Exit(REFUSED)
    typer.echo("一致 print, chip, code and record are of one card")


def _payload(code: str) -> bytes:
    try:
        return qr.from_text(read(code))
    except BadQr:
        return b""


def sample(
    file: Path = typer.Argument(help="File to write; there must be none of this name."),
    key: Path = typer.Option(help="File with the key under which it is sealed; made if there is none."),
    profile: str = typer.Option("disability-one-card", help="Card profile."),
) -> None:
    """Make a software card of nobody, with keys that nobody keeps, to try readers and programs on (样卡)."""
    if file.exists():
        raise Refusal("chip-file-unusable", file=file.name)
    layout = cards.profile(profile)
    kek, [number] = secrets.token_bytes(KEY), serial.make_many("990000", 1, 1)
    keys = {each.purpose: [secrets.token_bytes(KEY)] for each in layout.keys}
    [script] = chip.compile_many(layout, [_nobody(number)], keys_by_slot=keys, kek=kek)
    made = chip.SoftCard(uid=b"\x04" + secrets.token_bytes(6), kek=kek, suite=SUITES[layout.suite],
                         capacity=layout.capacity)
    for command in script.commands:
        made.transmit(command)
    chip.readback(made, chip.reading_plan(layout), number)
    made.save(file, _key(key, make=True))
    typer.echo(f"{file}: card {number}, profile {layout.id}, {made.free} bytes free")


def script(profile: str = typer.Argument("disability-one-card", help="Card profile.")) -> None:
    """Show what makes a card of a profile: files, keys by reference, values by name (个人化脚本)."""
    for verb, what in chip.outline(cards.profile(profile)):
        typer.echo(f"{verb:<14} {what}")


def _nobody(number: str) -> dict[str, object]:
    """A record of nobody: region 990000 was never given to anyone."""
    return {
        "serial": number, "issuer": "990000000000", "issued": date(2026, 1, 1), "valid_until": date(2035, 12, 31),
        "activation_until": date(2026, 12, 31), "number": "99000019000101001X43", "name": "样卡", "category": 4,
        "grade": 3, "credential": bytes(range(1, 111))}


def _opened(file: Path, key: Path) -> chip.SoftCard:
    try:
        return chip.SoftCard.load(file, _key(key))
    except (ImageBroken, OSError):
        raise Refusal("chip-file-unusable", file=file.name) from None


def _key(path: Path, *, make: bool = False) -> bytes:
    try:
        if make and not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(secrets.token_hex(KEY) + "\n")
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError):
        raise Refusal("chip-file-unusable", file=path.name) from None
    if len(key) != KEY:
        raise Refusal("chip-file-unusable", file=path.name)
    return key
