"""What a gate must know to read cards without the server (闸机离线读卡): layouts of cards, and which security modules
answer there, each for the versions of keys that still read. As JSON it goes by way of the gate's page; it holds no key.

    {"profiles": [profile, …], "modules": {number: {"suite": "SM", "reads": {"reader": [1], "internal": [1]}}}}

A profile is its own canonical spelling.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from zhengka.formats.chip.profile import Profile, ProfileBroken, load_whole
from zhengka.formats.chip.psam import MODULE_KEYS

MOST: Final = 100
"""Profiles, and a hundred times as many modules."""


class PlanBroken(ValueError):
    """What came is no plan."""


class GatePlan(NamedTuple):
    """`modules`: number → suite, and purpose and version of each key by which it may answer."""

    profiles: tuple[Profile, ...]
    modules: Mapping[str, tuple[str, frozenset[tuple[str, int]]]]

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"profiles": [json.loads(profile.canonical) for profile in self.profiles],
                "modules": {number: {"suite": suite, "reads": {
                    purpose: sorted(version for each, version in reads if each == purpose) for purpose in MODULE_KEYS}}
                    for number, (suite, reads) in self.modules.items()}}


def plan_of(data: Any) -> GatePlan:
    """A plan as `GatePlan.told` told it. PlanBroken."""
    try:
        profiles, modules = list(data["profiles"]), dict(data["modules"])
        if not 1 <= len(profiles) <= MOST or len(modules) > 100 * MOST:
            raise PlanBroken("too many")
        return GatePlan(tuple(map(load_whole, profiles)), {str(number): (str(each["suite"]), frozenset(
            (purpose, int(version)) for purpose in MODULE_KEYS for version in each["reads"].get(purpose, [])))
            for number, each in modules.items()})
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, ProfileBroken, RecursionError):
        raise PlanBroken("no plan") from None
