"""Portraits (照片采集): measured, kept where they fit, or by an officer who says why."""

import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from zhengka.core import files
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, lock, perform, replayed, sub
from zhengka.core.models import province_of
from zhengka.papers import checks, queries, reading
from zhengka.papers.checks import Finding
from zhengka.papers.models import Portrait
from zhengka.papers.queries import PORTRAIT_AS, Subject
from zhengka.papers.reading import Examined
from zhengka.registry import services as registry
from zhengka.registry.models import Holder
from zhengka.registry.photos import LEAST

TAKE: Final = "case.confirm"


@transaction.atomic
def take_portrait(subject: Subject, data: bytes, *, dark_glasses: bool, by: Actor, request_id: UUID,
                  at: datetime) -> Portrait:
    """Take a portrait of a person (采集照片): made anew in a process apart, measured, checked by the area's standard.

    One that fits is kept, and given to the holder where `subject` is one; one that does not waits as `examined` for
    `overrule_portrait` or the next one, and leaves the one that is kept. `dark_glasses`: the person may wear them.
    `Refusal`: `not-permitted`, `not-found`, `requirements-missing`, `photo-too-small`, and those of `reading.examine`:
    these nobody overrules. Raises `Replayed` for a repeat.
    """
    if not by.may(TAKE):
        raise Refusal("not-permitted", permission=TAKE)
    if not by.sees(subject.area, subject.shared_with):
        raise Refusal("not-found")
    if event := replayed(request_id, Portrait.kind()):
        raise Replayed(event)
    standard = queries.standard(subject.area, timezone.localtime(at).date())
    examined = reading.examine(data, Path(settings.DATA) / "photos" / MODEL)
    width, height = examined.measured.size
    if width < LEAST[0] or height < LEAST[1]:
        raise Refusal("photo-too-small", width=width, height=height)
    found = checks.judge(examined.measured.figures, standard, dark_glasses=dark_glasses)
    asked: dict[str, Any] = {"by": by, "at": at}
    _replace(subject, "examined", request_id, asked)
    row = _begun(_row(subject, examined, found, dark_glasses=dark_glasses, standard=standard.code, taken_at=at),
                 examined.data, request_id, asked)
    return _kept(row, "keep", sub(request_id, "keep"), asked) if row.fits else row


MODEL: Final = "face_detection_short_range.tflite"


@transaction.atomic
def overrule_portrait(portrait: Portrait, *, reason: str, by: Actor, request_id: UUID, at: datetime) -> Portrait:
    """Keep a portrait that failed a check, for a reason that the event holds beside the figures (人工通过).

    `Refusal`: `overrule-without-reason`, `photo-fits`, `not-found`, `not-permitted`, `step-not-open`.
    """
    failed = {one.code: one.value for one in queries.findings(portrait) if one.outcome == "failed"}
    if event := replayed(request_id, Portrait.kind(), portrait.pk):
        raise Replayed(event)
    return _kept(portrait, "overrule", request_id, {"by": by, "at": at}, reason=reason.strip(), failed=failed)


@transaction.atomic
def give_portrait(portrait: Portrait, holder: Holder, *, by: Actor, request_id: UUID, at: datetime) -> Holder:
    """Put the kept portrait of an application onto the record that its approval made.

    `Refusal("step-not-open")` for a portrait that was not kept.
    """
    (row,) = lock(portrait)
    if row.state != "kept":
        raise Refusal("step-not-open", subject=row.kind(), state=row.state, action="give")
    return registry.set_photo(holder, queries.picture(row), by=by, request_id=request_id, at=at)


def _kept(row: Portrait, action: str, request_id: UUID, asked: dict[str, Any], **facts: Any) -> Portrait:
    """The portrait in place of the one that was kept before, and on the holder's record where it is a holder's."""
    if row.state == "examined":
        _replace(Subject(row.subject, row.subject_id, row.area_id, row.shared_with), "kept", request_id, asked)
    row = perform(row, action, request_id=request_id, **asked, **facts)
    if row.subject == Holder.kind():
        registry.set_photo(Holder.get(row.subject_id), queries.picture(row), request_id=sub(request_id, "holder"),
                           **asked)
    return row


def _row(subject: Subject, examined: Examined, found: Sequence[Finding], **told: Any) -> Portrait:
    width, height = examined.measured.size
    face = examined.measured.face
    return Portrait(
        province=province_of(subject.area), area_id=subject.area, shared_with=subject.shared_with,
        subject=subject.kind, subject_id=subject.pk,
        fits=checks.fits(found), findings=[list(one) for one in found], width=width, height=height,
        face=[round(edge, 1) for edge in face] if face else None, **told)


def _replace(subject: Subject, state: str, request_id: UUID, asked: dict[str, Any]) -> None:
    """The portrait that is in this state goes, with its file."""
    before = queries.portrait_of(subject, state)
    if before is None:
        return
    file = before.file
    perform(before, "replace", {"file": ""}, request_id=sub(request_id, f"replace {state}"), **asked)
    transaction.on_commit(lambda: files.remove(file))


def _begun(row: Portrait, data: bytes, request_id: UUID, asked: dict[str, Any]) -> Portrait:
    """The row with its file and the event that holds every figure."""
    row.file = files.put_sealed_stream(io.BytesIO(data), PORTRAIT_AS)
    figures = {code: value for code, value, *_ in row.findings if value is not None}
    failed = [one[0] for one in row.findings if one[-1] == "failed"]
    try:
        with files.or_removed(row.file), transaction.atomic():
            return begin(row, "examine", TAKE, request_id=request_id, standard=row.standard, measured=figures,
                         failed=failed, dark_glasses=row.dark_glasses, **asked)
    except IntegrityError as broken:
        if "portrait_once" in str(broken):  # a colleague was quicker
            raise Refusal("step-not-open", subject=row.kind()) from None
        raise
