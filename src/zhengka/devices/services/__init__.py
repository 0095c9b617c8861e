"""What is done to devices: registered, paired, stopped; modules issued and bound; cards read on readers."""

from zhengka.devices.services.gates import Asked, gate_that_asks
from zhengka.devices.services.keeping import forget_readings
from zhengka.devices.services.modules import PERMISSION as MODULES
from zhengka.devices.services.modules import admit, bind, count_use, initialise, issue, lose_module, recall, unbind
from zhengka.devices.services.printing import JOB_ENDS, note_job
from zhengka.devices.services.reading import (
    MINUTES,
    answer_of,
    as_kept,
    begin_reading,
    end_left_readings,
    end_reading,
    take_step,
)
from zhengka.devices.services.registry import CODE_LIVES, About, Paired, change, new_code, pair, pair_gate, register

__all__ = [
    "CODE_LIVES",
    "JOB_ENDS",
    "MINUTES",
    "MODULES",
    "About",
    "Asked",
    "Paired",
    "admit",
    "answer_of",
    "as_kept",
    "begin_reading",
    "bind",
    "change",
    "count_use",
    "end_left_readings",
    "end_reading",
    "forget_readings",
    "gate_that_asks",
    "initialise",
    "issue",
    "lose_module",
    "new_code",
    "note_job",
    "pair",
    "pair_gate",
    "recall",
    "register",
    "take_step",
    "unbind",
]
