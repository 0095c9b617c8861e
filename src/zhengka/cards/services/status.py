"""What every gate may fetch: signed status lists and public keys, as files (状态表, 公钥)."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Max
from numpy.typing import NDArray

from zhengka.cards import queries, rules
from zhengka.cards.activation import ended_but_passes
from zhengka.cards.models import Card, Gap, LossTold, StatusPublication
from zhengka.cards.services import holds
from zhengka.cards.services.bundles import folder, publish_bundles, publish_hosts, publish_keys, write
from zhengka.cards.workflow import BLOCKED, OUT_OF_LIFE
from zhengka.core import files
from zhengka.core.queue import later
from zhengka.core.scope import see_all
from zhengka.formats import bundle, statusdelta, statuslist
from zhengka.formats.credential import LIST_SIZE
from zhengka.formats.statuslist import Status, StatusList
from zhengka.formats.verdict import CHINA
from zhengka.keys import queries as key_queries
from zhengka.keys import services as keys
from zhengka.partners import services as partners

Clock = Callable[[], datetime]

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
SELECT string_agg(int4send(c.status_index) || int4send(
           CASE WHEN c.state = ANY(%(out_of_life)s) THEN %(revoked)s
                WHEN c.state = ANY(%(blocked)s) THEN %(suspended)s ELSE %(inactive)s END
           + CASE WHEN c.active_until IS NULL THEN 0 ELSE %(used)s END
           + CASE WHEN h.state IS NULL THEN 0 WHEN h.state = 'released' THEN %(freed)s ELSE %(held)s END
       ) || int8send(c.id), ''::bytea)
FROM cards_card c LEFT JOIN (
    SELECT b.card_id, o.state FROM cards_heldback b JOIN cards_listhold o ON o.id = b.hold_id WHERE b.out_at IS NULL
) h ON h.card_id = c.id
WHERE c.status_list = %(list)s AND NOT (c.state = 'active' AND (c.active_until >= %(today)s OR c.active_until >= (
    SELECT p.since FROM unnest(%(lo)s::bigint[], %(hi)s::bigint[], %(since)s::date[]) AS p (lo, hi, since)
    WHERE c.area BETWEEN p.lo AND p.hi)))
"""
"""The twin of `rules.standing` in SQL: one list, every card in it that is not valid today. Days of grace are looked up
only for cards whose term is over: `since` is the earliest end with which a card of these areas still passes. The
certificates are not asked: the database lets no card be active whose certificate does not hold (0008_as_certified)."""


@dataclass(frozen=True)
class _Next:
    """The version that comes next: its row, what it will say, as pairs (index, status), of which released cards and
    which losses it tells, and the list that it follows.
    """

    publication: StatusPublication
    pairs: NDArray[np.int64]
    freed: Sequence[int]
    losses: Sequence[tuple[int, datetime]]
    before: StatusList | None


def ask_for_lists(cards: Sequence[Card]) -> None:
    """Ask, within the present transaction, that the lists in which these cards stand are published anew."""
    ask_for(card.status_list for card in cards)


def ask_for(lists: Iterable[int | None]) -> None:
    """Ask, within the present transaction, that these lists are published anew; a card without numbers has none."""
    for number in sorted({number for number in lists if number is not None}):
        later("cards.publish_status_lists", once=f"status list {number}", lock=f"status list {number}", number=number)


def publish_status_lists(*, at: datetime, number: int | None = None,
                         clock: Clock | None = None) -> list[StatusPublication]:
    """Publish every status list that says something new, or has not been signed for `rules.REFRESH` or since an old
    backup came back, what changed in it, the keys, the hosts of codes, and the bundles over them.

    `number`: that list only; `clock`: tells when a file was there, `at` where there is none. Called outside every
    transaction: the version is stored before it is signed, the file is there before its row says so. A repeat with no
    change publishes nothing; what was published is returned. Blocks that are too many wait (`holds.sort_out`).
    """
    publish_keys()
    publish_hosts()
    numbers = _lists_in_use(at) if number is None else [number]
    made = [_publish(one, at, clock or (lambda: at)) for one in numbers]
    publish_bundles(at=at)
    return [one for one in made if one]


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


def _publish(number: int, at: datetime, clock: Clock) -> StatusPublication | None:
    following = _intend(number, at)
    if following is None:
        return None
    province, suite = rules.of_list(number)
    signer = keys.signer("status", province * 10**10, suite, at=at)
    signing: dict[str, Any] = {"suite": suite, "key_id": signer.key_id, "sign": signer.sign}
    header = statuslist.Header(number, following.publication.number, at, at + rules.NEXT_UPDATE)
    data = statuslist.build(header, following.pairs, **signing)
    before = following.before
    delta = statusdelta.build(before, statuslist.unchecked(data), **signing) if before else None
    return _store(following, data, delta, clock)


def _read(number: int, at: datetime) -> NDArray[np.void]:
    """The cards of the list that are not valid today, by their places."""
    today = at.astimezone(CHINA).date()
    ranges = queries.policy_ranges(today)
    with connection.cursor() as cursor:
        cursor.execute(NOT_VALID, {
            "list": number, "today": today, "out_of_life": list(OUT_OF_LIFE), "blocked": list(BLOCKED),
            "lo": [lo for lo, _, _ in ranges], "hi": [hi for _, hi, _ in ranges],
            "since": [ended_but_passes(policy.activation, today) for *_, policy in ranges],
            "revoked": int(Status.REVOKED), "suspended": int(Status.SUSPENDED), "inactive": int(Status.INACTIVE),
            "used": holds.USED, "held": holds.HELD, "freed": holds.FREED})
        [found] = cursor.fetchone()
    blocks = np.frombuffer(bytes(found or b""), dtype=holds.BLOCKS)
    return blocks[np.argsort(blocks["index"])]


def _before(newest: StatusPublication | None) -> StatusList | None:
    """What the newest version that gates have says; None where its file is gone."""
    try:
        return statuslist.unchecked(files.get(newest.digest)) if newest else None
    except FileNotFoundError:
        return None


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
def _intend(number: int, at: datetime) -> _Next | None:
    """The next version of the list, stored before it is signed, or none where the newest one still says it all.

    What it says is read under the same lock as its number is drawn: a higher number never says something older.
    """
    _one_at_a_time(number)
    see_all(connection)  # a card that is not seen would be told as valid
    newest = StatusPublication.objects.filter(list_number=number).exclude(digest="").order_by("-number").first()
    before = _before(newest)
    told = holds.sort_out(number, _read(number, at), before.cells() if before else None, at)
    pairs = np.concatenate([_pairs(told.blocks), *(_left_out(number, gap, at) for gap in Gap.objects.order_by("pk"))])
    content = hashlib.sha256(pairs.tobytes()).hexdigest()
    if newest and newest.content == content and at < newest.published_at + rules.REFRESH \
            and not Gap.objects.filter(at__gte=newest.published_at).exists():  # gates may have seen a higher number
        return None
    last = StatusPublication.objects.filter(list_number=number).aggregate(last=Max("number"))["last"]
    publication = StatusPublication.objects.create(
        list_number=number, number=rules.next_version(last, at), published_at=at, content=content,
        blocked=len(told.blocks), newly=told.newly, causes=told.causes, held=told.held,
        signatures=2 if before else 1)
    freed = told.blocks["card"][told.blocks["told"] & holds.FREED != 0].tolist()
    return _Next(publication, pairs, freed, told.losses, before)


def _pairs(blocks: NDArray[np.void]) -> NDArray[np.int64]:
    return np.column_stack([blocks["index"].astype(np.int64), blocks["told"].astype(np.int64) & 3])


@transaction.atomic(durable=True)
def _store(following: _Next, data: bytes, delta: bytes | None, clock: Clock) -> StatusPublication | None:
    """Keep the signed list and show it and what changed, unless a newer version was quicker."""
    publication, number = following.publication, following.publication.list_number
    _one_at_a_time(number)
    see_all(connection)
    shown = StatusPublication.objects.filter(list_number=number).exclude(digest="")
    if shown.filter(number__gt=publication.number).exists():
        return None
    publication.digest, publication.size = files.put(data), len(data)
    name = f"status-{number}.bin"
    if delta and following.before:
        write(folder() / bundle.delta_name(name, following.before.version), delta)
    write(folder() / name, data)
    publication.written_at = clock()
    publication.save(update_fields=["digest", "size", "written_at"])
    holds.tell_out(following.freed, publication.written_at)
    LossTold.objects.bulk_create([
        LossTold(area=area, list_number=number, number=publication.number, reported_at=reported_at,
                 written_at=max(publication.written_at, reported_at))  # another machine's clock may be ahead of ours
        for area, reported_at in following.losses])
    partners.tell("list.published", {"list": number, "version": publication.number, "digest": publication.digest,
                                     "size": len(data), "url": f"/bundle/{name}"}, at=publication.written_at)
    _forget_deltas(number)
    return publication


def _forget_deltas(number: int) -> None:
    """Keep the newest `rules.DELTAS` deltas of a list; who is further behind takes the whole list."""
    kept = sorted(folder().glob(f"status-{number}.from-*.bin"), key=lambda path: int(path.stem.rsplit("-", 1)[1]))
    for path in kept[:-rules.DELTAS]:
        path.unlink(missing_ok=True)


def _one_at_a_time(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('status list'), %s)", [number])
