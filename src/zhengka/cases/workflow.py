"""Steps of a case (办理), as tables by kind."""

from collections.abc import Mapping
from typing import Any

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow


def another_person(case: Any, facts: Mapping[str, Any]) -> None:
    """The approver is another person than the reviewer (审核与批准分人, I6)."""
    if case.reviewer_person and case.reviewer_person == facts["by"].person:
        raise Refusal("same-person")


EXCHANGE = Workflow("case", initial="notified", final=frozenset({"ordered", "closed"}), steps=(
    #    from         action       to           permission
    Step("notified", "confirm", "confirmed", "case.confirm", zh="信息采集"),
    Step("notified", "close", "closed", "case.open", zh="终止"),
    Step("confirmed", "review", "reviewed", "case.review", zh="审核"),
    Step("confirmed", "send_back", "notified", "case.review", zh="退回"),
    Step("reviewed", "approve", "approved", "case.approve", (another_person,), zh="批准"),
    Step("reviewed", "send_back_to_review", "confirmed", "case.approve", zh="退回审核"),
    Step("approved", "order", "ordered", "case.approve", zh="证卡同办"),
))
"""Exchange of a second-generation certificate for a card (换发)."""
