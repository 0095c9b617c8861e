"""A voucher (凭证) is issued, redeemed at most once, cancelled, moved to another time; a companion gets one beside it.

Here the platform is asked at that moment, over a network. What gates do without one comes by `uploading.merge`, and
both are kept as events of the same log: there is one truth about a voucher, whichever way it came.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, lock, perform, replayed, sub
from zhengka.core.models import province_of
from zhengka.core.queue import later
from zhengka.core.scope import seeing_all
from zhengka.devices.models import Device
from zhengka.formats import gatelog
from zhengka.formats import voucher as vouchers
from zhengka.formats.gatelog import BadEvent, Event, Signed
from zhengka.formats.judging import Used
from zhengka.formats.suites import SUITES
from zhengka.formats.voucher import CODE_SIZE, BadVoucher
from zhengka.formats.voucher import Voucher as Promise
from zhengka.gates import merging, queries, rules
from zhengka.gates.merging import New
from zhengka.gates.models import Post, Visit, Voucher
from zhengka.gates.services import storing, uploading
from zhengka.gates.services.storing import GATES, OWN
from zhengka.gates.workflow import MANAGE

TOGETHER: Final = 2_000
"""Vouchers whose time is over that end in one transaction."""
FARTHEST: Final = timedelta(days=366)
"""No rule is known to hold longer ahead than this, so no voucher is moved beyond it."""
CLOSED: Final = {"redeemed": "voucher-used", "cancelled": "voucher-cancelled", "expired": "voucher-expired"}


@dataclass(frozen=True)
class Wanted:
    """What a voucher is to promise: a service under a rule, what it gives, its time; `subject`: the pseudonym of the
    month. `quota`: how many a day and a month the rule gives, 0 without a limit.
    """

    service: str
    rule: str
    gives: str
    begins: datetime
    ends: datetime
    companions: int = 0
    subject: bytes = b""
    proof: str = "qr"
    list_version: int = 0
    any_venue: bool = False
    quota: tuple[int, int] = (0, 0)


@transaction.atomic
def issue(wanted: Wanted, post: Post, *, request_id: UUID, at: datetime) -> Voucher:
    """Issue a voucher at a post (发放凭证). Its code is good online at once; its signed form is in `payload` as soon as
    a worker has signed it. `Refusal("quota-used")`. Raises `Replayed` for a repeat.
    """
    with seeing_all(connection):
        _within_quota(wanted, post, at)
        row = _begin(_new(wanted, post, at), request_id, at)
        _log(row, "issue", request_id, at, proof=wanted.proof, list_version=wanted.list_version)
    return row


@transaction.atomic
def redeem(code: bytes, post: Post, *, request_id: UUID, at: datetime) -> Voucher:
    """Redeem a voucher at a post (核销): at most once, whoever else tries at the same moment. The caller sees the
    whole nation (`core.scope`), for a voucher may be of a gate of another office.

    `Refusal`: `voucher-unknown`, `voucher-used` (with the place and time of its use), `voucher-cancelled`,
    `voucher-expired`, `voucher-not-yet`, `voucher-elsewhere`. Raises `Replayed` for a repeat.
    """
    row = _open(code, post, request_id, at)
    new = _line(row, "redeem", OWN + row.own, at, gate=post.gate_id, venue=post.venue,  # type: ignore[attr-defined]
                proof="voucher")
    storing.keep_use(new, row, post.area_id, None, request_id=request_id, at=at)
    row.state, row.version = "redeemed", row.version + 1
    return row


@transaction.atomic
def redeem_signed(line: Signed, payload: bytes | None = None, *, at: datetime) -> Voucher:
    """Redeem by the event that a gate signed (联网核销): kept as its log has it; what it uploads later is known. The
    caller sees the whole nation.

    `payload`: the signed voucher that was read, of one that another gate issued and has not told of yet. A repeat of
    the same event answers the same. `Refusal`: as `redeem`, `voucher-unsigned`, `gate-unknown`, `gate-shut-out`,
    `post-unknown`, `event-refused` (also for a number under which the gate signed something else already).
    """
    new = _believed(line)
    event, request_id = new.event, UUID(bytes=new.digest[:16])
    storing.lock_gates([event.gate])
    known = storing.known({event.gate: {event.seq}})
    if new.digest in known:
        return Voucher.objects.get(code=event.voucher)
    if known:
        raise Refusal("event-refused", why="gate-forked")
    if payload is not None:
        _admit(payload, event.voucher, at)
    gate = Device.objects.get(pk=event.gate)
    post = Post(gate=gate, area_id=gate.area_id, operator=event.operator, venue=event.venue, services=[event.service])
    row = _open(event.voucher, post, request_id, at)
    uploading.note_keys([event.gate])
    storing.keep_use(new, row, gate.area_id, bytes(gate.key_id or b""), request_id=request_id, at=at)
    row.state, row.version = "redeemed", row.version + 1
    return row


@transaction.atomic
def cancel(voucher: Voucher, why: str, *, by: Actor, request_id: UUID, at: datetime) -> Voucher:
    """Cancel a voucher that was not used (作废). A use that a gate brings later outranks it.

    `Refusal`: `not-permitted`, `not-found`, `reason-missing`, `step-not-open`.
    """
    if not why.strip():
        raise Refusal("reason-missing")
    storing.lock_codes([bytes(voucher.code)])
    row = perform(voucher, "cancel", by=by, request_id=request_id, at=at, reason=why)
    _log(row, "cancel", request_id, at)
    return row


@transaction.atomic
def transfer(voucher: Voucher, begins: datetime, ends: datetime, *, by: Actor, request_id: UUID,
             at: datetime) -> Voucher:
    """Give a voucher of another time for one that was not used (改期); the old one is cancelled. Returns the new one.

    `Refusal`: as `cancel`, `voucher-expired` for a time that is over, `voucher-outside-hours` for one at which its rule
    gives nothing. Raises `Replayed` for a repeat.
    """
    begins, ends = (moment.replace(microsecond=0) for moment in (begins, ends))
    if ends <= begins or ends <= at:
        raise Refusal("voucher-expired")
    if ends > at + FARTHEST or not _given_then(voucher, begins, ends):
        raise Refusal("voucher-outside-hours")
    storing.lock_codes([bytes(voucher.code)])
    (old,) = lock(voucher)
    if not replayed(request_id, Voucher.kind()):
        Voucher.workflow.step(old.state, "cancel")
    row = _copy(old, begins=begins, ends=ends, companions=old.companions, instead_of=old)
    new = _begin(row, request_id, at, by=by)
    _log(new, "issue", request_id, at)
    old = perform(old, "cancel", by=by, request_id=sub(request_id, "old"), at=at, moved_to=new.pk)
    _log(old, "cancel", request_id, at)
    return new


@transaction.atomic
def companion(voucher: Voucher, *, by: Actor, request_id: UUID, at: datetime) -> Voucher:
    """Give a companion a voucher of their own beside the holder's (陪同凭证), at most as many as that one says. It
    bears no pseudonym, so that it counts for nobody's quota. From then on the holder's says one fewer, and is signed
    anew: nobody passes twice, whose voucher is moved or not.

    `Refusal`: `not-permitted`, `not-found`, `voucher-used` and the like for one that is not open, `voucher-companions`.
    Raises `Replayed` for a repeat.
    """
    if not by.may(MANAGE):
        raise Refusal("not-permitted", permission=MANAGE)
    storing.lock_codes([bytes(voucher.code)])
    (main,) = lock(voucher)
    if not by.sees(main.area_id):
        raise Refusal("not-found")
    if event := replayed(request_id, Voucher.kind()):
        raise Replayed(event)
    if main.state in CLOSED or main.ends <= at:
        raise Refusal(CLOSED.get(main.state, "voucher-expired"))
    if not main.companions:
        raise Refusal("voucher-companions")
    main.companions, main.payload = main.companions - 1, None
    main.save(update_fields=["companions", "payload"])
    later("gates.sign_voucher", voucher_id=main.pk)
    beside = Voucher.objects.filter(beside=main).count()
    row = _copy(main, begins=main.begins, ends=main.ends, beside=main, nth=beside + 1, subject=b"")
    row = _begin(row, request_id, at, by=by)
    _log(row, "issue", request_id, at)
    return row


@transaction.atomic
def companion_at(post: Post, code: bytes, payload: bytes | None = None, *, request_id: UUID, at: datetime) -> Voucher:
    """Give a companion a voucher at the gate where the holder's is shown. The caller sees the whole nation.

    `payload`: the signed voucher that was read, of one of which its gate has not told yet. `Refusal`: as `companion`,
    `voucher-unknown`, `voucher-unsigned`, `voucher-elsewhere`. Raises `Replayed` for a repeat.
    """
    if payload is not None:
        _admit(payload, code, at)
    row = queries.by_code(code)
    here = row.operator == post.operator and row.venue in ("", post.venue)
    if not here or (post.services and row.service not in post.services):
        raise Refusal("voucher-elsewhere")
    return companion(row, by=GATES, request_id=request_id, at=at)


def expire(*, at: datetime) -> int:
    """End the vouchers whose time is over (过期); their number. Each group is a transaction of its own."""
    ended = 0
    while True:
        with transaction.atomic():
            over = Voucher.objects.filter(state="issued", ends__lte=at).order_by("ends").select_for_update(
                skip_locked=True)[:TOGETHER]
            rows = list(over)
            for row in rows:
                perform(row, "expire", by=GATES, request_id=sub(UUID(int=row.pk), "expire"), at=at)
        ended += len(rows)
        if len(rows) < TOGETHER:
            return ended


def _within_quota(wanted: Wanted, post: Post, at: datetime) -> None:
    """Two posts at which one person stands at the same moment wait for each other."""
    if not any(wanted.quota) or not wanted.subject:
        return
    storing.lock_codes([wanted.subject])
    used = queries.used(post.operator, wanted.subject, at=at).get(wanted.rule, Used())
    for limit, spent in zip(wanted.quota, used, strict=True):
        if limit and spent >= limit:
            raise Refusal("quota-used", rule=wanted.rule, limit=limit)


def _new(wanted: Wanted, post: Post, at: datetime) -> Voucher:
    begins, ends = (moment.replace(microsecond=0) for moment in (wanted.begins, wanted.ends))
    promise = Promise(secrets.token_bytes(CODE_SIZE), post.operator, "" if wanted.any_venue else post.venue,
                      wanted.service, wanted.rule, wanted.gives, wanted.companions, begins, ends)
    if promise.ends <= at:
        raise Refusal("voucher-expired")
    return Voucher(province=province_of(post.area_id), area=post.area_id, gate_id=post.gate_id,
                   subject=wanted.subject, **fields_of(promise))


def fields_of(promise: Promise) -> dict[str, object]:
    """The fields of a voucher's row that its signed form tells."""
    names = ("code", "operator", "venue", "service", "rule", "gives", "companions", "begins", "ends")
    return {name: getattr(promise, name) for name in names}


def _copy(old: Voucher, **also: object) -> Voucher:
    return Voucher(**{"province": old.province, "area": old.area, "gate_id": old.gate_id, "operator": old.operator,
                      "venue": old.venue, "service": old.service, "rule": old.rule, "gives": old.gives,
                      "subject": bytes(old.subject), "code": secrets.token_bytes(CODE_SIZE), **also})


def _given_then(row: Voucher, begins: datetime, ends: datetime) -> bool:
    """Whether its rule gives at that time; one that no file has any more keeps what it promised."""
    operator = queries.operators().get(row.operator)
    rule = operator and next((one for one in operator.book.rules if one.id == row.rule), None)
    return not operator or not rule or rules.gives_throughout(operator.book, rule, begins, ends)


def _begin(row: Voucher, request_id: UUID, at: datetime, *, by: Actor = GATES) -> Voucher:
    row = begin(row, "issue", MANAGE, by=by, request_id=request_id, at=at, gate=row.gate_id)
    later("gates.sign_voucher", voucher_id=row.pk)
    return row


def _open(code: bytes, post: Post, request_id: UUID, at: datetime) -> Voucher:
    """The voucher, locked, if it may be redeemed here and now."""
    row = storing.hold(code) if code else None
    if row is None:
        raise Refusal("voucher-unknown")
    if row.state != "issued" and (event := replayed(sub(request_id, row.pk), Voucher.kind(), row.pk)):
        raise Replayed(event)
    if row.state in CLOSED:
        raise Refusal(CLOSED[row.state], **_used(row))
    if post.services and row.service not in post.services:
        raise Refusal("voucher-elsewhere")
    promise = Promise(bytes(row.code), row.operator, row.venue, row.service, row.rule, row.gives, row.companions,
                      row.begins, row.ends)
    try:
        promise.check(operator=post.operator, venue=post.venue, service=row.service, at=at)
    except BadVoucher as bad:
        raise Refusal(bad.code) from None
    return row


def _used(row: Voucher) -> dict[str, str]:
    """When and at which gate it was used, for who holds it in the hand."""
    use = Visit.objects.filter(voucher=row.code, kind="redeem", counted=True).select_related("gate").first()
    return {"gate": use.gate.name, "at": use.at.isoformat()} if use else {}


def _believed(line: Signed) -> New:
    """The event of one line, if it is a use that its gate signed."""
    try:
        gate, _ = line.place()
    except BadEvent as bad:
        raise Refusal("event-refused", why=bad.code) from None
    found = merging.sort_out([line], (), uploading.gates([gate]))
    for code in found.refused:
        if code.startswith("event-"):
            raise Refusal("event-refused", why=code)
        raise Refusal(code)
    (new,) = found.fresh
    if new.event.kind != "redeem" or new.event.seq >= OWN:
        raise Refusal("event-refused", why="event-value")
    return new


def _admit(payload: bytes, code: bytes, at: datetime) -> None:
    """Enter a voucher of which nothing was told yet by its signed form; a gate that is shut out vouches for none."""
    if Voucher.objects.filter(code=code).exists():
        return
    try:
        sealed = vouchers.decode(payload)
        row = Device.objects.filter(key_id=sealed.key_id, sort="gate", state="active").first()
        good = (row is not None and sealed.voucher.code == code and row.suite == sealed.suite
                and SUITES[row.suite].public_key(bytes(row.public or b"")).verify(sealed.signed, sealed.signature))
    except ValueError:
        row, good = None, False
    if row is None or not good:
        raise Refusal("voucher-unsigned")
    begin(Voucher(province=province_of(row.area_id), area=row.area_id, gate=row, payload=b"",
                  **fields_of(sealed.voucher)), "issue", MANAGE, by=GATES, at=at,
          request_id=UUID(bytes=hashlib.sha256(payload).digest()[:16]), gate=row.pk)


def _log(row: Voucher, kind: str, request_id: UUID, at: datetime, **also: Any) -> None:
    """Write the platform's own line into the log of the voucher's gate; a worker signs it."""
    new = _line(row, kind, OWN + next_own(), at, **also)
    with seeing_all(connection):  # its other events may be of gates of another office
        storing.store([new], request_id=sub(request_id, kind), at=at)


def _line(row: Voucher, kind: str, seq: int, at: datetime, **also: Any) -> New:
    told: dict[str, Any] = {"gate": row.gate_id, "venue": row.venue} | also
    if kind == "issue":
        told |= {"begins": row.begins, "ends": row.ends, "subject": bytes(row.subject)}
    event = Event(seq=seq, kind=kind, at=at.replace(microsecond=0), operator=row.operator, service=row.service,
                  rule=row.rule, gives=row.gives, companions=row.companions, voucher=bytes(row.code), **told)
    line = Signed(gatelog.write(event), b"")
    return New(event, line, line.digest)


def next_own() -> int:
    """The next of the platform's own numbers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('gates_own_events')")
        return int(cursor.fetchone()[0])
