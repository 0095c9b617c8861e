"""What depends on each key version: cards by what they are, and security modules, as a chart, a table and facts."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from zhengka.cards import key_use
from zhengka.core.actors import Actor
from zhengka.keys import rules
from zhengka.keys.models import Key
from zhengka.web.staff.words import KEY_PURPOSE_WORDS, KEY_SLOT_WORDS
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

GROUPS: dict[Text, tuple[str, ...]] = {
    _("Being made"): key_use.BEING_MADE, _("At the counter"): ("arrived", "ready", "issued"), _("In use"): ("active",),
    _("Blocked for a time"): ("suspended", "frozen"),
    _("Ended"): ("spoiled", "suspect", "missing", "cancelled", "destroyed", "lost")}
"""Words → states of cards that name a key version; complete, as a test holds."""


def name(key: Key) -> str:
    """What a key is for, in words."""
    purpose = str(KEY_PURPOSE_WORDS.get(key.purpose, key.purpose))
    return f"{purpose} · {KEY_SLOT_WORDS.get(key.slot, key.slot)}" if key.slot else purpose


def use_part(keys: Sequence[Key], actor: Actor) -> dict[str, Any]:
    """Chart and table of the versions on which a card or a module rests; nothing where there is none."""
    found, unknown = key_use.uses(actor), key_use.unknown(actor)
    shown = [(key, found[key.pk]) for key in keys if key.pk in found]
    columns = [Column(_("Key version")), Column(_("State")), *(Column(word, numeric=True) for word in GROUPS),
               Column(_("Security modules"), numeric=True)]
    table = Table(_("Cards and security modules under each key version"), columns, [
        Row([Cell(_version(key), href=reverse("staff:key", args=[key.pk])), Cell(words.look("key", key.state)[1]),
             *_numbers(use.cards), use.modules]) for key, use in shown])
    return {"use": table if shown else None, "use_unknown": unknown, "use_series": list(GROUPS),
            "use_chart": [(_version(key), _numbers(use.cards)) for key, use in shown if use.cards]}


def use_facts(key: Key, actor: Actor, needed: int) -> list[Fact]:
    """The same of one version, and how many cards of all provinces need it."""
    use = key_use.uses(actor).get(key.pk, key_use.Use())
    if not (use.cards or use.modules or needed):
        return []
    told = " · ".join(f"{word} {number}" for word, number in zip(GROUPS, _numbers(use.cards), strict=True) if number)
    facts = [Fact(_("Cards under it"), told or "0"), Fact(_("Security modules with it"), use.modules)]
    return [*facts, Fact(_("Cards that need it, in all provinces"), needed)] if key.purpose in rules.MASTERS else facts


def _version(key: Key) -> str:
    return gettext("%(name)s, version %(number)s (%(suite)s)") % {
        "name": name(key), "number": key.number, "suite": key.suite}


def _numbers(cards: Mapping[str, int]) -> list[int]:
    return [sum(cards.get(state, 0) for state in states) for states in GROUPS.values()]
