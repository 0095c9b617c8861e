"""Blank cards for a card maker: a store, a machine that is loaded, and the maker tied to it."""

import datetime as dt

from builders import NOON, make_actor, request_id
from zhengka.areas.models import Area
from zhengka.production import services as production
from zhengka.production.models import Maker
from zhengka.stock import services
from zhengka.stock.models import Store
from zhengka.stock.services import About, Delivered

BEFORE = NOON - dt.timedelta(days=1)


def told(area: Area, at: dt.datetime = BEFORE) -> dict:
    """Who, with a request of their own, a day before noon or at another moment."""
    return {"by": make_actor("producer", area=area), "request_id": request_id(), "at": at}


def open_store(area: Area, sort: str = "store", name: str = "") -> Store:
    """A cupboard or a machine of an office."""
    return services.open_store(area, About(sort, name or f"{sort} {request_id()}", "王保管"), **told(area))


def receive(store: Store, first: int, last: int) -> None:
    """One box of a supplier."""
    services.receive(store, [Delivered("金卡", f"箱{first}", first, last)], **told(store.area))


def loaded(area: Area, first: int, last: int) -> Store:
    """A machine in which these blanks lie, and a cupboard from which they came."""
    store, machine = open_store(area), open_store(area, "machine")
    receive(store, first, last)
    services.shift(store, machine, [(first, last)], **told(area))
    return machine


def feed(maker: Maker, machine: Store) -> Maker:
    """The maker's blanks come out of the machine."""
    production.feed(maker, machine, **told(machine.area))
    maker.refresh_from_db()
    return maker
