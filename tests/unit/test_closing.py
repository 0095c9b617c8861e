"""The closing table says where something is missing."""

from collections import Counter

from zhengka.cli.closing import Line, plain


def test_a_line_adds_up_only_where_nothing_is_missing_and_nothing_came_from_nowhere():
    held = Counter({"photo-missing": 2})
    assert Line("4", 10, 8, held).adds_up
    assert not Line("4", 11, 8, held).adds_up
    assert not Line("4", 9, 8, held).adds_up
    assert plain(Line("4", 9, 8, held)) == {
        "step": "4", "in": 9, "out": 8, "held": {"photo-missing": 2}, "adds_up": False}
