"""Work for later lives and dies with the transaction that asked for it."""

import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from builders import make_actor, make_area
from importing import file_of, received, row
from worker import tried
from zhengka.core import files, queue
from zhengka.formats.seal import SealBroken
from zhengka.registry.models import Holder

SWEEP = f"""
import asyncio, os, sys
sys.path[:0] = [{str(settings.PROJECT_ROOT / "src")!r}]
os.environ["DJANGO_SETTINGS_MODULE"] = "zhengka.config.settings"
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from django.db import connection
from zhengka.core.scope import of_the_platform
of_the_platform(connection.settings_dict)
from procrastinate import JobContext
from procrastinate.contrib.django import app
from zhengka.core.queue import revive_stalled

async def sweep():
    worker = app.replace_connector(app.connector.get_worker_connector())
    with worker as own:
        async with own.open_async():
            await revive_stalled.func(JobContext(app=own, job=None, abort_reason=lambda: None, start_timestamp=0), 0)

asyncio.run(sweep())
"""
"""One sweep of a worker, in a process of its own: what it opens ends with it."""


def test_a_job_exists_only_if_its_transaction_commits(empty_queue):
    with pytest.raises(RuntimeError), transaction.atomic(empty_queue):
        queue.later("core.revive_stalled", timestamp=0)
        raise RuntimeError
    assert not ProcrastinateJob.objects.exists()
    with transaction.atomic(empty_queue):
        queue.later("core.revive_stalled", timestamp=0)
    assert ProcrastinateJob.objects.get().task_name == "core.revive_stalled"


def test_asking_once_more_for_waiting_work_adds_nothing_and_spoils_nothing(empty_queue):
    with transaction.atomic(empty_queue):
        queue.later("core.revive_stalled", once="same", timestamp=0)
        queue.later("core.revive_stalled", once="same", timestamp=0)
        assert ProcrastinateJob.objects.filter(queueing_lock="same").count() == 1


def test_the_web_role_may_ask_for_work(empty_queue, as_web):
    with transaction.atomic(empty_queue):
        as_web(0, 1)
        queue.later("core.revive_stalled", timestamp=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs")
        assert cursor.fetchone() == (1,)


def test_an_import_that_fails_at_every_try_is_ended_with_a_name_and_nobody_waits_for_it(empty_queue, tmp_path):
    clerk = make_actor(area=make_area().parent)
    record = received(file_of(tmp_path, row(1)), clerk)
    place = files.place(record.upload)
    place.write_bytes(place.read_bytes()[:-1] + b"?")  # somebody changed the sealed upload: a fault at every try
    for attempts, state, problem in ((0, "received", ""), (queue.TRIES, "refused", "internal-fault")):
        with pytest.raises(SealBroken):
            tried("registry.take_import", attempts=attempts, import_id=record.pk)
        record.refresh_from_db()
        assert (record.state, record.problem) == (state, problem)
    assert not Holder.objects.exists()


def test_the_list_that_tells_gates_of_a_lost_card_goes_before_all_work_that_waits(empty_queue):
    with transaction.atomic():
        for chunk in range(3):
            queue.later("production.prepare_chunk", chunk_id=chunk)
        queue.later("cards.publish_status_lists", number=1)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        (worker,) = cursor.fetchone()
        cursor.execute("SELECT task_name FROM procrastinate_fetch_job_v2(NULL, %s)", [worker])
        assert cursor.fetchone() == ("cards.publish_status_lists",)


@pytest.mark.parametrize(("attempts", "status", "state"), [(queue.DEATHS - 1, "todo", "received"),
                                                           (queue.DEATHS, "failed", "refused")])
def test_a_job_that_kills_every_worker_is_given_up_in_the_end(empty_queue, tmp_path, attempts, status, state):
    clerk = make_actor(area=make_area().parent)
    record = received(file_of(tmp_path, row(1)), clerk)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') "
                       "RETURNING id")
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', attempts = %s, worker_id = %s",
                       [attempts, cursor.fetchone()[0]])
    subprocess.run([sys.executable, "-c", SWEEP, str(connection.settings_dict["NAME"])], check=True)
    assert ProcrastinateJob.objects.get(task_name="registry.take_import").status == status
    record.refresh_from_db()
    assert record.state == state
