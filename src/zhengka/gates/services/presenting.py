"""A card is shown at a place with a network: the gate's own lines, with the register's row in place of its lists."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings

from zhengka.cards import presented
from zhengka.cards import queries as cards
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.formats import certnumber, qr, rulebook, serial, verdict
from zhengka.formats.certnumber import BadCertNumber
from zhengka.formats.judging import Used
from zhengka.formats.presenting import PROOF_OF, Answer, Asking, Looked, Place, Shown, Tapped, Typed
from zhengka.formats.serial import BadSerial
from zhengka.gates.queries import operator
from zhengka.keys import queries as keys


class Presented(NamedTuple):
    """An answer, and the card that it is about, where one was found: its row is not for the operator."""

    answer: Answer
    card: Card | None = None


def present_online(shown: Shown, place: Place, *, at: datetime, used: Mapping[str, Used] | None = None) -> Presented:
    """What a card that is shown gives at a place at this very moment; `used`: how often its holder used each rule.

    Costs the same whatever the size of the register. `Refusal("operator-unknown")`.
    """
    asking = Asking(operator(place.operator).book, place, at, PROOF_OF[type(shown)], used or {})
    if not asking.known:
        return Presented(asking.answer("not-our-place"))
    if isinstance(shown, Looked):
        answer = asking.looked(shown)  # of a face the register knows no more: what can be read tells what is missing
        return Presented(asking.answer("other-way") if answer.code == "ask-online" else answer)
    if isinstance(shown, Typed):
        return _typed(asking, shown)
    return _tapped(asking, shown) if isinstance(shown, Tapped) else _scanned(asking, shown.text)


def _scanned(asking: Asking, text: str) -> Presented:
    told = verdict.decide(text, keys=keys.key_set(), lists={}, at=asking.at, max_age=timedelta(),
                          hosts=settings.CODE_HOSTS)
    if told.credential is None:
        return Presented(asking.answer(told.code, reason=told.reason))
    token = told.credential.token
    found = _find(lambda: presented.by_token(token))
    if found is None:
        return Presented(asking.answer("card-unknown"))
    return _on(asking, found, by_dates=told.code if told.code in ("expired", "not-yet-valid") else "valid")


def _tapped(asking: Asking, shown: Tapped) -> Presented:
    """A chip that proved itself is its serial's card, whatever else was read of it."""
    if not shown.proven:
        return Presented(asking.answer("not-authentic"))
    if "credential" in shown.fields:
        return _scanned(asking, qr.to_digits(shown.fields["credential"][: qr.LONGEST_PAYLOAD + 1]))
    found = _find(lambda: presented.by_serial(shown.fields.get("serial", "")))
    return _on(asking, found) if found else Presented(asking.answer("card-unknown"))


def _typed(asking: Asking, shown: Typed) -> Presented:
    """A number: only where a rule of the place lets numbers be typed is the register asked at all, so that nobody
    learns elsewhere by trying numbers who has a certificate.
    """
    before = asking.typed(shown)
    if before.code != "ask-online":
        return Presented(before)
    found = None
    with suppress(BadSerial):
        text = str(serial.parse(shown.number))
        found = _find(lambda: presented.by_serial(text))
    with suppress(BadCertNumber):
        number = str(certnumber.parse(shown.number))
        found = found or _find(lambda: presented.by_certificate(number))
    return _on(asking, found) if found else Presented(asking.answer("card-unknown"))


def _find(find: Callable[[], Card]) -> Card | None:
    with suppress(Refusal):
        return find()
    return None


def _on(asking: Asking, card: Card, *, by_dates: str = "valid") -> Presented:
    """The answer on a card of the register: its row as it is now, then the rules."""
    standing, person = cards.gate_state(card, asking.at), presented.person(card)
    told = by_dates if standing == "valid" else standing
    lapsed = told if told in ("not-activated", "activation-lapsed") else ""
    answer = asking.of_card("inactive" if lapsed else told, bytes(card.token or b""),
                            lambda who: rulebook.who_holds(who, person, asking.today))
    return Presented(answer.but(lapsed) if answer.code == "inactive" else answer, card)
