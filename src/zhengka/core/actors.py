"""Who acts: an officer with permissions in an area, or the platform itself."""

from dataclasses import dataclass, field

WHOLE_NATION = (0, 999_999_999_999)
NOWHERE = (1, 0)


@dataclass(frozen=True)
class Actor:
    """The one who acts: row id, the *person* behind the account (I6: two persons, not two accounts),
    permissions, and the range of 12-digit area codes [lo, hi] within which they hold.
    """

    id: int | None
    name: str
    person: str
    permissions: frozenset[str] = field(repr=False)
    lo: int = 0
    hi: int = 0

    def may(self, permission: str) -> bool:
        """True where the role includes `permission`."""
        return permission in self.permissions

    def sees(self, area: int) -> bool:
        """True where the 12-digit area code lies in the actor's subtree."""
        return self.lo <= area <= self.hi


class _Everything(frozenset[str]):
    """The permissions of the platform itself: a task continues what an officer was allowed to begin."""

    def __contains__(self, permission: object) -> bool:
        return True


SYSTEM = Actor(None, "zhengka", "system", _Everything(), *WHOLE_NATION)
