"""Long lists by keyset: the next page begins after the last row shown, so the thousandth costs what the first does."""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from zhengka.web.ui.parts import Pager

Row = TypeVar("Row", bound=Model)
SIZE = 50


def cursor(request: HttpRequest, name: str = "after") -> int | None:
    """The key after which the page begins, from the address; None for the first page or for nonsense."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def page_of(request: HttpRequest, rows: QuerySet[Row], *, size: int = SIZE,
            newest: bool = False) -> tuple[list[Row], Pager]:
    """One page of `rows` in the order of their keys (`newest`: the other way round) and its pager."""
    after = cursor(request)
    order, side = ("-pk", "pk__lt") if newest else ("pk", "pk__gt")
    found = list((rows if after is None else rows.filter(**{side: after})).order_by(order)[:size + 1])
    return found[:size], pager(request, found, size=size, more=len(found) > size)


def pager(request: HttpRequest, found: Sequence[Any], *, size: int = SIZE, more: bool, key: str = "pk") -> Pager:
    """The pager of a page of which `found` holds the rows: back to the first page, on to the next.

    The rest of the address's query (filters) stays.
    """
    query = {name: value for name, value in request.GET.items() if name not in ("after", "before", "refresh")}
    shown = min(len(found), size)
    onward = "?" + urlencode({**query, "after": getattr(found[shown - 1], key)}) if more and shown else ""
    first = ("?" + urlencode(query)) if "after" in request.GET else ""
    return Pager(previous=first, next=onward, shown=shown)
