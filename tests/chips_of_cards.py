"""A chip as a card of the register has it: the data of its row, and the keys of its province, as of now."""

from datetime import datetime

from zhengka.cards import queries
from zhengka.cards.models import Card
from zhengka.core import fields
from zhengka.formats.chip import SoftCard, compile_many, readback, reading_plan
from zhengka.formats.suites import SUITES
from zhengka.keys import services as keys


def chip_of(card: Card, uid: bytes, *, at: datetime) -> SoftCard:
    """A chip in software that was written, read back and closed; its power was off and on."""
    profile = queries.profile(card.profile)
    drawn = keys.card_keys(card.serial[:6], profile.suite, [key.purpose for key in profile.keys], [card.serial], at=at)
    profile = profile.with_versions(drawn.versions)
    record = {
        "serial": card.serial, "issuer": f"{card.area_id:012d}", "issued": card.issued_on,
        "valid_until": card.valid_until, "activation_until": card.active_until, "name": card.holder.name,
        "number": fields.open_(bytes(card.certificate.number), "certificate.number"),
        "category": card.certificate.category, "grade": card.certificate.grade,
        "credential": bytes(card.credential or b"")}
    kek = keys.blank_card_key(card.area_id, profile.suite, at=at)
    [script] = compile_many(profile, [record], keys_by_slot=drawn.values, kek=kek)
    chip = SoftCard(uid=uid, kek=kek, suite=SUITES[profile.suite], capacity=profile.capacity)
    for command in script.commands:
        assert chip.transmit(command) == b"\x90\x00"
    readback(chip, reading_plan(profile), card.serial)
    chip.reset()
    return chip
