"""Steps of a gate's post (岗位), a voucher (凭证), a statement (结算单) and a dispute (争议), as tables."""

from collections.abc import Mapping
from typing import Any

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow

MANAGE = "gate.manage"
MAKE, CONFIRM = "settlement.make", "settlement.confirm"


def a_gate(row: Any, facts: Mapping[str, Any]) -> None:  # noqa: ARG001 - a guard's signature
    """What logs of gates show, no officer does: an upload, or a gate that asks."""
    if facts["by"].id is not None:
        raise Refusal("not-permitted", permission=MANAGE)


def nothing_disputed(statement: Any, _facts: Mapping[str, Any]) -> None:
    """Every dispute of it was decided."""
    if statement.disputes.filter(state="open").exists():
        raise Refusal("disputes-open")


def another_person(statement: Any, facts: Mapping[str, Any]) -> None:
    """Who made or sent a statement does not confirm it (I6: persons, not accounts)."""
    if facts["by"].person in (statement.made_by, statement.sent_by):
        raise Refusal("same-person")


def not_who_disputed(dispute: Any, facts: Mapping[str, Any]) -> None:
    """Who entered a dispute does not decide it."""
    if facts["by"].person == dispute.opened_by:
        raise Refusal("same-person")


POST = Workflow("post", initial="standing", final=frozenset({"ended"}), steps=(
    Step("standing", "leave_post", "ended", MANAGE, zh="撤岗"),
))
"""A gate stands at one venue at a time; its log names the place, and the post says whether it was allowed to."""

VOUCHER = Workflow("voucher", initial="issued", final=frozenset({"redeemed"}), steps=(
    #    from         action          to           permission
    Step("issued", "redeem", "redeemed", MANAGE, (a_gate,), zh="核销"),
    Step("issued", "cancel", "cancelled", MANAGE, zh="作废"),
    Step("issued", "expire", "expired", MANAGE, zh="过期"),
    Step("cancelled", "find_redeemed", "redeemed", MANAGE, (a_gate,), zh="补报核销"),
    Step("expired", "find_redeemed", "redeemed", MANAGE, (a_gate,), zh="补报核销"),
    Step("expired", "find_cancelled", "cancelled", MANAGE, (a_gate,), zh="补报作废"),
))
"""What happened at a gate without a network is known later: a use that took place outranks a cancellation, and both
outrank the end of its time, whatever was told first.
"""

STATEMENT = Workflow("statement", initial="draft", final=frozenset({"closed", "discarded"}), steps=(
    Step("draft", "send_statement", "sent", MAKE, zh="发送"),
    Step("draft", "discard_statement", "discarded", MAKE, zh="作废"),
    Step("sent", "agree_statement", "agreed", MAKE, (nothing_disputed,), zh="对方确认"),
    Step("sent", "dispute_statement", "disputed", MAKE, zh="提出争议"),
    Step("disputed", "agree_statement", "agreed", MAKE, (nothing_disputed,), zh="对方确认"),
    Step("agreed", "close_statement", "closed", CONFIRM, (another_person,), zh="办结"),
))
"""One person makes and sends it, the operator agrees or disputes single events, another person closes it."""

DISPUTE = Workflow("dispute", initial="open", final=frozenset({"upheld", "rejected"}), steps=(
    Step("open", "uphold_dispute", "upheld", CONFIRM, (not_who_disputed,), zh="成立"),
    Step("open", "reject_dispute", "rejected", CONFIRM, (not_who_disputed,), zh="不成立"),
))
"""An event whose dispute was upheld is not paid."""
