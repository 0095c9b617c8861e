"""Letters as people get them: every wording in both languages, in print, in Braille, on a telephone, by voice."""

import datetime as dt
import io
import json
import re
import subprocess
from pathlib import Path

import pypdf
import pytest
from pypinyin import lazy_pinyin

from lettering import PARTICULARS, TO, slots
from zhengka.config.env import BadEnvironment, read
from zhengka.core.errors import Refusal
from zhengka.letters import braille, printing, rendering, rules, senders, templates
from zhengka.letters.rendering import Sheet
from zhengka.letters.rules import KINDS, LANGUAGES, SLOTS, Recipient, Words

ROOT = Path(__file__).parents[2]
SHIPPED = templates.load(ROOT / "data" / "letters")
YUELU, TODAY = 430104_000000, dt.date(2026, 11, 20)
EACH = pytest.mark.parametrize(("kind", "language"), [(kind, language) for kind in KINDS for language in LANGUAGES])
VECTORS = json.loads((ROOT / "tests/vectors/braille.json").read_text("utf-8"))


def words_of(kind: str, language: str = "zh", name: str = TO.name, **other) -> Words:
    template = templates.of(SHIPPED, kind, YUELU, TODAY)
    return templates.say(template, slots(kind, **other), name=name, language=language, on=TODAY)


def sms_of(kind: str, language: str = "zh", **other) -> str:
    template = templates.of(SHIPPED, kind, YUELU, TODAY)
    return templates.say_shortly(template, slots(kind, **other), language=language, on=TODAY).paragraphs[0]


def printed(words: Words, to: Recipient = TO) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(printing.pdf([Sheet(words, to)], title=words.title)))


# -- wordings ----------------------------------------------------------------------------------------------------------
@EACH
def test_every_letter_says_each_of_its_particulars_in_both_languages(kind, language):
    text = rendering.plain(words_of(kind, language))
    for name in KINDS[kind].slots:
        value = PARTICULARS[name]
        assert (rules.day_words(value, language) if isinstance(value, dt.date) else str(value)) in text, name
    assert "{" not in text and (TO.name in text)
    assert text.splitlines()[-1] == {"zh": "2026年11月20日", "en": "20 Nov 2026"}[language]


@EACH
def test_every_short_message_is_one_message_and_says_whom_to_ask_but_not_about_whom(kind, language):
    text = sms_of(kind, language)
    assert rules.units(text) <= 70 and "0731-88888888" in text
    for private in (TO.name, *(PARTICULARS[name] for name, slot in SLOTS.items() if slot.private)):
        assert private not in text


@pytest.mark.parametrize("days", [10, 15])
def test_who_disputes_is_told_of_the_days_of_the_region_the_city_and_the_province(days):
    text = rendering.plain(words_of("ways-to-dispute", days=days))
    assert f"一共有{days}个工作日" in text and text.index("长沙市残疾人联合会") < text.index("湖南省残疾人联合会")


def test_a_region_words_a_letter_its_own_way_and_a_later_wording_takes_its_place():
    text = (ROOT / "data/letters/card-ready.toml").read_text("utf-8")
    own = text.replace('"000000"', '"430100"').replace("您的新卡做好了。", "新卡到了。")
    later = own.replace("2018-01-01", "2026-11-20").replace("新卡到了。", "卡到了。")
    found = [*SHIPPED, *(templates.template_of(templates_table(each)) for each in (own, later))]

    def first(area: int, on: dt.date) -> str:
        return templates.of(found, "card-ready", area, on).wordings["zh"].paragraphs[0]
    assert first(YUELU, dt.date(2026, 11, 19)) == "新卡到了。" and first(YUELU, TODAY) == "卡到了。"
    assert first(420104_000000, TODAY) == "您的新卡做好了。"


def templates_table(text: str):
    from zhengka.core.dated import parse
    return parse(text.encode(), "region.toml")


def test_before_the_first_wording_is_in_force_there_is_no_letter():
    with pytest.raises(Refusal, match="letter-unknown"):
        templates.of(SHIPPED, "card-ready", YUELU, dt.date(2017, 12, 31))


@pytest.mark.parametrize("change", [{"until": None}, {"id_number": "430104"}])
def test_a_letter_with_a_particular_too_few_or_too_many_is_refused(change):
    given = {name: value for name, value in (slots("acceptance") | change).items() if value is not None}
    with pytest.raises(Refusal, match="letter-slots-wrong"):
        templates.say(templates.of(SHIPPED, "acceptance", YUELU, TODAY), given, name="王", language="zh", on=TODAY)


@pytest.mark.parametrize("change", [
    {"office": "某" * 25}, {"office": ""}, {"office": "  "}, {"office": "a\nb"}, {"office": "a\x00b"},
    {"office": "残\u202e联"}, {"office": "残\u200b联"}, {"office": "\ud842"}, {"office": 7}, {"until": "soon"},
    {"until": dt.datetime(2026, 12, 1, tzinfo=dt.UTC)}, {"phone": "0731-88888888-123"}])
def test_a_particular_that_cannot_be_read_in_one_line_is_refused_by_its_name(change):
    with pytest.raises(Refusal) as refused:
        words_of("acceptance", **change)
    assert (refused.value.code, refused.value.facts) == ("letter-text-unfit", {"slot": next(iter(change))})


def test_what_a_particular_says_is_never_looked_at_for_slots_or_marks_again():
    words = words_of("generic", body="<script>{phone}</script> & {until}")
    assert words.paragraphs[0] == "<script>{phone}</script> & {until}"
    assert "&lt;script&gt;{phone}&lt;/script&gt; &amp; {until}" in rendering.screen(words)


@pytest.mark.parametrize(("to", "channel", "code"), [
    (Recipient("王", ""), "sms", "letter-no-way"), (Recipient("王", "0731-8888"), "sms", "letter-no-way"),
    (Recipient("王", "١٢٣٤٥٦٧٨"), "sms", "letter-no-way"),
    (Recipient("王\n", "13800138000"), "sms", "letter-text-unfit"),
    (Recipient("王" * 61), "print", "letter-text-unfit"),
    (Recipient("王", "", "路\x07"), "print", "letter-text-unfit")])
def test_nobody_is_written_to_who_cannot_be_reached_or_named(to, channel, code):
    with pytest.raises(Refusal, match=code):
        rules.check_recipient(to, channel)


def test_a_rare_character_is_a_name_and_counts_for_two():
    rules.check_recipient(Recipient("𠮷㛃\U00031350", address="麓山路 1 号"), "print")
    assert rules.units("𠮷田") == 3


# -- paper -------------------------------------------------------------------------------------------------------------
def structure(reader: pypdf.PdfReader) -> list[str]:
    """The tags of a document, in reading order."""
    def walk(node) -> list[str]:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            return [tag for child in node for tag in walk(child)]
        if not isinstance(node, dict):
            return []
        return [*([node["/S"]] if "/S" in node else []), *walk(node.get("/K", []))]
    return walk(reader.trailer["/Root"]["/StructTreeRoot"])


def test_a_printed_letter_is_tagged_text_with_language_and_title():
    reader = printed(words_of("decision-refused"))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value and root["/Lang"] == "zh-Hans"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] and reader.metadata.title == "不予批准决定"
    tags = structure(reader)
    assert tags.count("/H1") == 1 and tags.count("/P") >= 8
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    text = reader.pages[0].extract_text()
    assert "𠮷田明" in text and text.index("枫林路") < text.index("不予批准决定") < text.index("评定的结果不到四级")


def sizes(reader: pypdf.PdfReader) -> set[float]:
    found: set[float] = set()

    def see(text, _cm, tm, _font, size) -> None:
        if text.strip():
            found.add(round(size * abs(tm[3])))
    for page in reader.pages:
        page.extract_text(visitor_text=see)
    return found


def test_type_is_of_14_points_at_least_and_of_18_for_who_asks_for_it():
    assert min(sizes(printed(words_of("acceptance")))) >= 14
    large = printed(words_of("acceptance"), Recipient("王", large=True))
    assert min(sizes(large)) >= 18 - 4 and sorted(sizes(large))[-2] >= 18


def test_a_letter_in_english_is_told_as_english():
    assert printed(words_of("card-ready", "en")).trailer["/Root"]["/Lang"] == "en"


def test_markup_in_a_name_is_printed_as_it_is_and_fetches_nothing():
    name = '<img src="file:///etc/passwd">&lt;b>'
    reader = printed(words_of("acceptance", name=name), Recipient(name, address="</style><h1>x"))
    text = "".join(page.extract_text() for page in reader.pages).replace("\n", "")
    assert name in text and "</style><h1>x" in text and "root:" not in text
    assert structure(reader).count("/H1") == 1 and "/Figure" not in structure(reader)


def test_the_press_takes_nothing_but_its_fonts(tmp_path):
    (tmp_path / "secret.css").write_text("body::before { content: 'SECRET' }")
    sheet = (tmp_path / "secret.css").as_uri()
    html = f'<html lang="en"><title>t</title><link rel=stylesheet href="{sheet}"><p>x</html>'
    made = printing._run([printing.sys.executable, "-m", "zhengka.letters.press"], html.encode())
    assert "SECRET" not in pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text()


def test_a_character_that_no_font_has_becomes_a_mark_to_write_over_and_is_named():
    assert printing.missing("王\ue000𠮷") == ["U+E000"]
    assert "〓" in printed(words_of("acceptance", name="王\ue000")).pages[0].extract_text()


def test_without_its_program_nothing_is_printed_and_the_no_has_a_name(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refusal) as refused:
        printing.brf(words_of("acceptance"))
    assert (refused.value.code, refused.value.facts) == ("letter-press-missing", {"program": "lou_translate"})


# -- Braille -----------------------------------------------------------------------------------------------------------
def back(cells: str, table: str) -> str:
    """What the tool itself reads in cells."""
    done = subprocess.run(["lou_translate", "--backward", f"unicode.dis,{table}"], input=cells + "\n", text=True,
                          capture_output=True, check=True)
    return done.stdout.strip()


def sound(text: str) -> str:
    """How a text is said, without tones: all that Braille keeps of a Chinese character."""
    return re.sub(r"[^a-z0-9]", "", "".join(lazy_pinyin(text)))


@pytest.mark.parametrize("vector", VECTORS["chinese"], ids=lambda vector: vector["text"])
def test_chinese_is_written_in_the_common_braille_and_reads_back_as_it_is_said(vector):
    (cells,) = printing.transcribe([vector["text"]], "zh")
    assert cells == vector["cells"]
    assert sound(back(cells, "zhcn-cbs.ctb")) == sound(vector["text"])


def test_a_day_keeps_its_numbers():
    (vector,) = VECTORS["by_hand"]
    assert printing.transcribe([vector["text"]], "zh") == [vector["cells"]]


@pytest.mark.parametrize("vector", VECTORS["english"], ids=lambda vector: vector["text"])
def test_english_is_written_uncontracted_and_reads_back(vector):
    (cells,) = printing.transcribe([vector["text"]], "en")
    assert cells == vector["cells"] and back(cells, "en-ueb-g1.ctb") == vector["text"]


def test_a_character_that_no_table_knows_is_written_by_its_sound_and_one_without_is_marked():
    rare, known, unsaid, asked = printing.transcribe(["㛃", "节", "𠮷", "？"], "zh")
    assert rare == known and unsaid == asked
    assert printing.transcribe(["Dear 田明", "𠮷"], "en") == ["⠠⠙⠑⠁⠗⠀⠞⠊⠁⠝⠀⠍⠊⠝⠛⠀", "⠰⠦⠀"]


@EACH
def test_every_letter_fits_the_embosser(kind, language):
    made = printing.brf(words_of(kind, language))
    assert made.endswith(b"\f") and made.isascii()
    for page in made.decode().split("\f")[:-1]:
        rows = page.split("\r\n")
        assert len(rows) - 1 <= 25 and all(len(row) <= 40 for row in rows)


def test_a_long_letter_goes_on_over_numbered_pages():
    pages = braille.pages(["⠃⠔", *["⠃⠔⠀" * 60] * 6])
    assert len(pages) == 2 and all(len(page) == 25 for page in pages)
    assert pages[0][-1].strip("⠀") == "⠼⠁" and pages[1][-1].strip("⠀") == "⠼⠃" and len(pages[1][-1]) == 40


# -- settings ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("given", "fault"), [
    ({"ZHENGKA_SMS_URL": "https://sms.example"}, "ZHENGKA_SMS_SECRET"),
    ({"ZHENGKA_SMS_URL": "http://sms.example", "ZHENGKA_SMS_SECRET": "x" * 32}, "phone numbers"),
    ({"ZHENGKA_SMS_URL": "ftp://127.0.0.1", "ZHENGKA_SMS_SECRET": "x" * 32}, "phone numbers")])
def test_a_provider_without_a_secret_or_in_the_clear_is_refused_at_the_start(given, fault):
    with pytest.raises(BadEnvironment, match=fault):
        read(given)


def test_a_provider_on_this_machine_or_behind_tls_is_taken():
    for url in ("http://127.0.0.1:8080/x", "https://sms.example/x"):
        assert read({"ZHENGKA_SMS_URL": url, "ZHENGKA_SMS_SECRET": "x" * 32}).sms_url == url


def test_every_reason_of_a_failure_is_given_somewhere_and_said_in_both_languages():
    source = "".join(path.read_text("utf-8") for path in Path(senders.__file__).parent.rglob("*.py"))
    for code, words in senders.REASONS.items():
        assert source.count(f'"{code}"') == 2 and all(words), code
