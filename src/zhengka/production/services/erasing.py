"""Production data goes when its day has come (到期销毁), with proof: package, list of its parts, proof sheet, and of a
batch that is given up while it is prepared the members that wait.

Every batch that ends has its day: some weeks after its results came, or it was closed; the very day on which it was
given up. A row of proof is durable before its file goes. A run that is stopped between the two finds the row, and takes
the file away again; the batch says that all is erased once nothing of it lies here.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import transaction

from zhengka.core import files
from zhengka.formats.verdict import CHINA
from zhengka.production.models import Batch, Erasure
from zhengka.production.services import staging, terms

TOGETHER: Final = 100
"""Batches that are looked for at once."""
MEMBERS: Final = "members"


def erase_due(*, at: datetime) -> int:
    """Erase the production data of every batch whose day has come; of how many. A repeat, or another worker at the same
    time, writes no proof twice.
    """
    on, done = at.astimezone(CHINA).date(), 0
    due = Batch.objects.filter(erase_on__lte=on, erased_at=None).order_by("pk")
    while found := list(due[:TOGETHER]):
        for batch in found:
            erase(batch, at=at)
        done += len(found)
    return done


def erase_batch(batch_id: int, *, at: datetime) -> None:
    """Erase what lies here of one batch, if its day has come; a repeat does nothing."""
    for batch in Batch.objects.filter(pk=batch_id, erase_on__lte=at.astimezone(CHINA).date(), erased_at=None):
        erase(batch, at=at)


def erase(batch: Batch, *, at: datetime) -> None:
    """Erase what lies here of one batch whose day has come; ValueError for one that has none."""
    if batch.erase_on is None:
        raise ValueError("no day was told on which this batch is erased")
    rule = terms.of(batch.area_id, at=at).code
    for what, path in _pieces(batch):
        _prove(Erasure(batch_id=batch.pk, area=batch.area_id, what=what, name=path.name, rule=rule,
                       due_on=batch.erase_on, at=at), path)
        path.unlink(missing_ok=True)
    for name in Erasure.objects.filter(batch=batch, what=MEMBERS).values_list("name", flat=True):
        staging.remove(staging.waiting() / name)
    Batch.objects.filter(pk=batch.pk, erased_at=None).update(erased_at=at, package="", proof="")


def prove_members(batch: Batch, *, at: datetime) -> None:
    """Write down that the members go which wait for a batch that is given up now, within the transaction that forgets
    their key: from then on nobody reads them, and only the proof still tells which folder it was.
    """
    if batch.content_key is None or not (folder := staging.folder(batch)).is_dir():
        return
    files = sorted((str(path.relative_to(folder)), path.stat().st_size) for path in folder.rglob("*") if path.is_file())
    listed = "".join(f"{name} {size}\n" for name, size in files)
    Erasure.objects.bulk_create([Erasure(
        batch_id=batch.pk, area=batch.area_id, what=MEMBERS, name=folder.name, due_on=terms.today(at), at=at,
        digest=hashlib.sha256(listed.encode()).hexdigest(), size=sum(size for _name, size in files),
        rule=terms.of(batch.area_id, at=at).code)], ignore_conflicts=True)


@transaction.atomic
def _prove(proof: Erasure, path: Path) -> None:
    """Write down that a file goes, once."""
    try:
        with path.open("rb") as file:
            proof.digest, proof.size = hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
    except FileNotFoundError:
        proof.digest, proof.size = "", 0
    Erasure.objects.bulk_create([proof], ignore_conflicts=True)


def _pieces(batch: Batch) -> Iterator[tuple[str, Path]]:
    """What of a batch lies here, and where."""
    if batch.package:
        package = staging.packages() / batch.package
        yield from (("package", package), ("parts", staging.parts_of(package)))
    if batch.proof:
        yield "proof", files.place(batch.proof)
