"""Plain functions that make a desk with a real reader: entered, paired, with a module, a card made on it."""

import base64
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.utils import timezone

import batches
from builders import NOON, make_actor, make_area, request_id
from made_cards import UID
from readers import SLOTS
from zhengka.areas.models import Area
from zhengka.cards import queries as cards_known
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cards.services import Talk
from zhengka.core.actors import SYSTEM, Actor
from zhengka.devices import services
from zhengka.devices.models import Device, Psam
from zhengka.formats.chip import SoftCard
from zhengka.formats.chip.psam import SoftModule
from zhengka.formats.keyfile import write_public
from zhengka.formats.suites import SUITES
from zhengka.keys import services as keys
from zhengka.production import queries
from zhengka.production import services as production
from zhengka.production.models import Batch
from zhengka_reader import home as homes
from zhengka_reader.desk import Desk
from zhengka_reader.pcsc import card_on
from zhengka_reader.printing import Printer

ORIGIN = "https://cards.example.cn"


@dataclass
class Counter:
    """A counter of an office: who sits there, the reader as the registry has it, and the reader's own folder."""

    area: Area
    clerk: Actor
    reader: Device
    module: Psam
    home: Path

    def desk(self, **more: Any) -> Desk:
        """What a page of our site gets from the agent."""
        return Desk(self.home, ORIGIN, **more)


def make_reader(area: Area, name: str = "一号窗口") -> Device:
    """A reader that waits to be paired."""
    about = services.About("reader", name, "政务大厅一楼", "周敏", "SN-1")
    return services.register(area, about, by=make_actor("system", area=area), request_id=request_id(), at=NOON)


def pair(reader: Device, home: Path, clerk: Actor, *, origin: str = ORIGIN) -> Device:
    """As the page and the person at the PC do it."""
    row = services.new_code(reader, by=clerk, at=NOON)
    homes.init(home, "SM")
    homes.expect(home, row.code)
    told = Desk(home, origin).answer({"do": "pair", "code": row.code, "nonce": bytes(row.nonce).hex()})
    paired = services.Paired(told["suite"], bytes.fromhex(told["point"]), row.code, bytes.fromhex(told["signature"]))
    return services.pair(row, paired, origin, by=clerk, request_id=request_id(), at=NOON)


def make_module(area: Area, reader: Device | None = None) -> Psam:
    """A software module, bound to a reader where one is named."""
    by = make_actor("security", area=area)
    module = services.issue(area, "software", "SM", by=by, request_id=request_id(), at=NOON)
    module = cards.initialise_module(module, by=by, request_id=request_id(), at=NOON)
    return services.bind(module, reader, by=by, request_id=request_id(), at=NOON) if reader else module


def make_counter(home: Path, area: Area | None = None) -> Counter:
    """A counter at work; all keys of its province are there."""
    area = area or make_area()
    keys.ensure(area.code, "SM", at=min(NOON, timezone.now()))
    clerk = make_actor("clerk", area=area)
    reader = pair(make_reader(area), home, clerk)
    return Counter(area, clerk, reader, make_module(area, reader), home)


def make_batch(counter: Counter, *, sent: bool = True) -> Batch:
    """A batch of one card, sealed for the counter's reader as its card maker."""
    public = SUITES[counter.reader.suite].public_key(bytes(counter.reader.public))
    name = queries.desk_maker(counter.reader.name, counter.area.code)
    maker = production.enrol_maker(name, public, by=SYSTEM)
    write_public(counter.home / "site.json", queries.batch_public_key(counter.area.code, "SM", at=NOON))
    homes.trust(counter.home, ORIGIN, counter.home / "site.json")
    batches.make_ordered(area=counter.area)
    batch = batches.prepare(batches.open_batch(counter.area, maker))
    return batches.send(batch) if sent else batch


def blank_chip(counter: Counter, uid: bytes = UID) -> SoftCard:
    """A chip from the factory, with the keys of the counter's province's blanks."""
    channel = keys.channel_keys(counter.area.code, "SM", at=NOON).of_chip(SUITES["SM"], uid)
    return SoftCard(uid=uid, kek=keys.blank_card_key(counter.area.code, "SM", at=NOON), suite=SUITES["SM"],
                    channel=channel)


def make_on(counter: Counter, batch: Batch, *, printer: Printer | None = None, blank: str = "") -> dict[str, Any]:
    """Ask the desk to make the card of a batch on the chip that lies there, a `blank` card with this serial on it."""
    desk = counter.desk(printer=printer)
    package = base64.b64encode(batches.package_path(batch).read_bytes()).decode()
    told = desk.answer({"do": "make", "package": package, "printer": printer.queue if printer else "",
                        "blank": blank})
    desk.close()
    return told


def take_results(counter: Counter, batch: Batch, told: dict[str, Any]) -> Batch:
    """The signed results go where those of every card maker go."""
    path = counter.home / "results.jsonl"
    path.write_text(told["results"])
    return batches.receive(batch, path)


def make_issued(room: Any, counter: Counter, *, active: bool = True, uid: bytes = UID) -> tuple[Card, SoftCard]:
    """A card that was made on the counter's reader, handed over and activated; it lies on the reader."""
    batch, chip = make_batch(counter), blank_chip(counter, uid)
    room.lay(chip)
    take_results(counter, batch, make_on(counter, batch))
    card = Card.objects.get(items__batch=batch)
    card = cards.hand_over(card, by=counter.clerk, request_id=request_id(), at=NOON)
    if active:
        card = cards.activate(card, by=counter.clerk, request_id=request_id(), at=NOON)
    return card, chip


def talk(counter: Counter, purpose: str = "identify", card: Card | None = None, *, between: Any = None,
         desk: Desk | None = None, at: Any = NOON) -> Talk:
    """One reading from its beginning to its end, as the page's script carries it; `between` is called after each step
    with its number.
    """
    own = desk or counter.desk()
    said = cards.put_on(counter.reader, purpose, by=counter.clerk, request_id=request_id(), at=at, card=card)
    while not said.reading.outcome:
        told = own.answer({"do": "carry", "nonce": bytes(said.reading.nonce).hex(), "number": said.reading.steps,
                           "commands": [command.hex() for command in said.commands],
                           "slot": "module" if said.module else ""})
        if between:
            changed = between(said.reading.steps, told)
            told = told if changed is None else changed
        if "no" in told:
            said = Talk(services.end_reading(said.reading, told["no"], at=at))
        else:
            said = cards.carried(said.reading, told, by=counter.clerk, at=at)
    if desk is None:
        own.close()
    return said


def with_chip_module(counter: Counter, room: Any) -> SoftModule:
    """A new chip in the second slot, bound to the counter's reader in the place of the module that it had."""
    by = make_actor("security", area=counter.area)
    services.recall(Psam.objects.get(pk=counter.module.pk), by=by, request_id=request_id(), at=NOON)
    row = services.issue(counter.area, "chip", "SM", by=by, request_id=request_id(), at=NOON)
    module = SoftModule(kek=keys.blank_card_key(counter.area.code, "SM", at=NOON), suite=SUITES["SM"])
    room.lay(module, slot=1)
    with card_on(SLOTS[1]) as slot:
        row = cards.make_module(row, slot, cards_known.profile("disability-placeholder"), by=by,
                                request_id=request_id(), at=NOON)
    counter.module = services.bind(row, Device.objects.get(pk=counter.reader.pk), by=by, request_id=request_id(),
                                   at=NOON)
    return module


def with_other_keys(chip: SoftCard, *purposes: str) -> SoftCard:
    """The same chip with other keys for these purposes."""
    [application] = chip.memory.applications.values()
    wrong = {slot: replace(secret, key=bytes(16)) if secret.entry.purpose in purposes else secret
             for slot, secret in application.keys.items()}
    return SoftCard.of(chip.memory.with_application(replace(application, keys=wrong)))
