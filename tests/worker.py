"""A worker in the test's own process and transaction."""

from django.db import connection
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.jobs import Job

from zhengka.bulk.models import Act


def tried(name: str, *, attempts: int = 0, **ids: int) -> None:
    """One try of the task `name`, after so many others."""
    task = app.tasks[name]
    if task.pass_context:
        job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name=name, attempts=attempts)
        task.func(JobContext(app=app, job=job, abort_reason=lambda: None, start_timestamp=0), **ids)
    else:
        task.func(**ids)


def work() -> None:
    """Carry out every bulk act that waits, as `zhengka worker` would."""
    while job := ProcrastinateJob.objects.filter(status="todo", args__has_key="act_id").order_by("id").first():
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [job.pk])
        if Act.objects.filter(pk=job.args["act_id"]).exists():  # an earlier test's rows are gone, its jobs are not
            tried(job.task_name, **job.args)
