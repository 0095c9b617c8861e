"""What an office hears of a record that is another one's (异地核查), and what it cannot guess by asking."""

import datetime as dt
from collections.abc import Callable

import pytest

import builders
from builders import NOON, make_actor, make_area, make_id_number, make_officer, request_id
from stories import LEG, Story, applies, brings, card_holder, person
from visits import Visitor
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
DAYS = (dt.date(2021, 5, 1), dt.date(2031, 5, 1))


def settled() -> tuple[Holder, str]:
    """A holder of another office, and their ID number."""
    holder, _ = card_holder(area=make_area(430702, name="武陵区"), name="阿依古丽")
    return holder, fields.open_(bytes(holder.id_number), "holder.id_number")


def barred(holder: Holder) -> None:
    Card.objects.update(state="cancelled")
    Certificate.objects.filter(holder=holder).update(state="cancelled", barred_until=dt.date(2027, 3, 6))


def dead(holder: Holder) -> None:
    Card.objects.update(state="cancelled")
    Certificate.objects.filter(holder=holder).update(state="cancelled")
    Holder.objects.filter(pk=holder.pk).update(state="closed")


def asks(number: str, name: str = "王五", brought: str = "") -> Case:
    """A clerk of 430104 opens a first application, or an arrival, with an ID number."""
    told = {"by": make_actor(area=make_area()), "request_id": request_id(), "at": NOON}
    who = person(id_number=number, name=name)
    if brought:
        return services.apply_arrival(who, services.Brought(brought, *DAYS), make_area(), **told)
    return services.apply(who, 4, make_area(), **told)


@pytest.mark.parametrize("known", [lambda holder: None, barred, dead], ids=["certified", "barred", "dead"])
@pytest.mark.parametrize("arrives", [False, True], ids=["applies", "arrives"])
def test_whatever_stands_in_a_record_of_another_office_the_answer_is_the_same_and_that_office_learns_who_asked(
        known: Callable[[Holder], None], arrives):
    holder, number = settled()
    known(holder)
    with pytest.raises(Refusal, match="elsewhere-unfit") as no:
        asks(number, brought=(number + "42") * arrives)
    assert no.value.facts == {}
    event = Event.objects.get(subject="holder", subject_id=holder.pk, action="look_up")
    assert (event.area, event.facts) == (holder.area_id, {"office": "岳麓区"})


def test_an_application_that_is_open_at_another_office_is_not_told_of_either():
    number = make_id_number()
    applies(person(id_number=number), area=make_area(430702))
    with pytest.raises(Refusal, match="elsewhere-unfit"):
        asks(number)
    with pytest.raises(Refusal, match="case-open"):
        applies(person(id_number=number), area=make_area(430702))


def test_the_own_office_reads_the_reason_as_before():
    holder, number = settled()
    with pytest.raises(Refusal, match="certificate-opened"):
        applies(person(id_number=number), area=holder.area)
    assert not Event.objects.filter(action="look_up").exists()


def test_who_brings_the_certificate_itself_hears_that_its_office_lets_them_go_first():
    holder, number = settled()
    with pytest.raises(Refusal, match="departure-missing"):
        asks(number, name=holder.name, brought=number + "42")


def test_the_page_says_it_at_the_number_and_the_event_stays():
    _holder, number = settled()
    officer = make_officer("clerk", area=make_area())
    page = Visitor(officer).act("/staff/cases/new", name="王五", id_number=number, wanted="4",
                                unit=str(officer.area_id))
    assert page.status_code == 200 and "No such case can be received here" in page.content.decode()
    assert Event.objects.filter(action="look_up").count() == 1


FUTURE = dt.date(2090, 1, 1)


def test_nobody_is_corrected_to_a_birth_after_today():
    holder, _ = card_holder()
    with pytest.raises(Refusal, match="birth-after-application"):
        brings("correction", holder, id_number=make_id_number(born=FUTURE))
    assert not Case.objects.exists()


def test_nobody_arrives_who_is_not_born_yet_or_whose_certificate_is_older_than_they_are():
    unborn, young = make_id_number(born=FUTURE), make_id_number(born=dt.date(2022, 1, 1))
    with pytest.raises(Refusal, match="birth-after-application"):
        asks(unborn, brought=unborn + "42")
    with pytest.raises(Refusal, match="term-impossible"):
        asks(young, brought=young + "42")
    assert not Case.objects.exists() and builders.NOON.date() > DAYS[0]


# ---- what is found out by a decision ---------------------------------------------------------------------------------


def waits_for_approval(arrives: bool) -> tuple[Story, str]:
    """A case of 430104 that waits for its approval, and the ID number of its person, of whom nobody had a record."""
    number = make_id_number()
    story = Story(asks(number, brought=(number + "42") * arrives))
    story.take("accept")
    if not arrives:
        story.assess(LEG)
        story.notice()
    story.take("review")
    return story, number


def elsewhere(number: str) -> Holder:
    """Another office has the person in its registry by now, with a certificate in force."""
    holder, certificate = card_holder(area=make_area(430702, name="武陵区"), name="阿依古丽", id_number=number)
    Certificate.objects.filter(pk=certificate.pk).update(category=4)
    return holder


@pytest.mark.parametrize("known", [lambda holder: None, barred, dead], ids=["certified", "barred", "dead"])
@pytest.mark.parametrize("arrives", [False, True], ids=["applies", "arrives"])
@pytest.mark.parametrize("together", [False, True], ids=["alone", "with others"])
def test_a_decision_that_a_record_of_another_office_bars_tells_nothing_of_it_and_that_office_learns_who_asked(
        known: Callable[[Holder], None], arrives, together):
    story, number = waits_for_approval(arrives)
    holder = elsewhere(number)
    known(holder)
    approver = story.by("approver")
    if together:
        done = services.approve_many([story.case.pk], by=approver, request_id=request_id(), at=story.at)
        assert (done.moved, done.left) == (0, {"elsewhere-unfit": 1})
    else:
        with pytest.raises(Refusal, match="elsewhere-unfit") as no:
            story.take("approve")
        assert no.value.facts == {}
    event = Event.objects.get(subject="holder", subject_id=holder.pk, action="look_up")
    assert (event.area, event.facts["office"], event.person) == (holder.area_id, "岳麓区", approver.person)
    assert Case.get(story.case.pk).state == "reviewed" and Holder.objects.count() == 1


def test_the_own_office_reads_what_bars_a_decision():
    story, number = waits_for_approval(arrives=True)
    card_holder(area=make_area(), id_number=number)
    with pytest.raises(Refusal, match="certificate-opened"):
        story.take("approve")
    assert not Event.objects.filter(action="look_up").exists()
