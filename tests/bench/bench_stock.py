"""Questions to the ledger of blank cards with 2,000,000 serials, beside the same with 20,000: server time of each.

The ledger is filled by the services that offices use: boxes of 500, deliveries of 100 boxes, machines loaded box by
box, and for each thousand cards a slip of what was made and one of what was spoiled, one piece in a hundred by chance.
"""

import random
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from bench_production import own_database
from measure import tell

import builders
from zhengka.formats import serials
from zhengka.stock import queries, services
from zhengka.stock.models import Box, Store
from zhengka.stock.services import About, Delivered, Use

SMALL, LARGE = 20_000, 2_000_000
BOX, DELIVERY, BATCH = 500, 50_000, 1_000
MACHINES, ASKED = 25, 100
NATION = (0, 10**12 - 1)


class Ledger:
    """A province's store and its machines, filled with so many serials, of which nine in ten were used."""

    def __init__(self, size: int) -> None:
        """Fill it; `seconds` a thousand cards took, of which a twentieth of the slips is for the delivery."""
        self.size, self.at, self.chance = size, builders.NOON, random.Random(1)
        area = builders.make_area()
        self.by = builders.make_actor("producer", area=area)
        self.store = services.open_store(area, About("store", "库", "王"), **self.told())
        self.machines = [services.open_store(area, About("machine", f"{n} 号机", "李"), **self.told())
                         for n in range(MACHINES)]
        began = time.perf_counter()
        for first in range(1, size + 1, DELIVERY):
            services.receive(self.store, [Delivered("厂", f"箱{low}", low, low + BOX - 1) for low in range(
                first, min(first + DELIVERY, size + 1), BOX)], **self.told())
        for number, first in enumerate(range(1, size * 9 // 10 + 1, BATCH)):
            self.uses(self.machines[number % MACHINES], first, number)
        self.seconds = (time.perf_counter() - began) / (size / BATCH)

    def told(self) -> dict[str, object]:
        """Who, and half a minute later."""
        self.at += timedelta(seconds=30)
        return {"by": self.by, "request_id": builders.request_id(), "at": self.at}

    def uses(self, machine: Store, first: int, number: int) -> None:
        """Load a thousand and use them, one in a hundred for nothing."""
        run = (first, first + BATCH - 1)
        services.shift(self.store, machine, [run], **self.told())
        bad = sorted(self.chance.sample(range(run[0], run[1] + 1), BATCH // 100))
        good = serials.joined((one, one) for one in range(run[0], run[1] + 1) if one not in set(bad))
        services.use(machine, Use(good, {"花": serials.joined((one, one) for one in bad)}, f"批{number // 300}",
                                  f"操作员{number % 50}"), **self.told())


def main() -> None:
    """Print each question's 95th percentile at both sizes, and their ratio."""
    answers = {}
    for size in (SMALL, LARGE):
        with own_database():
            ledger = Ledger(size)
            tell(f"{size:,} serials: received, loaded, used, 1,000 by 1,000",
                 f"{ledger.seconds * 1000:.1f} ms a thousand")
            answers[size] = {name: percentile(ask) for name, ask in questions(ledger).items()}
            tell("what contradicts I3", queries.unbalanced() or "nothing")
    for name in answers[LARGE]:
        small, large = answers[SMALL][name], answers[LARGE][name]
        tell(f"{name}: p95 at {LARGE:,}", f"{large:.1f} ms, {large / small:.1f} × that at {SMALL:,}", bar="100 ms")


def questions(ledger: Ledger) -> "dict[str, Callable[[], object]]":
    """What officers ask, each time of another piece, box, batch or moment."""
    chance, boxes, actor = random.Random(2), list(Box.objects.all()), ledger.by

    def moment() -> datetime:
        return builders.NOON + (ledger.at - builders.NOON) * chance.random()

    def serial() -> int:
        return chance.randrange(1, ledger.size // 2)
    return {
        "balance now": lambda: queries.balance(*NATION, ledger.at),
        "balance at a past moment": lambda: queries.balance(*NATION, moment()),
        "what lies in each store": lambda: queries.in_stores([one.pk for one in ledger.machines], moment()),
        "a box at a past moment": lambda: queries.in_box(chance.choice(boxes), moment()),
        "a batch": lambda: queries.of_batch(f"批{chance.randrange(3)}", moment()),
        "a piece now": lambda: queries.where(serial(), ledger.at, actor=actor),
        "a piece's history": lambda: queries.history(serial(), actor=actor),
        "waste by box": lambda: queries.waste("box", *NATION, builders.NOON),
        "waste by operator": lambda: queries.waste("operator", *NATION, builders.NOON),
        "stores that run low": lambda: queries.low(actor=actor, at=ledger.at)}


def percentile(ask: "Callable[[], object]") -> float:
    """The 95th percentile of so many answers, in milliseconds."""
    ask()
    times = []
    for _ in range(ASKED):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(times, n=20)[-1]
