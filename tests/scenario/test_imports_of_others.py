"""A unit's file meets persons of another unit (I19): it finds them, and changes nothing of what is in force there."""

import pytest

import builders
from importing import counts, file_of, imported, row
from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.models import Event
from zhengka.registry import queries
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db(transaction=True)


def clerk_of(code: int) -> Actor:
    return builders.make_actor(area=builders.make_area(code, name=f"{code}"))


@pytest.fixture
def theirs(tmp_path) -> Holder:
    """A person of 430702 without a phone."""
    imported(file_of(tmp_path, row(1, phone="", address="")), clerk_of(430702), unit=430702)
    return Holder.objects.get()


def test_a_later_number_of_another_units_person_is_refused_by_name_and_nothing_of_theirs_changes(theirs, tmp_path):
    record = imported(file_of(tmp_path, row(1, suffix="B7", grade=1, phone="15499999999"), name="x.csv"),
                      clerk_of(430104))
    assert (counts(record), record.reasons) == ((0, 0, 0, 1), {"person-elsewhere": 1})
    holder, certificate = Holder.objects.get(), Certificate.objects.get()
    assert (holder.version, holder.phone, holder.address) == (theirs.version, None, None)
    assert (certificate.state, certificate.grade) == ("valid", 2)
    assert not Event.objects.filter(action__in=("merge", "replace")).exists()


def test_an_old_number_that_another_unit_knows_finds_the_person_and_fills_nothing(theirs, tmp_path):
    record = imported(file_of(tmp_path, row(1, grade=3, issued="2009-01-01", phone="15499999999"), name="x.csv"),
                      clerk_of(430104))
    assert counts(record) == (0, 1, 0, 0)
    holder = Holder.objects.get()
    assert (holder.phone, holder.area_id) == (None, 430702 * 10**6)
    assert sorted(Certificate.objects.values_list("state", "grade")) == [("replaced", 3), ("valid", 2)]
    number = builders.make_id_number(number=1) + "43"
    assert queries.find(number, actor=clerk_of(430702)) == [holder]


def test_a_closed_record_of_another_unit_is_told_no_more_of_than_an_open_one(theirs, tmp_path):
    """The fault: whoever had an ID number heard of a death."""
    Holder.objects.update(state="closed")
    rows = [row(1, suffix="B7"), row(1, grade=3, issued="2009-01-01")]
    for place, line in enumerate(rows):
        record = imported(file_of(tmp_path, line, name=f"{place}.csv"), clerk_of(430104))
        assert record.reasons == {"person-elsewhere": 1}
    own = imported(file_of(tmp_path, rows[0], name="own.csv"), clerk_of(430702), unit=430702)
    assert own.reasons == {"person-closed": 1}


def test_who_answers_for_both_units_and_the_persons_own_take_a_later_number_in(theirs, tmp_path):
    city = builders.make_actor(area=Area.objects.get(code=430000 * 10**6))
    builders.make_area(430104, name="岳麓区")
    later = imported(file_of(tmp_path, row(1, suffix="B1"), name="x.csv"), city, unit=430104)
    own = imported(file_of(tmp_path, row(1, suffix="B2"), name="y.csv"), clerk_of(430702), unit=430702)
    assert [counts(one) for one in (later, own)] == [(0, 1, 0, 0)] * 2
    assert list(Certificate.objects.filter(state="valid").values_list("replacement", flat=True)) == [2]
