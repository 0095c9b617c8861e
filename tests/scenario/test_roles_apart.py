"""Roles that exclude each other for one person (岗位互斥), whatever the accounts; and the wall around accounts."""

from importlib import import_module
from pathlib import Path

import pytest
from django.db import ProgrammingError, connection, transaction

from builders import make_actor, make_area, make_officer, request_id
from zhengka.accounts import apart, queries, services
from zhengka.accounts.models import Officer, Password
from zhengka.accounts.roles import ADMINISTRATORS, ROLES
from zhengka.core.dated import FileRefused
from zhengka.core.errors import Refusal
from zhengka.core.scope import enter, leave

pytestmark = pytest.mark.django_db
PASSWORD = "a long password"
HERE, THERE = 430104, 430702


def opened(role: str, *, person: str, area=None, username: str = "second"):
    account = services.Account(username, "两个账号", person, role, area or make_area(), PASSWORD)
    return services.open_account(account, by=make_actor("system", area=make_area(HERE)), request_id=request_id())


@pytest.mark.parametrize("first, second", [("system", "approver"), ("approver", "system"), ("security", "custodian"),
                                           ("system", "security"), ("audit", "system"), ("producer", "audit")])
def test_a_person_with_one_role_gets_no_account_with_a_role_that_excludes_it_in_any_office(first, second):
    make_officer(first, person="staff-7", area=make_area(THERE))
    with pytest.raises(Refusal, match="roles-apart"):
        opened(second, person="staff-7")


def test_roles_of_business_may_be_one_person_s():
    make_officer("clerk", person="staff-7")
    assert opened("producer", person="staff-7").state == "pending"


def test_a_closed_account_excludes_nothing_and_is_not_opened_again_beside_the_other_role():
    old = make_officer("system", person="staff-7")
    services.deactivate(old, by=make_actor("system"), request_id=request_id())
    assert opened("approver", person="staff-7").state == "pending"
    with pytest.raises(Refusal, match="roles-apart"):
        services.reactivate(Officer.get(old.pk), by=make_actor("system"), request_id=request_id())


def test_an_account_that_only_waits_excludes_too():
    opened("system", person="staff-7", username="first")
    with pytest.raises(Refusal, match="roles-apart"):
        opened("approver", person="staff-7")


def test_another_role_of_the_same_account_takes_the_place_of_the_first():
    officer = make_officer("system", person="staff-7")
    officer = services.appoint(officer, role="approver", by=make_actor("system"), request_id=request_id())
    assert services.permit(officer, role="approver", by=make_actor("security"), request_id=request_id()).role == (
        "approver")


def test_a_role_is_not_permitted_where_the_person_got_the_other_one_meanwhile():
    waits = opened("approver", person="staff-7")
    make_officer("security", person="staff-7")
    with pytest.raises(Refusal, match="roles-apart"):
        services.permit(waits, role="approver", by=make_actor("security"), request_id=request_id())


def test_where_no_file_speaks_administrators_have_no_other_role(monkeypatch):
    monkeypatch.setattr(queries, "apart", lambda: ())
    make_officer("audit", person="staff-7")
    with pytest.raises(Refusal, match="roles-apart"):
        opened("leader", person="staff-7")


def test_a_region_may_keep_more_roles_apart(tmp_path):
    text = Path("data/roles/apart.toml").read_text()
    (tmp_path / "a.toml").write_text(text)
    (tmp_path / "b.toml").write_text(text.replace('"000000"', '"430100"').replace(
        "[apart]", '[apart]\nproducer = ["approver"]'))
    files = apart.load(tmp_path)
    day = files[0].valid_from
    assert "producer" in apart.excluded(files, "approver", HERE * 10**6, day)
    assert "producer" not in apart.excluded(files, "approver", THERE * 10**6, day)
    for role in ADMINISTRATORS:
        assert apart.excluded(files, role, HERE * 10**6, day) == frozenset(ROLES) - {role}


@pytest.mark.parametrize("was, becomes, code", [
    ('"audit", "clerk", "reviewer", "approver", "assessor", "producer", "leader", "custodian"]\naudit',
     '"clerk"]\naudit', "administrators-joined"),
    ('"leader", "custodian"]', '"king"]', "value-unknown"), ("[apart]", "[apart]\nking = []", "field-unknown"),
    ("[ours] for roles", "", "toml-broken")])
def test_a_file_that_joins_two_administrators_or_names_no_role_is_refused(tmp_path, was, becomes, code):
    text = Path("data/roles/apart.toml").read_text()
    assert was in text
    becomes = becomes if code != "toml-broken" else '"'
    (tmp_path / "a.toml").write_text(text.replace(was, becomes))
    with pytest.raises(FileRefused, match=code):
        apart.load(tmp_path)


# -- the wall ------------------------------------------------------------------------------------------------------


def names(lo: int, hi: int) -> set[str]:
    """What the web's role reads of accounts, within a range of areas."""
    with transaction.atomic():
        enter(connection, lo, hi)
        found = set(Officer.objects.values_list("username", flat=True))
        leave(connection)
    return found


def test_accounts_are_seen_within_their_area_and_from_the_offices_above_alone():
    here, there = make_area(HERE), make_area(THERE)
    province = type(here).objects.get(code=430000_000000)
    own, other, above = (make_officer("approver", area=area).username for area in (here, there, province))
    assert names(here.code, here.last) == {own}
    assert names(there.code, there.last) == {other}
    assert names(province.code, province.last) == {own, other, above}
    assert names(1, 0) == set(), "without a login, nobody"


def hashes(lo: int, hi: int) -> set[str]:
    """Whose password's hash the web's role reads, within a range of areas."""
    with transaction.atomic():
        enter(connection, lo, hi)
        found = set(Password.objects.values_list("officer__username", flat=True))
        assert Password.objects.count() == len(found)
        leave(connection)
    return found


def test_a_name_that_offices_below_or_of_a_case_may_read_comes_without_its_password():
    here, there = make_area(HERE), make_area(THERE)
    province = type(here).objects.get(code=430000_000000)
    own, other, above = (make_officer("approver", area=area).username for area in (here, there, province))
    assert hashes(here.code, here.last) == {own}
    assert hashes(province.code, province.last) == {own, other, above}
    assert hashes(1, 0) == set(), "without a login, nobody's"
    columns = connection.introspection.get_table_description(connection.cursor(), "accounts_officer")
    assert "password" not in {column.name for column in columns}


def test_the_passwords_of_every_area_move_with_the_migration():
    accounts = {make_officer("clerk", area=make_area(code)).pk: f"hash of {code}" for code in (HERE, THERE)}
    Password.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE accounts_officer ADD COLUMN password text")
        for pk, known in accounts.items():
            cursor.execute("UPDATE accounts_officer SET password = %s WHERE id = %s", [known, pk])
        cursor.execute("SELECT set_config('app.lo', '1', true), set_config('app.hi', '0', true)")
        cursor.execute(import_module("zhengka.accounts.migrations.0009_passwords_apart").MOVE)
    assert dict(Password.objects.values_list("officer", "hash")) == accounts


def test_nobody_writes_an_account_of_another_area_or_of_an_office_above():
    here = make_area(HERE)
    province = type(here).objects.get(code=430000_000000)
    above = make_officer("approver", area=province)
    with transaction.atomic():
        enter(connection, here.code, here.last)
        assert Officer.objects.filter(pk=above.pk).update(role="clerk") == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            make_officer("clerk", area=province)
        leave(connection)
    assert Officer.get(above.pk).role == "approver"


def test_a_login_name_of_another_area_is_taken():
    make_officer("clerk", area=make_area(THERE))
    taken = Officer.objects.get(area=THERE * 10**6).username
    with transaction.atomic():
        here = make_area(HERE)
        by = make_actor("system", area=here)
        enter(connection, here.code, here.last)
        with pytest.raises(Refusal, match="username-taken"):
            services.open_account(services.Account(taken, "x", "staff-9", "clerk", here, PASSWORD), by=by,
                                  request_id=request_id())
        leave(connection)
