"""Who may open which page."""

import time

import pytest
from django.test import override_settings
from django.urls import reverse

from builders import make_area, make_officer, request_id
from visits import Visitor, routes
from zhengka.accounts.models import Officer
from zhengka.accounts.roles import PERMISSIONS, ROLES
from zhengka.core.models import Event
from zhengka.web.staff.sessions import LOGINS
from zhengka.web.staff.words import PERMISSION_WORDS, ROLE_WORDS

OURS = [(name, pattern) for name, pattern in routes() if pattern.callback.__module__.startswith("zhengka.web")]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name, pattern", OURS, ids=[name for name, _ in OURS])
def test_every_route_says_who_may_open_it(name, pattern):
    held = getattr(pattern.callback, "permissions", "forgotten")
    assert held != "forgotten", f"{name} carries neither requires(…) nor public"
    assert set(held or ()) <= PERMISSIONS, f"{name} names a permission that no role holds"


def test_every_role_and_every_permission_has_its_words():
    assert set(ROLE_WORDS) == set(ROLES) and set(PERMISSION_WORDS) == PERMISSIONS


def test_a_visitor_without_a_login_is_sent_to_the_login_page_and_back():
    answer = Visitor().get(reverse("staff:home"))
    assert answer.status_code == 302 and answer.url == "/staff/login?next=%2Fstaff%2F"


def test_a_role_without_the_permission_gets_the_refusal_in_words():
    answer = Visitor(make_officer("clerk")).get(reverse("staff:officers"))
    assert answer.status_code == 403
    assert "Your role does not include this act" in answer.content.decode()


def test_the_login_changes_the_session_and_the_logout_ends_it():
    make_officer("clerk", password="a long password")
    officer = Officer.objects.get(role="clerk")
    visitor = Visitor()
    visitor.get(reverse("staff:login"))
    visitor.session["planted"] = "before"
    form = {"username": officer.username, "password": "a long password"}
    assert visitor.post(reverse("staff:login"), form).url == reverse("staff:home")
    stolen = Visitor()
    stolen.cookies["sessionid"] = visitor.cookies["sessionid"].value
    assert stolen.get(reverse("staff:home")).status_code == 200
    visitor.post(reverse("staff:logout"))
    assert stolen.get(reverse("staff:home")).status_code == 302


def test_the_login_never_leads_to_another_site():
    officer = make_officer("clerk", password="a long password")
    form = {"username": officer.username, "password": "a long password", "next": "https://evil.example/"}
    assert Visitor().post(reverse("staff:login"), form).url == reverse("staff:home")


def test_five_wrong_tries_lock_the_name_and_the_page_says_so():
    officer = make_officer("clerk", password="a long password")
    visitor, form = Visitor(), {"username": officer.username, "password": "wrong"}
    pages = [visitor.post(reverse("staff:login"), form).content.decode() for _ in range(5)]
    assert all("do not belong together" in page and "wrong" not in page.split("<form")[-1].split("password")[-1][:200]
               for page in pages)
    right = visitor.post(reverse("staff:login"), {**form, "password": "a long password"})
    assert "locked for 15 minutes" in right.content.decode()


def test_one_address_cannot_try_names_without_end(monkeypatch):
    LOGINS.forget()
    visitor = Visitor()
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)  # a slow machine would let the pace recover between tries
    answers = [visitor.post(reverse("staff:login"), {"username": f"name-{n}"}).status_code for n in range(61)]
    assert answers[:60] == [200] * 60 and answers[60] == 429
    LOGINS.forget()


def test_another_role_holds_from_the_next_request_on():
    officer = make_officer("clerk")
    visitor = Visitor(officer)
    assert visitor.get(reverse("staff:officers")).status_code == 403
    Officer.objects.filter(pk=officer.pk).update(role="system")
    assert visitor.get(reverse("staff:officers")).status_code == 200
    Officer.objects.filter(pk=officer.pk).update(state="inactive")
    assert visitor.get(reverse("staff:officers")).status_code == 302


@pytest.mark.parametrize("demo", [False, True])
def test_the_demo_logins_are_shown_on_a_demo_server_only(demo):
    with override_settings(DEMO=demo):
        page = Visitor().get(reverse("staff:login")).content.decode()
    assert ("Officers of this demonstration" in page) is demo
    assert 'type="password" name="password" value' not in page


def test_people_s_pages_are_kept_in_no_cache():
    assert Visitor(make_officer("clerk")).get(reverse("staff:home")).headers["Cache-Control"] == "no-store"


def test_a_form_without_a_request_id_is_refused():
    officer, other = make_officer("system"), make_officer("clerk")
    answer = Visitor(officer).post(reverse("staff:officer-deactivate", args=[other.pk]))
    assert answer.status_code == 400
    other.refresh_from_db()
    assert other.is_active


def test_the_same_form_sent_twice_acts_once_and_answers_the_same():
    officer, other, key = make_officer("system"), make_officer("clerk"), str(request_id())
    visitor, url = Visitor(officer), reverse("staff:officer-deactivate", args=[other.pk])
    answers = [visitor.post(url, {"request_id": key}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Event.objects.filter(subject="officer", subject_id=other.pk).count() == 1


def test_an_account_that_is_opened_can_log_in_once_its_role_is_permitted():
    area = make_area()
    visitor = Visitor(make_officer("system", area=area))
    form = {"name": "李敏", "person": "staff-77", "role": "reviewer", "area": area.code, "username": "limin",
            "password": "correct horse battery"}
    assert visitor.act(reverse("staff:officer-new"), **form).status_code == 302
    login = {"username": "limin", "password": "correct horse battery"}
    assert "do not belong together" in Visitor().post(reverse("staff:login"), login).content.decode()
    opened = Officer.objects.get(username="limin")
    security = Visitor(make_officer("security", area=area))
    assert "李敏" in security.get(reverse("staff:permits")).content.decode()
    security.act(reverse("staff:permit-give", args=[opened.pk]), role="reviewer")
    assert Visitor().post(reverse("staff:login"), login).url == reverse("staff:home")
    assert "login name is taken" in visitor.act(reverse("staff:officer-new"), **form).content.decode()


def test_nobody_gives_rights_to_their_own_person():
    area = make_area()
    oneself = make_officer("system", area=area, person="staff-1")
    visitor = Visitor(oneself)
    form = {"name": "我", "person": "staff-1", "role": "approver", "area": area.code, "username": "second",
            "password": "correct horse battery"}
    assert visitor.act(reverse("staff:officer-new"), **form).status_code == 409
    assert visitor.act(reverse("staff:officer-appoint", args=[oneself.pk]), role="approver").status_code == 409
    oneself.refresh_from_db()
    assert oneself.role == "system" and not Officer.objects.filter(username="second").exists()


def test_the_auditor_sees_what_was_done_and_by_whom():
    system, other = make_officer("system"), make_officer("clerk")
    Visitor(system).act(reverse("staff:officer-deactivate", args=[other.pk]))
    page = Visitor(make_officer("audit")).get(reverse("staff:audit"), {"subject": "officer"}).content.decode()
    assert system.name in page and f"{other.pk} · v2" in page
