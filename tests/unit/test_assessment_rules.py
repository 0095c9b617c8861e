"""What measured values come to, at the edges of every grade (GB/T 26341-2010), and the ages and treatment it needs."""

import datetime as dt
from pathlib import Path

import pytest

from zhengka.assessment import forms
from zhengka.assessment.rules import WHY_NOT, Again, Conclusion, Forms, combine, conclude
from zhengka.core.dated import FileRefused, parse
from zhengka.core.errors import Refusal

DATA = Path(__file__).parents[2] / "data" / "assessment"
EVERY = forms.load(DATA)
CHANGSHA = Forms(EVERY, 430104_000000)
TODAY = dt.date(2026, 11, 20)
ADULT = dt.date(1960, 1, 1)


def aged(years: int, *, days: int = 0) -> dt.date:
    """The birth date of somebody whose birthday was yesterday, so full years today, or so many days before."""
    return TODAY.replace(year=TODAY.year - years) - dt.timedelta(days + 1)


def found(category: int, born: dt.date = ADULT, /, **answers) -> Conclusion:
    return conclude(category, answers, born=born, on=TODAY, forms=CHANGSHA)


def hearing(right: int, left: int) -> dict[str, str]:
    return {f"{ear}_{hz}": str(value) for ear, value in (("right", right), ("left", left))
            for hz in (500, 1000, 2000, 4000)}


# -- visual --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("acuity", "grade"), [
    ("0", 1), ("0.019", 1), ("0.02", 2), ("0.049", 2), ("0.05", 3), ("0.099", 3), ("0.1", 4), ("0.299", 4),
    ("0.3", None), ("1.5", None)])
def test_acuity_of_both_eyes_gives_the_grade_that_begins_at_its_lower_edge(acuity, grade):
    assert found(1, acuity_right=acuity, acuity_left=acuity).grade == grade


@pytest.mark.parametrize(("radius", "grade"), [("4.9", 1), ("5", 2), ("9.9", 2), ("10", None)])
def test_a_narrow_field_is_blindness_whatever_the_acuity(radius, grade):
    assert found(1, acuity_right="1", acuity_left="1", field_right=radius, field_left=radius).grade == grade


def test_the_better_eye_counts():
    assert found(1, acuity_right="0", acuity_left="0.3").grade is None
    assert found(1, acuity_right="0.01", acuity_left="0.06").grade == 3
    assert found(1, acuity_right="1", field_right="4", acuity_left="0.2").grade == 4


# -- hearing, speech ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "grade"), [
    (120, 1), (91, 1), (90, 2), (81, 2), (80, 3), (61, 3), (60, 4), (41, 4), (40, None), (-10, None)])
def test_the_mean_loss_of_the_better_ear_gives_the_grade(loss, grade):
    conclusion = found(2, **hearing(loss, 120))
    assert conclusion.grade == grade
    assert conclusion.clauses == ((f"5.3.{grade + 1}",) if grade else ())


def test_a_mean_between_two_decibels_is_rounded_half_up():
    assert found(2, **hearing(90, 90) | {"right_500": "92", "left_500": "92"}).grade == 1  # 90.5
    assert found(2, **hearing(90, 90) | {"right_500": "91", "left_500": "91"}).grade == 2  # 90.25


@pytest.mark.parametrize(("born", "loss", "grade", "again"), [
    (aged(2) + dt.timedelta(1), 91, 1, None), (aged(2) + dt.timedelta(1), 81, 2, None),
    (aged(2) + dt.timedelta(1), 80, None, TODAY + dt.timedelta(1)), (aged(2), 80, 3, None),
    (aged(4) + dt.timedelta(1), 60, None, TODAY + dt.timedelta(1)), (aged(4), 60, 4, None)])
def test_a_small_child_is_certified_only_the_grades_that_can_be_told_at_its_age(born, loss, grade, again):
    conclusion = found(2, born, **hearing(loss, loss))
    assert conclusion.grade == grade
    if again:
        assert conclusion.reason == "grade-not-at-this-age" and conclusion.again == Again(again, "again-by-age")


@pytest.mark.parametrize(("clarity", "grade"), [
    (0, 1), (10, 1), (11, 2), (25, 2), (26, 3), (45, 3), (46, 4), (65, 4), (66, None), (100, None)])
def test_clarity_of_speech_gives_the_grade(clarity, grade):
    assert found(3, clarity=clarity).grade == grade


def test_speech_is_not_assessed_under_three_and_the_form_may_stay_empty():
    conclusion = found(3, aged(3) + dt.timedelta(1))
    assert (conclusion.grade, conclusion.reason) == (None, "too-young")
    assert conclusion.again == Again(TODAY + dt.timedelta(1), "again-by-age")
    assert found(3, aged(3), clarity=5).grade == 1


# -- physical ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("grade", "level", "letters", "clause"), [
    (1, "cannot", "abcdefghi", "5.5.2"), (2, "hardly", "abcdefg", "5.5.3"), (3, "partly", "abcdef", "5.5.4"),
    (4, "mostly", "abcdefghijk", "5.5.5")])
def test_each_lettered_criterion_gives_the_grade_of_its_clause_and_is_kept(grade, level, letters, clause):
    for letter in letters:
        conclusion = found(4, independence=level, **{f"grade_{grade}": [letter]})
        assert (conclusion.grade, conclusion.clauses) == (grade, (f"{clause} {letter}",))
    options = EVERY[[form.category for form in EVERY].index(4)].field(f"grade_{grade}").options
    assert "".join(option.code for option in options) == letters, "no letter that the standard does not have"


def test_of_several_criteria_the_most_severe_decides_and_all_that_hold_are_kept():
    conclusion = found(4, independence="hardly", grade_2=["b"], grade_4=["f", "c"])
    assert (conclusion.grade, conclusion.clauses) == (2, ("5.5.3 b", "5.5.5 c", "5.5.5 f"))


def test_a_criterion_counts_only_under_the_heading_of_its_grade():
    assert found(4, independence="partly", grade_1=["a"], grade_3=["c"]).clauses == ("5.5.4 c",)
    with pytest.raises(Refusal) as no:
        found(4, independence="partly", grade_1=["a"])
    assert no.value.code == "form-contradicts"


def test_without_a_criterion_the_standard_is_not_met():
    assert found(4, independence="cannot").reason == "standard-not-met"


# -- intellectual, mental ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("iq", "adaptive", "grade"), [
    (19, "profound", 1), (20, "severe", 2), (34, "severe", 2), (35, "moderate", 3), (49, "moderate", 3),
    (50, "slight", 4), (69, "slight", 4), (70, "slight", None), (69, "none", None), (60, "severe", 2)])
def test_from_seven_on_adaptive_behaviour_decides_where_the_quotient_gives_a_grade_at_all(iq, adaptive, grade):
    assert found(5, aged(7), iq=iq, adaptive=adaptive).grade == grade


@pytest.mark.parametrize(("dq", "adaptive", "grade"), [
    (25, "slight", 1), (26, "slight", 2), (39, "slight", 2), (40, "slight", 3), (54, "slight", 3), (55, "severe", 4),
    (71, "severe", 4), (72, "severe", 2), (75, "none", None), (75, "slight", 4), (76, "slight", None)])
def test_up_to_six_the_developmental_quotient_decides_below_72_and_adaptive_behaviour_from_there(dq, adaptive, grade):
    assert found(5, aged(7) + dt.timedelta(1), dq=dq, adaptive=adaptive).grade == grade


@pytest.mark.parametrize(("score", "grade"), [
    (180, 1), (116, 1), (115, 2), (106, 2), (105, 3), (96, 3), (95, 4), (52, 4), (51, None)])
def test_an_adult_s_mental_disability_is_graded_by_its_score(score, grade):
    assert found(6, aged(18), who_das=score, treated_since="2025-11-20").grade == grade


@pytest.mark.parametrize(("adaptive", "grade"), [("profound", 1), ("severe", 2), ("moderate", 3), ("slight", 4),
                                                 ("none", None)])
def test_a_minor_s_mental_disability_is_graded_by_adaptive_behaviour(adaptive, grade):
    assert found(6, aged(18) + dt.timedelta(1), adaptive=adaptive, treated_since="2024-01-01").grade == grade


def test_mental_disability_is_not_assessed_under_two():
    assert found(6, aged(2) + dt.timedelta(1)).reason == "too-young"
    assert found(6, aged(2), adaptive="severe", treated_since=dt.date(2025, 11, 20)).grade == 2


def test_mental_disability_is_not_assessed_before_a_year_of_treatment():
    conclusion = found(6, aged(40), who_das=120, treated_since="2025-11-21")
    assert (conclusion.grade, conclusion.reason) == (None, "treatment-too-short")
    assert conclusion.again == Again(dt.date(2026, 11, 21), "again-by-treatment")


# -- multiple ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["2027-01-01", "1899-12-31"])
def test_no_day_of_a_form_lies_in_the_future_or_before_the_birth(day):
    with pytest.raises(Refusal, match="form-day") as no:
        found(6, aged(40), who_das=120, treated_since=day)
    assert no.value.facts == {"field": "treated_since"}


def test_a_multiple_disability_has_the_grade_of_its_most_severe_part_and_keeps_them_all():
    conclusion = conclude(7, {"2": hearing(85, 85), "1": {"acuity_right": "0.2", "acuity_left": "0.2"}},
                          born=ADULT, on=TODAY, forms=CHANGSHA)
    assert (conclusion.category, conclusion.grade, conclusion.components) == (7, 2, ((1, 4), (2, 2)))
    assert conclusion.clauses == ("5.2", "5.3.3") and conclusion.forms == ("hearing-2010", "visual-2010")


def test_where_only_one_part_is_found_the_disability_is_that_one():
    one, none = Conclusion(1, 3, ("5.2",)), Conclusion(2, None, reason="standard-not-met")
    assert combine([none, one]) == one
    assert combine([none, Conclusion(1, None, reason="standard-not-met")]).grade is None


@pytest.mark.parametrize("parts", [[], [Conclusion(1, 3)], [Conclusion(1, 3), Conclusion(1, 2)]])
def test_a_multiple_disability_needs_two_different_parts(parts):
    with pytest.raises(Refusal, match="components-missing"):
        combine(parts)


def test_a_multiple_disability_is_assessed_again_with_the_first_of_its_parts_and_never_where_none_ever_is():
    never, soon, late = Again(None, "final"), Again(dt.date(2027, 1, 1), "growing"), Again(dt.date(2029, 1, 1), "x")
    def part(category, again):
        return Conclusion(category, 2, again=again)
    assert combine([part(1, late), part(2, soon)]).again == soon
    assert combine([part(1, never), part(2, soon)]).again == soon
    assert combine([part(1, never), part(2, never)]).again == never
    assert combine([part(1, never), part(2, None)]).again is None


# -- again, never, and what cannot be ------------------------------------------------------------------------------


def test_a_doctor_says_never_again_or_again_in_so_many_years_and_why():
    assert found(3, clarity=5, again="never", again_reason="final").again == Again(None, "final")
    assert found(3, clarity=5, again="2", again_reason="treatment").again == Again(dt.date(2028, 11, 20), "treatment")
    assert found(3, clarity=5).again is None


@pytest.mark.parametrize(("again", "reason", "field"), [
    ("never", "", "again_reason"), ("never", "treatment", "again_reason"), ("2", "final", "again_reason"),
    ("4", "treatment", "again"), ("soon", "treatment", "again"), ("", "final", "again")])
def test_never_and_again_each_need_a_reason_of_their_own(again, reason, field):
    with pytest.raises(Refusal) as no:
        found(3, clarity=5, again=again, again_reason=reason)
    assert (no.value.code, no.value.facts["field"]) == ("form-value", field)


@pytest.mark.parametrize(("category", "answers"), [
    (3, {"clarity": "101"}), (3, {"clarity": "-1"}), (3, {"clarity": "10.5"}), (3, {"clarity": "NaN"}),
    (3, {"clarity": "ten"}), (1, {"acuity_right": "0.0001", "acuity_left": "1"}), (4, {"independence": "well"}),
    (4, {"independence": "cannot", "grade_1": ["z"]}), (4, {"independence": "cannot", "grade_1": "a"}),
    (6, {"who_das": 60, "treated_since": "last year"})])
def test_a_value_that_cannot_be_names_its_field(category, answers):
    with pytest.raises(Refusal) as no:
        found(category, **answers)
    assert no.value.code == "form-value" and no.value.facts["field"] in answers


def test_a_form_that_is_not_filled_in_says_what_is_missing():
    with pytest.raises(Refusal) as no:
        found(2, **{name: value for name, value in hearing(50, 50).items() if name != "left_4000"})
    assert (no.value.code, no.value.facts) == ("form-incomplete", {"fields": ["left_4000"]})


def test_nobody_is_assessed_before_their_birth_and_no_category_without_a_form():
    with pytest.raises(Refusal, match="born-later"):
        found(3, TODAY + dt.timedelta(1), clarity=5)
    with pytest.raises(Refusal, match="form-missing"):
        conclude(3, {}, born=ADULT, on=dt.date(2011, 4, 30), forms=CHANGSHA)


# -- files ---------------------------------------------------------------------------------------------------------


def test_each_of_the_six_categories_has_one_form_of_its_own_with_words_in_both_languages():
    assert sorted(form.category for form in EVERY) == [1, 2, 3, 4, 5, 6]
    for form in EVERY:
        words = [field.words for field in form.fields] + [one.words for field in form.fields for one in field.options]
        words += [*form.never.values(), *form.later.values(), *WHY_NOT.values()]
        assert all(zh.strip() and en.strip() for zh, en in words), form.code


TEXT = (DATA / "speech.toml").read_text()


@pytest.mark.parametrize(("old", "new", "code"), [
    ("category = 3", "category = 7", "value-unknown"), ("category = 3", "category = 3\nextra = 1", "field-unknown"),
    ('kind = "number"', 'kind = "guess"', "value-unknown"), ('max = "100"', 'max = "0"', "field-missing"),
    ('sides = [["clarity"]]', 'sides = [["clearness"]]', "value-unknown"),
    ('at_most = ["10", "25", "45", "65"]', 'at_most = ["10", "45", "25", "65"]', "value-out-of-range"),
    ('at_most = ["10", "25", "45", "65"]', 'at_most = [10]', "value-out-of-range"),
    ('at_most = ["10", "25", "45", "65"]', 'at_most = ["10"]\nbelow = ["10"]', "value-unknown"),
    ('"5.4", "5.4", "5.4", "5.4"', '"5.4"', "field-missing"), ("years = [1, 2, 3, 5]", "years = [0]",
                                                            "value-out-of-range"),
    ("grades = []", "grades = [5]", "value-out-of-range"), ('source = "facts 1.5"', 'source = ""', "source-missing"),
    ('source = "GB/T 26341-2010, 5.4"', 'source = " "', "source-missing")])
def test_a_form_with_a_fault_is_refused_with_its_name(old, new, code):
    assert TEXT.count(old) == 1
    with pytest.raises(FileRefused) as no:
        forms.form_of(parse(TEXT.replace(old, new).encode(), "speech.toml"))
    assert no.value.code == code


def test_two_forms_of_one_category_and_day_are_refused(tmp_path):
    (tmp_path / "a.toml").write_text(TEXT)
    (tmp_path / "b.toml").write_text(TEXT.replace("speech-2010", "other"))
    with pytest.raises(FileRefused, match="dates-overlap"):
        forms.load(tmp_path)
    (tmp_path / "b.toml").write_text(TEXT.replace("2011-05-01", "2020-05-01"))
    with pytest.raises(FileRefused, match="code-twice"):
        forms.load(tmp_path)


def test_a_region_s_own_form_takes_the_place_of_the_nation_s_in_its_area():
    own = forms.form_of(parse(TEXT.replace('"000000"', '"430000"').replace("speech-2010", "hunan").encode(), "x"))
    assert forms.choose_form([*EVERY, own], 3, 430104_000000, TODAY) == own
    assert forms.choose_form([*EVERY, own], 3, 110101_000000, TODAY).code == "speech-2010"
