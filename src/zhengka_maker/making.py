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
from zhengka.formats.chip.making import CODES, make
from zhengka.formats.package import CardOrder, Member, PackageBroken, PackageReader
from zhengka.formats.results import CardResult, Counts, ResultReader, ResultsInfo, ResultWriter, spell
from zhengka.formats.suites import SUITES
from zhengka_maker import home as homes

PLANTS = ("duplicate-uid", "wrong-readback", "unordered-serial", "missing-card", "power-cut")
"""Faults that `run` can plant in its results, so that the receiver's checks can be seen to work."""

_ACCIDENTS = ("the chip did not answer", "the print was smeared", "the feeder jammed")


class Job(NamedTuple):
    """What one run is asked to do."""

    package: Path
    home: Path
    spoil: float
    seed: int
    plants: tuple[str, ...]


def run(job: Job, out: Path, *, workers: int) -> Counts:
    """Make every card of a package and write the signed results to `out`; how many there are of each outcome."""
    key = homes.private_key(job.home)
    with _reader(job) as reader:
        folder = job.home / "runs" / _run_name(job, reader.digest)
        folder.mkdir(parents=True, exist_ok=True)
        done = folder / "results.jsonl"
        if not done.exists():
            members = [member for member in reader.members if member.name.startswith("cards")]
            _make_all(job, folder, members, workers)
            results = _planted(chain.from_iterable(_part(folder, member) for member in members), job.plants)
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
        _check_faces(reader, members.get(name.replace("cards", "faces").replace(".bin", ".pdf")))
        lines = [json.dumps(spell(_make(job, reader, order, f"{name} {place}"))) + "\n"
                 for place, order in enumerate(reader.orders(members[name]), 1)]
    temporary = folder / "parts" / f".{name}"
    temporary.write_text("".join(lines))
    temporary.replace(folder / "parts" / name)
    return len(lines)


def _make_all(job: Job, folder: Path, members: list[Member], workers: int) -> None:
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    open_names = [member.name for member in members if not (parts / member.name).exists()]
    started, made, whole = time.monotonic(), 0, sum(member.cards for member in members)
    left = sum(member.cards for member in members if member.name not in open_names)
    several = len(open_names) > 1  # a process of its own costs more than a small member
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) if several else nullcontext() as pool:
        for count in (pool.map if pool else map)(partial(make_member, job, folder), open_names):
            made += count
            rate = made / max(time.monotonic() - started, 1e-6)
            print(f"{left + made} of {whole} cards made, {rate:.0f} a second", file=sys.stderr)


def _make(job: Job, reader: PackageReader, order: CardOrder, place: str) -> CardResult:
    """One card. Whether it is spoiled hangs on its place in the batch alone: the same in every trial of a batch."""
    suite, info = SUITES[reader.info.suite], reader.info
    card = SoftCard(uid=_uid(job, reader.digest, order.serial), kek=reader.kek, suite=suite, capacity=info.capacity)
    luck = _draw(job, info.batch.encode(), f"spoil {place}")
    accident = ""
    if int.from_bytes(luck[:8]) < job.spoil * 2**64:
        accident = _ACCIDENTS[luck[8] % len(_ACCIDENTS)]
        return CardResult(order.serial, card.uid, card.atr, None, "spoiled", accident)
    made = make(card, Script(order.serial, order.commands), info.plan)
    outcome = "spoiled" if made.outcome == "blank" else made.outcome
    return CardResult(order.serial, made.uid, card.atr, made.readback, outcome, made.reason)


def _check_faces(reader: PackageReader, faces: Member | None) -> None:
    """The printer's half of the work, as far as software goes: the faces of the member open and are a PDF."""
    if faces and not reader.plain(faces).startswith(b"%PDF-"):
        raise PackageBroken("not-a-pdf", faces.name)


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
    """The id of the results: the same for the same package, seed, share of spoiled cards and planted faults."""
    return UUID(bytes=_draw(job, package, f"run {job.spoil} {job.plants}")[:16], version=4)


def _reader(job: Job) -> PackageReader:
    return PackageReader(job.package, homes.private_key(job.home), homes.issuer_key(job.home))


def _part(folder: Path, member: Member) -> Iterator[CardResult]:
    with (folder / "parts" / member.name).open() as lines:
        for line in lines:
            data = json.loads(line)
            digest = None if data["readback"] is None else bytes.fromhex(data["readback"])
            uid, atr = bytes.fromhex(data["uid"]), bytes.fromhex(data["atr"])
            yield CardResult(data["serial"], uid, atr, digest, data["outcome"], data["reason"])


def _planted(cards: Iterable[CardResult], plants: tuple[str, ...]) -> Iterator[CardResult]:
    """The results with the faults that were asked for, each once, on the first good cards that come."""
    faults, last_uid = list(plants), b""
    for card in cards:
        if card.outcome != "good" or not faults:
            yield card
            continue
        if faults[0] == "duplicate-uid" and not last_uid:
            last_uid = card.uid
            yield card
            continue
        yield from _spoil_result(card, faults.pop(0), last_uid)


def _spoil_result(card: CardResult, fault: str, uid: bytes) -> Iterator[CardResult]:
    if fault == "duplicate-uid":
        yield card._replace(uid=uid)
    elif fault == "wrong-readback":
        yield card._replace(readback=bytes(32))
    elif fault == "unordered-serial":
        yield card
        yield card._replace(serial="9" * 16, uid=bytes(7))
    elif fault == "power-cut":
        yield card._replace(outcome="suspect", readback=None, reason=CODES["cut"])
    # missing-card: nothing is yielded, as if the card had fallen under the table
