"""Results of the card maker: complete, signed, in flat memory, and refused when anything was touched."""

from pathlib import Path
from uuid import UUID

import pytest

from zhengka.formats import results
from zhengka.formats.results import CardResult, Counts, ResultReader, ResultsBroken, ResultsInfo, ResultWriter
from zhengka.formats.suites import SM, SUITES, SigningKey

INFO = ResultsInfo(UUID(int=7), "430104-0001", bytes(range(32)))
KEY = SM.generate()
GOOD = CardResult("4301040000000019", bytes(7), bytes.fromhex("3B8001"), bytes(32), "good", "")
SPOILED = CardResult("4301040000000027", b"\x01" * 7, bytes.fromhex("3B8001"), None, "spoiled", "the feeder jammed")


def written(path: Path, cards: list[CardResult], *, key: SigningKey = KEY) -> Path:
    with ResultWriter(path, INFO, key) as writer:
        for card in cards:
            writer.add(card)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ResultsBroken) as refused:
        list(ResultReader(path, KEY.public).cards())
    return refused.value.code


@pytest.mark.parametrize("suite", ["SM", "INTL"])
def test_results_read_as_they_were_written(tmp_path: Path, suite: str):
    key = SUITES[suite].generate()
    suspect = SPOILED._replace(outcome="suspect")
    reader = ResultReader(written(tmp_path / "r", [GOOD, SPOILED, suspect, GOOD], key=key), key.public)
    assert list(reader.cards()) == [GOOD, SPOILED, suspect, GOOD]
    assert reader.info == INFO
    assert reader.counts == Counts(cards=4, good=2, spoiled=1, suspect=1)


def test_a_batch_in_which_nothing_was_made_still_has_results(tmp_path: Path):
    assert ResultReader(written(tmp_path / "r", []), KEY.public).counts == Counts(0, 0, 0, 0)


def test_a_maker_who_counts_no_suspect_cards_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as older:
        older.setattr(results, "OUTCOMES", ("good", "spoiled"))
        path = written(tmp_path / "r", [GOOD, SPOILED])
    assert b"suspect" not in path.read_bytes()
    assert ResultReader(path, KEY.public).counts == Counts(2, 1, 1, 0)


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path):
    with pytest.raises(ValueError, match="good, spoiled or suspect"), ResultWriter(tmp_path / "r", INFO, KEY) as writer:
        writer.add(GOOD._replace(outcome="fine"))
    assert list(tmp_path.iterdir()) == []


def test_another_makers_results_are_not_taken(tmp_path: Path):
    assert refusal(written(tmp_path / "r", [GOOD], key=SM.generate())) == "wrong-signature"


def test_every_changed_byte_is_seen(tmp_path: Path):
    path = written(tmp_path / "r", [GOOD, SPOILED])
    whole = path.read_bytes()
    for place in range(0, len(whole), 5):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert refusal(path) in ("wrong-signature", "bad-line", "truncated")


def test_results_cut_anywhere_are_refused(tmp_path: Path):
    path = written(tmp_path / "r", [GOOD, SPOILED])
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert refusal(path) in ("truncated", "bad-line")


@pytest.mark.parametrize("order", [(0, 2, 1, 3, 4), (0, 1, 3, 4), (0, 1, 1, 2, 3, 4), (1, 2, 3, 4), (0, 1, 2, 4)])
def test_a_line_that_is_moved_left_out_or_repeated_is_seen(tmp_path: Path, order: tuple[int, ...]):
    path = written(tmp_path / "r", [GOOD, SPOILED])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[place] for place in order))
    assert refusal(path) == "wrong-signature"


def test_an_endless_line_is_not_read_to_its_end(tmp_path: Path):
    path = tmp_path / "r"
    path.write_bytes(b"x" * 10_000)
    assert refusal(path) == "line-too-long"


@pytest.mark.parametrize(
    "card",
    [
        GOOD._replace(serial="none"),
        GOOD._replace(uid=b"\x01"),
        GOOD._replace(atr=b""),
        GOOD._replace(readback=bytes(31)),
        GOOD._replace(readback=None),
        GOOD._replace(reason="but"),
        SPOILED._replace(reason="x" * 201),
    ],
)
def test_a_signed_line_that_makes_no_sense_is_refused(tmp_path: Path, card: CardResult):
    assert refusal(written(tmp_path / "r", [card])) == "bad-card"


@pytest.mark.parametrize(
    ("number", "old", "new", "code"),
    [
        (0, "zhengka-results/1", "zhengka-results/2", "unknown-format"),
        (0, '"result":"', '"result":"x', "bad-line"),
        (0, '"SM"', '"INTL"', "wrong-maker"),
        (0, '"batch":"430104-0001"', '"batch":7', "bad-line"),
        (2, '"good":1', '"good":2', "wrong-counts"),
        (1, '"uid":"', '"uid":"zz', "bad-line"),
        (1, "{", "[{", "bad-line"),
    ],
)
def test_a_fault_of_the_makers_own_is_refused_though_it_is_signed(
    tmp_path: Path, number: int, old: str, new: str, code: str
):
    lines = written(tmp_path / "r", [GOOD]).read_text().splitlines(keepends=True)[:-1]
    lines[number] = lines[number].replace(old, new)
    chain = b"zhengka results"
    for line in lines:
        chain = SM.digest(chain + line.encode())
    (tmp_path / "r").write_text("".join(lines) + f'{{"signature":"{KEY.sign(chain).hex()}"}}\n')
    assert refusal(tmp_path / "r") == code
