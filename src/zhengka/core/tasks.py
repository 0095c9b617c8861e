"""What workers do for every room."""

from datetime import UTC, datetime

from zhengka.core import sweeping
from zhengka.core.queue import task


@task("core.sweep_files", cron="40 18 * * *")
def sweep_files(timestamp: int) -> None:
    """Every night in China (02:40): remove sealed files that no row names, a day after they were written."""
    sweeping.sweep(at=datetime.fromtimestamp(timestamp, UTC))
