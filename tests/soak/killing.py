"""One life after another, each broken at its point, taken up again as people and workers do, and looked through."""

import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections

from soak.balance import faults
from soak.life import STEPS, Diary, Life, begin, live, settle_down
from soak.points import Point, Walk, die, kill_server, tear
from zhengka.cli import cluster
from zhengka.cli.database import bring_up_to_date
from zhengka.core.scope import of_the_platform
from zhengka.keys.models import Key
from zhengka.keys.services import opening
from zhengka.production.faces.fonts import fonts
from zhengka.production.services import batches, staging, workers

GOLDEN = 0.6180339887498949
"""Multiples of it, less their whole part, lie evenly between 0 and 1 however many they are."""
VICTIMS = {"worker": ("row", die), "database": ("row", kill_server), "package writer": ("file", tear)}
CALM = 0
"""The seed of a life that nobody breaks; it is lived first, and tells the points."""
ATTEMPTS = 4
SMALL = 4
"""Cards in a chunk, so that twelve are three chunks."""


class Room:
    """A home with a server of its own, and the lives that were lived in it."""

    def __init__(self) -> None:
        if not settings.EMBEDDED_DATABASE:
            raise SystemExit("this kills the server: it takes none that DATABASE_URL names")
        cluster.ensure()
        of_the_platform(connections["default"].settings_dict)
        bring_up_to_date()
        batches.MOST_CARDS = SMALL
        opening.store()  # Argon2id and the fonts once, for all processes that are forked from here
        fonts()
        self.town, self._folder = settle_down(), Path(tempfile.mkdtemp(dir=settings.HOME, prefix="lives-"))
        self.points = list[Point]()
        self.calm = self._calm()

    def _calm(self) -> dict[str, Any]:
        life, diary = self.quiet = self.born(CALM)
        self.attempt(life, Walk(), diary)
        count(diary, "ended")
        self.points = [Point(*point) for line in diary.of("points") for point in line["points"]]
        kinds = {kind: sum(point.kind == kind for point in self.points) for kind in ("row", "file")}
        self.size = (staging.packages() / life.batch().package).stat().st_size
        return {"seed": CALM, "points": kinds, "faults": faults(life, diary)}

    def seed(self, seed: int) -> dict[str, Any]:
        """Break a life where the seed says, let it be lived to its end, and look at it. One in three is broken again
        by kill -9 on its way there.
        """
        victim = list(VICTIMS)[seed % len(VICTIMS)]
        kind, act = VICTIMS[victim]
        point = self.point(kind, seed * GOLDEN % 1)
        life, diary = self.born(seed)
        told: dict[str, Any] = {"seed": seed, "victim": victim, "step": point.step, "at": point.what}
        ended = self.attempt(life, struck(point, act if seed % 2 or kind == "row" else die, diary), diary)
        if not diary.of("struck"):
            return told | {"faults": [f"the point never came: {ended}"]}
        walks = [struck(self.point("row", seed * GOLDEN % 1, after=point), die, diary)] if seed // 9 % 3 == 2 else []
        began, attempts = time.monotonic(), 0
        while ended != "lived" and attempts < ATTEMPTS:
            self.repair()
            told.setdefault("back", round(time.monotonic() - began, 2))
            ended, attempts = self.attempt(life, walks.pop() if walks else Walk(), diary), attempts + 1
        told |= {"broken": len(diary.of("struck")), "attempts": attempts, "took": round(time.monotonic() - began, 2)}
        return told | {"faults": faults(life, diary) if ended == "lived" else [f"not lived to its end: {ended}"]}

    def point(self, kind: str, share: float, after: Point | None = None) -> Point:
        """The point that lies so far on the way through a life, or through what comes after a point."""
        steps = list(STEPS)[list(STEPS).index(after.step):] if after else STEPS
        points = [point for point in self.points if point.kind == kind and point.step in steps]
        return points[int(share * len(points))]

    def born(self, seed: int) -> tuple[Life, Diary]:
        """A new life and its diary."""
        life, diary = begin(seed, self.town), Diary(self._folder / f"{seed}.jsonl")
        count(diary, "began")
        return life, diary

    def attempt(self, life: Life, walk: Walk, diary: Diary, *, until: str = "") -> str:
        """Live on in a process of its own; "lived", or how it ended."""
        child = start(lambda: live(life, walk, diary, until=until), walk, diary)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
        return "lived" if os.WEXITSTATUS(status) == 0 else str(diary.of("failed")[-1]["why"])

    def repair(self) -> None:
        """The server is started where it is down, and half a minute goes by."""
        connection.close()
        cluster.ensure()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE production_chunk SET leased_at = leased_at - make_interval(secs => %s) "
                           "WHERE state = 'working'", [workers.LEASE + 1])


def count(diary: Diary, when: str) -> None:
    """Write down how many signatures of each key were counted until now."""
    diary.write(when, **dict(Key.objects.filter(purpose__in=("credential", "batch")).values_list(
        "purpose", "signatures")))


def struck(point: Point, act: Callable[[Point], None], diary: Diary) -> Walk:
    """A walk that is broken at a point; its diary says so before."""
    def told(met: Point) -> None:
        diary.write("struck", at=met.what)
        if act is not kill_server:  # who lives on says it himself
            diary.write("cut", label=walk.counted[0], number=walk.counted[1])
        act(met)

    walk = Walk(point, told)
    return walk


def start(work: Callable[[], None], walk: Walk, diary: Diary) -> int:
    """Fork a process that does some work and is gone; its number."""
    connection.close()
    if child := os.fork():
        return child
    ended = 1
    try:
        work()
        diary.write("points", points=walk.met)
        ended = 0
    except BaseException:
        diary.write("cut", label=walk.counted[0], number=walk.counted[1])
        diary.write("failed", why=traceback.format_exc()[-3000:])
    finally:
        os._exit(ended)

