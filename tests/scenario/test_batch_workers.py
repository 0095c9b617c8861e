"""Workers of a batch: stopped, doubled, frozen or killed, they make each card once and lose none (I9, I10)."""

import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

import batches
import builders
from builders import NOON
from worker import tried
from zhengka.cards.models import Card
from zhengka.core import queue
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, perform, perform_many
from zhengka.core.models import Event
from zhengka.formats.package import PackageReader
from zhengka.keys.models import Key
from zhengka.production import services, tasks
from zhengka.production.models import Batch, Chunk, Item
from zhengka.production.services import batches as batch_services
from zhengka.production.services import chunks, finishing
from zhengka_maker import home as homes

WORKER = """
import sys
from zhengka.production.process import begin
begin(sys.argv[1])
from django.utils import timezone
from zhengka.production import services
from zhengka.production.models import Batch
batch = Batch.objects.select_related("area", "maker").get(pk=int(sys.argv[2]))
services.run_chunks_here(batch, at=timezone.datetime.fromisoformat(sys.argv[3]), processes=1)
"""


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of five cards instead of a thousand."""
    monkeypatch.setattr(batch_services, "MOST_CARDS", 5)


def opened(home, cards: int):
    area = builders.make_area()
    maker = batches.make_maker(home, area)
    for number in range(cards):
        batches.make_ordered(area=area, photo=None if number % 10 == 9 else b"draw")
    batch = batches.open_batch(area, maker)
    return services.prepare_batch(batch, by=batches.producer(area), request_id=builders.request_id(), at=NOON)


def facts_of_cards() -> list[tuple]:
    return sorted(Card.objects.values_list("pk", "state", "serial", "token", "status_list", "status_index", "version"),
                  key=lambda row: row[0])


def serials_in_package(batch, home) -> list[str]:
    with PackageReader(batches.package_path(batch), homes.private_key(home), homes.issuer_key(home)) as package:
        return [order.serial for member in package.members if member.name.startswith("cards")
                for order in package.orders(member)]


def is_whole(batch, home) -> None:
    """Every card prepared or held once, with one serial, and in the package once."""
    batch.refresh_from_db()
    prepared = Card.objects.filter(state="prepared")
    serials = list(prepared.values_list("serial", flat=True))
    assert (batch.state, batch.prepared, batch.held) == ("prepared", len(serials), batch.ordered - len(serials))
    assert Card.objects.filter(state="held", hold_reason="photo-missing").count() == batch.held
    assert sorted(serials_in_package(batch, home)) == sorted(serials) and len(set(serials)) == len(serials)
    assert Event.objects.filter(subject="card", action="prepare").count() == len(serials)
    assert not Card.objects.filter(state="prepared", credential=None).exists()
    key = Key.objects.get(purpose="credential")
    assert key.signatures >= len(serials), "every signature was counted before it was made"


@pytest.mark.django_db
def test_a_chunk_that_runs_twice_makes_the_same_cards(home):
    batch = opened(home, 5)
    chunk = batch.chunks.get()
    services.prepare_chunk(chunk.pk, at=NOON)
    before, lease = facts_of_cards(), Chunk.objects.get().lease
    tasks.prepare_chunk(chunk.pk)
    assert facts_of_cards() == before and Chunk.objects.get().lease == lease
    tasks.finish_batch(batch.pk)
    tasks.finish_batch(batch.pk)
    is_whole(batch, home)


@pytest.mark.django_db
def test_a_chunk_that_stopped_before_its_end_keeps_its_serials_when_it_runs_again(home, monkeypatch):
    batch = opened(home, 5)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(chunks, "_write", full)
        with pytest.raises(OSError, match="No space"):
            services.prepare_chunk(batch.chunks.get().pk, at=NOON)
    numbered = {row[0]: row[2:6] for row in facts_of_cards()}
    assert all(number for number, *_ in numbered.values()), "the intent is stored before anything is signed"
    services.prepare_chunk(batch.chunks.get().pk, at=NOON)
    services.finish_batch(batch, at=NOON)
    assert {row[0]: row[2:6] for row in facts_of_cards()} == numbered
    is_whole(batch, home)


@pytest.mark.django_db
def test_a_worker_that_lost_its_lease_commits_nothing(home):
    batch = opened(home, 6)
    chunk = batch.chunks.get()
    Chunk.objects.filter(pk=chunk.pk).update(lease=1, state="working")  # a worker took the chunk and froze
    services.prepare_chunk(chunk.pk, at=NOON)
    services.finish_batch(batch, at=NOON)
    before, package = facts_of_cards(), batches.package_path(type(batch).objects.get()).read_bytes()
    batch.refresh_from_db()
    with pytest.raises(Refusal, match="lease-lost"):
        chunks.commit(chunk, 1, [], {item.pk: "photo-missing" for item in Item.objects.all()}, folder="x", at=NOON)
    assert facts_of_cards() == before and batches.package_path(batch).read_bytes() == package
    is_whole(batch, home)


@pytest.mark.django_db
def test_a_worker_that_wakes_up_late_does_not_spoil_the_members_of_the_one_that_took_over(home):
    batch = opened(home, 6)
    chunk = batch.chunks.get()
    Chunk.objects.filter(pk=chunk.pk).update(lease=1, state="working")
    services.prepare_chunk(chunk.pk, at=NOON)  # lease 2, committed
    with pytest.raises(Refusal, match="lease-lost"):
        chunks.work(chunk.pk, 1, at=NOON)  # the frozen one does all its work, into its own folder
    services.finish_batch(batch, at=NOON)
    is_whole(batch, home)


@pytest.mark.django_db
def test_a_batch_is_finished_when_its_last_chunk_is_done_and_not_before(home, small_chunks):
    batch = opened(home, 12)
    first, *others = batch.chunks.order_by("number")
    services.prepare_chunk(first.pk, at=NOON)
    assert services.finish_batch(batch, at=NOON).state == "preparing"
    for chunk in others:
        services.prepare_chunk(chunk.pk, at=NOON)
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, count(*) FROM procrastinate_jobs GROUP BY 1")
        assert dict(cursor.fetchall()) == {"production.prepare_chunk": 3, "production.finish_batch": 1}
    services.finish_batch(batch, at=NOON)
    is_whole(batch, home)


@pytest.mark.django_db
def test_a_chunk_of_a_dead_worker_is_taken_over_once_it_was_silent_long_enough(home):
    batch = opened(home, 2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE production_chunk SET state = 'working', lease = 1, leased_at = clock_timestamp()")
        assert not chunks.prepare_next(batch.pk, silent_for=30, at=NOON)
        cursor.execute("UPDATE production_chunk SET leased_at = clock_timestamp() - interval '31 s'")
    assert chunks.prepare_next(batch.pk, silent_for=30, at=NOON)
    assert Chunk.objects.get().state == "done"


@pytest.mark.django_db
def test_two_that_finish_a_batch_at_once_leave_one_package(home, monkeypatch):
    batch = opened(home, 3)
    waiting = services.staging.folder(batch)
    services.prepare_chunk(batch.chunks.get().pk, at=NOON)
    draw, quicker = finishing._proof, []

    def slowly(*asked):
        if not quicker:
            quicker.append(True)
            quicker.append(services.finish_batch(type(batch).objects.get(), at=NOON).package)
        return draw(*asked)

    monkeypatch.setattr(finishing, "_proof", slowly)
    assert services.finish_batch(batch, at=NOON).package == quicker[1]
    assert not waiting.exists()
    is_whole(batch, home)


@pytest.mark.django_db
def test_held_in_bulk_is_held_as_one_by_one():
    producer, request = batches.producer(builders.make_area()), builders.request_id()
    one, other = (builders.make_card(state="batched") for _ in range(2))
    perform(one, "hold", {"hold_reason": "photo-missing"}, by=producer, request_id=request, at=NOON, reason="x")
    perform_many(Many(Card, [other.pk], "batched", {"reason": "x"}, also=", hold_reason = %(why)s",
                      values={"why": "photo-missing"}), "hold", by=producer, request_id=request, at=NOON)
    told = list(Event.objects.values("action", "source", "target", "version", "facts", "person", "at", "area"))
    assert told[0] == told[1]
    assert len(set(Card.objects.values_list("state", "hold_reason", "version"))) == 1


@pytest.mark.django_db
def test_a_batch_of_which_a_chunk_fails_at_every_try_says_so_and_is_tried_again(home, small_chunks, monkeypatch):
    batch = opened(home, 8)
    first, second = Chunk.objects.order_by("number")
    services.prepare_chunk(first.pk, at=NOON)
    with monkeypatch.context() as patch:
        patch.setattr(chunks.making, "make_cards", lambda *_: 1 / 0)
        for attempts, state in ((0, "preparing"), (queue.TRIES, "stalled"), (queue.TRIES, "stalled")):
            with pytest.raises(ZeroDivisionError):
                tried("production.prepare_chunk", attempts=attempts, chunk_id=second.pk)
            assert Batch.get(batch.pk).state == state
    by = batches.producer(batch.area)
    with pytest.raises(Refusal, match="not-permitted"):
        services.retry_batch(batch, by=builders.make_actor(area=batch.area), request_id=builders.request_id(), at=NOON)
    before = jobs("production.prepare_chunk", chunk_id=second.pk)
    assert services.retry_batch(batch, by=by, request_id=builders.request_id(), at=NOON).state == "preparing"
    assert jobs("production.prepare_chunk", chunk_id=second.pk) == before == 1, "it waits already"
    tried("production.prepare_chunk", chunk_id=second.pk)
    batch = services.run_chunks_here(batch, at=NOON, processes=1)
    is_whole(batch, home)


@pytest.mark.django_db
def test_a_package_that_cannot_be_put_together_stalls_its_batch_and_is_tried_again(home, monkeypatch):
    batch = opened(home, 2)
    tried("production.prepare_chunk", chunk_id=Chunk.objects.get().pk)
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(finishing, "_package", lambda *_: 1 / 0)
        tried("production.finish_batch", attempts=queue.TRIES, batch_id=batch.pk)
    assert Batch.get(batch.pk).state == "stalled"
    tried("production.finish_batch", batch_id=batch.pk)
    assert Batch.get(batch.pk).state == "stalled", "nobody asked for it yet"
    before = jobs("production.finish_batch", batch_id=batch.pk)
    services.retry_batch(batch, by=batches.producer(batch.area), request_id=builders.request_id(), at=NOON)
    assert jobs("production.finish_batch", batch_id=batch.pk) == before + 1
    tried("production.finish_batch", batch_id=batch.pk)
    assert Batch.get(batch.pk).state == "prepared"


@contextmanager
def no_file_longer_than(size: int):
    """The kernel refuses this process what would make a file longer (EFBIG), as it does on a full disk. A key store
    that other tests have filled would be such a file.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.django_db
@pytest.mark.parametrize("task", ["prepare_chunk", "finish_batch"])
def test_a_batch_whose_disk_is_full_says_so_and_leaves_no_file_of_any_try(own_store, tmp_path, task):
    home = tmp_path / "maker"  # it trusts the keys of this store
    batch = opened(home, 5)
    ids = {"prepare_chunk": {"chunk_id": batch.chunks.get().pk}, "finish_batch": {"batch_id": batch.pk}}[task]
    if task == "finish_batch":
        services.prepare_chunk(batch.chunks.get().pk, at=NOON)
    packages = services.staging.packages()
    before = sorted(packages.rglob("*"))
    for attempts in (0, queue.TRIES):
        with no_file_longer_than(16_384), pytest.raises(Refusal, match="disk-full"):
            tried(f"production.{task}", attempts=attempts, **ids)
    batch.refresh_from_db()
    assert (batch.state, batch.problem) == ("stalled", "disk-full")
    left = {path for path in packages.rglob("*") if path not in before and path.is_file()}
    assert not {path.name for path in left if not path.parent.name.startswith("whole-")}
    services.retry_batch(batch, by=batches.producer(batch.area), request_id=builders.request_id(), at=NOON)
    services.run_chunks_here(batch, at=NOON, processes=1)
    is_whole(batch, home)


@pytest.mark.django_db
def test_a_chunk_that_another_worker_prepared_meanwhile_stalls_nothing(home):
    batch = opened(home, 2)
    chunk = Chunk.objects.get()
    services.prepare_chunk(chunk.pk, at=NOON)
    services.stall_for_chunk(chunk.pk, at=NOON)
    assert Batch.get(batch.pk).state == "preparing"


def jobs(name: str, **ids: int) -> int:
    return ProcrastinateJob.objects.filter(task_name=name, args=ids, status="todo").count()


@pytest.mark.django_db(transaction=True)
def test_two_processes_share_the_chunks_of_a_batch(home, small_chunks):
    batch, heard = opened(home, 30), []
    batch = services.run_chunks_here(batch, at=NOON, processes=2, told=lambda done, all_: heard.append((done, all_)))
    assert heard[-1] == (6, 6) and set(Chunk.objects.values_list("lease", flat=True)) == {1}
    is_whole(batch, home)


@pytest.mark.django_db(transaction=True)
def test_a_batch_goes_on_after_its_worker_was_killed_again_and_again(home, small_chunks):
    batch = opened(home, 60)
    for wanted in (2, 5, 9):
        worker = subprocess.Popen([sys.executable, "-c", WORKER, str(connection.settings_dict["NAME"]), str(batch.pk),
                                   NOON.isoformat()])
        deadline = time.monotonic() + 60
        while Chunk.objects.filter(state="done").count() < wanted and worker.poll() is None:
            assert time.monotonic() < deadline, "the worker does nothing"
            time.sleep(0.005)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        Chunk.objects.filter(state="working").update(leased_at=NOON)  # half a minute goes by
    assert Chunk.objects.exclude(state="done").exists(), "it was killed in the middle"
    services.run_chunks_here(batch, at=NOON, processes=1)
    is_whole(batch, home)
