"""Papers (材料): taken in, read for a purpose, withdrawn."""

import io
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from django.db import transaction

from zhengka.core import fields, files
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, perform, replayed
from zhengka.core.models import province_of
from zhengka.papers import queries, reading
from zhengka.papers.models import Paper
from zhengka.papers.queries import Subject
from zhengka.papers.rules import PAPERS

ADD: Final = "case.open"
MOST_PAPERS: Final = 60
"""Of one row: a case of the largest kind needs seven."""
_LONGEST_NAME: Final = 80
_SEALED_AS: Final = "paper.file"


@dataclass(frozen=True)
class Upload:
    """What came: a kind of `rules.PAPERS`, the name of the file, and its bytes."""

    kind: str
    name: str = field(repr=False)
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Opened:
    """A paper to be read: the name to save it under, its media type, its bytes."""

    name: str = field(repr=False)
    media: str
    data: bytes = field(repr=False)


@transaction.atomic
def add_paper(subject: Subject, upload: Upload, *, by: Actor, request_id: UUID, at: datetime) -> Paper:
    """Take a paper of a row in (收取材料): read in a process apart, made anew, sealed.

    `Refusal`: `not-permitted`, `not-found`, `paper-kind-unknown`, `paper-too-many`, and those of `reading.clean`.
    Raises `Replayed` for a repeat. A photo is taken by `take_portrait`.
    """
    if not by.may(ADD):
        raise Refusal("not-permitted", permission=ADD)
    if not by.sees(subject.area, subject.shared_with):
        raise Refusal("not-found")
    if upload.kind not in PAPERS or upload.kind == "photo":
        raise Refusal("paper-kind-unknown")
    if event := replayed(request_id, Paper.kind()):
        raise Replayed(event)
    if Paper.objects.filter(subject=subject.kind, subject_id=subject.pk).count() >= MOST_PAPERS:
        raise Refusal("paper-too-many", most=MOST_PAPERS)
    clean = reading.clean(upload.data)
    file = files.put_sealed_stream(io.BytesIO(clean.data), _SEALED_AS)
    row = Paper(
        province=province_of(subject.area), area_id=subject.area, shared_with=subject.shared_with,
        subject=subject.kind, subject_id=subject.pk,
        kind_of_paper=upload.kind, file=file, media=clean.media, size=len(clean.data), pages=clean.pages,
        name=fields.close(clean_name(upload.name, clean.media), "paper.name"), received_at=at)
    with files.or_removed(file), transaction.atomic():
        return begin(row, "receive_paper", ADD, by=by, request_id=request_id, at=at, paper=upload.kind,
                     pages=clean.pages, removed=list(clean.removed))


@transaction.atomic
def open_paper(paper: Paper, *, purpose: str, by: Actor, request_id: UUID, at: datetime) -> Opened:
    """The paper in clear (查阅材料), told in an event with the purpose.

    `Refusal`: `purpose-missing`, `not-found`, `not-permitted`, `step-not-open` (withdrawn). Raises `Replayed`.
    """
    paper = perform(paper, "read_paper", by=by, request_id=request_id, at=at, purpose=purpose.strip())
    with files.open_sealed(paper.file, _SEALED_AS) as kept:
        return Opened(queries.name_of(paper), paper.media, kept.read())


@transaction.atomic
def withdraw_paper(paper: Paper, *, reason: str, by: Actor, request_id: UUID, at: datetime) -> Paper:
    """Take a paper back that is not needed or was the wrong one (撤回材料): the file goes, the row stays."""
    file = paper.file
    paper = perform(paper, "withdraw_paper", {"file": "", "withdrawn_at": at}, by=by, request_id=request_id, at=at,
                    paper=paper.kind_of_paper, reason=reason.strip())
    transaction.on_commit(lambda: files.remove(file))
    return paper


def clean_name(name: str, media: str) -> str:
    """A name to save a file under: no folder, nothing that steers a program, and the suffix of what it is."""
    last = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).name
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", last)
    kept = "".join(sign for sign in stem if unicodedata.category(sign)[0] in "LN" or sign in "-_()（） .·")
    return (kept.strip(" .")[:_LONGEST_NAME].strip(" .") or "paper") + reading.SUFFIXES[media]
