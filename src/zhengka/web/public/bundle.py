"""The offline bundle (离线包): public keys and signed status lists, as files that any verifier may fetch."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import condition, require_safe

from zhengka.cards.services.status import folder
from zhengka.web.access import public

FRESH = "public, max-age=60, must-revalidate"
"""Gates ask again after a minute: a block is then known everywhere soon after it is in a list (I12)."""


def _view(name: Callable[..., str], content_type: str) -> Callable[..., HttpResponse]:
    """A view of the bundle's file that `name` gives; with validators, so that an unchanged file is not sent again."""
    def path(**kwargs: int) -> Path:
        return folder() / name(**kwargs)

    def etag(_request: HttpRequest, **kwargs: int) -> str | None:
        return f'"{_digest(*found)}"' if (found := _stamp(path(**kwargs))) else None

    def modified(_request: HttpRequest, **kwargs: int) -> datetime | None:
        found = _stamp(path(**kwargs))
        return datetime.fromtimestamp(found[1] // 10**9, UTC) if found else None

    @require_safe
    @condition(etag_func=etag, last_modified_func=modified)
    def view(_request: HttpRequest, **kwargs: int) -> HttpResponse:
        try:
            answer = HttpResponse(path(**kwargs).read_bytes(), content_type=content_type)
        except FileNotFoundError:
            raise Http404 from None
        answer.headers["Cache-Control"] = FRESH
        answer.headers["Access-Control-Allow-Origin"] = "*"
        patch_vary_headers(answer, ["Accept-Encoding"])
        return answer
    return public(view)


def _stamp(path: Path) -> tuple[Path, int, int] | None:
    """Path, time and size of a file by which its digest may be remembered; None where there is no such file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return path, found.st_mtime_ns, found.st_size


@lru_cache(maxsize=64)
def _digest(path: Path, _modified: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


keys = _view(lambda: "keys.json", "application/json")
status_list = _view(lambda number: f"status-{number}.bin", "application/vnd.zhengka.status-list")
