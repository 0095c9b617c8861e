"""Who gets a case by the opening of the exchange is told of it, alone or among thousands, and nobody twice."""

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

import builders
from builders import NOON
from zhengka.areas.models import Area
from zhengka.cases import queries, services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.models import Event
from zhengka.letters import contents
from zhengka.letters.models import Letter

pytestmark = pytest.mark.django_db


def holder(*, phone: str = "", address: str = "", name: str = "田野", category: int = 4):
    found = builders.make_holder(name=name)
    found.phone = fields.close(phone, "holder.phone") if phone else None
    found.address = fields.close(address, "holder.address") if address else None
    found.save()
    builders.make_certificate(found, category=category)
    return found


def opened(**more) -> int:
    area = builders.make_area()
    return services.open_exchange(area, 1, by=builders.make_actor(area=area), request_id=builders.request_id(), at=NOON,
                                  **more)


def told(found) -> list[str]:
    case = Case.objects.get(holder=found)
    return sorted(Letter.objects.filter(subject="case", subject_id=case.pk).values_list("channel", flat=True))


def test_each_holder_is_asked_to_come_and_who_cannot_be_reached_is_counted():
    by_phone, by_post = holder(phone="13900000001"), holder(address="麓山路 1 号")
    blind = holder(address="麓山路 2 号", category=1)
    silent, strange = holder(), holder(phone="13900000002", name="\u202e")
    waiting = ProcrastinateJob.objects.filter(task_name="letters.send_many").count()
    assert opened() == 5
    assert [told(each) for each in (by_phone, by_post, blind, silent, strange)] == [
        ["sms"], ["print"], ["braille", "print"], [], []]
    area, clerk = builders.make_area(), builders.make_actor()
    assert queries.uninvited([area], actor=clerk) == 2
    assert ProcrastinateJob.objects.filter(task_name="letters.send_many").count() == waiting + 1
    letter = Letter.objects.get(subject_id=Case.objects.get(holder=by_post).pk)
    said = contents.words(letter)
    assert said.title == "换发通知" and str(letter.subject_id) in "".join(said.paragraphs)
    assert "岳麓区残联" in "".join(said.paragraphs) and letter.area_id == area.pk
    event = Event.objects.get(subject="letter", subject_id=letter.pk)
    assert (event.action, event.facts) == ("write", {"template": "exchange-opened", "channel": "print"})
    assert opened() == 0 and Letter.objects.count() == 4, "asked twice"


def test_a_worker_that_opens_the_exchange_writes_what_the_command_line_writes():
    first = holder(phone="13900000001")
    assert opened() == 1
    second, silent = holder(phone="13900000001"), holder()
    area = builders.make_area()
    clerk = builders.make_actor(area=Area.objects.get(pk=area.pk))
    act = services.ask_exchange([(area, 1)], by=clerk, request_id=builders.request_id(), at=NOON)
    act = services.carry_out_exchange(act.pk, clock=lambda: NOON)
    assert (act.state, act.moved) == ("done", 2) and told(silent) == []

    def letter(found) -> tuple:
        [row] = Letter.objects.filter(subject_id=Case.objects.get(holder=found).pk)
        return (row.channel, row.template, row.occasion, row.state, contents.recipient(row),
                contents.words(row).title, row.written_at)
    assert letter(first) == letter(second)


def test_who_may_write_no_letters_opens_the_exchange_without_them():
    holder(phone="13900000001")
    area = builders.make_area()
    clerk = builders.make_actor(area=area)
    silent = type(clerk)(clerk.id, clerk.name, clerk.person, clerk.permissions - {"letter.send"}, clerk.lo, clerk.hi)
    assert services.open_exchange(area, 1, by=silent, request_id=builders.request_id(), at=NOON) == 1
    assert not Letter.objects.exists() and queries.uninvited([area], actor=clerk) == 1
