"""What may be read about keys: public halves, validity, which one works now. Never a secret."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Q, QuerySet

from zhengka.accounts.models import Officer
from zhengka.accounts.queries import officers, who_may
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.formats.credential import IssuerKey, KeySet, issuer_key
from zhengka.formats.issuers import PURPOSES
from zhengka.formats.verdict import CHINA
from zhengka.keys import rules
from zhengka.keys.models import Ceremony, Key, KeyCertificate, Seat
from zhengka.keys.workflow import CUSTODY, MANAGE

_Row = tuple[str, str, bytes, date, date, datetime | None]


def working(purpose: str, area: int, suite: str, *, at: datetime, slot: str = "") -> Key:
    """The key of the area's province that works for `purpose` at this time.

    `Refusal("key-missing")` where there is none at all, `key-not-yet` where its first day has not come, and
    `key-retired` where it was retired or its last working day is over.
    """
    today = at.astimezone(CHINA).date()
    versions = list(Key.objects.filter(
        purpose=purpose, suite=suite, area=rules.province(area), slot=slot).order_by("-number"))
    for key in versions:
        if key.state == "active" and key.revoked_at is None and key.not_before <= today <= key.works_until:
            return key
    raise Refusal(_why_not(versions, today), purpose=purpose, suite=suite, province=rules.province(area) // 10**10)


def reading(purpose: str, area: int, suite: str, *, at: datetime, slot: str = "") -> list[Key]:
    """The versions of the province's key that read at this time, the newest first: the one that works, and those in
    their overlap.
    """
    today = at.astimezone(CHINA).date()
    found = Key.objects.filter(Q(state="active") | Q(state="retiring", reads_until__gte=today), purpose=purpose,
                               suite=suite, area=rules.province(area), slot=slot, not_before__lte=today)
    return list(found.order_by("-number"))


def makes(area: int, suite: str, slots: Iterable[str], *, at: datetime) -> list[Key]:
    """The masters by which cards are made from now on: those of the cards' keys (`slots`), of blank chips and of their
    loading channels. `Refusal`: those of `working`.
    """
    masters = [working(rules.CARD_MASTER, area, suite, slot=slot, at=at) for slot in slots]
    return masters + [working(purpose, area, suite, at=at) for purpose in (rules.BLANK_CARD, rules.CHANNEL)]


def by_key_ids(key_ids: Iterable[bytes]) -> list[int]:
    """Row ids of the key versions with these key ids."""
    return list(Key.objects.filter(key_id__in=list(key_ids)).values_list("pk", flat=True))


def signing(ids: Iterable[int]) -> list[int]:
    """Those of some key versions that sign, by row ids."""
    return list(Key.objects.filter(pk__in=list(ids), public__isnull=False).values_list("pk", flat=True))


def over(ids: Iterable[int], *, at: datetime) -> list[Key]:
    """Those of some key versions on which no card is to be made or taken any more: masters whose overlap is over or
    which were retired before, and signing keys that were revoked; what these signed before stays good otherwise.
    """
    today = at.astimezone(CHINA).date()
    reads = Q(state="active") | Q(state="retiring", reads_until__gte=today)
    ended = Q(purpose__in=rules.MASTERS) & ~reads | Q(revoked_at__isnull=False)
    return list(Key.objects.filter(ended, pk__in=list(ids)).order_by("label"))


def without_ceremony(area: int, suite: str, slots: Sequence[str], *, at: datetime) -> list[str]:
    """The labels of the masters at work (`makes`) that no ceremony made. The platform made them alone, at first use,
    which is for trials.
    """
    return [key.label for key in makes(area, suite, slots, at=at) if not key.by_ceremony]


def source(key: Key) -> tuple[str, list[bytes]]:
    """The label under which the store holds the value from which a key comes, and the factors on the way down to it:
    none for a key with a value of its own.
    """
    factors: list[bytes] = []
    while key.rule and key.parent:
        factors.insert(0, rules.area_factor(key.area))
        key = key.parent
    return key.label, factors


def at_work(purpose: str, *, at: datetime) -> list[tuple[int, str]]:
    """Province (12-digit code) and suite of everywhere that has a key which works for `purpose` at this time."""
    today = at.astimezone(CHINA).date()
    return list(Key.objects.filter(
        purpose=purpose, state="active", revoked_at=None, not_before__lte=today, works_until__gte=today,
    ).order_by("area", "suite").values_list("area", "suite").distinct())


def key_set() -> KeySet:
    """The public keys that sign cards and status lists, with the time in which each is trusted, for verifiers."""
    rows = Key.objects.filter(purpose__in=PURPOSES, public__isnull=False).order_by("label").values_list(
        "purpose", "suite", "public", "not_before", "not_after", "revoked_at")
    return _key_set(tuple((*row[:2], bytes(row[2] or b""), *row[3:]) for row in rows))


def of_row(row: Sequence[Any]) -> KeySet:
    """A set of the one key in a row of purpose, suite, point, first and last day, time of revocation; of none where the
    row says none: what another question brought along need not be asked for.
    """
    if row[0] not in PURPOSES or row[2] is None:
        return KeySet([])
    return _key_set(((row[0], row[1], bytes(row[2]), row[3], row[4], row[5]),))


def suite_of(purpose: str, area: int, *, at: datetime) -> str:
    """The suite in which the area's province works for `purpose`: SM where it has both; `key-missing` for none."""
    for suite in ("SM", "INTL"):
        try:
            return working(purpose, area, suite, at=at).suite
        except Refusal:
            continue
    raise Refusal("key-missing", purpose=purpose, province=rules.province(area) // 10**10)


def certificate(key: Key) -> KeyCertificate | None:
    """The newest certificate of a key that is signed and not revoked."""
    return key.certificates.filter(der__isnull=False, revoked_at=None).order_by("-pk").first()


def certificates(area: int) -> QuerySet[KeyCertificate]:
    """All certificates of the keys of the area's province and of the nation, as shown to the security administrator."""
    return KeyCertificate.objects.filter(
        key__area__in=(rules.NATION, rules.province(area)), der__isnull=False).select_related("key").order_by("pk")


def of_province(area: int) -> QuerySet[Key]:
    """All key versions of a province itself."""
    return Key.objects.filter(area=rules.province(area)).order_by("purpose", "suite", "slot", "number")


def tree(actor: Actor) -> QuerySet[Key]:
    """All key versions of the actor's area and of the levels above it, the nation's first."""
    above = {rules.NATION, rules.province(actor.lo)}
    return Key.objects.filter(Q(area__range=(actor.lo, actor.hi)) | Q(area__in=above)).order_by(
        "area", "purpose", "suite", "slot", "number")


def key(pk: int, *, actor: Actor) -> Key:
    """One key version that the actor may see; `Refusal("not-found")`."""
    found = tree(actor).filter(pk=pk).select_related("parent").first()
    if found is None:
        raise Refusal("not-found")
    return found


def by_label(label: str, *, actor: Actor) -> Key:
    """One key version by its label; `Refusal("not-found")`."""
    found = tree(actor).filter(label=label).first()
    if found is None:
        raise Refusal("not-found", label=label)
    return found


def ceremonies(actor: Actor) -> QuerySet[Ceremony]:
    """The ceremonies of the actor's area: all of them for who manages keys, their own for a custodian."""
    found = Ceremony.objects.filter(area__code__range=(actor.lo, actor.hi)).select_related("area", "key")
    return found if actor.may(MANAGE) else found.filter(seats__officer_id=actor.id or 0)


def ceremony(pk: int, *, actor: Actor) -> Ceremony:
    """One ceremony; `Refusal("not-found")`."""
    found = ceremonies(actor).filter(pk=pk).first()
    if found is None:
        raise Refusal("not-found")
    return found


def seat(row: Ceremony, actor: Actor) -> Seat | None:
    """The actor's own seat in a ceremony: of this account, for a component is shown in its session alone."""
    return row.seats.filter(officer_id=actor.id or 0, person=actor.person).first()


def waiting(actor: Actor) -> int:
    """Ceremonies in which the actor's part is not done."""
    return Seat.objects.filter(officer_id=actor.id or 0, done_at=None, ceremony__state="gathering").count()


def custodians(actor: Actor) -> QuerySet[Officer]:
    """Officers of the actor's own office who may be custodians: a ceremony is seen within its office's area alone."""
    return officers(actor=actor).filter(state="active", role__in=who_may(CUSTODY), area=actor.lo)


def _why_not(versions: Sequence[Key], today: date) -> str:
    if not versions:
        return "key-missing"
    coming = any(key.state == "active" and key.not_before > today for key in versions)
    return "key-not-yet" if coming else "key-retired"


@lru_cache(maxsize=256)
def _key_set(rows: tuple[_Row, ...]) -> KeySet:
    """Made again only when a row changed: to check that a point is on its curve costs more than the query."""
    return KeySet(_issuer_key(row) for row in rows)


def _issuer_key(row: _Row) -> IssuerKey:
    purpose, suite, public, first, last, revoked_at = row
    return issuer_key(suite, public, not_before=_midnight(first), not_after=_midnight(last + timedelta(days=1)),
                      revoked_at=revoked_at, purposes=[purpose])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CHINA).astimezone(UTC)
