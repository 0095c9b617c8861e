"""Who acts: an officer with permissions in an area, or the platform itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

WHOLE_NATION = (0, 999_999_999_999)
NOWHERE = (1, 0)


class Lent(NamedTuple):
    """A right that was lent (委托): the delegation's row id, and the name of the officer whose right it is."""

    delegation: int
    holder: str


@dataclass(frozen=True)
class Actor:
    """The one who acts: row id, the *person* behind the account (I6: two persons, not two accounts),
    permissions, and the range of 12-digit area codes [lo, hi] within which they hold. `lent`: those of the permissions
    that are not of the actor's own role.
    """

    id: int | None
    name: str
    person: str
    permissions: frozenset[str] = field(repr=False)
    lo: int = 0
    hi: int = 0
    lent: Mapping[str, Lent] = field(default_factory=dict, repr=False, hash=False)

    def may(self, permission: str) -> bool:
        """True where the role, or one that was lent, includes `permission`."""
        return permission in self.permissions

    def on_behalf(self, permission: str) -> dict[str, Any]:
        """What the event of an act by this permission says beside who acted: whose right it was, where it was lent."""
        lent = self.lent.get(permission)
        return {"delegation": lent.delegation, "lent_by": lent.holder} if lent else {}

    def sees(self, *areas: int | None) -> bool:
        """True where one of the 12-digit area codes lies in the actor's subtree."""
        return any(area is not None and self.lo <= area <= self.hi for area in areas)


class _Everything(frozenset[str]):
    """The permissions of the platform itself: a task continues what an officer was allowed to begin."""

    def __contains__(self, permission: object) -> bool:
        return True


SYSTEM = Actor(None, "zhengka", "system", _Everything(), *WHOLE_NATION)
