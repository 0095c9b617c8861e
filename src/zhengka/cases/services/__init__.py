"""Use cases of cases (办理): opened, moved one by one or many at once, ended by two persons' decision."""

from zhengka.areas.calendars import is_minor
from zhengka.cases.services.arriving import Brought, apply_arrival
from zhengka.cases.services.assessing import (
    book_day,
    call_off_day,
    category_of,
    change_day,
    check_doctor,
    miss_day,
    needs_no_other,
    second,
    sign,
    waits_for_day,
)
from zhengka.cases.services.counting import add_up
from zhengka.cases.services.desk import ask, give_back, hand_over, take_on
from zhengka.cases.services.disputing import DISPUTED, disputable, dispute_ends
from zhengka.cases.services.elsewhere import Present, open_elsewhere
from zhengka.cases.services.exchange import ask_exchange, carry_out_exchange, open_exchange
from zhengka.cases.services.guarding import guardian_of, guardian_told, name_guardian, needs_guardian
from zhengka.cases.services.inviting import ask_invitations, carry_out_invitations, invite_again
from zhengka.cases.services.losing import lift_loss, still_lost
from zhengka.cases.services.many import (
    ACTIONS,
    CHUNK,
    approve_many,
    ask_all,
    carry_out_all,
    confirm_many,
    foresee,
    review_many,
    waiting,
)
from zhengka.cases.services.moves import move_on, run_clocks, why_it_waits
from zhengka.cases.services.needed import papers_awaited, papers_missing, papers_needed
from zhengka.cases.services.offering import unopened
from zhengka.cases.services.opening import (
    REASONS,
    Guardian,
    apply,
    dispute,
    open_case,
    told,
)
from zhengka.cases.services.recalling import note_again, remind_again
from zhengka.cases.services.recounting import count_again
from zhengka.cases.services.steps import (
    BY_ASSESSMENT,
    NEEDS_REASON,
    OF_A_DAY,
    SOURCES,
    end_notice,
    is_reference,
    take,
    verify,
)
from zhengka.cases.services.undoing import may_undo, undo
from zhengka.cases.services.ways import load_ways
from zhengka.core.events import Done

__all__ = [
    "ACTIONS",
    "BY_ASSESSMENT",
    "CHUNK",
    "DISPUTED",
    "NEEDS_REASON",
    "OF_A_DAY",
    "REASONS",
    "SOURCES",
    "Brought",
    "Done",
    "Guardian",
    "Present",
    "add_up",
    "apply",
    "apply_arrival",
    "approve_many",
    "ask",
    "ask_all",
    "ask_exchange",
    "ask_invitations",
    "book_day",
    "call_off_day",
    "carry_out_all",
    "carry_out_exchange",
    "carry_out_invitations",
    "category_of",
    "change_day",
    "check_doctor",
    "confirm_many",
    "count_again",
    "disputable",
    "dispute",
    "dispute_ends",
    "end_notice",
    "foresee",
    "give_back",
    "guardian_of",
    "guardian_told",
    "hand_over",
    "invite_again",
    "is_minor",
    "is_reference",
    "lift_loss",
    "load_ways",
    "may_undo",
    "miss_day",
    "move_on",
    "name_guardian",
    "needs_guardian",
    "needs_no_other",
    "note_again",
    "open_case",
    "open_elsewhere",
    "open_exchange",
    "papers_awaited",
    "papers_missing",
    "papers_needed",
    "remind_again",
    "review_many",
    "run_clocks",
    "second",
    "sign",
    "still_lost",
    "take",
    "take_on",
    "told",
    "undo",
    "unopened",
    "verify",
    "waiting",
    "waits_for_day",
    "why_it_waits",
]
