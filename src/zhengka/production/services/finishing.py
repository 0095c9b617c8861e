"""The end of preparation: the package put together, the proof sheet drawn, the counts written once."""

import io
import secrets
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NoReturn

from django.db import connection, transaction
from django.db.models import Count

from zhengka.cards import queries as cards
from zhengka.cards.services import ask_for
from zhengka.core import files
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, perform, sub
from zhengka.core.models import Event
from zhengka.formats import chip
from zhengka.formats.seal import SealBroken
from zhengka.formats.suites import SUITES, PublicKey, SigningKey
from zhengka.keys import queries as key_queries
from zhengka.keys import services as keys
from zhengka.production.faces import BadPhoto, Face, Layout, layout_for, proof_sheet, ready, sample_photo
from zhengka.production.models import Batch, Item
from zhengka.production.services import parting, staging, terms
from zhengka.production.services.gathering import Subject, face_texts, kind_of, look_up
from zhengka.production.services.making import raised
from zhengka.production.workflow import HOLDS
from zhengka.registry import queries as registry

PROOFS: Final = 96
"""Faces on a proof sheet, spread evenly over the batch: twelve pages that a person does look at."""
PROOF: Final = "batch.proof"


class StoredKey(SigningKey):
    """Our batch key as a package asks for it: it stays in the key store, and every signature is counted."""

    def __init__(self, signer: keys.Signer, public: PublicKey) -> None:
        self._signer, self.public = signer, public

    def sign_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """See `SigningKey.sign_many`."""
        return self._signer.sign_many(messages)

    def scalar(self) -> NoReturn:
        """A key of the store never leaves it."""
        raise TypeError("the key stays in the key store")

    def decrypt(self, data: bytes) -> NoReturn:
        """A signing key decrypts nothing."""
        raise TypeError(f"the key is for signatures, not for {len(data)} bytes of data")


def finish_batch(batch: Batch, *, at: datetime) -> Batch:
    """Put the package and the proof sheet of a batch together (封装) once all its chunks are done; the batch as it is
    now. A batch that is not being prepared, or not whole yet, stays as it is.

    Two that do it at once each write a package of their own, and the one of the first is kept. `Refusal("disk-full")`.
    """
    batch.refresh_from_db()
    if batch.state != "preparing" or batch.chunks.exclude(state="done").exists():
        return batch
    waiting = staging.folder(batch)
    try:
        batch = _finish(batch, at)
    except (Replayed, FileNotFoundError, Refusal):  # another was quicker, and has cleared what waited; or it was paused
        batch.refresh_from_db()
        if batch.state == "preparing":
            raise
        if batch.state == "paused":
            return batch
    shutil.rmtree(waiting, ignore_errors=True)
    return batch


def _finish(batch: Batch, at: datetime) -> Batch:
    counts = dict(Item.objects.filter(batch=batch).values_list("outcome").annotate(n=Count("pk")).order_by())
    prepared, held = counts.get("prepared", 0), counts.get("held", 0)
    package = staging.folder(batch) / f"{batch.number}-{secrets.token_hex(3)}.zkp"
    with staging.room_for(package):
        digest = _package(batch, package, at) if prepared else b""
        facts = {"prepared": prepared, "held": held, "package": package.name if prepared else "",
                 "manifest_digest": digest.hex(), "proof": _proof(batch, prepared, held)}
    begun = Event.objects.get(subject=Batch.kind(), subject_id=batch.pk, action="prepare")
    with transaction.atomic():
        batch = perform(batch, "finish", {**facts, "content_key": None, "undecided": held}, by=SYSTEM, at=at,
                        request_id=sub(begun.request, "finish"), **facts)
        # A place of which no list says anything counts as valid: gates must hear of these cards before they exist.
        ask_for(Item.objects.filter(batch=batch, outcome="prepared").values_list("card__status_list", flat=True))
        if prepared:
            for written in (staging.parts_of(package), package):
                written.rename(staging.packages() / written.name)
    return batch


def finish_if_done(batch_id: int, *, at: datetime) -> Batch:
    """The worker's way to `finish_batch`."""
    return finish_batch(Batch.objects.select_related("area", "maker").get(pk=batch_id), at=at)


def _package(batch: Batch, path: Path, at: datetime) -> bytes:
    """Write the package at `path`, among what waits for the batch; the digest of its manifest."""
    suite = cards.profile(batch.profile).suite
    signer = batch_signer(batch, at=at)
    maker = SUITES[batch.maker.suite].public_key(bytes(batch.maker.public))
    kek = keys.blank_card_key(batch.area_id, suite, at=at, of=batch.keys)
    channel = keys.channel_keys(batch.area_id, suite, at=at, of=batch.keys)
    digest = staging.gathered(batch).finish(path, signer=signer, maker=maker, kek=kek, channel=channel)
    parting.cut(path, batch, digest, terms.of(batch.area_id, at=at).part, signer)
    return digest


def batch_signer(batch: Batch, *, at: datetime) -> SigningKey:
    """The key by which what we give to a batch's card maker is known to be ours."""
    suite = cards.profile(batch.profile).suite
    key = key_queries.working("batch", batch.area_id, suite, at=at)
    public = SUITES[suite].public_key(bytes(key.public or b""))
    return StoredKey(keys.signer("batch", batch.area_id, suite, at=at), public)


def _proof(batch: Batch, prepared: int, held: int) -> str:
    """Draw and seal the proof sheet (校样); its digest in the file store."""
    profile, layout = cards.profile(batch.profile), layout_for(batch.profile)
    heading = [f"制卡批次校样 {batch.number}",
               f"{batch.area.name} · 共 {batch.ordered} 张：可制 {prepared} 张，暂缓 {held} 张 · 规格 {batch.profile}",
               *_held_lines(batch)]
    plain = io.BytesIO()
    proof_sheet(_faces(batch, prepared, profile, layout), raised(profile), layout=layout, heading=heading, out=plain)
    return files.put_sealed_stream(plain, PROOF)


def _held_lines(batch: Batch) -> list[str]:
    """One line that says why cards are held, and how many of each."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT split_part(reason, ' ', 1), count(*) FROM production_item WHERE batch_id = %s "
                       "AND outcome = 'held' GROUP BY 1 ORDER BY 1", [batch.pk])
        counted = [f"{HOLDS[code]} {number} 张" for code, number in cursor.fetchall()]
    return ["暂缓：" + "，".join(counted)] if counted else []


def _faces(batch: Batch, prepared: int, profile: chip.Profile, layout: Layout) -> Iterator[Face]:
    """Faces of the batch, evenly spread, as samples: no code on them opens a gate."""
    step = max(prepared // PROOFS, 1)
    ids = list(Item.objects.filter(batch=batch, outcome="prepared").order_by("position").values_list("pk", flat=True))
    for subject in look_up(Item.objects.filter(pk__in=ids[::step][:PROOFS])):
        yield sample_face(subject, profile, layout)


def sample_face(subject: Subject, profile: chip.Profile, layout: Layout) -> Face:
    """The face of a card for proof and preview; a grey figure stands for a photo that is not there."""
    try:
        photo = ready(registry.portrait(subject.photo)) if subject.photo else sample_photo()
    except (BadPhoto, FileNotFoundError, SealBroken):
        photo = sample_photo()
    return Face(kind_of(profile, subject).code, face_texts(subject, layout), photo, "")
