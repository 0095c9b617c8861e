"""Names: normalised by a written rule or refused with a reason; pinyin for the search field."""

import pytest

from zhengka.formats import names
from zhengka.formats.names import BadName


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("张三", "张三"),
        (" 张三\n", "张三"),
        ("张 三", "张三"),
        ("张\u3000三", "张三"),
        ("张\u00a0三", "张三"),
        ("阿不都·热合曼", "阿不都·热合曼"),
        ("阿不都•热合曼", "阿不都·热合曼"),
        ("阿不都・热合曼", "阿不都·热合曼"),
        ("阿不都‧热合曼", "阿不都·热合曼"),
        ("阿不都∙热合曼", "阿不都·热合曼"),
        ("阿不都.热合曼", "阿不都·热合曼"),
        ("阿不都．热合曼", "阿不都·热合曼"),
        ("阿不都 · 热合曼", "阿不都·热合曼"),
        ("\U00020bb7野", "\U00020bb7野"),
        ("李㛃", "李㛃"),
        ("王\U0002b5af", "王\U0002b5af"),
        ("马\U00031350", "马\U00031350"),
        ("\ufa12〇", "\u6674〇"),
        ("\ufa0e", "\ufa0e"),
        ("Ｊｏｈｎ　Smith", "John Smith"),
        ("J. R.  O'Neil-Lee", "J. R. O'Neil-Lee"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_one_name_written_in_many_ways_is_kept_in_one(text: str, kept: str) -> None:
    assert names.normalise(text) == kept


@pytest.mark.parametrize(
    ("text", "code", "character"),
    [
        ("", "name-empty", ""),
        (" \u3000", "name-empty", ""),
        ("张" * 65, "name-length", ""),
        ("张" * 100_000, "name-length", ""),
        ("张\x00三", "name-control", "U+0000"),
        ("张\n三", "name-control", "U+000A"),
        ("张\u2028三", "name-control", "U+2028"),
        ("张\u202e三", "name-direction", "U+202E"),
        ("张\u200e三", "name-direction", "U+200E"),
        ("张\u200b三", "name-invisible", "U+200B"),
        ("\ufeff张三", "name-invisible", "U+FEFF"),
        ("张\u3164", "name-invisible", "U+3164"),
        ("张\U000e0061", "name-invisible", "U+E0061"),
        ("葛\U000e0100", "name-variation", "U+E0100"),
        ("张\ufe00", "name-variation", "U+FE00"),
        ("张\ud842", "name-surrogate", "U+D842"),
        ("张\ue863", "name-private-use", "U+E863"),
        ("张\U000f0000", "name-private-use", "U+F0000"),
        ("张?", "name-lost", "U+003F"),
        ("张\ufffd", "name-lost", "U+FFFD"),
        ("张□", "name-lost", "U+25A1"),
        ("张3", "name-character", "U+0033"),
        ("张*三", "name-character", "U+002A"),
        ("<script>", "name-character", "U+003C"),
        ("=张", "name-character", "U+003D"),
        ("⽩", "name-character", "U+2F69"),
        ("⿰亻尔", "name-character", "U+2FF0"),
        ("张（三）", "name-character", "U+FF08"),
        ("·张三", "name-joiner", "U+00B7"),
        ("张三·", "name-joiner", "U+00B7"),
        ("张··三", "name-joiner", "U+00B7"),
        ("-A", "name-joiner", "U+002D"),
        ("A-", "name-joiner", "U+002D"),
        ("\u0301a", "name-character", "U+0301"),
        ("张\ufdd0", "name-character", "U+FDD0"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason_and_the_character(text: str, code: str, character: str) -> None:
    with pytest.raises(BadName) as refusal:
        names.normalise(text)
    assert (refusal.value.code, refusal.value.character) == (code, character)


def test_names_that_only_look_alike_stay_different() -> None:
    assert names.normalise("己") != names.normalise("已") != names.normalise("巳")


@pytest.mark.parametrize(
    ("name", "full", "initials"),
    [
        ("张三", "zhangsan", "zs"),
        ("单雄信", "shanxiongxin", "sxx"),
        ("曾单", "zengdan", "zd"),
        ("尉迟恭", "yuchigong", "ycg"),
        ("阿不都·热合曼", "abudoureheman", "abdrhm"),
        ("李㛃", "lijie", "lj"),
        ("𬭼明", None, None),
        ("John Smith", "johnsmith", "js"),
        ("", "", ""),
    ],
)
def test_a_name_is_found_by_its_pinyin_and_by_its_initials(name: str, full: str | None, initials: str | None) -> None:
    found = names.pinyin(name)
    if full is None:
        assert found[0].endswith("ming") and found[1].endswith("m")
    else:
        assert found == (full, initials)


def test_pinyin_in_bulk_is_the_same_as_one_by_one() -> None:
    some = ["张三", "单雄信", "", "𠮷野", "Ann Lee"]
    assert names.pinyin_many(some) == [names.pinyin(name) for name in some]


@pytest.mark.parametrize("character", ["张", "〇", "㛃", "𠮷", "\U0003134a", "\ufa0e"])
def test_rare_characters_are_ideographs(character: str) -> None:
    assert names.is_ideograph(character)


@pytest.mark.parametrize("character", ["a", "·", "⽩", "\ue000", "", "张三"])
def test_other_signs_are_not_ideographs(character: str) -> None:
    assert not names.is_ideograph(character)
