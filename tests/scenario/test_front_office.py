"""A case is received by one office and decided by another: 跨省通办, and streets that check before the county does."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.urls import reverse
from django.utils import timezone

import assessing
import builders
from builders import NOON, make_actor, make_area, make_officer, request_id
from papers_brought import jpeg, photograph, put_first
from stories import LEG, Story, applies, card_holder, person, take
from visits import Visitor
from zhengka.accounts.services import actor_of
from zhengka.areas.models import Area
from zhengka.areas.services import add_street
from zhengka.assessment import queries as assessed
from zhengka.assessment import services as assessment_services
from zhengka.assessment.models import Appointment, Assessment
from zhengka.cards.models import Card
from zhengka.cases import fronts, late, queries, services
from zhengka.cases.models import Case
from zhengka.cases.queries import Wanted
from zhengka.cases.workflow import STATES
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.core.queries import EventFilter, events
from zhengka.core.scope import enter, leave, see_all
from zhengka.letters import queries as letters
from zhengka.letters.models import Letter
from zhengka.papers import queries as papers_kept
from zhengka.papers import services as papers
from zhengka.papers.models import Paper
from zhengka.papers.queries import Subject
from zhengka.registry.models import Holder

pytestmark = pytest.mark.django_db
OF_A_CASE = {"cases_case": "id", "papers_paper": "subject_id", "letters_letter": "subject_id",
             "assessment_appointment": "case_id", "assessment_assessment": "case_id"}
"""Table of what belongs to a case → the column with the case's id."""


def home() -> Area:
    """The county of the household register, in Hunan."""
    return make_area(430104)


def away() -> Area:
    """The county where people live, in another province."""
    return make_area(420106, name="武昌区")


def third() -> Area:
    """A county that has nothing to do with it."""
    return make_area(430702, name="武陵区")


def qiaokou() -> tuple[Area, Area]:
    """A district whose streets check before it does, and one of them."""
    unit = make_area(420104, name="硚口区")
    return unit, add_street(unit, 1, "一街道（虚构）", "First Street (invented)")


def from_away(*, wanted: int = 4, **who) -> Story:
    """Somebody who lives away applies there to the office at home."""
    area, front = home(), away()
    case = services.apply(person(**who), wanted, area, by=make_actor(area=front), request_id=request_id(), at=NOON)
    return Story(case)


@contextmanager
def seen_by(actor: Actor) -> Iterator[None]:
    """What happens inside happens under the web's role, in the actor's area."""
    enter(connection, actor.lo, actor.hi)
    try:
        yield
    finally:
        leave(connection)
        see_all(connection)


def counted(table: str, column: str, case: Case) -> int:
    """Rows of a case in a table, as PostgreSQL itself lets them be seen."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", [case.pk])
        return cursor.fetchone()[0]


def refused(code: str, do) -> None:
    with pytest.raises(Refusal, match=code):
        do()


def bring(case: Case, by: Actor, kind: str = "id-card") -> Paper:
    """A paper is taken in for a case."""
    subject = Subject(case.kind(), case.pk, case.area_id, case.front_id)
    return papers.add_paper(subject, papers.Upload(kind, "a.jpg", jpeg(photograph())), by=by, request_id=request_id(),
                            at=NOON)


# -- 跨省通办 --------------------------------------------------------------------------------------------------------


def test_who_lives_elsewhere_applies_there_and_the_office_at_home_decides_and_orders_the_card():
    story = from_away()
    case, clerk, doctor = story.case, story.by("clerk", away()), story.by("assessor", away())
    assert (case.area, case.front, case.policy, case.state) == (home(), away(), "cross-province", "applied")
    with seen_by(clerk):
        bring(case, clerk)
        papers.take_portrait(Subject("case", case.pk, case.area_id, case.front_id), jpeg(photograph()), by=clerk,
                             dark_glasses=False, request_id=request_id(), at=NOON)
        story.take("accept", "book", by=clerk)
    with seen_by(doctor):
        story.assess(by=doctor)
    with seen_by(clerk):
        story.take("publish", by=clerk)
    story.later(8)
    services.run_clocks(at=story.at)
    story.case = Case.get(case.pk)
    for role, step in (("reviewer", "review"), ("approver", "approve")):
        who = story.by(role, home())
        with seen_by(who):
            assert papers_kept.papers_of(Subject("case", case.pk, case.area_id))
            story.take(step, by=who)
    done = Case.get(case.pk)
    assert (done.state, done.holder.area, Card.objects.get().area) == ("ordered", home(), home())
    assert done.holder.photo, "the photo that was taken away is on the record at home"
    told = Event.objects.filter(subject="case", subject_id=case.pk)
    assert {(event.area, event.shared_with) for event in told} == {(home().code, away().code)}
    assert {event.area for event in Event.objects.filter(subject__in=("holder", "card"))} == {home().code}


@pytest.mark.parametrize(("step", "role", "wrong"), [
    ("accept", "clerk", home), ("book", "clerk", home), ("publish", "clerk", home), ("review", "reviewer", away),
    ("approve", "approver", away)])
def test_each_office_takes_its_own_steps_and_is_refused_the_other_s(step, role, wrong):
    story = from_away()
    clerk, order = story.by("clerk", away()), ["accept", "book", "publish", "review", "approve"]
    for one in order[:order.index(step)]:
        if one == "publish":
            story.assess(by=story.by("assessor", away()))
        story.take(one, by=clerk if one in order[:3] else story.by("reviewer"))
        if one == "publish":
            story.later(8)
            services.run_clocks(at=story.at)
            story.case = Case.get(story.case.pk)
    if step == "publish":
        story.assess(by=story.by("assessor", away()))
    who = story.by(role, wrong())
    with seen_by(who):
        told = {"by": who, "request_id": request_id(), "at": story.at, "reason": "x"}
        refused("office-wrong", lambda: take(story.case, step, **told))
        seen = queries.get(story.case.pk, actor=who)
        closed = {each.step.action: each for each in queries.choices(seen, actor=who)}[step]
    right = home() if wrong is away else away()
    assert closed.code == "office-wrong" and fronts.offices_of(seen, closed.step) == [right]


def test_what_goes_back_goes_to_the_front_office():
    story = from_away()
    clerk = story.by("clerk", away())
    story.take("return_papers", by=clerk)
    refused("office-wrong", lambda: story.take("resubmit", by=story.by("clerk", home())))
    story.take("resubmit", "accept", "book", by=clerk)
    story.assess(by=story.by("assessor", away()))
    story.take("publish", by=clerk)
    story.later(8)
    services.run_clocks(at=story.at)
    story.case = Case.get(story.case.pk)
    assert story.take("send_back", by=story.by("reviewer", home())).state == "applied"
    refused("office-wrong", lambda: story.take("accept", by=story.by("clerk", home())))
    assert story.take("accept", by=clerk).state == "accepted"
    assert queries.worklist(clerk, queries.waiting_for("book", clerk)) == [story.case]


def test_a_minor_from_elsewhere_is_publicised_by_nobody():
    story = from_away(wanted=5, id_number=builders.make_id_number(born=NOON.date().replace(year=2016)),
                      guardian_name="石山")
    story.take("accept", "book", by=story.by("clerk", away()))
    story.assess(by=story.by("assessor", away()))
    assert "publish" not in {step.action for step in story.case.table.steps}
    bring(story.case, story.by("clerk", away()), "guardian-proof")
    assert story.take("review", "approve").state == "ordered"


def test_the_county_where_somebody_lives_books_its_own_hospital_and_both_offices_see_the_conclusion():
    story = from_away(wanted=3)
    clerk = story.by("clerk", away())
    story.take("accept", by=clerk)
    institution = assessing.make_institution(away())
    day, doctor = assessing.make_session(institution), assessing.make_assessor(institution)
    with seen_by(clerk):
        services.book_day(story.case, day, by=clerk, request_id=request_id(), at=NOON)
    appointment = Appointment.objects.get()
    assert (appointment.area, appointment.shared_with) == (away(), home().code)
    with seen_by(doctor):
        services.sign(appointment, assessing.SPEECH, by=doctor, request_id=request_id(), at=NOON)
    reviewer = story.by("reviewer", home())
    with seen_by(reviewer):
        assert queries.get(story.case.pk, actor=reviewer).found == {"category": 3, "grade": 2, "components": []}
        assert Assessment.objects.get().grade == 2


def test_a_letter_is_written_by_the_office_whose_step_it_tells_and_seen_by_both():
    story = from_away(phone="", address="珞珈山 1 号")
    clerk, theirs = story.by("clerk", away()), story.by("clerk", home())
    with seen_by(clerk):
        story.take("accept", by=clerk)
    letter = Letter.objects.get()
    assert (letter.area, letter.shared_with, letter.channel) == (away(), home().code, "print")
    assert letters.waiting(actor=clerk) == {"print": 1} and letters.waiting(actor=theirs) == {}
    for who in (clerk, theirs):
        with seen_by(who):
            assert list(letters.of_subjects([("case", story.case.pk)], actor=who)) == [letter]
            assert letters.letter(letter.pk, actor=who) == letter


def test_a_third_office_sees_nothing_of_a_case_and_a_front_office_nothing_but_the_case():
    story = from_away(wanted=3)
    clerk, stranger = story.by("clerk", away()), story.by("clerk", third())
    bring(story.case, clerk)
    story.take("accept", by=clerk)
    institution = assessing.make_institution(away())
    services.book_day(story.case, assessing.make_session(institution), by=clerk, request_id=request_id(), at=NOON)
    services.sign(Appointment.objects.get(), assessing.SPEECH, by=assessing.make_assessor(institution),
                  request_id=request_id(), at=NOON)
    builders.make_holder(area=home())
    paper, story.case = Paper.objects.get(kind_of_paper="id-card"), Case.get(story.case.pk)
    letter = Letter.objects.get(template="acceptance-undated")
    for who, sees in ((clerk, 1), (story.by("clerk", home()), 1), (stranger, 0)):
        with seen_by(who):
            assert {bool(counted(table, column, story.case)) for table, column in OF_A_CASE.items()} == {bool(sees)}
            assert bool(counted("core_event", "subject_id", story.case)) == bool(sees)
            assert queries.worklist(who, Wanted(STATES)) == [story.case] * sees
            assert queries.open_counts(who) == {"assessed": 1} if sees else not queries.open_counts(who)
            assert events(EventFilter("case", story.case.pk), actor=who).count() == 4 * sees
    with seen_by(stranger):
        refused("not-found", lambda: queries.get(story.case.pk, actor=stranger))
        refused("not-found", lambda: papers_kept.paper(paper.pk, actor=stranger))
        refused("not-found", lambda: letters.letter(letter.pk, actor=stranger))
        with pytest.raises(Case.DoesNotExist):
            story.take("publish", by=stranger)
    with seen_by(clerk):
        assert not Holder.objects.exists(), "the persons of the other office stay its own"
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM core_event WHERE subject NOT IN "
                           "('case', 'paper', 'letter', 'appointment', 'assessment') AND area = %s", [home().code])
            assert cursor.fetchone() == (0,)


def test_nothing_but_what_belongs_to_a_case_is_shared_and_no_office_takes_a_case_from_the_other():
    story = from_away()
    event, stranger = Event.objects.get(subject="case"), third()
    with pytest.raises(IntegrityError, match="event_shared_of_case"), transaction.atomic():
        Event.objects.create(province=43, area=home().code, shared_with=away().code, subject="holder", subject_id=1,
                             version=1, action="x", actor_name="x", person="x", request_id=uuid4(), at=event.at)
    with seen_by(story.by("clerk", away())):
        for change in ({"area": story.case.front, "front": None}, {"front": stranger}, {"front": None}):
            with pytest.raises((IntegrityError, ProgrammingError), match=r"stays with its offices|row-level"), \
                    transaction.atomic():
                Case.objects.filter(pk=story.case.pk).update(**change)
    with pytest.raises(IntegrityError, match="case_front_is_another"), transaction.atomic():
        Case.objects.create(province=43, state="applied", kind_of_case="new", area=home(), front=home(), name="x",
                            person_index=b"x" * 16, opened_at=NOON, moved_at=NOON)


def test_an_application_that_came_twice_over_a_bad_line_is_one_case():
    clerk, key, who = make_actor(area=away()), request_id(), person()
    told = {"by": clerk, "request_id": key, "at": NOON}
    case = services.apply(who, 4, home(), **told)
    with pytest.raises(Replayed) as again:
        services.apply(who, 4, home(), **told)
    assert again.value.event.subject_id == case.pk and Case.objects.count() == 1
    key = request_id()
    put_first(case)
    services.take(case, "accept", by=clerk, request_id=key, at=NOON, reason="材料在户籍地")
    with pytest.raises(Replayed):
        services.take(case, "accept", by=clerk, request_id=key, at=NOON)
    assert Case.get(case.pk).state == "accepted"


def test_an_office_of_the_same_province_receives_nothing_for_its_neighbour():
    refused("not-found", lambda: services.apply(person(), 4, home(), by=make_actor(area=third()),
                                                request_id=request_id(), at=NOON))
    assert applies().case.front is None


def test_a_front_office_has_its_cases_on_its_desks_and_hands_them_on():
    front, colleague = make_officer(area=away()), make_officer(area=away())
    clerk = actor_of(front)
    case = services.apply(person(), 4, home(), by=clerk, request_id=request_id(), at=NOON)
    assert queries.on_desks(clerk, queries.mine(clerk, NOON.date())) == [case]
    with seen_by(clerk):
        assert services.hand_over(front, colleague, by=clerk, request_id=request_id(), at=NOON) == 1
    other = actor_of(colleague)
    assert queries.number_on_desks(other, queries.mine(other, NOON.date())) == 1
    theirs = make_actor(area=home())
    taken = services.take_on(case, seen=colleague.pk, by=theirs, request_id=request_id(), at=NOON)
    assert taken.assignee_id == theirs.id
    assert {event.shared_with for event in Event.objects.filter(subject="case")} == {away().code}


# -- streets ---------------------------------------------------------------------------------------------------------


def test_a_street_checks_first_the_district_decides_and_the_city_looks_again():
    unit, street = qiaokou()
    clerk = make_actor(area=street)
    case = services.apply(person(), 4, unit, by=clerk, request_id=request_id(), at=NOON)
    story = Story(case)
    assert (case.front, case.policy, case.state) == (street, "wuhan-qiaokou", "applied")
    assert case.due_on.isoformat() == "2026-12-11", "fifteen working days"
    other = make_actor(area=add_street(unit, 2, "二街道（虚构）"))
    refused("not-found", lambda: story.take("precheck", by=other))
    with seen_by(clerk):
        assert queries.duties(clerk)["precheck"] == 1
        story.take("precheck", by=clerk)
        refused("office-wrong", lambda: story.take("accept", by=clerk))
    ends = story.case.due_on
    assert ends.isoformat() == "2026-12-18", "twenty working days for all that the district does"
    for action in ("accept", "book"):
        assert story.take(action).due_on == ends
    story.assess()
    assert story.notice(days=9).due_on == ends and story.take("review").due_on == ends
    assert story.take("approve").state == "approved"
    refused("office-wrong", lambda: story.take("recheck", by=make_actor("approver", area=unit)))
    city = make_actor("approver", area=unit.parent)
    assert story.take("recheck", by=city).state == "ordered"
    assert queries.ended(clerk) == [story.case] and queries.get(story.case.pk, actor=clerk).holder is not None


def test_what_is_missing_is_said_before_the_first_check_and_the_history_keeps_it():
    unit, street = qiaokou()
    officer = make_officer("clerk", area=street)
    case = services.apply(person(), 4, unit, by=actor_of(officer), request_id=request_id(), at=timezone.now())
    clerk, url = Visitor(officer), f"/staff/cases/{case.pk}/step?seen=1"
    asked = clerk.act(url, action="precheck").content.decode()
    assert "Pass an application without its papers?" in asked and "Household register" in asked
    assert f'action="{url}"' in asked and Case.objects.get(pk=case.pk).state == "applied"
    clerk.act(url, action="precheck", sure="1")
    assert Case.objects.get(pk=case.pk).state == "prechecked"
    event = Event.objects.get(subject="case", subject_id=case.pk, action="precheck")
    assert event.facts["lacking"] == [need.paper for need in services.papers_missing(case)] != []


def test_what_was_brought_is_not_asked_for_at_the_first_check():
    unit, street = qiaokou()
    officer = make_officer("clerk", area=street)
    case = services.apply(person(), 4, unit, by=actor_of(officer), request_id=request_id(), at=timezone.now())
    put_first(case, whole=True)
    page = Visitor(officer).act(f"/staff/cases/{case.pk}/step", action="precheck").content.decode()
    assert re.findall(r"<li>([^<]+)</li>", page.partition("papers are missing")[2]) == ["Photo"]


def test_a_case_that_the_district_goes_on_with_is_on_no_desk_of_the_street():
    unit, street = qiaokou()
    officer = make_officer("clerk", area=street)
    clerk = actor_of(officer)
    story = Story(services.apply(person(), 4, unit, by=clerk, request_id=request_id(), at=NOON))
    assert story.case.assignee == officer and officer.name in worklist(unit)
    with seen_by(clerk):
        case = story.take("precheck", by=clerk)
    assert case.assignee is None
    event = Event.objects.get(subject="case", subject_id=case.pk, action="precheck")
    assert event.facts["from_officer"] == officer.name
    assert officer.name not in worklist(unit) and "no day set" not in worklist(unit), "the district's span runs"
    theirs = actor_of(make_officer("clerk", area=unit))
    services.take_on(case, seen=None, by=theirs, request_id=request_id(), at=NOON)
    assert story.take("accept", by=theirs).assignee_id == theirs.id, "the same office goes on with it"


def worklist(area) -> str:
    return Visitor(make_officer("clerk", area=area)).get("/staff/cases/?step=office").content.decode()


def test_where_nobody_else_received_a_case_the_district_checks_itself():
    unit, street = qiaokou()
    story = applies(area=unit)
    assert story.case.front is None
    refused("not-found", lambda: story.take("precheck", by=make_actor(area=street)))
    assert story.take("precheck", "accept").state == "accepted"


def test_a_street_receives_nothing_where_the_region_gives_it_no_step():
    clerk = make_actor(area=add_street(home(), 1, "一街道（虚构）"))
    refused("kind-not-offered", lambda: services.apply(person(), 4, home(), by=clerk, request_id=request_id(), at=NOON))
    assert fronts.received_kinds(clerk, NOON.date()) == ()
    assert fronts.received_kinds(make_actor(area=qiaokou()[1]), NOON.date()) == ("new",)
    assert "loss" in fronts.received_kinds(make_actor(area=away()), NOON.date())
    for number in (0, 1000):
        refused("street-wrong", lambda number=number: add_street(home(), number, "x"))


def test_the_front_office_s_own_pace_and_days_are_forecast():
    unit, street = qiaokou()
    clerk = make_actor(area=street)
    services.apply(person(), 4, unit, by=clerk, request_id=request_id(), at=NOON)
    assert late.forecast(clerk, at=NOON).limited == 1
    assert late.forecast(make_actor(area=unit), at=NOON).limited == 1
    assert late.forecast(make_actor(area=unit.parent), at=NOON).limited == 1, "counted once"


# -- holders of another office ---------------------------------------------------------------------------------------


def present(holder: Holder, **more) -> services.Present:
    return services.Present(**{"name": holder.name, "id_number": number_of(holder), "phone": "13900000009", **more})


NUMBERS: dict[int, str] = {}


def number_of(holder: Holder) -> str:
    return NUMBERS[holder.pk]


def settled() -> Holder:
    """A holder of the office at home with an active card."""
    number = builders.make_id_number()
    holder, _ = card_holder(area=home(), id_number=number)
    NUMBERS[holder.pk] = number
    return holder


def asks(holder: Holder, kind: str = "loss", *, by: Actor | None = None, **more) -> Case:
    by = by or make_actor(area=away())
    told = {name: more.pop(name) for name in ("reason",) if name in more}
    with seen_by(by):
        return services.open_elsewhere(kind, present(holder, **more), by=by, request_id=request_id(), at=NOON, **told)


def test_a_holder_reports_a_loss_where_they_live_by_the_exact_number_and_home_replaces_it():
    holder = settled()
    case = asks(holder)
    story = Story(case)
    assert (case.area, case.front, case.name) == (home(), away(), holder.name)
    clerk = story.by("clerk", away())
    with seen_by(clerk):
        seen = queries.get(case.pk, actor=clerk)
        assert (seen.holder, seen.certificate) == (None, None), "only that they are on record"
        story.take("accept", by=clerk)
    event = Event.objects.get(subject="holder", action="look_up")
    assert (event.area, event.shared_with, event.facts) == (home().code, None, {"office": "武昌区"})
    assert story.take("review", "approve").state == "ordered"


def test_whatever_stands_against_it_the_front_office_hears_the_same_answer_and_home_learns_who_asked():
    holder, nobody = settled(), builders.make_id_number()
    refused("elsewhere-unfit", lambda: asks(holder, id_number=nobody))
    assert not Event.objects.filter(action="look_up").exists()
    refused("elsewhere-unfit", lambda: asks(holder, name="别人"))
    refused("elsewhere-unfit", lambda: asks(holder, "renewal"))
    refused("elsewhere-unfit", lambda: asks(holder, by=make_actor(area=third())))
    asks(holder)
    refused("elsewhere-unfit", lambda: asks(holder))
    refused("id-number-wrong", lambda: asks(holder, id_number="123"))
    refused("not-permitted", lambda: asks(holder, by=make_actor("reviewer", area=away())))
    refused("reason-unknown", lambda: asks(holder, "cancellation", reason="whim"))
    assert Event.objects.filter(subject="holder", subject_id=holder.pk, action="look_up").count() == 6


def test_a_change_of_grade_is_assessed_where_the_holder_lives():
    holder = settled()
    story = Story(asks(holder, "change"))
    clerk = story.by("clerk", away())
    institution = assessing.make_institution(away())
    with seen_by(clerk):
        story.take("accept", by=clerk)
        services.book_day(story.case, assessing_day(institution), by=clerk, request_id=request_id(), at=NOON)
    assert (Appointment.objects.get().category, Appointment.objects.get().area) == (4, away())


def assessing_day(institution):
    leave(connection)
    see_all(connection)
    day = assessing.make_session(institution)
    enter(connection, away().code, away().last)
    return day


# -- pages -----------------------------------------------------------------------------------------------------------


def test_the_front_office_opens_an_application_on_its_page_and_sees_which_office_acts():
    area, officer = home(), make_officer(area=away())
    clerk = Visitor(officer)
    page = clerk.get(reverse("staff:case-new"), {"for": "another"}).content.decode()
    assert str(area.code) in page
    answer = clerk.act(f"{reverse('staff:case-new')}?for=another", name="石榴", id_number=builders.make_id_number(),
                       wanted="4", unit=str(area.code))
    case = Case.objects.get()
    assert answer.url == reverse("staff:case", args=[case.pk]) and case.front == away()
    put_first(case)
    for visitor, sees in ((clerk, True), (Visitor(make_officer(area=area)), False)):
        page = visitor.get(answer.url).content.decode()
        assert ('value="accept"' in page) == sees and ("Taken by: 武昌区" in page) != sees
        assert "Front office" in page
    assert queries.duties(actor_of(officer)) == {action: int(action == "accept") for action in queries.duties(
        actor_of(officer))}, "no other office's steps"
    assert "received by 武昌区" in clerk.get(reverse("staff:cases")).content.decode()
    assert Visitor(make_officer(area=third())).get(answer.url).status_code == 404


def test_the_front_office_opens_a_case_of_a_holder_it_never_sees_and_a_repeat_goes_to_the_same_case():
    holder = settled()
    clerk, key = Visitor(make_officer(area=away())), str(uuid4())
    assert "Replacement after a loss" in clerk.get(reverse("staff:case-elsewhere")).content.decode()
    url = reverse("staff:case-elsewhere-kind", args=["loss"])
    told = {"request_id": key, "present_name": holder.name, "present_id": number_of(holder)}
    wrong = clerk.post(url, {**told, "request_id": str(uuid4()), "present_name": "别人"})
    assert wrong.status_code == 200 and "No such case can be received here" in wrong.content.decode()
    assert Event.objects.filter(action="look_up").count() == 1, "kept though nothing was opened"
    first, again = clerk.post(url, told), clerk.post(url, told)
    assert first.url == again.url and Case.objects.count() == 1
    page = clerk.get(first.url).content.decode()
    assert reverse("staff:holder", args=[holder.pk]) not in page and number_of(holder) not in page
    assert clerk.get(reverse("staff:holder", args=[holder.pk])).status_code == 404
    assert clerk.get(reverse("staff:case-elsewhere-kind", args=["damage"])).status_code == 404
    assert timezone.now() > NOON and LEG


def test_the_office_that_decides_reads_the_doctors_form_of_the_other_province_and_the_reading_is_kept():
    story = from_away(wanted=3)
    clerk, institution = story.by("clerk", away()), assessing.make_institution(away(), name="武昌医院")
    story.take("accept", by=clerk)
    services.book_day(story.case, assessing.make_session(institution), by=clerk, request_id=request_id(), at=NOON)
    doctor = make_officer("assessor", area=away())
    services.sign(Appointment.objects.get(), assessing.SPEECH, by=assessing.make_assessor(institution, officer=doctor),
                  request_id=request_id(), at=NOON)
    signed = Assessment.objects.get()
    reviewers = [make_officer("reviewer", area=area) for area in (home(), away(), third())]
    for reviewer in reviewers[:2]:
        actor, page = actor_of(reviewer), Visitor(reviewer)
        with seen_by(actor):
            found = assessed.assessment(signed.pk, actor=actor)
            told = {"by": actor, "request_id": request_id(), "at": NOON}
            assert assessment_services.read_in_full(found, purpose="case", **told) == assessing.SPEECH
            assert found.institution_name == "武昌医院"
        html = page.get(reverse("staff:case", args=[story.case.pk])).content.decode()
        assert reverse("staff:assessment", args=[signed.pk]) in html and "武昌医院" in html
        html = page.get(reverse("staff:assessment", args=[signed.pk])).content.decode()
        assert doctor.name in html and "武昌医院" in html and "The form</h2>" not in html
        html = page.act(reverse("staff:assessment-form", args=[signed.pk]), purpose="case").content.decode()
        assert "The form</h2>" in html and f"{assessing.SPEECH['clarity']} %" in html
    told = Event.objects.filter(subject="assessment", action="read_in_full")
    assert {(event.person, event.area, event.shared_with, event.facts["purpose"]) for event in told} == {
        (reviewer.person, away().code, home().code, "case") for reviewer in reviewers[:2]}
    stranger = actor_of(reviewers[2])
    with seen_by(stranger):
        refused("not-found", lambda: assessed.assessment(signed.pk, actor=stranger))
        assert assessed.results(story.case.pk, actor=stranger) == []
    assert Visitor(reviewers[2]).get(reverse("staff:assessment", args=[signed.pk])).status_code == 404
