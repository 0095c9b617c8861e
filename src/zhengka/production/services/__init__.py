"""What is done in production (制卡): batches opened, prepared, sent, and their results received."""

from zhengka.production.services.batches import (
    cancel_batch,
    close_batch,
    give_up_batch,
    open_batch,
    prepare_batch,
    retry_batch,
    send_batch,
    take_package,
    take_proof,
)
from zhengka.production.services.blanks import initialise_blank
from zhengka.production.services.chunks import (
    note_problem,
    note_problem_of_chunk,
    prepare_chunk,
    stall,
    stall_for_chunk,
)
from zhengka.production.services.deciding import decide, note_numbers, release, short_name, shorten
from zhengka.production.services.finishing import finish_batch, finish_if_done
from zhengka.production.services.gate import (
    check_chip,
    check_code,
    check_number,
    drawn_by_number,
    fail_card,
    pass_gate,
    to_check,
)
from zhengka.production.services.handing import Handed, hand_over, hand_over_many, make_again, outdated, unseen
from zhengka.production.services.inspecting import Inspection, changed, inspection
from zhengka.production.services.makers import enrol_maker
from zhengka.production.services.receiving import ask_results, receive_results, take_results, tell_ready
from zhengka.production.services.staging import sweep as sweep_packages
from zhengka.production.services.workers import run_chunks_here

__all__ = [
    "Handed",
    "Inspection",
    "ask_results",
    "cancel_batch",
    "changed",
    "check_chip",
    "check_code",
    "check_number",
    "close_batch",
    "decide",
    "drawn_by_number",
    "enrol_maker",
    "fail_card",
    "finish_batch",
    "finish_if_done",
    "give_up_batch",
    "hand_over",
    "hand_over_many",
    "initialise_blank",
    "inspection",
    "make_again",
    "note_numbers",
    "note_problem",
    "note_problem_of_chunk",
    "open_batch",
    "outdated",
    "pass_gate",
    "prepare_batch",
    "prepare_chunk",
    "receive_results",
    "release",
    "retry_batch",
    "run_chunks_here",
    "send_batch",
    "short_name",
    "shorten",
    "stall",
    "stall_for_chunk",
    "sweep_packages",
    "take_package",
    "take_proof",
    "take_results",
    "tell_ready",
    "to_check",
    "unseen",
]
