"""Second-generation records come in: every row ends as created, merged, unchanged or refused with a named reason."""

import hashlib
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

import builders
from builders import NOON
from zhengka.areas import services as areas
from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.exchange import sample
from zhengka.registry import services
from zhengka.registry.models import Holder, Import, PersonKey

pytestmark = pytest.mark.django_db

HUNAN = settings.DATA / "areas" / "hunan-2018.toml"
TABLES = ["registry_holder", "registry_certificate", "registry_personkey", "registry_sighting"]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, sample.Truth]:
    out = tmp_path_factory.mktemp("sample")
    truth = sample.generate(out, scale=0.01, seed=7, units=sample.pilot_units(settings.DATA),
                            on_progress=lambda done, total: None)
    return out, truth


@pytest.fixture
def clerk() -> Actor:
    areas.load(HUNAN)
    return builders.make_actor(area=Area.objects.get(code=430000_000000))


def imported(path: Path, clerk: Actor, *, unit: int = 0) -> Import:
    area = Area.objects.get(code=(unit or int(path.name[:6])) * 10**6)
    record = services.receive_import(path.name, path, area, by=clerk, request_id=builders.request_id(), at=NOON)
    return services.take_import(record.pk, at=NOON)


def digest_of_tables() -> str:
    """A digest of everything that an import may change, in an order of its own, without the events of imports."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
            digest.update(repr(cursor.fetchall()).encode())
        cursor.execute("SELECT t::text FROM core_event t WHERE subject <> 'import' ORDER BY 1")
        digest.update(repr(cursor.fetchall()).encode())
    return digest.hexdigest()


def test_the_sample_ends_exactly_as_its_truth_says_and_a_second_time_changes_nothing(made, clerk):
    out, truth = made
    for name, expected in truth.files.items():
        record = imported(out / name, clerk)
        assert record.state == "done", (name, record.problem, record.problem_facts)
        assert (record.rows, record.created, record.merged, record.unchanged) == (
            expected.rows, expected.created, expected.merged, expected.unchanged), name
        assert record.refused == expected.refused.total(), name
        for fault, number in expected.refused.items():
            codes = sample.FAULTS[fault].codes
            assert sum(record.reasons.get(code, 0) for code in codes) == number, (name, fault, record.reasons)
    assert Holder.objects.count() == PersonKey.objects.count() == truth.total.created
    before = digest_of_tables()
    for name, expected in truth.files.items():
        again = imported(out / name, clerk)
        assert (again.created, again.merged, again.refused) == (0, 0, expected.refused.total())
        assert again.unchanged == expected.rows - again.refused
    assert digest_of_tables() == before
