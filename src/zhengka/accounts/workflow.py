"""Steps of an officer's account (账号), of a cover (代班) and of a delegation (委托), as tables.

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


def its_own(row: Any, facts: Mapping[str, Any]) -> None:
    """Only the person whose cover or delegation it is: the one who stays away, the holder of the role."""
    if row.person != facts["by"].person:
        raise Refusal("not-permitted")


def no_party_to_it(row: Any, facts: Mapping[str, Any]) -> None:
    """Who lends a right and who gets it do not permit it (三员分立): a third person does."""
    if facts["by"].person in (row.person, row.deputy_person):
        raise Refusal("same-person")


COVER = Workflow("cover", initial="set", final=frozenset({"ended"}), steps=(
    Step("set", "end_cover", "ended", "account.own", (its_own,), zh="结束代班"),
))
"""A cover lends no right, so nobody permits it. Its days end it, or who set it up does before."""

DELEGATION = Workflow("delegation", initial="asked", final=frozenset({"ended", "refused"}), steps=(
    Step("asked", "permit_lending", "lent", "officer.permit", (no_party_to_it,), zh="准予委托"),
    Step("asked", "refuse_lending", "refused", "officer.permit", (no_party_to_it,), zh="不予委托"),
    Step("asked", "take_back", "ended", "account.own", (its_own,), zh="收回委托"),
    Step("lent", "take_back", "ended", "account.own", (its_own,), zh="收回委托"),
    Step("lent", "revoke_lending", "ended", "officer.permit", (no_party_to_it,), zh="撤销委托"),
))
"""The holder of a role asks, the security administrator permits. Behind its last day a right that is `lent` is none."""
