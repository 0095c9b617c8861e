"""Operators' programs: access by two persons, tokens for a secret, and what is refused by name (RFC 6749, RFC 6750)."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from builders import make_actor, make_area, request_id
from partnering import ask_token, asked, make_partner, token_of
from visits import Visitor
from zhengka.core.errors import Refusal
from zhengka.partners import services, tokens
from zhengka.partners.models import Partner, Secret
from zhengka.partners.rules import OVERLAP, TOKEN_LIVES
from zhengka.partners.services.tokens import CALLS, LOG_INS, WRONG

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everyone_begins_anew():
    for pace in (LOG_INS, WRONG, CALLS):
        pace.forget()


def now():
    return timezone.now()


def refused(code, do, *args, **kwargs):
    with pytest.raises(Refusal) as no:
        do(*args, **kwargs)
    assert no.value.code == code


def test_a_client_is_asked_for_by_one_person_and_permitted_by_another():
    area = make_area()
    one = make_actor("system", area=area, person="one")
    row = asked(area, by=one)
    assert row.state == "asked"
    refused("not-permitted", services.change, row, "permit", by=one, request_id=request_id(), at=now())
    same = make_actor("security", area=area, person="one")
    refused("same-person", services.change, row, "permit", by=same, request_id=request_id(), at=now())
    row = services.change(row, "permit", by=make_actor("security", area=area), request_id=request_id(), at=now())
    assert row.state == "active"
    with pytest.raises(IntegrityError, match="partner_by_two_persons"), transaction.atomic():
        Partner.objects.filter(pk=row.pk).update(permitted_by="one")


def test_nobody_of_another_office_enters_permits_or_sees_a_client():
    elsewhere = make_area(430702, name="武陵区")
    refused("not-found", asked, make_area(), by=make_actor("system", area=elsewhere))
    row = asked()
    refused("not-found", services.change, row, "permit", by=make_actor("security", area=elsewhere),
            request_id=request_id(), at=now())


@pytest.mark.parametrize("change", [
    "operator = 'another'", "client_id = repeat('a', 26)", "scopes = '{verify}'", "asked_by = 'somebody'"])
def test_what_was_granted_is_never_changed_in_place(change):
    row = make_partner().partner
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE partners_partner SET {change} WHERE id = %s", [row.pk])


def test_a_client_without_a_scope_or_with_one_that_is_none_is_refused_by_the_database():
    for scopes in ((), ("everything",)):
        with pytest.raises(IntegrityError, match="partner_scopes_known"), transaction.atomic():
            asked(scopes=scopes)


def test_a_secret_is_nowhere_in_the_database():
    shown = make_partner()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(s)::text || (SELECT string_agg(row_to_json(e)::text, '') FROM core_event e) "
                       "FROM partners_secret s")
        assert shown.secret not in "".join(row[0] for row in cursor.fetchall())


def test_a_right_secret_gets_a_token_for_ten_minutes():
    shown = make_partner(scopes=("verify", "status.read"))
    answer = ask_token(shown.partner.client_id, shown.secret)
    told = answer.json()
    assert answer.status_code == 200 and answer["Cache-Control"] == "no-store" and answer["Pragma"] == "no-cache"
    assert set(told) == {"access_token", "token_type", "expires_in", "scope"}
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 600, "verify status.read")
    caller = services.caller_of(told["access_token"], "verify", at=now())
    assert caller.partner == shown.partner and caller.operator == shown.partner.operator
    assert services.caller_of(told["access_token"], "verify", at=now() + TOKEN_LIVES - dt.timedelta(seconds=2))
    refused("token-wrong", services.caller_of, told["access_token"], "verify", at=now() + TOKEN_LIVES)


def test_a_token_may_carry_less_than_the_client_has_and_never_more():
    shown = make_partner(scopes=("verify", "status.read"))
    token = token_of(shown, "verify")
    assert services.caller_of(token, "verify", at=now()).scopes == ("verify",)
    refused("scope-missing", services.caller_of, token, "status.read", at=now())
    answer = ask_token(shown.partner.client_id, shown.secret,
                       "grant_type=client_credentials&scope=verify+statement.read")
    told = answer.json()
    assert (answer.status_code, told["error"], told["code"]) == (400, "invalid_scope", "scope-unknown")


def is_wrong_client(answer):
    told = answer.json()
    return (answer.status_code == 401 and answer["WWW-Authenticate"].startswith("Basic ")
            and set(told) == {"error", "error_description", "error_uri", "code"} and told["error"] == "invalid_client")


def test_unknown_stopped_waiting_and_wrong_are_answered_alike():
    shown, waiting = make_partner(), asked()
    answers = [ask_token("a" * 26, shown.secret), ask_token(shown.partner.client_id, "x" * 43),
               ask_token(waiting.client_id, shown.secret), ask_token("", ""), ask_token("\0", "x")]
    services.change(shown.partner, "stop", by=make_actor("system"), request_id=request_id(), at=now())
    answers.append(ask_token(shown.partner.client_id, shown.secret))
    assert all(is_wrong_client(answer) for answer in answers)
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("header", ["", "Bearer abc", "Basic", "Basic ???", "Basic YWJj", "Basic " + "QUFB" * 200])
def test_a_header_of_another_form_is_a_wrong_client(header):
    assert is_wrong_client(Visitor().post("/api/v1/oauth/token", "grant_type=client_credentials",
                                          content_type="application/x-www-form-urlencoded", HTTP_AUTHORIZATION=header))


@pytest.mark.parametrize("body, error, code", [
    ("", "invalid_request", "token-request-wrong"), ("grant_type=password", "unsupported_grant_type", "grant-unknown"),
    ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request", "token-request-wrong"),
    ("grant_type=client_credentials&scope=verify&scope=verify", "invalid_request", "token-request-wrong")])
def test_another_grant_and_whatever_is_said_twice_is_refused(body, error, code):
    shown = make_partner()
    answer = ask_token(shown.partner.client_id, shown.secret, body)
    assert (answer.status_code, answer.json()["error"], answer.json()["code"]) == (400, error, code)


def test_a_parameter_that_nobody_knows_is_passed_over():
    shown = make_partner()
    answer = ask_token(shown.partner.client_id, shown.secret, "grant_type=client_credentials&audience=x")
    assert answer.status_code == 200


def test_a_secret_in_the_body_or_json_opens_nothing():
    shown = make_partner()
    body = f"grant_type=client_credentials&client_id={shown.partner.client_id}&client_secret={shown.secret}"
    answer = Visitor().post("/api/v1/oauth/token", body, content_type="application/x-www-form-urlencoded")
    assert is_wrong_client(answer)


def test_an_older_secret_goes_on_for_some_days_beside_the_new_one():
    first = make_partner(at=now())
    second = services.new_secret(first.partner, by=make_actor("system"), request_id=request_id(), at=now())
    for secret in (first.secret, second.secret):
        assert ask_token(first.partner.client_id, secret).status_code == 200
    assert services.log_in(first.partner.client_id, first.secret, (), source="x", at=now() + OVERLAP * 0.9)
    refused("client-wrong", services.log_in, first.partner.client_id, first.secret, (), source="x", at=now() + OVERLAP)
    assert services.log_in(first.partner.client_id, second.secret, (), source="x", at=now() + OVERLAP)


def test_a_third_secret_ends_the_first_at_once():
    first = make_partner(at=now())
    for _ in range(2):
        services.new_secret(first.partner, by=make_actor("system"), request_id=request_id(), at=now())
    assert is_wrong_client(ask_token(first.partner.client_id, first.secret))
    with pytest.raises(IntegrityError, match="partner_secret_one_newest"), transaction.atomic():
        Secret.objects.filter(partner=first.partner).update(ends_at=None)


def test_a_leaked_secret_is_ended_at_once_with_the_tokens_it_got():
    first = make_partner(at=now())
    token = token_of(first)
    second = services.new_secret(first.partner, by=make_actor("system"), request_id=request_id(), at=now())
    services.end_secret(first.partner, by=make_actor("system"), request_id=request_id(), at=now())
    refused("token-wrong", services.caller_of, token, "verify", at=now())
    assert services.caller_of(token_of(second), "verify", at=now())
    refused("secret-not-there", services.end_secret, first.partner, by=make_actor("system"), request_id=request_id(),
            at=now())


@pytest.mark.parametrize("action, role", [("stop", "system"), ("shut_out", "security")])
def test_a_stopped_client_is_out_at_its_next_request_and_for_good(action, role):
    shown = make_partner()
    token = token_of(shown)
    row = services.change(shown.partner, action, by=make_actor(role), request_id=request_id(), at=now())
    refused("token-wrong", services.caller_of, token, "verify", at=now())
    refused("step-not-open", services.change, row, "permit", by=make_actor("security"), request_id=request_id(),
            at=now())


@pytest.mark.parametrize("place", range(0, 120, 7))
def test_a_token_in_which_one_character_was_changed_is_none(place):
    token = tokens.write(tokens.Token("a" * 26, 1, ("verify",), now() + TOKEN_LIVES), b"k" * 32)
    assert tokens.read(token, b"k" * 32, at=now()) and tokens.read(token, b"K" * 32, at=now()) is None
    place %= len(token)
    other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1:]
    assert tokens.read(other, b"k" * 32, at=now()) is None


@pytest.mark.parametrize("text", ["", ".", "a.b", "é.é", "A" * 5000, "a.b.c", "=.=", " . "])
def test_what_is_no_token_is_none(text):
    assert tokens.read(text, b"k" * 32, at=now()) is None


def test_a_token_has_one_text():
    token = tokens.write(tokens.Token("a" * 26, 1, ("verify",), now() + TOKEN_LIVES), b"k" * 32)
    for other in (token + "=", token + "\n", f" {token}", token.replace(".", "=.")):
        assert tokens.read(other, b"k" * 32, at=now()) is None


def test_who_guesses_secrets_waits_and_keeps_the_client_itself_not_out():
    shown = make_partner()
    answers = [ask_token(shown.partner.client_id, "x" * 43, REMOTE_ADDR=f"203.0.113.{place}")
               for place in range(WRONG.burst + 1)]
    assert [answer.status_code for answer in answers] == [401] * WRONG.burst + [429]
    assert answers[-1].json()["code"] == "too-many-requests" and int(answers[-1]["Retry-After"]) >= 1
    assert ask_token(shown.partner.client_id, shown.secret, REMOTE_ADDR="203.0.113.99").status_code == 200


def test_one_address_may_ask_for_so_many_tokens_and_no_more():
    answers = [ask_token("a" * 25 + chr(97 + place % 26), "x", REMOTE_ADDR="203.0.113.7").status_code
               for place in range(LOG_INS.burst + 1)]
    assert answers[-1] == 429 and answers[0] == 401
    shown = make_partner()
    assert ask_token(shown.partner.client_id, shown.secret, REMOTE_ADDR="203.0.113.8").status_code == 200
