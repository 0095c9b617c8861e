"""Identity numbers (公民身份号码) that nobody can have, by the column.

GB/T 2260 gives the third and fourth digit of a division's code these bands: 01-20 and 51-70 cities, 21-50
prefectures, leagues and autonomous prefectures, 90 divisions directly under the province. 71-89 and 91-98 were
never given out, in Hunan or elsewhere, so no identity number begins with 43 and one of them. (99 is left out:
some social-insurance systems use 4399 for the province itself.) The fifth and sixth digit run from 01 to 99.
Check digits are right (GB 11643-1999), so that every other rule can be tried.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

PROVINCE: Final = 43
UNUSED_PREFECTURES: Final[tuple[int, ...]] = (*range(71, 90), *range(91, 99))
COUNTIES: Final = 99
PREFIXES: Final = len(UNUSED_PREFECTURES) * COUNTIES

_WEIGHTS: Final = np.array((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), dtype=np.int64)
_CHECK: Final = "10X98765432"


def prefix(cohort: int) -> int:
    """The six digits of the n-th group of people. Raises ValueError when there are no more."""
    if not 0 <= cohort < PREFIXES:
        raise ValueError(f"only {PREFIXES} groups of invented people have a prefix of their own")
    prefecture, county = divmod(cohort, COUNTIES)
    return PROVINCE * 10**4 + UNUSED_PREFECTURES[prefecture] * 100 + county + 1


def id_numbers(cohort: int, birth: NDArray[np.datetime64], male: NDArray[np.bool_]) -> list[str]:
    """Numbers for people of one group: right sex and check digit, no number twice.

    Raises ValueError if more than 500 of one sex were born on one day.
    """
    order = np.lexsort((male, birth))
    rank = _rank_within(birth[order], male[order])
    if rank.size and rank.max() >= 500:
        raise ValueError("too many people of one group born on one day")
    sequence = np.empty(len(birth), dtype=np.int64)
    day = yyyymmdd(birth)
    start = day * 7919 % 500  # each day begins somewhere else
    sequence[order] = (rank + start[order]) % 500 * 2 + male[order]
    numbers = prefix(cohort) * 10**11 + day * 1000 + sequence
    return with_check_digit(numbers)


def with_check_digit(first17: NDArray[np.int64]) -> list[str]:
    """Seventeen digits as integers → eighteen characters (ISO/IEC 7064 MOD 11-2)."""
    digits = (first17[:, None] // 10 ** np.arange(16, -1, -1, dtype=np.int64)) % 10
    checks = (digits @ _WEIGHTS) % 11
    return [f"{number}{_CHECK[check]}" for number, check in zip(first17.tolist(), checks.tolist(), strict=True)]


def yyyymmdd(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Days as eight-digit integers."""
    months = days.astype("datetime64[M]")
    month_number = months.astype(np.int64) + 1970 * 12
    day = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    years, month = np.divmod(month_number, 12)
    return np.asarray(years * 10_000 + (month + 1) * 100 + day, dtype=np.int64)


def _rank_within(birth: NDArray[np.datetime64], male: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Position of each row among its equals, rows being sorted."""
    size = len(birth)
    new = np.ones(size, dtype=bool)
    new[1:] = (birth[1:] != birth[:-1]) | (male[1:] != male[:-1])
    at = np.arange(size)
    return at - np.maximum.accumulate(np.where(new, at, 0))
