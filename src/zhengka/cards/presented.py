"""Cards as they are shown at a place with rules: the row with all that a rule may ask of its holder, one at a time, and
for lists that gates hold, which cards of a status list fulfil conditions, all at once.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from zhengka.cards.models import Card, StatusPublication
from zhengka.cards.queries import AT_A_GATE
from zhengka.cards.workflow import BLOCKED, OUT_OF_LIFE
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.formats.presenting import MULTIPLE
from zhengka.formats.rulebook import Kind, Person, Who, born_by

AT_A_PLACE: Final = (*AT_A_GATE, "token", "holder__area", "holder__birth_date", "certificate__components")
IN_HAND: Final = ("issued", "active", *BLOCKED)
MOST_CONDITIONS: Final = 62
"""So many conditions are asked in one reading: each is a bit of one number."""
_ROW: Final = np.dtype([("fields", ">i2"), ("size", ">i4"), ("index", ">i4"), ("size2", ">i4"), ("bits", ">i8")])
_HEAD, _TAIL = 19, 2
"""Bytes before the first row and after the last one of a binary COPY without flags or extension."""

HOLDING: Final = """
COPY (
    SELECT found.status_index, found.bits FROM (
        SELECT k.status_index, {bits} AS bits FROM cards_card k
        JOIN registry_certificate c ON c.id = k.certificate_id JOIN registry_holder h ON h.id = k.holder_id
        WHERE k.status_list = %(list)s AND k.state <> ALL (%(out_of_life)s)
        OFFSET 0) found  -- so that conditions are asked once, not again by the filter
    WHERE found.bits > 0
) TO STDOUT (FORMAT binary)
"""
"""The twin of `formats.rulebook.who_holds` in SQL: of one status list, which cards fulfil which conditions."""


def by_token(token: bytes) -> Card:
    """The card that a signed credential names, wherever it belongs; `Refusal("not-found")`."""
    return _one(token=token)


def by_serial(serial: str) -> Card:
    """The card with this serial, wherever it belongs; `Refusal("not-found")`."""
    return _one(serial=serial)


def by_certificate(number: str) -> Card:
    """The card in its holder's hand of the certificate with this number, as `certnumber` writes it, be it blocked or
    not activated; `Refusal("not-found")`.
    """
    return _one(certificate__number_index=fields.index(number), state__in=IN_HAND)


def person(card: Card) -> Person:
    """What a rule may ask of the holder of a card that was read here."""
    certificate, holder = card.certificate, card.holder
    return Person(certificate.category, certificate.grade,
                  tuple((category, grade) for category, grade in certificate.components),
                  holder.area_id, holder.birth_date)


def shown_lists() -> list[int]:
    """The status lists that are published: of each, gates may ask which cards fulfil a condition."""
    return list(StatusPublication.objects.exclude(digest="").order_by("list_number").values_list(
        "list_number", flat=True).distinct())


def holding(list_number: int, conditions: Mapping[str, Who], on: date) -> dict[str, NDArray[np.int64]]:
    """The places in a status list of the cards whose holders fulfil each condition on a day, in order.

    Cards that are out of life are left out; all other states are told by the status list.
    """
    if len(conditions) > MOST_CONDITIONS:
        raise ValueError("too many conditions for one reading")
    bits, values = _bits(list(conditions.values()), on)
    values |= {"list": list_number, "out_of_life": list(OUT_OF_LIFE)}
    with connection.cursor() as cursor, cursor.cursor.copy(HOLDING.format(bits=bits), values) as copy:
        data = b"".join(copy)
    rows = np.frombuffer(data, dtype=_ROW, offset=_HEAD, count=(len(data) - _HEAD - _TAIL) // _ROW.itemsize)
    order = np.argsort(rows["index"])
    indexes, said = rows["index"][order].astype(np.int64), rows["bits"][order].astype(np.int64)
    return {name: indexes[said >> place & 1 == 1] for place, name in enumerate(conditions)}


def _one(**by: Any) -> Card:
    found = Card.objects.select_related("holder", "certificate", "area", "area__parent").only(*AT_A_PLACE).filter(**by)
    for card in found.order_by("-ordered_at", "-pk")[:1]:
        return card
    raise Refusal("not-found")


def _bits(conditions: list[Who], on: date) -> tuple[str, dict[str, Any]]:
    """An expression with a bit for each condition that is fulfilled on a day, and its values."""
    parts, values = [], dict[str, Any]()
    for place, who in enumerate(conditions):
        parts.append(f"CASE WHEN {_fulfils(who, on, f'w{place}', values)} THEN {1 << place}::bigint ELSE 0 END")
    return " + ".join(parts) or "0::bigint", values


def _fulfils(who: Who, on: date, name: str, values: dict[str, Any]) -> str:
    """The condition as SQL; what it compares with goes into `values`, under names that begin with `name`."""
    wanted = []
    if who.kinds:
        wanted.append(" OR ".join(_of_kind(who, kind, f"{name}k{place}", values)
                                  for place, kind in enumerate(who.kinds)))
    if who.areas:
        for place, (lo, hi) in enumerate(who.ranges):
            values |= {f"{name}lo{place}": lo, f"{name}hi{place}": hi}
        wanted.append(" OR ".join(f"h.area BETWEEN %({name}lo{place})s AND %({name}hi{place})s"
                                  for place in range(len(who.ranges))))
    if who.age_from:
        values[f"{name}from"] = born_by(who.age_from, on)
        wanted.append(f"h.birth_date <= %({name}from)s")
    if who.age_to:
        values[f"{name}to"] = born_by(who.age_to + 1, on)
        wanted.append(f"h.birth_date > %({name}to)s")
    return " AND ".join(f"({each})" for each in wanted) or "true"


def _of_kind(who: Who, kind: Kind, name: str, values: dict[str, Any]) -> str:
    """The certificate, or a part of a multiple one; the parts are JSON, which PostgreSQL spells `[[5, 3], [1, 2]]`."""
    values |= {f"{name}c": list(kind.categories), f"{name}g": list(kind.grades)}
    own = " AND ".join(f"{column} = ANY (%({name}{what})s)" for column, what, known in (
        ("c.category", "c", kind.categories), ("c.grade", "g", kind.grades)) if known)
    if not who.components:
        return own
    one_of = ["|".join(map(str, known)) or "[0-9]" for known in kind]
    values[f"{name}p"] = rf"\[({one_of[0]}), ({one_of[1]})\]"
    return f"{own} OR c.category = {MULTIPLE} AND c.components::text ~ %({name}p)s"
