"""Kinds of letters (文书种类), what stands in them, and how long each part may be. Pure.

A kind is a contract between who writes a letter and the file that words it (`data/letters`): the writer gives each slot
once, the file shows each slot, in both languages. No file can leave out by which day one may dispute a decision.
"""

import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from zhengka.core.errors import Refusal

LANGUAGES: Final = {"zh": "zh-Hans", "en": "en"}
"""Language of a letter → its tag (BCP 47)."""

SMS_UNITS: Final = 70
"""UTF-16 units in one Chinese short message (3GPP TS 23.038, UCS2): a longer one comes in pieces, and is paid so."""

Value = str | int | date
"""What fills a slot."""


class Slot(NamedTuple):
    """A named place in a letter: a `text`, a `day` or a `count`, of at most so many units; `private`: never in a title
    or a short message, which others see on the screen.
    """

    form: str
    most: int = 11
    private: bool = False


SLOTS: Final[dict[str, Slot]] = {
    "office": Slot("text", 24), "phone": Slot("text", 13),
    "number": Slot("text", 20), "card": Slot("text", 4), "days": Slot("count", 3), "until": Slot("day"),
    "day": Slot("day"), "time": Slot("text", 5), "place": Slot("text", 24),
    "papers": Slot("text", 300, private=True), "disability": Slot("text", 60, private=True),
    "matter": Slot("text", 20, private=True),
    "reason": Slot("text", 300, private=True), "heading": Slot("text", 20), "body": Slot("text", 600, private=True),
    "city_office": Slot("text", 24), "province_office": Slot("text", 24), "new_area": Slot("text", 24, private=True),
    "freeze_day": Slot("day"), "lapse_day": Slot("day"),
}
"""Every slot of every letter. `most` is what a short message is proved with when the file is read."""

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


KINDS: Final[dict[str, Kind]] = {name: Kind(zh, frozenset(own.split())) for name, zh, own in (
    ("acceptance", "受理通知", "number until"),
    ("papers-missing", "补正告知", "number papers until"),
    ("appointment", "评定预约", "number day time place"),
    ("decision-approved", "批准决定", "number disability"),
    ("case-done", "办结通知", "number matter"),
    ("decision-refused", "不予批准决定", "number reason"),
    ("ways-to-dispute", "异议权利告知", "number reason until city_office province_office"),
    ("activation-reminder", "激活提醒", "days until"),
    ("card-ready", "领取通知", "place until"),
    ("card-blocked", "挂失告知", "card day"),
    ("freeze-warning", "冻结提醒", "new_area freeze_day lapse_day"),
    ("lapse-warning", "注销提醒", "new_area freeze_day lapse_day"),
    ("generic", "通知", "heading body"),
)}

OCCASION: Final = r"[a-z0-9.-]{1,40}"
"""What tells one letter of a kind about a row from the next."""
HOTLINE: Final = "12385"
"""The service line for people with disabilities (残疾人服务热线), the same number in every place."""
UNREACHED: Final = ("letter-no-way", "letter-text-unfit", "letter-slots-wrong", "letter-unknown")
"""Why a person cannot be told: no reason to stop what they would have been told of."""
NAME_UNITS: Final = 60
ADDRESS_UNITS: Final = 120


class Recipient(NamedTuple):
    """Who gets a letter (收件人), and how: in which language, and whether in very large type."""

    name: str
    phone: str = ""
    address: str = ""
    language: str = "zh"
    large: bool = False


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
    return bool(text.strip()) and units(text) <= most and all(map(_visible, text))


def _visible(character: str) -> bool:
    category = unicodedata.category(character)
    # younger rare characters are not assigned yet for this Python
    return category not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp") or (
        category == "Cn" and 0x20000 <= ord(character) < 0x40000)


def check_recipient(recipient: Recipient, channel: str) -> None:
    """Refuse a recipient who cannot be written to by this channel: `letter-text-unfit`, `letter-no-way`."""
    if not fits(recipient.name, NAME_UNITS):
        raise Refusal("letter-text-unfit", slot="name")
    if recipient.address and not fits(recipient.address, ADDRESS_UNITS):
        raise Refusal("letter-text-unfit", slot="address")
    if channel == "sms" and not is_phone(recipient.phone):
        raise Refusal("letter-no-way", channel=channel)


def ways(to: Recipient, *, braille: bool = False) -> tuple[str, ...]:
    """The channels on which a person is told: a message where there is a phone, else a sheet of paper, and who reads
    `braille` gets one in Braille, too.
    """
    if is_phone(to.phone):
        return ("sms",)
    return ("print", "braille") if braille else ("print",)


def is_phone(text: str) -> bool:
    """True for a number that a short message can go to: digits, perhaps behind a plus sign."""
    digits = text.removeprefix("+")
    return digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15


def filled(kind: Kind, slots: Mapping[str, Value], language: str) -> dict[str, str]:
    """The slots in words; `Refusal`: `letter-slots-wrong` (one too few or too many), `letter-text-unfit`."""
    if slots.keys() != kind.slots:
        raise Refusal("letter-slots-wrong", missing=sorted(kind.slots - slots.keys()),
                      unknown=sorted(slots.keys() - kind.slots))
    return {name: _filled(name, value, language) for name, value in slots.items()}


def _filled(name: str, value: Value, language: str) -> str:
    slot = SLOTS[name]
    if slot.form == "day" and type(value) is date:
        return day_words(value, language)
    if slot.form == "count" and type(value) is int and 0 <= value < 10**slot.most:
        return str(value)
    if slot.form == "text" and type(value) is str and fits(value, slot.most):
        return value.strip()
    raise Refusal("letter-text-unfit", slot=name)


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


def masked(text: str) -> str:
    """The middle of a name or phone number hidden: enough to tell two letters apart."""
    if len(text) < 7:
        return text[:1] + "*" * (len(text) - 1)
    return text[:3] + "*" * (len(text) - 7) + text[-4:]


# -- sending -----------------------------------------------------------------------------------------------------------
_PAUSES: Final = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
LOST_AFTER: Final = timedelta(minutes=5)
"""What has been sending for so long has lost its worker: nobody knows whether it went out."""


def next_try(tries: int) -> timedelta | None:
    """How long to wait after so many tries in vain; None: no more by itself."""
    return _PAUSES[tries - 1] if tries <= len(_PAUSES) else None
