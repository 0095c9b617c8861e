"""Steps of an officer's account (账号), as a table."""

from collections.abc import Mapping
from typing import Any

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow


def not_oneself(officer: Any, facts: Mapping[str, Any]) -> None:
    """Nobody gives rights to, or takes them from, the person that they are themselves (三员分立)."""
    if officer.person == facts["by"].person:
        raise Refusal("own-account")


OFFICER = Workflow("officer", initial="active", steps=(
    #    from       action        to          permission
    Step("active", "appoint", "active", "officer.manage", (not_oneself,), zh="调岗"),
    Step("active", "deactivate", "inactive", "officer.manage", (not_oneself,), zh="停用"),
    Step("inactive", "reactivate", "active", "officer.manage", (not_oneself,), zh="启用"),
))
