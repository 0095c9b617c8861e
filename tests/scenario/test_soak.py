"""A batch whose worker, database or package writer is killed at seeded points is made once, and adds up (I9, I10).

`make soak` breaks a hundred lives, `SEEDS=… make soak` as many as one likes, `make test` twenty. One alone:
`pytest "tests/scenario/test_soak.py::test_a_batch_that_was_broken_anywhere_adds_up[17]"`. What is broken, and how it
is looked at, is in `tests/soak`; it has a home and a server of its own, for the server is killed too.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEEDS = int(os.environ.get("SEEDS", "20"))
pytestmark = [pytest.mark.xdist_group("soak"), pytest.mark.own_home]


class Soak:
    """The process that breaks lives, asked line by line."""

    def __init__(self, home: Path) -> None:
        self.home, self.said = home, home / "said.log"
        self._environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {
            "ZHENGKA_HOME": str(home)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak"], cwd=ROOT, env=self._environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.said.open("w"))

    def ask(self, what: object) -> dict:
        """What came of a seed or a story; it is printed, so that a red test tells it."""
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self.said.read_text()[-3000:]
        print(line)
        return json.loads(line)

    def end(self) -> None:
        """No more questions; the server of this home stops."""
        self._process.stdin.close()
        self._process.wait(timeout=60)
        subprocess.run([sys.executable, "-m", "zhengka.cli", "db", "stop"], check=False, capture_output=True,
                       env=self._environment)


@pytest.fixture(scope="module")
def soak(tmp_path_factory):
    running = Soak(tmp_path_factory.mktemp("soak"))
    yield running
    running.end()


def test_a_batch_that_nobody_breaks_adds_up_and_tells_the_points(soak):
    calm = soak.ask("calm")
    assert calm["faults"] == []
    assert calm["points"]["row"] > 300 and calm["points"]["file"] > 60, "the walk sees what a life writes"


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_a_batch_that_was_broken_anywhere_adds_up(soak, seed):
    told = soak.ask(seed)
    assert told["faults"] == [] and told["broken"] >= 1


@pytest.mark.parametrize("moment", ["signs", "writes", "settles", "packs"])
def test_a_worker_that_sleeps_beyond_its_lease_makes_nothing_a_second_time(soak, moment):
    told = soak.ask(moment)
    assert told["faults"] == []


def test_a_full_disk_stalls_a_batch_that_says_why_and_goes_on_once_there_is_room(soak):
    told = soak.ask("disk")
    if told["skipped"]:
        pytest.skip(f"a disk of one's own takes the right to mount: {told['skipped']}")
    assert told["faults"] == []
    assert [(seen["state"], seen["problem"], seen["moved"]) for seen in told["seen"]] == [
        ("stalled", "disk-full", 0), ("stalled", "disk-full", 11)]


@pytest.mark.parametrize(("broken", "sentence"), [
    ("lost", "11 items"), ("twice", "13 items"), ("chip", "values of uid are used twice"),
    ("signature", "signatures of the credential key were counted"), ("kept", "good for nothing is suspect"),
    ("order", "no other card, or more than one"), ("letter", "0 letters"), ("event", "the events of a good card are"),
    ("blank", "by entries"), ("parcel", "cards wait of")])
def test_the_balance_finds_what_is_planted(soak, broken, sentence):
    assert soak.ask("nothing")["found"] == []
    assert sentence in " ".join(soak.ask(broken)["found"])
