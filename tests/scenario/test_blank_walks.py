"""Random walks of blank cards through stores, machines and hands: the ledger says what a plain dictionary says (I3)."""

import datetime as dt
from collections import Counter

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from builders import NOON, make_actor, make_area, request_id
from zhengka.core.errors import Refusal
from zhengka.formats import serials
from zhengka.stock import queries, services
from zhengka.stock.services import Delivered, Use

pytestmark = pytest.mark.django_db
MOST = 40
RUN = st.tuples(st.integers(1, MOST), st.integers(0, 12)).map(lambda pair: (pair[0], min(MOST, sum(pair))))
VERBS = ("receive", "load", "unload", "issue", "spoil", "destroy", "lose", "find", "ship", "arrive", "count")
GOES = {"receive": ("outside", "stock"), "load": ("stock", "machine"), "unload": ("machine", "stock"),
        "issue": ("machine", "issued"), "spoil": ("machine", "spoiled"), "destroy": ("spoiled", "destroyed"),
        "lose": ("stock", "lost"), "find": ("lost", "stock"), "ship": ("stock", "moving"),
        "arrive": ("moving", "there")}


class World:
    """Two offices, and beside them a dictionary: serial → where it is."""

    def __init__(self) -> None:
        self.one, self.other = make_area(430104), make_area(430102)
        self.by = [make_actor("producer", area=area) for area in (self.one, self.one, self.other)]
        self.at, self.moving = NOON, {}
        self.store, self.machine, self.there = (
            services.open_store(area, services.About(sort, sort, "王"), **self.told(by)) for area, sort, by in (
                (self.one, "store", 0), (self.one, "machine", 0), (self.other, "store", 2)))
        self.places = dict.fromkeys(range(1, MOST + 1), "outside")

    def told(self, by: int = 0) -> dict:
        self.at += dt.timedelta(minutes=1)
        return {"by": self.by[by], "request_id": request_id(), "at": self.at}

    def does(self, verb: str, run: tuple[int, int]) -> None:
        runs, two = [run], {"load": (self.store, self.machine), "unload": (self.machine, self.store)}
        if verb == "receive":
            services.receive(self.store, [Delivered("厂", str(self.at), *run)], **self.told())
        elif verb in two:
            services.shift(*two[verb], runs, **self.told())
        elif verb in ("issue", "spoil"):
            services.use(self.machine, Use(runs, {}) if verb == "issue" else Use([], {"花": runs}), **self.told())
        elif verb in ("destroy", "lose"):
            place = self.machine if verb == "destroy" else self.store
            slip = getattr(services, verb)(place, runs, "因", **self.told())
            services.confirm(slip, **self.told(1))
        elif verb == "find":
            services.find(self.store, runs, "因", **self.told())
        elif verb == "ship":
            slip = services.ship(self.store, self.there, runs, **self.told())
            self.moving |= dict.fromkeys(range(run[0], run[1] + 1), slip)
        elif verb == "arrive":
            services.arrive(self.moving[run[0]], runs, **self.told(2))

    def count(self, run: tuple[int, int]) -> None:
        """What lies there by the dictionary agrees; what was typed does where it is the same."""
        true = serials.joined([(one, one) for one, where in self.places.items() if where == "stock"])
        assert services.count(self.store, true, **self.told()).state == "agrees"
        assert (services.count(self.store, [run], **self.told()).state == "agrees") == (true == [run])

    def holds(self) -> None:
        balance, many = queries.balance(0, 10**12, self.at), Counter(self.places.values())
        assert balance.closes and not queries.unbalanced()
        assert balance.accounts["stock"] == many["stock"] + many["there"]
        for account in ("moving", "machine", "issued", "spoiled", "destroyed", "lost"):
            assert balance.accounts[account] == many[account], account
        for serial, where in self.places.items():
            if where != "outside":
                actor = self.by[2] if where == "there" else self.by[0]
                stay = queries.where(serial, self.at, actor=actor)
                assert stay.account == {"there": "stock"}.get(where, where)


@settings(max_examples=25, deadline=None, phases=(Phase.reuse, Phase.generate),
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walk=st.lists(st.tuples(st.sampled_from(VERBS), RUN), min_size=10, max_size=30))
def test_the_ledger_says_where_every_piece_is_whatever_is_asked_in_whatever_order(walk):
    with transaction.atomic():
        world = World()
        world.does("receive", (1, 25))
        world.places |= dict.fromkeys(range(1, 26), "stock")
        past: list[tuple[dt.datetime, dict[str, int]]] = []
        for verb, run in walk:
            if verb == "count":
                world.count(run)
                continue
            source, target = GOES[verb]
            pieces = range(run[0], run[1] + 1)
            may = all(world.places[one] == source for one in pieces)
            if verb == "arrive":
                may = may and len({world.moving[one].pk for one in pieces}) == 1 and (
                    world.moving[run[0]].state in ("moving", "short"))
                if run[0] not in world.moving:
                    continue
            try:
                with transaction.atomic():
                    world.does(verb, run)
                done = True
            except Refusal:
                done = False
            assert done == may, (verb, run)
            if done:
                world.places |= dict.fromkeys(pieces, target)
                if verb == "arrive":
                    world.moving[run[0]].refresh_from_db()
            world.holds()
            past.append((world.at, queries.balance(0, 10**12, world.at).accounts))
        for at, accounts in past:
            assert queries.balance(0, 10**12, at).accounts == accounts, "the past stays as it was"
        transaction.set_rollback(True)
