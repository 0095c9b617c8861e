"""What pages say: complete against the tables of the rooms below, and plain sums."""

import re

import pytest
from django.utils.translation import override

from zhengka.cards import activation
from zhengka.cards.models import ASKED
from zhengka.cards.services import answering, desk
from zhengka.cases.services.steps import BY_OTHERS
from zhengka.cases.workflow import KINDS as CASES
from zhengka.core.errors import PROBLEMS
from zhengka.devices import workflow as devices
from zhengka.formats.chip import applying, orders
from zhengka.gates.rules import ONLINE
from zhengka.letters.queries import FORMS
from zhengka.letters.rules import KINDS, SLOTS
from zhengka.letters.workflow import CHANNELS, LETTER
from zhengka.production.workflow import FINDINGS, HOLDS
from zhengka.web.public import words
from zhengka.web.staff import beside, elsewhere, letter_words, opening, reader_words
from zhengka.web.staff import letters as letter_pages
from zhengka.web.staff.batch_parts import FINDING_WORDS, HOLD_WORDS
from zhengka.web.staff.case_words import STEP_SAID
from zhengka.web.staff.plan import FIGURES, Standing, percent, ten_thousands
from zhengka.web.staff.words import (
    CHANNEL_WORDS,
    FORM_WORDS,
    OUTLOOK_WORDS,
    STOP_WORDS,
    problem_line,
    sentences,
)
from zhengka.web.ui import charts
from zhengka_reader.desk import CODES

TONES = {"green": "good", "red": "bad", "amber": "wait"}


@pytest.mark.parametrize("code", ONLINE)
def test_every_verdict_has_a_look_of_its_colour(code):
    look = words.look(code)
    tone = "wait" if code == "activation-lapsed" else TONES[ONLINE[code].colour]  # no ride, but still a proof
    assert look.tone == tone and look.word and look.note
    assert look.steps or code == "valid", "a refusal says what to do"


def test_whatever_is_wrong_with_a_signature_is_one_thing_to_a_passer_by():
    assert {words.look(code).word for code in ONLINE if code.startswith(("key-", "signature-", "algorithm-"))} == {
        words.look("forged").word}


def test_every_text_of_a_letter_has_its_word_for_the_list_of_missing_ones():
    texts = {name for name, slot in SLOTS.items() if slot.form == "text"} | {"name", "address"}
    assert set(letter_words.SLOT_WORDS) == texts


SEALED = ("name", "present_name", "id_number", "present_id", "guardian_name", "guardian_id", "guardian_phone", "phone",
          "address")


@pytest.mark.parametrize("page, where, form", [
    (elsewhere.kind_of_case, {"kind": "renewal"}, elsewhere.PresentForm.base_fields),
    (beside.guardian, {"pk": 1}, beside.GuardianForm.base_fields),
    (opening.new, {}, opening.ApplicationForm.base_fields), (opening.arrival, {}, opening.ArrivalForm.base_fields),
    (opening.brought, {"pk": 1, "kind": "correction"}, ("name", "id_number"))])
def test_no_report_of_an_error_shows_what_a_form_says_of_a_person(page, where, form, rf):
    request = rf.post("/", dict.fromkeys(SEALED, "secret"))
    request.actor = None
    with pytest.raises(AttributeError):  # a fault in the page, behind what guards it
        page.__wrapped__(request, **where)
    assert set(SEALED) & set(form) <= set(request.sensitive_post_parameters)


def test_every_channel_outlook_and_stop_of_an_activation_has_its_words():
    assert CHANNEL_WORDS.keys() == activation.CHANNELS.keys()
    assert tuple(OUTLOOK_WORDS) == activation.OUTLOOKS and tuple(STOP_WORDS) == activation.STOPS


def test_every_hold_and_every_finding_has_its_words():
    assert set(HOLD_WORDS) == set(HOLDS) and set(FINDING_WORDS) == set(FINDINGS)


def test_every_letter_has_words_for_its_kind_its_way_its_forms_and_states():
    pages = letter_pages
    assert (set(pages.KIND_WORDS), set(pages.CHANNEL_WORDS), set(FORM_WORDS)) == (set(KINDS), set(CHANNELS), set(FORMS))
    assert set(letter_pages.SHOWN) == LETTER.states


def test_each_registered_holder_is_one_piece_of_the_bar():
    facts = dict(zip(FIGURES, (1000, 900, 700, 600, 500, 400), strict=True))
    standing = Standing("unit", 2000, facts)
    assert standing.steps == [400, 100, 100, 100, 200, 100] and sum(standing.steps) == 1000
    assert [piece.width for piece in standing.pieces] == ["20.00%", "5.00%", "5.00%", "5.00%", "10.00%", "5.00%"]


def test_against_those_registered_the_bar_is_full():
    facts = dict(zip(FIGURES, (10, 10, 10, 10, 10, 10), strict=True))
    (piece,) = Standing("unit", 2000, facts, of_plan=False).pieces
    assert (piece.left, piece.width) == ("0.00%", "100.00%")


def test_more_registered_than_planned_never_leaves_the_bar():
    facts = dict(zip(FIGURES, (30, 0, 0, 0, 0, 0), strict=True))
    (piece,) = Standing("unit", 10, facts).pieces
    assert piece.width == "100.00%"


@pytest.mark.parametrize("fen, told", [
    (542_250_000, "542.25"), (390_000_000, "390"), (1_250_000, "1.25"), (0, "0"), (1, "0.000001")])
def test_money_in_ten_thousands_of_yuan_is_exact_to_the_fen(fen, told):
    assert ten_thousands(fen) == told


def test_a_share_of_nothing_is_a_dash():
    assert percent(1, 8) == "12.5 %" and percent(0, 0) == "—"


def test_a_funnel_plot_places_shares_upwards_numbers_across_and_names_only_what_lies_outside():
    plot = charts.funnel([("1", 30, 0.5, "within"), ("2", 1, 1.0, "95")], {"95": [(1, 0.0, 1.0), (30, 0.2, 0.8)]}, 0.5)
    inside, outside = plot.points
    assert (inside.x, inside.y, inside.label) == ("96.000%", "9.750rem", "")
    assert (outside.x, outside.y, outside.label) == ("14.000%", "0.750rem", "2")
    target, low, high = plot.lines
    assert target.y1 == target.y2 == inside.y and (low.y1, low.y2, high.y1, high.y2) == (
        "18.750rem", "15.150rem", "0.750rem", "4.350rem")
    assert [tick.label for tick in plot.numbers] == ["1", "8", "15", "22", "30"]


def test_a_funnel_plot_of_one_person_has_its_axis_too():
    plot = charts.funnel([("1", 1, 0.0, "within")], {}, 0.3)
    assert [tick.label for tick in plot.numbers] == ["1", "2"] and len(plot.lines) == 1


def test_every_no_of_a_reader_and_every_end_of_a_reading_has_its_words():
    said = reader_words
    assert set(said.NO_WORDS) == {*CODES, *devices.READING_ENDS, said.NOT_THERE, *said.NOT_TAKEN} - {"good"}
    assert set(said.DONE_WORDS) == {*answering.PROVES, *orders.KINDS}
    assert set(said.CHIP_WORDS) == set(orders.KINDS) and set(said.ASK_WORDS) == set(ASKED)
    assert desk.ENDS.keys() == applying.CODES.keys() - {""} and {*desk.ENDS.values()} <= {*devices.READING_ENDS}
    assert set(said.KIND_WORDS) == set(devices.KINDS) and set(said.FORM_WORDS) == set(devices.FORMS)


@pytest.mark.parametrize("language, said", [
    ("en", "It is too early to renew the certificate. From 2027-05-01. Renew it from the day that the page names."),
    ("zh-hans", "未到换领时间。2027-05-01。请自页面所示日期起办理换领。")])
def test_a_refusal_beside_a_form_is_one_sentence_after_another(language, said):
    with override(language):
        day = "From 2027-05-01" if language == "en" else "2027-05-01"
        assert problem_line(PROBLEMS["renewal-too-early"], day) == said
        assert problem_line(PROBLEMS["renewal-too-early"], "") == said.replace(f"{day}. ", "").replace(f"{day}。", "")


def test_what_ends_a_sentence_itself_gets_no_second_stop():
    with override("en"):
        assert sentences("Is it so?", "", "It is") == "Is it so? It is."
    with override("zh-hans"):
        assert sentences("是吗？", "是") == "是吗？是。"


def test_no_problem_is_told_in_english_with_chinese_in_it_nor_without_what_to_do_next():
    for code, problem in PROBLEMS.items():
        assert not re.search("[\u3000-\u9fff\uff00-\uffef]", problem.title + problem.next), code
        assert problem.next.endswith((".", "?")) and problem.next_zh.endswith(("。", "？")), code
        assert not problem.title.endswith(".") and not problem.title_zh.endswith("。"), code


def test_each_step_of_a_case_that_an_officer_takes_says_what_happened():
    steps = {step.action for kind in CASES.values() for leg in kind.legs for step in (leg.step, *leg.aside)}
    steps |= {step.action for kind in CASES.values() for step in kind.anywhere if step.permission != "case.clock"}
    by_itself = BY_OTHERS - {"book", "assess", "countersign", "differ", "verify"}
    assert set(STEP_SAID) == (steps - by_itself) | {"undo"}


def test_upright_bars_stand_side_by_side_and_the_tallest_is_named():
    plot = charts.columns([("2028", (10, 5)), ("", (0, 20))])
    assert [(series, left, wide) for series, left, _, wide, _ in plot.pieces] == [
        (1, "0.000%", "21.000%"), (2, "21.000%", "21.000%"), (2, "71.000%", "21.000%")], "nothing for nothing"
    tall = {series: height for series, left, _, _, height in plot.pieces if left != "71.000%"}
    assert tall == {1: "6.000rem", 2: "3.000rem"} and plot.largest == 20
    assert [(tick.label, tick.x) for tick in plot.ticks] == [("2028", "0.000%")]
    assert charts.columns([]).pieces == () and charts.columns([("x", (0,))]).largest == 0
