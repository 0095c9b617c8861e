"""Cases (办理): opened for a whole unit, moved one by one or many at once, and ended by two persons' decision."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from zhengka.areas.models import Area
from zhengka.cards import queries as card_queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cards.rules import Policy, anniversary
from zhengka.cards.workflow import IN_PRODUCTION
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
WITH made AS (
    INSERT INTO cases_case (id, province, area, state, version, kind_of_case, holder_id, certificate_id, phase,
                            reviewer_person, approver_person, opened_at, moved_at)
    SELECT h.province * 10000000000000 + nextval('cases_case_ids'), h.province, h.area, 'notified', 1, 'exchange',
           h.id, c.id, %(phase)s, '', '', %(at)s, %(at)s
    FROM registry_holder h JOIN registry_certificate c ON c.holder_id = h.id AND c.generation = 2 AND c.state = 'valid'
    WHERE h.area BETWEEN %(lo)s AND %(hi)s AND h.state = 'registered'
      AND NOT EXISTS (SELECT FROM cases_case o WHERE o.holder_id = h.id AND o.kind_of_case = 'exchange'
                                                 AND o.state <> 'closed')
      AND NOT EXISTS (SELECT FROM registry_certificate n WHERE n.holder_id = h.id AND n.generation = 3
                                                           AND n.state = 'valid')
    ON CONFLICT DO NOTHING
    RETURNING id, province, area
), told AS (
    INSERT INTO core_event (province, area, subject, subject_id, version, action, source, target,
                            actor_id, actor_name, person, request_id, at, facts)
    SELECT province, area, 'case', id, 1, 'open', '', 'notified', %(actor)s, %(actor_name)s, %(person)s,
           md5(%(request_id)s || ':' || id)::uuid, %(at)s, jsonb_build_object('phase', %(phase)s::int) FROM made
)
SELECT count(*) FROM made
"""
ITS_CARD = "(SELECT k.id FROM cards_card k WHERE k.holder_id = t.holder_id AND k.state = 'ordered')"


@dataclass(frozen=True)
class Done:
    """What a bulk act did: how many cases moved, and how many were left alone, by the code of the reason."""

    moved: int = 0
    left: dict[str, int] = field(default_factory=dict)


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
    with connection.cursor() as cursor:
        cursor.execute(OPEN_EXCHANGE, {
            "lo": area.code, "hi": area.last, "phase": phase, "at": at, "request_id": str(request_id),
            "actor": by.id, "actor_name": by.name, "person": by.person})
        return int(cursor.fetchone()[0])


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
    def work(ids: list[int]) -> Done:
        return Done(len(perform_many(Many(Case, ids, "notified", also=", moved_at = %(at)s"), "confirm", by=by,
                                     request_id=request_id, at=at)))
    return _in_chunks(chosen, "confirm", by, work)


def review_many(chosen: Sequence[int] | None, *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Review the chosen cases, or (`None`) all that wait for it in the actor's area, as `review` does."""
    def work(ids: list[int]) -> Done:
        rows = Many(Case, ids, "confirmed", also=", moved_at = %(at)s, reviewer_person = %(person)s")
        return Done(len(perform_many(rows, "review", by=by, request_id=request_id, at=at)))
    return _in_chunks(chosen, "review", by, work)


def approve_many(chosen: Sequence[int] | None, *, by: Actor, request_id: UUID, at: datetime) -> Done:
    """Approve the chosen cases, or (`None`) all that wait for it in the actor's area, as `approve` does.

    Each chunk is a transaction of its own; cases that `approve` would refuse are left alone and counted by reason.
    """
    def work(ids: list[int]) -> Done:
        left: Counter[str] = Counter()
        groups: dict[Policy, list[Case]] = {}
        for case in _decidable(ids, by, left):
            groups.setdefault(card_queries.policy(case.area_id, _day(at)), []).append(case)
        for policy, group in groups.items():
            _approve_group(group, policy, by, request_id, at)
        return Done(sum(map(len, groups.values())), left)
    return _in_chunks(chosen, "approve", by, work)


SOURCES = {"confirm": "notified", "review": "confirmed", "approve": "reviewed"}
"""The state from which each bulk act takes its cases."""


def _in_chunks(chosen: Sequence[int] | None, action: str, by: Actor, work: Callable[[list[int]], Done]) -> Done:
    """Do the work chunk by chunk, each in a transaction, and add up what it did."""
    step = EXCHANGE.step(SOURCES[action], action)
    if not by.may(step.permission):
        raise Refusal("not-permitted", permission=step.permission)
    moved, asked, left = 0, 0, Counter[str]()
    for ids in _waiting(step.source, by) if chosen is None else _slices(sorted(set(chosen))):
        with transaction.atomic():
            done = work(ids)
        moved, asked = moved + done.moved, asked + len(ids)
        left.update(done.left)
    elsewhere = asked - moved - left.total()
    return Done(moved, dict(left) | ({"step-not-open": elsewhere} if elsewhere else {}))


def _slices(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield list(ids[start:start + CHUNK])


def _waiting(state: str, by: Actor) -> Iterator[list[int]]:
    """The ids of all cases of one state in the actor's area, by office, a chunk at a time."""
    area, last = by.lo, 0
    while True:
        found = list(Case.objects.filter(state=state, area__code__lte=by.hi).filter(
            Q(area__code__gt=area) | Q(area__code=area, pk__gt=last)).order_by("area", "pk").values_list(
                "area", "pk")[:CHUNK])
        if not found:
            return
        yield [pk for _, pk in found]
        area, last = found[-1]


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


def _approve_group(group: Sequence[Case], policy: Policy, by: Actor, request_id: UUID, at: datetime) -> None:
    """Approve cases under one policy: the same four events for each as `approve` writes, by four statements."""
    ids, today = [case.pk for case in group], _day(at)
    perform_many(Many(Case, ids, "reviewed", also=", moved_at = %(at)s, approver_person = %(person)s"), "approve",
                 by=by, request_id=request_id, at=at)
    opened = registry.open_certificates_many(
        [case.certificate_id for case in group], issued_on=today, valid_until=anniversary(today, policy.valid_years),
        by=by, request_id=sub(request_id, "certificate"), at=at)
    cards.order_many(opened, profile=policy.profile, reason="exchange", by=by,
                     request_id=sub(request_id, "card"), at=at)
    perform_many(Many(Case, ids, "approved", also=f", moved_at = %(at)s, card_id = {ITS_CARD}"), "order", by=by,
                 request_id=sub(request_id, "order"), at=at)


def _day(at: datetime) -> date:
    return at.astimezone(CHINA).date()
