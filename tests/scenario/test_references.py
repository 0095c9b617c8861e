"""What was reported is verified by the number of a list, or a day and time: no personal data in an event."""

import pytest
from django.urls import reverse

import builders
from builders import request_id
from stories import brings, card_holder
from visits import Visitor
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core.errors import Refusal
from zhengka.core.models import Event

pytestmark = pytest.mark.django_db
PERSONAL = ["王芳 2026-11-26", "13900000001", "+86 139 0000 0001", "139-0000-0001", "2026-11-26 13:05 13900000001",
            "0731-88881234", builders.make_id_number(), "x" * 41, "他儿子", "../2026", "430104196001011231B1"]


def verified():
    story = brings("cancellation", card_holder()[0], reason="death")
    story.take("accept")
    return story


@pytest.mark.parametrize("reference", PERSONAL)
def test_a_report_is_not_verified_by_a_name_or_a_phone_number(reference):
    story = verified()
    with pytest.raises(Refusal, match="reference-wrong"):
        services.verify(story.case, "call", reference, by=story.by("clerk"), request_id=request_id(), at=story.at)
    clerk, page = Visitor(builders.make_officer()), reverse("staff:case-step", args=[story.case.pk])
    html = clerk.act(page, action="verify", source="call", reference=reference).content.decode()
    assert "govuk-error-message" in html
    assert Case.get(story.case.pk).state == story.case.state
    assert reference not in str(list(Event.objects.values_list("facts", flat=True)))


@pytest.mark.parametrize("reference", ["2026-118", "2026-11-26 13:05", "13:05", "HN/2026.118"])
def test_the_number_of_a_list_or_a_day_and_time_stands_in_the_event(reference):
    story = verified()
    done = services.verify(story.case, "police", f" {reference} ", by=story.by("clerk"), request_id=request_id(),
                           at=story.at)
    event = Event.objects.get(subject="case", subject_id=done.pk, action="verify")
    assert event.facts["reference"] == reference
