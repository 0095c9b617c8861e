"""The figures of the notice of 2018-05-16, proved from the data files alone."""

import tomllib
from pathlib import Path

DATA = Path(__file__).parents[2] / "data"
AREAS = tomllib.loads((DATA / "areas" / "hunan-2018.toml").read_text("utf-8"))["area"]
PLAN = tomllib.loads((DATA / "programmes" / "hunan-2018.toml").read_text("utf-8"))
BY_CODE = {area["code"]: area for area in AREAS}


def holders_under(city: str) -> int:
    return sum(row["holders"] for row in PLAN["unit"] if BY_CODE[row["unit"]]["parent"] == city)


def test_the_three_places_add_up_to_the_notice():
    places = [holders_under("430100"), holders_under("430700"), holders_under("431000")]
    assert places == [125_867, 165_611, 7_007]
    assert sum(places) == 298_485


def test_phase_one_has_86682_holders():
    assert sum(row["holders"] for row in PLAN["unit"] if row["phase"] == 1) == 86_682


def test_there_are_25_issuing_units_ten_fourteen_and_one():
    issuing = [area for area in AREAS if area["issuing"]]
    assert len(issuing) == 25
    assert [sum(area["parent"] == city for area in issuing) for city in ("430100", "430700", "431000")] == [
        10,
        14,
        1,
    ]
    assert {area["code"] for area in issuing} == {row["unit"] for row in PLAN["unit"]}
    assert all(BY_CODE[row["unit"]]["name"] == row["name"] for row in PLAN["unit"])


def test_the_six_extension_units_have_codes_that_gbt_2260_never_uses():
    extension = [area for area in AREAS if area["kind"] in ("function_zone", "farm")]
    assert len(extension) == 6
    for area in extension:
        assert 71 <= int(area["code"][4:]) <= 79
        assert area["code"][:4] == area["parent"][:4]
        assert BY_CODE[area["parent_gb"]]["kind"] == "gb"


def test_every_code_is_unique_and_every_parent_is_known():
    former = [old["code"] for area in AREAS for old in area.get("former", [])]
    codes = [area["code"] for area in AREAS] + former
    assert len(set(codes)) == len(codes)
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert all(area["parent"] in BY_CODE for area in AREAS if area["level"] != "province")


def test_the_budget_is_542_wan_25():
    budget = PLAN["budget"]
    assert all(line["quantity"] * line["price_fen"] == line["amount_fen"] for line in budget)
    assert sum(line["amount_fen"] for line in budget) == 5_422_500 * 100
    assert sum(line["amount_fen"] for line in budget if line["basic"]) == 5_162_500 * 100


def test_the_machines_and_readers_are_one_per_issuing_unit():
    assert [line["quantity"] for line in PLAN["budget"] if line["quantity_unit"] == "台"] == [25, 25]


def test_no_milestone_ends_before_it_begins():
    assert all(step["from_month"] <= step["to_month"] for step in PLAN["milestone"])


def test_no_alias_names_two_columns_and_no_spelling_two_values():
    shape = tomllib.loads((DATA / "imports" / "second-generation.toml").read_text("utf-8"))
    tables = [
        [alias for column in shape["column"].values() for alias in column["aliases"]]
        + shape["ignored"]["aliases"],
        *([spelling for row in table.values() for spelling in row] for table in shape["values"].values()),
    ]
    assert all(len(set(names)) == len(names) for names in tables)
