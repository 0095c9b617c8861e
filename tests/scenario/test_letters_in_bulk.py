"""Letters that are written by the thousand: the same as one by one, and none twice."""

import json
from dataclasses import replace

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

import builders
from builders import NOON
from lettering import TO, message
from zhengka.areas.models import Area
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services as cases
from zhengka.cases.models import Case
from zhengka.core import fields, queue
from zhengka.core.actors import Lent
from zhengka.core.errors import Refusal
from zhengka.core.events import sub
from zhengka.core.models import Event
from zhengka.letters import contents, services, tasks
from zhengka.letters.models import Letter
from zhengka.registry.models import Certificate

pytestmark = pytest.mark.django_db

VARIES = {"id", "_state", "subject_id", "request_id", "recipient", "words", "whole"}


def written(letter: Letter) -> tuple:
    """A letter without what differs from one to the next, opened, and its events."""
    row = {name: value for name, value in vars(letter).items() if name not in VARIES}
    events = [{name: value for name, value in vars(event).items() if name not in VARIES}
              for event in Event.objects.filter(subject="letter", subject_id=letter.pk)]
    return row, contents.recipient(letter), contents.words(letter), contents.whole(letter), events


def jobs() -> list[tuple[list[int], str]]:
    return list(ProcrastinateJob.objects.filter(task_name="letters.send_many").order_by("id").values_list(
        "args__letter_ids", "queue_name"))


def forget_jobs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


def with_phone(holder, phone: str = "13900000001"):
    holder.phone, holder.address = fields.close(phone, "holder.phone"), fields.close("麓山路 1 号", "holder.address")
    holder.save()
    return holder


def test_many_letters_are_the_same_rows_and_events_as_one_by_one():
    clerk, asked = builders.make_actor("clerk"), builders.request_id()
    clerk = replace(clerk, lent={"letter.send": Lent(7, "who is away")})
    ways = {"shared_with": builders.make_area(430102, name="芙蓉区").code}
    one = services.write(message("acceptance", "sms", "print", "braille", **ways), by=clerk, request_id=asked, at=NOON)
    both = [message("acceptance", "sms", "print", "braille", **ways), message("acceptance", "sms")]
    told = services.write_many(both, by=clerk, request_id=asked, at=NOON)
    many = Letter.objects.exclude(pk__in=[letter.pk for letter in one]).order_by("pk")
    assert (told.moved, told.left) == (4, {}) and many.count() == 4
    assert [written(letter) for letter in many][:3] == [written(letter) for letter in one]
    again = services.write(both[1], by=clerk, request_id=asked, at=NOON)[0]
    event = Event.objects.get(subject="letter", subject_id=again.pk)
    assert again.pk == many[3].pk, "one way answers the other's repeat"
    expected = sub(asked, f"letter card {again.subject_id} acceptance once sms")
    assert event.request_id == expected


def test_nobody_is_told_twice_and_only_messages_wait_for_a_worker_who_stays():
    forget_jobs()
    clerk = builders.make_actor("clerk")
    asked = [message("acceptance", "sms", "print"), message("acceptance", "sms")]
    first = services.write_many(asked, by=clerk, request_id=builders.request_id(), at=NOON)
    second = services.write_many([*asked, *asked], by=clerk, request_id=builders.request_id(), at=NOON)
    assert (first.moved, second.moved, Letter.objects.count()) == (3, 0, 3)
    messages = list(Letter.objects.filter(channel="sms").order_by("pk"))
    assert jobs() == [([letter.pk for letter in messages], queue.SPARE)]
    tasks.send_many([letter.pk for letter in messages])
    tasks.send_many([letter.pk for letter in messages])
    assert [(letter.state, letter.tries) for letter in Letter.objects.filter(channel="sms")] == [("sent", 1)] * 2


def test_who_cannot_be_reached_keeps_nobody_else_from_being_told():
    nobody = message("acceptance", "sms", recipient=TO._replace(phone=""))
    strange = message("acceptance", "print", recipient=TO._replace(name="\u202e"))
    told = services.write_many([nobody, message("acceptance", "sms"), strange], by=builders.make_actor("clerk"),
                               request_id=builders.request_id(), at=NOON)
    assert (told.moved, told.left) == (1, {"letter-no-way": 1, "letter-text-unfit": 1})


def test_of_many_letters_none_is_written_by_who_may_not_or_from_another_office():
    elsewhere = message("acceptance", "sms", area=builders.make_area(430102, name="芙蓉区"))
    for by, code in ((builders.make_actor("producer"), "not-permitted"), (builders.make_actor("clerk"), "not-found")):
        with pytest.raises(Refusal, match=code):
            services.write_many([message("acceptance", "sms"), elsewhere], by=by, request_id=builders.request_id(),
                                at=NOON)
    assert services.write_many([], by=builders.make_actor("clerk"), request_id=builders.request_id(),
                               at=NOON).moved == 0 == Letter.objects.count()


def test_who_is_approved_in_bulk_is_told_what_one_is_told_alone():
    approver = builders.make_actor("approver")
    single, bulk, on_paper, unreached = (builders.make_case(state="reviewed", reviewer="Li") for _ in range(4))
    for case in (single, bulk):
        with_phone(case.holder)
    unreached.holder.name = "\u202e"
    unreached.holder.save()
    Certificate.objects.filter(pk=on_paper.certificate_id).update(category=1)
    told = {"by": approver, "at": NOON}
    cases.take(single, "approve", request_id=builders.request_id(), **told)
    done = cases.approve_many([bulk.pk, on_paper.pk, unreached.pk], request_id=builders.request_id(), **told)
    assert done == cases.Done(3, {}, unwritten={"letter-text-unfit": 1}), "what is not written stops no approval"

    def of(case):
        found = [written(letter) for letter in Letter.objects.filter(subject="case", subject_id=case.pk)]
        return json.loads(json.dumps(found, default=str).replace(str(case.pk), "its number"))
    assert len(of(single)) == 1 and of(single) == of(bulk)
    assert sorted(Letter.objects.filter(subject_id=on_paper.pk).values_list("channel", "template")) == [
        ("braille", "decision-approved"), ("print", "decision-approved")]
    assert not of(unreached)
    cases.approve_many([bulk.pk], request_id=builders.request_id(), **told)
    assert Letter.objects.count() == 4


def test_who_was_assessed_anew_is_told_of_the_city_and_the_days_of_their_own_office():
    units, approver = [builders.make_area(430104), builders.make_area(430502)], builders.make_actor(
        "approver", area=Area.objects.get(code=430000_000000))
    Area.objects.filter(code=430100_000000).update(name="长沙市")
    Area.objects.filter(code=430500_000000).update(name="邵阳市")
    story = [builders.make_case(with_phone(builders.make_holder(area=unit)), state="reviewed", reviewer="Li")
             for unit in (*units, *units)]
    Case.objects.update(found={"category": 4, "grade": 3, "components": []})
    told = {"by": approver, "at": NOON}
    for case in story[:2]:
        cases.take(case, "approve", request_id=builders.request_id(), **told)
    assert cases.approve_many([case.pk for case in story[2:]], request_id=builders.request_id(),
                              **told) == cases.Done(2, {})
    said = [[str(contents.whole(letter)).replace(str(case.pk), "its number") for letter in Letter.objects.filter(
        subject="case", subject_id=case.pk, template="ways-to-dispute").order_by("channel")] for case in story]
    assert said[:2] == said[2:] and all("湖南省残联" in letter for letters in said for letter in letters)
    assert all("长沙市残联" in letter for letter in said[2]) and all("邵阳市残联" in letter for letter in said[3])


def test_who_may_write_no_letters_approves_without_them():
    case = builders.make_case(state="reviewed", reviewer="Li")
    by = builders.make_actor("approver")
    silent = replace(by, permissions=by.permissions - {"letter.send"})
    assert cases.approve_many([case.pk], by=silent, request_id=builders.request_id(), at=NOON).moved == 1
    assert not Letter.objects.exists()


def test_who_can_collect_a_card_is_told_once_and_who_would_come_in_vain_is_not():
    ready, frozen, issued = (builders.make_card(state=state) for state in ("ready", "ready", "issued"))
    for card in (ready, frozen, issued):
        with_phone(card.holder)
    Certificate.objects.filter(pk=frozen.certificate_id).update(state="frozen", frozen_for="under-inquiry")
    ids = [ready.pk, frozen.pk, issued.pk]
    assert [cards.tell_ready(ids, at=NOON) for _ in range(2)] == [1, 0]
    (letter,) = Letter.objects.all()
    said = contents.words(letter).paragraphs[0]
    assert (letter.template, letter.subject_id, letter.channel) == ("card-ready", ready.pk, "sms")
    assert "2027年1月19日" in said and "岳麓区残联" in said


def test_who_waited_for_a_frozen_certificate_is_told_when_it_holds_again():
    card = builders.make_card(state="ready")
    Certificate.objects.filter(pk=card.certificate_id).update(state="frozen", frozen_for="under-inquiry")
    assert cards.tell_ready([card.pk], at=NOON) == 0
    Certificate.objects.filter(pk=card.certificate_id).update(state="valid", frozen_for="")
    cards.unfreeze_all(card.holder_id, by=builders.make_actor("approver"), request_id=builders.request_id(), at=NOON)
    assert Letter.objects.get().template == "card-ready" and Card.get(card.pk).state == "ready"
