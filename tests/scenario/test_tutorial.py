"""The tutorial is run as it is written: each command in order, in a home of its own, its output held to the page."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial" / "from-clone-to-a-verified-card.md"
STATUS = re.compile(r"# exit status (\d+)$")
MARK = "\x1etutorial"
NEVER = 600


class Told(NamedTuple):
    """One command of the page: what is typed, what is printed, and the exit status."""

    typed: str
    printed: list[str]
    status: int


def commands(page: str) -> list[Told]:
    """The commands of a page's `console` blocks, in order; a line that begins with `> ` goes on with the one above."""
    found: list[Told] = []
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                status = STATUS.search(line)
                found.append(Told(line[2:], [], int(status[1]) if status else 0))
            elif line.startswith("> ") and not found[-1].printed:
                found[-1] = found[-1]._replace(typed=f"{found[-1].typed}\n{line[2:]}")
            else:
                found[-1].printed.append(line)
    return found


def fits(printed: list[str], seen: str) -> bool:
    """True where what was seen is what the page shows; `…` stands for anything, alone on a line for any lines."""
    parts = [r"(?:.*\n)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\s*\n" for line in printed]
    return re.fullmatch("".join(parts), seen) is not None


def run(told: list[Told], folder: Path) -> list[tuple[str, int]]:
    """Type the commands into one shell; what each printed (errors too) and its exit status."""
    script = "".join(f"{one.typed}\nprintf '{MARK} %d\\n' $?\n" for one in told)
    kept = {name: value for name, value in os.environ.items() if not re.match("ZHENGKA_|DATABASE_URL|PG|RUN", name)}
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=kept | {"ZHENGKA_WORKERS": "1", "COLUMNS": "120"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=NEVER)
    seen = re.findall(rf"(.*?){MARK} (\d+)\n", done.stdout, re.DOTALL)
    return [(output, int(status)) for output, status in seen]


@pytest.fixture
def folder(tmp_path):
    """A folder that looks like a clone after `bin/setup`; its clusters are stopped at the end."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    shutil.copytree(ROOT / "data", tmp_path / "data")
    yield tmp_path
    for home in (tmp_path / "var").glob("*"):  # where a command failed, clusters still run
        subprocess.run([ROOT / ".venv/bin/zhengka", "db", "stop"], check=False, capture_output=True,
                       env=os.environ | {"ZHENGKA_HOME": str(home), "DATABASE_URL": ""})


@pytest.mark.xdist_group("tutorial")
@pytest.mark.own_home
def test_every_command_of_the_tutorial_does_what_the_page_shows(folder):
    told = commands(PAGE.read_text())
    assert len(told) > 30
    seen = run(told, folder)
    for one, (output, status) in zip(told, seen, strict=False):
        assert status == one.status, f"$ {one.typed}\n{output}"
        assert fits(one.printed, output), f"$ {one.typed}\nshown:\n" + "\n".join(one.printed) + f"\nseen:\n{output}"
    assert len(seen) == len(told)


def test_a_page_whose_output_differs_is_noticed():
    (one,) = commands("```console\n$ echo one\n…\ntwo\n```\n")
    assert fits(one.printed, "zero\none\ntwo\n")
    assert not fits(one.printed, "zero\none\n")
    assert not fits([], "an unexpected word\n")
