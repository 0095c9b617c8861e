"""What was decided for many cases is done by sets: `effects` for the kinds that come in bulk, by one statement a step.

A set is done whole or not at all, and refuses nobody by name: who would be refused alone is left out before, by
`ready`, and whatever else contradicts a set is found by the caller, who divides it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from zhengka.bulk.services import Asked
from zhengka.cards import queries as card_queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cards.rules import Policy, anniversary
from zhengka.cards.workflow import IN_PRODUCTION
from zhengka.cases.models import Case
from zhengka.cases.services.effects import SECOND, THIRD, found_anew
from zhengka.cases.services.moving import day, part
from zhengka.core.errors import Refusal
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate
from zhengka.registry.services import Content, Finding

KINDS: Final = frozenset({"exchange", "renewal", "damage", "loss"})
"""Kinds of case whose approvals are done by sets: a roll-out, an expiry, a fault of many cards bring them by the
thousand. In all others each case differs from the next, and they are done one by one.
"""

Term = tuple[date, date]


class Held(NamedTuple):
    """A case with the certificate that its holder has now, and what an assessment found that differs from it."""

    case: Case
    old: Certificate
    anew: Finding | None

    @property
    def way(self) -> str:
        """What becomes of the certificate: one of `WAYS`."""
        if self.case.kind_of_case == "loss":
            return "replace"
        if self.anew:
            return "regrade"
        if self.old.generation == SECOND:
            return "open"
        return "renew" if self.case.kind_of_case == "renewal" else "keep"


def ready(group: Sequence[Case], left: Callable[[int, str], None]) -> list[Held]:
    """The cases whose holders still have what their kind needs; the others are told to `left`, by id, with the reason
    for which each would be refused alone. Their certificates are locked (`registry.hold`).
    """
    holders = {case.holder_id for case in group if case.holder_id}
    certificates = registry.in_force(holders)
    on_the_way: dict[int, set[int]] = {}
    for holder, certificate in Card.objects.filter(holder_id__in=holders, state__in=IN_PRODUCTION).values_list(
            "holder_id", "certificate_id"):
        on_the_way.setdefault(holder, set()).add(certificate)
    lost = set(Card.objects.filter(holder_id__in=holders, state="suspended").values_list("holder_id", flat=True))
    found = []
    for case in group:
        mine = certificates.get(case.holder_id or 0, [])
        no = _fault(case, mine, lost)
        held = None if no else Held(case, mine[0], found_anew(case, mine[0]))
        if held is not None:
            no = _in_the_way(held, mine, on_the_way.get(case.holder_id or 0, set()))
        if no or held is None:
            left(case.pk, no)
        else:
            found.append(held)
    return found


def _fault(case: Case, mine: Sequence[Certificate], lost: set[int]) -> str:
    """The code of what is missing; empty where nothing is."""
    if not mine or mine[0].state != "valid":
        return "certificate-not-valid"
    if case.kind_of_case == "exchange" and mine[0].generation == THIRD:
        return "certificate-opened"
    if case.kind_of_case == "damage" and case.holder_id in lost:
        return "card-lost"
    return ""


def _in_the_way(held: Held, mine: Sequence[Certificate], on_the_way: set[int]) -> str:
    """The code of what keeps a new certificate or card from being made; empty where nothing does. A certificate that
    ends takes its unused cards with it, a loss every card.
    """
    if held.way in ("replace", "regrade") and any(one.state != "valid" for one in mine):
        return "step-not-open"
    if held.way != "replace" and on_the_way - ({held.old.pk} if held.way == "regrade" else set()):
        return "card-on-its-way"
    return ""


def by_card_policy(group: Sequence[Held], today: date) -> Iterator[tuple[Policy, list[Held]]]:
    """The cases of offices that make the same cards."""
    found: dict[Policy, list[Held]] = {}
    for held in group:
        found.setdefault(card_queries.policy(held.case.area_id, today), []).append(held)
    yield from found.items()


def conclude_many(group: Sequence[Held], policy: Policy, asked: Asked, *, orders: bool) -> None:
    """Do what was decided in cases of one kind, and order their cards where the procedure `orders` any.

    `Refusal("not-found")`, or an IntegrityError, where one of them contradicts what is kept.
    """
    today = day(asked.at)
    term, ways = (today, anniversary(today, policy.valid_years)), dict[str, list[Held]]()
    for held in group:
        ways.setdefault(held.way, []).append(held)
    opened = [pk for way, some in sorted(ways.items()) for pk in WAYS[way](some, term, asked)]
    if orders:
        opened = [*cards.order_many(opened, profile=policy.profile, reason=group[0].case.kind_of_case,
                                    **vars(part(asked, "card")))]
    if len(opened) != len(group):
        raise Refusal("not-found")


def _open(group: Sequence[Held], term: Term, asked: Asked) -> list[int]:
    """A card's certificate takes the place of a paper one with the same number."""
    return registry.open_certificates_many([held.old.pk for held in group], issued_on=term[0], valid_until=term[1],
                                           **vars(part(asked, "certificate")))


def _renew(group: Sequence[Held], term: Term, asked: Asked) -> list[int]:
    """Ten more years under the same number."""
    return registry.renew_many([held.old.pk for held in group], term, **vars(part(asked, "certificate")))


def _keep(group: Sequence[Held], _term: Term, _asked: Asked) -> list[int]:
    """The same data on new plastic."""
    return [held.old.pk for held in group]


def _replace(group: Sequence[Held], _term: Term, asked: Asked) -> list[int]:
    """The number gets the next suffix, and every card ends."""
    says = [Content(number.replaced(), (held.old.issued_on, held.old.valid_until), held.old.components)
            for held, number in zip(group, registry.numbers_of([held.old for held in group]), strict=True)]
    opened = _succeeded(group, says, asked)
    cards.cancel_many([held.old.holder_id for held in group], [], **vars(part(asked, "cards")))
    return opened


def _regrade(group: Sequence[Held], term: Term, asked: Asked) -> list[int]:
    """The certificate of what was found takes the place of the old one, whose unused card ends with it."""
    says = [Content(number.regraded(held.anew.category, held.anew.grade), term, held.anew.components)
            for held, number in zip(group, registry.numbers_of([held.old for held in group]), strict=True) if held.anew]
    opened = _succeeded(group, says, asked)
    cards.cancel_many([], [held.old.pk for held in group], **vars(part(asked, "withdrawn")))
    return opened


def _succeeded(group: Sequence[Held], says: Sequence[Content], asked: Asked) -> list[int]:
    return registry.succeed_many([(held.old, each) for held, each in zip(group, says, strict=True)],
                                 **vars(part(asked, "certificate")))


WAYS: Final[Mapping[str, Callable[[Sequence[Held], Term, Asked], list[int]]]] = {
    "open": _open, "renew": _renew, "keep": _keep, "replace": _replace, "regrade": _regrade}
"""What may become of the certificates of many cases → what does it; the ids of those that get a card."""
