"""What may be read about devices, modules and readings."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Count, QuerySet

from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.scope import seeing_all
from zhengka.devices.models import Device, Psam, Reading
from zhengka.formats.suites import SUITES, PublicKey

QUIET: Final = timedelta(days=7)
"""A reader that was not seen for so long is asked after."""


def devices(*, actor: Actor) -> QuerySet[Device]:
    """The devices of the actor's area, by office and name."""
    return Device.objects.filter(area__code__range=(actor.lo, actor.hi)).select_related("area").order_by("area", "pk")


def device(pk: int, *, actor: Actor) -> Device:
    """A device of the actor's area; `Refusal("not-found")`."""
    for row in devices(actor=actor).filter(pk=pk):
        return row
    raise Refusal("not-found")


def ready(*, actor: Actor) -> QuerySet[Device]:
    """The paired readers at work in the actor's area."""
    return devices(actor=actor).filter(state="active", sort="reader")


def by_key(key_id: bytes, *, actor: Actor) -> Device:
    """The reader that signs with this key; `Refusal("device-unknown")` where the area has none."""
    for row in devices(actor=actor).filter(key_id=key_id):
        return row
    raise Refusal("device-unknown")


def printer(queue: str, *, beside: Device) -> Device:
    """The printer at work that is entered under the name of its print queue, at the office of the reader `beside`.

    `Refusal`: `printer-unknown`, `printer-stopped`.
    """
    for row in Device.objects.filter(sort="printer", name=queue, area=beside.area_id):
        if row.state != "active":
            raise Refusal("printer-stopped", printer=queue, state=row.state)
        return row
    raise Refusal("printer-unknown", printer=queue)


def key_of(reader: Device) -> PublicKey:
    """What the reader's words are checked by; `Refusal("device-unpaired")`."""
    if reader.public is None:
        raise Refusal("device-unpaired")
    return SUITES[reader.suite].public_key(bytes(reader.public))


def believed(key: bytes) -> None:
    """That nothing speaks against a public key (65 bytes) by which something is to be made or was: it is nobody's here,
    such as a card maker's own, or that of a device at work.

    `Refusal("device-stopped")` for the key of a device that was stopped, lost or retired (远程停用).
    """
    for row in Device.objects.filter(public=key).exclude(state="active"):
        raise Refusal("device-stopped", device=row.name, state=row.state)


def is_device(key: bytes) -> bool:
    """Whether a public key (65 bytes) is that of a device, whatever its state."""
    return Device.objects.filter(public=key).exists()


def modules(*, actor: Actor) -> QuerySet[Psam]:
    """The security modules of the actor's area, the newest first."""
    return Psam.objects.filter(area__code__range=(actor.lo, actor.hi)).select_related("area", "reader").order_by("-pk")


def has_chip_module(reader: int, suite: str) -> bool:
    """Whether the security module of this reader (its row's key) is a chip in a second slot."""
    return Psam.objects.filter(reader=reader, state="bound", form="chip", suite=suite).exists()


def chip_modules(office: Area) -> QuerySet[Psam]:
    """The modules of chip kind that are bound to readers and gates at work of an office and of those below it."""
    return Psam.objects.filter(form="chip", state="bound", reader__state="active",
                               area__code__range=(office.code, office.last)).order_by("number")


def module(pk: int, *, actor: Actor) -> Psam:
    """A security module of the actor's area; `Refusal("not-found")`."""
    for row in modules(actor=actor).filter(pk=pk):
        return row
    raise Refusal("not-found")


def module_by_number(number: str, *, actor: Actor) -> Psam:
    """A security module of the actor's area by its 16-digit number; `Refusal("not-found")`."""
    for row in modules(actor=actor).filter(number=number):
        return row
    raise Refusal("not-found")


def reading(pk: int, *, actor: Actor) -> Reading:
    """A reading that the actor began; `Refusal("not-found")` for everybody else's."""
    for row in Reading.objects.filter(pk=pk, officer_id=actor.id, area__range=(actor.lo, actor.hi)).select_related(
            "reader"):
        return row
    raise Refusal("not-found")


def refused_us(card: int, uid: bytes, purposes: Sequence[str]) -> bool:
    """Whether the chip with this identifier did not accept our key when it was last asked for a proof, as the card
    (its row's key) that it says it is: the last reading for one of these purposes which came so far.

    At whichever office that was: the tries are the chip's, and each office that asks anew would cost it one.
    """
    found = Reading.objects.filter(subject_id=card, uid=uid, purpose__in=purposes, outcome__in=["good", "gate-refused"])
    with transaction.atomic(), seeing_all(connection):
        return found.order_by("-began_at", "-pk").values_list("outcome", flat=True).first() == "gate-refused"


def outcomes(reader: Device, *, since: datetime) -> dict[str, int]:
    """How the readings of a reader ended since then: outcome → number."""
    found = Reading.objects.filter(reader=reader, began_at__gte=since).exclude(outcome="").values_list("outcome")
    return dict(found.annotate(n=Count("pk")).order_by("outcome"))


def looks_well(device: Device, *, at: datetime) -> bool:
    """True for a device that was seen lately, and whose last reading or job did not end with a fault of its own."""
    if device.seen_at is None or device.seen_at < at - QUIET:
        return False
    return device.health not in ("reader-fails", "reader-gone", "wrong-signature", "not-printed")


def proved(card: int, officer: int | None, *, since: datetime) -> int | None:
    """The newest reading by which an officer has proved since then that a card (its row's key) lay on a reader; None
    where there is none.
    """
    found = Reading.objects.filter(subject_id=card, officer_id=officer, outcome="good", ended_at__gte=since)
    return found.order_by("-pk").values_list("pk", flat=True).first()
