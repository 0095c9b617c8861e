"""The main job, from second-generation files to cards that a gate accepts: each step goes on where it stopped."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.utils import timezone

from zhengka.accounts.models import Officer
from zhengka.areas import services as areas
from zhengka.areas.models import Area
from zhengka.assessment import demo as assessment
from zhengka.cards import queries as card_queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services as cases
from zhengka.cli import officers
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.formats import keyfile
from zhengka.keys import services as keys
from zhengka.production import queries as batches
from zhengka.production import services as production
from zhengka.production.models import Batch, Maker
from zhengka.programme import queries as programmes
from zhengka.programme import services as programme
from zhengka.registry import queries as registry_queries
from zhengka.registry import services as registry

PROGRAMME = "hunan-2018"
MAKER = "demo-maker"
UNFINISHED = ("open", "preparing", "stalled", "prepared", "sent", "received")
POLL = 1.0
AT_ONCE = 2000
"""Rows that are moved in one transaction."""
Told = Callable[[int, int], None]


def act(*parts: object) -> UUID:
    """The request id of one act of the main job: the same act has the same id in every run, so a repeat is harmless."""
    return uuid5(NAMESPACE_URL, "zhengka:" + ":".join(str(part) for part in parts))


@dataclass(frozen=True)
class Officers:
    """Who acts in the main job; reviewer and approver are two persons, and who verifies is a third."""

    clerk: Actor
    colleague: Actor
    reviewer: Actor
    approver: Actor
    producer: Actor
    security: Actor

    @classmethod
    def demo(cls) -> "Officers":
        """The demo's officers."""
        return cls(*(officers.actor(name) for name in ("clerk", "clerk2", "reviewer", "approver", "producer",
                                                     "security")))


def load_plan(data: Path) -> list[Area]:
    """Step 1: areas with their issuing units, and the plan of the pilot."""
    loaded = areas.load(data / "areas" / f"{PROGRAMME}.toml")
    programme.load(data / "programmes" / f"{PROGRAMME}.toml")
    return loaded


def furnish(who: Officers) -> None:
    """Step 1, for assessments: an institution with two doctors and some days ahead in each city of the plan; the demo's
    own doctor signs in each of them.
    """
    cities = {unit.parent for unit in issuing_units() if unit.parent}
    assessment.furnish(sorted(cities, key=lambda city: city.code), by=who.approver, clerk=who.clerk, at=timezone.now(),
                       also=Officer.objects.get(username="assessor"))


def issuing_units() -> list[Area]:
    """The units of the plan, by code."""
    return [target.area for target in programmes.targets(PROGRAMME)]


def unit_of(path: Path, units: Sequence[Area]) -> Area:
    """The unit that a file's name begins with (six digits)."""
    by_code = {unit.unit6: unit for unit in units}
    if path.name[:6] not in by_code:
        raise Refusal("unit-unknown", file=path.name)
    return by_code[path.name[:6]]


def import_files(files: Sequence[Path], *, by: Actor, told: Told) -> None:
    """Step 2: each file whole, in the order of the names; a file that was taken before is not taken again."""
    units = issuing_units()
    for number, path in enumerate(files):
        told(number, len(files))
        area = unit_of(path, units)
        at = timezone.now()
        try:
            record = registry.receive_import(path.name, path, area, by=by, at=at,
                                             request_id=act("import", path.name, path.stat().st_size))
        except Replayed as again:
            record = registry_queries.import_(again.event.subject_id, actor=by)
        registry.take_import(record.pk, at=at)
    told(len(files), len(files))


def take_photos(packs: Sequence[Path], *, by: Actor, told: Told) -> None:
    """Step 2, photos: each unit's pack of portraits, named by ID number."""
    units = issuing_units()
    for number, pack in enumerate(packs):
        told(number, len(packs))
        try:
            registry.set_photos(pack, unit_of(pack, units), by=by, at=timezone.now(),
                                request_id=act("photos", pack.name, pack.stat().st_size))
        except Replayed:
            continue
    told(len(packs), len(packs))


def exchange(who: Officers, *, told: Told) -> None:
    """Step 3: open the exchange for every unit and phase of the plan; confirm, review and approve in bulk."""
    targets = programmes.targets(PROGRAMME)
    for number, target in enumerate(targets):
        told(number, len(targets) + 3)
        at = timezone.now()
        cases.open_exchange(target.area, target.phase, by=who.clerk, at=at,
                            request_id=act("open", target.area_id, at.isoformat()))
    decisions = ((cases.confirm_many, who.clerk), (cases.review_many, who.reviewer), (cases.approve_many, who.approver))
    for number, (decide, by) in enumerate(decisions, len(targets)):
        told(number, len(targets) + 3)
        at = timezone.now()
        decide(None, by=by, at=at, request_id=act(decide.__name__, at.isoformat()))
    told(len(targets) + 3, len(targets) + 3)


def trusted_maker(who: Officers) -> Maker:
    """The demo's card maker, the stand-in program `zhengka-maker`, with keys exchanged both ways."""
    home, at = Path(settings.HOME) / "maker", timezone.now()
    unit = issuing_units()[0]
    profile = card_queries.profile(card_queries.policy(unit.code, at.date()).profile)
    keys.ensure(unit.code, profile.suite, at=at)
    if not (home / "issuer-public.json").exists():
        _maker("init", str(home), "--suite", profile.suite)
        keyfile.write_public(home / "customer.json", batches.batch_public_key(unit.code, profile.suite, at=at))
        _maker("trust", str(home), str(home / "customer.json"))
    public = keyfile.read_public(home / "maker-public.json")
    return production.enrol_maker(MAKER, public, by=who.security)


def _maker(*words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "zhengka_maker", *words], capture_output=True, text=True,  # noqa: S603
                          check=False)
    if done.returncode:
        raise Refusal("maker-failed", said=done.stderr.strip()[-300:])
    return done.stdout


def make_cards(who: Officers, maker: Maker, *, told: Told) -> None:
    """Steps 4 to 6: each ordered card through a batch, the maker and back; spoiled ones again, until none waits."""
    by = who.producer
    while _in_state(by, *UNFINISHED) or _open_all(maker, by):
        _prepare(by, told)
        with ThreadPoolExecutor(workers()) as pool:  # the maker begins with the first batch while others are sent
            made = [(batch, pool.submit(_made, batch)) for batch in _in_state(by, "sent")]
            made += [(batch, pool.submit(_made, batch)) for batch in _sent(by)]
            for number, (batch, results) in enumerate(made):
                told(number, len(made))
                production.receive_results(batch, results.result(), by=by, request_id=_request(batch, "receive"),
                                           at=timezone.now())
        for batch in _in_state(by, "received"):
            production.close_batch(batch, by=by, request_id=_request(batch, "close"), at=timezone.now())


def _sent(by: Actor) -> Iterator[Batch]:
    """Send each prepared batch to the maker; one in which all cards are held is taken back."""
    for batch in _in_state(by, "prepared"):
        send = production.send_batch if batch.prepared else production.cancel_batch
        gone = send(batch, by=by, request_id=_request(batch, "send"), at=timezone.now())
        if gone.state == "sent":
            yield gone


def _in_state(by: Actor, *states: str) -> list[Batch]:
    return list(batches.batches(by).filter(state__in=states).order_by("id"))


def _request(batch: Batch, action: str) -> UUID:
    return act("batch", batch.number, action)


def _open_all(maker: Maker, by: Actor) -> list[Batch]:
    """A batch for each unit with ordered cards."""
    waiting, at = batches.waiting(by), timezone.now()
    return [production.open_batch(unit, card_queries.policy(unit.code, at.date()).profile, maker, by=by, at=at,
                                  request_id=act("batch", unit.code, at.isoformat()))
            for unit in issuing_units() if waiting.get(unit.code)]


def _prepare(by: Actor, told: Told) -> None:
    """Prepare every open batch by workers of the queue; what dead workers of an earlier run left is finished here."""
    for batch in _in_state(by, "open"):
        production.prepare_batch(batch, by=by, request_id=_request(batch, "prepare"), at=timezone.now())
    command = [sys.executable, "-m", "zhengka.cli", "worker", "--until-empty"]
    for one in [subprocess.Popen(command) for _ in range(workers())]:  # noqa: S603 - our own program
        while not _ended(one):
            found = [batches.progress(batch) for batch in _in_state(by, "preparing", "prepared")]
            told(sum(one.cards for one in found), sum(one.of_cards for one in found))
    for batch in _in_state(by, "stalled"):
        production.retry_batch(batch, by=by, request_id=_request(batch, f"retry {batch.version}"), at=timezone.now())
    for batch in _in_state(by, "preparing"):
        production.run_chunks_here(batch, at=timezone.now(), processes=1)
    publish(timezone.now())  # no batch is sent before gates know of its cards


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has ended, after as much of `POLL` as it took."""
    try:
        return process.wait(timeout=POLL) is not None
    except subprocess.TimeoutExpired:
        return False


def _made(batch: Batch) -> Path:
    """The card maker's signed results of a batch; the stand-in gives the same file however often it is asked."""
    home = Path(settings.HOME) / "maker"
    results = home / f"{batch.number}.results"
    _maker("run", str(batches.package_path(batch)), "--home", str(home), "--out", str(results), "--seed", "1",
           "--workers", "1")
    return results


def workers() -> int:
    """Processes for bulk work: as set, else one for each core."""
    return settings.WORKERS or cores()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def hand_over_and_activate(who: Officers, *, told: Told) -> None:
    """Step 7: every finished card to its holder, the old certificate back, and the first activation."""
    by = who.clerk
    total = sum(card_queries.counts(by).get(state, 0) for state in ("ready", "issued"))
    done = 0
    for state, move in (("ready", cards.hand_over_many), ("issued", cards.activate_many)):
        for page in pages(by, state):
            ids, at = [card.pk for card in page], timezone.now()
            move(ids, by=by, at=at, request_id=act(move.__name__, ids[0], at.isoformat()))
            done += len(ids)
            told(done // 2, total)
    told(total, total)


def pages(by: Actor, state: str) -> Iterator[list[Card]]:
    """The cards of a state, page by page, by office and id."""
    after = (0, 0)
    while page := card_queries.worklist(by, state, after=after, limit=AT_ONCE):
        yield page
        after = (page[-1].area_id, page[-1].pk)


def publish(at: datetime) -> int:
    """Publish keys and status lists for verifiers; how many lists are new."""
    return len(cards.publish_status_lists(at=at))
