"""What the chip of an issued card is still to be told (卡内更新), and the receipts that chips gave for it.

The moment in which a card is activated, lost or found makes it due: what its chip should say is the card's own row, and
what it does say is the last order for which it vouched. New data, and new files and keys, are asked for by an officer.
A reader to which the card comes asks for the next order.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from zhengka.cards import queries
from zhengka.cards.models import ASKED, Card, ChipOrder, KeyGroup
from zhengka.cards.services.groups import key_group
from zhengka.core import fields
from zhengka.core.actors import SYSTEM, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, lock, perform, replayed, sub
from zhengka.formats import chip
from zhengka.formats.chip import applying, orders
from zhengka.formats.chip.layout import PIN_UNLOCK
from zhengka.formats.verdict import CHINA
from zhengka.keys import queries as keys_known
from zhengka.keys import services as keys

ORDERING: Final = "card.activate"
FACE: Final = "card.face"
"""As which what a face says besides the record is sealed (`production` writes it)."""


@dataclass(frozen=True)
class ChipWork:
    """An order as a reader carries it out (`applying.apply`): it holds the card's keys, and is kept nowhere."""

    profile: chip.Profile
    order: orders.Order
    keys: applying.CardKeys


@transaction.atomic
def next_chip_order(card: Card, *, by: Actor, request_id: UUID, at: datetime) -> ChipOrder | None:
    """What the chip of the card that lies on a reader is to be told next; None where it says all that it should.

    An order that was given out and not vouched for is given out again: whether the chip took it nobody knows, and a
    repeat is harmless. One that no longer holds is superseded. `Refusal`: `not-permitted`, `not-found`.
    """
    (card,) = lock(card)
    _may_order(card, by)
    due = queries.chip_due(card)
    for row in due.over:
        perform(row, "supersede", by=SYSTEM, request_id=sub(request_id, row.pk), at=at)
    if due.given is not None or not due.what:
        return due.given
    return _ask(_row(card, due.what, at, until=due.until), by=by, request_id=request_id)


@transaction.atomic
def ask_chip(card: Card, what: str, *, by: Actor, request_id: UUID, at: datetime) -> ChipOrder:
    """Let the next reader tell the chip its data anew (`update`, 数据更新), unblock its PINs (`pin`, 口令解锁), or load
    new files and keys (`upgrade`, 规格升级): those of the profile that the area's policy names now, where a finished
    card can become one of it, and of its own profile otherwise; keys in the version that works by then.

    What is asked for already and not done is given back. `Refusal`: `not-permitted`, `not-found`, `step-not-open`,
    `chip-cannot-take`.
    """
    if event := replayed(request_id, ChipOrder.kind()):
        raise Replayed(event)
    (card,) = lock(card)
    _may_order(card, by)
    if what not in ASKED or card.state not in queries.CHIP_IN_USE:
        raise Refusal("step-not-open", state=card.state, action=what)
    if row := ChipOrder.objects.filter(card=card, what=what, state="ordered").first():
        return row
    profile = _newest(card, at) if what == "upgrade" else ""
    row = _ask(_row(card, what, at, profile=profile), by=by, request_id=request_id)
    try:
        chip_plan(row, at=at)
    except (orders.OrderBroken, chip.RecordBroken) as broken:
        raise Refusal("chip-cannot-take", why=str(broken)) from None
    return row


def chip_work(row: ChipOrder, *, at: datetime) -> ChipWork:
    """An order with the keys of its card, drawn now. `Refusal`: those of the key store; `profile-missing`."""
    profile, order = chip_plan(row, at=at)
    return ChipWork(profile, order, chip_keys(profile, order.serial, at=at))


def chip_plan(row: ChipOrder, *, at: datetime) -> tuple[chip.Profile, orders.Order]:
    """What an order does, and the profile that its card has then: no key yet. `Refusal`: `profile-missing`."""
    card = row.card
    profile, serial = queries.profile(card.profile), card.serial or ""
    record: dict[str, Any] = {"serial": serial, "issued": card.issued_on, "valid_until": card.valid_until}
    if row.what == "activate" and row.until is not None:
        record |= {orders.TERM: row.until}
        order = orders.activate(profile, row.pk, record, row.until)
    elif row.what == "update":
        record |= _whole(card)
        order = orders.update(profile, row.pk, record)
    elif row.what == "pin":
        order = orders.pin(profile, row.pk, serial)
    elif row.what == "upgrade":
        record |= _whole(card)
        old, profile = _of_any_version(profile), _of_working_keys(queries.profile(row.profile), card, at)
        order = orders.upgrade(old, profile, row.pk, record)
    else:
        order = orders.block(profile, row.pk, serial, locked=row.what == "block")
    if found := chip.lint_order(profile, order, record):
        raise ValueError(f"an order that says something wrong: {found[0].code} {found[0].where}")
    return profile, order


def chip_keys(profile: chip.Profile, serial: str, *, at: datetime) -> applying.CardKeys:
    """All keys of one card by reference and version, of every version that reads now (轮换过渡期); in memory only."""
    own: dict[int, dict[str, list[bytes]]] = {}
    for key in profile.keys:
        read = keys.reading_keys(serial[:6], profile.suite, key.purpose, serial, at=at)
        for version, value in read.items():
            own.setdefault(version, {})[key.purpose] = [value]
    found: dict[tuple[str, int], bytes] = {}
    for version, by_purpose in own.items():
        drawn = chip.application_keys(profile, by_purpose)
        found |= {(name, version): value for name, [value] in drawn.items()}
    return applying.CardKeys(profile.suite, found)


@transaction.atomic
def record_receipt(row: ChipOrder, receipts: bytes, *, by: Actor, request_id: UUID, at: datetime) -> ChipOrder:
    """Note that the chip vouched for an order (`applying.spell`); `Refusal("chip-not-vouched")` where it did not: for
    another order, another card, another content, or with another key. A card that was upgraded is one of its new
    profile from now on.
    """
    (card,) = lock(row.card)
    row.card = card
    todo = chip_work(row, at=at)
    try:
        told = applying.read(receipts)
        good = applying.all_vouched(todo.profile, todo.order, told, todo.keys)
    except (ValueError, KeyError):
        good = False
    if not good:
        raise Refusal("chip-not-vouched", order=row.pk)
    facts = {"what": row.what} | ({"profile": row.profile, "was": card.profile} if row.profile else {})
    row = perform(row, "apply", {"receipt": receipts, "applied_at": at}, by=by, request_id=request_id, at=at, **facts)
    if row.profile:
        Card.objects.filter(pk=card.pk).update(profile=row.profile, key_group=_group_now(card, todo.profile, at))
    return row


def one_time_pins(row: ChipOrder, *, at: datetime) -> tuple[str, ...]:
    """What the PINs of a card were made by an order for which its chip vouched, drawn anew from the card's keys: they
    are kept nowhere. None for another order, and where those keys do not read any more.
    """
    if row.what != "pin" or row.receipt is None:
        return ()
    work, found = chip_work(row, at=at), []
    applications = {each.id: each for each in work.profile.applications}
    for told in applying.read(bytes(row.receipt)):
        each = applications[told.application]
        name, slot = chip.reference(work.profile, each, PIN_UNLOCK), each.slot(PIN_UNLOCK)
        found.append(work.keys.one_time_pin(name, dict(told.versions)[slot], row.pk))
    return tuple(found)


def supersede_all(card: Card, *, request_id: UUID, at: datetime) -> None:
    """Take back what a card's chip was to be told, for the card goes to another office; there it is asked for anew."""
    for row in ChipOrder.objects.filter(card=card, state="ordered"):
        perform(row, "supersede", by=SYSTEM, request_id=sub(request_id, row.pk), at=at)


def _may_order(card: Card, by: Actor) -> None:
    if not by.sees(card.area_id):
        raise Refusal("not-found")
    if not by.may(ORDERING):
        raise Refusal("not-permitted", permission=ORDERING)


def _row(card: Card, what: str, at: datetime, *, until: date | None = None, profile: str = "") -> ChipOrder:
    return ChipOrder(province=card.province, area_id=card.area_id, card=card, what=what, until=until, profile=profile,
                     ordered_at=at)


def _ask(row: ChipOrder, *, by: Actor, request_id: UUID) -> ChipOrder:
    return begin(row, "ask", ORDERING, by=by, request_id=request_id, at=row.ordered_at, what=row.what,
                 until=row.until.isoformat() if row.until else "")


def _newest(card: Card, at: datetime) -> str:
    """The profile to which a finished card can be brought: its area's, if that differs in what can come later only."""
    named = queries.policy(card.area_id, at.astimezone(CHINA).date()).profile
    old = _of_any_version(queries.profile(card.profile))
    record = {"serial": card.serial, "issued": card.issued_on, "valid_until": card.valid_until} | _whole(card)
    try:
        orders.upgrade(old, queries.profile(named), 1, record)
    except (orders.OrderBroken, chip.RecordBroken):
        return card.profile
    return named


def _of_any_version(profile: chip.Profile) -> chip.Profile:
    """The profile of cards of which it is not known which versions of their keys they have; the chip knows."""
    return profile.with_versions({key.purpose: 0 for key in profile.keys})


def _of_working_keys(profile: chip.Profile, card: Card, at: datetime) -> chip.Profile:
    """The profile with the numbers of the masters that work now."""
    return profile.with_versions({key.purpose: keys_known.working(
        "card_master", card.area_id, profile.suite, slot=key.purpose, at=at).number for key in profile.keys})


def _group_now(card: Card, profile: chip.Profile, at: datetime) -> KeyGroup:
    """The key versions of a card that was upgraded: the masters that work, and the key that once signed its code."""
    masters = [keys_known.working("card_master", card.area_id, profile.suite, slot=key.purpose, at=at).pk
               for key in profile.keys]
    return key_group([*masters, *keys_known.signing(card.key_group.keys if card.key_group else ())])


def _name(card: Card) -> str:
    """The name for the chip: the record's, or the shorter one that the face says, as long as it stands for the same."""
    told = json.loads(fields.open_(bytes(card.face), FACE)) if card.face else {}
    whole = card.holder.name
    return str(told["printed"]) if told.get("printed") and told.get("whole") == whole else whole


def _whole(card: Card) -> dict[str, Any]:
    """What else the files of a chip say, as record and face say it now; in clear, in memory only."""
    certificate = card.certificate
    return {
        "issuer": f"{card.area_id:012d}", "name": _name(card), "category": certificate.category,
        "grade": certificate.grade, "number": fields.open_(bytes(certificate.number), "certificate.number"),
        "credential": bytes(card.credential or b""), orders.TERM: card.active_until or card.issued_on}
