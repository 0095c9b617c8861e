"""Photo packs as offices and card makers exchange them: one .zip (stored) per unit, `<identity number>.jpg` inside."""

import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from zhengka.exchange.sample.making import Progress, each_sheet, lots, members
from zhengka.exchange.sample.people import People
from zhengka.exchange.sample.places import UnitSize
from zhengka.exchange.sample.plan import Block, Sheet, plan
from zhengka.exchange.sample.portraits import Age, Group, pool

FOLDER: Final = "photos"
LARGEST_POOL: Final = 400
BLIND: Final = (1, 2)  # 盲: grades 1 and 2 of category 1
_MADE: Final = (2018, 3, 15, 15, 0, 0)

Pool = dict[Group, list[bytes]]


def generate_photos(
    out: Path, *, scale: float, seed: int, units: Sequence[UnitSize], on_progress: Progress, processes: int = 1
) -> None:
    """Write `photos/<code>-<name>.zip` for the sample that `generate` writes with the same arguments.

    Every person has an entry under the right identity number, but for the few whose photo is missing; a few more
    cannot be read (`truth.json` counts both). Packs are streamed: memory does not grow with them.
    """
    sheets = plan(units, scale=scale, seed=seed)
    total = sum(block.people for sheet in sheets for block in sheet.blocks)
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    faces = pool(seed, min(LARGEST_POOL, max(24, total // 20)))
    done = 0
    for people in each_sheet(partial(_pack, folder, seed, faces), sheets, processes):
        done += people
        on_progress(done, total)


def _pack(folder: Path, seed: int, faces: Pool, sheet: Sheet) -> int:
    """One unit's pack; returns how many people it is of."""
    with zipfile.ZipFile(folder / f"{sheet.stem}.zip", "w", zipfile.ZIP_STORED) as pack:
        for block in sheet.blocks:
            _write_block(pack.writestr, seed, faces, block)
    return sum(block.people for block in sheet.blocks)


def _write_block(write: Callable[[zipfile.ZipInfo, bytes], None], seed: int, faces: Pool, block: Block) -> None:
    rng = np.random.default_rng((seed, 5, block.index))
    drawn = lots(seed, block)
    missing, unreadable = set(drawn.photo_missing), set(drawn.photo_unreadable)
    for part, group in enumerate(members(seed, block)):
        own = part == 0
        for at, roll in enumerate(rng.random(len(group)).tolist()):
            if own and at in missing:
                continue
            portraits = faces[_looks(group, at, roll)]
            photo = portraits[int(roll * 1e6) % len(portraits)]
            if own and at in unreadable:
                photo = photo[: len(photo) // 3]
            write(zipfile.ZipInfo(f"{group.id_number[at]}.jpg", _MADE), photo)


def _looks(group: People, at: int, roll: float) -> Group:
    """The portraits that may stand for a person: sex, age, and dark glasses for some of the blind."""
    years = group.age(at)
    age: Age = "child" if years < 15 else "old" if years >= 60 else "adult"
    blind = group.category[at] == 1 and group.grade[at] in BLIND
    return Group(group.male[at], age, dark_glasses=blind and roll < 0.4)
