"""New events are kept, and what they come to is written down, by statements over all of them: one way in for an upload
of thousands and for one voucher at a counter.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.events import Begun, Many, begin_many, perform_many, sub
from zhengka.devices.models import Device
from zhengka.formats.voucher import to_base32
from zhengka.gates import folding
from zhengka.gates.folding import Fact, Outcome, Standing
from zhengka.gates.merging import New
from zhengka.gates.models import DoubleUse, Visit, Voucher
from zhengka.gates.workflow import MANAGE
from zhengka.partners import services as partners

GATES: Final = Actor(None, "gates", "gates", frozenset({MANAGE}), *WHOLE_NATION)
"""Who moves vouchers by what gates logged."""
OWN: Final = 10**12
"""From this number on events of a gate are written by the platform on its behalf, and signed by the platform's key."""
SHARDS: Final = 64
"""Locks over all codes of vouchers: two uploads that speak of the same voucher wait for each other."""
_GATE_LOCKS, _CODE_LOCKS = 0x67617465, 0x766F7563
SENT: Final = ("sent", "agreed", "disputed", "closed")
_ONE_BY_ONE: Final = 50

COLUMNS: Final = ("area, gate_id, seq, digest, kind, at, operator, venue, service, rule, gives, companions, subject, "
                  "voucher, list_version, text, signature, key_id, received_at, counted, forked")
STAGE: Final = f"CREATE TEMP TABLE visit_new ON COMMIT DROP AS SELECT {COLUMNS} FROM gates_visit WITH NO DATA"
ONE: Final = f"INSERT INTO gates_visit ({COLUMNS}) VALUES ({', '.join(['%s'] * 21)})"
HOLD: Final = """
    WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock(%s, %s))
    SELECT v.*, nextval('gates_own_events') AS own FROM held, gates_voucher v WHERE v.code = %s FOR UPDATE OF v
"""
KNOWN: Final = """
    SELECT v.digest FROM unnest(%s::bigint[], %s::bigint[]) AS n(gate, seq)
    JOIN gates_visit v ON v.gate_id = n.gate AND v.seq = n.seq
"""
_FACT: Final = "SELECT v.at, v.gate_id, v.seq, v.digest, v.kind, v.voucher FROM"
UNDER: Final = f"""
    {_FACT} unnest(%s::bigint[], %s::bigint[]) AS n(gate, seq)
    JOIN gates_visit v ON v.gate_id = n.gate AND v.seq = n.seq
"""
OF_CODES: Final = f"{_FACT} gates_visit v WHERE v.voucher = ANY(%s::bytea[]) AND v.voucher <> ''::bytea"
"""The second condition is that of the index."""
TAKE: Final = f"INSERT INTO gates_visit ({COLUMNS}) SELECT {COLUMNS} FROM visit_new"
ISSUED: Final = """
    INSERT INTO gates_voucher (id, province, area, state, version, code, gate_id, operator, venue, service, rule, gives,
                               companions, subject, begins, ends, payload, nth)
    SELECT n.area / 10000000000 * 10000000000000 + nextval('gates_voucher_ids'), n.area / 10000000000, n.area, 'issued',
           1, n.code, n.gate, n.operator, n.venue, n.service, n.rule, n.gives, n.companions, n.subject, n.begins,
           n.ends, ''::bytea, 0
    FROM unnest(%(areas)s::bigint[], %(codes)s::bytea[], %(gates)s::bigint[], %(operators)s::text[], %(venues)s::text[],
                %(services)s::text[], %(rules)s::text[], %(gives)s::text[], %(companions)s::int[],
                %(subjects)s::bytea[], %(begins)s::timestamptz[], %(ends)s::timestamptz[])
         AS n (area, code, gate, operator, venue, service, rule, gives, companions, subject, begins, ends)
    ON CONFLICT (code) DO NOTHING
"""
"""A voucher that a gate issued has its signed form on the holder's phone; an empty payload here says so."""
STEPS: Final = {
    ("issued", "redeemed"): "redeem", ("issued", "cancelled"): "cancel", ("cancelled", "redeemed"): "find_redeemed",
    ("expired", "redeemed"): "find_redeemed", ("expired", "cancelled"): "find_cancelled"}
"""State of a voucher and state that its events come to → the step between them."""


class Found(NamedTuple):
    """A double use as it is told: the voucher, the gate whose use counts, the gate of the other use, and both times."""

    voucher: bytes
    counted: int
    again: int
    counted_at: datetime
    again_at: datetime


@dataclass(frozen=True)
class Kept:
    """What new events changed: double uses that are known now of the vouchers named, numbers of gates that forked."""

    doubles: list[Found] = field(default_factory=list)
    forks: list[tuple[int, int]] = field(default_factory=list)


def lock_gates(gates: Iterable[int]) -> None:
    """Let nobody else take in events of these gates until the transaction ends. Before `lock_codes`."""
    _locks(_GATE_LOCKS, {gate % 2**31 for gate in gates})


def lock_codes(codes: Iterable[bytes]) -> None:
    """Let nobody else move these vouchers until the transaction ends."""
    _locks(_CODE_LOCKS, {code[0] % SHARDS for code in codes if code})


def lock_every_code() -> None:
    """Let nobody else move any voucher until the transaction ends."""
    _locks(_CODE_LOCKS, range(SHARDS))


def known(named: Mapping[int, Collection[int]]) -> set[bytes]:
    """The digests of all events that are kept under these numbers (gate → its numbers)."""
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, _numbers(named))
        return {bytes(digest) for (digest,) in cursor}


def store(news: Sequence[New], *, request_id: UUID, at: datetime) -> Kept:
    """Keep events that are not known yet, in the caller's transaction and under both locks, and do what they say to
    vouchers, uses that count, double uses and forks. A function of all events that are kept then.
    """
    if not news:
        return Kept()
    facts = [new.fact for new in news]
    codes = sorted({fact.voucher for fact in facts if fact.voucher})
    found = folding.merge(_related(facts, codes), facts, _settled(codes))
    _discount(found)
    _insert(news, found, at)
    _move(news, found.standing, request_id, at)
    twice = any(one.doubles for one in found.standing.values())
    return Kept(_note_doubles(codes, found.standing, at) if twice else [], sorted(found.forks))


def hold(code: bytes) -> Voucher | None:
    """The voucher with this code under both its locks, in one question to the database; `own`: the platform's next own
    number, for the line that is about to be written.
    """
    found: Voucher | None = next(iter(Voucher.objects.raw(HOLD, [_CODE_LOCKS, code[0] % SHARDS, code])), None)
    return found


def keep_use(new: New, row: Voucher, area: int, key_id: bytes | None, *, request_id: UUID, at: datetime) -> None:
    """Keep the first use of a voucher that is held and open, and tell of it: what `store` would do, without asking what
    it knows. No event of such a voucher can be a use (I11), so this one counts; its number must be new at its gate.
    """
    perform_many(Many(Voucher, [row.pk], row.state, {"gate": new.event.gate}), "redeem", by=GATES,
                 request_id=request_id, at=at)
    with connection.cursor() as cursor:
        cursor.execute(ONE, (area, *_values(new), new.line.signature or None, key_id, at, True, False))
    if partners.listens("voucher.redeemed"):
        tell_redeemed([row.pk], {bytes(row.code): (new.event.venue, new.event.at)}, at)


def _locks(kind: int, numbers: Collection[int]) -> None:
    if numbers:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, n) FROM unnest(%s::int[]) n", [kind, sorted(numbers)])


def _facts(statement: str, asked: Sequence[Any]) -> set[Fact]:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return {Fact(at, gate, seq, bytes(digest), kind, bytes(code)) for at, gate, seq, digest, kind, code in cursor}


def _numbers(named: Mapping[int, Collection[int]]) -> list[list[int]]:
    """Gates and numbers, one beside the other: a list of thousands of values takes longer to read than to look up."""
    pairs = [(gate, number) for gate, numbers in named.items() for number in numbers]
    return [[gate for gate, _ in pairs], [number for _, number in pairs]]


def _settled(codes: Sequence[bytes]) -> set[bytes]:
    """Uses that count in a statement which was sent: they go on counting, whatever comes later (`_discount`)."""
    if not codes:
        return set()
    rows = Visit.objects.filter(voucher__in=codes, counted=True, statement__state__in=SENT)
    return {bytes(digest) for digest in rows.values_list("digest", flat=True)}


def _related(facts: Sequence[Fact], codes: Sequence[bytes]) -> set[Fact]:
    """What is kept of the same vouchers, or under the same numbers of the same gates."""
    by_gate: defaultdict[int, set[int]] = defaultdict(set)
    for fact in facts:
        by_gate[fact.gate].add(fact.seq)
    found = _facts(UNDER, _numbers(by_gate))
    return found | _facts(OF_CODES, [codes]) if codes else found


def _discount(found: Outcome) -> None:
    """Uses that counted until now and count no more: the new ones take their place only after this. What a sent
    statement counts keeps its place even where its gate turns out to have forked: a dispute alone strikes it out.
    """
    if found.gone:
        Visit.objects.filter(digest__in=found.gone, counted=True).exclude(statement__state__in=SENT).update(
            counted=False)
    for (gate, seq), digests in found.forks.items():
        Visit.objects.filter(gate=gate, seq=seq, digest__in=list(digests)).update(forked=True)


def _insert(news: Sequence[New], found: Outcome, at: datetime) -> None:
    gates = {pk: (area, bytes(key_id or b"")) for pk, area, key_id in Device.objects.filter(
        pk__in={new.event.gate for new in news}).values_list("pk", "area_id", "key_id")}
    rows = ((gates[new.event.gate][0], *_values(new), new.line.signature or None,
             gates[new.event.gate][1] if new.line.signature else None, at, new.digest in found.counts,
             (new.event.gate, new.event.seq) in found.forks) for new in news)
    with connection.cursor() as cursor:
        if len(news) <= _ONE_BY_ONE:
            cursor.executemany(ONE, list(rows))
            return
        cursor.execute(STAGE)
        with cursor.copy(f"COPY visit_new ({COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(TAKE)
        cursor.execute("DROP TABLE visit_new")


def _values(new: New) -> tuple[Any, ...]:
    event = new.event
    return (event.gate, event.seq, new.digest, event.kind, event.at, event.operator, event.venue, event.service,
            event.rule, event.gives, event.companions, event.subject, event.voucher, event.list_version, new.line.text)


def _move(news: Sequence[New], standing: dict[bytes, Standing], request_id: UUID, at: datetime) -> None:
    """Begin the vouchers that gates issued, and let each take the step to where its events put it."""
    rows = _vouchers(standing)
    fresh = {new.digest: new for new in news if new.event.kind == "issue"}
    begun = [fresh[one.issued] for code, one in standing.items() if code not in rows and one.issued in fresh]
    if begun:
        _begin(begun, request_id, at)
        rows = _vouchers(standing)
    steps: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for code, (pk, state) in rows.items():
        if (state, standing[code].state or _by_uses(standing[code])) in STEPS:
            steps[state, standing[code].state or _by_uses(standing[code])].append(pk)
    for (source, target), ids in sorted(steps.items()):
        action = STEPS[source, target]
        moved = perform_many(Many(Voucher, sorted(ids), source), action, by=GATES, request_id=sub(request_id, action),
                             at=at)
        if target == "redeemed" and partners.listens("voucher.redeemed"):
            tell_redeemed(moved, _uses(standing), at)


def tell_redeemed(ids: Sequence[int], uses: Mapping[bytes, tuple[str, datetime]], at: datetime) -> None:
    """Let the operators of these vouchers know, in the same transaction, that each was redeemed; `uses`: code → venue
    and time of the use that counts.
    """
    news = []
    for row in Voucher.objects.filter(pk__in=ids).order_by("pk"):
        venue, when = uses.get(bytes(row.code), (row.venue, at))
        news.append((row.operator, {
            "voucher": to_base32(bytes(row.code)), "venue": venue, "service": row.service, "gives": row.gives,
            "companions": row.companions, "redeemed_at": when.isoformat()}))
    partners.tell_many("voucher.redeemed", news, at=at)


def _uses(standing: Mapping[bytes, Standing]) -> dict[bytes, tuple[str, datetime]]:
    digests = [one.counted for one in standing.values() if one.counted]
    rows = Visit.objects.filter(digest__in=digests).values_list("voucher", "venue", "at")
    return {bytes(code): (venue, when) for code, venue, when in rows}


def _by_uses(standing: Standing) -> str:
    """Of a voucher that the platform knows although no event tells that it was issued."""
    return "redeemed" if standing.counted else ""


def _vouchers(standing: Collection[bytes]) -> dict[bytes, tuple[int, str]]:
    if not standing:
        return {}
    rows = Voucher.objects.filter(code__in=list(standing)).order_by("pk").select_for_update(of=("self",))
    return {bytes(code): (pk, state) for pk, code, state in rows.values_list("pk", "code", "state")}


def _begin(news: Sequence[New], request_id: UUID, at: datetime) -> None:
    areas = dict(Device.objects.filter(pk__in={new.event.gate for new in news}).values_list("pk", "area_id"))
    events = [new.event for new in news]
    rows = Begun(Voucher, ISSUED, "issued", {
        "areas": [areas[event.gate] for event in events], "codes": [event.voucher for event in events],
        "gates": [event.gate for event in events], "operators": [event.operator for event in events],
        "venues": [event.venue for event in events], "services": [event.service for event in events],
        "rules": [event.rule for event in events], "gives": [event.gives for event in events],
        "companions": [event.companions for event in events], "subjects": [event.subject for event in events],
        "begins": [event.begins for event in events], "ends": [event.ends for event in events]},
        also=", gate_id", told="jsonb_build_object('gate', gate_id)")
    begin_many(rows, "issue", MANAGE, by=GATES, request_id=sub(request_id, "issue"), at=at)


def _note_doubles(codes: Sequence[bytes], standing: dict[bytes, Standing], at: datetime) -> list[Found]:
    """Write down each use too many with both gates; take back what was found under another count."""
    uses = {bytes(digest): (pk, area, gate, when) for pk, area, gate, when, digest in Visit.objects.filter(
        voucher__in=codes, kind="redeem").values_list("pk", "area", "gate_id", "at", "digest")}
    doubles = [double for code in codes for double in standing[code].doubles]
    DoubleUse.objects.filter(voucher__in=codes).exclude(
        again__in=[uses[double.again][0] for double in doubles]).delete()
    DoubleUse.objects.bulk_create(
        [DoubleUse(area=uses[double.counted][1], shared_with=uses[double.again][1], voucher=double.voucher,
                   counted_id=uses[double.counted][0], again_id=uses[double.again][0], found_at=at)
         for double in doubles],
        update_conflicts=True, unique_fields=["again"], update_fields=["area", "shared_with", "counted"])
    return [Found(double.voucher, uses[double.counted][2], uses[double.again][2], uses[double.counted][3],
                  uses[double.again][3]) for double in doubles]
