"""Making one card, on the maker's side: its commands, its read-back, and a name for whatever became of it.

Nobody can take back what was sent to a chip. So a card of which it is not known what it holds is *suspect*: it is
counted and destroyed, and never given out (I10). Only a chip that is seen to hold nothing may be used again.
"""

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from zhengka.formats.apdu import OK, ApduBroken, Transport, decode_command, decode_response, status_text
from zhengka.formats.chip import asking
from zhengka.formats.chip.card import GET_UID
from zhengka.formats.chip.scp03 import ChannelRefused, Host, KeySet
from zhengka.formats.chip.script import ReadingPlan, Script, readback
from zhengka.formats.chip.talk import GONE, LOCKED, Ended, Talk
from zhengka.formats.suites import SUITES
from zhengka.formats.tlv import find

Outcome = Literal["good", "blank", "spoiled", "suspect"]

CODES: Final = {
    "": "made and read back",
    "no-uid": "the chip does not tell its identifier",
    "another-chip": "the chip is not the one that was expected",
    "no-channel": "the chip opens no loading channel",
    "wrong-key-version": "the chip's channel keys are of another version",
    "not-authentic": "the chip does not have the keys that belong to its identifier",
    "host-refused": "the chip does not accept our channel keys",
    "not-blank": "the chip holds this application already",
    "wrong-transport-key": "the chip does not accept the transport key",
    "refused": "the chip refused a command",
    "answer-forged": "somebody changed an answer on the way",
    "garbled": "the chip answered what is no answer",
    "cut": "the chip stopped answering",
    "uid-changed": "the chip told two identifiers",
    "readback-differs": "the chip reads back something else",
}
"""Every name that a card's making can end with."""

_TAKEN: Final = (0x6A8A, 0x6A89, 0x6985)
_PUT_KEY: Final = b"\xd4"


class Made(NamedTuple):
    """What became of one chip: `code` is one of CODES, `at` the command it ended with (from 1, 0 for none), `reason`
    a line for a person, `uid` what the chip told, `readback` the digest where it was read back.
    """

    outcome: Outcome
    code: str
    reason: str = ""
    at: int = 0
    uid: bytes = b""
    readback: bytes | None = None


class Known(NamedTuple):
    """What is known of a chip before it is made: the master keys of its loading channel; its identifier; and the
    read-back that it must give. Who makes a chip without a channel says so: in clear, what goes to one chip is heard,
    may be sent to another, and a chip may say any identifier.
    """

    channel: KeySet | None
    uid: bytes = b""
    readback: bytes | None = None


class _Ended(Exception):
    def __init__(self, made: Made) -> None:
        self.made = made


def make(
    card: Transport, script: Script, plan: ReadingPlan, known: Known, *,
    again: Callable[[], Transport] | None = None,
) -> Made:
    """Make one card. It never raises: whatever happens has a name.

    `again` is how to reach the chip once more after it stopped answering, to see whether it is still blank.
    """
    told = b""
    try:
        told = _uid(card, known.uid)
        line = card if known.channel is None else _opened(card, script, plan.suite, known.channel, told)
        _write(line, script)
        try:
            digest = readback(line, plan, script.serial)
        except OSError:
            raise _Ended(Made("suspect", "cut", at=len(script.commands) + 1)) from None
        _same_chip(card, told)
    except _Ended as ended:
        return _named(ended.made, told, script, again)
    except ChannelRefused as refused:
        return _named(Made("suspect", refused.code), told, script, again)
    except OSError:
        return _named(Made("suspect", "cut"), told, script, again)
    except ApduBroken:
        return _named(Made("suspect", "garbled"), told, script, again)
    if known.readback is not None and digest != known.readback:
        return _named(Made("suspect", "readback-differs", readback=digest), told, script, None)
    return Made("good", "", uid=told, readback=digest)


def _named(made: Made, uid: bytes, script: Script, again: Callable[[], Transport] | None) -> Made:
    if made.code == "cut" and again and _is_blank(again, script):
        made = made._replace(outcome="blank")
    return made._replace(uid=uid, reason=made.reason or CODES[made.code])


def _uid(card: Transport, expected: bytes) -> bytes:
    told = _asked_uid(card)
    if not 4 <= len(told) <= 10:
        raise _Ended(Made("spoiled", "no-uid"))
    if expected and told != expected:
        raise _Ended(Made("spoiled", "another-chip"))
    return told


def _same_chip(card: Transport, told: bytes) -> None:
    if _asked_uid(card) != told:
        raise _Ended(Made("suspect", "uid-changed"))


def _asked_uid(card: Transport) -> bytes:
    data, sw = decode_response(card.transmit(GET_UID))
    return data if sw == OK else b""


def _opened(card: Transport, script: Script, suite: str, channel: KeySet, uid: bytes) -> Transport:
    try:
        return Host(card, channel.of_chip(SUITES[suite], uid), SUITES[suite]).open()
    except ChannelRefused as refused:
        if refused.code == "no-channel" and _selected(card, script) in (OK, LOCKED):  # finished, it opens none
            raise _Ended(Made("suspect", "not-blank", at=1)) from None
        raise _Ended(Made("spoiled", refused.code)) from None


def _write(line: Transport, script: Script) -> None:
    talk = Talk(line)
    try:
        talk.ask_each(script.commands)
    except Ended as ended:
        if ended.code == "refused":
            raise _Ended(_refused(ended.at, script.commands[ended.at - 1], ended.sw)) from None
        raise _Ended(Made("suspect", ended.code, at=ended.at)) from None
    except OSError:
        raise _Ended(Made("suspect", "cut", at=talk.asked)) from None


def _refused(number: int, command: bytes, sw: int) -> Made:
    reason = f"command {number}: {status_text(sw)}"
    if number == 1 and sw in _TAKEN:
        return Made("suspect", "not-blank", reason, number)
    if command[1:2] == _PUT_KEY and sw == 0x6988:
        return Made("spoiled", "wrong-transport-key", reason, number)
    return Made("spoiled", "refused", reason, number)


def _is_blank(again: Callable[[], Transport], script: Script) -> bool:
    """Whether the chip, looked at once more, does not have the application that the script begins with."""
    try:
        return _selected(again(), script) == GONE
    except OSError:
        return False


def _selected(card: Transport, script: Script) -> int:
    """What the chip says where the application is asked for that the script begins with; 0 for no script, no answer."""
    try:
        name = find(decode_command(script.commands[0]).data, 0x62, 0x84)
        return decode_response(card.transmit(asking.select_application(name))).sw
    except (ValueError, IndexError):
        return 0
