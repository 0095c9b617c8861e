"""The rules of custody stand by themselves: ways between offices, stages at their edges, files that are refused."""

from pathlib import Path

import pytest

from zhengka.core.dated import FileRefused, parse
from zhengka.core.errors import Refusal
from zhengka.custody import rules

SHIPPED = Path(__file__).parents[2] / "data" / "custody" / "standard.toml"
CITY, COUNTY, STREET, OTHER, ELSEWHERE = 10, 11, 12, 13, 20


@pytest.mark.parametrize(("origin", "target", "way"), [
    ([], [STREET, COUNTY, CITY], [CITY, COUNTY, STREET]),
    ([COUNTY, CITY], [STREET, COUNTY, CITY], [STREET]),
    ([STREET, COUNTY, CITY], [CITY], [COUNTY, CITY]),
    ([STREET, COUNTY, CITY], [OTHER, COUNTY, CITY], [COUNTY, OTHER]),
    ([COUNTY, CITY], [ELSEWHERE], [ELSEWHERE]),
    ([COUNTY, CITY], [COUNTY, CITY], []),
])
def test_a_parcel_stops_at_every_office_between(origin, target, way):
    assert rules.way(origin, target) == way


def test_the_shipped_limits_are_read_and_their_stages_stand_at_their_very_days():
    policy = rules.load(parse(SHIPPED.read_bytes(), "standard.toml"))
    assert set(policy.days) == set(rules.PLACES)
    assert [rules.stage_of(policy, days) for days in (6, 7, 29, 30, 59, 60, 500)] == [0, 7, 7, 30, 30, 60, 60]
    assert [rules.bucket_of(days) for days in (0, 6, 7, 29, 30, 59, 60, 89, 90)] == [0, 0, 1, 1, 2, 2, 3, 3, 4]


@pytest.mark.parametrize(("old", "new", "code"), [
    ("plant = 5", "plant = 0", "value-out-of-range"), ("plant = 5", "", "field-missing"),
    ("plant = 5", "plant = 5\nmoon = 3", "field-unknown"), ("[7, 30, 60]", "[30, 7]", "value-out-of-range"),
    ("back_after = 90", "back_after = 60", "value-out-of-range"), ('source = "', 'source = ""#', "source-missing"),
])
def test_a_file_of_limits_that_cannot_hold_is_refused(old, new, code):
    text = SHIPPED.read_text()
    assert old in text
    with pytest.raises(FileRefused) as no:
        rules.load(parse(text.replace(old, new, 1).encode(), "x.toml"))
    assert no.value.code == code


def test_a_signature_is_some_points_within_its_field_and_becomes_a_picture_of_lines_alone():
    strokes = rules.strokes_of("[[[0,0],[600,200],[1,1],[2,2]],[[3,3],[4,4],[5,5],[6,6]]]")
    assert rules.drawn(strokes).count(b"<polyline") == 2
    for text in ("", "[]", "[[[1,2]]]", '[[["<script>",2]]]', "[[[601,0]]]", "{}", "null", "[[1,2,3]]",
                 "[[[1e999,0]]]", "[" * 99_999, "[[" + ",".join(["[1,1]"] * 10_001) + "]]"):
        with pytest.raises(Refusal, match="signature-missing"):
            rules.strokes_of(text)
