"""Checking in columns says what the pure functions say, for every text."""

import datetime as dt
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from zhengka.formats import certnumber, idnumber, names
from zhengka.registry.imports import checking, shape
from zhengka.registry.imports.shape import Header

FORM = shape.load(Path(__file__).parents[2] / "data" / "imports" / "second-generation.toml")
TODAY = dt.date(2026, 11, 20)
RULES = checking.Rules({}, 430104_000000, FORM.spellings, TODAY)
COLUMNS = ("name", "certificate_number", "issued_on")
HEADER = Header({field: place for place, field in enumerate(COLUMNS)}, COLUMNS)

digits17 = st.builds(
    lambda region, year, day, sequence: f"{region:06d}{year:04d}{day:04d}{sequence:03d}",
    st.integers(110000, 659999), st.integers(1850, 2030), st.integers(0, 1331), st.integers(0, 999))
right = digits17.map(lambda first: first + idnumber.check_digit(first))
numbers = st.one_of(right, digits17.flatmap(lambda first: st.sampled_from("0123456789Xx").map(lambda c: first + c)))
suffixes = st.one_of(st.just(""), st.just("B"), st.integers(0, 12).map(lambda n: f"B{n}"), st.text(max_size=3))
certificates = st.one_of(
    st.builds(lambda n, c, g, s: f"{n}{c}{g}{s}", numbers, st.integers(0, 9), st.integers(0, 9), suffixes),
    st.builds(lambda n, c, g: f" {n[:6]}\u3000{n[6:]}{c}{g}\u00a0".translate({48 + d: 0xFF10 + d for d in range(10)}),
              right, st.integers(1, 7), st.integers(1, 4)),
    st.text(alphabet="0123456789XxBb .E+'\u00b2\u0663\uff11", max_size=30))
words = st.one_of(st.text(max_size=8), st.text(alphabet="张三 ·•．\u3000\u202e𠮷ABc.'-", max_size=8))


def expected(name: str, number: str) -> str | tuple[str, str]:
    """The first reason, or the kept name and number, by the pure functions."""
    try:
        kept = names.normalise(name.strip())
        found = certnumber.parse(number.strip())
        idnumber.parse(found.id18, on=TODAY)
    except (names.BadName, certnumber.BadCertNumber, idnumber.BadIdNumber) as bad:
        return bad.code
    return kept, str(found)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(words, certificates), min_size=1, max_size=12))
def test_a_block_of_rows_is_judged_as_each_row_alone(rows):
    frame = pl.DataFrame(
        {"0": [name for name, _ in rows], "1": [number for _, number in rows], "2": ["2012-05-01"] * len(rows),
         checking.EXTRA: [""] * len(rows), "row": list(range(len(rows)))},
        schema={"0": pl.String, "1": pl.String, "2": pl.String, checking.EXTRA: pl.String, "row": pl.UInt32})
    checked = checking.check(frame, HEADER, RULES)
    told: dict[int, str | tuple[str, str]] = dict(checked.bad.rows())
    told |= {row["place"]: (row["name"], row["number"]) for row in checked.good.iter_rows(named=True)}
    assert told == {place: expected(*row) for place, row in enumerate(rows)}


@given(st.lists(st.one_of(st.just("单于明"), st.just("单明"), words), max_size=8))
def test_many_names_are_read_as_each_alone(texts):
    kept = []
    for text in texts:
        try:
            kept.append(names.normalise(text))
        except names.BadName:
            continue
    assert names.pinyin_many(kept) == [names.pinyin(name) for name in kept]
