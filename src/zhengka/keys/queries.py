"""What may be read about keys: public halves, validity, which one works now. Never a secret."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from django.db.models import QuerySet

from zhengka.core.errors import Refusal
from zhengka.formats.credential import IssuerKey, KeySet, issuer_key
from zhengka.formats.issuers import PURPOSES
from zhengka.formats.verdict import CHINA
from zhengka.keys import rules
from zhengka.keys.models import Key, KeyCertificate

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
    """All key versions of a province, as shown to the security administrator."""
    return Key.objects.filter(area=rules.province(area)).order_by("purpose", "suite", "slot", "number")


def _why_not(versions: Sequence[Key], today: date) -> str:
    if not versions:
        return "key-missing"
    coming = any(key.state == "active" and key.not_before > today for key in versions)
    return "key-not-yet" if coming else "key-retired"


@lru_cache(maxsize=4)
def _key_set(rows: tuple[_Row, ...]) -> KeySet:
    """Made again only when a row changed: to check that a point is on its curve costs more than the query."""
    return KeySet(_issuer_key(row) for row in rows)


def _issuer_key(row: _Row) -> IssuerKey:
    purpose, suite, public, first, last, revoked_at = row
    return issuer_key(suite, public, not_before=_midnight(first), not_after=_midnight(last + timedelta(days=1)),
                      revoked_at=revoked_at, purposes=[purpose])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CHINA).astimezone(UTC)
