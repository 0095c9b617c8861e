"""In which order a team goes from home to home (上门评残路线). Pure, and no more than it says: distances are straight
lines, the order is the nearest next home, or the order of the addresses where a home has no coordinates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Final, NamedTuple

EARTH_KM: Final = 6371.0


class Point(NamedTuple):
    """A place in degrees (WGS 84 or GCJ-02, as long as all of one day are the same)."""

    latitude: float
    longitude: float


class Stop(NamedTuple):
    """A home: the row that it stands for, its address, and where it is, if that is known."""

    key: int
    address: str
    point: Point | None = None


@dataclass(frozen=True)
class Route:
    """Stops in order, each with the straight line from the one before in km (None: not known).

    `way`: "nearest" where all homes and the start have coordinates, else "address".
    """

    way: str
    stops: tuple[tuple[Stop, float | None], ...]

    @property
    def kilometres(self) -> float | None:
        """All straight lines together, without the way back; None where one is not known."""
        lines = [line for _, line in self.stops]
        return None if not lines or None in lines else sum(line for line in lines if line is not None)


def distance(one: Point, other: Point) -> float:
    """The straight line over the ground in km (haversine)."""
    first, second = radians(one.latitude), radians(other.latitude)
    turn = radians(other.longitude - one.longitude)
    half = sin((second - first) / 2) ** 2 + cos(first) * cos(second) * sin(turn / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))


def plan(stops: Sequence[Stop], start: Point | None) -> Route:
    """The stops in the order in which a team that sets out from `start` goes to them."""
    if start is None or any(stop.point is None for stop in stops):
        ordered = sorted(stops, key=lambda stop: (stop.address, stop.key))
        return Route("address", tuple((stop, None) for stop in ordered))
    left, here, found = sorted(stops, key=lambda stop: stop.key), start, []
    while left:
        nearest = min(left, key=lambda stop: distance(here, stop.point or here))
        point = nearest.point or here
        found.append((nearest, distance(here, point)))
        left.remove(nearest)
        here = point
    return Route("nearest", tuple(found))
