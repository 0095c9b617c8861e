"""What an operator's program may read of its own: statements that were sent to it."""

import re
from datetime import date

from django.db.models import QuerySet

from zhengka.core.errors import Refusal
from zhengka.gates.models import Statement

SENT = ("sent", "disputed", "agreed", "closed")


def name_of(row: Statement) -> str:
    """By what a statement is called outside: office and month, of which there is one."""
    return f"{row.area}-{row.month:%Y-%m}"


def sent_to(operator: str) -> QuerySet[Statement]:
    """The statements that were sent to an operator, the newest first; drafts are nobody's."""
    return Statement.objects.filter(operator=operator, state__in=SENT).order_by("-month", "area")


def sent_statement(operator: str, name: str) -> Statement:
    """One of them by its name; `Refusal("not-found")`, alike for another operator's, a draft, and none."""
    if (told := re.fullmatch(r"([0-9]{12})-([0-9]{4})-(0[1-9]|1[0-2])", name)) and int(told[2]):
        for row in sent_to(operator).filter(area=int(told[1]), month=date(int(told[2]), int(told[3]), 1)):
            return row
    raise Refusal("not-found")
