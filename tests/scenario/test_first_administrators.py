"""The first administrators of an installation: made at the machine itself, once, and never for another role."""

import pytest
from django.urls import reverse
from typer.testing import CliRunner

from builders import make_area
from visits import Visitor
from zhengka.accounts.models import Officer
from zhengka.cli.app import app
from zhengka.core.errors import Refusal

pytestmark = pytest.mark.django_db
PASSWORD = "纸上得来终觉浅-1210"


def installed(role: str, username: str, *, password: str = PASSWORD) -> str:
    """What the command says; a refusal is raised."""
    area = make_area().parent
    done = CliRunner().invoke(app, ["officer", "install", role, "--username", username, "--name", "首任", "--person",
                                    f"staff-{username}", "--area", str(area.code), "--password", password])
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


@pytest.mark.parametrize("role", ["approver", "producer", "leader", "nobody"])
def test_no_other_role_is_installed_by_one_hand(role):
    with pytest.raises(Refusal, match="not-an-administrator"):
        installed(role, "wu")
    assert not Officer.objects.exists()


def test_a_password_that_anybody_guesses_is_refused():
    with pytest.raises(Refusal, match="password-weak"):
        installed("audit", "wu", password="1234567890")
