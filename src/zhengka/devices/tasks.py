"""What the worker does for devices."""

from datetime import UTC, datetime

from zhengka.core.queue import task
from zhengka.devices import services


@task("devices.end_left_readings", cron="0 19 * * *")
def end_left_readings(timestamp: int) -> None:
    """Every night in China (03:00): end the readings whose page was closed in the middle, so that they are counted."""
    services.end_left_readings(at=datetime.fromtimestamp(timestamp, UTC))


@task("devices.forget_readings", cron="10 19 * * *")
def forget_readings(timestamp: int) -> None:
    """Every night in China (03:10): delete what readers signed longer ago than the data files keep it."""
    services.forget_readings(at=datetime.fromtimestamp(timestamp, UTC))
