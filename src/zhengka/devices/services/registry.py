"""Devices are registered, paired with a page by a code that a person carries across, stopped and started again."""

import hmac
import secrets
from collections.abc import Container
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction

from zhengka.areas.models import Area
from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin, perform
from zhengka.core.models import province_of
from zhengka.devices.models import Device, Psam, Reading
from zhengka.formats.reading import NONCE, is_pairing
from zhengka.formats.suites import SUITES, MalformedKey, PublicKey

CODE_LIVES: Final = timedelta(minutes=10)
DIGITS: Final = {"reader": 8, "gate": 12}
"""How long a code is. A reader's page names the reader beside it; a gate is found by its code alone."""
STOPPED: Final = "reader-stopped"
"""How a reading ends whose reader is not at work any more."""
ACTIONS: Final = ("start", "stop", "unpair", "retire", "lose")
_NO_KEY: Final = {"suite": "", "public": None, "key_id": None, "code": "", "code_until": None, "nonce": None}


class About(NamedTuple):
    """What is told of a new device."""

    sort: str
    name: str
    place: str
    keeper: str
    number: str = ""


@transaction.atomic
def register(area: Area, about: About, *, by: Actor, request_id: UUID, at: datetime) -> Device:
    """Enter a device of an office (登记). A reader then waits to be paired. `Refusal`: `not-permitted`, `not-found`,
    `device-name-taken`. Raises `Replayed` for a repeat.
    """
    if not by.may("device.manage"):
        raise Refusal("not-permitted", permission="device.manage")
    if not by.sees(area.code):
        raise Refusal("not-found")
    row = Device(province=province_of(area.code), area=area, registered_at=at, **about._asdict())
    try:
        with transaction.atomic():
            return begin(row, "register", "device.manage", by=by, request_id=request_id, at=at, sort=about.sort)
    except IntegrityError as fault:
        if "device_name_once" in str(fault):
            raise Refusal("device-name-taken") from None
        raise


@transaction.atomic
def new_code(device: Device, *, by: Actor, at: datetime) -> Device:
    """A fresh code for the page to show and a nonce for the reader to sign; an earlier code is void.

    `Refusal`: `not-permitted`, `not-found`, `step-not-open` for what is no reader or gate that waits.
    """
    _may_pair(device, by, DIGITS)
    digits = DIGITS[device.sort]
    row = Device.objects.select_for_update(of=("self",)).get(pk=device.pk)
    Device.workflow.step(row.state, "pair")
    row.code, row.code_until = f"{secrets.randbelow(10**digits):0{digits}d}", at + CODE_LIVES
    row.nonce = secrets.token_bytes(NONCE)
    row.save(update_fields=["code", "code_until", "nonce"])
    return row


class Paired(NamedTuple):
    """What a reader says when it is paired: its suite and key, the code that was typed in there, its signature."""

    suite: str
    point: bytes
    code: str
    signature: bytes


@transaction.atomic
def pair(device: Device, told: Paired, origin: str, *, by: Actor, request_id: UUID, at: datetime) -> Device:
    """Take the key of a reader (配对): the code was carried to it by hand, and it signed what we asked.

    `origin`: the address of our site as the reader's page has it. `Refusal`: `not-permitted`, `not-found`,
    `step-not-open`, `pairing-failed` for a wrong or late code or signature, `device-key-taken`.
    """
    _may_pair(device, by, ("reader",))
    public = _public(told)
    row = Device.objects.select_for_update(of=("self",)).get(pk=device.pk)
    fresh = bool(row.code) and row.code_until is not None and at <= row.code_until and row.nonce is not None
    right = fresh and hmac.compare_digest(row.code.encode(), told.code.encode()) and is_pairing(
        public, told.signature, nonce=bytes(row.nonce or b""), code=row.code, origin=origin)
    if not right:
        raise Refusal("pairing-failed")
    return _take_key(row, public, by=by, request_id=request_id, at=at)


GATE: Final = Actor(None, "gate", "gate", frozenset({"device.use"}), *WHOLE_NATION)
"""Who pairs a gate, in its events: whoever holds it, by a code that an officer of its office has just made."""


@transaction.atomic
def pair_gate(told: Paired, origin: str, *, request_id: UUID, at: datetime) -> Device:
    """Take the key of a gate (闸机配对), which is found by the code that was typed in there and signs it.

    A gate has no page beside it that could carry a nonce to it: its code is longer, and holds once. The caller lets one
    visitor try few of them. `Refusal`: `gate-pairing-failed`, `device-key-taken`. Raises `Replayed` for a repeat.
    """
    try:
        public = _public(told)
    except Refusal:
        raise Refusal("gate-pairing-failed") from None
    row = Device.objects.select_for_update(of=("self",)).filter(sort="gate", code=told.code or "-").first()
    fresh = row is not None and row.code_until is not None and at <= row.code_until
    if row is None or not fresh or not is_pairing(public, told.signature, nonce=b"", code=row.code, origin=origin):
        raise Refusal("gate-pairing-failed")
    return _take_key(row, public, by=GATE, request_id=request_id, at=at)


def _take_key(row: Device, public: PublicKey, *, by: Actor, request_id: UUID, at: datetime) -> Device:
    also = {"suite": public.suite, "public": public.point, "key_id": public.key_id, "code": "", "code_until": None,
            "nonce": None, "seen_at": at}
    try:
        with transaction.atomic():
            return perform(row, "pair", also, by=by, request_id=request_id, at=at, key=public.key_id.hex())
    except IntegrityError as fault:
        if "device_key_once" in str(fault):
            raise Refusal("device-key-taken") from None
        raise


@transaction.atomic
def change(device: Device, action: str, *, by: Actor, request_id: UUID, at: datetime) -> Device:
    """Start, stop, unpair, retire a device, or report it lost (启用, 停用, 解除配对, 报废, 报失).

    What is not at work is not believed, and its open readings end with it as `reader-stopped`; what is unpaired forgets
    its key, keeps its module, and waits for a new code.

    A module must have been taken off one that goes for good: `Refusal("device-has-module")`.
    """
    if action not in ACTIONS:
        raise Refusal("step-not-open", action=action)
    if action in ("retire", "lose") and Psam.objects.filter(reader=device).exists():
        raise Refusal("device-has-module")
    running = Reading.objects.filter(reader=device, outcome="").select_for_update(of=("self",))
    list(running.order_by("pk"))  # readings before their device, as a step takes them
    row = perform(device, action, _NO_KEY if action == "unpair" else {}, by=by, request_id=request_id, at=at)
    if row.state != "active":
        Reading.objects.filter(reader=row, outcome="").update(outcome=STOPPED, ended_at=at, seed=None)
    return row


def _may_pair(device: Device, by: Actor, sorts: Container[str]) -> None:
    if not by.may("device.use"):
        raise Refusal("not-permitted", permission="device.use")
    if not by.sees(device.area_id):
        raise Refusal("not-found")
    if device.sort not in sorts:
        raise Refusal("step-not-open", sort=device.sort, action="pair")


def _public(told: Paired) -> PublicKey:
    try:
        return SUITES[told.suite].public_key(told.point)
    except (KeyError, MalformedKey):
        raise Refusal("pairing-failed") from None
