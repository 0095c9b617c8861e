"""What becomes of the cards that a batch held (暂缓卡处置): each is decided before the batch goes out, by name.

A card with a name that is too long is made with the name that the template's rule gives, in the next batch; one that
waits for a photo, a font or a number stays held until it is there; any other is taken out of this batch. Numbers at
partners, which a face may have a place for, are noted here, too.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, lock, perform, replayed, sub
from zhengka.production.faces import Artist, fonts, layout_for
from zhengka.production.models import Batch, Item
from zhengka.production.services.gathering import face_texts, own_face_of, sealed_face, subject_of
from zhengka.production.workflow import SET_ASIDE

TOO_LONG: Final = ("text-too-long name", "chip-refused name ")
"""Reasons for which a shorter name helps: the face has no room for it, or the chip."""


@transaction.atomic
def decide(batch: Batch, card_ids: Sequence[int], decision: str, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Decide about some held cards of a prepared batch: `wait` (待补正) or `out` (移出本批). They stay held, and the
    batch goes on without them. Those that were decided, or are not held in it, are left alone.

    `Refusal`: `step-not-open` for another decision, `nothing-to-decide`, what `perform` says.
    """
    if event := replayed(request_id, Batch.kind(), batch.pk):
        raise Replayed(event)
    if decision not in SET_ASIDE:
        raise Refusal("step-not-open", action=decision)
    (batch,) = lock(batch)
    decided = _open(batch).filter(card__in=list(card_ids)).update(decision=decision)
    return _decided(batch, decided, decision, by=by, request_id=request_id, at=at)


@transaction.atomic
def shorten(batch: Batch, card: Card, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Let the name of a held card be shortened by the rule of its template (姓名缩略): the card waits for the next one.

    Face and chip say the shorter one, the record keeps the whole. `Refusal`: `name-not-shortened` where the rule gives
    no name that fits, or the card is held for another reason; `nothing-to-decide`, what `perform` says.
    """
    if event := replayed(request_id, Batch.kind(), batch.pk):
        raise Replayed(event)
    (batch,) = lock(batch)
    if not _open(batch).filter(card=card).update(decision="shortened"):
        raise Refusal("nothing-to-decide", batch=batch.number)
    short = short_name(card)
    if not short:
        raise Refusal("name-not-shortened", card=card.pk)
    card = perform(card, "shorten", {"face": sealed_face(own_face_of(card)._replace(short=True))}, by=by,
                   request_id=sub(request_id, "shorten"), at=at)
    release(card, by=by, request_id=sub(request_id, "release"), at=at, note=False)
    return _decided(batch, 1, "shortened", by=by, request_id=request_id, at=at)


def short_name(card: Card) -> str:
    """The name that the rule of the template gives a card which is held for its name; "" where that is no help."""
    layout = layout_for(card.profile)
    subject = subject_of(card)
    subject = subject._replace(own=subject.own._replace(short=True))
    texts = face_texts(subject, layout)
    if not card.hold_reason.startswith(TOO_LONG) or texts["name"] == subject.name:
        return ""
    return "" if Artist(layout, fonts()).fault(texts) else texts["name"]


@transaction.atomic
def release(card: Card, *, by: Actor, request_id: UUID, at: datetime, note: bool = True) -> Card:
    """Let a held card be made after its fault was cured (解除暂缓): it waits for the next batch, and in the one that
    held it is decided.
    """
    card = perform(card, "release", {"hold_reason": ""}, by=by, request_id=request_id, at=at, reason=card.hold_reason)
    if note:
        for item in Item.objects.filter(card=card, outcome="held", decision="",
                                        batch__state__in=("prepared", "withheld")):
            item.decision = "released"
            item.save(update_fields=["decision"])
            Batch.objects.filter(pk=item.batch_id).update(undecided=F("undecided") - 1)
    return card


@transaction.atomic
def note_numbers(card: Card, numbers: Mapping[str, str], *, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Note the numbers of a card at its template's partners (登记合作号码), before it is made; others stay.

    They are sealed, for an account is personal data; the event tells of whom they are alone. `Refusal`:
    `partner-unknown`, `partner-number-bad` where one does not look as the partner's do; what `perform` says.
    """
    layout = layout_for(card.profile)
    for code, number in numbers.items():
        if code not in layout.numbers:
            raise Refusal("partner-unknown", partner=code)
        if not re.fullmatch(layout.partners[code].number, number):
            raise Refusal("partner-number-bad", partner=code)
    (fresh,) = lock(card)
    own = own_face_of(fresh)
    return perform(fresh, "number", {"face": sealed_face(own._replace(numbers={**own.numbers, **numbers}))}, by=by,
                   request_id=request_id, at=at, partners=sorted(numbers))


def split_off(batch: Batch) -> int:
    """Take what nobody decided out of a batch that goes out (拆出); how many. The caller moves the batch."""
    return _open(batch).update(decision="out")


def _open(batch: Batch) -> QuerySet[Item]:
    return Item.objects.filter(batch=batch, outcome="held", decision="")


def _decided(batch: Batch, count: int, decision: str, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    if not count:
        raise Refusal("nothing-to-decide", batch=batch.number)
    return perform(batch, "decide", {"undecided": batch.undecided - count}, by=by, request_id=request_id, at=at,
                   decision=decision, cards=count)
