"""What stories of batches have in common: an issuing unit, a card maker, and the folder of its own program."""

import pytest

import batches
import builders


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Where the card maker of this file keeps its keys and what it received; made when it is first asked for."""
    return tmp_path_factory.mktemp("maker") / "home"


@pytest.fixture
def area(db):
    """An issuing unit with its province and city."""
    return builders.make_area()


@pytest.fixture
def maker(area, home):
    """A card maker that trusts the unit's province, and is trusted by it."""
    return batches.make_maker(home, area)
