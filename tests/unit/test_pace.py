"""How often one visitor may ask."""

import pytest

from zhengka.core import pace
from zhengka.core.errors import Refusal
from zhengka.core.pace import Pace, visitor


def test_a_burst_is_let_through_and_the_next_one_is_told_how_long_to_wait():
    limit = Pace(burst=3, rate=0.5)
    for _ in range(3):
        limit.take("198.51.100.7", now=100.0)
    with pytest.raises(Refusal) as no:
        limit.take("198.51.100.7", now=100.0)
    assert (no.value.code, no.value.facts) == ("too-many-requests", {"seconds": 2})
    limit.take("198.51.100.7", now=102.0)


def test_a_refused_request_costs_nothing_so_waiting_helps():
    limit = Pace(burst=1, rate=1)
    limit.take("a", now=0.0)
    for _ in range(50):
        with pytest.raises(Refusal):
            limit.take("a", now=0.5)
    limit.take("a", now=1.0)


def test_one_visitor_does_not_use_up_another_s_share():
    limit = Pace(burst=1, rate=1)
    limit.take("a", now=0.0)
    limit.take("b", now=0.0)


def test_the_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(pace, "MOST_ADDRESSES", 100)
    limit = Pace(burst=1, rate=1)
    for number in range(1000):
        limit.take(str(number), now=0.0)
    assert len(limit._buckets) == 100


@pytest.mark.parametrize("address, forwarded, behind_front, who", [
    ("198.51.100.7", "", False, "198.51.100.7"),
    ("198.51.100.7", "203.0.113.9", False, "198.51.100.7"),
    ("127.0.0.1", "203.0.113.9", True, "203.0.113.9"),
    ("127.0.0.1", "1.2.3.4, 203.0.113.9", True, "203.0.113.9"),
    ("2001:db8:1:2:3:4:5:6", "", False, "2001:db8:1:2::"),
    ("", "", False, "unknown"),
    ("127.0.0.1", "<script>", True, "unknown"),
])
def test_the_visitor_is_the_connection_or_what_the_front_put_down_last(address, forwarded, behind_front, who):
    assert visitor(address, forwarded, behind_front=behind_front) == who
