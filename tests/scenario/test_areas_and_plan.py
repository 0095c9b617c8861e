"""The areas and the plan of the pilot come from dated files, and a second load changes nothing."""

import pytest
from django.conf import settings

import builders
from zhengka.areas import queries as area_queries
from zhengka.areas import services as areas
from zhengka.areas.models import Area
from zhengka.core.errors import Refusal
from zhengka.programme import queries
from zhengka.programme import services as programme
from zhengka.programme.models import Programme, Target
from zhengka.registry import queries as registry

pytestmark = pytest.mark.django_db
HUNAN = settings.DATA / "areas" / "hunan-2018.toml"
PILOT = settings.DATA / "programmes" / "hunan-2018.toml"


def test_the_notice_adds_up_in_the_database():
    areas.load(HUNAN)
    programme.load(PILOT)
    targets = queries.targets("hunan-2018")
    by_city = {city: sum(one.holders for one in targets if one.area.parent.code == city * 10**8)
               for city in (4301, 4307, 4310)}
    assert by_city == {4301: 125_867, 4307: 165_611, 4310: 7_007}
    assert sum(one.holders for one in targets) == 298_485
    assert sum(one.holders for one in queries.targets("hunan-2018", phase=1)) == 86_682
    assert len(targets) == area_queries.issuing_units(0, 10**12).count() == 25
    assert Programme.objects.get().budget_fen == 542_250_000


def test_a_second_load_changes_nothing():
    for _ in range(2):
        areas.load(HUNAN)
        programme.load(PILOT)
        rows = [*Area.objects.order_by("code").values(), *Target.objects.order_by("id").values()]
    assert rows == [*Area.objects.order_by("code").values(), *Target.objects.order_by("id").values()]
    assert Target.objects.count() == 25


def test_every_area_lies_within_its_parent_and_reports_under_a_national_code():
    for area in areas.load(HUNAN):
        if area.parent:
            assert area.parent.code <= area.code <= area.last <= area.parent.last
        assert (area.kind == "gb") == (area.reports_as is None)


def test_a_unit_is_known_by_code_name_city_and_office():
    areas.load(HUNAN)
    words = area_queries.unit_words(430100_000000, 430199_999999)
    for word in ("430104", "430104000000", "岳麓区", "长沙市岳麓区", "岳麓区残联", "长沙市岳麓区残疾人联合会"):
        assert words[word] == 430104_000000
    assert "武陵区" not in words


def test_plan_and_fact_stand_side_by_side_in_the_officers_own_area():
    areas.load(HUNAN)
    programme.load(PILOT)
    unit = Area.objects.get(code=430104_000000)
    builders.make_holder(area=unit)
    clerk = builders.make_actor(area=unit)
    (line,) = queries.plan_and_fact("hunan-2018", {"holders": registry.counts(actor=clerk)}, actor=clerk)
    assert (line.unit, line.phase, line.planned, line.facts) == (unit, 1, 8_321, {"holders": 1})
    with pytest.raises(Refusal, match="not-found"):
        area_queries.area(430102_000000, actor=clerk)
