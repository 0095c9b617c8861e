"""Portraits (照片) of holders: one by one, or in packs of an office."""

import copy
import hashlib
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.db import transaction

from zhengka.areas.models import Area
from zhengka.bulk import services as bulk
from zhengka.bulk.models import Act
from zhengka.bulk.services import Asked, Clock, Group
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, perform, perform_many, sub
from zhengka.formats import archive as archives
from zhengka.formats import idnumber
from zhengka.registry import photos
from zhengka.registry.models import Holder

GROUP = 1_000
MOST_MEMBERS = 100_000
"""More than a county has holders."""
MOST_LISTED = 16 << 20
"""Most bytes of an archive's list of members: 160 for each, of which 46 are fixed and the rest name and times."""
SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass
class Photos:
    """What became of a pack. `kept` + `unchanged` + the sum of `faults` + `unknown` (no holder of this number in the
    area) + `unnamed` (the name is no identity number) = entries.
    """

    kept: int = 0
    unchanged: int = 0
    unknown: int = 0
    unnamed: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    @property
    def left(self) -> dict[str, int]:
        """Photos that were not kept, by the code of the reason."""
        counted = {"photo-known": self.unchanged, "photo-stranger": self.unknown, "photo-unnamed": self.unnamed}
        return {code: number for code, number in (counted | self.faults).items() if number}


@dataclass
class _Decoded:
    """Photos of a pack by the digest of what came: the same picture is decoded once. (digest kept, fault)"""

    known: dict[bytes, tuple[str, str]] = field(default_factory=dict)

    def accept(self, data: bytes) -> tuple[str, str]:
        """Name in the file store, or the code of a fault."""
        digest = hashlib.sha256(data).digest()
        if digest not in self.known:
            try:
                self.known[digest] = photos.keep(photos.accept(data)), ""
            except photos.BadPhoto as bad:
                self.known[digest] = "", bad.code
        return self.known[digest]


@transaction.atomic
def set_photo(holder: Holder, data: bytes, *, by: Actor, request_id: UUID, at: datetime) -> Holder:
    """Keep a portrait of a holder (采集照片).

    A photo that cannot be used leaves the one there is, and its fault on the holder: see `photos.FAULTS`.
    """
    digest, fault = _Decoded().accept(data)
    return perform(holder, "photograph", {**({"photo": digest} if digest else {}), "photo_fault": fault},
                   by=by, request_id=request_id, at=at, photo=digest, fault=fault)


def set_photos(pack: Path, area: Area, *, by: Actor, request_id: UUID, at: datetime) -> Photos:
    """Keep the portraits of a .zip pack, each named by the identity number, for holders within `area`.

    A thousand at a time, each in a transaction of its own: stopped and begun again, it leaves out what is there.
    `Refusal`: `not-permitted`, `not-found`, `archive-unsafe`, `file-damaged`, `file-encrypted`.
    """
    if not by.may("case.confirm"):
        raise Refusal("not-permitted", permission="case.confirm")
    if not by.sees(area.code):
        raise Refusal("not-found")
    result, decoded = Photos(), _Decoded()
    with pack.open("rb") as file, _opened(file) as (archive, members):
        for number, start in enumerate(range(0, len(members), GROUP)):
            with transaction.atomic():
                _set_group(archive, members[start:start + GROUP], area, (result, decoded),
                           Asked(by, sub(request_id, number), at))
    return result


def receive_photos(pack: BinaryIO, area: Area, *, by: Actor, request_id: UUID, at: datetime) -> Act:
    """Take in the upload of a pack, seal it, and let the worker do what `set_photos` does (采集照片).

    Only what the archive says of itself is looked at here: `Refusal` `archive-unsafe`, `file-damaged`,
    `file-encrypted`, and those of `bulk.ask`. Raises `Replayed` for a repeat.
    """
    bulk.permit("case.confirm", area, by=by)  # before any work on what came
    with _opened(pack) as (_, members):
        act = Act(area=area, task="registry.take_photos", total=len(members))
    return bulk.ask(act, "case.confirm", by=by, request_id=request_id, at=at, upload=pack)


def take_photos(act_id: int, *, clock: Clock) -> Act:
    """What the worker does for `receive_photos`. Photos that were there, of strangers, without a number or with a fault
    are left alone, by reason.
    """
    decoded = _Decoded()
    with ExitStack() as stack:
        @cache
        def opened() -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
            return stack.enter_context(_opened(stack.enter_context(bulk.uploaded(Act.objects.get(pk=act_id)))))

        def group(act: Act, asked: Asked) -> Group:
            (archive, members), start, result = opened(), act.place or 0, Photos()
            with _readable():
                _set_group(archive, members[start:start + GROUP], act.area, (result, decoded), asked)
            return Group(result.kept, result.left, start + GROUP if start + GROUP < len(members) else None)

        return bulk.carry_out(act_id, group, clock=clock)


@contextmanager
def _readable() -> Iterator[None]:
    """Name what is wrong with an archive that cannot be read to its end."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise Refusal("file-damaged") from None


@contextmanager
def _opened(pack: BinaryIO) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """The archive and its files, if what it says of itself is safe; nothing is ever written under its names (T10)."""
    with _readable():
        listing = archives.listing(pack)
        if listing.members > MOST_MEMBERS or listing.size > MOST_LISTED:
            raise Refusal("archive-unsafe")
        archive = zipfile.ZipFile(pack)
    with _readable(), archive:
        members = archive.infolist()
        if len({member.filename for member in members}) != len(members):
            raise Refusal("archive-unsafe")
        if any(member.flag_bits & 1 for member in members):
            raise Refusal("file-encrypted")
        files = [member for member in members if not member.is_dir()]
        for member in files:
            path = Path(member.filename.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts or member.file_size > 2 * photos.MOST_BYTES \
                    or member.compress_type not in archives.METHODS:
                raise Refusal("archive-unsafe")
        yield archive, files


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """One photo, unpacked no further than one byte beyond the size that the archive gives for it; one that would be
    larger or smaller makes the whole archive `archive-unsafe` (T10).
    """
    unsized = copy.copy(member)
    unsized.file_size = sys.maxsize  # else zipfile unpacks all there is and then cuts it to the size that was given
    with archive.open(unsized) as stream:
        data = stream.read(member.file_size + 1)
    if len(data) != member.file_size:
        raise Refusal("archive-unsafe")
    return data


def _number(member: zipfile.ZipInfo) -> str:
    """The identity number by which a photo is named; empty where the name is none."""
    path = Path(member.filename.replace("\\", "/"))
    try:
        return idnumber.parse(path.stem).id18 if path.suffix.lower() in SUFFIXES else ""
    except idnumber.BadIdNumber:
        return ""


def _set_group(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], area: Area,
               so_far: tuple[Photos, _Decoded], asked: Asked) -> None:
    """Give one group of photos to their holders, in the caller's transaction."""
    result, decoded = so_far
    numbers = [_number(member) for member in members]
    group = [(number, member) for number, member in zip(numbers, members, strict=True) if number]
    result.unnamed += len(members) - len(group)
    indexes = fields.index_many([number for number, _ in group])
    holders = {bytes(row.id_index): row for row in Holder.objects.filter(
        id_index__in=indexes, state="registered", area_id__gte=max(area.code, asked.by.lo),
        area_id__lte=min(area.last, asked.by.hi)).only("id", "id_index", "photo", "photo_fault")}
    changes: dict[int, tuple[str, str]] = {}
    for index, (_, member) in zip(indexes, group, strict=True):
        holder = holders.get(index)
        if holder is None:
            result.unknown += 1
            continue
        digest, fault = decoded.accept(_read(archive, member))
        if fault:
            result.faults[fault] = result.faults.get(fault, 0) + 1
        else:
            result.kept += digest != holder.photo
            result.unchanged += digest == holder.photo
        if (digest or holder.photo, fault) != (holder.photo, holder.photo_fault):
            changes[holder.pk] = digest, fault
    _photograph(changes, asked)


def _photograph(changes: dict[int, tuple[str, str]], asked: Asked) -> None:
    """The step `photograph` for many, with the same facts as one by one: by photo and fault, few are different."""
    by_outcome: dict[tuple[str, str], list[int]] = {}
    for pk, outcome in changes.items():
        by_outcome.setdefault(outcome, []).append(pk)
    for (digest, fault), ids in by_outcome.items():
        also = ", photo_fault = %(fault)s" + (", photo = %(photo)s" if digest else "")
        perform_many(Many(Holder, ids, "registered", {"photo": digest, "fault": fault}, also,
                          {"photo": digest, "fault": fault}),
                     "photograph", by=asked.by, request_id=asked.request_id, at=asked.at)
