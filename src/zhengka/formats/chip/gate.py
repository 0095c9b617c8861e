"""What a gate does with a card that is held to it (闸机读卡): both prove themselves, then it reads what it needs.

Six commands for the layout that we ship: SELECT, whose answer tells versions and algorithms of the card's keys; the
card's public file; GET CHALLENGE; MUTUAL AUTHENTICATE; and one READ for each further file. A card whose system does not
tell of its keys there is asked for them, by one command more. The gate's keys stay in its security module (PSAM): it is
only asked for answers, each for the version that the card has. A proof by another cipher would cost the card one of its
tries and is not even made.
"""

import hmac
import os
from collections.abc import Callable, Container, Sequence
from typing import Any, Final, NamedTuple

from zhengka.formats.apdu import OK, Command, Transport, encode_command
from zhengka.formats.chip import asking, secure
from zhengka.formats.chip.fields import values
from zhengka.formats.chip.profile import SERIAL, File, Profile
from zhengka.formats.chip.talk import GONE, LOCKED, Ended, KeyTold, Talk, keys_in

Answer = Callable[[str, int, str, bytes], bytes]
"""The gate's security module: purpose of the key and its version, serial of the card, 8-byte challenge, to the 8-byte
proof. KeyError for a version that the module does not have, or does not read any more; CardRefused for another region.
"""

PUBLIC: Final = (SERIAL, "issuer", "issued", "valid_until", "activation_until")
"""What a gate needs that anybody may read."""

ANOTHER_REGION: Final = "module-of-another-region"

NEEDED: Final = (*PUBLIC, "category", "grade")
"""What a gate needs to let somebody through. A name is not among it."""

TOLD: Final = (*NEEDED, "credential")
"""The same and the card's signed code, by which a gate without a network finds it in its lists: two commands more."""


class CardRefused(ValueError):
    """The gate does not take the card: `code` says why, `sw` is the chip's status word if it was the chip that said no.

    `not-our-card`: no such application; `locked`; `another-suite`: its keys are of another suite than its profile says;
    `key-not-read`: they are of a version that the gate does not read (any more); `gate-refused`: the card does not
    accept the gate's key; `gate-blocked`: it accepts no gate any more; `not-authentic`: the card cannot prove its key,
    it is a copy; `unreadable`: it answers what its layout does not allow; `module-of-another-region`: the card is well,
    but the gate's module has no keys for the region in its serial.
    """

    def __init__(self, code: str, sw: int = OK) -> None:
        super().__init__(code)
        self.code, self.sw = code, sw


class Read(NamedTuple):
    """What was read: the fields by name, as a record has them, and how many commands it took."""

    fields: dict[str, Any]
    commands: int


class Shown(NamedTuple):
    """What a card shows to everybody (`look`): the fields of its public file, and what it tells of its keys, by slot.
    Nothing of it is proven.
    """

    talk: Talk
    fields: dict[str, Any]
    keys: dict[int, KeyTold]


def read(
    card: Transport, profile: Profile, answer: Answer, *, needed: Sequence[str] = NEEDED,
    random: Callable[[int], bytes] = os.urandom,
) -> Read:
    """Prove each to the other, and read the files in which the needed fields lie. Raises CardRefused."""
    return go_on(look(card, profile), profile, answer, needed=needed, random=random)


def look(card: Transport, profile: Profile) -> Shown:
    """What anybody may read of a card, and what it tells of its keys; it loses no try. Raises CardRefused."""
    talk = Talk(card)
    try:
        fci, sw = talk.ask(asking.select_application(profile.aid), GONE, LOCKED)
        if sw != OK:
            raise CardRefused("not-our-card" if sw == GONE else "locked", sw)
        fields = _file(talk, _public(profile))
        return Shown(talk, fields, keys_in(fci) or talk.keys())
    except Ended as ended:
        raise CardRefused("unreadable", ended.sw) from None


def look_among(card: Transport, profiles: Sequence[Profile]) -> tuple[Shown, Profile]:
    """The same of a card that may be of any of some profiles, and the first of them that fits it: its application is on
    the card, and the card's keys are of its suite. Applications of one name have one layout. Raises CardRefused.
    """
    for first in {profile.aid: profile for profile in reversed(profiles)}.values():
        try:
            shown = look(card, first)
        except CardRefused as refused:
            if refused.code != "not-our-card":
                raise
            continue
        for profile in profiles:
            if profile.aid == first.aid and _is_of_suite(shown, profile):
                return shown, profile
        raise CardRefused("another-suite")
    raise CardRefused("not-our-card", GONE)


def only(answer: Answer, reads: Container[tuple[str, int]]) -> Answer:
    """The same answers, for these purposes and versions of keys alone: a module may hold one that reads no more."""
    def answered(purpose: str, version: int, number: str, challenge: bytes) -> bytes:
        if (purpose, version) not in reads:
            raise KeyError(version)
        return answer(purpose, version, number, challenge)

    return answered


def go_on(
    shown: Shown, profile: Profile, answer: Answer, *, needed: Sequence[str] = NEEDED,
    random: Callable[[int], bytes] = os.urandom, card_first: bool = False,
) -> Read:
    """Read on, by the card's own profile: its application has the name by which the card was looked at. Raises
    CardRefused. With `card_first` the card proves its key before the gate does, by one command more: a card with other
    keys is `not-authentic` then and loses no try.
    """
    talk, fields = shown.talk, dict(shown.fields)
    try:
        if card_first:
            _see_proof(shown, profile, answer, random(secure.CHALLENGE))
        _prove(shown, profile, answer, random(secure.CHALLENGE))
        for file in profile.files:
            if file.fid != _public(profile).fid and any(field.name in needed for field in file.fields):
                fields |= _file(talk, file)
    except Ended as ended:
        raise CardRefused("unreadable", ended.sw) from None
    return Read({name: fields[name] for name in needed if name in fields}, talk.asked)


def _public(profile: Profile) -> File:
    return next(file for file in profile.files for field in file.fields if field.name == SERIAL)


def _see_proof(shown: Shown, profile: Profile, answer: Answer, own: bytes) -> None:
    """INTERNAL AUTHENTICATE: no try is counted for it."""
    _same_suite(shown, profile)
    slot = profile.slot("internal")
    expected = _asked(answer, "internal", shown, profile, own)
    ask = encode_command(Command(0x00, 0x88, 0, slot, own, secure.CHALLENGE))
    proof, sw = shown.talk.said(ask)
    if sw != OK or not hmac.compare_digest(proof, expected):
        raise CardRefused("not-authentic", sw)


def _asked(answer: Answer, purpose: str, shown: Shown, profile: Profile, challenge: bytes) -> bytes:
    try:
        return answer(purpose, shown.keys[profile.slot(purpose)].version, shown.fields[SERIAL], challenge)
    except KeyError:
        raise CardRefused("key-not-read") from None
    except CardRefused:
        raise
    except ValueError:  # no serial that the module would draw a key from
        raise CardRefused("unreadable") from None


def _same_suite(shown: Shown, profile: Profile) -> None:
    if not _is_of_suite(shown, profile):
        raise CardRefused("another-suite")


def _is_of_suite(shown: Shown, profile: Profile) -> bool:
    slots = [profile.slot(purpose) for purpose in ("reader", "internal")]
    return all(shown.keys[slot].algorithm in (0, secure.ALGORITHM[profile.suite])
               for slot in slots if slot in shown.keys)


def _prove(shown: Shown, profile: Profile, answer: Answer, own: bytes) -> None:
    _same_suite(shown, profile)
    talk, challenge = shown.talk, shown.talk.challenge()
    asked, expected = [_asked(answer, purpose, shown, profile, value)
                       for purpose, value in (("reader", challenge), ("internal", own))]
    mutual = Command(0x00, 0x82, 0, profile.slot("reader"), asked + own, secure.CHALLENGE)
    proof, sw = talk.said(encode_command(mutual))
    if sw != OK:
        raise CardRefused("gate-blocked" if sw == 0x6983 else "gate-refused", sw)
    if not hmac.compare_digest(proof, expected):
        raise CardRefused("not-authentic")


def _file(talk: Talk, file: File) -> dict[str, Any]:
    try:
        return values(file, talk.read(file))
    except ValueError:
        raise CardRefused("unreadable") from None
