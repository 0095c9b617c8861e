"""Officers follow parcels, cases, hand-overs and old booklets by pages; a scanner's enter does what a click does."""

import datetime as dt
import json

import pytest
from django.urls import reverse
from django.utils import timezone

from builders import make_officer
from custody_rooms import SIGNED, Rooms
from visits import Visitor
from zhengka.cards.models import Card
from zhengka.custody import rules, services
from zhengka.custody.models import Booklet, Keeping, Parcel, Pulping, Receipt, Trouble
from zhengka.custody.workflow import OUTCOMES, PROOFS, RELATIONS, SORTS, WAYS, WHY_NOT, WHY_TYPED
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
    assert set(words.WHY_TYPED_WORDS) == set(WHY_TYPED)
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
    for _ in range(2):
        found = scan(clerk, card.serial)
        case = Trouble.objects.get()
        assert found["Location"] == reverse("staff:trouble", args=[case.pk])
        shown = text(clerk, found["Location"])
        assert "By the records this card is not here" in shown and "It is in a parcel" in shown


def test_a_late_parcel_and_one_s_own_seal_are_not_cleared_up_at_a_desk(rooms, clerk):
    rooms.arrive(rooms.pack(rooms.cards(1)), rooms.city)
    services.check(at=rooms.at + dt.timedelta(days=30))
    late = reverse("staff:trouble-settle", args=[Trouble.objects.get().pk])
    assert "it is late still" in clerk.act(late, reason="问过").content.decode()
    clerk.act(reverse("staff:custody-take"), number=Parcel.objects.get().number, seal="S0")
    own = reverse("staff:trouble-settle", args=[Trouble.objects.get(sort="seal-differs").pk])
    assert "does not clear it up" in clerk.act(own, reason="看错").content.decode()
    assert clerk.act(late, reason="到了").status_code == 302


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
    answer = clerk.act(form, way="counter", why_not="back")
    assert answer.status_code == 200 and "not proved" in answer.content.decode()
    agent = {"way": "agent", "agent_name": "李敏", "agent_digits": "1234", "relation": "child", "mandate": "委托书"}
    for told, said in (({"way": "agent", "agent_name": "李敏", "typed": "李敏", "confirmed": "on"},
                        "It is not told who came in the holder&#x27;s place"),
                       (agent | {"matched": "on"}, "has not signed"),
                       ({"way": "home", "typed": "田野", "confirmed": "on"}, "Nobody has signed"),
                       ({"way": "home", "list_number": "QL-7"}, "on which list"),
                       ({"way": "home", "list_day": "2020-06-01"}, "on which list")):
        answer = clerk.act(form, why_not="back", **told)
        assert answer.status_code == 200 and said in answer.content.decode(), said
    assert Card.get(card.pk).state == "ready"
    strokes = json.dumps([[[each, each] for each in range(20)]])
    unsaid = clerk.act(form, way="home", strokes=strokes)
    assert unsaid.status_code == 200 and "Say whether the old booklet came back" in unsaid.content.decode()
    assert clerk.act(form, way="home", strokes=strokes, why_not="back").status_code == 302
    assert Receipt.objects.get().way == "home" and Booklet.objects.get().state == "held"
    page = text(clerk, reverse("staff:card", args=[card.pk]))
    assert "Signed on the screen" in page and "Brought to the holder" in page
    picture = clerk.get(reverse("staff:card-signature", args=[card.pk]))
    assert picture["Content-Type"] == "image/svg+xml" and b"polyline" in picture.content


def test_a_card_in_a_parcel_is_handed_over_by_no_button(rooms, clerk):
    (card,) = rooms.cards(1)
    rooms.pack([card])
    assert clerk.act(reverse("staff:card-step", args=[card.pk, "hand_over"])).status_code == 409
    shown = clerk.act(reverse("staff:cards-bulk", args=["hand-over"]), card=[card.pk], **SIGNED).content.decode()
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


def test_cards_that_went_back_wait_again_or_are_packed_for_a_street_by_the_list(rooms, clerk):
    cards = rooms.cards(3)
    parcel = rooms.unpack(rooms.brought(cards), cards).parcel
    Keeping.objects.update(state="returned")
    shown = text(clerk, f"{reverse('staff:waiting')}?age=back")
    assert "Cards that went back" in shown and all(card.serial in shown for card in cards)
    clerk.act(reverse("staff:waiting-again"), card=[cards[0].pk])
    assert Keeping.objects.get(card=cards[0]).state == "waiting"
    page = reverse("staff:parcel", args=[parcel.pk])
    again = reverse("staff:parcel-again", args=[parcel.pk])
    assert again in text(clerk, page)
    clerk.act(again)
    assert Keeping.objects.filter(state="waiting").count() == 3 and again not in text(clerk, page)
    pack, chosen = reverse("staff:waiting-pack"), [card.pk for card in cards[1:]]
    asked = clerk.act(pack, card=chosen).content.decode()
    assert "2 cards go into the parcel" in asked and rooms.street.name in asked and rooms.elsewhere.name not in asked
    label = {"card": chosen, "target": rooms.street.pk, "number": "转-1", "seal": parcel.seal}
    known = clerk.act(pack, **label)
    assert known.status_code == 200 and "was used before" in known.content.decode()
    sent = clerk.act(pack, **{**label, "seal": "转封-1"})
    down = Parcel.objects.get(number="转-1")
    assert sent["Location"] == reverse("staff:parcel", args=[down.pk])
    assert (down.stops, down.quantity) == ([rooms.street.code], 2)
    assert clerk.act(pack, card=chosen).status_code == 409, "what is in a parcel is packed by nobody"
    rooms.at = timezone.now()
    rooms.unpack(rooms.arrive(down, rooms.street), cards[1:2])
    mixed = clerk.act(pack, card=[cards[0].pk, cards[1].pk])
    assert mixed.status_code == 409 and "lie at several offices" in mixed.content.decode()


def test_a_count_shows_what_differs_before_it_is_written_down(rooms, clerk):
    cards = rooms.cards(2)
    rooms.unpack(rooms.brought(cards), cards)
    count, told = reverse("staff:waiting-count"), {"office": rooms.county.pk, "serials": f"{cards[0].serial}\n"}
    asked = clerk.act(count, **told).content.decode()
    assert f"Missing: {cards[1].serial}" in asked and "1 card is there, 1 differs" in asked
    assert not Trouble.objects.exists()
    assert clerk.act(count, sure="1", **told)["Location"] == reverse("staff:waiting")
    assert Trouble.objects.get().serial == cards[1].serial and Keeping.objects.get(card=cards[1]).state == "missing"
    assert Keeping.objects.get(card=cards[0]).counted_at is not None


def test_booklets_are_counted_twice_and_destroyed(rooms, clerk):
    (card,) = rooms.cards(1)
    rooms.unpack(rooms.brought([card]), [card])
    clerk.act(reverse("staff:card-hand-over", args=[card.pk]), way="counter", typed="田野", why="hand", confirmed="on",
              why_not="back")
    new = reverse("staff:pulping-new")
    answer = clerk.act(new, office=rooms.county.pk, counted=2, how="粉碎")
    assert answer.status_code == 200 and "not that of the list" in answer.content.decode()
    clerk.act(new, office=rooms.county.pk, counted=1, how="粉碎")
    row, approver = Pulping.objects.get(), Visitor(make_officer("approver", area=rooms.county))
    assert approver.act(reverse("staff:pulping-confirm", args=[row.pk]), counted=2).status_code == 200
    assert approver.act(reverse("staff:pulping-confirm", args=[row.pk]), counted=1).status_code == 302
    assert all(word in text(approver, reverse("staff:custody")) for word in ("Share of typed names", "100%"))
    assert "Share of typed names" not in text(clerk, reverse("staff:custody"))
    assert Booklet.objects.get().state == "destroyed" and "Destroyed" in text(approver, reverse("staff:booklets"))


def test_a_booklet_that_is_not_here_is_reported_confirmed_by_another_and_brought_later(rooms, clerk):
    cards = rooms.cards(2)
    rooms.unpack(rooms.brought(cards), cards)
    clerk.act(reverse("staff:cards-bulk", args=["hand-over"]), card=[card.pk for card in cards], looked="on", **SIGNED)
    here, gone = Booklet.objects.order_by("pk")
    url = reverse("staff:booklets-missing")
    assert url in text(clerk, reverse("staff:booklets")) and clerk.act(url, booklet=[]).status_code == 409
    asked = clerk.act(url, booklet=[gone.pk]).content.decode()
    assert "1 booklet is meant" in asked
    assert clerk.act(url, booklet=[gone.pk], reason="误登记").status_code == 200, "why is chosen by nobody but them"
    clerk.act(url, booklet=[gone.pk], reason="误登记", why_not="refused")
    case, approver = Trouble.objects.get(), Visitor(make_officer("approver", area=rooms.county))
    assert "The holder keeps it" in text(approver, reverse("staff:trouble", args=[case.pk]))
    approver.act(reverse("staff:trouble-confirm", args=[case.pk]))
    page = text(clerk, reverse("staff:booklet", args=[gone.pk]))
    assert "Did not come back" in page and "The holder keeps it" in page
    clerk.act(reverse("staff:pulping-new"), office=rooms.county.pk, counted=1, how="粉碎")
    assert Pulping.objects.get().quantity == 1 and Booklet.get(here.pk).state == "listed"
    assert clerk.act(reverse("staff:booklet-bring", args=[gone.pk])).status_code == 302
    assert Booklet.get(gone.pk).state == "held"
