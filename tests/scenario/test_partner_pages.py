"""Pages of operators' programs: entered by one, permitted by another, secrets shown once."""

import re
from uuid import uuid4

import pytest

from builders import make_actor, make_area, make_officer, request_id
from partnering import ask_token, asked, make_partner
from visits import Visitor
from zhengka.partners import services
from zhengka.partners.models import Delivery, Partner, Secret, Webhook
from zhengka.partners.rules import ADDRESS_FAULTS, DELIVERY_FAULTS, EVENTS, SCOPES
from zhengka.partners.services.tokens import LOG_INS, WRONG
from zhengka.web.staff.partner_words import EVENT_WORDS, FAULT_WORDS, SCOPE_WORDS, URL_WORDS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everyone_begins_anew():
    LOG_INS.forget()
    WRONG.forget()


def test_every_scope_event_and_fault_has_its_words():
    assert set(SCOPE_WORDS) == set(SCOPES) and set(EVENT_WORDS) == set(EVENTS)
    assert set(FAULT_WORDS) == set(DELIVERY_FAULTS) >= set(ADDRESS_FAULTS)
    assert set(URL_WORDS) == {"form", "login", "https", "host"}


def test_a_program_is_entered_permitted_and_given_a_secret_that_is_shown_once():
    area = make_area()
    system, security = (Visitor(make_officer(role, area=area)) for role in ("system", "security"))
    entered = system.act("/staff/partners/new", operator="changsha-transit", name="闸机后台", area=area.pk,
                         scopes=["verify", "status.read"])
    row = Partner.objects.get()
    page = f"/staff/partners/{row.pk}/"
    assert (entered.status_code, entered["Location"]) == (302, page)
    assert "Permit the access" not in system.get(page).content.decode()
    assert "Permit the access" in security.get(page).content.decode()
    assert security.act(f"{page}act/permit").status_code == 302
    key = str(uuid4())
    shown = system.post(f"{page}secret", {"request_id": key}).content.decode()
    secret = re.search(r'<code class="zk-typed">([\w-]{43})</code>', shown)[1]
    assert ask_token(row.client_id, secret).status_code == 200
    again = system.post(f"{page}secret", {"request_id": key}).content.decode()
    assert secret not in again and "zk-typed" not in again and Secret.objects.count() == 1
    assert secret not in system.get(page).content.decode()


def test_an_old_secret_is_ended_from_the_page():
    shown = make_partner()
    system = Visitor(make_officer("system", area=shown.partner.area))
    page = f"/staff/partners/{shown.partner.pk}/"
    system.act(f"{page}secret")
    assert ask_token(shown.partner.client_id, shown.secret).status_code == 200
    system.act(f"{page}end-secret")
    assert ask_token(shown.partner.client_id, shown.secret).status_code == 401


@pytest.mark.parametrize("role, action", [("system", "stop"), ("security", "shut_out")])
def test_who_stops_a_program_is_asked_a_second_time(role, action):
    shown = make_partner()
    officer = Visitor(make_officer(role, area=shown.partner.area))
    url = f"/staff/partners/{shown.partner.pk}/act/{action}"
    assert "for good" in officer.act(url).content.decode()
    assert Partner.objects.get().state == "active"
    assert officer.act(url, sure="1").status_code == 302 and Partner.objects.get().state == "stopped"


def test_a_webhook_is_entered_with_a_secret_shown_once_and_ended():
    partner = make_partner().partner
    system = Visitor(make_officer("system", area=partner.area))
    wrong = system.act(f"/staff/partners/{partner.pk}/webhook", url="http://10.0.0.1/", events=["list.published"])
    assert "begins with https://" in wrong.content.decode() and not Webhook.objects.exists()
    shown = system.act(f"/staff/partners/{partner.pk}/webhook", url="https://hooks.example.org/",
                       events=["list.published"]).content.decode()
    hook = Webhook.objects.get()
    assert re.search(r'<code class="zk-typed">[\w-]{43}</code>', shown)
    assert "zk-typed" not in system.get(f"/staff/webhooks/{hook.pk}/").content.decode()
    taken = system.act(f"/staff/partners/{partner.pk}/webhook", url="https://hooks.example.org/",
                       events=["list.published"])
    assert "at this address already" in taken.content.decode()
    assert "End this webhook" in system.act(f"/staff/webhooks/{hook.pk}/end").content.decode()
    system.act(f"/staff/webhooks/{hook.pk}/end", sure="1")
    assert Webhook.objects.get().state == "ended"


def test_what_was_given_up_is_sent_again_from_the_page():
    partner = make_partner().partner
    services.subscribe(partner, "https://hooks.example.org/", ["list.published"], by=make_actor("system"),
                       request_id=request_id(), at=partner.asked_at)
    services.tell("list.published", {"list": 0, "version": 1, "digest": "", "size": 1, "url": ""}, at=partner.asked_at)
    row = Delivery.objects.get()
    Delivery.objects.update(next_at=None, given_up_at=partner.asked_at, problem="redirected", tries=10)
    system = Visitor(make_officer("system", area=partner.area))
    page = system.get(f"/staff/webhooks/{row.webhook_id}/").content.decode()
    assert "It redirects, which is never followed" in page and f"/staff/deliveries/{row.pk}/again" in page
    assert system.act(f"/staff/deliveries/{row.pk}/again").status_code == 302
    assert Delivery.objects.get().next_at is not None


def test_who_holds_neither_permission_and_who_is_of_another_office_sees_nothing():
    row = asked()
    assert Visitor(make_officer("clerk", area=row.area)).get("/staff/partners/").status_code == 403
    elsewhere = Visitor(make_officer("system", area=make_area(430702, name="武陵区")))
    assert elsewhere.get(f"/staff/partners/{row.pk}/").status_code == 404
    assert row.name not in elsewhere.get("/staff/partners/").content.decode()


def test_a_security_administrator_permits_and_enters_nothing():
    row = asked()
    security = Visitor(make_officer("security", area=row.area))
    assert security.get("/staff/partners/new").status_code == 403
    assert security.act(f"/staff/partners/{row.pk}/secret").status_code == 403
    assert security.act(f"/staff/partners/{row.pk}/act/nothing").status_code == 404
