"""The key tree: levels and versions as rows, one at work, an overlap for those before, keys drawn from keys."""

import datetime as dt
import random
from collections import Counter
from contextlib import suppress

import pytest
from django.db import IntegrityError, transaction

from builders import NOON, make_actor, make_area, request_id
from ceremonies import MASTER, Hall, drawn, openssl, use_store
from zhengka.areas.models import Area
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.formats import shares
from zhengka.formats.suites import SUITES
from zhengka.keys import queries, rules, services
from zhengka.keys.models import PURPOSES, Ceremony, Key
from zhengka.keys.services import tree
from zhengka.keys.store import Usage
from zhengka.keys.workflow import KEY

pytestmark = pytest.mark.django_db
HUNAN, YUELU, CHANGSHA = 43 * 10**10, 430104_000000, 430100_000000
SERIAL = "3104300000000001"
LATER = NOON + dt.timedelta(days=30)


@pytest.fixture(autouse=True, params=["file", "token"])
def store(request, settings, tmp_path, token_home, db):
    """A store of the test's own, of each kind, and the areas of a unit."""
    use_store(request.param, settings, tmp_path)
    make_area()


def master(area=HUNAN, *, suite="SM", slot="control", secret=b"", at=NOON, purpose=rules.CARD_MASTER, **more):
    """A master at work with a value of its own, or with a known one."""
    key = tree.new_version(purpose, area, suite, slot, at=at)
    if secret:
        parts = shares.split(secret, needed=2, among=3, suite=SUITES[suite])
        info = services.store().import_components(
            key.label, parts, suite=suite, usage=Usage.DIVERSIFY, check_value=shares.check_value(secret, SUITES[suite]))
    else:
        info = services.store().generate(key.label, suite=suite, usage=Usage.DIVERSIFY)
    return tree.enter(tree.described_by(key, info), by=SYSTEM, request_id=request_id(), at=at, **more)


def derive(parent, area, *, by=SYSTEM, at=NOON):
    return services.derive(parent, area, by=by, request_id=request_id(), at=at)


def test_every_key_that_is_made_is_a_row_at_work_with_its_history():
    made = services.ensure(YUELU, "SM", at=NOON)
    assert {(key.state, key.level, key.area) for key in made} == {("active", "province", HUNAN)}
    for key in made:
        told = Event.objects.filter(subject="key", subject_id=key.pk).order_by("version")
        assert [(one.action, one.target) for one in told] == [("make", "created"), ("activate", "active")]
    assert set(PURPOSES) - rules.ON_DEMAND == {key.purpose for key in made}


def test_the_database_lets_one_version_work_and_counts_each_once():
    first, second = master(), master(activates=False)
    assert (first.number, second.number, second.state) == (1, 2, "created")
    with pytest.raises(IntegrityError, match="key_active_once"), transaction.atomic():
        Key.objects.filter(pk=second.pk).update(state="active")
    with pytest.raises(IntegrityError, match="key_version_once"), transaction.atomic():
        Key.objects.filter(pk=second.pk).update(number=1)


@pytest.mark.parametrize("change, promise", [
    ({"state": "destroyed"}, "key_destroyed_has_no_value"), ({"kept": "none"}, "key_destroyed_has_no_value"),
    ({"state": "retiring"}, "key_retiring_until"), ({"state": "lost"}, "key_state_known"),
    ({"kept": "drawn"}, "key_drawn_from_parent"), ({"rule": "SM4"}, "key_drawn_from_parent"),
    ({"level": "nation"}, "key_level_of_area"), ({"purpose": "channel", "number": 128}, "key_number_fits_a_channel")])
def test_the_database_refuses_a_row_that_says_what_cannot_be(change, promise):
    key = master()
    with pytest.raises(IntegrityError, match=promise), transaction.atomic():
        Key.objects.filter(pk=key.pk).update(**change)


@pytest.mark.parametrize("suite", ["SM", "INTL"])
def test_levels_are_drawn_as_openssl_draws_them_down_to_the_card(suite):
    nation = master(rules.NATION, suite=suite, secret=MASTER)
    province = derive(nation, Area.objects.get(pk=HUNAN))
    unit = derive(province, Area.objects.get(pk=YUELU))
    factors = [bytes.fromhex(f"{code}00") * 2 for code in ("430000", "430104")]
    for key, chain in ((province, factors[:1]), (unit, factors)):
        assert key.check_value == openssl(drawn(MASTER, *chain, suite=suite), bytes(16), suite)[:3].hex()
        assert (key.kept, key.rule) == ("drawn", {"SM": "SM4", "INTL": "AES"}[suite])
    [card] = services.card_keys("430104", suite, ["control"], [SERIAL], at=NOON).values["control"]
    assert card == drawn(MASTER, *factors, bytes.fromhex(SERIAL), suite=suite)
    assert services.store().labels() == [nation.label], "what is drawn is kept nowhere"


@pytest.mark.parametrize("suite", ["SM", "INTL"])
def test_the_keys_of_a_blank_chips_channel_are_drawn_as_openssl_draws_them(suite):
    master(suite=suite, slot="", secret=MASTER, purpose=rules.CHANNEL)
    uid, place = bytes.fromhex("04A1B2C3D4E5F6"), bytes.fromhex("4300000043000000")
    found = services.channel_keys(YUELU, suite, at=NOON).of_chip(SUITES[suite], uid)
    expected = [drawn(MASTER, place, bytes.fromhex(f"000000000000F00{n}"), b"\0" + uid, suite=suite) for n in (1, 2, 3)]
    assert [found.enc, found.mac, found.dek] == expected and found.version == 1


def test_a_rotated_channel_has_the_number_of_its_master_as_its_version_up_to_127():
    key = master(slot="", purpose=rules.CHANNEL)
    before = services.channel_keys(YUELU, "SM", at=NOON)
    hall = Hall()
    hall.hold("rotate", key, slot="")
    after = services.channel_keys(CHANGSHA, "SM", at=NOON)
    assert (before.version, after.version) == (1, 2)
    assert len({before.enc, before.mac, before.dek, after.enc, after.mac, after.dek}) == 6
    Key.objects.filter(purpose=rules.CHANNEL, number=2).update(number=127)
    with pytest.raises(Refusal, match="key-versions-used-up"):
        hall.open("rotate", Key.objects.get(purpose=rules.CHANNEL, number=127), slot="")


def test_the_published_vectors_come_out_of_the_tree():
    province = master(secret=MASTER)
    city = derive(province, Area.objects.get(pk=CHANGSHA))
    assert city.check_value == openssl(bytes.fromhex("31FEF18362AF400F53D579FE939E0C62"), bytes(16))[:3].hex()
    [card] = services.card_keys("430100", "SM", ["control"], [SERIAL], at=NOON).values["control"]
    assert card.hex().upper() == "1F5A7054C122A67A0960C4C2218D850B"


def test_a_key_is_drawn_only_from_a_working_master_of_the_level_above_and_by_who_may():
    unit = make_area()
    province, signing = master(), services.ensure(YUELU, "SM", at=NOON)[0]
    security = make_actor("security", area=Area.objects.get(pk=HUNAN))
    city = derive(province, Area.objects.get(pk=CHANGSHA), by=security)
    for parent, area in ((signing, unit), (province, Area.objects.get(pk=HUNAN)), (city, unit)):
        with pytest.raises(Refusal, match="key-not-a-master"):
            derive(parent, area, by=security)
    with pytest.raises(Refusal, match="not-permitted"):
        derive(province, unit, by=make_actor("clerk", area=unit))
    with pytest.raises(Refusal, match="not-found"):
        derive(province, unit, by=make_actor("security", area=make_area(430702)))


def own_of_the_province(hall):
    return hall.hold("generate", slot="control").key


def test_a_master_that_works_is_not_replaced_by_one_person_who_draws_another():
    nation = master(rules.NATION)
    own = own_of_the_province(Hall())
    with pytest.raises(Refusal, match="key-works-already"):
        derive(nation, Area.objects.get(pk=HUNAN))
    assert Key.get(own.pk).state == "active" and Key.objects.filter(area=HUNAN, slot="control").count() == 1
    services.retire(own, by=SYSTEM, request_id=request_id(), at=NOON)
    assert derive(nation, Area.objects.get(pk=HUNAN)).state == "active", "nothing works that it could replace"


def test_a_drawn_key_follows_a_newer_version_of_the_master_above_and_no_older_one():
    province, city = own_of_the_province(Hall()), Area.objects.get(pk=CHANGSHA)
    first = derive(province, city)
    with pytest.raises(Refusal, match="key-works-already"):
        derive(province, city)
    newer = Hall().hold("rotate", province, slot="control").key
    second = derive(newer, city)
    assert (second.number, second.parent, Key.get(first.pk).state) == (2, newer, "retiring")
    services.retire(newer, by=SYSTEM, request_id=request_id(), at=NOON)
    services.ensure(HUNAN, "SM", slots=["control"], at=NOON)
    untended = Key.objects.get(area=HUNAN, slot="control", state="active")
    with pytest.raises(Refusal, match="key-works-already"):
        derive(untended, city)
    assert not untended.by_ceremony and Key.get(second.pk).state == "active"


def test_a_drawn_master_has_no_more_versions_than_a_chip_can_tell():
    province, city = master(), Area.objects.get(pk=CHANGSHA)
    key = derive(province, city)
    Key.objects.filter(pk=key.pk).update(number=255, state="retired")
    with pytest.raises(Refusal, match="key-versions-used-up"):
        derive(province, city)


def test_the_version_before_reads_through_the_overlap_and_makes_nothing():
    old = master()
    [made] = services.card_keys("430104", "SM", ["control"], [SERIAL], at=NOON).values["control"]
    new = master(at=LATER, overlap_until=(LATER + dt.timedelta(days=10)).date())
    assert queries.working(rules.CARD_MASTER, YUELU, "SM", slot="control", at=LATER) == new
    read = services.reading_keys("430104", "SM", "control", SERIAL, at=LATER)
    assert list(read) == [2, 1] and read[1] == made != read[2]
    assert Key.get(old.pk).state == "retiring"
    last, over = LATER + dt.timedelta(days=10), LATER + dt.timedelta(days=11)
    assert services.run_clocks(at=last) == (0, 0) and len(
        services.reading_keys("430104", "SM", "control", SERIAL, at=last)) == 2
    assert len(services.reading_keys("430104", "SM", "control", SERIAL, at=over)) == 1, "by the day, before the clock"
    assert services.run_clocks(at=over) == (1, 0) and Key.get(old.pk).state == "retired"


def test_an_overlap_does_not_end_before_it_begins():
    master()
    with pytest.raises(Refusal, match="overlap-over"):
        master(overlap_until=NOON.date() - dt.timedelta(days=1))


def test_a_key_that_waits_is_put_to_work_by_the_security_administrator_once():
    old, new = master(), master(activates=False)
    security, key = make_actor("security", area=Area.objects.get(pk=HUNAN)), request_id()
    services.activate(new, by=security, request_id=key, at=NOON)
    assert (Key.get(old.pk).state, Key.get(new.pk).state) == ("retiring", "active")
    with pytest.raises(Replayed):
        services.activate(new, by=security, request_id=key, at=NOON)
    with pytest.raises(Refusal, match="not-permitted"):
        services.retire(new, by=make_actor("clerk", area=Area.objects.get(pk=HUNAN)), request_id=request_id(), at=NOON)
    with pytest.raises(Refusal, match="not-found"):
        services.retire(new, by=make_actor("security", area=make_area(430702)), request_id=request_id(), at=NOON)
    services.retire(new, by=security, request_id=request_id(), at=NOON)
    with pytest.raises(Refusal, match="key-retired"):
        services.card_keys("430104", "SM", ["control"], [SERIAL], at=NOON)


# -- any order of acts ---------------------------------------------------------------------------------------------


class Walk:
    """A province's keys, acted upon at random: made, drawn, put to work, retired, destroyed, as days go by."""

    def __init__(self, seed):
        self.dice, self.at, self.hall = random.Random(seed), NOON, Hall()
        self.unit, self.last = make_area(), request_id()

    def told(self):
        self.last = self.last if self.dice.random() < 0.1 else request_id()
        return {"by": self.hall.by, "request_id": self.last, "at": self.at}

    def any(self, *states):
        found = list(Key.objects.filter(state__in=states) if states else Key.objects.all())
        return self.dice.choice(found) if found else master(at=self.at)

    def move(self):
        self.at += dt.timedelta(days=self.dice.choice([0, 1, 40, 400]))
        moves = {
            "make": lambda: master(slot=self.dice.choice(["control", "reader"]), at=self.at,
                                   activates=self.dice.random() < 0.5),
            "draw": lambda: services.derive(self.any("active", "retired"), self.unit, **self.told()),
            "activate": lambda: services.activate(self.any(), **self.told()),
            "retire": lambda: services.retire(self.any("active", "retiring"), **self.told()),
            "destroy": lambda: self.hall.hold("destroy", self.any("created", "retired", "active"), at=self.at),
            "ensure": lambda: services.ensure(YUELU, "SM", slots=["control"], at=self.at),
            "clock": lambda: services.run_clocks(at=self.at)}
        with suppress(Refusal, Replayed):
            moves[self.dice.choice(sorted(moves))]()
        self.promises()

    def promises(self):
        rows = list(Key.objects.all())
        at_work = Counter((key.purpose, key.suite, key.area, key.slot) for key in rows if key.state == "active")
        assert not at_work or max(at_work.values()) == 1
        own = {key.label for key in rows if not key.rule and key.state != "destroyed"}
        assert set(services.store().labels()) == own, "a value for each key that has not ended, and for no other"
        for key in rows:
            events = Event.objects.filter(subject="key", subject_id=key.pk).order_by("version")
            steps = {(step.source, step.action, step.target) for step in KEY.steps} | {("", "make", "created")}
            assert [event.version for event in events] == list(range(1, key.version + 1))
            assert {(event.source, event.action, event.target) for event in events} <= steps
            assert key.state != "destroyed" or not key.children_in_use()
        destroyed = Ceremony.objects.filter(aim="destroy", state="done")
        assert {row.label for row in destroyed} == {key.label for key in rows if key.state == "destroyed"}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_done_in_whatever_order_the_tree_stays_whole(seed):
    walk = Walk(seed)
    for _ in range(25):
        walk.move()
    assert Key.objects.count() > 3
