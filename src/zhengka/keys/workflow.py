"""Steps of a key (密钥) and of a ceremony over keys (密钥仪式), as tables.

A key that is replaced goes on reading and verifying through a window of overlap (轮换过渡期), and makes nothing more.
Nothing is done to a key's value by one person: values come, go and end in ceremonies, whose steps in the key store are
the platform's own, once enough custodians (密钥保管员) did their part, each in their own session.
"""

from collections.abc import Mapping
from typing import Any

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow

MANAGE, CUSTODY = "key.manage", "key.custody"
CARRY_OUT = "key.carry_out"
"""What no role holds: what a worker does in the key store, once enough custodians did their part."""


def nothing_hangs_on_it(key: Any, facts: Mapping[str, Any]) -> None:  # noqa: ARG001 - a guard's signature
    """No key is drawn from it that is still in use."""
    if key.children_in_use():
        raise Refusal("key-has-children", label=key.label)


def it_signs(key: Any, facts: Mapping[str, Any]) -> None:  # noqa: ARG001 - a guard's signature
    """What a key signed is what one stops trusting, and that once."""
    if key.public is None or key.revoked_at is not None:
        raise Refusal("step-not-open", label=key.label)


def two_for_the_nations(key: Any, facts: Mapping[str, Any]) -> None:
    """A key that all provinces hang on is not retired by one person: the ceremony's own step is, once two agreed."""
    if key.carries_the_nation and not facts["by"].may(CARRY_OUT):
        raise Refusal("key-by-two", label=key.label)


KEY = Workflow("key", initial="created", final=frozenset({"destroyed"}), steps=(
    #    from        action       to           permission
    Step("created", "activate", "active", MANAGE, zh="启用"),
    Step("active", "supersede", "retiring", MANAGE, zh="轮换"),
    Step("active", "retire", "retired", MANAGE, (two_for_the_nations,), zh="停用"),
    Step("retiring", "retire", "retired", MANAGE, (two_for_the_nations,), zh="停用"),
    Step("created", "revoke", "retired", CARRY_OUT, (it_signs,), zh="吊销"),
    Step("active", "revoke", "retired", CARRY_OUT, (it_signs,), zh="吊销"),
    Step("retiring", "revoke", "retired", CARRY_OUT, (it_signs,), zh="吊销"),
    Step("retired", "revoke", "retired", CARRY_OUT, (it_signs,), zh="吊销"),
    Step("created", "destroy", "destroyed", CARRY_OUT, (nothing_hangs_on_it,), zh="销毁"),
    Step("retired", "destroy", "destroyed", CARRY_OUT, (nothing_hangs_on_it,), zh="销毁"),
))
"""`active` makes and reads, `retiring` reads only, `retired` does neither; what it signed stays trusted to its day,
unless it was revoked."""


def own_seat(ceremony: Any, facts: Mapping[str, Any]) -> None:
    """Only who has this seat, in their own session: the account and the person (I6)."""
    seat, by = facts["seat"], facts["by"]
    if ceremony.seats.filter(number=seat, officer_id=by.id, person=by.person).count() != 1:
        raise Refusal("not-your-seat")


def not_done_yet(ceremony: Any, facts: Mapping[str, Any]) -> None:
    """A part is done once."""
    if ceremony.seats.filter(number=facts["seat"]).exclude(done_at=None).exists():
        raise Refusal("seat-done")


def it_has_components(ceremony: Any, facts: Mapping[str, Any]) -> None:  # noqa: ARG001 - a guard's signature
    """Components are shown in ceremonies that draw them only."""
    if not ceremony.draws:
        raise Refusal("step-not-open", aim=ceremony.aim)


_MINE = (own_seat, not_done_yet)

CEREMONY = Workflow("key-ceremony", initial="opened", final=frozenset({"done", "cancelled"}), steps=(
    #    from         action            to           permission
    Step("opened", "gather", "gathering", CARRY_OUT, zh="分量就绪"),
    Step("gathering", "show", "gathering", CUSTODY, (it_has_components, *_MINE), zh="查看分量"),
    Step("gathering", "print", "gathering", CUSTODY, (it_has_components, *_MINE), zh="打印分量单"),
    Step("gathering", "take_part", "gathering", CUSTODY, _MINE, zh="履行保管"),
    Step("gathering", "complete", "finishing", CARRY_OUT, zh="人数已足"),
    Step("finishing", "reject", "gathering", CARRY_OUT, zh="分量不符"),
    Step("finishing", "record", "recorded", CARRY_OUT, zh="记录"),
    Step("recorded", "sign", "done", CARRY_OUT, zh="签名存证"),
    Step("opened", "cancel", "cancelled", MANAGE, zh="取消"),
    Step("gathering", "cancel", "cancelled", MANAGE, zh="取消"),
    Step("finishing", "cancel", "cancelled", MANAGE, zh="取消"),
))
"""`opened`: the platform draws components where the kind has some. `gathering`: custodians do their part. `finishing`:
the platform works in the key store. `recorded`: it is done and written down; the signature on the transcript is next.
"""
