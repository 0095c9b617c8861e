"""Issuing units with their sizes, and addresses in villages that do not exist."""

import tomllib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.random import Generator

_FIRST: Final = "云松鹤霞岚虹霁雁鹭茗荻芷蓼筠桐枫樟椿榆槿"
_MIDDLE: Final = "溪坪塘湾冲坳岭洲浦泽圩埠岗坝垸滩"
_TOWN_TAIL: Final = ("镇", "乡", "街道")
TOWNS: Final = 8
VILLAGES: Final = 24


@dataclass(frozen=True)
class UnitSize:
    """An issuing unit (发证单位): six-digit code, names of its city and its own, holders of the notice."""

    code: str
    city: str
    name: str
    holders: int


def pilot_units(data: Path) -> list[UnitSize]:
    """The 25 units of the Hunan pilot with their holders, from the dated files under `data`."""
    areas = tomllib.loads((data / "areas" / "hunan-2018.toml").read_text("utf-8"))["area"]
    plan = tomllib.loads((data / "programmes" / "hunan-2018.toml").read_text("utf-8"))["unit"]
    by_code = {area["code"]: area for area in areas}
    return [
        UnitSize(row["unit"], by_code[by_code[row["unit"]]["parent"]]["name"], row["name"], row["holders"])
        for row in plan
    ]


def shares(units: Sequence[UnitSize], scale: float) -> list[int]:
    """People per unit at a scale: whole numbers that add up to the rounded total (largest remainder)."""
    exact = [unit.holders * scale for unit in units]
    sizes = [int(value) for value in exact]
    missing = round(sum(exact)) - sum(sizes)
    by_remainder = sorted(range(len(units)), key=lambda at: (sizes[at] - exact[at], at))
    for at in by_remainder[:missing]:
        sizes[at] += 1
    return sizes


def addresses(rng: Generator, unit: UnitSize, size: int) -> list[str]:
    """Home addresses (住址) in invented towns and villages of a unit."""
    villages = _villages(unit)
    chosen = rng.integers(0, len(villages), size).tolist()
    groups = rng.integers(1, 19, size).tolist()
    doors = rng.integers(1, 300, size).tolist()
    return [f"{villages[v]}{g}组{d}号" for v, g, d in zip(chosen, groups, doors, strict=True)]


def _villages(unit: UnitSize) -> list[str]:
    """The unit's villages: the same for every seed, so that files of different seeds fit together."""
    rng = np.random.default_rng(zlib.crc32(unit.code.encode("ascii")))

    def word() -> str:
        letters = [_FIRST[i] for i in rng.choice(len(_FIRST), 2, replace=False)]
        return letters[0] + letters[1] + _MIDDLE[rng.integers(len(_MIDDLE))]

    towns = [word() + _TOWN_TAIL[rng.integers(len(_TOWN_TAIL))] for _ in range(TOWNS)]
    return [f"{unit.city}{unit.name}{town}{word()}村" for town in towns for _ in range(VILLAGES)]
