"""What the platform does for cases by itself: moves between two offices, and clocks (迁移衔接, 期限).

A move is a case at each office. The departure's approval opens the arrival, the arrival's approval takes person,
certificate and cards over and orders the new card; each office sees the other's day. Run twice, nothing happens twice.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from zhengka.areas.models import Area
from zhengka.bulk.services import Asked
from zhengka.cards import services as cards
from zhengka.cases.models import Case
from zhengka.cases.services import steps
from zhengka.cases.services.effects import SECOND, end_certificates, found_anew, order, regraded, term
from zhengka.cases.services.moving import day, move, part
from zhengka.cases.services.opening import open_arrival, told
from zhengka.cases.services.telling import warn
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, lock
from zhengka.core.models import Event
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate

PLATFORM = UUID("6a1f0f0e-6d1c-4c0c-9a64-7b1d6f6f2a11")
"""Name space of the platform's own requests: the same work has the same request id, whoever asks for it again."""


@transaction.atomic
def move_on(case_id: int, *, at: datetime) -> Case:
    """Do at the other office what a step of a move asks for (迁移衔接): whichever side asks, both are looked at."""
    departure = Case.objects.filter(counterpart=case_id).first()
    (case, *_other) = lock(*filter(None, (Case(pk=case_id), departure)))
    asked = Asked(SYSTEM, uuid5(PLATFORM, f"move on {case_id} {case.version}"), at)
    if case.counterpart is not None:
        move_on(case.counterpart.pk, at=at)
    elif case.kind_of_case.startswith("transfer_out"):
        if _decided(case) and (to := told(case).get("to")):
            case.counterpart = open_arrival(case, Area.objects.get(code=to), asked)
            Case.objects.filter(pk=case.pk).update(counterpart=case.counterpart)
    elif departure is not None:
        return _settle(case, Case.get(departure.pk), asked)
    return Case.get(case.pk)


def _settle(arrival: Case, departure: Case, asked: Asked) -> Case:
    """Neither side stays open once the other has ended, and what both have decided is done."""
    if arrival.ended_at is not None:
        return _turned_back(arrival, departure, asked)
    if departure.ended_at is not None or departure.state == departure.table.initial:
        arrival = move(arrival, "close", part(asked, "stranded"), reason=departure.state)
        return _turned_back(arrival, departure, asked)
    if _decided(arrival) and _decided(departure):
        return _take_over(arrival, departure, asked)
    return arrival


def _turned_back(arrival: Case, departure: Case, asked: Asked) -> Case:
    """A departure that is open when its arrival failed goes on without it, and may open another one."""
    if departure.ended_at is None:
        Case.objects.filter(pk=departure.pk).update(counterpart=None)
        if departure.state in AWAY:
            move(departure, "turn_back", part(asked, "departure"), steps.FRESH["turn_back"], reason=arrival.state)
    return arrival


AWAY = ("approved", "rechecked")
"""States of a move that was decided at one office and waits for the other."""


def _decided(case: Case) -> bool:
    """True where the last decision at a move's own office was taken, the city's second look among them."""
    return case.state in AWAY and all(
        step.action != "recheck" for step in case.table.steps if step.source == case.state)


def _take_over(arrival: Case, departure: Case, asked: Asked) -> Case:
    """Person, certificate and cards go to the new office, which then orders its card."""
    holder, to = arrival.holder, arrival.area_id
    certificate = registry.current(departure.holder_id) if departure.holder_id else None
    if holder is None or certificate is None:  # it ended meanwhile, by another case than the move
        return _turned_back(move(arrival, "close", part(asked, "stranded"), reason="certificate-missing"), departure,
                            asked)
    registry.move_person(holder, to, **vars(part(asked, "holder")))
    for one in Certificate.objects.filter(holder=holder, state__in=("valid", "frozen")).order_by("pk"):
        registry.move(one, to, **vars(part(asked, f"certificate {one.pk}")))
    cards.unfreeze_all(holder.pk, **vars(part(asked, "unfreeze")))
    cards.move_all(holder.pk, to, **vars(part(asked, "cards")))
    move(departure, "arrive", part(asked, "departure"))
    certificate.refresh_from_db()
    if finding := found_anew(arrival, certificate):
        certificate = regraded(arrival, certificate, finding, part(asked, "regraded"))
    elif certificate.generation == SECOND:
        first, last = term(to, day(asked.at))
        certificate = registry.open_certificate(certificate, issued_on=first, valid_until=last,
                                                **vars(part(asked, "opened")))
    return order(arrival, certificate, asked)


def run_clocks(*, at: datetime) -> dict[str, int]:
    """Take every step that is due by the calendar alone: notices that have stood or stand longer, moves that were not
    followed (办法 art. 9(3), 23). Each case is a transaction of its own; how many took which step.
    """
    today = day(at)
    return {"extend_notice": _each(Case.objects.filter(state="publicised", notice_ends__lte=today), _extend, at),
            "end_notice": _each(Case.objects.filter(state="publicised", notice_ends__lt=today), _notice, at),
            "freeze": _each(_left_behind(freezes_on__lt=today).filter(Q(state="noted") | ~FROZEN_ONCE), _freeze, at),
            "lapse": _each(_left_behind(lapses_on__lt=today), _lapse, at),
            "warn": _each(_left_behind(freezes_on__range=(today, today + AHEAD)), _warn, at)
            + _each(_left_behind(lapses_on__range=(today, today + AHEAD), freezes_on__lt=today), _warn_again, at),
            "move_on": _each(Case.objects.filter(state__in=AWAY, kind_of_case__startswith="transfer_in",
                                                 ended_at__isnull=True), _onward, at)}


FROZEN_ONCE = Exists(Event.objects.filter(subject="case", subject_id=OuterRef("pk"), action="freeze"))
"""The clock freezes once: where two persons lifted that since, their decision stands."""
AHEAD = timedelta(days=30)
"""So long before its day a person is warned [ours]."""


def _left_behind(**late: date | tuple[date, date]) -> "QuerySet[Case]":
    """Open departures whose day has passed, wherever they are on their line: a request alone stops no clock."""
    return Case.objects.filter(Q(**late), kind_of_case__startswith="transfer_out", ended_at__isnull=True)


def _each(rows: "QuerySet[Case]", step: Callable[[Case, Asked], object], at: datetime) -> int:
    done = 0
    for case in rows.order_by("pk").iterator(chunk_size=500):
        try:
            with transaction.atomic():
                step(case, Asked(SYSTEM, uuid5(PLATFORM, f"{step.__name__} {case.pk} {case.version}"), at))
        except (Refusal, Replayed):
            continue  # an officer was faster, or the state has no such step: the next run looks again
        done += 1
    return done


def _notice(case: Case, asked: Asked) -> None:
    steps.end_notice(case, **vars(asked))


def _extend(case: Case, asked: Asked) -> None:
    steps.extend_notice(case, **vars(asked))


def _warn(case: Case, asked: Asked) -> None:
    warn(case, "freeze-warning", asked)


def _warn_again(case: Case, asked: Asked) -> None:
    warn(case, "lapse-warning", asked)


def _freeze(case: Case, asked: Asked) -> None:
    """Six months: the certificate and what follows from it stop. A case that has gone on stays where it is."""
    stays = {} if case.state == "noted" else {"moved_at": case.moved_at, "due_on": case.due_on}
    move(case, "freeze", asked, stays)
    certificate = registry.current(case.holder_id) if case.holder_id else None
    if certificate is not None and certificate.state == "valid":
        registry.freeze(certificate, **vars(part(asked, "certificate")))
        cards.freeze_all(certificate.holder_id, **vars(part(asked, "cards")))


def _lapse(case: Case, asked: Asked) -> None:
    """Twelve months: they end, and the new office issues anew; nothing bars it. An arrival that is open ends with
    them. One that was approved in time waits for nothing but the platform, which is not late.
    """
    case, *arrivals = lock(*filter(None, (case, case.counterpart)))
    if any(_decided(arrival) for arrival in arrivals):
        raise Refusal("step-not-open", subject="case", state=case.state, action="lapse")
    case = move(case, "lapse", asked)
    end_certificates(case, None, part(asked, "ends"))
    for arrival in arrivals:
        _settle(arrival, case, part(asked, "arrival"))


def _onward(case: Case, asked: Asked) -> None:
    """What kept an arrival that was decided, such as a card on its way, may be over now."""
    move_on(case.pk, at=asked.at)
