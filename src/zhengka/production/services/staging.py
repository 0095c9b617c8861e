"""Where the members of a package wait until the batch is whole: one folder for each lease of each chunk.

A worker that was frozen and wakes up late writes into the folder of its own old lease, which nobody takes.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from zhengka.cards import queries as cards
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.scope import see_all
from zhengka.core.sweeping import SAFE_AGE
from zhengka.formats import chip
from zhengka.formats.package import PackageInfo, PackageWriter
from zhengka.formats.suites import SUITES
from zhengka.production.models import Batch, Chunk

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def room_for(path: Path) -> Iterator[None]:
    """Where the disk fails while `path` is written, a file or a folder of this try alone, it goes: every other try
    begins anew, and halves of all of them would take what room is left. `Refusal("disk-full")` where that is why.
    """
    try:
        yield
    except OSError as fault:
        remove(path)
        if fault.errno in _NO_ROOM:
            raise Refusal("disk-full") from None
        raise


def packages() -> Path:
    """The folder of finished packages."""
    place = Path(settings.HOME) / "packages"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def waiting() -> Path:
    """The folder of the folders in which members wait."""
    return packages() / "staging"


def member_folder(chunk: Chunk, lease: int) -> str:
    """The name of the folder of one lease."""
    return f"{chunk.number:04d}-{lease}"


def folder(batch: Batch) -> Path:
    """Where the members of a batch wait; named after its sealed content key, so that no two batches ever share it."""
    mark = hashlib.sha256(bytes(batch.content_key or b"")).hexdigest()[:16]
    return waiting() / f"{batch.number}-{mark}"


def writer(batch: Batch, name: str) -> PackageWriter:
    """Writes members of the batch into one of its folders."""
    return PackageWriter(folder(batch) / name, _info(batch),
                         content_key=bytes.fromhex(fields.open_(bytes(batch.content_key or b""), "batch.content_key")))


def gathered(batch: Batch) -> PackageWriter:
    """The writer over all members of chunks that were committed, and no others."""
    whole = f"whole-{os.getpid()}"
    shutil.rmtree(folder(batch) / whole, ignore_errors=True)
    found = writer(batch, whole)
    for name in batch.chunks.exclude(member="").order_by("number").values_list("member", flat=True):
        for path in (folder(batch) / name).iterdir():
            os.link(path, folder(batch) / whole / path.name)
    return found


def parts_of(package: Path) -> Path:
    """Where the list of the parts of a package lies: beside it."""
    return package.with_name(f"{package.name}.parts")


def sweep(*, at: datetime) -> int:
    """Remove packages and waiting members that no batch needs, left by a process that died between file and row, and
    say how many. A younger one than `SAFE_AGE` may belong to work that is under way.
    """
    with transaction.atomic():
        see_all(connection)  # a batch that is not seen would be taken for absent, and its package removed
        rows = list(Batch.objects.exclude(package="", content_key=None))
    needed = {packages() / row.package for row in rows if row.package} | {
        folder(row) for row in rows if row.content_key is not None}
    needed |= {parts_of(path) for path in needed}
    oldest, lost = (at - SAFE_AGE).timestamp(), 0
    for path in [*packages().glob("*.zkp"), *packages().glob("*.zkp.parts"), *waiting().glob("*")]:
        if path not in needed and path.exists() and path.stat().st_mtime < oldest:
            remove(path)
            lost += 1
    return lost


def remove(path: Path) -> None:
    """Remove what was written for a batch: the folder of its members, or its package and the list of its parts."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
        parts_of(path).unlink(missing_ok=True)


def _info(batch: Batch) -> PackageInfo:
    profile = cards.profile(batch.profile)
    return PackageInfo(
        batch=batch.number, profile=profile.id, profile_version=profile.version,
        profile_digest=SUITES[profile.suite].digest(profile.canonical), created_at=batch.opened_at,
        capacity=profile.capacity, plan=chip.reading_plan(profile))
