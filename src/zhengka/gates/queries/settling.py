"""What may be read of statements and disputes, and a statement as a file that both sides can reckon again."""

import csv
import io
from datetime import date

from django.db.models import QuerySet

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.formats.gatelog import Signed
from zhengka.formats.suites import SUITES, PublicKey
from zhengka.gates import account
from zhengka.gates.models import Dispute, GateKey, Post, Statement, Visit
from zhengka.keys import queries as keys

COLUMNS = ("gate", "seq", "at", "kind", "venue", "service", "rule", "gives", "companions", "counted", "forked",
           "digest", "signature")


def statements(*, actor: Actor) -> QuerySet[Statement]:
    """The statements of the actor's area, the newest first."""
    return Statement.objects.filter(area__range=(actor.lo, actor.hi)).order_by("-month", "operator", "-pk")


def statement(pk: int, *, actor: Actor) -> Statement:
    """A statement of the actor's area; `Refusal("not-found")`."""
    for row in statements(actor=actor).filter(pk=pk):
        return row
    raise Refusal("not-found")


def disputes(row: Statement) -> QuerySet[Dispute]:
    """The disputes of a statement, with their events and gates."""
    return Dispute.objects.filter(statement=row).select_related("visit__gate").order_by("pk")


def events(row: Statement) -> QuerySet[Visit]:
    """All events that a statement holds, by gate and number."""
    return Visit.objects.filter(statement=row).select_related("gate").order_by("gate", "seq", "digest")


def posted_operators(*, actor: Actor) -> list[str]:
    """The operators at whose places gates of the actor's area stand or stood."""
    found = Post.objects.filter(area__code__range=(actor.lo, actor.hi)).order_by("operator")
    return list(found.values_list("operator", flat=True).distinct())


def open_months(operator: str, *, actor: Actor) -> list[date]:
    """The months in which gates of the actor's area logged something for this operator that is in no statement."""
    found = Visit.objects.filter(operator=operator, statement=None, area__range=(actor.lo, actor.hi))
    return [moment.date() for moment in found.datetimes("at", "month")]


def to_json(row: Statement) -> bytes:
    """The statement as the file of `gates.account`."""
    held = list(events(row))
    lines = [account.Kept(Signed(one.text, bytes(one.signature or b"")), bytes(one.key_id or b""), one.counted)
             for one in held]
    signature = None
    if row.signature is not None:
        own = _platforms()[bytes(row.key_id or b"")]
        signature = {"key_id": own.key_id.hex(), "suite": own.suite, "point": own.point.hex(),
                     "value": bytes(row.signature).hex()}
    return account.to_file(row.head, signature, _keys(held), lines)


def to_csv(row: Statement) -> bytes:
    """Its events as CSV, one line each, with digest and signature."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in events(row):
        writer.writerow([one.gate_id, one.seq, one.at.isoformat(), one.kind, one.venue, one.service, one.rule,
                         one.gives, one.companions, int(one.counted), int(one.forked), bytes(one.digest).hex(),
                         bytes(one.signature or b"").hex()])
    return out.getvalue().encode()


def _keys(held: list[Visit]) -> dict[bytes, PublicKey]:
    wanted = {bytes(one.key_id or b"") for one in held}
    found = {key_id: key for key_id, key in _platforms().items() if key_id in wanted}
    for row in GateKey.objects.filter(gate__in={one.gate_id for one in held}):
        found[bytes(row.key_id)] = SUITES[row.suite].public_key(bytes(row.public))
    return {key_id: key for key_id, key in sorted(found.items()) if key_id in wanted}


def _platforms() -> dict[bytes, PublicKey]:
    return {key.key_id: key.public for key in keys.key_set()}
