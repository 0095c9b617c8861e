"""A portal on which holders log in gives cards their next term (网上年度激活), signed and as often as it likes."""

import datetime as dt

import pytest
from django.utils import timezone

import builders
from activating import KINDS, make_active, post_activation, region
from lettering import SECRET
from zhengka.cards.models import Card
from zhengka.core.models import Event
from zhengka.core.pace import CHECKS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shared_secret(settings):
    settings.PORTAL_SECRET = SECRET
    CHECKS.forget()


def ending(days: int = 10) -> Card:
    """A card whose term ends soon."""
    card = make_active(timezone.localdate() + dt.timedelta(days))
    Card.objects.filter(pk=card.pk).update(serial=f"43{card.pk % 10**14:014d}")
    return Card.objects.get(pk=card.pk)


def told(card: Card) -> list[dict]:
    return [event.facts for event in Event.objects.filter(subject="card", subject_id=card.pk, action="activate")]


def test_the_portal_gives_a_card_its_next_term_once_for_each_record():
    card = ending()
    first, again = (post_activation(card.serial, "P-2026/1").json() for _time in range(2))
    until = Card.objects.get(pk=card.pk).active_until
    assert until > card.active_until and first == {
        "serial": card.serial, "result": "activated", "active_until": until.isoformat()}
    assert again == first | {"result": "repeated"}
    assert told(card) == [{"until": until.isoformat(), "channel": "portal", "evidence": "P-2026/1"}]
    assert Event.objects.get(subject="card", subject_id=card.pk, action="activate").person == "portal"


def test_what_the_counter_may_not_do_the_portal_may_not_either():
    new = builders.make_card(state="issued")
    for card, code in ((ending(300), "activation-not-due"), (new, "activation-in-person")):
        Card.objects.filter(pk=card.pk, serial__isnull=True).update(serial="4300000000000001")
        card.refresh_from_db()
        answer = post_activation(card.serial, "P-1")
        assert answer.json()["code"] == code and not told(card)
    assert post_activation("9" * 16, "P-1").json()["code"] == "not-found"
    card = ending()
    assert post_activation(card.serial, builders.make_id_number()).json()["code"] == "evidence-wrong"
    assert not told(card)


def test_where_the_region_knows_no_portal_none_activates(settings, tmp_path):
    region(settings, tmp_path, a430104=KINDS["standard"]._replace(channels=("counter",)))
    assert post_activation(ending().serial, "P-1").json()["code"] == "channel-not-allowed"


def test_without_the_shared_secret_or_from_long_ago_nothing_is_activated(settings):
    card = ending()
    answers = [post_activation(card.serial, "P-1", secret="another secret of the test, also long"),
               post_activation(card.serial, "P-1", at=timezone.now() - dt.timedelta(minutes=6))]
    settings.PORTAL_SECRET = ""
    answers += [post_activation(card.serial, "P-1", secret=""), post_activation(card.serial, "P-1")]
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(401, "portal-signature-wrong")}
    assert not told(card)
