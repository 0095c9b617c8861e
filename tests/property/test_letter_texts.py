"""Whatever stands in a letter's particulars: one short message, no markup, no lost cell."""

import datetime as dt
import html
import re
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lettering import PARTICULARS
from zhengka.core.errors import Refusal
from zhengka.letters import braille, rendering, rules, templates
from zhengka.letters.rendering import Sheet
from zhengka.letters.rules import KINDS, LANGUAGES, SLOTS, Recipient

SHIPPED = templates.load(Path(__file__).parents[2] / "data" / "letters")
TODAY = dt.date(2026, 11, 20)
ANYTHING = st.text(max_size=30) | st.sampled_from([
    "<script>alert(1)</script>", "</title></style><img src=x onerror=y>", "&lt;&#0;", "{phone}{until}", "%(families)s",
    "王\u202e明", "王\r\nBcc: x", "\ud800", "𠮷" * 30, "\u200b", "'\"--"])


@st.composite
def fitting(draw, name: str):
    """Any value that a slot may hold."""
    slot = SLOTS[name]
    if slot.form == "day":
        return draw(st.dates(dt.date(1000, 1, 1), dt.date(9999, 12, 31)))
    if slot.form == "count":
        return draw(st.integers(0, 10**slot.most - 1))
    readable = st.characters(exclude_categories=("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"))
    text = draw(st.text(readable, min_size=1, max_size=slot.most) | st.just("𠮷" * (slot.most // 2)))
    return text if rules.fits(text, slot.most) else PARTICULARS[name]


@st.composite
def letters(draw):
    """A kind, a language, and particulars that fit."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    return kind, draw(st.sampled_from(sorted(LANGUAGES))), {
        name: draw(fitting(name)) for name in sorted(KINDS[kind].slots)}


@given(letters())
def test_every_short_message_of_particulars_that_fit_is_one_message_in_one_line(letter):
    kind, language, slots = letter
    template = templates.of(SHIPPED, kind, 430104_000000, TODAY)
    (text,) = templates.say_shortly(template, slots, language=language, on=TODAY).paragraphs
    assert rules.units(text) <= rules.SMS_UNITS and "\n" not in text
    assert len(text.encode("utf-16-le")) <= 140


class Read(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)

    def handle_data(self, data) -> None:
        self.text += data


@given(ANYTHING, ANYTHING, ANYTHING)
def test_hostile_text_is_refused_or_shown_as_it_is(name, body, address):
    template = templates.of(SHIPPED, "generic", 430104_000000, TODAY)
    to = Recipient(name, "13800138000", address)
    slots = {each: PARTICULARS[each] for each in KINDS["generic"].slots} | {"body": body}
    try:
        rules.check_recipient(to, "print")
        words = templates.say(template, slots, name=name, language="zh", on=TODAY)
    except Refusal as no:
        if no.code == "letter-no-way":
            assert not address.strip(), "a sheet of paper goes to an address"
            return
        assert no.code == "letter-text-unfit" and no.facts["slot"] in ("name", "address", "body")
        assert not all(rules.fits(text, 600) for text in (name, body, address or "-"))
        return
    for page in (rendering.screen(words), rendering.paper([Sheet(words, to)], title=words.title, families=["F0"])):
        read = Read()
        read.feed(page)
        assert set(read.tags) <= {"html", "head", "meta", "title", "style", "body", "main", "section", "div", "h1",
                                  "p", "br"}
        assert read.tags.count("p") == page.count("<p") and name in read.text and body.strip() in read.text
        assert html.escape(name) in page
    assert body.strip() in rendering.plain(words)


CELLS = st.text(st.sampled_from("⠀⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠼⠅⠇⠍⠝⠔⠪⠆⠄⠂⠤⠐⠱⠌"), max_size=400)


@given(CELLS, st.integers(0, 6))
def test_no_cell_is_lost_when_lines_are_broken_and_none_is_too_long(cells, first):
    rows = braille.wrap(cells, first=first)
    assert all(len(row) <= braille.WIDTH for row in rows)
    said = "".join(cells.split(braille.BLANK))
    kept = "".join("".join(row.split(braille.BLANK)) for row in rows)
    assert re.sub("⠤", "", kept) == re.sub("⠤", "", said) and kept.count("⠤") >= said.count("⠤")


@given(st.integers(10**12, 10**36), st.integers(1, 12))
def test_a_number_is_never_broken_behind_a_hyphen(number, before):
    digits = "⠼" + "".join("⠚⠁⠃⠉⠙⠑⠋⠛⠓⠊"[int(digit)] for digit in str(number))
    rows = braille.wrap("⠝⠩⠄" * before + "⠀" + digits)
    assert any(digits in row for row in rows)


@given(st.lists(CELLS, min_size=1, max_size=30))
def test_every_page_of_a_braille_file_fits_the_sheet(paragraphs):
    made = braille.file(["⠞⠲⠁⠌⠁", *paragraphs])
    pages = made.decode("ascii").split("\f")[:-1]
    assert pages and all(len(page.split("\r\n")) - 1 <= braille.HEIGHT for page in pages)
    assert all(len(row) <= braille.WIDTH for page in pages for row in page.split("\r\n"))
