"""A worker in the test's own process and transaction, for the bulk acts that were asked for."""

from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from zhengka.bulk.models import Act


def work() -> None:
    """Carry out every bulk act that waits, as `zhengka worker` would."""
    while job := ProcrastinateJob.objects.filter(status="todo", args__has_key="act_id").order_by("id").first():
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [job.pk])
        if Act.objects.filter(pk=job.args["act_id"]).exists():  # an earlier test's rows are gone, its jobs are not
            app.tasks[job.task_name].func(**job.args)
