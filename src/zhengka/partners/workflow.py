"""Steps of a partner's access (合作单位接入) and of its webhooks (推送订阅), as tables."""

from collections.abc import Mapping
from typing import Any

from zhengka.core.errors import Refusal
from zhengka.core.workflow import Step, Workflow


def another_person(partner: Any, facts: Mapping[str, Any]) -> None:
    """Who asked for the access does not permit it."""
    if facts["by"].person == partner.asked_by:
        raise Refusal("same-person")


PARTNER = Workflow("partner", initial="asked", final=frozenset({"stopped", "declined"}), steps=(
    #    from      action        to          permission
    Step("asked", "permit", "active", "partner.permit", (another_person,), zh="准许接入"),
    Step("asked", "decline", "declined", "partner.permit", zh="不准接入"),
    Step("active", "new_secret", "active", "partner.manage", zh="换发密钥"),
    Step("active", "end_secret", "active", "partner.manage", zh="作废旧密钥"),
    Step("active", "stop", "stopped", "partner.manage", zh="停止接入"),
    Step("active", "shut_out", "stopped", "partner.permit", zh="封禁"),
))
"""A program of an operator (运营单位) that may ask us: entered by the system administrator, permitted by the security
administrator (三员分立), and stopped by either of them at once and for good: whoever comes back is another client.
"""

WEBHOOK = Workflow("webhook", initial="active", final=frozenset({"ended"}), steps=(
    Step("active", "unsubscribe", "ended", "partner.manage", zh="退订"),
))
"""One address to which an operator is told what happened."""
