"""What is done with blank cards: received, shipped, loaded, used, set aside, destroyed, lost and found, counted."""

from zhengka.stock.services.counting import count, settle
from zhengka.stock.services.ledger import multirange, runs_of
from zhengka.stock.services.moving import (
    About,
    Delivered,
    Use,
    arrive,
    close_store,
    feed,
    hold,
    open_store,
    receive,
    shift,
    ship,
    spoil,
    use,
)
from zhengka.stock.services.ordering import Wanted, approve, decline_order, end_order, order
from zhengka.stock.services.writing_off import confirm, decline, destroy, find, lose, lose_on_the_way, lose_spoiled

__all__ = [
    "About",
    "Delivered",
    "Use",
    "Wanted",
    "approve",
    "arrive",
    "close_store",
    "confirm",
    "count",
    "decline",
    "decline_order",
    "destroy",
    "end_order",
    "feed",
    "find",
    "hold",
    "lose",
    "lose_on_the_way",
    "lose_spoiled",
    "multirange",
    "open_store",
    "order",
    "receive",
    "runs_of",
    "settle",
    "shift",
    "ship",
    "spoil",
    "use",
]
