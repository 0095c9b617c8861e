"""Approvals by sets: each kind that comes in bulk leaves what one approval leaves, and refuses whom that refuses."""

import datetime as dt
import io
import json

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

import builders
from builders import NOON
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.cases.services import many, together
from zhengka.core import fields, files
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import begin
from zhengka.core.models import Event
from zhengka.letters import contents
from zhengka.letters.models import Letter
from zhengka.papers.models import Paper
from zhengka.registry.models import Certificate

pytestmark = pytest.mark.django_db

HAND = {"category": 4, "grade": 3, "components": []}
SEVERAL = {"category": 7, "grade": 2, "components": [[1, 2], [4, 3]]}
MIND = {"category": 5, "grade": 2, "components": []}
BOTH = {"category": 7, "grade": 1, "components": [[4, 2], [6, 1]]}
SAME = {"category": 4, "grade": 2, "components": []}
STORIES = [("exchange", 2, None), ("exchange", 2, HAND), ("exchange", 2, SAME), ("exchange", 2, SEVERAL),
           ("renewal", 3, None), ("renewal", 2, None), ("renewal", 3, HAND), ("renewal", 3, SEVERAL),
           ("renewal", 2, HAND), ("exchange", 2, MIND), ("renewal", 3, BOTH),
           ("damage", 3, None), ("damage", 2, None), ("loss", 3, None)]
"""Kind, generation of the certificate, and what an assessment found."""
VARIES = {"id", "_state", "subject_id", "request_id", "holder_id", "certificate_id", "card_id", "replaces_id", "number",
          "number_index", "person_index", "recipient", "words", "whole"}


def reviewed(kind: str, generation: int, found: dict | None = None) -> Case:
    """A case that a second person may approve, of a holder with a phone, and a card where the certificate is of one."""
    holder = builders.make_holder()
    holder.phone = fields.close("13900000001", "holder.phone")
    holder.save()
    certificate = builders.make_certificate(holder, generation=generation)
    if generation == 3:
        builders.make_card(holder, certificate=certificate, state="suspended" if kind == "loss" else "active")
    case = Case(province=holder.province, area_id=holder.area_id, holder=holder, certificate=certificate, found=found,
                kind_of_case=kind, name=holder.name, person_index=bytes(holder.id_index), state="reviewed",
                reviewer_person="Li", opened_at=NOON, moved_at=NOON)
    case.save()
    return case


def plain(row) -> dict:
    return {name: value for name, value in vars(row).items() if name not in VARIES}


def left_by(case: Case) -> str:
    """Every row of the person and what happened to it, without what differs from one person to the next."""
    case = Case.get(case.pk)
    certificates = list(Certificate.objects.filter(holder=case.holder).order_by("pk"))
    letters = list(Letter.objects.filter(subject="case", subject_id=case.pk).order_by("template", "channel"))
    rows = [case, *certificates, *Card.objects.filter(holder=case.holder).order_by("pk"), *letters]
    numbers = [fields.open_(bytes(one.number), "certificate.number")[18:] for one in certificates]
    places = {one.pk: place for place, one in enumerate(certificates)}
    whose = [places[card.certificate_id] for card in Card.objects.filter(holder=case.holder).order_by("pk")]
    events = [[plain(event) for event in Event.objects.filter(
        subject=row.kind(), subject_id=row.pk).order_by("version")] for row in rows]
    said = [(contents.words(letter), contents.whole(letter)) for letter in letters]
    found = json.dumps([[plain(row) for row in rows], numbers, whose, events, said, case.card.holder_id ==
                        case.holder_id if case.card else None], default=str, ensure_ascii=False)
    return found.replace(str(case.pk), "its number")


def approve(case: Case, by, **more) -> Case:
    return services.take(case, "approve", by=by, request_id=builders.request_id(), at=NOON, **more)


def approve_many(cases: list[Case], by, **more) -> services.Done:
    return services.approve_many([case.pk for case in cases], by=by, at=NOON,
                                 **{"request_id": builders.request_id(), **more})


@pytest.mark.parametrize(("kind", "generation", "found"), STORIES)
def test_one_by_one_and_by_sets_leave_the_same_rows_events_and_letters(
        kind, generation, found, monkeypatch):
    approver = builders.make_actor("approver")
    single, *bulk = (reviewed(kind, generation, found) for _ in range(4))
    approve(single, approver)
    with monkeypatch.context() as patch:
        patch.delattr("zhengka.cases.services.many._one")  # by sets, or not at all
        assert approve_many(bulk, approver) == services.Done(3, {})
    told = left_by(single)
    assert '"ordered"' in told and "decision-approved" in told
    assert [left_by(case) for case in bulk] == [told] * 3


@pytest.mark.parametrize(("kind", "generation", "found"), STORIES)
def test_ten_times_as_many_cases_take_no_statement_more(kind, generation, found):
    approver, asked = builders.make_actor("approver"), []
    for size in (2, 20):
        cases = [reviewed(kind, generation, found) for _ in range(size)]
        with CaptureQueriesContext(connection) as counted:
            assert approve_many(cases, approver).moved == size
        asked.append(len(counted))
    assert asked[1] == asked[0]


PROVED = "guardian-proof"


def proves(case: Case) -> None:
    """The proof of the guardian is there, kept as it is: no process is started."""
    row = Paper(province=case.province, area_id=case.area_id, subject=case.kind(), subject_id=case.pk,
                kind_of_paper=PROVED, name=fields.close("监护人证明.jpg", "paper.name"), media="image/jpeg",
                size=1, pages=1, file=files.put_sealed_stream(io.BytesIO(b"x"), "paper.file"), received_at=NOON)
    begin(row, "receive_paper", by=SYSTEM, request_id=builders.request_id(), at=NOON, paper=PROVED, pages=1)


def changes(found: dict, step: str, *, proved: bool) -> Case:
    """A change of what a certificate says that waits for a step."""
    case = reviewed("change", 3, found)
    if step == "review":
        source = next(each.source for each in case.table.steps if each.action == step)
        Case.objects.filter(pk=case.pk).update(state=source, reviewer_person="")
    if proved:
        proves(case)
    return Case.get(case.pk)


@pytest.mark.parametrize("found", [MIND, BOTH])
@pytest.mark.parametrize("step", ["review", "approve"])
def test_whose_guardian_is_unproved_is_left_by_name_among_many_and_the_others_go_on(found, step):
    by = builders.make_actor({"review": "reviewer", "approve": "approver"}[step])
    told = {"by": by, "at": NOON}
    alone, *unproved = (changes(found, step, proved=False) for _ in range(3))
    proved = [changes(found, step, proved=True) for _ in range(3)]
    withdrawn = changes(found, step, proved=True)
    Paper.objects.filter(subject_id=withdrawn.pk).update(state="withdrawn", file="", withdrawn_at=NOON)
    with pytest.raises(Refusal, match="guardian-unproved"), transaction.atomic():
        services.take(alone, step, request_id=builders.request_id(), **told)
    act = {"review": services.review_many, "approve": services.approve_many}[step]
    done = act([case.pk for case in (unproved[0], *proved, *unproved[1:], withdrawn)], request_id=builders.request_id(),
               **told)
    assert done == services.Done(3, {"guardian-unproved": 3})
    left = [case.pk for case in (*unproved, withdrawn)]
    assert not Event.objects.filter(subject="case", subject_id__in=left).exists()
    assert [Case.get(case.pk).version for case in proved] == [3 if step == "approve" else 2] * 3


def test_a_review_of_ten_times_as_many_asks_for_the_proofs_of_guardians_once():
    reviewer, asked = builders.make_actor("reviewer"), []
    for size in (2, 20):
        cases = [changes(MIND, "review", proved=place % 2 == 0) for place in range(size)]
        with CaptureQueriesContext(connection) as counted:
            done = services.review_many([case.pk for case in cases], by=reviewer, request_id=builders.request_id(),
                                        at=NOON)
        assert done == services.Done(size // 2, {"guardian-unproved": size // 2})
        asked.append(len(counted))
    assert asked[1] == asked[0]


def suspended(case: Case) -> None:
    Card.objects.filter(holder=case.holder).update(state="suspended")


def on_its_way(case: Case) -> None:
    elsewhere = builders.make_certificate(builders.make_holder(), generation=3)
    builders.make_card(case.holder, state="sent", certificate=elsewhere)


def unused_card(case: Case) -> None:
    Card.objects.filter(holder=case.holder).update(state="ordered", active_until=None)


def frozen(case: Case) -> None:
    Card.objects.filter(holder=case.holder).update(state="frozen")
    Certificate.objects.filter(holder=case.holder).update(state="frozen", frozen_for="under-inquiry")


def frozen_paper(case: Case) -> None:
    paper = builders.make_certificate(case.holder)
    Certificate.objects.filter(pk=paper.pk).update(state="frozen", frozen_for="under-inquiry")


def ended(case: Case) -> None:
    Card.objects.filter(holder=case.holder).update(state="cancelled")
    Certificate.objects.filter(holder=case.holder).update(state="cancelled")


def opened(case: Case) -> None:
    builders.make_certificate(case.holder, generation=3)


def barred(case: Case) -> None:
    Certificate.objects.filter(holder=case.holder).update(category=3)
    other = builders.make_certificate(case.holder, category=4, generation=2)
    Certificate.objects.filter(pk=other.pk).update(state="cancelled", barred_until=NOON.date() + dt.timedelta(9))


def barred_in_part(case: Case) -> None:
    other = builders.make_certificate(case.holder, category=6, generation=2)
    Certificate.objects.filter(pk=other.pk).update(state="cancelled", barred_until=NOON.date())


def moved_away(case: Case) -> None:
    Certificate.objects.filter(holder=case.holder).update(area=builders.make_area(430102))


def a_number_twice(case: Case) -> None:
    other = builders.make_certificate(builders.make_holder(), generation=3)
    Certificate.objects.filter(pk=other.pk).update(number_index=case.certificate.number_index)


FAULTS = [
    ("damage", 3, None, suspended), ("renewal", 3, None, on_its_way), ("damage", 3, None, unused_card),
    ("renewal", 3, HAND, unused_card), ("loss", 3, None, on_its_way), ("exchange", 2, HAND, on_its_way),
    *((kind, 3, None, fault) for kind in ("renewal", "damage", "loss") for fault in (frozen, ended, moved_away)),
    ("loss", 3, None, frozen_paper), ("renewal", 3, None, frozen_paper), ("renewal", 3, HAND, frozen_paper),
    ("exchange", 2, None, opened), ("exchange", 2, HAND, opened), ("exchange", 2, None, a_number_twice),
    ("renewal", 2, None, a_number_twice), ("renewal", 3, HAND, barred), ("renewal", 3, BOTH, barred_in_part),
    ("exchange", 2, {}, None), ("renewal", 3, {}, None)]


@pytest.mark.parametrize(("kind", "generation", "found", "fault"), FAULTS)
def test_who_is_refused_alone_is_left_by_the_same_name_and_keeps_nobody_else(kind, generation, found, fault):
    approver = builders.make_actor("approver")
    alone, among = (reviewed(kind, generation, found) for _ in range(2))
    others = [reviewed(kind, generation, found or None) for _ in range(4)]
    for case in (alone, among):
        if fault:
            fault(case)
    code = ""
    try:
        with transaction.atomic():
            approve(alone, approver)
    except Refusal as no:
        code = no.code
    except IntegrityError:
        code = "row-contradicts"
    assert code == "category-barred" or fault not in (barred, barred_in_part)
    done = approve_many([*others[:2], among, *others[2:]], approver)
    assert done == services.Done(5 - bool(code), {code: 1} if code else {})
    if code:
        case = Case.get(among.pk)
        assert (case.state, case.version) == ("reviewed", 1)
        assert not Event.objects.filter(subject="case", subject_id=among.pk).exists()
    assert {Case.get(case.pk).state for case in others} == {"ordered"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("chosen", [True, False])
def test_what_is_approved_one_by_one_is_kept_after_a_few_and_what_goes_by_sets_after_many(monkeypatch, chosen):
    monkeypatch.setattr(many, "ALONE", 2)
    approver = builders.make_actor("approver")

    def commits(kind: str, *more) -> int:
        cases = [reviewed(kind, *more) for _ in range(5)]
        with CaptureQueriesContext(connection) as seen:
            done = services.approve_many([case.pk for case in cases] if chosen else None, by=approver,
                                         request_id=builders.request_id(), at=NOON)
        assert (done.moved, dict(done.left)) == (5, {})
        return sum(query["sql"] == "COMMIT" for query in seen.captured_queries)

    assert commits("change", 3, HAND) == 3, "two, two and one"
    assert commits("renewal", 3) == 1


def test_a_repeat_of_the_request_moves_nothing_that_was_sent_back_since():
    approver, reviewer, key = builders.make_actor("approver"), builders.make_actor("reviewer"), builders.request_id()
    case = builders.make_case(state="confirmed")
    told = {"by": reviewer, "request_id": key, "at": NOON}
    assert services.review_many([case.pk], **told) == services.Done(1, {})
    services.take(Case.get(case.pk), "send_back_to_review", by=approver, request_id=builders.request_id(), at=NOON,
                  reason="photo of another person")
    assert services.review_many([case.pk], **told) == services.Done(0, {"step-not-open": 1})
    assert Case.get(case.pk).state == "confirmed"


def test_every_way_of_a_certificate_is_told_here():
    assert {kind for kind, _, _ in STORIES} == together.KINDS
