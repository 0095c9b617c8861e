"""A card is shown to a gate (出示证件): what was read goes in, an answer comes out. No network, no database.

The same function serves a gate without a network, the tests of the rules, and, with what the register knows in the
place of signed lists, the site itself (`settle`). It asks in this order: is the card genuine, do its dates hold, what
does its status list say (`verdict.decide`), and then, what do the rules of this place give.

Four colours: green, let pass; red, refuse; amber, this gate cannot know; neutral, a good card that gives nothing here,
said kindly and without a word of what its holder is. Category and grade are never in an answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

from zhengka.formats import certnumber, judging, qr, rulebook, serial, sm3, verdict
from zhengka.formats.certnumber import BadCertNumber
from zhengka.formats.credential import Credential
from zhengka.formats.issuers import KeySet
from zhengka.formats.judging import Asked, Judged, Used
from zhengka.formats.rulebook import CHINA, Person, Rule, Rulebook, Who
from zhengka.formats.serial import BadSerial
from zhengka.formats.statuslist import Status, StatusList
from zhengka.formats.verdict import AMBER, CLOCK_SKEW, GREEN, RED, Word

NEUTRAL: Final = "neutral"
HOLDS: Final = Status(1)
"""What a list of claims says of a card whose holder fulfils its condition."""

PASSING: Final = ("valid", "inactive")
"""Verdicts on a card after which the rules are asked: a lapsed activation stops what asks for one, and nothing else."""
MULTIPLE: Final = 7
"""The category 多重: what its parts are is not on a chip."""

WORDS: Final = verdict.WORDS | {
    "shown": Word(GREEN, "The certificate was looked at, and the rule holds.", "已查看证件，符合规定。"),
    "no-rule": Word(
        NEUTRAL, "No benefit is agreed here: the usual fare.", "此处没有优惠约定，请按普通票价办理。"),
    "not-entitled": Word(
        NEUTRAL, "No benefit here with this card: the usual fare.", "此卡在此处不享受优惠，请按普通票价办理。"),
    "wrong-time": Word(
        NEUTRAL, "No benefit at this time: the usual fare.", "此时段没有优惠，请按普通票价办理。"),
    "quota-used": Word(
        NEUTRAL, "This benefit is used up for now: the usual fare.", "优惠次数已用完，请按普通票价办理。"),
    "other-way": Word(AMBER, "Please show the card in another way here.", "此处请换一种方式出示证件。"),
    "look-at-the-face": Word(
        AMBER, "This gate cannot know: please look at the card's face.", "本机无法判断，请查看证件卡面。"),
    "ask-online": Word(
        AMBER, "This gate cannot know without the network: please ask online.", "本机离线无法判断，请联网查询。"),
    "rules-too-old": Word(
        AMBER, "The card is genuine, but the rules in this gate are too old.", "此卡是真的，但本机的规则已过时。"),
    "not-our-place": Word(
        AMBER, "This gate is set to a place that its rules do not know.", "本机设置的场所或服务不在规则中。"),
    "not-our-number": Word(
        AMBER, "This is no number of a card or certificate: please type it again.",
        "这不是卡号或残疾人证号，请重新输入。"),
    "not-authentic": Word(RED, "The chip could not prove that it is genuine.", "芯片无法证明自己是真的。"),
    "face-differs": Word(RED, "The face on the card is another person's.", "证件照片与本人不符。"),
}
"""Every code of an answer with its colour and words."""

TONES: Final = {GREEN: "pass", RED: "stop", AMBER: "ask", NEUTRAL: "calm"}
"""The tone of each colour, by name. The calm one is no alarm: who stands behind hears nothing of a refusal."""
VIBRATIONS: Final = {GREEN: (80,), RED: (400, 100, 400), AMBER: (150, 100, 150), NEUTRAL: (80, 120, 80)}
"""Milliseconds on, off, on."""

PRICES: Final = {rulebook.FREE: ("free", "免费"), rulebook.HALF: ("half price", "半价")}


class Scanned(NamedTuple):
    """A code that was read."""

    text: str


class Tapped(NamedTuple):
    """A chip that was held to the reader: its fields by name; `proven`: each proved its keys to the other."""

    fields: Mapping[str, Any]
    proven: bool


class Looked(NamedTuple):
    """What a person read from a certificate's face; `same`: the photo shows who holds it."""

    valid_until: date
    same: bool
    category: int | None = None
    grade: int | None = None
    area: int | None = None


class Typed(NamedTuple):
    """A number that was typed: a card's serial or a certificate's number."""

    number: str


Shown: TypeAlias = Scanned | Tapped | Looked | Typed
PROOF_OF: Final[dict[type, str]] = {Scanned: "qr", Tapped: "tap", Looked: "show", Typed: "number"}


class Place(NamedTuple):
    """Where a card is shown, and for what."""

    operator: str
    venue: str
    service: str


@dataclass(frozen=True)
class Bundle:
    """What a gate holds: issuers' keys, status lists by number, lists of claims by condition and number, the rules,
    when it was put together, and how old any of it may be.
    """

    keys: KeySet
    lists: Mapping[int, StatusList]
    claims: Mapping[tuple[str, int], StatusList]
    rulebook: Rulebook
    issued_at: datetime
    max_age: timedelta


@dataclass(frozen=True)
class Answer:
    """The answer. `rule` is the rule that gives, or that came nearest; `ways`: how the card may be shown instead;
    `subject`: a pseudonym of the card at this operator in this month, empty where no genuine card was read.
    """

    code: str
    proof: str
    sees: str = rulebook.SEES[0]
    rule: Rule | None = None
    subject: bytes = b""
    ways: tuple[str, ...] = ()
    reason: str = ""
    list_version: int | None = None
    list_age: timedelta | None = None

    @property
    def colour(self) -> str:
        """`green`, `red`, `amber` or `neutral`."""
        return WORDS[self.code].colour

    @property
    def ok(self) -> bool:
        """True for green only."""
        return self.colour == GREEN

    @property
    def benefit(self) -> str:
        """`free`, `half` or `fixed:200`; empty where nothing is given."""
        return self.rule.benefit if self.rule and self.ok else ""

    @property
    def companions(self) -> int:
        """How many others pass with the holder on the same terms."""
        return self.rule.companions if self.rule and self.ok else 0

    @property
    def en(self) -> str:
        """The answer in plain English."""
        return self._said(0)

    @property
    def zh(self) -> str:
        """The answer in plain Chinese."""
        return self._said(1)

    def to_dict(self) -> dict[str, Any]:
        """The whole answer, as the gate's own record needs it."""
        rule = self.rule if self.ok else None
        return {
            "code": self.code, "colour": self.colour, "proof": self.proof, "benefit": self.benefit,
            "companions": self.companions, "rule": rule.id if rule else "",
            "vouchers": list(rule.vouchers) if rule else [], "minutes": rule.minutes if rule else 0,
            "ways": list(self.ways), "tone": TONES[self.colour], "vibration": list(VIBRATIONS[self.colour]),
            "en": self.en, "zh": self.zh, "subject": self.subject.hex()}

    def _said(self, language: int) -> str:
        word = WORDS[self.code]
        if not self.ok or self.rule is None or self.sees == "verdict":
            return (word.en, word.zh)[language]
        price, count = (PRICES.get(self.rule.price) or _yuan(self.rule.fen))[language], self.companions
        others = (f", with {count} companion{'s' * (count > 1)}", f"，可带{count}名陪同人员")[language] if count else ""
        return f"{(word.en, word.zh)[language][:-1]}{(': ', '：')[language]}{price}{others}{('.', '。')[language]}"


def present(shown: Shown, *, bundle: Bundle, place: Place, at: datetime,
            used: Mapping[str, Used] | None = None) -> Answer:
    """What a card that is shown gives at a place and time (`at` is aware); `used`: how often each rule was used by the
    holder, as far as this gate knows.
    """
    gate = _Gate(bundle, place, at, used or {}, PROOF_OF[type(shown)])
    if not knows(bundle.rulebook, place):
        return gate.answer("not-our-place")
    if isinstance(shown, Scanned):
        return gate.scanned(shown.text)
    if isinstance(shown, Tapped):
        return gate.tapped(shown)
    return gate.looked(shown) if isinstance(shown, Looked) else gate.typed(shown)


def knows(book: Rulebook, place: Place) -> bool:
    """True where the rulebook is of the place's operator, and has its venue and service."""
    return (place.operator == book.operator and any(one.id == place.service for one in book.services)
            and any(one.id == place.venue for one in book.venues))


def settle(told: str, judged: Judged) -> str:
    """The code of an answer from the verdict on the card and what the rules say of it."""
    if told not in PASSING:
        return told
    if judged.code == "unknown":
        return "look-at-the-face" if judged.rule and "show" in judged.rule.proofs else "ask-online"
    return "valid" if judged.code == "given" else judged.code


def subject(operator: str, token: bytes, at: datetime) -> bytes:
    """The pseudonym of a card at an operator in a month of China: the same card has another one elsewhere, and in the
    next month. Whoever has the card's code can find it, so it hides nobody from who saw the card itself.
    """
    month = at.astimezone(CHINA).strftime("%Y-%m")
    return sm3.digest(b"zhengka subject" + operator.encode() + month.encode() + token)[:16]


@dataclass(frozen=True)
class _Gate:
    """One presentation at one gate."""

    bundle: Bundle
    place: Place
    at: datetime
    used: Mapping[str, Used]
    proof: str

    def answer(self, code: str, **more: Any) -> Answer:
        ways = self.ways() if WORDS[code].colour == AMBER and code != "not-our-place" else ()
        return Answer(code, self.proof, self.bundle.rulebook.sees, ways=ways, **more)

    def ways(self) -> tuple[str, ...]:
        """The other ways in which a card may be shown here, in the order of `PROOFS`."""
        open_ = judging.open_rules(self.bundle.rulebook, self.place.service, self.place.venue, self.today)
        found = {proof for rule in open_ for proof in rule.proofs} - {self.proof}
        return tuple(proof for proof in rulebook.PROOFS if proof in found)

    @property
    def today(self) -> date:
        return self.at.astimezone(CHINA).date()

    def scanned(self, text: str, chip: Person = Person()) -> Answer:
        """The answer on the text of a code; `chip`: what a chip told of its holder besides."""
        told = verdict.decide(text, keys=self.bundle.keys, lists=self.bundle.lists, at=self.at,
                              max_age=self.bundle.max_age)
        if told.credential is None:
            return self.answer(told.code, reason=told.reason)
        code, rule, found = self.fresh(told.code), None, told.credential
        if code in PASSING:
            judged = self.judge(lambda who: self.holds(who, found, chip), active=code == "valid")
            code, rule = settle(code, judged), judged.rule
        return self.answer(code, rule=rule, list_version=told.list_version, list_age=told.list_age,
                           subject=subject(self.place.operator, found.token, self.at))

    def tapped(self, shown: Tapped) -> Answer:
        """The answer on a chip. Without the credential in it a gate cannot look for the card in its lists."""
        told = shown.fields
        if not shown.proven:
            return self.answer("not-authentic")
        if "credential" in told:
            return self.scanned(qr.to_digits(told["credential"]), Person(told.get("category"), told.get("grade")))
        return self.of_dates(told.get("issued"), told.get("valid_until")) or self.unknown()

    def looked(self, shown: Looked) -> Answer:
        """The answer on a face that was looked at: an activation is not written on it and is not asked."""
        if not shown.same:
            return self.answer("face-differs")
        person = Person(shown.category, shown.grade, area=shown.area)
        judged = self.judge(lambda who: rulebook.who_holds(who, person, self.today), active=True)
        code = {"given": "shown", "unknown": "ask-online"}.get(judged.code, judged.code)
        return self.of_dates(None, shown.valid_until) or self.answer(code, rule=judged.rule)

    def typed(self, shown: Typed) -> Answer:
        """The answer on a number: whoever knows one need not hold the card, and no list here is in order of numbers."""
        return self.unknown() if is_number(shown.number) else self.answer("not-our-number")

    def unknown(self) -> Answer:
        """The answer on a card of which nothing is known here but that it is one."""
        judged = self.judge(lambda _who: None, active=True)
        return self.answer("ask-online" if judged.code == "unknown" else judged.code, rule=judged.rule)

    def of_dates(self, issued: date | None, until: date | None) -> Answer | None:
        """The answer of dates that speak against a card, if they do."""
        if issued is not None and self.today < issued:
            return self.answer("not-yet-valid")
        return self.answer("expired") if until is not None and self.today > until else None

    def judge(self, holds: Callable[[Who], bool | None], *, active: bool) -> Judged:
        return judging.judge(self.bundle.rulebook, self.place.service, self.place.venue,
                             Asked(self.at, self.proof, holds, active, self.used))

    def fresh(self, code: str) -> str:
        """The same code, or another where the rules are too old to go by it."""
        age = self.at - self.bundle.issued_at
        if code not in PASSING or -CLOCK_SKEW <= age <= self.bundle.max_age:
            return code
        return "rules-too-old" if age > self.bundle.max_age else "clock-behind"

    def holds(self, who: Who, found: Credential, chip: Person) -> bool | None:
        """Whether a condition is fulfilled: by its list, or by what the chip told where that is enough."""
        if not who.claim:
            return True
        listed = self.bundle.claims.get((who.claim, found.status_list))
        if listed is None or found.status_index >= listed.header.capacity \
                or not -CLOCK_SKEW <= listed.age(self.at) <= self.bundle.max_age:
            return None if chip.category == MULTIPLE else rulebook.who_holds(who, chip, self.today)
        if listed.status(found.status_index) is HOLDS:
            return True
        # A card that was made on the day of the list or later may not have been in it yet.
        return False if found.issued < listed.issued_at.astimezone(CHINA).date() else None


def is_number(text: str) -> bool:
    """True for the serial of a card or the number of a certificate."""
    for parse, bad in ((serial.parse, BadSerial), (certnumber.parse, BadCertNumber)):
        try:
            parse(text)
        except bad:
            continue
        return True
    return False


def _yuan(fen: int) -> tuple[str, str]:
    yuan = f"{fen // 100}.{fen % 100:02}" if fen % 100 else str(fen // 100)
    return f"{yuan} yuan", f"{yuan}元"
