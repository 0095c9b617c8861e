"""A card is handed over with proof, the old booklet comes back and is destroyed by two; who stays away is reminded."""

import datetime as dt
import json

import pytest
from django.db import IntegrityError, transaction

from builders import NOON
from custody_rooms import Rooms
from reading_desk import make_reader
from zhengka.cards.models import Card
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.custody import queries, services
from zhengka.custody.models import Booklet, Keeping, Pulping, Receipt
from zhengka.custody.services import Agent, Proof
from zhengka.devices.models import Reading
from zhengka.letters.models import Letter
from zhengka.registry.models import Certificate

pytestmark = pytest.mark.django_db
TYPED = Proof(typed="田野", confirmed=True)
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
    for proof, why in ((Proof(), "proof-missing"), (Proof(typed="田野"), "signature-missing"),
                       (Proof(strokes="[]"), "signature-missing"), (Proof(strokes="{nonsense"), "signature-missing"),
                       (Proof(strokes='[[[1,2],[9999,3]]]'), "signature-missing"),
                       (Proof(matched=True), "reading-missing"), (Proof(way="drone", typed="x"), "proof-missing")):
        with pytest.raises(Refusal, match=why), transaction.atomic():
            hands(rooms, card, proof)
    assert Card.get(card.pk).state == "ready" and not Receipt.objects.exists()
    hands(rooms, card, TYPED)
    assert fields.open_(bytes(Receipt.objects.get().typed), "receipt.typed") == "田野"


def test_a_chip_that_this_officer_read_just_now_proves_it_with_the_photo_compared(rooms):
    (card,) = at_the_counter(rooms)
    by, reader = rooms.by[rooms.county.pk], make_reader(rooms.county)

    def read(officer: int, ago: int) -> Reading:
        began = rooms.at - dt.timedelta(minutes=ago)
        return Reading.objects.create(
            province=43, area=rooms.county.code, reader=reader, officer_id=officer, purpose="identify", steps=1,
            subject_id=card.pk, nonce=f"{officer} {ago}".encode()[:16], began_at=began, ended_at=began, outcome="good")
    read(by.id + 1, 1)
    read(by.id, 31)
    with pytest.raises(Refusal, match="reading-missing"), transaction.atomic():
        hands(rooms, card, Proof(matched=True))
    reading = read(by.id, 5)
    hands(rooms, card, Proof(matched=True))
    assert Receipt.objects.values_list("proof", "reading", "matched").get() == ("chip", reading.pk, True)


def test_an_agent_is_named_with_digits_relation_and_mandate(rooms):
    (card,) = at_the_counter(rooms)
    whole = Agent("李敏", "123x", "child", "2026-11-19 委托书")
    for agent in (None, Agent("", "1234", "child", "x"), Agent("李敏", "12", "child", "x"),
                  Agent("李敏", "1234", "friend", "x"), Agent("李敏", "1234", "child", " ")):
        with pytest.raises(Refusal, match="agent-incomplete"), transaction.atomic():
            hands(rooms, card, Proof(way="agent", agent=agent, typed="李敏", confirmed=True))
    hands(rooms, card, Proof(way="agent", agent=whole, typed="李敏", confirmed=True))
    kept = Receipt.objects.get()
    assert (kept.agent_digits, kept.relation) == ("123X", "child")
    assert fields.open_(bytes(kept.agent), "receipt.agent") == "李敏"


def test_a_card_in_a_parcel_or_missing_is_not_handed_over_by_any_way(rooms):
    packed, lost, here = rooms.cards(3)
    rooms.pack([packed])
    rooms.unpack(rooms.brought([lost, here]), [here])
    for card in (packed, lost):
        with pytest.raises(Refusal, match="card-not-at-counter"), transaction.atomic():
            hands(rooms, card, TYPED)
    done = services.hand_over_many([packed.pk, lost.pk, here.pk], **rooms.told(rooms.county))
    assert (done.moved, done.away) == ([here.pk], sorted([packed.pk, lost.pk]))
    assert Keeping.objects.get(card=here).state == "collected"


def test_the_old_booklet_comes_back_or_it_is_said_why_not_and_may_be_brought_later(rooms):
    one, two = at_the_counter(rooms, 2)
    hands(rooms, one, TYPED)
    with pytest.raises(Refusal, match="reason-missing"), transaction.atomic():
        hands(rooms, two, Proof(typed="田野", confirmed=True, why_not="shy"))
    hands(rooms, two, Proof(typed="田野", confirmed=True, why_not="lost"))
    found = {row.card_id: row for row in Booklet.objects.all()}
    assert (found[one.pk].state, found[two.pk].state, found[two.pk].why_not) == ("held", "absent", "lost")
    assert not Certificate.objects.filter(generation=2, state="valid").exists(), "it proves nothing either way"
    assert services.bring(found[two.pk], **rooms.told(rooms.county)).state == "held"


def test_old_booklets_are_destroyed_by_two_persons_who_count_the_same_number(rooms):
    services.hand_over_many([card.pk for card in at_the_counter(rooms, 3)], **rooms.told(rooms.county))
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
    services.hand_over_many([card.pk for card in at_the_counter(rooms, 3)], **rooms.told(rooms.county))
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


def test_the_ages_stand_at_the_very_edges_of_their_buckets(rooms):
    (card,) = at_the_counter(rooms)
    begins, actor = Keeping.objects.get(card=card).waits_since, rooms.by[rooms.county.pk]
    for days, place in ((6, 0), (7, 1), (29, 1), (30, 2), (59, 2), (60, 3), (89, 3), (90, 4)):
        at = begins + dt.timedelta(days=days)
        assert queries.ages(actor, at)[0].counts.index(1) == place
        assert [queries.waiting(actor, at, bucket=each).count() for each in range(5)].index(1) == place


def test_what_left_by_another_way_leaves_the_list(rooms):
    one, two, three = at_the_counter(rooms, 3)
    Card.objects.filter(pk=one.pk).update(state="issued", handed_over_at=NOON)
    Card.objects.filter(pk=two.pk).update(state="cancelled")
    assert queries.ages(rooms.by[rooms.county.pk], rooms.at)[0].total == 1
    assert services.clear_out(at=rooms.at) == 2 and services.clear_out(at=rooms.at) == 0
    assert dict(Keeping.objects.values_list("card", "state")) == {
        one.pk: "collected", two.pk: "withdrawn", three.pk: "waiting"}
