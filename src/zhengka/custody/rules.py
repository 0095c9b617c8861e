"""How long a parcel may stay where, when holders are reminded, and what a signature is. Pure."""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from zhengka.core.dated import FileRefused, Table, choose
from zhengka.core.errors import Refusal

LEVELS: Final = ("province", "city", "county", "street")
"""Levels of offices at which a parcel stops."""
PLACES: Final = ("plant", *(f"{way}{level}" for level in LEVELS for way in ("to_", "")))
BUCKETS: Final = (7, 30, 60, 90)
"""Days that part the ages of cards which wait to be collected."""
_MOST_DAYS: Final = 60

WIDTH, HEIGHT = 600, 200
"""The field in which a signature is drawn, in its own units."""
_STROKES, _POINTS, _LEAST = 100, 1_000, 8


class Policy(NamedTuple):
    """What holds in the areas from `lo` to `hi` from a day on: place → most working days of a stay there; days after
    which holders are reminded, and after which a card may go back.
    """

    code: str
    lo: int
    hi: int
    valid_from: date
    days: dict[str, int]
    reminders: tuple[int, ...]
    back_after: int


def load(table: Table) -> Policy:
    """The policy that a file holds. Raises `FileRefused`."""
    code, (lo, hi), since = table.take("code", str), table.area(), table.take("valid_from", date)
    if not table.take("source", str).strip():
        raise FileRefused("source-missing", table.place, "source")
    limits, collection = table.table("working_days"), table.table("collection")
    days = {place: limits.take(place, int) for place in PLACES}
    reminders, back = collection.take("reminders", list), collection.take("back_after", int)
    for part in (limits, collection, table):
        part.end()
    if not all(1 <= limit <= _MOST_DAYS for limit in days.values()):
        raise FileRefused("value-out-of-range", limits.place, "1 – 60")
    stages = [*reminders, back]
    if any(type(stage) is not int for stage in stages) or stages != sorted(set(stages)) or stages[0] < 1:
        raise FileRefused("value-out-of-range", collection.place, "reminders, back_after")
    return Policy(code, lo, hi, since, days, tuple(reminders), back)


def policy_of(found: Iterable[Policy], area: int, on: date) -> Policy:
    """The policy of an area on a day; `Refusal("policy-missing")`."""
    policy = choose(list(found), area, on)
    if policy is None:
        raise Refusal("policy-missing", area=area)
    return policy


def stage_of(policy: Policy, waited: int) -> int:
    """The last stage of reminders that is due after so many days; 0 before the first."""
    return max((stage for stage in policy.reminders if stage <= waited), default=0)


def bucket_of(waited: int) -> int:
    """The place of an age among the buckets: 0 for less than 7 days … 4 for 90 and more."""
    return sum(waited >= days for days in BUCKETS)


def way(origin: Sequence[int], target: Sequence[int]) -> list[int]:
    """The offices at which a parcel stops, its destination last. Both arguments lead from an office up to the nation,
    office first; without an origin it comes from the plant, and stops at every office down to its destination.
    """
    shared = [code for code in origin if code in target]
    if not shared:
        return list(reversed(target))
    meets = shared[0]
    up, down = origin[1:origin.index(meets) + 1], target[:target.index(meets)]
    return [*up, *reversed(down)]


def strokes_of(text: str) -> list[list[tuple[int, int]]]:
    """A drawn signature: strokes, each a list of points. `Refusal("signature-missing")` for what is none."""
    try:
        told = json.loads(text)
        strokes = [[(int(x), int(y)) for x, y in stroke] for stroke in told]
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Refusal("signature-missing") from None
    points = sum(map(len, strokes))
    inside = all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for stroke in strokes for x, y in stroke)
    if not (inside and len(strokes) <= _STROKES and _LEAST <= points <= _STROKES * _POINTS // 10):
        raise Refusal("signature-missing")
    return strokes


def drawn(strokes: Sequence[Sequence[tuple[int, int]]]) -> bytes:
    """The signature as a picture (SVG) of lines and nothing else."""
    lines = "".join(f'<polyline points="{" ".join(f"{x},{y}" for x, y in stroke)}"/>' for stroke in strokes)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" fill="none" stroke="#0b0c0c" '
            f'stroke-width="3" stroke-linecap="round" stroke-linejoin="round">{lines}</svg>').encode()
