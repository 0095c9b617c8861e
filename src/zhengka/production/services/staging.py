"""Where the members of a package wait until the batch is whole: one folder for each lease of each chunk.

A worker that was frozen and wakes up late writes into the folder of its own old lease, which nobody takes.
"""

import os
import shutil
from pathlib import Path

from django.conf import settings

from zhengka.cards import queries as cards
from zhengka.core import fields
from zhengka.formats import chip
from zhengka.formats.package import PackageInfo, PackageWriter
from zhengka.formats.suites import SUITES
from zhengka.production.models import Batch, Chunk


def packages() -> Path:
    """The folder of finished packages."""
    folder = Path(settings.HOME) / "packages"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def member_folder(chunk: Chunk, lease: int) -> str:
    """The name of the folder of one lease."""
    return f"{chunk.number:04d}-{lease}"


def writer(batch: Batch, folder: str) -> PackageWriter:
    """Writes members of the batch into one of its folders."""
    return PackageWriter(_staging(batch) / folder, _info(batch),
                         content_key=bytes.fromhex(fields.open_(bytes(batch.content_key or b""), "batch.content_key")))


def gathered(batch: Batch) -> PackageWriter:
    """The writer over all members of chunks that were committed, and no others; their files become durable here."""
    whole = _staging(batch) / f"whole-{os.getpid()}"
    shutil.rmtree(whole, ignore_errors=True)
    found = writer(batch, whole.name)
    for folder in batch.chunks.exclude(member="").order_by("number").values_list("member", flat=True):
        for path in (_staging(batch) / folder).iterdir():
            os.link(path, whole / path.name)
    return found


def clear(batch: Batch) -> None:
    """Remove all that waited for the batch."""
    shutil.rmtree(_staging(batch), ignore_errors=True)


def _staging(batch: Batch) -> Path:
    return packages() / "staging" / str(batch.pk)


def _info(batch: Batch) -> PackageInfo:
    profile = cards.profile(batch.profile)
    return PackageInfo(
        batch=batch.number, profile=profile.id, profile_version=profile.version,
        profile_digest=SUITES[profile.suite].digest(profile.canonical), created_at=batch.opened_at,
        capacity=profile.capacity, plan=chip.reading_plan(profile))
