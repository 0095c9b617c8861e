"""The main job, from second-generation files to cards that a gate accepts: each step goes on where it stopped."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.utils import timezone

from zhengka.accounts import demo
from zhengka.accounts.models import Officer
from zhengka.areas import services as areas
from zhengka.areas.models import Area
from zhengka.assessment import demo as assessment
from zhengka.cards import queries as card_queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import queries as case_queries
from zhengka.cases import services as cases
from zhengka.cli import officers
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.custody import services as custody
from zhengka.formats import keyfile, x509
from zhengka.keys import demo as key_demo
from zhengka.keys import services as keys
from zhengka.keys.rules import AMONG
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
AT_ONCE = 2000
"""Rows that are moved in one transaction."""
LEFT, ORDERED_LEFT, LARGE_UNIT, SHARE_LEFT = 3, 8, 60, 1000
"""So many cases wait at each step of the exchange, and cards at the counter, when the demo is done, and so many cards
for a batch, where a unit is large: an officer who logs in finds work. At most one in `SHARE_LEFT` of what there is."""
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
    second_producer: Actor

    @classmethod
    def demo(cls) -> "Officers":
        """The demo's officers."""
        return cls(*(officers.actor(name) for name in ("clerk", "clerk2", "reviewer", "approver", "producer",
                                                     "security", "producer2")))


def load_plan(data: Path) -> list[Area]:
    """Step 1: areas with their issuing units, and the plan of the pilot."""
    loaded = areas.load(data / "areas" / f"{PROGRAMME}.toml")
    programme.load(data / "programmes" / f"{PROGRAMME}.toml")
    return loaded


def furnish(who: Officers) -> None:
    """Step 1, for assessments: an institution with two doctors and some days ahead in each city of the plan, where the
    demo's own doctor signs, too, and in the demo's second region.
    """
    cities = {unit.parent for unit in issuing_units() if unit.parent}
    assessment.furnish(sorted(cities, key=lambda city: city.code), by=who.approver, clerk=who.clerk, at=timezone.now(),
                       also=Officer.objects.get(username="assessor"))
    assessment.furnish([Area.objects.get(code=demo.COUNTY)], by=officers.actor("county-approver"),
                       clerk=officers.actor("county"), at=timezone.now())


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
    """Step 3: open the exchange for every unit and phase of the plan; confirm, review and approve in bulk, and leave a
    few at each step. Other kinds of case wait for whom they wait.
    """
    targets = programmes.targets(PROGRAMME)
    for number, target in enumerate(targets):
        told(number, len(targets) + 3)
        at = timezone.now()
        cases.open_exchange(target.area, target.phase, by=who.clerk, at=at,
                            request_id=act("open", target.area_id, at.isoformat()))
    decisions = (("confirm", cases.confirm_many, who.clerk), ("review", cases.review_many, who.reviewer),
                 ("approve", cases.approve_many, who.approver))
    left = left_of(sum(case_queries.counts(who.clerk).values()))
    for number, (action, decide, by) in enumerate(decisions, len(targets)):
        told(number, len(targets) + 3)
        at = timezone.now()
        waiting = cases.waiting(action, by).filter(kind_of_case="exchange").order_by("pk").values_list("pk", flat=True)
        decide(list(waiting[left:]), by=by, at=at, request_id=act(decide.__name__, at.isoformat()))
    told(len(targets) + 3, len(targets) + 3)


def left_of(whole: int) -> int:
    """How many of so many wait at one step when the demo is done."""
    return min(LEFT, whole // SHARE_LEFT)


def trusted_maker(who: Officers, unit: Area | None = None, name: str = MAKER, *, at: datetime | None = None) -> Maker:
    """The demo's card maker for a unit's province, the stand-in program `zhengka-maker`, with keys exchanged both ways;
    unless named, that of the pilot's. `at`: since when the province's keys work, and the maker's certificate holds.
    """
    home, at, unit = maker_home(name), at or timezone.now(), unit or issuing_units()[0]
    profile = card_queries.profile(card_queries.policy(unit.code, at.date()).profile)
    if name == MAKER:
        _ceremony(who, unit, profile.suite, at)
    keys.ensure(unit.code, profile.suite, at=at)
    if not (home / "issuer-public.json").exists():
        maker_program("init", str(home), "--suite", profile.suite, "--name", name, "--since", f"{at:%Y-%m-%d}")
        keyfile.write_public(home / "customer.json", batches.batch_public_key(unit.code, profile.suite, at=at))
        maker_program("trust", str(home), str(home / "customer.json"))
    if not (home / "maker-certificate.pem").exists():
        maker_program("certify", str(home), "--name", name, "--since", f"{at:%Y-%m-%d}")
    own = x509.read_own((home / "maker-certificate.pem").read_bytes())
    return production.enrol_maker(name, own.public, by=who.security, camera=True, certificate=own)


def maker_home(name: str) -> Path:
    """Where a card maker of the demo keeps its keys and what it made."""
    return Path(settings.HOME) / ("maker" if name == MAKER else name)


def results_of(batch: Batch) -> Path:
    """Where the results of a batch of a card maker of the demo lie."""
    return maker_home(batch.maker_id) / f"{batch.number}.results"


def _ceremony(who: Officers, unit: Area, suite: str, at: datetime) -> None:
    """Where the demo's custodians are there, the key that controls cards is born in a ceremony of theirs."""
    custodians = list(Officer.objects.filter(role="custodian", state="active", person__startswith="demo-").order_by(
        "username"))
    province = Area.objects.get(code=unit.code // 10**10 * 10**10)
    if len(custodians) >= AMONG:
        key_demo.hold(province, suite, by=who.security, custodians=custodians[:AMONG],
                      request=lambda *parts: act("ceremony", *parts), at=at)


def maker_program(*words: str) -> str:
    """Run the card maker's stand-in; what it printed. `Refusal("maker-failed")`."""
    done = subprocess.run([sys.executable, "-m", "zhengka_maker", *words], capture_output=True, text=True,  # noqa: S603
                          check=False)
    if done.returncode:
        raise Refusal("maker-failed", said=done.stderr.strip()[-300:])
    return done.stdout


def in_state(by: Actor, *states: str) -> list[Batch]:
    """The batches of the officer's area in some states, but for those that are kept for officers."""
    kept = Event.objects.filter(request_id__in=[kept_batch(state) for state in KEPT]).values("subject_id")
    return list(batches.batches(by).filter(state__in=states).exclude(pk__in=kept).order_by("id"))


def request_of(batch: Batch, action: str) -> UUID:
    """The request id of one act of the main job on a batch."""
    return act("batch", batch.number, action)


def open_all(maker: Maker, by: Actor) -> list[Batch]:
    """A batch for each unit with ordered cards, but for those that are left."""
    waiting, at, units = batches.waiting(by), timezone.now(), issuing_units()
    of_the_unit = sum(case_queries.counts_by_area(by).get(unit_of_the_rest().code, {}).values())
    rest = {unit_of_the_rest(): ORDERED_LEFT if of_the_unit >= LARGE_UNIT else 0}
    return [production.open_batch(unit, card_queries.policy(unit.code, at.date()).profile, maker, by=by, at=at,
                                  request_id=act("batch", unit.code, at.isoformat()),
                                  only=production.Only(limit=number))
            for unit in units if (number := waiting.get(unit.code, 0) - rest.get(unit, 0)) > 0]


def unit_of_the_rest() -> Area:
    """The unit of which cards and batches are left: never the first, where wrong cards are planted."""
    return issuing_units()[1]


KEPT = ("open", "prepared", "sent")
"""States in which a batch is kept, for the officer who makes cards."""


def kept_batch(state: str) -> UUID:
    """The request by which the batch that is kept in a state was opened."""
    return act("kept batch", state)


def keep_batches(who: Officers, maker: Maker) -> None:
    """Of the cards that were left, two in a batch to be prepared, two in one to be sent, two in one at the maker: the
    second producer prepares them, the first one sends.
    """
    by, unit = who.second_producer, unit_of_the_rest()
    for state in KEPT:
        if Event.objects.filter(request_id=kept_batch(state)).exists() or batches.waiting(by).get(unit.code, 0) < 2:
            continue
        at = timezone.now()
        batch = production.open_batch(unit, card_queries.policy(unit.code, at.date()).profile, maker, by=by, at=at,
                                      request_id=kept_batch(state), only=production.Only(limit=2))
        if state != "open":
            batch = production.prepare_batch(batch, by=by, request_id=request_of(batch, "prepare"), at=at)
            batch = production.run_chunks_here(batch, at=timezone.now(), processes=1)
        if state == "sent":
            publish(timezone.now())
            production.send_batch(batch, by=who.producer, request_id=request_of(batch, "send"), at=timezone.now())


def workers() -> int:
    """Processes for bulk work: as set, else one for each core."""
    return settings.WORKERS or cores()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def hand_over_and_activate(who: Officers, *, told: Told) -> None:
    """Step 7: every finished card but a few to its holder, the old certificate back, and the first activation."""
    by = who.clerk
    left = left_of(sum(card_queries.counts(by).get(state, 0) for state in ("ready", "issued", "active")))
    total = sum(card_queries.counts(by).get(state, 0) for state in ("ready", "issued"))
    done = 0
    for state in ("ready", "issued"):
        for number, page in enumerate(pages(by, state)):
            ids, at = [card.pk for card in page][0 if number else left:], timezone.now()
            if not ids:
                continue
            asked: dict[str, Any] = {"by": by, "at": at, "request_id": act("hand over", state, ids[0], at.isoformat())}
            if state == "ready":
                custody.hand_over_many(ids, signed_list(page[0].area_id, number, at), **asked)
            else:
                cards.activate_many(ids, **asked)
            done += len(ids)
            told(done // 2, total)
    told(total, total)


def signed_list(area: int, number: int, at: datetime) -> custody.Proof:
    """A list of a village's round on which the demo's holders signed: numbered after the first card's office."""
    listed = custody.SignedList(f"QL-{area // 10**6}-{number + 1:03d}", timezone.localdate(at))
    return custody.Proof("home", listed=listed)


def pages(by: Actor, state: str) -> Iterator[list[Card]]:
    """The cards of a state, page by page, by office and id."""
    after = (0, 0)
    while page := card_queries.worklist(by, state, after=after, limit=AT_ONCE):
        yield page
        after = (page[-1].area_id, page[-1].pk)


def publish(at: datetime) -> int:
    """Publish keys and status lists for verifiers; how many lists are new."""
    return len(cards.publish_status_lists(at=at))
