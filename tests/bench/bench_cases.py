"""Pages of cases at the size of a nation's province and of a small county: server time of each, and a bulk approval.

A database of its own; holders, certificates and cases are laid out by SQL, a third of them open. What is timed is the
whole answer of the site to one request, from its middleware to the rendered page.
"""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta

from bench_production import own_database
from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone
from measure import tell

import builders
from visits import Visitor
from zhengka.areas import services as areas
from zhengka.areas.models import Area
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core import fields

SIZES = (3_000, 1_690_000)
OPEN = 0.3
ASKED = 60
BULK = 10_000
NUMBER = builders.make_id_number(number=1)
"""Everybody's: what is timed opens it as it would open their own."""
STATES = ("notified", "confirmed", "reviewed")
PEOPLE = """
WITH units AS (SELECT array_agg(code ORDER BY code) AS codes FROM areas_area WHERE issuing)
INSERT INTO registry_holder (id, province, area, state, version, name, pinyin, initials, sex, birth_date, ethnicity,
                             id_number, id_index, photo_fault, registered_at, phone)
SELECT 43 * 10000000000000 + n, 43, units.codes[1 + n %% array_length(units.codes, 1)], 'registered', 1,
       substr(%(surnames)s, 1 + n %% 20, 1) || substr(%(given)s, 1 + n / 20 %% 37, 1)
       || substr(%(given)s, 1 + n / 740 %% 37, 1), 'p' || n %% 2000, 'i' || n %% 300, 1, '1960-01-01', '',
       %(sealed_id)s, decode(md5(n::text), 'hex'), '', now(), CASE WHEN n %% 2 = 0 THEN %(sealed_phone)s::bytea END
FROM units, generate_series(1, %(count)s) n
"""
PAPERS = """
INSERT INTO registry_certificate (id, province, area, state, version, holder_id, generation, number, number_index,
                                  category, grade, components, replacement, issued_on, valid_until)
SELECT id, 43, area, 'valid', 1, id, 2, %(sealed_number)s, decode(md5('c' || id), 'hex'), 1 + id %% 6,
       1 + id %% 4, '[]', 0, '2018-11-20', '2028-11-20'
FROM registry_holder
"""
CASES = """
INSERT INTO cases_case (id, province, area, state, version, kind_of_case, policy, minor, name, person_index, holder_id,
                        certificate_id, reason, assessor_person, reviewer_person, approver_person, due_on, opened_at,
                        moved_at, ended_at)
SELECT id, 43, area, CASE WHEN n >= %(open)s THEN 'closed' ELSE (%(states)s::text[])[1 + n %% 3] END, 1, 'exchange',
       'measures-2017', false, name, id_index, id, id, '', '', CASE WHEN n %% 3 = 2 THEN 'someone' ELSE '' END, '',
       CASE WHEN n %% 2 = 0 THEN %(today)s::date + (n %% 40)::int - 5 END, now(), now(),
       CASE WHEN n >= %(open)s THEN now() - (n %% 60) * interval '1 day' END
FROM (SELECT *, row_number() OVER (ORDER BY md5(id::text)) - 1 AS n FROM registry_holder) h
"""


def main(sizes: tuple[int, ...] = SIZES) -> None:
    """Print the 95th percentile of each page at each size, and the ratio of the largest to the smallest."""
    settings.ALLOWED_HOSTS = ["testserver"]  # the test client's; Django's own test setting would slow each template
    found = [measured(size) for size in sizes]
    for page in found[0]:
        first, last = found[0][page], found[-1][page]
        tell(f"{page}: {sizes[-1]:,} ÷ {sizes[0]:,} holders", f"{last / first:.2f} ×", bar="≤ 1.2 ×")


def measured(size: int) -> dict[str, float]:
    """Page → the 95th percentile of its server time in milliseconds, at so many holders."""
    with own_database():
        areas.load(settings.DATA / "areas" / "hunan-2018.toml")
        services.load_ways()
        fill(size)
        found = {page: p95(ask) for page, ask in pages(size).items()}
        for page, milliseconds in found.items():
            tell(f"{page}, {size:,} holders, {int(size * OPEN):,} open cases: p95", f"{milliseconds:.0f} ms",
                 bar="≤ 100 ms")
        if size > BULK:
            approve()
        return found


def fill(size: int) -> None:
    """People, paper certificates, and a case each, a third of them open, half of these with a day."""
    told = {"count": size, "surnames": "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高", "states": list(STATES),
            "given": "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国文志海燕春生荣",
            "open": int(size * OPEN), "today": timezone.localdate(),
            "sealed_phone": fields.close("13900000001", "holder.phone"),
            "sealed_id": fields.close(NUMBER, "holder.id_number"),
            "sealed_number": fields.close(f"{NUMBER}42", "certificate.number")}
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (PEOPLE, PAPERS, CASES):
            cursor.execute(statement, told)
        for table in ("registry_holder", "registry_certificate", "cases_case"):
            cursor.execute(f"SELECT setval('{table}_ids', %s)", [size + 1])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE registry_holder, registry_certificate, cards_card, cases_case")


def pages(size: int) -> dict[str, Callable[[int], object]]:
    """What is asked for, each time another one."""
    county = Area.objects.filter(issuing=True).order_by("code")[3]
    clerk = Visitor(builders.make_officer("clerk", area=county))
    leader = Visitor(builders.make_officer("reviewer", area=Area.objects.get(level="province")))
    cases = list(Case.objects.filter(area=county, ended_at=None).values_list("pk", flat=True)[:ASKED])
    names = list(Case.objects.filter(area=county).values_list("name", flat=True)[:ASKED])

    def search(number: int) -> object:
        clerk.post(reverse("staff:holders"), {"q": names[number % len(names)]})
        return clerk.get(reverse("staff:holders"))

    return {
        "worklist of a county": lambda _n: clerk.get(reverse("staff:cases"), {"step": "confirm"}),
        "worklist of a province": lambda _n: leader.get(reverse("staff:cases"), {"step": "review"}),
        "home page of a province": lambda _n: leader.get(reverse("staff:home")),
        "search by name": search,
        "page of a case": lambda n: clerk.get(reverse("staff:case", args=[cases[n % len(cases)]]))}


def p95(ask: Callable[[int], object]) -> float:
    """The 95th percentile of `ASKED` answers in milliseconds, after three to warm up."""
    times = []
    for number in range(ASKED + 3):
        start = time.perf_counter()
        answer = ask(number)
        times.append((time.perf_counter() - start) * 1_000)
        assert answer.status_code in (200, 302), answer.status_code  # type: ignore[attr-defined]
    return statistics.quantiles(times[3:], n=20)[-1]


def approve() -> None:
    """A bulk approval of many cases, as an approver of the province does it."""
    approver = builders.make_actor("approver", area=Area.objects.get(level="province"))
    chosen = list(Case.objects.filter(state="reviewed", ended_at=None).values_list("pk", flat=True)[:BULK])
    start = time.perf_counter()
    done = services.approve_many(chosen, by=approver, request_id=builders.request_id(),
                                 at=builders.NOON + timedelta(days=1))
    assert done.moved == BULK, done
    tell(f"bulk approval of {BULK:,} cases, certificates opened, cards ordered and letters written",
         f"{time.perf_counter() - start:.1f} s", bar="≤ 30 s")
