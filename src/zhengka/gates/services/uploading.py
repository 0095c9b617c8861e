"""Gates send their logs, late, in any order, as often as they like (日志上传): the same set comes to the same state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from zhengka.core.errors import Refusal
from zhengka.core.scope import seeing_all
from zhengka.devices.models import Device
from zhengka.formats import gatelog
from zhengka.formats.gatelog import BadEvent
from zhengka.formats.suites import SUITES
from zhengka.gates import merging
from zhengka.gates.merging import Gate, New, Sorted
from zhengka.gates.models import GateKey, Post, Upload
from zhengka.gates.services import storing
from zhengka.gates.services.storing import Found


@dataclass(frozen=True)
class Merged:
    """What an upload brought: new events, known ones, refused lines by code; double uses and forks that it shows."""

    fresh: int = 0
    repeats: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    doubles: list[Found] = field(default_factory=list)
    forks: list[tuple[int, int]] = field(default_factory=list)


@transaction.atomic
def merge(upload: bytes, *, carrier: Device, at: datetime) -> Merged:
    """Take in lines of gates' logs that the gate `carrier` sent: its own, or those of a gate beside it that has no
    network. Every line stands for itself: one that is refused holds up no other one.

    `Refusal`: `gate-shut-out` where the carrier is not at work, `upload-too-long`.
    """
    if carrier.state != "active":
        raise Refusal("gate-shut-out", gate=carrier.name, state=carrier.state)
    try:
        lines = gatelog.from_lines(upload)
    except BadEvent as bad:
        raise Refusal(bad.code) from None
    with seeing_all(connection):
        named = merging.places(lines)
        found = merging.sort_out(lines, storing.known(named), gates(named))
        found, kept = _keep(_own_numbers(found), at)
        Upload.objects.create(area=carrier.area_id, gate=carrier, at=at, lines=len(lines), fresh=len(found.fresh),
                              repeats=found.repeats, refused=dict(found.refused))
        Device.objects.filter(pk=carrier.pk).update(seen_at=at)
    return Merged(len(found.fresh), found.repeats, found.refused, kept.doubles, kept.forks)


def gates(ids: Iterable[int]) -> dict[int, Gate]:
    """What is known of these gates: a gate that is not at work is believed in nothing, whenever it says it happened.

    Who has a lost gate has its key and its clock: an event of "before" is as easily signed as one of today. What had
    arrived before the gate was shut out stays; what had not is lost with it, and its numbers show how much that was.
    """
    wanted = list(ids)
    at: dict[int, set[tuple[str, str]]] = {}
    for gate, operator, venue in Post.objects.filter(gate__in=wanted).values_list("gate_id", "operator", "venue"):
        at.setdefault(gate, set()).add((operator, venue))
    return {row.pk: _gate(row, frozenset(at.get(row.pk, ())))
            for row in Device.objects.filter(pk__in=wanted, sort="gate")}


def _gate(row: Device, places: frozenset[tuple[str, str]]) -> Gate:
    if row.state in ("stopped", "retired", "lost"):
        return Gate(None, places, "gate-shut-out")
    if row.public is None:
        return Gate(None, places, "gate-unknown")
    return Gate(SUITES[row.suite].public_key(bytes(row.public)), places)


def _own_numbers(found: Sorted) -> Sorted:
    """Without events under numbers that the platform keeps for itself."""
    good = [new for new in found.fresh if new.event.seq < storing.OWN]
    if bad := len(found.fresh) - len(good):
        return replace(found, fresh=good, refused={**found.refused, "event-value": found.refused.get(
            "event-value", 0) + bad})
    return found


def _keep(found: Sorted, at: datetime) -> tuple[Sorted, storing.Kept]:
    """Keep what is new. Signatures were checked before anybody had to wait; who was quicker is seen now."""
    if not found.fresh:
        return found, storing.Kept()
    named: dict[int, set[int]] = {}
    for new in found.fresh:
        named.setdefault(new.event.gate, set()).add(new.event.seq)
    storing.lock_gates(named)
    storing.lock_codes(new.event.voucher for new in found.fresh)
    meanwhile = storing.known(named)
    fresh = [new for new in found.fresh if new.digest not in meanwhile]
    note_keys(named)
    kept = storing.store(fresh, request_id=_request(fresh), at=at)
    return replace(found, fresh=fresh, repeats=found.repeats + len(found.fresh) - len(fresh)), kept


def note_keys(ids: Iterable[int]) -> None:
    """Keep the public keys of these gates for those who check what they signed later."""
    rows = Device.objects.filter(pk__in=list(ids), public__isnull=False)
    GateKey.objects.bulk_create([GateKey(area=row.area_id, gate=row, key_id=row.key_id, suite=row.suite,
                                         public=row.public) for row in rows], ignore_conflicts=True)


def _request(fresh: list[New]) -> UUID:
    """The request of new events is the events themselves: they can be kept only once."""
    return UUID(bytes=min((new.digest for new in fresh), default=bytes(16))[:16])
