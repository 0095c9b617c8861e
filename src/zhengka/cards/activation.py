"""Annual activation (年度激活) by the policy of a region. Pure: days come in, days and words go out.

A card is certified for ten years and activated year by year. Whatever lapses, the certificate does not: an activation
stops services, never what the card proves of its holder.
"""

from calendar import monthrange
from datetime import date, timedelta
from typing import Final, NamedTuple

from zhengka.core.dated import FileRefused, Table

KINDS: Final = ("rolling", "window", "month")
"""A year from the day (滚动一年), a fixed window for the year to follow (固定时段), a fixed month (固定月份)."""

CHANNELS: Final = {
    "counter": "窗口", "home-visit": "上门", "video": "视频", "portal": "网上", "data-match": "数据比对",
    "use": "正常使用"}
"""By which way it is known that the holder lives and has the card → official term."""
IN_PERSON: Final = ("counter", "home-visit", "video")
"""Channels in which an officer sees the holder: only by these is a card activated for the first time, for until then
nobody knows whether it reached its holder."""

STOPS: Final = ("rides", "subsidies")
"""What may stop when an activation lapses (乘车, 补贴)."""
STOPS_ZH: Final = {"rides": "乘车", "subsidies": "补贴"}
"""What stops → its official word, for letters."""
STOPS_EN: Final = {"rides": "rides", "subsidies": "subsidies"}
"""The same for letters in English."""
IDENTITY: Final = "identity"
"""What never stops: the certificate is valid for its ten years (办法 art. 19)."""

FIXED_MONTHS: Final = {f"{month:02d}": month for month in range(1, 13)}
MONTHS: Final = ("issue", "birth", *FIXED_MONTHS)
"""Which month is meant by the kind `month`: of the card's issue, of the holder's birth, or one for all."""

STAGES: Final = (60, 30, 7)
"""Days before the end of a term at which its holder is reminded."""

LAPSED: Final = 0
"""Stands for the stage at which nothing is left: the days of grace are over."""

_LEAP: Final = 2024


class Activation(NamedTuple):
    """The activation policy of a region. `first` and `last` (month, day) of a window; `of` one of `MONTHS`.

    `opens_days_before`: so early before the end (rolling) or before the window or month may the next term be activated.
    `grace_days`: so long after the end does a card still pass.
    """

    kind: str
    years: int
    opens_days_before: int
    grace_days: int
    channels: tuple[str, ...]
    stops: tuple[str, ...]
    source: str
    first: tuple[int, int] = (1, 1)
    last: tuple[int, int] = (12, 31)
    of: str = ""


class Dates(NamedTuple):
    """What of a card its term depends on: the last day of the present one, if any, issue, and the holder's birth."""

    ends: date | None = None
    issued_on: date | None = None
    born_on: date | None = None


class Outlook(NamedTuple):
    """Where the activation of a card stands on a day: `word` is one of `OUTLOOKS`; `stops`: what a lapse stops."""

    word: str
    ends: date | None = None
    opens: date | None = None
    grace_until: date | None = None
    stops: tuple[str, ...] = ()

    @property
    def stopped(self) -> tuple[str, ...]:
        """What is stopped now."""
        return self.stops if self.word == "lapsed" else ()


OUTLOOKS: Final = ("never", "running", "open", "grace", "lapsed")


def load(table: Table) -> Activation:
    """The activation policy that a table of a file holds. Raises `FileRefused`."""
    kind = table.take("kind", str)
    if kind not in KINDS:
        raise FileRefused("value-unknown", table.place, f"kind: {kind}")
    channels, stops = table.words("channels", CHANNELS), table.words("stops", (*STOPS, IDENTITY))
    if IDENTITY in stops:
        raise FileRefused("identity-stops", table.place, "stops")
    if "counter" not in channels:
        raise FileRefused("counter-missing", table.place, "channels")
    policy = Activation(kind, table.take("years", int), table.take("opens_days_before", int),
                        table.take("grace_days", int), channels, stops, table.take("source", str))
    if not policy.source.strip():
        raise FileRefused("source-missing", table.place, "source")
    if not (1 <= policy.years <= 50 and 0 <= policy.opens_days_before <= 365 and 0 <= policy.grace_days <= 365):
        raise FileRefused("value-out-of-range", table.place, "years, opens_days_before, grace_days")
    return _placed(policy, table)


def _placed(policy: Activation, table: Table) -> Activation:
    """The policy with its window or month, and nothing left in the table."""
    if policy.kind == "window":
        window = table.table("window")
        policy = policy._replace(first=_day(window, "first"), last=_day(window, "last"))
        window.end()
    elif policy.kind == "month":
        policy = policy._replace(of=table.take("of", str))
        if policy.of not in MONTHS:
            raise FileRefused("value-unknown", table.place, f"of: {policy.of}")
    table.end()
    if policy.kind != "rolling":
        opens, last = _window(policy, 1, _LEAP)
        if (last - opens).days >= 364:
            raise FileRefused("window-too-long", table.place)
    return policy


def _day(table: Table, name: str) -> tuple[int, int]:
    """A day of every year, written 03-01."""
    text = table.take(name, str)
    try:
        day = date.fromisoformat(f"{_LEAP}-{text}")
    except ValueError:
        raise FileRefused("day-unknown", table.place, f"{name} = {text}") from None
    return day.month, day.day


def day_in(year: int, day: tuple[int, int]) -> date:
    """The day (month, day) of a year; 29 February is 28 February where there is none."""
    month, number = day
    return date(year, month, min(number, monthrange(year, month)[1]))


def until(policy: Activation, card: Dates, today: date) -> date:
    """The last day of a term that is activated today: never before the end of the present one.

    Of a window or month it is the last day of the one after that which `today` serves; the days between two windows
    belong to the one before, so that a card that is issued in autumn is good until the next spring's window ends.
    """
    if policy.kind == "rolling":
        base = max(card.ends or today, today)
        end = day_in(base.year + policy.years, (base.month, base.day))
    else:
        end = end_of_window(policy, month_of(policy, card, today), today)
    return max(end, card.ends or end)


def opens(policy: Activation, card: Dates) -> date:
    """The first day on which an activation makes the present term longer; `card.ends` is there."""
    assert card.ends is not None
    if policy.kind == "rolling":
        return card.ends - timedelta(days=policy.opens_days_before)
    month, year = month_of(policy, card, card.ends), card.ends.year - policy.years - 1
    while _window(policy, month, year + policy.years)[1] <= card.ends:
        year += 1
    return _window(policy, month, year)[0]


def is_open(policy: Activation, card: Dates, today: date) -> bool:
    """True where a card may be activated today: for the first time, or because its next window is open."""
    return card.ends is None or today >= opens(policy, card)


def passes_until(policy: Activation, ends: date) -> date:
    """The last day on which a card passes at gates whose term ends on `ends`: with its days of grace, or for ever
    (`date.max`) where rides do not stop.
    """
    return ends + timedelta(days=policy.grace_days) if "rides" in policy.stops else date.max


def ended_but_passes(policy: Activation, today: date) -> date:
    """The earliest end of a term with which a card still passes today: `passes_until` read backwards."""
    return today - timedelta(days=policy.grace_days) if "rides" in policy.stops else date.min


def outlook(policy: Activation, card: Dates, today: date) -> Outlook:
    """Where the activation of an active card, or of one that was never activated, stands today."""
    if card.ends is None:
        return Outlook("never", stops=policy.stops)
    first, grace = opens(policy, card), card.ends + timedelta(days=policy.grace_days)
    word = "lapsed" if today > grace else "grace" if today > card.ends else "open" if today >= first else "running"
    return Outlook(word, card.ends, first, grace, policy.stops)


def month_of(policy: Activation, card: Dates, otherwise: date) -> int:
    """The card's month under the kind `month`; that of `otherwise` where its own day is not known."""
    if policy.of in FIXED_MONTHS:
        return FIXED_MONTHS[policy.of]
    return ((card.born_on if policy.of == "birth" else card.issued_on) or otherwise).month


def end_of_window(policy: Activation, month: int, today: date) -> date:
    """The last day of a term that is activated today under the kinds `window` and `month` (then of this month)."""
    year = today.year + 1
    while _window(policy, month, year)[0] > today:
        year -= 1
    return _window(policy, month, year + policy.years)[1]


def _window(policy: Activation, month: int, year: int) -> tuple[date, date]:
    """First and last day on which the term to follow is activated, of the window that ends in a year."""
    if policy.kind == "month":
        first, last = date(year, month, 1), day_in(year, (month, 31))
    else:
        last = day_in(year, policy.last)
        first = day_in(year if policy.first <= policy.last else year - 1, policy.first)
    return first - timedelta(days=policy.opens_days_before), last
