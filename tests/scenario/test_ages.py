"""One rule of age (周岁) in Python and in the database: a year is full from the day after the birthday."""

import datetime as dt

import pytest
from django.db import connection

import builders
from zhengka.areas.calendars import age_on, is_minor
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core.errors import Refusal

pytestmark = pytest.mark.django_db
FULL_YEARS = """
SELECT count(n) FROM generate_series(1, 130) n WHERE (%s::date + make_interval(years => n))::date < %s::date
"""


@pytest.mark.parametrize(("born", "on", "age"), [
    ("2008-02-29", "2026-02-28", 17), ("2008-02-29", "2026-03-01", 18), ("2008-03-01", "2026-03-01", 17),
    ("2008-03-01", "2026-03-02", 18), ("2008-02-28", "2026-02-28", 17), ("2008-02-28", "2026-03-01", 18),
    ("2024-02-29", "2028-02-29", 3), ("2024-02-29", "2028-03-01", 4), ("2026-01-01", "2026-01-01", 0)])
def test_a_year_is_full_from_the_day_after_the_birthday(born, on, age):
    assert age_on(dt.date.fromisoformat(born), dt.date.fromisoformat(on)) == age
    assert is_minor(dt.date.fromisoformat(born), dt.date.fromisoformat(on)) is (age < 18)


def test_nobody_is_older_than_their_birth():
    with pytest.raises(Refusal, match="born-later"):
        age_on(dt.date(2026, 1, 2), dt.date(2026, 1, 1))


def test_python_and_the_database_count_the_same_years_on_all_days_around_birthdays():
    born = [dt.date(2008, 2, 27) + dt.timedelta(days) for days in range(4)] + [
        dt.date(2007, 12, 31), dt.date(2008, 1, 1), dt.date(2000, 2, 29), dt.date(1999, 2, 28), dt.date(2008, 8, 31)]
    with connection.cursor() as cursor:
        for one in born:
            for year in range(one.year + 1, one.year + 30):
                for days in range(-2, 4):
                    on = dt.date(year, one.month, min(one.day, 28)) + dt.timedelta(days)
                    cursor.execute(FULL_YEARS, [one, on])
                    assert cursor.fetchone() == (age_on(one, on),), f"{one} on {on}"


@pytest.mark.parametrize("born", ["2008-02-28", "2008-02-29", "2008-03-01", "2008-03-02"])
@pytest.mark.parametrize("on", ["2026-02-28", "2026-03-01", "2026-03-02"])
def test_an_exchange_opened_for_a_whole_unit_knows_minors_as_a_case_of_one_does(born, on):
    number = builders.make_id_number(born=dt.date.fromisoformat(born))
    holder = builders.make_holder(id_number=number)
    builders.make_certificate(holder)
    at = dt.datetime.fromisoformat(f"{on}T12:00:00+08:00")
    asked = {"by": builders.make_actor(area=holder.area), "at": at}
    services.open_exchange(holder.area, 1, request_id=builders.request_id(), **asked)
    one = services.open_case("change", holder, request_id=builders.request_id(), **asked)
    assert one.minor is Case.objects.get(kind_of_case="exchange").minor is is_minor(holder.birth_date, at.date())
