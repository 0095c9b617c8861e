"""A software card on disk (卡片镜像): its memory as one sealed file, whole or not there.

    "zhengka-chip/1" ‖ nonce (12) ‖ the memory in CBOR, enciphered and authenticated (GCM)

A real chip guards its memory by its hardware; a file has none, so it is sealed under a key that is kept elsewhere.
Files are replaced whole (`formats.durable`): a machine that stops at any moment leaves the old card or the new one.
"""

import os
from pathlib import Path
from typing import Any, Final

import cbor2

from zhengka.formats import durable, sm4
from zhengka.formats.chip.memory import Application, File, Memory, Secret
from zhengka.formats.chip.profile import Key
from zhengka.formats.chip.scp03 import KeySet
from zhengka.formats.suites import SUITES

MAGIC: Final = b"zhengka-chip/1"
_NONCE: Final = 12


class ImageBroken(ValueError):
    """The file is not the card that was put there under this key."""


def seal(memory: Memory, key: bytes) -> bytes:
    """The memory as the bytes of its file, under a 16-byte key."""
    nonce = os.urandom(_NONCE)
    return MAGIC + nonce + sm4.gcm_encrypt(key, nonce, cbor2.dumps(_spell(memory)), MAGIC)


def unseal(data: bytes, key: bytes) -> Memory:
    """Undo `seal`; ImageBroken for anything else."""
    begin = len(MAGIC) + _NONCE
    if not data.startswith(MAGIC) or len(data) < begin:
        raise ImageBroken("not a card's file")
    try:
        return _read(cbor2.loads(sm4.gcm_decrypt(key, data[len(MAGIC) : begin], data[begin:], MAGIC)))
    except (sm4.SealBroken, ValueError, TypeError, KeyError, cbor2.CBORDecodeError):
        raise ImageBroken("the file was changed, or the key is another one") from None


def write(path: Path, memory: Memory, key: bytes) -> None:
    """Put the card at `path`, durably, in the place of what was there."""
    durable.write(path, seal(memory, key))


def _spell(memory: Memory) -> dict[str, Any]:
    keys = memory.channel
    return {
        "uid": memory.uid, "suite": memory.suite, "free": memory.free, "kek": memory.kek, "state": memory.state,
        "kek_left": memory.kek_left, "channel_left": memory.channel_left,
        "channel": [keys.version, keys.enc, keys.mac, keys.dek] if keys else None,
        "applications": [
            [each.name, each.fid, each.about, each.extension, each.locked,
             [[*_fields(file), list(file.records)] for file in each.files.values()],
             [[*secret.entry, secret.key, secret.left] for secret in each.keys.values()]]
            for each in memory.applications.values()
        ],
    }


def _fields(file: File) -> list[Any]:
    return [file.fid, file.structure, file.size, file.most, file.sfi, file.read, file.update, file.content]


def _read(data: dict[str, Any]) -> Memory:
    if data["suite"] not in SUITES:
        raise ValueError("no such suite")
    applications = [_application(each) for each in data.pop("applications")]
    keys = data.pop("channel")
    return Memory(
        **data, channel=KeySet(*keys) if keys else None, applications={each.name: each for each in applications}
    )


def _application(data: list[Any]) -> Application:
    *about, files, keys = data
    read = [File(*[*fields, tuple(records)]) for *fields, records in files]
    secrets = [Secret(Key(*entry), key, left) for *entry, key, left in keys]
    by_slot = {secret.entry.slot: secret for secret in secrets}
    return Application(*[*about, {file.fid: file for file in read}, by_slot])
