"""Rights of officers (三员分立): a system administrator asks, a security administrator permits, none for themselves."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from builders import NOON, make_actor, make_area, make_officer, request_id
from papers_brought import put_first
from stories import person
from visits import Visitor
from zhengka.accounts import demo, services
from zhengka.accounts.models import Officer
from zhengka.accounts.services import actor_of
from zhengka.areas.models import Area
from zhengka.areas.services import load as load_areas
from zhengka.cases import fronts
from zhengka.cases import services as cases
from zhengka.cli.officers import enrol_demo
from zhengka.config.env import PROJECT
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.keys import queries as key_queries
from zhengka.keys import services as keys
from zhengka.keys.models import PURPOSES
from zhengka.web.staff.words import KEY_PURPOSE_WORDS, PERMISSION_WORDS

pytestmark = pytest.mark.django_db
PASSWORD = "a long password"


def opened(by=None, *, person="staff-7", role="approver", key=None):
    """A new account that waits."""
    by = by or make_actor("system")
    account = services.Account("newcomer", "新来的", person, role, make_area(), PASSWORD)
    return services.open_account(account, by=by, request_id=key or request_id())


def permitted(officer, by=None, role=""):
    """The officer after the security administrator's permit."""
    return services.permit(officer, role=role or officer.wanted, by=by or make_actor("security"),
                           request_id=request_id())


# -- two persons ---------------------------------------------------------------------------------------------------


def test_a_new_account_can_do_nothing_until_another_administrator_permits_its_role():
    officer = opened()
    assert officer.state == "pending" and not actor_of(officer).permissions
    with pytest.raises(Refusal, match="login-wrong"):
        services.authenticate("newcomer", PASSWORD, at=NOON)
    officer = permitted(officer)
    assert (officer.state, officer.wanted, officer.first_password) == ("active", "", True)
    assert services.authenticate("newcomer", PASSWORD, at=NOON) == officer


def test_who_asked_does_not_permit_whatever_account_they_use():
    asker = make_actor("system", person="staff-1")
    officer = opened(asker)
    for role in ("security", "system"):
        with pytest.raises(Refusal, match="same-person" if role == "security" else "not-permitted"):
            permitted(officer, make_actor(role, person="staff-1"))
    assert Officer.get(officer.pk).state == "pending"


def test_nobody_permits_or_refuses_a_role_of_their_own_person():
    officer, oneself = opened(person="staff-7"), make_actor("security", person="staff-7")
    with pytest.raises(Refusal, match="own-account"):
        permitted(officer, oneself)
    with pytest.raises(Refusal, match="own-account"):
        services.refuse(officer, role="approver", reason="x", by=oneself, request_id=request_id())


@pytest.mark.parametrize("fields, constraint", [
    ({"state": "active", "wanted": "", "wanted_by": ""}, "officer_role_by_two_persons"),
    ({"state": "active", "wanted": "", "wanted_by": "", "asked_by": "a", "permitted_by": "a"},
     "officer_role_by_two_persons"),
    ({"asked_by": "staff-7"}, "officer_role_by_others"), ({"permitted_by": "staff-7"}, "officer_role_by_others"),
    ({"wanted_by": "staff-7"}, "officer_role_by_others"), ({"wanted": "", "wanted_by": ""}, "officer_waits_for_a_role"),
    ({"wanted_by": ""}, "officer_waits_for_a_role"), ({"state": "inactive"}, "officer_waits_for_a_role"),
    ({"wanted": "king"}, "officer_wanted_known"), ({"state": "known"}, "officer_state_known")])
def test_the_database_itself_refuses_a_role_without_two_other_persons(fields, constraint):
    officer = opened()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Officer.objects.filter(pk=officer.pk).update(**fields)


def test_an_account_asked_for_twice_by_one_form_is_made_once():
    key = request_id()
    system = make_actor("system")
    opened(system, key=key)
    with pytest.raises(Replayed):
        opened(system, key=key)
    assert Officer.objects.filter(username="newcomer").count() == 1


# -- another role --------------------------------------------------------------------------------------------------


def test_an_officer_keeps_the_present_role_until_the_other_one_is_permitted_and_has_it_from_the_next_request_on():
    clerk = make_officer("clerk")
    visitor, system, security = Visitor(clerk), Visitor(make_officer("system")), Visitor(make_officer("security"))
    system.act(reverse("staff:officer-appoint", args=[clerk.pk]), role="leader")
    assert visitor.get(reverse("staff:cards")).status_code == 200
    security.act(reverse("staff:permit-give", args=[clerk.pk]), role="leader")
    assert visitor.get(reverse("staff:cards")).status_code == 403
    assert visitor.get(reverse("staff:plan")).status_code == 200
    clerk = Officer.get(clerk.pk)
    assert clerk.asked_by != clerk.permitted_by and not clerk.installed


def test_a_role_that_was_changed_after_it_was_looked_at_is_not_permitted_unseen():
    officer = opened(role="clerk")
    services.appoint(officer, role="approver", by=make_actor("system"), request_id=request_id())
    with pytest.raises(Refusal, match="step-not-open"):
        permitted(officer, role="clerk")
    assert permitted(Officer.get(officer.pk), role="approver").role == "approver"


def test_a_role_is_refused_with_a_reason_that_the_history_keeps():
    officer, security = opened(), Visitor(make_officer("security"))
    url = reverse("staff:permit-refuse", args=[officer.pk])
    assert "Fill this in" in security.act(url, role="approver").content.decode()
    security.act(url, role="approver", reason="岗位已有人")
    officer = Officer.get(officer.pk)
    assert (officer.state, officer.wanted) == ("inactive", "")
    assert Event.objects.get(action="refuse").facts == {"role": "approver", "reason": "岗位已有人"}
    page = Visitor(make_officer("system")).get(reverse("staff:officer", args=[officer.pk])).content.decode()
    assert "岗位已有人" in page and "Role not permitted" in page


def test_who_is_refused_another_role_keeps_the_present_one():
    clerk = make_officer("clerk")
    services.appoint(clerk, role="approver", by=make_actor("system"), request_id=request_id())
    clerk = services.refuse(clerk, role="approver", reason="x", by=make_actor("security"), request_id=request_id())
    assert (clerk.state, clerk.role, clerk.wanted) == ("active", "clerk", "")


# -- closing -------------------------------------------------------------------------------------------------------


def test_sessions_of_a_closed_account_end_and_stay_ended_when_it_is_opened_again():
    clerk, system = make_officer("clerk"), Visitor(make_officer("system"))
    visitor = Visitor(clerk)
    assert visitor.get(reverse("staff:home")).status_code == 200
    system.act(reverse("staff:officer-deactivate", args=[clerk.pk]))
    assert visitor.get(reverse("staff:home")).status_code == 302
    system.act(reverse("staff:officer-reactivate", args=[clerk.pk]))
    assert Officer.get(clerk.pk).state == "pending"
    permitted(Officer.get(clerk.pk))
    assert visitor.get(reverse("staff:home")).status_code == 302
    assert Visitor(Officer.get(clerk.pk)).get(reverse("staff:home")).status_code == 200


# -- the pages -----------------------------------------------------------------------------------------------------


def test_the_security_administrator_finds_what_waits_and_what_the_role_would_allow():
    officer, security = opened(), Visitor(make_officer("security"))
    assert "Roles to permit" in security.get(reverse("staff:home")).content.decode()
    assert "新来的" in security.get(reverse("staff:permits")).content.decode()
    page = security.get(reverse("staff:permit", args=[officer.pk])).content.decode()
    assert "Approve cases" in page and "Import files" not in page and "Account opened" in page
    security.act(reverse("staff:permit-give", args=[officer.pk]), role="approver")
    assert "No role waits" in security.get(reverse("staff:permits")).content.decode()
    assert "No role waits here" in security.get(reverse("staff:permit", args=[officer.pk])).content.decode()


def test_every_permission_of_every_role_is_shown_in_words():
    page = Visitor(make_officer("security")).get(reverse("staff:permissions")).content.decode()
    assert all(str(word).replace("'", "&#x27;") in page for word in PERMISSION_WORDS.values())
    assert Visitor(make_officer("clerk")).get(reverse("staff:permissions")).status_code == 403


def test_the_security_administrator_sees_keys_by_their_check_values(settings, tmp_path):
    settings.HOME = tmp_path
    area = make_area()
    keys.ensure(area.code, "SM", at=NOON)
    page = Visitor(make_officer("security", area=area)).get(reverse("staff:keys")).content.decode()
    assert all(key.check_value in page for key in key_queries.of_province(area.code))
    assert "Master key of cards" in page and "In use" in page
    assert Visitor(make_officer("system")).get(reverse("staff:keys")).status_code == 403


def test_every_purpose_of_a_key_has_its_words():
    assert set(KEY_PURPOSE_WORDS) == set(PURPOSES)


def test_the_demo_s_officers_can_be_used_at_once_and_again_after_what_was_done_to_them(settings, tmp_path):
    settings.HOME = tmp_path
    load_areas(PROJECT / "data/areas/hunan-2018.toml")
    shown = enrol_demo()
    clerk = Officer.objects.get(username="clerk")
    services.reset_password(clerk, password="something else", by=actor_of(Officer.objects.get(username="system")),
                            request_id=request_id())
    permitted(services.appoint(clerk, role="leader", by=actor_of(Officer.objects.get(username="system")),
                               request_id=request_id()), actor_of(Officer.objects.get(username="security")))
    assert enrol_demo() == shown
    for one in shown:
        officer = services.authenticate(one.username, demo.password(), at=NOON)
        assert actor_of(officer).may("account.own") and officer.role == one.role and not officer.first_password
        told = Event.objects.filter(subject="officer", subject_id=officer.pk)
        assert list(told.order_by("version").values_list("action", flat=True)[:2]) == ["open", "install"]


def test_the_demo_has_a_street_and_its_county_each_with_the_rights_of_its_level(settings, tmp_path):
    settings.HOME = tmp_path
    load_areas(PROJECT / "data/areas/hunan-2018.toml")
    cases.load_ways()
    shown = {one.username: one for one in enrol_demo()}
    assert (shown["street"].office_zh, shown["county"].office) == ("武汉市硚口区示例街道", "Qiaokou District, Wuhan")
    street, county, reviewer, approver, city = (actor_of(Officer.objects.get(username=name)) for name in (
        "street", "county", "county-reviewer", "county-approver", "city"))
    unit = Area.objects.get(code=demo.COUNTY)
    assert list(fronts.deciders(street)) == [unit] and fronts.received_kinds(street, NOON.date()) == ("new",)
    told = {"request_id": request_id(), "at": NOON}
    case = cases.apply(person(), 4, unit, by=street, **told)
    case = cases.take(case, "precheck", by=street, request_id=request_id(), at=NOON)
    put_first(case)
    with pytest.raises(Refusal, match="office-wrong"):
        cases.take(case, "accept", by=street, request_id=request_id(), at=NOON, reason="材料在街道")
    case = cases.take(case, "accept", by=county, request_id=request_id(), at=NOON, reason="材料在街道")
    assert case.state == "accepted"
    assert [one.may("case.approve") for one in (county, reviewer, approver, city)] == [False, False, True, True]
