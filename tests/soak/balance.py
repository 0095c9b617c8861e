"""The balance of one batch, drawn from the tables, the package, the maker's answer and the key store's own count. Each
line that does not come out is one sentence; none is the answer that is wanted.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from soak.life import BOX, CARDS, Diary, Life
from zhengka.cards.models import Card
from zhengka.core import invariants, sweeping
from zhengka.core.invariants import Check
from zhengka.core.models import Event
from zhengka.custody import invariants as custody_invariants
from zhengka.custody.models import Keeping, Stay, Trouble
from zhengka.formats.package import PackageReader
from zhengka.formats.results import ResultReader
from zhengka.keys.models import Key
from zhengka.letters.models import Letter
from zhengka.production import services
from zhengka.production.models import Batch, Item
from zhengka.stock import invariants as stock_invariants
from zhengka.stock import queries as stock
from zhengka.stock.models import Box
from zhengka_maker import home as homes

LIFE_OF_A_BATCH = ["open", "prepare", "finish", "send", "receive", "close"]
LIVES = {  # outcome of an item → what is told of its card, each once
    "held": ["order", "batch", "hold"],
    "good": ["order", "batch", "prepare", "send", "accept"],
    "spoiled": ["order", "batch", "prepare", "send", "spoil", "condemn", "destroy"],
    "suspect": ["order", "batch", "prepare", "send", "suspect", "condemn", "destroy"]}
ONCE = ("serial", "uid", "token", "credential", "(status_list, status_index)")


def faults(life: Life, diary: Diary, *, stalled: int = 0) -> list[str]:
    """What does not come out. `stalled`: how often the batch was let be tried again by an officer."""
    batch = life.batch()
    return [*counts(batch), *lives(batch, stalled), *numbers(), *files_agree(life, batch), *signed(life, batch, diary),
            *replaced(batch), *blanks(life, batch), *parcels(life, batch), *nothing_waits(batch)]


def counts(batch: Batch) -> Iterator[str]:
    """Ordered = prepared + held; prepared = good + spoiled + suspect; and the items say the same."""
    told = Counter(Item.objects.filter(batch=batch).values_list("outcome", flat=True))
    if batch.state != "closed":
        yield f"the batch is {batch.state}"
    if batch.ordered != CARDS or len(told) < 3 or sum(told.values()) != CARDS:
        yield f"{batch.ordered} ordered, {sum(told.values())} items, outcomes {dict(told)}"
    if Item.objects.filter(batch=batch).values("card").distinct().count() != CARDS:
        yield "a card is in the batch twice, or not at all"
    wanted = {"held": batch.held, "good": batch.good, "spoiled": batch.spoiled, "suspect": batch.suspect}
    if +Counter(wanted) != told:
        yield f"the batch counts {wanted}, its items are {dict(told)}"
    if batch.ordered != batch.prepared + batch.held or batch.prepared != batch.good + batch.spoiled + batch.suspect:
        yield "the counts of the batch do not add up"


def lives(batch: Batch, stalled: int) -> Iterator[str]:
    """Every event once and in order, of the batch and of each card."""
    tried_again = ["stall", "retry"] * stalled
    if (said := actions("batch", batch.pk)) != [*LIFE_OF_A_BATCH[:2], *tried_again, *LIFE_OF_A_BATCH[2:]]:
        yield f"the batch's events are {said}"
    for item in Item.objects.filter(batch=batch).select_related("card"):
        said, wanted = actions("card", item.card_id), LIVES.get(item.outcome, [])
        if said != wanted[len(wanted) - len(said):] or len(said) < len(wanted) - 1:  # builders order without an event
            yield f"the events of a {item.outcome} card are {said}"
        if item.card.version != Card.get(item.card_id).version or Event.objects.filter(
                subject="card", subject_id=item.card_id).values("version").distinct().count() != len(said):
            yield "a card's events are not one after another"
    if (told := Letter.objects.filter(subject_id__in=cards_of(batch, "good")).count()) != batch.good:
        yield f"{told} letters for {batch.good} good cards"


def actions(kind: str, pk: int) -> list[str]:
    """What was told of a row, in order."""
    return list(Event.objects.filter(subject=kind, subject_id=pk).order_by("version").values_list("action", flat=True))


def numbers() -> Iterator[str]:
    """No number, chip, token, credential or place in a status list is used twice, in any batch."""
    with connection.cursor() as cursor:
        for name in ONCE:
            given = "status_index" if "status" in name else name
            cursor.execute(f"SELECT count(*) FROM (SELECT FROM cards_card WHERE {given} IS NOT NULL "
                           f"GROUP BY {name} HAVING count(*) > 1) twice")
            if twice := cursor.fetchone()[0]:
                yield f"{twice} values of {name} are used twice"


def files_agree(life: Life, batch: Batch) -> Iterator[str]:
    """Every prepared card is once in the package and once in the answer (less the one that was planted as lost)."""
    outcomes = ("good", "spoiled", "suspect")
    wanted = sorted(Card.objects.filter(pk__in=cards_of(batch, *outcomes)).values_list("serial", flat=True))
    place, home = services.staging.packages() / batch.package, life.town.home
    with PackageReader(place, homes.private_key(home), homes.issuer_key(home)) as package:
        ordered = sorted(order.serial for member in package.members if member.name.startswith("cards")
                         for order in package.orders(member))
        if package.digest.hex() != batch.manifest_digest:
            yield "the package is another one than the batch says"
    answered = sorted(card.serial for card in ResultReader(life.results(), homes.private_key(home).public).cards())
    if ordered != wanted or answered != wanted or len(set(wanted)) != batch.prepared:
        yield f"{len(wanted)} cards prepared, {len(ordered)} in the package, {len(answered)} in the answer"
    if batch.findings.count() != batch.suspect:
        yield f"{batch.findings.count()} findings for {batch.suspect} suspect cards"


def signed(life: Life, batch: Batch, diary: Diary) -> Iterator[str]:
    """Intent first: what the store was asked to sign was counted before, and each message is of a card of this batch
    with its token in the database. A message is signed again only by who took the work over.
    """
    lines = diary.of("signed")
    for purpose in ("credential", "batch"):
        key = Key.objects.get(purpose=purpose)
        asked = sum(len(line["messages"]) for line in lines if line["label"] == key.label)
        counted = key.signatures - diary.of("began")[0][purpose]
        cut = sum(line["number"] for line in diary.of("cut") if line["label"] == key.label)
        if not asked <= counted <= asked + cut:
            yield f"{counted} signatures of the {purpose} key were counted, {asked} asked of the store"
    label = Key.objects.get(purpose="credential").label
    messages = {message for line in lines if line["label"] == label for message in line["messages"]}
    tokens = [bytes(token).hex() for token in Card.objects.filter(
        pk__in=cards_of(batch, "good", "spoiled", "suspect")).values_list("token", flat=True)]
    if len(messages) != len(tokens) or not all(any(token in message for message in messages) for token in tokens):
        yield f"{len(messages)} credentials were signed for {len(tokens)} cards with a token"


def replaced(batch: Batch) -> Iterator[str]:
    """What is good for nothing was destroyed by two persons, and another card ordered once in its place."""
    lost = Card.objects.filter(pk__in=cards_of(batch, "spoiled", "suspect"))
    for card in lost:
        if card.state != "destroyed" or not card.condemned_person or card.condemned_person == card.destroyed_person:
            yield f"a card that is good for nothing is {card.state}"
        if list(Card.objects.filter(replaces=card).values_list("state", flat=True)) != ["ordered"]:
            yield "no other card, or more than one, was ordered in place of one that is good for nothing"
    if Card.objects.filter(replaces__in=cards_of(batch, "good", "held")).exists():
        yield "a card was ordered in place of a good one"
    if lost.filter(items__outcome="suspect").exclude(uid=None).exists():
        yield "of a suspect chip something is believed"


def blanks(life: Life, batch: Batch) -> Iterator[str]:
    """Every blank card of the life's box is in one place: under a good card, destroyed with its own, or in the machine;
    and the ledger of all lives contradicts itself nowhere.
    """
    yield from stock.unbalanced()
    yield from found(stock_invariants.CHECKS)
    (box,) = Box.objects.filter(first=life.blanks()[0])
    wanted = Counter({"issued": batch.good, "destroyed": batch.spoiled + batch.suspect,
                      "machine": BOX - batch.prepared})
    if (told := Counter(stock.in_box(box, timezone.now()))) != +wanted:
        yield f"of {BOX} blanks {dict(told)}, wanted {dict(wanted)}"
    if Item.objects.filter(batch=batch, outcome="good").values("blank").distinct().count() != batch.good:
        yield "a good card names no blank of its own"


def parcels(life: Life, batch: Batch) -> Iterator[str]:
    """Every good card travelled once, in one parcel that was opened, and waits at its office; nothing is amiss."""
    yield from found(custody_invariants.CHECKS)
    told = list(batch.parcels.values_list("state", "quantity", "passed"))
    if told != [("unpacked", batch.good, 2)]:
        yield f"the parcels are {told} for {batch.good} good cards"
    for parcel in batch.parcels.all():
        if (said := actions("parcel", parcel.pk)) != ["seal", "dispatch", "arrive", "arrive", "unpack"]:
            yield f"the parcel's events are {said}"
        if [stay.place for stay in Stay.objects.filter(parcel=parcel).order_by("since")] != [
                "plant", "moving", "office", "office"]:
            yield "the parcel was in other places than it went through"
    kept = Keeping.objects.filter(card__in=cards_of(batch, "good"), state="waiting", office=life.area.code)
    if kept.count() != batch.good or Keeping.objects.filter(card__in=cards_of(batch, "held", "spoiled", "suspect")):
        yield f"{kept.count()} cards wait of {batch.good} good ones"
    if Trouble.objects.exists():
        yield f"cases are open: {list(Trouble.objects.values_list('sort', 'serial'))}"


def found(checks: Iterable[Check]) -> Iterator[str]:
    """What the product's own checks find, of all lives."""
    return (f"{check.name}: {rows}" for check in checks if (rows := invariants.run(check).rows))


def nothing_waits(batch: Batch) -> Iterator[str]:
    """No job is left, and once the nightly sweeps ran, no file that nobody needs."""
    if left := list(ProcrastinateJob.objects.filter(status__in=("todo", "doing")).values_list("task_name", flat=True)):
        yield f"jobs are left: {left}"
    tomorrow = timezone.now() + dt.timedelta(days=2)
    services.sweep_packages(at=tomorrow)
    sweeping.sweep(at=tomorrow)
    home = Path(settings.HOME)
    wanted = {name for name in Batch.objects.exclude(state="cancelled").values_list("package", flat=True) if name}
    wanted |= {f"{name}.parts" for name in wanted}
    left = [path for path in (home / "packages").glob("*") if path.name not in {*wanted, "staging"}]
    left += [*(home / "packages" / "staging").glob("*"), *(home / "files").glob("**/tmp*"),
             *(home / "uploads").glob("*"), *(home / "maker" / "out").glob(".*"),
             *(home / "maker" / "runs").glob("*/*/*"), *(home / "maker" / "runs").glob("*/.*"),
             *(home / "public").glob("**/.*")]
    if left:
        yield f"files are left: {sorted(str(path.relative_to(home)) for path in left)}"
    if batch.content_key is not None:
        yield "the content key of a finished batch is kept"


def cards_of(batch: Batch, *outcomes: str) -> list[int]:
    """Cards of the batch by what became of them."""
    return list(Item.objects.filter(batch=batch, outcome__in=outcomes).values_list("card_id", flat=True))
