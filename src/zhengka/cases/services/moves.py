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
from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.cases.services import steps
from zhengka.cases.services.arriving import open_arrival
from zhengka.cases.services.contacts import keep_contacts
from zhengka.cases.services.effects import SECOND, end_certificates, found_anew, order, regraded, term
from zhengka.cases.services.freezing import hold_again, stop
from zhengka.cases.services.leaving import HELD, departures, end_departure, strayed
from zhengka.cases.services.left_open import end_left_open, refuse_undecided
from zhengka.cases.services.moving import AWAY, day, decided, give_back_days, move, part
from zhengka.cases.services.notices import end_notices, extend_notices
from zhengka.cases.services.opening import told
from zhengka.cases.services.recalling import follow
from zhengka.cases.services.telling import tell, warn
from zhengka.cases.workflow import frozen_again, kept
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, lock, perform
from zhengka.core.models import Event
from zhengka.letters.models import Letter, Unwritten
from zhengka.letters.queries import first_known
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate
from zhengka.registry.workflow import LEFT_BEHIND

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
    elif strayed(case):
        end_departure(case, asked)
    elif case.kind_of_case.startswith("transfer_out"):
        if decided(case) and (to := told(case).get("to")):
            case.counterpart = open_arrival(case, Area.objects.get(code=to), asked)
            Case.objects.filter(pk=case.pk).update(counterpart=case.counterpart)
    elif departure is not None:
        return _settle(case, Case.get(departure.pk), asked)
    return Case.get(case.pk)


def _settle(arrival: Case, departure: Case, asked: Asked) -> Case:
    """Neither side stays open once the other has ended, nor without a certificate; what both have decided is done."""
    if strayed(departure):
        departure = end_departure(departure, part(asked, "strayed"))
    if arrival.ended_at is not None:
        return _turned_back(arrival, departure, asked)
    if departure.ended_at is not None or departure.state == departure.table.initial:
        arrival = move(arrival, "close", part(asked, "stranded"), reason=departure.state)
        give_back_days(arrival, departure.state, asked)
        return _turned_back(arrival, departure, asked)
    if decided(arrival) and decided(departure):
        return _take_over(arrival, departure, asked)
    return arrival


def _turned_back(arrival: Case, departure: Case, asked: Asked) -> Case:
    """A departure that is open when its arrival failed goes on without it, and may open another one."""
    if departure.ended_at is None:
        Case.objects.filter(pk=departure.pk).update(counterpart=None)
        if departure.state in AWAY:
            move(departure, "turn_back", part(asked, "departure"), steps.FRESH["turn_back"], reason=arrival.state)
    return arrival


def _take_over(arrival: Case, departure: Case, asked: Asked) -> Case:
    """Person, certificate and cards go to the new office, which then orders its card. One that the old office ordered
    and that was never in use is withdrawn, wherever it is; both sides say so. What else the old office has open of the
    person ends.
    """
    holder, to = arrival.holder, arrival.area_id
    certificate = registry.current(departure.holder_id) if departure.holder_id else None
    if holder is None or certificate is None:
        raise Refusal("certificate-missing")
    refuse_undecided(departure)
    end_left_open(holder.pk, to, arrival.kind_of_case, asked, but=(arrival.pk, departure.pk))
    follow(registry.move_person(holder, to, **vars(part(asked, "holder"))))
    keep_contacts([arrival], asked)
    moved = [registry.move(one, to, **vars(part(asked, f"certificate {one.pk}")))
             for one in Certificate.objects.filter(holder=holder, state__in=("valid", "frozen")).order_by("pk")]
    frozen = any(one.state == "frozen" for one in moved)
    if frozen and hold_again(holder.pk, LEFT_BEHIND, part(asked, "lifted")):  # another reason holds the move up
        raise Refusal("certificate-not-valid", state="frozen")
    gone = cards.withdraw_all(holder.pk, **vars(part(asked, "withdrawn")))
    cards.move_all(holder.pk, to, **vars(part(asked, "cards")))
    facts = {"withdrawn": len(gone)} if gone else {}
    move(departure, "arrive", part(asked, "departure"), **facts)
    certificate.refresh_from_db()
    if finding := found_anew(arrival, certificate):
        certificate = regraded(arrival, certificate, finding, part(asked, "regraded"))
    elif certificate.generation == SECOND:
        first, last = term(to, day(asked.at))
        certificate = registry.open_certificate(certificate, issued_on=first, valid_until=last,
                                                **vars(part(asked, "opened")))
    arrival = order(arrival, certificate, asked, **facts)
    tell(arrival, "order", part(asked, "told"))
    return arrival


def run_clocks(*, at: datetime) -> dict[str, int]:
    """Take every step that is due by the calendar alone: notices that have stood or stand longer, moves that were not
    followed (办法 art. 9(3), 23); how many took which step. Notices go together, by what they have in common. A move
    touches certificates, cards, letters and another office: each is a transaction of its own.
    """
    today = day(at)
    return {"stray": _each(departures().exclude(HELD), _stray, at),
            "extend_notice": extend_notices(at=at), "end_notice": end_notices(at=at),
            "freeze": _each(_left_behind(freezes_on__lt=today).filter(
                BY_TWO, Q(state="noted") | ~FROZEN_ONCE, _known("freeze-warning")), _freeze, at)
            + _each(_left_behind().filter(BY_TWO, FROZEN_ONCE, HOLDS, ~LIFTED), _freeze_again, at),
            "lapse": _each(_left_behind(lapses_on__lt=today).filter(BY_TWO, _known("lapse-warning")), _lapse, at),
            "warn": _each(_left_behind(freezes_on__lte=today + AHEAD).filter(
                ~FROZEN_ONCE, ~_written("freeze-warning")), _warn, at)
            + _each(_left_behind(lapses_on__lte=today + AHEAD).filter(
                FROZEN_ONCE, ~_written("lapse-warning")), _warn_again, at),
            "move_on": _each(Case.objects.filter(state__in=AWAY, kind_of_case__startswith="transfer_in",
                                                 ended_at__isnull=True), _onward, at)}


FROZEN_ONCE = Exists(Event.objects.filter(subject="case", subject_id=OuterRef("pk"), action="freeze"))
"""The clock freezes once."""
HOLDS = Exists(Certificate.objects.filter(holder=OuterRef("holder"), area=OuterRef("area"), state="valid"))
"""Departures whose certificate is not frozen, for whatever reason it was."""
LIFTED = Exists(Certificate.objects.filter(Exists(Event.objects.filter(
    subject="certificate", subject_id=OuterRef("pk"), action="unfreeze", facts__reason__in=LEFT_BEHIND,
    at__gte=OuterRef(OuterRef("opened_at")))), holder=OuterRef("holder")))
"""Two persons lifted since what the clock had frozen: their decision stands. Where an inquiry or a reported death kept
it frozen on its day, and has ended, nobody decided anything of the delay."""
BY_TWO = ~Q(witness_person="") | ~Q(approver_person="")
"""No clock acts on what one person noted: see `workflow.noted_by_two`."""
DELAY = "left-behind"
"""Why the clock freezes: a reason of `registry.workflow.FROZEN_FOR`."""
AHEAD = timedelta(days=100)
"""Longer before its day no policy warns a person."""


def _written(letter: str) -> Exists:
    """Departures of which a letter of this kind was written."""
    return Exists(Letter.objects.filter(subject="case", subject_id=OuterRef("pk"), template=letter))


def _known(letter: str) -> Q:
    """Departures of which one was written, or stands on the office's list of those that cannot be: a name or an address
    that fits no letter stops no clock (办法 art. 23).
    """
    return Q(_written(letter)) | Q(Exists(Unwritten.objects.filter(
        subject="case", subject_id=OuterRef("pk"), template=letter)))


def _left_behind(**late: date) -> "QuerySet[Case]":
    """Open departures whose day has passed, wherever they are on their line: a request alone stops no clock."""
    return departures().filter(HELD, **late)


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


def _stray(case: Case, asked: Asked) -> None:
    move_on(case.pk, at=asked.at)


def _warn(case: Case, asked: Asked) -> None:
    """The letter says the days on which the clock can act: never sooner than so long after it."""
    freezes = _day_of_warning(case, case.freezes_on, asked)
    warn(case, "freeze-warning", freezes, max(case.lapses_on or freezes, freezes + _notice_time(case)), asked)


def _warn_again(case: Case, asked: Asked) -> None:
    frozen = Event.objects.filter(subject="case", subject_id=case.pk, action="freeze").latest("version")
    warn(case, "lapse-warning", day(frozen.at), _day_of_warning(case, case.lapses_on, asked), asked)


def _notice_time(case: Case) -> timedelta:
    """So long between a warning and what it warns of, by the case's policy."""
    return timedelta(days=book.pinned(case.policy, case.kind_of_case).times["warning_days"])


def _day_of_warning(case: Case, last: date | None, asked: Asked) -> date:
    """The last day for the holder by a letter of today; `Refusal("step-not-open")` while it is early for a letter."""
    soonest = day(asked.at) + _notice_time(case)
    if last is None or last > soonest:
        raise Refusal("step-not-open", subject="case", state=case.state, action="warn")
    return soonest


def _passed(case: Case, last: date | None, asked: Asked, action: str) -> None:
    """The last day of a clock is a working day, also by a list of holidays that came after it was counted (民法典 art.
    203), and never sooner than the policy's time after the letter that warns of it, or after the office could see that
    none can be written; `Refusal("step-not-open")` while it is not over, and where the certificate is not the departing
    office's any more.
    """
    warned = first_known(case.kind(), case.pk, f"{action}-warning")
    known = warned is not None and day(asked.at) > day(warned) + _notice_time(case)
    if not known or strayed(case) or (
            last and day(asked.at) <= book.calendar(case.area_id).last_day(last - timedelta(1), days=1).day):
        raise Refusal("step-not-open", subject="case", state=case.state, action=action)


def _freeze(case: Case, asked: Asked) -> None:
    """Six months: the certificate and what follows from it stop. A case that has gone on stays where it is."""
    _passed(case, case.freezes_on, asked, "freeze")
    stays = {} if case.state == "noted" else {"moved_at": case.moved_at, "due_on": case.due_on}
    move(case, "freeze", asked, stays)
    stop(case.holder_id or 0, DELAY, asked)


def _freeze_again(case: Case, asked: Asked) -> None:
    """The certificate was frozen for another reason when its day came, and that has ended: the delay has not."""
    stop(perform(case, frozen_again(case.state), **vars(asked)).holder_id or 0, DELAY, asked)


def _lapse(case: Case, asked: Asked) -> None:
    """Twelve months: they end, and the new office issues anew; nothing bars it. An arrival that is open ends with
    them. One that was approved in time waits for nothing but the platform, which is not late.
    """
    _passed(case, case.lapses_on, asked, "lapse")
    case, *arrivals = lock(*filter(None, (case, case.counterpart)))
    if any(decided(arrival) for arrival in arrivals):
        raise Refusal("step-not-open", subject="case", state=case.state, action="lapse")
    case = move(case, "lapse", asked)
    end_certificates(case, None, part(asked, "ends"))
    for arrival in arrivals:
        _settle(arrival, case, part(asked, "arrival"))


def _onward(case: Case, asked: Asked) -> None:
    """What kept an arrival that was decided may be over now; where it is not, both sides say once what it is."""
    try:
        with transaction.atomic():
            move_on(case.pk, at=asked.at)
    except Refusal as no:
        for each in lock(case, *Case.objects.filter(counterpart=case)):
            if why_it_waits(each) != no.code:
                perform(each, kept(each.state), reason=no.code, **vars(part(asked, f"waits {each.pk}")))


def why_it_waits(case: Case) -> str:
    """The code of what keeps the platform from doing what both offices decided; empty where nothing does."""
    last = Event.objects.filter(subject="case", subject_id=case.pk, version=case.version, action="wait").first()
    return str(last.facts["reason"]) if last else ""
