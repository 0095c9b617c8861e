"""Dated files under `data/`: what officials change and lawyers read, checked whole when it is loaded.

A file is one table for an area from a day on. What is wrong with it is said by a code, the place in the file and words.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Protocol, TypeVar

FAULTS: dict[str, tuple[str, str]] = {
    # -- any file ----------------------------------------------------------------------------------------------------
    "toml-broken": ("this is not TOML", "文件不是合法的 TOML"),
    "format-unknown": ("this format is not known", "文件格式版本未知"),
    "field-missing": ("this field must be there, of this kind", "缺少该字段，或类型不对"),
    "field-unknown": ("this field means nothing here", "此处没有该字段"),
    "value-unknown": ("this value means nothing here", "该值未定义"),
    "value-out-of-range": ("this number is out of its range", "数值超出范围"),
    "area-unknown": ("an area has six digits", "区划代码应为六位数字"),
    "dates-reversed": ("the last day lies before the first", "结束日期早于开始日期"),
    "dates-overlap": ("two files say this for one area and the same days", "同一地区、同一时段有两份规定"),
    "source-missing": ("the source or reason must be told", "须写明依据或理由"),
    # -- calendars ---------------------------------------------------------------------------------------------------
    "day-outside-year": ("a notice of this year cannot speak of this day", "日期不在通知所涉年度内"),
    "day-twice": ("this day is both off and worked", "同一天既放假又上班"),
    "day-unknown": ("there is no such day of the year; one is written 03-01", "没有这一天，应写作 03-01"),
    "day-no-change": ("this day is worked anyway", "该日本来就是工作日"),
    # -- card policies -----------------------------------------------------------------------------------------------
    "identity-stops": (
        "no lapse of an activation stops what the certificate proves", "年度激活过期不得影响残疾人证的证明效力"),
    "counter-missing": ("whoever comes to the counter is served", "必须保留窗口激活"),
    "window-too-long": ("the window, with the days before it, fills the year", "激活时段连同提前天数已满一年"),
    # -- case policies: words ----------------------------------------------------------------------------------------
    "code-twice": ("another file has this code", "另一文件已用此代号"),
    "kind-unknown": ("there is no such kind of case", "没有这种办理事项"),
    "kind-twice": ("this kind of case has two procedures in one file", "同一文件对该事项规定了两次"),
    "step-unknown": ("this kind of case has no such step", "该事项没有这一步骤"),
    "level-unknown": ("there is no such office", "没有这一级经办主体"),
    "level-wrong": ("this office may not take this step", "该主体无权办理这一步骤"),
    "office-missing": ("nobody is named who takes this step", "未指定由谁办理这一步骤"),
    "limit-not-positive": ("a limit is at least one working day", "时限至少为一个工作日"),
    "pair-unknown": ("these two steps are not a pair for two persons", "这两个步骤不是须分人办理的步骤"),
    "time-unknown": ("this kind of case has no such time", "该事项没有这种期间"),
    "time-missing": ("this kind of case needs this time", "该事项须规定这一期间"),
    # -- case policies: what they would let happen -------------------------------------------------------------------
    "same-person": ("one person could do both, and two are needed", "须由两人分别办理，此处一人可办"),
    "notice-short": ("a public notice of fewer working days than five", "公示少于五个工作日"),
    "notice-too-open": (
        "a public notice that shows more than name, place, category and grade", "公示内容超出姓名、地址、类别、等级"),
    "around-assessment": ("a way leads to approval around the assessment", "存在绕过残疾评定的批准路径"),
    "around-verification": ("a way leads to approval around the second source of a report", "存在绕过核实的批准路径"),
    "around-notice": ("a way leads to approval around the full public notice", "存在绕过公示期满的批准路径"),
    "around-review": ("a way leads to approval around the review", "存在绕过审核的批准路径"),
    "around-approval": ("a way leads to the end around the approval", "存在绕过批准的办结路径"),
    "card-missing": (
        "this kind of case ends with another card, and no step orders it", "该事项须制发新卡，却没有订卡步骤"),
    "dead-end": ("no step leads out of this state", "该状态没有出路"),
    "unreachable": ("no step leads into this state", "该状态无法到达"),
    # -- places ------------------------------------------------------------------------------------------------------
    "rule-twice": ("two rules, services or venues have one name", "规则、服务或场所的代号重复"),
    "service-unknown": ("this rule is for a service that is not there", "规则所指的服务不存在"),
    "venue-unknown": ("this rule is for a venue that is not there", "规则所指的场所不存在"),
    "sees-too-little": (
        "who sees only the verdict must act alike on all: everything free, and no companion",
        "只看结论的单位须一律免费且不带陪同"),
    "claims-alike": ("two different conditions have one name", "两个不同的条件得到同一代号"),
    "example-missing": ("this rule has no example that it gives", "该规则没有能说明它的例子"),
    "example-fails": ("this example comes out otherwise", "例子的结果与规则不符"),
    # -- roles --------------------------------------------------------------------------------------------------------
    "administrators-joined": (
        "two of the three administrators' roles are not kept apart", "系统、安全、审计三员未两两互斥"),
    # -- letters -----------------------------------------------------------------------------------------------------
    "letter-unknown": ("there is no such kind of letter", "没有这种文书"),
    "text-unfit": ("a text is empty, or holds what its readers cannot read", "文字为空，或含读者无法读懂的字符"),
    "slot-unknown": ("this kind of letter has no such slot", "该文书没有这个填空项"),
    "slot-missing": ("a letter of this kind must show this slot", "该文书必须写明此填空项"),
    "slot-private": ("a title or short message must not show this slot", "标题和短信不得含此填空项"),
    "sms-long": ("with the longest values the short message is longer than 70 characters", "按最长取值，短信超过70字"),
    "sms-telling": ("a short message must not say this of a person", "短信不得透露此类信息"),
    "sentence-long": ("a sentence is too long to be read easily", "句子太长，不易读"),
}
"""code → what it says in English and Chinese. `docs/reference/cases.md` lists them."""

_KIND = TypeVar("_KIND")


class FileRefused(ValueError):
    """A file under `data/` that cannot be used: `code` of `FAULTS`, `place` in the file, and words."""

    def __init__(self, code: str, place: str, what: str = "") -> None:
        words, words_zh = FAULTS[code]
        super().__init__(f"{place}: {f'{what}: ' if what else ''}{words}; {words_zh} [{code}]")
        self.code, self.place, self.what = code, place, what


class Placed(Protocol):
    """What a dated file says of the areas from `lo` to `hi`, from a day on."""

    @property
    def lo(self) -> int: ...  # noqa: D102

    @property
    def hi(self) -> int: ...  # noqa: D102

    @property
    def valid_from(self) -> date: ...  # noqa: D102


_PLACED = TypeVar("_PLACED", bound=Placed)


class Table:
    """A table of a file that knows where it stands. Each field is taken once; `end` refuses what was not taken."""

    def __init__(self, data: Mapping[str, Any], place: str) -> None:
        self.place = place
        self._left = dict(data)

    def take(self, name: str, kind: type[_KIND], default: _KIND | None = None) -> _KIND:
        """The field `name`, which is a `kind`; `default` where it is not there, if there is one."""
        value = self._left.pop(name, default)
        if type(value) is not kind:
            raise FileRefused("field-missing", self.place, f"{name} ({kind.__name__})")
        return value

    def has(self, name: str) -> bool:
        """True while the field is there to be taken."""
        return name in self._left

    def words(self, name: str, known: Iterable[str], code: str = "value-unknown") -> tuple[str, ...]:
        """The field `name`, a list of words that are all `known`; empty where it is not there."""
        found, allowed = self.take(name, list, []), set(known)
        for word in found:
            if not isinstance(word, str) or word not in allowed:
                raise FileRefused(code, self.place, f"{name}: {word}")
        return tuple(found)

    def table(self, name: str) -> "Table":
        """The table `name` within this one; an empty one where it is not there."""
        return Table(self.take(name, dict, {}), f"{self.place}: {name}")

    def tables(self, name: str) -> Iterator["Table"]:
        """The tables of the list `name`, in order, told apart by their number."""
        for number, data in enumerate(self.take(name, list, []), 1):
            yield Table(data if isinstance(data, dict) else {}, f"{self.place}: {name} {number}")

    def rest(self, kind: type[_KIND]) -> dict[str, _KIND]:
        """Every field that is left, each of them a `kind`."""
        return {name: self.take(name, kind) for name in list(self._left)}

    def area(self) -> tuple[int, int]:
        """The field `area` as a range of 12-digit codes: trailing pairs of zeros stand for everything below."""
        code = self.take("area", str)
        if len(code) != 6 or not code.isascii() or not code.isdigit():
            raise FileRefused("area-unknown", self.place, code)
        head = code
        while head.endswith("00"):
            head = head[:-2]
        size = 10 ** (12 - len(head))
        first = int(head or "0") * size
        return first, first + size - 1

    def end(self) -> None:
        """Refuse a field that nobody took: a misspelt rule must not be a rule that is not there."""
        for name in self._left:
            raise FileRefused("field-unknown", self.place, name)


def read(path: Path) -> Table:
    """The file as a table of format 1."""
    return parse(path.read_bytes(), path.name)


def parse(text: bytes, name: str) -> Table:
    """The bytes of a file of this name as a table of format 1."""
    try:
        data = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise FileRefused("toml-broken", name, str(broken)) from broken
    table = Table(data, name)
    if table.take("format", int) != 1:
        raise FileRefused("format-unknown", name)
    return table


def choose(found: Iterable[_PLACED], area: int, on: date) -> _PLACED | None:
    """What holds for an area on a day: the narrowest that contains it, and of these the latest."""
    open_ = [one for one in found if one.lo <= area <= one.hi and one.valid_from <= on]
    return min(open_, key=lambda one: (one.hi - one.lo, -one.valid_from.toordinal()), default=None)
