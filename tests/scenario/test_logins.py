"""Logging in: what an answer tells, what the journal keeps, whose password it is."""

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from builders import A_MOMENT, NOON, make_actor, make_officer, request_id
from visits import Visitor
from zhengka.accounts import services, tasks
from zhengka.accounts.models import Officer, TriedName
from zhengka.accounts.services import logins
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, perform
from zhengka.core.models import Event
from zhengka.core.pace import CHECKS
from zhengka.web.staff.sessions import LOGINS

pytestmark = pytest.mark.django_db
PASSWORD, OTHER = "a long password", "another long password"
LOGIN = "/staff/login"
OWN = {"old": PASSWORD, "new": OTHER, "again": OTHER}


@pytest.fixture(autouse=True)
def unhurried():
    LOGINS.forget()
    CHECKS.forget()


def officer_named(username, state="active", **more):
    """An officer whose login name is as long as another's, so that pages can be compared byte by byte."""
    officer = make_officer("clerk", password=PASSWORD)
    waits = {"wanted": "clerk", "wanted_by": "somebody"} if state == "pending" else {}
    Officer.objects.filter(pk=officer.pk).update(username=username, state=state, **waits, **more)
    return Officer.get(officer.pk)


def answer(name, password, visitor=None):
    """Status, headers and page of a try, without what differs between any two pages and without the name itself."""
    sent = (visitor or Visitor()).post(LOGIN, {"username": name, "password": password})
    page = re.sub(rb'(csrfmiddlewaretoken" value|name="request_id" value)="[^"]*"', b"", sent.content)
    return sent.status_code, sorted(sent.headers.items()), page.replace(name.encode(), b"NAME")


def logged_in(officer, password=PASSWORD):
    """A visitor who logged in by the page."""
    visitor = Visitor()
    assert visitor.post(LOGIN, {"username": officer.username, "password": password}).status_code == 302
    return visitor


def tell_lock_outs():
    """Let the worker do what waits, twice: a job may run again."""
    for job in ProcrastinateJob.objects.filter(task_name="accounts.note_lock_out"):
        tasks.note_lock_out(**job.args)
        tasks.note_lock_out(**job.args)


def acts(officer):
    """What happened to the account, in order."""
    return list(Event.objects.filter(subject="officer", subject_id=officer.pk).order_by("version").values_list(
        "action", flat=True))


# -- what an answer tells ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["active", "inactive", "pending"])
def test_a_name_that_exists_and_an_invented_one_get_the_same_pages_try_by_try(state):
    officer_named("real-name", state)
    tries = ["wrong"] * 5 + [PASSWORD, "wrong"]
    real = [answer("real-name", password) for password in tries]
    invented = [answer("fake-name", password) for password in tries]
    assert real == invented
    assert b"do not belong together" in real[4][2] and b"locked for 15 minutes" in real[5][2]


def questions(name, password):
    """The statements that a try asks of the database, without their values."""
    with CaptureQueriesContext(connection) as asked:
        answer(name, password)
    return [re.sub(r"'[^']*'(::\w+)?|\b\d+\b|\"s\d+_x\d+\"", "?", each["sql"]) for each in asked.captured_queries]


def test_a_name_that_exists_and_an_invented_one_cost_the_same_work(monkeypatch):
    checks = []
    verify = Argon2PasswordHasher.verify
    monkeypatch.setattr(Argon2PasswordHasher, "verify", lambda self, *told: checks.append(1) or verify(self, *told))
    officer_named("real-name")
    work = {name: [] for name in ("real-name", "fake-name")}
    for name, told in work.items():
        for _ in range(6):
            checks.clear()
            told.append((questions(name, "wrong"), len(checks)))
    assert work["real-name"] == work["fake-name"]
    assert [checked for _, checked in work["real-name"]] == [1, 1, 1, 1, 1, 0], "a locked name's password is not read"


def test_a_right_password_is_not_told_while_the_name_is_locked_and_works_at_the_very_end():
    officer = officer_named("real-name")
    for _ in range(services.TRIES):
        with pytest.raises(Refusal, match="login-wrong"):
            services.authenticate("real-name", "wrong", at=NOON)
    end = NOON + services.LOCKED_FOR
    with pytest.raises(Refusal, match="login-locked"):
        services.authenticate("real-name", PASSWORD, at=end - A_MOMENT)
    assert services.authenticate("real-name", PASSWORD, at=end) == officer
    assert not TriedName.objects.exists(), "a success forgets the wrong tries"


def test_wrong_tries_of_one_name_do_not_lock_another():
    officer_named("real-name")
    for _ in range(services.TRIES):
        answer("fake-name", "wrong")
    assert logged_in(Officer.objects.get(username="real-name"))


def test_what_is_counted_holds_no_name_and_is_forgotten_in_time():
    with pytest.raises(Refusal):
        services.authenticate("secret-name", "wrong", at=NOON)
    assert b"secret-name" not in bytes(TriedName.objects.get().name)
    with pytest.raises(Refusal):
        services.authenticate("other-name", "wrong", at=NOON + services.LOCKED_FOR + A_MOMENT)
    assert TriedName.objects.count() == 1


def test_the_names_that_are_counted_never_become_more_than_the_most(monkeypatch):
    monkeypatch.setattr(logins, "MOST_NAMES", 3)
    for number in range(6):
        with pytest.raises(Refusal):
            services.authenticate(f"name-{number}", "wrong", at=NOON + dt.timedelta(seconds=number))
    assert TriedName.objects.count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["real-name", "fake-name"])
def test_tries_at_the_same_moment_are_counted_one_by_one(name):
    officer_named("real-name")

    def one(_):
        try:
            services.authenticate(name, "wrong", at=NOON)
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(one, range(16)))
    assert told.count("login-wrong") == services.TRIES and told.count("login-locked") == 16 - services.TRIES


# -- what the journal keeps ----------------------------------------------------------------------------------------


def test_a_login_and_a_logout_are_events_of_the_account():
    officer = officer_named("real-name")
    logged_in(officer).post("/staff/logout")
    told = list(Event.objects.order_by("version").values_list("action", "version", "actor_id", "person", "facts"))
    assert told == [("log_in", 2, officer.pk, officer.person, {}), ("log_out", 3, officer.pk, officer.person, {})]


def test_a_lock_out_is_an_event_of_an_officer_and_of_nobody_for_an_invented_name():
    officer = officer_named("real-name")
    for name in ("real-name", "fake-name"):
        for _ in range(services.TRIES):
            answer(name, "wr0ng-secret")
    assert not Event.objects.exists(), "the answer does not wait for it"
    tell_lock_outs()
    event = Event.objects.get()
    assert (event.subject_id, event.action, event.actor_id, event.facts) == (officer.pk, "lock_out", None, {})
    kept = str(list(Event.objects.values())) + str(list(ProcrastinateJob.objects.values("args")))
    assert "wr0ng-secret" not in kept and "real-name" not in kept and "fake-name" not in kept


def test_nobody_logs_another_in_and_no_officer_locks_another_out():
    officer, other = make_officer("clerk"), make_actor("clerk")
    for action in ("log_in", "log_out", "lock_out", "change_password"):
        with pytest.raises(Refusal, match="not-permitted"):
            perform(officer, action, by=other, request_id=request_id())


@pytest.mark.parametrize("language, words", [
    ("en", ("Logged in", "Logged out", "Locked for 15 minutes after wrong tries", "Own password changed")),
    ("zh-hans", ("登录成功", "退出登录", "多次输错密码，锁定15分钟", "本人修改密码"))])
def test_the_journal_tells_logins_in_words(language, words):
    officer = officer_named("real-name")
    visitor = logged_in(officer)
    visitor.act(reverse("staff:account-password"), **OWN)
    visitor.post("/staff/logout")
    for _ in range(services.TRIES):
        answer("real-name", "wrong")
    tell_lock_outs()
    auditor = Visitor(make_officer("audit"))
    auditor.cookies["django_language"] = language
    page = auditor.get(reverse("staff:audit"), {"subject": "officer"}).content.decode()
    assert all(word in page for word in words) and "real-name" in page
    assert PASSWORD not in page and OTHER not in page


# -- whose password it is ------------------------------------------------------------------------------------------


def test_my_account_tells_who_i_am_and_when_i_logged_in_before():
    officer = officer_named("real-name")
    logged_in(officer)
    page = logged_in(officer).get(reverse("staff:account")).content.decode()
    assert "real-name" in page and "Clerk" in page and "岳麓区" in page
    assert page.count(", succeeded") == 2 and "Logged in" in page


def test_a_changed_password_ends_every_other_session_and_this_one_goes_on():
    officer = officer_named("real-name")
    here, elsewhere = logged_in(officer), logged_in(officer)
    assert here.act(reverse("staff:account-password"), **OWN).url == reverse("staff:account")
    assert here.get(reverse("staff:home")).status_code == 200
    assert elsewhere.get(reverse("staff:home")).status_code == 302
    assert b"do not belong" in answer("real-name", PASSWORD)[2] and logged_in(officer, OTHER)
    assert Event.objects.get(action="change_password").facts == {}


@pytest.mark.parametrize("form, said", [
    ({**OWN, "old": "not the password"}, "This is not your password"),
    ({**OWN, "again": "something else"}, "not the same password as above"),
    ({**OWN, "new": "password12", "again": "password12"}, "too common"),
    ({**OWN, "new": "short", "again": "short"}, "too short"),
    ({**OWN, "new": PASSWORD, "again": PASSWORD}, "The new password is the old one")])
def test_a_password_is_not_changed_to_what_does_not_fit(form, said):
    officer = officer_named("real-name")
    page = logged_in(officer).act(reverse("staff:account-password"), **form).content.decode()
    assert said in page and f'="{form["new"]}"' not in page and f'="{form["old"]}"' not in page
    assert logged_in(officer) and "change_password" not in acts(officer)


def test_whoever_took_a_session_does_not_guess_the_password_by_changing_it():
    officer = officer_named("real-name")
    visitor = logged_in(officer)
    pages = [visitor.act(reverse("staff:account-password"), **{**OWN, "old": f"guess {n}"}) for n in range(5)]
    assert all("not your password" in page.content.decode() for page in pages)
    assert "locked for 15 minutes" in visitor.act(reverse("staff:account-password"), **OWN).content.decode()


def test_a_change_that_is_sent_twice_is_made_once():
    officer, key = officer_named("real-name"), uuid4()
    change = {"old": PASSWORD, "new": OTHER, "by": services.actor_of(officer), "request_id": key, "at": NOON}
    services.change_password(officer, **change)
    with pytest.raises(Replayed):
        services.change_password(officer, **change)
    assert acts(officer) == ["change_password"]


def test_a_refusal_that_belongs_to_no_field_is_a_page_with_words_and_code():
    other, key = officer_named("other-name"), uuid4()
    services.change_password(other, old=PASSWORD, new=OTHER, by=services.actor_of(other), request_id=key, at=NOON)
    page = logged_in(officer_named("real-name")).act(reverse("staff:account-password"), **OWN, request_id=str(key))
    assert page.status_code == 409 and "request-id-reused" in page.content.decode()


def test_with_a_password_that_somebody_else_chose_nothing_is_open_but_the_page_to_change_it():
    officer = officer_named("real-name", first_password=True)
    visitor, there = logged_in(officer), reverse("staff:account-password")
    for page in ("home", "account", "holders", "cards"):
        assert visitor.get(reverse(f"staff:{page}")).url == there
    assert visitor.act(reverse("staff:cases-bulk"), action="confirm", all="1").url == there
    assert visitor.get("/api/v1/cards/4301041234567890/status").status_code == 403
    assert not services.actor_of(officer).may("holder.read"), "the services say no as well"
    assert "Somebody else chose your password" in visitor.get(there).content.decode()
    visitor.act(there, **OWN)
    assert visitor.get(reverse("staff:holders")).status_code == 200


def test_a_new_first_password_ends_the_sessions_and_the_lock_and_must_be_changed():
    officer, system = officer_named("real-name"), make_officer("system")
    visitor = logged_in(officer)
    for _ in range(services.TRIES):
        answer("real-name", "wrong")
    sent = Visitor(system).act(reverse("staff:officer-password", args=[officer.pk]), password=OTHER)
    assert sent.url == reverse("staff:officer", args=[officer.pk])
    assert visitor.get(reverse("staff:home")).url.startswith("/staff/login")
    assert logged_in(officer, OTHER).get(reverse("staff:home")).url == reverse("staff:account-password")
    assert Event.objects.get(action="reset_password").facts == {}


def test_nobody_gives_a_first_password_to_an_account_of_their_own_person():
    system = make_officer("system", person="staff-1")
    second = make_officer("clerk", person="staff-1", password=PASSWORD)
    answer_ = Visitor(system).act(reverse("staff:officer-password", args=[second.pk]), password=OTHER)
    assert answer_.status_code == 409 and logged_in(second)
