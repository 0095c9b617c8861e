"""Plain functions that make people with cards to be shown at places, and the gate of an operator without a network."""

import datetime as dt
from collections.abc import Sequence

import builders
from builders import NOON
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.formats import credential, presenting, qr
from zhengka.formats.bundle import KEYS, MANIFEST, take
from zhengka.formats.credential import Credential
from zhengka.formats.issuers import KeySet
from zhengka.formats.presenting import Bundle
from zhengka.keys import services as keys
from zhengka.registry.models import Certificate, Holder

BASE = "http://127.0.0.1:8000"
MADE = dt.date(2026, 11, 10)
"""On this day, ten before noon, cards were made."""


def make_shown(category: int = 4, grade: int = 2, *, components: Sequence[tuple[int, int]] = (), area: int = 430104,
               born: dt.date = dt.date(1980, 6, 1), state: str = "active", suite: str = "SM") -> Card:
    """A finished card of a holder with this disability, age and residence; it was made ten days before noon."""
    unit = builders.make_area(area)
    keys.ensure(unit.code, suite, at=NOON - dt.timedelta(days=30))
    holder = builders.make_holder(area=unit)
    Holder.objects.filter(pk=holder.pk).update(birth_date=born)
    certificate = builders.make_certificate(holder, category=category, grade=grade, generation=3)
    Certificate.objects.filter(pk=certificate.pk).update(
        components=[list(part) for part in components], issued_on=MADE, valid_until=dt.date(2036, 11, 10))
    [card] = builders.with_numbers(builders.make_card(holder, state=state))
    return card


def code_of(card: Card, suite: str = "SM", issued: dt.date = MADE) -> str:
    """The text of the card's code."""
    signer = keys.signer("credential", card.area_id, suite, at=NOON)
    assert card.valid_until and card.status_list is not None and card.status_index is not None
    said = Credential(bytes(card.token or b""), issued, card.valid_until, card.status_list, card.status_index)
    [payload] = credential.encode_many([said], suite=suite, key_id=signer.key_id, sign_many=signer.sign_many)
    return qr.to_text(payload, BASE)


def gate_of(operator: str, at: dt.datetime = NOON) -> Bundle:
    """What a gate of the operator holds that fetched its bundle, whole and checked."""
    def fetch(name: str) -> bytes | None:
        path = cards.operator_folder(operator) / name if name == MANIFEST else cards.place_of(operator, name)
        return path.read_bytes() if path.exists() else None
    trusted = KeySet.from_json((cards.bundles.folder() / KEYS).read_text())
    return Bundle.of(take(fetch, trusted=trusted, at=at, bundle=operator))


def offline(card: Card, place: presenting.Place, *, at: dt.datetime = NOON) -> presenting.Answer:
    """What that gate answers to the card's code."""
    return presenting.present(presenting.Scanned(code_of(card)), bundle=gate_of(place.operator, at), place=place, at=at)
