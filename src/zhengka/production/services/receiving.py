"""What the card maker sends back (回盘), matched card by card by statements over whole columns."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import UUID

from django.db import connection, transaction

from zhengka.bulk import services as bulk
from zhengka.bulk.models import Act
from zhengka.bulk.services import Asked, Clock, Group
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, Replayed, lock, perform, perform_many, replayed, sub
from zhengka.core.queue import later
from zhengka.formats.results import ResultReader, ResultsBroken, ResultsInfo, claimed
from zhengka.formats.suites import SUITES
from zhengka.keys import queries as key_queries
from zhengka.production.models import Batch, Item
from zhengka.production.services import feeding, gate, makers, terms
from zhengka.production.services.batches import keys_of
from zhengka.production.services.inspecting import changed
from zhengka.registry import services as registry

STAGE: Final = """
CREATE TEMP TABLE result_line (serial text, uid bytea, atr bytea, readback bytea, outcome text, reason text,
                               texts bytea, photo bytea, code bytea, blank bigint, wasted bigint[], wasted_why text[])
    ON COMMIT DROP
"""
MATCH: Final = """
CREATE TEMP TABLE result_verdict ON COMMIT DROP AS
WITH told AS (
    SELECT DISTINCT ON (serial) serial, count(*) OVER (PARTITION BY serial) AS times, uid, atr, readback, outcome,
           reason, texts, photo, code, blank
    FROM result_line
), worn AS (
    SELECT uid FROM result_line GROUP BY uid HAVING count(DISTINCT serial) > 1
    UNION SELECT production_known_uids(array_agg(uid)) FROM result_line
)
SELECT i.id AS item, i.card_id AS card, k.serial, t.uid, t.atr, coalesce(t.reason, '') AS reason,
       CASE WHEN t.serial IS NULL THEN 'card-missing'
            WHEN t.times > 1 THEN 'serial-twice'
            WHEN w.uid IS NOT NULL THEN 'uid-twice'
            WHEN t.outcome = 'good' AND t.readback IS DISTINCT FROM i.readback THEN 'readback-differs'
            WHEN t.outcome = 'suspect' THEN 'maker-unsure'
            WHEN t.outcome = 'good' AND %(over)s THEN 'keys-over'
            WHEN f.fault IS NOT NULL THEN f.fault
            WHEN t.outcome <> 'good' OR i.texts IS NULL THEN t.outcome
            WHEN t.texts IS NULL AND %(camera)s THEN 'not-looked-at'
            WHEN t.texts <> i.texts THEN 'print-differs'
            WHEN t.photo <> i.photo THEN 'photo-differs'
            WHEN t.code <> i.code THEN 'qr-differs'
            WHEN k.state <> 'cancelled' AND i.id = ANY(%(changed)s) THEN 'record-differs'
            ELSE t.outcome END AS verdict, k.state = 'cancelled' AS ended, t.texts IS NULL AS unseen,
       t.blank, f.fault
FROM production_item i JOIN cards_card k ON k.id = i.card_id
LEFT JOIN told t ON t.serial = k.serial LEFT JOIN worn w ON w.uid = t.uid {blanks}
WHERE i.batch_id = %(batch)s AND i.outcome = 'prepared'
"""
NO_BLANKS: Final = "CROSS JOIN (SELECT NULL::text AS fault) f"
BLANKS: Final = """
LEFT JOIN result_blank b ON b.blank = t.blank CROSS JOIN LATERAL (SELECT
    CASE WHEN t.serial IS NULL OR t.times > 1 THEN NULL WHEN t.blank IS NULL THEN 'blank-unnamed'
         WHEN b.times > 1 THEN 'blank-twice' WHEN b.there THEN NULL WHEN b.used THEN 'blank-used'
         ELSE 'blank-elsewhere' END AS fault) f
"""
ITEMS: Final = """
UPDATE production_item i SET outcome = CASE WHEN v.verdict IN ('good', 'spoiled') THEN v.verdict ELSE 'suspect' END,
       reason = CASE v.verdict WHEN 'good' THEN '' WHEN 'spoiled' THEN v.reason ELSE v.verdict END,
       unseen = v.verdict = 'good' AND v.unseen
FROM result_verdict v WHERE i.id = v.item
"""
FINDINGS: Final = """
INSERT INTO production_finding (batch_id, area, code, serial, detail, at)
SELECT %(batch)s, %(area)s, v.verdict, v.serial,
       CASE WHEN v.verdict = v.fault THEN coalesce(v.blank::text, '') ELSE coalesce(encode(v.uid, 'hex'), '') END,
       %(at)s
FROM result_verdict v WHERE v.verdict NOT IN ('good', 'spoiled')
UNION ALL
SELECT %(batch)s, %(area)s, 'card-ended', v.serial, coalesce(encode(v.uid, 'hex'), ''), %(at)s FROM result_verdict v
WHERE v.ended AND v.verdict <> 'card-missing'
UNION ALL
SELECT %(batch)s, %(area)s, v.fault, v.serial, coalesce(v.blank::text, ''), %(at)s FROM result_verdict v
WHERE v.fault <> v.verdict
UNION ALL
SELECT %(batch)s, %(area)s, 'not-ordered', r.serial, encode((array_agg(r.uid))[1], 'hex'), %(at)s
FROM result_line r
WHERE NOT EXISTS (SELECT FROM result_verdict v WHERE v.serial = r.serial) GROUP BY r.serial
ORDER BY 3, 4
"""
BY_VERDICT: Final = """
SELECT CASE WHEN ended AND verdict IN ('good', 'spoiled') THEN 'ended'
            WHEN ended AND verdict = 'card-missing' THEN 'ended-missing' WHEN ended THEN 'ended-suspect'
            ELSE verdict END,
       array_agg(card ORDER BY card)
FROM result_verdict GROUP BY 1 ORDER BY 1
"""
CHIP: Final = """,
    uid = (SELECT v.uid FROM result_verdict v WHERE v.card = t.id),
    atr = (SELECT v.atr FROM result_verdict v WHERE v.card = t.id)"""

ACTIONS: Final = {"good": "accept", "spoiled": "spoil", "card-missing": "go_missing", "ended": "set_aside",
                  "ended-suspect": "set_aside", "ended-missing": "go_missing"}
"""Verdict → the step that its cards take; with any other one they are suspect."""
GROUP: Final = 1_000
"""Holders who are written to in one transaction."""


@transaction.atomic
def receive_results(batch: Batch, source: Path | BinaryIO, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Take the card maker's results of a batch (回盘); the batch with its counts.

    Good cards of which print, chip, QR code and record are one (I4), and whose keys still read, are ready, or where
    the office looks at some of them have arrived (`gate`); spoiled ones are ordered again; those that are not in the
    results are missing (缺卡); all else is suspect. A `Finding` names each of both. Made = good + spoiled + suspect,
    the missing among these, held by a constraint. Where the maker's blanks are in the ledger, each card uses up the one
    that it names; one whose blank is not named, named twice, used before or not in that machine is suspect. A card that
    ended while it was made is set aside to be destroyed, whatever the maker says of it, and a `Finding` names it; one
    that did not come is missing, too.
    `Refusal`: `results-broken`, `results-of-another-batch`, `result-replayed`, `batch-given-up`, those of
    `makers.trusted`, and what `perform` says.
    """
    if event := replayed(request_id, Batch.kind(), batch.pk):
        raise Replayed(event)
    if not by.sees(batch.area_id):
        raise Refusal("not-found")
    (batch,) = lock(batch)
    makers.trusted(batch.maker, at=at)
    reader = _open(batch, source)
    _stage(reader)
    fed = feeding.hold(batch, by)
    counts, verdicts = _match(batch, at, fed=fed), _by_verdict()
    size = gate.sample_size(batch, good := len(verdicts.get("good", ())), at)
    told = {"result_id": reader.info.result, "result_digest": reader.digest.hex(), "received_at": at,
            "erase_on": terms.erase_on(batch.area_id, at=at), "gate": gate.word(size, good)}
    batch = perform(batch, "receive", {**counts, **told}, by=by, request_id=request_id, at=at, **counts,
                    result=str(reader.info.result), **({"sample": size} if size else {}))
    if fed:
        feeding.use_up(batch, by=by, request_id=request_id, at=at)
    later("production.tell_ready", batch_id=batch.pk)
    later("production.write_receipt", batch_id=batch.pk)
    _hold(verdicts.get("spoiled", ()))
    for verdict, ids in verdicts.items():
        _move(batch, verdict, ids, by=by, request_id=request_id, at=at)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS result_line, result_verdict, result_blank, result_claim")
    if size:
        gate.draw(batch, size)
    return batch


def tell_ready(batch_id: int, *, at: datetime) -> int:
    """Write to the holders whose cards of a batch lie ready at the office (领取通知), group by group, each once however
    often this runs; how many letters.
    """
    ids = list(Item.objects.filter(batch=batch_id, outcome="good").order_by("pk").values_list("card", flat=True))
    return sum(cards.tell_ready(ids[start:start + GROUP], at=at) for start in range(0, len(ids), GROUP))


def ask_results(batch: Batch, file: BinaryIO, *, by: Actor, request_id: UUID, at: datetime) -> Act:
    """Take in the upload of a results file, seal it, and let the worker do what `receive_results` does.

    Only what the first line claims is looked at here, so that a wrong file is told at once: `Refusal` as there, and
    those of `bulk.ask`. Raises `Replayed` for a repeat.
    """
    if event := replayed(request_id, Act.kind()):
        raise Replayed(event)
    makers.trusted(batch.maker, at=at)
    try:
        _fits(batch, claimed(file))
    except ResultsBroken as broken:
        raise Refusal("results-broken", why=broken.code, line=broken.line) from None
    step = batch.workflow.step(batch.state, "receive")
    return bulk.ask(Act(area=batch.area, task="production.take_results", subject_id=batch.pk), step.permission, by=by,
                    request_id=request_id, at=at, upload=file)


def take_results(act_id: int, *, clock: Clock) -> Act:
    """What the worker does for `ask_results`, all in one transaction: the whole file, or nothing of it."""
    def whole(act: Act, asked: Asked) -> Group:
        with bulk.uploaded(act) as file:
            batch = receive_results(Batch.get(act.subject_id or 0), file, **vars(asked))
        left = {"spoiled": batch.spoiled, "suspect": batch.suspect}
        return Group(batch.good, {outcome: cards for outcome, cards in left.items() if cards})
    return bulk.carry_out(act_id, whole, clock=clock)


def _open(batch: Batch, source: Path | BinaryIO) -> ResultReader:
    """The results, if they are whole, by this maker, of this package, and new."""
    maker = SUITES[batch.maker.suite].public_key(bytes(batch.maker.public))
    try:
        reader = ResultReader(source, maker)
    except ResultsBroken as broken:
        raise Refusal("results-broken", why=broken.code, line=broken.line) from None
    _fits(batch, reader.info)
    return reader


def _fits(batch: Batch, info: ResultsInfo) -> None:
    """The results are of this batch's package, new, and of a batch that is still waited for."""
    if (info.batch, info.package.hex()) != (batch.number, batch.manifest_digest):
        raise Refusal("results-of-another-batch", batch=info.batch)
    if batch.result_id == info.result:
        raise Refusal("result-replayed", batch=batch.number)
    if batch.given_up_person:
        raise Refusal("batch-given-up", batch=batch.number)


def _stage(reader: ResultReader) -> None:
    """Copy the lines into a table of this transaction, so that no list of all cards is ever in memory."""
    with connection.cursor() as cursor:
        cursor.execute(STAGE)
        with cursor.copy("COPY result_line FROM STDIN") as copy:
            for card in reader.cards():
                copy.write_row((card.serial, card.uid, card.atr, card.readback, card.outcome, card.reason,
                                *(card.shown or (None, None, None)), card.blank,
                                *(([blank for blank, _ in card.wasted], [why for _, why in card.wasted])
                                  if card.wasted else (None, None))))
        cursor.execute("ANALYZE result_line")


def _match(batch: Batch, at: datetime, *, fed: bool) -> dict[str, int]:
    """Judge every card, write findings and outcomes; how many are good, spoiled, suspect, and `fed` by us how many
    blanks were wasted beside theirs.
    """
    told: dict[str, Any] = {"batch": batch.pk, "area": batch.area_id, "at": at, "camera": batch.maker.camera,
                            "changed": changed(batch), "over": bool(key_queries.over(keys_of(batch), at=at))}
    with connection.cursor() as cursor:
        cursor.execute(MATCH.format(blanks=BLANKS if fed else NO_BLANKS), told)
        cursor.execute("CREATE INDEX ON result_verdict (card); ANALYZE result_verdict")
        cursor.execute(ITEMS)
        cursor.execute(FINDINGS, told)
        cursor.execute("SELECT count(*) FILTER (WHERE verdict = 'good'), count(*) FILTER (WHERE verdict = 'spoiled'), "
                       "count(*) FILTER (WHERE verdict NOT IN ('good', 'spoiled')) FROM result_verdict")
        counts = dict(zip(("good", "spoiled", "suspect"), cursor.fetchone(), strict=True))
    return counts | ({"wasted": feeding.claim()} if fed else {})


def _hold(spoiled: Sequence[int]) -> None:
    """Certificates are locked before cards, by everybody: those for which a card is ordered again, before any moves."""
    registry.hold(Card.objects.filter(pk__in=spoiled).values_list("holder_id", flat=True))


def _by_verdict() -> dict[str, list[int]]:
    with connection.cursor() as cursor:
        cursor.execute(BY_VERDICT)
        return dict(cursor.fetchall())


def _move(batch: Batch, verdict: str, ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> None:
    """Let the cards of one verdict take their step; order the spoiled ones again."""
    action = ACTIONS.get(verdict, "suspect")
    if action == "accept" and batch.gate:
        action = "arrive"
    facts = {"batch": batch.number} | ({"why": verdict} if action == "suspect" else {})
    also = CHIP if verdict in ("good", "spoiled", "ended") else ""  # of a chip in doubt nothing that was told is kept
    source = "cancelled" if verdict.startswith("ended") else "sent"
    perform_many(Many(Card, ids, source, facts, also=also), action, by=by, request_id=request_id, at=at)
    if action == "spoil":
        cards.reorder_many(ids, by=by, request_id=sub(request_id, "again"), at=at)
