"""A card's page: what a phone shows after it scanned the code."""

from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from zhengka.core.actors import WHOLE_NATION
from zhengka.core.scope import enter
from zhengka.gates import services as gates
from zhengka.gates.services import Answer
from zhengka.web.public import words
from zhengka.web.public.access import check_page


@check_page
@require_safe
def card(request: HttpRequest, digits: str) -> HttpResponse:
    """The state of the card now, and what its face shows, with name and number masked."""
    enter(connection, *WHOLE_NATION)  # an officer who scans another unit's card is a visitor like any other
    answer = gates.check(digits, channel="page", at=timezone.now())
    look = words.look(answer.verdict)
    return render(request, "public/card.html" if answer.face else "public/no_card.html", {
        "title": look.word, "look": look, "checked_at": answer.at, "face": _face(answer),
        "proves": answer.identity and not answer.ok,
        "host": settings.PUBLIC_URL.partition("://")[2]})


def _face(answer: Answer) -> dict[str, Any] | None:
    """The card's face in the visitor's language; None where the code is no card of ours."""
    face, row = answer.face, answer.card
    if face is None or row is None:
        return None
    chinese = (get_language() or "").startswith("zh")
    return {
        "name": face.name, "number": face.number, "valid_until": face.valid_until,
        "disability": words.disability(face.category, face.grade, chinese=chinese),
        "issuer": face.issuer if chinese else face.issuer_en,
        "until": face.active_until if answer.ok else None, "red": face.category == 1}
