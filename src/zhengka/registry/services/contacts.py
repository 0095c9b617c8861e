"""How a person is reached, and who answers for them: what a record says of it, and what they say at the counter."""

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from zhengka.areas.calendars import is_minor
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.events import Many, perform, perform_many
from zhengka.formats.certnumber import GUARDED
from zhengka.letters.rules import Recipient, as_guardian, check_wishes, wishing
from zhengka.registry.models import IN_FORCE, Certificate, Holder


@dataclass(frozen=True)
class Contacts:
    """What somebody said of how a person is reached (联系方式); empty is what was not said."""

    phone: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    guardian_name: str = field(default="", repr=False)
    guardian_phone: str = field(default="", repr=False)
    wishes: str = field(default="", repr=False)
    """Some of `letters.rules.WISHES`, with spaces between."""


COLUMNS: Final = ("phone", "address", "guardian", "wishes")
"""Columns of a record that say how a person is reached, each sealed."""


def kept(said: Contacts) -> dict[str, bytes | None]:
    """What was said as a new record keeps it."""
    guardian = {"name": said.guardian_name, "phone": said.guardian_phone}
    texts = {"phone": said.phone, "address": said.address,
             "guardian": json.dumps(guardian, ensure_ascii=False) if any(guardian.values()) else "",
             "wishes": " ".join(check_wishes(said.wishes.split()))}
    return {name: sealed(text, name) for name, text in texts.items()}


@transaction.atomic
def keep_contacts(said: Mapping[int, Contacts], *, by: Actor, request_id: UUID, at: datetime) -> None:
    """Keep what people said at the counter in their records (更新联系方式), by one statement. `said`: row id of a
    holder → what was said. What was not said stays; what stood there before stays sealed in the event.

    Records that are closed, outside the actor's area, or say the same already are left alone, so a repeat does nothing.
    `Refusal`: `not-permitted`, `wish-unknown`.
    """
    rows = Holder.objects.filter(pk__in=said, state="registered").select_for_update(of=("self",)).order_by("pk")
    holders = list(rows)
    changes = zip(holders, anew(holders, [said[holder.pk] for holder in holders]), strict=True)
    changed = [(holder.pk, new, stood) for holder, (new, stood) in changes if new]
    if not changed:
        return
    ids, its = [pk for pk, *_ in changed], "[array_position(%(who)s::bigint[], t.id)]"
    columns = {name: [new.get(name) for _, new, _ in changed] for name in COLUMNS}
    values = {**columns, "who": ids, "stood": [as_it_stood(**stood) for *_, stood in changed]}
    also = "".join(f", {name} = coalesce((%({name})s::bytea[]){its}, t.{name})" for name in COLUMNS)
    perform_many(Many(Holder, ids, "registered", also=also, values=values,
                      told=f"jsonb_build_object('was', (%(stood)s::text[]){its})"),
                 "reach", by=by, request_id=request_id, at=at)


def anew(holders: Sequence[Holder], said: Sequence[Contacts]) -> list[tuple[dict[str, bytes | None], dict[str, str]]]:
    """The columns of these records that become others by what was said, sealed, and what stood in them, in clear."""
    stood = zip(*(_column([getattr(holder, name) for holder in holders], f"holder.{name}") for name in COLUMNS),
                strict=True)
    found = []
    for each, had in zip(said, (dict(zip(COLUMNS, texts, strict=True)) for texts in stood), strict=True):
        new = {"phone": each.phone.strip(), "address": each.address.strip(),
               "guardian": _guardian(each, had["guardian"]), "wishes": " ".join(check_wishes(each.wishes.split()))}
        changed = {name: text for name, text in new.items() if text and text != had[name]}
        found.append(({name: sealed(text, name) for name, text in changed.items()},
                      {name: had[name] for name in changed}))
    return found


def _guardian(said: Contacts, had: str) -> str:
    """The guardian as the record says it from now on; empty where it says it already, or nobody was named."""
    known = json.loads(had or "{}")
    name, phone = said.guardian_name.strip(), said.guardian_phone.strip()
    if not name or (name == known.get("name", "") and phone in ("", known.get("phone", ""))):
        return ""
    return json.dumps({"name": name, "phone": phone}, ensure_ascii=False)


@transaction.atomic
def wish(holder: Holder, wishes: Collection[str], *, by: Actor, request_id: UUID, at: datetime) -> Holder:
    """Write down how a holder asks to be written to (告知方式): some of `letters.rules.WISHES`, none for a message
    alone where there is a phone. The event does not say which: a wish for Braille tells of the person.

    `Refusal`: `wish-unknown`, `not-found`, `not-permitted`, `step-not-open`. Raises `Replayed` for a repeat.
    """
    text = " ".join(check_wishes(wishes))
    return perform(holder, "wish", {"wishes": sealed(text, "wishes")}, by=by, request_id=request_id, at=at)


def wishes_of(holders: Sequence[Holder]) -> list[tuple[str, ...]]:
    """How each of these holders asks to be written to: some of `letters.rules.WISHES`; never for a page."""
    return [tuple(text.split()) for text in _column([holder.wishes for holder in holders], "holder.wishes")]


def reached(holder: Holder) -> tuple[str, str]:
    """Phone and address of a holder in clear, for what the platform itself sends them; never for a page."""
    return reached_many([holder])[0]


def reached_many(holders: Sequence[Holder]) -> list[tuple[str, str]]:
    """The same of many holders, opened as two columns."""
    return list(zip(_column([holder.phone for holder in holders], "holder.phone"),
                    _column([holder.address for holder in holders], "holder.address"), strict=True))


def guardian_of(holder: Holder) -> tuple[str, str, str]:
    """Name, ID number and phone of a holder's guardian as the record has them, empty where it has none: for whom the
    platform writes to, and the office of the record. No record keeps the number.
    """
    known = json.loads(clear(holder.guardian, "holder.guardian") or "{}")
    return known.get("name", ""), "", known.get("phone", "")


def name_guardian(holder: Holder, name: str, phone: str, *, by: Actor, request_id: UUID, at: datetime) -> Holder:
    """Who answers for a holder from now on (登记监护人); the event keeps what stood there, sealed."""
    said = json.dumps({"name": name, "phone": phone}, ensure_ascii=False)
    return perform(holder, "name_guardian", {"guardian": sealed(said, "guardian")}, by=by, request_id=request_id,
                   at=at, was=as_it_stood(guardian=clear(holder.guardian, "holder.guardian")))


def written_to_many(
        holders: Sequence[Holder], cared_for: Mapping[int, tuple[str, str]] | None = None) -> list[Recipient]:
    """To whom a letter about each of these holders goes today, and how they wish it: to the guardian where one is named
    for a minor, for who is certified in 智力 or 精神 (also as a part of 多重), and for those of `cared_for`: row id →
    name and phone of the guardian, where the name is not empty, for then it is the record's.
    """
    told, today = cared_for or {}, timezone.localdate()
    named = {holder.pk: holder.guardian for holder in holders if holder.guardian}
    cared = named.keys() & {pk for pk, (name, _) in told.items() if not name}
    cared |= {holder.pk for holder in holders if holder.pk in named and is_minor(holder.birth_date, today)}
    cared |= _certified_so(named.keys() - cared - told.keys())
    known = map(json.loads, _column([named[pk] for pk in cared], "holder.guardian"))
    guardians = {pk: (one.get("name", ""), one.get("phone", "")) for pk, one in zip(cared, known, strict=True)}
    guardians |= {pk: guardian for pk, guardian in told.items() if guardian[0]}
    return [in_care(wishing(Recipient(holder.name, *reach), wishes), *guardians.get(holder.pk, ("", "")))
            for holder, reach, wishes in zip(holders, reached_many(holders), wishes_of(holders), strict=True)]


def _certified_so(holders: Collection[int]) -> set[int]:
    """Those of the holders (row ids) whose certificate in force, or else the last that was cancelled, names 智力 or
    精神.
    """
    if not holders:
        return set()
    last: dict[int, tuple[bool, set[int]]] = {}
    for holder, category, components, state in Certificate.objects.filter(
            holder__in=holders, state__in=(*IN_FORCE, "cancelled")).order_by("pk").values_list(
                "holder_id", "category", "components", "state"):
        found = state in IN_FORCE, {category, *(part[0] for part in components)}
        if found[0] or not last.get(holder, found)[0]:
            last[holder] = found
    return {holder for holder, (_, categories) in last.items() if categories & GUARDED}


def in_care(to: Recipient, guardian: str, phone: str) -> Recipient:
    """Whom a letter goes to: the person, or the guardian where one is named, at the person's address."""
    if not guardian.strip():
        return to
    return to._replace(name=as_guardian(guardian, to.name, to.language), phone=phone)


def as_it_stood(**stood: str) -> str:
    """What stood in a record before it was changed, sealed for the event."""
    return base64.b64encode(fields.close(json.dumps(stood, ensure_ascii=False), "event.was")).decode()


def sealed(text: str, name: str) -> bytes | None:
    """A text as the column `name` of a record keeps it; None for an empty one."""
    return fields.close(text, f"holder.{name}") if text else None


def clear(kept: bytes | memoryview | None, name: str) -> str:
    """What was sealed under a name, empty where nothing is kept."""
    return _column([kept], name)[0]


def _column(kept: Sequence[bytes | memoryview | None], name: str) -> list[str]:
    """A column in clear; empty where nothing is kept."""
    opened = iter(fields.open_many([bytes(one) for one in kept if one is not None], name))
    return ["" if one is None else next(opened) for one in kept]
