"""Cases (办理): opened for a whole unit, moved one by one or many at once, and ended by two persons' decision."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from zhengka.areas import queries as areas
from zhengka.areas.models import Area
from zhengka.bulk import services as bulk
from zhengka.bulk.models import Act
from zhengka.bulk.services import Asked, Clock, Group
from zhengka.cards import queries as card_queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cards.rules import Policy, anniversary
from zhengka.cards.workflow import IN_PRODUCTION
from zhengka.cases import queries
from zhengka.cases.models import Case
from zhengka.cases.workflow import EXCHANGE
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, perform, perform_many, sub
from zhengka.formats.verdict import CHINA
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate

CHUNK = 2000
"""Cases that move in one transaction when many are moved."""

OPEN_EXCHANGE = """
WITH wanted AS MATERIALIZED (
    SELECT h.id, h.province, h.area, c.id AS certificate
    FROM registry_holder h JOIN registry_certificate c ON c.holder_id = h.id AND c.generation = 2 AND c.state = 'valid'
    WHERE h.area BETWEEN %(lo)s AND %(hi)s AND h.state = 'registered' AND h.id > %(after)s
      AND NOT EXISTS (SELECT FROM cases_case o WHERE o.holder_id = h.id AND o.kind_of_case = 'exchange'
                                                 AND o.state <> 'closed')
      AND NOT EXISTS (SELECT FROM registry_certificate n WHERE n.holder_id = h.id AND n.generation = 3
                                                           AND n.state = 'valid')
    ORDER BY h.id LIMIT %(most)s
), made AS (
    INSERT INTO cases_case (id, province, area, state, version, kind_of_case, holder_id, certificate_id, phase,
                            reviewer_person, approver_person, opened_at, moved_at)
    SELECT province * 10000000000000 + nextval('cases_case_ids'), province, area, 'notified', 1, 'exchange',
           id, certificate, %(phase)s, '', '', %(at)s, %(at)s FROM wanted
    ON CONFLICT DO NOTHING
    RETURNING id, province, area
), told AS (
    INSERT INTO core_event (province, area, subject, subject_id, version, action, source, target,
                            actor_id, actor_name, person, request_id, at, facts)
    SELECT province, area, 'case', id, 1, 'open', '', 'notified', %(actor)s, %(actor_name)s, %(person)s,
           md5(%(request_id)s || ':' || id)::uuid, %(at)s, jsonb_build_object('phase', %(phase)s::int) FROM made
)
SELECT (SELECT count(*) FROM made), max(id) FROM wanted
"""
ITS_CARD = "(SELECT k.id FROM cards_card k WHERE k.holder_id = t.holder_id AND k.state = 'ordered')"


@dataclass(frozen=True)
class Done:
    """What a bulk act did: how many cases moved, and how many were left alone, by the code of the reason."""

    moved: int = 0
    left: Mapping[str, int] = field(default_factory=dict)


@transaction.atomic
def open_exchange(area: Area, phase: int, *, by: Actor, request_id: UUID, at: datetime) -> int:
    """Open the exchange (换发) for every holder of an area: a case each, with its first event; how many were opened.

    A holder is meant who has a valid second-generation certificate, none of the third, and no open exchange; so asking
    again opens cases only for those who came since. `Refusal`: `not-permitted`, `not-found`.
    """
    if not by.may("case.open"):
        raise Refusal("not-permitted", permission="case.open")
    if not (by.sees(area.code) and by.sees(area.last)):
        raise Refusal("not-found")
    return _open(area, phase, Asked(by, request_id, at))[0]


@transaction.atomic
def confirm(case: Case, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Photo and data were shown to the holder and are right (信息采集)."""
    return perform(case, "confirm", {"moved_at": at}, by=by, request_id=request_id, at=at)


@transaction.atomic
def close(case: Case, *, reason: str, by: Actor, request_id: UUID, at: datetime) -> Case:
    """End a case that goes no further (终止): the holder declines, has died, or moved away."""
    return perform(case, "close", {"moved_at": at}, by=by, request_id=request_id, at=at, reason=reason)


@transaction.atomic
def review(case: Case, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """The first officer's decision (审核); the second must be another person."""
    return perform(case, "review", {"moved_at": at, "reviewer_person": by.person}, by=by, request_id=request_id, at=at)


@transaction.atomic
def send_back(case: Case, *, reason: str, by: Actor, request_id: UUID, at: datetime) -> Case:
    """Back by one step with a reason (退回): the reviewer to the clerk, the approver to the reviewer."""
    action = "send_back_to_review" if case.state == "reviewed" else "send_back"
    return perform(case, action, {"moved_at": at, "reviewer_person": ""}, by=by, request_id=request_id, at=at,
                   reason=reason)


@transaction.atomic
def approve(case: Case, *, by: Actor, request_id: UUID, at: datetime) -> Case:
    """The second officer's decision (批准), which opens the new certificate and orders its card (证卡同办).

    `Refusal`: `same-person` for the reviewer, `certificate-not-valid` where the second-generation certificate ended
    meanwhile, `certificate-opened`, `card-on-its-way`, and those of every step.
    """
    case = perform(case, "approve", {"moved_at": at, "approver_person": by.person}, by=by, request_id=request_id, at=at)
    if case.certificate.state != "valid":
        raise Refusal("certificate-not-valid", state=case.certificate.state)
    if Certificate.objects.filter(holder_id=case.holder_id, generation=3).exists():
        raise Refusal("certificate-opened")
    today = _day(at)
    policy = card_queries.policy(case.area_id, today)
    certificate = registry.open_certificate(
        case.certificate, issued_on=today, valid_until=anniversary(today, policy.valid_years), by=by,
        request_id=sub(request_id, "certificate"), at=at)
    card = cards.order(certificate, profile=policy.profile, reason="exchange", by=by,
                       request_id=sub(request_id, "card"), at=at)
    return perform(case, "order", {"moved_at": at, "card": card}, by=by, request_id=sub(request_id, "order"), at=at)


def confirm_many(chosen: Sequence[int] | None, *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Confirm the chosen cases, or (`None`) all that wait for it in the actor's area, as `confirm` does."""
    return _many("confirm", chosen, Asked(by, request_id, at))


def review_many(chosen: Sequence[int] | None, *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Review the chosen cases, or (`None`) all that wait for it in the actor's area, as `review` does."""
    return _many("review", chosen, Asked(by, request_id, at))


def approve_many(chosen: Sequence[int] | None, *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Approve the chosen cases, or (`None`) all that wait for it in the actor's area, as `approve` does.

    Each chunk is a transaction of its own; cases that `approve` would refuse are left alone and counted by reason.
    """
    return _many("approve", chosen, Asked(by, request_id, at))


def ask_all(action: str, *, by: Actor, request_id: UUID, at: datetime) -> Act:
    """Ask for an act (`confirm`, `review`, `approve`) on all cases that wait for it in the officer's area.

    `Refusal("not-permitted")`; raises `Replayed` for a repeat.
    """
    step = EXCHANGE.step(SOURCES[action], action)
    waiting = Case.objects.filter(state=step.source, area__code__range=(by.lo, by.hi)).count()
    act = Act(area=areas.area(by.lo, actor=by), task=f"cases.{action}_all", total=waiting)
    return bulk.ask(act, step.permission, by=by, request_id=request_id, at=at)


def carry_out_all(act_id: int, action: str, *, clock: Clock) -> Act:
    """What the worker does for `ask_all`: chunk by chunk, by office and id, as `confirm_many` and the others do."""
    def chunk(act: Act, asked: Asked) -> Group:
        places = _waiting(SOURCES[action], asked.by, act.place or (asked.by.lo, 0))
        done = _chunk(action, [pk for _, pk in places], asked)
        return Group(done.moved, done.left, places[-1] if len(places) == CHUNK else None)
    return bulk.carry_out(act_id, chunk, clock=clock)


def ask_exchange(units: Sequence[tuple[Area, int]], *, by: Actor, request_id: UUID, at: datetime) -> Act:
    """Ask for the opening of the exchange in several units, each in its phase, as `open_exchange` does it.

    `Refusal`: `not-permitted`, `not-found`; raises `Replayed` for a repeat.
    """
    if not units or not all(by.sees(unit.code) and by.sees(unit.last) for unit, _ in units):
        raise Refusal("not-found")
    area = units[0][0] if len(units) == 1 else areas.area(by.lo, actor=by)
    act = Act(area=area, task="cases.open_exchange", asked={"units": [(unit.code, phase) for unit, phase in units]},
              total=queries.candidates([unit for unit, _ in units], actor=by))
    return bulk.ask(act, "case.open", by=by, request_id=request_id, at=at)


def carry_out_exchange(act_id: int, *, clock: Clock) -> Act:
    """What the worker does for `ask_exchange`: unit by unit, so many holders at a time."""
    def chunk(act: Act, asked: Asked) -> Group:
        number, after = act.place or (0, 0)
        units = act.asked["units"]
        unit, phase = units[number]
        opened, last = _open(Area.objects.get(code=unit), phase, asked, after=after, most=CHUNK)
        if last is not None:
            return Group(opened, onward=(number, last))
        return Group(opened, onward=(number + 1, 0) if number + 1 < len(units) else None)
    return bulk.carry_out(act_id, chunk, clock=clock)


SOURCES = {"confirm": "notified", "review": "confirmed", "approve": "reviewed"}
"""The state from which each bulk act takes its cases."""


def _open(area: Area, phase: int, asked: Asked, *, after: int = 0, most: int | None = None) -> tuple[int, int | None]:
    """Open cases for an area's holders behind the id `after`, at most so many: how many were opened, and the last
    holder that was looked at (None: none was left).
    """
    with connection.cursor() as cursor:
        cursor.execute(OPEN_EXCHANGE, {
            "lo": area.code, "hi": area.last, "phase": phase, "at": asked.at, "request_id": str(asked.request_id),
            "actor": asked.by.id, "actor_name": asked.by.name, "person": asked.by.person, "after": after, "most": most})
        opened, last = cursor.fetchone()
        return opened, last


def _many(action: str, chosen: Sequence[int] | None, asked: Asked) -> Done:
    """Do an act chunk by chunk, each in a transaction, and add up what it did."""
    permission = EXCHANGE.step(SOURCES[action], action).permission
    if not asked.by.may(permission):
        raise Refusal("not-permitted", permission=permission)
    moved, left = 0, Counter[str]()
    for ids in _all_waiting(SOURCES[action], asked.by) if chosen is None else _slices(sorted(set(chosen))):
        with transaction.atomic():
            done = _chunk(action, ids, asked)
        moved += done.moved
        left.update(done.left)
    return Done(moved, dict(left))


def _chunk(action: str, ids: Sequence[int], asked: Asked) -> Done:
    """Do an act for some cases, in the caller's transaction: each of them moved, or is in `left` by its reason."""
    left: Counter[str] = Counter()
    if action == "approve":
        moved = _approve_chunk(ids, asked, left)
    else:
        also = ", moved_at = %(at)s" + (", reviewer_person = %(person)s" if action == "review" else "")
        moved = len(perform_many(Many(Case, ids, SOURCES[action], also=also), action, **vars(asked)))
    if elsewhere := len(ids) - moved - left.total():
        left["step-not-open"] += elsewhere
    return Done(moved, left)


def _approve_chunk(ids: Sequence[int], asked: Asked, left: Counter[str]) -> int:
    groups: dict[Policy, list[Case]] = {}
    for case in _decidable(ids, asked.by, left):
        groups.setdefault(card_queries.policy(case.area_id, _day(asked.at)), []).append(case)
    for policy, group in groups.items():
        _approve_group(group, policy, asked)
    return sum(map(len, groups.values()))


def _slices(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield list(ids[start:start + CHUNK])


def _all_waiting(state: str, by: Actor) -> Iterator[list[int]]:
    """The ids of all cases of one state in the actor's area, by office, a chunk at a time."""
    place = (by.lo, 0)
    while places := _waiting(state, by, place):
        yield [pk for _, pk in places]
        place = places[-1]


def _waiting(state: str, by: Actor, after: Sequence[int]) -> list[tuple[int, int]]:
    """Office and id of the next cases of one state in the actor's area, from behind the place `after`."""
    area, last = after
    found = Case.objects.filter(state=state, area__code__lte=by.hi).filter(
        Q(area__code__gt=area) | Q(area__code=area, pk__gt=last))
    return list(found.order_by("area", "pk").values_list("area", "pk")[:CHUNK])


def _decidable(ids: Sequence[int], by: Actor, left: Counter[str]) -> list[Case]:
    """The reviewed cases that this actor may approve, locked; the others are counted in `left` by reason."""
    rows = list(Case.objects.filter(pk__in=ids, state="reviewed", area__code__range=(by.lo, by.hi)).order_by(
        "pk").select_for_update(of=("self",)))
    holders = [row.holder_id for row in rows]
    valid = set(Certificate.objects.filter(holder_id__in=holders, generation=2, state="valid").values_list(
        "pk", flat=True))
    opened = set(Certificate.objects.filter(holder_id__in=holders, generation=3).values_list("holder_id", flat=True))
    waiting = set(Card.objects.filter(holder_id__in=holders, state__in=IN_PRODUCTION).values_list(
        "holder_id", flat=True))
    good = []
    for row in rows:
        if row.reviewer_person == by.person:
            left["same-person"] += 1
        elif row.certificate_id not in valid:
            left["certificate-not-valid"] += 1
        elif row.holder_id in opened:
            left["certificate-opened"] += 1
        elif row.holder_id in waiting:
            left["card-on-its-way"] += 1
        else:
            good.append(row)
    return good


def _approve_group(group: Sequence[Case], policy: Policy, asked: Asked) -> None:
    """Approve cases under one policy: the same four events for each as `approve` writes, by four statements."""
    ids, today = [case.pk for case in group], _day(asked.at)
    told = vars(asked)
    perform_many(Many(Case, ids, "reviewed", also=", moved_at = %(at)s, approver_person = %(person)s"), "approve",
                 **told)
    opened = registry.open_certificates_many(
        [case.certificate_id for case in group], issued_on=today, valid_until=anniversary(today, policy.valid_years),
        **told | {"request_id": sub(asked.request_id, "certificate")})
    cards.order_many(opened, profile=policy.profile, reason="exchange",
                     **told | {"request_id": sub(asked.request_id, "card")})
    perform_many(Many(Case, ids, "approved", also=f", moved_at = %(at)s, card_id = {ITS_CARD}"), "order",
                 **told | {"request_id": sub(asked.request_id, "order")})


def _day(at: datetime) -> date:
    return at.astimezone(CHINA).date()
