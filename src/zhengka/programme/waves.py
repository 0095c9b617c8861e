"""Certificates that end together are renewed apart (到期高峰): how many are invited in which month. Pure.

Months are counted as year × 12 + month − 1. A certificate may be renewed from `opens` months before the one in which
it ends (办法 art. 19 and the policy of the region), and must be invited `lead` months before that one at the latest, so
that the new card is there in time. Within this window each month takes the same number at most: the smallest with
which nobody comes too late. What has ended already, or ends too soon, comes first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

TERM: Final = 120
"""Months for which a certificate is valid (办法 art. 19: ten years)."""
LEAD: Final = 2
"""Months from an invitation to the card in the hand: assessment where it is asked for, public notice, making."""


@dataclass(frozen=True)
class Window:
    """How many months before the month of its end a certificate is invited: at the earliest and at the latest."""

    opens: int
    lead: int = LEAD


@dataclass(frozen=True)
class Smoothed:
    """`invited`: month of the invitation → month of the end → number; `most`: what a month takes at most; `late`: how
    many could not be invited in time, for their time had come before the plan began.
    """

    invited: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    most: int = 0
    late: int = 0

    def by_month(self) -> dict[int, int]:
        """Invitations of each month."""
        return {month: sum(ends.values()) for month, ends in sorted(self.invited.items())}


def month_of(day: date) -> int:
    """The number of a day's month."""
    return day.year * 12 + day.month - 1


def first_day(month: int) -> date:
    """The first day of a month."""
    return date(month // 12, month % 12 + 1, 1)


def smooth(ending: Mapping[int, int], first: int, window: Window) -> Smoothed:
    """The invitations from the month `first` on, for certificates that end month by month: as even as the window lets
    them be, and as late as that lets them.
    """
    ending = {month: number for month, number in ending.items() if number > 0}
    if not ending:
        return Smoothed()
    low, high = 1, sum(ending.values())
    while low < high:
        most = (low + high) // 2
        low, high = (low, most) if _placed(ending, first, window, most) is not None else (most + 1, high)
    late = sum(number for month, number in ending.items() if month - window.lead < first)
    return Smoothed(_placed(ending, first, window, low) or {}, low, late)


def exchanged(number: int, first: int, last: int) -> dict[int, int]:
    """When certificates end that are opened evenly in the months from `first` to `last`: month → number."""
    months = max(last - first, 0) + 1
    return {first + place + TERM: share for place in range(months)
            if (share := number * (place + 1) // months - number * place // months)}


def again(smoothed: Smoothed, window: Window) -> dict[int, int]:
    """When those who are invited so have certificates that end again: month → number."""
    found: dict[int, int] = {}
    for month, number in smoothed.by_month().items():
        found[month + window.lead + TERM] = found.get(month + window.lead + TERM, 0) + number
    return found


def _placed(ending: Mapping[int, int], first: int, window: Window, most: int) -> dict[int, dict[int, int]] | None:
    """Everybody placed with so many in a month at most; None where that is too few. Those whose time has come fill the
    first months; the others are placed from the last month back, who may come latest first.
    """
    room, invited = dict[int, int](), dict[int, dict[int, int]]()

    def take(month: int, end: int, number: int) -> int:
        taken = min(room.setdefault(month, most), number)
        if taken:
            room[month] -= taken
            invited.setdefault(month, {})[end] = taken
        return taken

    month = first
    for end in sorted(end for end in ending if end - window.lead < first):
        left = ending[end]
        while left := left - take(month, end, left):
            month += 1
            if month > first + window.opens:
                return None
    for end in sorted((end for end in ending if end - window.lead >= first), reverse=True):
        left = ending[end]
        for place in range(end - window.lead, max(end - window.opens, first) - 1, -1):
            left -= take(place, end, left)
            if not left:
                break
        if left:
            return None
    return invited
