"""Steps 8 and 9 of the main job: cards are presented without a network; lost ones are refused, found ones pass."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from zhengka.cards import services as cards
from zhengka.cards.holding import FEWEST
from zhengka.cards.models import Card
from zhengka.cli.bundle import MAX_AGE, open_bundle
from zhengka.cli.bundle import verdicts as verdicts_of_bundle
from zhengka.cli.line import Officers, Told, act, pages
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.formats import qr
from zhengka.formats.verdict import decide
from zhengka.gates import services as gates

LOST_SHARE = 100
"""One card in so many is reported lost by the demo."""


@dataclass(frozen=True)
class Lost:
    """What became of the cards that were reported lost: refused while lost, and accepted once found."""

    reported: int
    refused: int
    found: int
    accepted: int


def verify_all(who: Officers, *, processes: int, told: Told) -> Counter[str]:
    """Step 8: every active card's QR against the published bundle, offline; how many got each verdict.

    The cards of step 9 are left to it, so that this step tells the same in every run; a card of a loss that waits is
    not presented.
    """
    verdicts: Counter[str] = Counter()
    bundle, at = Path(settings.HOME) / "public", timezone.now()
    lost = to_be_lost(who)
    texts = [[text(card) for card in page if card.pk not in lost] for page in pages(who.clerk, "active")]
    total = sum(map(len, texts))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for found in pool.map(verdicts_of_bundle, texts, repeat(bundle), repeat(at)):
            verdicts += found
            told(verdicts.total(), total)
    told(total, total)
    verdicts["reported lost, not presented"] = sum(
        card.pk not in lost for page in pages(who.clerk, "suspended") for card in page)
    return +verdicts


def to_be_lost(who: Officers) -> dict[int, bool]:
    """Keys of the cards that the demo reports lost, every hundredth usable one, and no more than one clerk may block in
    a day without two persons' word; True for those that are found again.

    Chosen by place, not by key: a run that was interrupted leaves gaps among the keys.
    """
    usable = sorted(card.pk for state in ("active", "suspended") for page in pages(who.clerk, state) for card in page)
    return {pk: place % 2 == 0 for place, pk in enumerate(usable[LOST_SHARE - 1::LOST_SHARE][:FEWEST])}


def text(card: Card) -> str:
    """The text of a card's QR code."""
    return qr.to_text(bytes(card.credential or b""), settings.PUBLIC_URL)


def lose_and_find(who: Officers, *, told: Told) -> Lost:
    """Step 9: some cards are lost, refused online at once and offline by the next list; every second one is found."""
    chosen = to_be_lost(who)
    lost = [card for state in ("active", "suspended") for page in pages(who.clerk, state) for card in page
            if card.pk in chosen]
    found = [card for card in lost if chosen[card.pk]]
    newly = [card for number, card in enumerate(lost) if _once(cards.report_lost, card, who, told, (number, len(lost)))]
    cards.publish_status_lists(at=timezone.now())
    refused = _verdicts_of(newly)
    if set(refused) - {("suspended", "suspended")}:
        raise Refusal("lost-card-accepted", verdicts=str(dict(refused)))
    for card in found:
        _once(cards.report_found, card, who, told, (len(lost), len(lost)))
    cards.publish_status_lists(at=timezone.now())
    still = [card for card in lost if card not in found]
    return Lost(len(lost), _verdicts_of(still)["suspended", "suspended"], len(found),
                _verdicts_of(found)["valid", "valid"])


def _once(change: Callable[..., Card], card: Card, who: Officers, told: Told, at: tuple[int, int]) -> bool:
    """Report one card; False where an earlier run did."""
    told(*at)
    try:
        change(card, by=who.clerk, request_id=act(change.__name__, card.pk), at=timezone.now())
    except Replayed:
        return False
    return True


def _verdicts_of(presented: list[Card]) -> Counter[tuple[str, str]]:
    """How many of the cards got which verdict (online, offline) just now."""
    at = timezone.now()
    keys, lists = open_bundle(Path(settings.HOME) / "public", at=at)
    return Counter((gates.check(text(card), channel="api", at=at).verdict,
                    decide(text(card), keys=keys, lists=lists, at=at, max_age=MAX_AGE).code) for card in presented)

