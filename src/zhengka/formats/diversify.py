"""Diversification of keys (密钥分散) by each cipher's rule: E(master, factor ‖ ~factor), levels chained region → card.

SM4 and AES encipher one block of 16 bytes. 3DES, the rule of cards before SM4, enciphers two blocks of 8: the left half
of the key is 3DES(master, factor), the right 3DES(master, ~factor); the master is 16 bytes, K1 ‖ K2, used as K1, K2,
K1. Parity bits are left as they come.
"""

from collections.abc import Callable, Sequence
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from zhengka.formats.suites import INTL, SM, factor_blocks, sixteens


def _triple_des(master: bytes, factors: Sequence[bytes]) -> list[bytes]:
    cipher = Cipher(TripleDES(master + master[:8]), modes.ECB())  # noqa: S305 - the rule's own block operation
    return sixteens(cipher.encryptor().update(factor_blocks(factors)))


RULES: Final[dict[str, Callable[[bytes, Sequence[bytes]], list[bytes]]]] = {
    "SM4": SM.diversify, "AES": INTL.diversify, "3DES": _triple_des}
"""Cipher → the keys of all factors under one master key."""


def draw(rule: str, master: bytes, factors: Sequence[bytes], *, through: Sequence[bytes] = ()) -> list[bytes]:
    """The 16-byte keys of 8-byte factors; `through` are the factors of the levels between. ValueError for a length."""
    if len(master) != 16:
        raise ValueError("a master key is 16 bytes")
    for factor in through:
        [master] = RULES[rule](master, [factor])
    return RULES[rule](master, factors)
