"""Card keys by every rule are those that `openssl enc` computes, in one level and in two."""

import json
from pathlib import Path

import pytest

from zhengka.formats.diversify import RULES, draw

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "diversify.json").read_text())
REGION, CARD = map(bytes.fromhex, VECTORS["chained_factors"])
rules = pytest.mark.parametrize("rule", sorted(RULES))


@rules
def test_the_keys_are_those_of_openssl(rule: str) -> None:
    for row in VECTORS["rules"][rule]["masters"]:
        master, factors = bytes.fromhex(row["master"]), [bytes.fromhex(factor) for factor in row["keys"]]
        assert [key.hex().upper() for key in draw(rule, master, factors)] == list(row["keys"].values())
        assert draw(rule, master, [CARD], through=[REGION])[0].hex().upper() == row["chain"]


def test_the_published_example_of_two_levels_is_met() -> None:
    master = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    assert draw("SM4", master, [REGION])[0].hex().upper() == "31FEF18362AF400F53D579FE939E0C62"
    assert draw("SM4", master, [CARD], through=[REGION])[0].hex().upper() == "1F5A7054C122A67A0960C4C2218D850B"


@rules
def test_a_master_or_a_factor_of_another_length_is_refused(rule: str) -> None:
    for master, factor in ((bytes(15), bytes(8)), (bytes(24), bytes(8)), (bytes(16), bytes(7)), (bytes(16), b"")):
        with pytest.raises(ValueError):
            draw(rule, master, [factor])
        with pytest.raises(ValueError):
            draw(rule, master, [bytes(8)], through=[factor] if len(factor) != 8 else [bytes(9)])
