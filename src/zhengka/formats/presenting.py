"""A card is shown to a gate (出示证件): what was read goes in, an answer comes out. No network, no database.

The same lines serve a gate without a network and, with what the register knows in the place of signed lists, the site
itself (`Asking.of_card`). Asked is in this order: is the card genuine, do its dates hold, what does its status list say
(`verdict.decide`), and then, what do the rules of this place give.

Four colours: green, let pass; red, refuse; amber, this gate cannot know; neutral, a good card that gives nothing here,
said kindly and without a word of what its holder is. Category and grade are never in an answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple, Self, TypeAlias

from zhengka.formats import certnumber, judging, qr, rulebook, serial, sm3, verdict
from zhengka.formats.bundle import BadBundle, Held
from zhengka.formats.certnumber import BadCertNumber
from zhengka.formats.credential import Credential
from zhengka.formats.issuers import KeySet
from zhengka.formats.judging import Asked, Judged, Used
from zhengka.formats.rulebook import CHINA, Person, Rule, Rulebook, Who
from zhengka.formats.serial import BadSerial
from zhengka.formats.statuslist import StatusList
from zhengka.formats.verdict import AMBER, CLOCK_SKEW, GREEN, RED, Word

NEUTRAL: Final = "neutral"
RULEBOOK: Final = "rulebook.json"
"""The file of an operator's bundle with its rules."""
HOLDS: Final = 1
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
"""Every code of an answer of a gate without a network, with its colour and words."""
ONLINE: Final = {
    "not-activated": Word(RED, "The card was not activated yet.", "此卡尚未激活。"),
    "activation-lapsed": Word(
        RED, "The card's activation for this year is missing: no services by it. It still proves the disability.",
        "此卡年度激活已过期：暂停使用服务；仍可证明残疾人身份。"),
    "card-unknown": Word(
        AMBER, "The code is genuine, but this register does not know the card: ask the issuing office.",
        "二维码是真的，但本系统没有这张卡的记录，请询问发证机构。"),
}
"""What only the register knows: a list says of both that the card is `inactive`."""
_WORDS: Final = WORDS | ONLINE

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
    """What a person read from a certificate's face; `same`: the photo shows who holds it. `area`: twelve digits."""

    valid_until: date
    same: bool
    category: int | None = None
    grade: int | None = None
    area: int | None = None
    born: date | None = None


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
    when it was put together, how old any of it may be, and the hosts that codes may carry (none: any).
    """

    keys: KeySet
    lists: Mapping[int, StatusList]
    claims: Mapping[tuple[str, int], StatusList]
    rulebook: Rulebook
    issued_at: datetime
    max_age: timedelta
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, held: Held) -> Self:
        """What a gate holds that took its operator's bundle. Raises `BadBundle` where it has no rules, and
        `BadRulebook`.
        """
        if RULEBOOK not in held.files:
            raise BadBundle("bundle-incomplete", RULEBOOK)
        return cls(held.keys, held.lists, held.claims, rulebook.parse(held.files[RULEBOOK]),
                   held.manifest.issued_at, held.manifest.max_age, held.hosts)


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

    def but(self, code: str) -> Self:
        """The same answer with another code."""
        return replace(self, code=code)

    @property
    def colour(self) -> str:
        """`green`, `red`, `amber` or `neutral`."""
        return _WORDS[self.code].colour

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
        word = _WORDS[self.code]
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
    gate = _Gate(bundle, Asking(bundle.rulebook, place, at, PROOF_OF[type(shown)], used or {}))
    if not gate.asking.known:
        return gate.asking.answer("not-our-place")
    if isinstance(shown, Scanned):
        return gate.scanned(shown.text)
    if isinstance(shown, Tapped):
        return gate.tapped(shown)
    return gate.asking.looked(shown) if isinstance(shown, Looked) else gate.asking.typed(shown)


def subject(operator: str, token: bytes, at: datetime) -> bytes:
    """The pseudonym of a card at an operator in a month of China: the same card has another one elsewhere, and in the
    next month. Whoever has the card's code can find it, so it hides nobody from who saw the card itself.
    """
    month = at.astimezone(CHINA).strftime("%Y-%m")
    return sm3.digest(b"zhengka subject" + operator.encode() + month.encode() + token)[:16]


@dataclass(frozen=True)
class Asking:
    """One presentation: the rules, where, when, in which way, and how often each rule was used before."""

    rulebook: Rulebook
    place: Place
    at: datetime
    proof: str
    used: Mapping[str, Used]

    @property
    def today(self) -> date:
        """The day in China."""
        return self.at.astimezone(CHINA).date()

    @property
    def known(self) -> bool:
        """True where the rules are of the place's operator, and have its venue and service."""
        return (self.place.operator == self.rulebook.operator
                and any(one.id == self.place.service for one in self.rulebook.services)
                and any(one.id == self.place.venue for one in self.rulebook.venues))

    def answer(self, code: str, **more: Any) -> Answer:
        """An answer with this code, and in which other ways the card may be shown where that may help."""
        ways = self.ways() if _WORDS[code].colour == AMBER and code != "not-our-place" else ()
        return Answer(code, self.proof, self.rulebook.sees, ways=ways, **more)

    def ways(self) -> tuple[str, ...]:
        """The other ways in which a card may be shown here, in the order of `PROOFS`."""
        open_ = judging.open_rules(self.rulebook, self.place.service, self.place.venue, self.today)
        found = {proof for rule in open_ for proof in rule.proofs} - {self.proof}
        return tuple(proof for proof in rulebook.PROOFS if proof in found)

    def judge(self, holds: Callable[[Who], bool | None], *, active: bool = True) -> Judged:
        """What the rules say of a card of which `holds` tells whether it fulfils a condition."""
        return judging.judge(self.rulebook, self.place.service, self.place.venue,
                             Asked(self.at, self.proof, holds, active, self.used))

    def of_card(self, told: str, token: bytes, holds: Callable[[Who], bool | None], **more: Any) -> Answer:
        """The answer on a genuine card: by what is told of it (a code of a verdict), and by the rules."""
        code, rule = told, None
        if told in PASSING:
            judged = self.judge(holds, active=told == "valid")
            rule = judged.rule
            code = {"given": "valid", "unknown": _elsewhere(judged)}.get(judged.code, judged.code)
        return self.answer(code, rule=rule, subject=subject(self.place.operator, token, self.at), **more)

    def looked(self, shown: Looked) -> Answer:
        """The answer on a face that was looked at: an activation is not written on it and is not asked."""
        if not shown.same:
            return self.answer("face-differs")
        judged = self.judge(lambda who: _face_holds(who, shown, self.today))
        code = {"given": "shown", "unknown": "ask-online"}.get(judged.code, judged.code)
        return self.of_dates(None, shown.valid_until) or self.answer(code, rule=judged.rule)

    def typed(self, shown: Typed) -> Answer:
        """The answer on a number: whoever knows one need not hold the card, and no list here is in order of numbers."""
        return self.unknown() if is_number(shown.number) else self.answer("not-our-number")

    def unknown(self) -> Answer:
        """The answer on a card of which nothing is known here but that it is one."""
        judged = self.judge(lambda _who: None)
        return self.answer("ask-online" if judged.code == "unknown" else judged.code, rule=judged.rule)

    def of_dates(self, issued: date | None, until: date | None) -> Answer | None:
        """The answer of dates that speak against a card, if they do."""
        if issued is not None and self.today < issued:
            return self.answer("not-yet-valid")
        return self.answer("expired") if until is not None and self.today > until else None


@dataclass(frozen=True)
class _Gate:
    """One presentation at a gate without a network."""

    bundle: Bundle
    asking: Asking

    def scanned(self, text: str, chip: Person = Person()) -> Answer:
        """The answer on the text of a code; `chip`: what a chip told of its holder besides."""
        told = verdict.decide(text, keys=self.bundle.keys, lists=self.bundle.lists, at=self.asking.at,
                              max_age=self.bundle.max_age, hosts=self.bundle.hosts)
        found = told.credential
        if found is None:
            return self.asking.answer(told.code, reason=told.reason)
        return self.asking.of_card(self.fresh(told.code), found.token, lambda who: self.holds(who, found, chip),
                                   list_version=told.list_version, list_age=told.list_age)

    def tapped(self, shown: Tapped) -> Answer:
        """The answer on a chip. Without the credential in it a gate cannot look for the card in its lists."""
        told = shown.fields
        if not shown.proven:
            return self.asking.answer("not-authentic")
        if "credential" in told:
            payload = told["credential"][: qr.LONGEST_PAYLOAD + 1]  # one byte too many is refused like any more
            return self.scanned(qr.to_digits(payload), Person(told.get("category"), told.get("grade")))
        return self.asking.of_dates(told.get("issued"), told.get("valid_until")) or self.asking.unknown()

    def fresh(self, code: str) -> str:
        """The same code, or another where the rules are too old to go by it."""
        age = self.asking.at - self.bundle.issued_at
        if code not in PASSING or -CLOCK_SKEW <= age <= self.bundle.max_age:
            return code
        return "rules-too-old" if age > self.bundle.max_age else "clock-behind"

    def holds(self, who: Who, found: Credential, chip: Person) -> bool | None:
        """Whether a condition is fulfilled: by its list, or by what the chip told where that is enough."""
        if not who.claim:
            return True
        listed = self.bundle.claims.get((who.claim, found.status_list))
        if listed is None or found.status_index >= listed.header.capacity \
                or not -CLOCK_SKEW <= listed.age(self.asking.at) <= self.bundle.max_age:
            return None if chip.category == MULTIPLE else rulebook.who_holds(who, chip, self.asking.today)
        if listed.told(found.status_index) == HOLDS:
            return True
        # A card that was made on the day of the list or later may not have been in it yet.
        return False if found.issued < listed.issued_at.astimezone(CHINA).date() else None


def _face_holds(who: Who, shown: Looked, on: date) -> bool | None:
    """Whether a condition is fulfilled by what stands on a face: the parts of a multiple disability do not."""
    person = Person(shown.category, shown.grade, area=shown.area, born=shown.born)
    held = rulebook.who_holds(who, person, on)
    if held is False and shown.category == MULTIPLE and who.components:
        return rulebook.who_holds(who, person._replace(category=None), on)
    return held


def _elsewhere(judged: Judged) -> str:
    """What to do where a gate cannot know: look, if the rule lets the certificate itself prove, or ask the register."""
    return "look-at-the-face" if judged.rule and "show" in judged.rule.proofs else "ask-online"


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
