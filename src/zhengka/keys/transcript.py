"""The transcript of a ceremony (仪式记录): what was done, by whom, when, with which check values, and no secret."""

import json
from datetime import datetime
from typing import Any, Final

from zhengka.core.models import Event
from zhengka.formats.suites import SUITES
from zhengka.keys.models import Ceremony, Key

FORMAT: Final = "zhengka-key-ceremony/1"


def body(row: Ceremony, key: Key, at: datetime) -> str:
    """What is signed: JSON in one form (sorted names, no spaces), so that a reader can make the same bytes again."""
    seats = [{"number": seat.number, "person": seat.person, "name": seat.name,
              "component_check_value": seat.check_value, "done_at": seat.done_at.isoformat()}
             for seat in row.seats.exclude(done_at=None).order_by("number") if seat.done_at]
    events = Event.objects.filter(subject=Ceremony.kind(), subject_id=row.pk).order_by("version")
    told: dict[str, Any] = {
        "format": FORMAT, "ceremony": row.pk, "kind": row.aim, "office": row.area_id, "recorded_at": at.isoformat(),
        "led_by": {"person": row.led_by, "name": row.led_by_name}, "custodians": seats,
        "key": {"label": key.label, "purpose": key.purpose, "slot": key.slot, "suite": key.suite, "place": key.area,
                "state": key.state, "kept": key.kept, "check_value": key.check_value},
        "needed": row.needed, "among": row.among,
        "events": [{"action": event.action, "person": event.person, "at": event.at.isoformat()} for event in events]}
    if row.reason:
        told["reason"] = row.reason
    if row.wrapped:
        digest = SUITES[row.suite].digest(bytes(row.wrapped)).hex()
        told[row.aim] = {"to": SUITES[row.suite].public_key(bytes(row.transport or b"")).key_id.hex(),
                          "digest": digest}
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def is_signed(row: Ceremony, key: Key) -> bool:
    """True where the transcript carries the signature of this key."""
    if row.signature is None or key.public is None:
        return False
    public = SUITES[key.suite].public_key(bytes(key.public))
    return public.verify(row.transcript.encode(), bytes(row.signature))
