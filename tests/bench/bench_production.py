"""Batch preparation against the SM2 signatures that it needs, faces per second, and memory as batches grow."""

import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections
from measure import openssl_sm2, ratio, tell

import batches
import builders
from builders import NOON
from portraits import make_photo
from zhengka.areas.models import Area
from zhengka.cards import queries as cards
from zhengka.cards.services import allot
from zhengka.cli import cluster
from zhengka.core import fields
from zhengka.core.actors import SYSTEM
from zhengka.formats import qr
from zhengka.production import faces, services
from zhengka.production.models import Batch, Chunk, Maker
from zhengka.production.process import begin
from zhengka.production.services import chunks, gathering, making, staging
from zhengka.registry import photos as portraits

CHUNK = 1_000
ROUNDS = 7
PROCESSES = 3
"""One more than the cores here: while one waits for the disk, another works."""
SIZES = (1_000, 30_000)
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国文志海燕春生荣"

HOLDERS = """
INSERT INTO registry_holder (id, province, area, state, version, name, pinyin, initials, sex, birth_date, ethnicity,
                             id_number, id_index, photo, photo_fault, registered_at)
SELECT 43 * 10000000000000 + %(first)s + n, 43, %(area)s, 'registered', 1,
       substr(%(surnames)s, 1 + n %% 20, 1) || substr(%(given)s, 1 + n %% 37, 1)
       || substr(%(given)s, 1 + n / 37 %% 37, 1),
       'x', 'x', 1, '1960-01-01', '', '\\x00', decode(md5((%(first)s + n)::text), 'hex'),
       (%(photos)s::text[])[1 + n %% %(pool)s], '', now()
FROM generate_series(1, %(count)s) n
"""
CERTIFICATES = """
INSERT INTO registry_certificate (id, province, area, state, version, holder_id, generation, number, number_index,
                                  category, grade, components, replacement, issued_on, valid_until)
SELECT 43 * 10000000000000 + %(first)s + n, 43, %(area)s, 'valid', 1, 43 * 10000000000000 + %(first)s + n, 3, number,
       decode(md5('c' || (%(first)s + n)), 'hex'), 1 + n %% 6, 1 + n %% 4, '[]', 0, '2026-11-20', '2036-11-20'
FROM unnest(%(numbers)s::bytea[]) WITH ORDINALITY t (number, n)
"""
CARDS = """
INSERT INTO cards_card (id, province, area, state, version, holder_id, certificate_id, profile, reason, hold_reason,
                        ordered_at, issued_on, valid_until)
SELECT id, 43, area, 'ordered', 1, holder_id, id, 'disability-placeholder', 'exchange', '', now(), issued_on,
       valid_until
FROM registry_certificate WHERE id > 43 * 10000000000000 + %(first)s
"""


def main(sizes: tuple[int, ...] = SIZES) -> None:
    """Print the ratios (bars: 0.5 of `openssl speed`, 150 faces a second and core) and peak memory by batch size."""
    with own_database(), tempfile.TemporaryDirectory() as place:
        area = builders.make_area()
        maker = batches.make_maker(Path(place) / "maker", area)
        tell_faces()
        photos = [portraits.keep(make_photo(number)) for number in range(200)]
        tell_preparation(area, maker, photos)
        for size in sizes:
            tell_memory(area, maker, photos, size)


@contextmanager
def own_database() -> Iterator[None]:
    """A database of its own on the cluster, removed at the end."""
    cluster.ensure()
    before = str(settings.DATABASES["default"]["NAME"])
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connections["default"].creation.destroy_test_db(before, verbosity=0)


def make_ordered(area: Area, photos: list[str], count: int) -> None:
    """Ordered cards in bulk: invented names, numbers of no division, photos out of a pool."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('registry_holder_ids') FROM generate_series(1, %s)", [count])
        first = cursor.fetchone()[0]
        numbers = [f"439901{19600101 + n % 28:08d}{n % 1000:03d}X42" for n in range(count)]
        told = {"first": first, "count": count, "area": area.code, "photos": photos, "pool": len(photos),
                "surnames": SURNAMES, "given": GIVEN, "numbers": fields.close_many(numbers, "certificate.number")}
        for statement in (HOLDERS, CERTIFICATES, CARDS):
            cursor.execute(statement, told)
        cursor.execute("ANALYZE registry_holder, registry_certificate, cards_card")


def opened(area: Area, maker: Maker, count: int) -> Batch:
    """A batch of so many cards, its chunks ready to be taken."""
    batch = services.open_batch(area, batches.PROFILE, maker, by=SYSTEM, request_id=builders.request_id(), at=NOON,
                                only=services.Only(limit=count))
    return services.prepare_batch(batch, by=SYSTEM, request_id=builders.request_id(), at=NOON)


def spent() -> float:
    """Processor seconds of this process and of the server process that works for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(backend[11]) + int(backend[12])) / os.sysconf("SC_CLK_TCK")


def most_memory() -> int:
    """Peak memory of this process in KiB; unlike getrusage it knows nothing of the process that began this one."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])


def prepare_without_faces(chunk_id: int) -> float:
    """What `chunks.work` does, but for photos and faces; the processor seconds that it took."""
    start = spent()
    chunk = Chunk.objects.select_related("batch__area").get(pk=chunk_id)
    Chunk.objects.filter(pk=chunk_id).update(state="working", lease=1)
    batch = chunk.batch
    tools = making.Tools(cards.profile(batch.profile), faces.layout_for(batch.profile), batch.area_id, NOON)
    subjects = gathering.gather(chunk)
    numbered = allot([subject.card for subject in subjects], at=NOON)
    made, held = making.make_cards(tools, subjects, numbered)
    folder = staging.member_folder(chunk, 1)
    staging.writer(batch, folder).add_cards(chunk.number, making.orders(chunk.number, made))
    chunks.commit(chunk, 1, made, held, folder=folder, at=NOON)
    return spent() - start


def tell_preparation(area: Area, maker: Maker, photos: list[str]) -> None:
    """Keys, chip image, credential, events, package: on both cores, in turn with `openssl speed` on both."""
    per_round, warm = 9, PROCESSES
    make_ordered(area, photos, CHUNK * (per_round * ROUNDS + warm))
    batch = opened(area, maker, CHUNK * (per_round * ROUNDS + warm))
    waiting = list(batch.chunks.order_by("number").values_list("pk", flat=True))
    name = str(connection.settings_dict["NAME"])
    rates: list[float] = []
    alone: list[float] = []
    work: list[float] = []
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"), initializer=begin, initargs=(name,)) as pool:
        list(pool.map(prepare_without_faces, [waiting.pop() for _ in range(warm)]))

        def ours() -> None:
            work.extend(pool.map(prepare_without_faces, [waiting.pop() for _ in range(per_round)]))

        def floor() -> None:
            rates.append(openssl_sm2(run_for=3, cores=2)[0])
            alone.append(openssl_sm2(run_for=1)[0])

        found = ratio(ours, floor, rounds=ROUNDS)
    ours_rate, floor_rate = CHUNK * per_round / found.ours, statistics.median(rates)
    tell("batch preparation without faces, both cores", f"{ours_rate:,.0f} cards/s")
    tell("  openssl speed sm2, both cores, in turn", f"{floor_rate:,.0f} signatures/s")
    tell("  preparation ÷ openssl, by the clock", f"{ours_rate / floor_rate:.2f} ×", bar="≥ 0.5 ×")
    each = statistics.median(work) / CHUNK
    tell("  processor time of a card, PostgreSQL included", f"{each * 1e6:,.0f} µs")
    tell("  preparation ÷ openssl, by processor time", f"{1 / each / statistics.median(alone):.2f} ×", bar="≥ 0.5 ×")


def tell_faces() -> None:
    """Front and back of a card count as one face; photos all differ, names are drawn from common characters."""
    layout, photos = faces.layout_for(batches.PROFILE), [make_photo(number) for number in range(CHUNK)]

    def texts(number: int) -> dict[str, str]:
        return {"name": SURNAMES[number % 20] + GIVEN[number % 37] + GIVEN[number // 37 % 37],
                "number": f"439901{19600101 + number % 28}{number % 1000:03d}X42", "category": "肢体残疾 二级",
                "issuer": layout.issuer("岳麓区", "长沙市"), "valid_until": "2036年11月20日",
                "serial": f"4301 0400 {number:08d}"[:19]}

    def ours() -> int:
        made = (faces.Face(("red", "blue")[number % 2], texts(number), faces.ready(photos[number]),
                           qr.to_text(bytes([0x11]) + number.to_bytes(101), "https://card.example"))
                for number in range(CHUNK))
        return faces.print_faces(made, frozenset({"red"}), layout=layout, out=io.BytesIO())

    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        ours()
        times.append(time.process_time() - start)
    tell("faces, photo check included (a card: front and back), per core",
         f"{CHUNK / statistics.median(times):,.0f} cards/s", bar="≥ 150")


def open_alone(area: int, maker: str, size: int) -> tuple[int, int]:
    """Open a batch in this process; its id and the peak memory in KiB."""
    batch = opened(Area.objects.get(pk=area), Maker.objects.get(pk=maker), size)
    return batch.pk, most_memory()


def prepare_alone(batch_id: int) -> int:
    """Prepare all that waits in this process; its peak memory in KiB."""
    while chunks.prepare_next(batch_id, silent_for=600, at=NOON):
        pass
    return most_memory()


def finish_alone(batch_id: int) -> int:
    """Put the package together in this process; its peak memory in KiB."""
    services.finish_if_done(batch_id, at=NOON)
    return most_memory()


def tell_memory(area: Area, maker: Maker, photos: list[str], size: int) -> None:
    """A whole batch with faces, each step in fresh processes: time and peak memory."""
    make_ordered(area, photos, size)
    name = str(connection.settings_dict["NAME"])

    def fresh(work: Callable[..., Any], *asked: Any, processes: int = 1) -> tuple[Any, float]:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=begin,
                                 initargs=(name,)) as pool:
            list(pool.map(most_memory_of_nothing, range(processes)))
            start = time.perf_counter()
            answers = [one.result() for one in [pool.submit(work, *asked) for _ in range(processes)]]
            return answers, time.perf_counter() - start

    [(batch_id, to_open)], opening = fresh(open_alone, area.pk, maker.pk, size)
    to_prepare, preparing = fresh(prepare_alone, batch_id, processes=2)
    [to_finish], finishing = fresh(finish_alone, batch_id)
    package = batches.package_path(Batch.objects.get(pk=batch_id))
    tell(f"batch of {size:,} cards with faces: opened in", f"{opening:.1f} s, {to_open / 1024:,.0f} MB")
    tell("  prepared by two processes in", f"{preparing:.1f} s, {max(to_prepare) / 1024:,.0f} MB each",
         bar=f"{size / preparing:,.0f} cards/s")
    tell(f"  package of {package.stat().st_size / 1e6:,.0f} MB and proof sheet in",
         f"{finishing:.1f} s, {to_finish / 1024:,.0f} MB")
    package.unlink()


def most_memory_of_nothing(_: int) -> int:
    """Wake a process up, so that its beginning is not measured."""
    return most_memory()


if __name__ == "__main__":
    main(tuple(int(word) for word in sys.argv[1:]) or SIZES)
