"""Many cases take one step together: those that were chosen, or all that wait for it in an officer's area.

What moves is what would move one by one; a test holds both ways side by side. Cases of one policy, kind and state move
by one statement; approvals of the exchange by four, for it is the one kind that comes by the hundred thousand.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from zhengka.areas import queries as areas
from zhengka.bulk import services as bulk
from zhengka.bulk.models import Act
from zhengka.bulk.services import Asked, Clock, Group
from zhengka.cards import queries as card_queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cards.rules import Policy, anniversary
from zhengka.cards.workflow import IN_PRODUCTION
from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.cases.services import steps
from zhengka.cases.services.moving import day, due, part
from zhengka.cases.services.telling import tell_many
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, perform_many
from zhengka.core.workflow import Step, Workflow
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate

CHUNK = 2000
"""Cases that move in one transaction when many are moved."""
ITS_CARD = "(SELECT k.id FROM cards_card k WHERE k.holder_id = t.holder_id AND k.state = 'ordered')"

ACTIONS = ("confirm", "review", "approve")
"""Steps that many cases may take together."""


@dataclass(frozen=True)
class Done:
    """What a bulk act did: how many cases moved, and how many were left alone, by the code of the reason."""

    moved: int = 0
    left: Mapping[str, int] = field(default_factory=dict)


class Like(NamedTuple):
    """What cases have in common that move by one statement."""

    policy: str
    kind: str
    minor: bool
    state: str
    due_on: date | None


def confirm_many(chosen: Sequence[int] | None, *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Confirm the chosen cases, or (`None`) all that wait for it in the actor's area, as `take` does."""
    return _many("confirm", chosen, Asked(by, request_id, at))


def review_many(chosen: Sequence[int] | None, *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Review the chosen cases, or (`None`) all that wait for it in the actor's area, as `take` does."""
    return _many("review", chosen, Asked(by, request_id, at))


def approve_many(chosen: Sequence[int] | None, *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Approve the chosen cases, or (`None`) all that wait for it in the actor's area, as `take` does.

    Each chunk is a transaction of its own; cases that `take` would refuse are left alone and counted by reason.
    """
    return _many("approve", chosen, Asked(by, request_id, at))


def ask_all(action: str, *, by: Actor, request_id: UUID, at: datetime) -> Act:
    """Ask for an act (`confirm`, `review`, `approve`) on all cases that wait for it in the officer's area.

    `Refusal("not-permitted")`; raises `Replayed` for a repeat.
    """
    act = Act(area=areas.area(by.lo, actor=by), task=f"cases.{action}_all", total=waiting(action, by).count())
    return bulk.ask(act, f"case.{action}", by=by, request_id=request_id, at=at)


def carry_out_all(act_id: int, action: str, *, clock: Clock) -> Act:
    """What the worker does for `ask_all`: chunk by chunk, by office and id, as `confirm_many` and the others do."""
    def chunk(act: Act, asked: Asked) -> Group:
        places = _places(action, asked.by, act.place or (asked.by.lo, 0))
        done = _chunk(action, [pk for _, pk in places], asked)
        return Group(done.moved, done.left, places[-1] if len(places) == CHUNK else None)
    return bulk.carry_out(act_id, chunk, clock=clock)


def waiting(action: str, by: Actor) -> "QuerySet[Case]":
    """The open cases of an actor's area in a state from which some policy lets this step be taken."""
    return Case.objects.filter(state__in=book.sources(action, by.lo, by.hi), ended_at__isnull=True,
                               area__code__gte=by.lo, area__code__lte=by.hi)


def _many(action: str, chosen: Sequence[int] | None, asked: Asked) -> Done:
    """Do an act chunk by chunk, each in a transaction, and add up what it did."""
    if not asked.by.may(f"case.{action}"):
        raise Refusal("not-permitted", permission=f"case.{action}")
    moved, left = 0, Counter[str]()
    for ids in _all_waiting(action, asked.by) if chosen is None else _slices(sorted(set(chosen))):
        with transaction.atomic():
            done = _chunk(action, ids, asked)
        moved += done.moved
        left.update(done.left)
    return Done(moved, dict(left))


def _chunk(action: str, ids: Sequence[int], asked: Asked) -> Done:
    """Do an act for some cases, in the caller's transaction: each of them moved, or is in `left` by its reason."""
    left: Counter[str] = Counter()
    groups: dict[Like, list[Case]] = {}
    for case, step in _open_to(action, ids, asked, left):
        like = Like(case.policy, case.kind_of_case, case.minor, case.state, due(case, step.target, asked.at))
        groups.setdefault(like, []).append(case)
    moved = sum(_move_group(action, like, group, asked, left) for like, group in groups.items())
    if elsewhere := len(ids) - moved - left.total():
        left["step-not-open"] += elsewhere
    return Done(moved, left)


def _open_to(action: str, ids: Sequence[int], asked: Asked, left: Counter[str]) -> Iterator[tuple[Case, Step]]:
    """The cases of which this actor may take the step, locked; the others are counted in `left` by reason."""
    rows = Case.objects.filter(pk__in=ids, ended_at__isnull=True, area__code__gte=asked.by.lo,
                               area__code__lte=asked.by.hi)
    for case in rows.order_by("pk").select_for_update(of=("self",)):
        try:
            step = case.table.step(case.state, action)
            for guard in step.guards:
                guard(case, {"by": asked.by})
        except Refusal as no:
            left[no.code] += 1
        else:
            yield case, step


def _move_group(action: str, like: Like, group: list[Case], asked: Asked, left: Counter[str]) -> int:
    table = book.table(like.policy, like.kind, minor=like.minor)
    last = action == "approve" and book.concludes(like.policy, like.kind, minor=like.minor)
    if last and (like.kind != "exchange" or "assess" in table.actions):  # what a doctor found is looked at one by one
        return sum(_one(case, asked, left) for case in group)
    good = list(_exchangeable(group, left)) if last else group
    if last and good:
        _approve(like, good, table, asked)
    elif good:
        _step(action, like, good, table, asked)
    tell_many([case.pk for case in good], action, asked)
    return len(good)


def _one(case: Case, asked: Asked, left: Counter[str]) -> int:
    """Approve one case of a kind that is not made by sets; 1, or 0 with the reason counted."""
    try:
        with transaction.atomic():
            steps.take(case, "approve", **vars(part(asked, case.pk)))
    except Refusal as no:
        left[no.code] += 1
        return 0
    return 1


def _step(action: str, like: Like, group: Sequence[Case], table: Workflow, asked: Asked, also: str = "") -> None:
    target = table.step(like.state, action).target
    person = {"review": ", reviewer_person = %(person)s", "approve": ", approver_person = %(person)s"}.get(action, "")
    ended = ", ended_at = %(at)s" if target in table.final else ""
    perform_many(Many(Case, [case.pk for case in group], like.state, table=table, values={"due_on": like.due_on},
                      also=f", moved_at = %(at)s, due_on = %(due_on)s{person}{ended}{also}"), action, **vars(asked))


def _exchangeable(group: Sequence[Case], left: Counter[str]) -> Iterator[Case]:
    """The cases whose holders still have what an exchange needs; the others are counted in `left` by reason."""
    holders = [row.holder_id for row in group if row.holder_id]
    valid = set(Certificate.objects.filter(holder_id__in=holders, generation=2, state="valid").values_list(
        "pk", flat=True))
    opened = set(Certificate.objects.filter(holder_id__in=holders, generation=3, state__in=(
        "valid", "frozen")).values_list("holder_id", flat=True))
    on_their_way = set(Card.objects.filter(holder_id__in=holders, state__in=IN_PRODUCTION).values_list(
        "holder_id", flat=True))
    for row in group:
        if row.certificate_id not in valid:
            left["certificate-not-valid"] += 1
        elif row.holder_id in opened:
            left["certificate-opened"] += 1
        elif row.holder_id in on_their_way:
            left["card-on-its-way"] += 1
        else:
            yield row


def _approve(like: Like, group: Sequence[Case], table: Workflow, asked: Asked) -> None:
    """Approve exchanges: the same four events for each as one by one, by four statements for each card policy."""
    today = day(asked.at)
    for policy, cases in _by_card_policy(group, today):
        _step("approve", like, cases, table, asked)
        opened = registry.open_certificates_many(
            [case.certificate_id for case in cases if case.certificate_id], issued_on=today,
            valid_until=anniversary(today, policy.valid_years), **vars(part(asked, "certificate")))
        cards.order_many(opened, profile=policy.profile, reason="exchange", **vars(part(asked, "card")))
        decided = like._replace(state=table.step(like.state, "approve").target, due_on=None)
        _step("order", decided, cases, table, part(asked, "order"), f", card_id = {ITS_CARD}")


def _by_card_policy(group: Sequence[Case], today: date) -> Iterator[tuple[Policy, list[Case]]]:
    found: dict[Policy, list[Case]] = {}
    for case in group:
        found.setdefault(card_queries.policy(case.area_id, today), []).append(case)
    yield from found.items()


def _slices(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield list(ids[start:start + CHUNK])


def _all_waiting(action: str, by: Actor) -> Iterator[list[int]]:
    """The ids of all cases that wait for an act in the actor's area, by office, a chunk at a time."""
    place: Sequence[int] = (by.lo, 0)
    while places := _places(action, by, place):
        yield [pk for _, pk in places]
        place = places[-1]


def _places(action: str, by: Actor, after: Sequence[int]) -> list[tuple[int, int]]:
    """Office and id of the next cases that wait for an act in the actor's area, from behind the place `after`."""
    area, last = after
    found = waiting(action, by).filter(Q(area__code__gt=area) | Q(area__code=area, pk__gt=last))
    return list(found.order_by("area", "pk").values_list("area", "pk")[:CHUNK])
