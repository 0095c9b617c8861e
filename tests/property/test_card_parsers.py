"""Whatever comes in, chip, profile, package and results answer or raise their own error, and nothing else."""

import copy
import os
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from made_cards import KEK, blank_chip, make_keys, make_orders, make_package, make_profile, make_records, profile_table
from zhengka.formats.apdu import decode_response
from zhengka.formats.chip import PowerCut, ProfileBroken, Script, SoftCard, compile_many, lint, load
from zhengka.formats.package import PackageBroken, PackageReader
from zhengka.formats.results import CardResult, ResultReader, ResultsBroken, ResultsInfo, ResultWriter
from zhengka.formats.suites import SM

PROFILE = make_profile()
RECORDS = make_records(3)
SCRIPTS = compile_many(PROFILE, RECORDS, keys_by_slot=make_keys(PROFILE, RECORDS), kek=KEK)
ISSUER, MAKER = SM.generate(), SM.generate()
_KEPT = tempfile.TemporaryDirectory(prefix="zhengka-parsers-")
FOLDER = Path(_KEPT.name)
HEADERS = st.sampled_from([command[:4] for command in SCRIPTS[0].commands] + [bytes.fromhex("00840000"), b"\0\x82\0\3"])
COMMANDS = st.binary(max_size=80) | st.builds(lambda head, rest: head + rest, HEADERS, st.binary(max_size=60))


def sample_package() -> bytes:
    orders, _ = make_orders(PROFILE, RECORDS)
    make_package(FOLDER / "sample.zip", orders, signer=ISSUER, maker=MAKER.public, profile=PROFILE, each=2)
    return (FOLDER / "sample.zip").read_bytes()


def sample_results() -> bytes:
    with ResultWriter(FOLDER / "sample", ResultsInfo(UUID(int=1), "b", bytes(32)), MAKER) as writer:
        writer.add(CardResult("1" * 16, bytes(7), b"\x3b\x00", bytes(32), "good", ""))
    return (FOLDER / "sample").read_bytes()


PACKAGE, RESULTS = sample_package(), sample_results()


def edits(whole: bytes) -> st.SearchStrategy[bytes]:
    """The whole with a piece replaced by other bytes, shorter or longer."""
    place = st.integers(0, len(whole))
    return st.builds(lambda at, cut, new: whole[:at] + new + whole[at + cut :], place, place, st.binary(max_size=40))


def read_package(data: bytes) -> list[Any]:
    path = FOLDER / f"{os.getpid()}.zip"
    path.write_bytes(data)
    with PackageReader(path, MAKER, ISSUER.public) as reader:
        return [order for member in reader.members for order in reader.orders(member)]


@given(st.lists(COMMANDS, max_size=20))
def test_a_chip_answers_every_command_with_a_status_word(commands: list[bytes]):
    card = blank_chip(PROFILE)
    for command in SCRIPTS[0].commands[: len(commands)]:
        card.transmit(command)
    for command in commands:
        assert decode_response(card.transmit(command)).sw >= 0x6100


@given(st.integers(0, len(SCRIPTS[0].commands)), COMMANDS, st.integers(0, 5))
def test_a_chip_that_loses_its_power_is_the_old_one_or_the_new_one(made: int, command: bytes, writes: int):
    card = blank_chip(PROFILE)
    for each in SCRIPTS[0].commands[:made]:
        card.transmit(each)
    before, whole = card.memory, SoftCard.of(card.memory)
    whole._session = copy.deepcopy(card._session)
    whole.transmit(command)
    card.power_cut_after(writes)
    try:
        card.transmit(command)
    except PowerCut:
        assert card.memory in (before, whole.memory)
    else:
        assert card.memory == whole.memory


@given(st.lists(COMMANDS, max_size=20))
def test_the_linter_reads_any_script(commands: list[bytes]):
    assert lint(PROFILE, Script("1" * 16, commands), RECORDS[0])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from(["0015", "free", "serial"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(profile_table())), JSON)
def test_a_profile_with_anything_in_any_place_loads_or_is_refused(name: str, value: object):
    try:
        load(profile_table() | {name: value}, source="fuzz.toml")
    except ProfileBroken as refused:
        assert "fuzz.toml" in refused.where


@given(st.sampled_from(["keys", "files", "kinds"]), st.integers(0, 1), st.data())
def test_a_profile_part_with_anything_in_any_place_loads_or_is_refused(part: str, place: int, data: st.DataObject):
    table = profile_table()
    name = data.draw(st.sampled_from(sorted(table[part][place])))
    table[part][place][name] = data.draw(JSON)
    try:
        load(table, source="fuzz.toml")
    except ProfileBroken as refused:
        assert "fuzz.toml" in refused.where


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(edits(PACKAGE) | st.binary(max_size=300))
@example(b"PK\5\6" + bytes(18))
def test_a_package_is_whole_or_refused(data: bytes):
    try:
        orders = read_package(data)
    except PackageBroken:
        return
    assert orders == read_package(PACKAGE)


@given(edits(RESULTS) | st.binary(max_size=300))
def test_results_are_whole_or_refused(data: bytes):
    path = FOLDER / f"{os.getpid()}.jsonl"
    path.write_bytes(data)
    try:
        cards = list(ResultReader(path, MAKER.public).cards())
    except ResultsBroken:
        return
    assert data == RESULTS and len(cards) == 1
