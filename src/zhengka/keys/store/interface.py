"""What every key store can do, what it may tell about a key, and its ways to say no."""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from zhengka.formats import shares
from zhengka.formats.shares import Share
from zhengka.formats.suites import SUITES, PublicKey, Suite


class KeyStoreError(RuntimeError):
    """The key store says no. Its messages name labels and usages, never a secret."""


class WrongPassphrase(KeyStoreError):
    """The passphrase does not open this file, or the PIN this token."""


class StoreBroken(KeyStoreError):
    """What is kept was changed by something else than this program, or others may read it."""


class NoSuchKey(KeyStoreError):
    """No key has this label (any more)."""


class LabelTaken(KeyStoreError):
    """A key has this label already; keys are never overwritten."""


class WrongUsage(KeyStoreError):
    """The key was not made for this."""


class NotExportable(KeyStoreError):
    """The key was made to stay here, even wrapped."""


class WrongComponents(KeyStoreError):
    """The components are too few, do not belong together, or give another key than was told."""


class WrongWrapped(KeyStoreError):
    """What was wrapped to us is no such key, or another one than was told."""


class WrongKey(KeyStoreError):
    """The token answers with another key than the one that was made there. Nothing that it answered is used."""


class TokenSilent(KeyStoreError):
    """The token does not answer in time. What was asked may have happened there or not."""


class TokenLost(KeyStoreError):
    """The token is not there, was taken away, or reports a fault of its own."""


class Usage(StrEnum):
    """The one thing a key is for (用途); it also decides its algorithm within the suite."""

    SIGN = "sign"  # key pair: signatures
    UNWRAP = "unwrap"  # key pair: receives keys that others wrapped
    DIVERSIFY = "diversify"  # 16 bytes: master key of cards (密钥分散)
    MAC = "mac"  # 16 bytes: message authentication
    CIPHER = "cipher"  # 16 bytes: single blocks


PAIRS = frozenset({Usage.SIGN, Usage.UNWRAP})
"""The usages whose keys are key pairs."""


class Kept(StrEnum):
    """Where a key lives and works (存放方式)."""

    FILE = "file"  # sealed in the store's file, opened in memory
    TOKEN = "token"  # noqa: S105 - born or brought into the token, works there, never comes out
    HYBRID = "hybrid"  # sealed under a key that never leaves the token, opened in memory for each use


@dataclass(frozen=True)
class KeyInfo:
    """What may be told about a key."""

    label: str
    suite: str
    usage: Usage
    exportable: bool
    public: str
    """Point 04 ‖ x ‖ y in hex; empty for symmetric keys."""
    check_value: str
    """KCV (密钥校验值): hex of the first 3 bytes of the encryption of zeros; of a key pair its key id."""
    kept: Kept = Kept.FILE


class WorkingKey(ABC):
    """One key at hand. The methods are those of `KeyStore`; the store has compared the usage before."""

    info: KeyInfo

    @abstractmethod
    def sign(self, messages: Sequence[bytes]) -> list[bytes]:
        """The 64-byte signatures of the messages, in order."""

    @abstractmethod
    def decrypt(self, blob: bytes) -> bytes:
        """Undo `PublicKey.encrypt`; DecryptionFailed."""

    @abstractmethod
    def diversify(self, factors: Sequence[bytes], through: Sequence[bytes]) -> list[bytes]:
        """The 16-byte keys of 8-byte factors."""

    @abstractmethod
    def mac(self, messages: Sequence[bytes]) -> list[bytes]:
        """The 16-byte CMACs of the messages, in order."""

    @abstractmethod
    def ecb(self, blocks: bytes) -> bytes:
        """Whole 16-byte blocks encrypted one by one."""

    @abstractmethod
    def secret(self) -> bytes:
        """The key in clear: 16 bytes, or 32 of a pair. NotExportable where it lives in a token."""


class KeyStore(ABC):
    """What every key store can do, in software or hardware. All errors are KeyStoreError or ValueError."""

    @abstractmethod
    def labels(self) -> list[str]:
        """The labels of all keys, sorted."""

    @abstractmethod
    def describe(self, label: str) -> KeyInfo:
        """What may be told about a key; NoSuchKey."""

    @abstractmethod
    def generate(self, label: str, *, suite: str, usage: Usage, exportable: bool = False) -> KeyInfo:
        """Make a key that is born here. LabelTaken; ValueError for an unknown suite or usage or a bad label."""

    @abstractmethod
    def destroy(self, label: str) -> None:
        """Remove a key for ever; NoSuchKey. Copies of the store from before still hold it, encrypted."""

    @abstractmethod
    def _key(self, label: str) -> WorkingKey:
        """The key, ready to work; NoSuchKey."""

    @abstractmethod
    def _take(self, info: KeyInfo, secret: bytes) -> KeyInfo:
        """Keep a secret that came from outside as the key described; LabelTaken."""

    def rotate(self, label: str) -> KeyInfo:
        """The next version of a key, born here for the same use: of `43/status/SM/1` it is `43/status/SM/2`.

        The old version stays. ValueError where the label ends in no number; LabelTaken where the next one is there.
        """
        info = self.describe(label)
        stem, _, number = label.rpartition("/")
        if not stem or not number.isascii() or not number.isdigit():
            raise ValueError("the label of a version ends in its number")
        return self.generate(f"{stem}/{int(number) + 1}", suite=info.suite, usage=info.usage,
                             exportable=info.exportable)

    def public(self, label: str) -> PublicKey:
        """The public half of a key pair; WrongUsage for a symmetric key."""
        info = self.describe(label)
        if info.usage not in PAIRS:
            raise WrongUsage(f"{label} is not a key pair")
        return SUITES[info.suite].public_key(bytes.fromhex(info.public))

    def sign(self, label: str, messages: Sequence[bytes]) -> list[bytes]:
        """The 64-byte signatures of the messages, in order. The caller counts them before (intent first)."""
        return self._working(label, Usage.SIGN).sign(messages)

    def diversify(self, label: str, factors: Sequence[bytes], *, through: Sequence[bytes] = ()) -> list[bytes]:
        """The 16-byte keys of 8-byte factors; `through` are the factors of levels between (region), kept inside."""
        return self._working(label, Usage.DIVERSIFY).diversify(factors, through)

    def mac(self, label: str, messages: Sequence[bytes]) -> list[bytes]:
        """The 16-byte CMACs of the messages, in order."""
        return self._working(label, Usage.MAC).mac(messages)

    def ecb(self, label: str, blocks: bytes) -> bytes:
        """Encrypt whole 16-byte blocks one by one."""
        return self._working(label, Usage.CIPHER).ecb(blocks)

    def wrap(self, label: str, to: PublicKey, *, through: Sequence[bytes] = ()) -> bytes:
        """The key's secret encrypted to another's public key; NotExportable unless it was made for that.

        With factors of levels below, the key that is drawn by them: that one is made to leave.
        """
        return to.encrypt(self._drawn(label, through) if through else self._exported(label))

    def check_value(self, label: str, *, through: Sequence[bytes] = ()) -> str:
        """The check value of a key, or of the one that is drawn from it by the factors of levels below."""
        info = self.describe(label)
        return shares.check_value(self._drawn(label, through), SUITES[info.suite]) if through else info.check_value

    def unwrap(  # noqa: PLR0913 - which key, from whom, what it is, and by what it is known
            self, label: str, blob: bytes, *, by: str, suite: str, usage: Usage, check_value: str = "",
            exportable: bool = False) -> KeyInfo:
        """Take in, as `label`, a key that was wrapped to the key pair `by` (密文导入). DecryptionFailed, LabelTaken.

        `check_value`: the key's, as told on another way; WrongWrapped where the blob holds another key. Without it any
        key is taken: for copies from one's own other store.
        """
        secret = self._working(by, Usage.UNWRAP).decrypt(blob)
        info = described(label, secret, suite, usage, exportable=exportable)
        if check_value and info.check_value != check_value.lower():
            raise WrongWrapped(f"what was wrapped for {label} is a key with another check value")
        return self._take(info, secret)

    def draw(self, *, suite: str, usage: Usage, needed: int, among: int) -> tuple[str, list[Share]]:
        """The check value of a new key and its components, of which `needed` make it: the key itself is not kept.

        `import_components` makes it a key of the store, once its custodians have what they were given.
        """
        secret = fresh(suite, usage)
        value = described("drawn", secret, suite, usage).check_value
        return value, shares.split(secret, needed=needed, among=among, suite=SUITES[suite])

    def import_components(self, label: str, parts: Sequence[Share], *, suite: str, usage: Usage,
                          check_value: str, exportable: bool = False) -> KeyInfo:
        """Take in, as `label`, a key from its custodians' components (密钥分量), put together here.

        `check_value`: the whole key's, as told on another way; without it a wrong component would be a wrong key.
        WrongComponents, LabelTaken.
        """
        secret = _combined(parts, SUITES.get(suite) or unknown(suite))
        try:
            info = described(label, secret, suite, usage, exportable=exportable)
        except ValueError as fault:
            raise WrongComponents(f"the components of {label} give no key: {fault}") from None
        if info.check_value != check_value.lower():
            raise WrongComponents(f"the components of {label} give a key with another check value")
        return self._take(info, secret)

    def split(self, label: str, *, needed: int, among: int) -> list[Share]:
        """The key in components for `among` custodians, `needed` of whom can bring it back; NotExportable."""
        secret = self._exported(label)
        return shares.split(secret, needed=needed, among=among, suite=SUITES[self.describe(label).suite])

    def _working(self, label: str, usage: Usage) -> WorkingKey:
        key = self._key(label)
        if key.info.usage != usage:
            raise WrongUsage(f"{label} is for {key.info.usage}, not for {usage}")
        return key

    def _drawn(self, label: str, through: Sequence[bytes]) -> bytes:
        *between, last = through
        return self.diversify(label, [last], through=between)[0]

    def _exported(self, label: str) -> bytes:
        key = self._key(label)
        if not key.info.exportable:
            raise NotExportable(f"{label} was made to stay in this store")
        return key.secret()


def fresh(suite: str, usage: Usage) -> bytes:
    """A new secret of this kind, from the system's randomness; ValueError for an unknown suite."""
    family = SUITES.get(suite) or unknown(suite)
    return family.generate().scalar() if Usage(usage) in PAIRS else os.urandom(16)


def described(label: str, secret: bytes, suite: str, usage: Usage, *, exportable: bool = False) -> KeyInfo:
    """What may be told about a new secret; ValueError for a bad label or what is no key of its kind."""
    if not label.isprintable() or not 1 <= len(label) <= 200:
        raise ValueError("a label is 1 to 200 printable characters")
    family = SUITES.get(suite) or unknown(suite)
    if Usage(usage) in PAIRS:
        public = family.private_key(secret).public
        return KeyInfo(label, suite, Usage(usage), exportable, public.point.hex(), public.key_id.hex())
    if len(secret) != 16:
        raise ValueError("a symmetric key is 16 bytes")
    return KeyInfo(label, suite, Usage(usage), exportable, "", shares.check_value(secret, family))


def unknown(suite: str) -> Suite:
    """Raise ValueError: no suite has this name."""
    raise ValueError(f"no suite is named {suite}")


def _combined(parts: Sequence[Share], suite: Suite) -> bytes:
    try:
        return shares.combine(parts, suite=suite)
    except ValueError as fault:
        raise WrongComponents(str(fault)) from None
