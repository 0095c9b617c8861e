"""The card maker's stand-in: from a package to signed results, the same every time, and clear words when it cannot."""

import io
from pathlib import Path

import pytest

from made_cards import (
    CHANNEL,
    CONTENT_KEY,
    KEK,
    make_orders,
    make_package,
    make_profile,
    make_records,
    package_info,
)
from zhengka.formats.keyfile import read_public, write_public
from zhengka.formats.package import CardOrder, PackageWriter
from zhengka.formats.results import CardResult, ResultReader
from zhengka.formats.suites import SM, MalformedKey
from zhengka_maker.__main__ import main

PROFILE = make_profile()
ORDERS, DIGESTS = make_orders(PROFILE, make_records(60))
ISSUER = SM.generate()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A maker that trusts us."""
    write_public(tmp_path / "issuer.json", ISSUER.public)
    assert main(["init", str(tmp_path / "home")]) == 0
    assert main(["trust", str(tmp_path / "home"), str(tmp_path / "issuer.json")]) == 0
    return tmp_path / "home"


@pytest.fixture
def package(home: Path) -> Path:
    """Sixty cards in three members."""
    path = home.parent / "batch.zip"
    maker = read_public(home / "maker-public.json")
    make_package(path, ORDERS, signer=ISSUER, maker=maker, profile=PROFILE, each=20)
    return path


def make(package: Path, home: Path, *more: str, out: str = "results.jsonl") -> list[CardResult]:
    path = home.parent / out
    assert main(["run", str(package), "--home", str(home), "--out", str(path), *more]) == 0
    return list(ResultReader(path, read_public(home / "maker-public.json")).cards())


def complaint(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 1
    [line] = capsys.readouterr().err.splitlines()
    return line


def test_every_card_of_the_package_is_made_and_reads_back(package: Path, home: Path):
    cards = make(package, home, "--spoil", "0")
    assert {card.serial: card.readback for card in cards} == DIGESTS
    assert {card.outcome for card in cards} == {"good"}
    assert len({card.uid for card in cards}) == 60 and {len(card.uid) for card in cards} == {7}


def test_some_cards_are_spoiled_and_say_why(package: Path, home: Path):
    spoiled = [card for card in make(package, home, "--spoil", "0.3") if card.outcome == "spoiled"]
    assert 5 <= len(spoiled) <= 35
    assert all(card.reason and card.readback is None for card in spoiled)


def test_the_same_package_and_seed_give_the_same_file_however_many_hands(package: Path, home: Path):
    make(package, home, "--workers", "2", out="first")
    make(package, home, "--workers", "1", out="second")
    assert (home.parent / "first").read_bytes() == (home.parent / "second").read_bytes()


def test_another_seed_gives_other_chips(package: Path, home: Path):
    first = make(package, home, "--seed", "1", "--spoil", "0")
    second = make(package, home, "--seed", "2", "--spoil", "0")
    assert not {card.uid for card in first} & {card.uid for card in second}


def test_a_stopped_run_goes_on_from_its_parts(package: Path, home: Path):
    whole = make(package, home)
    [run] = (home / "runs").iterdir()
    (run / "results.jsonl").unlink()
    (run / "parts").mkdir()
    lines = [line + "\n" for line in (home.parent / "results.jsonl").read_text().splitlines()[1:21]]
    (run / "parts" / "cards-0001.bin").write_text("".join(lines))
    assert make(package, home) == whole


def test_a_run_that_was_killed_while_it_wrote_leaves_no_half_of_its_answer(package: Path, home: Path):
    before = make(package, home)
    run = next((home / "runs").iterdir())
    (run / "results.jsonl").rename(run / ".results.jsonl.4711")
    assert make(package, home) == before and [path.name for path in run.iterdir()] == ["results.jsonl"]


def test_a_duplicate_chip_can_be_planted(package: Path, home: Path):
    cards = make(package, home, "--plant", "duplicate-uid")
    assert len({card.uid for card in cards}) == 59


def test_a_wrong_read_back_can_be_planted(package: Path, home: Path):
    cards = make(package, home, "--spoil", "0", "--plant", "wrong-readback")
    assert [card.readback == DIGESTS[card.serial] for card in cards].count(False) == 1


def test_a_card_that_nobody_ordered_can_be_planted(package: Path, home: Path):
    cards = make(package, home, "--plant", "unordered-serial")
    assert len({card.serial for card in cards} - DIGESTS.keys()) == 1


def test_a_card_whose_power_went_can_be_planted(package: Path, home: Path):
    [suspect] = [card for card in make(package, home, "--spoil", "0", "--plant", "power-cut") if card.outcome != "good"]
    assert (suspect.outcome, suspect.readback, suspect.reason) == ("suspect", None, "the chip stopped answering")


def test_a_missing_card_can_be_planted_together_with_others(package: Path, home: Path):
    cards = make(package, home, "--plant", "missing-card", "--plant", "wrong-readback")
    assert len(DIGESTS.keys() - {card.serial for card in cards}) == 1


def test_a_card_whose_chip_refuses_is_spoiled_with_the_chips_own_reason(home: Path):
    broken = [CardOrder(ORDERS[0].serial, [*ORDERS[0].commands, bytes.fromhex("00A4000C020099")], {})]
    path = home.parent / "broken.zip"
    maker = read_public(home / "maker-public.json")
    make_package(path, broken, signer=ISSUER, maker=maker, profile=PROFILE)
    [card] = make(path, home, "--spoil", "0")
    assert (card.outcome, card.reason) == ("spoiled", "command 18: file or application not found")


def test_faces_that_are_no_pdf_stop_the_run(home: Path, capsys: pytest.CaptureFixture[str]):
    writer = PackageWriter(home.parent / "parts", package_info(PROFILE), content_key=CONTENT_KEY)
    writer.add_cards(1, ORDERS[:1])
    writer.add_faces(1, io.BytesIO(b"GIF89a"), cards=1)
    maker = read_public(home / "maker-public.json")
    writer.finish(home.parent / "x.zip", signer=ISSUER, maker=maker, kek=KEK, channel=CHANNEL)
    capsys.readouterr()
    line = complaint(capsys, "run", home.parent / "x.zip", "--home", home, "--out", home.parent / "r")
    assert line == "zhengka-maker: the package is not taken: not-a-pdf faces-0001.pdf"
    assert not (home.parent / "r").exists()


def test_a_damaged_package_is_refused_in_one_line(package: Path, home: Path, capsys: pytest.CaptureFixture[str]):
    package.write_bytes(package.read_bytes()[:-1000])
    capsys.readouterr()
    line = complaint(capsys, "run", package, "--home", home, "--out", home.parent / "r")
    assert line == "zhengka-maker: the package is not taken: not-a-package"


def test_a_package_that_is_not_there_is_said_in_one_line(home: Path, capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()
    assert "No such file" in complaint(capsys, "run", "none.zip", "--home", home, "--out", "r")


def test_a_maker_without_keys_or_trust_says_what_to_do(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    capsys.readouterr()
    assert "init first" in complaint(capsys, "run", package, "--home", tmp_path / "new", "--out", "r")
    main(["init", str(tmp_path / "new")])
    capsys.readouterr()
    assert "run zhengka-maker trust" in complaint(capsys, "run", package, "--home", tmp_path / "new", "--out", "r")


def test_init_keeps_an_old_key_and_hides_it_from_others(home: Path):
    before = (home / "maker-public.json").read_bytes()
    assert main(["init", str(home)]) == 0
    assert (home / "maker-public.json").read_bytes() == before
    assert (home / "maker-private.json").stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_public_key_is_refused(home: Path, capsys: pytest.CaptureFixture[str]):
    capsys.readouterr()
    for text in ("", "{}", "[]", (home / "maker-public.json").read_text().replace("key_id", "id")):
        (home.parent / "key.json").write_text(text)
        assert complaint(capsys, "trust", home, home.parent / "key.json").endswith("key.json is not a public key file")
        with pytest.raises(MalformedKey):
            read_public(home.parent / "key.json")


@pytest.mark.parametrize("more", [["--spoil", "2"], ["--plant", "fire"], ["--workers", "0"]])
def test_wrong_usage_ends_with_status_two(more: list[str]):
    with pytest.raises(SystemExit) as ended:
        main(["run", "x.zip", "--home", "h", "--out", "r", *more])
    assert ended.value.code == 2
