"""Old certificates (旧证): taken back against the new card, or why not; destroyed in counted batches by two persons;
and one that was written down as taken back and is not there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Begun, Many, Replayed, begin, begin_many, lock, perform, perform_many, replayed, sub
from zhengka.core.models import province_of
from zhengka.custody.models import Booklet, Pulping, Trouble
from zhengka.custody.workflow import WHY_NOT
from zhengka.registry.models import Certificate

HANDING: Final = "card.hand_over"
KEEPING: Final = "custody.keep"
MISSING: Final = "booklet-missing"
TAKE: Final = """
    INSERT INTO custody_booklet (id, province, area, state, version, certificate_id, card_id, why_not, at)
    SELECT c.province * 10000000000000 + nextval('custody_booklet_ids'), c.province, c.area, 'held', 1, c.id, n.card,
           '', %(at)s
    FROM unnest(%(certificates)s::bigint[], %(cards)s::bigint[]) AS n (certificate, card)
    JOIN registry_certificate c ON c.id = n.certificate ORDER BY c.id
    ON CONFLICT (certificate_id) DO NOTHING
"""


def old_of(card: Card) -> Certificate | None:
    """The old certificate of which a card's holder has the booklet still."""
    return Certificate.objects.filter(holder_id=card.holder_id, generation=2, state="valid", booklet=None).first()


def old_of_many(card_ids: Sequence[int]) -> dict[int, int]:
    """The same for many: card → certificate."""
    holders = dict(Card.objects.filter(pk__in=card_ids).values_list("holder", "pk"))
    found = Certificate.objects.filter(holder__in=holders, generation=2, state="valid", booklet=None)
    return {holders[holder]: pk for pk, holder in found.values_list("pk", "holder")}


def take_back(old: Certificate, card: Card, why_not: str, *, by: Actor, request_id: UUID, at: datetime) -> Booklet:
    """Write down that the booklet came back (旧证收回), or why it did not, in the caller's transaction.

    `Refusal("reason-missing")` for a reason that is not one of `WHY_NOT`.
    """
    if why_not and why_not not in WHY_NOT:
        raise Refusal("reason-missing")
    row = Booklet(province=province_of(old.area_id), area_id=old.area_id, certificate=old, card=card, why_not=why_not,
                  at=at)
    return begin(row, "take_booklet", HANDING, by=by, request_id=request_id, at=at,
                 **({"reason": WHY_NOT[why_not]} if why_not else {}))


def take_back_many(old: Mapping[int, int], handed: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> int:
    """The same for cards of which `handed` were handed over, none of their booklets missing; how many."""
    pairs = {card: old[card] for card in handed if card in old}
    rows = Begun(Booklet, TAKE, "held", {"certificates": list(pairs.values()), "cards": list(pairs)},
                 part="certificate_id", also=", certificate_id")
    return len(begin_many(rows, "take_booklet", HANDING, by=by, request_id=request_id, at=at)) if pairs else 0


@transaction.atomic
def bring(booklet: Booklet, *, by: Actor, request_id: UUID, at: datetime) -> Booklet:
    """A booklet that did not come back then is brought now (补交旧证). `Refusal`: those of `perform`."""
    return perform(booklet, "bring", {"at": at}, by=by, request_id=request_id, at=at)


@transaction.atomic
def report_missing(booklet_ids: Sequence[int], why_not: str, reason: str, *, by: Actor, request_id: UUID, at: datetime,
                   ) -> list[Trouble]:
    """Booklets that were written down as taken back are not here (清点缺失): from now on no count asks for them, and a
    case for each waits for the second person. `why_not`: what they are put down as then, of `WHY_NOT`; `reason`: what
    happened, in words.

    `Refusal`: `reason-missing`, `booklets-none` where none of them is told, and those of `perform`. Raises `Replayed`
    for a repeat.
    """
    if why_not not in WHY_NOT or not reason.strip():
        raise Refusal("reason-missing")
    rows = lock(*Booklet.objects.filter(pk__in=booklet_ids, area__code__range=(by.lo, by.hi)))
    if not rows:
        raise Refusal("booklets-none")
    return [_report(row, why_not, reason.strip(), by=by, request_id=sub(request_id, row.pk), at=at)
            for row in sorted(rows, key=lambda row: row.pk)]


def _report(row: Booklet, why_not: str, reason: str, *, by: Actor, request_id: UUID, at: datetime) -> Trouble:
    """The booklet is missing, and its case proposes at once what the second person confirms, or does not."""
    row = perform(row, "miss", {"why_not": why_not}, by=by, request_id=request_id, at=at, reason=reason)
    case = Trouble(province=row.province, area=row.area, sort=MISSING, alarm=f"{MISSING}:v{row.version}:{row.pk}",
                   card=row.card, serial=row.card.serial or "", office=row.area_id, detail=why_not, at=at)
    case = begin(case, "raise", KEEPING, by=by, request_id=sub(request_id, "case"), at=at, serial=case.serial)
    return perform(case, "propose_loss", {"reason": reason, "person": by.person}, by=by,
                   request_id=sub(request_id, "propose"), at=at, reason=reason)


def of_case(case: Trouble) -> Booklet:
    """The booklet that a case is about."""
    return Booklet.get(int(case.alarm.rpartition(":")[2]))


def find(case: Trouble, *, by: Actor, request_id: UUID, at: datetime) -> Booklet:
    """A missing booklet was found and lies here (找到), in the caller's transaction."""
    return perform(of_case(case), "find", {"why_not": ""}, by=by, request_id=request_id, at=at)


def give_up(case: Trouble, *, by: Actor, request_id: UUID, at: datetime) -> Booklet:
    """Two persons have said that a booklet was not taken back (更正为未收回), in the caller's transaction."""
    return perform(of_case(case), "give_up", by=by, request_id=request_id, at=at)


@transaction.atomic
def propose_pulping(office: Area, counted: int, how: str, *, by: Actor, request_id: UUID, at: datetime) -> Pulping:
    """List all booklets that lie at an office, to be destroyed (旧证销毁). `counted`: how many the officer counted.

    `Refusal`: `not-permitted`, `not-found`, `reason-missing`, `booklets-none`, `booklets-differ` where the number is
    not that of the list. Raises `Replayed` for a repeat.
    """
    if event := replayed(request_id, Pulping.kind()):
        raise Replayed(event)
    if not by.may(KEEPING):
        raise Refusal("not-permitted", permission=KEEPING)
    if not by.sees(office.code):
        raise Refusal("not-found")
    if not how.strip():
        raise Refusal("reason-missing")
    ids = list(Booklet.objects.filter(area=office, state="held").order_by("pk").select_for_update()
               .values_list("pk", flat=True))
    if not ids:
        raise Refusal("booklets-none")
    if counted != len(ids):
        raise Refusal("booklets-differ", listed=len(ids), counted=counted)
    row = Pulping(province=province_of(office.code), area=office, quantity=counted, person=by.person, how=how.strip(),
                  at=at)
    row = begin(row, "propose", KEEPING, by=by, request_id=request_id, at=at, booklets=counted)
    perform_many(Many(Booklet, ids, "held", also=", pulping_id = %(pulping)s", values={"pulping": row.pk}), "list",
                 by=by, request_id=sub(request_id, "list"), at=at)
    return row


@transaction.atomic
def confirm_pulping(row: Pulping, counted: int, *, by: Actor, request_id: UUID, at: datetime) -> Pulping:
    """The second person counts the booklets, and they are destroyed (销毁).

    `Refusal`: `booklets-differ`, `custody-same-person`, and those of `perform`. Raises `Replayed` for a repeat.
    """
    row = perform(row, "confirm", {"confirmed_by": by.person, "counted": counted}, by=by, request_id=request_id, at=at,
                  counted=counted)
    _move(row, "destroy", "", by=by, request_id=request_id, at=at)
    return row


@transaction.atomic
def decline_pulping(row: Pulping, *, by: Actor, request_id: UUID, at: datetime) -> Pulping:
    """Do not destroy them (不同意): the booklets lie there as before. `Refusal`: those of `perform`."""
    row = perform(row, "decline", by=by, request_id=request_id, at=at)
    _move(row, "strike", ", pulping_id = NULL", by=by, request_id=request_id, at=at)
    return row


def _move(row: Pulping, action: str, also: str, *, by: Actor, request_id: UUID, at: datetime) -> None:
    ids = list(Booklet.objects.filter(pulping=row, state="listed").values_list("pk", flat=True))
    perform_many(Many(Booklet, ids, "listed", also=also), action, by=by, request_id=sub(request_id, action), at=at)
