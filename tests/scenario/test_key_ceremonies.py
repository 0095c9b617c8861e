"""Ceremonies over keys: two persons at least, each in their own session, resumed after a kill, and nothing is left."""

import datetime as dt
import json

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from typer.testing import CliRunner

from builders import NOON, make_officer, request_id
from ceremonies import MASTER, Hall, components, use_store
from visits import Visitor
from zhengka.accounts.services import actor_of
from zhengka.areas.services import add_nation
from zhengka.cards import services as cards
from zhengka.cli.app import app
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.formats import shares
from zhengka.formats.shares import Share
from zhengka.formats.suites import SUITES
from zhengka.keys import queries, rules, services
from zhengka.keys.models import KINDS, Ceremony, Custodian, Key, Seat
from zhengka.keys.services import Component
from zhengka.keys.store import Kept, NoSuchKey, NotExportable, SoftwareStore, Usage
from zhengka.keys.transcript import is_signed

pytestmark = pytest.mark.django_db
SUITE_NAMES = pytest.mark.parametrize("suite", ["SM", "INTL"])
WEEK = dt.timedelta(days=7)


@pytest.fixture(autouse=True, params=["file", "token"])
def store(request, settings, tmp_path, token_home):
    """A store of the test's own, of each kind."""
    use_store(request.param, settings, tmp_path)
    return request.param


@pytest.fixture
def hall():
    return Hall()


def secret(parts):
    """The key of some components, put together by the format alone."""
    return shares.combine([Share(one.number, bytes.fromhex(one.value), one.check_value) for one in parts],
                          suite=SUITES["SM"])


def nothing_left():
    return not Seat.objects.exclude(component=None).exists()


# -- each kind -----------------------------------------------------------------------------------------------------


@SUITE_NAMES
def test_three_custodians_generate_a_key_that_no_one_of_them_knows(hall, suite, store):
    row = hall.open("generate", suite=suite)
    assert row.state == "gathering" and services.store().labels() == [], "nothing is in the store before all agree"
    for custodian in hall.custodians:
        row = hall.part(row, custodian)
    row = services.carry_on(row.pk, at=NOON)
    key = row.key
    assert (row.state, key.state, key.check_value) == ("done", "active", row.check_value)
    assert list(key.custodians.order_by("number").values_list("person", flat=True)) == [
        one.person for one in hall.custodians]
    assert services.store().describe(key.label).check_value == key.check_value
    lives = "token" if store == "token" and suite == "INTL" else {"file": "file", "token": "hybrid"}[store]
    assert key.kept == services.store().describe(key.label).kept == Kept(lives)
    with pytest.raises(NotExportable):
        services.store().split(key.label, needed=2, among=3)
    assert nothing_left()


def test_any_two_of_the_three_components_are_the_key_that_was_made(hall):
    row = hall.open("generate")
    parts = hall.seen(row)
    for custodian in hall.custodians:
        hall.part(row, custodian)
    row = services.carry_on(row.pk, at=NOON)
    found = {secret([parts[a], parts[b]]) for a, b in ((0, 1), (1, 2), (0, 2))}
    assert len(found) == 1
    [key] = found
    assert shares.check_value(key, SUITES["SM"]) == row.check_value
    assert services.store().diversify(row.label, [bytes(8)]) == SUITES["SM"].diversify(key, [bytes(8)])


@pytest.mark.parametrize("purpose", ["credential", "status_index"])
def test_signing_and_other_keys_are_made_in_the_same_way(hall, purpose):
    row = hall.hold("generate", purpose=purpose, slot="")
    assert row.state == "done" and row.key.label == f"43/{purpose}/SM/1"
    if purpose == "credential":
        signed = services.sign(purpose, hall.area.code, "SM", [b"m"], at=NOON)
        assert queries.key_set().trusted(signed.key_id, suite="SM", purpose=purpose, at=NOON).public.verify(
            b"m", signed.signatures[0])


@SUITE_NAMES
@pytest.mark.parametrize("xor", [False, True])
def test_a_key_of_another_place_is_brought_in_by_its_components(hall, suite, xor):
    row = hall.bring(MASTER, suite, xor=xor)
    assert (row.state, row.needed, row.key.state) == ("done", 3 if xor else 2, "active")
    assert services.store().diversify(row.label, [bytes(8)]) == SUITES[suite].diversify(MASTER, [bytes(8)])
    assert Custodian.objects.filter(key=row.key).count() == row.among == 3 and nothing_left()


def test_the_published_card_key_comes_out_of_a_master_that_was_brought_in(hall):
    hall.bring(MASTER, slot="control")
    [card] = services.card_keys("430100", "SM", ["control"], ["3104300000000001"], at=NOON).values["control"]
    assert card.hex().upper() == "1F5A7054C122A67A0960C4C2218D850B"


@SUITE_NAMES
def test_a_key_leaves_under_a_transport_key_and_is_the_same_elsewhere(hall, suite, tmp_path):
    elsewhere = SoftwareStore(tmp_path / "elsewhere", "another passphrase")
    elsewhere.generate("door", suite=suite, usage=Usage.UNWRAP)
    key = hall.hold("generate", suite=suite, exportable=True).key
    unit = services.derive(key, Hall().area.children.get().children.get(), by=hall.by, request_id=request_id(), at=NOON)
    for one in (key, unit):
        row = hall.hold("export", one, transport=elsewhere.public("door"))
        info = elsewhere.unwrap(one.label, bytes(row.wrapped), by="door", suite=suite, usage=Usage.DIVERSIFY)
        assert row.state == "done" and info.check_value == one.check_value == row.check_value
        assert elsewhere.public("door").key_id.hex() in row.transcript


def test_a_key_that_was_made_to_stay_is_not_exported(hall, tmp_path):
    key = hall.hold("generate").key
    with pytest.raises(Refusal, match="key-stays"):
        hall.open("export", key, transport=SUITES["SM"].generate().public)
    with pytest.raises(Refusal, match="transport-key-wrong"):
        hall.open("export", hall.hold("rotate", key, exportable=True).key, transport=SUITES["INTL"].generate().public)


def test_a_rotation_makes_the_next_version_and_lets_the_one_before_read_on(hall):
    old, until = hall.hold("generate").key, (NOON + WEEK).date()
    with pytest.raises(Refusal, match="key-works-already"):
        hall.open("generate")
    new = hall.hold("rotate", old, overlap_until=until).key
    old = Key.get(old.pk)
    assert (old.state, old.reads_until, new.state, new.number) == ("retiring", until, "active", 2)
    reading = queries.reading(rules.CARD_MASTER, hall.area.code, "SM", slot="application", at=NOON + WEEK)
    assert [key.number for key in reading] == [2, 1]
    assert new.check_value != old.check_value


def test_the_key_that_places_cards_in_status_lists_is_never_replaced(hall):
    key = hall.hold("generate", purpose="status_index", slot="").key
    with pytest.raises(Refusal, match="key-not-rotated"):
        hall.open("rotate", key)


def test_two_persons_destroy_a_key_that_is_retired(hall):
    key = hall.hold("generate").key
    with pytest.raises(Refusal, match="step-not-open"):
        hall.open("destroy", key)
    services.retire(key, by=hall.by, request_id=request_id(), at=NOON)
    row = hall.open("destroy", Key.get(key.pk))
    hall.part(row, hall.custodians[0])
    assert services.carry_on(row.pk, at=NOON).state == "gathering" and key.label in services.store().labels()
    hall.part(row, hall.custodians[1])
    assert services.carry_on(row.pk, at=NOON).state == "done"
    key = Key.get(key.pk)
    assert (key.state, key.kept) == ("destroyed", "none")
    with pytest.raises(NoSuchKey):
        services.store().describe(key.label)


def test_two_persons_revoke_a_signing_key_with_its_certificates_even_when_its_store_is_gone(hall):
    services.ensure(hall.area.code, "SM", at=NOON)
    services.certify(hall.area.code, "SM", by=hall.by, request_id=request_id(), at=NOON)
    key = Key.objects.get(purpose="credential")
    services.store().destroy(key.label)
    row = hall.open("revoke", key)
    hall.part(row, hall.custodians[0])
    assert services.carry_on(row.pk, at=NOON).state == "gathering" and Key.get(key.pk).revoked_at is None
    hall.part(row, hall.custodians[1])
    assert services.carry_on(row.pk, at=NOON).state == "done"
    key = Key.get(key.pk)
    assert (key.state, key.revoked_at) == ("retired", NOON)
    assert list(key.certificates.values_list("revoked_at", "revoked_by")) == [(NOON, hall.leader.person)]
    assert Event.objects.filter(subject="key", subject_id=key.pk).order_by("version").last().action == "revoke"
    with pytest.raises(Refusal, match="step-not-open"):
        hall.open("revoke", key)
    with pytest.raises(Refusal, match="step-not-open"):
        hall.open("revoke", Key.objects.get(purpose="blank_card"))
    again = services.ensure(hall.area.code, "SM", at=NOON)
    assert [made.number for made in again if made.purpose == "credential"] == [2]


def test_the_command_opens_the_ceremony_that_revokes_a_key(hall):
    services.ensure(hall.area.code, "SM", at=NOON)
    key = Key.objects.get(purpose="credential")

    def run(*custodians):
        named = [word for one in custodians for word in ("--custodian", one)]
        return CliRunner().invoke(app, ["keys", "revoke-key", key.label, *named, "--as", hall.leader.username])
    refused = run(hall.custodians[0].username, "nobody")
    assert refused.exit_code and not Ceremony.objects.exists()
    done = run(*(one.username for one in hall.custodians[:2]))
    assert done.exit_code == 0, done.output + repr(done.exception)
    row = Ceremony.objects.get()
    assert (row.aim, row.key, row.among, row.needed) == ("revoke", key, 2, 2) and key.label in done.output


def test_the_database_lets_no_revoked_key_work_on(hall):
    services.ensure(hall.area.code, "SM", at=NOON)
    with pytest.raises(IntegrityError, match="key_revoked_is_over"), transaction.atomic():
        Key.objects.filter(purpose="credential").update(revoked_at=NOON)


def test_all_three_who_bring_a_key_hold_a_component_of_it_and_any_two_recover_it(hall):
    key = hall.bring(MASTER).key
    assert list(key.custodians.order_by("number").values_list("number", "person")) == [
        (number, one.person) for number, one in enumerate(hall.custodians, 1)]
    services.store().destroy(key.label)
    parts, row = components(MASTER), hall.open("recover", key, officers=hall.custodians[1:])
    for place in (1, 2):
        row = hall.part(row, hall.custodians[place], parts[place])
    assert services.carry_on(row.pk, at=NOON).state == "done" and key.label in services.store().labels()


def test_a_master_is_not_destroyed_while_keys_are_drawn_from_it(hall):
    key = hall.hold("generate").key
    unit = services.derive(key, hall.area.children.get().children.get(), by=hall.by, request_id=request_id(), at=NOON)
    services.retire(key, by=hall.by, request_id=request_id(), at=NOON)
    with pytest.raises(Refusal, match="key-has-children"):
        hall.open("destroy", Key.get(key.pk))
    services.retire(unit, by=hall.by, request_id=request_id(), at=NOON)
    assert hall.hold("destroy", Key.get(unit.pk)).state == "done", "a drawn key has no value that could be removed"
    assert hall.hold("destroy", Key.get(key.pk)).state == "done"


def test_two_of_three_bring_a_lost_key_back_and_nothing_else_in_its_place(hall):
    row = hall.open("generate")
    parts = hall.seen(row)
    for custodian in hall.custodians:
        hall.part(row, custodian)
    key = services.carry_on(row.pk, at=NOON).key
    made = services.store().diversify(key.label, [bytes(8)])
    services.store().destroy(key.label)
    row = hall.open("recover", key, officers=hall.custodians[1:])
    with pytest.raises(Refusal, match="component-wrong"):
        hall.part(row, hall.custodians[1], parts[0])
    for place in (1, 2):
        hall.part(row, hall.custodians[place], parts[place])
    assert services.carry_on(row.pk, at=NOON).state == "done"
    assert services.store().diversify(key.label, [bytes(8)]) == made and nothing_left()
    with pytest.raises(Refusal, match="custodians-wrong"):
        hall.open("recover", key, officers=[hall.custodians[0], make_officer("custodian", area=hall.area)])


def test_a_key_of_parts_that_xor_comes_back_by_all_of_them_only(hall):
    parts = components(MASTER, xor=True)
    key = hall.hold("import", brought=parts, check_value=shares.check_value(MASTER, SUITES["SM"]), all_needed=True).key
    services.store().destroy(key.label)
    with pytest.raises(Refusal, match="custodians-wrong"):
        hall.open("recover", key, officers=hall.custodians[:2])
    assert hall.hold("recover", key, brought=parts).state == "done"
    assert services.store().describe(key.label).check_value == key.check_value


# -- two persons ---------------------------------------------------------------------------------------------------


def test_one_person_is_one_custodian_whatever_accounts_they_have(hall):
    twice = make_officer("custodian", area=hall.area, person=hall.custodians[0].person)
    own = make_officer("custodian", area=hall.area, person=hall.leader.person)
    clerk = make_officer("clerk", area=hall.area)
    for third in (twice, own, clerk):
        with pytest.raises(Refusal, match="custodians-wrong"):
            hall.open("generate", officers=[*hall.custodians[:2], third])
    with pytest.raises(Refusal, match="custodians-wrong"):
        hall.open("generate", officers=hall.custodians[:2])


@pytest.mark.parametrize("change, promise", [
    (lambda row, _hall: {"person": row.seats.get(number=1).person}, "seat_one_person_once"),
    (lambda _row, hall: {"person": hall.leader.person}, "seat_not_who_leads"),
    (lambda _row, _hall: {"led_by": "somebody else"}, "seat_of_its_ceremony")])
def test_the_database_holds_that_custodians_are_different_persons(hall, change, promise):
    row = hall.open("generate")
    with pytest.raises(IntegrityError, match=promise), transaction.atomic():
        row.seats.filter(number=2).update(**change(row, hall))
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_database_holds_that_nothing_is_done_for_one_person_alone(hall):
    key = hall.hold("generate").key
    services.retire(key, by=hall.by, request_id=request_id(), at=NOON)
    row = hall.open("destroy", Key.get(key.pk))
    hall.part(row, hall.custodians[0])
    with pytest.raises(IntegrityError, match="ceremony_two_persons"), transaction.atomic():
        Ceremony.objects.filter(pk=row.pk).update(state="finishing")


def test_a_component_is_for_its_custodian_in_their_own_account_alone(hall):
    row = hall.open("generate")
    second = make_officer("custodian", area=hall.area, person=hall.custodians[0].person)
    for stranger in (second, make_officer("custodian", area=hall.area), hall.leader):
        for act in (lambda by: services.show_component(row, by=by, request_id=request_id(), at=NOON),
                    lambda by: services.take_part(row, Component(1, "00" * 16, "000000"), by=by,
                                                  request_id=request_id(), at=NOON)):
            with pytest.raises(Refusal, match="not-your-seat"):
                act(actor_of(stranger))
    first, other = hall.seen(row)[:2]
    assert first.value != other.value
    with pytest.raises(Refusal, match="component-wrong"):
        hall.part(row, hall.custodians[0], other)


def test_a_part_is_done_once_and_shown_no_more(hall):
    row, by = hall.open("generate"), actor_of(hall.custodians[0])
    shown = services.show_component(row, by=by, request_id=request_id(), at=NOON)
    key = request_id()
    services.take_part(row, shown, by=by, request_id=key, at=NOON)
    with pytest.raises(Replayed):
        services.take_part(row, shown, by=by, request_id=key, at=NOON)
    for act in (lambda: services.take_part(row, shown, by=by, request_id=request_id(), at=NOON),
                lambda: services.show_component(row, by=by, request_id=request_id(), at=NOON)):
        with pytest.raises(Refusal, match="seat-done"):
            act()


def test_who_leads_and_where_is_checked(hall):
    clerk = make_officer("clerk", area=hall.area)
    hall.leader = clerk
    with pytest.raises(Refusal, match="not-permitted"):
        hall.open("generate")
    hall.leader = make_officer("security", area=hall.area)
    for place in (rules.NATION, 44 * 10**10):
        with pytest.raises(Refusal, match="not-found"):
            hall.open("generate", place=place)
    hall.open("generate")
    with pytest.raises(Refusal, match="ceremony-under-way"):
        hall.open("generate")


# -- what goes wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [
    lambda one: Component(one.number, one.value[:-2] + "zz", one.check_value),
    lambda one: Component(one.number, one.value[:-2], one.check_value),
    lambda one: Component(one.number, one.value, "000000"),
    lambda one: Component(256, one.value, one.check_value), lambda _one: None])
def test_a_component_that_is_typed_wrong_is_found_before_anything_is_kept(hall, typed):
    row = hall.open("import", check_value=shares.check_value(MASTER, SUITES["SM"]))
    with pytest.raises(Refusal, match="component-wrong"):
        services.take_part(row, typed(components(MASTER)[0]), by=actor_of(hall.custodians[0]),
                           request_id=request_id(), at=NOON)
    assert nothing_left() and Ceremony.get(row.pk).version == row.version


def test_components_that_give_another_key_are_wiped_and_asked_for_again(hall):
    row = hall.open("import", check_value=shares.check_value(MASTER, SUITES["SM"]))
    strange = components(bytes(16))
    for place in (0, 1, 2):
        hall.part(row, hall.custodians[place], strange[place])
    row = services.carry_on(row.pk, at=NOON)
    assert (row.state, row.problem) == ("gathering", "components-wrong") and nothing_left()
    assert services.store().labels() == [] and not row.seats.exclude(done_at=None).exists()
    right = components(MASTER)
    for place in (0, 2, 1):
        hall.part(row, hall.custodians[place], right[place])
    row = services.carry_on(row.pk, at=NOON)
    assert (row.state, row.problem, row.key.check_value) == ("done", "", shares.check_value(MASTER, SUITES["SM"]))


@pytest.mark.parametrize("till", ["opened", "gathering", "one part", "finishing"])
def test_a_cancelled_ceremony_leaves_nothing(hall, till):
    row = hall.open("generate", begun=till != "opened")
    for custodian in hall.custodians[:{"one part": 1, "finishing": 3}.get(till, 0)]:
        row = hall.part(row, custodian)
    assert row.state == {"one part": "gathering"}.get(till, till)
    row = services.cancel(row, reason="wrong day", by=hall.by, request_id=request_id(), at=NOON)
    services.tidy(row.pk)
    row = services.carry_on(row.pk, at=NOON)
    assert row.state == "cancelled" and nothing_left() and services.store().labels() == []
    assert not Key.objects.exists() and not Custodian.objects.exists()
    with pytest.raises(IntegrityError, match="ceremony_leaves_nothing"), transaction.atomic():
        row.seats.update(component=b"x")
    assert hall.hold("generate").key.number == 2, "its number is nobody else's"


def test_what_a_cut_and_cancelled_ceremony_left_in_the_store_is_taken_away_and_nobody_s_key(hall):
    row = hall.open("generate", purpose="batch", slot="")
    for custodian in hall.custodians:
        row = hall.part(row, custodian)
    with connection.cursor() as cursor:
        cursor.execute(BREAK.format(subject="key-ceremony", action="record"))
    with pytest.raises(Exception, match="the power is cut"):
        services.carry_on(row.pk, at=NOON)
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER cut ON core_event")
    assert services.store().labels() == [row.label] and not Key.objects.exists()
    row = services.cancel(row, reason="after the cut", by=hall.by, request_id=request_id(), at=NOON)
    [made] = [key for key in services.ensure(hall.area.code, "SM", at=NOON) if key.purpose == "batch"]
    assert made.number == 2 and made.check_value != row.check_value
    services.tidy(row.pk)
    assert row.label not in services.store().labels() and made.label in services.store().labels()


def test_a_ceremony_that_nobody_ends_is_cancelled_by_the_calendar(hall):
    row = hall.open("generate")
    assert services.run_clocks(at=NOON + WEEK) == (0, 0)
    assert services.run_clocks(at=NOON + WEEK + dt.timedelta(minutes=1)) == (0, 1)
    assert Ceremony.get(row.pk).state == "cancelled" and nothing_left()


# -- killed in the middle ------------------------------------------------------------------------------------------

BREAK = """
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the power is cut'; END $$;
CREATE TRIGGER cut BEFORE INSERT ON core_event FOR EACH ROW WHEN (NEW.action = '{action}' AND NEW.subject = '{subject}')
    EXECUTE FUNCTION cut()
"""
BEFORE, AFTER = ("gather", "take_part", "complete", "sign"), ("record",)
"""Steps at which a cut finds the key store as it was; behind the store's own work."""
ON_PAPER = [(kind, "key-ceremony", action) for kind in KINDS for action in BEFORE]
IN_THE_STORE = [*((kind, "key-ceremony", action) for kind in KINDS for action in AFTER),
                *((kind, "key", "make") for kind in ("generate", "import", "rotate")), ("destroy", "key", "destroy"),
                ("revoke", "key", "revoke")]


@pytest.mark.parametrize("store", ["file"], indirect=True)
@pytest.mark.parametrize("kind, subject, action", ON_PAPER)
def test_a_ceremony_that_is_cut_at_any_step_goes_on_to_the_same_end(hall, kind, subject, action):
    cut_and_go_on(hall, kind, subject, action)


@pytest.mark.parametrize("kind, subject, action", IN_THE_STORE)
def test_what_the_store_has_done_before_the_cut_is_taken_for_done(hall, kind, subject, action):
    cut_and_go_on(hall, kind, subject, action)


def cut_and_go_on(hall, kind, subject, action):
    """A whole ceremony, in which the power fails at one event, once."""
    parts = components(MASTER)
    key = hall.hold("import", brought=parts, check_value=shares.check_value(MASTER, SUITES["SM"]), exportable=True).key
    if kind == "destroy":
        services.retire(key, by=hall.by, request_id=request_id(), at=NOON)
    if kind == "recover":
        services.store().destroy(key.label)
    wanted = {"slot": "load"} if kind in ("generate", "import") else {}
    if kind == "import":
        wanted["check_value"] = key.check_value
    if kind == "export":
        wanted["transport"] = SUITES["SM"].generate().public
    if kind == "retire":
        wanted["reason"] = "its office closes"
    about = None if kind in ("generate", "import") else Key.get(key.pk)
    if kind == "revoke":
        [about] = [one for one in services.ensure(hall.area.code, "SM", at=NOON) if one.purpose == "credential"]
    officers = hall.custodians[:2] if kind == "recover" else None
    with connection.cursor() as cursor:
        cursor.execute(BREAK.format(subject=subject, action=action))
    row = hall.open(kind, about, officers=officers, begun=False, **wanted)
    cuts = 0

    def insist(step):
        nonlocal cuts
        try:
            return step()
        except Exception as cut:
            assert "the power is cut" in str(cut)
            cuts += 1
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER cut ON core_event")
            return step()

    insist(lambda: services.carry_on(row.pk, at=NOON))
    for place, custodian in enumerate(hall.custodians[:row.enough]):
        brought = parts[place] if row.collects else None
        insist(lambda custodian=custodian, brought=brought: hall.part(row, custodian, brought))
    row = insist(lambda: services.carry_on(row.pk, at=NOON))
    assert row.state == "done" and nothing_left() and is_signed(row, Key.objects.get(label=row.signed_by))
    there = {key.label for key in Key.objects.exclude(state="destroyed").filter(rule="")}
    assert set(services.store().labels()) == there
    assert cuts == 1, "the cut was where it was said to be"


# -- what is written of it -----------------------------------------------------------------------------------------


def test_the_transcript_tells_all_but_a_secret_and_is_signed_and_in_the_journal(hall):
    row = hall.open("generate")
    parts = hall.seen(row)
    for custodian in hall.custodians:
        hall.part(row, custodian)
    row = services.carry_on(row.pk, at=NOON)
    told = json.loads(row.transcript)
    assert told["led_by"]["person"] == hall.leader.person and told["key"]["check_value"] == row.check_value
    assert [one["component_check_value"] for one in told["custodians"]] == [one.check_value for one in parts]
    assert not any(one.value in row.transcript for one in parts)
    signing = Key.objects.get(label=row.signed_by)
    assert signing.purpose == "transcript" and is_signed(row, signing) and signing.signatures == 1
    *_before, record, signed = Event.objects.filter(subject="key-ceremony", subject_id=row.pk).order_by("version")
    assert record.facts["digest"] == SUITES["SM"].digest(row.transcript.encode()).hex()
    assert signed.facts["signature"] == bytes(row.signature).hex()
    row.transcript = row.transcript.replace(hall.leader.person, "somebody")
    assert not is_signed(row, signing)


# -- a key that comes wrapped ---------------------------------------------------------------------------------------


def wrapped_for(hall, suite, secret=MASTER):
    """A key as another place sends it: encrypted to our transport key."""
    ours = services.transport_key(hall.area.code, suite, by=hall.by, at=NOON)
    return SUITES[suite].public_key(bytes(ours.public)).encrypt(secret)


@SUITE_NAMES
def test_a_key_that_came_wrapped_is_taken_in_by_two_who_agree_under_the_check_value_that_was_told(hall, suite):
    told = shares.check_value(MASTER, SUITES[suite])
    row = hall.hold("import", suite=suite, wrapped=wrapped_for(hall, suite), check_value=told.upper())
    assert (row.state, row.needed, row.key.state, row.key.check_value) == ("done", 2, "active", told)
    assert services.store().diversify(row.label, [bytes(8)]) == SUITES[suite].diversify(MASTER, [bytes(8)])
    assert row.key.by_ceremony and not row.key.custodians.exists(), "nobody was given a component"
    assert json.loads(row.transcript)["import"]["digest"] == SUITES[suite].digest(bytes(row.wrapped)).hex()
    assert MASTER.hex() not in json.dumps(list(Event.objects.values_list("facts", flat=True))) and nothing_left()


@SUITE_NAMES
@pytest.mark.parametrize("fault", ["another key", "changed", "to somebody else", "no key"])
def test_what_was_wrapped_is_not_taken_in_where_it_is_not_the_key_that_was_told(hall, suite, fault):
    blob = wrapped_for(hall, suite, {"another key": bytes(16), "no key": bytes(15)}.get(fault, MASTER))
    if fault == "changed":
        blob = blob[:-1] + bytes([blob[-1] ^ 1])
    if fault == "to somebody else":
        blob = SUITES[suite].generate().public.encrypt(MASTER)
    row = hall.hold("import", suite=suite, wrapped=blob, check_value=shares.check_value(MASTER, SUITES[suite]))
    assert (row.state, row.problem, row.key) == ("gathering", "wrapped-key-wrong", None)
    assert row.label not in services.store().labels()
    assert not row.seats.exclude(done_at=None).exists(), "who agreed is asked again"
    row = services.cancel(row, reason="wrong file", by=hall.by, request_id=request_id(), at=NOON)
    services.tidy(row.pk)
    assert row.state == "cancelled" and row.label not in services.store().labels()


def test_a_wrapped_key_needs_a_check_value_a_transport_key_and_an_end(hall):
    told = shares.check_value(MASTER, SUITES["SM"])
    with pytest.raises(Refusal, match="key-missing"):
        hall.open("import", wrapped=b"x", check_value=told)
    blob = wrapped_for(hall, "SM")
    for wanted in ({"wrapped": blob}, {"wrapped": bytes(2000), "check_value": told}):
        with pytest.raises(Refusal, match="wrapped-key-wrong"):
            hall.open("import", **wanted)
    row = hall.open("import", wrapped=blob, check_value=told)
    with pytest.raises(IntegrityError, match="ceremony_wrapped_and_told"), transaction.atomic():
        Ceremony.objects.filter(pk=row.pk).update(check_value="")


def test_a_wrapped_key_that_the_store_took_before_a_kill_is_taken_for_done(hall):
    told = shares.check_value(MASTER, SUITES["SM"])
    row = hall.open("import", wrapped=wrapped_for(hall, "SM"), check_value=told)
    for custodian in hall.custodians[:2]:
        row = hall.part(row, custodian)
    ours = Key.objects.get(purpose=rules.TRANSPORT)
    services.store().unwrap(row.label, bytes(row.wrapped), by=ours.label, suite="SM", usage=Usage.DIVERSIFY)
    assert services.carry_on(row.pk, at=NOON).state == "done"


# -- the nation's own keys ------------------------------------------------------------------------------------------


def test_custodians_of_the_nations_office_hold_the_nations_key_and_a_province_draws_its_own_from_it():
    nation = Hall(area=add_nation())
    assert add_nation().pk == 0, "a repeat makes no second office"
    row = nation.hold("generate", slot="control")
    assert (row.state, row.label, row.key.level) == ("done", "00/card_master/SM/control/1", "nation")
    assert row.key.custodians.count() == 3 and is_signed(row, Key.objects.get(label=row.signed_by))
    province = Hall().area
    own = services.derive(row.key, province, by=nation.by, request_id=request_id(), at=NOON)
    assert (own.label, own.kept, own.by_ceremony) == ("43/card_master/SM/control/1", "drawn", True)
    [card] = services.card_keys("430104", "SM", ["control"], ["4301040000000019"], at=NOON).values["control"]
    assert len(card) == 16
    with pytest.raises(Refusal, match="not-found"):
        Hall().open("rotate", row.key)


def test_a_master_of_the_nation_is_retired_by_two_custodians_and_never_by_one_person_though_no_card_names_it():
    nation = Hall(area=add_nation())
    key = nation.hold("generate", slot="control").key
    services.derive(key, Hall().area, by=nation.by, request_id=request_id(), at=NOON)
    with pytest.raises(Refusal, match="key-by-two"):
        cards.retire_key(key, by=nation.by, request_id=request_id(), at=NOON)
    with pytest.raises(IntegrityError, match="key_nation_by_two"), transaction.atomic():
        Key.objects.filter(pk=key.pk).update(state="retired")
    page = Visitor(nation.leader).get(reverse("staff:key", args=[key.pk])).content.decode()
    assert f'{reverse("staff:key-retire", args=[key.pk])}"' not in page
    assert reverse("staff:key-retire-by-two", args=[key.pk]) in page
    assert nation.hold("retire", key, reason="it may be stolen").state == "done"
    assert Key.objects.get(pk=key.pk).state == "retired"


def test_a_replaced_master_of_the_nation_ends_by_the_calendar_and_before_by_two_alone():
    nation = Hall(area=add_nation())
    old = nation.hold("generate", slot="control").key
    nation.hold("rotate", old, slot="control")
    with pytest.raises(Refusal, match="key-by-two"):
        cards.retire_key(Key.objects.get(pk=old.pk), by=nation.by, request_id=request_id(), at=NOON)
    services.run_clocks(at=NOON + dt.timedelta(days=400))
    assert Key.objects.get(pk=old.pk).state == "retired"


# -- masters that nobody holds ---------------------------------------------------------------------------------------


def test_masters_that_the_platform_made_alone_are_known_by_name_until_a_ceremony_replaces_them(hall):
    services.ensure(hall.area.code, "SM", at=NOON)
    untended = queries.without_ceremony(hall.area.code, "SM", ["control"], at=NOON)
    assert untended == ["43/card_master/SM/control/1", "43/blank_card/SM/1", "43/channel/SM/1"]
    hall.hold("rotate", Key.objects.get(label=untended[0]))
    assert queries.without_ceremony(hall.area.code, "SM", ["control"], at=NOON) == [
        "43/blank_card/SM/1", "43/channel/SM/1"]
