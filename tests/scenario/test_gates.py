"""A card is presented: with a network, without one, as a photo, forged, lost, found."""

import datetime as dt
import io
import json
import time

import psycopg
import pytest
from django.db import connection
from PIL import Image

import builders
import ceremonies
from builders import NOON
from zhengka.areas.models import Area
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cli.bundle import open_bundle
from zhengka.core.actors import WHOLE_NATION
from zhengka.formats import bundle, credential, names, qr, verdict
from zhengka.formats.credential import Credential
from zhengka.formats.issuers import KeySet
from zhengka.gates import queries, rules, services
from zhengka.gates.models import Check
from zhengka.gates.services.tally import TALLY
from zhengka.keys import queries as key_queries
from zhengka.keys import services as keys
from zhengka.keys.models import Key

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
BASE = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"


def made(state="active", *, name="田野", suite="SM"):
    """A finished card and the text of its code."""
    keys.ensure(builders.make_area().code, suite, at=NOON)
    [card] = builders.with_numbers(builders.make_card(builders.make_holder(name=name), state=state))
    return card, code_of(card)


def code_of(card, suite="SM"):
    signer = keys.signer("credential", card.area_id, suite, at=NOON)
    said = Credential(bytes(card.token), card.issued_on, card.valid_until, card.status_list, card.status_index)
    [payload] = credential.encode_many([said], suite=suite, key_id=signer.key_id, sign_many=signer.sign_many)
    return qr.to_text(payload, BASE)


def check(text, *, at=NOON, **more):
    """What the page says; the short way, by which programs ask, must say the same of every card."""
    answer, told = services.check(text, channel="page", at=at, **more), services.verify(text, at=at)
    assert (told.verdict, told.reason, told.identity) == (answer.verdict, answer.reason, answer.identity)
    face = answer.face
    assert told[3:6] == ((face.issued_on, face.valid_until, face.active_until) if face else (None, None, None))
    return answer


def offline(text, at=NOON):
    """The verdict of a gate without a network, from the public folder alone."""
    trusted, lists = open_bundle(cards.status.folder(), at=at)
    return verdict.decide(text, keys=trusted, lists=lists, at=at, max_age=DAY).code


def report(verb, card):
    return verb(Card.get(card.pk), by=builders.make_actor(), request_id=builders.request_id(), at=NOON)


def test_a_good_card_is_valid_and_shows_its_face_masked():
    card, text = made(name="买买提·艾力")
    answer = check(text)
    assert (answer.verdict, answer.ok, answer.colour) == ("valid", True, "green") and answer.card == card
    face = answer.face
    assert face.name == "买***" and face.number[4:-4] == "*" * 12
    assert (face.category, face.grade, face.valid_until) == (4, 2, dt.date(2036, 11, 20))
    assert face.issuer == "某市岳麓区残疾人联合会"
    assert answer.zh == "此卡有效。" and answer.en == "The card is valid."


def test_the_digits_alone_are_as_good_as_the_whole_text():
    _, text = made()
    assert check(text.rsplit("/", 1)[1]).verdict == "valid"


def test_a_photo_of_the_code_is_read():
    _, text = made()
    [seen] = qr.read_image(qr.png(text))
    assert check(seen).verdict == "valid"


def test_only_an_officer_of_the_area_sees_the_whole_name():
    _, text = made(name="田野")
    own, stranger = builders.make_actor(), builders.make_actor(area=builders.make_area(430102))
    producer = builders.make_actor("producer")
    assert [check(text, by=by).face.name for by in (own, stranger, producer, None)] == ["田野", "田*", "田*", "田*"]


def test_a_lost_card_is_refused_at_once_and_offline_with_the_next_list_until_it_is_found():
    card, text = made()
    cards.publish_status_lists(at=NOON)
    assert (check(text).verdict, offline(text)) == ("valid", "valid")
    report(cards.report_lost, card)
    assert (check(text).verdict, offline(text)) == ("suspended", "valid"), "the gate still has the old list"
    cards.publish_status_lists(at=NOON, number=card.status_list)
    assert offline(text) == "suspended"
    report(cards.report_found, card)
    assert check(text).verdict == "valid"
    cards.publish_status_lists(at=NOON, number=card.status_list)
    assert offline(text) == "valid"


def test_a_photo_of_a_screen_is_refused_by_a_cut_off_gate_once_it_took_what_changed_since_the_block():
    """Who kept a picture of somebody's code has the code itself, its true signature, and nothing else."""
    card, text = made()
    cards.publish_status_lists(at=NOON)
    folder, fetched = cards.status.folder(), []

    def fetch(name):
        fetched.append(name)
        return path.read_bytes() if (path := folder / name).exists() else None

    def shown(held, at):
        screen = Image.open(io.BytesIO(qr.png(text))).convert("RGB").rotate(7, expand=True, fillcolor="white")
        screen.save(photo := io.BytesIO(), "JPEG", quality=60)
        [seen] = qr.read_image(photo.getvalue())
        return verdict.decide(seen, keys=held.keys, lists=held.lists, at=at, max_age=DAY)
    held = bundle.take(fetch, trusted=KeySet.from_json((folder / "keys.json").read_text()), at=NOON)
    assert shown(held, NOON).colour == "green"
    report(cards.report_lost, card)
    assert shown(held, NOON).colour == "green", "a gate knows of nothing that it did not fetch"
    after = NOON + dt.timedelta(minutes=2)
    cards.publish_status_lists(at=after, number=card.status_list)
    fetched.clear()
    held = bundle.take(fetch, trusted=held.keys, at=after, held=held)
    name = f"status-{card.status_list}.bin"
    assert name not in fetched and any(one.startswith(f"status-{card.status_list}.from-") for one in fetched)
    assert (shown(held, after).code, shown(held, after).colour) == ("suspended", "red")


@pytest.mark.parametrize(("state", "online", "without_network"), [
    ("sent", "not-activated", "inactive"), ("ready", "not-activated", "inactive"),
    ("issued", "not-activated", "inactive"), ("cancelled", "revoked", "revoked"), ("spoiled", "revoked", "revoked")])
def test_a_card_that_is_not_active_is_refused_for_its_own_reason(state, online, without_network):
    _, text = made(state)
    cards.publish_status_lists(at=NOON)
    assert (check(text).verdict, offline(text)) == (online, without_network)


def test_a_card_whose_year_is_over_is_refused_with_and_without_network():
    _, text = made()
    for days, said in ((365 + 30, ("valid", "valid")), (366 + 30, ("activation-lapsed", "inactive"))):
        after = NOON + days * DAY
        cards.publish_status_lists(at=after)
        assert (check(text, at=after).verdict, offline(text, after)) == said, "thirty days of grace, here and there"


def test_a_card_is_good_to_the_last_second_of_its_last_day_in_china():
    card, text = made()
    Card.objects.filter(pk=card.pk).update(active_until=dt.date(2040, 1, 1))
    midnight = dt.datetime(2036, 11, 21, tzinfo=verdict.CHINA)
    assert check(text, at=midnight - builders.A_MOMENT).verdict == "valid"
    assert check(text, at=midnight).verdict == "expired"


def test_a_code_before_its_first_day_is_not_valid_yet():
    _, text = made()
    Key.objects.update(not_before=NOON.date() - 2 * DAY)
    assert check(text, at=NOON - DAY).verdict == "not-yet-valid"


def test_a_forged_code_a_foreign_code_and_an_unknown_card_are_told_apart():
    card, text = made()
    digits = int(text.rsplit("/", 1)[1])
    assert check(str(digits + 1)).verdict == "signature-wrong"
    other = check("https://phish.example.com/win")
    assert (other.verdict, other.reason, other.face, other.card) == ("not-our-code", "qr-text", None, None)
    Card.objects.filter(pk=card.pk).update(token=b"another card")
    unknown = check(text)
    assert (unknown.verdict, unknown.colour, unknown.face) == ("card-unknown", "amber", None)


def test_what_a_revoked_key_signed_is_refused_at_once():
    card, text = made()
    hall = ceremonies.Hall(area=Area.objects.get(pk=card.area_id // 10**10 * 10**10))
    key, before = Key.objects.get(purpose="credential"), NOON - dt.timedelta(minutes=1)
    assert check(text).verdict == "valid"
    hall.hold("revoke", key)
    assert (check(text).verdict, check(text, at=before).verdict) == ("key-revoked", "valid")
    [told] = [one for one in json.loads(key_queries.key_set().to_json())["keys"]
              if one["key_id"] == bytes(key.key_id).hex()]
    assert dt.datetime.fromisoformat(told["revoked_at"]) == NOON


def test_every_check_is_counted_without_a_persons_data():
    card, text = made()
    services.verify(text, at=NOON)
    services.check("nothing", channel="page", at=NOON)
    assert list(Check.objects.order_by("id").values_list("verdict", "area")) == [
        ("valid", card.area_id), ("not-our-code", None)]
    assert queries.counts(builders.make_actor(), since=NOON, until=NOON + DAY) == {"valid": 1}
    assert queries.counts(builders.make_actor(area=builders.make_area(430102)), since=NOON, until=NOON + DAY) == {}
    assert queries.strangers(since=NOON, until=NOON + DAY) == {"not-our-code": 1}


def test_a_visitor_checks_a_card_under_the_role_of_the_web(as_web):
    _, text = made()
    as_web(*WHOLE_NATION)
    assert check(text).verdict == "valid"


def test_a_check_takes_three_statements_whatever_the_register_holds_and_the_short_way_one_and_its_count(
        django_assert_num_queries):
    _, text = made()
    with django_assert_num_queries(3):
        services.check(text, channel="page", at=NOON)
    with django_assert_num_queries(2):
        services.verify(text, at=NOON)


def counted_soon(number):
    end = time.monotonic() + 30
    while Check.objects.count() != number and time.monotonic() < end:
        time.sleep(0.1)
    return Check.objects.count() == number


@pytest.mark.django_db(transaction=True)
def test_a_program_whose_connection_was_cut_gets_its_answer_and_is_counted_soon_after():
    _, text = made()
    connection.ensure_connection()
    with psycopg.connect(connection.connection.info.dsn, password=connection.settings_dict["PASSWORD"]) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    assert services.verify(text, at=NOON).verdict == "valid"
    assert services.verify("nothing", at=NOON).verdict == "not-our-code"
    assert counted_soon(2)


@pytest.mark.django_db(transaction=True)
def test_checks_that_cannot_be_counted_now_are_counted_later(caplog):
    def rename(now, then):
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER FUNCTION {now} RENAME TO {then}")
    rename("gates_count_checks", "away")
    services.verify("nothing", at=NOON)
    while "1 checks could not be counted yet" not in caplog.text:  # this thread, or the one that writes
        TALLY.write()
    assert not Check.objects.exists()
    rename("away", "gates_count_checks")
    assert counted_soon(1)


def test_both_suites_are_accepted_by_their_own_keys():
    card, _ = made()
    keys.ensure(card.area_id, "INTL", at=NOON)
    assert check(code_of(card, "INTL")).verdict == "valid"


def test_every_verdict_of_a_row_and_of_a_signature_has_its_words():
    assert set(rules.ONLINE) >= {"valid", "revoked", "suspended", "expired", "not-activated", "activation-lapsed"}
    assert {code for code in verdict.WORDS if code not in rules.ONLINE} == {
        "list-missing", "list-too-old", "clock-behind", "inactive"}, "these are for verifiers without a network"


@pytest.mark.parametrize(("name", "masked"), [("田", "田*"), ("田野", "田*"), ("欧阳小明", "欧***"),
                                              ("𠮷田", "𠮷*"), ("阿卜杜拉·买买提", "阿***")])
def test_a_name_is_masked_but_for_its_first_character(name, masked):
    assert names.masked(name) == masked


def test_a_number_is_masked_but_for_four_characters_at_each_end():
    assert rules.masked_number("43990119600101001X42B10") == "4399***************2B10"
