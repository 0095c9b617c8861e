"""A ceremony whose process is killed for good, between what the key store did and what is written down of it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection, transaction

from builders import NOON
from ceremonies import MASTER, Hall, components, use_store
from zhengka.core.models import Event
from zhengka.formats import shares
from zhengka.formats.suites import SUITES
from zhengka.keys import queries, rules, services
from zhengka.keys.models import Ceremony, Custodian, Key, Seat
from zhengka.keys.services import carrying
from zhengka.keys.services.working import ensure_one
from zhengka.keys.store import SoftwareStore
from zhengka.keys.transcript import is_signed

pytestmark = pytest.mark.django_db(transaction=True)
WORKER = """
import sys
from zhengka.production.process import begin
begin(sys.argv[1])
from django.conf import settings
from django.utils import timezone
from zhengka.keys import services
settings.HOME, settings.KEY_FILE, settings.KEY_PASSPHRASE = sys.argv[2], "", sys.argv[3]
settings.KEY_TOKEN = None
services.carry_on(int(sys.argv[4]), at=timezone.datetime.fromisoformat(sys.argv[5]))
"""


@pytest.fixture
def hall(settings, tmp_path):
    use_store("file", settings, tmp_path)
    return Hall()


def kept(settings) -> SoftwareStore:
    """The store's file as another process sees it."""
    return SoftwareStore(Path(settings.HOME) / "keys" / "store", settings.KEY_PASSPHRASE)


def waits_for(table: str) -> bool:
    """True once somebody waits for a lock on this table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table])
        return cursor.fetchone()[0] > 0


def killed_at(row: Ceremony, table: str, settings) -> None:
    """A worker carries the ceremony on; SIGKILL takes it where it wants to write into the table, and nowhere else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")  # reading goes on, who writes waits here
        worker = subprocess.Popen([
            sys.executable, "-c", WORKER, str(connection.settings_dict["NAME"]), str(settings.HOME),
            settings.KEY_PASSPHRASE, str(row.pk), NOON.isoformat()])
        deadline = time.monotonic() + 60
        while not waits_for(table):
            assert worker.poll() is None and time.monotonic() < deadline, "the worker does not come so far"
            time.sleep(0.01)
        worker.kill()
        assert worker.wait() == -9


def brought(hall: Hall) -> Ceremony:
    """An import in which enough custodians did their part: the platform's is next."""
    row = hall.open("import", slot="load", check_value=shares.check_value(MASTER, SUITES["SM"]))
    for custodian, part in zip(hall.custodians[:row.enough], components(MASTER), strict=False):
        row = hall.part(row, custodian, part)
    assert row.state == "finishing"
    return row


def is_whole(row: Ceremony) -> None:
    """Done once: one key, in the store and in the tree, its custodians, a signed transcript, and nothing left over."""
    assert (row.state, row.key.state) == ("done", "active")
    assert services.store().labels().count(row.label) == 1 and Key.objects.filter(label=row.label).count() == 1
    assert Custodian.objects.filter(key=row.key).count() == row.enough
    assert not Seat.objects.exclude(component=None).exists()
    assert is_signed(row, queries.working(rules.TRANSCRIPT, row.area_id, row.suite, at=NOON))
    told = list(Event.objects.filter(subject="key-ceremony", subject_id=row.pk).values_list("action", flat=True))
    assert [told.count(once) for once in ("gather", "complete", "record", "sign")] == [1, 1, 1, 1]


def test_a_worker_killed_between_the_store_and_the_row_leaves_a_key_that_the_next_one_takes_for_done(hall, settings):
    row = brought(hall)
    killed_at(row, "keys_key", settings)
    assert kept(settings).describe(row.label).check_value == row.check_value, "the store has it"
    assert not Key.objects.filter(label=row.label).exists() and Ceremony.get(row.pk).state == "finishing"
    is_whole(services.carry_on(row.pk, at=NOON))


def test_a_worker_killed_while_components_are_dealt_leaves_none_and_the_next_one_deals_others(hall, settings):
    row = hall.open("generate", slot="load", begun=False)
    killed_at(row, "keys_seat", settings)
    assert Ceremony.get(row.pk).state == "opened" and not Seat.objects.exclude(component=None).exists()
    row = services.carry_on(row.pk, at=NOON)
    for custodian in hall.custodians:
        row = hall.part(row, custodian)
    is_whole(services.carry_on(row.pk, at=NOON))


def test_a_worker_killed_behind_a_signature_signs_once_more_and_the_count_tells_both(hall, settings):
    row = brought(hall)
    carrying._record(row.pk, NOON)
    key = ensure_one(rules.TRANSCRIPT, row.area_id, row.suite, at=NOON)
    killed_at(row, "keys_ceremony", settings)
    assert Ceremony.get(row.pk).state == "recorded" and Key.get(key.pk).signatures == key.signatures + 1
    is_whole(services.carry_on(row.pk, at=NOON))
    assert Key.get(key.pk).signatures == key.signatures + 2, "counted before it leaves"
