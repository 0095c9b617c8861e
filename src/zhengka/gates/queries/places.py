"""Operators and their rules, as the files of `data/places` have them."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from zhengka.areas import calendars
from zhengka.core.dated import read
from zhengka.core.errors import Refusal
from zhengka.gates import places
from zhengka.gates.places import Operator


def operators() -> dict[str, Operator]:
    """Every operator by code, in the order of the codes."""
    return _operators(Path(settings.DATA))


def operator(code: str) -> Operator:
    """The operator with this code; `Refusal("operator-unknown")`."""
    try:
        return operators()[code]
    except KeyError:
        raise Refusal("operator-unknown", operator=code) from None


@lru_cache(maxsize=4)
def _operators(data: Path) -> dict[str, Operator]:
    layers = calendars.load(data / "calendars")
    return places.load_all((read(path) for path in sorted((data / "places").glob("*.toml"))), layers)
