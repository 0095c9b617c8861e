"""Status lists of 3,000,000 cards (B11): time to build, size against what must be told, deltas, and one look-up."""

import math
import secrets
import time
import zlib
from datetime import timedelta

import numpy as np
from measure import seconds, tell

from issued import NOON, Issuer
from zhengka.formats import statusdelta, statuslist
from zhengka.formats.credential import LIST_SIZE
from zhengka.formats.statuslist import Header, StatusList

CARDS = 3_000_000
SHARES = (0.001, 0.01, 0.1, 0.3, 0.6)
"""How many of the cards are not valid: lost ones alone, up to a region where most activations lapsed."""
CHANGES = (1, 10, 100, 1_000, 10_000, 100_000)
ASKED = 20_000


def main() -> None:
    """Print time, sizes and ratios."""
    issuer, places = Issuer(), secrets.token_bytes(32)
    signer = {"suite": "SM", "key_id": issuer.key.public.key_id, "sign": issuer.key.sign}
    numbers, indexes = statuslist.indexes_for(np.arange(CARDS), places)
    for share in SHARES:
        statuses = np.random.default_rng(6).choice(4, CARDS, p=[1 - share, share * 0.3, share * 0.1, share * 0.6])
        lists = [_pairs(numbers, indexes, statuses, each) for each in np.unique(numbers).tolist()]
        made: list[bytes] = []
        took = seconds(lambda lists=lists, made=made: made.extend(
            statuslist.build(_header(number), pairs, **signer) for number, pairs in enumerate(lists)))
        needed = sum(_needed(pairs[:, 1]) for pairs in lists)
        size, body = sum(map(len, made)), sum(map(len, made)) - len(made) * (42 + 72)
        smaller = sum(min(LIST_SIZE / 8, 28.8 * len(pairs) / 8) for pairs in lists)
        alone = sum(len(statuslist.build(_header(number), np.column_stack([pairs[:, 0], np.ones_like(pairs[:, 0])]),
                                         **signer)) for number, pairs in enumerate(lists))
        deflated = sum(len(zlib.compress(statuslist.unchecked(each).bits, 9, -15)) for each in made)
        tell(f"list of {CARDS:,} cards, {share:.1%} not valid: build, s", f"{took:.2f}", bar="≤ 5")
        tell("  size in bytes", f"{size:,}")
        tell("  size ÷ information needed, headers and signatures included", f"{size / needed:.3f} ×", bar="≤ 1.1 ×")
        tell("  size ÷ information needed, without them", f"{body / needed:.3f} ×")
        tell("  only valid or not: size ÷ smaller of 1 bit a card, 28.8 an entry",
             f"{alone / smaller:.3f} ×", bar="≤ 1.1 ×")
        tell("  size ÷ two bits a card deflated, as other status lists have it", f"{body / deflated:.3f} ×")
    known = statuslist.parse(made[0], keys=issuer.keys, at=NOON)
    _deltas(known, issuer)
    _look_up(known)


def _pairs(numbers: np.ndarray, indexes: np.ndarray, statuses: np.ndarray, number: int) -> np.ndarray:
    """The cards of a list that are not valid: (index, status)."""
    here = (numbers == number) & (statuses > 0)
    return np.column_stack([indexes[here], statuses[here]])


def _header(number: int) -> Header:
    return Header(number, 7, NOON, NOON + timedelta(hours=24))


def _needed(statuses: np.ndarray) -> float:
    """The logarithm to 256 of how many lists there are with as many cards of each status."""
    counts = np.bincount(statuses, minlength=4)
    counts[0] = LIST_SIZE - counts[1:].sum()
    ways = math.lgamma(LIST_SIZE + 1) - sum(math.lgamma(int(count) + 1) for count in counts)
    return ways / math.log(256)


def _deltas(known: StatusList, issuer: Issuer) -> None:
    """Deltas from the list to one in which so many cards changed."""
    sizes, cells = {}, known.cells()
    for changes in CHANGES:
        after = cells.copy()
        changed = np.random.default_rng(changes).choice(LIST_SIZE, changes, replace=False)
        after[changed] = (after[changed] + 1 + changed % 3) % 4
        newer = StatusList.of(Header(0, 8, NOON, NOON + timedelta(hours=24)), after, known.key_id, known.kind)
        delta = statusdelta.build(known, newer, suite="SM", key_id=known.key_id, sign=issuer.key.sign)
        assert statusdelta.apply(delta, known, keys=issuer.keys, at=NOON) == newer
        sizes[changes] = len(delta)
        tell(f"delta of {changes:,} changed cards, bytes", f"{len(delta):,}")
    slope = (sizes[10_000] - sizes[1_000]) / (sizes[1_000] - sizes[100])
    tell("delta of ten times as many changes, growth", f"{slope:.1f} ×", bar="≤ 10 ×")


def _look_up(known: StatusList) -> None:
    asked = np.random.default_rng(1).integers(0, LIST_SIZE, ASKED).tolist()
    start = time.perf_counter()
    for index in asked:
        known.status(index)
    tell("one look-up, µs", f"{(time.perf_counter() - start) / ASKED * 1e6:.2f}", bar="≤ 20")
