"""Gates that are cut off, wrong, copied, lost: whatever the dice bring, vouchers count once and lists hold (I11–I13).

`make soak` runs ten thousand seeds (`GATE_SEEDS`), `make test` two hundred. One alone: `GATE_FIRST=4711 GATE_SEEDS=1`.
"""

import os

import pytest

from gate_simulation import Broken, City
from zhengka.gates import clocks, folding, quota

SEEDS, FIRST = int(os.environ.get("GATE_SEEDS", "200")), int(os.environ.get("GATE_FIRST", "0"))
GROUPS = 10


@pytest.mark.parametrize("group", range(GROUPS))
def test_in_every_city_a_voucher_counts_once_and_a_block_is_known_in_time(group):
    for seed in range(FIRST + group, FIRST + SEEDS, GROUPS):
        City(seed).run()


def any_is_red(seeds=60):
    for seed in range(seeds):
        try:
            City(seed).run()
        except Broken as found:
            return str(found)
    return ""


def test_the_simulation_sees_when_both_of_a_double_use_are_counted(monkeypatch):
    right = folding.merge

    def both(known, fresh, settled=()):
        out = right(known, fresh, settled)
        return out._replace(counts=frozenset(fact.digest for fact in fresh if fact.kind in folding.PAID),
                            gone=frozenset())

    monkeypatch.setattr(folding, "merge", both)
    assert any_is_red().startswith("I11: ")


def test_the_simulation_sees_when_the_first_that_came_counts(monkeypatch):
    right = folding.merge

    def first(known, fresh, settled=()):
        return right(known, fresh, [fact.digest for fact in known if fact.kind == "redeem"][:1])

    monkeypatch.setattr(folding, "merge", first)
    assert any_is_red().startswith("I11: what counts depends on the order")


def test_the_simulation_sees_when_wrong_clocks_are_not_looked_for(monkeypatch):
    monkeypatch.setattr(clocks, "judge", lambda _ticks, _issued: [])
    assert "a wrong clock was not found" in any_is_red()


def test_the_simulation_sees_when_each_gate_that_is_cut_off_gives_the_whole_quota(monkeypatch):
    monkeypatch.setattr(quota, "share", lambda limit, _gates, _gate, _subject: limit)
    assert "a quota was exceeded beyond its bound" in any_is_red(400)


def test_the_simulation_sees_when_nothing_is_held_back(monkeypatch):
    from zhengka.cards import holding

    monkeypatch.setattr(holding, "held_back", lambda _newly, _spent, _most: set())
    assert any_is_red().startswith("I13: ")
