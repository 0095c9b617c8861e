"""Among which gates a quota is split (限额拆分): the gates of an operator, where each stands and what it serves. Pure.

    {"format":1,"gates":[{"gate":430000000000007,"services":["entry"],"venue":"north"}, …]}

The file `ring.json` of the operator's bundle, in the one form that `rulebook.canonical` gives, gates in the order of
their numbers; no services: all of the venue. What it says is vouched for by the signed manifest. A gate that is cut off
reckons from it how much of a rule's quota it may give (`gates.quota.share`); one that is not in it may give none.
"""

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from zhengka.formats.rulebook import Rule, canonical

RING: Final = "ring.json"
"""The file of an operator's bundle."""
FORMAT: Final = 1


class BadRing(ValueError):
    """Bytes that `to_json` would not have written. `code`: `ring-format` for another format, `ring-form`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Member(NamedTuple):
    """One gate: its number, the venue at which it stands, the services that it gives (none: all of the venue)."""

    gate: int
    venue: str
    services: tuple[str, ...] = ()

    def serves(self, rule: Rule) -> bool:
        """Whether the rule may be used at this gate."""
        return (not rule.venues or self.venue in rule.venues) and (
            not self.services or rule.service in self.services)


def serving(ring: Iterable[Member], rule: Rule) -> list[int]:
    """The numbers of the gates among which the quota of this rule is split."""
    return [member.gate for member in ring if member.serves(rule)]


def to_json(ring: Iterable[Member]) -> bytes:
    """The one form of a ring."""
    told = [{"gate": one.gate, "venue": one.venue, "services": sorted(one.services)} for one in sorted(ring)]
    return canonical({"format": FORMAT, "gates": told})


def parse(data: bytes) -> list[Member]:
    """The ring that these bytes are. Raises `BadRing`."""
    try:
        content = json.loads(data)
        if content["format"] != FORMAT:
            raise BadRing("ring-format")
        ring = [_member(one) for one in content["gates"]]
    except BadRing:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadRing("ring-form") from None
    if to_json(ring) != data or len({one.gate for one in ring}) < len(ring):
        raise BadRing("ring-form")
    return ring


def _member(told: dict[str, Any]) -> Member:
    return Member(told["gate"], told["venue"], tuple(told["services"]))
