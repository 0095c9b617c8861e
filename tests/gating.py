"""Gates with keys of their own, their logs, and vouchers: builders for tests."""

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from builders import NOON, make_actor, make_area, request_id
from zhengka.areas.models import Area
from zhengka.core.errors import Refusal
from zhengka.devices import services as devices
from zhengka.devices.models import Device
from zhengka.formats import gatelog
from zhengka.formats import voucher as vouchers
from zhengka.formats.gatelog import Event, Signed
from zhengka.formats.suites import INTL, SigningKey
from zhengka.formats.verdict import CHINA
from zhengka.formats.voucher import Voucher as Promise
from zhengka.gates import services
from zhengka.gates.models import Post, Voucher

OPERATOR, VENUE, SERVICE, RULE = "test-bus", "line-1", "bus", "free-for-all"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@dataclass
class Gate:
    """A gate of a test: its row's id, its key, and the log that it writes."""

    pk: int
    key: SigningKey = field(default_factory=INTL.generate)
    venue: str = VENUE
    seq: int = 0

    def says(self, kind: str = "visit", *, at: dt.datetime = NOON, seq: int = 0, **told: Any) -> Signed:
        """One line of its log, signed: its next number, unless another is asked for."""
        self.seq += not seq
        if kind == "issue":
            told = {"begins": at, "ends": at + HOUR} | told
        if kind in ("visit", "issue", "redeem"):
            told = {"rule": RULE, "gives": "free"} | told
        event = Event(self.pk, seq or self.seq, kind, at, told.pop("operator", OPERATOR),
                      told.pop("venue", self.venue), SERVICE, **told)
        return self.signs(gatelog.write(event))

    def signs(self, text: str) -> Signed:
        """A text, signed by its key."""
        return Signed(text, self.key.sign(text.encode()))

    def voucher(self, code: bytes, *, at: dt.datetime = NOON, ends: dt.datetime | None = None) -> bytes:
        """A voucher that it signed."""
        promise = Promise(code, OPERATOR, self.venue, SERVICE, RULE, "free", 0, at, ends or at + HOUR)
        return vouchers.encode(promise, suite="INTL", key_id=self.key.public.key_id, sign=self.key.sign)

    @property
    def row(self) -> Device:
        """Its row as it is now."""
        return Device.objects.get(pk=self.pk)

    @property
    def post(self) -> Post:
        """Where it stands."""
        return services.standing(self.row)


def lines(*said: Signed) -> bytes:
    """An upload of these lines."""
    return "".join(f"{one.to_line()}\n" for one in said).encode()


def make_gate(name: str = "北门", *, area: Area | None = None, operator: str = OPERATOR, venue: str = VENUE) -> Gate:
    """A paired gate that stands somewhere."""
    area = area or make_area()
    row = devices.register(area, devices.About("gate", name, "地铁站", "周敏"), by=make_actor("system", area=area),
                           request_id=request_id(), at=NOON)
    key = INTL.generate()
    Device.objects.filter(pk=row.pk).update(suite="INTL", public=key.public.point, key_id=key.public.key_id)
    row.refresh_from_db()
    devices.change(row, "start", by=make_actor("system", area=area), request_id=request_id(), at=NOON)
    services.stand(Device.objects.get(pk=row.pk), services.Place(operator, venue), by=make_actor("clerk", area=area),
                   request_id=request_id(), at=NOON)
    return Gate(row.pk, key, venue)


def upload(gate: Gate, *said: Signed, at: dt.datetime = NOON) -> services.Merged:
    """Send these lines by this gate."""
    return services.merge(lines(*said), carrier=gate.row, at=at)


def make_wanted(**told: Any) -> services.Wanted:
    """What a voucher of a test promises."""
    return services.Wanted(**{"service": SERVICE, "rule": RULE, "gives": "free", "begins": NOON, "ends": NOON + HOUR,
                              **told})


def populate(area: Area) -> dict[str, list[int]]:
    """Gates, vouchers in every state, a double use, a fork, a wrong clock; statements in every state, and disputes."""
    first, second = (make_gate(f"{name}{area.code}", area=area, operator="changsha-transit", venue="network")
                     for name in ("闸机一", "闸机二"))
    place = {"operator": "changsha-transit", "venue": "network"}
    codes = [bytes([number]) + area.code.to_bytes(9) for number in range(4)]
    month = NOON - 40 * DAY
    for back in (120, 90, 60):
        upload(first, first.says(**place, at=NOON - back * DAY), at=NOON - back * DAY)
    upload(first, *(first.says("issue", voucher=code, at=month, ends=month + 90 * DAY, begins=month, **place)
                    for code in codes), first.says("redeem", voucher=codes[0], at=month, **place),
           first.says(at=month, gives="half", companions=1, **place), at=month)
    upload(second, second.says("redeem", voucher=codes[0], at=month + HOUR, **place),
           second.says("cancel", voucher=codes[1], at=month, **place), second.says(at=month + 3 * DAY, **place),
           second.says(seq=3, at=month + 4 * DAY, **place), at=month + HOUR)
    services.merge(b"spoilt\n", carrier=second.row, at=NOON)
    Voucher.objects.filter(code=codes[2]).update(ends=month + HOUR)
    services.expire(at=month + 2 * HOUR)
    Voucher.objects.filter(code=codes[3]).update(payload=first.voucher(codes[3]), companions=1)  # as the platform's own
    return {"gates": [first.pk, second.pk], "posts": [first.post.pk], **_settled(area, place["operator"]),
            "vouchers": list(Voucher.objects.filter(area=area.code).order_by("pk").values_list("pk", flat=True))}


def _settled(area: Area, operator: str) -> dict[str, list[int]]:
    """Statements of months: closed, agreed, disputed, in draft."""
    clerk, other = make_actor("clerk", area=area, person="settles"), make_actor("approver", area=area)
    rows = []
    for back in (120, 90, 60, 30):
        at = (NOON - (back - 1) * DAY).astimezone(CHINA)
        first = at.date().replace(day=1)
        after = dt.datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=CHINA)
        with suppress(Refusal):
            rows.append(services.draft(area, operator, first, by=clerk, request_id=request_id(), at=after))
    for row in rows[:3]:
        services.send(row, by=clerk, request_id=request_id(), at=NOON)
    for row in rows[:2]:
        row.refresh_from_db()
        services.agree(row, by=clerk, request_id=request_id(), at=NOON)
    rows[0].refresh_from_db()
    services.close(rows[0], by=other, request_id=request_id(), at=NOON)
    rows[2].refresh_from_db()
    told = [services.dispute(rows[2], visit, "当天停运", by=clerk, request_id=request_id(), at=NOON)
            for visit in rows[2].visits.order_by("pk")[:1]]
    return {"settlements": [row.pk for row in rows], "disputes": [one.pk for one in told]}
