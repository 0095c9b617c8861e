"""Files of second-generation records come in (数据导入): received by an officer, taken by the worker."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from zhengka.areas.models import Area
from zhengka.core import files
from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin, lock, perform, sub
from zhengka.core.models import Event, province_of
from zhengka.core.queue import later
from zhengka.registry.imports import envelope, taking, upload
from zhengka.registry.imports.taking import on_behalf
from zhengka.registry.models import Import

TRIES = 3
"""An import of another province may register the same person first; then the whole file is taken again."""
ALONE = """
SELECT set_config('app.lo', '0', true), set_config('app.hi', %s, true), pg_advisory_xact_lock(%s, %s),
       set_config('enable_seqscan', 'off', true), set_config('enable_nestloop', 'off', true)
"""
"""For one import of a province at a time; it meets people in the whole nation. Statistics do not tell the planner how
the tables grow under it: it must not think them empty and compare each row with each.
"""
IMPORT_LOCK = 0x1A  # first key of the advisory locks of imports; the second is the province


def receive_import(filename: str, source: BinaryIO | Path, area: Area, *, by: Actor, request_id: UUID,
                   at: datetime) -> Import:
    """Take in the upload of a file for an area, seal it, and ask for its import (数据导入).

    Raises `Refusal` with `not-permitted`, `not-found`, or one of `file-…` for what is no readable spreadsheet: then
    nothing is kept. Raises `Replayed` for a repeat.
    """
    if not by.may("import.run"):
        raise Refusal("not-permitted", permission="import.run")
    if not by.sees(area.code):
        raise Refusal("not-found")
    if isinstance(source, Path):
        with source.open("rb") as file:
            return receive_import(filename, file, area, by=by, request_id=request_id, at=at)
    found = envelope.inspect(source)
    digest, kept = upload.keep(source)
    with files.or_removed(kept), transaction.atomic():
        record = begin(Import(
            province=province_of(area.code), area=area, filename=Path(filename).name, digest=digest, upload=kept,
            form=found.form, encoding=found.encoding, received_at=at, officer_id=by.id,
        ), "receive", "import.run", by=by, request_id=request_id, at=at, form=found.form)
        later("registry.take_import", import_id=record.pk)
    return record


def take_import(import_id: int, *, at: datetime) -> Import:
    """Take a received file into the registry, whole or not at all; run again, it does nothing more.

    The row ends `done` with its counts and the sealed file of refused rows, or `refused` with the problem's code.
    Killed in the middle it leaves nothing, and can be run again.
    """
    record = Import.objects.select_related("area").get(pk=import_id)
    begun = Event.objects.get(subject=Import.kind(), subject_id=import_id, version=1)
    for attempt in range(1, TRIES + 1):
        try:
            _take(record, begun, at)
            break
        except IntegrityError:
            if attempt == TRIES:
                raise
        except Refusal as no:
            _refuse(record, begun, _by_its_name(record, no), at)
            break
    return Import.objects.get(pk=import_id)


def _by_its_name(record: Import, no: Refusal) -> Refusal:
    """A text that goes by the name of a workbook, and in which no header is found, is no spreadsheet at all: to look
    for a header would send its officer astray. A table of text under such a name is taken, as some systems write it.
    """
    is_named = Path(record.filename).suffix.lower() in (".xlsx", ".xlsm", ".xls")
    return Refusal("file-not-a-spreadsheet") if (
        no.code == "header-missing" and is_named and record.form == "csv") else no


def give_up_import(import_id: int, *, at: datetime) -> None:
    """End an import that failed again and again by a fault of ours, with nothing changed; it can be sent anew."""
    begun = Event.objects.get(subject=Import.kind(), subject_id=import_id, version=1)
    _refuse(Import.objects.get(pk=import_id), begun, Refusal("internal-fault"), at)


@transaction.atomic
def _take(record: Import, begun: Event, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(ALONE, [str(WHOLE_NATION[1]), IMPORT_LOCK, record.province])
    if Import.objects.get(pk=record.pk).state != Import.workflow.initial:
        return
    with taking.beside() as own:
        taken = taking.take(record, begun, at=at, progress=taking.Progress(record, own))
    perform(record, "take", {**asdict(taken), "progress": taken.rows, "upload": "", "finished_at": at},
            by=on_behalf(begun), request_id=sub(begun.request, "take"), at=at,
            rows=taken.rows, created=taken.created, merged=taken.merged, unchanged=taken.unchanged,
            refused=taken.refused)
    transaction.on_commit(lambda: files.remove(record.upload))


@transaction.atomic
def _refuse(record: Import, begun: Event, no: Refusal, at: datetime) -> None:
    (record,) = lock(record)
    if record.state != Import.workflow.initial:
        return
    transaction.on_commit(lambda: files.remove(record.upload))
    perform(record, "refuse", {"problem": no.code, "problem_facts": no.facts, "upload": "", "finished_at": at},
            by=on_behalf(begun), request_id=sub(begun.request, "refuse"), at=at, problem=no.code)


@transaction.atomic
def fetch_refused(record: Import, *, by: Actor, request_id: UUID, at: datetime) -> tuple[str, bytes]:
    """The file of refused rows, with a name for it: personal data that leaves the platform, hence an event.

    `Refusal("not-found")` where no row was refused.
    """
    if not record.refused_file:
        raise Refusal("not-found")
    record = perform(record, "fetch", by=by, request_id=request_id, at=at, rows=record.refused)
    with upload.opened(record.refused_file, upload.REFUSED) as stream:
        data = stream.read()
    return f"{Path(record.filename).stem}-拒收.{record.form}", data
