"""How a ratio is measured: ours and the floor in turn, the median of the rounds, and an interval by bootstrap."""

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ROUNDS = 7
DRAWS = 2_000


@dataclass(frozen=True)
class Ratio:
    """`value`: median of ours ÷ floor over the rounds; `low`, `high`: 95 % interval; seconds of one round each."""

    value: float
    low: float
    high: float
    ours: float
    floor: float

    def __str__(self) -> str:
        return f"{self.value:.2f} × [{self.low:.2f}, {self.high:.2f}]"


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(ours: Callable[[], object], floor: Callable[[], object], *, rounds: int = ROUNDS) -> Ratio:
    """Time ours and the floor in turn (A B A B …) and compare them round by round."""
    return compared([(seconds(ours), seconds(floor)) for _ in range(rounds)])


def compared(pairs: Sequence[tuple[float, float]]) -> Ratio:
    """The ratio of the first to the second of each round."""
    ratios = [mine / least for mine, least in pairs]
    chance = random.Random(1)
    draws = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(DRAWS))
    return Ratio(statistics.median(ratios), draws[int(DRAWS * 0.025)], draws[int(DRAWS * 0.975)],
                 statistics.median(mine for mine, _ in pairs), statistics.median(least for _, least in pairs))


def openssl_sm2(run_for: int = 3, cores: int = 1) -> tuple[float, float]:
    """(signatures, checks) per second that `openssl speed` makes with SM2 on this machine now."""
    command = ["openssl", "speed", "-seconds", str(run_for), *(["-multi", str(cores)] if cores > 1 else []), "sm2"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = [line for line in shown.splitlines() if line.lstrip().startswith("256 bits SM2")][-1]
    per_second = [float(word) for word in line.split()[-2:]]
    return per_second[0], per_second[1]


def tell(title: str, figure: object, *, bar: str = "") -> None:
    """Print one figure, and the bar that it is held against."""
    sys.stdout.write(f"{title:<66} {figure!s:<34} {bar}\n")
    sys.stdout.flush()
