"""`zhengka card init`: blank chips from their maker get the province's keys, one after another on a reader."""

import json
import os
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from django.conf import settings
from django.utils import timezone

from zhengka.areas.models import Area
from zhengka.cards import queries as cards
from zhengka.cli import cluster
from zhengka.cli.acts import As, Unit, unit_of
from zhengka.cli.officers import actor
from zhengka.core.errors import Refusal
from zhengka.core.models import province_of
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.chip.stock import CODES, FACTORY, Stock, StockRefused
from zhengka.production import services
from zhengka_reader.pcsc import PcscFault, Readers

KEYS = ("enc", "mac", "dek", "transport")
LOOK = 0.5


def init(
    unit: Unit,
    factory: Annotated[Path, typer.Option(help="The chip maker's keys: lines enc, mac, dek, transport, each with 32 "
                                               "hexadecimal digits. Destroy it when the stock is done.")],
    count: Annotated[int, typer.Option(min=1, help="Blank chips in this stock, those of earlier runs among them.")] = 1,
    slot: Annotated[str, typer.Option("--slot", help="Reader as PC/SC names it, where there are several.")] = "",
    patience: Annotated[float, typer.Option(help="Seconds to wait for the next chip; 0: for ever.")] = 0,
    officer: As = "producer",
) -> None:
    """Give blank chips the transport key and the channel keys of the unit's province (空白卡初始化).

    Lay one chip down after the other. One that is not blank is refused and left as it is; one that was taken away too
    early is as it was before. A run that was stopped goes on where it was: what is done is noted by province and stock,
    under the name of the file with its keys.
    """
    cluster.ensure()
    area, by, at = unit_of(unit), actor(officer), timezone.now()
    suite = cards.profile(cards.policy(area.code, at.date()).profile).suite
    delivered, path = _delivered(factory), _ledger(area, factory, suite)
    done = _done(path)
    typer.echo(f"{len(done)} of {count} done before")
    with Readers() as readers:
        while len(done) < count:
            name = _wait(readers, slot, patience, there=True)
            try:
                with readers.connect(name) as card:
                    told = services.initialise_blank(card, delivered, area, suite, by=by, at=timezone.now())
            except StockRefused as refused:
                said = f"refused, {refused.code}: {CODES[refused.code]}"
            except PcscFault as fault:
                said = str(fault)
            else:
                said = f"{told.uid.hex().upper()} {'was ours before' if told.before else 'is ours now'}"
                if told.uid.hex() not in done:
                    _note(path, told.uid.hex(), timezone.now())
                    done.add(told.uid.hex())
            typer.echo(f"{len(done)} of {count}: {said}; take the chip away")
            if len(done) < count:
                _wait(readers, slot, patience, there=False)
    typer.echo(f"{len(done)} of {count} done")


def _delivered(path: Path) -> Stock:
    """The keys that came with the chips; `Refusal("factory-keys-unusable")`."""
    try:
        found = dict(line.split() for line in path.read_text().splitlines() if line.strip())
        enc, mac, dek, transport = (bytes.fromhex(found.pop(name)) for name in KEYS)
    except (OSError, ValueError, KeyError):
        raise Refusal("factory-keys-unusable", file=path.name) from None
    if found or {len(enc), len(mac), len(dek), len(transport)} != {16}:
        raise Refusal("factory-keys-unusable", file=path.name)
    return Stock(KeySet(FACTORY, enc, mac, dek), transport)


def _ledger(area: Area, factory: Path, suite: str) -> Path:
    """Where it is noted which chips of a stock are done: of each province by itself, for each has keys of its own."""
    return Path(settings.HOME) / "blanks" / f"{province_of(area.code)}-{factory.stem}-{suite}.jsonl"


def _done(path: Path) -> set[str]:
    """The identifiers of the chips that are done; a last line that was cut off is none."""
    found = set()
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            found.add(str(json.loads(line)["uid"]))
        except ValueError:
            continue
    return found


def _note(path: Path, uid: str, at: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a") as out:
        out.write(json.dumps({"uid": uid, "at": at.isoformat()}) + "\n")
        out.flush()
        os.fsync(out.fileno())


def _wait(readers: Readers, slot: str, patience: float, *, there: bool) -> str:
    """Wait until a chip lies on the reader, or none any more: the name of its reader. `Refusal("no-blank-chip")`."""
    end, told = monotonic() + patience, ""
    while True:
        found = [name for name in readers.with_card() if slot in ("", name)]
        if not there and not found:
            return ""
        if there and len(found) == 1:
            return found[0]
        if there and (why := _in_the_way(readers.names(), found, slot)) != told:
            told = why
            typer.echo(why or "waiting for a chip")
        if patience and monotonic() > end:
            raise Refusal("no-blank-chip")
        readers.wait(LOOK)


def _in_the_way(names: list[str], found: list[str], slot: str) -> str:
    """Why a chip that lies there may not be the one that is meant; empty where nothing but a chip is missing."""
    if len(found) > 1:
        return f"chips lie on {' and '.join(found)}: leave one, or name its reader with --slot"
    if not names:
        return "no reader is connected"
    return f"no reader is named {slot}; there are: {', '.join(names)}" if slot and slot not in names else ""
