"""Whatever is done with parcels in whatever order, every card is in exactly one place, the one of a dictionary."""

import hypothesis.strategies as st
import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings

from custody_rooms import Rooms
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.custody import queries, services
from zhengka.custody.models import Keeping, Parcel, Stay, Trouble

pytestmark = pytest.mark.django_db
CARDS = 6
VERBS = ("pack", "again", "arrive", "arrive", "astray", "dispatch", "open", "open", "hand", "find", "back")
PICK = st.tuples(st.integers(0, CARDS - 1), st.integers(0, CARDS - 1), st.integers(0, 7))


class Walk:
    """The rooms, and beside them where each card is and who has each parcel, by hand."""

    def __init__(self) -> None:
        self.rooms = Rooms()
        self.cards = self.rooms.cards(CARDS)
        self.places: dict[int, object] = {card.pk: "plant" for card in self.cards}
        self.parcels: dict[int, set[int]] = {}
        self.named: set[tuple[str, str]] = set()

    def does(self, verb: str, first: int, last: int, pick: int) -> None:
        chosen = self.cards[min(first, last):max(first, last) + 1]
        open_ = sorted(pk for pk in self.parcels if Parcel.get(pk).state not in ("unpacked", "lost"))
        parcel = Parcel.get(open_[pick % len(open_)]) if open_ else None
        if verb == "pack":
            self.pack(chosen, None, self.rooms.street if pick % 2 else self.rooms.county)
        elif verb == "again":
            self.pack(chosen, self.rooms.county, self.rooms.street if pick % 2 else self.rooms.city)
        elif verb == "hand":
            self.hand(chosen[0])
        elif verb == "find":
            self.find(chosen[0])
        elif verb == "back" and self.places[chosen[0].pk] == self.rooms.county.code:
            Keeping.objects.filter(card=chosen[0], state="waiting").update(waits_since=self.rooms.at.replace(year=2026,
                                                                                                      month=1))
            services.send_back_many([chosen[0].pk], **self.rooms.told(self.rooms.county))
        elif parcel is not None:
            self.carry(verb, parcel, chosen, pick)

    def pack(self, cards: list[Card], origin: object, target: object) -> None:
        where = origin.code if origin else "plant"
        may = all(self.places[card.pk] == where for card in cards)
        try:
            with transaction.atomic():
                parcel = self.rooms.pack(cards, target, origin=origin)
        except Refusal:
            assert not may
            return
        assert may
        self.parcels[parcel.pk] = {card.pk for card in cards}
        self.places |= dict.fromkeys(self.parcels[parcel.pk], parcel.pk)

    def carry(self, verb: str, parcel: Parcel, cards: list[Card], pick: int) -> None:
        stay = queries.has([parcel])[parcel.pk]
        office = {1: self.rooms.city, 2: self.rooms.county, 3: self.rooms.street}.get(pick % 4, self.rooms.elsewhere)
        if verb == "arrive" and parcel.passed < len(parcel.stops):
            office = next(area for area in (self.rooms.city, self.rooms.county, self.rooms.street)
                          if area.code == parcel.stops[parcel.passed])
        if verb in ("arrive", "astray"):
            there = (stay.place, stay.office) == ("office", office.code)
            try:
                with transaction.atomic():
                    self.rooms.arrive(parcel, office)
                assert not there
            except Refusal:
                assert there
        elif verb == "dispatch":
            by = self.rooms.by.get(stay.office or self.rooms.county.code)
            try:
                with transaction.atomic():
                    services.dispatch(parcel, **self.rooms.told(by=by))
                assert stay.place != "moving" and parcel.passed < len(parcel.stops)
            except Refusal:
                assert stay.place == "moving" or parcel.passed == len(parcel.stops)
        elif verb == "open":
            self.open(parcel, stay, cards)

    def open(self, parcel: Parcel, stay: Stay, extra: list[Card]) -> None:
        """What lies in it by the dictionary but for the first of the chosen, and the last of them beside it."""
        free = [card for card in self.cards if self.places[card.pk] != "hand"]
        inside = self.parcels[parcel.pk] - {extra[0].pk} | {extra[-1].pk for card in free if card == extra[-1]}
        named = {pk for pk, place in self.places.items() if place == parcel.pk}
        try:
            with transaction.atomic():
                opened = self.rooms.unpack(parcel, [card for card in self.cards if card.pk in inside])
        except Refusal:
            assert stay.place != "office" or stay.office != parcel.target_id
            return
        serial = {card.pk: card.serial for card in self.cards}
        assert opened.missing == sorted(serial[pk] for pk in named - inside)
        assert sorted(opened.strange + opened.swapped) == sorted(serial[pk] for pk in inside - named)
        self.places |= dict.fromkeys(inside, parcel.target_id) | dict.fromkeys(named - inside, "missing")
        self.named |= {("card-missing", serial[pk]) for pk in named - inside}
        self.parcels[parcel.pk] = set()
        for kept in self.parcels.values():
            kept.difference_update(inside)

    def hand(self, card: Card) -> None:
        proof = services.Proof(typed="田野", why="hand", confirmed=True)
        may = self.places[card.pk] not in (*self.parcels, "missing", "hand")
        try:
            with transaction.atomic():
                services.hand_over(Card.get(card.pk), proof, **self.rooms.told(self.rooms.county))
        except Refusal:
            assert not may
            return
        assert may
        self.places[card.pk] = "hand"

    def find(self, card: Card) -> None:
        case = Trouble.objects.filter(card=card, sort="card-missing", state="open").first()
        if case is None:
            return
        services.settle(case, "找到", found=self.rooms.county, **self.rooms.told(self.rooms.county))
        if self.places[card.pk] == "missing":
            self.places[card.pk] = self.rooms.county.code

    def holds(self) -> None:
        for card in self.cards:
            place, told = queries.place_of(Card.get(card.pk)), self.places[card.pk]
            found = {"parcel": place.parcel.pk if place.parcel else None, "office": place.office}.get(
                place.where, place.where)
            assert found == told, (card.serial, place, told)
        for parcel in Parcel.objects.all():
            ended = parcel.state in ("unpacked", "lost")
            assert Stay.objects.filter(parcel=parcel, until=None).count() == (0 if ended else 1)
        assert self.named <= set(Trouble.objects.values_list("sort", "serial"))


@settings(max_examples=20, deadline=None, phases=(Phase.reuse, Phase.generate),
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walk=st.lists(st.tuples(st.sampled_from(VERBS), PICK), min_size=12, max_size=30))
def test_every_card_is_in_exactly_one_place_whatever_is_done_in_whatever_order(walk):
    with transaction.atomic():
        rooms = Walk()
        rooms.does("pack", 0, 3, 0)
        for verb, pick in walk:
            rooms.does(verb, *pick)
            rooms.holds()
        transaction.set_rollback(True)
