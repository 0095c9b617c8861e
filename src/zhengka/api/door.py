"""What everybody asks, and most of all, goes straight to its view: no session, no officer, no page's transaction."""

from collections.abc import Callable
from functools import cache, partial
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

OPEN: Final = frozenset({"/api/v1/verify"})
"""Addresses whose answers are the same whoever asks, and which keep nothing that must be there together."""


class Door:
    """Stands before the parts that only officers need."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer such a request at once, any other as the rest of the chain does."""
        if request.path_info not in OPEN:
            return self.get_response(request)
        return _view(request.path_info)(request)


@cache
def _view(path: str) -> Callable[[HttpRequest], HttpResponse]:
    found = resolve(path)
    return partial(found.func, *found.args, **found.kwargs)
