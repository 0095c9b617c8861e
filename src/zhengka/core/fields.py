"""Encrypted fields and blind indexes: personal data is never at rest in clear (PIPL, GB/T 39786-2021 level 3)."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from zhengka.formats import seal


@cache
def key_ring() -> seal.KeyRing:
    """The versioned field keys of this installation."""
    return seal.KeyRing(versions=settings.FIELD_KEYS, current=settings.FIELD_KEY_CURRENT)


def close_many(values: Sequence[str], field: str) -> list[bytes]:
    """Encrypt a column of texts; `field` (such as "holder.phone") is bound to each value and must be given to open."""
    return seal.seal_many(key_ring(), [value.encode() for value in values], context=field.encode())


def close_rows(rows: NDArray[np.uint8], lengths: NDArray[np.int64], field: str) -> NDArray[np.uint8]:
    """`close_many` of values in the rows of a matrix: `seal.seal_rows`."""
    return seal.seal_rows(key_ring(), rows, lengths, context=field.encode())


def open_many(sealed: Sequence[bytes], field: str) -> list[str]:
    """Decrypt a column that was closed under `field`; `SealBroken` where one byte differs."""
    return [value.decode() for value in
            seal.open_many(key_ring(), [bytes(value) for value in sealed], context=field.encode())]


def close(value: str, field: str) -> bytes:
    """Encrypt one text."""
    return close_many([value], field)[0]


def open_(sealed: bytes, field: str) -> str:
    """Decrypt one text."""
    return open_many([sealed], field)[0]


def index_many(values: Sequence[str]) -> list[bytes]:
    """Keyed blind index (16 bytes each) by which an encrypted value is found without being stored in clear."""
    return seal.blind_index_many(settings.INDEX_KEY, list(values))


def index(value: str) -> bytes:
    """Keyed blind index of one value."""
    return index_many([value])[0]
