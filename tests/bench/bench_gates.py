"""Vouchers and logs of gates: redeeming online by 16 clients at once, and 100,000 events that come three times over,
shuffled, beside COPY of the same rows into a table of the same columns and indexes.
"""

import io
import os
import random
import secrets
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context

from bench_production import own_database
from django.db import connection, connections
from measure import compared, tell

import builders
import gating
from zhengka.core.errors import Refusal
from zhengka.devices.models import Device
from zhengka.formats import gatelog
from zhengka.formats.gatelog import MOST_LINES, Event
from zhengka.gates import services
from zhengka.gates.models import DoubleUse, Visit, Voucher
from zhengka.gates.services.storing import COLUMNS

CLIENTS, EACH, CONTESTED = 16, 40, 4
EVENTS, GATES, TIMES, ROUNDS = 100_000, 20, 3, 3
VOUCHERS = 5_000
"""Of the events so many issue a voucher and so many redeem one; one voucher in a hundred is used at two gates."""
UPLOADS: list[bytes] = []
CARRIERS: list[Device] = []
"""What the processes of the site are sent, and which gates send it."""
CLEAN = "TRUNCATE gates_doubleuse, gates_dispute, gates_visit, gates_voucher, gates_upload CASCADE"


def main() -> None:
    """Print p99 of a redemption, and the ratio of a merge to COPY."""
    with own_database():
        gates = [gating.make_gate(f"{number} 号") for number in range(GATES)]
        redeeming(gates[0])
        merging(gates)


def redeeming(gate: gating.Gate) -> None:
    """Each client redeems vouchers of its own, and some that all of them want at that moment."""
    post = gate.post
    own = [[_issue(gate) for _ in range(EACH)] for _ in range(CLIENTS)]
    wanted = [_issue(gate) for _ in range(CONTESTED)]
    told: list[tuple[float, str]] = []
    start = threading.Barrier(CLIENTS)

    def client(codes: list[bytes]) -> None:
        try:
            start.wait()
            for place, code in enumerate(codes):
                told.append(_timed(lambda code=code: services.redeem(
                    code, post, request_id=builders.request_id(), at=builders.NOON)))
                if place % (EACH // CONTESTED) == 0:
                    shared = wanted[place // (EACH // CONTESTED)]
                    start.wait()
                    told.append(_timed(lambda code=shared: services.redeem(
                        code, post, request_id=builders.request_id(), at=builders.NOON)))
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=client, args=(codes,)) for codes in own]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    times = sorted(seconds for seconds, _ in told)
    uses = Visit.objects.filter(kind="redeem").count()
    assert uses == CLIENTS * EACH + CONTESTED == sum(said == "redeemed" for _, said in told)
    tell(f"redeem online, {CLIENTS} clients in one process: p99", f"{times[int(len(times) * 0.99)] * 1000:.0f} ms",
         bar="≤ 100 ms")
    tell("  median", f"{statistics.median(times) * 1000:.0f} ms, {len(times) / took:.0f} a second")
    tell("  doubles", f"{DoubleUse.objects.count()} of {uses}", bar="0")


def _timed(work: Callable[[], object]) -> tuple[float, str]:
    began = time.perf_counter()
    try:
        work()
        said = "redeemed"
    except Refusal as no:
        said = no.code
    return time.perf_counter() - began, said


def _issue(gate: gating.Gate) -> bytes:
    voucher = services.issue(gating.make_wanted(), gate.post, request_id=builders.request_id(), at=builders.NOON)
    return bytes(voucher.code)


def merging(gates: list[gating.Gate]) -> None:
    """All events three times, shuffled, in uploads of the largest size, taken in by the site's processes; beside it
    COPY of the rows that came of it.
    """
    UPLOADS.extend(_uploads(gates))
    CARRIERS.extend(gate.row for gate in gates)
    connections.close_all()  # none is shared with the processes that begin now
    pairs, states = [], set()
    with ProcessPoolExecutor(cores(), get_context("fork")) as site:
        list(site.map(time.sleep, [0.2] * cores()))
        for _ in range(ROUNDS + 1):
            _clean()
            began = time.perf_counter()
            list(site.map(_merge, range(len(UPLOADS))))
            took = time.perf_counter() - began
            states.add((Visit.objects.count(), Visit.objects.filter(counted=True).count(), DoubleUse.objects.count(),
                        Voucher.objects.filter(state="redeemed").count()))
            pairs.append((took, _copied()))
    assert len(states) == 1, states
    found = compared(pairs[1:])
    tell(f"{EVENTS:,} events sent {TIMES} times shuffled ÷ COPY of the rows", found, bar="≤ 8 ×")
    tell("  ours, and COPY", f"{found.ours:.1f} s, {found.floor:.1f} s; {states.pop()[2]} double uses found")


def _merge(number: int) -> None:
    """One upload, as one of the site's processes takes it in."""
    services.merge(UPLOADS[number], carrier=CARRIERS[number % GATES], at=builders.NOON + timedelta(days=1))


def cores() -> int:
    """The site has as many processes."""
    return len(os.sched_getaffinity(0))


def _uploads(gates: list[gating.Gate]) -> list[bytes]:
    codes = [secrets.token_bytes(10) for _ in range(VOUCHERS)]
    told: list[tuple[gating.Gate, str, dict[str, object]]] = []
    for place, code in enumerate(codes):
        times = {"begins": builders.NOON, "ends": builders.NOON + timedelta(days=1)}
        told += [(gates[place % GATES], "issue", {"voucher": code, **times}),
                 (gates[(place + 1) % GATES], "redeem", {"voucher": code})]
        if place % 100 == 0:
            told.append((gates[(place + 2) % GATES], "redeem", {"voucher": code}))
    told += [(gates[place % GATES], "visit", {"subject": secrets.token_bytes(16)})
             for place in range(EVENTS - len(told))]
    lines = []
    for gate, kind, more in told:
        gate.seq += 1
        text = gatelog.write(Event(gate.pk, gate.seq, kind, builders.NOON + timedelta(seconds=gate.seq),
                                   gating.OPERATOR, gating.VENUE, gating.SERVICE, gating.RULE, "free", **more))
        lines.append(f"{gate.signs(text).to_line()}\n".encode())
    lines *= TIMES
    random.Random(1).shuffle(lines)
    return [b"".join(lines[at:at + MOST_LINES]) for at in range(0, len(lines), MOST_LINES)]


def _copied() -> float:
    """Seconds that COPY takes to put the same rows into a table of the same columns and indexes."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare")
        cursor.execute("CREATE TABLE bare (LIKE gates_visit INCLUDING ALL)")
        rows = io.BytesIO()
        with cursor.copy(f"COPY (SELECT {COLUMNS} FROM gates_visit) TO STDOUT") as copy:
            for part in copy:
                rows.write(part)
        began = time.perf_counter()
        with cursor.copy(f"COPY bare ({COLUMNS}) FROM STDIN") as copy:
            copy.write(rows.getvalue())
        return time.perf_counter() - began


def _clean() -> None:
    with connection.cursor() as cursor:
        cursor.execute(CLEAN)
        cursor.execute("VACUUM ANALYZE gates_visit")
