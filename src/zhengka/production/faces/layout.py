"""What is printed where, as data: a face layout read from TOML and checked to the last field."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

POINT: Final = 25.4 / 72
"""Millimetres in a typographic point."""
DOT: Final = 25.4 / 300
"""Millimetres in a dot of the card printer."""

TEXTS: Final = ("name", "number", "category", "issuer", "valid_until", "serial")
"""The texts that are a card's own."""

_SHAPES: Final = {
    "gradient": ("x", "y", "width", "height", "start", "end"),
    "rect": ("x", "y", "width", "height", "radius", "colour"),
    "waves": ("x", "y", "width", "height", "lines", "amplitude", "waves", "drift", "colour", "stroke"),
    "rosette": ("x", "y", "radius", "petals", "turns", "colour", "stroke"),
    "text": ("x", "y", "text", "size", "align", "spacing", "bold", "colour"),
}
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
    """One piece of constant art; `kind` says which of the fields count. Millimetres, points for type."""

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
    photo: PhotoSlot | None = None
    qr: QrSlot | None = None
    braille: BrailleSlot | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A face layout: `kinds` gives the colours of each kind of card, `issuers` how the issuer is named."""

    id: str
    profiles: tuple[str, ...]
    width: float
    height: float
    date: str
    issuers: tuple[tuple[str, str], ...]
    kinds: Mapping[str, Mapping[str, str]]
    front: Side
    back: Side

    def issuer(self, area: str, parent: str) -> str:
        """The issuing office (发证机关) of an area whose upper area is `parent`; U+200B marks where a line may end."""
        text = next(text for ending, text in self.issuers if area.endswith(ending))
        return text.format(area=area, parent="" if area.startswith(parent[:2]) else parent)


def load(path: Path) -> Layout:
    """Read and check a layout. Raises LayoutBroken with file and field."""
    data, where = tomllib.loads(path.read_text()), path.name
    if data.pop("format", None) != 1:
        raise LayoutBroken("unknown-format", where)
    try:
        layout = Layout(
            id=data.pop("id"), profiles=tuple(data.pop("profiles")), width=float(data.pop("width")),
            height=float(data.pop("height")), date=data.pop("date"),
            issuers=tuple((row["ending"], row["text"]) for row in data.pop("issuers")),
            kinds={code: dict(kind["colours"]) for code, kind in data.pop("kinds").items()},
            front=_side(data.pop("front"), f"{where}: front"), back=_side(data.pop("back"), f"{where}: back"))
    except KeyError as missing:
        raise LayoutBroken("missing", f"{where}: {missing.args[0]}") from None
    if data:
        raise LayoutBroken("unknown-name", f"{where}: {min(data)}")
    _check(layout, where)
    return layout


def _side(table: dict[str, Any], where: str) -> Side:
    renamed = [{{"from": "start", "to": "end"}.get(name, name): value for name, value in shape.items()}
               for shape in table.pop("shapes")]
    special: dict[str, Any] = {
        name: _make(kind, table.pop(name), f"{where}: {name}")
        for name, kind in (("photo", PhotoSlot), ("qr", QrSlot), ("braille", BrailleSlot)) if name in table}
    side = Side(
        shapes=tuple(_make(Shape, shape, f"{where}: shapes[{n}]") for n, shape in enumerate(renamed, 1)),
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
    for name, side in (("front", layout.front), ("back", layout.back)):
        _check_side(side, set.intersection(*colours), f"{where}: {name}")
    if not layout.issuers or layout.issuers[-1][0]:
        raise LayoutBroken("no-last-issuer", f"{where}: issuers")
    if layout.front.photo is None or layout.front.qr is None:
        raise LayoutBroken("missing", f"{where}: front: photo or qr")
    if {"name", "number", "category", "valid_until"} - {slot.name for slot in layout.front.slots}:
        raise LayoutBroken("missing", f"{where}: front: slots")


def _check_side(side: Side, colours: set[str], where: str) -> None:
    for shape in side.shapes:
        if shape.kind not in _SHAPES:
            raise LayoutBroken("unknown-shape", f"{where}: {shape.kind}")
        used = {getattr(shape, field) for field in _SHAPES[shape.kind] if field in ("colour", "start", "end")}
        if not used <= colours or shape.align not in _ALIGNS:
            raise LayoutBroken("unknown-colour-or-align", f"{where}: {shape.kind}")
    for slot in side.slots:
        if slot.name not in TEXTS or slot.align not in _ALIGNS or slot.colour not in colours:
            raise LayoutBroken("bad-slot", f"{where}: {slot.name}")
        if not 0 < slot.min_size <= slot.size or slot.lines < 1:
            raise LayoutBroken("bad-size", f"{where}: {slot.name}")
    if side.braille and not all(0x2800 <= ord(cell) < 0x2840 for cell in side.braille.cells):
        raise LayoutBroken("bad-braille", f"{where}: braille")
