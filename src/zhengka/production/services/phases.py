"""The batches of a whole phase of the programme (按期组批): one for each of its units that has cards.

A worker opens them, each in a transaction of its own. So the switch that stops issuing waits for the unit at which the
worker is, and for no other: what is not open by then stays closed, by name.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from zhengka.areas import queries as areas
from zhengka.areas.models import Area
from zhengka.bulk import services as bulk
from zhengka.bulk.models import Act
from zhengka.bulk.services import Asked, Clock, Group
from zhengka.cards import queries as cards
from zhengka.cards import services as card_services
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, replayed
from zhengka.formats.verdict import CHINA
from zhengka.production.models import Maker
from zhengka.production.services import makers
from zhengka.production.services.batches import open_batch
from zhengka.production.services.choosing import EVERY, Only, waiting

TASK: Final = "production.open_phase"


def ask_phase(  # noqa: PLR0913 - as `open_batch`
        units: Sequence[Area], profile: str, maker: Maker, *, by: Actor, request_id: UUID, at: datetime,
        only: Only = EVERY) -> Act:
    """Ask for a batch for each of many units; those of which no card waits have none.

    What holds for all of them is refused at once: `not-permitted`, `not-found`, `maker-suite-differs`, `batch-empty`
    where no unit has a card, those of `makers.trusted`, `issuing-stopped` where it is for one of them. Raises
    `Replayed` for a repeat.
    """
    if event := replayed(request_id, Act.kind()):
        raise Replayed(event)
    area, codes = areas.area(by.lo, actor=by), [unit.code for unit in units]
    bulk.permit("batch.make", area, by=by)
    if not all(map(by.sees, codes)):
        raise Refusal("not-found")
    on = at.astimezone(CHINA).date()
    having = sorted(set(waiting(codes, profile, only, on=on).order_by().values_list("area", flat=True)))
    if not having:
        raise Refusal("batch-empty", profile=profile)
    if maker.suite != cards.profile(profile).suite:
        raise Refusal("maker-suite-differs", maker=maker.suite)
    card_services.not_stopped(*having)
    makers.trusted(maker, at=at)
    asked = {"units": having, "profile": profile, "maker": maker.pk, "only": [only.street, only.urgent, only.limit]}
    return bulk.ask(Act(area=area, task=TASK, total=len(having), asked=asked), "batch.make", by=by,
                    request_id=request_id, at=at)


def open_phase(act_id: int, *, clock: Clock) -> Act:
    """What the worker does for `ask_phase`, unit by unit in the order of their codes. One whose batch is refused, as
    where issuing is stopped meanwhile, is left alone by that name, and the next one follows. A repeat opens none twice.
    """
    def unit(act: Act, asked: Asked) -> Group:
        left = [code for code in act.asked["units"] if act.place is None or code > act.place]
        code, onward = left[0], left[0] if left[1:] else None
        try:
            open_batch(Area.objects.get(pk=code), act.asked["profile"], Maker.objects.get(pk=act.asked["maker"]),
                       only=Only(*act.asked["only"]), **vars(asked))
        except Refusal as no:
            return Group(0, {no.code: 1}, onward)
        return Group(1, {}, onward)
    return bulk.carry_out(act_id, unit, clock=clock)
