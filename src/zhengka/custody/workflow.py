"""Where a finished card is between the plant and a hand (成品卡流转), as tables."""

from collections.abc import Mapping
from typing import Any, Final

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow


def another_person(row: Any, facts: Mapping[str, Any]) -> None:
    """A loss and a destruction are proposed by one person and confirmed by another (I6)."""
    if facts["by"].person == row.person:
        raise Refusal("custody-same-person")


def counted_alike(pulping: Any, facts: Mapping[str, Any]) -> None:
    """The second person counts the booklets, too: the number is that of the list, or nothing is destroyed."""
    if facts["counted"] != pulping.quantity:
        raise Refusal("booklets-differ", listed=pulping.quantity, counted=facts["counted"])


PARCEL: Final = Workflow("parcel", initial="packed", final=frozenset({"unpacked", "lost"}), steps=(
    #    from      action      to          permission
    Step("packed", "dispatch", "moving", "custody.keep", zh="交运"),
    Step("kept", "dispatch", "moving", "custody.keep", zh="交运"),
    *(Step(state, "arrive", "kept", "custody.keep", zh="接收") for state in ("packed", "moving", "kept")),
    Step("kept", "unpack", "unpacked", "custody.keep", zh="拆包清点"),
    *(Step(state, "lose", "lost", "custody.confirm", zh="报失") for state in ("packed", "moving", "kept")),
))
"""A parcel (包裹). Whoever receives it scans it: that the one before forgot to scan it out hides nothing."""

CUSTODY: Final = Workflow("custody", initial="packed", final=frozenset({"collected", "lost", "withdrawn"}), steps=(
    Step("packed", "count", "waiting", "custody.keep", zh="清点无误"),
    *(Step(state, "count", state, "custody.keep", zh="清点无误") for state in ("waiting", "returned")),
    *(Step(state, "miss", "missing", "custody.keep", zh="清点缺失") for state in ("packed", "waiting", "returned")),
    *(Step(state, "divert", "waiting", "custody.keep", zh="串包到此") for state in ("packed", "waiting", "returned")),
    Step("missing", "find", "waiting", "custody.keep", zh="找到"),
    *(Step(state, "lose", "lost", "custody.confirm", zh="报失") for state in ("packed", "missing")),
    *(Step(state, "pack", "packed", "custody.keep", zh="装包转运") for state in ("waiting", "returned")),
    Step("waiting", "remind", "waiting", "custody.keep", zh="催领"),
    Step("waiting", "send_back", "returned", "custody.keep", zh="退卡"),
    Step("returned", "call_back", "waiting", "custody.keep", zh="重新待领"),
    *(Step(state, "hand_over", "collected", "card.hand_over", zh="发放") for state in ("waiting", "returned")),
    *(Step(state, "withdraw", "withdrawn", "custody.keep", zh="已作废") for state in ("waiting", "returned")),
))
"""One finished card: in a parcel, at an office, or gone; never in two places, for it has one row."""
TAKEN_IN: Final = Workflow("custody", initial="waiting", final=frozenset({"waiting"}), steps=())
"""A card that came without a parcel, made at the desk or found there, begins where it lies."""

CUSTODY_CASE: Final = Workflow("custody-case", initial="open", final=frozenset({"settled", "lost"}), steps=(
    Step("open", "settle", "settled", "custody.keep", zh="查明结案"),
    Step("open", "propose_loss", "proposed", "custody.keep", zh="提请报失"),
    Step("proposed", "confirm_loss", "lost", "custody.confirm", (another_person,), zh="确认遗失"),
    Step("proposed", "decline", "open", "custody.confirm", zh="不同意"),
))
"""An alarm (异常) is a case at once: it stands until somebody says how it ended, a loss until two persons say so."""

SORTS: Final = {
    "card-missing": "缺卡", "card-strange": "多出的卡", "card-swapped": "串包的卡",
    "card-astray": "卡出现在不应在的单位",
    "seal-differs": "封签不符", "parcel-astray": "包裹到错单位", "parcel-late": "包裹超时",
    "booklet-missing": "旧证缺失"}
"""What a case is about → its official words."""
OF_A_LOSS: Final = ("card-missing", "parcel-late", "booklet-missing")
"""Cases that may end by a loss being declared."""
BY_ANOTHER: Final = ("seal-differs", "card-strange", "card-swapped")
"""Cases that another person clears up than the one who opened the parcel and noticed it."""

BOOKLET: Final = Workflow("booklet", initial="held", final=frozenset({"destroyed"}), steps=(
    Step("held", "list", "listed", "custody.keep", zh="列入销毁清单"),
    Step("listed", "strike", "held", "custody.confirm", zh="移出清单"),
    Step("listed", "destroy", "destroyed", "custody.confirm", zh="销毁"),
    Step("held", "miss", "missing", "custody.keep", zh="清点缺失"),
    Step("missing", "find", "held", "custody.keep", zh="找到"),
    Step("missing", "give_up", "absent", "custody.confirm", zh="更正为未收回"),
    Step("absent", "bring", "held", "card.hand_over", zh="补交旧证"),
))
"""The paper booklet of an old certificate (旧证), taken back as the new card was handed over. One that is not there
when they are counted is the business of a case, in which two persons say that it was not taken back.
"""
ABSENT: Final = Workflow("booklet", initial="absent", final=frozenset({"held"}), steps=(
    Step("absent", "bring", "held", "card.hand_over", zh="补交旧证"),
))
"""One that was not taken back then, and why."""
WHY_NOT: Final = {"lost": "遗失", "damaged": "损毁", "taken-before": "此前已收回", "refused": "本人不交"}
"""Why a booklet was not taken back → official words."""

PULPING: Final = Workflow("pulping", initial="proposed", final=frozenset({"destroyed", "declined"}), steps=(
    Step("proposed", "confirm", "destroyed", "custody.confirm", (another_person, counted_alike), zh="销毁"),
    Step("proposed", "decline", "declined", "custody.confirm", zh="不同意"),
))
"""Old booklets are destroyed in a counted batch by two persons (旧证销毁)."""

PLACES: Final = ("plant", "moving", "office")
"""Where a parcel stays: at the card maker, on the way, at an office."""
OUTCOMES: Final = ("there", "missing", "elsewhere")
"""What became of a line of a parcel's list when it was opened; `elsewhere`: it had turned up in another one before."""
WAYS: Final = {"counter": "窗口领取", "home": "上门送达", "agent": "代领"}
"""How a card reached its holder."""
RELATIONS: Final = {
    "guardian": "监护人", "spouse": "配偶", "parent": "父母", "child": "子女", "sibling": "兄弟姐妹",
    "community": "村（社区）", "other": "其他"}
"""Who an agent (代领人) is to the holder."""
PROOFS: Final = {"chip": "读卡并核对照片", "signature": "屏幕签名", "typed": "键入姓名确认", "list": "纸质签领单"}
"""How a hand-over is proved; an agent's chip is read with their signature beside it, for the photo is the holder's."""
ON_A_LIST: Final = ("counter", "home")
"""Ways of a hand-over that a list may prove which holders signed by hand: an agent is named on a receipt of its own."""
WHY_TYPED: Final = {"hand": "不能握笔", "sight": "视力障碍", "writing": "不会写字", "screen": "签名屏故障"}
"""Why a name is typed where a signature should be → official words."""
