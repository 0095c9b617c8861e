"""Ceremonies over keys (密钥仪式): opened by who leads, cancelled, ended by the calendar; what custodians do in between
is `custody`, what the platform does in the key store is `carrying`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from zhengka.accounts.models import Officer
from zhengka.areas.models import Area
from zhengka.core.actors import SYSTEM, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, lock, perform, replayed
from zhengka.core.models import province_of
from zhengka.core.queue import later
from zhengka.formats.suites import PublicKey
from zhengka.formats.verdict import CHINA
from zhengka.keys import queries, rules
from zhengka.keys.models import Ceremony, Key, Seat
from zhengka.keys.services import tree
from zhengka.keys.workflow import MANAGE

NEVER_ROTATED = frozenset({"status_index"})
"""Another key would give one place of a status list to two cards."""


MOST_WRAPPED = 1024
"""Bytes of a wrapped key: what it is made of takes less than two hundred."""


@dataclass(frozen=True)
class Wanted:
    """What a ceremony is to do, and with whom.

    `key`: the key that it is about, for every kind but generate and import, which name `purpose`, `suite`, `slot` and
    `place` (12-digit code). `check_value`: the whole key's, told on another way, for an import. `all_needed`: parts
    that XOR to the key, so that nobody may be missing. `overlap_until`: last day on which the version before reads.
    `wrapped`: the key as it came under our transport key, in place of components: then custodians agree. `reason`: why
    a key is retired on which cards depend.
    """

    kind: str
    officers: Sequence[Officer]
    key: Key | None = None
    purpose: str = rules.CARD_MASTER
    suite: str = "SM"
    slot: str = ""
    place: int = 0
    check_value: str = ""
    all_needed: bool = False
    exportable: bool = False
    activates: bool = True
    overlap_until: date | None = None
    transport: PublicKey | None = field(default=None, repr=False)
    wrapped: bytes = field(default=b"", repr=False)
    reason: str = ""


@transaction.atomic
def open_ceremony(wanted: Wanted, area: Area, *, by: Actor, request_id: UUID, at: datetime) -> Ceremony:
    """Open a ceremony at an office: its custodians are asked, each in their own session.

    Refusals: `not-permitted`, `not-found` (office or key outside the actor's area), `custodians-wrong`,
    `key-works-already`, `key-not-rotated`, `key-stays`, `overlap-over`, `transport-key-wrong`, `wrapped-key-wrong`,
    `key-missing` (no transport key was made), `step-not-open` (a key in use is not destroyed), `reason-missing`,
    `ceremony-under-way`, `key-versions-used-up`; `Replayed` for a repeat.
    """
    if not by.may(MANAGE):
        raise Refusal("not-permitted", permission=MANAGE)
    if event := replayed(request_id, Ceremony.kind()):
        raise Replayed(event)
    place = wanted.key.area if wanted.key else wanted.place
    if not (by.sees(area.code) and by.sees(area.last) and by.sees(place)):
        raise Refusal("not-found")
    seats = _seated(wanted, by)
    row = _row(wanted, area, place, at=at)
    row.led_by, row.led_by_name, row.opened_at = by.person, by.name, at
    row.among, row.needed = len(seats), _needed(wanted, len(seats))
    try:
        with transaction.atomic():
            begin(row, "open", MANAGE, by=by, request_id=request_id, at=at, aim=row.aim, label=row.label,
                  persons=[officer.person for officer in seats.values()])
    except IntegrityError as clash:
        if "ceremony_one_at_a_time" not in str(clash):
            raise
        raise Refusal("ceremony-under-way", label=row.label) from None
    for number, officer in seats.items():
        Seat(ceremony=row, province=row.province, area=area.code, led_by=row.led_by, number=number, officer=officer,
             person=officer.person, name=officer.name).save()
    later("keys.carry_on", ceremony_id=row.pk)
    return row


@transaction.atomic
def cancel(row: Ceremony, *, reason: str, by: Actor, request_id: UUID, at: datetime) -> Ceremony:
    """End a ceremony before its time (取消): its components are gone, and nothing of it is in the key store."""
    (row,) = lock(row)
    if event := replayed(request_id, Ceremony.kind(), row.pk):
        raise Replayed(event)
    row.seats.update(component=None)
    row = perform(row, "cancel", {"ended_at": at}, by=by, request_id=request_id, at=at, reason=reason, label=row.label)
    later("keys.tidy", ceremony_id=row.pk)
    return row


@transaction.atomic
def try_again(row: Ceremony, *, by: Actor) -> Ceremony:
    """Ask the platform once more for what it could not do, such as while a token was not there."""
    (row,) = lock(row)
    if not by.may(MANAGE):
        raise Refusal("not-permitted", permission=MANAGE)
    if not row.problem or row.state in ("gathering", "done", "cancelled"):
        raise Refusal("step-not-open", state=row.state)
    Ceremony.objects.filter(pk=row.pk).update(problem="")
    later("keys.carry_on", ceremony_id=row.pk)
    return row


def end_forgotten(*, at: datetime) -> int:
    """Cancel ceremonies that nobody ended, so that no component lies sealed for ever; their number."""
    found = list(Ceremony.objects.filter(
        state__in=("opened", "gathering", "finishing"), opened_at__lt=at - rules.PATIENCE).order_by("pk"))
    for row in found:
        cancel(row, reason="forgotten", by=SYSTEM, request_id=uuid4(), at=at)
    return len(found)


def _row(wanted: Wanted, area: Area, place: int, *, at: datetime) -> Ceremony:
    """The ceremony as it is asked for; the refusals of its kind."""
    key, today = wanted.key, at.astimezone(CHINA).date()
    if wanted.overlap_until and wanted.overlap_until < today:
        raise Refusal("overlap-over", until=wanted.overlap_until.isoformat())
    row = Ceremony(province=province_of(area.code), area=area, aim=wanted.kind, place=place, key=key,
                   check_value=wanted.check_value.lower(), exportable=wanted.exportable, activates=wanted.activates,
                   overlap_until=wanted.overlap_until, reason=wanted.reason.strip())
    if (row.aim == "retire") != bool(row.reason):
        raise Refusal("reason-missing")
    if key is None:
        row.purpose, row.suite, row.slot = wanted.purpose, wanted.suite, wanted.slot
    else:
        row.purpose, row.suite, row.slot, row.check_value = key.purpose, key.suite, key.slot, key.check_value
    row.number = key.number if key and row.aim != "rotate" else tree.next_number(
        row.purpose, row.suite, place, row.slot)
    row.label = rules.label(row.purpose, row.suite, place, row.slot, row.number)
    if row.aim == "rotate":
        row.key, row.check_value = None, ""
    _fits(row, key)
    if wanted.transport is not None:
        if wanted.transport.suite != row.suite:
            raise Refusal("transport-key-wrong", suite=row.suite)
        row.transport = wanted.transport.point
    if wanted.wrapped:
        _comes_wrapped(row, wanted.wrapped, at)
    return row


def _comes_wrapped(row: Ceremony, wrapped: bytes, at: datetime) -> None:
    """The key came under our transport key: which one is kept, and that the check value was told on another way."""
    if row.aim != "import" or len(wrapped) > MOST_WRAPPED or not row.check_value:
        raise Refusal("wrapped-key-wrong", label=row.label)
    row.wrapped = wrapped
    row.transport = queries.working(rules.TRANSPORT, row.place, row.suite, at=at).public


def _needed(wanted: Wanted, among: int) -> int:
    """How many custodians suffice: all for parts that XOR, also when such a key is recovered."""
    if wanted.kind == "recover" and wanted.key and (made := wanted.key.ceremonies.filter(
            aim__in=("generate", "rotate", "import")).first()):
        return made.needed
    xored = wanted.all_needed and wanted.kind == "import" and not wanted.wrapped
    return among if xored else rules.NEEDED


def _fits(row: Ceremony, key: Key | None) -> None:
    """The refusals that depend on what there is already."""
    works = Key.objects.filter(purpose=row.purpose, suite=row.suite, area=row.place, slot=row.slot,
                               state="active").exists()
    if row.aim == "generate" and works:
        raise Refusal("key-works-already", label=row.label)
    if row.aim in ("rotate", "import") and works and row.purpose in NEVER_ROTATED:
        raise Refusal("key-not-rotated", label=row.label)
    if key is None:
        return
    open_in = {"rotate": ("active",), "destroy": ("created", "retired"), "export": ("created", "active", "retiring"),
               "recover": ("created", "active", "retiring", "retired"),
               "revoke": ("created", "active", "retiring", "retired"), "retire": ("active", "retiring")}[row.aim]
    over = row.aim == "revoke" and (key.public is None or key.revoked_at is not None)
    if key.state not in open_in or over or (row.aim in ("rotate", "recover") and key.rule):
        raise Refusal("step-not-open", state=key.state, action=row.aim)
    if row.aim == "export" and not (key.exportable or key.rule):
        raise Refusal("key-stays", label=key.label)
    if row.aim == "destroy" and key.children_in_use():
        raise Refusal("key-has-children", label=key.label)


def _seated(wanted: Wanted, by: Actor) -> dict[int, Officer]:
    """Number of the seat → who sits there: officers in use who may, each another person, and not who leads (I6).

    A key is recovered by those who hold its components, under their components' numbers.
    """
    offered = {officer.pk: officer for officer in queries.custodians(by)}
    officers = list(wanted.officers)
    persons = {officer.person for officer in officers}
    right = len(persons) == len(officers) and by.person not in persons and all(
        officer.pk in offered for officer in officers)
    if not right or not _needed(wanted, len(officers)) <= len(officers) <= 2 * rules.AMONG or (
            wanted.kind in ("generate", "rotate") and len(officers) != rules.AMONG):
        raise Refusal("custodians-wrong")
    if wanted.kind != "recover" or wanted.key is None:
        return dict(enumerate(officers, 1))
    held = dict(wanted.key.custodians.values_list("person", "number"))
    if not persons <= set(held):
        raise Refusal("custodians-wrong")
    return {held[officer.person]: officer for officer in officers}
