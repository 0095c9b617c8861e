"""What is done to cards (卡): ordered, numbered, handed over, activated, blocked, and told to every gate."""

from zhengka.cards.services.ordering import allot, order, order_many, reorder, reorder_many
from zhengka.cards.services.status import publish_keys, publish_status_lists

__all__ = [
    "allot",
    "order",
    "order_many",
    "publish_keys",
    "publish_status_lists",
    "reorder",
    "reorder_many",
]
