"""Lists of a step hold the cases whose next step it is and whose office one is of; counts and acts for all say the same."""

import pytest

import builders
from builders import NOON, make_actor, make_area, make_case, make_holder, request_id
from stories import Story, applies, person
from zhengka.areas.services import add_street
from zhengka.cases import queries, services
from zhengka.cases.models import Case
from zhengka.cases.workflow import DUTIES
from zhengka.core.errors import Refusal

pytestmark = pytest.mark.django_db


def qiaokou():
    """A district whose streets check first, and whose city looks again; and one of its streets."""
    unit = make_area(420104, name="硚口区")
    return unit, add_street(unit, 1, "一街道（虚构）", "First Street (invented)")


def received(street, unit, *steps, **who):
    """An application that a street received, as far as the district took it."""
    case = services.apply(person(**who), 4, unit, by=make_actor(area=street), request_id=request_id(), at=NOON)
    story = Story(case)
    if steps:
        story.take("precheck", by=make_actor(area=street))
        story.take(*steps)
    return story


def listed(actor, step):
    return {case.pk for case in queries.worklist(actor, queries.waiting_for(step, actor))}


def holds_for(*actors):
    """Counts and lists of each step are the cases of which this officer's office takes it; how many there are in all."""
    number = 0
    for actor in actors:
        duties = queries.duties(actor)
        for step in duties:
            open_to = {case.pk for case in Case.objects.filter(queries.seen_by(actor), ended_at=None)
                       if any(one.step.action == step and one.code not in ("office-wrong", "office-above")
                              for one in queries.choices(case, actor=actor))}
            assert listed(actor, step) == open_to, (actor, step)
            assert duties[step] == len(open_to), (actor, step)
            number += len(open_to)
    return number


def everybody(*areas):
    return [make_actor(role, area=area) for area in areas
            for role in ("clerk", "reviewer", "approver", "assessor", "leader")]


def test_a_list_of_a_step_holds_no_case_that_has_another_next_step():
    reviewer = make_actor("reviewer")
    first = applies()
    first.take("accept")
    damaged = make_case(make_holder(), state="accepted")
    Case.objects.filter(pk=damaged.pk).delete()
    damaged.kind_of_case = "damage"
    Case.objects.bulk_create([damaged])
    assert first.case.state == damaged.state == "accepted"
    assert listed(reviewer, "review") == {damaged.pk} and queries.duties(reviewer)["review"] == 1
    assert services.waiting("review", reviewer).count() == 1
    assert services.ask_all("review", by=reviewer, request_id=request_id(), at=NOON).total == 1


def test_counts_and_lists_are_what_each_office_takes_itself_at_every_level():
    unit, street = qiaokou()
    away = make_area(420106, name="武昌区")
    home = make_area(430104)
    for steps in ((), ("accept",), ("accept", "book")):
        received(street, unit, *steps)
    services.apply(person(), 4, unit, by=make_actor(area=unit), request_id=request_id(), at=NOON)
    Story(services.apply(person(), 4, home, by=make_actor(area=away), request_id=request_id(), at=NOON)).take(
        "accept", by=make_actor(area=away))
    services.apply(person(), 4, home, by=make_actor(area=home), request_id=request_id(), at=NOON)
    for kind, state in (("damage", "applied"), ("damage", "accepted"), ("correction", "reviewed")):
        case = make_case(make_holder(area=unit), state=state)
        Case.objects.filter(pk=case.pk).delete()
        case.kind_of_case = kind
        Case.objects.bulk_create([case])
    assert holds_for(*everybody(street, unit, unit.parent, unit.parent.parent, away, home, home.parent)) > 20


def test_the_county_s_steps_are_not_the_city_s_where_the_city_looks_again():
    unit, street = qiaokou()
    story = received(street, unit, "accept", "book")
    story.assess(by=make_actor("assessor", area=unit))
    story.take("publish")
    story.later(12)
    services.run_clocks(at=story.at)
    story.case = Case.get(story.case.pk)
    story.take("review")
    city, province = (make_actor("approver", area=area) for area in (unit.parent, unit.parent.parent))
    for above in (city, province):
        with pytest.raises(Refusal, match="office-above"):
            story.take("approve", by=above)
        assert queries.duties(above)["approve"] == 0
    assert services.approve_many([story.case.pk], by=city, request_id=request_id(), at=story.at).left == {
        "office-above": 1}
    story.take("approve")
    assert queries.duties(make_actor("approver", area=unit))["recheck"] == 0
    assert queries.duties(city)["recheck"] == 1
    assert story.take("recheck", by=city).state == "ordered", "the card is ordered by the same act"


def test_the_county_does_not_check_first_what_the_street_received_and_nobody_does_both():
    unit, street = qiaokou()
    county = make_actor(area=unit)
    theirs = received(street, unit)
    with pytest.raises(Refusal, match="office-above"):
        theirs.take("precheck", by=county)
    own = Story(services.apply(person(), 4, unit, by=county, request_id=request_id(), at=NOON))
    own.take("precheck", by=county)
    with pytest.raises(Refusal, match="same-person"):
        own.take("accept", by=county)
    assert own.take("accept", by=make_actor(area=unit)).state == "accepted"


def test_where_a_policy_gives_the_city_no_step_it_stands_in_for_its_counties():
    story = applies()
    city = make_actor(area=story.case.area.parent)
    assert queries.duties(city)["accept"] >= 1
    assert story.take("accept", by=city).state == "accepted"


def test_a_desk_holds_what_waits_for_its_officer_s_own_step():
    unit, street = qiaokou()
    clerk = builders.make_officer("clerk", area=unit)
    case = received(street, unit).case
    Case.objects.filter(pk=case.pk).update(assignee=clerk)
    actor = make_actor(area=unit)
    desk = queries.Desk((clerk.pk,), queries.mine(actor, NOON.date()).lines)
    assert queries.number_on_desks(actor, desk) == 0 and not queries.on_desks(actor, desk), "the street checks it first"
    others = queries.Desk((clerk.pk,), desk.lines, but=True)
    assert queries.number_on_desks(actor, others) == 1 and queries.on_desks(actor, others) == [case]
    assert DUTIES["precheck"] == "case.confirm"
