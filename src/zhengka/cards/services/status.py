"""What every gate may fetch: signed status lists and public keys, as files (状态表, 公钥)."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from numpy.typing import NDArray

from zhengka.cards import queries, rules
from zhengka.cards.activation import ended_but_passes
from zhengka.cards.models import Card, Gap, StatusPublication
from zhengka.cards.workflow import BLOCKED, OUT_OF_LIFE
from zhengka.core import files
from zhengka.core.queue import later
from zhengka.core.scope import see_all
from zhengka.formats import durable, statuslist
from zhengka.formats.credential import LIST_SIZE
from zhengka.formats.statuslist import Status
from zhengka.formats.verdict import CHINA
from zhengka.keys import queries as key_queries
from zhengka.keys import services as keys

LISTS_IN_USE = """
WITH RECURSIVE used (number) AS (
    SELECT min(status_list) FROM cards_card
    UNION ALL
    SELECT (SELECT min(status_list) FROM cards_card WHERE status_list > used.number) FROM used
    WHERE used.number IS NOT NULL
)
SELECT number FROM used WHERE number IS NOT NULL
"""
NOT_VALID = """
SELECT status_index, CASE WHEN state = ANY(%(out_of_life)s) THEN %(revoked)s
                          WHEN state = ANY(%(blocked)s) THEN %(suspended)s ELSE %(inactive)s END
FROM cards_card
WHERE status_list = %(list)s AND NOT (state = 'active' AND (active_until >= %(today)s OR active_until >= (
    SELECT p.since FROM unnest(%(lo)s::bigint[], %(hi)s::bigint[], %(since)s::date[]) AS p (lo, hi, since)
    WHERE area BETWEEN p.lo AND p.hi)))
ORDER BY status_index
"""
"""The twin of `rules.standing` in SQL: one list, every card in it that is not valid today. Days of grace are looked up
only for cards whose term is over: `since` is the earliest end with which a card of these areas still passes. The
certificates are not asked: the database lets no card be active whose certificate does not hold (0008_as_certified)."""


@dataclass(frozen=True)
class _Said:
    """What one version of a list will say: pairs (index, status), their digest, and how many are cards we know."""

    pairs: NDArray[np.int64]
    digest: str
    blocked: int


def ask_for_lists(cards: Sequence[Card]) -> None:
    """Ask, within the present transaction, that the lists in which these cards stand are published anew."""
    ask_for(card.status_list for card in cards)


def ask_for(lists: Iterable[int | None]) -> None:
    """Ask, within the present transaction, that these lists are published anew; a card without numbers has none."""
    for number in sorted({number for number in lists if number is not None}):
        later("cards.publish_status_lists", once=f"status list {number}", lock=f"status list {number}", number=number)


def publish_status_lists(*, at: datetime, number: int | None = None) -> list[StatusPublication]:
    """Publish every status list that says something new, or has not been signed for `rules.REFRESH` or since an old
    backup came back, and the keys.

    `number`: that list only. Called outside every transaction: the version is stored before it is signed, the file is
    there before its row says so. A repeat with no change publishes nothing; what was published is returned.
    """
    publish_keys()
    numbers = _lists_in_use(at) if number is None else [number]
    return [made for made in (_publish(one, at) for one in numbers) if made]


def publish_keys() -> Path:
    """Write the public keys that verifiers trust, `keys.json`, beside the lists; the path of the file."""
    path = folder() / "keys.json"
    content = key_queries.key_set().to_json().encode()
    if not path.exists() or path.read_bytes() != content:
        _write(path, content)
    return path


def folder() -> Path:
    """Where the files lie that gates fetch: the offline bundle (离线包)."""
    return Path(settings.HOME) / "public"


@transaction.atomic
def _lists_in_use(at: datetime) -> list[int]:
    """The lists in which cards stand, and those that a gap touches: cards that nobody knows may stand there alone, in
    any province that can sign lists.
    """
    see_all(connection)
    with connection.cursor() as cursor:
        cursor.execute(LISTS_IN_USE)
        known = {row[0] for row in cursor.fetchall()}
    signing, gaps = key_queries.at_work("status", at=at), list(Gap.objects.all())
    return sorted(known.union(*(rules.lists_of(area // 10**10, suite, gap.first_place, gap.last_place)
                                for gap in gaps for area, suite in signing)))


def _publish(number: int, at: datetime) -> StatusPublication | None:
    publication, said = _intend(number, at)
    if publication is None:
        return None
    province, suite = rules.of_list(number)
    signer = keys.signer("status", province * 10**10, suite, at=at)
    header = statuslist.Header(number, publication.number, at, at + rules.NEXT_UPDATE)
    data = statuslist.build(header, said.pairs, suite=suite, key_id=signer.key_id, sign=signer.sign)
    return _store(publication, data)


def _read(number: int, at: datetime) -> _Said:
    today = at.astimezone(CHINA).date()
    held = queries.policy_ranges(today)
    with connection.cursor() as cursor:
        cursor.execute(NOT_VALID, {
            "list": number, "today": today, "out_of_life": list(OUT_OF_LIFE), "blocked": list(BLOCKED),
            "lo": [lo for lo, _, _ in held], "hi": [hi for _, hi, _ in held],
            "since": [ended_but_passes(policy.activation, today) for *_, policy in held],
            "revoked": int(Status.REVOKED), "suspended": int(Status.SUSPENDED), "inactive": int(Status.INACTIVE)})
        cards = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 2)
    pairs = np.concatenate([cards, *(_left_out(number, gap, at) for gap in Gap.objects.order_by("pk"))])
    return _Said(pairs, hashlib.sha256(pairs.tobytes()).hexdigest(), len(cards))


def _left_out(number: int, gap: Gap, at: datetime) -> NDArray[np.int64]:
    """The places of a list that a gap covers, as revoked: a card that stands there is known to nobody any more."""
    own = rules.places_of(number)
    first, last = max(own[0], gap.first_place), min(own[-1], gap.last_place)
    if first > last:
        return np.empty((0, 2), dtype=np.int64)
    province, suite = rules.of_list(number)
    running = np.arange(first, last + 1, dtype=np.int64) - own[0] + number * LIST_SIZE
    _, indexes = statuslist.indexes_for(running, keys.status_index_key(province * 10**10, suite, at=at))
    return np.column_stack([indexes, np.full_like(indexes, Status.REVOKED)])


@transaction.atomic(durable=True)
def _intend(number: int, at: datetime) -> tuple[StatusPublication | None, _Said]:
    """The next version of the list, stored before it is signed, or none where the newest one still says it all.

    What it says is read under the same lock as its number is drawn: a higher number never says something older.
    """
    _one_at_a_time(number)
    see_all(connection)  # a card that is not seen would be told as valid
    said = _read(number, at)
    newest = StatusPublication.objects.filter(list_number=number).exclude(digest="").order_by("-number").first()
    if newest and newest.content == said.digest and at < newest.published_at + rules.REFRESH \
            and not Gap.objects.filter(at__gte=newest.published_at).exists():  # gates may have seen a higher number
        return None, said
    last = StatusPublication.objects.filter(list_number=number).aggregate(last=Max("number"))["last"]
    return StatusPublication.objects.create(
        list_number=number, number=rules.next_version(last, at), published_at=at, content=said.digest,
        blocked=said.blocked), said


@transaction.atomic(durable=True)
def _store(publication: StatusPublication, data: bytes) -> StatusPublication | None:
    """Keep the signed list and show it, unless a newer version was quicker."""
    _one_at_a_time(publication.list_number)
    shown = StatusPublication.objects.filter(list_number=publication.list_number).exclude(digest="")
    if shown.filter(number__gt=publication.number).exists():
        return None
    publication.digest, publication.size = files.put(data), len(data)
    publication.save(update_fields=["digest", "size"])
    _write(folder() / f"status-{publication.list_number}.bin", data)
    return publication


def _one_at_a_time(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('status list'), %s)", [number])


def _write(path: Path, data: bytes) -> None:
    """Replace a public file whole: a gate that fetches it meanwhile gets the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write(path, data, mode=0o644)
