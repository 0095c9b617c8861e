"""Names of invented people: Han names as in Hunan, minority names with the dot `·`, rare characters (生僻字)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

RARE_SHARE: Final = 0.003

SURNAMES: Final = (
    "王李张刘陈杨黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文向覃瞿滕欧匡鄢翦佘皮聂晏"
)
COMPOUND_SURNAMES: Final = ("欧阳", "上官", "司马", "诸葛")
GIVEN_MALE: Final = (
    "伟强军勇杰涛明超辉刚平波斌鹏宇浩亮健峰建国志文华德福贵财生发春秋祥云松柏林森海江河山石金银铜宝和清正光荣庆喜良善仁义礼智信新民先进安康"
)
GIVEN_FEMALE: Final = (
    "芳娜敏静丽艳娟霞玲秀英桂兰梅菊莲香玉珍珠翠红燕云凤琴慧洁雪丹晶莹倩雯婷婉淑贞惠美华满元冬春秋月桃杏满姣娥妹喜连爱群满辉琼瑶瑛璐怡"
)
RARE_LAST: Final = (
    "𠮷㛃䶮㵾㙦䴘㸆𠅤𡝠𢒉𣲗𤩽𥖨𦈡𧿹𨱏𩽾𪟝𪻐𫖯𫍯𫓹𫘝𫟹𫠊𬀩𬍛𬎆𬘭𬙂𬜬𬣙𬬮𬭚𬭎𬸚𭉬𮧵𰻝"
)
"""Extension A (㛃 䶮 …), B (𠮷 …), C, D, E, F and, once, G (𰻝, plane 3): all in GB 18030's four-byte area."""

ETHNICITIES: Final = (
    ("汉族", 0.920), ("土家族", 0.030), ("苗族", 0.016), ("侗族", 0.007), ("瑶族", 0.007), ("回族", 0.006),
    ("维吾尔族", 0.006), ("白族", 0.003), ("壮族", 0.002), ("蒙古族", 0.001), ("藏族", 0.001), ("哈萨克族", 0.001),
)  # fmt: skip

_DOTTED: Final = {
    "维吾尔族": (
        "艾力 阿里木 买买提 吐尔逊 古丽娜尔 阿依古丽 热依汗 努尔买买提 阿卜杜热合曼 帕提古丽 迪丽拜尔 玉素甫",
        "艾山 肉孜 吾守尔 库尔班 阿布拉 托合提 麦麦提艾力 依明 热西提 阿不都克里木",
    ),
    "哈萨克族": ("叶尔兰 阿依达娜 巴合提 加娜尔 努尔兰 古丽扎", "哈力别克 赛力克 沙合多拉 胡安什"),
    "藏族": ("扎西 卓玛 次仁 央金 丹增 格桑", "平措 拉姆 多吉 旺堆"),
    "蒙古族": ("巴图 其其格 苏日娜 布和 乌云", "敖日格勒 孛儿只斤 德力格尔"),
    "土家族": ("阿朵 卵玉 阿巴 西兰 惹巴", "田 向 彭 覃"),
    "苗族": ("阿幼朵 仰阿莎 阿蓉 波更 务榜", "龙 麻 石 吴 廖"),
    "瑶族": ("盘古莎 阿贵 莎腰", "盘 赵 邓"),
    "侗族": ("杏妮 阿娓 金必", "吴 杨 石"),
}
_ALWAYS_DOTTED: Final = frozenset(("维吾尔族", "哈萨克族"))
_DOTTED_SHARE: Final = 0.15  # of the other peoples above

_SURNAME_WEIGHT: Final = 1 / (np.arange(len(SURNAMES) + len(COMPOUND_SURNAMES)) + 12.0)
_SURNAME_P: Final = _SURNAME_WEIGHT / _SURNAME_WEIGHT.sum()
_ALL_SURNAMES: Final = np.array([*SURNAMES, *COMPOUND_SURNAMES], dtype=object)
_MALE: Final = np.array(list(GIVEN_MALE), dtype=object)
_FEMALE: Final = np.array(list(GIVEN_FEMALE), dtype=object)
_PEOPLES: Final = np.array([name for name, _ in ETHNICITIES], dtype=object)
_PEOPLES_P: Final = np.array([share for _, share in ETHNICITIES])


@dataclass(frozen=True)
class Names:
    """Names, surnames and ethnicities (民族) of n people, by position."""

    full: list[str]
    surname: list[str]
    ethnicity: list[str]


def draw(rng: Generator, male: NDArray[np.bool_]) -> Names:
    """Names for people whose sex is given, with ethnicities. Some 0.3 % hold a rare character."""
    size = len(male)
    surname = rng.choice(_ALL_SURNAMES, size, p=_SURNAME_P)
    full = surname + _given(rng, male)
    rare = np.flatnonzero(rng.random(size) < RARE_SHARE)
    for at, letter in zip(rare, rng.integers(0, len(RARE_LAST), len(rare)), strict=True):
        full[at] = full[at][:-1] + RARE_LAST[letter]
    ethnicity = rng.choice(_PEOPLES, size, p=_PEOPLES_P / _PEOPLES_P.sum())
    for at in np.flatnonzero(ethnicity != "汉族"):
        if ethnicity[at] in _ALWAYS_DOTTED or (ethnicity[at] in _DOTTED and rng.random() < _DOTTED_SHARE):
            full[at] = _dotted(rng, ethnicity[at])
    return Names(full.tolist(), surname.tolist(), ethnicity.tolist())


def _given(rng: Generator, male: NDArray[np.bool_]) -> NDArray[np.object_]:
    """One or two characters each, from the pool of the sex."""
    size = len(male)

    def one() -> NDArray[np.object_]:
        return np.where(male, rng.choice(_MALE, size), rng.choice(_FEMALE, size))

    first, second = one(), one()
    return np.where(rng.random(size) < 0.78, first + second, first)


def _dotted(rng: Generator, people: str) -> str:
    """A name of two parts joined by the dot of GB/T 15834."""
    first, last = (part.split() for part in _DOTTED[people])
    return f"{first[rng.integers(len(first))]}·{last[rng.integers(len(last))]}"
