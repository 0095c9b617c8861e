"""Known answers for status lists, claim lists and deltas: the same that gates in other languages run."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from zhengka.formats import statusdelta, statuslist
from zhengka.formats.issuers import KeySet
from zhengka.formats.statuslist import STATUS_LIST, BadStatusList, StatusList

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "statuslist.json").read_text("utf-8"))
KEYS = KeySet.from_json(json.dumps(VECTORS["trusted"]))
AT = datetime.fromisoformat(VECTORS["at"])
LISTS = {vector["name"]: vector for vector in VECTORS["lists"]}


def known(name: str) -> StatusList | None:
    """The list of this name as a gate holds it."""
    if not name:
        return None
    vector = LISTS[name]
    kind = statuslist.claim_list(vector["claim"]) if vector["claim"] else STATUS_LIST
    return statuslist.parse(bytes.fromhex(vector["data"]), keys=KEYS, at=AT, kind=kind)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_the_vectors_says_what_it_says(name: str) -> None:
    found, vector = known(name), LISTS[name]
    assert "".join(str(found.told(index)) for index in range(found.header.capacity)) == vector["numbers"]
    assert (found.number, found.version, found.header.capacity) == tuple(
        vector[each] for each in ("number", "version", "capacity"))
    assert found.digest.hex() == vector["digest"]


@pytest.mark.parametrize("vector", VECTORS["deltas"], ids=lambda vector: f"{vector['before']} to {vector['after']}")
def test_a_delta_of_the_vectors_makes_one_list_of_the_other(vector: dict[str, Any]) -> None:
    before, after = known(vector["before"]), known(vector["after"])
    assert statusdelta.apply(bytes.fromhex(vector["data"]), before, keys=KEYS, at=AT) == after
    assert len(vector["data"]) < len(LISTS[vector["after"]]["data"]) or vector["after"] != "second"


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=lambda vector: f"{vector['what']}: {vector['name']}")
def test_what_is_bad_in_the_vectors_is_refused_by_its_name(vector: dict[str, Any]) -> None:
    data, held = bytes.fromhex(vector["data"]), known(vector["known"])
    with pytest.raises(BadStatusList) as refusal:
        if vector["what"] == "list":
            statuslist.parse(data, keys=KEYS, at=AT, known=held)
        else:
            statusdelta.apply(data, held, keys=KEYS, at=AT)
    assert refusal.value.code == vector["code"]
