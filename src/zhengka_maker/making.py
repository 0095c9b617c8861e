"""From a package to results: one software card per order, written, read back, and now and then spoiled.

Everything random comes from the seed and the card's serial, so the same package and seed give the same cards in any
order and on any number of processes. Each member of the package leaves a part file; a stopped run goes on from those.
"""

import hashlib
import json
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from zhengka.formats.chip import Script, SoftCard
from zhengka.formats.chip.making import CODES, Known, make
from zhengka.formats.package import CardOrder, Member, PackageBroken, PackageReader
from zhengka.formats.results import CardResult, Counts, ResultReader, ResultsInfo, ResultWriter, spell, unspell
from zhengka.formats.serials import Runs
from zhengka.formats.shown import Shown
from zhengka.formats.suites import SUITES
from zhengka_maker import camera, feeder
from zhengka_maker import home as homes
from zhengka_maker.on_reader import Bench

SWAPS = {"print-swapped": ("texts", "photo", "code"), "photo-swapped": ("photo",), "qr-swapped": ("code",)}
"""What of two cards' prints is exchanged: the whole print, as in the feeder, or the photo or the code alone."""
PLANTS = ("duplicate-uid", "wrong-readback", "unordered-serial", "missing-card", "power-cut", "chip-swapped", *SWAPS)
"""Faults that `run` can plant in its results, so that the receiver's checks can be seen to work."""
BLANK_PLANTS = ("blank-twice", "blank-elsewhere", "blank-unnamed")
"""The same for the blank cards, where they are named: one is named for two cards; one is named that does not lie in the
machine (the serial behind the last that does); of one card none is named.
"""
_OF_TWO = ("duplicate-uid", "chip-swapped", "blank-twice", *SWAPS)

_ACCIDENTS = ("the chip did not answer", "the print was smeared", "the feeder jammed")


class Job(NamedTuple):
    """What one run is asked to do."""

    package: Path
    home: Path
    spoil: float
    seed: int
    plants: tuple[str, ...]
    blanks: Runs = []
    waste: float = 0.0


def run(job: Job, out: Path, *, workers: int, bench: Bench | None = None) -> Counts:
    """Make every card of a package and write the signed results to `out`; how many there are of each outcome.

    With a `bench` the chips are real ones that lie on a reader, one after another.
    """
    key = homes.private_key(job.home)
    with _reader(job) as reader:
        folder = job.home / "runs" / _run_name(job, reader.digest)
        folder.mkdir(parents=True, exist_ok=True)
        done = folder / "results.jsonl"
        if not done.exists():
            members = [member for member in reader.members if member.name.startswith("cards")]
            if bench:
                _make_here(bench, reader, folder, members)
            else:
                _make_all(job, folder, members, workers)
            results = _planted(feeder.fed(chain.from_iterable(_part(folder, member) for member in members), job.blanks,
                                          job.waste, job.seed), job.plants,
                               job.blanks[-1][1] + 1 if job.blanks else 0)
            for half in folder.glob(f".{done.name}.*"):  # of a run that was killed while it wrote
                half.unlink()
            info = ResultsInfo(_run_id(job, reader.digest), reader.info.batch, reader.digest)
            with ResultWriter(done, info, key) as writer:
                for card in results:
                    writer.add(card)
            shutil.rmtree(folder / "parts")
    temporary = out.with_name(f".{out.name}.part")
    shutil.copyfile(done, temporary)
    temporary.replace(out)
    return ResultReader(done, key.public).counts


def make_member(job: Job, folder: Path, name: str) -> int:
    """Make the cards of one member and leave its part file; the number of cards. Runs in a process of its own."""
    with _reader(job) as reader:
        members = {member.name: member for member in reader.members}
        prints = _prints(reader, members.get(name.replace("cards", "faces").replace(".bin", ".pdf")))
        made = [(order, _make(job, reader, order, f"{name} {place}"))
                for place, order in enumerate(reader.orders(members[name]), 1)]
        lines = [json.dumps(spell(_looked_at(card, order, prints))) + "\n" for order, card in made]
    temporary = folder / "parts" / f".{name}"
    temporary.write_text("".join(lines))
    temporary.replace(folder / "parts" / name)
    return len(lines)


def _make_here(bench: Bench, reader: PackageReader, folder: Path, members: list[Member]) -> None:
    (folder / "parts").mkdir(exist_ok=True)
    for member in members:
        if not (folder / "parts" / member.name).exists():
            bench.make_member(reader, folder, member.name)


def _make_all(job: Job, folder: Path, members: list[Member], workers: int) -> None:
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    open_names = [member.name for member in members if not (parts / member.name).exists()]
    started, made, whole = time.monotonic(), 0, sum(member.cards for member in members)
    left = sum(member.cards for member in members if member.name not in open_names)
    several = min(workers, len(open_names)) > 1  # a process of its own costs more than a small member
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) if several else nullcontext() as pool:
        for count in (pool.map if pool else map)(partial(make_member, job, folder), open_names):
            made += count
            rate = made / max(time.monotonic() - started, 1e-6)
            print(f"{left + made} of {whole} cards made, {rate:.0f} a second", file=sys.stderr)


def _make(job: Job, reader: PackageReader, order: CardOrder, place: str) -> CardResult:
    """One card. Whether it is spoiled hangs on its place in the batch alone: the same in every trial of a batch."""
    suite, info = SUITES[reader.info.suite], reader.info
    uid = _uid(job, reader.digest, order.serial)
    card = SoftCard(uid=uid, kek=reader.kek, suite=suite, capacity=info.capacity,
                    channel=reader.channel.of_chip(suite, uid))
    luck = _draw(job, info.batch.encode(), f"spoil {place}")
    accident = ""
    if int.from_bytes(luck[:8]) < job.spoil * 2**64:
        accident = _ACCIDENTS[luck[8] % len(_ACCIDENTS)]
        return CardResult(order.serial, card.uid, card.atr, None, "spoiled", accident)
    made = make(card, Script(order.serial, order.commands), info.plan, Known(reader.channel))
    outcome = "spoiled" if made.outcome == "blank" else made.outcome
    return CardResult(order.serial, made.uid, card.atr, made.readback, outcome, made.reason)


def _prints(reader: PackageReader, faces: Member | None) -> list[Shown]:
    """The printer's half of the work, as far as software goes: the faces of the member, and what the camera sees."""
    if faces is None:
        return []
    try:
        return camera.look(reader.plain(faces), SUITES[reader.info.suite], reader.salt)
    except camera.NotPrinted:
        raise PackageBroken("not-a-pdf", faces.name) from None


def _looked_at(card: CardResult, order: CardOrder, prints: list[Shown]) -> CardResult:
    """A good card as the camera saw it: the front is on the page that the order names, from 1, the back on the next."""
    if card.outcome != "good" or not prints:
        return card
    place = (int(order.face["page"]) - 1) // 2
    return card._replace(shown=prints[place]) if place < len(prints) else card


def _uid(job: Job, package: bytes, serial: str) -> bytes:
    """Seven bytes, different for every serial of a package: an odd multiple and a shift, both one to one."""
    shift = int.from_bytes(_draw(job, package, "uid")[:7])
    return ((int(serial) * 0x9E3779B97F4A7C15 + shift) % 2**56).to_bytes(7)


def _draw(job: Job, about: bytes, what: str) -> bytes:
    """Dice that always fall the same way for one package or batch, one seed and one question."""
    return hashlib.sha256(about + f" {job.seed} {what}".encode()).digest()


def _run_name(job: Job, package: bytes) -> str:
    return f"{package.hex()[:32]}-{_run_id(job, package).hex[:16]}"


def _run_id(job: Job, package: bytes) -> UUID:
    """The id of the results: the same for the same package, seed, share of spoiled cards, blanks and planted faults."""
    fed = f" {job.blanks} {job.waste}" if job.blanks else ""
    return UUID(bytes=_draw(job, package, f"run {job.spoil} {job.plants}{fed}")[:16], version=4)


def _reader(job: Job) -> PackageReader:
    return PackageReader(job.package, homes.private_key(job.home), homes.issuer_key(job.home))


def _part(folder: Path, member: Member) -> Iterator[CardResult]:
    with (folder / "parts" / member.name).open() as lines:
        for line in lines:
            yield unspell(json.loads(line))


def _planted(cards: Iterable[CardResult], plants: tuple[str, ...], behind: int = 0) -> Iterator[CardResult]:
    """The results with the faults that were asked for, each once, on the first good cards that come. `behind`: a blank
    that does not lie in the machine.
    """
    faults, first = list(plants), None
    for card in cards:
        if card.outcome != "good" or not faults:
            yield card
        elif faults[0] in _OF_TWO and first is None:
            first = card
        elif first and faults[0] in SWAPS and _alike(first, card, SWAPS[faults[0]]):
            yield card  # invented people share portraits: nothing would be swapped
        elif first:
            yield from exchanged(first, card, faults.pop(0))
            first = None
        else:
            yield from _spoil_result(card, faults.pop(0), behind)
    if first:
        yield first


def _alike(one: CardResult, other: CardResult, parts: tuple[str, ...]) -> bool:
    """Whether two cards show the same in these parts."""
    return all([getattr(one.shown, part, b"") == getattr(other.shown, part, b"") for part in parts])


def exchanged(one: CardResult, other: CardResult, fault: str) -> Iterator[CardResult]:
    """Two cards after a fault that needs both."""
    if fault == "duplicate-uid":
        yield from (one, other._replace(uid=one.uid))
    elif fault == "blank-twice":
        yield from (one, other._replace(blank=one.blank))
    elif fault == "chip-swapped":
        yield from (one._replace(uid=other.uid, atr=other.atr, readback=other.readback),
                    other._replace(uid=one.uid, atr=one.atr, readback=one.readback))
    elif one.shown is None or other.shown is None:  # nobody looked: there is no print to exchange
        yield from (one, other)
    else:
        parts = SWAPS[fault]
        yield one._replace(shown=one.shown._replace(**{part: getattr(other.shown, part) for part in parts}))
        yield other._replace(shown=other.shown._replace(**{part: getattr(one.shown, part) for part in parts}))


def _spoil_result(card: CardResult, fault: str, behind: int) -> Iterator[CardResult]:
    if fault == "wrong-readback":
        yield card._replace(readback=bytes(32))
    elif fault == "unordered-serial":
        yield card
        yield card._replace(serial="9" * 16, uid=bytes(7))
    elif fault == "power-cut":
        yield card._replace(outcome="suspect", readback=None, reason=CODES["cut"])
    elif fault == "blank-elsewhere":
        yield card._replace(blank=behind)
    elif fault == "blank-unnamed":
        yield card._replace(blank=None)
    # missing-card: nothing is yielded, as if the card had fallen under the table
