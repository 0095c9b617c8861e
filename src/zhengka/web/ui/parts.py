"""What a view hands to the parts of a page: plain, frozen rows without behaviour of their own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.functional import Promise

Text = str | Promise


@dataclass(frozen=True)
class Cell:
    """One cell: text, perhaps a link, a tag's tone (see `words`) and a second, smaller line."""

    text: Text | int
    href: str = ""
    tone: str = ""
    note: Text = ""
    number: bool = False  # a card's, certificate's or batch's number: figures of equal width


@dataclass(frozen=True)
class Column:
    """One column; `sort` is the value of ?sort= that orders by it, empty where one cannot."""

    label: Text
    sort: str = ""
    numeric: bool = False


@dataclass(frozen=True)
class Row:
    """One row; its first cell is its name. `value` is what its tick sends where rows can be selected."""

    cells: Sequence[Cell | Text | int]
    value: str = ""


@dataclass(frozen=True)
class Pager:
    """A keyset pager: addresses of the neighbours, empty where there is none; `total` where it is known cheaply."""

    previous: str = ""
    next: str = ""
    shown: int = 0
    total: int | None = None
    name: Text = ""
    """What the list is, where a page has several; only the pager of a page's one list has keys of its own."""


@dataclass(frozen=True)
class Table:
    """A table with a caption; `sort` is the present order ("-name" descends), `select` the name of the ticks."""

    caption: Text
    columns: Sequence[Column]
    rows: Sequence[Row]
    sort: str = ""
    pager: Pager | None = None
    empty: Text = ""
    select: str = ""
    caption_hidden: bool = False


@dataclass(frozen=True)
class Tile:
    """One key figure: what it counts, the figure, its unit, where it leads, and a tone where it needs attention, which
    no figure of zero does.
    """

    label: Text
    value: Text | int
    unit: Text = ""
    note: Text = ""
    href: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Event:
    """One entry of a history: when, what, who, why."""

    at: datetime
    title: Text
    by: Text = ""
    facts: Sequence[tuple[Text, Text]] = field(default_factory=tuple)
    tone: str = ""


@dataclass(frozen=True)
class History:
    """A part of a history, newest first, and the way to what is older."""

    events: Sequence[Event]
    pager: Pager | None = None


@dataclass(frozen=True)
class Stage:
    """One stage of a case: `state` is done, now, todo or stopped."""

    label: Text
    state: str = "todo"
    note: Text = ""


@dataclass(frozen=True)
class Fact:
    """One line of a summary list; `href` and `action` offer a way to change or read it in full."""

    label: Text
    value: Text | int | Cell
    href: str = ""
    action: Text = ""
