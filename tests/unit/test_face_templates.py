"""Face templates: what a template may hold, and that one which cannot be printed is refused when it is read."""

from pathlib import Path

import pytest
from django.conf import settings

from zhengka.production import faces
from zhengka.production.faces import checking
from zhengka.production.faces.layout import LayoutBroken

FACES = Path(settings.DATA) / "faces"
LONG = "阿卜杜热合曼·麦麦提依明·买买提吐尔逊"


def read(tmp_path: Path, *changes: tuple[str, str], name: str = "city-pass") -> faces.Layout:
    text = (FACES / f"{name}.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "face.toml").write_text(text)
    return checking.load(tmp_path / "face.toml")


@pytest.mark.parametrize("path", sorted(FACES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_template_that_is_shipped_can_be_printed(path):
    assert checking.load(path).id == path.stem


@pytest.mark.parametrize(("old", "new", "says"), [
    ('name = "partner.bank"\nx = 53.0', 'name = "partner.bank"\nx = 60.0', "back: slots: partner.bank: outside"),
    ('[[back.marks]]\npartner = "bank"\nx = 45.0', '[[back.marks]]\npartner = "bank"\nx = 81.0', "bank: outside"),
    ('x = 62.6\ny = 12.2', 'x = 66.6\ny = 12.2', "front: qr: outside"),
    ('[[back.marks]]\npartner = "bank"\nx = 45.0', '[[back.marks]]\npartner = "bank"\nx = 8.0', "overlap"),
    ('[front.photo]\nx = 4.4', '[front.photo]\nx = 9.4', "photo.*overlap"),
    ('size = 8.5\nmin_size = 6.0', 'size = 11.0\nmin_size = 11.0', "slots: partner.bank: overflow"),
    ('radius = 1.4', 'radius = 1.4\nstroke = "x"', "bad-type"),
    ('text = "中华人民共和国残疾人证"', 'text = "中华人民共和国残疾人证ལྷ"', "front: U.0F63.*no-glyph"),
    ('text = "中华人民共和国残疾人证"', 'text = "中华人民共和国中华人民共和国残疾人证残疾人证"', "outside"),
    ('x = 3.2\ny = 4.6', 'x = 0.4\ny = 4.6', "marks: city: text: outside"),
    ('name = "partner.city"', 'name = "partner.tram"', "tram.*unknown-partner"),
    ('[[front.marks]]\npartner = "scheme"', '[[front.marks]]\npartner = "city"', "marks: scheme: missing"),
    ('name = "partner.city"', 'name = "partner.bank"', "partner-slot"),
    ('example = "4301000000000017"', 'example = "43A"', "partners: city: bad-example"),
    ('name = "valid_until"', 'name = "issuer"', "front: slots: valid_until: missing"),
    ('name = "serial"', 'name = "issuer"', "slots: serial: missing"),
    ('short = [0, -1]', 'short = ["first"]', "names: bad-type"),
])
def test_a_template_that_cannot_be_printed_is_refused_with_the_field_and_the_reason(tmp_path, old, new, says):
    with pytest.raises(LayoutBroken, match=says):
        read(tmp_path, (old, new))


def test_the_template_as_it_is_shipped_passes_the_same_reading(tmp_path):
    layout = read(tmp_path)
    assert layout.numbers == ("city", "bank") and set(layout.partners) == {"city", "bank", "scheme"}


def test_every_mark_of_a_partner_says_that_it_is_a_placeholder():
    layout = checking.load(FACES / "city-pass.toml")
    said = "".join(shape.text for side in (layout.front, layout.back)
                   for shape in (*side.shapes, *(each for mark in side.marks for each in mark.shapes)))
    assert said.count("占位") == len(layout.partners)
    assert all("占位" in partner.title_zh and "placeholder" in partner.title for partner in layout.partners.values())


def test_a_long_name_is_shortened_to_the_parts_that_the_template_names_and_no_other_name_is():
    layout = checking.load(FACES / "city-pass.toml")
    assert layout.shortened(LONG) == "阿卜杜热合曼·买买提吐尔逊"
    assert [layout.shortened(name) for name in ("阿依古丽·买买提", "欧阳建国")] == ["阿依古丽·买买提", "欧阳建国"]


def test_a_template_without_a_rule_shortens_nothing(tmp_path):
    assert read(tmp_path, ("[names]\nshort = [0, -1]", "")).shortened(LONG) == LONG


