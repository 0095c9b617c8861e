"""Long lists by keyset: the next page begins after the last row shown, so the thousandth costs what the first does;
and the rows that are ticked in them.
"""

from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from zhengka.web.ui.parts import Pager, Text

Row = TypeVar("Row", bound=Model)
SIZE = 50


@dataclass(frozen=True)
class Place:
    """One of several lists of a page: the name of its cursor in the address, which is the id of the list on the page,
    too; what its pager is called; the page's own address, where a form's answer shows the list under another one.
    """

    name: str = "after"
    label: Text = ""
    here: str = ""


THE_LIST = Place()
"""The list of a page that has one."""


def cursor(request: HttpRequest, name: str = "after") -> int | None:
    """The key after which the page begins, from the address; None for the first page or for nonsense."""
    return _key(request.GET.get(name, ""))


def place(request: HttpRequest) -> tuple[int, int]:
    """The place (office, key) after which a page begins, of lists that run by office and key; (0, 0) is the start."""
    office, _, key = request.GET.get("after", "").partition("-")
    found = _key(office), _key(key)
    return (0, 0) if found[0] is None or found[1] is None else (found[0], found[1])


def ticked(request: HttpRequest, name: str) -> list[int]:
    """The keys of the rows whose boxes `name` are ticked in a form; what can be no key is left out."""
    return [key for text in request.POST.getlist(name) if (key := _key(text)) is not None]


def _key(text: str) -> int | None:
    """A key as an address or a form carries it; None for nonsense: they may hold anything."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def page_by_place(request: HttpRequest, found: list[Any], *, size: int = SIZE,
                  total: int | None = None) -> tuple[list[Any], Pager]:
    """The page and pager of `found`: `size` + 1 rows asked for by office and key from `place(request)` on."""
    return found[:size], pager_of(request, min(len(found), size), total=total, onward=(
        f"{found[size - 1].area_id}-{found[size - 1].pk}" if len(found) > size else ""))


def page_of(request: HttpRequest, rows: QuerySet[Row], *, size: int = SIZE, newest: bool = False,
            where: Place = THE_LIST) -> tuple[list[Row], Pager]:
    """One page of `rows` in the order of their keys (`newest`: the other way round) and its pager."""
    after = cursor(request, where.name)
    order, side = ("-pk", "pk__lt") if newest else ("pk", "pk__gt")
    found = list((rows if after is None else rows.filter(**{side: after})).order_by(order)[:size + 1])
    return found[:size], pager_of(request, min(len(found), size), where=where,
                                  onward=str(found[size - 1].pk) if len(found) > size else "")


def pager_of(request: HttpRequest, shown: int, *, onward: str, total: int | None = None,
             where: Place = THE_LIST) -> Pager:
    """Back to the first page, on to the next; the rest of the address's query (filters, other lists) stays."""
    query = {name: value for name, value in request.GET.items() if name not in (where.name, "refresh", "seen")}
    mark, here = f"#{where.name}" if where.label else "", where.here or ("" if request.method == "GET" else None)
    if here is None:  # the answer to a form: its address shows nothing
        return Pager(shown=shown, total=total, name=where.label)
    return Pager(previous=f"{here}?{urlencode(query)}{mark}" if where.name in request.GET else "",
                 next=f"{here}?{urlencode({**query, where.name: onward})}{mark}" if onward else "",
                 shown=shown, total=total, name=where.label)
