"""A list of a step holds the cases of which one's office takes it next; counts and acts for all say the same."""

import pytest
from django.urls import reverse
from django.utils import timezone

import assessing
import builders
from builders import NOON, make_actor, make_area, make_case, make_holder, make_officer, request_id
from stories import Story, applies, person
from visits import Visitor
from worker import work
from zhengka.accounts.services import actor_of
from zhengka.areas.services import add_street
from zhengka.bulk.models import Act
from zhengka.cases import queries, services
from zhengka.cases.models import Case
from zhengka.cases.workflow import DUTIES
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.registry.models import Holder

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
    """Counts and lists of each step are the cases of which this officer's office takes it; how many in all."""
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


# -- pages -----------------------------------------------------------------------------------------------------------


def test_who_was_left_alone_is_named_with_the_reason_and_said_before():
    reviewer = make_officer("approver")
    mine = make_case(state="reviewed", reviewer=reviewer.person)
    fine = make_case(state="reviewed", reviewer="other")
    visitor, chosen = Visitor(reviewer), {"action": "approve", "chosen": [mine.pk, fine.pk]}
    page = reverse("staff:case", args=[mine.pk])
    asked = visitor.act(reverse("staff:cases-bulk"), **chosen).content.decode()
    assert page in asked and reverse("staff:case", args=[fine.pk]) not in asked
    assert Case.get(fine.pk).state == "reviewed" and not Event.objects.filter(action="approve").exists()
    done = visitor.act(reverse("staff:cases-bulk"), sure="1", **chosen)
    told = visitor.get(done["Location"]).content.decode()
    assert page in told and "Left alone" in told and Case.get(fine.pk).state == "ordered"
    assert services.approve_many([mine.pk], by=actor_of(reviewer), request_id=request_id(), at=NOON).who == {
        mine.pk: "same-person"}


def test_an_act_for_all_names_whom_it_left_alone():
    reviewer = make_officer("approver")
    mine = make_case(state="reviewed", reviewer=reviewer.person)
    services.ask_all("approve", by=actor_of(reviewer), request_id=request_id(), at=timezone.now())
    work()
    act = Act.objects.get()
    assert act.who_left == {str(mine.pk): "same-person"}
    assert reverse("staff:case", args=[mine.pk]) in Visitor(reviewer).get(
        reverse("staff:act", args=[act.pk])).content.decode()


def test_a_desk_s_figures_add_up_and_its_hand_over_is_asked_for_twice():
    clerk, to = make_officer("clerk"), make_officer("clerk")
    for state in ("notified", "confirmed", "confirmed"):
        Case.objects.filter(pk=make_case(state=state).pk).update(assignee=clerk)
    visitor = Visitor(clerk)
    page = visitor.get(reverse("staff:desk")).content.decode()
    assert "3 open cases are yours" in page
    assert "1 of them waits for you" in page and "2 of them wait for others" in page
    asked = visitor.act(reverse("staff:desk-hand-over"), colleague=str(to.pk))
    assert asked.status_code == 200 and Case.objects.filter(assignee=clerk).count() == 3
    visitor.act(reverse("staff:desk-hand-over"), colleague=str(to.pk), sure="1")
    assert Case.objects.filter(assignee=to).count() == 3


def test_the_first_doctor_of_a_dispute_is_told_when_the_form_would_open():
    day = assessing.make_session_today(at=assessing.begun())
    doctors = [make_officer("assessor", area=day.area) for _ in range(2)]
    first, _second = [assessing.make_assessor(day.institution, officer=doctor) for doctor in doctors]
    before = assessing.make_appointment(day, at=assessing.begun())
    assessing.signed(first, before, at=timezone.now())
    again = assessing.make_appointment(day, person_index=bytes(before.person_index), dispute=True, at=assessing.begun())
    url = reverse("staff:appointment", args=[again.pk])
    refused, offered = [Visitor(doctor).get(url).content.decode() for doctor in doctors]
    assert "You do not assess this person" in refused and "Show the result" not in refused
    assert "nobody assesses the same person again" in refused
    assert "Show the result" in offered and "You do not assess this person" not in offered


def test_a_day_is_not_offered_before_the_case_is_accepted():
    case = applies().case
    shown = Visitor(make_officer("clerk")).get(reverse("staff:case-book", args=[case.pk]))
    page = shown.content.decode()
    assert shown.status_code == 200 and "Not now" in page and "Book this day" not in page


def test_only_an_office_that_may_receive_for_another_is_offered_it():
    make_area(430104)
    link = reverse("staff:case-elsewhere")
    assert link in Visitor(make_officer("clerk")).get(reverse("staff:cases")).content.decode()
    province = make_officer("clerk", area=make_area(430104).parent.parent)
    assert link not in Visitor(province).get(reverse("staff:cases")).content.decode()


def test_who_moved_counts_once_in_the_plan_where_the_record_is_now():
    first, second = make_area(430104), make_area(430102)
    case = make_case(make_holder(area=first))
    Holder.objects.filter(pk=case.holder_id).update(area=second)
    province = make_actor(area=first.parent.parent)
    assert queries.counts_by_area(province) == {first.code: {"notified": 1}}
    assert queries.by_record(province) == {second.code: {"notified": 1}}
