"""Blank chips from their maker become the province's own (空白卡初始化), one after another as they are laid down."""

from datetime import datetime

from django.db import transaction

from zhengka.areas.models import Area
from zhengka.cards.services import not_stopped
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.formats.apdu import Transport
from zhengka.formats.chip import stock
from zhengka.keys import services as keys

PERMISSION = "batch.make"


def initialise_blank(card: Transport, factory: stock.Stock, area: Area, suite: str, *, by: Actor, at: datetime,
                     ) -> stock.Told:
    """Give the chip that lies there the transport key and, drawn by its identifier, the channel keys of the area's
    province. `factory`: the keys with which its maker delivered it. One that was ours before a rotation gets the keys
    of today as long as the old master is in its overlap. The keys are drawn for this and kept nowhere.

    `Refusal`: `not-permitted`, `not-found`, `issuing-stopped`, those of the key store. StockRefused for the chip.
    """
    if not by.may(PERMISSION):
        raise Refusal("not-permitted", permission=PERMISSION)
    if not by.sees(area.code):
        raise Refusal("not-found")
    with transaction.atomic():
        not_stopped(area.code)
    ours = stock.Stock(keys.channel_keys(area.code, suite, at=at), keys.blank_card_key(area.code, suite, at=at))
    earlier = keys.earlier_channel_keys(area.code, suite, at=at)
    return stock.initialise(card, factory, ours, suite, earlier=earlier)
