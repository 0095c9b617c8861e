"""Cards that were made and are not here: looked for, declared lost by two (认定遗失), destroyed if they turn up."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.cards.services.destroying import allowed, locked, move, unmissed
from zhengka.cards.services.status import ask_for_lists
from zhengka.cards.workflow import NOT_HERE, TO_DESTROY
from zhengka.core.actors import Actor
from zhengka.core.events import Done


@transaction.atomic
def note_missing_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Note that useless cards are not where they should lie (缺卡): they are looked for, and not destroyed, for nobody
    destroys what is not in hand; a proposal to do so falls. `Refusal("not-permitted")`; left alone: `step-not-open`.
    """
    rows, left = locked("go_missing", TO_DESTROY, card_ids, by, request_id)
    return Done(move("go_missing", rows, by, request_id, at, also=", condemned_person = ''"), dict(+left))


@transaction.atomic
def propose_lost_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Propose that missing cards are declared lost (提请认定遗失): they were looked for in vain.

    Left alone, by reason: `step-not-open`, `loss-proposed` where somebody proposed it before, `card-not-replaced`
    where the holder's certificate holds and no other card was ordered or is in use. `Refusal("not-permitted")`.
    """
    rows, left = locked("propose_lost", ("missing",), card_ids, by, request_id)
    left["loss-proposed"] = sum(bool(card.missed_person) for card in rows)
    bare = [card for card in rows if not card.missed_person]
    moved = move("propose_lost", unmissed(bare, left), by, request_id, at, also=", missed_person = %(person)s")
    return Done(moved, dict(+left))


@transaction.atomic
def declare_lost_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Declare lost what another person proposed (认定遗失): an event for each, and gates are told at once.

    `Refusal("not-permitted")`; left alone, by reason: `step-not-open`, `loss-not-proposed`, `same-person` where this
    person proposed it, `card-not-replaced` where what stood for it has ended since.
    """
    rows, left = locked("declare_lost", ("missing",), card_ids, by, request_id)
    fit = unmissed(allowed("declare_lost", rows, by, left), left)
    moved = move("declare_lost", fit, by, request_id, at, also=", lost_person = %(person)s")
    ask_for_lists(fit)
    return Done(moved, dict(+left))


@transaction.atomic
def turn_up_many(card_ids: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Take in cards that turned up (找到): nobody knows where they were, so they are suspect, never good again, and two
    persons destroy them. `Refusal("not-permitted")`; left alone: `step-not-open`.
    """
    rows, left = locked("turn_up", NOT_HERE, card_ids, by, request_id)
    return Done(move("turn_up", rows, by, request_id, at, also=", missed_person = '', lost_person = ''"), dict(+left))
