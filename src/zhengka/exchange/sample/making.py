"""The sample's spreadsheets and their truth, file by file, on one core or several."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.random import Generator

from zhengka.exchange.sample import dirt, files, people, rows, styles
from zhengka.exchange.sample.people import People
from zhengka.exchange.sample.places import UnitSize
from zhengka.exchange.sample.plan import Block, Sheet, plan, whole
from zhengka.exchange.sample.rows import Columns
from zhengka.exchange.sample.styles import Style
from zhengka.exchange.sample.truth import FileTruth, Truth

Progress = Callable[[int, int], None]
Made = TypeVar("Made")

TRUTH: Final = "truth.json"
PHOTO_MISSING_SHARE: Final = 0.005
PHOTO_UNREADABLE_SHARE: Final = 0.002


@dataclass(frozen=True)
class Lots:
    """Which rows of a block's own people have which lot: positions among the own people, no one in two lists."""

    faulty: list[int]
    repeated: list[int]
    photo_missing: list[int]
    photo_unreadable: list[int]


def generate(
    out: Path, *, scale: float, seed: int, units: Sequence[UnitSize], on_progress: Progress, processes: int = 1
) -> Truth:
    """Write one spreadsheet per issuing unit and `truth.json` into the folder `out` (made if missing).

    scale: 1 is the number of holders of `units`; seed: equal seeds give equal files; on_progress is told people done
    and people in all. Files of an earlier sample in `out` are replaced. Raises ValueError as `plan` does.
    """
    sheets = plan(units, scale=scale, seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    total = sum(block.people for sheet in sheets for block in sheet.blocks)
    made: dict[str, FileTruth] = {}
    done = 0
    for sheet, name, counted in each_sheet(partial(_make, out, seed), sheets, processes):
        made[name] = counted
        done += sum(block.people for block in sheet.blocks)
        on_progress(done, total)
    truth = Truth(seed, scale, dict(sorted(made.items())))
    truth.save(out / TRUTH)
    return truth


def generate_csv(path: Path, *, holders: int, seed: int, units: Sequence[UnitSize], on_progress: Progress) -> FileTruth:
    """Write one large UTF-8 CSV of about `holders` rows (1 % more: the duplicates), all units in one, for measuring."""
    scale = holders / sum(unit.holders for unit in units)
    sheets = plan(units, scale=scale, seed=seed)
    style = styles.bench_style()
    truth = FileTruth("")
    done = 0
    with files.sheet(path, sheets[0].unit, style) as sink:
        for sheet in sheets:
            for block in sheet.blocks:
                _write_block(sink, block, sheet.unit, style, _Making(seed, truth))
                done += block.people
                on_progress(done, holders)
    return truth


def members(seed: int, block: Block) -> Iterator[People]:
    """The people first met in a block: its own, then those it lends."""
    for cohort in chain([block.own], block.lent):
        yield people.cohort(seed, cohort.number, cohort.size)


def lots(seed: int, block: Block) -> Lots:
    """Who among a block's own people stands wrong, stands twice, or has a bad photo: the same for rows and photos."""
    rng = np.random.default_rng((seed, 4, block.index))
    size = block.own.size
    counts = [
        whole(rng, block.people * share)
        for share in (dirt.FAULT_SHARE, dirt.REPEAT_SHARE, PHOTO_MISSING_SHARE, PHOTO_UNREADABLE_SHARE)
    ]
    chosen = rng.permutation(size).tolist()
    edges = np.minimum(np.cumsum([0, *counts]), size).tolist()
    return Lots(*(chosen[first:last] for first, last in pairwise(edges)))


@dataclass(frozen=True)
class _Making:
    """What writing a block needs besides the block: the seed, and the truth it adds to."""

    seed: int
    truth: FileTruth


def each_sheet(make: Callable[[Sheet], Made], sheets: list[Sheet], processes: int) -> Iterator[Made]:
    """What `make` returns of every sheet, in any order; the largest first when several cores share them."""
    if processes <= 1:
        yield from map(make, sheets)
        return
    largest_first = sorted(sheets, key=lambda sheet: -sum(block.people for block in sheet.blocks))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(make, sheet) for sheet in largest_first]):
            yield future.result()


def _make(out: Path, seed: int, sheet: Sheet) -> tuple[Sheet, str, FileTruth]:
    style = styles.style(seed, sheet.position)
    name = sheet.stem + style.suffix
    truth = FileTruth(sheet.unit.code)
    for old in out.glob(f"{sheet.unit.code}-*"):
        if old.is_file():
            old.unlink()
    with files.sheet(out / name, sheet.unit, style) as sink:
        for block in sheet.blocks:
            _write_block(sink, block, sheet.unit, style, _Making(seed, truth))
    return sheet, name, truth


def _write_block(sink: files.Sink, block: Block, unit: UnitSize, style: Style, making: _Making) -> None:
    """One block's rows, soiled and shuffled, and the count of what became of them."""
    rng = np.random.default_rng((making.seed, 3, block.index))
    groups = list(members(making.seed, block))
    if block.borrowed:
        known = people.cohort(making.seed, block.borrowed.number, block.borrowed.size)
        groups.append(rows.moved(known, rng))
    table = _joined([rows.columns(group, unit, style, rng) for group in groups])
    size = sum(len(group) for group in groups)
    drawn = lots(making.seed, block)
    truth = making.truth
    truth.refused += dirt.spoil(table, drawn.faulty, style, rng)
    faulty = set(drawn.faulty)
    truth.oddities += dirt.soil(table, [at for at in range(size) if at not in faulty], style, rng)
    sink.write(table, _order(rng, size, drawn.repeated))
    created = block.people - len(drawn.faulty)
    truth.rows += size + len(drawn.repeated)
    truth.created += created
    truth.merged += size - block.people
    truth.unchanged += len(drawn.repeated)
    truth.photos.missing += len(drawn.photo_missing)
    truth.photos.unreadable += len(drawn.photo_unreadable)
    truth.photos.good += created - len(drawn.photo_missing) - len(drawn.photo_unreadable)


def _joined(tables: list[Columns]) -> Columns:
    """Tables of the same columns, one under the other."""
    return {name: [cell for table in tables for cell in table[name]] for name in tables[0]}


def _order(rng: Generator, size: int, repeated: list[int]) -> list[int]:
    """A random order of rows in which the repeated ones come twice."""
    order: list[int] = rng.permutation(np.concatenate([np.arange(size), np.array(repeated, dtype=np.int64)])).tolist()
    return order
