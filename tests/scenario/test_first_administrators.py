"""The first administrators of an installation: made at the machine itself, once, and never for another role."""

import threading

import pytest
from django.db import connection, transaction
from django.urls import reverse
from typer import testing

from builders import make_actor, make_area, request_id
from visits import Visitor
from zhengka.accounts.models import Officer
from zhengka.accounts.services import Account, install
from zhengka.cli.app import app
from zhengka.core.errors import Refusal
from zhengka.core.models import Event

pytestmark = pytest.mark.django_db
PASSWORD = "纸上得来终觉浅-1210"


def installed(role: str, username: str, *more: str, typed: str = f"{PASSWORD}\n") -> str:
    """What the command says to what is typed; a refusal is raised."""
    area = make_area().parent
    done = testing.CliRunner().invoke(app, [
        "officer", "install", role, "--username", username, "--name", "首任", "--person", f"staff-{username}", "--area",
        str(area.code), *more], input=typed)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_a_first_administrator_logs_in_and_must_choose_another_password_before_anything_else():
    assert "first login" in installed("system", "wu")
    visitor = Visitor(Officer.objects.get(username="wu"))
    page = visitor.get(reverse("staff:officers"))
    assert page.status_code == 302
    assert page.url.startswith(reverse("staff:account-password"))


def test_a_second_one_of_the_same_kind_is_left_to_the_pages():
    installed("security", "wu")
    with pytest.raises(Refusal, match="administrator-there"):
        installed("security", "zheng")


def test_a_first_administrator_is_told_of_as_an_act_of_the_platform_that_no_officer_can_do():
    installed("audit", "wu")
    officer = Officer.objects.get(username="wu")
    told = Event.objects.filter(subject="officer", subject_id=officer.pk).order_by("version")
    assert [(one.action, one.source, one.target, one.actor_id, one.person) for one in told] == [
        ("open", "", "pending", None, "system"), ("install", "pending", "active", None, "system")]
    assert (officer.state, officer.version) == ("active", 2)
    with pytest.raises(Refusal, match="not-permitted"):
        Officer.workflow.step("pending", "install").guards[0](officer, {"by": make_actor("security")})


@pytest.mark.django_db(transaction=True)
def test_of_two_that_are_installed_at_the_same_moment_the_second_is_refused():
    area, said = make_area(), []

    def second():
        try:
            said.append(install(Account("zheng", "郑", "staff-2", "system", area, PASSWORD), request_id=request_id()))
        except Refusal as no:
            said.append(no.code)
        finally:
            connection.close()
    other = threading.Thread(target=second)
    with transaction.atomic():
        install(Account("wu", "吴", "staff-1", "system", area, PASSWORD), request_id=request_id())
        other.start()
        other.join(2)
    other.join()
    assert said == ["administrator-there"]


def test_nobody_is_installed_under_the_staff_number_of_the_platform_itself():
    with pytest.raises(Refusal, match="own-account"):
        install(Account("wu", "吴", "system", "system", make_area(), PASSWORD), request_id=request_id())


@pytest.mark.parametrize("role", ["approver", "producer", "leader", "nobody"])
def test_no_other_role_is_installed_by_one_hand(role):
    with pytest.raises(Refusal, match="not-an-administrator"):
        installed(role, "wu")
    assert not Officer.objects.exists()


def test_a_password_that_anybody_guesses_is_refused():
    with pytest.raises(Refusal, match="password-weak"):
        installed("audit", "wu", typed="1234567890\n")


def test_no_password_is_an_empty_one_and_is_refused():
    with pytest.raises(Refusal, match="password-weak"):
        installed("audit", "wu", typed="")


def test_the_first_password_is_no_argument_that_the_list_of_processes_shows():
    assert "--password" in installed("audit", "wu", "--password", PASSWORD)
    assert not Officer.objects.exists()


def test_at_a_terminal_the_first_password_is_typed_twice_and_not_shown(monkeypatch):
    monkeypatch.setattr(testing._NamedTextIOWrapper, "isatty", lambda _self: True, raising=False)
    said = installed("audit", "wu", typed=f"{PASSWORD}\nanother one-1210\n{PASSWORD}\n{PASSWORD}\n")
    assert "do not match" in said and PASSWORD not in said
    assert Officer.objects.get(username="wu").check_password(PASSWORD)


def test_what_is_piped_in_is_the_first_password():
    assert PASSWORD not in installed("audit", "wu")
    assert Officer.objects.get(username="wu").check_password(PASSWORD)
