"""What an operator's gates may know without a network: the rules, and signed lists that tell which cards they are for
(资格表). A list says of each card one bit; category, grade, age and residence stay here.
"""

import hashlib
from datetime import datetime

import numpy as np
from django.db import connection, transaction
from django.db.models import Max
from numpy.typing import NDArray

from zhengka.cards import presented
from zhengka.cards import rules as card_rules
from zhengka.cards import services as cards
from zhengka.cards.models import Gap
from zhengka.core import files
from zhengka.core.scope import see_all
from zhengka.formats import statuslist
from zhengka.formats.presenting import HOLDS, RULEBOOK
from zhengka.formats.rulebook import Who
from zhengka.formats.verdict import CHINA
from zhengka.gates.models import ClaimPublication
from zhengka.gates.places import Operator
from zhengka.gates.queries import operators
from zhengka.keys import services as keys


def publish_claims(*, at: datetime) -> list[ClaimPublication]:
    """Write the rules of each operator, publish the lists of its claims that say something new or grow old, and sign
    its bundle (离线包); the lists that were published are returned.

    Called outside every transaction: a version is stored before it is signed. A condition that several operators ask
    for is read and signed once. A repeat with no change publishes nothing.
    """
    wanted = {name: who for operator in operators().values() for name, who in operator.book.claims.items()}
    made = [published for number in _shown_lists() for published in _publish_all(number, wanted, at)]
    for operator in operators().values():
        _give(operator)
    cards.publish_bundles(at=at, names=list(operators()))
    return made


@transaction.atomic
def _shown_lists() -> list[int]:
    see_all(connection)
    return presented.shown_lists()


def _publish_all(number: int, wanted: dict[str, Who], at: datetime) -> list[ClaimPublication]:
    """The lists of all claims for one status list."""
    intended = _intend(number, wanted, at)
    stored = [_store(publication, _signed(publication, indexes, at)) for publication, indexes in intended]
    return [publication for publication in stored if publication]


@transaction.atomic(durable=True)
def _intend(number: int, wanted: dict[str, Who], at: datetime) -> list[tuple[ClaimPublication, NDArray[np.int64]]]:
    """The next versions, stored before they are signed, of those lists whose newest one does not say it all.

    What they say is read under the same lock as their numbers are drawn: a higher number never says something older.
    """
    _one_at_a_time(number)
    see_all(connection)  # a card that is not seen would be told as not entitled
    found, names = [], list(wanted)
    for first in range(0, len(names), presented.MOST_CONDITIONS):
        part = {name: wanted[name] for name in names[first: first + presented.MOST_CONDITIONS]}
        for claim, indexes in presented.holding(number, part, at.astimezone(CHINA).date()).items():
            if publication := _next(claim, number, indexes, at):
                found.append((publication, indexes))
    return found


def _next(claim: str, number: int, indexes: NDArray[np.int64], at: datetime) -> ClaimPublication | None:
    """The row of the next version; none where the newest one is young and says the same."""
    rows = ClaimPublication.objects.filter(claim=claim, list_number=number)
    content = hashlib.sha256(indexes.tobytes()).hexdigest()
    newest = rows.exclude(digest="").order_by("-number").first()
    if newest and newest.content == content and at < newest.published_at + card_rules.REFRESH \
            and not Gap.objects.filter(at__gte=newest.published_at).exists():  # gates may have seen a higher number
        return None
    last = rows.aggregate(last=Max("number"))["last"]
    return ClaimPublication.objects.create(
        claim=claim, list_number=number, number=card_rules.next_version(last, at), published_at=at, content=content,
        holding=len(indexes))


def _signed(publication: ClaimPublication, indexes: NDArray[np.int64], at: datetime) -> bytes:
    province, suite = card_rules.of_list(publication.list_number)
    signer = keys.signer("status", province * 10**10, suite, at=at)
    header = statuslist.Header(publication.list_number, publication.number, at, at + card_rules.NEXT_UPDATE)
    pairs = np.column_stack([indexes, np.full_like(indexes, HOLDS)])
    return statuslist.build(header, pairs, suite=suite, key_id=signer.key_id, sign=signer.sign,
                            kind=statuslist.claim_list(publication.claim))


@transaction.atomic(durable=True)
def _store(publication: ClaimPublication, data: bytes) -> ClaimPublication | None:
    """Keep the signed list, unless a newer version was quicker."""
    _one_at_a_time(publication.list_number)
    shown = ClaimPublication.objects.filter(claim=publication.claim, list_number=publication.list_number)
    if shown.exclude(digest="").filter(number__gt=publication.number).exists():
        return None
    publication.digest, publication.size = files.put(data), len(data)
    publication.save(update_fields=["digest", "size"])
    return publication


def _give(operator: Operator) -> None:
    """Put the operator's rules and the newest lists of its claims where its gates fetch them, and take away the rest:
    a claim for which no rule asks any more is nothing that an operator needs to know.
    """
    newest = ClaimPublication.objects.filter(claim__in=operator.book.claims).exclude(digest="").order_by(
        "claim", "list_number", "-number").distinct("claim", "list_number")
    wanted = {f"claim-{row.claim}-{row.list_number}.bin": files.get(row.digest) for row in newest}
    for name, data in (wanted | {RULEBOOK: operator.book.to_json()}).items():
        cards.write_part(operator.code, name, data)
    for path in cards.operator_folder(operator.code).glob("claim-*.bin"):
        if path.name not in wanted:
            path.unlink()


def _one_at_a_time(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('claims of list'), %s)", [number])
