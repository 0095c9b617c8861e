"""What holds where when one travels: for anybody, in both languages, for people and for programs."""

import json
from dataclasses import replace

import pytest
from django.utils import translation

import builders
from visits import Visitor
from zhengka.formats.rulebook import NAMED_DAYS, PROOFS, WEEKDAYS, Band
from zhengka.gates.queries import operators
from zhengka.web.public.place_words import DAYS, WAYS, limits, price

pytestmark = pytest.mark.django_db


def page(asked="", language="en"):
    visitor = Visitor()
    visitor.cookies["django_language"] = language
    return visitor.get(f"/places{asked}").content.decode()


def test_everybody_sees_the_rules_of_all_places_with_their_sources():
    seen = page()
    for operator in operators().values():
        assert operator.book.en in seen
        for told in operator.words.values():
            assert told.en in seen and told.source in seen
    assert "长沙公共交通" in page(language="zh-hans") and "出示证件" in page(language="zh-hans")


def test_who_says_where_they_go_sees_that_town_alone():
    seen = page("?to=110000")
    assert "Beijing Public Transport" in seen and "Changsha Zoo" not in seen


def test_of_a_holder_only_those_rules_are_shown_that_may_be_for_them():
    deaf = page("?to=310000&category=2&grade=1")
    assert "Shanghai Metro" not in deaf and "No rule that is kept here" in deaf
    assert "Visual of grades 1 and 2" in page("?to=310000&category=1&grade=2")
    assert "Visual of grades 1 and 2" in page("?to=310000"), "who tells nothing sees what depends on it"
    assert "Visual of grades 1 and 2" in page("?to=310000&category=7&grade=2"), "nobody told the parts"


def test_where_a_certificate_is_from_decides_between_card_and_certificate():
    for code in (430104, 430181, 430702):
        builders.make_area(code, name=f"area {code}")
    city, county, other = (page(f"?to=430100&home={code}") for code in ("430104", "430181", "430702"))
    assert "Changsha County ride free by card" in city and "Liuyang and Ningxiang" not in city
    assert "Liuyang and Ningxiang" in county and "Changsha County ride free by card" not in county
    assert "Changsha Public Transport" not in other and "Changsha Zoo" in other


def test_behind_a_rule_that_certainly_holds_no_lesser_one_is_shown():
    assert "half price" not in page("?to=440100&category=4&grade=1")
    assert "half price" in page("?to=440100&category=4&grade=3")


@pytest.mark.parametrize("asked", [
    "?to=999999", "?category=9", "?grade=x", "?home=%27", "?to=110000&to=310000", "?x=1"])
def test_what_cannot_be_chosen_is_said_at_its_field_or_ignored(asked):
    answer = Visitor().get(f"/places{asked}")
    assert answer.status_code == 200


def test_programs_get_the_same_rules_as_json():
    answer = Visitor().get("/places.json")
    told = json.loads(answer.content)
    assert answer["Access-Control-Allow-Origin"] == "*" and told["format"] == 1
    assert [one["code"] for one in told["operators"]] == list(operators())
    beijing = next(one for one in told["operators"] if one["code"] == "beijing-transit")
    metro = beijing["rules"][1]
    assert (metro["benefit"], metro["companions"], metro["from"]) == ("free", 1, "2012-03-01")
    assert metro["who"]["kinds"] == [{"categories": [1], "grades": [1, 2]}] and metro["source"]
    park = next(one for one in told["operators"] if one["code"] == "beijing-minzuyuan")["rules"][0]
    assert park["times"][0]["last"] == "24:00" and park["times"][0]["holidays"] is False
    assert "Monday to Friday, not in the months 4, 9, not on holidays" in page("?to=110000")


def test_times_and_sums_and_limits_have_words():
    rule = replace(operators()["beijing-minzuyuan"].book.rules[0], price="fixed", fen=250, companions=2, day=1, month=4,
                   activated=True, bands=(Band((5, 10), ("working",), True, 540, 960),))
    with translation.override("en"):
        assert price(rule) == "2.50 yuan, with 2 companions" and price(replace(rule, fen=300)).startswith("3 yuan")
        assert limits(rule, chinese=False) == (
            "working days 09:00–16:00, in the months 5, 10; at most 1 a day; at most 4 a month; "
            "only with this year's activation")


def test_the_way_to_the_page_is_on_the_visitors_home():
    assert 'href="/places"' in Visitor().get("/").content.decode()


def test_every_word_of_a_rule_has_words():
    assert WAYS.keys() == set(PROOFS) and DAYS.keys() == {*NAMED_DAYS, *WEEKDAYS}
