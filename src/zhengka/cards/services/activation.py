"""The next term of many cards at once, by any channel (年度激活), and who is to be told that one ends or lapsed."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from zhengka.bulk.services import Asked
from zhengka.cards import activation, queries
from zhengka.cards.activation import CHANNELS, FIXED_MONTHS, IN_PERSON, LAPSED, STAGES, Activation
from zhengka.cards.models import Card
from zhengka.cards.services.status import ask_for
from zhengka.cards.workflow import PROVED
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Many, perform_many, sub
from zhengka.formats import idnumber
from zhengka.formats.verdict import CHINA

LATE: Final = 3
"""So many days of missed runs are made good by the next run of the reminders."""

MONTHS: Final = {
    "issue": "extract(month FROM coalesce(t.issued_on, %(today)s::date))::int",
    "birth": "(SELECT extract(month FROM h.birth_date)::int FROM registry_holder h WHERE h.id = t.holder_id)"}
"""The twin of `activation.month_of` for months that differ from card to card."""

RUNNING: Final = """SELECT max(o.active_until) FROM cards_card o JOIN registry_certificate c ON c.id = o.certificate_id
WHERE o.holder_id = t.holder_id AND o.id <> t.id AND c.state = ANY(%(proved)s)"""
"""The twin of `queries.running`."""

CLAIM: Final = """
WITH due AS (
    SELECT * FROM (
        SELECT id, area, active_until,
               (SELECT min(s) FROM unnest(%(stages)s::int[]) s WHERE s >= active_until - %(day)s::date) AS stage
        FROM cards_card WHERE state = 'active' AND active_until = ANY(%(ends)s::date[])
    ) c
    WHERE (SELECT r.id FROM cards_reminder r
           WHERE r.card_id = c.id AND r.ends = c.active_until AND r.stage = c.stage) IS NULL
    ORDER BY active_until, area, id LIMIT %(most)s
)
INSERT INTO cards_reminder (card_id, area, ends, stage, day)
SELECT id, area, active_until, stage, %(day)s FROM due ORDER BY id
ON CONFLICT DO NOTHING RETURNING id
"""
"""One scan of the index over ends, in its order, and for each card one look into the unique index of reminders: as a
NOT EXISTS, the planner might read all reminders of all years. Written in one order by everybody: of two runs at once
the second waits for the first, and never each for the other."""

CLAIM_LAPSED: Final = """
WITH due AS (
    SELECT id, area, active_until FROM cards_card c
    WHERE state = 'active' AND active_until BETWEEN %(first)s AND %(last)s AND area BETWEEN %(lo)s AND %(hi)s
      AND (SELECT r.id FROM cards_reminder r
           WHERE r.card_id = c.id AND r.ends = c.active_until AND r.stage = %(stage)s) IS NULL
    ORDER BY active_until, area, id LIMIT %(most)s
)
INSERT INTO cards_reminder (card_id, area, ends, stage, day)
SELECT id, area, active_until, %(stage)s, %(day)s FROM due ORDER BY id
ON CONFLICT DO NOTHING RETURNING id
"""

_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{0,39}")


@dataclass(frozen=True)
class Renewed:
    """What became of many cards: the ids of those with a new term, and how many were left alone by reason."""

    moved: list[int] = field(default_factory=list)
    left: Mapping[str, int] = field(default_factory=dict)


def facts_of(channel: str, evidence: str) -> dict[str, str]:
    """What an activation's event tells of how the holder was seen: the channel and the number of a record.

    `Refusal`: `channel-not-allowed` for an unknown one, `evidence-wrong` for what is no such number.
    """
    if channel not in CHANNELS:
        raise Refusal("channel-not-allowed", channel=channel)
    if not evidence:
        return {"channel": channel}
    if not _REFERENCE.fullmatch(evidence) or _is_id_number(evidence):
        raise Refusal("evidence-wrong")
    return {"channel": channel, "evidence": evidence}


def allow(rule: Activation, channel: str, *, first: bool) -> None:
    """Refuse a channel: `channel-not-allowed` by the region's policy, `activation-in-person` for the `first` time."""
    if channel not in rule.channels:
        raise Refusal("channel-not-allowed", channel=channel)
    if first and channel not in IN_PERSON:
        raise Refusal("activation-in-person", channel=channel)


@transaction.atomic
def renew_many(card_ids: Sequence[int], *, channel: str, evidence: str = "", by: Actor, request_id: UUID,
               at: datetime) -> Renewed:
    """Give active cards their next term, as `activate` does: one statement for each policy, one event for each card.

    Cards that `activate` would refuse are left alone by its codes. `Refusal`: `not-permitted`, `evidence-wrong`.
    """
    return _renew(card_ids, facts_of(channel, evidence), at.astimezone(CHINA).date(), Asked(by, request_id, at))


@transaction.atomic
def activate_by_use(uses: Mapping[int, date], *, by: Actor, request_id: UUID, at: datetime) -> Renewed:
    """Give the next term to cards that were used (正常使用): card id → the day of its use.

    The window must have been open on that day, and the region's policy let a use count.
    """
    days: dict[date, list[int]] = defaultdict(list)
    for card_id, day in uses.items():
        days[day].append(card_id)
    done = [_renew(days[day], facts_of("use", day.isoformat()), day, Asked(by, sub(request_id, day), at))
            for day in sorted(days)]
    left = sum((Counter(each.left) for each in done), Counter[str]())
    return Renewed([pk for each in done for pk in each.moved], dict(left))


@transaction.atomic
def claim_reminders(day: date, *, most: int = 10_000) -> list[int]:
    """Note that the holders of cards whose term ends 60, 30 or 7 days after `day` are to be told, and give the ids of
    these reminders, at most so many; an empty list: there are no more. Nobody is told twice of one stage of one term.

    Runs that were missed in the last `LATE` days are made good. What a letter needs: `queries.reminders`.
    """
    ends = [day + timedelta(days=stage - late) for stage in STAGES for late in range(LATE + 1)]
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"ends": ends, "stages": list(STAGES), "day": day, "most": most})
        return sorted(row[0] for row in cursor.fetchall())


@transaction.atomic
def claim_lapsed(day: date, *, most: int = 10_000) -> list[int]:
    """As `claim_reminders`, for cards whose days of grace ended on the day before, or in the `LATE` days before that;
    not where the region's policy stops nothing.
    """
    found: list[int] = []
    with connection.cursor() as cursor:
        for lo, hi, policy in queries.policy_ranges(day):
            rule, left = policy.activation, most - len(found)
            last = day - timedelta(days=rule.grace_days + 1)
            if rule.stops and left:
                cursor.execute(CLAIM_LAPSED, {"first": last - timedelta(days=LATE), "last": last, "lo": lo, "hi": hi,
                                              "stage": LAPSED, "day": day, "most": left})
                found += [row[0] for row in cursor.fetchall()]
    return sorted(found)


def many(rule: Activation, ids: Sequence[int], source: str, facts: Mapping[str, Any], today: date) -> Many:
    """Cards of one policy that are activated together on a day: `activation.until` as SQL, told in each event."""
    term, values = _term(rule, today)
    running = f", ({RUNNING})" if source == "issued" else ""
    return Many(Card, ids, source, facts, also=f", active_until = greatest(t.active_until, {term}{running})",
                values=values | {"proved": list(PROVED)}, told="jsonb_build_object('until', t.active_until)")


def _term(rule: Activation, today: date) -> tuple[str, dict[str, Any]]:
    if rule.kind == "rolling":
        return ("(greatest(t.active_until, %(today)s::date) + make_interval(years => %(years)s))::date",
                {"today": today, "years": rule.years})
    month = str(FIXED_MONTHS.get(rule.of, 1)) if rule.of not in MONTHS else MONTHS[rule.of]
    terms = [activation.end_of_window(rule, number, today) for number in range(1, 13)]
    return f"(%(terms)s::date[])[{month}]", {"today": today, "terms": terms}


def _renew(card_ids: Iterable[int], facts: Mapping[str, str], today: date, asked: Asked) -> Renewed:
    """Renew what can be renewed, in the caller's transaction."""
    permission = Card.workflow.step("active", "activate").permission
    if not asked.by.may(permission):
        raise Refusal("not-permitted", permission=permission)
    wanted = set(card_ids)
    rows = list(Card.objects.select_related("certificate", "holder").filter(
        pk__in=wanted, area__code__range=(asked.by.lo, asked.by.hi)).order_by("pk").select_for_update(of=("self",)))
    left, groups = Counter[str](), defaultdict[Activation, list[Card]](list)
    for card in rows:
        rule = queries.policy(card.area_id, today).activation
        if code := _why_not(card, rule, facts["channel"], today):
            left[code] += 1
        else:
            groups[rule].append(card)
    moved = [pk for rule, cards in groups.items() for pk in perform_many(
        many(rule, [card.pk for card in cards], "active", facts, today), "activate", **vars(asked))]
    ask_for(card.status_list for cards in groups.values() for card in cards
            if card.active_until is not None and card.active_until < today)
    if strangers := len(wanted) - len(rows):
        left["not-found"] += strangers
    return Renewed(sorted(moved), dict(left))


def _why_not(card: Card, rule: Activation, channel: str, today: date) -> str:
    """The code by which `activate` would refuse, or nothing: its guards as conditions."""
    if card.state != "active":
        return "step-not-open"
    if channel not in rule.channels:
        return "channel-not-allowed"
    return "" if activation.is_open(rule, queries.dates(card, rule), today) else "activation-not-due"


def _is_id_number(text: str) -> bool:
    try:
        idnumber.parse(text)
    except idnumber.BadIdNumber:
        return False
    return True
