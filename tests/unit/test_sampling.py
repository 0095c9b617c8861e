"""How many finished cards are looked at, by whose rule, and that the draw is nobody's choice."""

from datetime import date
from pathlib import Path

import pytest
from django.conf import settings

from zhengka.core.dated import FileRefused
from zhengka.production import sampling

DAY = date(2026, 11, 20)
WORDS = ('format = 1\ncode = "{code}"\narea = "{area}"\nvalid_from = {since}\nmaker = "{maker}"\npercent = {percent}\n'
         'least = {least}\ndesks = false\nsource = "[ours] a test"\n')


def files(folder: Path, **rules: dict) -> tuple[sampling.Rule, ...]:
    for code, rule in rules.items():
        whole = {"area": "000000", "since": "2018-01-01", "maker": "", "percent": 2, "least": 0} | rule
        (folder / f"{code}.toml").write_text(WORDS.format(code=code, **whole))
    return sampling.load(folder)


@pytest.mark.parametrize(("percent", "least", "good", "size"), [
    (2, 5, 1000, 20), (2, 5, 100, 5), (2, 5, 3, 3), (2, 0, 1, 1), (100, 0, 301, 301), (0, 5, 1000, 0), (1, 0, 101, 2)])
def test_the_sample_is_the_share_rounded_up_and_never_more_than_there_are(tmp_path, percent, least, good, size):
    [rule] = files(tmp_path, one={"percent": percent, "least": least})
    assert rule.size(good) == size


def test_the_narrowest_area_wins_and_the_later_day_and_a_file_that_names_the_maker_before_all(tmp_path):
    rules = files(tmp_path, nation={}, city={"area": "430100", "percent": 5},
                  later={"area": "430100", "percent": 7, "since": "2026-11-20"},
                  press={"maker": "press", "percent": 100})

    def percent(area: int, maker: str = "", on: date = DAY) -> int:
        return sampling.rule(rules, area, maker, on).percent
    assert percent(430702000000) == 2 and percent(430104000000) == 7
    assert percent(430104000000, on=date(2026, 11, 19)) == 5
    assert percent(430104000000, "press") == 100
    assert sampling.rule(rules, 430104000000, "", date(2017, 1, 1)) is None


@pytest.mark.parametrize(("changed", "code"), [({"percent": 101}, "value-out-of-range"), ({"least": -1}, "value-out-"),
                                               ({"area": "43"}, "area-unknown")])
def test_a_rule_that_cannot_be_kept_is_refused_with_its_place(tmp_path, changed, code):
    with pytest.raises(FileRefused, match=f"one.toml.*{code}"):
        files(tmp_path, one=changed)


def test_the_rules_that_are_shipped_can_be_read():
    assert sampling.load(Path(settings.DATA) / "readback")


def test_the_draw_takes_the_smallest_ranks_whatever_the_order_in_which_cards_come():
    ranked = [(bytes([rank]), item) for item, rank in enumerate((9, 2, 7, 1, 5))]
    assert sampling.drawn(ranked, 3) == sampling.drawn(reversed(ranked), 3) == [3, 1, 4]
