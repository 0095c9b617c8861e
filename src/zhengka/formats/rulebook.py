"""The rules of one operator (优惠规则) as its gates hold them: who gets what, where, when, and shown in which way.

It travels as canonical JSON: keys in order, no spaces, UTF-8. One rulebook has exactly one form, all else is refused.
It knows no person. What a rule asks of a holder is a `Who`; a gate learns of a card only whether it is one, from a
signed list with the name of the condition (资格, `Who.claim`). Rules are read from top to bottom: the first that fits
holds.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta, timezone
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final, NamedTuple

FORMAT: Final = 1
LONGEST: Final = 1 << 20
"""Most bytes of a rulebook."""
CHINA: Final = timezone(timedelta(hours=8))

PROOFS: Final = ("tap", "qr", "show", "number")
"""How a card is shown: held to the reader, its code scanned, its face looked at (出示证件), its number typed."""
VOUCHERS: Final = ("qr", "slip", "count")
"""What is given: a code on a screen, a printed slip, or a count and nothing in the hand."""
SEES: Final = ("verdict", "benefit")
"""What an operator's people are shown: only whether to let pass, or the price and the companions, too."""
FREE, HALF, FIXED = "free", "half", "fixed"
NAMED_DAYS: Final = ("every", "working", "off", "holiday")
"""Every day, working days (工作日), days off (休息日), holidays by a notice (节假日)."""
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PUBLIC: Final = "public"
"""No operator's name: that of the bundle for everybody."""
_NAMED: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
DAY_ENDS: Final = 24 * 60

REASONS: Final = {
    "rulebook-form": "not the one form of a rulebook",
    "rulebook-format": "a rulebook of another format",
    "rule-value": "a value of a rulebook means nothing or is out of its range",
    "rule-twice": "two rules, services or venues have one name",
    "service-unknown": "a rule is for a service that is not there",
    "venue-unknown": "a rule is for a venue that is not there",
    "sees-too-little": "who sees only the verdict must act alike on all: one price, and no companion",
    "claims-alike": "two different conditions have one name",
}


class BadRulebook(ValueError):
    """Bytes or values that make no rulebook. `code` is a key of `REASONS`, `where` names what it is about."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(f"{code}: {REASONS[code]}{f' ({where})' if where else ''}")
        self.code, self.where = code, where


class Person(NamedTuple):
    """What a condition asks of a holder; None where it is not known. `area`: twelve digits, of the issuing office."""

    category: int | None = None
    grade: int | None = None
    components: tuple[tuple[int, int], ...] = ()
    area: int | None = None
    born: date | None = None


class Kind(NamedTuple):
    """A disability of one of these categories and of one of these grades; empty: of any."""

    categories: tuple[int, ...]
    grades: tuple[int, ...]

    def fits(self, category: int, grade: int) -> bool:
        """True for a disability of this kind."""
        return (not self.categories or category in self.categories) and (not self.grades or grade in self.grades)


@dataclass(frozen=True)
class Who:
    """A condition on the holder (优惠对象): of one of these kinds, from one of these areas, of this age.

    `components`: a part of a multiple disability (多重残疾) counts like a disability. `areas`: codes of six digits,
    trailing pairs of zeros stand for everything below. `age_from` and `age_to` in full years (周岁), `age_to` included
    and 0 for no end.
    """

    kinds: tuple[Kind, ...] = ()
    components: bool = True
    areas: tuple[str, ...] = ()
    age_from: int = 0
    age_to: int = 0

    def __post_init__(self) -> None:
        _need(type(self.components) is bool, "components")
        for kind in self.kinds:
            _need(_sorted(kind.categories, range(1, 8)) and _sorted(kind.grades, range(1, 5)), "kinds")
            _need(bool(kind.categories or kind.grades), "kinds")
        _need(all(_digits(area, 6) for area in self.areas) and _unlike(self.areas), "areas")
        _need(_whole(self.age_from, 0, 150) and _whole(self.age_to, 0, 150), "age_from, age_to")
        _need(not self.age_to or self.age_from <= self.age_to, "age_from, age_to")

    @cached_property
    def claim(self) -> str:
        """The name of the condition, eight hexadecimal digits: the beginning of the SHA-256 of its canonical form.
        Empty where everybody fulfils it: no list is needed.
        """
        if not (self.kinds or self.areas or self.age_from or self.age_to):
            return ""
        return sha256(canonical(_plain(self))).hexdigest()[:8]

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """The areas as ranges of twelve-digit codes, both ends included."""
        heads = [_head(area) for area in self.areas]
        return [(int(head or "0") * 10 ** (12 - len(head)), (int(head or "0") + 1) * 10 ** (12 - len(head)) - 1)
                for head in heads]


@dataclass(frozen=True)
class Band:
    """A time band (时段): in these months, or in all, on days of these words, from a minute of the day up to, not
    including, another; `holidays`: also where such a day is a holiday by a notice.
    """

    months: tuple[int, ...]
    days: tuple[str, ...]
    holidays: bool
    first: int
    last: int

    def __post_init__(self) -> None:
        _need(_sorted(self.months, range(1, 13)), "months")
        _need(_words(self.days, (*NAMED_DAYS, *WEEKDAYS)), "days")
        _need(type(self.holidays) is bool, "holidays")
        _need(_whole(self.first, 0, DAY_ENDS) and _whole(self.last, 0, DAY_ENDS) and self.first < self.last, "times")


@dataclass(frozen=True)
class Rule:
    """One rule. `first` and `last` day, `venues` empty for all, `price` `free`, `half` or `fixed` with `fen`, `day` and
    `month`: how often at most, 0 for no limit; `activated`: only with the activation of the year in force.
    """

    id: str
    service: str
    venues: tuple[str, ...]
    first: date
    last: date | None
    who: Who
    activated: bool
    price: str
    fen: int
    companions: int
    day: int
    month: int
    bands: tuple[Band, ...]
    proofs: tuple[str, ...]
    vouchers: tuple[str, ...]
    minutes: int

    def __post_init__(self) -> None:
        _need(_name(self.id), "id")
        _need(_day(self.first) and (self.last is None or (_day(self.last) and self.first <= self.last)), "from, until")
        _need(type(self.activated) is bool, "activated")
        _need(self.price in (FREE, HALF, FIXED), "price")
        _need(_whole(self.fen, 0, 10**7) and (self.fen > 0) == (self.price == FIXED), "fen")
        _need(_whole(self.companions, 0, 9), "companions")
        _need(_whole(self.day, 0, 999) and _whole(self.month, 0, 9999), "quota")
        _need(_words(self.proofs, PROOFS), "proofs")
        _need(_words(self.vouchers, VOUCHERS), "voucher")
        _need(_whole(self.minutes, 1, 7 * DAY_ENDS), "minutes")

    @property
    def benefit(self) -> str:
        """What is given, in a word: `free`, `half`, or `fixed:200`, in fen."""
        return f"{FIXED}:{self.fen}" if self.price == FIXED else self.price


@dataclass(frozen=True)
class Named:
    """A service (服务项目) or venue (场所): its name in rules and its names for people."""

    id: str
    zh: str
    en: str

    def __post_init__(self) -> None:
        _need(_name(self.id), "id")
        _need(all(type(word) is str and word.strip() and len(word) <= 100 for word in (self.zh, self.en)), "zh, en")


@dataclass(frozen=True)
class Rulebook:
    """All rules of an operator (运营单位). `off`: days off by a notice (放假), `worked`: weekends that are worked
    (调休); a day on which no notice speaks goes by its weekday.
    """

    operator: str
    zh: str
    en: str
    sees: str
    services: tuple[Named, ...]
    venues: tuple[Named, ...]
    rules: tuple[Rule, ...]
    off: tuple[date, ...] = ()
    worked: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        Named(self.operator, self.zh, self.en)
        _need(self.operator != PUBLIC, "operator")
        _need(self.sees in SEES, "sees")
        _need(bool(self.services and self.venues), "services, venues")
        _need(all(map(_day, (*self.off, *self.worked))), "off, worked")
        _need(_rising(self.off) and _rising(self.worked) and not set(self.off) & set(self.worked), "off, worked")
        for named in (self.services, self.venues, self.rules):
            ids = [one.id for one in named]
            if not _unlike(ids):
                raise BadRulebook("rule-twice", next(name for name in ids if ids.count(name) > 1))
        services, venues = {one.id for one in self.services}, {one.id for one in self.venues}
        for rule in self.rules:
            if rule.service not in services:
                raise BadRulebook("service-unknown", rule.id)
            if rule.venues and not _words(rule.venues, venues):
                raise BadRulebook("venue-unknown", rule.id)
        if self.sees == SEES[0] and {(rule.benefit, rule.companions) for rule in self.rules} - {(FREE, 0)}:
            raise BadRulebook("sees-too-little", self.operator)
        named_claims: dict[str, Who] = {}
        for rule in self.rules:
            if named_claims.setdefault(rule.who.claim, rule.who) != rule.who and rule.who.claim:
                raise BadRulebook("claims-alike", rule.id)

    @cached_property
    def claims(self) -> dict[str, Who]:
        """The conditions for which gates need a list, by name, in the order of the rules."""
        return {rule.who.claim: rule.who for rule in self.rules if rule.who.claim}

    def to_json(self) -> bytes:
        """The one form of the rulebook."""
        return canonical({"format": FORMAT} | _plain(self))

    def words_of(self, day: date) -> set[str]:
        """What a day is: its weekday, `every`, and `working` or `off`, and `holiday`."""
        weekday = day.weekday()
        resting = day in self.off or (weekday > 4 and day not in self.worked)
        return {"every", WEEKDAYS[weekday], "off" if resting else "working", *(["holiday"] if day in self.off else [])}


def who_holds(who: Who, person: Person, on: date) -> bool | None:
    """Whether a person fulfils a condition on a day; None where something that it needs is not known."""
    answers = (_of_kind(who, person), _from_area(who, person), _of_age(who, person, on))
    return False if False in answers else None if None in answers else True


def _of_kind(who: Who, person: Person) -> bool | None:
    if not who.kinds:
        return True
    if person.category is None or person.grade is None:
        return None
    found = [(person.category, person.grade), *(person.components if who.components else ())]
    return any(kind.fits(*each) for kind in who.kinds for each in found)


def _from_area(who: Who, person: Person) -> bool | None:
    if not who.areas:
        return True
    return None if person.area is None else any(lo <= person.area <= hi for lo, hi in who.ranges)


def _of_age(who: Who, person: Person, on: date) -> bool | None:
    if not (who.age_from or who.age_to):
        return True
    if person.born is None:
        return None
    return on > birthday(person.born, who.age_from) and not (who.age_to and on > birthday(person.born, who.age_to + 1))


def birthday(born: date, years: int) -> date:
    """The day `years` later, 28 February of a leap day: from the day after it they are full (周岁, 民法典 art. 201)."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 2, 28)


def born_by(years: int, on: date) -> date:
    """The last day of birth of those who are so many years old on a day, in full."""
    eve = on - timedelta(days=1)
    try:
        day = eve.replace(year=eve.year - years)
    except ValueError:
        day = date(eve.year - years, 2, 28)
    following = day + timedelta(days=1)
    return following if birthday(following, years) <= eve else day  # 29 February, whose birthday is the 28th here


def canonical(value: Any) -> bytes:
    """The one JSON of a value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def parse(data: bytes) -> Rulebook:
    """The rulebook that these bytes are. Raises `BadRulebook`."""
    try:
        if len(data) > LONGEST:
            raise BadRulebook("rulebook-form")
        content = json.loads(data)
        if content.pop("format") != FORMAT:
            raise BadRulebook("rulebook-format")
        book = _read_book(content)
    except BadRulebook:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadRulebook("rulebook-form") from None
    if book.to_json() != data:
        raise BadRulebook("rulebook-form")
    return book


def _read_book(content: dict[str, Any]) -> Rulebook:
    """Fields as they come: whatever is not as `to_json` writes it is found by comparing the whole."""
    return Rulebook(
        **content | {name: tuple(Named(**one) for one in content[name]) for name in ("services", "venues")}
        | {"rules": tuple(map(_read_rule, content["rules"]))}
        | {name: tuple(map(date.fromisoformat, content[name])) for name in ("off", "worked")})


def _read_rule(found: dict[str, Any]) -> Rule:
    who = found["who"]
    kinds = tuple(Kind(tuple(kind["categories"]), tuple(kind["grades"])) for kind in who["kinds"])
    last = found["last"]
    rest = {name: value for name, value in found.items() if name != "claim"}
    return Rule(**rest | {
        "who": Who(**who | {"kinds": kinds, "areas": tuple(who["areas"])}),
        "first": date.fromisoformat(found["first"]), "last": None if last is None else date.fromisoformat(last),
        "bands": tuple(Band(**band | {"months": tuple(band["months"]), "days": tuple(band["days"])})
                       for band in found["bands"])}
        | {name: tuple(found[name]) for name in ("venues", "proofs", "vouchers")})


def _plain(value: Any) -> Any:
    """A value of this module as JSON has it; a rule tells the name of its condition, too."""
    if isinstance(value, Kind):
        return {"categories": list(value.categories), "grades": list(value.grades)}
    if isinstance(value, Who | Band | Rule | Named | Rulebook):
        plain = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return plain | {"claim": value.who.claim} if isinstance(value, Rule) else plain
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _need(good: bool, where: str) -> None:
    if not good:
        raise BadRulebook("rule-value", where)


def _whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _day(value: Any) -> bool:
    return type(value) is date and date(2000, 1, 1) <= value <= date(2199, 12, 31)


def _name(value: Any) -> bool:
    """A name of rules, services, venues and operators: small letters, digits and hyphens."""
    return type(value) is str and bool(_NAMED.fullmatch(value))


def _words(values: tuple[str, ...], known: Iterable[str]) -> bool:
    """True for at least one word, each known and there once."""
    return bool(values) and all(type(word) is str and word in known for word in values) and _unlike(values)


def _digits(value: Any, size: int) -> bool:
    return type(value) is str and len(value) == size and value.isascii() and value.isdigit()


def _head(area: str) -> str:
    while area.endswith("00"):
        area = area[:-2]
    return area


def _unlike(values: Iterable[Any]) -> bool:
    """True where no value is there twice."""
    found = list(values)
    return len(set(found)) == len(found)


def _rising(days: tuple[date, ...]) -> bool:
    return all(one < other for one, other in pairwise(days))


def _sorted(values: tuple[int, ...], known: range) -> bool:
    """Numbers that are known, each once, from the lowest on: a condition has one form."""
    return all(type(value) is int and value in known for value in values) and sorted(set(values)) == list(values)
