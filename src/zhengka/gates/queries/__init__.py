"""What may be read of this room: counts of checks, rules, vouchers, gates with their logs and clocks, statements."""

from zhengka.gates.queries.checks import counts, strangers
from zhengka.gates.queries.gates import (
    GateLine,
    bounds,
    clock,
    doubles,
    forks,
    gate,
    gate_keys,
    gate_lines,
    posts,
    sent,
    uploads,
)
from zhengka.gates.queries.partners import name_of, sent_statement, sent_to
from zhengka.gates.queries.places import operator, operators
from zhengka.gates.queries.quotas import Overrun, QuotaBound, gate_ring, overruns, quota_bounds
from zhengka.gates.queries.settling import (
    disputes,
    events,
    open_months,
    posted_operators,
    statement,
    statements,
    to_csv,
    to_json,
)
from zhengka.gates.queries.vouchers import by_code, text_of, used, voucher, vouchers

__all__ = [
    "GateLine",
    "Overrun",
    "QuotaBound",
    "bounds",
    "by_code",
    "clock",
    "counts",
    "disputes",
    "doubles",
    "events",
    "forks",
    "gate",
    "gate_keys",
    "gate_lines",
    "gate_ring",
    "name_of",
    "open_months",
    "operator",
    "operators",
    "overruns",
    "posted_operators",
    "posts",
    "quota_bounds",
    "sent",
    "sent_statement",
    "sent_to",
    "statement",
    "statements",
    "strangers",
    "text_of",
    "to_csv",
    "to_json",
    "uploads",
    "used",
    "voucher",
    "vouchers",
]
