"""What is asked about letters."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min, QuerySet

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.queries import shared
from zhengka.letters import contents, printing, rendering, templates
from zhengka.letters.models import Letter
from zhengka.letters.rendering import Sheet
from zhengka.letters.rules import Words, masked
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


def outbox(*, actor: Actor, state: str = "") -> QuerySet[Letter]:
    """The letters of the actor's area, in one state or in all, in no order."""
    found = Letter.objects.filter(area_id__gte=actor.lo, area_id__lte=actor.hi).select_related("area")
    return found.filter(state=state) if state else found


def letter(pk: int, *, actor: Actor) -> Letter:
    """One letter of the actor's area, or shared with it; `Refusal("not-found")`."""
    found = Letter.objects.filter(shared(actor), pk=pk).select_related("area").first()
    if found is None or not actor.may("letter.read"):
        raise Refusal("not-found")
    return found


def of_subject(subject: str, subject_id: int, *, actor: Actor) -> list[Letter]:
    """Every letter about one row (a case, a card), the newest first."""
    found = Letter.objects.filter(shared(actor), subject=subject, subject_id=subject_id).select_related("area")
    return list(found.order_by("-written_at", "-pk"))


def counts(*, actor: Actor) -> dict[str, int]:
    """Letters of the actor's area by state."""
    return dict(outbox(actor=actor).values_list("state").annotate(n=Count("pk")).order_by("state"))


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
    return Shown(masked(to.name), masked(to.phone), bool(to.address), to.large, words._replace(greeting=""), missing)


def name_of(row: Letter) -> str:
    """To whom it goes, in part."""
    return masked(contents.recipient(row).name)


def as_file(row: Letter, form: str) -> bytes:
    """A letter in one of `FORMS`; `pdf-large` is in very large type whatever its recipient asked for.

    Who has it made writes that down first: `services.read`.
    """
    to, words = contents.recipient(row), contents.words(row)
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
