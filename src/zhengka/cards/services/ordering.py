"""Cards are ordered, ordered again when spoiled, and given their numbers (订购, 补制, 编号)."""

import secrets
from collections.abc import Collection, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from django.db import IntegrityError, connection, transaction

from zhengka.cards import queries, rules
from zhengka.cards.models import Card
from zhengka.cards.workflow import IN_PRODUCTION, NOT_HERE
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Begun, begin, begin_many
from zhengka.formats import serial, statuslist
from zhengka.formats.credential import TOKEN_SIZE
from zhengka.formats.verdict import CHINA
from zhengka.keys import services as keys
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate

SPOILED = ("spoiled", "suspect", *NOT_HERE)
"""States of a card that is ordered again."""

ORDER_MANY = """
    INSERT INTO cards_card (id, province, area, state, version, holder_id, certificate_id, profile, reason,
                            replaces_id, hold_reason, ordered_at, issued_on, valid_until, face)
    SELECT province * 10000000000000 + nextval('cards_card_ids'), province, area, 'ordered', 1, holder_id,
           certificate_id, profile, reason, replaces_id, '', %(at)s, issued_on, valid_until, face
    FROM ({wanted}) wanted ORDER BY certificate_id
"""
FIRST_CARDS = """
SELECT c.province, c.area, c.holder_id, c.id AS certificate_id, %(profile)s::text AS profile,
       %(reason)s::text AS reason, NULL::bigint AS replaces_id, c.issued_on, c.valid_until, NULL::bytea AS face
FROM registry_certificate c
WHERE c.id = ANY(%(ids)s) AND c.state = 'valid' AND c.generation = 3 AND c.area BETWEEN %(lo)s AND %(hi)s
"""
CARDS_AGAIN = """
SELECT k.province, k.area, k.holder_id, k.certificate_id, k.profile, k.state AS reason, k.id AS replaces_id,
       k.issued_on, k.valid_until, k.face
FROM cards_card k JOIN registry_certificate c ON c.id = k.certificate_id AND c.state = 'valid'
WHERE k.id = ANY(%(ids)s) AND k.state = ANY(%(spoiled)s) AND k.area BETWEEN %(lo)s AND %(hi)s
  AND NOT EXISTS (SELECT FROM cards_card o WHERE o.replaces_id = k.id)
  AND NOT EXISTS (SELECT FROM cards_card o WHERE o.holder_id = k.holder_id AND o.state = ANY(%(on_its_way)s))
"""
TO_NUMBER = """
SELECT id, area, province, profile, issued_on, valid_until, serial, token, status_list, status_index FROM cards_card
WHERE id = ANY(%s) ORDER BY id FOR UPDATE
"""
NUMBERS_LOCK = 0xCA4D
"""Advisory lock: shared by all who draw numbers for cards, held alone by who leaves a range of them out."""
NEXT = "SELECT nextval('cards_serial_numbers'), nextval('cards_status_places') FROM generate_series(1, %s)"
ALLOT = """
UPDATE cards_card t SET serial = n.serial, token = n.token, status_list = n.list, status_index = n.place
FROM unnest(%(ids)s::bigint[], %(serials)s::text[], %(tokens)s::bytea[], %(lists)s::int[], %(places)s::int[])
     AS n (id, serial, token, list, place)
WHERE t.id = n.id
"""


class Numbered(NamedTuple):
    """A card that has its numbers, with what its credential says besides: no more of it is needed to make it."""

    pk: int
    area_id: int
    province: int
    profile: str
    issued_on: date | None
    valid_until: date | None
    serial: str
    token: bytes
    status_list: int
    status_index: int


@transaction.atomic
def order(certificate: Certificate, *, profile: str, reason: str, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Order a card for a third-generation certificate (订购). Called when a case was approved, and by nothing else.

    The card takes the certificate's dates, which its face and its credential show.
    `Refusal`: `not-permitted`, `certificate-not-valid`, `card-on-its-way`.
    """
    return _order(Card(profile=profile, reason=reason), certificate, by, request_id, at)


@transaction.atomic
def order_after(certificate: Certificate, until: date | None, *, reason: str, by: Actor, request_id: UUID,
                at: datetime) -> Card:
    """Order a card for a certificate that was given back (恢复), as `order` does, also for a frozen one, whose card is
    not made until it holds. `until`: the end of the term that was cut short, which the new card goes on with once it is
    activated; None: there was none.
    """
    policy = queries.policy(certificate.area_id, at.astimezone(CHINA).date())
    card = Card(profile=policy.profile, reason=reason, active_until=until)
    return _order(card, certificate, by, request_id, at, holds=("valid", "frozen"))


@transaction.atomic
def order_many(certificate_ids: Sequence[int], *, profile: str, reason: str, by: Actor, request_id: UUID,
               at: datetime) -> dict[int, int]:
    """Order cards for many certificates by one statement, as `order` does; certificate id → card id.

    Certificates that are not valid, or not in the actor's area, get none. `Refusal("card-on-its-way")`, and nothing
    done, where one of the holders has a card on its way.
    """
    if not by.may("case.approve"):
        raise Refusal("not-permitted", permission="case.approve")
    return _order_many(FIRST_CARDS, certificate_ids, "case.approve", by, request_id, at, profile=profile, reason=reason)


@transaction.atomic
def reorder(card: Card, *, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Order another card in place of a spoiled, suspect or missing one (补制): a new row and serial, the same
    certificate.

    `Refusal`: `not-permitted`, `not-found`, `card-not-spoiled`, `card-replaced`, `certificate-not-valid`,
    `card-on-its-way`.
    """
    if not by.may("card.order"):
        raise Refusal("not-permitted", permission="card.order")
    if not by.sees(card.area_id):
        raise Refusal("not-found")
    registry.hold([card.holder_id])
    card = Card.objects.select_for_update(of=("self",)).select_related("certificate").get(pk=card.pk)
    if card.state not in SPOILED:
        raise Refusal("card-not-spoiled", state=card.state)
    if card.certificate.state != "valid":
        raise Refusal("certificate-not-valid", state=card.certificate.state)
    new = Card(province=card.province, area_id=card.area_id, holder_id=card.holder_id, certificate=card.certificate,
               profile=card.profile, reason=card.state, replaces=card, ordered_at=at, issued_on=card.issued_on,
               valid_until=card.valid_until, face=card.face)
    return _begin(new, "card.order", by, request_id, at)


@transaction.atomic
def reorder_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> dict[int, int]:
    """Order other cards in place of many spoiled ones by one statement; spoiled card id → new card id.

    Cards that `reorder` would refuse are left alone, so a repeat orders none twice. The certificates are kept as they
    are from before the look at them: none is frozen or ended between it and the order.
    """
    if not by.may("card.order"):
        raise Refusal("not-permitted", permission="card.order")
    registry.hold(Card.objects.filter(pk__in=card_ids).values_list("holder_id", flat=True))
    return _order_many(CARDS_AGAIN, card_ids, "card.order", by, request_id, at, spoiled=list(SPOILED),
                       on_its_way=list(IN_PRODUCTION))


@transaction.atomic
def allot(ids: Sequence[int], *, at: datetime) -> list[Numbered]:
    """Give many cards their serial, token and place in a status list, once for ever; the cards in the order of `ids`.

    Cards that have their numbers keep them, so a batch that is prepared again makes no second set.
    """
    with connection.cursor() as cursor:
        cursor.execute(TO_NUMBER, [list(ids)])
        found = {row[0]: Numbered(*row) for row in cursor.fetchall()}
    bare = sorted((card for card in found.values() if card.serial is None), key=_kind_of_list)
    for _, cards in groupby(bare, key=_kind_of_list):
        found.update((card.pk, card) for card in _number(list(cards), at))
    return [found[pk] for pk in ids]


def _order(card: Card, certificate: Certificate, by: Actor, request_id: UUID, at: datetime, *,
           holds: Collection[str] = ("valid",)) -> Card:
    if not by.may("case.approve"):
        raise Refusal("not-permitted", permission="case.approve")
    if certificate.state not in holds or certificate.generation != 3:
        raise Refusal("certificate-not-valid", state=certificate.state)
    card.province, card.area_id, card.holder_id = certificate.province, certificate.area_id, certificate.holder_id
    card.certificate, card.ordered_at = certificate, at
    card.issued_on, card.valid_until = certificate.issued_on, certificate.valid_until
    return _begin(card, "case.approve", by, request_id, at)


def _begin(card: Card, right: str, by: Actor, request_id: UUID, at: datetime) -> Card:
    try:
        with transaction.atomic():
            return begin(card, "order", right, by=by, request_id=request_id, at=at, reason=card.reason,
                         profile=card.profile)
    except IntegrityError as broken:
        raise Refusal(_conflict(broken)) from None


def _order_many(wanted: str, ids: Sequence[int], right: str, by: Actor, request_id: UUID, at: datetime,
                **values: Any) -> dict[int, int]:
    rows = Begun(Card, ORDER_MANY.format(wanted=wanted), "ordered", {"ids": list(ids), **values},
                 also=", certificate_id, replaces_id, profile, reason", part="coalesce(replaces_id, certificate_id)",
                 told="jsonb_build_object('reason', reason, 'profile', profile)",
                 answer="SELECT coalesce(replaces_id, certificate_id), id FROM made")
    try:
        with transaction.atomic():
            return dict(begin_many(rows, "order", right, by=by, request_id=request_id, at=at))
    except IntegrityError as broken:
        raise Refusal(_conflict(broken)) from None


def _conflict(broken: IntegrityError) -> str:
    """The refusal that a broken promise of the card table means; everything else is a bug and stays one."""
    if "card_on_its_way_once" in str(broken):
        return "card-on-its-way"
    if "replaces_id" in str(broken):
        return "card-replaced"
    raise broken


def _kind_of_list(card: Numbered) -> tuple[int, str]:
    return card.province, card.profile


def _number(cards: list[Numbered], at: datetime) -> list[Numbered]:
    """Cards of one province and profile with numbers that were stored by one statement."""
    count, suite = len(cards), queries.profile(cards[0].profile).suite
    key = keys.status_index_key(cards[0].area_id, suite, at=at)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [NUMBERS_LOCK])
        cursor.execute(NEXT, [count])
        running, places = np.array(cursor.fetchall(), dtype=np.int64).T
        first, _ = rules.place(cards[0].province, suite, 0), rules.place(cards[0].province, suite, int(places.max()))
        lists, indexes = (column.tolist() for column in statuslist.indexes_for(first + places, key))
        serials = serial.make_each([f"{card.area_id // 10**6:06d}" for card in cards], running)
        drawn = secrets.token_bytes(count * TOKEN_SIZE)
        tokens = [drawn[start:start + TOKEN_SIZE] for start in range(0, len(drawn), TOKEN_SIZE)]
        cursor.execute(ALLOT, {"ids": [card.pk for card in cards], "serials": serials, "tokens": tokens,
                               "lists": lists, "places": indexes})
    return [Numbered(*card[:6], *numbers)
            for card, *numbers in zip(cards, serials, tokens, lists, indexes, strict=True)]
