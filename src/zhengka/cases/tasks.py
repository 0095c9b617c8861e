"""What the worker does for cases: the bulk acts that officers asked for."""

from datetime import UTC, datetime

from django.utils import timezone

from zhengka.bulk.services import give_up
from zhengka.cases import services
from zhengka.core.queue import task


@task("cases.open_exchange", given_up=give_up)
def open_exchange(act_id: int) -> None:
    """Open the exchange for the units that were named, in groups."""
    services.carry_out_exchange(act_id, clock=timezone.now)


@task("cases.invite_again", given_up=give_up)
def invite_again(act_id: int) -> None:
    """Invite those whose exchange is open and who were not written to, in groups."""
    services.carry_out_invitations(act_id, clock=timezone.now)


@task("cases.confirm_all", given_up=give_up)
def confirm_all(act_id: int) -> None:
    """Confirm all cases that wait for it in an area, in groups."""
    services.carry_out_all(act_id, "confirm", clock=timezone.now)


@task("cases.review_all", given_up=give_up)
def review_all(act_id: int) -> None:
    """Review all cases that wait for it in an area, in groups."""
    services.carry_out_all(act_id, "review", clock=timezone.now)


@task("cases.approve_all", given_up=give_up)
def approve_all(act_id: int) -> None:
    """Approve all cases that wait for it in an area, in groups, and order their cards."""
    services.carry_out_all(act_id, "approve", clock=timezone.now)


@task("cases.move_on")
def move_on(case_id: int) -> None:
    """Do at the other office what the last decision of a move asks for."""
    services.move_on(case_id, at=timezone.now())


@task("cases.run_clocks", cron="7 * * * *")
def run_clocks(timestamp: int) -> None:
    """Take the steps that are due by the calendar alone, and warn of those to come."""
    services.run_clocks(at=datetime.fromtimestamp(timestamp, UTC))


@task("cases.remind_again", cron="40 1 * * *")
def remind_again(timestamp: int) -> None:
    """Every morning in China: tell those who are to be assessed again soon."""
    services.remind_again(at=datetime.fromtimestamp(timestamp, UTC))


@task("cases.count_again", cron="12 16 * * *")
def count_again(timestamp: int) -> None:
    """Every night in China (00:12): count the days of open cases again, where the calendar says something else now."""
    services.count_again(at=datetime.fromtimestamp(timestamp, UTC))


@task("cases.add_up", cron="*/10 * * * *")
def add_up(timestamp: int) -> None:  # noqa: ARG001 - when it was due
    """Put the counts of cases of one office, kind, state and day together."""
    services.add_up()
