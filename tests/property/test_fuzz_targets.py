"""What `make fuzz` does for minutes is done here for a moment: every seed, and what Hypothesis makes of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.__main__ import NAMED, seconds
from fuzz.targets import SEEDS, TARGETS


def test_the_four_named_parsers_get_ten_minutes_together_and_the_others_come_on_top():
    assert set(NAMED) <= TARGETS.keys() and all(seconds(name, 600) >= 150 for name in NAMED)
    assert sum(seconds(name, 600) for name in NAMED) >= 600
    assert sum(seconds(name, 600) for name in TARGETS) == 600 + 50 * (len(TARGETS) - len(NAMED))
    assert all(seconds(name, 1) >= 1 for name in TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_taken(name: str):
    for seed in SEEDS[name]:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_seed_with_a_piece_replaced_is_taken(name: str, data: st.DataObject):
    seed = data.draw(st.sampled_from(SEEDS[name]))
    place, cut = data.draw(st.integers(0, len(seed))), data.draw(st.integers(0, 40))
    TARGETS[name](seed[:place] + data.draw(st.binary(max_size=40)) + seed[place + cut :])
