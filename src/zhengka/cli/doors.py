"""Gates in the demo (闸机): some of two operators, paired, with a day of last month in their logs; that month settled,
and vouchers of today in each state.

The keys of these gates live as long as it takes to sign that day. Nobody has them afterwards: who wants to try such a
gate on a phone unpairs it on its page and pairs it anew.
"""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from zhengka.accounts import demo
from zhengka.areas.models import Area
from zhengka.cli import officers
from zhengka.cli.line import Officers, Told, act
from zhengka.core.models import Event as Happened
from zhengka.devices import services as devices
from zhengka.devices.models import Device
from zhengka.formats import gatelog, judging, reading
from zhengka.formats.gatelog import Event, Signed
from zhengka.formats.rulebook import Rule
from zhengka.formats.suites import INTL, SigningKey
from zhengka.formats.verdict import CHINA
from zhengka.formats.voucher import CODE_SIZE
from zhengka.gates import queries
from zhengka.gates import services as gates
from zhengka.gates.models import Post, Statement, Voucher


class Door(NamedTuple):
    """A gate of the demo: its name, whose it is, and where it stands."""

    name: str
    operator: str
    venue: str
    service: str
    place: str
    keeper: str


DOORS: Final = (
    Door("五一广场站 2 号闸机", "changsha-transit", "network", "metro", "长沙地铁五一广场站", "刘洋"),
    Door("五一广场站 3 号闸机", "changsha-transit", "network", "metro", "长沙地铁五一广场站", "刘洋"),
    Door("动物园 1 号闸机", "changsha-zoo", "gate", "entry", "长沙生态动物园大门", "彭丽"),
    Door("动物园 2 号闸机", "changsha-zoo", "gate", "entry", "长沙生态动物园大门", "彭丽"))
"""Two of the metro, whose month is settled, and two of the zoo, which gives vouchers."""
PEOPLE: Final = 60
"""How many people went through them that day."""
OPENS, PACE, SENDS = time(9), timedelta(minutes=7), timedelta(hours=11)
"""When the first one came, the time between two, and how long after the first one the gates sent their logs."""
MINUTE: Final = timedelta(minutes=1)


@dataclass
class Gate:
    """A gate at work: where it stands, its key, the rule that it goes by, and the log that it writes."""

    post: Post
    service: str
    key: SigningKey = field(repr=False)
    rule: Rule
    log: list[Signed] = field(default_factory=list)

    def says(self, kind: str, at: datetime, **told: Any) -> None:
        """Write and sign the next line of the log."""
        text = gatelog.write(Event(self.post.gate_id, len(self.log) + 1, kind, at, self.post.operator, self.post.venue,
                                   self.service, self.rule.id, self.rule.benefit, **told))
        self.log.append(Signed(text, self.key.sign(text.encode())))

    def sends(self, at: datetime) -> None:
        """Send the log."""
        gates.merge("".join(f"{line.to_line()}\n" for line in self.log).encode(), carrier=self.row, at=at)

    @property
    def row(self) -> Device:
        """The device as it is now."""
        return Device.objects.get(pk=self.post.gate_id)


def furnish(who: Officers, units: list[Area], *, at: datetime, told: Told) -> None:
    """Let gates stand and work, and settle their month; a repeat makes nothing twice."""
    area = Area.objects.filter(code=demo.CAPITAL).first() or units[0]
    day = datetime.combine(timezone.localdate(at, CHINA).replace(day=1) - timedelta(days=1), OPENS, CHINA)
    with transaction.atomic():  # the keys live in here alone: a gate without its day could never bring it
        if not _done("gate", DOORS[0].name):
            working = [_gate(door, area, who, day - timedelta(days=20)) for door in DOORS]
            _work(working, day)
            _vouchers(working[0].post, working[0], who, at)
    told(1, 3)
    for row in Voucher.objects.filter(payload=None, area=area.code).order_by("pk"):
        gates.sign_voucher(row.pk, at=at)
    gates.sign_own_events(at=at)
    told(2, 3)
    _settle(area, who, at)
    told(3, 3)


def _done(*what: object) -> bool:
    return Happened.objects.filter(request_id=_key(*what)).exists()


def _key(*what: object) -> UUID:
    return act("doors", *what)


def _gate(door: Door, area: Area, who: Officers, at: datetime) -> Gate:
    """A gate is entered, paired by a code as any other one is, and put to its place."""
    about = devices.About("gate", door.name, door.place, door.keeper)
    row = devices.register(area, about, by=officers.actor("system"), request_id=_key("gate", door.name), at=at)
    code, key = devices.new_code(row, by=who.clerk, at=at).code, INTL.generate()
    told = devices.Paired(INTL.name, key.public.point, code, reading.sign_pairing(key, b"", code, settings.PUBLIC_URL))
    row = devices.pair_gate(told, settings.PUBLIC_URL, request_id=_key("paired", door.name), at=at)
    post = gates.stand(row, gates.Place(door.operator, door.venue, (door.service,)), by=who.clerk,
                       request_id=_key("post", door.name), at=at)
    [rule, *_] = judging.open_rules(queries.operator(door.operator).book, door.service, door.venue, at.date())
    return Gate(post, door.service, key, rule)


def _work(working: list[Gate], day: datetime) -> None:
    """A day: people go through, the zoo's get vouchers; one of these is used at both gates while they are cut off. In
    the evening the logs are sent, two of them twice.
    """
    metro, zoo = working[:2], working[2:]
    for number, at in zip(range(PEOPLE), _times(day), strict=False):
        subject = hashlib.sha256(f"demo {number}".encode()).digest()[:16]
        if number % 2:
            metro[number % 4 // 2].says("visit", at, subject=subject, proof="qr")
            continue
        gate, code = zoo[number % 4 // 2], secrets.token_bytes(CODE_SIZE)
        gate.says("issue", at, voucher=code, subject=subject, proof="qr", begins=at,
                  ends=at + timedelta(minutes=gate.rule.minutes))
        gate.says("redeem", at + MINUTE, voucher=code, proof="voucher")
        if number == PEOPLE - 2:
            zoo[1 - number % 4 // 2].says("redeem", at + 2 * MINUTE, voucher=code, proof="voucher")
    for gate in (*working, metro[0], zoo[0]):
        gate.sends(day + SENDS)


def _times(day: datetime) -> Iterator[datetime]:
    while True:
        yield day
        day += PACE


def _vouchers(post: Post, gate: Gate, who: Officers, at: datetime) -> None:
    """Vouchers of today, which the platform issued: one is open, one was cancelled, one was moved to tomorrow."""
    wanted = gates.Wanted(gate.service, gate.rule.id, gate.rule.benefit, at, at + timedelta(minutes=gate.rule.minutes))
    _, lost, late = (gates.issue(wanted, post, request_id=_key("voucher", number), at=at) for number in range(3))
    gates.cancel(lost, "演示", by=who.clerk, request_id=_key("cancelled"), at=at)
    gates.transfer(late, late.begins + timedelta(days=1), late.ends + timedelta(days=1), by=who.clerk,
                   request_id=_key("moved"), at=at)


def _settle(area: Area, who: Officers, at: datetime) -> None:
    """The month of the first gate's operator is reckoned and sent; that the operator agrees is left to do."""
    if not _done("statement"):
        day = Happened.objects.get(request_id=_key("post", DOORS[0].name)).at.astimezone(CHINA).date()
        gates.draft(area, DOORS[0].operator, day.replace(day=1), by=who.clerk, request_id=_key("statement"), at=at)
    row = Statement.objects.get(pk=Happened.objects.get(request_id=_key("statement")).subject_id)
    if row.state == "draft":
        gates.send(row, by=who.clerk, request_id=_key("sent"), at=at)
    gates.sign_statement(row.pk, at=at)
