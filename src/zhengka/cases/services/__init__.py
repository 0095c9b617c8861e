"""Use cases of cases (办理): opened, moved one by one or many at once, ended by two persons' decision."""

from zhengka.cases.services.assessing import (
    book_day,
    cancel_day,
    category_of,
    miss_day,
    needs_no_other,
    second,
    sign,
    waits_for_day,
)
from zhengka.cases.services.counting import add_up
from zhengka.cases.services.desk import give_back, hand_over, take_on
from zhengka.cases.services.elsewhere import Present, open_elsewhere
from zhengka.cases.services.exchange import ask_exchange, carry_out_exchange, open_exchange
from zhengka.cases.services.many import (
    ACTIONS,
    CHUNK,
    Done,
    approve_many,
    ask_all,
    carry_out_all,
    confirm_many,
    review_many,
    waiting,
)
from zhengka.cases.services.moves import move_on, run_clocks
from zhengka.cases.services.needed import papers_missing, papers_needed
from zhengka.cases.services.opening import (
    DISPUTED,
    REASONS,
    Brought,
    apply,
    apply_arrival,
    disputable,
    dispute,
    is_minor,
    open_case,
    told,
)
from zhengka.cases.services.steps import BY_ASSESSMENT, NEEDS_REASON, SOURCES, end_notice, take, verify
from zhengka.cases.services.undoing import may_undo, undo
from zhengka.cases.services.ways import load_ways

__all__ = [
    "ACTIONS",
    "BY_ASSESSMENT",
    "CHUNK",
    "DISPUTED",
    "NEEDS_REASON",
    "REASONS",
    "SOURCES",
    "Brought",
    "Done",
    "Present",
    "add_up",
    "apply",
    "apply_arrival",
    "approve_many",
    "ask_all",
    "ask_exchange",
    "book_day",
    "cancel_day",
    "carry_out_all",
    "carry_out_exchange",
    "category_of",
    "confirm_many",
    "disputable",
    "dispute",
    "end_notice",
    "give_back",
    "hand_over",
    "is_minor",
    "load_ways",
    "may_undo",
    "miss_day",
    "move_on",
    "needs_no_other",
    "open_case",
    "open_elsewhere",
    "open_exchange",
    "papers_missing",
    "papers_needed",
    "review_many",
    "run_clocks",
    "second",
    "sign",
    "take",
    "take_on",
    "told",
    "undo",
    "verify",
    "waiting",
    "waits_for_day",
]
