"""Pages of cases at the size of a nation's province and of a small county: server time of each, and a bulk approval.

Two databases, asked in turn; holders, certificates and cases are laid out by SQL in the same shape: a third of the
cases open, a fifth of the holders in one county, so that its lists fill a page at either size. What is timed is the
whole answer of the site to one request, from its middleware to the rendered page. Processor time beside it, the
database's included, says what a page costs where other work makes the clock say something else.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from bench_production import own_database, spent
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone
from measure import ROUNDS, compared, tell

import builders
from visits import Visitor
from zhengka.areas import services as areas
from zhengka.areas.models import Area
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core import fields

SMALL, LARGE = 3_000, 1_690_000
OPEN = 0.3
ASKED = 60
"""Persons of one name each, spread over the whole county, who are searched for; each page is asked for so often."""
COUNTY = 3
"""The place among the issuing units of the county in which a fifth lives."""
BULK = 10_000
NUMBER = builders.make_id_number(number=1)
"""Everybody's: what is timed opens it as it would open their own."""
STATES = ("notified", "confirmed", "reviewed")
PEOPLE = """
WITH units AS (SELECT array_agg(code ORDER BY code) AS codes FROM areas_area WHERE issuing)
INSERT INTO registry_holder (id, province, area, state, version, name, pinyin, initials, sex, birth_date, ethnicity,
                             id_number, id_index, photo_fault, registered_at, phone)
SELECT 43 * 10000000000000 + n, 43, units.codes[1 + CASE WHEN n %% 5 = 0 THEN %(county)s
                                                    ELSE n %% array_length(units.codes, 1) END], 'registered', 1,
       CASE WHEN n %% %(step)s = 0 THEN '欧阳' || chr(19968 + n / %(step)s) ELSE
       substr(%(surnames)s, 1 + n %% 20, 1) || substr(%(given)s, 1 + n / 20 %% 37, 1)
       || substr(%(given)s, 1 + n / 740 %% 37, 1) END, 'p' || n %% 2000, 'i' || n %% 300, 1, '1960-01-01', '',
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


ASSESSED = """
WITH chosen AS (
    UPDATE cases_case c SET found = n.found FROM unnest(%(cases)s::bigint[], %(found)s::jsonb[]) AS n (id, found)
    WHERE c.id = n.id
)
UPDATE registry_certificate p SET number = n.number, number_index = n.number_index, category = n.category,
                                  grade = n.grade
FROM unnest(%(cases)s::bigint[], %(numbers)s::bytea[], %(indexes)s::bytea[], %(categories)s::int[], %(grades)s::int[])
     AS n (id, number, number_index, category, grade)
WHERE p.id = n.id
"""
"""What an assessment found in exchanges; each certificate has a number of its own, for what follows it has one, too."""
FINDINGS = ((4, 2, [], 4, 3, []), (4, 3, [], 4, 3, []), (1, 2, [], 1, 1, []), (2, 3, [], 7, 2, [[2, 3], [4, 2]]),
            (5, 2, [], 5, 1, []), (6, 3, [], 6, 3, []), (4, 4, [], 6, 2, []), (3, 2, [], 7, 1, [[3, 2], [5, 1]]))
"""What is certified, and what is found anew: category, grade and components; in turn, a quarter of them the same, three
eighths in a category that is new to the person, half with 智力 or 精神.
"""

RENEWALS = """
WITH whose AS (
    SELECT holder_id FROM cases_case WHERE kind_of_case = 'exchange' AND state = 'closed' ORDER BY id LIMIT %(bulk)s
), papers AS (
    UPDATE registry_certificate SET generation = 3, issued_on = '2017-11-20', valid_until = '2027-11-20'
    WHERE holder_id IN (SELECT holder_id FROM whose)
    RETURNING id, holder_id, area
)
INSERT INTO cases_case (id, province, area, state, version, kind_of_case, policy, minor, name, person_index, holder_id,
                        certificate_id, reason, assessor_person, reviewer_person, approver_person, opened_at, moved_at)
SELECT 43 * 10000000000000 + nextval('cases_case_ids'), 43, p.area, 'reviewed', 1, 'renewal', 'measures-2017', false,
       h.name, h.id_index, h.id, p.id, '', '', 'someone', '', now(), now()
FROM papers p JOIN registry_holder h ON h.id = p.holder_id
RETURNING id
"""


def main(small: int = SMALL, large: int = LARGE) -> None:
    """Print median and 95th percentile of each page at both sizes, and the ratio of the larger to the smaller."""
    settings.ALLOWED_HOSTS = ["testserver"]  # the test client's; Django's own test setting would slow each template
    with own_database(), another_database() as other:
        names = {small: other, large: str(connection.settings_dict["NAME"])}
        asked = {}
        for size, name in names.items():
            turn_to(name)
            start = time.perf_counter()
            fill(size)
            asked[size] = pages()
            seconds = time.perf_counter() - start
            tell(f"{size:,} holders, {int(size * OPEN):,} open cases: laid out in", f"{seconds:.0f} s")
        for page in asked[small]:
            compare(page, {size: (name, asked[size][page]) for size, name in names.items()})
        approve()


@contextmanager
def another_database() -> Iterator[str]:
    """A second database beside the own one; its name."""
    own = str(connection.settings_dict["NAME"])
    connection.close()
    connection.creation.clone_test_db("small", verbosity=0, autoclobber=True)
    try:
        yield str(connection.creation.get_test_db_clone_settings("small")["NAME"])
    finally:
        turn_to(own)
        connection.creation.destroy_test_db(suffix="small", verbosity=0)


def turn_to(name: str) -> None:
    """Ask this database from now on."""
    connection.close()
    connection.settings_dict["NAME"] = name
    cache.clear()


def compare(page: str, asked: dict[int, tuple[str, Callable[[int], object]]]) -> None:
    """Ask for a page at both sizes in turn, and tell what it took."""
    rounds: list[dict[int, Taken]] = []
    for _round in range(ROUNDS):
        rounds.append({})
        for size, (name, ask) in asked.items():
            turn_to(name)
            rounds[-1][size] = taken(ask)
    small, large = asked
    for size in asked:
        clock = [one for each in rounds for one in each[size].clock]
        tell(f"{page}, {size:,} holders: median, p95; processor",
             f"{statistics.median(clock):.1f}, {p95(clock):.1f}; "
             f"{statistics.median(each[size].processor for each in rounds):.1f} ms", bar="≤ 100 ms")
    figures = {"median": lambda one: statistics.median(one.clock), "p95": lambda one: p95(one.clock),
               "processor": lambda one: one.processor}
    for word, figure in figures.items():
        found = compared([(figure(each[large]), figure(each[small])) for each in rounds])
        tell(f"  {word}: {large:,} ÷ {small:,} holders", found, bar="≤ 1.2 ×")


@dataclass(frozen=True)
class Taken:
    """Milliseconds of each answer by the clock, and of processor time for one, the database's included."""

    clock: list[float]
    processor: float


def taken(ask: Callable[[int], object]) -> Taken:
    """What `ASKED` answers took, after three to warm up."""
    clock = []
    for place in range(-3, ASKED):
        if not place:
            before = spent()
        start = time.perf_counter()
        answer = ask(place % ASKED)
        clock.append((time.perf_counter() - start) * 1_000)
        assert answer.status_code in (200, 302), answer.status_code  # type: ignore[attr-defined]
    return Taken(clock[3:], (spent() - before) * 1_000 / ASKED)


def p95(clock: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(clock, n=20)[-1]


def fill(size: int) -> None:
    """The areas; people, paper certificates, and a case each, a third of them open, half of these with a day."""
    areas.load(settings.DATA / "areas" / "hunan-2018.toml")
    services.load_ways()
    told = {"count": size, "surnames": "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高", "states": list(STATES),
            "given": "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国文志海燕春生荣",
            "open": int(size * OPEN), "today": timezone.localdate(), "county": COUNTY, "step": size // ASKED // 5 * 5,
             "sealed_phone": fields.close("13900000001", "holder.phone"),
            "sealed_id": fields.close(NUMBER, "holder.id_number"),
            "sealed_number": fields.close(f"{NUMBER}42", "certificate.number")}
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (PEOPLE, PAPERS, CASES):
            cursor.execute(statement, told)
        for table in ("registry_holder", "registry_certificate", "cases_case"):
            cursor.execute(f"SELECT setval('{table}_ids', %s)", [size + 1])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def pages() -> dict[str, Callable[[int], object]]:
    """What is asked for, each time another one."""
    county = Area.objects.filter(issuing=True).order_by("code")[COUNTY]
    clerk = Visitor(builders.make_officer("clerk", area=county))
    leader = Visitor(builders.make_officer("reviewer", area=Area.objects.get(level="province")))
    cases = list(Case.objects.filter(area=county, ended_at=None).order_by("person_index").values_list(
        "pk", flat=True)[:ASKED])
    names = list(Case.objects.filter(area=county, name__startswith="欧阳").order_by("person_index").values_list(
        "name", flat=True)[:ASKED])

    def search(words: str) -> object:
        clerk.post(reverse("staff:holders"), {"q": words})
        return clerk.get(reverse("staff:holders"))

    return {
        "worklist of a county": lambda _n: clerk.get(reverse("staff:cases"), {"step": "confirm"}),
        "worklist of a province": lambda _n: leader.get(reverse("staff:cases"), {"step": "review"}),
        "all open cases of a province": lambda _n: leader.get(reverse("staff:cases"), {"step": "office"}),
        "home page of a province": lambda _n: leader.get(reverse("staff:home")),
        "search by name, one hit": lambda n: search(names[n]),
        "search by initials, a page of hits": lambda _n: search("i"),
        "page of a case": lambda n: clerk.get(reverse("staff:case", args=[cases[n]]))}


def approve() -> None:
    """Bulk approvals of many cases, as an approver of the province does them: exchanges, exchanges of people who were
    assessed anew, and certificates that ran out and are renewed.
    """
    approver = builders.make_actor("approver", area=Area.objects.get(level="province"))
    waiting = list(Case.objects.filter(state="reviewed", ended_at=None).values_list("pk", flat=True)[:2 * BULK])
    exchanges, assessed = waiting[:BULK], waiting[BULK:]
    assess_anew(assessed)
    with connection.cursor() as cursor:
        cursor.execute(RENEWALS, {"bulk": BULK})
        renewals = [row[0] for row in cursor.fetchall()]
    for word, chosen in (("exchanges, certificates opened", exchanges),
                         ("re-assessed exchanges, certificates opened or followed by others", assessed),
                         ("renewals, certificates renewed", renewals)):
        start, before = time.perf_counter(), spent()
        done = services.approve_many(chosen, by=approver, request_id=builders.request_id(),
                                     at=builders.NOON + timedelta(days=1))
        assert done.moved == BULK, done
        tell(f"bulk approval of {BULK:,} {word}, cards ordered and letters written; processor",
             f"{time.perf_counter() - start:.1f}; {spent() - before:.1f} s", bar="≤ 30 s")


def assess_anew(cases: list[int]) -> None:
    """Let an assessment have found something in these exchanges: `FINDINGS` in turn."""
    of = [FINDINGS[place % len(FINDINGS)] for place in range(len(cases))]
    born = builders.NOON.date() - timedelta(days=60 * 365)
    numbers = [builders.make_id_number(number=place % 1_000, born=born + timedelta(days=place // 1_000))
               + f"{category}{grade}" for place, (category, grade, *_) in enumerate(of)]
    with connection.cursor() as cursor:
        cursor.execute(ASSESSED, {
            "cases": cases, "numbers": fields.close_many(numbers, "certificate.number"),
            "indexes": fields.index_many(numbers), "categories": [each[0] for each in of],
            "grades": [each[1] for each in of], "found": [json.dumps(
                dict(zip(("category", "grade", "components"), each[3:], strict=True))) for each in of]})
        cursor.execute("ANALYZE registry_certificate, cases_case")
