"""Many cases take one step together: those that were chosen, or all that wait for it in an officer's area.

What moves is what would move one by one; a test holds both ways side by side. Cases of one policy, kind and state move
by one statement, and the last decision of the kinds that come in bulk (`together.KINDS`) by one for each of its steps.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from zhengka.areas import queries as areas
from zhengka.bulk import services as bulk
from zhengka.bulk.models import Act
from zhengka.bulk.services import Asked, Clock, Group
from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.cases.queries import LINE_OF
from zhengka.cases.services import steps, together
from zhengka.cases.services.contacts import keep_contacts
from zhengka.cases.services.deciding import check_decision, known
from zhengka.cases.services.eligible import as_heard
from zhengka.cases.services.moving import day, due, part, spans_begun
from zhengka.cases.services.telling import tell_many
from zhengka.cases.services.together import Held
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Done, Many, perform_many, sub
from zhengka.core.models import Event
from zhengka.core.workflow import Step, Workflow
from zhengka.letters import queries as letters
from zhengka.registry import services as registry

CHUNK = 2000
"""Cases that move in one transaction when many are moved."""
ALONE = 100
"""Of the cases that are approved one by one (`together.KINDS` are not) at most so many: their rows are locked until the
last of them is done.
"""
ITS_CARD = "(SELECT k.id FROM cards_card k WHERE k.holder_id = t.holder_id AND k.state = 'ordered')"

ACTIONS = ("confirm", "review", "approve")
"""Steps that many cases may take together."""
DECIDE = ("review", "approve")
"""Those of them that decide."""


NAMED = 50
"""Of the cases that were left alone at most so many are named."""


class Left(Counter[str]):
    """How many cases were left alone, by the reason; `who`: the first of them, by their ids."""

    def __init__(self) -> None:
        """Nobody yet."""
        super().__init__()
        self.who: dict[int, str] = {}

    def note(self, pk: int, code: str) -> None:
        """One more."""
        self[code] += 1
        if len(self.who) < NAMED:
            self.who[pk] = code


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


def foresee(action: str, chosen: Sequence[int], *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """What such an act on a few chosen cases would do now: it is done and taken back, so it says what the act itself
    would say, and nothing of it is kept.
    """
    with transaction.atomic():
        done = _chunk(action, sorted(set(chosen))[:NAMED], Asked(by, request_id, at))
        transaction.set_rollback(True)
    return done


def ask_all(action: str, *, by: Actor, request_id: UUID, at: datetime) -> Act:
    """Ask for an act (`confirm`, `review`, `approve`) on all cases that wait for it in the officer's area.

    `Refusal("not-permitted")`; raises `Replayed` for a repeat.
    """
    act = Act(area=areas.area(by.lo, actor=by), task=f"cases.{action}_all", total=waiting(action, by).count())
    return bulk.ask(act, f"case.{action}", by=by, request_id=request_id, at=at)


def carry_out_all(act_id: int, action: str, *, clock: Clock) -> Act:
    """What the worker does for `ask_all`: chunk by chunk, by office and id, as `confirm_many` and the others do."""
    def chunk(act: Act, asked: Asked) -> Group:
        places, more = _places(action, asked.by, act.place or (asked.by.lo, 0))
        done = _chunk(action, [pk for _, pk in places], asked)
        return Group(done.moved, done.left, places[-1] if more else None, unwritten=done.unwritten, who=done.who)
    return bulk.carry_out(act_id, chunk, clock=clock)


def waiting(action: str, by: Actor) -> "QuerySet[Case]":
    """The open cases of an actor's area that wait for this step, and of which the actor's office takes it."""
    lines = book.waiting(action, by.lo, by.hi).own
    on_line = RawSQL(f"({LINE_OF.replace('c.', 'cases_case.')} = ANY(%s))", [sorted(map(str, lines))],  # noqa: S611 - no text of others
                     output_field=BooleanField())
    return Case.objects.filter(on_line, state__in={line.state for line in lines}, ended_at__isnull=True,
                               area__code__gte=by.lo, area__code__lte=by.hi)


def _many(action: str, chosen: Sequence[int] | None, asked: Asked) -> Done:
    """Do an act chunk by chunk, each in a transaction, and add up what it did."""
    if not asked.by.may(f"case.{action}"):
        raise Refusal("not-permitted", permission=f"case.{action}")
    moved, left, unwritten = 0, Counter[str](), Counter[str]()
    who: dict[int, str] = {}
    for ids in _all_waiting(action, asked.by) if chosen is None else _slices(action, sorted(set(chosen))):
        with transaction.atomic():
            done = _chunk(action, ids, asked)
        moved += done.moved
        left.update(done.left)
        unwritten.update(done.unwritten)
        who |= done.who
    return Done(moved, dict(left), unwritten=dict(unwritten), who=dict(list(who.items())[:NAMED]))


def _chunk(action: str, ids: Sequence[int], asked: Asked) -> Done:
    """Do an act for some cases, in the caller's transaction: each of them moved, or is in `left` by its reason."""
    left = Left()
    groups: dict[Like, list[Case]] = {}
    going = list(_open_to(action, ids, asked, left))
    begun = spans_begun((case, step.target) for case, step in going)
    for case, step in going:
        like = Like(case.policy, case.kind_of_case, case.minor, case.state, due(case, step.target, asked.at, begun))
        groups.setdefault(like, []).append(case)
    if action == "approve":
        registry.hold_with_records(case.holder_id for group in groups.values() for case in group if case.holder_id)
    moved = sum(_move_group(action, like, group, asked, left) for like, group in groups.items())
    if elsewhere := len(ids) - moved - left.total():
        left["step-not-open"] += elsewhere
    return Done(moved, left, unwritten=letters.left_of("case", ids, asked.at), who=left.who)


def _open_to(action: str, ids: Sequence[int], asked: Asked, left: Left) -> Iterator[tuple[Case, Step]]:
    """The cases of which this actor may take the step, locked; the others are counted in `left` by reason."""
    rows = Case.objects.filter(pk__in=ids, ended_at__isnull=True, area__code__gte=asked.by.lo,
                               area__code__lte=asked.by.hi)
    before = set(Event.objects.filter(request_id__in=[sub(asked.request_id, pk) for pk in ids]).values_list(
        "subject_id", flat=True))  # a case that was sent back since is not taken on again by a repeat
    cases = list(rows.exclude(pk__in=before).order_by("pk").select_for_update(of=("self",)))
    about = known([case for case in cases if case.found], action, asked) if action in DECIDE else None
    for case in cases:
        try:
            step = case.table.step(case.state, action)
            for guard in step.guards:
                guard(case, {"by": asked.by})
            if about:
                check_decision(case, action, asked, about)
        except Refusal as no:
            left.note(case.pk, as_heard(case, no, asked).code)
        else:
            yield case, step


def _move_group(action: str, like: Like, group: list[Case], asked: Asked, left: Left) -> int:
    table = book.table(like.policy, like.kind, minor=like.minor)
    if action == "approve" and book.concludes(like.policy, like.kind, minor=like.minor):
        if like.kind not in together.KINDS:
            return sum(_one(case, asked, left) for case in group)
        return _conclude(like, together.ready(group, left.note), table, asked, left)
    _step(action, like, group, table, asked)
    tell_many([case.pk for case in group], action, asked)
    return len(group)


def _conclude(like: Like, group: Sequence[Held], table: Workflow, asked: Asked, left: Left) -> int:
    """Approve cases and do what was decided. Where one of them contradicts what is kept, the set is halved until that
    one stands alone and says what is wrong with it; the others move by sets all the same.
    """
    if not group:
        return 0
    try:
        with transaction.atomic():
            _approve(like, group, table, asked)
    except (IntegrityError, Refusal) as broken:
        if getattr(broken, "code", "") == "not-permitted":
            raise
        if len(group) == 1:
            return _one(group[0].case, asked, left)
        half = len(group) // 2
        return sum(_conclude(like, some, table, asked, left) for some in (group[:half], group[half:]))
    tell_many([held.case.pk for held in group], "approve", asked)
    return len(group)


def _one(case: Case, asked: Asked, left: Left) -> int:
    """Approve one case of a kind that is not made by sets; 1, or 0 with the reason counted: `row-contradicts` where the
    database itself would not keep it.
    """
    try:
        steps.take(case, "approve", **vars(part(asked, case.pk)))
    except Refusal as no:
        left.note(case.pk, no.code)
        return 0
    except IntegrityError:
        left.note(case.pk, "row-contradicts")
        return 0
    return 1


def _step(action: str, like: Like, group: Sequence[Case], table: Workflow, asked: Asked, also: str = "") -> None:
    target = table.step(like.state, action).target
    person = {"review": ", reviewer_person = %(person)s", "approve": ", approver_person = %(person)s"}.get(action, "")
    ended = ", ended_at = %(at)s" if target in table.final else ""
    perform_many(Many(Case, [case.pk for case in group], like.state, table=table, values={"due_on": like.due_on},
                      also=f", moved_at = %(at)s, due_on = %(due_on)s{person}{ended}{also}"), action, **vars(asked))


def _approve(like: Like, group: Sequence[Held], table: Workflow, asked: Asked) -> None:
    """Approve cases of one kind: the same events for each as one by one, by one statement for each step."""
    decided = like._replace(state=table.step(like.state, "approve").target, due_on=None)
    orders = any(step.source == decided.state and step.action == "order" for step in table.steps)
    for policy, some in together.by_card_policy(group, day(asked.at)):
        cases = [held.case for held in some]
        _step("approve", like, cases, table, asked)
        together.conclude_many(some, policy, asked, orders=orders)
        keep_contacts(cases, asked)
        if orders:
            _step("order", decided, cases, table, part(asked, "order"), f", card_id = {ITS_CARD}")


def _first(action: str, kinds: Sequence[str]) -> int:
    """Of cases of these kinds how many move in one transaction, from the first on: `CHUNK`, and `ALONE` of those that
    are approved one by one.
    """
    alone = [place for place, kind in enumerate(kinds[:CHUNK]) if action == "approve" and kind not in together.KINDS]
    return alone[ALONE] if len(alone) > ALONE else min(len(kinds), CHUNK)


def _slices(action: str, ids: Sequence[int]) -> Iterator[list[int]]:
    kinds = dict(Case.objects.filter(pk__in=ids).values_list("pk", "kind_of_case")) if action == "approve" else {}
    while ids:
        number = _first(action, [kinds.get(pk, "") for pk in ids[:CHUNK]])
        yield list(ids[:number])
        ids = ids[number:]


def _all_waiting(action: str, by: Actor) -> Iterator[list[int]]:
    """The ids of all cases that wait for an act in the actor's area, by office, a chunk at a time."""
    place, more = (by.lo, 0), True
    while more:
        places, more = _places(action, by, place)
        yield [pk for _, pk in places]
        place = places[-1] if more else place


def _places(action: str, by: Actor, after: Sequence[int]) -> tuple[list[tuple[int, int]], bool]:
    """Office and id of the next cases that wait for an act in the actor's area, from behind the place `after`, as many
    as move in one transaction; and whether others wait behind them.
    """
    area, last = after
    found = list(waiting(action, by).filter(Q(area__code__gt=area) | Q(area__code=area, pk__gt=last)).order_by(
        "area", "pk").values_list("area", "pk", "kind_of_case")[:CHUNK + 1])
    number = _first(action, [kind for _, _, kind in found])
    return [(code, pk) for code, pk, _ in found[:number]], number < len(found)
