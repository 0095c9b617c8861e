"""What the platform does in a ceremony, in the key store and after it: each step once, whatever is killed in between.

Step 1: components are drawn and lie sealed, one at each seat; nothing is in the key store.
Step 2: enough custodians did their part; the store does what was asked for, and what it did is written down.
Step 3: what is written down is signed.
A step that was killed is begun again: what the store has done already is found there and taken for done.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from zhengka.core.actors import SYSTEM, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import lock, perform, sub
from zhengka.core.models import Event
from zhengka.formats.suites import SUITES
from zhengka.keys import queries, rules, transcript
from zhengka.keys.models import Ceremony, Custodian, Key
from zhengka.keys.services import custody, tree
from zhengka.keys.services.opening import missing, store
from zhengka.keys.services.working import Signer, ensure_one
from zhengka.keys.store import KeyInfo, KeyStoreError, LabelTaken, NoSuchKey, WrongComponents, WrongWrapped
from zhengka.keys.workflow import CARRY_OUT, MANAGE


def carry_on(ceremony_id: int, *, at: datetime) -> Ceremony:
    """Do what is the platform's to do now; called twice, or again after a kill, it does each step once.

    Called outside every transaction, since it signs. `Refusal("key-store-fails")` where the store does not answer.
    """
    for state, step in (("opened", _gather), ("finishing", _record), ("recorded", _sign)):
        if Ceremony.get(ceremony_id).state == state:
            step(ceremony_id, at)
    return Ceremony.get(ceremony_id)


def give_up(ceremony_id: int) -> None:
    """Say on the ceremony's page that the key store failed at every try; who leads may ask again, or cancel."""
    Ceremony.objects.filter(pk=ceremony_id, state__in=("opened", "finishing", "recorded")).update(
        problem="key-store-fails")


def tidy(ceremony_id: int) -> None:
    """Take away what a cancelled ceremony left in the key store: a key that was killed between store and row."""
    row = Ceremony.get(ceremony_id)
    if row.state != "cancelled" or not (row.draws or row.aim == "import"):
        return
    with transaction.atomic():
        lock(row)
        if Key.objects.filter(label=row.label).exists():
            return
        try:
            if store().describe(row.label).check_value == row.check_value:
                store().destroy(row.label)
        except NoSuchKey:
            return


@transaction.atomic
def _gather(ceremony_id: int, at: datetime) -> None:
    """Step 1: nothing that could be lost is made before the components are written down."""
    (row,) = lock(Ceremony(pk=ceremony_id))
    if row.state != "opened":
        return
    also: dict[str, Any] = {"problem": ""}
    if row.draws:
        with missing(row.label):
            also["check_value"], drawn = store().draw(
                suite=row.suite, usage=rules.LIVES[row.purpose].usage, needed=row.needed, among=row.among)
        for seat, share in zip(row.seats.order_by("number"), drawn, strict=True):
            seat.check_value = share.check_value
            seat.component = custody.seal(seat, share)
            seat.save(update_fields=["component", "check_value"])
    begun, by = _leader(row)
    perform(row, "gather", also, by=by, request_id=sub(begun, "gather"), at=at, label=row.label)


def _record(ceremony_id: int, at: datetime) -> None:
    """Step 2; components that give no such key are wiped, and asked for again; so is who agreed to a wrapped key that
    is another one.
    """
    try:
        _do(ceremony_id, at)
    except WrongComponents:
        _reject(ceremony_id, "components-wrong", at)
    except WrongWrapped:
        _reject(ceremony_id, "wrapped-key-wrong", at)
    except KeyStoreError as fault:
        raise Refusal("key-store-fails", ceremony=ceremony_id, fault=type(fault).__name__) from None


@transaction.atomic
def _do(ceremony_id: int, at: datetime) -> None:
    (row,) = lock(Ceremony(pk=ceremony_id))
    if row.state != "finishing":
        return
    begun, by = _leader(row)
    also = {"problem": "", **WORK[row.aim](row, by, at)}
    key: Key = also["key"]
    row.seats.update(component=None)
    also["check_value"] = key.check_value
    for name, value in also.items():
        setattr(row, name, value)
    also["transcript"] = transcript.body(row, key, at)
    perform(row, "record", also, by=by, request_id=sub(begun, "record"), at=at, aim=row.aim, label=key.label,
            check_value=key.check_value, digest=SUITES[row.suite].digest(also["transcript"].encode()).hex(),
            persons=list(row.seats.exclude(done_at=None).order_by("number").values_list("person", flat=True)))


@transaction.atomic
def _reject(ceremony_id: int, problem: str, at: datetime) -> None:
    (row,) = lock(Ceremony(pk=ceremony_id))
    if row.state != "finishing":
        return
    begun, by = _leader(row)
    row.seats.update(component=None, check_value="", done_at=None)
    perform(row, "reject", {"problem": problem}, by=by, request_id=sub(begun, f"reject {row.version}"),
            at=at, label=row.label)


def _sign(ceremony_id: int, at: datetime) -> None:
    """Step 3: the transcript is durable before the signature is asked for (I9)."""
    row = Ceremony.get(ceremony_id)
    ensure_one(rules.TRANSCRIPT, row.area_id, row.suite, at=at)
    key = queries.working(rules.TRANSCRIPT, row.area_id, row.suite, at=at)
    signature = Signer(key.label, key.suite, bytes(key.key_id or b"")).sign(row.transcript.encode())
    with transaction.atomic():
        (row,) = lock(row)
        if row.state == "recorded":
            begun, by = _leader(row)
            perform(row, "sign", {"signature": signature, "signed_by": key.label, "ended_at": at}, by=by,
                    request_id=sub(begun, "sign"), at=at, label=row.label, signed_by=key.label,
                    signature=signature.hex())


def _make(row: Ceremony, by: Actor, at: datetime) -> dict[str, Any]:
    """Generate, rotate, import: the components become a key of the store, and the key a row of the tree."""
    key = tree.new_version(row.purpose, row.place, row.suite, row.slot, at=at, number=row.number)
    key.by_ceremony = True
    tree.described_by(key, _taken_in(row, key.label))
    begun, _by = _leader(row)
    key = tree.enter(key, by=by, request_id=sub(begun, "key"), at=at, activates=row.activates,
                     overlap_until=row.overlap_until)
    for seat in row.seats.exclude(done_at=None) if row.draws or row.collects else ():
        number = custody.unseal(seat).number or seat.number
        Custodian(key=key, province=key.province, area=key.area, number=number, person=seat.person, name=seat.name,
                  check_value=seat.check_value).save()
    return {"key": key}


def _recover(row: Ceremony, _by: Actor, _at: datetime) -> dict[str, Any]:
    """The key is in the store again, the same by its check value."""
    key = _key(row)
    Key.objects.filter(pk=key.pk).update(kept=_taken_in(row, key.label).kept)
    return {"key": key}


def _export(row: Ceremony, _by: Actor, _at: datetime) -> dict[str, Any]:
    """The key under the transport key (传输密钥) of who receives it; a drawn key is drawn for it."""
    key = _key(row)
    label, factors = queries.source(key)
    to = SUITES[row.suite].public_key(bytes(row.transport or b""))
    return {"key": key, "wrapped": store().wrap(label, to, through=factors)}


def _destroy(row: Ceremony, by: Actor, at: datetime) -> dict[str, Any]:
    """The key is in the store no more, and its row stays to say so."""
    (key,) = lock(_key(row))
    begun, _by = _leader(row)
    key = perform(key, "destroy", {"kept": "none"}, by=by, request_id=sub(begun, "key"), at=at, label=key.label)
    if not key.rule:
        try:
            store().destroy(key.label)
        except NoSuchKey:  # this step was killed after the store had done it
            return {"key": key}
    return {"key": key}


def _revoke(row: Ceremony, by: Actor, at: datetime) -> dict[str, Any]:
    """From now on nothing that the key signed is trusted, nor any certificate of it. The key store is not asked:
    this is what is left to do when it was stolen.
    """
    (key,) = lock(_key(row))
    begun, _by = _leader(row)
    key = perform(key, "revoke", {"revoked_at": at}, by=by, request_id=sub(begun, "key"), at=at, label=key.label)
    key.certificates.filter(revoked_at=None).update(revoked_at=at, revoked_by=by.person)
    return {"key": key}


def _retire(row: Ceremony, by: Actor, at: datetime) -> dict[str, Any]:
    """The version makes and reads nothing more, whatever depends on it."""
    begun, _by = _leader(row)
    return {"key": tree.retire(_key(row), by=by, request_id=sub(begun, "key"), at=at)}


WORK: dict[str, Callable[[Ceremony, Actor, datetime], dict[str, Any]]] = {
    "generate": _make, "rotate": _make, "import": _make, "recover": _recover, "export": _export, "destroy": _destroy,
    "revoke": _revoke, "retire": _retire}
"""Kind of ceremony → what is done in the key store, and what the ceremony keeps of it."""


def _taken_in(row: Ceremony, label: str) -> KeyInfo:
    """The key of the components that were brought, in the store under a label; the one that is there already from
    this step before a kill. `WrongComponents`, where they give another one than was told.
    """
    parts = [custody.unseal(seat) for seat in row.seats.exclude(done_at=None).order_by("number")
             if row.draws or row.collects]
    try:
        if row.wrapped is not None:
            return _unwrapped(row, label)
        return store().import_components(
            label, parts, suite=row.suite, usage=rules.LIVES[row.purpose].usage, check_value=row.check_value,
            exportable=row.exportable)
    except LabelTaken:
        info = store().describe(label)
        if info.check_value != row.check_value:
            raise
        return info


def _unwrapped(row: Ceremony, label: str) -> KeyInfo:
    """The key that came wrapped, under the check value that came on another way; `WrongWrapped`."""
    point = SUITES[row.suite].public_key(bytes(row.transport or b""))
    by = Key.objects.get(key_id=point.key_id, purpose=rules.TRANSPORT)
    try:
        return store().unwrap(label, bytes(row.wrapped or b""), by=by.label, suite=row.suite,
                              usage=rules.LIVES[row.purpose].usage, check_value=row.check_value,
                              exportable=row.exportable)
    except ValueError as fault:  # not to this key pair, changed on the way, or no key of this kind
        raise WrongWrapped(str(fault)) from None


def _key(row: Ceremony) -> Key:
    if row.key is None:
        raise ValueError(f"{row} is about a key")
    return row.key


def _leader(row: Ceremony) -> tuple[Any, Actor]:
    """The request by which the ceremony was opened, and who leads it, with what a ceremony's own steps need."""
    event = Event.objects.get(subject=Ceremony.kind(), subject_id=row.pk, version=1)
    return event.request, Actor(event.actor_id, event.actor_name, event.person, frozenset({MANAGE, CARRY_OUT}),
                                SYSTEM.lo, SYSTEM.hi)
