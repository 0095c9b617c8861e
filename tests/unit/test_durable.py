"""A file that is written durably is the old one or the new one, and nobody else's."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zhengka.formats import durable


def test_a_file_is_replaced_whole_and_its_change_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "file"
    durable.write(path, b"one")
    first = path.stat()
    durable.write(path, b"two")
    assert path.read_bytes() == b"two" and path.stat().st_mtime_ns > first.st_mtime_ns
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_its_mode_is_that_asked_for_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        durable.write(tmp_path / "file", b"one", mode=mode)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_what_cannot_be_written_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.mkdir()
    with pytest.raises(OSError):
        durable.write(path, b"one")
    assert [one.name for one in tmp_path.iterdir()] == ["file"] and path.is_dir()


def test_a_writer_killed_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    durable.write(path, b"0" * 100_000)
    code = ("import itertools, pathlib, sys; from zhengka.formats import durable\n"
            "for n in itertools.count():\n"
            "    durable.write(pathlib.Path(sys.argv[1]), str(n % 10).encode() * 100_000)")
    for wait in (0.0, 0.003, 0.01):
        before = path.stat().st_mtime_ns
        writer = subprocess.Popen([sys.executable, "-c", code, str(path)])
        while path.stat().st_mtime_ns == before:
            assert writer.poll() is None
            time.sleep(0.001)
        time.sleep(wait)
        writer.kill()
        writer.wait()
        content = path.read_bytes()
        assert len(content) == 100_000 and len(set(content)) == 1


def test_threads_that_write_the_same_file_leave_the_file_of_one_of_them(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [str(number).encode() * 10_000 for number in range(8)]
    with ThreadPoolExecutor(8) as together:
        for _ in range(10):
            list(together.map(lambda content: durable.write(path, content), contents))
    assert path.read_bytes() in contents and [one.name for one in tmp_path.iterdir()] == ["file"]
