"""A card is shown at a place with a network: the register's row and the place's rules, in one answer."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import builders
from builders import NOON
from showing import code_of, make_shown
from zhengka.cards import presented
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.core import fields
from zhengka.core.actors import WHOLE_NATION
from zhengka.core.errors import Refusal
from zhengka.core.scope import enter
from zhengka.formats import qr
from zhengka.formats.judging import Used
from zhengka.formats.presenting import Looked, Place, Scanned, Tapped, Typed
from zhengka.gates import services
from zhengka.gates.queries import operator, operators

pytestmark = pytest.mark.django_db
BUS = Place("changsha-transit", "network", "bus")
METRO = Place("beijing-transit", "network", "metro")
ZOO = Place("changsha-zoo", "gate", "entry")


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"


def show(card, place=BUS, *, at=NOON, used=None):
    return services.present_online(Scanned(code_of(card)), place, at=at, used=used)


def say(shown, place=BUS):
    return services.present_online(shown, place, at=NOON).answer.code


def number_of(card):
    return fields.open_(bytes(card.certificate.number), "certificate.number")


def test_a_holder_of_the_city_rides_free_and_the_row_stays_here():
    card = make_shown()
    answer, found = show(card)
    assert (answer.code, answer.benefit, answer.sees) == ("valid", "free", "verdict") and found == card
    told = str(answer.to_dict())
    for secret in (card.holder.name, number_of(card), card.serial, bytes(card.token).hex()):
        assert secret not in told


def test_a_loss_is_answered_at_once_and_a_card_that_was_found_passes_again():
    card = make_shown()
    by = {"by": builders.make_actor(), "at": NOON}
    cards.report_lost(Card.get(card.pk), request_id=builders.request_id(), **by)
    assert show(card).answer.code == "suspended"
    cards.report_found(Card.get(card.pk), request_id=builders.request_id(), **by)
    assert show(card).answer.code == "valid"


def test_an_activation_that_lapsed_stops_a_ride_and_not_a_visit():
    card = make_shown()
    Card.objects.filter(pk=card.pk).update(active_until=NOON.date() - dt.timedelta(60))
    answer = show(card).answer
    assert (answer.code, answer.colour, answer.benefit) == ("activation-lapsed", "red", "")
    assert show(card, ZOO).answer.benefit == "free"
    Card.objects.filter(pk=card.pk).update(state="issued", active_until=None)
    assert show(card).answer.code == "not-activated" and show(card, ZOO).answer.benefit == "free"


def test_an_expired_card_and_one_out_of_life_give_nothing():
    card = make_shown()
    late = dt.datetime(2036, 11, 11, 4, tzinfo=dt.UTC)
    assert services.present_online(Scanned(code_of(card)), ZOO, at=late).answer.colour == "red"
    Card.objects.filter(pk=card.pk).update(state="cancelled")
    assert show(card, ZOO).answer.code == "revoked"


def test_category_and_part_and_residence_and_age_are_the_rows():
    assert show(make_shown(category=1, grade=1), METRO).answer.companions == 1
    assert show(make_shown(category=7, grade=1, components=[(5, 1), (1, 2)]), METRO).answer.companions == 1
    assert show(make_shown(category=4, grade=1), METRO).answer.code == "not-entitled"
    assert show(make_shown(area=430702)).answer.code == "not-entitled"
    assert show(make_shown(area=430181)).answer.benefit == "free"


def test_what_was_used_before_counts():
    card = make_shown()
    assert show(card, ZOO, used={"holder": Used(0, 5)}).answer.ok
    assert show(card, ZOO, used={"holder": Used(1, 5)}).answer.code == "quota-used"


def test_a_genuine_code_without_a_row_is_for_the_office_to_explain():
    card = make_shown()
    text = code_of(card)
    Card.objects.filter(pk=card.pk).update(token=b"another card")
    answer, found = services.present_online(Scanned(text), BUS, at=NOON)
    assert (answer.code, answer.colour, found, answer.subject) == ("card-unknown", "amber", None, b"")


def test_a_forged_code_is_refused_before_the_register_is_asked():
    text = code_of(make_shown())
    payload = bytearray(qr.from_text(text))
    payload[-1] ^= 1
    with CaptureQueriesContext(connection) as asked:
        assert say(Scanned(qr.to_text(bytes(payload), "http://127.0.0.1:8000"))) == "signature-wrong"
    assert not [one for one in asked if "cards_card" in one["sql"]]


def test_a_chip_is_asked_for_its_card():
    card = make_shown()
    payload = qr.from_text(code_of(card))
    assert say(Tapped({"credential": payload}, True)) == "valid" == say(Tapped({"serial": card.serial}, True))
    assert say(Tapped({"credential": payload}, False)) == "not-authentic"
    assert say(Tapped({"serial": "4301040000000000"}, True)) == say(Tapped({}, True)) == "card-unknown"
    assert say(Tapped({"credential": b"1" * 5000}, True)) == "not-our-code"


def test_a_number_is_looked_up_only_where_a_rule_lets_numbers_be_typed():
    card = make_shown()
    number = number_of(card)
    with CaptureQueriesContext(connection) as asked:
        assert say(Typed(number)) == say(Typed(card.serial)) == "other-way"
    assert not asked.captured_queries
    for typed in (number, card.serial, f" {number} "):
        answer, found = services.present_online(Typed(typed), ZOO, at=NOON)
        assert (answer.code, answer.benefit, found) == ("valid", "free", card)
    assert say(Typed("12345"), ZOO) == "not-our-number"
    assert say(Typed(number[:-1] + ("1" if number[-1] != "1" else "2")), ZOO) == "card-unknown"
    cards.report_lost(Card.get(card.pk), by=builders.make_actor(), request_id=builders.request_id(), at=NOON)
    assert say(Typed(card.serial), ZOO) == say(Typed(number), ZOO) == "suspended"


def test_a_certificate_that_a_person_read_is_judged_by_the_same_rules():
    looked = Looked(dt.date(2030, 1, 1), True, category=1, grade=2)
    assert say(looked, METRO) == "shown"
    answer = services.present_online(looked, BUS, at=NOON).answer
    assert (answer.code, answer.ways) == ("other-way", ("tap", "qr")), "where it is from was not told"
    assert say(looked._replace(area=430181_000000)) == "shown"
    assert say(looked._replace(area=430104_000000)) == "other-way"
    assert say(looked._replace(same=False), METRO) == "face-differs"


def test_a_place_that_the_rules_do_not_know_is_named_and_so_is_an_operator():
    card = make_shown()
    assert show(card, BUS._replace(venue="moon")).answer.code == "not-our-place"
    with pytest.raises(Refusal, match="operator-unknown"):
        show(card, BUS._replace(operator="nobody"))
    assert list(operators()) == sorted(operators()) and operator("changsha-zoo").code == "changsha-zoo"


def test_an_answer_costs_the_same_whatever_is_asked_of_the_holder():
    """A row that is read at once: no further question for area, certificate or parts."""
    counts = []
    for card, place in ((make_shown(), ZOO), (make_shown(category=7, grade=1, components=[(1, 1)]), METRO),
                        (make_shown(area=430181), BUS)):
        text = Scanned(code_of(card))
        services.present_online(text, place, at=NOON)
        with CaptureQueriesContext(connection) as asked:
            services.present_online(text, place, at=NOON)
        counts.append(len(asked))
    assert len(set(counts)) == 1 and counts[0] <= 2, counts


def test_the_card_that_is_found_by_a_certificate_is_the_one_in_its_holders_hand():
    card = make_shown()
    number = number_of(card)
    for state, there in (("issued", True), ("suspended", True), ("cancelled", False), ("ready", False)):
        Card.objects.filter(pk=card.pk).update(state=state)
        if there:
            assert presented.by_certificate(number) == card
        else:
            with pytest.raises(Refusal, match="not-found"):
                presented.by_certificate(number)


def test_the_site_may_answer_under_its_own_role():
    card = make_shown(category=7, grade=1, components=[(1, 1)])
    text, number = code_of(card), number_of(card)
    enter(connection, *WHOLE_NATION)
    assert services.present_online(Scanned(text), METRO, at=NOON).answer.companions == 1
    assert say(Typed(number), ZOO) == say(Typed(card.serial), ZOO) == "valid"
