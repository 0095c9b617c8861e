"""Rules of operators: files that officials change, tried by the examples beside them, and what the rules say."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from zhengka.areas import calendars
from zhengka.core.dated import FAULTS, FileRefused, parse, read
from zhengka.formats import judging, rulebook
from zhengka.formats.judging import Asked, Judged, Used
from zhengka.formats.rulebook import BadRulebook, Kind, Person, Who, who_holds
from zhengka.gates import places

DATA = Path(__file__).parents[2] / "data"
LAYERS = calendars.load(DATA / "calendars")
TEXT = (DATA / "places" / "luoyang-zoo.toml").read_text("utf-8")
CITY = (DATA / "places" / "changsha-transit.toml").read_text("utf-8")
PARK = (DATA / "places" / "beijing-minzuyuan.toml").read_text("utf-8")
BUS = (DATA / "places" / "xiangtan-bus.toml").read_text("utf-8")
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)

FILES = [
    ("field-missing", TEXT, 'area = [{ code = "410300", zh = "洛阳市", en = "Luoyang" }]', "area = []"),
    ("field-missing", TEXT, 'zh = "门票"', "zh = 7"),
    ("field-missing", TEXT, "activated = false", ""),
    ("field-unknown", TEXT, "activated = false", "activated = false\nactivate = true"),
    ("field-unknown", TEXT, "gives = { price", "gives = { colour = 1, price"),
    ("field-unknown", TEXT, "who = {}", "who = { category = 1 }"),
    ("area-unknown", TEXT, 'code = "410300"', 'code = "4103"'),
    ("area-unknown", CITY, '"430102", "430103"', '"430102", "長沙"'),
    ("field-unknown", TEXT, 'en = "Luoyang"', 'en = "Luoyang", mayor = "nobody"'),
    ("source-missing", TEXT, 'source = "王城动物园免票政策 2024-02-18"\n\nservice', 'source = ""\n\nservice'),
    ("source-missing", TEXT, 'a companion"\nsource = "王城动物园免票政策 2024-02-18"', 'a companion"\nsource = " "'),
    ("value-unknown", TEXT, 'code = "luoyang-zoo"', 'code = "public"'),
    ("value-unknown", TEXT, 'code = "luoyang-zoo"', 'code = "Luoyang zoo"'),
    ("value-unknown", TEXT, 'sees = "benefit"', 'sees = "all"'),
    ("value-unknown", TEXT, 'price = "free", companions = 1', 'price = "cheap", companions = 1'),
    ("value-unknown", TEXT, 'price = "free", companions = 1', "fen = 0, companions = 1"),
    ("value-unknown", TEXT, "companions = 1 }\nproofs", "companions = 10 }\nproofs"),
    ("value-unknown", TEXT, "categories = [1, 5]", "categories = [5, 1]"),
    ("value-unknown", TEXT, "categories = [1, 5]", "categories = [1, 8]"),
    ("value-unknown", TEXT, "categories = [4], grades = [1, 2]", "categories = [], grades = []"),
    ("value-unknown", TEXT, 'proofs = ["show", "qr", "tap"]', 'proofs = ["show", "wave"]'),
    ("value-unknown", TEXT, 'proofs = ["show", "qr", "tap"]', "proofs = [[1]]"),
    ("value-unknown", TEXT, 'voucher = ["slip", "qr"]', "voucher = []"),
    ("value-unknown", TEXT, 'voucher = ["slip", "qr"]', 'voucher = ["slip", "qr"]\nminutes = 0'),
    ("value-unknown", TEXT, "from = 2024-02-18", "from = 2024-02-18\nuntil = 2024-02-17"),
    ("value-unknown", TEXT, 'proof = "qr"', 'proof = "wave"'),
    ("value-unknown", TEXT, 'venue = "gate"', 'venue = "back door"'),
    ("value-unknown", BUS, "age_from = 65", "age_from = 65, age_to = 64"),
    ("value-unknown", PARK, "months = [1, 2, 3,", "months = [0, 2, 3,"),
    ("value-unknown", PARK, 'days = ["mon",', 'days = ["monday",'),
    ("value-unknown", PARK, "from = 00:00:00, to = 00:00:00", "from = 09:00:00, to = 08:00:00"),
    ("rule-twice", TEXT, 'id = "holder"', 'id = "with-companion"'),
    ("service-unknown", TEXT, 'service = "entry"\nfrom', 'service = "exit"\nfrom'),
    ("venue-unknown", TEXT, 'service = "entry"\nfrom', 'service = "entry"\nvenues = ["moon"]\nfrom'),
    ("sees-too-little", TEXT, 'sees = "benefit"', 'sees = "verdict"'),
    ("example-missing", TEXT, TEXT[TEXT.rindex("[[example]]"):], ""),
    ("example-fails", TEXT, 'gives = "free"\ncompanions = 1', 'gives = "free"'),
    ("example-fails", TEXT, 'gives = "free"\ncompanions = 1', 'gives = "half"'),
    ("example-fails", TEXT, "at = 2026-03-07T10:00:00", "at = 2024-02-17T10:00:00"),
    ("example-fails", PARK, 'gives = "wrong-time"', 'gives = "free"'),
    ("example-fails", PARK, "at = 2026-03-04T10:00:00", "at = 2026-10-01T10:00:00"),
]


def load(text: str) -> places.Operator:
    return places.load(parse(text.encode(), "place.toml"), LAYERS)


@pytest.mark.parametrize(("code", "text", "old", "new"), FILES)
def test_a_file_of_rules_with_a_fault_is_refused_by_its_name_and_place(code, text, old, new):
    changed = text.replace(old, new, 1)
    assert changed != text
    with pytest.raises(FileRefused) as refused:
        load(changed)
    assert (refused.value.code, refused.value.place.split(":")[0]) == (code, "place.toml")
    assert all(words in str(refused.value) for words in FAULTS[code])


def test_the_rules_that_are_shipped_hold_by_their_own_examples():
    shipped = places.load_all([read(path) for path in sorted((DATA / "places").glob("*.toml"))], LAYERS)
    assert len(shipped) >= 5
    for operator in shipped.values():
        assert operator.words.keys() == {rule.id for rule in operator.book.rules}
        assert rulebook.parse(operator.book.to_json()) == operator.book
        assert date(2026, 10, 1) in operator.book.off and date(2026, 2, 14) in operator.book.worked


def test_two_files_of_one_operator_are_refused():
    with pytest.raises(FileRefused, match="code-twice"):
        places.load_all([parse(TEXT.encode(), f"{name}.toml") for name in ("one", "two")])


def test_two_conditions_with_one_name_are_refused(monkeypatch):
    """It takes four thousand million conditions to meet one by chance, so the name is made shorter here."""
    book, used = load(BUS).book, Who.claim
    monkeypatch.setattr(Who, "claim", property(lambda who: used.func(who)[:0] or "same"))
    with pytest.raises(BadRulebook, match="claims-alike"):
        replace(book)
    with pytest.raises(FileRefused, match="claims-alike"):
        load(BUS)


def test_a_condition_has_one_name_whatever_the_rule_and_none_where_everybody_fulfils_it():
    assert Who().claim == "" == Who(components=False).claim
    blind = Who(kinds=(Kind((1,), (1, 2)),))
    assert blind.claim == Who(kinds=(Kind((1,), (1, 2)),)).claim and len(blind.claim) == 8
    others = (Who(kinds=(Kind((1,), (1,)),)), Who(kinds=blind.kinds, components=False), Who(areas=("430100",)),
              Who(age_from=60), Who(age_to=60))
    assert len({blind.claim, *(who.claim for who in others)}) == 6


PERSON = Person(7, 1, ((1, 2), (4, 1)), 430102_000000, date(1960, 2, 29))


@pytest.mark.parametrize(("who", "holds"), [
    (Who(), True),
    (Who(kinds=(Kind((1,), (1, 2)),)), True), (Who(kinds=(Kind((1,), (1,)),)), False),
    (Who(kinds=(Kind((1,), (1, 2)),), components=False), False), (Who(kinds=(Kind((), (1,)),), components=False), True),
    (Who(kinds=(Kind((6,), ()), Kind((4,), ()))), True), (Who(kinds=(Kind((2,), ()),)), False),
    (Who(areas=("430102",)), True), (Who(areas=("430100",)), True), (Who(areas=("430000",)), True),
    (Who(areas=("000000",)), True), (Who(areas=("430103", "430200")), False), (Who(areas=("430200", "430102")), True),
    (Who(age_from=66), True), (Who(age_from=67), False), (Who(age_to=66), True), (Who(age_to=65), False),
    (Who(kinds=(Kind((1,), ()),), areas=("430200",)), False),
])
def test_a_condition_asks_for_kind_and_residence_and_age_all_at_once(who, holds):
    assert who_holds(who, PERSON, TODAY) is holds


def test_what_is_not_known_is_not_answered_unless_another_part_decides():
    blind_here = Who(kinds=(Kind((1,), ()),), areas=("430100",))
    assert who_holds(blind_here, Person(1, 1), TODAY) is None
    assert who_holds(blind_here, Person(area=430102_000000), TODAY) is None
    assert who_holds(blind_here, Person(2, 1), TODAY) is False
    assert who_holds(blind_here, Person(area=430200_000000), TODAY) is False
    assert who_holds(Who(age_from=60), Person(1, 1, area=430102_000000), TODAY) is None


@pytest.mark.parametrize(("born", "on", "full"), [
    (date(1960, 3, 1), date(2025, 3, 1), 64), (date(1960, 3, 1), date(2025, 3, 2), 65),
    (date(1960, 2, 29), date(2025, 2, 28), 64), (date(1960, 2, 29), date(2025, 3, 1), 65),
    (date(1960, 2, 29), date(2024, 2, 29), 63), (date(1960, 2, 29), date(2024, 3, 1), 64)])
def test_an_age_is_full_from_the_day_after_the_birthday_as_the_calendar_room_reckons(born, on, full):
    assert calendars.age_on(born, on) == full
    for age in range(full - 2, full + 3):
        assert who_holds(Who(age_from=age), Person(born=born), on) is (full >= age)
        assert who_holds(Who(age_to=age), Person(born=born), on) is (full <= age)


def test_the_last_day_of_birth_of_an_age_is_where_the_answer_turns():
    for years in (1, 4, 14, 15, 60, 65, 100):
        for on in (date(2024, 2, 28) + timedelta(days) for days in (*range(4), *range(364, 370), *range(730, 735))):
            last = rulebook.born_by(years, on)
            assert who_holds(Who(age_from=years), Person(born=last), on) is True, (years, on)
            assert who_holds(Who(age_from=years), Person(born=last + timedelta(1)), on) is False, (years, on)


def asked(book, *, holds=lambda who: True, proof="qr", at=NOON, active=True, used=None) -> Judged:
    return judging.judge(book, book.services[0].id, book.venues[0].id, Asked(at, proof, holds, active, used or {}))


def test_the_first_rule_that_fits_holds_and_an_unknown_one_is_not_passed_over():
    book = load(TEXT).book
    first, second = book.rules
    assert asked(book) == Judged("given", first)
    assert asked(book, holds=lambda who: not who.claim) == Judged("given", second)
    assert asked(book, holds=lambda who: None if who.claim else True) == Judged("unknown", first)
    assert asked(book, holds=lambda who: False).code == "not-entitled"


def test_of_several_misses_the_nearest_is_told():
    book = load(TEXT).book
    first, second = book.rules
    strict = replace(book, rules=(replace(first, day=1), replace(second, proofs=("tap",))))
    assert asked(strict, used={first.id: Used(1, 1)}).code == "quota-used"
    assert asked(strict, holds=lambda who: not who.claim).code == "other-way"
    assert asked(replace(book, rules=(replace(second, activated=True),)), active=False).code == "inactive"
    assert asked(replace(book, rules=(replace(second, first=TODAY + timedelta(1)),))).code == "no-rule"
    assert asked(replace(book, rules=(replace(second, last=TODAY - timedelta(1)),))).code == "no-rule"
    assert asked(replace(book, rules=(replace(second, first=TODAY, last=TODAY),))).code == "given"


@pytest.mark.parametrize("change", [
    lambda told: told.pop("sees"), lambda told: told.update(more=1), lambda told: told["rules"][0].pop("claim"),
    lambda told: told["rules"][0].update(claim="00000000"), lambda told: told["rules"][0].update(first="2024-2-18"),
    lambda told: told["rules"][0].update(minutes=True), lambda told: told["rules"][0].update(minutes=60.0),
    lambda told: told.update(off=["2026-10-02", "2026-10-01"]), lambda told: told.update(rules={}),
    lambda told: told["rules"][0]["who"].update(areas=[["430100"]]), lambda told: told.update(format=True),
    lambda told: told["services"][0].update(zh=" "), lambda told: told.update(worked=["2026-10-01"])])
def test_a_rulebook_that_is_not_as_it_must_be_is_refused(change):
    told = json.loads(load(TEXT).book.to_json())
    change(told)
    with pytest.raises(BadRulebook):
        rulebook.parse(rulebook.canonical(told))


@pytest.mark.parametrize("data", [b"", b"[]", b"7", b"null", b"\xff", b"[" * 100_000, b"{}", b'{"format":1}',
                                  b"9" * 5000, b" " * (rulebook.LONGEST + 1)])
def test_bytes_that_are_no_rulebook_are_refused(data):
    with pytest.raises(BadRulebook, match="rulebook-form"):
        rulebook.parse(data)
