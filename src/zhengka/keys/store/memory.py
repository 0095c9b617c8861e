"""A key that works in this process's memory: of the software store, and of a token that lacks its algorithm."""

from collections.abc import Sequence
from typing import NoReturn

from zhengka.formats.suites import SUITES, SigningKey
from zhengka.keys.store.guarding import lock
from zhengka.keys.store.interface import PAIRS, KeyInfo, WorkingKey, WrongUsage


class MemoryKey(WorkingKey):
    """See `WorkingKey`. The secret is in this object; it shows and pickles nothing."""

    def __init__(self, info: KeyInfo, secret: bytes) -> None:
        """MalformedKey for a scalar out of range."""
        self.info, self._suite = info, SUITES[info.suite]
        self._key: SigningKey | bytes = self._suite.private_key(secret) if info.usage in PAIRS else lock(secret)

    def sign(self, messages: Sequence[bytes]) -> list[bytes]:
        """See `WorkingKey.sign`."""
        return self._pair().sign_many(messages)

    def decrypt(self, blob: bytes) -> bytes:
        """See `WorkingKey.decrypt`."""
        return self._pair().decrypt(blob)

    def diversify(self, factors: Sequence[bytes], through: Sequence[bytes]) -> list[bytes]:
        """See `WorkingKey.diversify`."""
        key = self._symmetric()
        for factor in through:
            [key] = self._suite.diversify(key, [factor])
        return self._suite.diversify(key, factors)

    def mac(self, messages: Sequence[bytes]) -> list[bytes]:
        """See `WorkingKey.mac`."""
        return self._suite.cmac_many(self._symmetric(), messages)

    def ecb(self, blocks: bytes) -> bytes:
        """See `WorkingKey.ecb`."""
        return self._suite.ecb(self._symmetric(), blocks)

    def secret(self) -> bytes:
        """See `WorkingKey.secret`."""
        return self._key if isinstance(self._key, bytes) else self._key.scalar()

    def __reduce__(self) -> NoReturn:
        """Keys never travel in a pickle."""
        raise TypeError("a key cannot be pickled")

    def _pair(self) -> SigningKey:
        if isinstance(self._key, bytes):
            raise WrongUsage("not a key pair")
        return self._key

    def _symmetric(self) -> bytes:
        if not isinstance(self._key, bytes):
            raise WrongUsage("a key pair")
        return self._key
