"""What is done in production (制卡): batches opened, prepared, sent, and their results received."""

from zhengka.production.services.batches import (
    close_batch,
    open_batch,
    prepare_batch,
    resume_batch,
    retry_batch,
    send_batch,
    take_package,
    take_proof,
)
from zhengka.production.services.blanks import initialise_blank
from zhengka.production.services.by_hand import use_by_hand
from zhengka.production.services.choosing import EVERY, Entering, Only, entering
from zhengka.production.services.chunks import (
    note_problem,
    note_problem_of_chunk,
    prepare_chunk,
    stall,
    stall_for_chunk,
)
from zhengka.production.services.deciding import decide, note_numbers, release, short_name, shorten
from zhengka.production.services.erasing import erase_batch, erase_due
from zhengka.production.services.feeding import destroy_many, feed
from zhengka.production.services.finishing import batch_signer, finish_batch, finish_if_done
from zhengka.production.services.gate import (
    check_chip,
    check_code,
    check_number,
    check_print,
    drawn_by_number,
    fail_card,
    pass_gate,
    to_check,
)
from zhengka.production.services.handing import Handed, hand_over, hand_over_many, make_again, outdated, unseen
from zhengka.production.services.holding import hold, hurry, unhurry
from zhengka.production.services.inspecting import Inspection, changed, inspection
from zhengka.production.services.makers import enrol_maker, revoke_maker, use_text_form
from zhengka.production.services.parting import list_of, part, split
from zhengka.production.services.pausing import cancel_batch, give_up_batch, pause_batch
from zhengka.production.services.phases import ask_phase, open_phase
from zhengka.production.services.receipts import acknowledge, write_receipt
from zhengka.production.services.receiving import ask_results, receive_results, take_results, tell_ready
from zhengka.production.services.staging import sweep as sweep_packages
from zhengka.production.services.station import ask_station, carry_out_looks, take_station
from zhengka.production.services.unanswered import declare_unanswered, keep_waiting, propose_unanswered
from zhengka.production.services.workers import run_chunks_here

__all__ = [
    "EVERY",
    "Entering",
    "Handed",
    "Inspection",
    "Only",
    "acknowledge",
    "ask_phase",
    "ask_results",
    "ask_station",
    "batch_signer",
    "cancel_batch",
    "carry_out_looks",
    "changed",
    "check_chip",
    "check_code",
    "check_number",
    "check_print",
    "close_batch",
    "decide",
    "declare_unanswered",
    "destroy_many",
    "drawn_by_number",
    "enrol_maker",
    "entering",
    "erase_batch",
    "erase_due",
    "fail_card",
    "feed",
    "finish_batch",
    "finish_if_done",
    "give_up_batch",
    "hand_over",
    "hand_over_many",
    "hold",
    "hurry",
    "initialise_blank",
    "inspection",
    "keep_waiting",
    "list_of",
    "make_again",
    "note_numbers",
    "note_problem",
    "note_problem_of_chunk",
    "open_batch",
    "open_phase",
    "outdated",
    "part",
    "pass_gate",
    "pause_batch",
    "prepare_batch",
    "prepare_chunk",
    "propose_unanswered",
    "receive_results",
    "release",
    "resume_batch",
    "retry_batch",
    "revoke_maker",
    "run_chunks_here",
    "send_batch",
    "short_name",
    "shorten",
    "split",
    "stall",
    "stall_for_chunk",
    "sweep_packages",
    "take_package",
    "take_proof",
    "take_results",
    "take_station",
    "tell_ready",
    "to_check",
    "unhurry",
    "unseen",
    "use_by_hand",
    "use_text_form",
    "write_receipt",
]
