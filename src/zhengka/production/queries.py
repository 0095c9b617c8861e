"""What may be read about batches, their progress, and cards as they will look."""

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from zhengka.cards import queries as cards
from zhengka.cards.models import Card
from zhengka.core import fields, files
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.scope import seeing_all
from zhengka.formats import chip
from zhengka.formats.seal import open_stream
from zhengka.formats.suites import SUITES, PublicKey
from zhengka.formats.verdict import CHINA
from zhengka.keys import queries as keys
from zhengka.production import faces
from zhengka.production.models import Batch, Chunk, Erasure, Finding, Item, Maker
from zhengka.production.services.finishing import PROOF, sample_face
from zhengka.production.services.gathering import Subject, face_texts, lacking, subject_of
from zhengka.production.services.making import raised
from zhengka.production.services.staging import packages
from zhengka.registry import queries as registry
from zhengka.registry.models import Holder
from zhengka.stock import queries as stock

TO_BE_MADE: Final = ("ordered", "batched", "held", "prepared", "sent")
"""States of a card for which a blank will be used."""
PACE_WEEKS: Final = 4
"""So many weeks tell how fast blank cards are used, and within so many the cards that wait are to be made."""

UNMADE: Final = ("ordered", "batched", "held")
"""States of a card that can still be held."""
NO_SERIAL: Final = "0" * 16


@dataclass(frozen=True)
class Progress:
    """How far the preparation of a batch is: chunks and cards done, of all."""

    chunks: int
    of_chunks: int
    cards: int
    of_cards: int

    @property
    def percent(self) -> int:
        """Whole percent of the chunks."""
        return 100 * self.chunks // self.of_chunks if self.of_chunks else 100


@dataclass(frozen=True)
class Blanks:
    """The blank cards of a batch: `issued` and `spoiled` as the ledger has them; of the cards that were made, how many
    are `good`, how many others (`bad`) used a blank of their own, and how many are `bare`: without one. `wasted`:
    blanks that were spoiled beside the cards' own.
    """

    issued: int
    spoiled: int
    good: int
    bad: int
    bare: int
    wasted: int

    @property
    def closes(self) -> bool:
        """Cards made = blanks used: every blank that the ledger gave is one card's, or was wasted."""
        return self.issued == self.good and self.spoiled == self.bad + self.wasted


def batches(actor: Actor) -> QuerySet[Batch]:
    """The batches of the actor's area, the newest first."""
    return Batch.objects.filter(area__code__range=(actor.lo, actor.hi)).select_related("area", "maker").order_by("-pk")


def batch(batch_id: int, *, actor: Actor) -> Batch:
    """A batch of the actor's area; `Refusal("not-found")`."""
    return _one(batches(actor).filter(pk=batch_id))


def batch_by_number(number: str, *, actor: Actor) -> Batch:
    """A batch of the actor's area by its readable number; `Refusal("not-found")`."""
    return _one(batches(actor).filter(number=number))


def by_state(actor: Actor) -> dict[str, int]:
    """How many batches wait for the actor in each state: prepared ones that the actor had prepared wait for another."""
    found = batches(actor).exclude(state="prepared", prepared_person=actor.person).order_by()
    return dict(found.values_list("state").annotate(n=Count("pk")))


def unacknowledged(actor: Actor, *, on: date) -> QuerySet[Batch]:
    """Batches of the actor's area whose card maker has not said in time that it has the package."""
    return batches(actor).filter(state="sent", acknowledged_at=None, acknowledge_by__lt=on)


def erasures(batch: Batch) -> QuerySet[Erasure]:
    """What of a batch's production data was erased, and by which rule."""
    return Erasure.objects.filter(batch=batch).order_by("pk")


def progress(batch: Batch) -> Progress:
    """How far the preparation is."""
    rows = list(batch.chunks.values_list("state", "cards"))
    done = [count for state, count in rows if state == "done"]
    return Progress(len(done), len(rows), sum(done), batch.ordered)


def preparing(actor: Actor) -> tuple[int, int]:
    """Cards of the actor's area that are prepared for batches not sent yet, and how many those batches ordered; asked
    again and again while workers need the processors.
    """
    found = batches(actor).filter(state__in=("preparing", "prepared")).select_related(None).order_by()
    ordered = dict(found.values_list("pk", "ordered"))
    done = Chunk.objects.filter(batch__in=list(ordered), state="done").aggregate(cards=Sum("cards", default=0))
    return done["cards"], sum(ordered.values())


def findings(batch: Batch) -> QuerySet[Finding]:
    """What was wrong in the card maker's results, by kind and serial."""
    return Finding.objects.filter(batch=batch).order_by("code", "serial", "pk")


def blanks(batch: Batch, *, at: datetime) -> Blanks | None:
    """The blank cards that a batch used; None before its results came, and where its maker's are not in the ledger."""
    if batch.machine_id is None or batch.state not in ("received", "closed"):
        return None
    with seeing_all(connection):  # the machine may be another office's, and so are its slips
        used = stock.of_batch(batch.number, at)
    items = Item.objects.filter(batch=batch, outcome__in=("spoiled", "suspect"), blank__isnull=False)
    failed = items.filter(checked="failed").count()  # good as they came, and found wrong here
    bad = items.count() - failed
    return Blanks(used.get("issue", 0), used.get("spoil", 0), batch.good + failed, bad,
                  batch.spoiled + batch.suspect - bad - failed, batch.wasted)


def next_blank(batch: Batch) -> int | None:
    """The serial of the blank card that comes next out of the batch's machine; None where it has none, or is empty."""
    if batch.machine_id is None:
        return None
    with seeing_all(connection):
        return stock.next_in(batch.machine_id)


@dataclass(frozen=True)
class Outlook:
    """How long the blank cards last: `on_hand` in stores, on the way and in machines, `on_order` from suppliers;
    `waiting` cards that are ordered and not made yet; `planned`: cards that are to be made until an order comes, as the
    plan says; `a_day`: blanks that are used, as fast as in the last weeks, as the cards that wait would need to be made
    within as many, or as planned; `lead`: days until an order comes.
    """

    on_hand: int
    on_order: int
    waiting: int
    a_day: float
    lead: int
    planned: int = 0

    @property
    def days(self) -> int | None:
        """Whole days until the last blank is used; None where none is."""
        return int(self.on_hand / self.a_day) if self.a_day else None

    @property
    def missing(self) -> int:
        """Cards that are ordered and for which there will be no blank, even once all orders have come."""
        return max(self.waiting - self.on_hand - self.on_order, 0)

    @property
    def alarm(self) -> str:
        """`short` where blanks are missing for cards that wait; `order-now` where what is here and on order is used up
        before another order would come; empty where it is not so.
        """
        late = self.a_day and (self.on_hand + self.on_order) / self.a_day < self.lead
        return "short" if self.missing else "order-now" if late else ""


def outlook(actor: Actor, *, at: datetime, planned: int = 0) -> Outlook:
    """How long the blank cards of the actor's offices last; `planned`: cards that a plan has made within the days until
    an order comes (`stock.queries.lead_days`), which no room below the plans knows.
    """
    held = stock.balance(actor.lo, actor.hi, at).accounts
    states = cards.counts(actor)
    waiting = sum(states.get(state, 0) for state in TO_BE_MADE)
    used = stock.used_since(actor.lo, actor.hi, at - timedelta(weeks=PACE_WEEKS))
    lead = stock.lead_days(actor.lo, actor.hi)
    return Outlook(sum(held[account] for account in ("stock", "moving", "machine")),
                   stock.on_order(actor.lo, actor.hi), waiting,
                   max(max(used, waiting) / (7 * PACE_WEEKS), planned / max(lead, 1)), lead, planned)


def held(batch: Batch) -> QuerySet[Item]:
    """The held cards of a batch with their holders, and the reason in each `reason`."""
    return Item.objects.filter(batch=batch, outcome="held").select_related("card__holder").order_by("position")


def suspects(batch: Batch) -> QuerySet[Item]:
    """The items of a batch whose card was not taken from the maker, by their place in it."""
    return Item.objects.filter(batch=batch, outcome="suspect").order_by("position")


def drawn_item(card_id: int, *, actor: Actor) -> Item:
    """The item by which a card was drawn to be looked at; `Refusal("not-found")` for one of another area."""
    found = Item.objects.filter(card=card_id, drawn__isnull=False, batch__in=batches(actor).order_by())
    for item in found.select_related("batch__area", "batch__maker", "card__holder", "card__area__parent",
                                     "card__certificate"):
        return item
    raise Refusal("not-found")


def drawn(batch: Batch) -> QuerySet[Item]:
    """The cards of a batch that are looked at, in the order of the draw."""
    return Item.objects.filter(batch=batch, drawn__isnull=False).select_related("card").order_by("drawn")


def looked_at(batch: Batch) -> tuple[int, int]:
    """How many cards of a batch were looked at, and how many are, in all."""
    counted = dict(drawn(batch).order_by().values_list("checked").annotate(n=Count("pk")))
    return sum(counted.values()) - counted.get("", 0), sum(counted.values())


def to_look_at(actor: Actor) -> int:
    """How many batches of the actor's area have cards that are to be looked at."""
    return batches(actor).filter(gate__in=("sample", "whole"), state="received").count()


def ended(batch: Batch) -> int:
    """How many cards of a batch ended once they were prepared: they are made, for its package is sealed."""
    return Item.objects.filter(batch=batch, outcome="prepared", card__state="cancelled").count()


def hold_reasons(actor: Actor) -> dict[str, int]:
    """How often a card was held out of a batch of the actor's area, by the code of the reason."""
    items = Item.objects.filter(batch__in=batches(actor).order_by(), outcome="held").exclude(reason="batch-cancelled")
    counted = Counter[str]()
    for reason, number in items.values_list("reason").annotate(n=Count("pk")):
        counted[reason.split(" ")[0]] += number
    return dict(sorted(counted.items()))


def suspect_reasons(actor: Actor) -> dict[str, int]:
    """How many cards of the actor's area were not taken from their makers, by what is wrong with them."""
    items = Item.objects.filter(batch__in=batches(actor).order_by(), outcome="suspect")
    return dict(items.order_by("reason").values_list("reason").annotate(n=Count("pk")))


def looks(actor: Actor) -> dict[str, int]:
    """What came of looking at the finished cards of batches of which some are looked at (发卡前核对): `passed`,
    `failed`, empty: to be looked at, `not drawn`.
    """
    items = Item.objects.filter(batch__in=batches(actor).exclude(gate="").order_by())
    found = Counter(dict(items.filter(Q(drawn__isnull=False) | ~Q(checked="")).order_by().values_list(
        "checked").annotate(n=Count("pk"))))
    found["not drawn"] = items.filter(drawn=None, checked="", outcome="good").count()
    return dict(+found)


def places(actor: Actor) -> dict[str, int]:
    """Where the cards are that got their numbers in a batch: state → how many."""
    items = Item.objects.filter(batch__in=batches(actor).order_by()).exclude(outcome__in=("held", "waiting"))
    return dict(items.order_by().values_list("card__state").annotate(n=Count("pk")))


def waiting(actor: Actor) -> dict[int, int]:
    """How many ordered cards wait for a batch: 12-digit code of the office → number."""
    return {area: states["ordered"] for area, states in cards.counts_by_area(actor).items() if "ordered" in states}


def makers() -> QuerySet[Maker]:
    """The card makers that we trust."""
    return Maker.objects.order_by("name")


def desk_maker(name: str, area: int) -> str:
    """The name under which a desk's reader is a card maker: no two offices have the same."""
    return f"{name} · {area // 10**6:06d}"


def batch_public_key(area: int, suite: str, *, at: datetime) -> PublicKey:
    """The key by which a card maker checks that a package is ours (`zhengka-maker trust`)."""
    return SUITES[suite].public_key(bytes(keys.working("batch", area, suite, at=at).public or b""))


def proof_sheet(batch: Batch) -> bytes:
    """The proof sheet as PDF, opened; `Refusal("not-found")` before the batch is prepared."""
    if not batch.proof:
        raise Refusal("not-found")
    plain = io.BytesIO()
    open_stream(fields.key_ring(), io.BytesIO(files.get(batch.proof)), plain, context=PROOF.encode())
    return plain.getvalue()


def package_path(batch: Batch) -> Path:
    """Where the sealed package for the card maker lies; `Refusal("not-found")` where there is none."""
    if not batch.package:
        raise Refusal("not-found")
    return packages() / batch.package


@dataclass(frozen=True)
class Looked:
    """A card as it will look: both sides, the texts on it, its kind, what is wrong with it ("" or a hold's code)."""

    sides: faces.Preview
    texts: Mapping[str, str]
    kind: chip.Kind
    has_photo: bool
    fault: str


def preview(card: Card) -> faces.Preview:
    """Both sides of a card as SVG, marked 样张: nothing is signed, no gate accepts the code on it, and the certificate
    number is hidden in its middle: to look at a layout is no reason to read a person's number.
    """
    return look(card).sides


def look(card: Card, *, clear: bool = False) -> Looked:
    """The same with what a page says of it in words; a card need not be ordered yet. `clear`: with its numbers in full,
    for who has said why.
    """
    found = look_at(subject_of(card), card.profile, serial=card.serial or NO_SERIAL, clear=clear)
    return found if card.state in (None, "", *UNMADE) else replace(found, fault="")


def look_at(subject: Subject, profile_id: str, *, serial: str = NO_SERIAL, clear: bool = False) -> Looked:
    """The same of any subject, such as one that is invented for a gallery. A text that cannot be printed is left out,
    and `fault` names it as a hold does.
    """
    profile, layout = cards.profile(profile_id), faces.layout_for(profile_id)
    face = sample_face(subject, profile, layout)
    face = replace(face, texts=face_texts(subject, layout, serial))
    fault = lacking(subject, layout) or faces.Artist(layout, faces.fonts()).fault(face.texts)
    texts = face.texts if clear else masked(face.texts)
    printable = faces.Artist(layout, faces.fonts()).printable(texts)
    sides = faces.preview(replace(face, texts=printable), layout=layout, raised=face.kind in raised(profile))
    return Looked(sides, texts, next(kind for kind in profile.kinds if kind.code == face.kind), bool(subject.photo),
                  fault or ("" if subject.photo else "photo-missing"))


def unmade(holder: Holder, at: datetime) -> Card | None:
    """The card that a holder would get for a certificate that holds (not saved, never made); None without one."""
    certificate = holder.certificates.filter(state__in=("valid", "frozen")).order_by("-generation", "-pk").first()
    if certificate is None:
        return None
    policy = cards.policy(certificate.area_id, at.astimezone(CHINA).date())
    return Card(province=holder.province, area=holder.area, holder=holder, certificate=certificate,
                profile=policy.profile, issued_on=certificate.issued_on, valid_until=certificate.valid_until)


def masked(texts: Mapping[str, str]) -> dict[str, str]:
    """Texts of a face with every number of the person hidden in its middle: the certificate's, those at partners."""
    return {slot: registry.masked(text) if text and (slot == "number" or slot.startswith(faces.PARTNER)) else text
            for slot, text in texts.items()}


def issuer(card: Card) -> tuple[str, str]:
    """The office that issued a card (发证机关): as its face names it, and in English for those who read that, with the
    city where the face has it.
    """
    area, city = card.area, card.area.parent
    face = faces.layout_for(card.profile).issuer(area.name, city.name if city else "").replace("\u200b", "")
    places = [area.name_en] + ([city.name_en] if city and city.name in face else [])
    return face, f"Disabled Persons' Federation of {', '.join(places)}"


def _one(found: QuerySet[Batch]) -> Batch:
    for row in found:
        return row
    raise Refusal("not-found")
