"""Invented people: a group (cohort) of them is made again, the same, from the seed and its number.

The distributions are plausible, not statistics: they were chosen so that every category, grade and age occurs.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from zhengka.exchange.sample import names, numbers

REFERENCE_DAY: Final = np.datetime64("2018-03-15", "D")
"""The day of the notice's count: nobody is younger than four, no certificate later."""
FIRST_ISSUE: Final = np.datetime64("2008-10-01", "D")

_AGE_BANDS: Final = ((4, 14, 0.03), (15, 29, 0.08), (30, 44, 0.17), (45, 59, 0.32), (60, 74, 0.28), (75, 96, 0.12))
_CATEGORY_ADULT: Final = (0.12, 0.09, 0.02, 0.56, 0.07, 0.10, 0.04)
_CATEGORY_MINOR: Final = (0.06, 0.09, 0.05, 0.28, 0.36, 0.06, 0.10)
_GRADES: Final = np.array([
    (0.30, 0.16, 0.17, 0.37), (0.32, 0.28, 0.22, 0.18), (0.24, 0.22, 0.27, 0.27), (0.08, 0.22, 0.32, 0.38),
    (0.10, 0.34, 0.34, 0.22), (0.10, 0.52, 0.25, 0.13), (0.55, 0.33, 0.09, 0.03),
])  # fmt: skip
_REPLACED_SHARE: Final = 0.08
MULTIPLE: Final = 7
GUARDED: Final = (5, 6)  # 智力, 精神: always through a guardian


@dataclass(frozen=True)
class People:
    """Columns of one cohort, all of one length.

    `category` 1-7, `grade` 1-4, `replacement` n of the suffix Bn (0: first issue), `components` the kinds and
    grades of a multiple disability, `guardian` and `guardian_phone` empty where none is needed.
    """

    id_number: list[str]
    name: list[str]
    ethnicity: list[str]
    male: list[bool]
    birth: NDArray[np.datetime64]
    category: list[int]
    grade: list[int]
    components: list[tuple[tuple[int, int], ...]]
    replacement: list[int]
    issued_on: NDArray[np.datetime64]
    phone: list[str]
    guardian: list[str]
    guardian_phone: list[str]

    def __len__(self) -> int:
        return len(self.id_number)

    def number(self, at: int) -> str:
        """The certificate number (残疾人证号), in canonical form."""
        suffix = f"B{self.replacement[at]}" if self.replacement[at] else ""
        return f"{self.id_number[at]}{self.category[at]}{self.grade[at]}{suffix}"

    def age(self, at: int) -> int:
        """Whole years on the reference day, near enough for a portrait."""
        return int((REFERENCE_DAY - self.birth[at]).astype(int) // 365.25)


def cohort(seed: int, number: int, size: int) -> People:
    """The people of group `number`: the same for the same seed, number and size; no identity number in two groups."""
    rng = np.random.default_rng((seed, 1, number))
    birth = _births(rng, size)
    male = rng.random(size) < 0.53
    drawn = names.draw(rng, male)
    minor = (REFERENCE_DAY - birth).astype(np.int64) < 18 * 365.25
    category = np.where(
        minor,
        rng.choice(np.arange(1, 8), size, p=_CATEGORY_MINOR),
        rng.choice(np.arange(1, 8), size, p=_CATEGORY_ADULT),
    )
    grade = 1 + (rng.random(size)[:, None] > np.cumsum(_GRADES[category - 1], axis=1)[:, :3]).sum(axis=1)
    components = _components(rng, category, grade)
    guarded = minor | np.isin(category, GUARDED)
    guarded |= np.array([any(kind in GUARDED for kind, _ in parts) for parts in components], dtype=bool)
    guardian, guardian_phone = _guardians(rng, guarded, drawn.surname)
    return People(
        numbers.id_numbers(number, birth, male), drawn.full, drawn.ethnicity, male.tolist(), birth,
        category.tolist(), grade.tolist(), components, _replacements(rng, size), _issue_days(rng, birth),
        phones(rng, size), guardian, guardian_phone,
    )  # fmt: skip


def phones(rng: Generator, size: int) -> list[str]:
    """Mobile numbers of the head 154, which no operator was given."""
    return [f"154{number:08d}" for number in rng.integers(0, 10**8, size).tolist()]


def _births(rng: Generator, size: int) -> NDArray[np.datetime64]:
    weights = np.array([share for _, _, share in _AGE_BANDS])
    band = rng.choice(len(_AGE_BANDS), size, p=weights / weights.sum())
    low = np.array([first for first, _, _ in _AGE_BANDS])[band] * 365.25
    high = np.array([last + 1 for _, last, _ in _AGE_BANDS])[band] * 365.25
    days = np.floor(low + rng.random(size) * (high - low)).astype(np.int64)
    return REFERENCE_DAY - days.astype("timedelta64[D]")


def _issue_days(rng: Generator, birth: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """A day between the third birthday (never before the second generation began) and the reference day."""
    first = np.maximum(birth + np.timedelta64(3 * 366, "D"), FIRST_ISSUE)
    span = (REFERENCE_DAY - first).astype(np.int64)
    return np.asarray(first + np.floor(rng.random(len(birth)) ** 1.4 * span).astype("timedelta64[D]"))


def _replacements(rng: Generator, size: int) -> list[int]:
    """0 for most; losses follow a geometric law, with a few far out (B10 and more)."""
    lost = np.where(rng.random(size) < _REPLACED_SHARE, rng.geometric(0.75, size), 0)
    return list(map(int, np.where((lost > 0) & (rng.random(size) < 0.01), lost + 9, lost)))


def _components(
    rng: Generator, category: NDArray[np.int64], grade: NDArray[np.int64]
) -> list[tuple[tuple[int, int], ...]]:
    """Two or three kinds for a multiple disability, the most severe of the person's grade (办法 art. 13)."""
    parts: list[tuple[tuple[int, int], ...]] = [()] * len(category)
    for at in np.flatnonzero(category == MULTIPLE):
        kinds = rng.choice(6, 2 + int(rng.random() < 0.2), replace=False) + 1
        grades = rng.integers(grade[at], 5, len(kinds))
        grades[rng.integers(len(kinds))] = grade[at]
        parts[at] = tuple(sorted(zip(kinds.tolist(), grades.tolist(), strict=True)))
    return parts


def _guardians(rng: Generator, guarded: NDArray[np.bool_], surname: list[str]) -> tuple[list[str], list[str]]:
    """Name and phone of the legal guardian (法定监护人) where one is needed; six in ten bear the same surname."""
    at = np.flatnonzero(guarded)
    drawn = names.draw(rng, rng.random(len(at)) < 0.5)
    same = rng.random(len(at)) < 0.6
    name, phone = [""] * len(surname), [""] * len(surname)
    for where, full, own, keeps, number in zip(
        at.tolist(), drawn.full, drawn.surname, same.tolist(), phones(rng, len(at)), strict=True
    ):
        plain = keeps and "·" not in full
        name[where] = surname[where] + full[len(own):] if plain else full
        phone[where] = number
    return name, phone
