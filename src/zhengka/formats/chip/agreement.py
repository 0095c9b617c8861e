"""Print, chip, QR and record are of one card (打印、芯片、二维码、档案一致): the gate before a finished card is handed
out (I4).

The chip is asked to vouch for every file of every application (`secure.receipt`). The platform knows what must lie
there, so nothing personal is read out, and a file, a key or a chip of another card is found by its name.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from zhengka.formats.apdu import OK, Transport
from zhengka.formats.chip import asking, secure, spelling
from zhengka.formats.chip.applying import Keys
from zhengka.formats.chip.card import GET_UID
from zhengka.formats.chip.layout import NEVER, Application
from zhengka.formats.chip.paper import Finding
from zhengka.formats.chip.profile import Profile
from zhengka.formats.chip.script import reference
from zhengka.formats.chip.spelling import Record
from zhengka.formats.chip.talk import LOCKED, Ended, Talk

Place = tuple[bytes, int, bytes]
"""Identifier of a file, number of a record or 0, and what lies there."""


class Seen(NamedTuple):
    """What was seen on the plastic: printed texts by name, and the payload of the printed QR code."""

    printed: Mapping[str, str]
    qr: bytes


class Known(NamedTuple):
    """What the record says: every value of the profile by name, the texts of its face, the chip's identifier."""

    record: Record
    face: Mapping[str, str]
    uid: bytes


def differences(
    card: Transport, profile: Profile, known: Known, seen: Seen, keys: Keys, *,
    random: Callable[[int], bytes] = os.urandom,
) -> list[Finding]:
    """Everything in which print, QR, chip and record are not of one card; an empty list lets it out.

    Codes: `print-differs`, `qr-differs`, `uid-differs`, `application-missing`, `application-blocked`, `keys-differ`,
    `file-differs`, `unreadable`.
    """
    found = [Finding("print-differs", name) for name in sorted(known.face)
             if seen.printed.get(name) != known.face[name]]
    if seen.qr != known.record.get("credential"):
        found.append(Finding("qr-differs", "credential"))
    try:
        found += _of_chip(Talk(card), profile, known, keys, random)
    except (OSError, ValueError, Ended):
        found.append(Finding("unreadable", "chip"))
    return found


def _of_chip(
    talk: Talk, profile: Profile, known: Known, keys: Keys, random: Callable[[int], bytes]
) -> Iterator[Finding]:
    uid, sw = talk.said(GET_UID)
    if sw != OK or uid != known.uid:
        yield Finding("uid-differs", "chip")
    for each in profile.ours:
        _, sw = talk.said(asking.select_application(each.aid))
        if sw != OK:
            yield Finding("application-blocked" if sw == LOCKED else "application-missing", each.id)
            continue
        asked = _Asked(talk, profile, each, keys, random)
        places = list(_expected(each, known.record))
        if asked.vouches(places):
            continue
        if not asked.vouches([]):
            yield Finding("keys-differ", each.id)
            continue
        titles = {file.fid: file.title for file in each.files}
        for place in places:
            if not asked.vouches([place]):
                yield Finding("file-differs", f"{each.id}: {titles[place[0]]}{f' {place[1]}' if place[1] else ''}")


def _expected(application: Application, record: Record) -> Iterator[Place]:
    """What must lie in the files of one application; those that others fill later are not ours to say."""
    for file in application.files:
        if file.transparent and (not file.blank or file.update == NEVER):
            yield file.fid, 0, spelling.content(file, record)
        for number, fields in enumerate(file.records, 1):
            yield file.fid, number, spelling.record(file, fields, record)


class _Asked:
    """One application that is asked to vouch, by the keys of the versions that it has: which of them still read is for
    who has the keys to say.
    """

    def __init__(self, talk: Talk, profile: Profile, application: Application, keys: Keys,
                 random: Callable[[int], bytes]) -> None:
        self._talk, self._application, self._keys, self._random = talk, application, keys, random
        self._name = reference(profile, application, "internal")
        self._held = talk.versions()

    def vouches(self, places: list[Place]) -> bool:
        """Whether it has this layout's keys, is not blocked, and these contents lie in these places."""
        if self._held.keys() != {key.slot for key in self._application.keys}:
            return False
        challenge, version = self._random(secure.CHALLENGE), self._held[self._application.slot("internal")]
        told = secure.Told(secure.SELECTABLE, tuple(sorted(self._held.items())), tuple(places))
        try:
            _, mac = self._talk.state(challenge, [(fid, number) for fid, number, _ in places])
            return self._keys.vouches(self._name, version, challenge, self._application.aid, told, mac)
        except (KeyError, Ended):  # no key of this version is at hand, or no such file
            return False
