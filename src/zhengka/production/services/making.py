"""From subjects to what goes into the package: credentials signed, keys drawn, scripts compiled and checked, faces."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from django.conf import settings

from zhengka.cards.services import Numbered
from zhengka.formats import chip, credential, qr
from zhengka.formats.package import CardOrder
from zhengka.keys import services as keys
from zhengka.production.faces import Face, Layout, Photo, print_faces
from zhengka.production.services.gathering import Subject, face_texts, kind_of

T = TypeVar("T")


@dataclass(frozen=True)
class Tools:
    """What the cards of one batch are made with."""

    profile: chip.Profile
    layout: Layout
    area: int
    at: datetime

    @property
    def unit6(self) -> str:
        """Six-digit code of the issuing unit."""
        return f"{self.area // 10**6:06d}"


class Made(NamedTuple):
    """One card ready for the package: its script, what it must read back to, its signed credential."""

    subject: Subject
    serial: str
    credential: bytes
    script: chip.Script
    readback: bytes


def sign(tools: Tools, cards: Sequence[Numbered]) -> list[bytes]:
    """The signed credentials of cards that have their numbers; the signatures are counted before they are made."""
    suite = tools.profile.suite
    signer = keys.signer("credential", tools.area, suite, at=tools.at)
    statements = [credential.Credential(
        token=card.token, issued=_known(card.issued_on), expires=_known(card.valid_until),
        status_list=card.status_list, status_index=card.status_index) for card in cards]
    return credential.encode_many(statements, suite=suite, key_id=signer.key_id, sign_many=signer.sign_many)


def compile_cards(tools: Tools, subjects: Sequence[Subject], cards: Sequence[Numbered],
                  credentials: Sequence[bytes]) -> tuple[list[Made], dict[int, str]]:
    """Scripts and expected read-backs of all cards, each script looked at by the linter; what was refused, by item."""
    made, held = [], dict[int, str]()
    rest = list(zip(subjects, cards, credentials, strict=True))
    while True:
        records = [_record(subject, card, payload) for subject, card, payload in rest]
        try:
            scripts, expected = _compile(tools, records)
            break
        except chip.RecordBroken as broken:  # this one card does not fit on the chip: the others go on
            held[rest.pop(broken.place)[0].item] = f"chip-refused {broken.field} {broken.code}"
    findings = chip.lint_many(tools.profile, scripts, records)
    for (subject, _, payload), script, digest, found in zip(rest, scripts, expected, findings, strict=True):
        if found:
            held[subject.item] = f"chip-refused {found[0].where} {found[0].code}"
        else:
            made.append(Made(subject, script.serial, payload, script, digest))
    return made, held


def orders(number: int, made: Sequence[Made]) -> list[CardOrder]:
    """The cards of one member as the card maker reads them; two pages of the face file belong to each."""
    return [CardOrder(card.serial, card.script.commands, {"faces": f"faces-{number:04d}.pdf", "page": 2 * place + 1})
            for place, card in enumerate(made)]


def print_made(tools: Tools, made: Sequence[Made], photos: Mapping[int, Photo]) -> io.BytesIO:
    """The faces of one member as one PDF, so that each font is cut to its characters once."""
    faces = (Face(kind_of(tools.profile, card.subject).code, face_texts(card.subject, tools.layout, card.serial),
                  photos[card.subject.item], qr.to_text(card.credential, settings.PUBLIC_URL)) for card in made)
    out = io.BytesIO()
    print_faces(faces, raised(tools.profile), layout=tools.layout, out=out)
    out.seek(0)
    return out


def raised(profile: chip.Profile) -> frozenset[str]:
    """The kinds of card that carry Braille."""
    return frozenset(kind.code for kind in profile.kinds if kind.braille)


def _compile(tools: Tools, records: Sequence[chip.Record]) -> tuple[list[chip.Script], list[bytes]]:
    """The scripts of all cards under keys of their own, and what each must read back to."""
    kek = keys.blank_card_key(tools.area, tools.profile.suite, at=tools.at)
    by_slot = keys.card_keys(tools.unit6, tools.profile.suite, [key.purpose for key in tools.profile.keys],
                             [record["serial"] for record in records], at=tools.at)
    return chip.compile_whole(tools.profile, records, keys_by_slot=by_slot, kek=kek)


def _record(subject: Subject, card: Numbered, payload: bytes) -> dict[str, Any]:
    """Every field that a card profile may ask for."""
    return {
        "serial": card.serial, "issuer": f"{subject.area:012d}", "issued": subject.issued_on,
        "valid_until": subject.valid_until, "number": subject.number, "name": subject.name,
        "category": subject.category, "grade": subject.grade,
        "activation_until": subject.issued_on,  # activated at the counter, not before
        "credential": payload}


def _known(value: T | None) -> T:
    if value is None:
        raise ValueError("a card that is made has its dates")
    return value
