"""Finished cards at the counter (发卡): what was printed is compared with the record once more before a card goes out.

Name, ID number, photo or certificate may have changed between the day the card came from the maker and today, and a key
of the card may have ended.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.cards import services as cards
from zhengka.cards.models import Card, KeyGroup
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, perform, replayed, sub
from zhengka.keys import queries as key_queries
from zhengka.keys import rules
from zhengka.production.models import Item
from zhengka.production.services.inspecting import differing
from zhengka.registry import queries as records
from zhengka.registry import services as registry


@dataclass(frozen=True)
class Handed:
    """Row ids of cards that were handed over, of those that stay because the record has changed since they were made,
    of those whose keys are over, and of those that somebody has to look at first.
    """

    moved: list[int]
    outdated: list[int]
    keys_over: list[int]
    unseen: list[int]


def outdated(card_ids: Iterable[int]) -> list[int]:
    """Those of some finished cards that do not say what the record says now: their print and code as they were prepared
    against the record (its blind index), and their holder's ID number against the certificate number that is printed.

    A card that was prepared before such indexes were kept is compared by its number alone.
    """
    ids = sorted(card_ids)
    made = Item.objects.filter(card__in=ids, outcome="good")
    of_card = dict(Card.objects.filter(pk__in=ids).values_list("pk", "certificate_id"))
    other = records.numbers_of_others(of_card.values())
    return sorted({*differing(made), *(pk for pk, certificate in of_card.items() if certificate in other)})


def keys_over(card_ids: Iterable[int], *, at: datetime) -> list[int]:
    """Those of some finished cards under a key that reads no more or was revoked (密钥已停用或吊销): a master of their
    own keys, or what signed their code. The keys of blank chips and of loading channels are done with by then.

    A card that was made before cards named their key versions tells nothing.
    """
    group_of = dict(Card.objects.filter(pk__in=list(card_ids), key_group__isnull=False).values_list("pk", "key_group"))
    groups = dict(KeyGroup.objects.filter(pk__in=set(group_of.values())).values_list("pk", "keys"))
    ended = {key.pk for key in key_queries.over({pk for keys in groups.values() for pk in keys}, at=at)
             if key.purpose not in (rules.BLANK_CARD, rules.CHANNEL)}
    return sorted(card for card, group in group_of.items() if ended.intersection(groups[group]))


def unseen(card_ids: Iterable[int]) -> list[int]:
    """Those of some finished cards at which no camera of their maker has looked: what is printed on them is matched by
    the officer who hands them over (核对卡面).
    """
    found = Item.objects.filter(card__in=list(card_ids), outcome="good", unseen=True)
    return sorted(found.values_list("card", flat=True))


@transaction.atomic
def hand_over(card: Card, *, looked: bool = False, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Hand a finished card to its holder (领取), as `cards.services.hand_over` does, if it still says what the record
    says. `looked`: the officer has compared its print and code with the record; the event says so. `Refusal`:
    `card-outdated`, `card-keys-over`, `card-unseen` where nobody has looked, and what that one says.
    """
    if event := replayed(request_id, Card.kind(), card.pk):
        raise Replayed(event)
    registry.hold([card.holder_id])
    if by.sees(card.area_id) and card.state == "ready":
        if outdated([card.pk]):
            raise Refusal("card-outdated", serial=card.serial)
        if keys_over([card.pk], at=at):
            raise Refusal("card-keys-over", serial=card.serial)
        if not looked and unseen([card.pk]):
            raise Refusal("card-unseen", serial=card.serial)
    return cards.hand_over(card, looked=looked, by=by, request_id=request_id, at=at)


@transaction.atomic
def hand_over_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> Handed:
    """Hand over many cards; a repeat moves none twice. Left out are those that do not say what the record says any
    more, whose keys are over, or at which somebody has to look one by one.
    """
    ready = Card.objects.filter(pk__in=card_ids, state="ready", area__code__range=(by.lo, by.hi))
    registry.hold(ready.values_list("holder_id", flat=True))
    ids = list(ready.values_list("pk", flat=True))
    old = outdated(ids)
    over = sorted(set(keys_over(ids, at=at)) - set(old))
    blind = sorted(set(unseen(ids)) - set(old) - set(over))
    fit = sorted(set(card_ids) - {*old, *over, *blind})
    return Handed(cards.hand_over_many(fit, by=by, request_id=request_id, at=at), old, over, blind)


@transaction.atomic
def make_again(card: Card, *, by: Actor, request_id: UUID, at: datetime) -> Card:
    """Spoil a finished card that must not be handed over (废卡), and order another in its place (补制): the new one.

    `Refusal`: those of `perform` and of `cards.services.reorder`.
    """
    registry.hold([card.holder_id])
    spoiled = perform(card, "spoil", by=by, request_id=request_id, at=at)
    return cards.reorder(spoiled, by=by, request_id=sub(request_id, "again"), at=at)
