"""The demo's second region at work: people of a file, cards that were made last winter and are due for the yearly
activation, cards at the counter, exchanges at each step.

All by the services that officers use, under request ids that are the same in every run.
"""

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.conf import settings
from django.utils import timezone

from zhengka.areas.models import Area
from zhengka.cards import queries as card_queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services as cases
from zhengka.cli import line, stations
from zhengka.cli.line import Officers, act
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.custody import services as custody
from zhengka.exchange.sample.portraits import Group, portrait
from zhengka.formats import idnumber
from zhengka.production import queries as batches
from zhengka.production import services as production
from zhengka.production.models import Batch
from zhengka.registry import services as registry

MAKER: Final = "demo-maker-2"
LAST_WINTER: Final = timedelta(days=340)
"""Before now, when the first cards of the region were activated: their year ends soon."""
MADE: Final = ("宋长江", "唐汉水", "许东湖", "韩龟山", "冯蛇山", "邓鹦鹉", "曹晴川", "彭归元", "曾琴台", "萧墨水",
               "田月湖", "董沙湖", "潘南湖", "袁木兰")
ASKED: Final = ("蔡盘龙", "蒋涨渡", "余斧头", "于后湖", "杜梁子", "叶汤逊", "程严西", "魏知音", "苏黄鹤", "吕楚河")
"""People of two files: those whose cards were made last winter, and those who are asked to come now."""
READY, ISSUED = 2, 2
"""Cards of the first that nobody has collected, and that were collected and not activated."""
STEPS: Final = (("confirm", cases.confirm_many), ("review", cases.review_many), ("approve", cases.approve_many))
KEPT: Final = 2
"""Exchanges that stay at each step."""


def begin(who: Officers, unit: Area) -> None:
    """The first people of the region, whose cards were made and activated last winter: before any card of the pilot is
    numbered, for a status list of then must not need keys of today. A repeat does what is not done yet.
    """
    then = timezone.now() - LAST_WINTER
    if not _done("first", "handed over"):
        _take_in("first", MADE, unit, who, then)
        _exchange("first", unit, who, then, keep=0)
        _hand_over(who, unit, _make(who, unit, then))


def go_on(who: Officers, unit: Area) -> None:
    """Others are asked to come now: exchanges at each step, and a batch to be prepared. As `begin`."""
    now = timezone.now()
    if not _done("second", "opened"):
        _take_in("second", ASKED, unit, who, now)
        _exchange("second", unit, who, now, keep=KEPT)
        production.open_batch(unit, card_queries.policy(unit.code, now.date()).profile,
                              line.trusted_maker(who, unit, MAKER, at=now), by=who.producer, at=now,
                              only=production.Only(limit=KEPT), request_id=_request("second", "opened"))


def _request(*parts: object) -> UUID:
    return act("second region", *parts)


def _done(*parts: object) -> bool:
    """Whether an earlier run went so far."""
    return Event.objects.filter(request_id=_request(*parts)).exists()


def _once(do: Callable[..., Any], *parts: object, **told: Any) -> None:
    """Do what no earlier run did."""
    if not _done(*parts):
        do(**told, request_id=_request(*parts))


def _take_in(name: str, people: Sequence[str], unit: Area, who: Officers, at: datetime) -> None:
    """A file of second-generation holders with their portraits."""
    folder = Path(settings.HOME) / "sample" / f"second-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    table, pack = folder / f"{unit.unit6}-{name}.csv", folder / f"{unit.unit6}-{name}.zip"
    numbers = [_number(name, place) for place in range(len(people))]
    _write(table, people, numbers, at)
    if not _done(name, "file"):
        registry.receive_import(table.name, table, unit, by=who.clerk, at=at, request_id=_request(name, "file"))
    registry.take_import(Event.objects.get(request_id=_request(name, "file")).subject_id, at=at)
    draw = np.random.default_rng(len(people))
    with zipfile.ZipFile(pack, "w") as archive:
        for place, number in enumerate(numbers):
            archive.writestr(f"{number}.jpg", portrait(draw, Group(place % 2 == 0, "adult", dark_glasses=False)))
    _once(registry.set_photos, name, "photos", pack=pack, area=unit, by=who.clerk, at=at)


def _write(table: Path, people: Sequence[str], numbers: Sequence[str], at: datetime) -> None:
    issued = at.date().replace(day=1) - timedelta(days=365 * 9)
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("姓名", "身份证号", "残疾人证号", "发证日期", "联系电话", "家庭住址"))
    for place, (person, number) in enumerate(zip(people, numbers, strict=True)):
        rows.writerow((person, number, f"{number}4{place % 3 + 2}", issued.isoformat(),
                       f"1390000{place:04d}", f"武汉市硚口区示例街道{place + 1}号"))
    table.write_text(text.getvalue())


def _number(name: str, place: int) -> str:
    """An ID number that nobody has: no division ever had its first six digits; odd places are men's."""
    first17 = f"{439904 if name == 'first' else 439905}19{62 + place}0{place % 9 + 1}12{2 * place + 1 - place % 2:03d}"
    return first17 + idnumber.check_digit(first17)


def _exchange(name: str, unit: Area, who: Officers, at: datetime, *, keep: int) -> None:
    """Open the exchange and take it to the order of cards, but for so many at each step."""
    cases.open_exchange(unit, 1, by=who.clerk, at=at, request_id=_request(name, "open", at.isoformat()))
    for (action, decide), by in zip(STEPS, (who.clerk, who.reviewer, who.approver), strict=True):
        found = cases.waiting(action, by).filter(kind_of_case="exchange", area=unit).order_by("pk")
        decide(list(found.values_list("pk", flat=True))[keep:], by=by, at=at, request_id=_request(name, action, at))


def _make(who: Officers, unit: Area, at: datetime) -> datetime:
    """The cards of the first file, through the maker and back; when they came back."""
    maker = line.trusted_maker(who, unit, MAKER, at=at)
    told: dict[str, Any] = {"by": who.producer, "at": at}
    if not _done("first", "batch"):
        production.open_batch(unit, card_queries.policy(unit.code, at.date()).profile, maker,
                              request_id=_request("first", "batch"), **told)
    batch = batches.batch(Event.objects.get(request_id=_request("first", "batch")).subject_id, actor=who.producer)
    _once(production.prepare_batch, "first", "prepare", batch=batch, **told)
    batch = production.run_chunks_here(batch, at=at, processes=1)
    told["at"] = returned = _published(at)
    _once(production.send_batch, "first", "send", batch=batch, **told | {"by": who.second_producer})
    home = line.maker_home(MAKER)
    results = line.results_of(batch)
    line.maker_program("run", str(batches.package_path(batch)), "--home", str(home), "--out", str(results), "--seed",
                       "1", "--workers", "1", "--spoil", "0")
    _once(production.receive_results, "first", "receive", batch=batch, source=results, **told)
    batch = Batch.get(batch.pk)
    if batch.gate in ("sample", "whole"):
        batch = stations.look(batch, results, who, request_id=_request("first", "look"), at=returned)
    _once(production.close_batch, "first", "close", batch=batch, **told)
    return returned


def _published(at: datetime) -> datetime:
    """Tell the gates of the cards at a moment, or now where there are lists by then whose keys are younger."""
    try:
        cards.publish_status_lists(at=at)
    except Refusal:
        at = timezone.now()
        cards.publish_status_lists(at=at)
    return at


def _hand_over(who: Officers, unit: Area, at: datetime) -> None:
    """Most of the finished cards to their holders, and their first year."""
    ready = list(Card.objects.filter(area=unit, state="ready").order_by("pk").values_list("pk", flat=True))
    custody.hand_over_many(ready[READY:], line.signed_list(unit.code, 0, at), by=who.clerk, at=at,
                           request_id=_request("first", "hand over"))
    issued = list(Card.objects.filter(area=unit, state="issued").order_by("pk").values_list("pk", flat=True))
    cards.activate_many(issued[ISSUED:-1], by=who.clerk, at=at, request_id=_request("first", "activate"))
    last = Card.get(issued[-1])
    cards.activate(last, by=who.clerk, at=at, request_id=_request("first", "handed over"))
    line.publish(timezone.now())
