"""Operators (运营单位) and their rules (优惠规则): each a file of `data/places`, refused unless its own examples hold.

Pure: tables go in, rulebooks come out. An example beside the rules says in figures who came, when, how the card was
shown, and what was given; every rule needs one that it gives, so that nobody writes a rule that nobody tried.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final, NamedTuple, TypeVar

from zhengka.areas.calendars import Layer, calendar_of
from zhengka.core.dated import FileRefused, Table
from zhengka.formats import judging, rulebook
from zhengka.formats.judging import Asked, Judged, Used
from zhengka.formats.rulebook import BadRulebook, Band, Kind, Named, Person, Rule, Rulebook, Who

MINUTES: Final = 120
"""For how many minutes a voucher is good where its rule does not say."""
GIVES: Final = (rulebook.FREE, rulebook.HALF)
_Made = TypeVar("_Made")


class Words(NamedTuple):
    """A rule in plain words, and where it was read: for people, not for gates."""

    zh: str
    en: str
    source: str


class Town(NamedTuple):
    """A place where an operator works: its code of six digits, and its names for travellers."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class Operator:
    """An operator with its rulebook. `towns`: where it works; `words`: of each rule, by its id."""

    book: Rulebook
    towns: tuple[Town, ...]
    source: str
    words: Mapping[str, Words]

    @property
    def code(self) -> str:
        """Its name in addresses, files and events."""
        return self.book.operator


def load_all(tables: Iterable[Table], layers: tuple[Layer, ...] = ()) -> dict[str, Operator]:
    """Every operator of a folder's files by code. Raises `FileRefused`, also where two files are of one operator."""
    found: dict[str, Operator] = {}
    for table in tables:
        operator = load(table, layers)
        if found.setdefault(operator.code, operator) is not operator:
            raise FileRefused("code-twice", table.place, operator.code)
    return found


def load(table: Table, layers: tuple[Layer, ...] = ()) -> Operator:
    """The operator that a file holds, its rules tried by its examples; `layers`: the calendars, as of the first area
    where it works. Raises `FileRefused`.
    """
    towns = tuple(_town(one) for one in table.tables("area"))
    if not towns:
        raise FileRefused("field-missing", table.place, "area")
    days = _days(layers, int(towns[0].code) * 10**6)
    source, examples = _source(table), list(table.tables("example"))
    services, venues = ([_named(one) for one in table.tables(name)] for name in ("service", "venue"))
    rules, words = [], {}
    for one in table.tables("rule"):
        rule, told = _rule(one)
        rules.append(rule)
        words[rule.id] = told
    book = _made(table, lambda: Rulebook(
        table.take("code", str), table.take("zh", str), table.take("en", str), table.take("sees", str),
        tuple(services), tuple(venues), tuple(rules), *days))
    table.end()
    _try_all(book, examples, table.place)
    return Operator(book, towns, source, words)


def _made(table: Table, make: Callable[[], _Made]) -> _Made:
    """What `make` makes; what its values have against it is said as a fault of the file."""
    try:
        return make()
    except BadRulebook as bad:
        code = "value-unknown" if bad.code == "rule-value" else bad.code
        raise FileRefused(code, table.place, bad.where) from None


def _named(table: Table) -> Named:
    named = _made(table, lambda: Named(table.take("id", str), table.take("zh", str), table.take("en", str)))
    table.end()
    return named


def _town(table: Table) -> Town:
    code = table.take("code", str)
    Table({"area": code}, table.place).area()
    town = Town(code, table.take("zh", str), table.take("en", str))
    table.end()
    return town


def _source(table: Table) -> str:
    source = table.take("source", str)
    if not source.strip():
        raise FileRefused("source-missing", table.place, "source")
    return source


def _rule(table: Table) -> tuple[Rule, Words]:
    gives, quota = table.table("gives"), table.table("quota")
    price, fen = _price(gives)
    bands = tuple(_band(one) for one in table.tables("times"))
    last = table.take("until", date) if table.has("until") else None
    rule = _made(table, lambda: Rule(
        id=table.take("id", str), service=table.take("service", str), venues=_list(table, "venues"),
        first=table.take("from", date), last=last, who=_who(table.table("who")),
        activated=table.take("activated", bool), price=price, fen=fen, companions=gives.take("companions", int, 0),
        day=quota.take("day", int, 0), month=quota.take("month", int, 0), bands=bands, proofs=_list(table, "proofs"),
        vouchers=_list(table, "voucher"), minutes=table.take("minutes", int, MINUTES)))
    words = Words(table.take("zh", str), table.take("en", str), _source(table))
    for part in (gives, quota, table):
        part.end()
    return rule, words


def _price(gives: Table) -> tuple[str, int]:
    """The price as a word, and in fen where it is a sum: `price = "free"`, `"half"`, or `fen = 200`."""
    if gives.has("fen"):
        return rulebook.FIXED, gives.take("fen", int)
    return _one_of(gives, "price", GIVES), 0


def _one_of(table: Table, name: str, known: Iterable[str]) -> str:
    word = table.take(name, str)
    if word not in known:
        raise FileRefused("value-unknown", table.place, f"{name}: {word}")
    return word


def _who(table: Table) -> Who:
    """A condition; `kinds` is a list of `{ categories, grades }`, and one of them must fit."""
    kinds = []
    for one in table.tables("kinds"):
        kinds.append(Kind(_list(one, "categories"), _list(one, "grades")))
        one.end()
    who = _made(table, lambda: Who(
        tuple(kinds), table.take("components", bool, True), _areas(table, "areas"), table.take("age_from", int, 0),
        table.take("age_to", int, 0)))
    table.end()
    return who


def _band(table: Table) -> Band:
    """A time band: days by words, `from` and `to` as 09:00; 00:00 as an end is midnight."""
    first, last = table.take("from", time), table.take("to", time)
    ends = last.hour * 60 + last.minute or rulebook.DAY_ENDS
    band = _made(table, lambda: Band(_list(table, "months"), _list(table, "days"), table.take("holidays", bool, True),
                                     first.hour * 60 + first.minute, ends))
    table.end()
    return band


def _list(table: Table, name: str) -> tuple[Any, ...]:
    return tuple(table.take(name, list, []))


def _areas(table: Table, name: str) -> tuple[str, ...]:
    """A list of codes of six digits, each checked as the field `area` of any file is."""
    codes = _list(table, name)
    for code in codes:
        Table({"area": code}, f"{table.place}: {name}").area()
    return codes


def _days(layers: tuple[Layer, ...], area: int) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """Days off, and weekends that are worked, as the notices for an area name them."""
    named = {day: worked for layer in calendar_of(layers, area).layers for day, worked in layer.days.items()}
    return (tuple(sorted(day for day, worked in named.items() if not worked)),
            tuple(sorted(day for day, worked in named.items() if worked)))


def _try_all(book: Rulebook, examples: list[Table], place: str) -> None:
    """Refuse the file where an example comes out otherwise, or a rule has none that it gives."""
    given = {_try(book, example) for example in examples}
    for rule in book.rules:
        if rule.id not in given:
            raise FileRefused("example-missing", place, rule.id)


def _try(book: Rulebook, example: Table) -> str:
    """Ask the rules what the example asks; the rule that gave, or nothing."""
    who, used = example.table("who"), example.table("used")
    at = example.take("at", datetime).replace(tzinfo=rulebook.CHINA)
    person = _person(who)
    times = Used(used.take("day", int, 0), used.take("month", int, 0))
    asked = Asked(at, _one_of(example, "proof", rulebook.PROOFS),
                  lambda condition: rulebook.who_holds(condition, person, at.date()),
                  example.take("active", bool, True), {rule.id: times for rule in book.rules})
    service, venue = (_one_of(example, name, [one.id for one in known])
                      for name, known in (("service", book.services), ("venue", book.venues)))
    judged = judging.judge(book, service, venue, asked)
    said, wanted = _said(judged), example.take("gives", str)
    wanted += f" +{others}" if (others := example.take("companions", int, 0)) else ""
    example.take("say", str)
    for part in (who, used, example):
        part.end()
    if said != wanted:
        raise FileRefused("example-fails", example.place, f"{wanted} ≠ {said}")
    return judged.rule.id if judged.code == "given" and judged.rule else ""


def _said(judged: Judged) -> str:
    """What the rules gave, as an example writes it: a price with companions, or why nothing."""
    if judged.code != "given" or judged.rule is None:
        return judged.code
    return judged.rule.benefit + (f" +{judged.rule.companions}" if judged.rule.companions else "")


def _person(who: Table) -> Person:
    """A holder in an example; `area` of six digits."""
    area = Table({"area": who.take("area", str)}, who.place).area()[0]
    born = who.take("born", date) if who.has("born") else None
    components = [(one.take("category", int), one.take("grade", int)) for one in who.tables("components")]
    return Person(who.take("category", int), who.take("grade", int), tuple(components), area, born)
