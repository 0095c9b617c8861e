"""A portrait is measured and judged: a photograph that fits, and what is wrong with each variant of it."""

import io
from datetime import date
from pathlib import Path

import pytest
from PIL import Image

import papers_brought as brought
from zhengka.core.dated import FileRefused, parse, read
from zhengka.exchange.sample.portraits import pool
from zhengka.papers import checks
from zhengka.papers.bounds import Bad
from zhengka.papers.checks import CHECKS, Finding
from zhengka.papers.examining import examined

DATA = Path(__file__).resolve().parents[2] / "data/photos"
MODEL = DATA / "face_detection_short_range.tflite"
STANDARD = checks.load(read(DATA / "standard.toml"))
TEXT = (DATA / "standard.toml").read_text()


def judged(picture: Image.Image, *, dark_glasses: bool = False) -> list[Finding]:
    figures = examined(brought.jpeg(picture), MODEL).measured.figures
    return checks.judge(figures, STANDARD, dark_glasses=dark_glasses)


def failed(findings: list[Finding]) -> set[str]:
    return {one.code for one in findings if one.outcome == "failed"}


def test_a_photograph_that_fits_passes_every_check():
    findings = judged(brought.photograph())
    assert {one.outcome for one in findings} == {"passed"} and [one.code for one in findings] == list(CHECKS)
    assert checks.fits(findings)


@pytest.mark.parametrize("check", brought.VARIANTS)
def test_what_is_wrong_with_a_photo_is_found(check):
    findings = judged(brought.VARIANTS[check]())
    assert check in failed(findings) and not checks.fits(findings)


def test_a_turned_head_is_found_by_its_ears():
    nose_at_the_edge = {"turn": 0.3, "faces": 1.0}
    assert "turn" in failed(checks.judge(nose_at_the_edge, STANDARD, dark_glasses=False))


def test_dark_glasses_are_allowed_for_a_visual_disability_and_the_check_says_so():
    assert failed(judged(brought.with_dark_glasses())) == {"eyes"}
    findings = {one.code: one for one in judged(brought.with_dark_glasses(), dark_glasses=True)}
    assert checks.fits(findings.values())
    assert {code for code, one in findings.items() if one.outcome == "dark-glasses"} == {"eyes", "tilt"}
    assert findings["eyes"].value is None


def test_without_a_face_nothing_of_a_face_is_measured_and_the_photo_fails():
    findings = judged(Image.new("RGB", (358, 441), "white"))
    outcomes = {one.code: one.outcome for one in findings}
    assert outcomes["faces"] == "failed" and outcomes["sharpness"] == outcomes["eyes"] == "no-face"
    assert outcomes["background"] == "passed" and not checks.fits(findings)


def test_a_figure_at_its_limit_passes_and_just_behind_it_fails():
    limit = STANDARD.limits["head"]
    for value, outcome in ((limit.least, "passed"), (limit.most, "passed"), (limit.least - 0.01, "failed"),
                           (limit.most + 0.01, "failed")):
        [found] = [one for one in checks.judge({"head": value}, STANDARD, dark_glasses=False) if one.code == "head"]
        assert found.outcome == outcome, value


def test_a_scanned_photo_lying_on_its_side_is_set_upright_by_what_the_camera_said():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90°
    lying = brought.photograph().transpose(Image.Transpose.ROTATE_90)
    found = examined(brought.jpeg(lying, exif=exif), MODEL)
    assert found.measured.size == (358, 441)
    assert checks.fits(checks.judge(found.measured.figures, STANDARD, dark_glasses=False))
    assert b"Exif" not in found.data


def test_the_drawings_of_the_sample_pass_as_what_they_are():
    """They are invented faces, drawn from the front before white; nothing is bent for them."""
    for group, drawings in pool(7, 48).items():
        for drawing in drawings[:2]:
            findings = judged(Image.open(io.BytesIO(drawing)), dark_glasses=group.dark_glasses)
            assert not failed(findings), (group, failed(findings))


@pytest.mark.parametrize("data", [b"", b"<svg xmlns='http://www.w3.org/2000'/>", b"%PDF-1.7", b"GIF89a" + b"\0" * 9])
def test_what_is_no_picture_is_never_measured(data):
    with pytest.raises(Bad, match="paper-kind-refused"):
        examined(data, MODEL)


# -- the file of the standard ----------------------------------------------------------------------------------------


def load(text: str) -> checks.Standard:
    return checks.load(parse(text.encode(), "test.toml"))


def test_every_check_has_its_limits_its_source_and_words_in_both_languages():
    assert STANDARD.limits.keys() == CHECKS.keys() and STANDARD.valid_from == date(2018, 1, 1)
    for check in CHECKS.values():
        assert all(check.what) and all(check.todo)


@pytest.mark.parametrize(("old", "new", "code"), [
    ("[checks.tint]", "[checks.mood]", "value-unknown"),
    ("most = 0.82", "most = 0.4", "value-out-of-range"),
    ('source = "practice: about two thirds"', 'source = " "', "source-missing"),
    ("most = 0.15\n", "", "field-missing"),
    ("most = 0.15", "most = 1", "field-missing"),
    ("least = 0.45", "least = 0.45\nmust = 1.0", "field-unknown"),
    ('area = "000000"', 'area = "0"', "area-unknown"),
])
def test_a_standard_with_a_mistake_is_refused_with_the_reason(old, new, code):
    assert old in TEXT
    with pytest.raises(FileRefused) as refused:
        load(TEXT.replace(old, new))
    assert refused.value.code == code


def test_a_standard_that_leaves_a_check_out_is_refused():
    at = TEXT.index("[checks.tint]")
    with pytest.raises(FileRefused, match="tint"):
        load(TEXT[:at])
