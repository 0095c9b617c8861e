"""What is known about the cards of a chunk, and which of them can be made."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from django.db.models import QuerySet

from zhengka.cards.models import Card
from zhengka.core import fields
from zhengka.formats import chip, legacy
from zhengka.formats.certnumber import CATEGORIES, GRADES
from zhengka.formats.seal import SealBroken
from zhengka.production.faces import PARTNER, Artist, BadPhoto, Layout, Photo, fonts, ready
from zhengka.production.models import Chunk, Item
from zhengka.registry import queries as registry

COLUMNS = (
    "pk", "card_id", "card__area_id", "card__area__name", "card__area__parent__name", "card__holder__name",
    "card__holder__photo", "card__holder__photo_fault", "card__certificate__number", "card__certificate__category",
    "card__certificate__grade", "card__certificate__components", "card__certificate__state", "card__state",
    "card__issued_on", "card__valid_until", "card__face")
"""Where the fields of a `Subject` come from, in their order."""
FACE: Final = "card.face"
"""As which the column is sealed."""


class OwnFace(NamedTuple):
    """What a card's face says besides the record: `short` its name by the template's rule, `numbers` by partner; once
    it is prepared with a shorter name, that name as it is `printed`, and the whole one that it stands for.
    """

    short: bool = False
    numbers: Mapping[str, str] = MappingProxyType({})
    printed: str = ""
    whole: str = ""


class Subject(NamedTuple):
    """One card of a chunk with what its holder and certificate say, in clear, in memory only."""

    item: int
    card: int
    area: int
    unit: str
    city: str
    name: str
    photo: str
    photo_fault: str
    number: str
    category: int
    grade: int
    components: tuple[tuple[int, int], ...]
    certificate_state: str
    card_state: str
    issued_on: date
    valid_until: date
    own: "OwnFace"

    def __repr__(self) -> str:
        """Key only: a name does not belong in a log."""
        return f"<Subject of card {self.card}>"


@dataclass
class Sorted:
    """The subjects that can be made with their photos, and why the others are held, by item."""

    fit: list[Subject] = field(default_factory=list)
    photos: dict[int, Photo] = field(default_factory=dict)
    held: dict[int, str] = field(default_factory=dict)


def gather(chunk: Chunk) -> list[Subject]:
    """The subjects of a chunk in the order of the batch, but for those that an officer held meanwhile."""
    return look_up(Item.objects.filter(chunk=chunk, outcome="waiting"))


def look_up(items: QuerySet[Item]) -> list[Subject]:
    """The subjects of some items, their certificate numbers opened as one column."""
    rows = list(items.order_by("position").values_list(*COLUMNS))
    sealed = Subject._fields.index("number")
    opened = fields.open_many([row[sealed] for row in rows], "certificate.number")
    faces = iter(fields.open_many([bytes(row[-1]) for row in rows if row[-1]], FACE))
    return [_subject((*row[:-1], own_face(next(faces)) if row[-1] else OwnFace()), number)
            for row, number in zip(rows, opened, strict=True)]


def own_face(text: str) -> OwnFace:
    """An opened `card.face`."""
    told = json.loads(text)
    return OwnFace(told.get("short", False), told.get("numbers", {}), told.get("printed", ""), told.get("whole", ""))


def sealed_face(own: OwnFace) -> bytes:
    """The column `card.face` for what a face says besides the record."""
    told = own._asdict() | {"numbers": dict(own.numbers)}
    return fields.close(json.dumps({name: value for name, value in told.items() if value != ""}), FACE)


def own_face_of(card: Card) -> OwnFace:
    """What a card's face says besides the record."""
    return own_face(fields.open_(bytes(card.face), FACE)) if card.face else OwnFace()


def subject_of(card: Card) -> Subject:
    """One card as a subject, whether it is in a batch or not; without dates it shows those of today's certificate."""
    holder, certificate = card.holder, card.certificate
    return Subject(
        0, card.pk, card.area_id, card.area.name, card.area.parent.name if card.area.parent else "", holder.name,
        holder.photo or "", holder.photo_fault, fields.open_(bytes(certificate.number), "certificate.number"),
        certificate.category, certificate.grade, tuple((kind, grade) for kind, grade in certificate.components),
        certificate.state, card.state, card.issued_on or certificate.issued_on,
        card.valid_until or certificate.valid_until, own_face_of(card))


def sort_out(subjects: Sequence[Subject], layout: Layout, *, text_form: str = "") -> Sorted:
    """Decide for each card on its own data (I8) whether it can be made: certificate, photo, every character; where its
    maker wants the text form of older programs, every character in that code.
    """
    artist, read, result = Artist(layout, fonts()), _Photos(), Sorted()
    for subject in subjects:
        reason, photo = _fault(subject, artist, read)
        reason = reason or _unwritable(subject, layout, text_form)
        if photo is None or reason:
            result.held[subject.item] = reason
            continue
        result.fit.append(subject)
        result.photos[subject.item] = photo
    return result


def face_texts(subject: Subject, layout: Layout, serial: str = "0" * 16) -> dict[str, str]:
    """The texts of a card's face by slot."""
    own = subject.own
    return {
        "name": name_of(subject, layout),
        "number": subject.number, "category": _category(subject),
        "issuer": layout.issuer(subject.unit, subject.city), "valid_until": subject.valid_until.strftime(layout.date),
        "serial": " ".join(serial[at:at + 4] for at in range(0, 16, 4)),
        **{f"{PARTNER}{code}": own.numbers.get(code, "") for code in layout.numbers}}


def name_of(subject: Subject, layout: Layout) -> str:
    """The name on a card, printed and in its chip: the record's, or what the template's rule makes of a long one."""
    return layout.shortened(subject.name) if subject.own.short else subject.name


def issuer_of(subject: Subject, layout: Layout) -> str:
    """Who issues the card, without the places where its line may break."""
    return layout.issuer(subject.unit, subject.city).replace("\u200b", "")


def texts_in_order(subject: Subject, layout: Layout, serial: str) -> list[str]:
    """The texts of a card's face as they are printed: front, then back, slot by slot."""
    texts = face_texts(subject, layout, serial)
    return [texts[slot.name] for slot in layout.slots]


def kind_of(profile: chip.Profile, subject: Subject) -> chip.Kind:
    """The look of the card: that of sight where the category or a component is 视力 (办法 art. 4)."""
    sight = 1 in (subject.category, *(category for category, _ in subject.components))
    return profile.kind_for(1 if sight else subject.category)


class _Photos:
    """Photos of the file store, each read and tried once for a chunk."""

    def __init__(self) -> None:
        self._read: dict[str, Photo | str] = {}

    def get(self, digest: str) -> Photo | str:
        """The photo, or why there is none."""
        if digest not in self._read:
            try:
                self._read[digest] = ready(registry.portrait(digest))
            except (BadPhoto, FileNotFoundError, SealBroken):
                self._read[digest] = "photo-unreadable"
        return self._read[digest]


def _fault(subject: Subject, artist: Artist, photos: _Photos) -> tuple[str, Photo | None]:
    """Why the card is held, or "" and its photo."""
    if subject.certificate_state != "valid":
        return "certificate-not-valid", None
    if subject.card_state == "cancelled":
        return "card-cancelled", None
    if not subject.photo:
        return ("photo-unreadable" if subject.photo_fault else "photo-missing"), None
    photo = photos.get(subject.photo)
    if isinstance(photo, str):
        return photo, None
    return lacking(subject, artist.layout) or artist.fault(face_texts(subject, artist.layout)), photo


def lacking(subject: Subject, layout: Layout) -> str:
    """Which number at a partner the card lacks, or "": the face has a place for it, and shows nothing half."""
    lacks = [code for code in layout.numbers if code not in subject.own.numbers]
    return f"partner-number-missing {' '.join(lacks)}" if lacks else ""


def _unwritable(subject: Subject, layout: Layout, text_form: str) -> str:
    """Why the card cannot stand in the text form: the first character that the code does not have."""
    bad = legacy.unfit((subject.name, issuer_of(subject, layout)), text_form) if text_form else ""
    return f"name-not-in-gbk {bad}" if bad else ""


def _category(subject: Subject) -> str:
    """`肢体残疾 二级`; of a multiple disability the components follow in brackets (备注)."""
    words = f"{CATEGORIES[subject.category].zh} {GRADES[subject.grade].zh}"
    if subject.category != 7 or not subject.components:
        return words
    parts = "、".join(f"{CATEGORIES[category].short}{GRADES[grade].zh}" for category, grade in subject.components)
    return f"{words}\u200b（{parts}）"


def _subject(row: Sequence[Any], number: str) -> Subject:
    item, card, area, unit, city, name, photo, fault, _, category, grade, components, *rest = row
    parts = tuple([(int(kind), int(degree)) for kind, degree in components]) if components else ()
    return Subject(item, card, area, unit, city or "", name, photo or "", fault, number, category, grade, parts, *rest)
