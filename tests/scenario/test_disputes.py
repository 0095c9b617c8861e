"""A decision is disputed (办法 art. 25): by whomever it concerns, once before the city, once before the province."""

import datetime as dt

import pytest
from django.utils import timezone

import builders
from builders import NOON
from stories import HAND, LEG, Story, applies, brings, card_holder
from visits import Visitor
from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core.errors import Refusal
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Finding

pytestmark = pytest.mark.django_db
OFFICE = {"dispute_city": 430100_000000, "dispute_province": 430000_000000}


def granted() -> Story:
    """An application that was granted; the card was handed over."""
    story = applies()
    story.take("accept", "book")
    story.assess(HAND)
    story.notice()
    story.take("review", "approve")
    Card.objects.update(state="active", active_until=dt.date(2027, 11, 20))
    return story


def refused() -> Story:
    """An application of somebody in whom the doctor found no disability of the standard."""
    story = applies()
    story.take("accept", "book")
    story.assess(None)
    story.take("fail")
    return story


def disputes(story: Story, kind: str = "dispute_city", days: int = 0) -> Story:
    """The person of a decided case disputes it so many days later."""
    at = story.at + dt.timedelta(days)
    case = services.dispute(kind, Case.get(story.case.pk), by=builders.make_actor(area=story.case.area),
                            request_id=builders.request_id(), at=at)
    return Story(case, at=at)


def heard(story: Story, found: Finding | None, kind: str = "dispute_city") -> Story:
    """The dispute of a decided case, heard to its end."""
    dispute, office = disputes(story, kind), Area.objects.get(code=OFFICE[kind])
    dispute.take("accept", "book", by=dispute.by("clerk", office))
    dispute.assess(found, by=dispute.by("assessor", office))
    dispute.take("review", by=dispute.by("reviewer", office))
    dispute.take("approve", by=dispute.by("approver", office))
    return dispute


def test_who_was_refused_has_a_certificate_where_the_city_finds_a_disability():
    case = heard(refused(), LEG).case
    certificate = Certificate.objects.get()
    assert (certificate.state, certificate.category, certificate.grade) == ("valid", 4, 2)
    assert (case.holder, case.certificate) == (Holder.objects.get(), certificate)
    assert Card.objects.get().certificate == certificate


def test_who_was_refused_by_county_and_city_has_one_where_the_province_finds_a_disability():
    city = heard(refused(), None)
    assert not Certificate.objects.exists()
    heard(city, LEG, "dispute_province")
    assert Certificate.objects.get().state == "valid"


def test_whose_certificate_was_taken_has_it_back_where_the_city_finds_a_disability():
    holder, certificate = card_holder()
    unmet = brings("cancellation_unmet", holder)
    unmet.take("accept", "book")
    unmet.assess(None)
    unmet.take("review", "approve")
    assert Certificate.get(certificate.pk).barred_until
    again = brings("dispute_city", Holder.get(holder.pk), disputed=unmet.case.pk).case
    assert again.certificate == certificate
    Case.objects.filter(pk=again.pk).delete()
    heard(unmet, Finding(certificate.category, certificate.grade))
    back = Certificate.get(certificate.pk)
    assert (back.state, back.barred_until) == ("valid", None)
    assert Card.objects.filter(state="ordered", certificate=back).exists(), "the revoked card stays so"


def test_a_dispute_that_finds_no_disability_ends_the_certificate_and_bars_its_category():
    story = granted()
    heard(story, None)
    ended = Certificate.objects.get()
    assert (ended.state, Card.objects.get().state) == ("cancelled", "cancelled")
    assert registry.bar(registry.had(bytes(story.case.person_index)), {ended.category}, dt.date(2027, 11, 1))


def test_the_province_gives_back_what_the_city_took():
    story = granted()
    heard(heard(story, None), LEG, "dispute_province")
    assert (Certificate.objects.get(state="valid").grade, Card.objects.get(state="ordered").reason) == (2, "change")


def test_each_decision_is_disputed_once_and_the_provinces_result_is_final():
    story = granted()
    city = heard(story, HAND)
    with pytest.raises(Refusal, match="dispute-final"):
        disputes(story)
    province = heard(city, HAND, "dispute_province")
    for earlier, kind in ((city, "dispute_province"), (province, "dispute_province"), (province, "dispute_city")):
        with pytest.raises(Refusal, match="dispute-final"):
            disputes(earlier, kind)


def test_the_citys_result_is_disputed_before_the_province_within_its_time_limit():
    city = heard(granted(), HAND)
    with pytest.raises(Refusal, match="dispute-too-late"):
        disputes(city, "dispute_province", days=30)
    assert disputes(city, "dispute_province", days=5).case.state == "applied"


def test_a_dispute_that_was_withdrawn_may_be_brought_again_in_time():
    story = granted()
    first = disputes(story)
    with pytest.raises(Refusal, match="case-open"):
        disputes(story)
    first.take("withdraw", by=first.by("clerk", Area.objects.get(code=OFFICE["dispute_city"])))
    assert disputes(story).case.state == "applied"


def test_what_was_never_assessed_cannot_be_disputed_by_an_assessment():
    holder, _ = card_holder()
    change = brings("change", holder)
    for _state in ("applied", "declined"):
        with pytest.raises(Refusal, match="dispute-of-nothing"):
            disputes(change)
        if change.case.state == "applied":
            change.take("decline")
    other = builders.make_holder()
    story = granted()
    with pytest.raises(Refusal, match="dispute-of-nothing"):
        brings("dispute_city", other, disputed=story.case.pk, at=NOON)


def test_who_was_refused_disputes_it_at_the_counter_while_the_days_run():
    story = applies(at=timezone.now())
    story.take("accept", "book")
    story.assess(None)
    clerk, page = Visitor(builders.make_officer("clerk", area=story.case.area)), f"/staff/cases/{story.case.pk}"
    assert f"{page}/dispute" not in text(clerk, page)
    story.take("fail")
    assert f"{page}/dispute" in text(clerk, page)
    answer = clerk.act(f"{page}/dispute")
    opened = Case.objects.get(kind_of_case="dispute_city")
    assert answer.url == f"/staff/cases/{opened.pk}" and (opened.disputes_id, opened.holder) == (story.case.pk, None)
    assert "石榴" in text(clerk, answer.url)


def text(who: Visitor, page: str) -> str:
    """A page as it comes."""
    return who.get(page).content.decode()
