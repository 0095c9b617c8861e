"""A security module of chip kind in a reader's second slot (PSAM 卡): made, and asked by a gate that reads a card.

The keys that it gets are those of its office's region, one level below the province's: a module that is lost opens no
card of another unit. It counts its answers itself, before it makes them; the registry takes the count over and lets
only a module answer that is bound to a reader.
"""

from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

from zhengka.cards.services.answering import reading_now
from zhengka.cards.services.desk import masters_of
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.devices import services as readers
from zhengka.devices.models import Psam
from zhengka.formats.apdu import OK, Transport, decode_response
from zhengka.formats.chip import Profile, gate, psam
from zhengka.formats.chip.gate import CardRefused
from zhengka.formats.chip.psam import MODULE_KEYS, Module, ModuleFault, Told
from zhengka.keys import services as keys

ANSWERS: Final = 10_000_000
"""Answers that a module may give in its life [ours]: two for each card, five million cards, then it is replaced."""


def make_module(module: Psam, slot: Transport, profile: Profile, *, by: Actor, request_id: UUID, at: datetime) -> Psam:
    """Load the keys of the module's region into the blank one that lies in a slot, and note which they are (初始化).

    Cut at any command it holds no number and answers nothing; a repeat goes on, and one that is finished as this module
    is taken for made. `Refusal`: `psam-unfit` for another chip, those of `devices.initialise` and of the key store.
    """
    if not by.may(readers.MODULES):
        raise Refusal("not-permitted", permission=readers.MODULES)
    region = f"{module.area_id // 10**6:06d}"
    about = Told(module.number, region, ANSWERS, 0)
    there = _there(slot)
    if there is None or there._replace(uses=0) != about:
        own = keys.region_keys(region, module.suite, MODULE_KEYS, at=at)
        commands = psam.script(about, profile, own, keys.blank_card_key(module.area_id, module.suite, at=at))
        for command in commands:
            if decode_response(slot.transmit(command)).sw != OK:
                raise Refusal("psam-unfit", number=module.number)
    return readers.initialise(module, masters_of(module, at), by=by, request_id=request_id, at=at)


def read_at_gate(card: Transport, slot: Transport, profile: Profile, *, by: Actor, at: datetime) -> gate.Read:
    """Read a card as a gate does, by the module in a slot: both prove themselves, six commands to the card.

    `Refusal`: `psam-missing` where the module is not bound to a reader of the actor's area (recalled, lost, another's),
    `psam-unfit` where it is none or answers no more; `module-of-another-region` for a card of another unit than the
    module's. CardRefused as in `gate.read`.
    """
    try:
        asked = Module(slot, profile)
        told = asked.told()
        readers.admit(told.number, profile.suite, told.uses, by=by, at=at)
        try:
            return gate.read(card, profile, reading_now(asked, told, profile, at))
        except CardRefused as refused:
            if refused.code == gate.ANOTHER_REGION:
                raise Refusal(gate.ANOTHER_REGION, region=told.region) from None
            raise
        finally:
            with suppress(ModuleFault, OSError):  # what it counted is seen the next time
                readers.admit(told.number, profile.suite, asked.told().uses, by=by, at=at)
    except ModuleFault as fault:
        raise Refusal("psam-unfit", status=f"{fault.sw:04X}") from None


def _there(slot: Transport) -> Told | None:
    """What the module in a slot tells of itself; None where it is not finished, or none."""
    try:
        decode_response(slot.transmit(psam.SELECT))
        return psam.told(slot)
    except (ModuleFault, ValueError):
        return None
