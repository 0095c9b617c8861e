"""A small populated world: one unit with its officers and rows of every kind, in the states that pages tell apart."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

import assessing
import gating
import keeping
import partnering
from builders import (
    NOON,
    make_actor,
    make_area,
    make_card,
    make_case,
    make_certificate,
    make_holder,
    make_officer,
    request_id,
)
from lettering import TO, make_letter
from papers_brought import put_paper, put_portrait
from portraits import make_photo
from stories import applies, brings
from zhengka.accounts import services as accounts
from zhengka.accounts.models import Officer
from zhengka.accounts.roles import ROLES
from zhengka.accounts.services import actor_of
from zhengka.areas.models import Area
from zhengka.bulk.models import Act
from zhengka.cards import services as card_services
from zhengka.cards.models import Card, HeldBack, ListHold, ListReceipt, LossTold
from zhengka.cards.workflow import CARD
from zhengka.cases import services as cases
from zhengka.cases.models import Recall
from zhengka.core.events import begin
from zhengka.custody import services as custody
from zhengka.custody.models import Booklet, Keeping, Trouble
from zhengka.devices import services as devices
from zhengka.devices.models import Device, Psam
from zhengka.formats import serial
from zhengka.formats.suites import SM
from zhengka.letters import services as letters
from zhengka.letters.models import Letter
from zhengka.letters.senders import Parcel, Receipt, Unsure
from zhengka.production.models import Batch, Chunk, Erasure, Item, Maker
from zhengka.programme.models import Programme, Target
from zhengka.registry import photos
from zhengka.registry.models import Holder, Import
from zhengka.stock import services as blanks

NAMES = ("阿依古丽·买买提江·吐尔逊", "𠮷田明", "欧阳㛃", "王建国")


@dataclass
class World:
    """`officers` by role; `ids`: first part of an address under staff/ → ids of rows that its pages show."""

    area: Area
    officers: dict[str, Officer]
    ids: dict[str, list[int]] = field(default_factory=dict)


def make_world(code: int = 430104, name: str = "岳麓区") -> World:
    """One issuing unit, an officer for each role, and rows of every kind."""
    area = make_area(code, name=name)
    world = World(area, {role: make_officer(role, area=area) for role in ROLES})
    world.ids["permits"] = _waiting(world)
    world.ids["officers"] = [world.officers["clerk"].pk, *world.ids["permits"], _closed(area)]
    holders = [_person(area, each) for each in NAMES]
    holders[0].photo = photos.keep(make_photo(1))
    holders[1].photo_fault = "photo-small"
    for holder in holders:
        holder.save()
    world.ids["holders"] = [holder.pk for holder in holders[:2]]
    world.ids |= _stand_ins(world)
    world.ids["imports"] = [_import(area, state).pk for state in ("received", "done", "refused")]
    world.ids["cases"] = [make_case(holder, state=state).pk for holder, state in zip(
        holders, ("notified", "confirmed", "reviewed", "closed"), strict=True)]
    world.ids["cases"] += [*_applications(area), _refused(area)]
    make_card(holders[0], state="active")
    make_card(holders[0], state="spoiled")
    cards = [make_card(_person(area, f"持卡人{state}"), state=state) for state in sorted(CARD.states)]
    today = timezone.localdate()
    ending = [make_card(_person(area, name), state="active", active_until=today + dt.timedelta(days=left))
              for name, left in (("将到期", 5), ("已过期", -40))]
    world.ids["cards"] = [card.pk for card in cards if card.state in ("ready", "active", "suspended", "held")]
    world.ids["cards"] += [card.pk for card in ending]
    world.ids["holders"] += [card.holder_id for card in ending]
    world.ids["batches"] = _batches(area, cards)
    world.ids["readback"] = [world.ids["batches"][2]]
    world.ids["drawn"] = [card.pk for card in cards if card.state == "arrived"]
    world.ids["letters"] = _letters(area, cards[0])
    world.ids["papers"] = [put_paper(holders[0]).pk, put_paper(holders[0], state="withdrawn").pk]
    world.ids["portraits"] = [put_portrait(holders[0], {"faces": 2.0, "width": 358.0}).pk,
                              put_portrait(holders[1], state="kept").pk]
    world.ids["acts"] = _acts(area, world.ids["batches"][0])
    world.ids |= assessing.populate(area, world.officers["assessor"])
    world.ids["notices"] = [area.pk]
    world.ids["cases"].append(_reported(world, ending[0].holder))
    frozen = _frozen(area)
    world.ids["holders"].append(frozen.pk)
    world.ids["cases"] += [_lost(area), *frozen.cases.values_list("pk", flat=True)]
    _recalled(area, ending[0].holder)
    world.ids |= keeping.populate(area, world.officers["security"], world.officers["custodian"])
    world.ids |= _devices(world) | _stock(world) | _custody(world)
    world.ids |= partnering.populate(area, world.officers["system"], world.officers["security"])
    world.ids["stops"] = _stops(world)
    world.ids["holds"] = _holds(world, cards)
    world.ids |= gating.populate(area)
    _plan(area)
    return world


def _devices(world: World) -> dict[str, list[int]]:
    """Devices in every state that pages tell apart, a module in each, and a reading of the clerk."""
    system, at = actor_of(world.officers["system"]), NOON
    rows = [devices.register(world.area, devices.About(sort, name, "政务大厅一楼", "周敏", "SN-1"), by=system,
                             request_id=request_id(), at=at)
            for sort, name in (("reader", "一号窗口"), ("reader", "二号窗口"), ("printer", "打印机"), ("gate", "北门"))]
    key = SM.generate().public
    Device.objects.filter(pk=rows[1].pk).update(state="active", suite="SM", public=key.point, key_id=key.key_id,
                                                seen_at=at, health="good")
    modules = [devices.issue(world.area, form, "SM", by=actor_of(world.officers["security"]), request_id=request_id(),
                             at=at).pk for form in ("software", "chip")]
    Psam.objects.filter(pk=modules[0]).update(state="initialised", check_value="reader=ABCDEF internal=123456")
    reading = devices.begin_reading(Device.objects.get(pk=rows[1].pk), "identify", by=actor_of(world.officers["clerk"]),
                                    at=at)
    devices.end_reading(reading, "card-removed", at=at)
    return {"devices": [row.pk for row in rows], "modules": modules, "reader": [reading.pk]}


def _stops(world: World) -> list[int]:
    """Two stops of issuing that were lifted, so that the rest of the world goes on."""
    leader, approver, at = (*(actor_of(world.officers[role]) for role in ("leader", "approver")), NOON)
    found = []
    for why in ("密钥疑似泄露", "卡面印刷错误"):
        stop = card_services.stop_issuing(world.area, why, by=leader, request_id=request_id(), at=at)
        stop = card_services.ask_lift(stop, "已查明", by=leader, request_id=request_id(), at=at)
        found.append(card_services.lift(stop, by=approver, request_id=request_id(), at=at).pk)
    return found


def _holds(world: World, cards: list[Card]) -> list[int]:
    """Blocks that were held back, in every state in which they wait, and a loss that a gate was told of."""
    now = timezone.now()
    suspended = [card for card in cards if card.state in ("suspended", "frozen")]
    found = []
    for state, asked, card in (("held", "", suspended[0]), ("asked", "approver", suspended[1])):
        hold = ListHold.objects.create(
            state=state, area_id=world.area.code, at=now, cards=1,
            asked_person=world.officers[asked].person if asked else "")
        HeldBack.objects.create(hold=hold, card=card, area=world.area.code, cause="report_lost 00001")
        found.append(hold.pk)
    LossTold.objects.create(area=world.area.code, list_number=1, number=1, reported_at=now, written_at=now)
    ListReceipt.objects.get_or_create(operator="changsha-metro", list_number=1, number=1, defaults={
        "seen_at": now, "in_force_at": now})
    return found


def _stock(world: World) -> dict[str, list[int]]:
    """A store, a machine, slips in every state, and a count that differs."""
    at, by, first = NOON, actor_of(world.officers["clerk"]), world.area.code  # each office has blanks of its own

    def told() -> dict[str, object]:
        return {"by": by, "request_id": request_id(), "at": at}
    store, machine, other = (blanks.open_store(world.area, blanks.About(sort, name, "周敏", 500), **told())
                             for sort, name in (("store", "库房"), ("machine", "一号机"), ("store", "窗口柜")))
    slips = [blanks.receive(store, [blanks.Delivered("金卡", f"箱{first}", first, first + 99)], **told()),
             blanks.shift(store, machine, [(first, first + 49)], **told()),
             *blanks.use(machine, blanks.Use([(first, first + 29)], {"偏色": [(first + 30,) * 2]}), **told()),
             blanks.ship(store, other, [(first + 90, first + 94)], **told()),
             blanks.destroy(machine, [(first + 30, first + 30)], "切碎", **told()),
             short := blanks.ship(store, other, [(first + 95, first + 96)], **told())]
    blanks.arrive(short, [(first + 95, first + 95)], **told())
    count = blanks.count(store, [(first + 50, first + 88)], **told())
    orders = [blanks.order(store, blanks.Wanted("金卡", 500, 1300, dt.date(year, 1, 31)), **told())
              for year in (2020, 2040)]
    other_person = told() | {"by": actor_of(world.officers["producer"])}
    blanks.approve(orders[0], **other_person)
    return {"stores": [store.pk, machine.pk], "orders": [row.pk for row in orders],
            "slips": [slip.pk for slip in slips], "counts": [count.pk], "pieces": [first],
            "boxes": [box.pk for box in slips[0].boxes.all()]}


def _custody(world: World) -> dict[str, list[int]]:
    """A parcel at the plant, one on its way, one that was opened with a card missing; a batch of old booklets,
    and one more that lies there.
    """
    area, at, by = world.area, NOON, actor_of(world.officers["producer"])
    cards = [make_card(_person(area, f"待领{each}")) for each in range(7)]
    for place, card in enumerate(cards):
        card.serial = serial.make(area.unit6, 900_000_000 + place)  # the keys that number cards are none of this world
        card.save()

    def told() -> dict[str, object]:
        return {"by": by, "request_id": request_id(), "at": at}
    parcels = [custody.pack([card.pk for card in group], custody.Label(f"P{area.code}-{place}", f"S{area.code}-{place}",
                                                                       area), **told())
               for place, group in enumerate((cards[:1], cards[1:2], cards[2:]))]
    custody.dispatch(parcels[1], **told())
    custody.arrive(parcels[2], area, "S0", **told())
    custody.unpack(parcels[2], "S0", [card.serial or "" for card in cards[3:]], **told())
    custody.hand_over(cards[5], custody.Proof(typed="田野", why="hand", confirmed=True),
                      by=actor_of(world.officers["clerk"]), request_id=request_id(), at=at)
    pulping = custody.propose_pulping(area, 1, "粉碎", **told())
    custody.hand_over(cards[6], custody.Proof(typed="田野", why="hand", confirmed=True),
                      by=actor_of(world.officers["clerk"]), request_id=request_id(), at=at)
    Keeping.objects.filter(card=cards[3]).update(waits_since=timezone.now() - dt.timedelta(days=100))
    troubles = Trouble.objects.filter(area=area).order_by("pk").values_list("pk", flat=True)
    return {"parcels": [row.pk for row in parcels], "troubles": list(troubles), "pulpings": [pulping.pk],
            "booklets": list(Booklet.objects.filter(area=area).values_list("pk", flat=True))}


def _applications(area: Area) -> list[int]:
    """First applications: just typed in, at the doctor's, on the notice board, disputed there."""
    found = [applies(area=area, wanted=3, at=timezone.now()) for _ in range(4)]
    for story, steps in zip(found, ((), ("accept", "book"), ("accept", "book"), ("accept", "book")), strict=True):
        story.take(*steps)
    for story, steps in ((found[2], ("publish",)), (found[3], ("publish", "object"))):
        story.assess()
        story.take(*steps)
    return [story.case.pk for story in found]


def _refused(area: Area) -> int:
    """An application that was refused today: it may be disputed."""
    story = applies(area=area, wanted=3, at=timezone.now())
    story.take("accept", "book")
    story.assess(None)
    return story.take("fail").pk


def _reported(world: World, holder: Holder) -> int:
    """A reported death that the clerk brought in: somebody else verifies it."""
    return cases.open_case("freeze", holder, reason="death-reported", by=actor_of(world.officers["clerk"]),
                           request_id=request_id(), at=timezone.now()).pk


def _frozen(area: Area) -> Holder:
    """A holder whose certificate two persons froze for an inquiry."""
    holder = make_card(_person(area, "被冻结"), state="active").holder
    story = brings("freeze", holder, reason="under-inquiry", at=timezone.now())
    story.take("verify", "review", "approve")
    return holder


def _lost(area: Area) -> int:
    """A case of a loss that was declined: the card is still refused."""
    holder = make_card(_person(area, "仍挂失"), state="active").holder
    return brings("loss", holder, at=timezone.now()).take("decline").pk


def _recalled(area: Area, holder: Holder) -> None:
    """A holder who is to be assessed again, and a child that may apply now."""
    today = timezone.localdate()
    for whom, name, met in ((holder, holder.name, True), (None, "石榴", False)):
        index = bytes(holder.id_index) if whom else f"child {area.code}".encode()[:16]
        Recall.objects.create(area=area, holder=whom, name=name, person_index=index, case_id=1, category=4, met=met,
                              again_on=today, told_on=today if whom else None)


def _waiting(world: World) -> list[int]:
    """Two accounts whose roles wait: one that was just opened, one of an officer who is to get another role."""
    system = actor_of(world.officers["system"])
    account = accounts.Account(f"new-{world.area.code}", "新来的", "staff-new", "clerk", world.area, "a long password")
    opened = accounts.open_account(account, by=system, request_id=request_id())
    moved = accounts.appoint(make_officer("clerk", area=world.area), role="reviewer", by=system,
                             request_id=request_id())
    return [opened.pk, moved.pk]


def _stand_ins(world: World) -> dict[str, list[int]]:
    """A deputy of the clerk from today on, and two rights that the approver lends: one waits, one was permitted."""
    today, told = timezone.localdate(), {"at": timezone.now()}
    clerk, approver = (actor_of(world.officers[role]) for role in ("clerk", "approver"))
    month = [accounts.Days(today + dt.timedelta(first), today + dt.timedelta(first + 9)) for first in (0, 10)]
    cover = accounts.set_cover(make_officer("clerk", area=world.area), month[0], by=clerk, request_id=request_id(),
                               **told)
    lent, waits = [accounts.lend(make_officer("reviewer", area=world.area), days, by=approver,
                                 request_id=request_id(), **told) for days in month]
    accounts.permit_lending(lent, by=make_actor("security", area=world.area), request_id=request_id(), **told)
    return {"covers": [cover.pk], "delegations": [waits.pk, lent.pk]}


def _closed(area: Area) -> int:
    gone = make_officer("producer", area=area)
    return accounts.deactivate(gone, by=make_actor("system", area=area), request_id=request_id()).pk


def _person(area: Area, name: str) -> Holder:
    holder = make_holder(area=area, name=name)
    make_certificate(holder)
    return holder


def _import(area: Area, state: str) -> Import:
    ends: dict[str, dict[str, Any]] = {
        "received": {"progress": 12_000},
        "done": {"rows": 8321, "created": 8000, "merged": 71, "unchanged": 0, "refused": 250, "progress": 8321,
                 "reasons": {"id-check-digit": 120, "name-lost": 90, "date-order": 40}, "refused_file": "0" * 64},
        "refused": {"problem": "file-truncated"}}
    record = begin(Import(
        province=43, area=area, filename="岳麓区二代证导出.xlsx", digest="ab" * 32, form="xlsx", received_at=NOON,
    ), "receive", by=make_actor("clerk", area=area), request_id=request_id())
    Import.objects.filter(pk=record.pk).update(state=state, finished_at=None if state == "received" else NOON,
                                               **ends[state])
    return record


def _acts(area: Area, batch: int) -> list[int]:
    """Bulk acts: in the middle, of unknown length, done with rows left alone, refused after a part."""
    left = {"same-person": 120, "certificate-not-valid": 7}
    ends: list[dict[str, Any]] = [
        {"task": "cases.approve_all", "total": 8321, "done": 4000, "moved": 3873, "left_alone": 127, "reasons": left},
        {"task": "production.take_results", "subject_id": batch},
        {"task": "cases.approve_all", "total": 8321, "done": 8321, "moved": 8194, "left_alone": 127, "reasons": left,
         "state": "done"},
        {"task": "registry.take_photos", "total": 3000, "done": 1000, "moved": 940, "left_alone": 60,
         "reasons": {"photo-stranger": 40, "photo-small": 20}, "state": "refused", "problem": "officer-inactive"}]
    found = []
    for end in ends:
        act = begin(Act(province=43, area=area, task=end["task"], permissions=[], asked_at=NOON), "ask",
                    by=make_actor("clerk", area=area), request_id=request_id())
        Act.objects.filter(pk=act.pk).update(finished_at=NOON if "state" in end else None, **end)
        found.append(act.pk)
    return found


def _batches(area: Area, cards: list[Card]) -> list[int]:
    maker, _ = Maker.objects.get_or_create(name="制卡厂", defaults={"suite": "SM", "public": b"\x04" + bytes(64)})
    found = []
    for state, counts in (("open", {}), ("prepared", {"prepared": 3, "held": 1}),
                          ("received", {"prepared": 3, "held": 1, "good": 2, "spoiled": 1,
                                        "erase_on": NOON.date() + dt.timedelta(30)}), ("stalled", {}),
                          ("paused", {}), ("withheld", {"prepared": 3, "held": 1}),
                          ("sent", {"prepared": 3, "held": 1, "acknowledge_by": NOON.date().replace(year=2025)}),
                          ("closed", {"prepared": 3, "held": 1, "good": 3, "acknowledged_at": NOON, "erased_at": NOON,
                                      "erase_on": NOON.date(), "receipt": "signed"})):
        batch = Batch(province=43, area=area, number=f"{area.unit6}-{state}", profile="disability-placeholder",
                      maker=maker, opened_at=NOON, ordered=4, state=state, prepared_person="who prepared",
                      sent_person="who sent" if state in ("sent", "received", "closed") else "", **counts)
        batch.save()
        found.append(batch.pk)
    arrived = next(card for card in cards if card.state == "arrived")
    Batch.objects.filter(pk=found[2]).update(gate="sample")
    piece = Chunk.objects.create(batch_id=found[2], area=area.code, number=1, state="done", cards=1)
    Item.objects.create(batch_id=found[2], area=area.code, chunk=piece, card=arrived, position=1, outcome="good",
                        readback=bytes(32), drawn=1, seen=["number"])
    Erasure.objects.create(batch_id=found[-1], area=area.code, what="package", name=f"{area.unit6}-closed-4f1c02.zkp",
                           digest="ab" * 32, size=123456789, rule="production-standard", due_on=NOON.date(), at=NOON)
    held = next(card for card in cards if card.state == "held")
    chunk = Chunk.objects.create(batch_id=found[1], area=area.code, number=1, state="done", cards=4)
    Item.objects.create(batch_id=found[1], area=area.code, chunk=chunk, card=held, position=1, outcome="held",
                        reason="photo-missing")
    return found


def _letters(area: Area, card: Card) -> list[int]:
    """Letters on every way: waiting, sent, one that failed, and one of which nobody knows."""
    clerk = make_actor("clerk", area=area)
    found = []
    for kind, channel in (("decision-refused", "print"), ("card-ready", "braille"), ("activation-reminder", "sms"),
                          ("appointment", "sms"), ("card-ready", "sms"), ("generic", "file")):
        rare = {"recipient": TO._replace(name="王\ue000")} if kind == "decision-refused" else {}
        found.append(make_letter(kind, channel, by=clerk, area=area, subject=card, **rare))
    for letter, sender in zip(found[2:5], ("provider", "store", "store"), strict=True):
        letters.send(letter.pk, at=NOON, choose=lambda _channel, sender=sender: (
            lambda _parcel, _at: Receipt(sender, f"{sender}-1")))
    letters.come_back(Letter.objects.get(pk=found[4].pk), by=clerk, request_id=request_id(), at=NOON)
    lost = make_letter("card-blocked", by=clerk, area=area, subject=card)
    letters.send(lost.pk, at=NOON, choose=lambda _channel: _unsure)
    paper = make_letter("acceptance", "print", by=clerk, area=area, subject=card)
    Letter.objects.filter(pk=paper.pk).update(state="sent", run=request_id(), sent_at=timezone.now(), sender="office")
    return [letter.pk for letter in (*found, lost)]


def _unsure(_parcel: Parcel, _at: dt.datetime) -> Receipt:
    raise Unsure("no-answer")


def _plan(area: Area) -> None:
    programme, _ = Programme.objects.get_or_create(code="hunan-2018", defaults={
        "title": "湖南省第三代残疾人证试点", "title_en": "Hunan pilot", "counted_on": dt.date(2018, 3, 15),
        "budget_fen": 542_2500_00})
    Target.objects.get_or_create(programme=programme, area=area, defaults={"holders": 8321, "phase": 1})
