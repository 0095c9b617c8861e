"""A key is retired with knowledge of what depends on it: cards by their state under each version, and modules."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from typer.testing import CliRunner

import batches
from builders import NOON, make_actor, make_area, request_id
from ceremonies import Hall, use_store
from visits import Visitor
from zhengka.cards import key_use
from zhengka.cards import services as cards
from zhengka.cards.models import Card, KeyGroup
from zhengka.cards.workflow import CARD
from zhengka.cli.app import app
from zhengka.core.errors import Refusal
from zhengka.core.scope import enter, leave, see_all
from zhengka.devices import services as devices
from zhengka.formats import serial as serials
from zhengka.keys.models import Ceremony, Key
from zhengka.web.staff.key_use import GROUPS

pytestmark = pytest.mark.django_db


@pytest.fixture
def area(db, settings, tmp_path):
    use_store("file", settings, tmp_path)
    return make_area()


@pytest.fixture
def maker(area, tmp_path):
    return batches.make_maker(tmp_path / "maker", area)


def prepared(area, maker, number: int = 2):
    for _ in range(number):
        batches.make_ordered(area=area)
    return batches.prepare(batches.open_batch(area, maker))


def master(purpose: str = "card_master", slot: str = "reader", number: int = 1) -> Key:
    return Key.objects.get(purpose=purpose, slot=slot if purpose == "card_master" else "", number=number)


def under(key: Key) -> dict[str, int]:
    return dict(key_use.uses(Hall().by).get(key.pk, key_use.Use()).cards)


def retire(key: Key, by=None) -> Key:
    return cards.retire_key(key, by=by or Hall().by, request_id=request_id(), at=NOON)


def test_cards_are_counted_by_state_under_the_version_with_which_they_were_made(area, maker):
    prepared(area, maker)
    Hall().hold("rotate", master(), slot="reader")
    prepared(area, maker, 3)
    Card.objects.filter(pk=Card.objects.earliest("pk").pk).update(state="spoiled")
    assert under(master()) == {"prepared": 1, "spoiled": 1}
    assert under(master(number=2)) == {"prepared": 3}
    assert under(master("blank_card")) == {"prepared": 4, "spoiled": 1}, "it was not rotated"
    assert under(Key.objects.get(purpose="credential")) == {"prepared": 4, "spoiled": 1}
    assert KeyGroup.objects.count() == 2


def test_a_card_of_another_province_is_not_counted_here(area, maker, tmp_path):
    prepared(area, maker)
    with_none = make_actor("security", area=make_area(420104))
    assert key_use.uses(with_none) == {} and key_use.unknown(with_none) == 0


def test_a_version_on_which_cards_depend_is_not_retired_by_one_person(area, maker):
    prepared(area, maker)
    Hall().hold("rotate", master(), slot="reader")
    with pytest.raises(Refusal, match="key-in-use") as refused:
        retire(master())
    assert refused.value.facts["cards"] == 2
    Card.objects.update(state="cancelled")
    assert retire(master()).state == "retired"


def test_the_keys_of_blanks_are_needed_until_the_cards_are_made(area, maker):
    prepared(area, maker)
    Hall().hold("rotate", master("blank_card"), slot="")
    with pytest.raises(Refusal, match="key-in-use"):
        retire(master("blank_card"))
    Card.objects.update(state="ready")
    assert retire(master("blank_card")).state == "retired"


def test_a_signing_key_is_retired_by_one_person_for_what_it_signed_stays_good(area, maker):
    prepared(area, maker)
    assert retire(Key.objects.get(purpose="credential")).state == "retired"


def test_a_card_of_unknown_versions_may_be_under_any_master(area, maker):
    prepared(area, maker)
    Card.objects.update(key_group=None, state="active", active_until=NOON.date())
    assert key_use.unknown(Hall().by) == 2
    with pytest.raises(Refusal, match="key-in-use"):
        retire(master())


def away(**change) -> None:
    """The cards are in use at an office of another province, where their holders took them."""
    other = make_area(420104)
    Card.objects.update(state="active", active_until=NOON.date(), area=other, province=42, **change)


@contextmanager
def as_the_web(by):
    """What a page may do: rows of the actor's area, by the web's own role."""
    enter(connection, by.lo, by.hi)
    try:
        yield
    finally:
        leave(connection)
        see_all(connection)


def test_cards_that_moved_to_another_province_forbid_it_and_nothing_but_their_number_is_told(area, maker):
    prepared(area, maker)
    Hall().hold("rotate", master(), slot="reader")
    away()
    hall = Hall()
    with as_the_web(hall.by):
        assert not Card.objects.exists()
        with pytest.raises(Refusal, match="key-in-use") as refused:
            retire(master(), hall.by)
        assert not Card.objects.exists(), "the look beyond is over"
    assert refused.value.facts == {"label": master().label, "cards": 2}
    page = Visitor(hall.leader).get(reverse("staff:key", args=[master().pk])).content.decode()
    assert f'"{reverse("staff:key-retire", args=[master().pk])}"' not in page
    assert "Cards that need it, in all provinces" in page
    told = CliRunner().invoke(app, ["keys", "use", "--as", hall.leader.username]).output
    assert f"{master().label} retiring: no cards here; 0 modules; 2 depend on it" in told


def test_a_card_of_unknown_versions_counts_for_the_masters_of_the_province_that_made_it(area, maker):
    prepared(area, maker)
    away(key_group=None)
    with pytest.raises(Refusal, match="key-in-use"):
        retire(master())
    for card, serial in zip(Card.objects.all(), serials.make_many("420104", 1, 2), strict=True):
        Card.objects.filter(pk=card.pk).update(serial=serial, area=area, province=43)
    assert retire(master()).state == "retired", "the cards came here with keys of their own"


def test_who_may_not_or_does_not_see_the_key_hears_nothing_of_its_cards(area, maker):
    prepared(area, maker)
    with pytest.raises(Refusal, match="not-permitted"):
        retire(master(), by=make_actor("clerk", area=Hall().area))
    with pytest.raises(Refusal, match="not-found"):
        retire(master(), by=make_actor("security", area=make_area(420104)))


def test_two_custodians_retire_it_at_once_and_the_reason_is_signed(area, maker):
    batch = prepared(area, maker)
    with pytest.raises(Refusal, match="reason-missing"):
        Hall().hold("retire", master(), slot="reader")
    row = Hall().hold("retire", master(), slot="reader", reason="怀疑泄露")
    assert (row.state, master().state) == ("done", "retired")
    assert "怀疑泄露" in row.transcript and row.signature is not None
    with pytest.raises(Refusal, match="batch-keys-over"):
        batches.send(batch)


def test_one_custodian_retires_nothing(area, maker):
    prepared(area, maker)
    hall = Hall()
    row = hall.part(hall.open("retire", master(), slot="reader", reason="x"), hall.custodians[0])
    assert row.state == "gathering" and master().state == "active"


def test_only_a_retirement_has_a_reason_and_none_has_none(area, maker):
    row = Hall().open("retire", master(), slot="reader", reason="x")
    for change in ({"reason": ""}, {"aim": "export"}):
        with pytest.raises(IntegrityError, match="ceremony_"), transaction.atomic():
            Ceremony.objects.filter(pk=row.pk).update(**change)


def test_a_module_in_the_key_store_has_the_versions_of_the_tree_whatever_it_noted(area, maker):
    by = make_actor("security", area=Hall().area)
    module = devices.issue(area, "software", "SM", by=by, request_id=request_id(), at=NOON)
    module = cards.initialise_module(module, by=by, request_id=request_id(), at=NOON)
    old = master()
    new = Hall().hold("rotate", old, slot="reader", overlap_until=NOON.date() + timedelta(days=30)).key
    assert (key_use.uses(by)[old.pk].modules, key_use.uses(by)[new.pk].modules) == (1, 1)
    assert cards.lacking(module, NOON) == ()


def test_modules_are_counted_under_the_versions_that_they_have_until_they_are_lost(area, maker):
    by = make_actor("security", area=Hall().area)
    module = devices.issue(area, "software", "SM", by=by, request_id=request_id(), at=NOON)
    module = cards.initialise_module(module, by=by, request_id=request_id(), at=NOON)
    assert key_use.uses(by)[master().pk].modules == 1
    assert master(slot="control").pk not in key_use.uses(by)
    devices.lose_module(module, by=by, request_id=request_id(), at=NOON)
    assert key_use.uses(by) == {}


def test_every_state_of_a_card_that_has_keys_is_in_one_group_of_the_chart():
    states = [state for group in GROUPS.values() for state in group]
    assert sorted(states) == sorted(CARD.states - {"ordered", "batched", "held"})
    assert len(states) == len(set(states))


def test_the_keys_page_shows_chart_and_table_and_offers_no_button_that_would_be_refused(area, maker):
    prepared(area, maker)
    hall = Hall()
    page = Visitor(hall.leader).get(reverse("staff:keys")).content.decode()
    assert "zk-chart" in page
    one = Visitor(hall.leader).get(reverse("staff:key", args=[master().pk])).content.decode()
    assert f'"{reverse("staff:key-retire", args=[master().pk])}"' not in one
    assert reverse("staff:key-retire-by-two", args=[master().pk]) in one
    Card.objects.update(state="cancelled")
    one = Visitor(hall.leader).get(reverse("staff:key", args=[master().pk])).content.decode()
    assert f'"{reverse("staff:key-retire", args=[master().pk])}"' in one
