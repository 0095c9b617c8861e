"""What workers run for custody; each calls one service and may run twice."""

import logging
from datetime import UTC, datetime

from zhengka.core.queue import task
from zhengka.custody import services

log = logging.getLogger("zhengka.custody")


@task("custody.check", cron="7 * * * *")
def check(timestamp: int) -> None:
    """Every hour: an alarm for each parcel that stays too long, once for each stay."""
    if late := services.check(at=datetime.fromtimestamp(timestamp, UTC)):
        log.warning("%s parcels stay longer than they may", late)


@task("custody.remind", cron="20 1 * * *")
def remind(timestamp: int) -> None:
    """Every morning in China: remind holders whose cards wait for them, once for each stage; clear the list before."""
    at = datetime.fromtimestamp(timestamp, UTC)
    services.clear_out(at=at)
    if told := services.remind(at=at):
        log.info("holders of %s cards were reminded to collect them", told)
