"""From subjects to what goes into the package: keys drawn, scripts compiled and checked, credentials signed, faces."""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

from django.conf import settings

from zhengka.cards.services import Numbered
from zhengka.core import fields
from zhengka.formats import chip, credential, legacy, qr
from zhengka.formats.certnumber import CATEGORIES, GRADES
from zhengka.formats.issuers import SIGNATURE_SIZE
from zhengka.formats.package import CardOrder
from zhengka.formats.shown import Shown, shown
from zhengka.formats.suites import SUITES
from zhengka.keys import services as keys
from zhengka.production.faces import Face, Layout, Photo, Plate, print_faces, print_pictures
from zhengka.production.services.gathering import Subject, face_texts, issuer_of, kind_of, name_of, texts_in_order

T = TypeVar("T")
Columns = Mapping[str, Sequence[bytes]]

ID_NUMBER: Final = 18
"""Digits at the beginning of a certificate number that are its holder's ID number."""
PART_BYTES: Final = 48 << 20
"""A part of the pictures is closed once it is larger: it lies in memory, and is sealed as one member."""
_UNSIGNED: Final = b"\xff" * SIGNATURE_SIZE
"""Stands in the place of a signature while a script is looked at: as long, without zeros at its end to leave off."""


@dataclass(frozen=True)
class Tools:
    """What the cards of one batch are made with."""

    profile: chip.Profile
    layout: Layout
    area: int
    at: datetime
    keys: tuple[int, ...] = ()
    """Row ids of the masters that the batch keeps; none: those that work."""

    @property
    def unit6(self) -> str:
        """Six-digit code of the issuing unit."""
        return f"{self.area // 10**6:06d}"


class Made(NamedTuple):
    """One card ready for the package: its script, what it must read back to, its signed credential; and once its face
    is known what its print must show, and a blind index of the record that it comes from. `signed_by`: id of the key
    that signed the credential.
    """

    subject: Subject
    serial: str
    credential: bytes
    script: chip.Script
    readback: bytes
    shown: Shown | None = None
    record: bytes = b""
    signed_by: bytes = b""


def make_cards(tools: Tools, subjects: Sequence[Subject], cards: Sequence[Numbered],
               ) -> tuple[list[Made], dict[int, str]]:
    """The cards that have their numbers, ready for the package; what was refused, by item.

    A credential is signed only for a card whose script the linter passed (I9). So it sees every script twice: with a
    credential that lacks its signature, and as it goes to the maker.
    """
    signer = keys.signer("credential", tools.area, tools.profile.suite, at=tools.at)
    profile, kek, columns = _draw(tools, cards)
    messages = list[bytes]()
    plain = _credentials(tools, cards, signer.key_id, lambda asked: _kept(asked, messages))
    whole = [record_of(subject, card.serial, payload, tools.layout)
             for subject, card, payload in zip(subjects, cards, plain, strict=True)]
    refused, draft = _refused(profile, whole, columns, kek)
    fit = [place for place in range(len(cards)) if place not in refused]
    held = {subjects[place].item: why for place, why in refused.items()}
    if not fit:
        return [], held
    signed = [plain[place][:-SIGNATURE_SIZE] + signature for place, signature in zip(
        fit, signer.sign_many([messages[place] for place in fit]), strict=True)]
    records = [whole[place] | {"credential": payload} for place, payload in zip(fit, signed, strict=True)]
    scripts, expected = (chip.complete(profile, records, draft, changed="credential") if not refused
                         else chip.compile_whole(profile, records, keys_by_slot=_at(columns, fit), kek=kek))
    made = []
    for place, payload, script, digest, found in zip(
            fit, signed, scripts, expected, chip.lint_many(profile, scripts, records), strict=True):
        if found:
            held[subjects[place].item] = _why(found)
        else:
            made.append(Made(subjects[place], script.serial, payload, script, digest, signed_by=signer.key_id))
    return made, held


def orders(number: int, made: Sequence[Made], pictures: Mapping[str, str] = MappingProxyType({})) -> list[CardOrder]:
    """The cards of one member as the card maker reads them; two pages of the face file belong to each, and where there
    are `pictures` those in the member that they name by serial.
    """
    return [CardOrder(card.serial, card.script.commands, {
        "faces": f"faces-{number:04d}.pdf", "page": 2 * place + 1,
        **({"pictures": pictures[card.serial]} if pictures else {})}) for place, card in enumerate(made)]


def print_made(tools: Tools, made: Sequence[Made], photos: Mapping[int, Photo]) -> io.BytesIO:
    """The faces of one member as one PDF, so that each font is cut to its characters once."""
    out = io.BytesIO()
    print_faces(_faces(tools, made, photos), raised(tools.profile), layout=tools.layout, out=out)
    out.seek(0)
    return out


def text_form(tools: Tools, made: Sequence[Made], photos: Mapping[int, Photo], task: str, code: str) -> io.BytesIO:
    """The same cards as the text form of older programs: a task for each kind of blank, no key and no code in it."""
    rows = []
    for place, card in enumerate(made, 1):
        subject = card.subject
        rows.append((legacy.Row(
            f"{task}-{kind_of(tools.profile, subject).code}", place, subject.number[:ID_NUMBER],
            name_of(subject, tools.layout), subject.number, CATEGORIES[subject.category].zh, GRADES[subject.grade].zh,
            issuer_of(subject, tools.layout), subject.issued_on, subject.valid_until, card.serial),
            photos[subject.item].jpeg))
    out = io.BytesIO()
    legacy.write(out, task, rows, code)
    out.seek(0)
    return out


def pictured(tools: Tools, made: Sequence[Made], photos: Mapping[int, Photo], pictures: Plate,
             ) -> Iterator[tuple[io.BytesIO, list[str]]]:
    """The same faces as pictures in zip files of bounded size, each with the serials of its cards."""
    serials, archive, out = list[str](), None, io.BytesIO()
    drawn = print_pictures(_faces(tools, made, photos), raised(tools.profile), layout=tools.layout, plate=pictures)
    for card, sides in zip(made, drawn, strict=True):
        archive = archive or zipfile.ZipFile(out, "w", zipfile.ZIP_STORED)
        for name, data in zip(sides._fields, sides, strict=True):
            if data:
                suffix = "png" if name == "braille" else pictures.suffix
                archive.writestr(zipfile.ZipInfo(f"{card.serial}-{name}.{suffix}"), data)
        serials.append(card.serial)
        if out.tell() > PART_BYTES:
            yield _closed(archive, out), serials
            serials, archive, out = [], None, io.BytesIO()
    if archive:
        yield _closed(archive, out), serials


def _closed(archive: zipfile.ZipFile, out: io.BytesIO) -> io.BytesIO:
    archive.close()
    out.seek(0)
    return out


def _faces(tools: Tools, made: Sequence[Made], photos: Mapping[int, Photo]) -> Iterator[Face]:
    for card in made:
        yield Face(kind_of(tools.profile, card.subject).code, face_texts(card.subject, tools.layout, card.serial),
                   photos[card.subject.item], qr.to_text(card.credential, settings.PUBLIC_URL))


def described(tools: Tools, made: Sequence[Made], photos: Mapping[int, Photo], salt: bytes) -> list[Made]:
    """The cards with what a camera must see on each, and with the record that they come from."""
    suite, records = SUITES[tools.profile.suite], recorded(tools.layout, [
        (card.subject, card.serial, card.credential) for card in made])
    return [card._replace(record=record, shown=shown(
        suite, salt, texts_in_order(card.subject, tools.layout, card.serial), photos[card.subject.item].jpeg,
        card.credential)) for card, record in zip(made, records, strict=True)]


def recorded(layout: Layout, cards: Sequence[tuple[Subject, str, bytes]]) -> list[bytes]:
    """For each card (subject, serial, credential) a blind index of all that its print, chip and code are made of: equal
    as long as the record says the same.
    """
    return fields.index_many(["\0".join((
        *texts_in_order(subject, layout, serial), str(subject.category), str(subject.grade), subject.photo,
        credential.hex())) for subject, serial, credential in cards])


def raised(profile: chip.Profile) -> frozenset[str]:
    """The kinds of card that carry Braille."""
    return frozenset(kind.code for kind in profile.kinds if kind.braille)


def _credentials(tools: Tools, cards: Sequence[Numbered], key_id: bytes,
                 sign_many: Callable[[list[bytes]], Sequence[bytes]]) -> list[bytes]:
    """The credentials of cards that have their numbers, signed in one call."""
    statements = [credential.Credential(
        token=card.token, issued=_known(card.issued_on), expires=_known(card.valid_until),
        status_list=card.status_list, status_index=card.status_index) for card in cards]
    return credential.encode_many(statements, suite=tools.profile.suite, key_id=key_id, sign_many=sign_many)


def _kept(asked: list[bytes], messages: list[bytes]) -> list[bytes]:
    """Keep what is to be signed; nothing is, yet."""
    messages += asked
    return [_UNSIGNED] * len(asked)


def _refused(profile: chip.Profile, records: Sequence[chip.Record], columns: Columns, kek: bytes,
             ) -> tuple[dict[int, str], chip.Draft]:
    """The places of the records that give no clean script, and why each does not; and the draft of all others."""
    refused, rest = dict[int, str](), list(range(len(records)))
    while True:
        told = [records[place] for place in rest]
        try:
            scripts, draft = chip.draft_many(profile, told, keys_by_slot=_at(columns, rest), kek=kek)
            break
        except chip.RecordBroken as broken:  # this one card does not fit on the chip: the others go on
            refused[rest.pop(broken.place)] = f"chip-refused {broken.field} {broken.code}"
    findings = chip.lint_many(profile, scripts, told)
    return refused | {place: _why(found) for place, found in zip(rest, findings, strict=True) if found}, draft


def _why(findings: Sequence[chip.Finding]) -> str:
    return f"chip-refused {findings[0].where} {findings[0].code}"


def _draw(tools: Tools, cards: Sequence[Numbered]) -> tuple[chip.Profile, bytes, Columns]:
    """The profile with the numbers of the masters of the batch (密钥版本), which the chips are told; the transport key
    of the province's blank chips; and by purpose one key per card.
    """
    suite, at = tools.profile.suite, tools.at
    drawn = keys.card_keys(tools.unit6, suite, [key.purpose for key in tools.profile.keys],
                           [card.serial for card in cards], at=at, of=tools.keys)
    kek = keys.blank_card_key(tools.area, suite, at=at, of=tools.keys)
    return tools.profile.with_versions(drawn.versions), kek, drawn.values


def _at(columns: Columns, places: Sequence[int]) -> Columns:
    """The keys of some of the cards."""
    return {name: [column[place] for place in places] for name, column in columns.items()}


def record_of(subject: Subject, serial: str, payload: bytes, layout: Layout) -> dict[str, Any]:
    """Every value that a card profile may ask for, as it is when a card is made."""
    return {
        "serial": serial, "issuer": f"{subject.area:012d}", "issued": subject.issued_on,
        "valid_until": subject.valid_until, "number": subject.number, "name": name_of(subject, layout),
        "category": subject.category, "grade": subject.grade,
        "activation_until": subject.issued_on,  # activated at the counter, not before
        "credential": payload}


def _known(value: T | None) -> T:
    if value is None:
        raise ValueError("a card that is made has its dates")
    return value
