"""The software key store: one encrypted file, for the desk, tests and places without a hardware module."""

import hmac
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn, TypedDict

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import UnsupportedAlgorithm

from zhengka.formats import durable, sm3, sm4
from zhengka.keys.store.guarding import close_process, lock
from zhengka.keys.store.interface import (
    KeyInfo,
    KeyStore,
    LabelTaken,
    NoSuchKey,
    StoreBroken,
    Usage,
    WrongPassphrase,
    described,
    fresh,
)
from zhengka.keys.store.locks import locked
from zhengka.keys.store.memory import MemoryKey

FORMAT = 1
"""Version of the file: it fixes the layout and the cost of Argon2id (RFC 9106 section 4, second choice)."""


class _Entry(TypedDict):
    """A key in the file: what may be told, and its secret sealed under the file's key (hex)."""

    info: dict[str, Any]
    nonce: str
    sealed: str


class SoftwareStore(KeyStore):
    """A key store in one file of mode 0600: Argon2id of the passphrase opens SM4-GCM around every key.

    Suite, usage, label and format are authenticated with each secret, and the whole directory by HMAC-SM3. An older
    copy of the whole file, put back, is not noticed: guard the directory and the backups.
    """

    def __init__(self, path: Path, passphrase: str) -> None:
        """Open the file, or make an empty one. WrongPassphrase, StoreBroken; ValueError for no passphrase."""
        if not passphrase:
            raise ValueError("a key store needs a passphrase")
        close_process()
        self._path = Path(path)
        self._seen: tuple[tuple[int, int, int], dict[str, _Entry]] | None = None
        self._ready: dict[str, tuple[str, MemoryKey]] = {}
        with locked(self._path.with_name(self._path.name + ".lock")):
            if not self._path.exists():
                self._create(passphrase)
        head = self._read()
        self._derive(passphrase, bytes.fromhex(head["salt"]), head["mode"])
        if not hmac.compare_digest(self._mac("passphrase"), head["check"]):
            raise WrongPassphrase("the passphrase does not open the key store")
        self._salt = head["salt"]
        self._entries()

    def labels(self) -> list[str]:
        """See `KeyStore.labels`."""
        return sorted(self._entries())

    def describe(self, label: str) -> KeyInfo:
        """See `KeyStore.describe`."""
        return _info(self._entry(label))

    def generate(self, label: str, *, suite: str, usage: Usage, exportable: bool = False) -> KeyInfo:
        """See `KeyStore.generate`."""
        secret = fresh(suite, usage)
        return self._take(described(label, secret, suite, usage, exportable=exportable), secret)

    def destroy(self, label: str) -> None:
        """See `KeyStore.destroy`."""
        with locked(self._path.with_name(self._path.name + ".lock")):
            entries = dict(self._entries())
            if entries.pop(label, None) is None:
                raise NoSuchKey(f"no key is labelled {label}")
            self._write(entries)
        self._ready.pop(label, None)

    def __repr__(self) -> str:
        """Nothing but the file's name."""
        return f"<SoftwareStore {self._path.name}>"

    def __reduce__(self) -> NoReturn:
        """An open store never travels in a pickle."""
        raise TypeError("a key store cannot be pickled")

    # --- one key ---

    def _entry(self, label: str) -> _Entry:
        try:
            return self._entries()[label]
        except KeyError:
            raise NoSuchKey(f"no key is labelled {label}") from None

    def _key(self, label: str) -> MemoryKey:
        """The opened key; kept in memory as long as the file holds the same one."""
        entry = self._entry(label)
        sealed, key = self._ready.get(label, ("", None))
        if key is None or sealed != entry["sealed"]:
            info = _info(entry)
            secret = self._gcm(sm4.gcm_decrypt, entry["nonce"], bytes.fromhex(entry["sealed"]), info)
            key = MemoryKey(info, secret)
            self._ready[label] = entry["sealed"], key
        return key

    def _take(self, info: KeyInfo, secret: bytes) -> KeyInfo:
        nonce = os.urandom(12).hex()
        sealed = self._gcm(sm4.gcm_encrypt, nonce, secret, info).hex()
        with locked(self._path.with_name(self._path.name + ".lock")):
            entries = dict(self._entries())
            if info.label in entries:
                raise LabelTaken(f"a key is labelled {info.label} already")
            entries[info.label] = {"info": _told(info), "nonce": nonce, "sealed": sealed}
            self._write(entries)
        return info

    def _gcm(self, work: Any, nonce: str, data: bytes, info: KeyInfo) -> bytes:
        key, cipher = (self._kek[:16], "sm4") if self._mode == "SM4-GCM" else (self._kek, "aes")
        result: bytes = work(key, bytes.fromhex(nonce), data, _canonical([FORMAT, _told(info)]), cipher=cipher)
        return result

    # --- the file ---

    def _derive(self, passphrase: str, salt: bytes, mode: str) -> None:
        root = lock(hash_secret_raw(passphrase.encode(), salt, 3, 1 << 16, 4, 32, Type.ID))
        self._kek, self._directory = (lock(sm3.hmac(root, what)) for what in (b"zhengka keys", b"zhengka directory"))
        self._mode = mode

    def _mac(self, value: Any) -> str:
        return sm3.hmac(self._directory, _canonical(value)).hex()

    def _create(self, passphrase: str) -> None:
        salt = os.urandom(16)
        self._salt = salt.hex()
        self._derive(passphrase, salt, _best_mode())
        self._write({})

    def _entries(self) -> dict[str, _Entry]:
        """All keys as the file has them now; read again only when it changed."""
        try:
            state = self._path.stat()
        except FileNotFoundError:
            raise StoreBroken("the key store's file is gone") from None
        stamp = state.st_ino, state.st_mtime_ns, state.st_size
        if self._seen is None or self._seen[0] != stamp:
            content = self._read()
            told = content.pop("mac")
            if not hmac.compare_digest(self._mac(content), told):
                raise StoreBroken("the key store's file was changed by another hand")
            self._seen = stamp, content["keys"]
        return self._seen[1]

    def _read(self) -> dict[str, Any]:
        with self._path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise StoreBroken("others may read the key store's file: give it mode 600")
            data = file.read()
        try:
            content: dict[str, Any] = json.loads(data)
            if content["format"] != FORMAT or not {"salt", "mode", "check", "keys", "mac"} <= set(content):
                raise StoreBroken("the key store's file is of an unknown format")
        except (ValueError, KeyError, TypeError):
            raise StoreBroken("the key store's file is damaged") from None
        return content

    def _write(self, keys: dict[str, _Entry]) -> None:
        """Replace the file whole. The caller holds the lock."""
        content = {"format": FORMAT, "salt": self._salt, "mode": self._mode}
        content |= {"check": self._mac("passphrase"), "keys": keys}
        data = _canonical(content | {"mac": self._mac(content)})
        durable.write(self._path, data)


def _info(entry: _Entry) -> KeyInfo:
    return KeyInfo(**(entry["info"] | {"usage": Usage(entry["info"]["usage"])}))


def _told(info: KeyInfo) -> dict[str, Any]:
    """What the file says of a key; that it is kept in this file goes without saying."""
    return {name: value for name, value in asdict(info).items() if name != "kept"}


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _best_mode() -> str:
    """SM4-GCM where the crypto library has it, else AES-256-GCM."""
    try:
        sm4.gcm_encrypt(bytes(16), bytes(12), b"", b"")
    except UnsupportedAlgorithm:
        return "AES-256-GCM"
    return "SM4-GCM"
