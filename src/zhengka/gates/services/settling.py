"""A month is settled with an operator (结算): the statement is made, sent, agreed or disputed, and closed by another
person. Every yuan of it leads to an event that a gate signed.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Least, TruncDate

from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin, lock, perform, sub
from zhengka.core.models import province_of
from zhengka.core.queue import later
from zhengka.formats.verdict import CHINA
from zhengka.gates import account, tariffs
from zhengka.gates.account import Line, Unpriced, Use
from zhengka.gates.models import Dispute, DoubleUse, Statement, StatementLine, Visit
from zhengka.gates.queries.partners import name_of
from zhengka.gates.services import storing
from zhengka.gates.tariffs import Price, Tariff
from zhengka.gates.workflow import MAKE
from zhengka.partners import services as partners


@transaction.atomic
def draft(area: Area, operator: str, month: date, *, by: Actor, request_id: UUID, at: datetime) -> Statement:
    """Make the statement of a month that is over (制作结算单) of all events that are in no earlier one.

    An event is of the month in which it happened by its gate's clock, or was received, whichever is earlier: a clock
    that runs ahead puts nothing off for ever. `Refusal`: `not-permitted`, `not-found`, `month-open`,
    `statement-made`, `statement-empty`, `tariff-missing`. Raises `Replayed` for a repeat.
    """
    if not by.may(MAKE):
        raise Refusal("not-permitted", permission=MAKE)
    if not by.sees(area.code):
        raise Refusal("not-found")
    end = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=CHINA)
    if at < end:
        raise Refusal("month-open", month=month.isoformat())
    row = Statement(province=province_of(area.code), area=area.code, operator=operator, month=month.replace(day=1),
                    made_at=at, made_by=by.person)
    try:
        with transaction.atomic():
            row = begin(row, "draft", MAKE, by=by, request_id=request_id, at=at, operator=operator,
                        month=month.isoformat())
    except IntegrityError as fault:
        if "statement_once_a_month" in str(fault):
            raise Refusal("statement-made", month=month.isoformat()) from None
        raise
    taken = Visit.objects.annotate(on=Least("at", "received_at")).filter(
        operator=operator, statement=None, signature__isnull=False, area__range=(area.code, area.last), on__lt=end)
    if not taken.update(statement=row):
        raise Refusal("statement-empty", operator=operator)
    return _reckon(row)


@transaction.atomic
def send(statement: Statement, *, by: Actor, request_id: UUID, at: datetime) -> Statement:
    """Send it (发送): it is reckoned once more, for logs that came since it was made may have changed what counts; its
    head is fixed word for word, and a worker signs it. From now on what it counts goes on counting.

    `Refusal("tariff-missing")`, and those of `perform`.
    """
    storing.lock_gates(Visit.objects.filter(statement=statement).values_list("gate_id", flat=True).distinct())
    storing.lock_every_code()
    (row,) = lock(statement)
    if row.state == "draft":
        row = _reckon(row)
    row = perform(row, "send_statement", {"sent_by": by.person, "head": _head(row)}, by=by, request_id=request_id,
                  at=at, fen=row.fen)
    later("gates.sign_statement", statement_id=row.pk)
    partners.tell("statement.sent", {"statement": name_of(row), "month": row.month.isoformat()}, operator=row.operator,
                  at=at)
    return row


@transaction.atomic
def discard(statement: Statement, *, by: Actor, request_id: UUID, at: datetime) -> Statement:
    """Throw a draft away (作废): its events are free for another."""
    row = perform(statement, "discard_statement", by=by, request_id=request_id, at=at)
    Visit.objects.filter(statement=row).update(statement=None)
    return row


@transaction.atomic
def dispute(statement: Statement, visit: Visit, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Dispute:
    """Enter that one event of a statement that was sent is wrong (提出争议).

    `Refusal`: `not-permitted`, `not-found`, `reason-missing`, `step-not-open`, `dispute-again`.
    """
    if not by.may(MAKE):
        raise Refusal("not-permitted", permission=MAKE)
    if not by.sees(statement.area) or visit.statement_id != statement.pk:
        raise Refusal("not-found")
    if not why.strip():
        raise Refusal("reason-missing")
    if statement.state not in ("sent", "disputed"):
        raise Refusal("step-not-open", state=statement.state, action="dispute_statement")
    row = Dispute(province=statement.province, area=statement.area, statement=statement, visit=visit, why=why,
                  opened_by=by.person, opened_at=at)
    try:
        with transaction.atomic():
            row = begin(row, "dispute", MAKE, by=by, request_id=request_id, at=at, event=visit.pk)
    except IntegrityError as fault:
        if "dispute_once_an_event" in str(fault):
            raise Refusal("dispute-again") from None
        raise
    if statement.state == "sent":
        perform(statement, "dispute_statement", by=by, request_id=sub(request_id, "statement"), at=at)
    return row


@transaction.atomic
def decide(row: Dispute, action: str, *, by: Actor, request_id: UUID, at: datetime) -> Dispute:
    """Decide a dispute (处理争议): `uphold_dispute`, and the event is not paid, or `reject_dispute`."""
    return perform(row, action, by=by, request_id=request_id, at=at)


@transaction.atomic
def agree(statement: Statement, *, by: Actor, request_id: UUID, at: datetime) -> Statement:
    """Note that the operator agrees (对方确认). What was struck out is reckoned off, and the new head is signed anew.

    `Refusal("disputes-open")`, and those of `perform`.
    """
    row = perform(statement, "agree_statement", by=by, request_id=request_id, at=at)
    if row.disputes.filter(state="upheld").exists():
        row = _reckon(row)
        row.head, row.signature, row.key_id = _head(row), None, None
        row.save(update_fields=["head", "signature", "key_id"])
        later("gates.sign_statement", statement_id=row.pk)
    return row


@transaction.atomic
def close(statement: Statement, *, by: Actor, request_id: UUID, at: datetime) -> Statement:
    """Close it (办结): another person than who made or sent it. `Refusal("same-person")`, and those of `perform`."""
    return perform(statement, "close_statement", {"closed_by": by.person}, by=by, request_id=request_id, at=at,
                   fen=statement.fen)


def check_file(data: bytes) -> account.Checked:
    """Reckon an exported statement again from the file alone (复核结算文件); `Refusal("statement-file-wrong")`."""
    try:
        return account.check(data)
    except account.BadStatement as bad:
        raise Refusal("statement-file-wrong", why=bad.code, what=bad.what) from None


def tariff(operator: str) -> Tariff:
    """The operator's prices; `Refusal("tariff-missing")`."""
    found = _tariffs(Path(settings.DATA)).get(operator)
    if found is None:
        raise Refusal("tariff-missing", operator=operator)
    return found


def _reckon(row: Statement) -> Statement:
    """Write the lines and sums of what the statement holds."""
    prices, counted = tariff(row.operator), _counted(row)
    kinds = counted.annotate(on=TruncDate("at", tzinfo=CHINA)).values_list("service", "rule", "gives", "on").order_by()
    uses = [Use(service, rule, gives, beside, on, times) for service, rule, gives, on, beside, times in kinds.annotate(
        beside=Sum("companions"), times=Count("pk"))]
    try:
        lines = account.reckon(uses, prices.prices)
    except Unpriced as fault:
        raise Refusal("tariff-missing", operator=row.operator, use=str(fault)) from None
    row.lines.all().delete()
    StatementLine.objects.bulk_create([
        StatementLine(area=row.area, statement=row, fen=line.fen, **line._asdict()) for line in lines])
    digests = Visit.objects.filter(statement=row).values_list("digest", flat=True)
    row.events, row.counted = digests.count(), sum(line.uses for line in lines)
    row.fen, row.tariff = sum(line.fen for line in lines), prices.source
    row.digest = account.digest(map(bytes, digests))
    row.save(update_fields=["events", "counted", "fen", "tariff", "digest"])
    return row


def _counted(row: Statement) -> QuerySet[Visit]:
    """The events of a statement that are paid: they count, and no dispute of them was upheld."""
    return Visit.objects.filter(statement=row, counted=True).exclude(
        pk__in=Dispute.objects.filter(statement=row, state="upheld").values("visit"))


def _head(row: Statement) -> str:
    lines = [Line(*told) for told in row.lines.values_list(
        "service", "rule", "gives", "fen_each", "fen_companion", "uses", "companions")]
    struck = Dispute.objects.filter(statement=row, state="upheld").values_list("visit__digest", flat=True)
    forked = Visit.objects.filter(statement=row, forked=True, counted=False).values_list("digest", flat=True)
    twice = DoubleUse.objects.filter(Q(again__statement=row)).values_list("counted__digest", "again__digest")
    used: list[Price] = [price for price in tariff(row.operator).prices]
    return account.head({
        "v": 1, "id": row.pk, "operator": row.operator, "office": row.area, "month": f"{row.month:%Y-%m}",
        "made": row.made_at.isoformat(), "events": row.events, "counted": row.counted, "fen": row.fen,
        "digest": bytes(row.digest).hex(), "source": row.tariff, "prices": [account.priced(one) for one in used],
        "lines": [account.lined(line) for line in sorted(lines)], "struck": _hex(struck), "forked": _hex(forked),
        "doubles": sorted([bytes(counted).hex(), bytes(again).hex()] for counted, again in twice)})


def _hex(digests: Iterable[Any]) -> list[str]:
    return sorted(bytes(one).hex() for one in digests)


@cache
def _tariffs(data: Path) -> dict[str, Tariff]:
    return tariffs.load(data / "tariffs")


def months_before(at: datetime, count: int) -> list[date]:
    """The first days of the last months that are over, the newest first."""
    first = at.astimezone(CHINA).date().replace(day=1)
    found = []
    for _ in range(count):
        first = (first - timedelta(days=1)).replace(day=1)
        found.append(first)
    return found
