"""A card is handed over with proof, the old booklet comes back and is destroyed by two; who stays away is reminded."""

import datetime as dt
import json
from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction

from builders import NOON
from custody_rooms import ON_A_LIST, Rooms
from reading_desk import make_reader
from zhengka.cards.models import Card
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.custody import queries, services
from zhengka.custody.models import Booklet, Keeping, Pulping, Receipt
from zhengka.custody.services import Agent, Proof, SignedList
from zhengka.devices.models import Device, Reading
from zhengka.letters.models import Letter
from zhengka.production import services as production
from zhengka.registry.models import Certificate

pytestmark = pytest.mark.django_db
TYPED = Proof(typed="田野", why="writing", confirmed=True)
STROKES = json.dumps([[[10 * step, 20 + step % 7] for step in range(20)]])


@pytest.fixture
def rooms():
    return Rooms()


def at_the_counter(rooms: Rooms, many: int = 1) -> list[Card]:
    cards = rooms.cards(many)
    rooms.unpack(rooms.brought(cards), cards)
    return cards


def hands(rooms: Rooms, card: Card, proof: Proof) -> Card:
    return services.hand_over(card, proof, **rooms.told(rooms.county))


def read(rooms: Rooms, card: Card, officer: int, ago: int) -> Reading:
    """A reading of the card so many minutes ago."""
    began = rooms.at - dt.timedelta(minutes=ago)
    reader = Device.objects.filter(area=rooms.county).first() or make_reader(rooms.county)
    return Reading.objects.create(
        province=43, area=rooms.county.code, reader=reader, officer_id=officer, purpose="identify", steps=1,
        subject_id=card.pk, nonce=f"{officer} {ago}".encode()[:16], began_at=began, ended_at=began, outcome="good")


def test_a_signature_is_kept_sealed_and_proves_the_hand_over(rooms):
    (card,) = at_the_counter(rooms)
    hands(rooms, card, Proof(strokes=STROKES))
    kept = Receipt.objects.get(card=card)
    assert kept.proof == "signature" and b"<polyline" in services.signature_of(kept)
    assert queries.place_of(Card.get(card.pk)).where == "hand"
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Receipt.objects.update(way="home")
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Receipt.objects.all().delete()


def test_who_cannot_draw_types_the_name_and_confirms_it(rooms):
    (card,) = at_the_counter(rooms)
    for proof, why in ((Proof(), "proof-missing"), (Proof(typed="田野", why="hand"), "signature-missing"),
                       (Proof(typed="田野", confirmed=True), "signature-missing"),
                       (Proof(tapped=True), "proof-missing"),
                       (Proof(typed="田野", why="hurry", confirmed=True), "signature-missing"),
                       (Proof(strokes="[]"), "signature-missing"), (Proof(strokes="{nonsense"), "signature-missing"),
                       (Proof(strokes='[[[1,2],[9999,3]]]'), "signature-missing"),
                       (Proof(matched=True), "reading-missing"), (Proof(way="drone", typed="x"), "proof-missing")):
        with pytest.raises(Refusal, match=why), transaction.atomic():
            hands(rooms, card, proof)
    assert Card.get(card.pk).state == "ready" and not Receipt.objects.exists()
    hands(rooms, card, TYPED)
    kept = Receipt.objects.get()
    assert (fields.open_(bytes(kept.typed), "receipt.typed"), kept.why_typed) == ("田野", "writing")
    with pytest.raises(IntegrityError, match="receipt_is_proved"), transaction.atomic():
        Receipt.objects.create(card=rooms.cards(1)[0], area=1, way="counter", proof="typed", typed=b"x", at=NOON)


def test_a_chip_that_this_officer_read_just_now_proves_it_with_the_photo_compared(rooms):
    (card,) = at_the_counter(rooms)
    by = rooms.by[rooms.county.pk]
    read(rooms, card, by.id + 1, 1)
    read(rooms, card, by.id, 31)
    with pytest.raises(Refusal, match="reading-missing"), transaction.atomic():
        hands(rooms, card, Proof(matched=True))
    reading = read(rooms, card, by.id, 5)
    hands(rooms, card, Proof(matched=True))
    assert Receipt.objects.values_list("proof", "reading", "matched").get() == ("chip", reading.pk, True)


def test_an_agent_is_named_with_digits_relation_and_mandate(rooms):
    (card,) = at_the_counter(rooms)
    whole = Agent("李敏", "123x", "child", "2026-11-19 委托书")
    for agent in (None, Agent("", "1234", "child", "x"), Agent("李敏", "12", "child", "x"),
                  Agent("李敏", "1234", "friend", "x"), Agent("李敏", "1234", "child", " ")):
        with pytest.raises(Refusal, match="agent-incomplete"), transaction.atomic():
            hands(rooms, card, Proof(way="agent", agent=agent, typed="李敏", why="writing", confirmed=True))
    hands(rooms, card, Proof(way="agent", agent=whole, typed="李敏", why="writing", confirmed=True))
    kept = Receipt.objects.get()
    assert (kept.agent_digits, kept.relation) == ("123X", "child")
    assert fields.open_(bytes(kept.agent), "receipt.agent") == "李敏"


def test_an_agent_signs_for_the_photo_is_the_holders_and_the_chip_alone_proves_nothing_of_who_came(rooms):
    one, two = at_the_counter(rooms, 2)
    agent, officer = Agent("李敏", "1234", "child", "2026-11-19 委托书"), rooms.by[rooms.county.pk].id
    reading = read(rooms, one, officer, 1)
    for told in ({"matched": True}, {"matched": True, "strokes": STROKES}, {"tapped": True}, {},
                 {"tapped": True, "typed": "李敏", "why": "hand", "confirmed": True},
                 {"listed": SignedList("QL-7", NOON.date())}):
        with pytest.raises(Refusal, match="agent-must-sign"), transaction.atomic():
            hands(rooms, one, Proof(way="agent", agent=agent, **told))
    with pytest.raises(Refusal, match="reading-missing"), transaction.atomic():
        hands(rooms, two, Proof(way="agent", agent=agent, tapped=True, strokes=STROKES))
    hands(rooms, one, Proof(way="agent", agent=agent, tapped=True, strokes=STROKES))
    hands(rooms, two, Proof(way="agent", agent=agent, strokes=STROKES))
    kept = {row.card_id: row for row in Receipt.objects.all()}
    assert (kept[one.pk].proof, kept[one.pk].reading, kept[one.pk].matched) == ("chip", reading.pk, False)
    assert kept[two.pk].proof == "signature" and b"<polyline" in services.signature_of(kept[one.pk])
    named = {"card": rooms.cards(1)[0], "area": 1, "at": NOON, "way": "agent", "relation": "child", "mandate": "x",
             "agent_digits": "1234", "agent": b"x", "proof": "chip", "reading": 1}
    for told in ({"matched": True}, {"matched": True, "signature": "x"}, {"matched": False}):
        with pytest.raises(IntegrityError, match="receipt_is_proved"), transaction.atomic():
            Receipt.objects.create(**named, **told)


def test_a_card_in_a_parcel_or_missing_is_not_handed_over_by_any_way(rooms):
    packed, lost, here = rooms.cards(3)
    rooms.pack([packed])
    rooms.unpack(rooms.brought([lost, here]), [here])
    for card in (packed, lost):
        with pytest.raises(Refusal, match="card-not-at-counter"), transaction.atomic():
            hands(rooms, card, TYPED)
    told = rooms.told(rooms.county)
    done = services.hand_over_many([packed.pk, lost.pk, here.pk], ON_A_LIST, **told)
    assert (done.moved, done.away) == ([here.pk], sorted([packed.pk, lost.pk]))
    assert Keeping.objects.get(card=here).state == "collected"
    assert services.hand_over_many([here.pk], ON_A_LIST, **told).moved == []
    assert Receipt.objects.values_list("card", "proof", "way", "list_number", "list_day", "person").get() == (
        here.pk, "list", "home", "QL-7", ON_A_LIST.listed.day, rooms.by[rooms.county.pk].person)


def test_nothing_is_handed_over_without_a_proof_that_is_kept_not_even_by_the_database(rooms):
    one, two, free = at_the_counter(rooms, 2) + rooms.cards(1)
    tomorrow = SignedList("QL-7", (rooms.at + dt.timedelta(days=1)).date())
    for proof, why in ((TYPED, "proof-missing"), (replace(ON_A_LIST, way="agent"), "proof-missing"),
                       (Proof(listed=SignedList(" ", NOON.date())), "list-incomplete"),
                       (Proof(listed=tomorrow), "list-incomplete")):
        with pytest.raises(Refusal, match=why), transaction.atomic():
            services.hand_over_many([one.pk], proof, **rooms.told(rooms.county))
    hands(rooms, one, replace(ON_A_LIST, way="counter"))
    assert Receipt.objects.values_list("proof", "way").get() == ("list", "counter")
    for wrong in ({"list_number": ""}, {"list_day": None}, {"way": "agent"}, {"matched": True}):
        with pytest.raises(IntegrityError, match="receipt_"), transaction.atomic():
            Receipt.objects.create(**{"card": free, "area": 1, "at": NOON, "way": "home", "proof": "list",
                                      "list_number": "QL-7", "list_day": NOON.date()} | wrong)
    with pytest.raises(IntegrityError, match="handed over without a receipt"), transaction.atomic():
        production.hand_over(two, **rooms.told(rooms.county))
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert production.hand_over(free, **rooms.told(rooms.county)).state == "issued", "it never came into custody"


def test_the_old_booklet_comes_back_or_it_is_said_why_not_and_may_be_brought_later(rooms):
    one, two = at_the_counter(rooms, 2)
    hands(rooms, one, TYPED)
    with pytest.raises(Refusal, match="reason-missing"), transaction.atomic():
        hands(rooms, two, replace(TYPED, why_not="shy"))
    hands(rooms, two, replace(TYPED, why_not="lost"))
    found = {row.card_id: row for row in Booklet.objects.all()}
    assert (found[one.pk].state, found[two.pk].state, found[two.pk].why_not) == ("held", "absent", "lost")
    assert not Certificate.objects.filter(generation=2, state="valid").exists(), "it proves nothing either way"
    assert services.bring(found[two.pk], **rooms.told(rooms.county)).state == "held"


def test_old_booklets_are_destroyed_by_two_persons_who_count_the_same_number(rooms):
    services.hand_over_many([card.pk for card in at_the_counter(rooms, 3)], ON_A_LIST, **rooms.told(rooms.county))
    assert Booklet.objects.filter(state="held").count() == 3
    with pytest.raises(Refusal, match="booklets-differ"), transaction.atomic():
        services.propose_pulping(rooms.county, 2, "粉碎", **rooms.told())
    row = services.propose_pulping(rooms.county, 3, "粉碎", **rooms.told())
    with pytest.raises(Refusal, match="custody-same-person"), transaction.atomic():
        services.confirm_pulping(row, 3, **rooms.told())
    with pytest.raises(Refusal, match="booklets-differ"), transaction.atomic():
        services.confirm_pulping(row, 4, **rooms.told(by=rooms.approver))
    services.decline_pulping(row, **rooms.told(by=rooms.approver))
    row = services.propose_pulping(rooms.county, 3, "粉碎", **rooms.told())
    services.confirm_pulping(row, 3, **rooms.told(by=rooms.approver))
    assert set(Booklet.objects.values_list("state", "pulping")) == {("destroyed", row.pk)}
    with pytest.raises(IntegrityError, match="pulping_counted_by_two"), transaction.atomic():
        Pulping.objects.filter(pk=row.pk).update(counted=2)
    with pytest.raises(Refusal, match="booklets-none"), transaction.atomic():
        services.propose_pulping(rooms.county, 0, "粉碎", **rooms.told())


def test_of_three_booklets_two_are_there_and_two_persons_say_so_of_the_third(rooms):
    services.hand_over_many([card.pk for card in at_the_counter(rooms, 3)], ON_A_LIST, **rooms.told(rooms.county))
    here, gone, found = Booklet.objects.order_by("pk")
    row = services.propose_pulping(rooms.county, 3, "粉碎", **rooms.told())
    with pytest.raises(Refusal, match="booklets-differ"), transaction.atomic():
        services.confirm_pulping(row, 2, **rooms.told(by=rooms.approver))
    services.decline_pulping(row, **rooms.told(by=rooms.approver))
    for why, said in (("", "没有交"), ("shy", "没有交"), ("lost", " ")):
        with pytest.raises(Refusal, match="reason-missing"), transaction.atomic():
            services.report_missing([gone.pk], why, said, **rooms.told())
    with pytest.raises(IntegrityError, match="no two persons"), transaction.atomic():
        Booklet.objects.filter(pk=gone.pk).update(state="absent", why_not="lost")
    told = rooms.told()
    case, other = services.report_missing([gone.pk, found.pk], "lost", "窗口误登记", **told)
    with pytest.raises(Replayed), transaction.atomic():
        services.report_missing([gone.pk, found.pk], "lost", "窗口误登记", **told)
    with pytest.raises(Refusal, match="custody-same-person"), transaction.atomic():
        services.confirm_loss(case, **rooms.told())
    services.confirm_loss(case, **rooms.told(by=rooms.approver))
    other = services.decline(other, **rooms.told(by=rooms.approver))
    with pytest.raises(Refusal, match="booklet-still-missing"), transaction.atomic():
        services.settle(other, "在抽屉", **rooms.told())
    services.settle(other, "在抽屉", found=rooms.county, **rooms.told())
    assert dict(Booklet.objects.values_list("pk", "state")) == {here.pk: "held", gone.pk: "absent", found.pk: "held"}
    row = services.propose_pulping(rooms.county, 2, "粉碎", **rooms.told())
    assert services.confirm_pulping(row, 2, **rooms.told(by=rooms.approver)).state == "destroyed"
    assert services.bring(Booklet.get(gone.pk), **rooms.told(rooms.county)).state == "held"


def test_who_does_not_come_is_reminded_once_at_each_stage_and_then_the_card_goes_back(rooms):
    cards = at_the_counter(rooms, 2)
    begins = Keeping.objects.get(card=cards[0]).waits_since
    told = [services.remind(at=begins + dt.timedelta(days=days)) for days in (6, 7, 8, 29, 30, 31, 60, 89)]
    assert told == [0, 2, 0, 0, 2, 0, 2, 0]
    assert Letter.objects.filter(template="card-waiting", subject_id=cards[0].pk).count() == 3
    late = {**rooms.told(rooms.county), "at": begins + dt.timedelta(days=89)}
    with pytest.raises(Refusal, match="card-too-young"), transaction.atomic():
        services.send_back_many([cards[0].pk], **late)
    late["at"] = begins + dt.timedelta(days=90)
    assert len(services.send_back_many([cards[0].pk], **late)) == 1
    (aged,) = queries.ages(rooms.by[rooms.county.pk], late["at"])
    assert (aged.office, aged.counts, queries.returned(rooms.by[rooms.county.pk]).count()) == (
        rooms.county.code, (0, 0, 0, 0, 1), 1)
    rooms.at = late["at"]
    told = rooms.told(rooms.county)
    assert len(services.call_back_many([cards[0].pk], **told)) == 1
    assert services.call_back_many([cards[0].pk], **told) == [], "a repeat moves nothing"
    assert services.remind(at=rooms.at + dt.timedelta(days=7)) == 1, "it waits anew"


def test_a_late_check_reminds_of_the_last_stage_alone(rooms):
    (card,) = at_the_counter(rooms)
    begins = Keeping.objects.get(card=card).waits_since
    assert services.remind(at=begins + dt.timedelta(days=40)) == 1
    assert Letter.objects.filter(template="card-waiting").count() == 1 and Keeping.objects.get().stage == 30


def test_a_holder_whose_certificate_is_frozen_is_reminded_once_it_holds_again(rooms):
    (card,) = at_the_counter(rooms)
    begins = Keeping.objects.get(card=card).waits_since
    Certificate.objects.filter(pk=card.certificate_id).update(state="frozen", frozen_for="under-inquiry")
    assert services.remind(at=begins + dt.timedelta(days=31)) == 0 and Keeping.objects.get().stage == 0
    Certificate.objects.filter(pk=card.certificate_id).update(state="valid", frozen_for="")
    assert services.remind(at=begins + dt.timedelta(days=33)) == 1
    assert Letter.objects.get(template="card-waiting").subject_id == card.pk and Keeping.objects.get().stage == 30


def test_the_ages_stand_at_the_very_edges_of_their_buckets(rooms):
    (card,) = at_the_counter(rooms)
    begins, actor = Keeping.objects.get(card=card).waits_since, rooms.by[rooms.county.pk]
    for days, place in ((6, 0), (7, 1), (29, 1), (30, 2), (59, 2), (60, 3), (89, 3), (90, 4)):
        at = begins + dt.timedelta(days=days)
        assert queries.ages(actor, at)[0].counts.index(1) == place
        assert [queries.waiting(actor, at, bucket=each).count() for each in range(5)].index(1) == place


def test_what_left_by_another_way_leaves_the_list(rooms):
    one, two, three = at_the_counter(rooms, 3)
    Receipt.objects.create(card=one, area=rooms.county.code, way="home", proof="list", list_number="QL-7",
                           list_day=NOON.date(), person="x", at=NOON)
    Card.objects.filter(pk=one.pk).update(state="issued", handed_over_at=NOON)
    Card.objects.filter(pk=two.pk).update(state="cancelled")
    assert queries.ages(rooms.by[rooms.county.pk], rooms.at)[0].total == 1
    assert services.clear_out(at=rooms.at) == 2 and services.clear_out(at=rooms.at) == 0
    assert dict(Keeping.objects.values_list("card", "state")) == {
        one.pk: "collected", two.pk: "withdrawn", three.pk: "waiting"}
