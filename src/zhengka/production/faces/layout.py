"""What is printed where, as data: a face layout read from TOML and checked to the last field."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

from zhengka.production.faces import art
from zhengka.production.faces.art import Art, ArtBroken, Ring

POINT: Final = 25.4 / 72
"""Millimetres in a typographic point."""
DOT: Final = 25.4 / 300
"""Millimetres in a dot of the card printer."""

TEXTS: Final = ("name", "number", "category", "issuer", "valid_until", "serial")
"""The texts that are a card's own."""
PARTNER: Final = "partner."
"""A slot `partner.<code>` shows the card's number at a partner (第二号码), such as a city pass or a bank account."""

_SHAPES: Final = {
    "gradient": ("x", "y", "width", "height", "start", "end"),
    "rect": ("x", "y", "width", "height", "radius", "colour"),
    "waves": ("x", "y", "width", "height", "lines", "amplitude", "waves", "drift", "colour", "stroke"),
    "rosette": ("x", "y", "radius", "petals", "turns", "colour", "stroke"),
    "text": ("x", "y", "text", "size", "align", "spacing", "bold", "colour"),
    "area": ("x", "y", "rings"),
}
_ON_FRONT: Final = ("name", "number", "category", "valid_until")
_ALIGNS: Final = ("left", "centre", "right")
_COLOUR: Final = re.compile("#[0-9A-F]{6}")
Made = TypeVar("Made")


class LayoutBroken(ValueError):
    """A layout that cannot be used: `code` says why, `where` names file and field."""

    def __init__(self, code: str, where: str) -> None:
        super().__init__(f"{where}: {code}")
        self.code = code
        self.where = where


@dataclass(frozen=True, slots=True)
class Shape:
    """One piece of constant art; `kind` says which of the fields count. Millimetres, points for type. An `area` with
    its rings, from (x, y), and a colour of its own comes out of a drawing (`art`), never out of the template itself.
    """

    kind: str
    x: float
    y: float
    width: float = 0.0
    height: float = 0.0
    radius: float = 0.0
    colour: str = ""
    start: str = ""
    end: str = ""
    stroke: float = 0.1
    lines: int = 0
    amplitude: float = 0.0
    waves: float = 0.0
    drift: float = 0.0
    petals: int = 0
    turns: int = 0
    text: str = ""
    size: float = 0.0
    align: str = "left"
    spacing: float = 0.0
    bold: bool = False
    rings: tuple[Ring, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """Where one of a card's own texts goes; it shrinks from `size` to `min_size` and wraps to at most `lines`.

    A slot is itself and no other: texts that were fitted into it are found by it.
    """

    name: str
    x: float
    y: float
    width: float
    height: float
    size: float
    min_size: float
    lines: int
    colour: str
    align: str = "left"
    spacing: float = 0.0
    bold: bool = False
    leading: float = 1.18

    @property
    def partner(self) -> str:
        """The partner whose number stands here; empty for a text of the card itself."""
        return self.name.removeprefix(PARTNER) if self.name.startswith(PARTNER) else ""


@dataclass(frozen=True, slots=True)
class Partner:
    """Whose mark a template carries (合作方). `number` is what its number must look like (a regular expression), and
    every card needs one; empty: a mark alone. `example` is the longest of them, for samples and for the check of room.
    """

    title: str
    title_zh: str
    number: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the mark of a partner (合作方标识) goes: its box, and its shapes from the upper left corner of that."""

    partner: str
    x: float
    y: float
    width: float
    height: float
    shapes: tuple[Shape, ...] = ()


@dataclass(frozen=True, slots=True)
class PhotoSlot:
    """Where the photo goes, and the colour of the fine frame around it."""

    x: float
    y: float
    width: float
    height: float
    frame: str


@dataclass(frozen=True, slots=True)
class QrSlot:
    """The upper left corner of the code's quiet zone, and the colour under it."""

    x: float
    y: float
    panel: str


@dataclass(frozen=True, slots=True)
class BrailleSlot:
    """Braille cells (Unicode patterns) and the centre of their first dot."""

    cells: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the card."""

    shapes: tuple[Shape, ...]
    slots: tuple[Slot, ...]
    marks: tuple[Mark, ...] = ()
    photo: PhotoSlot | None = None
    qr: QrSlot | None = None
    braille: BrailleSlot | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A face layout: `kinds` gives the colours of each kind of card, `issuers` how the issuer is named, `partners` whom
    it shows, `short` which parts of a name that is too long are printed.
    """

    id: str
    profiles: tuple[str, ...]
    width: float
    height: float
    date: str
    issuers: tuple[tuple[str, str], ...]
    kinds: Mapping[str, Mapping[str, str]]
    front: Side
    back: Side
    partners: Mapping[str, Partner]
    short: tuple[int, ...] = ()

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Every slot of both sides, as they are read: front, then back."""
        return (*self.front.slots, *self.back.slots)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The partners of whom every card needs a number."""
        return tuple(code for code, partner in self.partners.items() if partner.number)

    def shortened(self, name: str) -> str:
        """A long name as the rule of the template shortens it (姓名缩略): those of its parts between `·` that `short`
        names (0 is the first, -1 the last). A name without so many parts, or under no rule, stays as it is.
        """
        parts = name.split("\u00b7")
        if not self.short or len(parts) <= len(self.short):
            return name
        return "\u00b7".join([parts[place] for place in self.short])

    def issuer(self, area: str, parent: str) -> str:
        """The issuing office (发证机关) of an area whose upper area is `parent`; U+200B marks where a line may end."""
        text = next(text for ending, text in self.issuers if area.endswith(ending))
        return text.format(area=area, parent="" if area.startswith(parent[:2]) else parent)


def load(path: Path) -> Layout:
    """Read and check a layout. Raises LayoutBroken with file and field."""
    data, where = tomllib.loads(path.read_text()), path.name
    if data.pop("format", None) != 1:
        raise LayoutBroken("unknown-format", where)
    shared, marks = data.pop("colours", {}), _marks(data.pop("marks", {}), path)
    try:
        layout = Layout(
            id=data.pop("id"), profiles=tuple(data.pop("profiles")), width=float(data.pop("width")),
            height=float(data.pop("height")), date=data.pop("date"),
            issuers=tuple((row["ending"], row["text"]) for row in data.pop("issuers")),
            kinds={code: shared | kind["colours"] for code, kind in data.pop("kinds").items()},
            front=_side(data.pop("front"), marks, f"{where}: front"),
            back=_side(data.pop("back"), marks, f"{where}: back"),
            partners={code: _make(Partner, partner, f"{where}: partners: {code}")
                      for code, partner in data.pop("partners", {}).items()},
            short=tuple(data.pop("names", {}).get("short", ())))
    except KeyError as missing:
        raise LayoutBroken("missing", f"{where}: {missing.args[0]}") from None
    if data:
        raise LayoutBroken("unknown-name", f"{where}: {min(data)}")
    _check(layout, where)
    return layout


def _shapes(tables: Sequence[Mapping[str, Any]], where: str) -> tuple[Shape, ...]:
    renamed = [{{"from": "start", "to": "end"}.get(name, name): value for name, value in shape.items()}
               for shape in tables]
    return tuple(_make(Shape, shape, f"{where}: shapes[{n}]") for n, shape in enumerate(renamed, 1))


def _marks(tables: Mapping[str, Any], path: Path) -> dict[str, tuple[Shape, ...] | Art]:
    """The art of each partner's mark, by the partner: shapes of the template, or a drawing (`svg`) beside it."""
    found = dict[str, tuple[Shape, ...] | Art]()
    for code, mark in tables.items():
        where = f"{path.name}: marks: {code}"
        if unknown := mark.keys() - {"shapes"} if "shapes" in mark else mark.keys() - {"svg"}:
            raise LayoutBroken("unknown-name", f"{where}: {min(unknown)}")
        found[code] = _shapes(mark["shapes"], where) if "shapes" in mark else _drawing(mark["svg"], path, where)
    return found


def _drawing(name: Any, path: Path, where: str) -> Art:
    if not isinstance(name, str) or Path(name).name != name:  # no file from elsewhere
        raise LayoutBroken("bad-type", f"{where}: svg")
    try:
        return art.read(path.with_name(name))
    except ArtBroken as broken:
        raise LayoutBroken(broken.code, f"{where}: {broken.where}") from None


def _within(mark: Mark, drawn: tuple[Shape, ...] | Art) -> Mark:
    """The mark with its art; a drawing is as large as its box lets it be."""
    if not isinstance(drawn, Art):
        return replace(mark, shapes=drawn)
    return replace(mark, shapes=tuple(
        Shape("area", 0.0, 0.0, mark.width, mark.height, colour=area.colour, rings=area.rings)
        for area in drawn.fitted(mark.width, mark.height)))


def _side(table: dict[str, Any], drawn: Mapping[str, tuple[Shape, ...] | Art], where: str) -> Side:
    marks = [_make(Mark, mark, f"{where}: marks[{n}]") for n, mark in enumerate(table.pop("marks", ()), 1)]
    special: dict[str, Any] = {
        name: _make(kind, table.pop(name), f"{where}: {name}")
        for name, kind in (("photo", PhotoSlot), ("qr", QrSlot), ("braille", BrailleSlot)) if name in table}
    side = Side(
        shapes=_shapes(table.pop("shapes"), where),
        marks=tuple(_within(mark, drawn.get(mark.partner, ())) for mark in marks),
        slots=tuple(_make(Slot, slot, f"{where}: slots[{n}]") for n, slot in enumerate(table.pop("slots"), 1)),
        **special)
    if table:
        raise LayoutBroken("unknown-name", f"{where}: {min(table)}")
    return side


def _make(cls: type[Made], table: Mapping[str, Any], where: str) -> Made:
    """A row of a TOML table as its class: nothing unknown, nothing missing, every type right."""
    types, given = get_type_hints(cls), dict(table)
    for field in fields(cls):  # type: ignore[arg-type]
        if field.name not in given:
            if field.default is MISSING:
                raise LayoutBroken("missing", f"{where}: {field.name}")
            continue
        value = given[field.name]
        if types[field.name] is float and type(value) is int:
            given[field.name] = float(value)
        elif type(value) is not types[field.name]:
            raise LayoutBroken("bad-type", f"{where}: {field.name}")
    if unknown := given.keys() - types.keys():
        raise LayoutBroken("unknown-name", f"{where}: {min(unknown)}")
    return cls(**given)


def _check(layout: Layout, where: str) -> None:
    """What no single table can say: known shapes, colours that every kind of card has, texts that must be there."""
    colours = [set(colours) for colours in layout.kinds.values()]
    for code, colour in ((code, colour) for kind in layout.kinds.values() for code, colour in kind.items()):
        if not _COLOUR.fullmatch(colour):
            raise LayoutBroken("bad-colour", f"{where}: kinds: {code}")
    if any(type(place) is not int for place in layout.short):
        raise LayoutBroken("bad-type", f"{where}: names")
    for name, side in (("front", layout.front), ("back", layout.back)):
        _check_side(side, set.intersection(*colours), f"{where}: {name}")
    if not layout.issuers or layout.issuers[-1][0]:
        raise LayoutBroken("no-last-issuer", f"{where}: issuers")
    if layout.front.photo is None or layout.front.qr is None:
        raise LayoutBroken("missing", f"{where}: front: photo or qr")
    if lacks := set(_ON_FRONT) - {slot.name for slot in layout.front.slots}:
        raise LayoutBroken("missing", f"{where}: front: slots: {min(lacks)}")
    if "serial" not in {slot.name for slot in layout.slots}:
        raise LayoutBroken("missing", f"{where}: slots: serial")
    _check_partners(layout, where)


def _check_partners(layout: Layout, where: str) -> None:
    """Every partner has a mark, and where it gives numbers one place for them and an example that is one."""
    marks = [mark for side in (layout.front, layout.back) for mark in side.marks]
    named = {mark.partner for mark in marks} | {slot.partner for slot in layout.slots if slot.partner}
    if unknown := named - layout.partners.keys():
        raise LayoutBroken("unknown-partner", f"{where}: {min(unknown)}")
    for code, partner in layout.partners.items():
        if not any(mark.partner == code and mark.shapes for mark in marks):
            raise LayoutBroken("missing", f"{where}: marks: {code}")
        if [slot.partner for slot in layout.slots].count(code) != (1 if partner.number else 0):
            raise LayoutBroken("partner-slot", f"{where}: partners: {code}")
        if partner.number and not re.fullmatch(partner.number, partner.example):
            raise LayoutBroken("bad-example", f"{where}: partners: {code}")


def _check_side(side: Side, colours: set[str], where: str) -> None:
    for shape in (*side.shapes, *(shape for mark in side.marks for shape in mark.shapes)):
        if shape.kind not in _SHAPES or (shape.kind == "area" and not shape.rings):
            raise LayoutBroken("unknown-shape", f"{where}: {shape.kind}")
        used = {getattr(shape, field) for field in _SHAPES[shape.kind] if field in ("colour", "start", "end")}
        if not used <= colours or shape.align not in _ALIGNS:
            raise LayoutBroken("unknown-colour-or-align", f"{where}: {shape.kind}")
    for slot in side.slots:
        if (slot.name not in TEXTS and not slot.partner) or slot.align not in _ALIGNS or slot.colour not in colours:
            raise LayoutBroken("bad-slot", f"{where}: {slot.name}")
        if not 0 < slot.min_size <= slot.size or slot.lines < 1:
            raise LayoutBroken("bad-size", f"{where}: {slot.name}")
    if side.braille and not all(0x2800 <= ord(cell) < 0x2840 for cell in side.braille.cells):
        raise LayoutBroken("bad-braille", f"{where}: braille")
