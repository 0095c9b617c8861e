"""What pages say: complete against the tables of the rooms below, and plain sums."""

import pytest

from zhengka.cards import activation
from zhengka.gates.rules import ONLINE
from zhengka.letters.queries import FORMS
from zhengka.letters.rules import KINDS
from zhengka.letters.workflow import CHANNELS, LETTER
from zhengka.production.workflow import FINDINGS, HOLDS
from zhengka.web.public import words
from zhengka.web.staff import letters as letter_pages
from zhengka.web.staff.batch_parts import FINDING_WORDS, HOLD_WORDS
from zhengka.web.staff.plan import FIGURES, Standing, percent, ten_thousands
from zhengka.web.staff.words import CHANNEL_WORDS, FORM_WORDS, OUTLOOK_WORDS, STOP_WORDS
from zhengka.web.ui import charts

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
