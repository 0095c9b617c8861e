"""The switch that stops issuing (停发), thrown while a large batch is opened, while a whole phase is, and while one is
sent: seconds until it is in force. It waits for the one transaction that is at its end, so what counts is how long that
one is.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench_production import make_ordered, own_database
from django.db import connection
from django.utils import timezone
from measure import tell

import batches
import builders
from builders import NOON
from portraits import make_photo
from zhengka.areas.models import Area
from zhengka.cards import services as cards
from zhengka.core.actors import SYSTEM
from zhengka.production import services
from zhengka.production.models import Batch, Maker
from zhengka.registry import photos as portraits

LARGE, UNITS, SENT = 100_000, 4, 6_000
PROMISED = 60
"""Seconds: issuing stops within a minute everywhere."""
HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted"


def main(large: int = LARGE, units: int = UNITS, sent: int = SENT) -> None:
    """Print the seconds, and what they come to for the largest batch that one unit of the pilot has."""
    with own_database(), tempfile.TemporaryDirectory() as place:
        area = builders.make_area()
        maker = batches.make_maker(Path(place) / "maker", area)
        photos = [portraits.keep(make_photo(number)) for number in range(20)]
        make_ordered(area, photos, large)
        told(f"while a batch of {large:,} cards is opened", area, lambda: opened(area, maker, large))
        phase = [builders.make_area(430121 + number, name=f"单位{number}") for number in range(units)]
        for unit in phase:
            make_ordered(unit, photos, large // units)
        city = builders.make_actor("producer", area=area.parent)
        act = services.ask_phase(phase, batches.PROFILE, maker, by=city, request_id=builders.request_id(), at=NOON)
        told(f"while a phase of {units} units, {large:,} cards, is opened", area,
             lambda: services.open_phase(act.pk, clock=timezone.now))
        act.refresh_from_db()
        tell("  units opened before it, refused after it", f"{act.moved}, {act.left_alone}")
        whole = opened(area, maker, sent)
        services.prepare_batch(whole, by=SYSTEM, request_id=builders.request_id(), at=NOON)
        services.run_chunks_here(whole, at=NOON)
        cards.publish_status_lists(at=NOON)
        told(f"while a batch of {sent:,} cards is sent", area, lambda: services.send_batch(
            Batch.get(whole.pk), by=batches.producer(area), request_id=builders.request_id(), at=NOON))


def opened(area: Area, maker: Maker, count: int) -> Batch:
    """A batch of so many cards, which are ordered first where fewer wait."""
    waiting = services.entering([area.code], batches.PROFILE, services.EVERY, on=NOON.date()).cards
    if waiting < count:
        make_ordered(area, [portraits.keep(make_photo(1))], count - waiting)
    return services.open_batch(area, batches.PROFILE, maker, by=SYSTEM, request_id=builders.request_id(), at=NOON,
                               only=services.Only(limit=count))


def told(what: str, area: Area, work: Callable[[], object]) -> None:
    """Throw the switch at the moment at which the work holds its lock, and lift it again."""
    ended: list[float] = []

    def do() -> None:
        work()
        ended.append(time.perf_counter())
        connection.close()

    thread = threading.Thread(target=do)
    thread.start()
    while thread.is_alive() and not held():
        time.sleep(0.001)
    began = time.perf_counter()
    stop = cards.stop_issuing(area.parent, "测一测", by=SYSTEM, request_id=builders.request_id(), at=NOON)
    in_force = time.perf_counter() - began
    thread.join()
    tell(f"in force {what}", f"{in_force:.2f} s", bar=f"≤ {PROMISED} s")
    tell("  the work itself ended after", f"{ended[0] - began:.2f} s" if ended else "—")
    people = [builders.make_actor(role, area=area.parent) for role in ("leader", "approver")]
    stop = cards.ask_lift(stop, "测完", by=people[0], request_id=builders.request_id(), at=NOON)
    cards.lift(stop, by=people[1], request_id=builders.request_id(), at=NOON)


def held() -> bool:
    """True once somebody is at something that the switch waits for."""
    with connection.cursor() as cursor:
        cursor.execute(HELD, [0x5709])
        return bool(cursor.fetchone()[0])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
