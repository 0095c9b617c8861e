"""A package in parts: whatever is broken on the way is named, and it alone is fetched again."""

import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from zhengka.formats import parts
from zhengka.formats.keyfile import write_public
from zhengka.formats.parts import LEAST, Assembly, PartBroken, PartList
from zhengka.formats.statement import StatementBroken
from zhengka.formats.suites import SM, SUITES
from zhengka_maker import fetching
from zhengka_maker.__main__ import main

ISSUER = SM.generate()
DATA = bytes(range(256)) * 1100  # five parts, the last of them shorter


@pytest.fixture
def plan(tmp_path: Path) -> PartList:
    """A package in a folder of the office, with its parts and their signed list."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "b.zkp").write_bytes(DATA)
    plan = parts.cut(folder / "b.zkp", LEAST, batch="b", package=bytes(32), suite="SM")
    for number in range(1, len(plan.digests) + 1):
        (folder / plan.name(number)).write_bytes(parts.piece(folder / "b.zkp", plan, number))
    (folder / "b.zkp.parts").write_bytes(parts.sign(plan, ISSUER))
    (folder / "b.zkp").rename(tmp_path / "whole")
    return plan


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A maker that trusts the office."""
    write_public(tmp_path / "issuer.json", ISSUER.public)
    assert main(["init", str(tmp_path / "home")]) == 0
    assert main(["trust", str(tmp_path / "home"), str(tmp_path / "issuer.json")]) == 0
    return tmp_path / "home"


def fetch(home: Path, source: str = "") -> int:
    folder = home.parent / "out"
    return main(["fetch", str(folder / "b.zkp.parts"), source or str(folder), "--home", str(home),
                 "--out", str(home.parent / "got.zkp")])


def test_parts_make_the_whole_again(plan, home, capsys):
    assert len(plan.digests) == 5 and fetch(home) == 0
    assert (home.parent / "got.zkp").read_bytes() == DATA
    assert "5 of 5 parts came now" in capsys.readouterr().out


@pytest.mark.parametrize("harm", [
    lambda path: path.write_bytes(path.read_bytes()[:-1]), lambda path: path.write_bytes(path.read_bytes() + b"x"),
    lambda path: path.write_bytes(b"\1" + path.read_bytes()[1:]), lambda path: path.unlink(),
    lambda path: path.write_bytes(b"")])
def test_a_broken_part_is_named_and_it_alone_is_fetched_again(plan, home, capsys, harm):
    broken = home.parent / "out" / plan.name(3)
    whole = broken.read_bytes()
    harm(broken)
    assert fetch(home) == 1
    said = capsys.readouterr().err
    assert "b.zkp.0003" in said and "b.zkp.0002" not in said and not (home.parent / "got.zkp").exists()
    for other in (1, 2, 4, 5):
        (home.parent / "out" / plan.name(other)).unlink()
    broken.write_bytes(whole)
    assert fetch(home) == 0
    assert (home.parent / "got.zkp").read_bytes() == DATA and "1 of 5 parts" in capsys.readouterr().out


def test_what_was_broken_on_the_makers_own_disk_is_fetched_again(plan, home, capsys):
    (home.parent / "out" / plan.name(5)).unlink()
    assert fetch(home) == 1
    half = home.parent / ".got.zkp.parts"
    with half.open("r+b") as file:
        file.seek(LEAST + 5)
        file.write(b"\xff\xff\xff")
    shutil.copyfile(home.parent / "whole", home.parent / "out" / "b.zkp")  # the whole does as well as its parts
    capsys.readouterr()
    assert fetch(home) == 0 and "2 of 5 parts" in capsys.readouterr().out


class Ranged(SimpleHTTPRequestHandler):
    """A plain file server that knows ranges, for one file."""

    asked: list[str] = []

    def do_GET(self):
        ranged = self.headers.get("Range")
        type(self).asked.append(f"{self.path} {ranged or ''}".strip())
        if not ranged:
            super().do_GET()
            return
        first, last = map(int, ranged.removeprefix("bytes=").split("-"))
        data = Path(self.translate_path(self.path)).read_bytes()[first:last + 1]
        self.send_response(206)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(plan, home):
    """The office's folder behind HTTP."""
    Ranged.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranged, directory=str(home.parent / "out"))) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_parts_come_from_a_server_and_those_that_are_not_there_are_named(plan, home, server, capsys):
    (home.parent / "out" / plan.name(2)).rename(home.parent / "kept")
    assert fetch(home, server) == 1 and "b.zkp.0002" in capsys.readouterr().err
    (home.parent / "kept").rename(home.parent / "out" / plan.name(2))
    Ranged.asked.clear()
    assert fetch(home, server) == 0 and Ranged.asked == ["/b.zkp.0002"]
    assert (home.parent / "got.zkp").read_bytes() == DATA


def test_a_whole_package_on_a_server_is_fetched_by_ranges(plan, home, server):
    for number in range(1, 6):
        (home.parent / "out" / plan.name(number)).unlink()
    shutil.copyfile(home.parent / "whole", home.parent / "out" / "b.zkp")
    assert fetch(home, server) == 0 and (home.parent / "got.zkp").read_bytes() == DATA
    assert f"/b.zkp bytes={LEAST}-{2 * LEAST - 1}" in Ranged.asked


def test_a_server_without_ranges_gives_no_part_of_the_whole(plan, home, server, capsys, monkeypatch):
    for number in range(1, 6):
        (home.parent / "out" / plan.name(number)).unlink()
    shutil.copyfile(home.parent / "whole", home.parent / "out" / "b.zkp")
    monkeypatch.setattr(Ranged, "do_GET", SimpleHTTPRequestHandler.do_GET)
    assert fetch(home, server) == 1 and "knows no ranges" in capsys.readouterr().err


def test_a_list_of_another_issuer_or_with_one_bit_changed_is_not_believed(plan):
    text = parts.sign(plan, ISSUER)
    with pytest.raises(StatementBroken, match="wrong-signature"):
        parts.read(text, SM.generate().public)
    for place in range(0, len(text), 29):
        changed = text[:place] + bytes([text[place] ^ 1]) + text[place + 1:]
        with pytest.raises(StatementBroken):
            parts.read(changed, ISSUER.public)
    for size in range(0, len(text), 17):
        with pytest.raises(StatementBroken):
            parts.read(text[:size], ISSUER.public)


@pytest.mark.parametrize("change", [
    {"file": "../b.zkp"}, {"file": "/etc/b"}, {"file": ".b"}, {"file": "b\n"}, {"file": 1}, {"size": 0}, {"size": "9"},
    {"size": 10**15}, {"part": 1}, {"part": 1 << 40}, {"parts": []}, {"parts": ["00"] * 5}, {"parts": [7] * 5},
    {"parts": {}}, {"package": "ab"}, {"format": "zhengka-parts/2"}, {"size": True}])
def test_a_signed_list_that_says_nonsense_is_refused(plan, change):
    said = json.loads(parts.sign(plan, ISSUER).splitlines()[0])
    from zhengka.formats import statement
    with pytest.raises(StatementBroken):
        parts.read(statement.sign(said | change, ISSUER), ISSUER.public)


def test_parts_of_a_size_that_is_no_ones_are_not_cut(tmp_path):
    (tmp_path / "x").write_bytes(b"1")
    for size in (0, LEAST - 1, parts.MOST + 1):
        with pytest.raises(ValueError, match="a part has"):
            parts.cut(tmp_path / "x", size, batch="b", package=bytes(32), suite="SM")


def test_a_part_that_the_plan_does_not_have_is_nobodys(plan, tmp_path):
    for number in (0, 6, -1):
        with pytest.raises(ValueError, match="no such part"):
            Assembly(plan, tmp_path / "y").put(number, b"")
    with pytest.raises(PartBroken, match=r"b\.zkp\.0001"):
        Assembly(plan, tmp_path / "y").finish()


def test_a_file_of_the_other_suite_is_cut_under_its_digest(tmp_path):
    (tmp_path / "x").write_bytes(DATA)
    plan = parts.cut(tmp_path / "x", LEAST, batch="b", package=bytes(32), suite="INTL")
    key = SUITES["INTL"].generate()
    assert parts.read(parts.sign(plan, key), key.public) == plan and fetching.PATIENCE > 0
