"""Where a blank card (空白卡) may be and how it gets there, and the papers that move it, as tables."""

from collections.abc import Mapping
from typing import Any, Final

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow

BLANK: Final = Workflow("blank", initial="outside", final=frozenset({"issued", "destroyed"}), steps=(
    #    from       action     to           permission
    Step("outside", "receive", "stock", "stock.keep", zh="入库"),
    Step("stock", "ship", "moving", "stock.keep", zh="调出"),
    Step("moving", "arrive", "stock", "stock.keep", zh="调入"),
    Step("stock", "load", "machine", "stock.keep", zh="领用上机"),
    Step("machine", "unload", "stock", "stock.keep", zh="退库"),
    Step("machine", "issue", "issued", "stock.use", zh="制成"),
    Step("machine", "spoil", "spoiled", "stock.use", zh="废卡"),
    Step("stock", "spoil", "spoiled", "stock.use", zh="废卡"),
    Step("spoiled", "destroy", "destroyed", "stock.keep", zh="销毁"),
    *(Step(where, "lose", "lost", "stock.keep", zh="报失") for where in ("stock", "moving", "machine", "spoiled")),
    Step("lost", "find", "stock", "stock.keep", zh="找回"),
))
"""The accounts of the ledger are the states of a piece of plastic, and nothing else moves it from one to another."""

HELD: Final = ("stock", "machine", "spoiled")
"""Accounts of which the pieces lie in a store (库) of an office: a cupboard, or a machine."""
READY, SPOILED = "", "spoiled"
"""What of a store is counted or declared lost: the blanks that lie there ready, or the spoiled ones beside them."""
STORES: Final = {"store": "库房", "machine": "制卡机"}
"""Kind of store → official term."""


def another_person(slip: Any, facts: Mapping[str, Any]) -> None:
    """Destruction and loss are proposed by one person and confirmed by another (I6)."""
    if facts["by"].person == slip.person:
        raise Refusal("stock-same-person")


def ordered_by_another(order: Any, facts: Mapping[str, Any]) -> None:
    """Money is spent by two persons: who writes an order does not approve it (I6)."""
    if facts["by"].person == order.person:
        raise Refusal("order-same-person")


_POSTED: Final = Workflow("slip", initial="posted", steps=(), final=frozenset({"posted"}))
SHIPMENT: Final = Workflow("shipment", initial="moving", final=frozenset({"arrived", "ended"}), steps=(
    Step("moving", "arrive", "arrived", "stock.keep", zh="调入"),
    Step("moving", "arrive_short", "short", "stock.keep", zh="短少调入"),
    Step("moving", "write_off", "ended", "stock.confirm", zh="全部报失"),
    Step("short", "arrive_more", "short", "stock.keep", zh="补到一部分"),
    Step("short", "arrive_rest", "arrived", "stock.keep", zh="补齐"),
    Step("short", "write_off", "ended", "stock.confirm", zh="短少报失"),
))
"""A shipment (调拨) of which something is missing is short until the rest came, or two persons declared it lost."""
ON_ITS_WAY: Final = ("moving", "short")
"""States of a shipment of which something is still on its way."""
ARRIVALS: Final[Mapping[tuple[str, bool], str]] = {
    ("moving", False): "arrive", ("moving", True): "arrive_short",
    ("short", False): "arrive_rest", ("short", True): "arrive_more"}
"""State of a shipment, and whether something is missing still once this came → the step that it is."""
WRITE_OFF: Final = Workflow("write-off", initial="proposed", final=frozenset({"confirmed", "declined"}), steps=(
    Step("proposed", "confirm", "confirmed", "stock.confirm", (another_person,), zh="确认"),
    Step("proposed", "decline", "declined", "stock.confirm", zh="不同意"),
))
SLIPS: Final[Mapping[str, Workflow]] = {
    "receive": _POSTED, "load": _POSTED, "unload": _POSTED, "issue": _POSTED, "spoil": _POSTED, "find": _POSTED,
    "ship": SHIPMENT, "destroy": WRITE_OFF, "lose": WRITE_OFF}
"""What a slip (出入库单) does → its own steps: most are done as they are written, a shipment ends where all of it
arrives, and what takes plastic out of the world for good waits for a second person.
"""
SLIP_STATES: Final = frozenset[str]().union(*(table.states for table in SLIPS.values()))

STORE: Final = Workflow("store", initial="open", final=frozenset({"closed"}), steps=(
    Step("open", "close", "closed", "stock.keep", zh="撤库"),
    Step("open", "feed", "open", "stock.confirm", zh="供制卡单位"),
))

ORDER: Final = Workflow("blank-order", initial="proposed", final=frozenset({"declined", "complete", "ended"}), steps=(
    Step("proposed", "approve_order", "open", "stock.confirm", (ordered_by_another,), zh="批准采购"),
    Step("proposed", "decline", "declined", "stock.confirm", zh="不同意"),
    Step("open", "deliver", "open", "stock.keep", zh="到货"),
    Step("open", "complete", "complete", "stock.keep", zh="到齐"),
    Step("open", "end_order", "ended", "stock.confirm", zh="终止采购"),
))
"""An order of blank cards (采购单): what is received for it is a delivery, and the one that fills it closes it."""

COUNT: Final = Workflow("count", initial="differs", final=frozenset({"settled"}), steps=(
    Step("differs", "settle", "settled", "stock.confirm", zh="核销差异"),
))
AGREES: Final = Workflow("count", initial="agrees", steps=(), final=frozenset({"agrees"}))
"""A physical count (盘点) that agrees with the ledger is done; one that differs stays open until slips explain every
difference. It never writes the ledger itself (I3).
"""
