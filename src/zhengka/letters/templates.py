"""Files of letters (`data/letters`): how each kind is worded, by area and day, read and proved. Pure.

A file cannot leave anything out: it shows every slot of its kind in both languages. That it is plain to read is
measured, and that its short message is one message is proved with the longest values.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from zhengka.core.dated import FileRefused, Table, choose, read
from zhengka.core.errors import Refusal
from zhengka.letters.rules import KINDS, LANGUAGES, SLOTS, SMS_UNITS, Value, Words, day_words, filled, longest, units

SLOT: Final = re.compile(r"\{([a-z_]+)\}")
SENTENCE: Final = {"zh": re.compile("[。！？；：]"), "en": re.compile(r"[.!?;:](?:\s|$)")}
LONGEST_SENTENCE: Final = {"zh": 30, "en": 20}
"""Characters (Chinese) or words (English) in one sentence at most, a slot counted as one: plain language (易读)."""
TELLING: Final = re.compile("残疾|身份证|类别|等级|disab|identity|category|grade", re.IGNORECASE)
"""What no short message says: a telephone lies open on the table, and others read along."""


class Wording(NamedTuple):
    """A kind of letter in one language."""

    title: str
    paragraphs: tuple[str, ...]
    sms: str


class Template(NamedTuple):
    """How a kind of letter is worded in the areas from `lo` to `hi`, from `valid_from` on."""

    kind: str
    lo: int
    hi: int
    valid_from: date
    source: str
    wordings: Mapping[str, Wording]


def load(folder: Path) -> tuple[Template, ...]:
    """Every template of a folder, proved. Raises `FileRefused`."""
    found: dict[tuple[str, int, int, date], Template] = {}
    for path in sorted(folder.glob("*.toml")):
        template = template_of(read(path))
        if (key := (template.kind, template.lo, template.hi, template.valid_from)) in found:
            raise FileRefused("dates-overlap", path.name, template.kind)
        found[key] = template
    return tuple(found.values())


def template_of(table: Table) -> Template:
    """The template that a file holds, proved. Raises `FileRefused`."""
    name, (lo, hi), since = table.take("kind", str), table.area(), table.take("valid_from", date)
    if name not in KINDS:
        raise FileRefused("letter-unknown", table.place, name)
    source = table.take("source", str)
    if not source.strip():
        raise FileRefused("source-missing", table.place, "source")
    wordings = {language: _wording(table.table(language), name, language) for language in LANGUAGES}
    table.end()
    return Template(name, lo, hi, since, source, wordings)


def _wording(table: Table, name: str, language: str) -> Wording:
    paragraphs = table.take("paragraphs", list)
    if not paragraphs or not all(isinstance(each, str) for each in paragraphs):
        raise FileRefused("field-missing", table.place, "paragraphs (str)")
    wording = Wording(table.take("title", str), tuple(paragraphs), table.take("sms", str))
    table.end()
    for text in (wording.title, wording.sms, *paragraphs):
        if not text.strip() or not text.isprintable():
            raise FileRefused("text-unfit", table.place, text[:20])
        _check_slots(text, KINDS[name].slots, table.place)
    if missing := KINDS[name].shown - {slot for text in (wording.title, *paragraphs) for slot in SLOT.findall(text)}:
        raise FileRefused("slot-missing", table.place, ", ".join(sorted(missing)))
    for text in (wording.title, wording.sms):
        if private := [slot for slot in SLOT.findall(text) if SLOTS[slot].private]:
            raise FileRefused("slot-private", table.place, ", ".join(private))
    _check_sms(wording.sms, name, language, table.place)
    for text in paragraphs:
        _check_plain(text, language, table.place)
    return wording


def _check_slots(text: str, known: Iterable[str], place: str) -> None:
    for slot in SLOT.findall(text):
        if slot not in known:
            raise FileRefused("slot-unknown", place, slot)
    if "{" in (rest := SLOT.sub("", text)) or "}" in rest:
        raise FileRefused("slot-unknown", place, text[:20])


def _check_sms(text: str, name: str, language: str, place: str) -> None:
    if told := TELLING.search(text):
        raise FileRefused("sms-telling", place, told[0])
    if (length := units(_put(text, longest(KINDS[name].slots, language)))) > SMS_UNITS:
        raise FileRefused("sms-long", place, str(length))


def _check_plain(text: str, language: str, place: str) -> None:
    for sentence in SENTENCE[language].split(SLOT.sub("□" if language == "zh" else "x", text)):
        length = len(sentence) if language == "zh" else len(sentence.split())
        if length > LONGEST_SENTENCE[language]:
            raise FileRefused("sentence-long", place, f"{length}: {sentence.strip()[:12]}")


def _put(text: str, values: Mapping[str, str]) -> str:
    """The text with its slots filled; what a value says is never looked at for slots again."""
    return SLOT.sub(lambda found: values[found[1]], text)


def of(templates: Iterable[Template], kind: str, area: int, on: date) -> Template:
    """The template of a kind that holds for an area on a day; `Refusal("letter-unknown")`."""
    found = choose([one for one in templates if one.kind == kind], area, on)
    if found is None:
        raise Refusal("letter-unknown", kind=kind)
    return found


def say(template: Template, slots: Mapping[str, Value], *, name: str, language: str, on: date) -> Words:
    """The letter to somebody called `name`; `Refusal`: `letter-slots-wrong`, `letter-text-unfit`."""
    wording, values = template.wordings[language], filled(KINDS[template.kind], slots, language)
    greeting = f"{name}，您好：" if language == "zh" else f"Dear {name},"
    return Words(language, _put(wording.title, values), greeting,
                 tuple(_put(text, values) for text in wording.paragraphs), values["office"], day_words(on, language))


def say_shortly(template: Template, slots: Mapping[str, Value], *, language: str, on: date) -> Words:
    """The short message: one paragraph of at most 70 units, without a name. Refuses as `say` does."""
    wording = template.wordings[language]
    values = filled(KINDS[template.kind], slots, language, shortly=True)
    return Words(language, _put(wording.title, values), "", (_put(wording.sms, values),), values["office"],
                 day_words(on, language))
