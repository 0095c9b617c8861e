"""Officers follow parcels, cases, hand-overs and old booklets by pages; a scanner's enter does what a click does."""

import json

import pytest
from django.urls import reverse

from builders import make_officer
from custody_rooms import Rooms
from visits import Visitor
from zhengka.cards.models import Card
from zhengka.custody import rules
from zhengka.custody.models import Booklet, Keeping, Parcel, Pulping, Receipt, Trouble
from zhengka.custody.workflow import OUTCOMES, PROOFS, RELATIONS, SORTS, WAYS, WHY_NOT
from zhengka.production.models import Batch, Chunk, Item, Maker
from zhengka.web.staff import custody_words as words

pytestmark = pytest.mark.django_db


@pytest.fixture
def rooms():
    return Rooms()


@pytest.fixture
def clerk(rooms):
    return Visitor(make_officer("clerk", area=rooms.county))


def text(visitor: Visitor, url: str) -> str:
    return visitor.get(url).content.decode()


def scan(visitor: Visitor, number: str):
    return visitor.act(reverse("staff:custody-scan"), number=number)


def test_words_of_custody_are_complete():
    assert set(words.TROUBLE_WORDS) == set(SORTS) and set(words.OUTCOME_WORDS) == {"", *OUTCOMES}
    assert set(words.WAY_WORDS) == set(WAYS) and set(words.PROOF_WORDS) == set(PROOFS)
    assert set(words.RELATION_WORDS) == set(RELATIONS) and set(words.WHY_NOT_WORDS) == set(WHY_NOT)
    assert len(words.BUCKET_WORDS) == len(rules.BUCKETS) + 1


def test_a_parcel_is_found_by_number_seal_or_card_and_taken_over_and_opened(rooms, clerk):
    cards = rooms.cards(2)
    parcel = rooms.pack(cards)
    rooms.arrive(parcel, rooms.city)
    page = reverse("staff:parcel", args=[parcel.pk])
    assert scan(clerk, parcel.number)["Location"] == scan(clerk, parcel.seal)["Location"] == page
    assert "某市" in text(clerk, page) and cards[0].serial in text(clerk, page)
    take = reverse("staff:custody-take")
    assert clerk.act(take, number=parcel.number, seal=parcel.seal)["Location"] == page
    answer = clerk.act(take, number=parcel.number, seal=parcel.seal)
    assert answer.status_code == 200 and "has the parcel already" in answer.content.decode()
    opened = clerk.act(reverse("staff:parcel-unpack", args=[parcel.pk]), seal="S0", serials=f"{cards[0].serial}\n")
    assert opened["Location"] == page and Parcel.get(parcel.pk).state == "unpacked"
    shown = text(clerk, page)
    assert "Was missing" in shown and "The seal is another one" in shown and "A card is missing" in shown
    assert scan(clerk, cards[0].serial)["Location"] == reverse("staff:card", args=[cards[0].pk])
    assert scan(clerk, "no such number")["Location"] == reverse("staff:custody")


def test_another_office_takes_over_what_it_holds_and_sees_no_more_of_it_before(rooms):
    parcel = rooms.pack(rooms.cards(1))
    stranger = Visitor(make_officer("clerk", area=rooms.elsewhere))
    assert stranger.get(reverse("staff:parcel", args=[parcel.pk])).status_code == 404
    assert scan(stranger, parcel.seal)["Location"].endswith(f"take?number={parcel.number}")
    stranger.act(reverse("staff:custody-take"), number=parcel.number, seal=parcel.seal)
    assert "A parcel where it should not be" in text(stranger, reverse("staff:parcel", args=[parcel.pk]))


def test_a_card_that_is_scanned_where_it_cannot_be_opens_its_case(rooms, clerk):
    (card,) = rooms.cards(1)
    rooms.pack([card])
    found = scan(clerk, card.serial)
    case = Trouble.objects.get()
    assert found["Location"] == reverse("staff:trouble", args=[case.pk])
    assert scan(clerk, card.serial)["Location"] != found["Location"] and Trouble.objects.count() == 1


def test_a_batch_is_packed_by_the_page_only_by_who_keeps_parcels(rooms):
    reader = Visitor(make_officer("approver", area=rooms.county))
    assert reader.get(reverse("staff:custody")).status_code == 200
    assert reader.get(reverse("staff:custody-pack")).status_code == 403
    assert Visitor(make_officer("producer", area=rooms.county)).get(reverse("staff:custody-pack")).status_code == 200


def test_cards_of_a_batch_are_packed_or_taken_in_where_they_were_made(rooms, clerk):
    maker = Maker.objects.create(name="m", suite="SM", public=b"")
    cards = rooms.cards(3)
    batch = Batch.objects.create(id=1, province=43, area=rooms.county, number="430104-1", maker=maker,
                                 opened_at=rooms.at, ordered=3, prepared=3, good=3, state="closed", prepared_person="a",
                                 sent_person="b", erase_on=rooms.at.date())
    chunk = Chunk.objects.create(batch=batch, area=rooms.county.code, number=1)
    for place, card in enumerate(cards, 1):
        Item.objects.create(batch=batch, area=rooms.county.code, chunk=chunk, card=card, position=place, outcome="good")
    told = {"batch": batch.pk, "target": rooms.county.pk, "size": 2}
    answer = clerk.act(reverse("staff:custody-pack"), seals="F1", **told)
    assert answer.status_code == 200 and "fewer seals" in answer.content.decode() and not Parcel.objects.exists()
    Card.objects.filter(pk=cards[2].pk).update(state="spoiled")
    clerk.act(reverse("staff:custody-pack"), seals="F1\n F2 \n", **told)
    assert list(Parcel.objects.values_list("number", "seal", "quantity", "batch")) == [("430104-1-001", "F1", 2, 1)]
    Card.objects.filter(pk=cards[2].pk).update(state="ready")
    clerk.act(reverse("staff:custody-take-in"), batch=batch.pk)
    assert Keeping.objects.get(card=cards[2]).state == "waiting" and "1 card is taken in" in text(
        clerk, reverse("staff:waiting"))


def test_a_missing_card_is_proposed_lost_by_one_and_confirmed_by_another_or_found(rooms, clerk):
    one, two = rooms.cards(2)
    rooms.unpack(rooms.brought([one, two]), [])
    first, second = Trouble.objects.order_by("pk")
    answer = clerk.act(reverse("staff:trouble-settle", args=[first.pk]), reason="夹层")
    assert answer.status_code == 200 and "has not turned up" in answer.content.decode()
    clerk.act(reverse("staff:trouble-settle", args=[first.pk]), reason="夹层", found="on")
    assert Keeping.objects.get(card=first.card_id).state == "waiting"
    clerk.act(reverse("staff:trouble-loss", args=[second.pk]), reason="找遍")
    approver = Visitor(make_officer("approver", area=rooms.county))
    assert "Waits for a second person" in text(approver, reverse("staff:troubles"))
    assert approver.act(reverse("staff:trouble-confirm", args=[second.pk])).status_code == 302
    assert Trouble.get(second.pk).state == "lost" and Card.get(second.card_id).state == "spoiled"


def test_a_card_is_handed_over_by_the_form_with_a_drawn_signature_and_the_booklet_back(rooms, clerk):
    (card,) = rooms.cards(1)
    rooms.unpack(rooms.brought([card]), [card])
    form = reverse("staff:card-hand-over", args=[card.pk])
    assert "It came back" in text(clerk, form)
    answer = clerk.act(form, way="counter")
    assert answer.status_code == 200 and "not proved" in answer.content.decode()
    answer = clerk.act(form, way="agent", agent_name="李敏", typed="李敏", confirmed="on")
    assert answer.status_code == 200 and "in the holder&#x27;s place" in answer.content.decode()
    strokes = json.dumps([[[each, each] for each in range(20)]])
    assert clerk.act(form, way="home", strokes=strokes).status_code == 302
    assert Receipt.objects.get().way == "home" and Booklet.objects.get().state == "held"
    page = text(clerk, reverse("staff:card", args=[card.pk]))
    assert "Signed on the screen" in page and "Brought to the holder" in page
    picture = clerk.get(reverse("staff:card-signature", args=[card.pk]))
    assert picture["Content-Type"] == "image/svg+xml" and b"polyline" in picture.content


def test_a_card_in_a_parcel_is_handed_over_by_no_button(rooms, clerk):
    (card,) = rooms.cards(1)
    rooms.pack([card])
    assert clerk.act(reverse("staff:card-step", args=[card.pk, "hand_over"])).status_code == 409
    shown = clerk.act(reverse("staff:cards-bulk", args=["hand-over"]), card=[card.pk], sure="1").content.decode()
    assert "does not lie at a counter" in shown and Card.get(card.pk).state == "ready"


def test_the_oldest_cards_go_back_by_the_list(rooms, clerk):
    cards = rooms.cards(2)
    rooms.unpack(rooms.brought(cards), cards)
    Keeping.objects.filter(card=cards[0]).update(waits_since=rooms.at.replace(year=2025))
    Keeping.objects.filter(card=cards[1]).update(waits_since=rooms.at.replace(year=2099))
    page = text(clerk, f"{reverse('staff:waiting')}?age=4")
    assert cards[0].serial in page and cards[1].serial not in page and "90 days and more" in page
    clerk.act(reverse("staff:waiting-back"), card=[cards[0].pk])
    assert Keeping.objects.get(card=cards[0]).state == "returned"
    assert clerk.act(reverse("staff:waiting-back"), card=[cards[1].pk]).status_code == 409


def test_booklets_are_counted_twice_and_destroyed(rooms, clerk):
    (card,) = rooms.cards(1)
    rooms.unpack(rooms.brought([card]), [card])
    clerk.act(reverse("staff:card-hand-over", args=[card.pk]), way="counter", typed="田野", confirmed="on")
    new = reverse("staff:pulping-new")
    answer = clerk.act(new, office=rooms.county.pk, counted=2, how="粉碎")
    assert answer.status_code == 200 and "not that of the list" in answer.content.decode()
    clerk.act(new, office=rooms.county.pk, counted=1, how="粉碎")
    row, approver = Pulping.objects.get(), Visitor(make_officer("approver", area=rooms.county))
    assert approver.act(reverse("staff:pulping-confirm", args=[row.pk]), counted=2).status_code == 200
    assert approver.act(reverse("staff:pulping-confirm", args=[row.pk]), counted=1).status_code == 302
    assert Booklet.objects.get().state == "destroyed" and "Destroyed" in text(approver, reverse("staff:booklets"))
