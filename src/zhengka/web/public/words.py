"""What a verdict looks like to somebody who stands before a card's holder: a word, a sign, and what to do."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from zhengka.formats.certnumber import CATEGORIES, GRADES

Word = str | Promise


@dataclass(frozen=True)
class Look:
    """`tone`: good, bad or wait. `sign`: tick, cross, pause or question. `steps`: what to do, in order."""

    tone: str
    sign: str
    word: Word
    note: Word
    steps: tuple[Word, ...] = ()


_REFUSE = _("Do not accept this card.")
_FOUND = _("If you found this card: hand it in at any office of the Disabled Persons' Federation.")
_ASK = _("Questions are answered by the issuing office named on the card.")
_STILL = _("The person's disability certificate itself is not in question: it stays valid for its ten years.")
_AGAIN = _("Clean the code, scan it again, and make sure that the whole code is in the picture.")
_HOST = _("Trust only this page. Enter no data and pay nothing on a page that another code opens.")

LOOKS: dict[str, Look] = {
    "valid": Look("good", "tick", _("Valid"), _("This card may be accepted.")),
    "suspended": Look("bad", "cross", _("Reported lost"), _REFUSE, (
        _FOUND, _("If it is your own card and you have it again: ask the issuing office to lift the report."))),
    "revoked": Look("bad", "cross", _("Cancelled"), _REFUSE, (
        _("The holder may have a newer card: ask to see that one."), _ASK)),
    "expired": Look("bad", "pause", _("Expired"), _("The card's last day is over."), (
        _("The holder exchanges it, free of charge, at the issuing office."),)),
    "not-activated": Look("bad", "pause", _("Not activated yet"), _("The card cannot be used yet."), (
        _("The holder has it activated at the issuing office, or asks for a visit at home."), _STILL)),
    "activation-lapsed": Look("wait", "pause", _("Activation is over"), _(
        "Accept it as a proof of disability. No rides and no payments by it until it is activated."), (
        _("The holder has it activated at the issuing office, or asks for a visit at home."), _STILL)),
    "not-yet-valid": Look("bad", "pause", _("Not valid yet"), _("The card's first day has not come."), (_ASK,)),
    "forged": Look("bad", "cross", _("Not genuine"), _("The code was forged or changed, or no known issuer made it."), (
        _("Do not accept this card, and tell the Disabled Persons' Federation where you met it."), _AGAIN, _HOST)),
    "not-our-code": Look("bad", "cross", _("Not a card's code"), _(
        "This is not the code of a disability certificate card."), (_AGAIN, _HOST)),
    "card-unknown": Look("wait", "question", _("Ask the office"), _(
        "The code is genuine, but this register does not know the card."), (
        _("Ask the issuing office named on the card whether the card is good."), _HOST)),
}
"""What happened → how it is shown. Every code of `gates.rules.ONLINE` leads here by `look`."""

_FORGED = frozenset({"signature-wrong", "key-unknown", "key-purpose", "key-not-yet", "key-expired", "key-revoked",
                     "algorithm-mismatch"})


def look(code: str) -> Look:
    """How a verdict's code is shown; everything about keys and signatures is one thing to a passer-by: not genuine."""
    return LOOKS["forged"] if code in _FORGED else LOOKS[code]


def disability(category: int, grade: int, *, chinese: bool) -> str:
    """Category and grade in the words of the card's face; in English for visitors who read that."""
    kind, level = CATEGORIES[category], GRADES[grade]
    return f"{kind.zh} {level.zh}" if chinese else f"{kind.en}, {level.en.lower()}"
