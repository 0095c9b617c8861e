"""What the worker does for accounts."""

from datetime import datetime
from uuid import UUID

from zhengka.accounts import services
from zhengka.core.queue import task


@task("accounts.note_lock_out")
def note_lock_out(officer: int, at: str, request_id: str) -> None:
    """Note that wrong tries locked a login name, where it is an officer's (0: nobody's)."""
    services.note_lock_out(officer, request_id=UUID(request_id), at=datetime.fromisoformat(at))
