"""How many cards stand under each key version, and which security modules have it: a key is retired with knowledge."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from django.db import connection, transaction
from django.db.models import Count, Q

from zhengka.cards.models import Card, KeyGroup
from zhengka.cards.workflow import OUT_OF_LIFE
from zhengka.core.actors import Actor
from zhengka.core.scope import seeing_all
from zhengka.devices.models import Psam
from zhengka.devices.queries import modules
from zhengka.formats.chip.psam import MODULE_KEYS
from zhengka.keys import rules
from zhengka.keys.models import Key

BEING_MADE: Final = ("prepared", "sent")
"""States of a card whose chip has not yet all its keys: what depends on the keys of blank chips."""
UNKNOWN: Final = Q(key_group=None, credential__isnull=False)
"""Cards that were made before cards named their key versions."""


@dataclass
class Use:
    """What depends on one key version: cards by their state, and modules that are neither recalled nor lost."""

    cards: Counter[str] = field(default_factory=Counter)
    modules: int = 0


def uses(actor: Actor) -> dict[int, Use]:
    """Row id of each key version → its use, over the cards and modules of the actor's area.

    A module that is a chip has the versions that it noted when it was made, by their check values. One in the key store
    draws from the tree, whatever it noted: it has the versions that work or are in their overlap.
    """
    found = defaultdict[int, Use](Use)
    groups = dict(KeyGroup.objects.values_list("pk", "keys"))
    for group, state, number in _counted(actor, Q(key_group__isnull=False)):
        for key in groups[group]:
            found[key].cards[state] += number
    masters = list(Key.objects.filter(purpose=rules.CARD_MASTER))
    for module in modules(actor=actor).exclude(state__in=("issued", "recalled", "lost")):
        for master in masters:
            if _has(module, master):
                found[master.pk].modules += 1
    return dict(found)


def _has(module: Psam, key: Key) -> bool:
    """Whether a module answers by this master."""
    if module.suite != key.suite:
        return False
    if module.form == "chip":
        return f"{key.slot}.{key.number}={key.check_value}" in module.check_value.split()
    return (key.slot in MODULE_KEYS and key.area == rules.province(module.area_id)
            and key.state in ("active", "retiring"))


def unknown(actor: Actor) -> int:
    """Cards in use that were made before cards named their key versions: they may be under any version."""
    return sum(number for _, state, number in _counted(actor, UNKNOWN)
               if state not in OUT_OF_LIFE)


def needed(key: Key) -> int:
    """How many cards need a key version to go on, wherever their holders took them: those in use of a master of cards'
    keys, those that are being made of the keys of blank chips, and none of a signing key, for what it signed stays
    good. A card that was made before cards named their versions needs every master of the province that made it.

    A move changes a card's office and not its keys, so this looks beyond the area of who asks, and tells a number.
    """
    if key.purpose not in rules.MASTERS:
        return 0
    cards = Card.objects.filter(key_group__in=KeyGroup.objects.filter(keys__contains=[key.pk]))
    with transaction.atomic(), seeing_all(connection):
        if key.purpose != rules.CARD_MASTER:
            return cards.filter(state__in=BEING_MADE).count()
        made_there = Card.objects.filter(UNKNOWN)
        if key.area != rules.NATION:
            made_there = made_there.filter(serial__startswith=f"{key.area // 10**10:02d}")
        return sum(found.exclude(state__in=OUT_OF_LIFE).count() for found in (cards, made_there))


def _counted(actor: Actor, which: Q) -> list[tuple[int, str, int]]:
    found = Card.objects.filter(which, area__code__range=(actor.lo, actor.hi)).values_list("key_group", "state")
    return list(found.annotate(n=Count("pk")).order_by("key_group", "state"))
