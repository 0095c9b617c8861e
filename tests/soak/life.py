"""The life of one batch as its people and workers live it, step by step. Each step keeps the request id that it was
begun with, and is taken again with the same one by whoever did not hear that it was done.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4, uuid5

from django.conf import settings
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

import batches
import builders
from soak.points import Walk
from worker import tried
from zhengka.accounts.services import actor_of
from zhengka.areas.models import Area
from zhengka.cards import services as cards
from zhengka.core.actors import Actor
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.custody import services as custody
from zhengka.custody.models import Parcel
from zhengka.keys.services import opening
from zhengka.keys.store import KeyStore
from zhengka.production import services
from zhengka.production.models import Batch, Item, Maker
from zhengka.registry import photos
from zhengka.stock import services as stock
from zhengka.stock.models import Store
from zhengka_maker import making

CARDS = 12
BARE = 9
"""Which of them has no photo, and is held."""
SPOIL = 0.2
BOX = 20
"""Blank cards that come for a life; those that no card uses up stay in the machine."""
ROOM = UUID("5f0f5d7c-7c51-4f4e-9f5a-0d9d1d6f0f11")


class Town(NamedTuple):
    """What all lives share: who opens and prepares, who sends and destroys, the card maker and its home, the cupboard
    of its blank cards and the machine that they go into.
    """

    first: Actor
    second: Actor
    maker: Maker
    home: Path
    photos: tuple[str, ...]
    store: Store
    machine: Store


class Life(NamedTuple):
    """One batch of twelve cards, in an office of its own; `queued`: workers take its jobs, else a command line does
    the work.
    """

    seed: int
    town: Town
    area: Area
    queued: bool

    def request(self, step: str) -> UUID:
        """The request id of a step, the same whenever it is taken."""
        return uuid5(ROOM, f"{self.seed} {step}")

    def batch(self) -> Batch:
        """The batch, once it is open."""
        opened = Event.objects.get(request_id=self.request("open"))
        return Batch.objects.select_related("area", "maker").get(pk=opened.subject_id)

    def blanks(self) -> tuple[int, int]:
        """First and last serial of the box of blank cards that came for this life."""
        return self.seed * 1000 + 1, self.seed * 1000 + BOX

    def parcel(self) -> Parcel:
        """The parcel in which its finished cards travel."""
        return Parcel.objects.get(batch=self.batch())

    def results(self) -> Path:
        """Where the card maker leaves its answer."""
        return self.town.home / "out" / f"{self.seed}.jsonl"

    def asked(self, step: str, *, by: Actor) -> dict[str, Any]:
        """Who, under which request, when."""
        return {"by": by, "request_id": self.request(step), "at": timezone.now()}


def settle_down() -> Town:
    """Officers, keys and a card maker."""
    province = builders.make_area(430104).parent.parent
    first, second = (actor_of(builders.make_officer("producer", area=province)) for _ in range(2))
    home = Path(settings.HOME) / "maker"
    maker_area = builders.make_area(430104)
    maker = batches.make_maker(home, maker_area, name="the maker")
    (home / "out").mkdir(exist_ok=True)
    store, machine = (stock.open_store(maker_area, stock.About(sort, sort, "王保管"), by=first, request_id=uuid4(),
                                       at=timezone.now()) for sort in ("store", "machine"))
    services.feed(maker, machine, by=first, request_id=uuid4(), at=timezone.now())
    maker.refresh_from_db()
    shared = tuple(photos.keep(batches.make_photo(number)) for number in range(CARDS))
    return Town(first, second, maker, home, shared, store, machine)


def begin(seed: int, town: Town) -> Life:
    """Twelve people of one office whose cards are ordered."""
    area = builders.make_area(430100 + seed // 80 * 100 + seed % 80 + 1, name=f"第{seed}区")
    for number in range(CARDS):
        card = batches.make_ordered(area=area, photo=None)
        if number != BARE:
            card.holder.photo = town.photos[number]
            card.holder.save()
    return Life(seed, town, area, queued=bool(seed // 3 % 2))


def jobs() -> None:
    """Do what waits, as workers do: a job is gone only after it was done."""
    while job := ProcrastinateJob.objects.filter(status="todo").order_by("id").first():
        tried(job.task_name, attempts=job.attempts, **job.args)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [job.pk])


# -- the steps ---------------------------------------------------------------------------------------------------------
def deliver(life: Life) -> None:
    first, last = life.blanks()
    stock.receive(life.town.store, [stock.Delivered("金卡", f"箱{first}", first, last)],
                  **life.asked("deliver", by=life.town.first))


def load(life: Life) -> None:
    stock.shift(life.town.store, life.town.machine, [life.blanks()], **life.asked("load", by=life.town.first))


def open_(life: Life) -> None:
    services.open_batch(life.area, batches.PROFILE, life.town.maker, **life.asked("open", by=life.town.first))


def prepare(life: Life) -> None:
    services.prepare_batch(life.batch(), **life.asked("prepare", by=life.town.first))


def work(life: Life) -> None:
    if not life.queued:
        services.run_chunks_here(life.batch(), at=timezone.now(), processes=1)
    jobs()


def publish(life: Life) -> None:
    cards.publish_status_lists(at=timezone.now())


def send(life: Life) -> None:
    services.send_batch(life.batch(), **life.asked("send", by=life.town.second))


def make(life: Life) -> None:
    job = making.Job(batches.package_path(life.batch()), life.town.home, SPOIL, life.seed, ("power-cut",),
                     [life.blanks()])
    making.run(job, life.results(), workers=1)


def bring(life: Life) -> None:
    with life.results().open("rb") as file:
        services.ask_results(life.batch(), file, **life.asked("bring", by=life.town.first))


def take(life: Life) -> None:
    jobs()


def close(life: Life) -> None:
    services.close_batch(life.batch(), **life.asked("close", by=life.town.first))


def order_again(life: Life) -> None:
    cards.reorder_many(lost(life, "suspect"), **life.asked("again", by=life.town.first))


def condemn(life: Life) -> None:
    cards.condemn_many(lost(life, "suspect", "spoiled"), **life.asked("condemn", by=life.town.first))


def destroy(life: Life) -> None:
    services.destroy_many(lost(life, "suspect", "spoiled"), **life.asked("destroy", by=life.town.second))


def pack(life: Life) -> None:
    custody.pack_batch(life.batch(), custody.Seals([f"F{life.seed}"]), life.area,
                       **life.asked("pack", by=life.town.first))


def dispatch(life: Life) -> None:
    custody.dispatch(life.parcel(), **life.asked("dispatch", by=life.town.first))


def pass_(life: Life) -> None:
    custody.arrive(life.parcel(), life.area.parent, f"F{life.seed}", **life.asked("pass", by=life.town.first))


def arrive(life: Life) -> None:
    custody.arrive(life.parcel(), life.area, f"F{life.seed}", **life.asked("arrive", by=life.town.first))


def unpack(life: Life) -> None:
    parcel = life.parcel()
    custody.unpack(parcel, f"F{life.seed}", [line.serial for line in parcel.lines.all()],
                   **life.asked("unpack", by=life.town.first))


def lost(life: Life, *outcomes: str) -> list[int]:
    """Cards of the batch that are good for nothing."""
    found = Item.objects.filter(batch=life.batch(), outcome__in=outcomes)
    return sorted(found.values_list("card_id", flat=True))


STEPS: Mapping[str, Callable[[Life], None]] = {
    step.__name__.rstrip("_"): step
    for step in (deliver, load, open_, prepare, work, publish, send, make, bring, take, close, order_again, condemn,
                 destroy, pack, dispatch, pass_, arrive, unpack)}


class Diary:
    """What a life has heard so far, in a file that outlives whoever writes it: steps that were answered, what a key
    signed, how an attempt ended. One line each, written at once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, kind: str, **told: object) -> None:
        """Add a line."""
        os.write(self._file, json.dumps({"kind": kind, **told}).encode() + b"\n")

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The lines of one kind."""
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [line for line in lines if line["kind"] == kind]


def live(life: Life, walk: Walk, diary: Diary, *, until: str = "") -> None:
    """Live on from the first step that was never answered, to the end or up to a step."""
    answered = {line["step"] for line in diary.of("answered")}
    watch_the_store(walk, diary)
    with walk.watched():
        for name, step in STEPS.items():
            if name == until:
                return
            if name not in answered:
                walk.step = name
                try:
                    step(life)
                except Replayed:
                    diary.write("replayed", step=name)
                walk.ended()
                diary.write("answered", step=name)


def watch_the_store(walk: Walk, diary: Diary) -> None:
    """Write down every message that a key of the store is asked to sign, before it does."""
    def told(self: Any, label: str, messages: list[bytes]) -> list[bytes]:
        diary.write("signed", label=label, messages=[bytes(message).hex() for message in messages])
        walk.counted = ("", 0)
        return KeyStore.sign(self, label, messages)

    type(opening.store()).sign = told  # this process ends with the life
