"""A file under `data/` with a fault is refused by name, place and words, and no fault is left untried."""

from pathlib import Path

import pytest

from zhengka.areas.calendars import layer_of
from zhengka.areas.calendars import load as load_calendars
from zhengka.cases import policies
from zhengka.core.dated import FAULTS, FileRefused, parse
from zhengka.letters import templates

DATA = Path(__file__).parents[2] / "data"
POLICY = (DATA / "cases" / "measures-2017.toml").read_text("utf-8")
CALENDAR = (DATA / "calendars" / "china.toml").read_text("utf-8")
LETTER = (DATA / "letters" / "papers-missing.toml").read_text("utf-8")
SMS = 'sms = "您的申请{number}还缺材料，请在{until}前补交。咨询{phone}"'
REVIEW = 'review = { by = ["hukou-county"], within = 10, since = "review", clause = "art. 9(4)" }'
NEW = 'kinds = ["new", "change"]\nclause = "art. 9; a change is a new issue after a new assessment, art. 22"'

POLICIES = [
    ("toml-broken", 'code = "measures-2017"', "code = measures"),
    ("format-unknown", "format = 1", "format = 2"),
    ("field-missing", 'area = "000000"', ""),
    ("field-missing", 'area = "000000"', "area = 430104"),
    ("field-missing", "[notice]", "[notices]"),
    ("field-unknown", 'clause = "art. 9(3)"\n', 'clause = "art. 9(3)"\ncolour = "red"\n'),
    ("value-unknown", "format = 1", 'format = 1\nroute = "by post"'),
    ("value-out-of-range", "cancel_months = 12", "cancel_months = 6"),
    ("value-out-of-range", "bar_years = 1 ", "bar_years = 0 "),
    ("area-unknown", 'area = "000000"', 'area = "4301"'),
    ("dates-reversed", "valid_from = 2018-01-01", "valid_from = 2018-01-01\nvalid_to = 2017-12-31"),
    ("source-missing", 'source = "《中华人民共和国残疾人证管理办法》(2017)"', 'source = " "'),
    ("source-missing", 'source_en = "Measures', 'source_en = "" # "Measures'),
    ("source-missing", 'countersign = "the Measures ask', 'book = ""\ncountersign = "the Measures ask'),
    ("kind-unknown", 'kinds = ["renewal"]', 'kinds = ["renewals"]'),
    ("kind-unknown", 'kinds = ["renewal"]', "kinds = []"),
    ("kind-twice", 'kinds = ["damage", "loss"', 'kinds = ["damage", "new"'),
    ("step-unknown", "decline = {", "bribe = {"),
    ("step-unknown", 'refuse = "an exchange', 'withdraw = "an exchange'),
    ("step-unknown", NEW, NEW + '\nwaived = { assessment = "《某办法》" }'),
    ("level-unknown", REVIEW, REVIEW.replace("hukou-county", "village")),
    ("level-wrong", REVIEW, REVIEW.replace("hukou-county", "street")),
    ("level-wrong", 'assess = { by = ["institution"]', 'assess = { by = ["hukou-county"]'),
    ("office-missing", REVIEW, REVIEW.replace('"hukou-county"', "")),
    ("office-missing", 'book = { by = ["hukou-county"], clause = "art. 6" }', ""),
    ("limit-not-positive", REVIEW, REVIEW.replace("10", "0")),
    ("limit-not-positive", REVIEW, REVIEW.replace("10", "-3")),
    ("pair-unknown", REVIEW, REVIEW.replace("within = 10", 'another_than = ["accept"]')),
    ("time-unknown", 'clause = "art. 25"\ntimes = {', 'clause = "art. 25"\ntimes = { bar_years = 1,'),
    ("time-missing", "times = { opens_years = 9 }", ""),
    ("same-person", 'another_than = ["review"], clause = "art. 7, 9(4)"', 'clause = "art. 7, 9(4)"'),
    ("notice-short", "working_days = 5", "working_days = 4"),
    ("notice-too-open", '"category", "grade"]', '"category", "grade", "id_number"]'),
    ("around-assessment", NEW, NEW + '\noff = { assessment = "they are known here" }'),
    ("around-assessment", 'assessment = "the holder was assessed', 'assess = "the holder was assessed'),
    ("around-verification", 'kinds = ["cancellation"]\n',
     'kinds = ["cancellation"]\noff = { verification = "the register of deaths is asked" }\n'),
    ("around-verification", 'kinds = ["restoration", "freeze", "unfreeze"]\n',
     'kinds = ["restoration", "freeze", "unfreeze"]\noff = { verify = "who reports it saw it" }\n'),
    ("around-notice", NEW, NEW + '\noff = { notice = "nobody reads it" }'),
    ("around-notice", NEW, NEW + '\noff = { end_notice = "it may hang on" }'),
    ("around-review", NEW, NEW + '\noff = { review = "the approver looks anyway" }'),
    ("around-approval", NEW, NEW + '\noff = { approve = "the reviewer is trusted" }'),
    ("card-missing", NEW, NEW + '\noff = { card = "the old card is kept" }'),
    ("card-missing", 'kinds = ["damage", "loss", "correction"]',
     'kinds = ["damage", "loss", "correction"]\noff = { order = "cards are dear" }'),
    ("dead-end", NEW, NEW + '\noff = { dismiss = "no hearing", uphold = "no hearing" }'),
    ("unreachable", NEW, NEW + '\noff = { object = "nobody objects" }'),
]
CALENDARS = [
    ("day-outside-year", "year = 2021", "year = 2022"),
    ("day-twice", "{ name = \"元旦\", off = [2021-01-01, 2021-01-03] }",
     "{ name = \"元旦\", off = [2021-01-01, 2021-01-03], work = [2021-01-02] }"),
    ("day-twice", "work = [2021-02-07, 2021-02-20]", "work = [2021-04-04]"),
    ("day-no-change", "work = [2021-02-07, 2021-02-20]", "work = [2021-02-08]"),
    ("dates-reversed", "off = [2021-01-01, 2021-01-03]", "off = [2021-01-03, 2021-01-01]"),
    ("dates-reversed", "off = [2021-01-01, 2021-01-03]", "off = [2021-01-01, 2021-03-01]"),
    ("field-missing", "off = [2021-01-01, 2021-01-03]", "off = []"),
    ("field-missing", "off = [2021-01-01, 2021-01-03]", 'off = ["2021-01-01"]'),
    ("source-missing", 'number = "国办发明电〔2020〕27号"', 'number = ""'),
    ("field-unknown", "off = [2021-01-01, 2021-01-03]", "off = [2021-01-01], worked = []"),
]
LETTERS = [
    ("letter-unknown", 'kind = "papers-missing"', 'kind = "love-letter"'),
    ("source-missing", 'source = "《', 'source = ""\nmore = "《'),
    ("field-missing", "[en]", "[fr]"),
    ("field-missing", '    "{papers}",\n', "    7,\n"),
    ("field-unknown", "[zh]", "[zh]\ncolour = 1"),
    ("text-unfit", "请补交材料", "请补交\\u202e材料"),
    ("text-unfit", "请补交材料", " "),
    ("slot-unknown", "请补交材料", "请{name}补交材料"),
    ("slot-unknown", "请补交材料", "请补交{材料}"),
    ("slot-unknown", "请补交材料", "请补交}材料"),
    ("slot-missing", '    "{papers}",\n', ""),
    ("slot-missing", "Please bring them by {until}.", "Please bring them soon."),
    ("slot-private", SMS, 'sms = "请补交{papers}"'),
    ("slot-private", "请补交材料", "请补交{papers}"),
    ("sms-long", SMS, SMS.replace("。", "，可以自己来也可以请家里人来。")),
    ("sms-telling", SMS, SMS.replace("申请", "残疾人证申请")),
    ("sms-telling", SMS, SMS.replace("材料", "身份证")),
    ("sentence-long", "您的申请还缺材料。", "您的申请" + "依照有关规定，" * 4 + "还缺材料。"),
]
TRIED_ELSEWHERE = {"dates-overlap", "code-twice", "day-unknown", "identity-stops", "counter-missing", "window-too-long",
                   "administrators-joined"} | {  # tests/unit/test_places.py
                   "rule-twice", "service-unknown", "venue-unknown", "sees-too-little", "claims-alike",
                   "example-missing", "example-fails"}


def changed(text: str, old: str, new: str) -> bytes:
    assert old in text, old
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize(("code", "old", "new"), POLICIES)
def test_a_case_policy_with_a_fault_is_refused_by_its_name_and_place(code, old, new):
    with pytest.raises(FileRefused) as refused:
        policies.policy_of(parse(changed(POLICY, old, new), "region.toml"))
    assert (refused.value.code, refused.value.place.split(":")[0]) == (code, "region.toml")
    assert all(words in str(refused.value) for words in FAULTS[code])


@pytest.mark.parametrize(("code", "old", "new"), CALENDARS)
def test_a_calendar_with_a_fault_is_refused_by_its_name_and_place(code, old, new):
    with pytest.raises(FileRefused) as refused:
        layer_of(parse(changed(CALENDAR, old, new), "china.toml"))
    assert (refused.value.code, refused.value.place.split(":")[0]) == (code, "china.toml")


@pytest.mark.parametrize(("code", "old", "new"), LETTERS)
def test_a_wording_of_a_letter_with_a_fault_is_refused_by_its_name_and_place(code, old, new):
    with pytest.raises(FileRefused) as refused:
        templates.template_of(parse(changed(LETTER, old, new), "region.toml"))
    assert (refused.value.code, refused.value.place.split(":")[0]) == (code, "region.toml")


def test_two_wordings_of_one_letter_for_one_area_and_day_are_refused(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(LETTER)
    with pytest.raises(FileRefused, match="dates-overlap"):
        templates.load(tmp_path)


def test_two_calendars_of_one_area_are_refused(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(CALENDAR)
    with pytest.raises(FileRefused, match="dates-overlap"):
        load_calendars(tmp_path)


def test_a_file_that_is_no_text_is_refused():
    with pytest.raises(FileRefused, match="toml-broken"):
        parse(b"\xff\xfe", "region.toml")


def test_every_fault_is_tried():
    assert {code for code, _, _ in POLICIES + CALENDARS + LETTERS} | TRIED_ELSEWHERE == FAULTS.keys()
