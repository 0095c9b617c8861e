"""One case, and every way to take its next step wrongly: each is refused by name, and the case stays where it is."""

import datetime as dt
import threading

import pytest
from django.db import connections

import builders
from builders import NOON
from stories import Story, applies
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.core.errors import PROBLEMS, Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event

pytestmark = pytest.mark.django_db


def reviewed() -> Story:
    """A first application that one officer reviewed and another may approve."""
    story = applies()
    story.take("accept", "book")
    story.assess()
    story.notice()
    story.take("review")
    return story


def refused(story: Story, code: str, action: str, **changed) -> None:
    """The step is refused with this code, which says in two languages what it means and what to do next."""
    before = Case.get(story.case.pk)
    asked = {"by": story.by("approver"), "request_id": builders.request_id(), "at": story.at, "reason": "x", **changed}
    with pytest.raises(Refusal) as refusal:
        services.take(before, action, **asked)
    problem = PROBLEMS[refusal.value.code]
    assert refusal.value.code == code and all((problem.title, problem.title_zh, problem.next, problem.next_zh))
    now = Case.get(before.pk)
    assert (now.state, now.version) == (before.state, before.version)


def test_a_step_out_of_order_is_refused():
    story = applies()
    for action in ("review", "approve", "publish", "end_notice", "order"):
        refused(story, "step-not-open", action)


def test_a_step_that_was_taken_is_not_taken_twice_by_the_same_request_nor_by_another():
    story = reviewed()
    asked = {"by": story.by("approver"), "request_id": builders.request_id(), "at": story.at}
    done, seen = services.take(story.case, "approve", **asked), story.case
    with pytest.raises(Replayed):
        services.take(seen, "approve", **asked)
    refused(story, "step-not-open", "approve")
    assert Event.objects.filter(subject="case", subject_id=done.pk, action="approve").count() == 1


def test_the_wrong_person_is_refused_whether_by_role_or_because_they_took_the_step_before():
    story = reviewed()
    refused(story, "not-permitted", "approve", by=story.by("clerk"))
    same = builders.make_actor("approver", area=story.case.area, person=story.by("reviewer").person)
    refused(story, "same-person", "approve", by=same)


def test_an_officer_of_another_area_does_not_even_learn_that_there_is_such_a_case():
    story = reviewed()
    refused(story, "not-found", "approve", by=builders.make_actor("approver", area=builders.make_area(430102)))


def test_a_step_at_the_wrong_time_is_refused():
    story = applies()
    story.take("accept", "book")
    story.assess()
    story.take("publish")
    for late in (0, 1):
        with pytest.raises(Refusal, match="notice-running"):
            services.end_notice(story.case, by=story.by("clerk"), request_id=builders.request_id(),
                                at=NOON + dt.timedelta(late))
    assert Case.get(story.case.pk).state == "publicised"


@pytest.mark.django_db(transaction=True)
def test_of_two_officers_who_decide_at_the_same_moment_one_decides_and_the_other_is_told():
    story, barrier, answers = reviewed(), threading.Barrier(2), []
    approvers = [builders.make_actor("approver", area=story.case.area) for _ in range(2)]

    def decide(by, action) -> None:
        barrier.wait()
        try:
            answers.append(services.take(story.case, action, by=by, request_id=builders.request_id(), at=story.at,
                                         reason="证明不足").state)
        except Refusal as no:
            answers.append(no.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=decide, args=pair) for pair in zip(approvers, ("approve", "refuse"),
                                                                         strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    state = Case.get(story.case.pk).state
    assert state in ("ordered", "refused") and sorted(answers) == sorted([state, "step-not-open"])
