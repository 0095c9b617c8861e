"""Plain functions that make cards of the registry with their chips, without a card maker."""

from datetime import datetime
from typing import Any

import builders
from builders import NOON
from zhengka.cards import queries
from zhengka.cards.models import Card
from zhengka.formats import chip
from zhengka.formats.suites import SUITES
from zhengka.keys import services as keys

KEK = bytes(16)


def given_out(
        state: str = "issued", profile: str = "disability-one-card", at: datetime = NOON, **more: Any,
        ) -> tuple[Card, chip.SoftCard]:
    """A card of the registry and its chip, made with the keys of the province."""
    card = builders.make_card(state=state, profile=profile, **more)
    keys.ensure(card.area_id, "SM", at=at)
    [card] = builders.with_numbers(card)
    layout = queries.profile(profile)
    record = {
        "serial": card.serial, "issuer": f"{card.area_id:012d}", "issued": card.issued_on, "name": "田野",
        "valid_until": card.valid_until, "activation_until": card.issued_on, "category": 4, "grade": 2,
        "number": "99000019000101001X42", "credential": b"signed"}
    own = keys.card_keys(card.serial[:6], "SM", [key.purpose for key in layout.keys], [card.serial], at=at)
    layout = layout.with_versions(own.versions)
    [script] = chip.compile_many(layout, [record], keys_by_slot=own.values, kek=KEK)
    made = chip.SoftCard(uid=b"\x04abcdef", kek=KEK, suite=SUITES["SM"], capacity=layout.capacity)
    for command in script.commands:
        assert made.transmit(command) == b"\x90\x00"
    chip.readback(made, chip.reading_plan(layout), card.serial)
    made.reset()
    return card, made
