"""What may be read about papers and portraits, and what is asked of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from zhengka.core import fields, files
from zhengka.core.actors import Actor
from zhengka.core.dated import choose, read
from zhengka.core.errors import Refusal
from zhengka.core.queries import shared
from zhengka.papers import checks, rules
from zhengka.papers.checks import Finding, Standard
from zhengka.papers.models import Paper, Portrait
from zhengka.papers.rules import CaseOf, Need, Requirements
from zhengka.registry import queries as registry
from zhengka.registry.models import Holder

VISUAL = 1

PORTRAIT_AS = "portrait"
"""The context under which the file of a portrait is sealed."""


@dataclass(frozen=True)
class Subject:
    """The row of another room to which papers belong: its kind in events, its id, the 12-digit codes of its area and
    of the office that it is shared with.
    """

    kind: str
    pk: int
    area: int
    shared_with: int | None = None


def paper(pk: int, *, actor: Actor) -> Paper:
    """A paper of the actor's area, or shared with it; `Refusal("not-found")`."""
    found = Paper.objects.filter(shared(actor), pk=pk).select_related("area").first()
    if found is None:
        raise Refusal("not-found")
    return found


def papers_of(subject: Subject) -> list[Paper]:
    """The papers of a row, those withdrawn among them, in the order in which they came."""
    return list(Paper.objects.filter(subject=subject.kind, subject_id=subject.pk).order_by("received_at", "id"))


def name_of(row: Paper) -> str:
    """The name that the file came under, cleaned."""
    return fields.open_(bytes(row.name), "paper.name")


def portrait(pk: int, *, actor: Actor) -> Portrait:
    """A taking of a portrait in the actor's area, or shared with it; `Refusal("not-found")`."""
    found = Portrait.objects.filter(shared(actor), pk=pk).select_related("area").first()
    if found is None:
        raise Refusal("not-found")
    return found


def portrait_of(subject: Subject, state: str = "kept") -> Portrait | None:
    """The portrait of a row that is `kept`, or that was `examined` and did not fit; None where there is none."""
    return Portrait.objects.filter(subject=subject.kind, subject_id=subject.pk, state=state).first()


def picture(row: Portrait) -> bytes:
    """The JPEG of a portrait that was not replaced; `Refusal("not-found")`."""
    if not row.file:
        raise Refusal("not-found")
    with files.open_sealed(row.file, PORTRAIT_AS) as kept:
        return kept.read()


def may_wear_dark_glasses(holder: Holder) -> bool:
    """True where a valid certificate of the holder says 视力, alone or as a part of a multiple disability."""
    return any(one.category == VISUAL or any(category == VISUAL for category, _ in one.components)
               for one in registry.certificates(holder) if one.state == "valid")


def findings(row: Portrait) -> list[Finding]:
    """What each check of a portrait found."""
    return [Finding(*one) for one in row.findings]


def standard(area: int, on: date) -> Standard:
    """The photo standard of an area on a day; `Refusal("requirements-missing")`."""
    found = choose(_standards(Path(settings.DATA) / "photos"), area, on)
    if found is None:
        raise Refusal("requirements-missing", area=area)
    return found


def required(case: CaseOf) -> list[Need]:
    """The papers that a case needs; `Refusal("requirements-missing")` where no file speaks of its kind there."""
    found = rules.required(_requirements(Path(settings.DATA) / "papers"), case)
    if found is None:
        raise Refusal("requirements-missing", kind=case.kind, area=case.area)
    return found


def missing(needs: Sequence[Need], subject: Subject, *, photo: bool = False) -> list[Need]:
    """Those of `needs` that the row does not have. `photo`: the person's record holds a photo already; else a portrait
    that was kept is needed where a photo is.
    """
    have = received(subject.kind, [subject.pk]).get(subject.pk, set())
    if photo or portrait_of(subject) is not None:
        have.add("photo")
    return [need for need in needs if need.paper not in have]


def received(kind: str, ids: Collection[int]) -> dict[int, set[str]]:
    """The kinds of paper that are there for each of these rows of a kind, by its id; which has none is left out."""
    found: dict[int, set[str]] = {}
    rows = Paper.objects.filter(subject=kind, subject_id__in=ids, state="received")
    for pk, paper_ in rows.values_list("subject_id", "kind_of_paper"):
        found.setdefault(pk, set()).add(paper_)
    return found


@lru_cache(maxsize=4)
def _standards(folder: Path) -> tuple[Standard, ...]:
    return tuple(checks.load(read(path)) for path in sorted(folder.glob("*.toml")))


@lru_cache(maxsize=4)
def _requirements(folder: Path) -> tuple[Requirements, ...]:
    return rules.load(folder)
