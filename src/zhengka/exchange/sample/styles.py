"""How one office writes its file: format, titles, headings, order of columns, spelling of values."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.random import Generator

Kind = Literal["xlsx", "csv"]
Form = tuple[Kind, str]

FORMS: Final[tuple[Form, ...]] = (
    ("xlsx", ""), ("csv", "utf-8-sig"), ("xlsx", ""), ("csv", "gb18030"), ("xlsx", ""), ("csv", "utf-8"),
)  # fmt: skip
"""Formats in turn, so that every sample of six units or more holds them all."""

HEADINGS: Final = {
    "name": ("姓名", "残疾人姓名", "名字"),
    "sex": ("性别",),
    "ethnicity": ("民族",),
    "birth_date": ("出生日期", "出生年月日"),
    "id_number": ("身份证号", "身份证号码", "身份证", "公民身份号码"),
    "certificate_number": ("残疾人证号", "残疾证号", "残疾人证号码", "证件编号"),
    "category": ("残疾类别", "类别", "残疾", "残疾类型"),
    "grade": ("残疾等级", "等级", "级别", "残疾级别"),
    "components": ("多重残疾明细", "多重明细"),
    "issued_on": ("发证日期", "初次发证日期"),
    "valid_until": ("有效期至", "有效期止"),
    "phone": ("联系电话", "电话", "手机"),
    "address": ("地址", "家庭住址", "户籍地址"),
    "guardian_name": ("监护人", "监护人姓名"),
    "guardian_phone": ("监护人电话", "监护人联系电话"),
    "unit": ("区域", "所属区划", "发证单位", "区划代码"),
    "remark": ("备注", "说明"),
}
"""Headings offices use, a part of the aliases in data/imports; a test holds the two together."""

NUMBERING: Final = "序号"
_OPTIONAL: Final = {
    "sex": 0.9, "ethnicity": 0.8, "birth_date": 0.7, "id_number": 0.85, "category": 0.9,
    "valid_until": 0.8, "phone": 0.9, "guardian_name": 0.9, "guardian_phone": 0.7, "unit": 0.8, "remark": 0.5,
}  # fmt: skip

KINDS: Final = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")
CATEGORY_STYLES: Final = ("{kind}", "{kind}残疾", "{digit}")
GRADE_SPELLINGS: Final = (
    ("一级", "二级", "三级", "四级"),
    ("1", "2", "3", "4"),
    ("壹级", "贰级", "叁级", "肆级"),
    ("Ⅰ级", "Ⅱ级", "Ⅲ级", "Ⅳ级"),
    ("1级", "2级", "3级", "4级"),
    ("一", "二", "三", "四"),
    ("壹", "贰", "叁", "肆"),
    ("Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ"),
)
DATE_TEXTS: Final = (
    "{0}-{1:02d}-{2:02d}", "{0}/{1}/{2}", "{0}.{1:02d}.{2:02d}", "{0}{1:02d}{2:02d}", "{0}年{1}月{2}日",
)  # fmt: skip
COMPONENT_STYLES: Final = (
    ("{kind}{grade}", "、"), ("{kind}残疾{grade}", "；"), ("{kind}{grade}", ","), ("{kind}{grade}", "+"),
)  # fmt: skip
SEXES: Final = (("女", "男"), ("女", "男"), ("2", "1"))
SERIAL: Final = -1  # date_style: a bare serial number of a spreadsheet
DATE_CELL: Final = -2  # date_style: a serial number shown as a date


@dataclass(frozen=True)
class Style:
    """One office's habits. `columns`: field → heading, in the order of the file; `titles`: rows above the header."""

    kind: Kind
    encoding: str
    titles: int
    numbered: bool
    columns: dict[str, str]
    category: str
    grades: tuple[str, ...]
    dates: int
    components: tuple[str, str]
    sexes: tuple[str, str]
    numbers_as_floats: bool

    @property
    def suffix(self) -> str:
        """Ending of the file's name."""
        return f".{self.kind}"


def style(seed: int, position: int) -> Style:
    """The habits of the office whose file is the n-th."""
    rng = np.random.default_rng((seed, 2, position))
    kind, encoding = FORMS[position % len(FORMS)]
    return _drawn(rng, kind, encoding, _columns(rng))


def bench_style() -> Style:
    """One large UTF-8 CSV with every column, for measuring."""
    columns = {name: headings[0] for name, headings in HEADINGS.items()}
    columns["unit"] = "区划代码"
    return Style("csv", "utf-8", 0, True, columns, CATEGORY_STYLES[0], GRADE_SPELLINGS[0], 0,
                 COMPONENT_STYLES[0], SEXES[0], False)  # fmt: skip


def _drawn(rng: Generator, kind: Kind, encoding: str, columns: dict[str, str]) -> Style:
    dates = range(len(DATE_TEXTS)) if kind == "csv" else (0, 1, SERIAL, DATE_CELL)
    return Style(
        kind=kind,
        encoding=encoding,
        titles=int(rng.integers(1, 4)) if kind == "xlsx" else int(rng.integers(0, 2)),
        numbered=bool(rng.random() < 0.6),
        columns=columns,
        category=CATEGORY_STYLES[rng.integers(len(CATEGORY_STYLES))],
        grades=GRADE_SPELLINGS[rng.integers(5)],
        dates=int(dates[rng.integers(len(dates))]),
        components=COMPONENT_STYLES[rng.integers(len(COMPONENT_STYLES))],
        sexes=SEXES[rng.integers(len(SEXES))],
        numbers_as_floats=kind == "xlsx" and bool(rng.random() < 0.6),
    )


def _columns(rng: Generator) -> dict[str, str]:
    """The columns of one office: name near the front, the rest partly in an order of its own."""
    chosen = [name for name in HEADINGS if rng.random() < _OPTIONAL.get(name, 1.0)]
    if "category" not in chosen:
        chosen.remove("grade")
    if "guardian_name" not in chosen and "guardian_phone" in chosen:
        chosen.remove("guardian_phone")
    places = {name: at + (0.0 if name == "name" else rng.random() * 4) for at, name in enumerate(chosen)}
    chosen.sort(key=lambda name: places[name])
    return {name: HEADINGS[name][rng.integers(len(HEADINGS[name]))] for name in chosen}
