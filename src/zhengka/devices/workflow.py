"""Steps of a device (机具) and of a security module (PSAM), as tables."""

from collections.abc import Mapping
from typing import Any

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow


def has_its_key(device: Any, _facts: Mapping[str, Any]) -> None:
    """What signs nothing yet is not put to work again: it is paired first."""
    if device.signs and device.public is None:
        raise Refusal("device-unpaired")


def signs(device: Any, _facts: Mapping[str, Any]) -> None:
    """Only what was paired with a key of its own can be paired anew."""
    if not device.signs:
        raise Refusal("step-not-open", sort=device.sort, action="unpair")


DEVICE = Workflow("device", initial="registered", final=frozenset({"retired", "lost"}), steps=(
    #    from          action     to          permission
    Step("registered", "pair", "active", "device.use", zh="配对"),
    Step("registered", "start", "active", "device.manage", (has_its_key,), zh="启用"),
    Step("active", "stop", "stopped", "device.manage", zh="停用"),
    Step("stopped", "start", "active", "device.manage", (has_its_key,), zh="启用"),
    *(Step(state, "unpair", "registered", "device.manage", (signs,), zh="解除配对") for state in ("active", "stopped")),
    *(Step(state, "retire", "retired", "device.manage", zh="报废") for state in ("registered", "active", "stopped")),
    *(Step(state, "lose", "lost", "device.manage", zh="报失") for state in ("registered", "active", "stopped")),
))
"""A reader or gate works once it is paired. What is stopped here stops there at once: its reading ends, and the server
believes nothing that it says any more. One whose PC was set up anew has another key: its old one is forgotten by who
administers it (`unpair`), and whoever sits there pairs it by a new code. What was stopped from afar no code starts.
"""

SIGNING = ("reader", "gate")
"""Kinds that sign what they say, each with a key of its own."""

KINDS = {"reader": "读卡器", "printer": "证卡打印机", "gate": "闸机"}
"""Kind of device → official term."""

PSAM = Workflow("psam", initial="issued", final=frozenset({"recalled", "lost"}), steps=(
    Step("issued", "initialise", "initialised", "device.keys", zh="初始化"),
    Step("initialised", "bind", "bound", "device.keys", zh="绑定"),
    Step("bound", "unbind", "initialised", "device.keys", zh="解绑"),
    *(Step(state, "recall", "recalled", "device.keys", zh="收回") for state in ("issued", "initialised", "bound")),
    *(Step(state, "lose", "lost", "device.keys", zh="报失") for state in ("issued", "initialised", "bound")),
))
"""A module answers for one reader at one place. One that was recalled or lost never answers again."""

FORMS = {"software": "软件模块", "chip": "芯片模块"}
"""A module in the key store, or a chip that sits in the reader."""

GATE = "gate"
"""Purpose of a reading by which a gate lets somebody through (闸机读卡): the only one that learns of the person."""

READING_ENDS = (
    "good", "not-our-card", "locked", "gate-refused", "gate-blocked", "not-authentic", "unreadable", "another-chip",
    "unknown-card", "differs", "refused", "psam-missing", "psam-failed", "another-suite", "key-not-read", "key-missing",
    "key-not-yet", "key-retired", "profile-missing", "order-changed",
    "pcsc-missing", "no-reader", "reader-gone", "no-card", "card-removed", "card-mute",
    "card-in-use", "reader-fails", "two-cards", "another-card", "garbled", "wrong-signature", "overtime",
    "reader-stopped", "tried-before", "no-module", "psam-behind")
"""Every name that a reading can end with. Whatever is not `good` says nothing about any card."""

HEALTHS = (*READING_ENDS, "printed", "not-printed")
"""How a device was when it was last seen: how its last reading ended, or its last print job."""
