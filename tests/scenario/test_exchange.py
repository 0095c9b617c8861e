"""The exchange of second-generation certificates for cards: opened for a unit, decided by two persons."""

import datetime as dt
import threading

import pytest
from django.db import IntegrityError, connection, transaction

import builders
from builders import NOON
from stories import LEG, Story, under
from visits import Visitor
from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.cases import late, queries, services
from zhengka.cases.models import NO_LIMIT, Case
from zhengka.cases.services import many
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.registry.models import Certificate

pytestmark = pytest.mark.django_db


def act(verb, subject, by, **more):
    return verb(subject, by=by, **{"request_id": builders.request_id(), "at": NOON, **more})


def step(action, case, by, **more):
    return act(services.take, case, by, action=action, **more)


def open_all(by=None, area=None, **more):
    area = area or builders.make_area()
    return services.open_exchange(area, 1, by=by or builders.make_actor(area=area),
                                  **{"request_id": builders.request_id(), "at": NOON, **more})


def test_every_holder_of_a_unit_with_a_paper_certificate_gets_one_case():
    holders = [builders.make_holder() for _ in range(3)]
    for holder in holders:
        builders.make_certificate(holder)
    builders.make_holder()  # without a certificate
    builders.make_card()  # with a card already
    builders.make_certificate(builders.make_holder(area=builders.make_area(430102)))
    assert open_all() == 3
    assert {case.holder_id for case in Case.objects.all()} == {holder.pk for holder in holders}
    assert open_all() == 0, "asked twice"
    late = builders.make_certificate(builders.make_holder())
    assert open_all() == 1 and Case.objects.get(holder=late.holder).phase == 1
    event = Event.objects.get(subject="case", subject_id=Case.objects.get(holder=late.holder).pk)
    assert (event.action, event.target, event.facts) == ("open", "notified", {"phase": 1})


def test_a_city_opens_the_exchange_for_all_its_units_at_once():
    for code in (430104, 430102):
        builders.make_certificate(builders.make_holder(area=builders.make_area(code)))
    city = Area.objects.get(code=430100_000000)
    assert open_all(builders.make_actor(area=city), city) == 2


def test_the_exchange_is_opened_by_those_who_may_and_within_their_area():
    with pytest.raises(Refusal, match="not-permitted"):
        open_all(builders.make_actor("reviewer"))
    with pytest.raises(Refusal, match="not-found"):
        open_all(builders.make_actor(area=builders.make_area(430102)), builders.make_area(430104))


def test_after_two_persons_decided_the_card_is_ordered():
    case = builders.make_case()
    case = step("confirm", case, builders.make_actor())
    case = step("review", case, builders.make_actor("reviewer"))
    case = step("approve", case, builders.make_actor("approver"))
    opened = Certificate.objects.get(holder=case.holder, generation=3)
    card = Card.objects.get(holder=case.holder)
    assert (case.state, case.card_id, card.certificate_id) == ("ordered", card.pk, opened.pk)
    assert (opened.issued_on, opened.valid_until) == (dt.date(2026, 11, 20), dt.date(2036, 11, 20))
    assert (card.issued_on, card.valid_until, card.profile) == (
        opened.issued_on, opened.valid_until, "disability-placeholder")
    assert Certificate.objects.get(holder=case.holder, generation=2).state == "valid", "until the card is handed over"


def test_the_reviewer_cannot_approve_their_own_review():
    case = builders.make_case(state="confirmed")
    case = step("review", case, builders.make_actor("reviewer", person="Li"))
    second_account = builders.make_actor("approver", person="Li")
    with pytest.raises(Refusal, match="same-person"):
        step("approve", case, second_account)
    assert act(services.approve_many, [case.pk], second_account).left == {"same-person": 1}
    assert Case.get(case.pk).state == "reviewed" and not Card.objects.exists()


def test_the_database_itself_refuses_one_person_in_both_roles():
    case = builders.make_case(state="reviewed", reviewer="Li")
    with pytest.raises(IntegrityError, match="case_two_persons"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(approver_person="Li")
    with pytest.raises(IntegrityError, match="case_decided_by_two"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(state="approved")
    with pytest.raises(IntegrityError, match="case_ordered_has_card"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(state="ordered", approver_person="Wang")


def test_a_case_goes_back_step_by_step_and_is_reviewed_anew():
    case = builders.make_case(state="reviewed", reviewer="Li")
    case = step("send_back_to_review", case, builders.make_actor("approver"), reason="photo of another person")
    assert (case.state, case.reviewer_person) == ("confirmed", "")
    case = step("send_back", case, builders.make_actor("reviewer"), reason="photo of another person")
    assert case.state == "notified" and Event.objects.filter(facts__reason="photo of another person").count() == 2
    case = step("close", case, builders.make_actor(), reason="moved away")
    assert case.state == "closed"
    assert open_all() == 1, "a closed case does not stand in the way of a new one"


def test_a_certificate_that_ended_meanwhile_is_not_exchanged():
    case = builders.make_case(state="reviewed")
    Certificate.objects.update(state="cancelled")
    with pytest.raises(Refusal, match="certificate-not-valid"):
        step("approve", case, builders.make_actor("approver"))
    done = act(services.approve_many, [case.pk], builders.make_actor("approver"))
    assert (done.moved, done.left) == (0, {"certificate-not-valid": 1}) and Case.get(case.pk).state == "reviewed"


def test_a_holder_with_a_card_certificate_gets_no_second_one():
    case = builders.make_case(state="reviewed")
    builders.make_certificate(case.holder, generation=3)
    with pytest.raises(Refusal, match="certificate-opened"):
        step("approve", case, builders.make_actor("approver"))
    assert act(services.approve_many, None, builders.make_actor("approver")).left == {"certificate-opened": 1}


def test_a_holder_whose_card_is_on_its_way_gets_no_second_one():
    case = builders.make_case(state="reviewed")
    of_another_life = builders.make_certificate(builders.make_holder(), generation=3)
    builders.make_card(case.holder, state="sent", certificate=of_another_life)
    with pytest.raises(Refusal, match="card-on-its-way"):
        step("approve", case, builders.make_actor("approver"))
    assert act(services.approve_many, None, builders.make_actor("approver")).left == {"card-on-its-way": 1}


def test_an_approval_sent_twice_orders_one_card():
    case, approver, request = builders.make_case(state="reviewed"), builders.make_actor("approver"), None
    request = builders.request_id()
    step("approve", case, approver, request_id=request)
    with pytest.raises(Replayed):
        step("approve", case, approver, request_id=request)
    assert act(services.approve_many, [case.pk], approver, request_id=request).moved == 0
    assert Card.objects.count() == Certificate.objects.filter(generation=3).count() == 1


VARIES = {"id", "_state", "subject_id", "request_id", "holder_id", "certificate_id", "card_id", "number",
          "number_index", "person_index"}


def plain(rows):
    return [{name: value for name, value in vars(row).items() if name not in VARIES} for row in rows]


def test_one_by_one_and_all_at_once_leave_the_same_rows_and_events():
    clerk, reviewer, approver = (builders.make_actor(role) for role in ("clerk", "reviewer", "approver"))
    single, bulk = builders.make_case(), builders.make_case()
    case = single
    for action, by in (("confirm", clerk), ("review", reviewer), ("approve", approver)):
        case = step(action, case, by)
    for verb, by in ((services.confirm_many, clerk), (services.review_many, reviewer),
                     (services.approve_many, approver)):
        assert act(verb, [bulk.pk], by) == services.Done(1, {})

    def left_by(case):
        case = Case.get(case.pk)
        rows = [case, case.card, *Certificate.objects.filter(holder=case.holder).order_by("generation")]
        events = [Event.objects.filter(subject=row.kind(), subject_id=row.pk).order_by("version") for row in rows]
        return plain(rows), [plain(found) for found in events]
    assert left_by(single) == left_by(bulk)


def test_all_that_waits_in_the_area_moves_chunk_by_chunk(monkeypatch):
    monkeypatch.setattr(many, "CHUNK", 2)
    own = [builders.make_case(state="reviewed", reviewer="Li") for _ in range(5)]
    mine = builders.make_case(state="reviewed", reviewer="Wang")
    elsewhere = builders.make_case(builders.make_holder(area=builders.make_area(430102)), state="reviewed")
    done = act(services.approve_many, None, builders.make_actor("approver", person="Wang"))
    assert done == services.Done(5, {"same-person": 1})
    assert {Case.get(case.pk).state for case in own} == {"ordered"}
    assert {Case.get(case.pk).state for case in (mine, elsewhere)} == {"reviewed"}


def test_chosen_cases_in_another_state_or_area_are_left_alone_and_counted():
    good, done_already = builders.make_case(), builders.make_case(state="confirmed")
    elsewhere = builders.make_case(builders.make_holder(area=builders.make_area(430102)))
    done = act(services.confirm_many, [good.pk, done_already.pk, elsewhere.pk], builders.make_actor())
    assert done == services.Done(1, {"step-not-open": 2})
    with pytest.raises(Refusal, match="not-permitted"):
        act(services.review_many, [], builders.make_actor())


@pytest.mark.django_db(transaction=True)
def test_two_approvers_at_once_order_each_card_once():
    cases = [builders.make_case(state="reviewed") for _ in range(20)]
    approvers = [builders.make_actor("approver") for _ in range(4)]
    told = []

    def work(approver):
        try:
            told.append(act(services.approve_many, None, approver).moved)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[approver]) for approver in approvers]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sum(told) == len(cases) == Card.objects.count()


def test_the_worklist_is_paged_by_key_and_stays_in_the_area():
    cases = [builders.make_case() for _ in range(5)]
    builders.make_case(builders.make_holder(area=builders.make_area(430102)))
    clerk = builders.make_actor()
    wanted = queries.Wanted(frozenset({"notified"}))
    first = queries.worklist(clerk, wanted, limit=3)
    second = queries.worklist(clerk, wanted, after=queries.Place(NO_LIMIT, first[-1].pk), limit=3)
    assert [case.pk for case in first + second] == [case.pk for case in cases]
    assert queries.worklist(clerk, queries.Wanted(frozenset({"notified"}), "renewal")) == []
    Case.objects.filter(pk=cases[3].pk).update(due_on=NOON.date())
    assert queries.worklist(clerk, wanted)[0].pk == cases[3].pk, "what will be late first comes first"
    assert queries.counts(clerk) == {"notified": 5}
    assert queries.counts_by_area(clerk) == {430104_000000: {"notified": 5}}
    assert [case.pk for case in queries.of_holder(cases[0].holder_id)] == [cases[0].pk]


def test_a_page_is_read_from_the_index_in_its_order():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; "
                       "SET LOCAL enable_sort = off")
        cursor.execute("EXPLAIN " + queries.SOONEST, {
            "states": ["reviewed"], "own": ["measures-2017 exchange 0 0 reviewed"], "received": ["x"], "kind": "",
            "due": NOON.date(), "pk": 0, "lo": 43 * 10**10, "hi": 44 * 10**10 - 1, "limit": 50})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "case_by_due_day" in plan and "case_front_by_due_day" in plan
    conditions = [line for line in plan.splitlines() if "Index Cond" in line and "policy = cases_tally.policy" in line]
    assert len(conditions) == 2 and all("IS NOT NULL" in line and "minor" in line for line in conditions), "by line"


def test_the_page_of_a_case_says_which_steps_are_open_and_why_others_are_not():
    case = builders.make_case(state="reviewed", reviewer="Li")
    told = {role: {choice.step.action: choice.code for choice in queries.choices(case, actor=actor)}
            for role, actor in {"clerk": builders.make_actor(), "Li": builders.make_actor("approver", person="Li"),
                                "Wang": builders.make_actor("approver", person="Wang")}.items()}
    assert told == {"clerk": {"approve": "not-permitted", "send_back_to_review": "not-permitted"},
                    "Li": {"approve": "same-person", "send_back_to_review": ""},
                    "Wang": {"approve": "", "send_back_to_review": ""}}
    with pytest.raises(Refusal, match="not-found"):
        queries.get(case.pk, actor=builders.make_actor(area=builders.make_area(430102)))
    assert queries.get(case.pk, actor=builders.make_actor()).holder == case.holder


def test_an_office_sees_how_many_cases_will_be_late_at_its_own_pace():
    today = NOON.date()
    for days in (-2, 0, 1, 1, 2, 9):
        case = builders.make_case(state="confirmed")
        Case.objects.filter(pk=case.pk).update(due_on=today + dt.timedelta(days))
    builders.make_case(state="confirmed")  # without a limit
    clerk = builders.make_actor()
    still = late.forecast(clerk, at=NOON)
    assert (still.limited, still.late, still.will_be_late, still.pace) == (6, 1, 6, 0), "nothing was ended lately"
    for _ in range(28):
        Case.objects.filter(pk=builders.make_case(state="closed").pk).update(ended_at=NOON - dt.timedelta(3))
    at_one_a_day = late.forecast(clerk, at=NOON)
    assert (at_one_a_day.limited, at_one_a_day.late, at_one_a_day.pace) == (6, 1, 1)
    assert at_one_a_day.will_be_late == 5, "the late one, and all but the last of those that wait behind it"
    assert late.forecast(builders.make_actor(area=builders.make_area(430102)), at=NOON).limited == 0


@pytest.mark.parametrize(("found", "end"), [(LEG, "refuse"), (None, "fail"), (None, "close")])
def test_an_exchange_that_came_to_nothing_may_be_asked_for_again(found, end, tmp_path):
    with under("two-doctors", tmp_path):
        holder = builders.make_certificate(builders.make_holder()).holder
        assert open_all() == 1
        story, clerk = Story(Case.objects.get(holder=holder)), builders.make_actor(area=holder.area)
        if end != "close":
            story.take("confirm", "book")
            story.assess(found)
            story.take("countersign", by=builders.make_actor("assessor", area=holder.area))
            story.take(*(["review"] if found else []))
        story.take(end)
        assert story.case.ended_at and queries.candidates([holder.area], actor=clerk) == 1
        assert (open_all(), open_all(), queries.candidates([holder.area], actor=clerk)) == (1, 0, 0)


def test_an_exchange_is_opened_at_the_counter_for_who_has_paper_alone_and_once():
    holder = builders.make_holder()
    builders.make_certificate(holder)
    clerk = Visitor(builders.make_officer("clerk", area=holder.area))
    page, link = f"/staff/holders/{holder.pk}", f"/staff/holders/{holder.pk}/cases/exchange"
    assert f'href="{link}"' in clerk.get(page).content.decode()
    opened = Case.objects.get(pk=int(clerk.act(link).url.rsplit("/", 1)[1]))
    assert (opened.kind_of_case, opened.state, opened.holder) == ("exchange", "notified", holder)
    assert f'href="{link}"' not in clerk.get(page).content.decode(), "one is open"
    with_card = builders.make_card().holder
    assert services.unopened("exchange", with_card, at=NOON) == "certificate-opened"
    with pytest.raises(Refusal, match="certificate-opened"):
        services.open_case("exchange", with_card, by=builders.make_actor(area=with_card.area),
                           request_id=builders.request_id(), at=NOON)
