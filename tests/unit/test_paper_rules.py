"""Which papers a case needs, by kind, person, route, area and day."""

from datetime import date
from pathlib import Path

import pytest

from zhengka.cases.rules import ROUTES as CASE_ROUTES
from zhengka.cases.workflow import KINDS
from zhengka.core.dated import FileRefused, parse
from zhengka.papers import rules
from zhengka.papers.rules import PAPERS, CaseOf, load, required, requirements

DATA = Path(__file__).resolve().parents[2] / "data/papers"
FILES = load(DATA)
CHANGSHA, TODAY = 430104_000000, date(2026, 11, 20)


def needed(kind: str, **more) -> set[str]:
    return {need.paper for need in required(FILES, CaseOf(kind, CHANGSHA, TODAY, **more))}


def test_a_first_application_needs_id_card_household_register_form_and_photo():
    assert needed("new") == {"id-card", "household-register", "application-form", "photo"}


@pytest.mark.parametrize("more", [{"minor": True}, {"categories": frozenset({5})}, {"categories": frozenset({6})},
                                  {"categories": frozenset({7, 4, 6})}])
def test_a_guardian_is_proved_for_minors_and_for_intellectual_and_mental_disability(more):
    assert "guardian-proof" in needed("new", **more)
    assert "guardian-proof" not in needed("new", categories=frozenset({1, 2, 3, 4}))


def test_away_from_home_a_residence_permit_is_asked_for():
    assert "residence-permit" in needed("new", route="cross-province")
    assert "residence-permit" not in needed("new")


def test_a_kind_that_the_route_s_file_does_not_name_goes_by_the_local_one():
    assert needed("correction", route="cross-province") == needed("correction")


@pytest.mark.parametrize(("reason", "paper"), [("death", "death-proof"), ("own-wish", "written-request")])
def test_a_cancellation_needs_what_its_reason_asks_for(reason, paper):
    assert needed("cancellation", reason=reason) == {paper}


def test_a_loss_needs_its_report():
    assert "loss-report" in needed("loss")


def test_before_the_measures_no_file_speaks():
    assert required(FILES, CaseOf("new", CHANGSHA, date(2017, 12, 31))) is None


def test_every_kind_of_case_is_named_and_no_other():
    assert {kind for one in FILES if one.route == "local" for kind in one.rules} == set(KINDS)
    assert {kind for one in FILES for kind in one.rules} <= set(KINDS)
    assert set(rules.ROUTES) == set(CASE_ROUTES)


TEXT = """
format = 1
code = "{code}"
area = "{area}"
valid_from = {since}
source = "a test"
[[need]]
cases = ["new"]
paper = "{paper}"
clause_zh = "第一条"
clause = "art. 1"
"""


def file(code: str = "a", area: str = "000000", since: str = "2018-01-01", paper: str = "id-card", more: str = ""):
    return requirements(parse((TEXT.format(code=code, area=area, since=since, paper=paper) + more).encode(), "t.toml"))


def test_the_narrowest_area_wins_and_of_two_of_one_area_the_later():
    found = [file(), file("b", "430000", paper="other"), file("c", "430000", "2026-11-21", "hospital-record")]
    for area, day, paper in ((440100_000000, TODAY, "id-card"), (CHANGSHA, TODAY, "other"),
                             (CHANGSHA, date(2026, 11, 21), "hospital-record")):
        assert [need.paper for need in required(found, CaseOf("new", area, day))] == [paper]


@pytest.mark.parametrize(("old", "new", "code"), [
    ('"id-card"', '"passport"', "value-unknown"), ('cases = ["new"]', "cases = []", "kind-unknown"),
    ('clause = "art. 1"', 'clause = ""', "source-missing"), ('clause_zh = "第一条"', "", "field-missing"),
    ('source = "a test"', 'source = ""', "source-missing"),
    ('clause = "art. 1"', 'clause = "art. 1"\ncategories = [8]', "value-out-of-range"),
    ('clause = "art. 1"', 'clause = "art. 1"\nminor = true', "field-unknown"),
    ('clause = "art. 1"', 'clause = "art. 1"\nminors = 1', "field-missing"),
    ('clause = "art. 1"', 'clause = "art. 1"\nmay_follow = "later"', "field-missing"),
    ('clause = "art. 1"', 'clause = "[ours] we ask for it"', "text-unfit"),
    ('clause_zh = "第一条"', 'clause_zh = "第一条*"', "text-unfit"),
    ('source = "a test"', 'source = "a test"\nroute = "by-sea"', "value-unknown"),
    ('clause = "art. 1"', 'clause = "art. 1"\n[[none]]\ncases = ["new"]\nclause = "art. 2"', "kind-twice"),
])
def test_a_file_with_a_mistake_is_refused_with_the_reason(old, new, code):
    text = TEXT.format(code="a", area="000000", since="2018-01-01", paper="id-card").replace(old, new)
    with pytest.raises(FileRefused) as refused:
        requirements(parse(text.encode(), "t.toml"))
    assert refused.value.code == code


def test_two_files_that_say_the_same_place_and_day_are_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(TEXT.format(code=name, area="000000", since="2018-01-01", paper="other"))
    with pytest.raises(FileRefused) as refused:
        load(tmp_path)
    assert refused.value.code == "dates-overlap"


def test_a_paper_is_asked_for_once():
    twice = file(more='[[need]]\ncases = ["new"]\npaper = "id-card"\nminors = true\nclause = "art. 2"\n'
                      'clause_zh = "第二条"\n')
    assert [need.clause for need in required([twice], CaseOf("new", CHANGSHA, TODAY, minor=True))] == ["art. 1"]


def test_who_somebody_is_and_what_they_ask_for_never_follows_later():
    for kind in KINDS:
        for route in CASE_ROUTES:
            needs = required(FILES, CaseOf(kind, CHANGSHA, TODAY, route=route, minor=True, reason="death")) or []
            later = {need.paper for need in needs if need.may_follow}
            assert not later & {"id-card", "application-form", "written-request", "residence-permit", "death-proof"}
    first = required(FILES, CaseOf("new", CHANGSHA, TODAY))
    assert [need.paper for need in first if not need.may_follow] == ["id-card", "application-form"]


def test_what_a_file_does_not_say_of_a_paper_is_that_it_must_be_there_first():
    assert [need.may_follow for need in required([file()], CaseOf("new", CHANGSHA, TODAY))] == [False]


def test_every_kind_of_paper_has_its_words():
    assert all(zh and en for zh, en in PAPERS.values())
