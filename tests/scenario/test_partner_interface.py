"""What operators' programs ask: cards at their own places, vouchers once, lists, receipts, statements — and no more."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

import gating
from builders import NOON, make_actor, make_area, request_id
from codes import code_of, finished
from partnering import Bearer, make_partner, token_of
from visits import Visitor
from zhengka.cards import services as cards
from zhengka.cli import sandbox
from zhengka.devices import services as devices
from zhengka.devices.models import Device
from zhengka.gates import services as gates
from zhengka.gates.models import Check, Dispute, Statement, Visit, Voucher
from zhengka.partners import services as partners
from zhengka.partners.models import Delivery
from zhengka.partners.services.tokens import CALLS, LOG_INS, WRONG

pytestmark = pytest.mark.django_db
OPERATOR, VENUE, SERVICE = sandbox.OPERATOR, sandbox.VENUE, sandbox.SERVICE
VERDICT = {"verdict", "colour", "accepted", "benefit", "companions", "message", "checked_at"}
VOUCHER = {"voucher", "state", "venue", "service", "benefit", "companions", "begins", "ends"}


@pytest.fixture(autouse=True)
def everyone_begins_anew(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"
    for pace in (LOG_INS, WRONG, CALLS):
        pace.forget()


def a_gate(area, *, operator=OPERATOR, venue=VENUE, name="一号闸机"):
    gate = devices.register(area, devices.About("gate", name, "站厅", "周敏"), by=make_actor("system", area=area),
                            request_id=request_id(), at=NOON)
    gates.stand(gate, gates.Place(operator, venue), by=make_actor("clerk", area=area), request_id=request_id(), at=NOON)
    return str(gate.pk)


class Program(Bearer):
    """A program of the metro, with a gate and all scopes."""

    def __init__(self, operator=OPERATOR, scope="", area=None):
        self.area = area or make_area()
        self.shown = make_partner(self.area, operator=operator, at=timezone.now())
        super().__init__(token_of(self.shown, scope))

    def act(self, path, key="", **body):
        extra = {"headers": {"Idempotency-Key": key}} if key else {}
        return self.send(f"/api/v1/partner/{path}", body, **extra)


def problem(answer, status, code):
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code), told
    assert answer["Content-Type"] == "application/problem+json"
    return told


def issued(program, gate, code):
    answer = program.act("vouchers", uuid4().hex, code=code, gate=gate, service=SERVICE)
    assert answer.status_code == 200, answer.content
    return answer.json()


# -- who may ask -------------------------------------------------------------------------------------------------------

ROUTES = [("post", "verify", "verify"), ("post", "vouchers", "voucher.issue"),
          ("post", "vouchers/redeem", "voucher.redeem"), ("post", "vouchers/cancel", "voucher.redeem"),
          *[("post", f"vouchers/{act}", "voucher.issue") for act in ("companion", "transfer", "look-up")],
          ("get", "feed", "status.read"), ("post", "receipts", "status.read"),
          ("get", "bundle/manifest.bin", "status.read"), ("get", "statements", "statement.read"),
          ("get", "statements/430104000000-2026-10", "statement.read"),
          ("get", "statements/430104000000-2026-10/disputes", "statement.read"),
          ("post", "statements/430104000000-2026-10/disputes", "statement.dispute")]


@pytest.mark.parametrize("method, path, scope", ROUTES)
def test_every_route_needs_a_token_with_its_scope(method, path, scope):
    url = f"/api/v1/partner/{path}"

    def ask(visitor):
        return visitor.get(url) if method == "get" else visitor.post(url, "{}", content_type="application/json")
    missing = ask(Visitor())
    problem(missing, 401, "token-missing")
    assert missing["WWW-Authenticate"] == 'Bearer realm="zhengka"', "no error is named where no token was shown"
    wrong = ask(Bearer("made.up"))
    problem(wrong, 401, "token-wrong")
    assert 'error="invalid_token"' in wrong["WWW-Authenticate"]
    other = next(one for _, _, one in ROUTES if one != scope)
    narrow = ask(Program(scope=other))
    problem(narrow, 403, "scope-missing")
    assert f'error="insufficient_scope", scope="{scope}"' in narrow["WWW-Authenticate"]
    assert ask(Program(scope=scope)).status_code not in (401, 403)


def test_an_officers_session_is_no_token():
    from builders import make_officer
    problem(Visitor(make_officer("system")).get("/api/v1/partner/feed"), 401, "token-missing")


def test_a_client_that_asks_too_often_waits():
    program = Program()
    for _ in range(CALLS.burst):
        CALLS.take(program.shown.partner.client_id, now=10**9)
    problem(program.get("/api/v1/partner/feed"), 429, "too-many-requests")


# -- cards -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("state, verdict, colour", [
    ("active", "valid", "green"), ("suspended", "suspended", "red"), ("issued", "not-activated", "red"),
    ("cancelled", "revoked", "red")])
def test_a_card_is_verified_at_a_place_of_ones_own(state, verdict, colour):
    card = finished(state)
    told = Program().act("verify", code=code_of(card), venue=VENUE, service=SERVICE).json()
    assert set(told) == VERDICT
    assert (told["verdict"], told["colour"], told["accepted"]) == (verdict, colour, colour == "green")
    text = json.dumps(told, ensure_ascii=False)
    assert card.holder.name not in text and card.serial not in text
    assert Check.objects.get().verdict == verdict


def test_an_operator_that_sees_only_the_verdict_is_told_no_price_and_no_companion():
    told = Program().act("verify", code=code_of(finished("active")), venue=VENUE, service=SERVICE).json()
    assert told["accepted"] and (told["benefit"], told["companions"]) == ("", 0)


def test_a_card_from_elsewhere_is_told_kindly_and_without_a_reason():
    card = finished("active", area=make_area(430702, name="武陵区"))
    told = Program().act("verify", code=code_of(card), venue=VENUE, service=SERVICE).json()
    assert (told["verdict"], told["colour"], told["accepted"]) == ("not-entitled", "neutral", False)


def test_another_place_and_an_operator_without_rules_give_nothing():
    code = code_of(finished("active"))
    assert Program().act("verify", code=code, venue="nowhere", service=SERVICE).json()["verdict"] == "not-our-place"
    problem(Program(operator="nobody").act("verify", code=code, venue=VENUE, service=SERVICE), 404, "operator-unknown")


@pytest.mark.parametrize("body", [{}, {"code": "1"}, {"code": "1", "venue": "x", "service": "y", "name": "王"},
                                  {"code": 1, "venue": "x", "service": "y"},
                                  {"code": "1", "venue": "a b", "service": "y"}])
def test_a_request_of_another_form_is_refused(body):
    problem(Program().act("verify", **body), 400, "request-invalid")


# -- vouchers ----------------------------------------------------------------------------------------------------------

def test_a_voucher_is_issued_once_for_one_key():
    program, card = Program(), finished("active")
    gate, key = a_gate(program.area), uuid4().hex
    body = {"code": code_of(card), "gate": gate, "service": SERVICE}
    first, again = program.act("vouchers", key, **body), program.act("vouchers", key, **body)
    assert first.status_code == again.status_code == 200 and first.json() == again.json()
    assert set(first.json()) == VOUCHER and Voucher.objects.count() == 1
    assert Visit.objects.filter(kind="issue").count() == 1
    problem(program.act("vouchers", key, **body | {"service": "bus"}), 422, "idempotency-key-reused")
    problem(program.act("vouchers", **body), 400, "idempotency-key-missing")


def test_a_voucher_is_redeemed_once_and_the_operator_is_told():
    program = Program()
    gate = a_gate(program.area)
    partners.subscribe(program.shown.partner, "https://hooks.example.org/", ["voucher.redeemed"],
                       by=make_actor("system", area=program.area), request_id=request_id(), at=NOON)
    voucher, key = issued(program, gate, code_of(finished("active")))["voucher"], uuid4().hex
    first = program.act("vouchers/redeem", key, voucher=voucher, gate=gate)
    assert first.status_code == 200 and first.json()["state"] == "redeemed"
    assert program.act("vouchers/redeem", key, voucher=voucher, gate=gate).json() == first.json()
    problem(program.act("vouchers/redeem", uuid4().hex, voucher=voucher, gate=gate), 409, "voucher-used")
    assert Visit.objects.filter(kind="redeem", counted=True).count() == 1
    told = json.loads(Delivery.objects.get().body)
    assert (told["event"], told["voucher"], told["venue"]) == ("voucher.redeemed", voucher, VENUE)
    assert not {"name", "subject", "serial", "holder", "category"} & told.keys()


def test_a_voucher_is_cancelled_and_then_not_redeemed():
    program = Program()
    gate = a_gate(program.area)
    voucher = issued(program, gate, code_of(finished("active")))["voucher"]
    assert program.act("vouchers/cancel", uuid4().hex, voucher=voucher, why="误发").json()["state"] == "cancelled"
    problem(program.act("vouchers/redeem", uuid4().hex, voucher=voucher, gate=gate), 409, "voucher-cancelled")
    problem(program.act("vouchers/cancel", uuid4().hex, voucher=voucher, why="误发"), 409, "step-not-open")


def test_a_voucher_is_moved_signed_anew_and_shared_with_a_companion_each_once(own_store):
    program, at = Program(), timezone.now()
    old = issued(program, a_gate(program.area), code_of(finished("active")))["voucher"]
    moving = {"voucher": old, "begins": (at + timedelta(days=1)).isoformat(), "key": uuid4().hex}
    new, again = (program.act("vouchers/transfer", **moving).json() for _ in "ab")
    assert new == again and set(new) == VOUCHER and new["begins"][:10] == moving["begins"][:10]
    problem(program.act("vouchers/transfer", **moving | {"key": uuid4().hex}), 409, "step-not-open")
    problem(program.act("vouchers/transfer", **moving | {"begins": "2026-11-20T12:00:00"}), 400, "request-invalid")
    for voucher, state in ((old, "cancelled"), (new["voucher"], "issued")):
        told = program.act("vouchers/look-up", voucher=voucher).json()
        assert (told["state"], told["text"]) == (state, "")
    row = Voucher.objects.get(state="issued")
    gates.sign_voucher(row.pk, at=at)
    text = program.act("vouchers/look-up", voucher=new["voucher"]).json()["text"]
    assert program.act("vouchers/look-up", voucher=text).json()["voucher"] == new["voucher"]
    problem(program.act("vouchers/companion", uuid4().hex, voucher=text), 409, "voucher-companions")
    Voucher.objects.filter(pk=row.pk).update(companions=1)
    key = uuid4().hex
    beside, same = (program.act("vouchers/companion", key, voucher=text).json() for _ in "ab")
    assert beside == same and (beside["companions"], beside["begins"]) == (0, new["begins"])
    problem(program.act("vouchers/companion", uuid4().hex, voucher=text), 409, "voucher-companions")
    told = program.act("vouchers/look-up", voucher=new["voucher"]).json()
    assert (told["companions"], told["text"]) == (0, ""), "signed anew, with one companion fewer"
    other = Program(operator="xiangtan-bus")
    for act, more in (("look-up", {}), ("companion", {}), ("transfer", {"begins": moving["begins"]})):
        problem(other.act(f"vouchers/{act}", uuid4().hex, voucher=text, **more), 404, "voucher-unknown")


def test_a_card_that_gets_nothing_gets_no_voucher():
    program = Program()
    told = problem(program.act("vouchers", uuid4().hex, code=code_of(finished("suspended")), gate=a_gate(program.area),
                               service=SERVICE), 422, "card-not-accepted")
    assert told["facts"] == {"verdict": "suspended"} and not Voucher.objects.exists()


def test_where_the_rule_gives_no_voucher_none_is_issued():
    program = Program()
    problem(program.act("vouchers", uuid4().hex, code=code_of(finished("active")), gate=a_gate(program.area),
                        service="bus"), 409, "voucher-not-given")


def test_gates_and_vouchers_of_another_operator_are_as_if_there_were_none():
    metro, other = Program(), Program(operator="xiangtan-bus")
    gate = a_gate(metro.area)
    own = a_gate(metro.area, operator="xiangtan-bus", venue="network", name="二号闸机")
    voucher = issued(metro, gate, code_of(finished("active")))["voucher"]
    theirs = [other.act("vouchers/redeem", uuid4().hex, voucher=voucher, gate=own),
              other.act("vouchers/cancel", uuid4().hex, voucher=voucher, why="x")]
    nobodys = [other.act("vouchers/redeem", uuid4().hex, voucher="A" * 16, gate=own),
               other.act("vouchers/cancel", uuid4().hex, voucher="A" * 16, why="x")]
    for one, none in zip(theirs, nobodys, strict=True):
        assert problem(one, 404, "voucher-unknown") == problem(none, 404, "voucher-unknown")
    foreign = other.act("vouchers/redeem", uuid4().hex, voucher="A" * 16, gate=gate)
    assert problem(foreign, 404, "voucher-unknown")
    problem(other.act("vouchers", uuid4().hex, code="1", gate=gate, service="bus"), 404, "gate-unknown")
    problem(other.act("vouchers", uuid4().hex, code="1", gate="9" * 14, service="bus"), 404, "gate-unknown")
    assert Voucher.objects.get().state == "issued"


def test_a_gate_that_was_reported_lost_gives_nothing():
    program = Program()
    gate = a_gate(program.area)
    devices.change(Device.objects.get(pk=int(gate)), "lose", by=make_actor("system", area=program.area),
                   request_id=request_id(), at=NOON)
    problem(program.act("vouchers", uuid4().hex, code=code_of(finished("active")), gate=gate, service=SERVICE), 403,
            "gate-shut-out")


@pytest.mark.parametrize("voucher", ["?" * 16, "1" * 16, "残" * 16,
                                     "https://evil.example/P/123456789012345678901234567890"])
def test_what_is_no_voucher_is_unknown(voucher):
    program = Program()
    problem(program.act("vouchers/redeem", uuid4().hex, voucher=voucher, gate=a_gate(program.area)), 404,
            "voucher-unknown")


# -- lists, receipts, statements ---------------------------------------------------------------------------------------

def test_the_feed_names_the_newest_lists_and_a_receipt_shows_its_delay():
    finished("suspended")
    program = Program()
    partners.subscribe(program.shown.partner, "https://hooks.example.org/", ["list.published"],
                       by=make_actor("system", area=program.area), request_id=request_id(), at=NOON)
    cards.publish_status_lists(at=timezone.now())
    [one] = program.get("/api/v1/partner/feed").json()["lists"]
    file = Visitor().get(one["url"])
    assert file.status_code == 200 and len(file.content) == one["size"]
    told = json.loads(Delivery.objects.get().body)
    assert {name: told[name] for name in ("list", "version", "digest", "size", "url")} == {
        name: one[name] for name in ("list", "version", "digest", "size", "url")}
    seen = program.act("receipts", list=one["list"], version=one["version"], what="seen").json()
    assert seen["in_force_at"] is None and seen["delay_seconds"] >= 0
    force = program.act("receipts", list=one["list"], version=one["version"], what="in-force").json()
    assert force["seen_at"] == seen["seen_at"] and force["in_force_at"] >= force["seen_at"]
    assert program.act("receipts", list=one["list"], version=one["version"], what="seen").json()["in_force_at"]
    answer = program.act("receipts", list=one["list"], version=one["version"] + 1, what="seen")
    assert answer.json()["code"] == "receipt-unknown"


def test_an_operators_own_bundle_is_for_its_token_alone():
    program = Program()
    folder = django_settings.HOME / "gates" / OPERATOR
    folder.mkdir(parents=True)
    (folder / "rulebook.json").write_bytes(b"{}")
    answer = program.get("/api/v1/partner/bundle/rulebook.json")
    assert answer.status_code == 200 and answer.content == b"{}" and answer["Cache-Control"].startswith("private")
    part = program.get("/api/v1/partner/bundle/rulebook.json", headers={"Range": "bytes=1-"})
    assert part.status_code == 206 and part.content == b"}"
    other = Program(operator="xiangtan-bus")
    problem(other.get("/api/v1/partner/bundle/rulebook.json"), 404, "no-such-address")
    assert program.get("/api/v1/partner/bundle/..%2fsecrets").status_code in (400, 404)


def test_a_statement_is_its_operators_alone_and_a_draft_nobodys():
    program, other = Program(), Program(operator="xiangtan-bus")
    for month, state in (("2026-10-01", "sent"), ("2026-11-01", "draft")):
        Statement.objects.create(province=43, area=program.area.pk, operator=OPERATOR, month=month, made_at=NOON,
                                 made_by="x", state=state, head="{}" if state == "sent" else "")
    listed = program.get("/api/v1/partner/statements").json()["statements"]
    assert [one["statement"] for one in listed] == [f"{program.area.pk}-2026-10"]
    assert other.get("/api/v1/partner/statements").json() == {"statements": []}
    name = listed[0]["statement"]
    theirs = other.get(f"/api/v1/partner/statements/{name}")
    draft = program.get(f"/api/v1/partner/statements/{program.area.pk}-2026-11")
    assert problem(theirs, 404, "not-found") == problem(draft, 404, "not-found")
    assert program.get(f"/api/v1/partner/statements/{name}").status_code == 200


def test_an_operator_disputes_an_event_of_its_own_statement_once_and_reads_what_became_of_it():
    program, other = Program(), Program(operator="xiangtan-bus")
    gate = gating.make_gate(area=program.area, operator=OPERATOR, venue=VENUE)
    gating.upload(gate, gate.says("visit", operator=OPERATOR))
    row = Statement.objects.create(province=43, area=program.area.pk, operator=OPERATOR, month="2026-10-01",
                                   made_at=NOON, made_by="x", state="sent", head="{}")
    Visit.objects.update(statement=row)
    path, key = f"statements/{program.area.pk}-2026-10/disputes", uuid4().hex
    said = {"event": bytes(Visit.objects.get().digest).hex(), "why": "当天停运"}
    problem(other.act(path, uuid4().hex, **said), 404, "not-found")
    problem(program.act(path, uuid4().hex, **said | {"event": "0" * 64}), 404, "not-found")
    first = program.act(path, key, **said)
    assert first.status_code == 200, first.content
    assert {name: first.json()[name] for name in ("event", "why", "state")} == said | {"state": "open"}
    assert program.act(path, key, **said).json() == first.json()
    problem(program.act(path, uuid4().hex, **said), 409, "dispute-again")
    row.refresh_from_db()
    assert row.state == "disputed"
    gates.decide(Dispute.objects.get(), "reject_dispute", by=make_actor("approver", area=program.area),
                 request_id=request_id(), at=NOON)
    [told] = program.get(f"/api/v1/partner/{path}").json()["disputes"]
    assert told["state"] == "rejected"
