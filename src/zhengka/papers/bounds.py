"""Bytes from strangers are taken apart in a process of its own: little memory, little time, no file larger than an
answer, nothing of our settings in its environment. What a library's fault can do there ends with it.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from zhengka.core.errors import Refusal

MEMORY: Final = 1 << 30
"""Bytes of address space; a picture of 25 million pixels needs 250 MB, OpenCV alone reserves 400 MB."""
SECONDS: Final = 20
"""Of processor time; an A4 page of 25 million pixels takes 2."""
WAITED: Final = 60
"""Seconds by the clock on a busy machine."""

_QUIET: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PATH": os.defpath, "LC_ALL": "C.UTF-8"}


class Bad(ValueError):
    """Bytes that cannot be used: `code` of `core.errors.PROBLEMS`, and what was met."""

    def __init__(self, code: str, **facts: Any) -> None:
        """Keep the code and the facts."""
        super().__init__(code)
        self.code, self.facts = code, facts


@dataclass(frozen=True)
class Answer:
    """What came back: `head` as said, and bytes."""

    head: dict[str, Any]
    data: bytes = field(repr=False)


def apart(module: str, data: bytes, told: Sequence[str] = ()) -> Answer:
    """Let `module`, which ends with `serve`, work on `data` in a process of its own; `told` are its arguments.

    `Refusal`: what the module says by `Bad`; `paper-too-heavy` where it took more than it may, or fell.
    """
    try:
        done = subprocess.run([sys.executable, "-I", "-m", module, *told], input=data, capture_output=True,  # noqa: S603 - us
                              env=_QUIET, timeout=WAITED, check=False)
    except subprocess.TimeoutExpired:
        raise Refusal("paper-too-heavy") from None
    head, _, rest = done.stdout.partition(b"\n")
    if done.returncode != 0 or not head:
        raise Refusal("paper-too-heavy")
    answer = Answer(json.loads(head), rest)
    if "refused" in answer.head:
        raise Refusal(answer.head["refused"], **answer.head["facts"])
    return answer


def serve(work: Callable[[bytes, Sequence[str]], tuple[dict[str, Any], bytes]]) -> None:
    """The other side of `apart`: bind this process, read everything, work, answer."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        head, data = work(sys.stdin.buffer.read(), sys.argv[1:])
    except Bad as bad:
        head, data = {"refused": bad.code, "facts": bad.facts}, b""
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + data)
    sys.stdout.buffer.flush()
