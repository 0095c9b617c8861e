"""Where a region's doctors assess whoever comes, who brings a certificate along is assessed for what stands in it."""

import datetime as dt

import pytest
from django.urls import reverse

import builders
from builders import NOON
from stories import LEG, Story, person, under
from visits import Visitor
from zhengka.cases import services
from zhengka.cases.services.needed import in_care
from zhengka.registry.models import Certificate
from zhengka.registry.services import Finding

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("end", "found"), [("42", LEG), ("62", Finding(6, 2))])
def test_an_arrival_with_a_brought_certificate_is_booked_and_assessed_for_its_category(end, found, tmp_path):
    with under("two-doctors", tmp_path):
        area = builders.make_area()
        who = person(guardian_name="石山") if end == "62" else person()
        brought = services.Brought(who.id_number + end, dt.date(2021, 5, 1), dt.date(2031, 5, 1))
        here = Story(services.apply_arrival(who, brought, area, by=builders.make_actor(area=area),
                                            request_id=builders.request_id(), at=NOON))
        here.take("precheck", "accept")
        clerk = Visitor(builders.make_officer("clerk", area=area))
        for name in ("staff:case", "staff:case-book"):
            assert clerk.get(reverse(name, args=[here.case.pk])).status_code == 200
        assert services.category_of(here.case) == found.category
        assert in_care(here.case) == (end == "62"), "letters about 精神 go to the guardian"
        here.assess(found)
        here.take("countersign", by=builders.make_actor("assessor", area=area))
        if end == "42":
            here.take("review", "approve")
            here.take("recheck", by=builders.make_actor("approver", area=area.parent))
            assert Certificate.objects.get().category == 4
