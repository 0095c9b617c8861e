"""Steps of an officer's account (账号), as a table.

The system administrator opens accounts and asks for roles, the security administrator permits them (三员分立): no right
comes from one person alone, and none from the person who gets it. Only the first administrators are installed by the
operator's own hand. A closed account that is opened again waits, too.
"""

from collections.abc import Mapping
from typing import Any

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow


def not_oneself(officer: Any, facts: Mapping[str, Any]) -> None:
    """Nobody gives rights to, or takes them from, the person that they are themselves (三员分立)."""
    if officer.person == facts["by"].person:
        raise Refusal("own-account")


def not_who_asked(officer: Any, facts: Mapping[str, Any]) -> None:
    """Who asked for a right does not permit it: two persons, whatever accounts they have (I6)."""
    if officer.wanted_by == facts["by"].person:
        raise Refusal("same-person")


def this_role_waits(officer: Any, facts: Mapping[str, Any]) -> None:
    """The role that was looked at is still the one that is asked for."""
    if not officer.wanted or officer.wanted != facts["role"]:
        raise Refusal("step-not-open", role=facts["role"])


def oneself(officer: Any, facts: Mapping[str, Any]) -> None:
    """Only the account itself."""
    if officer.pk != facts["by"].id:
        raise Refusal("not-permitted")


def the_platform(officer: Any, facts: Mapping[str, Any]) -> None:  # noqa: ARG001 - a guard's signature
    """No officer does this: the platform itself."""
    if facts["by"].id is not None:
        raise Refusal("not-permitted")


_PERMITS = (not_oneself, this_role_waits, not_who_asked)

OFFICER = Workflow("officer", initial="pending", steps=(
    #    from       action        to          permission
    Step("pending", "permit", "active", "officer.permit", _PERMITS, zh="授权"),
    Step("pending", "install", "active", "officer.permit", (the_platform,), zh="初始化"),
    Step("pending", "refuse", "inactive", "officer.permit", (not_oneself, this_role_waits), zh="不予授权"),
    Step("pending", "appoint", "pending", "officer.manage", (not_oneself,), zh="调岗"),
    Step("pending", "deactivate", "inactive", "officer.manage", (not_oneself,), zh="停用"),
    Step("active", "appoint", "active", "officer.manage", (not_oneself,), zh="调岗"),
    Step("active", "permit", "active", "officer.permit", _PERMITS, zh="授权"),
    Step("active", "refuse", "active", "officer.permit", (not_oneself, this_role_waits), zh="不予授权"),
    Step("active", "deactivate", "inactive", "officer.manage", (not_oneself,), zh="停用"),
    Step("inactive", "reactivate", "pending", "officer.manage", (not_oneself,), zh="启用"),
    Step("active", "reset_password", "active", "officer.manage", (not_oneself,), zh="重置密码"),
    Step("active", "change_password", "active", "account.own", (oneself,), zh="修改密码"),
    Step("active", "log_in", "active", "account.own", (oneself,), zh="登录"),
    Step("active", "log_out", "active", "account.own", (oneself,), zh="退出"),
    Step("active", "lock_out", "active", "account.own", (the_platform,), zh="锁定"),
))
