"""The short way of an online check (联机核验), which is asked most of all: one question to the database, and nothing of
a person is read.
"""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from zhengka.cards import queries as cards
from zhengka.cards.models import Card
from zhengka.core.actors import WHOLE_NATION
from zhengka.core.scope import enter
from zhengka.formats import credential, qr, verdict
from zhengka.formats.credential import BadCredential, Sealed
from zhengka.formats.qr import BadQr
from zhengka.gates import rules
from zhengka.gates.services import counting
from zhengka.gates.services.tally import TALLY, Counted
from zhengka.keys import queries as keys

_SHOWN = "SELECT * FROM gates_shown(%s, %s)"


class Told(NamedTuple):
    """The verdict on a presented code, a key of `rules.ONLINE`; `reason` says more of a code that is none of ours.
    `identity`: the card proves that its holder is certified, whatever services it gives. Days are inclusive.
    """

    verdict: str
    reason: str = ""
    identity: bool = False
    issued_on: date | None = None
    valid_until: date | None = None
    active_until: date | None = None
    area: int | None = None
    card: int | None = None


def verify(text: str, *, at: datetime) -> Told:
    """Decide as `check` does on the text of a code, or its digits, and count it; nothing is told of the face.

    Costs the same whatever the size of the register. A card's use may be its activation where its region says so.
    Outside a transaction each of its statements is one of its own, and the count is written within a second.
    """
    told = _decide(text, at)
    TALLY.add(Counted(at, "api", told.verdict, told.area))
    if told.verdict == "valid" and told.area is not None and told.card is not None:
        _note_use(told.card, told.area, at)
    return told


def _decide(text: str, at: datetime) -> Told:
    try:
        sealed = credential.decode(qr.from_text(text, settings.CODE_HOSTS))
    except (BadQr, BadCredential) as bad:
        return Told("not-our-code", bad.code)
    row = _shown(sealed)
    of = verdict.decide_sealed(sealed, keys=keys.of_row(row[:6]), lists={}, at=at, max_age=timedelta())
    if of.credential is None:
        return Told(of.code)
    return _by_row(of.code, row[6:], at)


def _shown(sealed: Sealed) -> tuple[Any, ...]:
    """The row of key and card. The question itself shows whether the connection is alive, so none is asked before."""
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return _ask(sealed)
    except (InterfaceError, OperationalError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return _ask(sealed)


def _ask(sealed: Sealed) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_SHOWN, [sealed.key_id, sealed.credential.token])
        row: tuple[Any, ...] = cursor.fetchone()
    return row


def _by_row(by_dates: str, row: tuple[Any, ...], at: datetime) -> Told:
    """What the register says of a genuine code."""
    card, area, state, certificate, issued_on, valid_until, active_until = row
    if card is None:
        return Told("card-unknown")
    code = cards.standing(state, certificate, (active_until, valid_until), area, at)
    if code == "valid" and by_dates in rules.BY_DATES:
        code = by_dates
    proves = code in rules.PROVING and certificate == "valid"
    return Told(code, "", proves, issued_on, valid_until, active_until, area, card)


def _note_use(card_id: int, area: int, at: datetime) -> None:
    rule = cards.policy(area, at.astimezone(verdict.CHINA).date()).activation
    if "use" not in rule.channels:
        return
    with transaction.atomic():
        enter(connection, *WHOLE_NATION)  # any card of the nation may be shown
        card = Card.objects.select_related("holder").get(pk=card_id)
        counting.note_use(card, at)
