"""The gate app (闸机应用): a page that a phone keeps, so that it works where there is no network.

The page is the same for everybody and holds nothing of anybody: what a gate knows comes to it signed, by the API, once
it was paired. It may compile the decoder of codes (`wasm-unsafe-eval`) and speak to the reader of its own device; no
other public page may.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import path, reverse
from django.utils import translation
from django.views.decorators.http import require_safe

from zhengka.formats.certnumber import CATEGORIES, GRADES, Term
from zhengka.web.access import public
from zhengka.web.middleware import POLICY
from zhengka.web.public.gate_words import buttons, texts
from zhengka.web.ui.templatetags.ui import asset

BUILT = Path(__file__).resolve().parents[1] / "ui/static/ui/gate"
LANGUAGES = {"zh-hans": "zh-Hans", "en": "en"}
FRESH = "no-cache"
"""A browser that has the network asks whether the app is still the same; one that has not takes what it keeps."""


@public
@require_safe
def app(request: HttpRequest, language: str = "") -> HttpResponse:
    """The app, in the visitor's language or in the one that the address names."""
    spoken = language if language in LANGUAGES else translation.get_language() or "en"
    spoken = spoken if spoken in LANGUAGES else "en"
    with translation.override(spoken):
        page = render(request, "public/gate.html", {
            "language": LANGUAGES[spoken], "texts": texts() | {"language": spoken}, "buttons": buttons(),
            "categories": _named(CATEGORIES, spoken), "grades": _named(GRADES, spoken),
            "agent": settings.READER_AGENT, "wasm": asset("gate/zxing_reader.wasm")})
    page.headers["Content-Security-Policy"] = (
        f"{POLICY}; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
        f"connect-src 'self' {settings.READER_AGENT}")
    page.headers["Permissions-Policy"] = "camera=(self)"
    page.headers["Cache-Control"] = FRESH
    return page


@public
@require_safe
def worker(_request: HttpRequest) -> HttpResponse:
    """The service worker, with the list of what it keeps: it may serve this folder of the site, and nothing above."""
    kept = [reverse("public:gate"), *(reverse("public:gate-in", args=[name]) for name in LANGUAGES),
            reverse("public:gate-manifest"), *_assets()]
    body = f"const KEPT = {json.dumps(kept)};\n{_built('worker.js')}"
    return HttpResponse(body, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": FRESH})


@public
@require_safe
def manifest(_request: HttpRequest) -> HttpResponse:
    """How a phone installs the app (W3C Web Application Manifest)."""
    told: dict[str, Any] = {
        "id": reverse("public:gate"), "start_url": reverse("public:gate"), "scope": reverse("public:gate"),
        "name": "证卡核验 Zhengka gate", "short_name": "证卡核验", "lang": "zh-Hans", "display": "standalone",
        "orientation": "any", "background_color": "#0b1622", "theme_color": "#0b1622",
        "icons": [{"src": static("ui/gate/icon.svg"), "type": "image/svg+xml", "sizes": "any", "purpose": "any"},
                  *({"src": static(f"ui/gate/icon-{size}.png"), "type": "image/png", "sizes": f"{size}x{size}",
                     "purpose": "any maskable"} for size in (192, 512))]}
    return JsonResponse(told, content_type="application/manifest+json", headers={"Cache-Control": FRESH})


def _named(terms: Mapping[int, Term], language: str) -> list[tuple[int, str]]:
    """What stands on a certificate, in a language: number and word."""
    return [(number, term.en if language == "en" else term.zh) for number, term in terms.items()]


def _assets() -> list[str]:
    """Addresses of all files of the app, as its page and its modules name them."""
    named = ["app.css", "mark.svg", *(f"gate/{name}" for name in ("gate.css", "gate.js", "zxing_reader.wasm"))]
    parts = sorted(each.name for each in BUILT.glob("part-*.js"))
    return [*map(asset, named), *(static(f"ui/gate/{name}") for name in ("icon.svg", "icon-192.png", *parts))]


@lru_cache(maxsize=4)
def _built(name: str) -> str:
    return (BUILT / name).read_text(encoding="utf-8")


urls = [
    path("gate/", app, name="gate"),
    path("gate/worker.js", worker, name="gate-worker"),
    path("gate/manifest.webmanifest", manifest, name="gate-manifest"),
    path("gate/<slug:language>", app, name="gate-in"),
]
