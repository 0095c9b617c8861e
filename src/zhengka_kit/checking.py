"""A reader goes through all cases; what it answered is held against what it must answer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from zhengka_kit import driving
from zhengka_kit.cases import Case, Step
from zhengka_kit.driving import NoAnswer, Reader

PASSED: Final = "passed"
FAILED: Final = "failed"


@dataclass
class Found:
    """What came of one case: `faults` name each step that went wrong; `words` each code that differs from ours, which
    is no fault.
    """

    name: str
    title: str
    title_zh: str
    steps: int
    faults: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """`passed` or `failed`."""
        return FAILED if self.faults else PASSED


def drive(reader: Reader, cases: list[Case], folder: Path) -> Iterator[Found]:
    """Each case in turn; a reader that does not answer fails the rest of a case, and is asked the next one."""
    for case in cases:
        yield _one(reader, case, folder)


def _one(reader: Reader, case: Case, folder: Path) -> Found:
    found = Found(case.name, case.title, case.title_zh, len(case.steps))
    begin = driving.here({"do": "begin", **case.place, "keys": "keys.json"}, folder)
    try:
        if reader.ask(begin).get("ok") is not True:
            found.faults.append("begin: the reader did not answer ok")
            return found
        for number, step in enumerate(case.steps, 1):
            _step(reader, step, f"step {number}", folder, found)
    except NoAnswer as no:
        found.faults.append(str(no))
    return found


def _step(reader: Reader, step: Step, where: str, folder: Path, found: Found) -> None:
    answer = reader.ask(driving.here(step.message, folder))
    passes, code = answer.get("pass"), answer.get("code")
    if not isinstance(passes, bool):
        found.faults.append(f"{where}: the answer has no pass that is true or false")
    elif passes is not step.passes:
        told = f" ({code})" if isinstance(code, str) else ""
        found.faults.append(f"{where}: {'let through' if passes else 'refused'}{told}, must be "
                            f"{'let through' if step.passes else 'refused'}{f' ({step.code})' if step.code else ''}")
    elif step.code and isinstance(code, str) and code != step.code:
        found.words.append(f"{where}: {code}, ours is {step.code}")
