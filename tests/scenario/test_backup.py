"""The whole platform, database and file store, goes into one file and comes back in another home."""

import os
import subprocess
import sys
import tarfile

import psycopg
import pytest
from django.utils import timezone

from zhengka.cards.rules import LEFT_OUT
from zhengka.formats import statuslist
from zhengka.formats.issuers import KeySet

pytestmark = [pytest.mark.xdist_group("restart"), pytest.mark.own_home]


def zhengka(home, *words, fails=False):
    """Run the command in a home of its own and return what it said."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run([sys.executable, "-m", "zhengka.cli", *words], capture_output=True, text=True, timeout=300,
                          env=environment | {"ZHENGKA_HOME": str(home)}, check=False)
    assert bool(done.returncode) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def rows(home):
    """Every table's rows, counted, and every event's own words."""
    with psycopg.connect(host=str(home / "run"), user="zhengka", dbname="zhengka") as connection:
        tables = [name for (name,) in connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'procrastinate%'")]
        counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in sorted(tables)}
        return counts, connection.execute("SELECT subject, action, request_id FROM core_event ORDER BY id").fetchall()


def files(home):
    """Every kept file with its bytes."""
    return {path.relative_to(home / "files"): path.read_bytes()
            for path in (home / "files").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A home in which the main job was done for a handful of people."""
    home = tmp_path_factory.mktemp("lived")
    zhengka(home, "demo", "--scale", "0.0002")
    yield home
    zhengka(home, "db", "stop")


def test_a_backup_comes_back_whole_in_another_home(lived_in, tmp_path):
    archive, other = tmp_path / "backup.tar", tmp_path / "other"
    (lived_in / "code-hosts").write_text("before.example\n")
    zhengka(lived_in, "backup", str(archive))
    assert archive.stat().st_mode & 0o077 == 0, "a backup holds keys: only its owner may read it"
    zhengka(other, "restore", str(archive))
    (before, told), (after, told_there) = rows(lived_in), rows(other)
    changed = {name: after[name] - count for name, count in before.items() if after[name] != count}
    assert changed == {"cards_gap": 1, "core_event": 1}, "the restore itself is written down, and nothing else"
    assert told_there[:-1] == told and told_there[-1][:2] == ("gap", "leave_out")
    assert files(other) == files(lived_in)
    assert (other / "code-hosts").read_text() == "before.example\n", "cards from before the site moved stay good"
    serial, code = zhengka(other, "card", "some", "active", "--count", "1").split()
    assert "valid" in zhengka(other, "verify", code), "the restored keys and lists still prove the cards"
    assert "suspended" in zhengka(other, "card", "lost", serial)
    zhengka(other, "db", "stop")


def lists(home, known=()):
    """The status lists of a home as a gate takes them that saw `known` before."""
    trusted = KeySet.from_json((home / "public/keys.json").read_text())
    before = {one.number: one for one in known}
    found = (path.read_bytes() for path in sorted((home / "public").glob("status-*.bin")) if ".from-" not in path.name)
    return [statuslist.parse(data, keys=trusted, at=timezone.now(), known=before.get(number_of(data)))
            for data in found]


def number_of(data):
    return int.from_bytes(data[6:10])


def sequences(home):
    with psycopg.connect(host=str(home / "run"), user="zhengka", dbname="zhengka") as connection:
        return dict(connection.execute("SELECT sequencename, last_value FROM pg_sequences "
                                       "WHERE sequencename IN ('cards_serial_numbers', 'cards_status_places')"))


def test_gates_and_numbers_go_on_where_an_older_backup_ends(lived_in, tmp_path):
    archive, other = tmp_path / "backup.tar", tmp_path / "other"
    zhengka(lived_in, "backup", str(archive))
    serial, code = zhengka(lived_in, "card", "some", "active", "--count", "1").split()
    for act in ("lost", "found", "lost", "found"):
        zhengka(lived_in, "card", act, serial)
    seen = lists(lived_in)
    assert "running number" in zhengka(other, "restore", str(archive))
    with pytest.raises(statuslist.RollBack):
        lists(other, known=seen)
    zhengka(other, "lists", "publish")
    assert all(now.version > then.version for now, then in zip(lists(other, known=seen), seen, strict=True))
    zhengka(other, "card", "lost", serial)
    assert "suspended" in zhengka(other, "verify", code, "--bundle", str(other / "public"), fails=True)
    assert all(sequences(other)[name] - last == LEFT_OUT for name, last in sequences(lived_in).items())
    zhengka(other, "db", "stop")


def test_the_database_s_own_log_quotes_no_row_and_no_statement(lived_in):
    connection = psycopg.connect(host=str(lived_in / "run"), user="zhengka", dbname="zhengka")
    with connection, pytest.raises(psycopg.errors.CheckViolation, match="欧阳无名"):
        connection.execute("INSERT INTO areas_area (code, last, name, name_en, level, kind, issuing) "
                           "VALUES (2, 1, '欧阳无名', '', '', '', false)")
    log = (lived_in / "postgres.log").read_text()
    assert "violates check constraint" in log and "欧阳无名" not in log


def test_a_backup_is_not_poured_over_an_installation(lived_in, tmp_path):
    archive = tmp_path / "backup.tar"
    zhengka(lived_in, "backup", str(archive))
    before = rows(lived_in)
    assert "home-not-empty" in zhengka(lived_in, "restore", str(archive), fails=True)
    assert rows(lived_in) == before


def test_a_file_that_is_no_backup_is_refused(tmp_path):
    archive = tmp_path / "other.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(__file__, "something.py")
    assert "backup-unreadable" in zhengka(tmp_path / "home", "restore", str(archive), fails=True)
    zhengka(tmp_path / "home", "db", "stop")
