"""A file of those who are known to be alive, from the police or a hospital, activates their cards (数据比对)."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import BinaryIO, Final
from uuid import UUID

from zhengka.areas.models import Area
from zhengka.bulk import services as bulk
from zhengka.bulk.models import Act
from zhengka.bulk.services import Asked, Clock, Group
from zhengka.cards.models import Card
from zhengka.cards.services.activation import facts_of, renew_many
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.formats import idnumber
from zhengka.registry.models import Holder

GROUP: Final = 2_000
MOST_BYTES: Final = 32 << 20
"""A million lines of one number each."""

TASK: Final = "cards.match_alive"
_CELLS: Final = re.compile(r"[,;\t]")
_HEADING: Final = re.compile("号|姓名|证件|卡|number|serial|name|card|^id$", re.IGNORECASE)
"""What a column of numbers may be called."""
_SERIAL: Final = re.compile(r"\d{16}")


def ask_match(upload: BinaryIO, area: Area, *, source: str, by: Actor, request_id: UUID, at: datetime) -> Act:
    """Take in a text file, in each line first a person's ID number or a card's serial, and let the worker activate the
    cards of those in the area whose window is open. `source`: the number of the agreement or delivery, kept as the
    evidence of each activation.

    `Refusal`: `file-empty`, `file-too-large`, `evidence-wrong`, and those of `bulk.ask`. Raises `Replayed` for a
    repeat.
    """
    bulk.permit("card.activate", area, by=by)
    facts_of("data-match", source)
    lines = _lines(upload)
    if not source:
        raise Refusal("evidence-wrong")
    if not lines:
        raise Refusal("file-empty")
    upload.seek(0)
    act = Act(area=area, task=TASK, total=len(lines), asked={"source": source})
    return bulk.ask(act, "card.activate", by=by, request_id=request_id, at=at, upload=upload)


def match_alive(act_id: int, *, clock: Clock) -> Act:
    """What the worker does for `ask_match`: group by group. Lines without a number, of strangers, of holders without an
    active card, or that come twice are left alone, by reason, like the cards that `renew_many` leaves alone.
    """
    @cache
    def lines() -> list[str]:
        with bulk.uploaded(Act.objects.get(pk=act_id)) as file:
            return _lines(file)

    def group(act: Act, asked: Asked) -> Group:
        start = act.place or 0
        here, left = lines()[start:start + GROUP], Counter[str]()
        cards = _cards(here, asked.by, left)
        done = renew_many(sorted(set(cards)), channel="data-match", evidence=act.asked["source"], **vars(asked))
        left.update(done.left)
        if twice := len(cards) - len(set(cards)):
            left["match-twice"] += twice
        return Group(len(done.moved), dict(left), start + GROUP if start + GROUP < len(lines()) else None)

    return bulk.carry_out(act_id, group, clock=clock)


def _lines(file: BinaryIO) -> list[str]:
    """The first cell of each line: empty lines fall out, and a first one that is a heading. What else has no digit in
    it is a line like all others, counted as unreadable: what was looked at adds up.
    """
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Refusal("file-too-large")
    cells = (_CELLS.split(line, 1)[0].strip().strip('"') for line in data.decode("utf-8-sig", "replace").splitlines())
    lines = [cell for cell in cells if cell]
    return lines[1:] if lines and _HEADING.search(lines[0]) and not any(map(str.isdigit, lines[0])) else lines


def _cards(lines: Sequence[str], by: Actor, left: Counter[str]) -> list[int]:
    """The active card of each line; lines without one are counted in `left`."""
    serials, numbers = [], []
    for line in lines:
        text = idnumber.plain(line)
        if _SERIAL.fullmatch(text):
            serials.append(text)
        elif number := _id_number(text):
            numbers.append(number)
        else:
            left["match-unreadable"] += 1
    return _by_serial(serials, by, left) + _by_person(numbers, by, left)


def _by_serial(serials: Sequence[str], by: Actor, left: Counter[str]) -> list[int]:
    found = dict(Card.objects.filter(serial__in=serials, area__code__range=(by.lo, by.hi)).values_list("serial", "pk"))
    left.update({"match-stranger": sum(serial not in found for serial in serials)})
    return [found[serial] for serial in serials if serial in found]


def _by_person(numbers: Sequence[str], by: Actor, left: Counter[str]) -> list[int]:
    indexes = fields.index_many(list(numbers))
    holders = {bytes(index): pk for index, pk in Holder.objects.filter(
        id_index__in=indexes, area__code__range=(by.lo, by.hi)).values_list("id_index", "pk")}
    cards = dict(Card.objects.filter(holder__in=holders.values(), state="active").values_list("holder", "pk"))
    known = [holders[index] for index in indexes if index in holders]
    left.update({"match-stranger": len(indexes) - len(known), "match-no-card": sum(pk not in cards for pk in known)})
    return [cards[pk] for pk in known if pk in cards]


def _id_number(text: str) -> str:
    try:
        return idnumber.parse(text).id18
    except idnumber.BadIdNumber:
        return ""
