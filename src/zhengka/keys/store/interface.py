"""What every key store can do, what it may tell about a key, and its ways to say no."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from zhengka.formats.suites import PublicKey


class KeyStoreError(RuntimeError):
    """The key store says no. Its messages name labels and usages, never a secret."""


class WrongPassphrase(KeyStoreError):
    """The passphrase does not open this file."""


class StoreBroken(KeyStoreError):
    """The file was changed by something else than this program, or others may read it."""


class NoSuchKey(KeyStoreError):
    """No key has this label (any more)."""


class LabelTaken(KeyStoreError):
    """A key has this label already; keys are never overwritten."""


class WrongUsage(KeyStoreError):
    """The key was not made for this."""


class NotExportable(KeyStoreError):
    """The key was made to stay here, even wrapped."""


class Usage(StrEnum):
    """The one thing a key is for (用途); it also decides its algorithm within the suite."""

    SIGN = "sign"  # key pair: signatures
    UNWRAP = "unwrap"  # key pair: receives keys that others wrapped
    DIVERSIFY = "diversify"  # 16 bytes: master key of cards (密钥分散)
    MAC = "mac"  # 16 bytes: message authentication
    CIPHER = "cipher"  # 16 bytes: single blocks


PAIRS = frozenset({Usage.SIGN, Usage.UNWRAP})
"""The usages whose keys are key pairs."""


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
    def public(self, label: str) -> PublicKey:
        """The public half of a key pair; WrongUsage for a symmetric key."""

    @abstractmethod
    def sign(self, label: str, messages: Sequence[bytes]) -> list[bytes]:
        """The 64-byte signatures of the messages, in order. The caller counts them before (intent first)."""

    @abstractmethod
    def diversify(self, label: str, factors: Sequence[bytes], *, through: Sequence[bytes] = ()) -> list[bytes]:
        """The 16-byte keys of 8-byte factors; `through` are the factors of levels between (region), kept inside."""

    @abstractmethod
    def mac(self, label: str, messages: Sequence[bytes]) -> list[bytes]:
        """The 16-byte CMACs of the messages, in order."""

    @abstractmethod
    def ecb(self, label: str, blocks: bytes) -> bytes:
        """Encrypt whole 16-byte blocks one by one."""

    @abstractmethod
    def wrap(self, label: str, to: PublicKey) -> bytes:
        """The key's secret encrypted to another's public key; NotExportable unless it was made for that."""

    @abstractmethod
    def unwrap(self, label: str, blob: bytes, *, by: str, suite: str, usage: Usage) -> KeyInfo:
        """Take in, as `label`, a key that was wrapped to the key pair `by`. DecryptionFailed, LabelTaken."""

    @abstractmethod
    def destroy(self, label: str) -> None:
        """Remove a key for ever; NoSuchKey. Copies of the file from before still hold it, encrypted."""
