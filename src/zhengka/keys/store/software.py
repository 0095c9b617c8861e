"""The software key store: one encrypted file, for the desk, tests and places without a hardware module."""

import fcntl
import hmac
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn, TypedDict

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import UnsupportedAlgorithm

from zhengka.formats import sm3, sm4
from zhengka.formats.suites import SUITES, PublicKey, SigningKey, Suite
from zhengka.keys.store.interface import (
    PAIRS,
    KeyInfo,
    KeyStore,
    LabelTaken,
    NoSuchKey,
    NotExportable,
    StoreBroken,
    Usage,
    WrongPassphrase,
    WrongUsage,
)

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
        self._path = Path(path)
        self._seen: tuple[tuple[int, int, int], dict[str, _Entry]] | None = None
        self._ready: dict[str, tuple[str, SigningKey | bytes]] = {}
        with self._locked():
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
        family = _suite(suite)
        secret = family.generate().scalar() if Usage(usage) in PAIRS else os.urandom(16)
        return self._add(label, secret, family, Usage(usage), exportable)

    def public(self, label: str) -> PublicKey:
        """See `KeyStore.public`."""
        info = self.describe(label)
        if info.usage not in PAIRS:
            raise WrongUsage(f"{label} is not a key pair")
        return SUITES[info.suite].public_key(bytes.fromhex(info.public))

    def sign(self, label: str, messages: Sequence[bytes]) -> list[bytes]:
        """See `KeyStore.sign`."""
        return self._pair(label, Usage.SIGN).sign_many(messages)

    def diversify(self, label: str, factors: Sequence[bytes], *, through: Sequence[bytes] = ()) -> list[bytes]:
        """See `KeyStore.diversify`."""
        suite, key = self._symmetric(label, Usage.DIVERSIFY)
        for factor in through:
            [key] = suite.diversify(key, [factor])
        return suite.diversify(key, factors)

    def mac(self, label: str, messages: Sequence[bytes]) -> list[bytes]:
        """See `KeyStore.mac`."""
        suite, key = self._symmetric(label, Usage.MAC)
        return suite.cmac_many(key, messages)

    def ecb(self, label: str, blocks: bytes) -> bytes:
        """See `KeyStore.ecb`."""
        suite, key = self._symmetric(label, Usage.CIPHER)
        return suite.ecb(key, blocks)

    def wrap(self, label: str, to: PublicKey) -> bytes:
        """See `KeyStore.wrap`."""
        if not self.describe(label).exportable:
            raise NotExportable(f"{label} was made to stay in this store")
        key = self._key(label)
        return to.encrypt(key if isinstance(key, bytes) else key.scalar())

    def unwrap(self, label: str, blob: bytes, *, by: str, suite: str, usage: Usage) -> KeyInfo:
        """See `KeyStore.unwrap`."""
        secret = self._pair(by, Usage.UNWRAP).decrypt(blob)
        return self._add(label, secret, _suite(suite), Usage(usage), exportable=False)

    def destroy(self, label: str) -> None:
        """See `KeyStore.destroy`."""
        with self._locked():
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

    def _key(self, label: str) -> SigningKey | bytes:
        """The opened key; kept in memory as long as the file holds the same one."""
        entry = self._entry(label)
        sealed, key = self._ready.get(label, ("", b""))
        if sealed != entry["sealed"]:
            info = _info(entry)
            secret = self._gcm(sm4.gcm_decrypt, entry["nonce"], bytes.fromhex(entry["sealed"]), info)
            key = SUITES[info.suite].private_key(secret) if info.usage in PAIRS else secret
            self._ready[label] = entry["sealed"], key
        return key

    def _pair(self, label: str, usage: Usage) -> SigningKey:
        self._demand(label, usage)
        key = self._key(label)
        if isinstance(key, bytes):
            raise WrongUsage(f"{label} is not a key pair")
        return key

    def _symmetric(self, label: str, usage: Usage) -> tuple[Suite, bytes]:
        info = self._demand(label, usage)
        key = self._key(label)
        if not isinstance(key, bytes):
            raise WrongUsage(f"{label} is a key pair")
        return SUITES[info.suite], key

    def _demand(self, label: str, usage: Usage) -> KeyInfo:
        info = self.describe(label)
        if info.usage != usage:
            raise WrongUsage(f"{label} is for {info.usage}, not for {usage}")
        return info

    def _add(self, label: str, secret: bytes, suite: Suite, usage: Usage, exportable: bool) -> KeyInfo:
        if not label.isprintable() or not 1 <= len(label) <= 200:
            raise ValueError("a label is 1 to 200 printable characters")
        public, check_value = _tell(secret, suite, usage)
        info = KeyInfo(label, suite.name, usage, exportable, public, check_value)
        nonce = os.urandom(12).hex()
        sealed = self._gcm(sm4.gcm_encrypt, nonce, secret, info).hex()
        with self._locked():
            entries = dict(self._entries())
            if label in entries:
                raise LabelTaken(f"a key is labelled {label} already")
            entries[label] = {"info": asdict(info), "nonce": nonce, "sealed": sealed}
            self._write(entries)
        return info

    def _gcm(self, work: Any, nonce: str, data: bytes, info: KeyInfo) -> bytes:
        key, cipher = (self._kek[:16], "sm4") if self._mode == "SM4-GCM" else (self._kek, "aes")
        result: bytes = work(key, bytes.fromhex(nonce), data, _canonical([FORMAT, asdict(info)]), cipher=cipher)
        return result

    # --- the file ---

    def _derive(self, passphrase: str, salt: bytes, mode: str) -> None:
        root = hash_secret_raw(passphrase.encode(), salt, 3, 1 << 16, 4, 32, Type.ID)
        self._kek, self._directory = sm3.hmac(root, b"zhengka keys"), sm3.hmac(root, b"zhengka directory")
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
        """Replace the file whole: written, synced, renamed, its directory synced. The caller holds the lock."""
        content = {"format": FORMAT, "salt": self._salt, "mode": self._mode}
        content |= {"check": self._mac("passphrase"), "keys": keys}
        data = _canonical(content | {"mac": self._mac(content)})
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.unlink(missing_ok=True)
        later = self._path.stat().st_mtime_ns + 1 if self._path.exists() else 0  # so that every change is seen
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.utime(file.fileno(), ns=(max(time.time_ns(), later),) * 2)
            os.fsync(file.fileno())
        fresh.replace(self._path)
        with _opened(self._path.parent, os.O_RDONLY) as directory:
            os.fsync(directory)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, among processes and threads."""
        with _opened(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    number = os.open(path, flags, 0o600)
    try:
        yield number
    finally:
        os.close(number)


def _info(entry: _Entry) -> KeyInfo:
    return KeyInfo(**(entry["info"] | {"usage": Usage(entry["info"]["usage"])}))


def _suite(name: str) -> Suite:
    if name not in SUITES:
        raise ValueError(f"no suite is named {name}")
    return SUITES[name]


def _tell(secret: bytes, suite: Suite, usage: Usage) -> tuple[str, str]:
    """Public point and check value of a new secret; ValueError when it is not one of its kind."""
    if usage in PAIRS:
        public = suite.private_key(secret).public
        return public.point.hex(), public.key_id.hex()
    if len(secret) != 16:
        raise ValueError("a symmetric key is 16 bytes")
    return "", suite.ecb(secret, bytes(16))[:3].hex()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _best_mode() -> str:
    """SM4-GCM where the crypto library has it, else AES-256-GCM."""
    try:
        sm4.gcm_encrypt(bytes(16), bytes(12), b"", b"")
    except UnsupportedAlgorithm:
        return "AES-256-GCM"
    return "SM4-GCM"
