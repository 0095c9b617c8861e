"""Security modules (PSAM): issued, initialised, bound to a reader and its place, every use counted, recalled, lost."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin, lock, perform
from zhengka.core.models import new_ids, province_of
from zhengka.devices.models import Device, Psam, Reading

PERMISSION = "device.keys"


@transaction.atomic
def issue(area: Area, form: str, suite: str, *, by: Actor, request_id: UUID, at: datetime) -> Psam:
    """Issue a module to an office (发放). `Refusal`: `not-permitted`, `not-found`. Raises `Replayed` for a repeat."""
    if not by.may(PERMISSION):
        raise Refusal("not-permitted", permission=PERMISSION)
    if not by.sees(area.code):
        raise Refusal("not-found")
    pk = new_ids(Psam, province_of(area.code))[0]
    row = Psam(id=pk, province=province_of(area.code), area=area, form=form, suite=suite, issued_at=at,
               number=f"{area.code // 10**6:06d}{pk % 10**10:010d}")
    return begin(row, "issue", PERMISSION, by=by, request_id=request_id, at=at, module=form, suite=suite)


@transaction.atomic
def initialise(module: Psam, check_value: str, *, by: Actor, request_id: UUID, at: datetime) -> Psam:
    """Note from which masters the module draws (初始化), by their check values: the keys stay in the store."""
    return perform(module, "initialise", {"check_value": check_value}, by=by, request_id=request_id, at=at,
                   check_value=check_value)


@transaction.atomic
def bind(module: Psam, reader: Device, *, by: Actor, request_id: UUID, at: datetime) -> Psam:
    """Let the module answer for a reader at its place (绑定), and for no other.

    `Refusal`: `not-found` for another office's reader, `device-has-module`, `device-unfit` for what is no reader at
    work, and those of `perform`.
    """
    (reader,), (module,) = lock(reader), lock(module)  # in the order in which `lock` itself takes them
    if not by.sees(reader.area_id):
        raise Refusal("not-found")
    if reader.sort not in ("reader", "gate") or reader.state in reader.workflow.final:
        raise Refusal("device-unfit", state=reader.state)
    if Psam.objects.filter(reader=reader).exclude(pk=module.pk).exists():
        raise Refusal("device-has-module")
    return perform(module, "bind", {"reader": reader}, by=by, request_id=request_id, at=at, reader=reader.pk,
                   place=reader.place)


@transaction.atomic
def unbind(module: Psam, *, by: Actor, request_id: UUID, at: datetime) -> Psam:
    """Take the module off its reader (解绑)."""
    return perform(module, "unbind", {"reader": None}, by=by, request_id=request_id, at=at, reader=module.reader_id)


@transaction.atomic
def recall(module: Psam, *, by: Actor, request_id: UUID, at: datetime) -> Psam:
    """Take the module back for good (收回)."""
    return perform(module, "recall", {"reader": None}, by=by, request_id=request_id, at=at, uses=module.uses)


@transaction.atomic
def lose_module(module: Psam, *, by: Actor, request_id: UUID, at: datetime) -> Psam:
    """The module is lost (报失): it never answers again."""
    return perform(module, "lose", {"reader": None}, by=by, request_id=request_id, at=at, uses=module.uses)


@transaction.atomic
def admit(number: str, suite: str, uses: int, *, by: Actor, at: datetime) -> Psam:
    """The module of chip kind with this number, if it may answer: bound to a reader of the actor's area. `uses`: the
    answers that it counted itself, which are taken over.

    `Refusal`: `psam-missing` for every other one, also where it was recalled or lost; `psam-behind` for one that counts
    fewer answers than are known of it: it is a copy, or was put back.
    """
    module = Psam.objects.select_for_update(of=("self",)).filter(
        number=number, form="chip", suite=suite, state="bound", area__code__range=(by.lo, by.hi)).first()
    if module is None or module.reader is None or module.reader.state in module.reader.workflow.final:
        raise Refusal("psam-missing")
    if uses < module.uses:
        raise Refusal("psam-behind", number=number)
    if uses > module.uses:
        Psam.objects.filter(pk=module.pk).update(uses=uses, used_at=at)
        module.refresh_from_db()
    return module


@transaction.atomic
def count_use(reading: Reading, suite: str, *, at: datetime) -> Psam:
    """Count that the key store is about to answer for the module of a reading's reader (I9), and give the module.

    Once for each reading: a repeat of its steps gives the same answers. A module that is a chip counts its own answers
    (`admit`), and those that it has no keys for are counted beside. `Refusal("psam-missing")` where the reader has none
    that works in this suite: an answer by another cipher would cost the card one of its tries.
    """
    module = Psam.objects.select_for_update(of=("self",)).filter(
        reader=reading.reader_id, state="bound", suite=suite).first()
    if module is None:
        raise Refusal("psam-missing")
    first = Reading.objects.filter(pk=reading.pk, answers=0).update(answers=1)
    if first:
        counter = "stored" if module.form == "chip" else "uses"
        Psam.objects.filter(pk=module.pk).update(**{counter: F(counter) + 1}, used_at=at)
    module.refresh_from_db()
    return module
