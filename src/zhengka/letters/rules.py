"""Kinds of letters (文书种类), what stands in them, and how long each part may be. Pure.

A kind is a contract between who writes a letter and the file that words it (`data/letters`): the writer gives each slot
once, the file shows each slot, in both languages. No file can leave out by which day one may dispute a decision.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from zhengka.core.errors import Refusal
from zhengka.formats import names

LANGUAGES: Final = {"zh": "zh-Hans", "en": "en"}
"""Language of a letter → its tag (BCP 47)."""

SMS_UNITS: Final = 70
"""UTF-16 units in one Chinese short message (3GPP TS 23.038, UCS2): a longer one comes in pieces, and is paid so."""


class InWords(NamedTuple):
    """Words of ours in each language of `LANGUAGES`: a letter says those of its own."""

    zh: str
    en: str


Value = str | int | date | InWords
"""What fills a slot: names, and what an officer wrote, stay as they are written (`str`)."""


class Slot(NamedTuple):
    """A named place in a letter: a `text`, a `day` or a `count`, of at most so many units; `private`: never in a title
    or a short message, which others see on the screen; `written`: a whole letter has room for so many, and a short
    message says the first `most` of them.
    """

    form: str
    most: int = 11
    private: bool = False
    written: int = 0


SLOTS: Final[dict[str, Slot]] = {
    "office": Slot("text", 24), "phone": Slot("text", 13),
    "number": Slot("text", 20), "card": Slot("text", 4), "days": Slot("count", 3), "until": Slot("day"),
    "day": Slot("day"), "time": Slot("text", 5), "place": Slot("text", 24, written=320),
    "papers": Slot("text", 500, private=True), "next": Slot("text", 500, private=True),
    "disability": Slot("text", 60, private=True),
    "matter": Slot("text", 40, private=True),
    "reason": Slot("text", 300, private=True), "result": Slot("text", 340, private=True),
    "services": Slot("text", 12, written=40), "heading": Slot("text", 20), "body": Slot("text", 600, private=True),
    "city_office": Slot("text", 24), "province_office": Slot("text", 24), "new_area": Slot("text", 24, private=True),
    "freeze_day": Slot("day"), "lapse_day": Slot("day"),
}
"""Every slot of every letter. `most` is what a short message is proved with when the file is read; a place is the name
of an institution and of a room in it.
"""

COMMON: Final = frozenset({"office", "phone"})
"""In every letter: who writes, and who answers."""


class Kind(NamedTuple):
    """A kind of letter: its official term, and the slots that it has besides the common ones."""

    zh: str
    own: frozenset[str]

    @property
    def slots(self) -> frozenset[str]:
        """All its slots."""
        return self.own | COMMON

    @property
    def shown(self) -> frozenset[str]:
        """What every wording must show; the office signs below."""
        return self.slots - {"office"}


INVITATION: Final = "exchange-opened"
"""The letter with which an office calls a holder."""

KINDS: Final[dict[str, Kind]] = {name: Kind(zh, frozenset(own.split())) for name, zh, own in (
    (INVITATION, "换发通知", "number"),
    ("acceptance", "受理通知", "number matter next until"),
    ("acceptance-undated", "受理通知（未定期限）", "number matter next"),
    ("papers-missing", "补正告知", "number matter papers until"),
    ("appointment", "评定预约", "number day time place"),
    ("appointment-missed", "未到评告知", "number"),
    ("appointment-called-off", "预约取消告知", "number reason"),
    ("decision-approved", "批准决定", "number disability"),
    ("case-done", "办结通知", "number matter"),
    ("departure-confirmed", "迁出确认", "number new_area until"),
    ("decision-refused", "不予批准决定", "number reason"),
    ("ways-to-dispute", "异议权利告知", "number reason until days city_office province_office"),
    ("dispute-result", "复核结果告知", "number result until province_office"),
    ("dispute-final", "最终复核结果告知", "number result"),
    ("report-undone", "误报更正告知", "number"),
    ("restored", "恢复告知", "number"),
    ("assessment-again", "重新评定提醒", "day"),
    ("apply-again", "再次申请提醒", "day"),
    ("activation-reminder", "激活提醒", "days until services"),
    ("activation-ahead", "激活预告", "day until services"),
    ("activation-lapsed", "激活过期告知", "until services"),
    ("card-ready", "领取通知", "place until"),
    ("card-waiting", "待领提醒", "days place"),
    ("card-blocked", "挂失告知", "card day"),
    ("card-found", "解挂告知", "card day"),
    ("freeze-warning", "冻结提醒", "new_area freeze_day lapse_day"),
    ("lapse-warning", "注销提醒", "new_area freeze_day lapse_day"),
    ("generic", "通知", "heading body"),
)}

IN_WRITING: Final = frozenset({
    "papers-missing", "appointment-called-off", "decision-refused", "ways-to-dispute", "dispute-result",
    "dispute-final"})
"""What a person gets on paper, too, who is told by phone: a message says neither which papers are missing (一次性告知)
nor what was decided (书面告知), nor why a day is called off.
"""

WISHES: Final = ("paper", "large", "braille", "en")
"""How a person may ask to be written to (告知方式): on paper beside messages, in very large type (大字), in Braille
(盲文), in English.
"""

OCCASION: Final = r"[a-z0-9.-]{1,40}"
"""What tells one letter of a kind about a row from the next."""
HOTLINE: Final = "12385"
"""The service line for people with disabilities (残疾人服务热线), the same number in every place."""
NOT_ASKED: Final = "letter-not-asked"
"""Why a person was not told of what was done without letters: nobody tried."""
UNREACHED: Final = ("letter-no-way", "letter-text-unfit", "letter-slots-wrong", "letter-unknown", NOT_ASKED)
"""Why a person cannot be told, or was not: no reason to stop what they would have been told of."""
NAME_UNITS: Final = 60
ADDRESS_UNITS: Final = 120
"""What the window of an envelope has room for; forms take no longer address."""


class Recipient(NamedTuple):
    """Who gets a letter (收件人), and how: in which language, and whether in very large type; `asked`: which written
    ways they asked for beside a message, of `WISHES`.
    """

    name: str
    phone: str = ""
    address: str = ""
    language: str = "zh"
    large: bool = False
    asked: tuple[str, ...] = ()


class Words(NamedTuple):
    """What a letter says, for ever: whatever becomes of the file that worded it."""

    language: str
    title: str
    greeting: str
    paragraphs: tuple[str, ...]
    office: str
    day: str


def units(text: str) -> int:
    """The length of a text as phones count it, in UTF-16 units: a rare character (𠮷) is two."""
    return len(text) + sum(character > "\uffff" for character in text)


def fits(text: str, most: int) -> bool:
    """True for something to read in one line, of at most `most` units: no control character, nothing invisible that
    turns the line round or hides a part of it, no half of a character.
    """
    if not text.strip() or units(text) > most:
        return False
    return _PLAIN.fullmatch(text) is not None or all(map(_visible, text))


_PLAIN: Final = re.compile("[ -~\u4e00-\u9fff（）·，。：]*")
"""Most texts there are: nothing in them needs a look."""


def _visible(character: str) -> bool:
    category = unicodedata.category(character)
    # younger rare characters are not assigned yet for this Python
    return category not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp") or (
        category == "Cn" and 0x20000 <= ord(character) < 0x40000)


def check_recipient(recipient: Recipient, channel: str) -> None:
    """Refuse a recipient who cannot be written to by this channel: `letter-text-unfit`, `letter-no-way`. Only a sheet
    of paper has an address, which stands in the window of its envelope.
    """
    if not fits(recipient.name, NAME_UNITS):
        raise Refusal("letter-text-unfit", slot="name")
    if channel != "sms" and not recipient.address.strip():
        raise Refusal("letter-no-way", channel=channel)
    if channel == "print" and not fits(recipient.address, ADDRESS_UNITS):
        raise Refusal("letter-text-unfit", slot="address")
    if channel == "sms" and not is_phone(recipient.phone):
        raise Refusal("letter-no-way", channel=channel)


def wishing(to: Recipient, wishes: Collection[str]) -> Recipient:
    """The recipient as they wish to be written to, by some of `WISHES`."""
    return to._replace(language="en" if "en" in wishes else to.language, large=to.large or "large" in wishes,
                       asked=tuple(each for each in WISHES if each in wishes and each != "en"))


def check_wishes(wishes: Collection[str]) -> tuple[str, ...]:
    """The wishes in one order, each once; `Refusal("wish-unknown")` for what no letter can be."""
    if unknown := sorted(set(wishes) - set(WISHES)):
        raise Refusal("wish-unknown", wish=unknown[0][:20])
    return tuple(each for each in WISHES if each in wishes)


def ways(to: Recipient, kind: str, *, braille: bool = False) -> tuple[str, ...]:
    """The channels on which a person is told: a message where there is a phone, else a sheet of paper. Of the kinds in
    `IN_WRITING` everybody gets the paper, and so does who asked for it, or for large type.

    In Braille, too, for who asked for it, and with paper for who is likely to read it (`braille`).
    """
    phone = is_phone(to.phone)
    paper = not phone or kind in IN_WRITING or "paper" in to.asked or "large" in to.asked
    return (*(("sms",) if phone else ()), *(("print",) if paper else ()),
            *(("braille",) if "braille" in to.asked or (braille and paper) else ()))


def is_phone(text: str) -> bool:
    """True for a number that a short message can go to: digits, perhaps behind a plus sign; no landline."""
    digits = text.removeprefix("+")
    return not digits.startswith("0") and digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15


def filled(kind: Kind, slots: Mapping[str, Value], language: str, *, shortly: bool = False) -> dict[str, str]:
    """The slots in words, as a whole letter says them or a short message; `Refusal`: `letter-slots-wrong` (one too few
    or too many), `letter-text-unfit`.
    """
    if slots.keys() != kind.slots:
        raise Refusal("letter-slots-wrong", missing=sorted(kind.slots - slots.keys()),
                      unknown=sorted(slots.keys() - kind.slots))
    said = {name: _filled(name, value, language) for name, value in slots.items()}
    return {name: cut(text, SLOTS[name].most) if SLOTS[name].written else text
            for name, text in said.items()} if shortly else said


def _filled(name: str, value: Value, language: str) -> str:
    slot = SLOTS[name]
    if isinstance(value, InWords):
        value = value.zh if language == "zh" else value.en
    if slot.form == "day" and type(value) is date:
        return day_words(value, language)
    if slot.form == "count" and type(value) is int and 0 <= value < 10**slot.most:
        return str(value)
    if slot.form == "text" and type(value) is str and fits(value, slot.written or slot.most):
        return value.strip()
    raise Refusal("letter-text-unfit", slot=name)


def cut(text: str, most: int) -> str:
    """The text, or its beginning with an ellipsis, in at most so many units."""
    if units(text) <= most:
        return text
    while units(text) >= most:
        text = text[:-1]
    return f"{text.rstrip()}…"


def day_words(day: date, language: str) -> str:
    """A day as people read it."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def longest(slots: frozenset[str], language: str) -> dict[str, str]:
    """Every slot filled as far as it goes: what a short message is measured with."""
    widest = {"text": "国", "count": "9"}
    day = day_words(date(2026, 12, 31), language)
    return {name: day if SLOTS[name].form == "day" else widest[SLOTS[name].form] * SLOTS[name].most for name in slots}


def masked(phone: str) -> str:
    """The middle of a phone number hidden: enough to tell two letters apart."""
    if len(phone) < 7:
        return phone[:1] + "*" * (len(phone) - 1)
    return phone[:3] + "*" * (len(phone) - 7) + phone[-4:]


_GUARDIANS: Final = {"zh": "{}（{}的监护人）", "en": "{} (guardian of {})"}
_GUARDIAN: Final = [re.compile(re.escape(words).replace(r"\{\}", "(.+)")) for words in _GUARDIANS.values()]


def as_guardian(guardian: str, person: str, language: str) -> str:
    """What stands on a letter that goes to the guardian (监护人) of a person."""
    return _GUARDIANS.get(language, _GUARDIANS["zh"]).format(guardian, person)


def masked_name(name: str) -> str:
    """A recipient's name in part, as a list shows it: of a guardian's letter both names, each for itself."""
    for words, pattern in zip(_GUARDIANS.values(), _GUARDIAN, strict=True):
        if found := pattern.fullmatch(name):
            return words.format(*map(names.masked, found.groups()))
    return names.masked(name)


# -- sending -----------------------------------------------------------------------------------------------------------
_PAUSES: Final = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
LOST_AFTER: Final = timedelta(minutes=5)
"""What has been sending for so long has lost its worker: nobody knows whether it went out."""


def next_try(tries: int) -> timedelta | None:
    """How long to wait after so many tries in vain; None: no more by itself."""
    return _PAUSES[tries - 1] if tries <= len(_PAUSES) else None
