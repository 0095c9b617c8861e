"""What doctors found of who arrives is disputed (办法 art. 25): by who was refused, and by who came."""

import pytest

import builders
from builders import NOON
from stories import HAND, LEG, Story, brings, card_holder, under
from telling import letters
from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core.errors import Refusal
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Finding

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def region(tmp_path):
    """A city whose doctors assess whoever comes."""
    with under("two-doctors", tmp_path):
        yield


def city() -> Area:
    return builders.make_area().parent


def there() -> Area:
    return builders.make_area(430102, name="芙蓉区")


def leaves(away: Story) -> Story:
    """The old office lets its holder go; the arrival that the platform opens."""
    away.take("request", "review", "approve")
    away.take("recheck", by=builders.make_actor("approver", area=city()))
    services.move_on(away.case.pk, at=NOON)
    away.case = Case.get(away.case.pk)
    return Story(away.case.counterpart)


def assessed(here: Story, found: Finding | None) -> Story:
    here.take("precheck", "accept", "book")
    here.assess(found)
    here.take("countersign", by=builders.make_actor("assessor", area=here.case.area))
    return here


def comes(found: Finding | None) -> tuple[Holder, Story, Story]:
    """Somebody with 肢体二级 moves; what the doctors of the new office find of them is decided."""
    holder, _ = card_holder()
    away = brings("transfer_out_city", holder, to=there().pk, moved="2026-11-01")
    here = assessed(leaves(away), found)
    if found is None:
        here.take("fail")
    else:
        here.take("review", "approve")
        here.take("recheck", by=builders.make_actor("approver", area=city()))
    services.move_on(here.case.pk, at=NOON)
    away.case, here.case = Case.get(away.case.pk), Case.get(here.case.pk)
    return Holder.get(holder.pk), away, here


def hears(here: Story, found: Finding | None) -> Case:
    """The city assesses anew, by doctors of its own, and decides."""
    case = services.dispute("dispute_city", here.case, by=builders.make_actor(area=there()), at=NOON,
                            request_id=builders.request_id())
    dispute = Story(case)
    for step in ("accept", "book"):
        dispute.take(step, by=dispute.by("clerk", city()))
    dispute.assess(found)
    dispute.take("countersign", by=builders.make_actor("assessor", area=case.area))
    for step, role in (("review", "reviewer"), ("approve", "approver")):
        dispute.take(step, by=dispute.by(role, city()))
    return Case.get(dispute.case.pk)


def standing() -> tuple[list[tuple[str, int, int]], list[str]]:
    """State, grade and office of every certificate; the state of every card."""
    found = Certificate.objects.order_by("pk").values_list("state", "grade", "area")
    return list(found), sorted(Card.objects.values_list("state", flat=True))


@pytest.mark.parametrize("found", [HAND, None])
def test_a_dispute_of_an_arrival_that_failed_is_heard_at_the_new_city_and_takes_nothing_from_the_old_office(found):
    holder, away, here = comes(None)
    assert (here.case.state, away.case.state) == ("unmet", "noted"), "turned back"
    before = standing()
    assert services.disputable(here.case, NOON) == "dispute_city"
    case = hears(here, found)
    assert (case.area, case.state, standing()) == (there(), "approved", before)
    assert "dispute-result" in letters(case)
    assert Holder.get(holder.pk).area_id == holder.area_id and before[0] == [("valid", 2, holder.area_id)]
    with pytest.raises(Refusal, match="dispute-final"):
        services.dispute("dispute_city", here.case, by=builders.make_actor(area=there()), at=NOON,
                         request_id=builders.request_id())


def test_after_a_dispute_that_found_a_disability_the_move_is_asked_for_again_and_comes_to_its_end():
    _holder, away, here = comes(None)
    hears(here, HAND)
    again = assessed(leaves(away), HAND)
    again.take("review", "approve")
    again.take("recheck", by=builders.make_actor("approver", area=city()))
    services.move_on(again.case.pk, at=NOON)
    assert (Case.get(away.case.pk).state, Case.get(again.case.pk).state) == ("arrived", "ordered")
    certificates, cards = standing()
    assert certificates == [("replaced", 2, there().pk), ("valid", 3, there().pk)] and cards == ["active", "ordered"]


def test_what_the_doctors_of_an_arrival_that_came_found_is_disputed_and_the_city_s_finding_takes_its_place():
    _holder, _away, here = comes(HAND)
    assert here.case.state == "ordered" and standing()[0][-1] == ("valid", 3, there().pk)
    Card.objects.filter(state="active").update(state="cancelled")
    Card.objects.filter(state="ordered").update(state="active", active_until=NOON.date())
    case = hears(here, LEG)
    assert case.state == "approved" and "dispute-result" in letters(case)
    certificates, cards = standing()
    assert certificates[-1] == ("valid", 2, there().pk) and [state for state, *_ in certificates].count("valid") == 1
    assert cards == ["active", "cancelled", "ordered"], "with a card of its own"


def test_a_dispute_of_an_arrival_that_came_and_finds_nothing_ends_the_certificate():
    _holder, _away, here = comes(HAND)
    case = hears(here, None)
    assert case.state == "approved"
    assert {state for state, *_ in standing()[0]} == {"replaced", "cancelled"} and set(standing()[1]) == {"cancelled"}
