"""Every kind of case, from the first paper to the last state, as the default policy has it."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

import builders
from builders import NOON
from stories import HAND, LEG, Story, applies, brings, card_holder, confirmed, left_behind, person
from zhengka.areas.models import Area
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.cases.services import steps
from zhengka.core import fields
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Finding

pytestmark = pytest.mark.django_db


def number(certificate: Certificate) -> str:
    return fields.open_(bytes(certificate.number), "certificate.number")


def decided(story: Story) -> Case:
    return story.take("review", "approve")


# ---- new -----------------------------------------------------------------------------------------------------------


def test_an_applicant_is_assessed_publicised_and_gets_certificate_and_card_together():
    who = person()
    story = applies(who)
    assert not Holder.objects.exists(), "nobody is registered before the approval"
    story.take("accept", "book")
    story.assess(LEG)
    story.notice()
    assert story.case.state == "noticed" and story.case.due_on is not None
    case = decided(story)
    certificate, card = Certificate.objects.get(), Card.objects.get()
    assert (case.state, case.card, case.certificate, case.holder) == ("ordered", card, certificate, certificate.holder)
    assert number(certificate) == who.id_number + "42" and certificate.generation == 3
    assert certificate.holder.name == "石榴" and case.ended_at == story.at
    assert (card.reason, card.issued_on, card.valid_until) == (
        "new", certificate.issued_on, certificate.valid_until)
    told = list(Event.objects.filter(subject="case", subject_id=case.pk).order_by("version").values_list(
        "action", flat=True))
    assert told == ["open", "accept", "book", "assess", "publish", "end_notice", "review", "approve", "order"]


def test_what_is_missing_goes_back_to_the_applicant_and_comes_in_again():
    story = applies()
    case = story.take("return_papers", reason="户口簿复印件不清楚")
    assert case.state == "returned"
    assert story.take("resubmit", "accept").state == "accepted"
    assert applies().take("withdraw").ended_at is not None


def test_a_minor_needs_a_guardian_and_is_never_publicised():
    child = {"id_number": builders.make_id_number(born=dt.date(2015, 6, 1))}
    with pytest.raises(Refusal, match="guardian-missing"):
        applies(person(**child))
    own = child["id_number"]
    young = builders.make_id_number(born=dt.date(NOON.year - 18, 12, 31))
    for number, code in ((own, "guardian-is-applicant"), ("", "guardian-id-wrong"), ("不详", "guardian-id-wrong"),
                         (young, "guardian-is-minor")):
        with pytest.raises(Refusal, match=code):
            applies(person(**child, guardian_name="石榴", guardian_id=number))
    story = applies(person(**child, guardian_name="石山"))
    story.take("accept", "book")
    story.assess(LEG)
    with pytest.raises(StopIteration):
        story.take("publish")
    assert decided(story).state == "ordered"
    with pytest.raises(IntegrityError, match="case_minor_not_publicised"), transaction.atomic():
        Case.objects.update(notice_from=dt.date(2026, 1, 1), notice_ends=dt.date(2026, 1, 9))


def test_for_the_mind_a_guardian_is_named_whatever_the_age():
    for category in (5, 6):
        with pytest.raises(Refusal, match="guardian-missing"):
            applies(wanted=category)
    own = builders.make_id_number()
    with pytest.raises(Refusal, match="guardian-is-applicant"):
        applies(person(id_number=own, guardian_name="石山", guardian_id=own[:6] + own[8:17]), wanted=6)
    with pytest.raises(Refusal, match="guardian-missing"):
        applies(person(guardian_id=builders.make_id_number()))


def test_who_does_not_meet_the_standard_gets_nothing_and_may_dispute_it():
    story = applies()
    story.take("accept", "book")
    story.assess(None)
    with pytest.raises(Refusal, match="standard-not-met"):
        story.take("publish")
    assert story.take("fail", reason="未达到标准").state == "unmet"
    assert not Certificate.objects.exists() and story.case.ended_at


def test_a_bad_application_is_refused_by_name():
    future = builders.make_id_number(born=dt.date(2027, 1, 1))
    for who, code in ((person(id_number="430104196001010000"), "id-number-wrong"),
                      (person(id_number=future, guardian_name="石山"), "birth-after-application")):
        with pytest.raises(Refusal, match=code):
            applies(who)
    who = person()
    applies(who)
    with pytest.raises(Refusal, match="case-open"):
        applies(who)
    holder, _ = card_holder()
    same = fields.open_(bytes(holder.id_number), "holder.id_number")
    with pytest.raises(Refusal, match="certificate-opened"):
        applies(person(id_number=same))


def test_the_same_request_opens_one_application():
    area = builders.make_area()
    key, clerk, who = builders.request_id(), builders.make_actor(area=area), person()
    services.apply(who, 4, area, by=clerk, request_id=key, at=NOON)
    with pytest.raises(Replayed):
        services.apply(who, 4, area, by=clerk, request_id=key, at=NOON)
    assert Case.objects.count() == 1


def test_an_objection_stops_the_notice_until_it_is_answered():
    story = applies()
    story.take("accept", "book")
    story.assess(LEG)
    story.take("publish", "object")
    services.run_clocks(at=story.later(30).at)
    assert Case.get(story.case.pk).state == "objected"
    case = story.take("dismiss")
    assert case.state == "publicised" and case.notice_ends > story.at.date(), "the answer stands for its full days"
    story.take("object", "uphold")
    assert (story.case.state, story.case.notice_ends, story.case.assessor_person) == ("accepted", None, "")


def test_nobody_ends_a_notice_before_its_last_day_not_even_the_database():
    story = applies()
    story.take("accept", "book")
    story.assess(LEG)
    story.take("publish")
    with pytest.raises(Refusal, match="notice-running"):
        services.end_notice(story.case, by=SYSTEM, request_id=builders.request_id(), at=story.at)
    with pytest.raises(Refusal, match="not-permitted"):
        services.end_notice(story.case, by=story.by("reviewer"), request_id=builders.request_id(),
                            at=story.later(30).at)
    with pytest.raises(IntegrityError, match="full days"), transaction.atomic():
        Case.objects.filter(pk=story.case.pk).update(state="noticed")
    with pytest.raises(IntegrityError, match="no way from"), transaction.atomic():
        Case.objects.filter(pk=applies().case.pk).update(state="reviewed", reviewer_person="Li")
    with pytest.raises(IntegrityError, match="stay as they were"), transaction.atomic():
        Case.objects.filter(pk=story.case.pk).update(minor=True, notice_from=None, notice_ends=None)


def test_two_components_make_a_multiple_disability_with_the_grade_of_the_worse():
    story = applies(wanted=7)
    story.take("accept", "book")
    for wrong in (Finding(7, 2), Finding(7, 3, ((1, 2), (4, 3))), Finding(7, 2, ((4, 2), (4, 3))), Finding(4, 5),
                  Finding(4, 2, ((4, 2),)), Finding(8, 1)):
        with pytest.raises(Refusal, match="finding-impossible"):
            steps.assess(story.case, wrong, by=story.by("assessor"), request_id=builders.request_id(), at=NOON)
    story.assess(Finding(7, 2, ((1, 2), (4, 3))))
    story.notice()
    decided(story)
    assert Certificate.objects.get().components == [[1, 2], [4, 3]]


# ---- a holder's certificate and card -------------------------------------------------------------------------------


def test_a_renewal_opens_with_the_ninth_year_and_keeps_the_number():
    holder, certificate = card_holder()
    with pytest.raises(Refusal, match="renewal-too-early"):
        brings("renewal", holder)
    Certificate.objects.update(issued_on=dt.date(2017, 11, 20), valid_until=dt.date(2027, 11, 20))
    story = brings("renewal", holder)
    story.take("accept")
    case = decided(story)
    again = Certificate.objects.get()
    assert (again.pk, number(again), again.valid_until) == (
        certificate.pk, number(certificate), dt.date(2036, 11, 20))
    assert case.card.reason == "renewal" and case.card.valid_until == again.valid_until
    was = Event.objects.get(subject="certificate", action="renew").facts["was"]
    assert was == ["2017-11-20", "2027-11-20"]


def test_a_damaged_card_is_made_again_with_identical_data():
    holder, certificate = card_holder()
    story = brings("damage", holder)
    story.take("accept")
    case = decided(story)
    assert (case.card.certificate_id, case.card.valid_until) == (certificate.pk, certificate.valid_until)
    assert Certificate.objects.get() == certificate


def test_what_has_run_out_is_renewed_and_not_replaced():
    holder, _ = card_holder()
    Certificate.objects.update(issued_on=dt.date(2016, 1, 1), valid_until=dt.date(2026, 1, 1))
    for kind, told in (("damage", {}), ("loss", {}), ("correction", {"name": "田埂"})):
        with pytest.raises(Refusal, match="certificate-expired"):
            brings(kind, holder, **told)
    assert brings("renewal", holder).case.state == "applied"


def test_after_a_loss_the_number_gets_a_suffix_and_the_lost_card_is_barred_for_ever():
    holder, certificate = card_holder()
    lost = Card.objects.get()
    cards.report_lost(lost, by=builders.make_actor(area=holder.area), request_id=builders.request_id(), at=NOON)
    story = brings("loss", holder)
    story.take("accept")
    decided(story)
    new = Certificate.objects.get(state="valid")
    assert number(new) == number(certificate) + "B1" and new.replacement == 1
    assert (new.issued_on, new.valid_until) == (certificate.issued_on, certificate.valid_until)
    assert Card.get(lost.pk).state == "cancelled"
    with pytest.raises(Refusal, match="step-not-open"):
        cards.report_found(lost, by=builders.make_actor(area=holder.area), request_id=builders.request_id(), at=NOON)
    for _ in range(10):
        Card.objects.filter(state="ordered").update(state="active", active_until=dt.date(2027, 1, 1))
        Case.objects.filter(ended_at=None).delete()
        story = brings("loss", holder)
        story.take("accept")
        decided(story)
    assert number(Certificate.objects.get(state="valid")).endswith("B11")


def test_a_change_is_a_new_issue_after_a_new_assessment_and_keeps_the_suffix():
    holder, certificate = card_holder()
    story = brings("change", holder)
    story.take("accept", "book")
    story.assess(LEG)
    story.notice()
    with pytest.raises(Refusal, match="nothing-changed"):
        decided(story)
    story.take("reassess", "book") if story.case.state == "noticed" else story.take(
        "send_back_to_review", "reassess", "book")
    story.assess(HAND)
    story.notice()
    decided(story)
    new = Certificate.objects.get(state="valid")
    assert (new.category, new.grade) == (4, 3) and number(new) == number(certificate)[:18] + "43"
    assert Certificate.get(certificate.pk).state == "replaced" and Card.objects.get(state="ordered").certificate == new
    assert Card.objects.get(state="active").certificate_id == certificate.pk, "until the new card is activated"


def test_a_corrected_name_makes_a_new_card_and_a_corrected_id_number_a_new_number():
    holder, certificate = card_holder()
    with pytest.raises(Refusal, match="correction-empty"):
        brings("correction", holder)
    story = brings("correction", holder, name="田埂")
    story.take("accept")
    case = decided(story)
    assert Holder.get(holder.pk).name == "田埂" and case.card.certificate_id == certificate.pk
    Card.objects.filter(state="ordered").update(state="spoiled")
    right = builders.make_id_number()
    story = brings("correction", Holder.get(holder.pk), id_number=right)
    story.take("accept")
    decided(story)
    new = Certificate.objects.get(state="valid")
    assert number(new) == right + number(certificate)[18:]
    assert bytes(Holder.get(holder.pk).id_index) == fields.index(right)
    was = Event.objects.filter(subject="holder", action="correct").last().facts["was"]
    assert right not in str(was) and "田" not in str(was), "what stood there is kept sealed"


def test_nobody_is_corrected_into_another_person():
    holder, _ = card_holder()
    other, _ = card_holder()
    story = brings("correction", holder, id_number=fields.open_(bytes(other.id_number), "holder.id_number"))
    story.take("accept")
    with pytest.raises(Refusal, match="person-registered"):
        decided(story)
    assert Case.get(story.case.pk).state == "reviewed", "nothing half done"


# ---- ends and returns ----------------------------------------------------------------------------------------------


def test_own_wish_ends_certificate_and_card_and_bars_the_category_for_a_year():
    holder, certificate = card_holder()
    with pytest.raises(Refusal, match="reason-unknown"):
        brings("cancellation", holder, reason="bad-mood")
    story = brings("cancellation", holder, reason="own-wish")
    story.take("accept", "verify")
    decided(story)
    ended = Certificate.get(certificate.pk)
    assert (ended.state, ended.barred_until) == ("cancelled", dt.date(2027, 11, 20))
    assert Card.objects.get().state == "cancelled" and Holder.get(holder.pk).state == "registered"
    same = person(id_number=fields.open_(bytes(holder.id_number), "holder.id_number"))
    with pytest.raises(Refusal, match="category-barred"):
        applies(same)
    assert applies(same, wanted=2).case.state == "applied", "another category is not barred"
    Case.objects.filter(kind_of_case="new").delete()
    assert applies(same, at=NOON + dt.timedelta(366)).case.state == "applied"


def test_a_death_closes_the_record_and_a_wrong_one_is_restored_as_if_nothing_had_been():
    holder, certificate = card_holder()
    story = brings("cancellation", holder, reason="death")
    story.take("accept", "verify")
    decided(story)
    assert Holder.get(holder.pk).state == "closed" and Certificate.get(certificate.pk).barred_until is None
    story = brings("restoration", Holder.get(holder.pk))
    story.take("accept", "verify")
    decided(story)
    back = Certificate.get(certificate.pk)
    assert (back.state, back.issued_on, back.valid_until) == (
        "valid", certificate.issued_on, certificate.valid_until)
    assert Holder.get(holder.pk).state == "registered"
    assert {card.state for card in Card.objects.all()} == {"cancelled", "ordered"}


def test_who_recovered_loses_the_certificate_only_by_an_institutions_conclusion():
    holder, certificate = card_holder()
    story = brings("cancellation_unmet", holder)
    story.take("accept", "book")
    story.assess(LEG)
    story.take("review")
    with pytest.raises(Refusal, match="standard-met"):
        story.take("approve")
    assert story.take("refuse").state == "refused"
    story = brings("cancellation_unmet", holder)
    story.take("accept", "book")
    story.assess(None)
    decided(story)
    assert Certificate.get(certificate.pk).state == "cancelled"


def test_a_reported_death_stops_nothing_before_a_second_source_and_is_undone_without_a_gap():
    holder, certificate = card_holder()
    story = brings("freeze", holder, reason="death-reported")
    assert Card.objects.get().state == "active", "a report alone stops nothing"
    story.take("verify")
    decided(story)
    assert (Certificate.get(certificate.pk).state, Card.objects.get().state) == ("frozen", "frozen")
    story = brings("unfreeze", holder)
    story.take("accept")
    decided(story)
    back = Certificate.get(certificate.pk)
    assert (back.state, back.issued_on, Card.objects.get().state) == ("valid", certificate.issued_on, "active")
    story = brings("freeze", holder, reason="death-reported")
    assert story.take("disprove", reason="本人接听电话").state == "disproved"


def test_a_frozen_card_that_was_lost_does_not_pass_when_it_is_found_before_the_thaw():
    holder, _ = card_holder()
    story = brings("freeze", holder, reason="under-inquiry")
    story.take("verify")
    decided(story)
    clerk = builders.make_actor(area=holder.area)
    cards.report_lost(Card.objects.get(), by=clerk, request_id=builders.request_id(), at=NOON)
    with pytest.raises(Refusal, match="certificate-not-valid"):
        cards.report_found(Card.objects.get(), by=clerk, request_id=builders.request_id(), at=NOON)


# ---- moves ---------------------------------------------------------------------------------------------------------


def elsewhere() -> Area:
    return builders.make_area(430202, name="荷塘区")


def test_a_certificate_follows_the_household_register_and_both_offices_see_it():
    holder, certificate = card_holder()
    to = elsewhere()
    story = brings("transfer_out_province", holder, to=to.pk, moved="2026-11-01")
    assert (story.case.freezes_on, story.case.lapses_on) == (dt.date(2027, 5, 3), dt.date(2027, 11, 1))
    story.take("request")
    decided(story)
    services.move_on(story.case.pk, at=story.at)
    departure = Case.get(story.case.pk)
    arrival = Story(departure.counterpart, at=story.at)
    assert (arrival.case.area, arrival.case.kind_of_case) == (to, "transfer_in_province")
    arrival.take("accept", "review", "approve")
    services.move_on(arrival.case.pk, at=story.at)
    services.move_on(arrival.case.pk, at=story.at)
    departure, arrived = Case.get(departure.pk), Case.get(arrival.case.pk)
    assert (departure.state, arrived.state) == ("arrived", "ordered")
    assert departure.ended_at and arrived.ended_at
    moved = (Holder.get(holder.pk), Certificate.get(certificate.pk), Card.objects.get(state="active"), arrived.card)
    assert {row.area_id for row in moved} == {to.pk}
    assert number(moved[1]) == number(certificate)


def test_who_comes_from_an_office_elsewhere_brings_number_and_days_along():
    who, area = person(), builders.make_area()
    told = {"by": builders.make_actor(area=area), "at": NOON, "request_id": builders.request_id()}
    days = (dt.date(2021, 5, 1), dt.date(2031, 5, 1))
    for wrong in ("no number", builders.make_id_number() + "42"):
        with pytest.raises(Refusal, match="cert-number-wrong"):
            services.apply_arrival(who, services.Brought(wrong, *days), area, **told)
    story = Story(services.apply_arrival(who, services.Brought(who.id_number + "42B1", *days), area, **told))
    story.take("accept")
    case = decided(story)
    certificate = Certificate.objects.get()
    assert (number(certificate), certificate.replacement) == (who.id_number + "42B1", 1)
    assert (certificate.issued_on, certificate.valid_until) == days and case.card.certificate == certificate


@pytest.mark.parametrize(("born", "code", "needed"), [
    (dt.date(1960, 1, 1), "42", False), (dt.date(1960, 1, 1), "52", True), (dt.date(1960, 1, 1), "61", True),
    (dt.date(2015, 6, 1), "42", True)])
def test_who_arrives_has_a_guardian_where_who_applies_would_need_one(born, code, needed):
    number, area = builders.make_id_number(born=born), builders.make_area()
    brought = services.Brought(number + code, dt.date(2021, 5, 1), dt.date(2031, 5, 1))

    def arrives(**guardian) -> Case:
        return services.apply_arrival(person(id_number=number, **guardian), brought, area, at=NOON,
                                      by=builders.make_actor(area=area), request_id=builders.request_id())
    if needed:
        with pytest.raises(Refusal, match="guardian-missing"):
            arrives()
    for wrong, fault in ((number, "guardian-is-applicant"), ("不详", "guardian-id-wrong")):
        with pytest.raises(Refusal, match=fault):
            arrives(guardian_name="石山", guardian_id=wrong)
    assert arrives(**({"guardian_name": "石山"} if needed else {})).state == "applied"


def test_an_arrival_that_fails_turns_the_departure_back():
    holder, _ = card_holder()
    story = brings("transfer_out_city", holder, to=builders.make_area(430102).pk)
    story.take("request")
    decided(story)
    services.move_on(story.case.pk, at=story.at)
    arrival = Story(Case.get(story.case.pk).counterpart, at=story.at)
    assert arrival.take("accept", "review", "refuse").ended_at
    services.move_on(arrival.case.pk, at=story.at)
    back = Case.get(story.case.pk)
    assert (back.state, back.counterpart, back.reviewer_person) == ("noted", None, "")


def test_a_certificate_left_behind_is_frozen_after_six_months_and_cancelled_after_twelve_by_the_clock_alone():
    holder, certificate = card_holder()
    story = confirmed(brings("transfer_out_nation", holder, moved="2026-11-20"))
    assert services.run_clocks(at=story.later(100).at)["freeze"] == 0
    story.at = NOON.replace(year=2027, month=5, day=21)
    assert left_behind(story.at)[0]["freeze"] == 1
    assert services.run_clocks(at=story.at)["freeze"] == 0, "once"
    assert (Certificate.get(certificate.pk).state, Card.objects.get().state) == ("frozen", "frozen")
    story.at = NOON.replace(year=2027, month=11, day=23)
    assert left_behind(story.at)[0]["lapse"] == 1
    ended = Certificate.get(certificate.pk)
    assert (ended.state, ended.barred_until, Card.objects.get().state) == ("cancelled", None, "cancelled")
    assert Case.get(story.case.pk).state == "lapsed"


def test_who_asks_in_time_after_the_freeze_takes_the_certificate_along():
    holder, certificate = card_holder()
    story = confirmed(brings("transfer_out_city", holder, to=builders.make_area(430102).pk, moved="2026-05-01"))
    left_behind(story.later(40).at)
    assert Certificate.get(certificate.pk).state == "frozen"
    story.case = Case.get(story.case.pk)
    story.take("request")
    decided(story)
    services.move_on(story.case.pk, at=story.at)
    arrival = Story(Case.get(story.case.pk).counterpart, at=story.at)
    arrival.take("accept", "review", "approve")
    services.move_on(arrival.case.pk, at=story.at)
    assert Certificate.get(certificate.pk).state == "valid" and Card.objects.filter(state="active").exists()


# ---- disputes ------------------------------------------------------------------------------------------------------


def test_a_dispute_goes_to_the_city_within_ten_working_days_and_its_result_takes_the_place_of_the_countys():
    story = applies()
    story.take("accept", "book")
    story.assess(HAND)
    story.notice()
    first = decided(story)
    Card.objects.update(state="active", active_until=dt.date(2027, 11, 20))
    holder = Certificate.objects.get().holder
    with pytest.raises(Refusal, match="dispute-of-nothing"):
        brings("dispute_city", holder, disputed=0)
    with pytest.raises(Refusal, match="dispute-too-late"):
        brings("dispute_city", holder, disputed=first.pk, at=story.at + dt.timedelta(20))
    dispute = brings("dispute_city", holder, disputed=first.pk, at=story.at)
    with pytest.raises(Refusal, match="office-wrong"):
        dispute.take("accept")
    city = Area.objects.get(code=430100_000000)
    dispute.take("accept", "book", by=dispute.by("clerk", city))
    dispute.assess(LEG)
    dispute.take("review", by=dispute.by("reviewer", city))
    dispute.take("approve", by=dispute.by("approver", city))
    new = Certificate.objects.get(state="valid")
    assert (new.grade, Card.objects.get(state="ordered").certificate) == (2, new)
    province = Area.objects.get(code=430000_000000)
    final = brings("dispute_province", holder, disputed=dispute.case.pk, at=story.at)
    with pytest.raises(Refusal, match="office-wrong"):
        final.take("accept", by=dispute.by("clerk", city))
    final.take("accept", by=final.by("clerk", province))


# ---- what the platform itself holds --------------------------------------------------------------------------------


def test_what_was_told_lies_sealed():
    who = person()
    case = applies(who).case
    with connection.cursor() as cursor:
        cursor.execute("SELECT c::text, (SELECT string_agg(e::text, '') FROM core_event e) FROM cases_case c")
        text = "".join(cursor.fetchone())
    assert who.id_number not in text and who.phone not in text and who.address not in text
    assert services.told(case)["person"]["id_number"] == who.id_number


def test_a_step_without_its_reason_by_a_stranger_or_of_another_table_is_refused_by_name():
    story = applies()
    for action, by, code in (("decline", story.by("clerk"), "reason-missing"),
                             ("approve", story.by("approver"), "step-not-open"),
                             ("order", SYSTEM, "step-not-open"),
                             ("accept", story.by("reviewer"), "not-permitted"),
                             ("accept", story.by("clerk", builders.make_area(430102)), "not-found")):
        with pytest.raises(Refusal, match=code):
            services.take(story.case, action, by=by, request_id=builders.request_id(), at=NOON)
