"""Where the members of a package wait until the batch is whole: one folder for each lease of each chunk.

A worker that was frozen and wakes up late writes into the folder of its own old lease, which nobody takes.
"""

import hashlib
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
    place = Path(settings.HOME) / "packages"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def member_folder(chunk: Chunk, lease: int) -> str:
    """The name of the folder of one lease."""
    return f"{chunk.number:04d}-{lease}"


def folder(batch: Batch) -> Path:
    """Where the members of a batch wait; named after its sealed content key, so that no two batches ever share it."""
    mark = hashlib.sha256(bytes(batch.content_key or b"")).hexdigest()[:16]
    return packages() / "staging" / f"{batch.number}-{mark}"


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


def _info(batch: Batch) -> PackageInfo:
    profile = cards.profile(batch.profile)
    return PackageInfo(
        batch=batch.number, profile=profile.id, profile_version=profile.version,
        profile_digest=SUITES[profile.suite].digest(profile.canonical), created_at=batch.opened_at,
        capacity=profile.capacity, plan=chip.reading_plan(profile))
