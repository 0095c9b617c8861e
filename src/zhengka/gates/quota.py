"""How often somebody can be served too often while gates cannot talk (限额拆分), and how that is bounded. Pure.

No software prevents double use across two gates that are cut off from each other: only a counter in the chip, or a
right that is good at one gate alone, does. So a quota is split: each gate may give away a share of it without asking,
and all shares together are the quota. Which gates get the odd units differs from person to person, so that no gate is
always the empty one. Which gates there are, the signed bundle says (`formats.ring`); the gate app reckons the same in
JavaScript.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

UNBOUNDED: Final = -1
"""A rule without a quota: nothing can be used too often."""


def share(quota: int, gates: Sequence[int], gate: int, subject: bytes) -> int:
    """How many of a person's `quota` this gate may have given in the period, all told, to give one more while it is cut
    off; `gates`: all that serve the rule. None where it is not among them.

    Each has quota // n; the rest goes to those that come first by SHA-256(subject ‖ gate as 8 bytes).
    """
    everybody = sorted(set(gates), key=lambda one: _rank(subject, one))
    if gate not in everybody:
        return 0
    whole, rest = divmod(quota, len(everybody))
    return whole + (everybody.index(gate) < rest)


def split(quota: int, gates: Sequence[int], subject: bytes) -> dict[int, int]:
    """Gate → its share; together they are the quota."""
    return {gate: share(quota, gates, gate, subject) for gate in sorted(set(gates))}


def spread(quota: int, gates: int, cut_off: int) -> int:
    """The most that so many of the gates may give one person by their shares together, whichever they are."""
    whole, rest = divmod(quota, gates) if gates else (0, 0)
    return min(quota, cut_off * whole + min(cut_off, rest))


def too_many(quota: int, gates: int, cut_off: int) -> int:
    """The most that one person may be given beyond a quota in its period, if no more than `cut_off` of the gates that
    serve the rule could not talk at some time in it, and all of them knew the same gates.

    The others and the centre may give the whole quota, and the cut-off gates their shares besides. A gate that is alone
    knows all that was given.
    """
    return spread(quota, gates, cut_off) if gates > 1 else 0


class Bound(NamedTuple):
    """The most that can be used too often: `unsplit`, if every cut-off gate gave away the whole quota; `split`, with
    the shares; `vouchers`, of one voucher that is good at all of these gates.
    """

    unsplit: int
    split: int
    vouchers: int


def bound(quota: int, gates: int, cut_off: int | None = None) -> Bound:
    """The bound per person and period for a rule that `gates` serve, of which `cut_off` (all, if not told) cannot talk.

    Those that can talk are one party with the centre: they know of each other, and may give the whole quota. Unsplit,
    each cut-off gate gives it once more. Split, the cut-off gates give no more than their shares, and where nobody can
    talk the shares are the quota. A voucher may be used once at each party: all but one too often, all of them found.
    """
    apart = gates if cut_off is None else min(cut_off, gates)
    talking = apart < gates
    parties = apart + talking
    again = max(parties - 1, 0)
    if quota == UNBOUNDED:
        return Bound(0, 0, again)
    return Bound(again * quota, spread(quota, gates, apart) if talking else 0, again)


def overrun(quota: int, used: Mapping[int, Collection[bytes]]) -> int:
    """By how many uses a quota was exceeded, given the digests of the uses at each gate: what `queries.overruns` asks
    the database for all persons at once.
    """
    return max(0, len(frozenset[bytes]().union(*used.values())) - quota)


def _rank(subject: bytes, gate: int) -> bytes:
    return hashlib.sha256(subject + gate.to_bytes(8)).digest()
