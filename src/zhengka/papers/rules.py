"""Which papers (材料) a kind of case needs, by area, route and day: files of `data/papers`. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

from zhengka.core.dated import FileRefused, Table, choose, read

PAPERS: Final[dict[str, tuple[str, str]]] = {
    "id-card": ("居民身份证", "ID card"),
    "household-register": ("户口簿", "Household register"),
    "application-form": ("残疾人证申请表", "Application form"),
    "photo": ("证件照片", "Photo"),
    "guardian-proof": ("监护人证明", "Proof of the legal guardian"),
    "hospital-record": ("病历或评定结论", "Hospital record or conclusion of an assessment"),
    "residence-permit": ("居住证", "Residence permit"),
    "old-certificate": ("原残疾人证", "Old certificate"),
    "loss-report": ("遗失声明", "Report of the loss"),
    "death-proof": ("死亡证明", "Proof of death"),
    "written-request": ("本人书面申请", "Written request"),
    "other": ("其他材料", "Other"),
}
"""Kind of paper → its name in Chinese and English. A photo is a portrait (`services.take_portrait`), not a file."""

ROUTES: Final = ("local", "cross-province")
CATEGORIES: Final = range(1, 8)


class CaseOf(NamedTuple):
    """What decides which papers a case needs. `kind`, `route` and `reason` are words of the cases; `area` is a 12-digit
    code; `categories`: those of the disability, its components among them (GB/T 26341, 1–7).
    """

    kind: str
    area: int
    on: date
    route: str = "local"
    minor: bool = False
    categories: frozenset[int] = frozenset()
    reason: str = ""


class Need(NamedTuple):
    """A paper that is needed, and the clause that asks for it, in English and in Chinese, as a clerk reads it.

    `may_follow`: the case may be accepted before it is there, with a reason (容缺受理).
    """

    paper: str
    clause: str
    clause_zh: str
    may_follow: bool = False


@dataclass(frozen=True)
class Rule:
    """One [[need]] of a file: with no condition always, else where one of the conditions holds."""

    need: Need
    minors: bool = False
    categories: frozenset[int] = frozenset()
    reasons: frozenset[str] = frozenset()

    def holds(self, case: CaseOf) -> bool:
        """True where this case needs the paper."""
        if not (self.minors or self.categories or self.reasons):
            return True
        return (self.minors and case.minor) or bool(self.categories & case.categories) or case.reason in self.reasons


@dataclass(frozen=True)
class Requirements:
    """What one file says of the areas from `lo` to `hi` from `valid_from` on; `rules` by kind of case."""

    code: str
    lo: int
    hi: int
    valid_from: date
    route: str
    source: str
    rules: Mapping[str, tuple[Rule, ...]] = field(repr=False)


def required(found: Iterable[Requirements], case: CaseOf) -> list[Need] | None:
    """The papers that a case needs, each once, in the order of the file; None where no file names its kind."""
    naming = [one for one in found if case.kind in one.rules]
    chosen = choose((one for one in naming if one.route == case.route), case.area, case.on) or choose(
        (one for one in naming if one.route == "local"), case.area, case.on)
    if chosen is None:
        return None
    needs = [rule.need for rule in chosen.rules[case.kind] if rule.holds(case)]
    return list({need.paper: need for need in reversed(needs)}.values())[::-1]


def load(folder: Path) -> tuple[Requirements, ...]:
    """Every file of a folder. Raises `FileRefused`."""
    found = tuple(requirements(read(path)) for path in sorted(folder.glob("*.toml")))
    for one, other in combinations(found, 2):
        same = (one.lo, one.hi, one.route, one.valid_from) == (other.lo, other.hi, other.route, other.valid_from)
        if same and one.rules.keys() & other.rules.keys():
            raise FileRefused("dates-overlap", other.code, one.code)
    return found


def requirements(table: Table) -> Requirements:
    """What a file holds. Raises `FileRefused`."""
    code, (lo, hi), since = table.take("code", str), table.area(), table.take("valid_from", date)
    route, source = table.take("route", str, "local"), _told(table, "source")
    if route not in ROUTES:
        raise FileRefused("value-unknown", table.place, f"route: {route}")
    rules: dict[str, list[Rule]] = {}
    for part in table.tables("need"):
        kinds, rule = _kinds(part), _rule(part)
        for kind in kinds:
            rules.setdefault(kind, []).append(rule)
    for part in table.tables("none"):
        kinds = _kinds(part)
        _told(part, "clause")
        part.end()
        for kind in kinds:
            if rules.setdefault(kind, []):
                raise FileRefused("kind-twice", part.place, kind)
    table.end()
    return Requirements(code, lo, hi, since, route, source, {kind: tuple(all_) for kind, all_ in rules.items()})


def _rule(part: Table) -> Rule:
    need = Need(part.take("paper", str), _read(part, "clause"), _read(part, "clause_zh"),
                part.take("may_follow", bool, False))
    if need.paper not in PAPERS:
        raise FileRefused("value-unknown", part.place, f"paper: {need.paper}")
    categories, reasons = part.take("categories", list, []), part.take("reasons", list, [])
    if wrong := [one for one in categories if type(one) is not int or one not in CATEGORIES]:
        raise FileRefused("value-out-of-range", part.place, f"categories: {wrong}")
    if wrong := [one for one in reasons if not isinstance(one, str)]:
        raise FileRefused("value-unknown", part.place, f"reasons: {wrong}")
    minors = part.take("minors", bool, False)
    part.end()
    return Rule(need, minors, frozenset(categories), frozenset(reasons))


def _kinds(part: Table) -> list[str]:
    kinds = part.take("cases", list)
    if not kinds or not all(isinstance(kind, str) and kind for kind in kinds):
        raise FileRefused("kind-unknown", part.place)
    return kinds


def _read(part: Table, name: str) -> str:
    """What a clerk reads on a page: words, without the marks by which such a file says where a rule comes from."""
    text = _told(part, name)
    if MARKS.intersection(text):
        raise FileRefused("text-unfit", part.place, f"{name}: {text}")
    return text


MARKS: Final = frozenset("[]〔〕*")
"""Marks of an author's remark, such as [ours], or * for an inferred number: they belong into a comment."""


def _told(part: Table, name: str) -> str:
    text = part.take(name, str)
    if not text.strip():
        raise FileRefused("source-missing", part.place, name)
    return text
