"""Work for later lives and dies with the transaction that asked for it."""

import pytest
from django.db import connection, transaction
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.jobs import Job

from builders import make_actor, make_area
from importing import file_of, received, row
from zhengka.core import files, queue
from zhengka.formats.seal import SealBroken
from zhengka.registry.models import Holder


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


def tried(import_id: int, attempts: int) -> None:
    """One try of a worker, after so many others."""
    job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="registry.take_import",
              attempts=attempts)
    app.tasks[job.task_name].func(JobContext(app=app, job=job, abort_reason=lambda: None, start_timestamp=0),
                                  import_id=import_id)


def test_an_import_that_fails_at_every_try_is_ended_with_a_name_and_nobody_waits_for_it(empty_queue, tmp_path):
    clerk = make_actor(area=make_area().parent)
    record = received(file_of(tmp_path, row(1)), clerk)
    place = files.place(record.upload)
    place.write_bytes(place.read_bytes()[:-1] + b"?")  # somebody changed the sealed upload: a fault at every try
    for attempts, state, problem in ((0, "received", ""), (queue.TRIES, "refused", "internal-fault")):
        with pytest.raises(SealBroken):
            tried(record.pk, attempts)
        record.refresh_from_db()
        assert (record.state, record.problem) == (state, problem)
    assert not Holder.objects.exists()
