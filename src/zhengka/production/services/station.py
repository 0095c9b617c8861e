"""Finished cards looked at by a read-back station (核对机): a box of them at once, by camera and reader.

A station is a paired reader of the office. It says of each card what a card maker says of it, in the same open format
(`formats.results`), but under its own key and after it has seen the card itself: chip, print, photo and code. What it
saw is matched with the record by statements over whole columns.
"""

from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import UUID

from django.db import connection, transaction

from zhengka.bulk import services as bulk
from zhengka.bulk.models import Act
from zhengka.bulk.services import Asked, Clock, Group
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, Replayed, lock, perform, perform_many, replayed, sub
from zhengka.devices import queries as devices
from zhengka.devices.models import Device
from zhengka.formats.results import ResultReader, ResultsBroken, ResultsInfo, claimed, claimed_key
from zhengka.production.models import Batch
from zhengka.production.services import gate
from zhengka.production.workflow import LOOKS

TASK: Final = "production.take_looks"
STAGE: Final = """
CREATE TEMP TABLE look_line (serial text, uid bytea, readback bytea, texts bytea, photo bytea, code bytea)
    ON COMMIT DROP
"""
# A card of which the station could not see something (no line of it here, or older than what a camera can match) is
# left to a person. Two cards under one number: one of both prints is another card's.
JUDGE: Final = """
CREATE TEMP TABLE look_verdict ON COMMIT DROP AS
SELECT i.id AS item, i.card_id AS card, k.serial, k.uid, i.drawn IS NOT NULL AS drawn, CASE
    WHEN t.times > 1 THEN 'serial-twice'
    WHEN t.uid IS DISTINCT FROM k.uid OR t.readback IS DISTINCT FROM i.readback THEN 'readback-differs'
    WHEN t.texts <> i.texts THEN 'print-differs'
    WHEN t.photo <> i.photo THEN 'photo-differs'
    WHEN t.code <> i.code THEN 'qr-differs'
    ELSE '' END AS fault
FROM (SELECT DISTINCT ON (serial) *, count(*) OVER (PARTITION BY serial) AS times FROM look_line) t
JOIN cards_card k ON k.serial = t.serial JOIN production_item i ON i.card_id = k.id
WHERE i.batch_id = %(batch)s AND i.outcome = 'good' AND i.checked = '' AND k.state = 'arrived'
  AND i.texts IS NOT NULL AND t.code IS NOT NULL
"""
COUNT: Final = """
SELECT count(*) FILTER (WHERE fault = '' AND (drawn OR %(whole)s)), count(*) FILTER (WHERE fault <> '')
FROM look_verdict
"""
STRANGERS: Final = """
INSERT INTO production_finding (batch_id, area, code, serial, detail, at)
SELECT %(batch)s, %(area)s, 'not-ordered', l.serial, encode((array_agg(l.uid))[1], 'hex'), %(at)s FROM look_line l
WHERE NOT EXISTS (SELECT FROM cards_card k JOIN production_item i ON i.card_id = k.id
                  WHERE k.serial = l.serial AND i.batch_id = %(batch)s AND i.outcome <> 'held')
GROUP BY l.serial ORDER BY l.serial
"""
FAILED: Final = """
UPDATE production_item i SET checked = 'failed', outcome = 'suspect', reason = v.fault, unseen = false
FROM look_verdict v WHERE i.id = v.item AND v.fault <> '';
INSERT INTO production_finding (batch_id, area, code, serial, detail, at)
SELECT %(batch)s, %(area)s, fault, serial, encode(uid, 'hex'), %(at)s FROM look_verdict
WHERE fault <> '' ORDER BY fault, serial
"""
PASSED: Final = """
UPDATE production_item i SET checked = 'passed', seen = %(looks)s, unseen = false
FROM look_verdict v WHERE i.id = v.item AND v.fault = '' AND i.drawn IS NOT NULL
"""
BY_FAULT: Final = """
SELECT fault, array_agg(card ORDER BY card) FROM look_verdict WHERE fault <> '' GROUP BY 1 ORDER BY 1
"""


@transaction.atomic
def take_station(batch: Batch, source: Path | BinaryIO, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Take what a read-back station saw of a batch's finished cards (批量核对).

    A drawn card of which chip, print, photo and code are the record's passed. One that differs is set aside by name,
    drawn or not, and then every card of the batch is to be looked at: those of the same file are. Whom the station did
    not see, or not whole, waits for a person. A card that is none of the batch is named by a `Finding`.
    `Refusal`: `results-broken`, `results-of-another-batch`, `device-unknown` for what no paired reader of the area
    signed, `device-stopped`, `card-not-drawn` where none is to be looked at, and what `perform` says.
    """
    if event := replayed(request_id, Batch.kind(), batch.pk):
        raise Replayed(event)
    if not by.sees(batch.area_id):
        raise Refusal("not-found")
    (batch,) = lock(batch)
    if not gate.to_check(batch).exists():
        raise Refusal("card-not-drawn", batch=batch.number)
    station, reader = _open(batch, source, by)
    told: dict[str, Any] = {"batch": batch.pk, "area": batch.area_id, "at": at, "looks": list(LOOKS)}
    passed, failed = _judge(reader, told, whole=batch.gate == "whole")
    counts = {"good": batch.good - failed, "suspect": batch.suspect + failed} | ({"gate": "whole"} if failed else {})
    batch = perform(batch, "check_many", counts, by=by, request_id=request_id, at=at, station=station.name,
                    passed=passed, failed=failed)
    _set_aside(batch, told, by=by, request_id=request_id, at=at)
    with connection.cursor() as cursor:
        cursor.execute(PASSED, told)
        cursor.execute("DROP TABLE look_line, look_verdict")
    if not gate.to_check(batch).exists():
        return gate.pass_gate(batch, by=by, request_id=sub(request_id, "pass"), at=at)
    return batch


def ask_station(batch: Batch, file: BinaryIO, *, by: Actor, request_id: UUID, at: datetime) -> Act:
    """Take in the upload of a station's file, seal it, and let the worker do what `take_station` does.

    Only what the first line claims is looked at here, so that a wrong file is told at once: `Refusal` as there, and
    those of `bulk.ask`. Raises `Replayed` for a repeat.
    """
    if event := replayed(request_id, Act.kind()):
        raise Replayed(event)
    try:
        _of_the_batch(batch, claimed(file))
        _station(file, by)
    except ResultsBroken as broken:
        raise Refusal("results-broken", why=broken.code, line=broken.line) from None
    step = batch.workflow.step(batch.state, "check_many")
    return bulk.ask(Act(area=batch.area, task=TASK, subject_id=batch.pk), step.permission, by=by,
                    request_id=request_id, at=at, upload=file)


def carry_out_looks(act_id: int, *, clock: Clock) -> Act:
    """What the worker does for `ask_station`, all in one transaction: the whole file, or nothing of it."""
    def whole(act: Act, asked: Asked) -> Group:
        with bulk.uploaded(act) as file:
            before = Batch.get(act.subject_id or 0)
            batch = take_station(before, file, **vars(asked))
        left = batch.suspect - before.suspect
        return Group(batch.good, {"suspect": left} if left else {})
    return bulk.carry_out(act_id, whole, clock=clock)


def _open(batch: Batch, source: Path | BinaryIO, by: Actor) -> tuple[Device, ResultReader]:
    """What the station saw, if it is whole, of this package, and signed by a paired reader of the area."""
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                station = _station(file, by)
        else:
            station = _station(source, by)
        reader = ResultReader(source, devices.key_of(station))
    except ResultsBroken as broken:
        raise Refusal("results-broken", why=broken.code, line=broken.line) from None
    _of_the_batch(batch, reader.info)
    return station, reader


def _station(file: BinaryIO, by: Actor) -> Device:
    station = devices.by_key(claimed_key(file), actor=by)
    devices.believed(bytes(station.public or b""))
    return station


def _of_the_batch(batch: Batch, info: ResultsInfo) -> None:
    if (info.batch, info.package.hex()) != (batch.number, batch.manifest_digest):
        raise Refusal("results-of-another-batch", batch=info.batch)


def _judge(reader: ResultReader, told: dict[str, Any], *, whole: bool) -> tuple[int, int]:
    """Match every card of the file with the record; how many pass of those to be looked at, and how many differ."""
    with connection.cursor() as cursor:
        cursor.execute(STAGE)
        with cursor.copy("COPY look_line FROM STDIN") as copy:
            for card in reader.cards():
                if card.outcome == "good":
                    copy.write_row((card.serial, card.uid, card.readback, *(card.shown or (None, None, None))))
        cursor.execute("ANALYZE look_line")
        cursor.execute(JUDGE, told)
        cursor.execute("CREATE INDEX ON look_verdict (item); ANALYZE look_verdict")
        cursor.execute("SELECT EXISTS (SELECT FROM look_verdict WHERE fault <> '')")
        (differs,) = cursor.fetchone()
        cursor.execute(COUNT, {"whole": whole or differs})
        passed, failed = cursor.fetchone()
        cursor.execute(STRANGERS, told)
    return passed, failed


def _set_aside(batch: Batch, told: dict[str, Any], *, by: Actor, request_id: UUID, at: datetime) -> None:
    """The cards that differ are suspect, by name, and every other card of the batch is drawn."""
    with connection.cursor() as cursor:
        cursor.execute(BY_FAULT)
        if not (found := cursor.fetchall()):
            return
        gate.draw_rest(batch)
        cursor.execute(FAILED, told)
    for fault, cards in found:
        perform_many(Many(Card, cards, "arrived", {"batch": batch.number, "why": fault}), "suspect", by=by,
                     request_id=sub(request_id, fault), at=at)
