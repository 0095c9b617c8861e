"""The provider of short messages reports what became of them, signed, in any order and as often as it likes."""

import datetime as dt
import json

import pytest
from django.urls import reverse
from django.utils import timezone

from builders import NOON, make_actor, request_id
from lettering import SECRET, make_letter
from lettering import post_report as post
from visits import Visitor
from zhengka.core import signed
from zhengka.core.models import Event
from zhengka.letters import senders, services
from zhengka.letters.models import Letter
from zhengka.letters.senders import Parcel, Receipt, Unsure

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shared_secret(settings):
    settings.SMS_SECRET = SECRET


def provider(parcel: Parcel, _at: dt.datetime) -> Receipt:
    return Receipt("provider", f"ref-{parcel.letter_id}")


def unsure(_parcel: Parcel, _at: dt.datetime) -> Receipt:
    raise Unsure("no-answer")


def sent(sender=provider) -> Letter:
    return services.send(make_letter().pk, at=NOON, choose=lambda _channel: sender)


def told(letter: Letter, outcome: str = "delivered", **other: str) -> dict[str, str]:
    return {"id": str(letter.pk), "reference": f"ref-{letter.pk}", "outcome": outcome} | other


def report(*reports: dict[str, str]) -> list[str]:
    answer = post(json.dumps({"reports": reports}).encode())
    assert answer.status_code == 200, answer.content
    assert [one["id"] for one in answer.json()["results"]] == [one["id"] for one in reports]
    return [one["result"] for one in answer.json()["results"]]


def state(letter: Letter) -> tuple[str, str]:
    row = Letter.objects.get(pk=letter.pk)
    return row.state, row.problem


def test_what_the_provider_reports_is_the_state_of_the_letter_and_a_repeat_changes_nothing():
    arrived, lost = sent(), sent()
    assert report(told(arrived), told(lost, "failed")) == ["recorded", "recorded"]
    assert (state(arrived), state(lost)) == (("delivered", ""), ("failed", "came-back"))
    events = Event.objects.filter(subject="letter", actor_name="provider").count()
    assert report(told(arrived), told(lost, "failed")) == ["repeated", "repeated"]
    assert events == Event.objects.filter(subject="letter", actor_name="provider").count() == 2


def test_the_first_report_stands_whatever_comes_later():
    arrived, lost = sent(), sent()
    report(told(arrived), told(lost, "failed"))
    assert report(told(arrived, "failed"), told(lost)) == ["contradicts", "contradicts"]
    assert (state(arrived), state(lost)) == (("delivered", ""), ("failed", "came-back"))


def test_a_report_settles_an_outcome_that_nobody_knew():
    arrived, lost = sent(unsure), sent(unsure)
    assert report(told(arrived), told(lost, "failed")) == ["recorded", "recorded"]
    assert (state(arrived), state(lost)) == (("delivered", ""), ("failed", "came-back"))


def test_a_report_that_is_quicker_than_our_own_note_is_to_come_again():
    waiting = make_letter()

    def quick(parcel: Parcel, at: dt.datetime) -> Receipt:
        assert report(told(waiting)) == ["not-yet"]
        return provider(parcel, at)

    assert report(told(waiting)) == ["not-yet"]
    services.send(waiting.pk, at=NOON, choose=lambda _channel: quick)
    assert report(told(waiting)) == ["recorded"]


def test_a_report_on_nothing_that_the_provider_carried_is_said_to_be_so_and_the_others_are_taken():
    carried, kept = sent(), sent(lambda _parcel, _at: Receipt("store", "x"))
    paper = make_letter("acceptance", "print")
    nothing = told(carried) | {"id": "1"}
    assert report(nothing, told(carried, reference="another"), told(kept), told(paper), told(carried)) == [
        "unknown-letter"] * 4 + ["recorded"]


def test_a_letter_that_was_sent_again_is_not_settled_by_the_report_on_its_first_try():
    letter = sent()
    report(told(letter, "failed"))
    services.send_again(Letter.objects.get(pk=letter.pk), by=make_actor("clerk"), request_id=request_id(), at=NOON)
    services.send(letter.pk, at=NOON, choose=lambda _channel: lambda _parcel, _at: Receipt("provider", "second"))
    assert report(told(letter, "failed")) == ["unknown-letter"] and state(letter) == ("sent", "")
    assert report(told(letter, reference="second")) == ["recorded"]


def test_a_report_without_the_shared_secret_or_from_long_ago_is_refused(settings):
    letter = sent()
    body = json.dumps({"reports": [told(letter)]}).encode()
    late = post(body, at=timezone.now() - dt.timedelta(minutes=6))
    stamp = timezone.now().astimezone(dt.UTC).strftime(signed.TIME)
    url, changed = reverse("api-v1:letter-reports"), body.replace(b"delivered", b"failed")
    headers = {"X-Zhengka-Time": stamp, "X-Zhengka-Signature": senders.signature(stamp, body)}
    other = Visitor().post(url, changed, content_type="application/json", headers=headers)
    bare = Visitor().post(url, body, content_type="application/json")
    settings.SMS_SECRET = ""
    without = post(body)
    for answer in (late, other, bare, without):
        assert (answer.status_code, answer.json()["code"]) == (401, "report-signature-wrong")
    assert state(letter) == ("sent", "")


@pytest.mark.parametrize("body", [b"{}", b'{"reports": []}', b"not json", b'{"reports": [{"id": "x"}]}',
                                  b'{"reports": [{"id": "1", "reference": "r", "outcome": "eaten"}]}'])
def test_a_report_of_another_form_is_refused(body):
    answer = post(body)
    assert answer.status_code in (400, 422) and answer.json()["code"] == "request-invalid"
