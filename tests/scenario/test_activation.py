"""The yearly activation: by every channel, one by one and many at once, by use, by data match; and who is reminded."""

import datetime as dt
import io
from itertools import chain
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

import builders
from activating import ALL, KINDS, fill, make_active, region
from builders import NOON
from codes import code_of, finished
from zhengka.bulk.models import Act
from zhengka.cards import activation, queries, services
from zhengka.cards.activation import Dates
from zhengka.cards.models import Card, Reminder
from zhengka.cards.services import matching
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.formats import statuslist
from zhengka.formats.issuers import KeySet
from zhengka.formats.statuslist import Status
from zhengka.gates import services as gates
from zhengka.gates import tasks
from zhengka.gates.models import Use

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
DAY = dt.timedelta(days=1)
NEAR = TODAY + 20 * DAY


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"


def act(verb, subject, by=None, at=NOON, **more):
    return verb(subject, by=by or builders.make_actor(), request_id=uuid4(), at=at, **more)


def story(card):
    return [(e.version, e.action, e.source, e.target, e.facts) for e in
            Event.objects.filter(subject="card", subject_id=card.pk).order_by("version")]


# -- channels ----------------------------------------------------------------------------------------------------------

def test_the_channel_and_the_number_of_its_record_stand_in_the_event():
    card = act(services.activate, make_active(NEAR), channel="video", evidence="V-2026/118")
    assert story(card)[-1][-1] == {"until": "2027-12-10", "channel": "video", "evidence": "V-2026/118"}


def test_a_channel_that_the_region_does_not_know_is_refused(settings, tmp_path):
    region(settings, tmp_path, a430104=KINDS["ningbo"])
    for channel in ("video", "data-match", "letter"):
        with pytest.raises(Refusal, match="channel-not-allowed"):
            act(services.activate, make_active(NEAR), channel=channel)
    with pytest.raises(Refusal, match="channel-not-allowed"):
        act(services.activate_many, [builders.make_card(state="issued").pk], channel="video")


@pytest.mark.parametrize("channel", ["portal", "data-match"])
def test_nobody_activates_a_card_for_the_first_time_without_an_officer_who_sees_the_holder(channel):
    card = builders.make_card(state="issued")
    for verb, subject in ((services.activate, card), (services.activate_many, [card.pk])):
        with pytest.raises(Refusal, match="activation-in-person"):
            act(verb, subject, channel=channel)
    assert act(services.activate, card, channel="home-visit").state == "active"


@pytest.mark.parametrize("evidence", ["田野", "a" * 41, "two words", "<b>", builders.make_id_number()])
def test_evidence_is_a_number_of_a_record_and_nothing_of_a_person(evidence):
    with pytest.raises(Refusal, match="evidence-wrong") as no:
        act(services.activate, make_active(NEAR), evidence=evidence)
    assert evidence not in str(no.value)


def test_before_the_window_the_refusal_names_the_day_on_which_it_opens():
    with pytest.raises(Refusal, match="activation-not-due") as no:
        act(services.activate, make_active(TODAY + 100 * DAY))
    assert no.value.facts == {"opens": (TODAY + 10 * DAY).isoformat()}


# -- many at once ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", KINDS)
def test_many_cards_get_the_same_terms_and_events_as_one_by_one(name, settings, tmp_path):
    rule = KINDS[name]._replace(channels=ALL)
    region(settings, tmp_path, a430104=rule)
    corners = [(ends, issued, born) for ends in (TODAY - 400 * DAY, TODAY - 3 * DAY, TODAY, TODAY + 40 * DAY,
                                                 dt.date(2028, 2, 29), TODAY + 300 * DAY)
               for issued, born in ((dt.date(2024, 2, 29), dt.date(1950, 12, 31)), (dt.date(2025, 11, 3),
                                                                                    dt.date(2001, 1, 1)))]

    def fresh():
        return [make_active(ends, issued_on=issued, born_on=born) for ends, issued, born in corners]

    singles, many, clerk = fresh(), fresh(), builders.make_actor()
    refused = 0
    for card in singles:
        try:
            act(services.activate, card, clerk, channel="home-visit", evidence="R-7")
        except Refusal as no:
            assert no.code == "activation-not-due"
            refused += 1
    done = act(services.renew_many, [card.pk for card in many], clerk, channel="home-visit", evidence="R-7")
    assert done.left == ({"activation-not-due": refused} if refused else {})
    for one, other in zip(singles, many, strict=True):
        assert (Card.get(one.pk).active_until, story(one)) == (Card.get(other.pk).active_until, story(other))
        assert (other.pk in done.moved) == (len(story(other)) == 1)
    again = act(services.renew_many, done.moved, clerk, channel="home-visit")
    still_open = [pk for pk in again.moved if activation.opens(
        rule, Dates(Card.get(pk).active_until)) > TODAY] if rule.kind == "rolling" else again.moved
    assert not still_open or rule.kind == "rolling", "a window gives one term"


@pytest.mark.parametrize("name", KINDS)
def test_the_first_activation_of_many_gives_the_term_of_one(name, settings, tmp_path):
    region(settings, tmp_path, a430104=KINDS[name])
    one, other = (builders.make_card(state="issued") for _ in range(2))
    act(services.activate, one)
    act(services.activate_many, [other.pk])
    assert Card.get(one.pk).active_until == Card.get(other.pk).active_until > TODAY
    assert story(one) == story(other)


def test_cards_that_cannot_be_renewed_are_left_alone_by_reason_and_each_region_by_its_policy(settings, tmp_path):
    region(settings, tmp_path, a430102=KINDS["ningbo"], a430105=KINDS["standard"])
    county, other, third = (builders.make_area(code) for code in (430104, 430102, 430105))
    good, good_there = make_active(NEAR, area=county), make_active(NEAR, area=third)
    early, lost = make_active(TODAY + 200 * DAY, area=county), make_active(NEAR, area=county, state="suspended")
    not_there = make_active(NEAR, area=other)
    clerk = builders.make_actor(area=county.parent)
    ids = [card.pk for card in (good, good_there, early, lost, not_there)]
    done = act(services.renew_many, [*ids, ids[0], 12345], clerk, channel="video")
    assert done.moved == sorted([good.pk, good_there.pk])
    assert done.left == {"activation-not-due": 1, "step-not-open": 1, "channel-not-allowed": 1, "not-found": 1}
    stranger = act(services.renew_many, ids, builders.make_actor(area=builders.make_area(430702)), channel="counter")
    assert (stranger.moved, stranger.left) == ([], {"not-found": 5})
    with pytest.raises(Refusal, match="not-permitted"):
        act(services.renew_many, ids, builders.make_actor("reviewer"), channel="counter")


def test_an_officer_renews_many_under_the_role_of_the_web(as_web, settings, tmp_path):
    region(settings, tmp_path, a430104=KINDS["birth"])
    card, clerk = make_active(TODAY - 40 * DAY), builders.make_actor()
    as_web(clerk.lo, clerk.hi)
    assert act(services.renew_many, [card.pk], clerk, channel="home-visit").moved == [card.pk]


# -- gates -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", KINDS)
def test_the_status_list_says_of_every_day_what_the_rule_says(name, settings, tmp_path):
    region(settings, tmp_path, a430104=KINDS[name])
    days = (-400, -46, -45, -31, -30, -16, -15, -11, -10, -1, 0, 1, 90)
    cards = [finished() for _ in days]
    for card, days_left in zip(cards, days, strict=True):
        Card.objects.filter(pk=card.pk).update(active_until=TODAY + days_left * DAY)
    services.publish_status_lists(at=NOON)
    folder = services.status.folder()
    keys = KeySet.from_json((folder / "keys.json").read_text())
    for card, days_left in zip(cards, days, strict=True):
        told = statuslist.parse((folder / f"status-{card.status_list}.bin").read_bytes(), keys=keys, at=NOON)
        standing = queries.gate_state(Card.get(card.pk), NOON)
        offline = told.status(card.status_index)
        assert (standing == "valid") == (offline is Status.VALID), days_left
        assert (standing, offline) in (("valid", Status.VALID), ("activation-lapsed", Status.INACTIVE))
        assert (standing == "valid") == (days_left >= -KINDS[name].grace_days or name == "rides go on")


def test_a_lapsed_card_gives_no_services_and_still_proves_the_disability():
    card = finished()
    Card.objects.filter(pk=card.pk).update(active_until=TODAY - 31 * DAY)
    answer = gates.check(code_of(card), channel="api", at=NOON)
    assert (answer.verdict, answer.ok, answer.identity) == ("activation-lapsed", False, True)
    assert "仍可证明残疾人身份" in answer.zh and "still proves" in answer.en


@pytest.mark.parametrize("state, identity", [
    ("active", True), ("issued", True), ("suspended", False), ("cancelled", False)])
def test_identity_is_refused_for_what_ends_or_blocks_a_card_and_for_nothing_else(state, identity):
    assert gates.check(code_of(finished(state)), channel="page", at=NOON).identity is identity


def test_no_card_proves_a_certificate_that_is_not_in_force():
    card = finished()
    card.certificate.state = "cancelled"
    card.certificate.save()
    assert not gates.check(code_of(card), channel="page", at=NOON).identity
    assert not gates.check("nothing", channel="page", at=NOON).identity
    Card.objects.update(state="cancelled")  # the database lets no such card stay active to the end of a transaction


# -- use ---------------------------------------------------------------------------------------------------------------

def used(ends, *, channel="api", at=NOON):
    card = finished()
    Card.objects.filter(pk=card.pk).update(active_until=ends)
    gates.check(code_of(card), channel=channel, at=at)
    return card


def test_a_use_in_the_window_is_an_activation_by_the_next_morning(settings, tmp_path):
    region(settings, tmp_path, a430104=KINDS["mianyang"])
    card = used(NEAR)
    gates.check(code_of(card), channel="api", at=NOON + DAY)
    assert Use.objects.count() == 1, "once is enough"
    tasks.renew_by_use(timestamp=int((NOON + DAY).timestamp()))
    assert Card.get(card.pk).active_until == dt.date(2027, 12, 10) and not Use.objects.exists()
    [told] = story(card)
    assert told[-1] == {"until": "2027-12-10", "channel": "use", "evidence": "2026-11-20"}
    tasks.renew_by_use(timestamp=int((NOON + DAY).timestamp()))
    assert Card.get(card.pk).version == 2


@pytest.mark.parametrize("policy, ends, channel", [
    ("standard", NEAR, "api"), ("mianyang", TODAY + 61 * DAY, "api"), ("mianyang", TODAY - 31 * DAY, "api"),
    ("mianyang", NEAR, "page")])
def test_no_use_is_noted_elsewhere_before_the_window_after_a_lapse_or_of_a_page_that_anybody_opens(
        policy, ends, channel, settings, tmp_path):
    region(settings, tmp_path, a430104=KINDS[policy])
    used(ends, channel=channel)
    assert not Use.objects.exists()


def test_a_use_counts_on_its_own_day_and_not_for_a_card_that_was_lost_since(settings, tmp_path):
    region(settings, tmp_path, a430104=KINDS["mianyang"])
    kept, lost = used(TODAY), used(TODAY)
    act(services.report_lost, Card.get(lost.pk))
    assert gates.renew_by_use(request_id=uuid4(), at=NOON + 9 * DAY) == 1
    assert Card.get(kept.pk).active_until == dt.date(2027, 11, 20), "a year from its end, not from the ninth day"
    assert Card.get(lost.pk).state == "suspended" and not Use.objects.exists()


def test_a_visitors_check_notes_a_use_under_the_role_of_the_web(settings, tmp_path, as_web):
    region(settings, tmp_path, a430104=KINDS["mianyang"])
    card = finished()
    Card.objects.filter(pk=card.pk).update(active_until=NEAR)
    as_web(0, 10**12 - 1)
    gates.check(code_of(card), channel="api", at=NOON)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    assert Use.objects.get().card_id == card.pk


# -- data match --------------------------------------------------------------------------------------------------------

def matched(text, *, by=None, source="MPS-2026-11", groups=None, monkeypatch=None):
    area = builders.make_area()
    asked = services.ask_match(io.BytesIO(text.encode()), area, source=source, by=by or builders.make_actor(),
                               request_id=uuid4(), at=NOON)
    services.match_alive(asked.pk, clock=lambda: NOON)
    return Act.objects.get(pk=asked.pk)


def number_of(card):
    return fields.open_(bytes(card.holder.id_number), "holder.id_number")


def test_those_who_are_known_to_be_alive_are_activated_and_the_others_counted_by_reason(monkeypatch):
    monkeypatch.setattr(matching, "GROUP", 3)
    one, two, early, gone = (make_active(ends) for ends in (NEAR, NEAR, TODAY + 200 * DAY, NEAR))
    Card.objects.filter(pk=two.pk).update(serial="4301040000000017")
    Card.objects.filter(pk=gone.pk).update(state="cancelled")
    lines = [number_of(one), "4301040000000017", number_of(early), number_of(gone), builders.make_id_number(),
             "4301040000000025", "12345", number_of(one)]
    done = matched("\ufeff身份证号码,姓名\r\n" + "".join(f"{line},某人\r\n" for line in lines) + "\r\n")
    assert (done.state, done.total, done.moved, done.left_alone) == ("done", 8, 2, 6)
    assert done.reasons == {"activation-not-due": 2, "match-no-card": 1, "match-stranger": 2, "match-unreadable": 1}
    assert {tuple(sorted(e.facts.items())) for e in Event.objects.filter(action="activate")} == {
        (("channel", "data-match"), ("evidence", "MPS-2026-11"), ("until", "2027-12-10"))}
    assert done.upload == ""


def test_a_number_twice_in_one_group_is_counted_as_such():
    card = make_active(NEAR)
    assert matched(f"{number_of(card)}\n{number_of(card).lower()}\n").reasons == {"match-twice": 1}


def test_what_was_looked_at_adds_up_line_by_line():
    card = make_active(NEAR)
    done = matched(f"{number_of(card)}\n{number_of(card)}\nabc\nxyz\n\n")
    assert (done.total, done.done, done.moved, done.left_alone) == (4, 4, 1, 3)
    assert done.reasons == {"match-twice": 1, "match-unreadable": 2}


def test_a_region_without_data_matches_leaves_every_card_alone(settings, tmp_path):
    region(settings, tmp_path, a430104=KINDS["ningbo"])
    assert matched(number_of(make_active(NEAR))).reasons == {"channel-not-allowed": 1}


def test_people_of_other_offices_are_strangers_to_a_match():
    elsewhere = make_active(NEAR, area=builders.make_area(430102))
    assert matched(number_of(elsewhere)).reasons == {"match-stranger": 1}
    assert Card.get(elsewhere.pk).version == 1


@pytest.mark.parametrize("text, source, code", [
    ("", "MPS-1", "file-empty"), ("姓名\n\n", "MPS-1", "file-empty"), ("43", "", "evidence-wrong"),
    ("43", "公安局", "evidence-wrong")])
def test_a_match_that_says_nothing_is_refused_at_once(text, source, code):
    with pytest.raises(Refusal, match=code):
        matched(text, source=source)
    assert not Act.objects.exists()


def test_a_match_that_is_too_large_or_asked_for_without_right_is_refused(monkeypatch):
    monkeypatch.setattr(matching, "MOST_BYTES", 10)
    with pytest.raises(Refusal, match="file-too-large"):
        matched("1" * 11)
    with pytest.raises(Refusal, match="not-permitted"):
        matched("1", by=builders.make_actor("reviewer"))


# -- reminders ---------------------------------------------------------------------------------------------------------

def told(on):
    return [(due.card_id, due.stage, due.days_left) for due in queries.reminders(services.claim_reminders(on), on)]


def test_a_holder_is_reminded_sixty_thirty_and_seven_days_before_the_end_and_never_twice():
    card = make_active(TODAY)
    days = [TODAY - left * DAY for left in range(90, -40, -1)]
    found = [(on, entry) for on in days for entry in told(on) + told(on)]
    assert found == [(TODAY - left * DAY, (card.pk, left, left)) for left in (60, 30, 7)]
    Card.objects.filter(pk=card.pk).update(active_until=TODAY + 365 * DAY)
    assert told(TODAY + 305 * DAY) == [(card.pk, 60, 60)], "and again before the next end"


def test_a_missed_run_is_made_good_within_three_days():
    cards = [make_active(TODAY + left * DAY) for left in (61, 60, 57, 56, 7, 4, 3, 0)]
    assert told(TODAY) == [(cards[place].pk, stage, left)
                           for place, stage, left in ((1, 60, 60), (2, 60, 57), (4, 7, 7), (5, 7, 4))]


def test_a_letter_gets_what_it_needs_and_nothing_of_cards_that_were_renewed_meanwhile_or_lost():
    card, lost, renewed = (make_active(TODAY + 30 * DAY) for _ in range(3))
    ids = services.claim_reminders(TODAY)
    act(services.report_lost, lost)
    act(services.activate, renewed)
    assert queries.reminders(ids, TODAY) == [queries.Due(
        ids[0], card.pk, card.holder_id, card.area_id, TODAY + 30 * DAY, 30, 30, TODAY - 60 * DAY, TODAY + 60 * DAY,
        ("rides", "subsidies"))]


def test_reminders_come_in_portions_and_all_of_them():
    cards = {make_active(TODAY + 30 * DAY).pk for _ in range(5)}
    portions = []
    while ids := services.claim_reminders(TODAY, most=2):
        portions.append([due.card_id for due in queries.reminders(ids, TODAY)])
    assert [len(portion) for portion in portions] == [2, 2, 1] and set(chain(*portions)) == cards


def test_reminders_are_written_in_one_order_by_every_run():
    for left in (60, 30, 7, 60, 7):
        make_active(TODAY + left * DAY)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # the index gives them by their ends
    ids = services.claim_reminders(TODAY)
    noted = list(Reminder.objects.filter(pk__in=ids).order_by("pk").values_list("card", flat=True))
    assert len(noted) == 5 and noted == sorted(noted), "two runs at once wait, and never each for the other"
    first = [make_active(TODAY + left * DAY).pk for left in (30, 7, 60)]
    assert [Reminder.objects.get(pk=pk).card_id for _ in first for pk in services.claim_reminders(TODAY, most=1)] == [
        first[1], first[0], first[2]], "and those first whose day is nearest"


def test_the_database_itself_refuses_a_second_reminder_of_one_stage():
    card = make_active(TODAY)
    told = {"card": card, "area": card.area_id, "ends": TODAY, "stage": 30, "day": TODAY}
    Reminder.objects.create(**told)
    with pytest.raises(IntegrityError, match="reminder_once"), transaction.atomic():
        Reminder.objects.create(**told)
    with pytest.raises(IntegrityError, match="reminder_stage_known"), transaction.atomic():
        Reminder.objects.create(**told | {"stage": 29})


# -- what the office sees ----------------------------------------------------------------------------------------------

def test_an_office_counts_its_cards_by_the_days_that_are_left():
    county, other = builders.make_area(), builders.make_area(430102, name="芙蓉区")
    ends = (-40, -1, 0, 7, 8, 30, 31, 60, 61)
    cards = [make_active(TODAY + left * DAY, area=county) for left in ends] + [make_active(TODAY, area=other)]
    clerk, city = builders.make_actor(area=county), builders.make_actor(area=county.parent)
    assert queries.ending_by_area(clerk, TODAY) == [
        queries.Office(county.code, "岳麓区", "岳麓区", {"7": 2, "30": 2, "60": 2, "over": 2})]
    assert len(queries.ending_by_area(city, TODAY)) == 2
    assert [card.pk for card in queries.ending(clerk, "over", TODAY)] == [cards[0].pk, cards[1].pk]
    assert [card.pk for card in queries.ending(city, "7", TODAY)] == [cards[9].pk, cards[2].pk, cards[3].pk]
    assert [card.pk for card in queries.ending(city, "7", TODAY, after=(cards[9].area_id, cards[9].pk), limit=1)] == [
        cards[2].pk]


def test_reminders_are_found_by_one_scan_of_the_index_over_ends():
    fill(3000)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + services.activation.CLAIM, {
            "ends": [TODAY, TODAY + DAY], "stages": [60, 30, 7], "day": TODAY, "most": 100})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan on card_active_by_end" in plan and plan.count("on cards_card") == 1
    assert "reminder_once" in plan and "Seq Scan" not in plan
