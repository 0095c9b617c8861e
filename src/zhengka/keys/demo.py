"""A ceremony of the demonstration: its officers do what officers do, by the same services, and read no sheet."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from zhengka.accounts.models import Officer
from zhengka.accounts.services import actor_of
from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.events import Replayed
from zhengka.keys import rules
from zhengka.keys.models import Ceremony, Key
from zhengka.keys.services import Wanted, carry_on, open_ceremony, show_component, take_part

SLOT = "control"


def hold(area: Area, suite: str, *, by: Actor, custodians: Sequence[Officer], request: Callable[..., UUID],
         at: datetime) -> Ceremony | None:
    """Generate the master key that controls cards (主控密钥) of a province, where it has none yet; None where it has.

    `request`: the request id of a part, the same in every run: a ceremony that was killed goes on where it was.
    """
    if Key.objects.filter(purpose=rules.CARD_MASTER, suite=suite, area=area.code, slot=SLOT, state="active").exists():
        return None
    try:
        row = open_ceremony(Wanted("generate", custodians, suite=suite, slot=SLOT, place=area.code), area, by=by,
                            request_id=request("open", suite), at=at)
    except Replayed as again:
        row = Ceremony.get(again.event.subject_id)
    row = carry_on(row.pk, at=at)
    for custodian in custodians:
        one = actor_of(custodian)
        if row.state == "gathering" and row.seats.filter(officer=custodian, done_at=None).exists():
            shown = show_component(row, by=one, request_id=request("show", suite, custodian.pk), at=at)
            row = take_part(row, shown, by=one, request_id=request("part", suite, custodian.pk), at=at)
    return carry_on(row.pk, at=at)
