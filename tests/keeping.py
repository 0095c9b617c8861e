"""Keys of a unit in every state, and ceremonies at every stage, for pages: rows without values in a key store."""

import datetime as dt

from django.utils import timezone

from builders import make_officer, request_id
from zhengka.accounts.models import Officer
from zhengka.accounts.services import actor_of
from zhengka.areas.models import Area
from zhengka.core.actors import SYSTEM
from zhengka.core.events import begin
from zhengka.formats.suites import SUITES
from zhengka.keys import services
from zhengka.keys.models import Ceremony, Custodian, Key, Seat
from zhengka.keys.services import Wanted, tree


def make_key(area: Area, slot: str, state: str, **more: object) -> Key:
    """A row of a card master in any state; nothing is in a key store."""
    key = tree.new_version("card_master", area.code, "SM", slot, at=timezone.now())
    key.check_value = "0a1b2c"
    begin(key, "make", by=SYSTEM, request_id=request_id(), label=key.label, check_value=key.check_value)
    Key.objects.filter(pk=key.pk).update(state=state, **more)
    return Key.get(key.pk)


def populate(area: Area, leader: Officer, custodian: Officer) -> dict[str, list[int]]:
    """First part of an address → ids of the rows that its pages show."""
    today = timezone.localdate()
    active = make_key(area, "control", "active", exportable=True)
    found = [active, make_key(area, "reader", "created"), make_key(area, "internal", "retired"),
             make_key(area, "tac", "retiring", reads_until=today + dt.timedelta(days=30)),
             make_key(area, "load", "destroyed", kept="none"),
             make_key(area, "purchase", "active", kept="drawn", rule="SM4", parent=active)]
    for key in found[:2]:
        for number, name in enumerate(("黄薇", "徐峰"), 1):
            Custodian(key=key, province=key.province, area=key.area, number=number, person=f"staff-{area.pk}-{number}",
                      name=name, check_value="0d0e0f").save()
        Custodian(key=key, province=key.province, area=key.area, number=3, person=custodian.person, name=custodian.name,
                  check_value="0d0e0f").save()
    return {"keys": [key.pk for key in found], "ceremonies": _ceremonies(area, leader, custodian, found)}


def _ceremonies(area: Area, leader: Officer, custodian: Officer, keys: list[Key]) -> list[int]:
    seats = [custodian, make_officer("custodian", area=area), make_officer("custodian", area=area)]

    def opened(kind: str, key: Key | None = None, *, begun: bool = True, **wanted: object) -> Ceremony:
        told = {"slot": "application", "place": area.code, "suite": "SM"} | wanted
        row = services.open_ceremony(Wanted(kind, seats, key, **told), area, by=actor_of(leader),
                                     request_id=request_id(), at=timezone.now())
        return services.carry_on(row.pk, at=timezone.now()) if begun else row

    drawn = opened("generate")
    fresh = opened("generate", begun=False, slot="pin_unlock")
    brought = opened("import", slot="pin_reload", check_value="0a1b2c")
    Ceremony.objects.filter(pk=brought.pk).update(problem="components-wrong")
    agreed = opened("destroy", keys[2])
    stopped = opened("generate", slot="maintenance")
    services.cancel(stopped, reason="另行安排", by=actor_of(leader), request_id=request_id(), at=timezone.now())
    left = opened("export", keys[0], transport=SUITES["SM"].generate().public)
    Seat.objects.filter(ceremony=left).update(done_at=timezone.now())
    Ceremony.objects.filter(pk=left.pk).update(
        state="done", wrapped=b"x" * 112, transcript="{}", signature=bytes(64), signed_by="43/transcript/SM/1",
        ended_at=timezone.now())
    return [row.pk for row in (drawn, fresh, brought, agreed, stopped, left)]
