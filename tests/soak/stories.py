"""Two more ways to break a batch: a worker that sleeps beyond its lease and wakes up, and a disk that is full."""

import ctypes
import os
import signal
import subprocess
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from soak.balance import faults
from soak.killing import Room, start
from soak.life import Diary, Life, live, watch_the_store
from soak.points import Walk, freeze
from worker import tried
from zhengka.core.errors import Refusal
from zhengka.core.queue import TRIES
from zhengka.keys.models import Key
from zhengka.production import services

NEWNS = 0x00020000
KIB = 1024
MOMENTS = {  # seed → where the worker falls asleep: what the point is called, and the how-many-eth of that name
    "signs": (901, "row", 'before UPDATE "keys_key" SET "signatures"', 2),
    "writes": (902, "file", "open .faces-0001.pdf", 1),
    "settles": (903, "file", "os.rename .faces-0002.pdf", 1),
    "packs": (904, "file", "os.rename .", 7),
}


def frozen(room: Room, moment: str) -> dict[str, Any]:
    """A worker is stopped (SIGSTOP) at work; another one takes over and the batch lives to its end; then the first
    wakes up (SIGCONT) and goes on as if nothing had been.
    """
    seed, kind, name, number = MOMENTS[moment]
    life, diary = room.born(seed)
    point = [point for point in room.points if point.step == "work" and point.kind == kind
             and point.what.startswith(name)][number - 1]
    walk = Walk(point, freeze)
    sleeper = start(lambda: live(life, walk, diary, until="publish"), walk, diary)
    _, status = os.waitpid(sleeper, os.WUNTRACED)
    told = {"story": f"frozen while it {moment}", "at": point.what}
    if not os.WIFSTOPPED(status):
        return told | {"faults": [f"it did not fall asleep: {diary.of('failed')}"]}
    room.repair()
    ended = room.attempt(life, Walk(), diary)
    os.kill(sleeper, signal.SIGCONT)
    _, status = os.waitpid(sleeper, 0)
    woke = "went on" if os.waitstatus_to_exitcode(status) == 0 else diary.of("failed")[-1]["why"]
    found = faults(life, diary) if ended == "lived" else [f"nobody took over: {ended}"]
    return told | {"woke": woke.strip().splitlines()[-1], "faults": found}


def full_disk(room: Room) -> dict[str, Any]:
    """The disk of the packages is full while a batch is prepared: it stalls and says why, nothing is half done, and
    once there is room the same work goes to the end.
    """
    life, diary = room.born(910)

    def story() -> None:
        try:
            disk = Disk()
        except (OSError, subprocess.SubprocessError) as no:
            diary.write("skipped", why=str(no))
        else:
            disk.story(room, life, diary)

    os.waitpid(start(story, Walk(), diary), 0)
    told: dict[str, Any] = {"story": "full disk", "skipped": [line["why"] for line in diary.of("skipped")]}
    if failed := [line["why"] for line in diary.of("failed")]:
        return told | {"faults": failed}
    seen = diary.of("seen")
    return told | {"seen": seen, "faults": [fault for line in diary.of("wrong") for fault in line["faults"]]}


class Disk:
    """A small disk of our own over the folder of packages, as large as we say (tmpfs in a mount namespace)."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(NEWNS):
            raise OSError(ctypes.get_errno(), "this system lets us have no disk of our own")
        run("mount", "--make-rprivate", "/")
        self._folder = services.staging.packages()
        run("mount", "-t", "tmpfs", "-o", f"size={4 * KIB}", "tmpfs", str(self._folder))

    def grow(self, size: int) -> None:
        """Make it larger or smaller."""
        run("mount", "-o", f"remount,size={size}", str(self._folder))

    def fill(self, left: int) -> None:
        """Let only so many bytes be left."""
        stand = self._folder / "stand-in"
        stand.unlink(missing_ok=True)
        found = os.statvfs(self._folder)
        stand.write_bytes(bytes(max(found.f_bavail * found.f_frsize - left, 0)))

    def story(self, room: Room, life: Life, diary: Diary) -> None:
        """No room for a member; then none for the package; then enough."""
        self.grow(64 << 20)
        watch_the_store(Walk(), diary)
        room.attempt(life, Walk(), diary, until="work")
        for left in (8 * KIB, room.size * 3 // 2):
            self.fill(left)
            before = rows(life)
            with_all_tries(life)
            batch = life.batch()
            halves = [path.name for path in services.staging.folder(batch).glob("**/.*")]
            diary.write("seen", left=left, state=batch.state, problem=batch.problem, moved=rows(life) - before)
            if (batch.state, batch.problem, halves) != ("stalled", "disk-full", []):
                diary.write("wrong", faults=[f"with {left} bytes left: {batch.state} {batch.problem} {halves}"])
            services.retry_batch(batch, by=life.town.first, request_id=life.request(f"retry {left}"),
                                 at=timezone.now())
        (self._folder / "stand-in").unlink()
        ended = room.attempt(life, Walk(), diary)
        diary.write("wrong", faults=faults(life, diary, stalled=2) if ended == "lived" else [ended])


def with_all_tries(life: Life) -> None:
    """What waits is tried as often as workers try, and given up."""
    while job := ProcrastinateJob.objects.filter(status="todo").order_by("id").first():
        for attempts in range(1, TRIES + 1):
            try:
                tried(job.task_name, attempts=attempts, **job.args)
                break
            except Refusal as no:
                assert no.code == "disk-full"
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [job.pk])


PLANTED = {  # what is broken → how, in the calm life that came out right
    "nothing": "SELECT {batch}",
    "lost": "DELETE FROM production_item WHERE id = (SELECT min(id) FROM production_item WHERE batch_id = {batch} "
            "AND outcome = 'good')",
    "twice": "INSERT INTO production_item (area, batch_id, chunk_id, card_id, position, readback, outcome, reason) "
             "SELECT area, batch_id, chunk_id, card_id, 99, readback, outcome, reason FROM production_item "
             "WHERE batch_id = {batch} AND outcome = 'good' LIMIT 1",
    "chip": "UPDATE cards_card SET uid = (SELECT uid FROM cards_card k JOIN production_item i ON i.card_id = k.id "
            "WHERE i.batch_id = {batch} AND i.outcome = 'good' LIMIT 1) WHERE id IN "
            "(SELECT card_id FROM production_item WHERE batch_id = {batch} AND outcome = 'good')",
    "signature": "UPDATE keys_key SET signatures = signatures - 1 WHERE purpose = 'credential'",
    "kept": "UPDATE cards_card SET state = 'suspect', destroyed_person = '' WHERE state = 'destroyed'",
    "order": "UPDATE cards_card SET replaces_id = NULL WHERE replaces_id IS NOT NULL",
    "letter": "DELETE FROM letters_letter",
    "blank": "UPDATE stock_span SET account = 'lost' WHERE account = 'issued' AND upper_inf(during)",
    "parcel": "DELETE FROM custody_keeping WHERE id = (SELECT min(id) FROM custody_keeping WHERE state = 'waiting')",
    "event": "UPDATE core_event SET action = 'send' WHERE subject = 'card' AND action = 'accept'",
}


def planted(room: Room, broken: str) -> dict[str, Any]:
    """What the balance says of the calm life once something in it is broken, past every rule of the database; it is
    mended again.
    """
    life, diary = room.quiet
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DROP INDEX item_card_once; ALTER TABLE cards_card DROP CONSTRAINT card_uid_once")
        for purpose in ("credential", "batch"):  # what other lives signed since is not looked at
            Key.objects.filter(purpose=purpose).update(signatures=diary.of("ended")[0][purpose])
        cursor.execute(PLANTED[broken].format(batch=life.batch().pk))
        found = faults(life, diary)
        transaction.set_rollback(True)
    return {"story": f"planted: {broken}", "found": found, "faults": []}


def rows(life: Life) -> int:
    """Cards that are prepared."""
    return life.batch().items.filter(outcome="prepared").count()


def run(*command: str) -> None:
    """Run a program of the system."""
    subprocess.run(command, check=True, capture_output=True)
