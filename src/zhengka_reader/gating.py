"""A card held to a gate (闸机读卡), read by the security module in a second slot of this PC, with or without a network.

The module proves itself to the card and the card to it; the agent only carries between the two, and holds no key. Which
modules may answer, by which versions of keys, the plan says that the page brings.
"""

from typing import Any, Final, NamedTuple

from zhengka.formats.apdu import Transport
from zhengka.formats.chip import gate
from zhengka.formats.chip.gate import CardRefused
from zhengka.formats.chip.plan import GatePlan
from zhengka.formats.chip.psam import Module, ModuleFault, Told

CODES: Final = (
    "not-our-card", "locked", "another-suite", "key-not-read", "gate-refused", "gate-blocked", "not-authentic",
    "unreadable", gate.ANOTHER_REGION, "psam-missing", "psam-failed", "tried-before")
"""Every no of a gate's read."""


class GateRefused(ValueError):
    """The gate does not take the card: `code` is one of CODES."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Passed(NamedTuple):
    """What was read, how many commands the card was asked, and what the module tells of itself."""

    fields: dict[str, Any]
    commands: int
    module: Told


def read(card: Transport, slot: Transport, plan: GatePlan, needed: tuple[str, ...]) -> Passed:
    """Read a card by the module in a slot: six commands to the card, and two for its signed code. GateRefused; a card
    of another kind, cipher, region or version of keys than the module's loses no try.
    """
    try:
        shown, profile = gate.look_among(card, plan.profiles)
        module = Module(slot, profile)
        told = module.told()
        suite, reads = plan.modules.get(told.number, ("", frozenset()))
        if suite != profile.suite:
            raise GateRefused("psam-missing")
        found = gate.go_on(shown, profile, gate.only(module, reads), needed=needed)
        return Passed(found.fields, found.commands, module.told())
    except CardRefused as refused:
        raise GateRefused(refused.code) from None
    except ModuleFault:
        raise GateRefused("psam-failed") from None
