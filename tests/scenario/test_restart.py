"""The main job is killed in the middle, started again, and ends with the same closing table."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

SCALE = "0.001"
MOMENTS = {  # what a killer waits for: a statement that is true once the step is under way
    "import": "SELECT count(*) > 2 FROM registry_import WHERE state = 'done'",
    "batch": "SELECT count(*) > 0 FROM production_batch WHERE state = 'preparing'",
}
BROKEN = [("import", "worker"), ("batch", "server")]
"""What is killed in which step; `make soak` breaks a batch at any statement and file."""
pytestmark = [pytest.mark.xdist_group("restart"), pytest.mark.own_home]


def start(home: Path, table: Path) -> subprocess.Popen:
    """Start the main job in a home of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return subprocess.Popen(
        [sys.executable, "-m", "zhengka.cli", "demo", "--scale", SCALE, "--table", str(table)],
        env=environment | {"ZHENGKA_HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True)


def finish(home: Path, table: Path) -> list:
    """Run the main job to its end and return its closing table."""
    running = start(home, table)
    said, _ = running.communicate(timeout=400)
    assert running.returncode == 0, said[-3000:]
    return json.loads(table.read_text())


def wait_for(home: Path, moment: str) -> None:
    """Come back as soon as the statement is true."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        try:
            with psycopg.connect(host=str(home / "run"), user="zhengka", dbname="zhengka") as connection:
                if connection.execute(moment).fetchone()[0]:
                    return
        except psycopg.Error:
            pass
        time.sleep(0.02)
    raise AssertionError("the moment never came")


def stop(home: Path) -> None:
    """Stop the home's cluster."""
    subprocess.run([sys.executable, "-m", "zhengka.cli", "db", "stop"], check=False, capture_output=True,
                   env=os.environ | {"ZHENGKA_HOME": str(home)})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The closing table of a run that nobody disturbed."""
    home = tmp_path_factory.mktemp("calm")
    yield finish(home, home / "table.json")
    stop(home)


@pytest.mark.parametrize(("step", "victim"), BROKEN)
def test_a_job_killed_in_the_middle_ends_with_the_same_table(undisturbed, tmp_path, step, victim):
    running = start(tmp_path, tmp_path / "table.json")
    wait_for(tmp_path, MOMENTS[step])
    if victim == "server":
        postmaster = int((tmp_path / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
    else:
        os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=60)
    assert running.returncode != 0
    assert not (tmp_path / "table.json").exists()
    assert finish(tmp_path, tmp_path / "table.json") == undisturbed
    stop(tmp_path)


def test_a_second_run_changes_nothing(undisturbed, tmp_path_factory):
    home = tmp_path_factory.getbasetemp() / "calm0"
    assert finish(home, home / "again.json") == undisturbed
