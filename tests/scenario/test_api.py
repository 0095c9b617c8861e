"""The API: what it says, to whom, and how it says no."""


import pytest

from visits import Visitor
from zhengka.accounts.roles import PERMISSIONS
from zhengka.api.access import permission_of
from zhengka.api.v1 import api
from zhengka.core.pace import CHECKS

pytestmark = pytest.mark.django_db
PROBLEM_FIELDS = {"type", "title", "status", "code", "title_zh", "next", "next_zh", "facts", "errors", "reference"}


@pytest.fixture(autouse=True)
def everyone_begins_anew():
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
    assert named[0] == "" or named[0] in PERMISSIONS


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


def test_a_fault_of_ours_tells_a_reference_number_and_nothing_else(monkeypatch, caplog):
    def broken(*args, **kwargs):
        raise RuntimeError("holder 王建国")

    monkeypatch.setattr("zhengka.api.v1.status_lists.queries.publications", broken)
    answer = Visitor().get("/api/v1/status-lists")
    told = is_problem(answer, 500, "internal-fault")
    assert "王建国" not in answer.content.decode() and told["reference"] in caplog.text
