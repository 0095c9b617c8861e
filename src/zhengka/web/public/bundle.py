"""The public part of the offline bundle (离线包): manifest, keys, signed lists and what changed in them, as files."""

from pathlib import Path
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from zhengka.cards.services.bundles import folder
from zhengka.core.sending import send
from zhengka.formats import bundle, hosts
from zhengka.formats.statuslist import STATUS_LIST
from zhengka.web.access import public

FRESH: Final = "public, max-age=60, must-revalidate"
"""Gates ask again after a minute: a block is then known everywhere soon after it is in a list (I12)."""
FOR_EVER: Final = "public, max-age=86400, immutable"
"""What changed from one version to the next never changes again."""


def give(request: HttpRequest, file: Path, content_type: str, cache: str = FRESH) -> HttpResponse:
    """A file of the bundle, whole or in part, to whoever asks from wherever."""
    answer = send(request, file, content_type, cache=cache)
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Access-Control-Expose-Headers"] = "ETag, Content-Range"
    return answer


@public
@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """Which files belong together."""
    return give(request, folder() / bundle.MANIFEST, bundle.CONTENT_TYPE)


@public
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The issuers' public keys."""
    return give(request, folder() / bundle.KEYS, "application/json")


@public
@require_safe
def code_hosts(request: HttpRequest) -> HttpResponse:
    """The hosts that codes of cards may carry."""
    return give(request, folder() / hosts.FILE, "application/json")


@public
@require_safe
def status_list(request: HttpRequest, number: int) -> HttpResponse:
    """A status list."""
    return give(request, folder() / f"status-{number}.bin", STATUS_LIST.content_type)


@public
@require_safe
def delta(request: HttpRequest, number: int, version: int) -> HttpResponse:
    """What makes this version of a status list into the next one."""
    return give(request, folder() / bundle.delta_name(f"status-{number}.bin", version),
                STATUS_LIST.delta_content_type, FOR_EVER)


urls = [
    path("bundle/manifest.bin", manifest, name="manifest"),
    path("bundle/keys.json", keys, name="keys"),
    path("bundle/hosts.json", code_hosts, name="code-hosts"),
    path("bundle/status-<int:number>.bin", status_list, name="status-list"),
    path("bundle/status-<int:number>.from-<int:version>.bin", delta, name="status-delta"),
]
