"""A card that is held to a gate (闸机读卡), where the gate's keys are in the server's key store; and what a gate must
know to read cards without us, by a security module of chip kind in its own second slot.

Nothing of the person is kept: what the chip answers goes with the reading's seed, and a name is not asked for.
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from zhengka.areas.models import Area
from zhengka.cards import queries
from zhengka.cards.models import Card
from zhengka.cards.services.answering import PROVES, Signed, prove, reads_now
from zhengka.core.actors import Actor
from zhengka.core.scope import seeing_all
from zhengka.devices import queries as devices
from zhengka.formats.chip import Profile, gate
from zhengka.formats.chip.gate import CardRefused
from zhengka.formats.chip.plan import GatePlan


def gate_plan(office: Area, *, at: datetime) -> GatePlan:
    """What the readers of an office must know to read cards by the modules in their second slots: layouts of cards, and
    which modules of its readers at work answer, each by which versions of its region's keys. It holds no key.
    """
    modules = {row.number: (row.suite, frozenset(reads_now(row.area_id, row.suite, at)))
               for row in devices.chip_modules(office)}
    return GatePlan(layouts(), modules)


def read_by_gate(wire: Signed, *, by: Actor, at: datetime) -> dict[str, Any]:
    """What a gate needs of the card on a reading's reader, wherever the card is from: it and the reader prove
    themselves, and the chip is the one with which the card was made. CardRefused and `Refusal` as at the desk.
    """
    reading = wire.reading
    shown, profile = gate.look_among(wire, layouts())
    card = _known(shown.fields["serial"])
    if card is None:
        raise CardRefused("unknown-card")
    if card.uid is not None and bytes(card.uid) != bytes(reading.uid):
        raise CardRefused("another-chip")
    if devices.refused_us(card.pk, bytes(reading.uid), PROVES):
        raise CardRefused("tried-before")
    reading.subject_id = card.pk
    return prove(wire, shown, profile, gate.TOLD, by=by, at=at)


def layouts() -> tuple[Profile, ...]:
    """How cards may be laid out: one profile for each application and suite, the shortest, for a gate reads no other
    application of a card.
    """
    ordered = sorted(queries.profiles(), key=lambda profile: len(profile.canonical), reverse=True)
    return tuple({(profile.aid, profile.suite): profile for profile in ordered}.values())


def _known(serial: str) -> Card | None:
    with transaction.atomic(), seeing_all(connection):
        return Card.objects.filter(serial=serial).only("pk", "uid").first()
