"""A month is settled with an operator: both sides reckon it from the same events; each yuan leads to one of them."""

import datetime as dt
import json
import secrets

import pytest
from django.db import IntegrityError, connection, transaction

from builders import NOON, make_actor, make_area, request_id
from gating import HOUR, OPERATOR, make_gate, make_wanted, upload
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.formats.verdict import CHINA
from zhengka.gates import queries, services
from zhengka.gates.models import Dispute, Statement, StatementLine, Visit

pytestmark = pytest.mark.django_db
MONTH = NOON.astimezone(CHINA).date().replace(day=1)
AFTER = NOON + dt.timedelta(days=40)
TARIFF = """
format = 1
operator = "test-bus"
source = "test"
[[price]]
from = 2020-01-01
service = "bus"
gives = "free"
fen = 200
companion = 50
"""


@pytest.fixture(autouse=True)
def own_data(settings, tmp_path, own_store):
    settings.DATA, settings.FILES = tmp_path, tmp_path / "files"
    (tmp_path / "tariffs").mkdir()
    (tmp_path / "tariffs" / "test-bus.toml").write_text(TARIFF)


def refused(code, act, *args, **told):
    with pytest.raises(Refusal) as no, transaction.atomic():
        act(*args, **told)
    assert no.value.code == code
    return no.value


def draft(*, by=None, at=AFTER, month=MONTH, key=None):
    return services.draft(make_area(), OPERATOR, month, by=by or make_actor("clerk", person="p-clerk"),
                          request_id=key or request_id(), at=at)


def do(act, row, *args, role="clerk", person="p-clerk"):
    return act(row, *args, by=make_actor(role, person=person), request_id=request_id(), at=AFTER)


def sent(gate, *said):
    upload(gate, *said)
    row = do(services.send, draft())
    services.sign_statement(row.pk, at=AFTER)
    row.refresh_from_db()
    return row


def test_a_statement_counts_each_voucher_once_and_adds_up_to_the_fen():
    first, second, code = make_gate("北门"), make_gate("南门"), secrets.token_bytes(10)
    upload(first, first.says("visit", companions=2), first.says("visit"), first.says("refusal", code="revoked"),
           first.says("issue", voucher=code), first.says("redeem", voucher=code))
    upload(second, second.says("redeem", voucher=code, at=NOON + HOUR))
    row = draft()
    assert (row.events, row.counted, row.fen) == (6, 3, 3 * 200 + 2 * 50)
    line = StatementLine.objects.get(statement=row)
    assert (line.service, line.uses, line.companions, line.fen) == ("bus", 3, 2, 700)


def test_an_event_is_in_one_statement_and_what_comes_late_is_settled_with_the_next_month():
    gate = make_gate()
    upload(gate, gate.says("visit"))
    first = draft()
    refused("statement-made", draft)
    upload(gate, gate.says("visit"), at=AFTER)
    upload(gate, gate.says("visit", at=NOON + dt.timedelta(days=300)), at=NOON + HOUR)  # a clock that runs far ahead
    next_month = (MONTH + dt.timedelta(days=40)).replace(day=1)
    second = draft(month=next_month, at=AFTER + dt.timedelta(days=40))
    assert (first.counted, second.counted) == (1, 2)
    assert not Visit.objects.filter(statement=None).exists()


def test_a_month_that_is_not_over_or_holds_nothing_is_not_settled():
    make_gate()
    refused("month-open", draft, at=NOON)
    refused("statement-empty", draft)
    refused("not-permitted", draft, by=make_actor("reviewer"))
    refused("not-found", draft, by=make_actor("clerk", area=make_area(430281, name="醴陵市")))


def test_asking_twice_makes_one_statement():
    gate, key = make_gate(), request_id()
    upload(gate, gate.says("visit"))
    draft(key=key)
    with pytest.raises(Replayed), transaction.atomic():
        draft(key=key)


def test_what_nobody_priced_is_not_settled_silently(settings, tmp_path):
    gate = make_gate()
    upload(gate, gate.says("visit", gives="half"))
    assert refused("tariff-missing", draft).facts["use"].startswith("bus half")
    (tmp_path / "other").mkdir()
    settings.DATA = tmp_path / "other"
    refused("tariff-missing", draft)


def test_the_platforms_own_lines_wait_until_they_are_signed():
    gate = make_gate()
    voucher = services.issue(make_wanted(), gate.post, request_id=request_id(), at=NOON)
    services.redeem(bytes(voucher.code), gate.post, request_id=request_id(), at=NOON)
    refused("statement-empty", draft)
    services.sign_own_events(at=NOON)
    assert draft().counted == 1


def test_a_draft_that_is_thrown_away_frees_its_events():
    gate = make_gate()
    upload(gate, gate.says("visit"))
    do(services.discard, draft())
    assert draft().counted == 1


def test_a_sent_statement_is_reckoned_again_from_its_file_alone():
    gate, other, code = make_gate("北门"), make_gate("南门"), secrets.token_bytes(10)
    upload(other, other.says("redeem", voucher=code, at=NOON + HOUR))
    row = sent(gate, *(gate.says("visit") for _ in range(5)), gate.says("redeem", voucher=code))
    data = queries.to_json(row)
    with connection.execute_wrapper(_no_database):
        found = services.check_file(data)
    assert (found.operator, found.month, found.events, found.counted, found.fen, found.signed) == (
        OPERATOR, f"{MONTH:%Y-%m}", 7, 6, 1200, True)
    rows = queries.to_csv(row).decode().splitlines()
    assert len(rows) == 8
    assert rows[0].startswith("gate,seq,at,kind")


def _no_database(*_args):
    raise AssertionError("the file alone is enough")


@pytest.mark.parametrize(("change", "why"), [
    (lambda whole, head: whole.update(format="x"), "file-shape"),
    (lambda whole, head: whole.pop("events"), "file-shape"),
    (lambda whole, head: whole["events"].pop(), "digest-wrong"),
    (lambda whole, head: whole["events"].append(whole["events"][0]), "event-twice"),
    (lambda whole, head: whole["events"][0].__setitem__(0, whole["events"][0][0].replace("bus", "bux")), "event-wrong"),
    (lambda whole, head: whole["keys"].clear(), "event-wrong"),
    (lambda whole, head: head.update(counted=9), "count-wrong"),
    (lambda whole, head: head.update(fen=head["fen"] + 1), "sum-wrong"),
    (lambda whole, head: head["prices"][0].update(fen=300), "lines-wrong"),
    (lambda whole, head: head["prices"].clear(), "lines-wrong"),
    (lambda whole, head: head.update(source="elsewhere"), "signature-wrong"),
], ids=lambda told: told if isinstance(told, str) else "changed")
def test_a_file_that_was_changed_is_refused_by_name(change, why):
    gate = make_gate()
    row = sent(gate, gate.says("visit"), gate.says("visit"))
    whole = json.loads(queries.to_json(row))
    head = json.loads(whole["head"])
    change(whole, head)
    whole["head"] = json.dumps(head, sort_keys=True, separators=(",", ":"))
    if why not in ("signature-wrong", "file-shape"):
        whole["signature"] = None  # as one who cannot sign would send it
    assert refused("statement-file-wrong", services.check_file, json.dumps(whole).encode()).facts["why"] == why


def test_what_is_no_json_is_no_statement():
    for data in (b"", b"[]", b"null", b"{}", b"[" * 100_000):
        refused("statement-file-wrong", services.check_file, data)


def test_a_disputed_event_that_is_upheld_is_reckoned_off_and_the_file_says_so():
    gate = make_gate()
    row = sent(gate, gate.says("visit"), gate.says("visit", at=NOON + HOUR))
    visit = Visit.objects.filter(statement=row).order_by("seq").first()
    refused("reason-missing", services.dispute, row, visit, " ", by=make_actor("clerk"), request_id=request_id(),
            at=AFTER)
    told = do(services.dispute, row, visit, "当天停运")
    row.refresh_from_db()
    assert row.state == "disputed"
    refused("dispute-again", do, services.dispute, row, visit, "当天停运")
    refused("disputes-open", do, services.agree, row)
    refused("same-person", do, services.decide, told, "uphold_dispute", role="approver")
    do(services.decide, told, "uphold_dispute", role="approver", person="p-approver")
    row = do(services.agree, row)
    assert (row.counted, row.fen, row.signature) == (1, 200, None)
    services.sign_statement(row.pk, at=AFTER)
    row.refresh_from_db()
    assert services.check_file(queries.to_json(row)).fen == 200


def test_a_disputed_event_that_is_rejected_stays_paid():
    gate = make_gate()
    row = sent(gate, gate.says("visit"))
    told = do(services.dispute, row, Visit.objects.get(), "查无此次")
    do(services.decide, told, "reject_dispute", role="approver", person="p-approver")
    row.refresh_from_db()
    assert do(services.agree, row).fen == 200


def test_a_dispute_is_of_an_event_that_the_statement_holds_and_of_one_that_was_sent():
    gate = make_gate()
    upload(gate, gate.says("visit"))
    row = draft()
    refused("step-not-open", do, services.dispute, row, Visit.objects.get(), "查无此次")
    upload(gate, gate.says("visit"), at=AFTER)
    other = Visit.objects.get(statement=None)
    refused("not-found", do, services.dispute, do(services.send, row), other, "查无此次")
    refused("not-permitted", do, services.dispute, row, other, "查无此次", role="reviewer")


def test_two_persons_close_a_statement_whatever_accounts_they_have():
    gate = make_gate()
    row = do(services.agree, sent(gate, gate.says("visit")))
    refused("same-person", do, services.close, row, role="approver")  # another account of the same person
    refused("not-permitted", do, services.close, row, person="p-other")
    assert do(services.close, row, role="approver", person="p-approver").closed_by == "p-approver"
    with pytest.raises(IntegrityError, match="statement_closed_by_another"), transaction.atomic():
        Statement.objects.update(closed_by="p-clerk")


def test_a_use_that_is_told_after_the_statement_was_sent_does_not_change_what_counts():
    first, second, code = make_gate("北门"), make_gate("南门"), secrets.token_bytes(10)
    row = sent(first, first.says("redeem", voucher=code, at=NOON + HOUR))
    upload(second, second.says("redeem", voucher=code, at=NOON))  # earlier, but told later
    assert list(Visit.objects.filter(counted=True).values_list("gate", flat=True)) == [first.pk]
    assert services.check_file(queries.to_json(row)).counted == 1
    later = next_sent()
    assert (later.counted, services.check_file(queries.to_json(later)).counted) == (0, 0)


def next_sent():
    return do(services.send, draft(month=(MONTH + dt.timedelta(days=40)).replace(day=1),
                                   at=AFTER + dt.timedelta(days=40)))


def test_logs_that_come_between_making_and_sending_change_what_is_sent_and_nothing_is_paid_twice():
    first, second, code = make_gate("北门"), make_gate("南门"), secrets.token_bytes(10)
    upload(first, first.says("redeem", voucher=code, at=NOON + HOUR), first.says("visit"), first.says("visit"))
    row = draft()
    upload(second, second.says("redeem", voucher=code, at=NOON), at=AFTER)  # the first use, told last
    upload(first, first.says("visit", seq=2, at=NOON + HOUR), at=AFTER)  # number 2 once more, with another content
    assert row.counted == 3
    row = do(services.send, row)
    after = next_sent()
    assert [(one.counted, one.fen) for one in (row, after)] == [(1, 200), (1, 200)]  # one visit; one use of the voucher
    for one in (row, after):
        found = services.check_file(queries.to_json(one))
        assert (found.counted, found.fen) == (1, 200)


def test_a_use_that_was_paid_keeps_its_place_though_its_gate_is_found_to_have_forked_later():
    first, second, code = make_gate("北门"), make_gate("南门"), secrets.token_bytes(10)
    row = sent(first, first.says("redeem", voucher=code, at=NOON + HOUR), first.says("visit"), first.says("visit"))
    upload(first, first.says("visit", seq=1), first.says("visit", seq=2, at=NOON + HOUR), at=AFTER)
    upload(second, second.says("redeem", voucher=code, at=NOON), at=AFTER)
    assert Visit.objects.get(voucher=code, counted=True).gate_id == first.pk
    assert (next_sent().counted, Visit.objects.filter(forked=True).count()) == (0, 4)
    told = do(services.dispute, row, Visit.objects.get(seq=3), "当天停运")
    do(services.decide, told, "uphold_dispute", role="approver", person="p-approver")
    row.refresh_from_db()
    row = do(services.agree, row)
    assert (row.counted, services.check_file(queries.to_json(row)).counted) == (2, 2)
    for change in ({"counted": False}, {"statement": None}):
        with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
            Visit.objects.filter(statement=row, counted=True).update(**change)


def test_the_database_holds_sums_and_reasons():
    gate = make_gate()
    row = sent(gate, gate.says("visit"))
    do(services.dispute, row, Visit.objects.get(), "查无此次")
    for change in (lambda: StatementLine.objects.update(fen=1), lambda: Statement.objects.update(counted=9),
                   lambda: Dispute.objects.update(why=""), lambda: Statement.objects.update(month="2026-01-02")):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_another_office_sees_no_statement(as_web):
    gate = make_gate()
    row = sent(gate, gate.says("visit"))
    other = make_area(430281, name="醴陵市")
    as_web(other.code, other.last)
    assert not Statement.objects.exists()
    assert not StatementLine.objects.exists()
    refused("not-found", queries.statement, row.pk, actor=make_actor("clerk", area=other))
