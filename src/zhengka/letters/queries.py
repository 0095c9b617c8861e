"""What is asked about letters."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.queries import shared
from zhengka.letters import contents, printing, rendering, templates
from zhengka.letters.models import Letter, Unwritten
from zhengka.letters.rendering import Sheet
from zhengka.letters.rules import Words, masked, masked_name
from zhengka.letters.templates import Template

FORMS = {"pdf": ("pdf", "application/pdf"), "pdf-large": ("pdf", "application/pdf"),
         "brf": ("brf", "text/plain; charset=us-ascii"), "html": ("html", "text/html; charset=utf-8")}
"""What a letter can be had as: form → suffix of the file, media type."""


class Run(NamedTuple):
    """A print run (打印批次): letters that were printed together."""

    number: UUID
    channel: str
    letters: int
    at: datetime


class Shown(NamedTuple):
    """A letter as its page shows it: to whom, in part; what it says, without the greeting; what no font can draw."""

    name: str
    phone: str
    has_address: bool
    large: bool
    words: Words
    missing: list[str]


@cache
def wordings() -> tuple[Template, ...]:
    """The templates of this installation, proved when they are first asked for."""
    return templates.load(Path(settings.DATA) / "letters")


def outbox(*, actor: Actor, state: str = "", sender: str = "") -> QuerySet[Letter]:
    """The letters of the actor's area, in one state or in all, carried by one `sender` or by any, in no order."""
    found = Letter.objects.filter(area_id__gte=actor.lo, area_id__lte=actor.hi).select_related("area")
    found = found.filter(state=state) if state else found
    return found.filter(sender=sender) if sender else found


def letter(pk: int, *, actor: Actor) -> Letter:
    """One letter of the actor's area, or shared with it; `Refusal("not-found")`."""
    found = Letter.objects.filter(shared(actor), pk=pk).select_related("area").first()
    if found is None or not actor.may("letter.read"):
        raise Refusal("not-found")
    return found


def of_subjects(subjects: Iterable[tuple[str, int]], *, actor: Actor) -> QuerySet[Letter]:
    """Every letter about these rows (kind and id: a case, a card) that the actor may see, in no order."""
    return Letter.objects.filter(shared(actor), _about(subjects)).select_related("area")


def unwritten(subjects: Iterable[tuple[str, int]], *, actor: Actor) -> list[Unwritten]:
    """What could not be written about these rows and is missing still, the newest first."""
    return list(Unwritten.objects.filter(shared(actor), _about(subjects), settled_at=None).order_by("-at", "-pk"))


def missing(*, actor: Actor) -> QuerySet[Unwritten]:
    """What could not be written in the actor's area and is missing still, in no order."""
    return Unwritten.objects.filter(area__gte=actor.lo, area__lte=actor.hi, settled_at=None)


def missing_after(kind: str, after: Sequence[int], most: int, *, actor: Actor) -> list[Unwritten]:
    """What is missing of a kind in the actor's area, by office and key from behind the place `after` (office, key) on,
    at most so many.
    """
    area, last = after
    found = Unwritten.objects.filter(template=kind, settled_at=None, area__gte=area, area__lte=actor.hi)
    return list(found.exclude(area=area, pk__lte=last).order_by("area", "pk")[:most])


def still_missing(subject: str, ids: Sequence[int], kind: str) -> dict[int, str]:
    """Of which of these rows a letter of a kind is missing still: id → the reason that was found last."""
    found = Unwritten.objects.filter(subject=subject, subject_id__in=ids, template=kind, settled_at=None)
    return dict(found.order_by("at", "pk").values_list("subject_id", "reason"))


def left_of(subject: str, ids: Sequence[int], at: datetime) -> Counter[str]:
    """How many letters about these rows could not be written at one time, by the reason: what an act on many left."""
    found = Unwritten.objects.filter(subject=subject, subject_id__in=ids, at=at)
    return Counter(dict(found.values_list("reason").annotate(n=Count("pk")).order_by("reason")))


def _about(subjects: Iterable[tuple[str, int]]) -> Q:
    ids: dict[str, list[int]] = {}
    for kind, pk in subjects:
        ids.setdefault(kind, []).append(pk)
    wanted = Q(pk__in=[])
    for kind, each in ids.items():
        wanted |= Q(subject=kind, subject_id__in=each)
    return wanted


def first_known(subject: str, subject_id: int, kind: str) -> datetime | None:
    """When a letter of a kind was first written about one row, in whatever way, or first noted as one that cannot be:
    since then it stands on the office's list, which tells the person otherwise. None where neither happened.
    """
    about = {"subject": subject, "subject_id": subject_id, "template": kind}
    days = [Letter.objects.filter(**about).aggregate(day=Min("written_at"))["day"],
            Unwritten.objects.filter(**about).aggregate(day=Min("at"))["day"]]
    return min(filter(None, days), default=None)


def counts(*, actor: Actor) -> dict[str, int]:
    """Letters of the actor's area by state."""
    return dict(outbox(actor=actor).values_list("state").annotate(n=Count("pk")).order_by("state"))


def carried(*, actor: Actor) -> dict[str, int]:
    """Letters of the actor's area that are sent, and of which no more is known, by who carried them."""
    rows = outbox(actor=actor, state="sent")
    return dict(rows.values_list("sender").annotate(n=Count("pk")).order_by("sender"))


def waiting(*, actor: Actor) -> dict[str, int]:
    """Letters that wait to be printed in the actor's area, by channel."""
    rows = outbox(actor=actor, state="queued").filter(channel__in=("print", "braille"))
    return dict(rows.values_list("channel").annotate(n=Count("pk")).order_by("channel"))


def runs(*, actor: Actor, since: datetime) -> list[Run]:
    """The print runs of the actor's area since then, the newest first."""
    found = outbox(actor=actor).filter(run__isnull=False, sent_at__gte=since).values_list("run", "channel").annotate(
        n=Count("pk"), at=Min("sent_at")).order_by("-at", "run")
    return [Run(*row) for row in found]


def shown(row: Letter) -> Shown:
    """What its page shows, with name and phone in part."""
    to, words = contents.recipient(row), contents.words(row)
    missing = printing.missing(to.name + to.address + "".join(rendering.lines(words))) if row.channel == "print" else []
    return Shown(masked_name(to.name), masked(to.phone), bool(to.address), to.large, words._replace(greeting=""),
                 missing)


def name_of(row: Letter) -> str:
    """To whom it goes, in part."""
    return masked_name(contents.recipient(row).name)


def as_file(row: Letter, form: str) -> bytes:
    """A letter in one of `FORMS`, of a short message the whole letter; `pdf-large` is in very large type whatever its
    recipient asked for. `Refusal("not-found")` for a message of which only the message is kept.

    Who has it made writes that down first: `services.read`.
    """
    to, words = contents.recipient(row), contents.whole(row)
    if words is None:
        raise Refusal("not-found")
    if form == "brf":
        return printing.brf(words)
    if form == "html":
        return rendering.screen(words).encode()
    return printing.pdf([Sheet(words, to._replace(large=to.large or form == "pdf-large"))], title=words.title)


def printed(rows: Sequence[Letter]) -> bytes:
    """The letters of a run as one file: a PDF for window envelopes, or for Braille a BRF, each letter on new pages."""
    sheets = [_sheet(row) for row in rows]
    if rows[0].channel == "braille":
        return b"".join(printing.brf(sheet.words) for sheet in sheets)
    return printing.pdf(sheets, title=f"{rows[0].sent_at:%Y-%m-%d} · {len(rows)}")


def _sheet(row: Letter) -> Sheet:
    return Sheet(contents.words(row), contents.recipient(row))
