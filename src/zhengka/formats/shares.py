"""Components of a key (密钥分量) for several custodians: Shamir's sharing over GF(256), or parts that XOR to the key.

Shamir (1979): any `needed` of the shares give the key, fewer tell nothing. The field is AES's (x⁸+x⁴+x³+x+1); each byte
has a polynomial of its own. Arithmetic takes no branch and no table look-up by a secret byte. Each share carries a
check value, so that a slip in writing is found before shares are put together; the whole key's the store compares.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from zhengka.formats.suites import Suite

MOST = 255
"""There are so many points in the field beside zero."""
SIZES = (16, 32)
"""Bytes of a symmetric key, and of the scalar of a pair."""
_Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Share:
    """One custodian's component. `number` is Shamir's x, 1 to 255; 0 says that all parts together are XORed."""

    number: int
    value: bytes = field(repr=False)
    check_value: str
    """`check_value` of `value`."""

    def __reduce__(self) -> NoReturn:
        """A component never travels in a pickle."""
        raise TypeError("a component of a key cannot be pickled")


def check_value(value: bytes, suite: Suite) -> str:
    """KCV (校验值) of a component or a key, hex of 3 bytes: of 16 bytes the encryption of zeros, of 32 the digest."""
    return (suite.ecb(value, bytes(16)) if len(value) == 16 else suite.digest(value))[:3].hex()


def split(secret: bytes, *, needed: int, among: int, suite: Suite,
          chance: Callable[[int], bytes] = os.urandom) -> list[Share]:
    """Shamir's shares of a secret, numbered from 1. ValueError for counts or a length out of range."""
    if not 2 <= needed <= among <= MOST:
        raise ValueError("at least two are needed, of at most 255")
    if len(secret) not in SIZES:
        raise ValueError("a key is 16 or 32 bytes")
    rows = [_row(secret), *(_row(chance(len(secret))) for _ in range(needed - 1))]
    return [_share(number, _at(rows, number), suite) for number in range(1, among + 1)]


def split_xor(secret: bytes, *, among: int, suite: Suite, chance: Callable[[int], bytes] = os.urandom) -> list[Share]:
    """Parts that all together XOR to the secret. ValueError as for `split`."""
    if among < 2 or len(secret) not in SIZES:
        raise ValueError("at least two parts, of 16 or 32 bytes")
    parts = [_row(chance(len(secret))) for _ in range(among - 1)]
    return [_share(0, part, suite) for part in (*parts, _sum([_row(secret), *parts]))]


def combine(parts: Sequence[Share], *, suite: Suite) -> bytes:
    """The secret of some shares. Whether they were enough and of one key only the key's own check value tells.

    ValueError: fewer than two, shares of two kinds or lengths, one twice, or a value that its check value denies.
    """
    kinds = {(part.number == 0, len(part.value)) for part in parts}
    if len(parts) < 2 or len(kinds) != 1:
        raise ValueError("at least two components of one kind are needed")
    if parts[0].number and len({part.number for part in parts}) != len(parts):
        raise ValueError("a component came twice")
    for place, part in enumerate(parts, 1):
        if not 0 <= part.number <= MOST or len(part.value) not in SIZES:
            raise ValueError(f"component {place} is out of range")
        if check_value(part.value, suite) != part.check_value.lower():
            raise ValueError(f"component {place} has another check value")
    if not parts[0].number:
        return _sum([_row(part.value) for part in parts]).tobytes()
    numbers = [part.number for part in parts]
    return _sum([_times(_row(part.value), _weight(part.number, numbers)) for part in parts]).tobytes()


def _share(number: int, value: _Bytes, suite: Suite) -> Share:
    return Share(number, value.tobytes(), check_value(value.tobytes(), suite))


def _row(value: bytes) -> _Bytes:
    return np.frombuffer(value, np.uint8)


def _sum(rows: Sequence[_Bytes]) -> _Bytes:
    total = np.zeros_like(rows[0])
    for row in rows:
        total = total ^ row
    return total


def _at(rows: Sequence[_Bytes], x: int) -> _Bytes:
    """The polynomials, whose coefficients are the rows from the constant up, at the public point x (Horner)."""
    value = np.zeros_like(rows[0])
    for row in reversed(rows):
        value = _times(value, x) ^ row
    return value


def _weight(x: int, numbers: Sequence[int]) -> int:
    """Lagrange's factor of the share at x for the value at zero: public, for it is made of the numbers alone."""
    weight = 1
    for other in numbers:
        if other != x:
            weight = _product(weight, _product(other, _inverse(other ^ x)))
    return weight


def _times(row: _Bytes, factor: int) -> _Bytes:
    """Every secret byte times a public factor: eight shifts, always all, chosen by masks."""
    total, power = np.zeros_like(row), row
    for bit in range(8):
        total = total ^ (power & np.uint8(-(factor >> bit & 1) & 0xFF))
        power = (power << np.uint8(1)) ^ ((power >> np.uint8(7)) * np.uint8(0x1B))
    return total


def _product(a: int, b: int) -> int:
    """Of two public numbers."""
    total = 0
    for bit in range(8):
        total ^= a if b >> bit & 1 else 0
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
    return total


def _inverse(value: int) -> int:
    """value²⁵⁴, by Fermat."""
    result = 1
    for _ in range(254):
        result = _product(result, value)
    return result
