"""What a gate answers to a card that is shown: the vectors that its twin in JavaScript runs, too, and more."""

import base64
import importlib.util
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from zhengka.formats import presenting, qr, rulebook, statuslist, verdict
from zhengka.formats.judging import MISSES, Used
from zhengka.formats.presenting import NEUTRAL, WORDS, Place, Scanned, subject

VECTORS = Path(__file__).parents[1] / "vectors"
KNOWN = json.loads((VECTORS / "presenting.json").read_text("utf-8"))
_spec = importlib.util.spec_from_file_location("make_presenting", VECTORS / "make_presenting.py")
assert _spec and _spec.loader
making = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(making)
FILES = {name: base64.b64decode(text) for name, text in KNOWN["files"].items()}
BUNDLES = {name: making.held(told, FILES) for name, told in KNOWN["bundles"].items()}


@pytest.mark.parametrize("case", KNOWN["cases"], ids=lambda case: case["name"])
def test_a_card_that_is_shown_gets_the_answer_that_is_written_down(case: dict[str, Any]) -> None:
    answer = presenting.present(
        making.read_shown(case["shown"]), bundle=BUNDLES[case["bundle"]], place=Place(**case["place"]),
        at=datetime.fromisoformat(case["at"]), used={rule: Used(*times) for rule, times in case["used"].items()})
    assert answer.to_dict() == case["answer"]


@pytest.mark.parametrize("case", KNOWN["unreadable"], ids=lambda case: case["name"])
def test_a_file_that_is_damaged_or_in_anothers_place_is_refused_by_name(case: dict[str, Any]) -> None:
    assert making.refused(case["read_as"], base64.b64decode(case["file"])) == case["error"]


def test_the_vectors_are_what_their_program_makes() -> None:
    assert making.spell(making.make(KNOWN["signatures"])) == (VECTORS / "presenting.json").read_text("utf-8")


@pytest.mark.parametrize("told", KNOWN["every_bit"], ids=lambda told: told["bundle"])
def test_every_flipped_bit_of_a_code_is_refused_and_gives_nothing(told: dict[str, Any]) -> None:
    payload, place, at = bytearray.fromhex(told["payload"]), Place(**told["place"]), datetime.fromisoformat(told["at"])

    def answer() -> presenting.Answer:
        return presenting.present(Scanned(qr.to_text(bytes(payload), told["host"])), bundle=BUNDLES[told["bundle"]],
                                  place=place, at=at)
    for bit in range(len(payload) * 8):
        payload[bit // 8] ^= 1 << bit % 8
        found = answer()
        assert (found.colour, found.benefit, found.companions, found.subject) == ("red", "", 0, b""), bit
        payload[bit // 8] ^= 1 << bit % 8
    assert answer().ok


def test_the_vectors_show_every_answer_that_there_is() -> None:
    assert {case["answer"]["code"] for case in KNOWN["cases"]} == WORDS.keys()
    assert len({case["name"] for case in KNOWN["cases"]}) == len(KNOWN["cases"]) >= 60


def test_every_answer_is_said_in_both_languages_and_green_means_pass() -> None:
    assert [code for code, word in WORDS.items() if word.colour == "green"] == ["valid", "shown"]
    for word in WORDS.values():
        assert word.colour in presenting.TONES and word.colour in presenting.VIBRATIONS
        assert word.en.endswith(".") and word.zh.endswith("。")
    assert WORDS.items() >= verdict.WORDS.items() and set(MISSES) <= WORDS.keys()


def test_a_good_card_without_a_benefit_is_told_so_kindly_and_never_why() -> None:
    kind = [word for word in WORDS.values() if word.colour == NEUTRAL]
    assert len(kind) == 4 and presenting.TONES[NEUTRAL] not in ("stop", "ask")
    for word in (*kind, *WORDS.values()):
        for telling in ("category", "grade", "类别", "等级", "级", "视力", "精神"):
            assert telling not in word.en + word.zh
    for case in KNOWN["cases"]:
        assert not case["answer"]["rule"] or case["answer"]["colour"] == "green"


def test_who_sees_only_the_verdict_is_told_no_price() -> None:
    quiet = next(case["answer"] for case in KNOWN["cases"] if case["bundle"] == "quiet")
    assert quiet["zh"] == "此卡有效。" and quiet["en"] == "The card is valid."


def test_a_pseudonym_is_of_one_card_one_operator_and_one_month_of_china() -> None:
    end = datetime.fromisoformat("2026-11-30T23:59:59+08:00")
    here = subject("bus", b"token of 12b", end)
    assert len(here) == 16 and here == subject("bus", b"token of 12b", end - timedelta(days=29))
    others = [subject("bus", b"token of 12b", end + timedelta(seconds=1)), subject("zoo", b"token of 12b", end),
              subject("bus", b"token of 12c", end)]
    assert len({here, *others}) == 4


def test_a_gate_that_is_told_less_never_gives_more() -> None:
    """Without its lists of claims a gate gives nobody what it does not give with them."""
    for case in KNOWN["cases"]:
        bundle = BUNDLES[case["bundle"]]
        blind = replace(bundle, claims={})
        asked = {"place": Place(**case["place"]), "at": datetime.fromisoformat(case["at"]),
                 "used": {rule: Used(*times) for rule, times in case["used"].items()}}
        shown = making.read_shown(case["shown"])
        without = presenting.present(shown, bundle=blind, **asked)
        if without.ok and not isinstance(shown, presenting.Tapped):
            assert presenting.present(shown, bundle=bundle, **asked).to_dict() == without.to_dict()


def test_a_list_of_claims_is_of_one_claim() -> None:
    for bad in ("", "A", "a b", "-a", "a" * 65):
        with pytest.raises(statuslist.BadStatusList, match="list-value"):
            statuslist.claim_list(bad)
    assert statuslist.claim_list("d8cb024c") != statuslist.claim_list("6774f46e")


def test_a_rulebook_is_its_own_json() -> None:
    for bundle in BUNDLES.values():
        assert rulebook.parse(bundle.rulebook.to_json()) == bundle.rulebook
