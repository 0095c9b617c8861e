"""The API: what it says, to whom, and how it says no."""

import datetime as dt
import hashlib
import json
import re
import time

import pytest
from django.db import connection
from django.utils import timezone

import gate_phone
from activating import make_active, post_activation
from builders import NOON, make_area, make_officer
from codes import code_of, finished
from lettering import SECRET, post_report
from partnering import Bearer, ask_token, make_partner, token_of
from visits import Visitor
from zhengka.accounts.roles import PERMISSIONS
from zhengka.api.access import permission_of
from zhengka.api.v1 import api, schema
from zhengka.cards import services as cards
from zhengka.core.pace import CHECKS
from zhengka.partners.rules import SCOPES

pytestmark = pytest.mark.django_db
PROBLEM_FIELDS = {"type", "title", "status", "code", "title_zh", "next", "next_zh", "facts", "errors", "reference"}


@pytest.fixture(autouse=True)
def everyone_begins_anew(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"
    CHECKS.forget()


def is_problem(answer, status, code):
    told = answer.json()
    assert answer.status_code == status and answer["Content-Type"] == "application/problem+json", answer.content
    assert set(told) == PROBLEM_FIELDS and told["status"] == status and told["code"] == code
    assert answer["Cache-Control"] == "no-store"
    return told


def operations():
    return [(path, operation) for router in api._get_bound_routers()
            for path, view in router.path_operations.items() for operation in view.operations]


@pytest.mark.parametrize("path, operation", operations(), ids=[path for path, _ in operations()])
def test_every_route_of_the_api_says_who_may_call_it(path, operation):
    named = [permission_of(auth) for auth in operation.auth_callbacks]
    assert len(named) == 1 and named[0] is not None, f"{path} names neither requires(…) nor public"
    assert named[0] == "" or named[0] in PERMISSIONS | SCOPES.keys()


def test_an_address_that_is_none_is_a_problem():
    told = is_problem(Visitor().get("/api/v1/nothing"), 404, "no-such-address")
    assert len(told["reference"]) == 8


def test_a_wrong_method_is_a_problem_that_names_the_right_ones():
    answer = Visitor().delete("/api/v1/status-lists")
    is_problem(answer, 405, "method-not-allowed")
    assert answer["Allow"] == "GET"


def test_the_type_of_a_problem_is_the_address_of_its_page():
    told = is_problem(Visitor().get("/api/v1/nothing"), 404, "no-such-address")
    page = Visitor().get(told["type"])
    assert page.status_code == 200 and told["title"] in page.content.decode()
    assert Visitor().get("/problems/never-heard-of").status_code == 404


def allowed_fields(kind):
    return {
        "verify": {"verdict", "colour", "accepted", "identity", "message", "reason", "issued_on", "valid_until",
                   "active_until", "checked_at"},
        "card-status": {"serial", "state", "standing", "issued_on", "valid_until", "active_until", "area",
                        "checked_at"},
        "status-lists": {"checked_at", "keys_url", "lists"},
        "status-list": {"number", "version", "published_at", "age_seconds", "blocked", "size", "digest", "url"},
    }[kind]


def verify(visitor, body):
    return visitor.post("/api/v1/verify", body if isinstance(body, str) else json.dumps(body),
                        content_type="application/json")


@pytest.mark.parametrize("state, verdict, colour", [
    ("active", "valid", "green"), ("suspended", "suspended", "red"), ("issued", "not-activated", "red"),
    ("cancelled", "revoked", "red")])
def test_a_card_is_verified_by_its_state_now(state, verdict, colour):
    card = finished(state)
    told = verify(Visitor(), {"code": code_of(card)}).json()
    assert set(told) == allowed_fields("verify")
    assert (told["verdict"], told["colour"], told["accepted"]) == (verdict, colour, colour == "green")
    assert told["valid_until"] == "2036-11-20"


def test_the_answer_says_nothing_about_the_person():
    card = finished("active")
    answer = verify(Visitor(), {"code": code_of(card)}).content.decode()
    assert card.holder.name not in answer and card.serial not in answer and "category" not in answer


def test_a_forged_code_is_an_answer_and_not_a_problem():
    card = finished("active")
    code = code_of(card)
    changed = code[:-1] + str((int(code[-1]) + 1) % 10)
    told = verify(Visitor(), {"code": changed}).json()
    assert (told["verdict"], told["accepted"], told["valid_until"]) == ("signature-wrong", False, None)
    assert verify(Visitor(), {"code": "https://evil.example/V/123"}).json()["verdict"] == "not-our-code"


def test_a_genuine_code_that_was_printed_under_another_host_is_refused(settings):
    code = code_of(finished("active"))
    trap = f"HTTPS://EVIL.EXAMPLE/V/{code.rpartition('/')[2]}"
    told = verify(Visitor(), {"code": trap}).json()
    assert (told["verdict"], told["reason"], told["colour"]) == ("not-our-code", "foreign-host", "red")
    assert verify(Visitor(), {"code": code.rpartition("/")[2]}).json()["accepted"]
    settings.CODE_HOSTS |= {"evil.example"}  # as a host from before the site moved
    assert verify(Visitor(), {"code": trap}).json()["accepted"]


def test_an_officer_of_another_unit_verifies_like_everybody():
    card = finished("active")
    officer = make_officer("clerk", area=make_area(430702, name="武陵区"))
    assert verify(Visitor(officer), {"code": code_of(card)}).json()["verdict"] == "valid"


@pytest.mark.parametrize("body, field", [
    ({"code": "1", "name": "王"}, "body.name"), ({}, "body.code"), ({"code": 12345}, "body.code"),
    ({"code": ""}, "body.code"), ({"code": "1" * 5000}, "body.code"), ("not json", ""), ("[]", "")])
def test_a_request_of_another_form_is_refused_by_field(body, field):
    told = is_problem(verify(Visitor(), body), 400, "request-invalid")
    if field:
        assert field in [fault["field"] for fault in told["errors"]]


def test_who_asks_too_often_waits():
    for _ in range(CHECKS.burst):
        CHECKS.take("203.0.113.77", now=time.monotonic() + 3600)  # later requests refill nothing
    answer = verify(Visitor(REMOTE_ADDR="203.0.113.77"), {"code": "1"})
    is_problem(answer, 429, "too-many-requests")
    assert int(answer["Retry-After"]) >= 1
    assert verify(Visitor(REMOTE_ADDR="203.0.113.78"), {"code": "1"}).status_code == 200


def test_the_state_of_a_card_is_for_officers_of_its_area():
    card = finished("suspended")
    url = f"/api/v1/cards/{card.serial}/status"
    is_problem(Visitor().get(url), 401, "login-needed")
    is_problem(Visitor(make_officer("system")).get(url), 403, "not-permitted")
    elsewhere = Visitor(make_officer("clerk", area=make_area(430702, name="武陵区")))
    refused = is_problem(elsewhere.get(url), 404, "not-found")
    assert refused == is_problem(elsewhere.get("/api/v1/cards/9999999999999999/status"), 404, "not-found")
    told = Visitor(make_officer("clerk")).get(url).json()
    assert set(told) == allowed_fields("card-status")
    assert (told["state"], told["standing"], told["area"]) == ("suspended", "suspended", "430104")


def test_a_serial_of_another_form_is_refused():
    is_problem(Visitor(make_officer("clerk")).get("/api/v1/cards/12/status"), 400, "request-invalid")


def test_the_status_lists_are_told_with_version_age_and_digest():
    cards.publish_status_lists(at=NOON)
    finished("suspended")
    cards.publish_status_lists(at=NOON)
    told = Visitor().get("/api/v1/status-lists").json()
    assert set(told) == allowed_fields("status-lists") and told["keys_url"] == "/bundle/keys.json"
    (one,) = told["lists"]
    assert set(one) == allowed_fields("status-list") and (one["version"], one["blocked"]) == (
        int(NOON.timestamp()), 1)
    file = Visitor().get(one["url"])
    assert file.status_code == 200 and hashlib.sha256(file.content).hexdigest() == one["digest"]


def test_a_fault_of_ours_tells_a_reference_number_and_nothing_else(caplog):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cards_statuspublication RENAME TO gone")
    answer = Visitor().get("/api/v1/status-lists")
    told = is_problem(answer, 500, "internal-fault")
    assert "statuspublication" not in answer.content.decode() and told["reference"] in caplog.text


def test_the_description_is_openapi_and_the_answers_keep_to_it(settings):
    settings.SMS_SECRET = settings.PORTAL_SECRET = SECRET
    described = Visitor().get("/api/v1/openapi.json").json()
    assert described == json.loads(json.dumps(schema())) and described["openapi"].startswith("3.1")
    assert described["info"]["title"] and described["info"]["version"] == "1"
    card, ending = finished("active"), make_active(timezone.localdate() + dt.timedelta(10))
    officer = make_officer("clerk")
    cards.publish_status_lists(at=NOON)
    answers = {
        ("/api/v1/verify", "post"): [verify(Visitor(), {"code": code_of(card)}), verify(Visitor(), {})],
        ("/api/v1/cards/{serial}/status", "get"): [
            Visitor().get(f"/api/v1/cards/{card.serial}/status"),
            *(Visitor(officer).get(f"/api/v1/cards/{serial}/status") for serial in (card.serial, "9" * 16, "1"))],
        ("/api/v1/status-lists", "get"): [Visitor().get("/api/v1/status-lists")],
        ("/api/v1/letters/reports", "post"): [
            post_report(b'{"reports": [{"id": "1", "reference": "r", "outcome": "delivered"}]}'), post_report(b"{}"),
            Visitor().post("/api/v1/letters/reports")],
        ("/api/v1/activations", "post"): [
            *(post_activation(serial, "P-1") for serial in (ending.serial, ending.serial, "9" * 16, "1")),
            Visitor().post("/api/v1/activations")],
    }
    answers |= partner_answers(card)
    answers |= gate_phone.answers(make_area())
    assert {(path, method) for path, methods in described["paths"].items() for method in methods} == set(answers)
    for (path, method), given in answers.items():
        for answer in given:
            kept = described["paths"][path][method]["responses"][str(answer.status_code)]["content"]
            conform(answer.json(), kept[answer["Content-Type"].split(";")[0]]["schema"], described)


def partner_answers(card):
    """What programs of operators get: each route with and without a token, and what it refuses by name."""
    shown = make_partner(operator="changsha-transit", at=timezone.now())
    program, root = Bearer(token_of(shown)), "/api/v1/partner/"
    place = {"code": code_of(card), "venue": "network", "service": "metro"}
    voucher = {"voucher": "A" * 16, "gate": "1"}
    posts = {"verify": [place, {}], "receipts": [{"list": 0, "version": 1, "what": "seen"}, {}],
             "vouchers": [{"code": "1", "gate": "1", "service": "metro"}, {}], "vouchers/redeem": [voucher, {}],
             "vouchers/cancel": [{"voucher": "A" * 16, "why": "x"}, {}],
             "vouchers/companion": [{"voucher": "A" * 16}, {}], "vouchers/look-up": [{"voucher": "A" * 16}, {}],
             "vouchers/transfer": [{"voucher": "A" * 16, "begins": "2030-01-01T00:00:00Z"}, {}]}
    bad = [{"event": "0" * 64, "why": "x"}, {}]
    gets = {"feed": "feed", "statements": "statements", "bundle/{name}": "bundle/none.bin",
            "statements/{name}": "statements/430104000000-2026-10",
            "statements/{name}/disputes": "statements/430104000000-2026-10/disputes"}
    found = {(root + path, "post"): [
        Visitor().post(root + path), *(program.send(root + path, body, headers={"Idempotency-Key": f"{path}-{place}"})
                                       for place, body in enumerate(bodies))] for path, bodies in posts.items()}
    found |= {(root + path, "get"): [Visitor().get(root + url), program.get(root + url)] for path, url in gets.items()}
    url = root + gets["statements/{name}/disputes"]
    found[root + "statements/{name}/disputes", "post"] = [
        Visitor().post(url), *(program.send(url, body, headers={"Idempotency-Key": f"dispute-{place}"})
                               for place, body in enumerate(bad))]
    return found | {("/api/v1/oauth/token", "post"): [
        ask_token(shown.partner.client_id, shown.secret), ask_token(shown.partner.client_id, "x"),
        ask_token(shown.partner.client_id, shown.secret, "")]}


def test_every_reference_of_the_description_leads_somewhere_and_every_operation_is_told():
    described = schema()
    text = json.dumps(described)
    for name in re.findall(r'"#/components/schemas/(\w+)"', text):
        assert name in described["components"]["schemas"]
    operations_told = [operation for methods in described["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations_told}) == len(operations_told)
    assert all(each["summary"] and each["description"] and each["responses"] for each in operations_told)
    for name, model in described["components"]["schemas"].items():
        assert model["type"] == "object" and set(model["required"]) == set(model["properties"]), name


KINDS = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}


def conform(value, wanted, described):
    """A small check of JSON Schema: the words that our description uses, and nothing beyond what it names."""
    if "$ref" in wanted:
        return conform(value, described["components"]["schemas"][wanted["$ref"].rsplit("/", 1)[1]], described)
    if "anyOf" in wanted:
        assert any(isinstance(value, KINDS[each["type"]]) for each in wanted["anyOf"]), (value, wanted)
        return None
    if "allOf" in wanted:
        return [conform(value, each, described) for each in wanted["allOf"]]
    assert isinstance(value, KINDS[wanted["type"]]), (value, wanted)
    if wanted["type"] == "array":
        return [conform(each, wanted["items"], described) for each in value]
    if wanted["type"] == "object" and "properties" in wanted:
        assert set(value) == set(wanted["properties"]), (value, wanted)
        return [conform(value[name], each, described) for name, each in wanted["properties"].items()]
    return None
