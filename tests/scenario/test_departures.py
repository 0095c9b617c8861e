"""What one person notes of a move ends nothing, and the clock of art. 23 warns before it acts."""

import datetime as dt
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

import builders
from builders import NOON
from stories import Story, applies, brings, card_holder, confirmed, left_behind, person
from zhengka.areas.models import Area
from zhengka.bulk.services import Asked
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.cases.services.moving import move
from zhengka.core import fields
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.letters.models import Letter, Unwritten
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Finding

pytestmark = pytest.mark.django_db
LONG_AGO = "2026-02-01"
"""A day of a move after which both days of the clock are over at once, a year later."""
LATER = NOON.replace(year=2027, month=12)


def asked_for() -> int:
    """The case for whose move a job was asked for last."""
    job = ProcrastinateJob.objects.filter(task_name="cases.move_on").order_by("id").last()
    assert job is not None
    return int(job.args["case_id"])


def number_of(holder: Holder) -> str:
    return fields.open_(bytes(holder.id_number), "holder.id_number")


def noted(at: dt.datetime = LATER, *, elsewhere: bool = False) -> Story:
    """One clerk notes a move of long ago, of a holder of their own office or of another's."""
    holder, _ = card_holder()
    if not elsewhere:
        return brings("transfer_out_nation", holder, at=at, moved=LONG_AGO)
    clerk = builders.make_actor(area=builders.make_area(110101))
    return Story(services.open_elsewhere(
        "transfer_out_nation", services.Present(holder.name, number_of(holder)), by=clerk,
        request_id=builders.request_id(), at=at, moved=LONG_AGO, to=0), at=at)


def letters(kind: str) -> list[dt.date]:
    """The days on which letters of this kind were written."""
    written = Letter.objects.filter(template=kind).order_by("written_at").values_list("written_at", flat=True)
    return [at.astimezone(NOON.tzinfo).date() for at in written]


def ran(story: Story, days: int) -> dict[str, int]:
    """The clock runs so many days later."""
    return services.run_clocks(at=story.later(days).at)


def states() -> tuple[str, str]:
    """Of the certificate and of the card."""
    return Certificate.objects.get().state, Card.objects.get().state


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_one_clerk_notes_freezes_and_ends_nothing_however_long_the_clock_runs(elsewhere):
    story = noted(elsewhere=elsewhere)
    for _month in range(14):
        ran(story, 31)
    assert (states(), Case.get(story.case.pk).state) == (("valid", "active"), "noted")
    with pytest.raises(Refusal, match="same-person"):
        opener = Case.get(story.case.pk).reporter_person
        story.take("confirm_move", by=builders.make_actor(area=story.case.area, person=opener))


def test_the_day_of_a_move_is_confirmed_by_the_office_of_the_certificate():
    story = noted(elsewhere=True)
    with pytest.raises(Refusal, match="office-wrong"):
        story.take("confirm_move", by=builders.make_actor(area=builders.make_area(110101)))
    confirmed(story)
    with pytest.raises(Refusal, match="step-not-open"):
        confirmed(story)
    assert story.case.state == "noted" and story.case.witness_person == story.by("clerk").person


def test_a_day_long_ago_freezes_a_month_after_the_letter_and_ends_a_month_after_the_next_one():
    story = confirmed(noted())
    first = story.at.date()
    for expected in (("valid", "active"), ("valid", "active")):
        ran(story, 0)
        assert states() == expected, "never in the run that warns"
    ran(story, 30)
    assert states() == ("valid", "active"), "the day of the letter itself does not count"
    done = ran(story, 1)
    assert (done["freeze"], done["lapse"], states()) == (1, 0, ("frozen", "frozen"))
    frozen = story.at.date()
    assert (ran(story, 30)["lapse"], states()) == (0, ("frozen", "frozen"))
    assert (ran(story, 1)["lapse"], states()) == (1, ("cancelled", "cancelled"))
    assert (letters("freeze-warning"), letters("lapse-warning")) == ([first], [frozen])


def test_a_name_that_fits_no_letter_stops_no_clock_and_the_office_has_the_time_of_a_letter_to_tell_otherwise():
    story = confirmed(noted())
    Holder.objects.update(name="\u202e王")
    ran(story, 0)
    assert Unwritten.objects.get().template == "freeze-warning" and not letters("freeze-warning")
    assert ran(story, 30)["freeze"] == 0
    assert (ran(story, 1)["freeze"], states()) == (1, ("frozen", "frozen"))
    assert ran(story, 31)["lapse"] == 1 and Unwritten.objects.filter(template="lapse-warning").exists()


def test_the_letters_name_the_days_on_which_the_clock_can_act(monkeypatch):
    told = []
    monkeypatch.setattr("zhengka.cases.services.telling.letters.write_many",
                        lambda messages, **_asked: told.extend(messages))
    story = confirmed(noted())
    ran(story, 0)
    warned = story.at.date()
    assert told[0].slots["freeze_day"] == warned + dt.timedelta(30)
    assert told[0].slots["lapse_day"] == warned + dt.timedelta(60)


def test_a_departure_on_which_two_decided_needs_no_other_witness():
    story = brings("transfer_out_nation", card_holder()[0], at=LATER, moved=LONG_AGO)
    story.take("request", "review", "approve")
    ran(story, 0)
    assert ran(story, 31)["freeze"] == 1


@pytest.mark.parametrize("moved", ["2026-01-19", "1900-01-01"])
def test_nobody_moved_before_the_certificate_was_issued_first(moved):
    holder, certificate = card_holder()
    with pytest.raises(Refusal, match="move-before-issue"):
        brings("transfer_out_nation", holder, moved=moved)
    Certificate.objects.filter(pk=certificate.pk).update(state="replaced")
    builders.make_certificate(holder, generation=3)  # of 2012
    assert brings("transfer_out_nation", holder, moved="2026-01-19").case.state == "noted"


@pytest.mark.parametrize(("action", "steps"), [("freeze", ()), ("freeze", ("request",)), ("lapse", ("request",))])
def test_the_table_itself_opens_neither_freeze_nor_end_on_what_one_person_noted(action, steps):
    story = noted()
    story.take(*steps)
    with pytest.raises(Refusal, match="step-not-open"):
        move(story.case, action, Asked(SYSTEM, builders.request_id(), story.at))
    assert move(confirmed(story).case, action, Asked(SYSTEM, builders.request_id(), story.at)).version > 1


@pytest.mark.parametrize("state", ["frozen", "lapsed"])
def test_the_database_itself_keeps_a_departure_of_one_person_from_being_left_behind(state):
    story = noted()
    way = {"frozen": ["frozen"], "lapsed": ["frozen", "lapsed"]}[state]
    with pytest.raises(IntegrityError, match="case_left_behind_by_two"), transaction.atomic():
        for each in way:
            Case.objects.filter(pk=story.case.pk).update(state=each)


# ---- one departure, about one certificate ---------------------------------------------------------------------------

FREEZES, LAPSES = NOON.replace(year=2027, month=6), NOON.replace(year=2027, month=12)


def moves(holder: Holder, to: Area, at: dt.datetime = NOON) -> tuple[Story, Story]:
    """A departure and its arrival, both approved."""
    away = brings("transfer_out_city", holder, at=at, to=to.pk, moved="2026-11-01")
    away.take("request", "review", "approve")
    services.move_on(away.case.pk, at=at)
    here = Story(Case.get(away.case.pk).counterpart, at=at)
    here.take("accept", "review", "approve")
    return away, here


def why_closed(story: Story) -> str:
    """Why a case was closed, as its last event says it."""
    case = Case.get(story.case.pk)
    assert case.state == "closed" and case.ended_at
    return str(Event.objects.get(subject="case", subject_id=case.pk, version=case.version).facts["reason"])


@pytest.mark.parametrize(("first", "second"), [
    ("transfer_out_nation", "transfer_out_city"), ("transfer_out_city", "transfer_out_province")])
def test_a_holder_has_one_open_departure_whichever_kind_it_is(first, second):
    holder, _ = card_holder()
    one = brings(first, holder)
    with pytest.raises(Refusal, match="case-open"):
        brings(second, holder)
    other = {field.attname: getattr(one.case, field.attname) for field in Case._meta.concrete_fields}
    with pytest.raises(IntegrityError, match="case_departs_once"), transaction.atomic():
        Case(**other | {"id": one.case.pk + 1, "kind_of_case": second}).save(force_insert=True)
    one.take("close")
    assert brings(second, holder).case.state == "noted"


def test_the_clock_leaves_a_certificate_alone_that_is_another_office_s_by_now():
    holder, certificate = card_holder()
    stray = confirmed(brings("transfer_out_nation", holder, moved="2026-11-01"))
    Holder.objects.filter(pk=holder.pk).update(area=builders.make_area(430102))
    Certificate.objects.filter(pk=certificate.pk).update(area=builders.make_area(430102))
    assert services.run_clocks(at=FREEZES)["stray"] == 1
    assert why_closed(stray) == "certificate-missing"
    left_behind(FREEZES, LAPSES)
    assert states() == ("valid", "active")


def test_a_departure_ends_with_its_certificate_and_touches_none_that_is_issued_later():
    holder, certificate = card_holder()
    stray = confirmed(brings("transfer_out_nation", holder, moved="2026-11-01"))
    end = brings("cancellation", holder, reason="own-wish")
    end.take("accept", "verify", "review", "approve")
    assert why_closed(stray) == "certificate-missing"
    new = applies(person(id_number=number_of(holder)), wanted=1, area=builders.make_area(110101))
    new.take("accept", "book")
    new.assess(Finding(1, 2))
    new.notice()
    new.take("review", "approve")
    left_behind(FREEZES, LAPSES)
    assert (Certificate.get(certificate.pk).state, Certificate.get(new.case.certificate_id).state) == (
        "cancelled", "valid")


def test_a_certificate_that_ended_under_way_ends_both_sides_of_the_move():
    holder, _ = card_holder()
    away, here = moves(holder, builders.make_area(430102))
    brings("cancellation", holder, reason="own-wish").take("accept", "verify", "review", "approve")
    assert why_closed(away) == "certificate-missing"
    assert asked_for() == away.case.pk
    services.move_on(away.case.pk, at=NOON)
    assert why_closed(here) == "closed"


def test_an_officer_of_the_web_who_ends_a_certificate_ends_its_departure_with_it(as_web):
    holder, _ = card_holder()
    stray = brings("transfer_out_nation", holder, moved="2026-11-01")
    end = brings("cancellation", holder, reason="own-wish")
    end.take("accept", "verify", "review")
    approver = end.by("approver")
    as_web(approver.lo, approver.hi)
    end.take("approve", by=approver)
    assert why_closed(stray) == "certificate-missing"


def test_a_departure_that_ended_with_a_wish_is_noted_again_after_the_restoration_and_its_clock_never_stood_still():
    holder, certificate = card_holder()
    old = confirmed(brings("transfer_out_nation", holder, moved="2026-11-01"))
    brings("cancellation", holder, reason="own-wish").take("accept", "verify", "review", "approve")
    brings("restoration", Holder.get(holder.pk)).take("accept", "verify", "review", "approve")
    assert (why_closed(old), Certificate.get(certificate.pk).state) == ("certificate-missing", "valid")
    later = NOON.replace(month=12)
    again = confirmed(brings("transfer_out_nation", Holder.get(holder.pk), moved="2026-11-01", at=later))
    assert (again.case.freezes_on, again.case.lapses_on) == (old.case.freezes_on, old.case.lapses_on)
    left_behind(FREEZES)
    assert Certificate.get(certificate.pk).frozen_for == "left-behind"


def test_where_somebody_has_two_open_departures_an_upgrade_closes_the_older_one_with_its_arrival_and_says_so():
    (holder, _), (other, _) = card_holder(), card_holder()
    kept, alone = brings("transfer_out_nation", holder), brings("transfer_out_nation", other)
    migration = import_module("zhengka.cases.migrations.0011_departures")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; DROP INDEX case_departs_once")
        twin = {field.attname: getattr(kept.case, field.attname) for field in Case._meta.concrete_fields}
        opened = {"id": kept.case.pk + 10, "kind_of_case": "transfer_out_city", "opened_at": NOON - dt.timedelta(9)}
        older = Case(**twin | opened)
        arrival = Case(**twin | {"id": kept.case.pk + 11, "kind_of_case": "transfer_in_city", "state": "applied"})
        arrival.save(force_insert=True)
        older.counterpart = arrival
        kept.case.counterpart = Case(**twin | {
            "id": kept.case.pk + 12, "kind_of_case": "transfer_in_nation", "state": "applied"})
        kept.case.counterpart.save(force_insert=True)
        older.save(force_insert=True)
        kept.case.save()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        for statement in migration.BY_THE_PLATFORM:
            cursor.execute(statement)
        cursor.execute("CREATE UNIQUE INDEX case_departs_once ON cases_case (person_index) "
                       "WHERE ended_at IS NULL AND kind_of_case LIKE 'transfer_out%'")
    for closed in (older, arrival):
        case, told = Case.get(closed.pk), Event.objects.get(subject="case", subject_id=closed.pk)
        assert (case.state, case.version, bool(case.ended_at)) == ("closed", 2, True)
        assert (told.action, told.facts, told.person, told.target) == (
            "close", {"reason": "case-open"}, "system", "closed")
    assert {Case.get(story.case.pk).state for story in (kept, alone)} == {"noted"}
    assert Case.get(kept.case.counterpart.pk).ended_at is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgenabled FROM pg_trigger WHERE tgname = 'cases_by_its_policy'")
        assert cursor.fetchall() == [("O",)]


def test_a_death_that_was_reported_wrongly_gives_back_one_departure_where_another_kind_is_open():
    holder, _ = card_holder()
    old = brings("transfer_out_nation", holder)
    death = brings("cancellation", holder, reason="death")
    death.take("accept", "verify", "review", "approve")
    Case.objects.filter(pk=old.case.pk).update(holder=holder)
    assert Event.objects.filter(subject="case", subject_id=old.case.pk).latest("version").action == "end_by_death"
    Holder.objects.filter(pk=holder.pk).update(state="registered")
    Certificate.objects.update(state="valid")
    other = brings("transfer_out_city", Holder.get(holder.pk), to=builders.make_area(430102).pk)
    Holder.objects.filter(pk=holder.pk).update(state="closed")
    Certificate.objects.update(state="cancelled")
    services.undo(death.case, "wrong", by=builders.make_actor(area=holder.area), request_id=builders.request_id(),
                  at=NOON)
    assert (Case.get(old.case.pk).state, Case.get(other.case.pk).state) == ("closed", "noted")
