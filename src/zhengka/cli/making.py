"""Steps 4 to 6 of the main job: batches prepared, made by the card maker's stand-in, received, looked at, closed."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Protocol

from django.utils import timezone

from zhengka.cards import services as cards
from zhengka.cli import line, planting, stations
from zhengka.core.actors import Actor
from zhengka.formats import serials
from zhengka.formats.serials import Runs
from zhengka.production import queries as batches
from zhengka.production import services as production
from zhengka.production.models import Batch, Maker

POLL = 1.0
WASTE = "0.004"
"""Share of blanks that the feeder of the demo's machine spoils."""


class Feeder(Protocol):
    """Deals blank cards out to batches."""

    def take(self, batch: Batch) -> Runs:
        """The blanks for one batch."""


def make_cards(who: line.Officers, maker: Maker, feed: Callable[[Sequence[Batch]], Feeder], *, told: line.Told) -> None:
    """Steps 4 to 6: each ordered card through a batch, the maker and back, and past a station that looks at it; spoiled
    ones again, until none waits but the few that are left. Suspect ones are destroyed by two persons once others were
    ordered. `feed` loads the machine with blanks for batches.
    """
    by = who.producer
    while line.in_state(by, *line.UNFINISHED) or line.open_all(maker, by):
        _prepare(by, told)
        wrong, feeder = planting.chosen(by), feed(line.in_state(by, "prepared", "sent"))
        with ThreadPoolExecutor(line.workers()) as pool:  # the maker begins with the first batch while others are sent
            made = [(batch, pool.submit(_made, batch, batch == wrong, feeder.take(batch)))
                    for batch in chain(line.in_state(by, "sent"), _sent(who.second_producer))]
            for number, (batch, results) in enumerate(made):
                told(number, len(made))
                if batch == wrong:
                    planting.mix_up(batch)
                _receive(batch, results.result(), who)
            told(len(made), len(made))
        _finish(who, wrong)
    _believed(by)


def _receive(batch: Batch, results: Path, who: line.Officers) -> None:
    """The receipt of the package, the results, and what the station sees of the box."""
    by = who.producer
    if not batch.acknowledged_at:
        batch = production.acknowledge(batch, _beside(results, "receipt").read_bytes(), by=by,
                                       request_id=line.request_of(batch, "acknowledge"), at=timezone.now())
    batch = production.receive_results(batch, results, by=by, request_id=line.request_of(batch, "receive"),
                                       at=timezone.now())
    look(batch, who)


def _finish(who: line.Officers, wrong: Batch | None) -> None:
    """Every batch that was received: looked at if it is not yet, made good where it was spoiled on purpose, closed."""
    by = who.producer
    for batch in line.in_state(by, "received"):
        look(batch, who)
        if batch == wrong:
            planting.make_good(batch, by=by, request_id=line.request_of(batch, "again"), at=timezone.now())
            destroy_suspects(batch, who)
        production.close_batch(Batch.get(batch.pk), by=by, request_id=line.request_of(batch, "close"),
                               at=timezone.now())


def look(batch: Batch, who: line.Officers) -> None:
    """What the read-back station of the officers' place sees of a batch, where its cards are to be looked at: the box,
    or where nothing was done to it behind the maker's camera what the results say.
    """
    if batch.gate not in ("sample", "whole"):
        return
    results = line.results_of(batch)
    mixed = _beside(results, "box")
    stations.look(batch, mixed if mixed.exists() else results, who, request_id=line.request_of(batch, "look"))


def _beside(results: Path, suffix: str) -> Path:
    return results.with_suffix(f".{suffix}")


def _believed(by: Actor) -> None:
    """Our receipts of all results, which the maker reads."""
    home, papers = line.maker_home(line.MAKER), list[str]()
    for batch in batches.batches(by).filter(maker=line.MAKER, state__in=("received", "closed"), receipt="").exclude(
            result_id=None):
        paper = _beside(line.results_of(batch), "ours")
        paper.write_text(production.write_receipt(batch.pk, at=timezone.now()))
        papers.append(str(paper))
    if papers:
        line.maker_program("believe", *papers, "--home", str(home))


def destroy_suspects(batch: Batch, who: line.Officers) -> None:
    """One producer proposes that the suspect cards of a batch are destroyed, another one destroys them; of a few only
    the first half is done.
    """
    suspects = [item.card_id for item in batches.suspects(batch)]
    cards.condemn_many(suspects[line.LEFT:], by=who.producer, request_id=line.request_of(batch, "condemn"),
                       at=timezone.now())
    production.destroy_many(suspects[2 * line.LEFT:], by=who.second_producer,
                            request_id=line.request_of(batch, "destroy"), at=timezone.now())


def _sent(by: Actor) -> Iterator[Batch]:
    """Send each prepared batch to the maker, as another person than who prepared it; one in which all cards are held
    is taken back.
    """
    for batch in line.in_state(by, "prepared"):
        send = production.send_batch if batch.prepared else production.cancel_batch
        gone = send(batch, by=by, request_id=line.request_of(batch, "send"), at=timezone.now())
        if gone.state == "sent":
            yield gone


def _prepare(by: Actor, told: line.Told) -> None:
    """Prepare every open batch by workers of the queue; what dead workers of an earlier run left is finished here."""
    for batch in line.in_state(by, "open"):
        production.prepare_batch(batch, by=by, request_id=line.request_of(batch, "prepare"), at=timezone.now())
    command = [sys.executable, "-m", "zhengka.cli", "worker", "--until-empty"]
    for one in [subprocess.Popen(command) for _ in range(line.workers())]:  # noqa: S603 - our own program
        while not _ended(one):
            told(*batches.preparing(by))
    for batch in line.in_state(by, "stalled"):
        production.retry_batch(batch, by=by, request_id=line.request_of(batch, f"retry {batch.version}"),
                               at=timezone.now())
    for batch in line.in_state(by, "preparing"):
        production.run_chunks_here(batch, at=timezone.now(), processes=1)
    line.publish(timezone.now())  # no batch is sent before gates know of its cards


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has ended, after as much of `POLL` as it took."""
    try:
        return process.wait(timeout=POLL) is not None
    except subprocess.TimeoutExpired:
        return False


def _made(batch: Batch, wrong: bool, blanks: Runs) -> Path:
    """The card maker's signed results of a batch, `wrong`: with the swaps that it is to plant and nothing else amiss;
    the stand-in gives the same file however often it is asked, with the same `blanks` where its own are counted.
    """
    results = line.results_of(batch)
    fed = ["--blanks", serials.said(blanks), "--waste", WASTE] if batch.machine_id else []
    plants = ["--spoil", "0", *_words("--plant", planting.BY_MAKER), "--box", str(_beside(results, "box")),
              *_words("--mix", planting.IN_BOX)] if wrong else []
    line.maker_program("run", str(batches.package_path(batch)), "--home", str(results.parent), "--out", str(results),
                       "--receipt", str(_beside(results, "receipt")), "--seed", "1", "--workers", "1", *plants, *fed)
    return results


def _words(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
