"""`zhengka verify`: decide on a card offline, from the QR's text or a photo of it."""

from datetime import timedelta
from pathlib import Path

import typer
from django.conf import settings
from django.utils import timezone
from rich.console import Console

from zhengka.cli.bundle import code_hosts, open_bundle
from zhengka.core.errors import Refusal
from zhengka.formats import qr
from zhengka.formats.qr import BadQr
from zhengka.formats.verdict import decide

STYLE = {"green": "bold green", "red": "bold red", "amber": "bold yellow"}
REFUSED = 3
"""Exit status for a card that must not be let pass (0: valid)."""


def verify(
    card: str = typer.Argument(help="The QR's text, or a PNG or JPEG photo of the card."),
    bundle: Path = typer.Option(None, help="Folder with keys.json and status lists; default: this installation's."),
    max_age: int = typer.Option(72, help="Hours for which a status list is good enough for a green answer."),
) -> None:
    """Decide on a card without a network and without the database: public keys and signed status lists only."""
    at = timezone.now()
    folder = bundle or Path(settings.HOME) / "public"
    keys, lists = open_bundle(folder, at=at)
    verdict = decide(read(card), keys=keys, lists=lists, at=at, max_age=timedelta(hours=max_age),
                     hosts=code_hosts(folder))
    screen = Console()
    why = f"{verdict.code}, {verdict.reason}" if verdict.reason == "foreign-host" else verdict.code
    screen.print(f"[{STYLE[verdict.colour]}]{verdict.zh} {verdict.en}[/]  ({why})")
    if verdict.credential:
        screen.print(f"证件有效期至 certificate valid until {verdict.credential.expires:%Y-%m-%d}")
    if verdict.list_age is not None:
        screen.print(f"状态表 status list v{verdict.list_version}, {verdict.list_age.total_seconds() / 60:.0f} min old")
    if not verdict.ok:
        raise typer.Exit(REFUSED)


def read(card: str) -> str:
    """The text of the code: `card` itself, or what the picture of that name shows."""
    path = Path(card)
    if len(card) > 255 or not path.is_file():
        if path.suffix.lower() in (".png", ".jpg", ".jpeg"):  # no code's text ends so
            raise Refusal("picture-unreadable", file=path.name, reason="no such file")
        return card
    try:
        found = qr.read_image(path.read_bytes())
    except BadQr as bad:
        raise Refusal("picture-unreadable", file=path.name, reason=bad.code) from bad
    if not found:
        raise Refusal("picture-without-code", file=path.name)
    return found[0]
