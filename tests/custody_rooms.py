"""Finished cards at the plant, the offices of their way, and parcels of them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from builders import NOON, make_actor, make_area, make_card, make_certificate, make_holder, request_id, with_numbers
from zhengka.areas.models import Area
from zhengka.areas.services import add_street
from zhengka.cards.models import Card
from zhengka.core.actors import Actor
from zhengka.custody import services
from zhengka.custody.models import Parcel
from zhengka.custody.services import Label, Opened, Proof, SignedList
from zhengka.keys import services as keys

_numbers = count(1)
SIGNED = {"sure": "1", "way": "home", "number": "QL-7", "day": "2020-06-01"}
"""What a page is told of the list that the holders of a round signed by hand."""
ON_A_LIST = Proof("home", listed=SignedList("QL-7", dt.date(2020, 6, 1)))


@dataclass
class Rooms:
    """A county with its city, one of its streets, and a clerk at each; another county of another city."""

    county: Area = field(default_factory=make_area)
    at: dt.datetime = NOON

    def __post_init__(self) -> None:
        self.city = self.county.parent
        self.street = add_street(self.county, 1, "麓街")
        self.elsewhere = make_area(430702, name="武陵区")
        self.by: dict[int, Actor] = {area.pk: make_actor(role, area=area) for area, role in (
            (self.city, "clerk"), (self.county, "clerk"), (self.street, "clerk"), (self.elsewhere, "clerk"))}
        self.producer, self.approver = (make_actor(role, area=self.county) for role in ("producer", "approver"))

    def told(self, area: Area | None = None, by: Actor | None = None) -> dict[str, Any]:
        """Who asks (an officer of the office, else the producer), an id, and the next minute."""
        self.at += dt.timedelta(minutes=1)
        return {"by": by or (self.by[area.pk] if area else self.producer), "request_id": request_id(), "at": self.at}

    def cards(self, many: int, area: Area | None = None) -> list[Card]:
        """Finished cards of the county, numbered, at the plant."""
        keys.ensure((area or self.county).code, "SM", at=NOON)
        made = []
        for _ in range(many):
            holder = make_holder(area=area or self.county)
            make_certificate(holder)
            made.append(make_card(holder))
        return with_numbers(*made)

    def pack(self, cards: Sequence[Card], target: Area | None = None, origin: Area | None = None) -> Parcel:
        """The cards in a sealed parcel to the county, or where else it goes."""
        number = next(_numbers)
        return services.pack([card.pk for card in cards], Label(f"P{number}", f"S{number}", target or self.county),
                             origin=origin, **self.told(origin))

    def arrive(self, parcel: Parcel, office: Area, seal: str | None = None) -> Parcel:
        """An office scans it in; its seal is whole."""
        return services.arrive(parcel, office, parcel.seal if seal is None else seal, **self.told(office))

    def brought(self, cards: Sequence[Card]) -> Parcel:
        """A parcel that has come to the county by way of the city."""
        parcel = self.pack(cards)
        for office in (self.city, self.county):
            parcel = self.arrive(parcel, office)
        return parcel

    def unpack(self, parcel: Parcel, cards: Sequence[Card | str], seal: str | None = None) -> Opened:
        """It is opened where it went, and holds these."""
        return services.unpack(parcel, parcel.seal if seal is None else seal,
                               [card if isinstance(card, str) else card.serial or "" for card in cards],
                               **self.told(parcel.target))
