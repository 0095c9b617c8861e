"""A file by HTTP, whole or in part: validators, conditions and one range (RFC 9110, clauses 8.8, 13 and 14)."""

import hashlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)


def send(request: HttpRequest, path: Path, content_type: str, *, cache: str) -> HttpResponse:
    """Answer a GET or HEAD request with a file: 200, 206 for a range, 304 where it is known, 412, 416; `Http404`.

    Several ranges at once, and units other than bytes, are answered whole, as clause 14.2 allows. The file may be
    replaced at any time by another of its name, never changed in itself: who goes on with the rest of it asks with
    `If-Range`, and gets the new one whole.
    """
    try:
        with path.open("rb") as file:
            found, data = os.fstat(file.fileno()), file.read()
    except (FileNotFoundError, IsADirectoryError):
        raise Http404 from None
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    modified = int(found.st_mtime)
    answer = get_conditional_response(request, etag, modified) or _content(request, data, etag, modified)
    if answer.status_code in (200, 206):
        answer.headers["Content-Type"] = content_type
    for name, value in (("ETag", etag), ("Last-Modified", http_date(modified)), ("Accept-Ranges", "bytes"),
                        ("Cache-Control", cache)):
        answer.headers[name] = value
    patch_vary_headers(answer, ["Accept-Encoding"])
    return answer


def _content(request: HttpRequest, data: bytes, etag: str, modified: int) -> HttpResponse:
    part = _part(request, len(data), etag, modified)
    if part is None:
        return HttpResponse(data)
    first, end = part
    if first >= end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
    return HttpResponse(data[first:end], status=206,
                        headers={"Content-Range": f"bytes {first}-{end - 1}/{len(data)}"})


def _part(request: HttpRequest, size: int, etag: str, modified: int) -> tuple[int, int] | None:
    """From where up to, not including, where; None for the whole, nothing (0, 0) for what cannot be."""
    asked = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if request.method != "GET" or asked is None or not _still(request.headers.get("If-Range"), etag, modified):
        return None
    first, last = asked.groups()
    if not first:  # so many from the end
        return (max(size - int(last), 0), size) if last else None
    if last and int(last) < int(first):
        return None  # not a range at all: ignored
    return (int(first), min(int(last) + 1, size) if last else size) if int(first) < size else (0, 0)


def _still(condition: str | None, etag: str, modified: int) -> bool:
    """Whether the file is that of which the client has the beginning (clause 13.1.5): by its tag, or its very time."""
    if condition is None or condition.strip() == etag:
        return True
    old = modified + 60 <= int(datetime.now(UTC).timestamp())  # a younger file may change twice in its second
    return old and condition.strip() == http_date(modified)
