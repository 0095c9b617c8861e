"""Steps of a letter (文书), as a table."""

from collections.abc import Mapping
from typing import Any, Final

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow

CARRY: Final = "letter.carry"
"""What no role holds: letters are carried by workers."""

BY_MACHINE: Final = ("sms", "file")
"""Channels (渠道) that a worker serves: a message to a phone, a file for whoever keeps the person's letters."""
BY_HAND: Final = ("print", "braille")
"""Channels that an office serves itself: paper and Braille leave the house when somebody prints them."""
CHANNELS: Final = (*BY_MACHINE, *BY_HAND)


def by_hand(letter: Any, _facts: Mapping[str, Any]) -> None:
    """Only what an office prints itself is printed."""
    if letter.channel not in BY_HAND:
        raise Refusal("letter-not-printed", channel=letter.channel)


LETTER = Workflow("letter", initial="queued", steps=(
    #    from       action          to           permission
    Step("queued", "start", "sending", CARRY, zh="开始发送"),
    Step("queued", "print", "sent", "letter.send", (by_hand,), zh="打印"),
    Step("queued", "cancel", "cancelled", "letter.send", zh="撤回"),
    Step("sending", "confirm_sent", "sent", CARRY, zh="已发出"),
    Step("sending", "fail", "failed", CARRY, zh="发送失败"),
    Step("sending", "lose_track", "unknown", CARRY, zh="结果不明"),
    Step("unknown", "confirm_sent", "sent", CARRY, zh="已发出"),
    Step("unknown", "fail", "failed", CARRY, zh="发送失败"),
    Step("unknown", "deliver", "delivered", "letter.send", zh="送达"),
    Step("unknown", "send_again", "queued", "letter.send", zh="重新发送"),
    Step("unknown", "cancel", "cancelled", "letter.send", zh="撤回"),
    Step("failed", "send_again", "queued", "letter.send", zh="重新发送"),
    Step("failed", "cancel", "cancelled", "letter.send", zh="撤回"),
    Step("sent", "print", "sent", "letter.send", (by_hand,), zh="打印"),
    Step("sent", "deliver", "delivered", "letter.send", zh="送达"),
    Step("sent", "come_back", "failed", "letter.send", zh="退回"),
    *(Step(state, "read", state, "letter.read", zh="查阅") for state in (
        "queued", "sending", "unknown", "failed", "sent", "delivered", "cancelled")),
))
