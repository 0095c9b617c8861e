"""Cards that nobody collects (待领未领): holders are reminded stage by stage, then a card goes back (退卡)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.core.actors import SYSTEM, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, perform_many, sub
from zhengka.custody import book
from zhengka.custody.models import Keeping
from zhengka.custody.services.alarms import PLATFORM
from zhengka.formats.verdict import CHINA
from zhengka.letters import services as letters
from zhengka.letters.rules import HOTLINE, ways
from zhengka.letters.services import Message
from zhengka.registry import services as registry

GROUP: Final = 1_000
"""Cards of which holders are reminded in one transaction."""
AGAIN: Final = ", since = %(at)s, waits_since = %(at)s, stage = 0"


def remind(*, at: datetime) -> int:
    """Write to the holders whose cards have waited for a stage of reminders (催领), once for each stage: the latest
    that is due, for a letter that tells of 30 days need not be followed by one that tells of 7; how many cards.
    """
    day, told = at.astimezone(CHINA).date(), 0
    offices = Keeping.objects.filter(state="waiting", card__state="ready").order_by().values_list("area", flat=True)
    for area in sorted(set(offices)):
        policy = book.policy(area, day)
        for stage in reversed(policy.reminders):
            while done := _group(area, stage, at):
                told += done
    return told


@transaction.atomic
def _group(area: int, stage: int, at: datetime) -> int:
    """The next cards of an office that have waited so long and of which that was not told; how many. While a
    certificate is frozen its holder would come in vain: nothing is written, and no stage is used up.
    """
    before = at - timedelta(stage)
    rows = Keeping.objects.filter(area=area, state="waiting", stage__lt=stage, waits_since__lte=before,
                                  card__state="ready", card__certificate__state="valid",
                                  ).order_by("pk").select_for_update(of=("self",))
    found = list(rows[:GROUP])
    if not found:
        return 0
    asked = uuid5(PLATFORM, f"remind {stage}")
    perform_many(Many(Keeping, [row.pk for row in found], "waiting", {"days": stage}, also=", stage = %(stage)s",
                      values={"stage": stage}), "remind", by=SYSTEM,
                 request_id=sub(asked, f"{at.isoformat()} {found[0].pk}"), at=at)
    _write(found, stage, asked, at)
    return len(found)


def _write(found: Sequence[Keeping], stage: int, request_id: UUID, at: datetime) -> None:
    """A letter to each holder."""
    of_card = {row.card_id: row for row in found}
    cards = list(Card.objects.filter(pk__in=of_card).select_related("holder", "certificate", "area").order_by("pk"))
    names = dict(Area.objects.filter(pk__in={row.office for row in found}).values_list("pk", "name"))
    messages, day = [], at.astimezone(CHINA).date()
    for card, to in zip(cards, registry.written_to_many([card.holder for card in cards]), strict=True):
        row = of_card[card.pk]
        waited = (day - row.waits_since.astimezone(CHINA).date()).days if row.waits_since else stage
        office = f"{card.area.name}残联"
        messages.append(Message(
            "card-waiting", card.area, card, to,
            {"days": waited, "place": f"{names.get(row.office or 0, card.area.name)}残联", "office": office,
             "phone": HOTLINE}, ways(to, "card-waiting", braille=1 in card.certificate.categories),
            f"v{row.version}-{stage}"))
    letters.write_many(messages, by=SYSTEM, request_id=request_id, at=at)


@transaction.atomic
def send_back_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> list[int]:
    """Cards that nobody collected to the last stage are taken from the counter (退卡): they lie at the office still, to
    be fetched on request, or packed and sent up; the row ids of those that moved. `Refusal`: `card-too-young`.
    """
    rows = Keeping.objects.filter(card__in=card_ids, state="waiting", area__code__range=(by.lo, by.hi))
    day = at.astimezone(CHINA).date()
    back: dict[int, int] = defaultdict(int)
    ids = []
    for row in rows.order_by("pk"):
        after = back[row.area_id] = back[row.area_id] or book.policy(row.area_id, day).back_after
        if row.waits_since is None or row.waits_since > at - timedelta(after):
            raise Refusal("card-too-young", serial=row.serial, days=after)
        ids.append(row.pk)
    return perform_many(Many(Keeping, ids, "waiting", also=", since = %(at)s"), "send_back", by=by,
                        request_id=request_id, at=at)


@transaction.atomic
def call_back_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> list[int]:
    """Cards that had gone back wait for their holders again (重新待领), as if they had come today; the row ids of those
    that moved. `Refusal`: `not-permitted`.
    """
    rows = Keeping.objects.filter(card__in=card_ids, state="returned", card__state="ready").order_by("pk")
    return perform_many(Many(Keeping, list(rows.values_list("pk", flat=True)), "returned", also=AGAIN), "call_back",
                        by=by, request_id=request_id, at=at)


@transaction.atomic
def clear_out(*, at: datetime) -> int:
    """What no longer waits for anybody leaves the list: cards that were handed over by another way, or that ended; how
    many.
    """
    done = 0
    for state in ("waiting", "returned"):
        rows = Keeping.objects.filter(state=state).exclude(card__state="ready")
        handed = list(rows.filter(card__handed_over_at__isnull=False).values_list("pk", flat=True))
        ended = list(rows.filter(card__handed_over_at=None).values_list("pk", flat=True))
        for ids, action in ((handed, "hand_over"), (ended, "withdraw")):
            done += len(perform_many(Many(Keeping, ids, state, also=", since = %(at)s"), action, by=SYSTEM,
                                     request_id=uuid5(PLATFORM, f"{action} {state} {at.isoformat()}"), at=at))
    return done
