"""Work for later lives and dies with the transaction that asked for it."""

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from zhengka.core import queue


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
