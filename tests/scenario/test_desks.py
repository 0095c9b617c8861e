"""Desks (经办): who sees to a case, deputies for holidays, rights lent for some days, whole desks handed over."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

import builders
from builders import NOON, make_area, make_case, make_officer, request_id
from stories import applies, person
from visits import Visitor
from worker import work
from zhengka.accounts import services as accounts
from zhengka.accounts.models import Cover, Delegation, Officer
from zhengka.accounts.roles import LENDABLE, ROLES
from zhengka.accounts.services import Days, actor_of
from zhengka.cases import queries, services
from zhengka.cases.models import Case
from zhengka.core.errors import PROBLEMS, Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.web.staff.words import SUBJECT_WORDS
from zhengka.web.ui import words

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
WEEK = Days(TODAY, TODAY + dt.timedelta(6))
COUNTY = 430104_000000


def asked(by, **more):
    """What every service is told: who, a fresh request id, noon."""
    return {"by": by if not isinstance(by, Officer) else actor_of(by), "request_id": request_id(), "at": NOON, **more}


def on(officer, day=TODAY):
    """The officer as an actor on a day."""
    return actor_of(Officer.get(officer.pk), on=day)


def assigned(officer, **more):
    """A case on the officer's desk."""
    case = make_case(**more)
    Case.objects.filter(pk=case.pk).update(assignee=officer)
    return Case.get(case.pk)


def desk_of(actor, day=TODAY):
    """The keys of the cases on a desk, in their order."""
    return [case.pk for case in queries.on_desks(actor, queries.mine(actor, day))]


# -- one case ------------------------------------------------------------------------------------------------------


def test_who_opens_a_case_has_it_on_the_desk():
    case = applies().case
    opened = Event.objects.get(subject="case", subject_id=case.pk, version=1)
    assert case.assignee_id == opened.actor_id is not None


def test_a_case_is_taken_on_and_given_back_with_an_event_each_and_stays_where_it_is():
    clerk, case = make_officer("clerk"), make_case(state="notified")
    case = services.take_on(case, seen=None, **asked(clerk))
    assert (case.assignee, case.state) == (clerk, "notified")
    case = services.give_back(case, **asked(clerk))
    assert (case.assignee, case.state) == (None, "notified")
    told = Event.objects.filter(subject="case", subject_id=case.pk).order_by("version")
    assert [(one.version, one.action, one.source, one.target) for one in told] == [
        (2, "take_on", "notified", "notified"), (3, "give_back", "notified", "notified")]


def test_a_repeat_of_taking_on_does_nothing_twice():
    clerk, case = make_officer("clerk"), make_case()
    request = asked(clerk)
    services.take_on(case, seen=None, **request)
    with pytest.raises(Replayed):
        services.take_on(case, seen=None, **request)
    assert Event.objects.filter(subject="case").count() == 1


def test_of_two_who_take_a_case_on_at_once_the_second_is_told():
    first, second, case = make_officer("clerk"), make_officer("clerk"), make_case()
    services.take_on(case, seen=None, **asked(first))
    with pytest.raises(Refusal, match="case-taken"):
        services.take_on(case, seen=None, **asked(second))
    assert services.take_on(case, seen=first.pk, **asked(second)).assignee == second
    assert Event.objects.filter(action="take_on").latest("version").facts["from_officer"] == first.name


def test_only_who_has_a_case_gives_it_back_and_an_ended_case_stays_with_whom_it_was():
    clerk = make_officer("clerk")
    case = assigned(clerk, state="notified")
    with pytest.raises(Refusal, match="case-not-yours"):
        services.give_back(case, **asked(make_officer("clerk")))
    Case.objects.filter(pk=case.pk).update(state="closed", ended_at=NOON)
    for act, more in ((services.give_back, {}), (services.take_on, {"seen": clerk.pk})):
        with pytest.raises(Refusal, match="step-not-open"):
            act(case, **asked(clerk), **more)


def test_a_case_of_another_area_and_a_role_without_cases_are_refused():
    case = make_case()
    with pytest.raises(Refusal, match="not-found"):
        services.take_on(case, seen=None, **asked(make_officer(area=make_area(430702))))
    with pytest.raises(Refusal, match="not-permitted"):
        services.take_on(case, seen=None, **asked(make_officer("producer")))


def test_assignment_is_no_permission_any_officer_of_the_role_takes_the_step():
    case = assigned(make_officer("clerk"), state="notified")
    assert services.take(case, "confirm", **asked(make_officer("clerk"))).state == "confirmed"


# -- the worklist --------------------------------------------------------------------------------------------------


def test_a_desk_shows_what_waits_for_its_officer_soonest_first_and_apart_what_waits_for_others():
    clerk = make_officer("clerk")
    late, soon, never = [assigned(clerk, state="notified") for _ in range(3)]
    Case.objects.filter(pk=late.pk).update(due_on=TODAY + dt.timedelta(9))
    Case.objects.filter(pk=soon.pk).update(due_on=TODAY)
    reviewing = assigned(clerk, state="confirmed")
    make_case(state="notified")
    actor = actor_of(clerk)
    assert desk_of(actor) == [soon.pk, late.pk, never.pk]
    others = queries.with_others(actor)
    assert [case.pk for case in queries.on_desks(actor, others)] == [reviewing.pk]
    assert queries.number_on_desks(actor, queries.mine(actor, TODAY)) == 3
    assert queries.number_on_desks(actor, others) == 1


def test_a_desk_is_read_page_by_page_and_misses_and_doubles_nothing():
    clerk = make_officer("clerk")
    cases = [assigned(clerk, state="notified") for _ in range(7)]
    for place, case in enumerate(cases[:5]):
        Case.objects.filter(pk=case.pk).update(due_on=TODAY + dt.timedelta(place // 2))
    actor, found, after = actor_of(clerk), [], queries.Place()
    while page := queries.on_desks(actor, queries.mine(actor, TODAY), after=after, limit=2):
        found += [case.pk for case in page]
        after = queries.Place(page[-1].due_on or dt.date.max, page[-1].pk)
    assert found == [case.pk for case in cases]


def test_a_full_desk_is_read_from_its_index_and_not_row_by_row():
    clerk = make_officer("clerk")
    assigned(clerk, state="notified")
    told = {"officers": [clerk.pk], "states": ["notified"], "own": None, "received": None, "but": False,
            "lo": COUNTY, "hi": COUNTY + 999_999, "due": dt.date.min, "pk": 0, "limit": 50}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute("EXPLAIN " + queries.ON_DESKS, told)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "case_by_assignee" in plan and "Sort" not in plan.split("case_by_assignee")[1]


def test_the_wall_of_accounts_finds_the_cases_of_an_officer_by_an_index(as_web):
    assigned(make_officer("clerk"), state="notified")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    as_web(COUNTY, COUNTY + 999_999)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN SELECT name FROM accounts_officer WHERE id = 1")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "case_of_assignee" in plan and "Seq Scan on cases_case" not in plan


def test_the_tabs_and_the_page_of_a_case_say_who_has_it():
    clerk, case = make_officer("clerk"), make_case(state="notified")
    visitor, page = Visitor(clerk), reverse("staff:case", args=[case.pk])
    assert "Nobody yet" in visitor.get(page).content.decode()
    visitor.act(reverse("staff:case-take-on", args=[case.pk]), seen="")
    shown = visitor.get(page).content.decode()
    assert clerk.name in shown and "Give the case back" in shown and "Taken on" in shown
    mine = visitor.get(reverse("staff:cases"), {"step": "mine"}).content.decode()
    assert page in mine and "On my desk" in mine
    services.take(Case.get(case.pk), "confirm", **asked(clerk))
    assert page in visitor.get(reverse("staff:cases"), {"step": "others"}).content.decode()
    assert page not in visitor.get(reverse("staff:cases"), {"step": "mine"}).content.decode()
    stale = Visitor(make_officer("clerk")).act(reverse("staff:case-take-on", args=[case.pk]), seen="")
    assert stale.status_code == 409 and "case-taken" in stale.content.decode()
    visitor.act(reverse("staff:case-give-back", args=[case.pk]))
    assert Case.get(case.pk).assignee is None


# -- a deputy for holidays -----------------------------------------------------------------------------------------


def covered(days=WEEK, role="reviewer"):
    """An officer, and the deputy for some days."""
    absent, deputy = make_officer(role), make_officer(role)
    return absent, deputy, accounts.set_cover(deputy, days, **asked(absent))


def test_a_deputy_has_the_absent_one_s_cases_in_those_days_and_no_others():
    absent, deputy, _cover = covered()
    case = assigned(absent, state="confirmed")
    actor = actor_of(deputy)
    days = {TODAY - dt.timedelta(1): [], WEEK.first: [case.pk], WEEK.last: [case.pk], WEEK.last + dt.timedelta(1): []}
    assert {day: desk_of(actor, day) for day in days} == days
    assert on(deputy).permissions == ROLES["reviewer"][1] and not on(deputy).lent
    assert desk_of(actor_of(absent)) == [case.pk]


def test_a_cover_does_not_pass_on_what_its_deputy_covers():
    absent, deputy, _cover = covered()
    assigned(absent, state="confirmed")
    third = make_officer("reviewer")
    accounts.set_cover(third, WEEK, **asked(deputy))
    assert desk_of(actor_of(third)) == []


def test_a_cover_ends_early_by_the_hand_that_set_it_up_and_no_other():
    absent, deputy, cover = covered()
    case = assigned(absent, state="confirmed")
    assert desk_of(actor_of(deputy)) == [case.pk]
    with pytest.raises(Refusal, match="not-permitted"):
        accounts.end_cover(cover, **asked(deputy))
    accounts.end_cover(cover, **asked(absent))
    assert desk_of(actor_of(deputy)) == []
    accounts.set_cover(deputy, WEEK, **asked(absent))
    with pytest.raises(Refusal, match="step-not-open"):
        accounts.end_cover(cover, **asked(absent))


def test_a_cover_asked_for_twice_by_one_form_is_set_once():
    absent, deputy = make_officer("clerk"), make_officer("clerk")
    request = asked(absent)
    accounts.set_cover(deputy, WEEK, **request)
    with pytest.raises(Replayed):
        accounts.set_cover(deputy, WEEK, **request)
    assert Cover.objects.count() == 1


def day(number):
    return TODAY + dt.timedelta(number)


@pytest.mark.parametrize("days, code", [
    (Days(day(-1), day(3)), "days-wrong"), (Days(day(3), day(2)), "days-wrong"),
    (Days(day(0), day(90)), "days-too-many"), (Days(day(6), day(9)), "days-overlap"),
    (Days(day(0), day(0)), "days-overlap")])
def test_days_that_are_past_reversed_too_many_or_taken_are_refused(days, code):
    absent, deputy, _cover = covered()
    with pytest.raises(Refusal, match=code):
        accounts.set_cover(deputy, days, **asked(absent))


def test_ninety_days_and_the_day_after_a_cover_are_free():
    absent, deputy, _cover = covered()
    assert accounts.set_cover(deputy, Days(day(7), day(96)), **asked(absent)).last_day == day(96)


def test_a_deputy_is_another_active_person_of_the_same_office_and_role():
    absent = make_officer("clerk", person="staff-1")
    closed = make_officer("clerk")
    Officer.objects.filter(pk=closed.pk).update(state="inactive")
    for deputy, code in ((absent, "stand-in-oneself"), (make_officer("clerk", person="staff-1"), "stand-in-oneself"),
                         (make_officer("clerk", area=make_area(430702)), "stand-in-unfit"),
                         (Officer.get(closed.pk), "stand-in-unfit"), (make_officer("reviewer"), "stand-in-other-role")):
        with pytest.raises(Refusal, match=code):
            accounts.set_cover(deputy, WEEK, **asked(absent))
    with pytest.raises(Refusal, match="not-permitted"):
        accounts.set_cover(make_officer("system"), WEEK, **asked(make_officer("system")))


@pytest.mark.parametrize("fields, constraint", [
    ({"last_day": day(-1)}, "cover_days_ordered"), ({"last_day": day(90)}, "cover_days_bounded"),
    ({"deputy_person": "same", "person": "same"}, "cover_by_another"), ({"state": "x"}, "cover_state_known")])
def test_the_database_itself_refuses_a_cover_by_oneself_or_of_impossible_days(fields, constraint):
    _absent, _deputy, cover = covered()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Cover.objects.filter(pk=cover.pk).update(**fields)


def test_the_database_itself_refuses_two_deputies_on_one_day():
    absent, deputy, _cover = covered()
    later = accounts.set_cover(deputy, Days(day(7), day(8)), **asked(absent))
    with pytest.raises(IntegrityError, match="cover_days_apart"), transaction.atomic():
        Cover.objects.filter(pk=later.pk).update(first_day=day(6))


# -- a right lent for some days ------------------------------------------------------------------------------------


def lent(days=WEEK, role="approver", deputy_role="reviewer", permitted=True):
    """The holder of a role, who gets its right for some days, and the delegation."""
    holder, deputy = make_officer(role), make_officer(deputy_role)
    row = accounts.lend(deputy, days, **asked(holder))
    if permitted:
        row = accounts.permit_lending(row, **asked(make_officer("security")))
    return holder, deputy, row


def test_a_right_holds_once_a_third_person_permits_it_and_ends_by_itself_behind_its_last_day():
    holder, deputy, row = lent(permitted=False)
    assert not on(deputy).may("case.approve")
    accounts.permit_lending(row, **asked(make_officer("security")))
    held = {number: on(deputy, day(number)).may("case.approve") for number in (-1, 0, 6, 7)}
    assert held == {-1: False, 0: True, 6: True, 7: False}
    both = on(deputy)
    assert both.permissions == ROLES["approver"][1] | ROLES["reviewer"][1]
    assert both.lent.keys() == ROLES["approver"][1] - ROLES["reviewer"][1] and both.id == deputy.pk
    assert on(holder).may("case.approve") and not actor_of(deputy).may("case.approve")


def test_an_act_by_a_lent_right_names_who_acted_and_whose_right_it_was():
    holder, deputy, row = lent()
    case = services.take(make_case(state="reviewed", reviewer="other"), "approve", **asked(on(deputy)))
    told = Event.objects.filter(person=deputy.person, at=NOON, facts__has_key="lent_by")
    assert {(one.subject, one.action) for one in told} == {
        ("case", "approve"), ("case", "order"), ("certificate", "issue"), ("card", "order")}
    assert {(one.facts["lent_by"], one.facts["delegation"], one.actor_name) for one in told} == {
        (holder.name, row.pk, deputy.name)}
    own = services.take(make_case(state="confirmed"), "review", **asked(on(deputy)))
    assert "lent_by" not in Event.objects.get(subject="case", subject_id=own.pk).facts
    page = Visitor(make_officer("clerk")).get(reverse("staff:case", args=[case.pk])).content.decode()
    assert "By the right of" in page and holder.name in page
    journal = Visitor(make_officer("audit")).get(reverse("staff:audit"), {"subject": "case"}).content.decode()
    assert f"By the right of: {holder.name}" in journal


def test_two_persons_are_still_asked_for_where_one_person_holds_both_rights():
    _holder, deputy, _row = lent()
    case = services.take(make_case(state="confirmed"), "review", **asked(on(deputy)))
    with pytest.raises(Refusal, match="same-person"):
        services.take(case, "approve", **asked(on(deputy)))


def test_a_bulk_act_asked_for_by_a_lent_right_says_so_of_every_case_also_behind_its_last_day():
    holder, deputy, _row = lent(Days(timezone.localdate(), timezone.localdate()))
    cases = [make_case(state="reviewed", reviewer="other") for _ in range(2)]
    actor = on(deputy, timezone.localdate())
    services.ask_all("approve", by=actor, request_id=request_id(), at=timezone.now())
    Delegation.objects.update(first_day=day(-9), last_day=day(-9))
    work()
    told = Event.objects.filter(action="approve", subject_id__in=[case.pk for case in cases])
    assert [one.facts["lent_by"] for one in told] == [holder.name] * 2
    done = Event.objects.filter(subject__in=("certificate", "card"), action__in=("issue", "order"))
    assert done.count() == 4 and {one.facts["lent_by"] for one in done} == {holder.name}
    assert Event.objects.get(subject="bulk-act", action="ask").facts["lent_by"] == holder.name


def test_a_clerk_s_lent_right_is_told_of_where_something_begins():
    holder, deputy, _row = lent(role="clerk", deputy_role="approver")
    holder_row = builders.make_holder()
    builders.make_certificate(holder_row)
    services.open_exchange(make_area(), 1, **asked(on(deputy)))
    case = services.apply(person(), 4, make_area(), **asked(on(deputy)))
    told = Event.objects.filter(subject="case", action="open")
    assert told.count() == 2 and {one.facts["lent_by"] for one in told} == {holder.name}
    assert case.assignee == deputy


def test_a_right_ends_with_the_holder_s_own_role_account_or_office_and_with_the_deputy_s():
    holder, deputy, _row = lent()
    other = make_area(430702)
    for officer, change in ((holder, {"role": "leader"}), (holder, {"state": "inactive"}), (holder, {"area": other}),
                            (deputy, {"role": "security"}), (deputy, {"area": other}), (deputy, {"state": "inactive"}),
                            (deputy, {"first_password": True})):
        with transaction.atomic():
            Officer.objects.filter(pk=officer.pk).update(**change)
            assert not on(deputy).may("case.approve"), change
            transaction.set_rollback(True)
    assert on(deputy).may("case.approve")


def test_neither_party_permits_a_delegation_and_only_the_security_administrator_does():
    holder, deputy, row = lent(permitted=False)
    for party in (holder.person, deputy.person):
        with pytest.raises(Refusal, match="same-person"):
            accounts.permit_lending(row, **asked(make_officer("security", person=party)))
    for role in ("system", "approver"):
        with pytest.raises(Refusal, match="not-permitted"):
            accounts.permit_lending(row, **asked(make_officer(role)))
    with pytest.raises(Refusal, match="not-found"):
        accounts.permit_lending(row, **asked(make_officer("security", area=make_area(430702))))


def test_a_delegation_is_refused_with_a_reason_and_then_nothing_is_left_to_permit():
    _holder, deputy, row = lent(permitted=False)
    with pytest.raises(Refusal, match="reason-missing"):
        accounts.refuse_lending(row, reason=" ", **asked(make_officer("security")))
    accounts.refuse_lending(row, reason="人手足够", **asked(make_officer("security")))
    with pytest.raises(Refusal, match="step-not-open"):
        accounts.permit_lending(row, **asked(make_officer("security")))
    assert not on(deputy).lent


def test_a_right_is_taken_back_by_its_holder_or_revoked_before_its_last_day():
    holder, deputy, row = lent()
    for officer in (deputy, make_officer("approver")):
        with pytest.raises(Refusal, match="not-permitted"):
            accounts.take_back(row, **asked(officer))
    accounts.take_back(row, **asked(holder))
    assert not on(deputy).lent
    again = accounts.lend(deputy, WEEK, **asked(holder))
    accounts.permit_lending(again, **asked(make_officer("security")))
    accounts.revoke_lending(again, **asked(make_officer("security")))
    assert not on(deputy).lent
    accounts.take_back(accounts.lend(deputy, WEEK, **asked(holder)), **asked(holder))


def test_what_changed_between_asking_and_permitting_is_looked_at_again():
    holder, deputy, row = lent(permitted=False)
    security = make_officer("security")
    for officer, change, code in (
            (holder, {"role": "leader"}, "role-not-lent"), (deputy, {"role": "approver"}, "role-not-lent"),
            (deputy, {"role": "assessor"}, "role-not-lent"), (holder, {"state": "inactive"}, "stand-in-unfit"),
            (deputy, {"area": make_area(430702)}, "stand-in-unfit")):
        with transaction.atomic():
            Officer.objects.filter(pk=officer.pk).update(**change)
            with pytest.raises(Refusal, match=code):
                accounts.permit_lending(row, **asked(security))
            transaction.set_rollback(True)
    with pytest.raises(Refusal, match="days-wrong"):
        accounts.permit_lending(row, by=actor_of(security), request_id=request_id(), at=NOON + dt.timedelta(7))


@pytest.mark.parametrize("role, deputy_role", [
    ("approver", "approver"), ("approver", "security"), ("system", "clerk"), ("assessor", "clerk"),
    ("approver", "assessor"), ("audit", "leader")])
def test_rights_of_administrators_and_doctors_are_not_lent_nor_to_them_nor_to_who_has_them(role, deputy_role):
    with pytest.raises(Refusal, match="role-not-lent"):
        accounts.lend(make_officer(deputy_role), WEEK, **asked(make_officer(role)))


def test_a_right_is_lent_to_another_active_person_of_the_office_on_days_that_are_free():
    holder, deputy, _row = lent()
    for other, days, code in ((make_officer("clerk", person=holder.person), WEEK, "stand-in-oneself"),
                              (make_officer("clerk", area=make_area(430702)), WEEK, "stand-in-unfit"),
                              (deputy, WEEK, "days-overlap"), (deputy, Days(day(7), day(97)), "days-too-many")):
        with pytest.raises(Refusal, match=code):
            accounts.lend(other, days, **asked(holder))


@pytest.mark.parametrize("fields, constraint", [
    ({"permitted_by": ""}, "delegation_by_two_persons"), ({"role": "security"}, "delegation_role_lendable"),
    ({"person": "a", "permitted_by": "a"}, "delegation_by_a_third"),
    ({"deputy_person": "a", "permitted_by": "a"}, "delegation_by_a_third"),
    ({"person": "a", "deputy_person": "a"}, "delegation_by_another"),
    ({"last_day": day(90)}, "delegation_days_bounded"), ({"last_day": day(-1)}, "delegation_days_ordered"),
    ({"state": "x"}, "delegation_state_known")])
def test_the_database_itself_refuses_a_right_without_a_third_person_or_of_impossible_days(fields, constraint):
    _holder, _deputy, row = lent()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Delegation.objects.filter(pk=row.pk).update(**fields)


# -- the whole desk ------------------------------------------------------------------------------------------------


def test_a_desk_is_handed_over_by_one_act_with_an_event_for_each_case():
    clerk, to = make_officer("clerk"), make_officer("reviewer")
    going = [assigned(clerk, state=state) for state in ("notified", "confirmed", "notified")]
    ended = assigned(clerk, state="closed")
    Case.objects.filter(pk=ended.pk).update(ended_at=NOON)
    other = assigned(to, state="notified")
    request = asked(clerk)
    assert services.hand_over(clerk, to, **request) == 3
    assert services.hand_over(clerk, to, **request) == 0
    assert {case.pk for case in Case.objects.filter(assignee=to)} == {other.pk, *(case.pk for case in going)}
    assert Case.get(ended.pk).assignee == clerk
    told = Event.objects.filter(action="hand_on")
    assert {(one.subject_id, one.version, one.source == one.target) for one in told} == {
        (case.pk, 2, True) for case in going}
    assert {one.facts["to_officer"] for one in told} == {to.name}


def test_who_administers_the_accounts_hands_over_the_desk_of_who_left_and_nobody_else_does():
    clerk, to = make_officer("clerk"), make_officer("clerk")
    assigned(clerk)
    with pytest.raises(Refusal, match="not-permitted"):
        services.hand_over(clerk, to, **asked(to))
    with pytest.raises(Refusal, match="not-found"):
        services.hand_over(clerk, to, **asked(make_officer("system", area=make_area(430702))))
    assert services.hand_over(clerk, to, **asked(make_officer("system"))) == 1


def test_a_desk_goes_to_an_active_colleague_of_the_office_who_works_on_cases():
    clerk = make_officer("clerk")
    assigned(clerk)
    closed = make_officer("clerk")
    Officer.objects.filter(pk=closed.pk).update(state="inactive")
    for to, code in ((clerk, "stand-in-oneself"), (Officer.get(closed.pk), "stand-in-unfit"),
                     (make_officer("clerk", area=make_area(430702)), "stand-in-unfit"),
                     (make_officer("producer"), "desk-not-for-role")):
        with pytest.raises(Refusal, match=code):
            services.hand_over(clerk, to, **asked(clerk))


# -- pages ---------------------------------------------------------------------------------------------------------


def days_from_today(first=0, last=6):
    today = timezone.localdate()
    return {"first": (today + dt.timedelta(first)).isoformat(), "last": (today + dt.timedelta(last)).isoformat()}


def test_a_deputy_is_named_on_my_desk_and_finds_the_case_and_the_form_says_what_is_wrong():
    absent, deputy = make_officer("reviewer"), make_officer("reviewer")
    case = assigned(absent, state="confirmed")
    visitor, url = Visitor(absent), reverse("staff:cover-new")
    assert "in the past or in the wrong order" in visitor.act(
        url, colleague=deputy.pk, **days_from_today(3, 1)).content.decode()
    assert visitor.act(url, colleague=make_officer("clerk").pk, **days_from_today()).status_code == 200
    assert not Cover.objects.exists()
    assert visitor.act(url, colleague=deputy.pk, **days_from_today()).url == reverse("staff:desk")
    assert f"{deputy.name} stands in for you" in visitor.get(reverse("staff:desk")).content.decode()
    theirs = Visitor(deputy)
    assert f"You stand in for {absent.name}" in theirs.get(reverse("staff:desk")).content.decode()
    address = reverse("staff:case", args=[case.pk])
    assert address in theirs.get(reverse("staff:cases"), {"step": "mine"}).content.decode()
    visitor.act(reverse("staff:cover-end", args=[Cover.objects.get().pk]))
    assert address not in theirs.get(reverse("staff:cases"), {"step": "mine"}).content.decode()


def test_a_right_is_asked_for_permitted_used_and_taken_back_on_the_pages():
    holder, deputy = make_officer("approver"), make_officer("reviewer")
    case = make_case(state="reviewed", reviewer="other")
    owner, helper, security = Visitor(holder), Visitor(deputy), Visitor(make_officer("security"))
    owner.act(reverse("staff:delegation-new"), colleague=deputy.pk, **days_from_today())
    row = Delegation.objects.get()
    step = reverse("staff:case-step", args=[case.pk])
    assert helper.act(step, action="approve").status_code == 403
    assert "Delegations to permit" in security.get(reverse("staff:home")).content.decode()
    assert "1 to permit" in security.get(reverse("staff:permits")).content.decode()
    assert holder.name in security.get(reverse("staff:delegations")).content.decode()
    assert "Approve cases" in security.get(reverse("staff:delegation", args=[row.pk])).content.decode()
    assert security.act(reverse("staff:delegation-refuse", args=[row.pk])).status_code == 200
    security.act(reverse("staff:delegation-permit", args=[row.pk]))
    assert "is lent to you" in helper.get(reverse("staff:desk")).content.decode()
    assert helper.act(step, action="approve").status_code == 302
    assert Case.get(case.pk).state == "ordered"
    owner.act(reverse("staff:delegation-end", args=[row.pk]))
    other = make_case(state="reviewed", reviewer="other")
    assert helper.act(reverse("staff:case-step", args=[other.pk]), action="approve").status_code == 403
    assert "Nothing waits here" in security.get(reverse("staff:delegation", args=[row.pk])).content.decode()


def test_a_right_is_refused_or_revoked_on_the_pages_and_a_party_to_it_is_told_why_not():
    holder, deputy, row = lent(Days(timezone.localdate(), timezone.localdate()), permitted=False)
    party = Visitor(make_officer("security", person=holder.person))
    assert "You lend this right or get it" in party.get(reverse("staff:delegation", args=[row.pk])).content.decode()
    assert party.act(reverse("staff:delegation-permit", args=[row.pk])).status_code == 409
    security = Visitor(make_officer("security"))
    security.act(reverse("staff:delegation-refuse", args=[row.pk]), reason="不需要")
    assert Delegation.get(row.pk).state == "refused"
    again = accounts.lend(deputy, Days(timezone.localdate(), timezone.localdate()), **asked(holder))
    security.act(reverse("staff:delegation-permit", args=[again.pk]))
    security.act(reverse("staff:delegation-revoke", args=[again.pk]))
    assert Delegation.get(again.pk).state == "ended"


def test_a_desk_is_handed_over_on_the_pages_by_its_officer_and_by_the_system_administrator():
    clerk, to = make_officer("clerk"), make_officer("clerk")
    assigned(clerk)
    visitor = Visitor(clerk)
    assert "1 open case is yours" in visitor.get(reverse("staff:desk")).content.decode()
    answer = visitor.act(reverse("staff:desk-hand-over"), colleague=to.pk, sure="1")
    assert "1 case is handed over" in visitor.get(answer.url).content.decode()
    system, page = Visitor(make_officer("system")), reverse("staff:officer", args=[to.pk])
    assert "1 open case is on this officer" in system.get(page).content.decode()
    answer = system.act(reverse("staff:officer-hand-over", args=[to.pk]), colleague=clerk.pk, sure="1")
    assert "1 case is handed over" in system.get(answer.url).content.decode()
    assert Case.objects.get().assignee == clerk


def test_administrators_have_no_desk():
    for role in sorted(set(ROLES) - LENDABLE - {"assessor"}):
        visitor = Visitor(make_officer(role))
        assert visitor.get(reverse("staff:desk")).status_code == 403
        assert "My desk" not in visitor.get(reverse("staff:account")).content.decode()
    assert "My desk" in Visitor(make_officer("producer")).get(reverse("staff:home")).content.decode()


@pytest.mark.parametrize("code", [
    "case-taken", "case-not-yours", "desk-not-for-role", "stand-in-oneself", "stand-in-unfit", "stand-in-other-role",
    "role-not-lent", "days-wrong", "days-too-many", "days-overlap"])
def test_every_no_of_a_desk_has_words_in_both_languages(code):
    problem = PROBLEMS[code]
    assert all((problem.title, problem.title_zh, problem.next, problem.next_zh))


@pytest.mark.parametrize("model", [Cover, Delegation])
def test_every_state_and_act_of_a_stand_in_has_its_words(model):
    workflow = model.workflow
    assert workflow.actions <= set(words.ACTIONS) and workflow.states == set(words.STATES[workflow.name])
    assert workflow.name in SUBJECT_WORDS
