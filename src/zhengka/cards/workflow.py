"""The life of a card (卡), as a table."""

from collections.abc import Mapping
from typing import Any

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow


def activation_due(_card: Any, facts: Mapping[str, Any]) -> None:
    """The next term is activated when the region opens its window, not at any time (年度激活).

    The service tells the day on which it `opens`, where that has not come.
    """
    if "opens" in facts:
        raise Refusal("activation-not-due", opens=facts["opens"])


def certificate_holds(card: Any, _facts: Mapping[str, Any]) -> None:
    """A card whose certificate is frozen or has ended is not made usable: what it proves does not hold."""
    if card.certificate.state != "valid":
        raise Refusal("certificate-not-valid", state=card.certificate.state)


def still_proves(_card: Any, facts: Mapping[str, Any]) -> None:
    """A card that was found is usable again as far as what it proves holds, until its successor is activated.

    The service tells the state of the `certificate`, where that is not valid.
    """
    if "certificate" in facts:
        raise Refusal("certificate-not-valid", state=facts["certificate"])


def condemned_by_another(card: Any, facts: Mapping[str, Any]) -> None:
    """What cannot be undone takes two persons: one proposes that a card is destroyed, another one destroys it."""
    if not card.condemned_person:
        raise Refusal("card-not-condemned")
    if card.condemned_person == facts["by"].person:
        raise Refusal("same-person")


def missed_by_another(card: Any, facts: Mapping[str, Any]) -> None:
    """That a card is lost for good is said by two persons: one proposes it, another one declares it."""
    if not card.missed_person:
        raise Refusal("loss-not-proposed")
    if card.missed_person == facts["by"].person:
        raise Refusal("same-person")


IN_PRODUCTION = ("ordered", "batched", "held", "prepared", "sent", "arrived", "ready", "issued")
"""States of a card that is on its way: a holder has at most one such card."""

TO_DESTROY = ("spoiled", "suspect", "cancelled")
"""States of a card that is good for nothing any more, and lies here."""

NOT_HERE = ("missing", "lost")
"""States of a card that was made and is not here: the maker sent none, or it has gone from where it lay."""

CARD = Workflow("card", initial="ordered", final=frozenset({"destroyed"}), steps=(
    #    from         action           to             permission
    Step("ordered", "batch", "batched", "batch.make", zh="组批"),
    Step("ordered", "hurry", "ordered", "card.order", zh="加急"),
    Step("ordered", "unhurry", "ordered", "card.order", zh="取消加急"),
    Step("ordered", "hold", "held", "batch.make", zh="暂缓"),
    Step("batched", "prepare", "prepared", "batch.make", zh="数据准备"),
    Step("batched", "hold", "held", "batch.make", zh="暂缓"),
    Step("held", "release", "ordered", "batch.make", zh="解除暂缓"),
    *(Step(state, "number", state, "batch.make", zh="登记合作号码") for state in ("ordered", "held")),
    Step("held", "shorten", "held", "batch.make", zh="姓名缩略"),
    Step("prepared", "send", "sent", "batch.send", zh="送制"),
    Step("prepared", "spoil", "spoiled", "batch.make", zh="废卡"),
    Step("sent", "accept", "ready", "batch.receive", zh="验收"),
    Step("sent", "arrive", "arrived", "batch.receive", zh="到货待核"),
    Step("arrived", "accept", "ready", "batch.receive", zh="验收"),
    Step("arrived", "suspect", "suspect", "batch.receive", zh="存疑"),
    Step("sent", "spoil", "spoiled", "batch.receive", zh="废卡"),
    Step("sent", "suspect", "suspect", "batch.receive", zh="存疑"),
    Step("sent", "go_missing", "missing", "batch.receive", zh="缺卡"),
    Step("ready", "spoil", "spoiled", "card.order", zh="废卡"),
    Step("ready", "hand_over", "issued", "card.hand_over", (certificate_holds,), zh="领取"),
    Step("issued", "activate", "active", "card.activate", (certificate_holds,), zh="激活"),
    Step("active", "activate", "active", "card.activate", (activation_due,), zh="年度激活"),
    Step("active", "report_lost", "suspended", "card.suspend", zh="挂失"),
    Step("suspended", "report_found", "active", "card.restore", (still_proves,), zh="解挂"),
    Step("active", "freeze", "frozen", "case.approve", zh="冻结"),
    Step("frozen", "unfreeze", "active", "case.approve", zh="解冻"),
    Step("suspended", "freeze", "suspended", "case.approve", zh="冻结"),
    Step("suspended", "unfreeze", "suspended", "case.approve", zh="解冻"),
    Step("frozen", "report_lost", "suspended", "card.suspend", zh="挂失"),
    Step("active", "supersede", "cancelled", "card.activate", zh="换卡作废"),
    Step("suspended", "supersede", "cancelled", "card.activate", zh="换卡作废"),
    Step("frozen", "supersede", "cancelled", "card.activate", zh="换卡作废"),
    *(Step(state, "cancel", "cancelled", "case.approve", zh="注销")
      for state in (*IN_PRODUCTION, "active", "suspended", "frozen")),
    Step("cancelled", "set_aside", "cancelled", "batch.receive", zh="到货待销毁"),
    *(Step(state, "move", state, "case.approve", zh="迁移") for state in ("active", "suspended", "frozen")),
    *(Step(state, "condemn", state, "batch.receive", zh="提请销毁") for state in TO_DESTROY),
    *(Step(state, "spare", state, "batch.receive", zh="不予销毁") for state in TO_DESTROY),
    *(Step(state, "destroy", "destroyed", "batch.receive", (condemned_by_another,), zh="销毁") for state in TO_DESTROY),
    *(Step(state, "go_missing", "missing", "batch.receive", zh="缺卡") for state in TO_DESTROY),
    Step("missing", "propose_lost", "missing", "batch.receive", zh="提请认定遗失"),
    Step("missing", "declare_lost", "lost", "batch.receive", (missed_by_another,), zh="认定遗失"),
    *(Step(state, "turn_up", "suspect", "batch.receive", zh="找到") for state in NOT_HERE),
))

GAP = Workflow("gap", initial="left_out", final=frozenset({"left_out"}), steps=())
"""Numbers that were left out (跳号) stay so."""

CHIP_ORDER = Workflow("chip-order", initial="ordered", final=frozenset({"applied", "superseded"}), steps=(
    #    from       action       to            permission
    Step("ordered", "apply", "applied", "card.activate", zh="已写卡"),
    Step("ordered", "supersede", "superseded", "card.activate", zh="已失效"),
))
"""What the chip of an issued card is to be told (卡内更新指令): done when the chip vouches for it."""


def lifted_by_another(stop: Any, facts: Mapping[str, Any]) -> None:
    """Issuing goes on by the word of two persons: one says that the cause is gone, another one lifts the stop."""
    if stop.lift_person == facts["by"].person:
        raise Refusal("same-person")


STOP = Workflow("issuing-stop", initial="standing", final=frozenset({"lifted"}), steps=(
    #    from        action          to          permission
    Step("standing", "ask_lift", "lifting", "issuing.resume", zh="提请恢复发卡"),
    Step("lifting", "keep_stopped", "standing", "issuing.resume", zh="不予恢复"),
    Step("lifting", "lift", "lifted", "issuing.resume", (lifted_by_another,), zh="恢复发卡"),
))
"""No card is made or handed out (停发): one person throws the switch, two lift it."""

def released_by_another(hold: Any, facts: Mapping[str, Any]) -> None:
    """A mass block goes out by the word of two persons: one asks that it is released, another one releases it."""
    if hold.asked_person == facts["by"].person:
        raise Refusal("same-person")


def as_looked_at(hold: Any, facts: Mapping[str, Any]) -> None:
    """Nobody releases more than they saw: the act names how many cards there were on the page."""
    if facts["seen"] != hold.cards:
        raise Refusal("hold-changed", cards=hold.cards)


LIST_HOLD = Workflow("list-hold", initial="held", final=frozenset({"released", "undone"}), steps=(
    #    from    action          to          permission
    Step("held", "hold_more", "held", "list.release", zh="追加暂缓"),
    Step("held", "ask_release", "asked", "list.release", (as_looked_at,), zh="提请放行"),
    Step("asked", "keep_held", "held", "list.release", zh="不予放行"),
    Step("asked", "release", "released", "list.release", (as_looked_at, released_by_another), zh="放行"),
    *(Step(state, "fall_away", "undone", "list.release", zh="已撤销") for state in ("held", "asked")),
))
"""Blocks that are so many that gates are not told of them (暂缓下发) before two persons have released them (I13)."""

OUT_OF_LIFE = ("spoiled", "suspect", "cancelled", "destroyed", "missing", "lost")
"""States after which a card is never accepted again: one that turns up is suspect and is destroyed."""

PROVED = ("valid", "replaced")
"""States of the certificate of a card that may be used: of one that was replaced, until the new card is activated."""

BLOCKED = ("suspended", "frozen")
"""States in which a card is refused for a time: it was lost, or its certificate is frozen."""
