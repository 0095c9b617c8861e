"""A gate takes a bundle whole or not at all, and by small steps where it can; known answers for every language."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bundle_vectors import FIRST, LISTS, SIGNER, delta, listed, manifest, place, signer
from issued import NOON
from zhengka.formats import bundle, statuslist
from zhengka.formats.bundle import MANIFEST, BadBundle, Held
from zhengka.formats.issuers import KeySet
from zhengka.formats.statuslist import Status

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "bundle.json").read_text("utf-8"))
KEYS = KeySet.from_json(json.dumps(VECTORS["trusted"]))
AT = datetime.fromisoformat(VECTORS["at"])


def take(place: str, held: str = "", whose: str = "public", fetched: list[str] | None = None) -> Held:
    """The bundle of a place of the vectors, after another one."""
    before = take(held, whose=whose) if held else None

    def fetch(name: str) -> bytes | None:
        if fetched is not None:
            fetched.append(name)
        found = VECTORS["places"][place].get(name)
        return None if found is None else bytes.fromhex(found)

    return bundle.take(fetch, trusted=KEYS, at=AT, bundle=whose, held=before)


@pytest.mark.parametrize("vector", VECTORS["takes"], ids=lambda vector: f"{vector['held']} > {vector['place']}")
def test_a_bundle_of_the_vectors_is_taken_or_refused_by_its_name(vector: dict[str, Any]) -> None:
    fetched: list[str] = []
    options = {"held": vector["held"], "whose": vector["bundle"], "fetched": fetched}
    if vector["code"]:
        with pytest.raises(BadBundle) as refusal:
            take(vector["place"], **options)
        assert refusal.value.code == vector["code"]
        return
    held = take(vector["place"], **options)
    assert sorted(fetched) == sorted([MANIFEST, *vector["fetched"]])
    for name, data in VECTORS["places"][vector["place"]].items():
        if kind := bundle.kind_of(name):
            assert held.list_of(name) == statuslist.unchecked(bytes.fromhex(data), kind=kind[0])
        elif name in held.files:
            assert held.files[name] == bytes.fromhex(data)


def test_what_was_brought_up_by_deltas_is_what_comes_whole() -> None:
    by_steps, whole = take("deltas alone", "first"), take("third")
    assert (by_steps.manifest, by_steps.lists) == (whole.manifest, whole.lists)
    assert by_steps.lists[7].status(1) is Status.SUSPENDED


def test_a_claim_is_held_beside_the_status_of_its_cards() -> None:
    held = take("operator", whose="changsha-metro")
    assert (held.claims["0a1b2c3d", 7].told(59), held.claims["0a1b2c3d", 7].told(60)) == (1, 0)
    assert held.files["rulebook.json"] and list(held.lists) == [7]


def test_a_bundle_is_too_old_after_its_own_age_and_not_a_moment_before() -> None:
    taken = take("first").manifest
    assert not taken.too_old(NOON + timedelta(hours=72)) and taken.too_old(NOON + timedelta(hours=72, seconds=1))
    assert taken.age(NOON - timedelta(hours=1)) == timedelta(hours=-1) and not taken.too_old(NOON - timedelta(hours=1))


def test_every_single_changed_bit_of_a_manifest_is_noticed() -> None:
    good = bytearray(FIRST[MANIFEST])
    for bit in range(len(good) * 8):
        good[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadBundle):
            bundle.parse(bytes(good), keys=KEYS, at=NOON)
        good[bit // 8] ^= 1 << bit % 8
    assert bundle.parse(bytes(good), keys=KEYS, at=NOON).version == 1000


def test_a_manifest_cut_anywhere_is_refused() -> None:
    for size in range(len(FIRST[MANIFEST])):
        with pytest.raises(BadBundle):
            bundle.parse(FIRST[MANIFEST][:size], keys=KEYS, at=NOON)


def test_a_gate_that_is_far_behind_takes_the_whole_list() -> None:
    lists = [listed(7, 100 + step, f"{step % 4}" * 8) for step in range(bundle.MOST_STEPS + 2)]
    chain = {bundle.delta_name("status-7.bin", 100 + step): delta(lists[step], lists[step + 1])
             for step in range(len(lists) - 1)}
    held = bundle.take(place({"status-7.bin": lists[0]}, 1).get, trusted=KEYS, at=NOON)
    for newest, by_steps in ((-2, True), (-1, False)):
        there = place(chain | {"status-7.bin": lists[newest]}, 2)
        fetched: list[str] = []
        taken = bundle.take(lambda name, there=there, fetched=fetched: fetched.append(name) or there.get(name),
                            trusted=KEYS, at=NOON, held=held)
        assert taken.lists[7] == statuslist.unchecked(lists[newest])
        assert ("status-7.bin" not in fetched) is by_steps and len(fetched) == 18 - by_steps


def test_what_is_not_there_any_more_is_forgotten() -> None:
    files = {"keys.json": FIRST["keys.json"]}
    held = bundle.take(FIRST.get, trusted=KEYS, at=NOON)
    gone = files | {MANIFEST: bundle.build(manifest(files, 1001), **signer())}
    assert bundle.take(gone.get, trusted=KEYS, at=NOON, held=held).lists == {}


def test_the_entry_of_a_list_says_its_version() -> None:
    assert bundle.File.of("status-7.bin", LISTS[2]).version == 102
    assert bundle.File.of("rulebook.json", b"{}").version == 0
    assert SIGNER.key.public.key_id.hex() in FIRST["keys.json"].decode()
