"""Faces of cards (卡面) to be looked at: any holder's, as it is or would be made, and every template with people who
try it. Nothing is signed here: each picture is marked as a sample, and its code is nobody's.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from zhengka.cards import queries as cards
from zhengka.cards.models import Card
from zhengka.core.errors import Refusal
from zhengka.production import faces
from zhengka.production import queries as production
from zhengka.production.services.gathering import OwnFace, Subject
from zhengka.registry import services
from zhengka.registry.models import Holder
from zhengka.web.access import Request, requires, seen
from zhengka.web.staff import in_full as reading
from zhengka.web.staff.batch_parts import hold_words
from zhengka.web.staff.in_full import PurposeForm, Reading
from zhengka.web.staff.navigation import trail
from zhengka.web.staff.words import bilingual
from zhengka.web.ui.parts import Cell, Fact, Text

DEAD = ("spoiled", "suspect", "destroyed", "cancelled")
TRAIL = ((_("Batches"), "staff:batches"),)
PEOPLE: Sequence[tuple[Text, Mapping[str, Any]]] = (
    (_("A short name"), {"name": "田野"}),
    (_("A long name of a minority"), {"name": "阿卜杜热合曼·麦麦提依明·买买提吐尔逊"}),
    (_("A name that is too long, shortened by the rule"),
     {"name": "·".join(("阿卜杜热合曼", "麦" * 60, "买买提吐尔逊")), "own": OwnFace(short=True)}),
    (_("Rare characters of the extension planes"), {"name": "𠮷㛃䶮"}),
    (_("A character that no font has"), {"name": "王\ue000"}),
    (_("No photo"), {"name": "欧阳建国", "photo": ""}),
    (_("Low vision: the red card with Braille"), {"name": "李明", "category": 1, "grade": 1}),
    (_("Several disabilities and a long office"),
     {"name": "王建国", "category": 7, "grade": 1, "components": ((1, 2), (2, 1), (4, 3)),
      "unit": "积石山保安族东乡族撒拉族自治县", "city": "临夏回族自治州"}),
)
"""People of nobody who try a template: what is special about each, and what of them is not as usual."""
KIND_WORDS: Mapping[str, Text] = {"red": _("red card with Braille"), "blue": _("blue card")}
"""Look of a card → words; a profile may bring other looks, which are called as it calls them."""
_USUAL: Mapping[str, Any] = {
    "item": 0, "card": 0, "area": 430104000000, "unit": "岳麓区", "city": "长沙市", "photo": "sample",
    "photo_fault": "",
    "number": "43990119000101001X42B1", "category": 4, "grade": 2, "components": (), "certificate_state": "valid",
    "card_state": "ordered", "issued_on": date(2026, 11, 20), "valid_until": date(2036, 11, 19), "own": OwnFace()}


@requires("card.read")
def holder(request: Request, pk: int) -> HttpResponse:
    """The face of a holder's card, or of the one that they would get; the numbers on it are masked."""
    return _page(request, seen(request, Holder, pk))


@requires("card.read")
@require_POST
def in_full(request: Request, pk: int) -> HttpResponse:
    """The same with the numbers in full, once, for a purpose that the event keeps."""
    row = seen(request, Holder, pk)
    return reading.read(request, partial(services.read_in_full, row),
                        page=lambda form: _page(request, row, purpose=form),
                        shown=lambda _clear: _page(request, row, clear=True),
                        back=reverse("staff:holder-face", args=[pk]))


@requires("system.read", "batch.read")
@require_safe
def index(request: Request) -> HttpResponse:
    """Every template that is installed, and why one was refused."""
    found = faces.templates()
    return render(request, "staff/faces/index.html", {
        "title": _("Face templates"), "broken": [each for each in found if isinstance(each, faces.LayoutBroken)],
        "templates": [(each, _sample(each, PEOPLE[0][1])) for each in found
                      if isinstance(each, faces.Layout) and each.profiles]})


@requires("system.read", "batch.read")
@require_safe
def template(request: Request, name: str) -> HttpResponse:
    """One template with people who try it, and what would hold each of them."""
    for each in faces.templates():
        if isinstance(each, faces.Layout) and each.id == name and each.profiles:
            return render(request, "staff/faces/template.html", {
                "title": each.id, "caption": _("Face template"), "facts": _template_facts(each),
                "people": [(what, _sample(each, who)) for what, who in PEOPLE],
                "breadcrumbs": trail((_("Face templates"), "staff:faces"))})
    raise Refusal("not-found")


def _page(request: Request, row: Holder, *, clear: bool = False, purpose: PurposeForm | None = None) -> HttpResponse:
    card = _card_of(row)
    shown = production.look(card, clear=clear) if card else None
    may_read = request.actor.may("holder.read") and not clear and card
    return render(request, "staff/faces/holder.html", {
        "title": row.name, "caption": _("Face of the card"), "holder": row, "card": card if card and card.pk else None,
        "face": described(shown) if shown else None, "facts": _facts(card, shown) if card and shown else [],
        "in_full": Reading(_("Show the numbers on the face in full"), _("Show in full"), reverse(
            "staff:holder-face-in-full", args=[row.pk]), purpose or PurposeForm()) if may_read else None,
        "clear": clear, "may_open": request.actor.may("holder.read"),
        "breadcrumbs": trail((_("Holders"), "staff:holders")) if request.actor.may("holder.read") else trail(
            (_("Cards"), "staff:cards"))})


def _card_of(row: Holder) -> Card | None:
    """The newest card that is or will be good for something, else the one that they would get."""
    for card in cards.of_holder(row.pk).exclude(state__in=DEAD).select_related(
            "area__parent", "holder", "certificate")[:1]:
        return card
    return production.unmade(row, timezone.now())


def described(shown: production.Looked) -> dict[str, Any]:
    """Both sides as pictures in data addresses, and what is on them in words, for who does not see them."""
    front = gettext("Front, %(kind)s: %(name)s, %(category)s, certificate number %(number)s, %(issuer)s, valid until "
                    "%(valid)s; %(photo)s; a code that opens nothing") % {
        "kind": _kind(shown), "name": shown.texts["name"] or "—",
        "category": shown.texts["category"].replace("\u200b", ""), "number": shown.texts["number"],
        "issuer": shown.texts["issuer"].replace("\u200b", ""), "valid": shown.texts["valid_until"],
        "photo": gettext("a photo") if shown.has_photo else gettext("no photo yet")}
    back = gettext("Back: how to use the card, the issuer's name, serial %(serial)s") % {
        "serial": shown.texts["serial"]}
    pictures = ["data:image/svg+xml;base64," + base64.b64encode(side.encode()).decode() for side in shown.sides]
    return {"sides": list(zip((front, back), pictures, strict=True)), "fault": hold_words(shown.fault) or shown.fault,
            "kind": _kind(shown)}


def _kind(shown: production.Looked) -> str:
    return str(KIND_WORDS.get(shown.kind.code, shown.kind.title))


def _facts(card: Card, shown: production.Looked) -> list[Fact]:
    texts = {slot: text.replace("\u200b", "") or "—" for slot, text in shown.texts.items()}
    facts = [Fact(_("Name on the card"), texts["name"]),
             Fact(_("Certificate number"), Cell(texts["number"], number=True)),
             Fact(_("Category and grade"), texts["category"]), Fact(_("Issuing unit"), texts["issuer"]),
             Fact(_("Valid until"), texts["valid_until"]),
             Fact(_("Card profile"), bilingual(cards.profile_title(card.profile)))]
    partners = faces.layout_for(card.profile).partners
    return facts + [Fact(bilingual((partners[code].title_zh, partners[code].title)),
                         Cell(texts[f"{faces.PARTNER}{code}"], number=True))
                    for code in faces.layout_for(card.profile).numbers]


def _sample(layout: faces.Layout, who: Mapping[str, Any]) -> dict[str, Any]:
    own = who.get("own", OwnFace())._replace(numbers={code: layout.partners[code].example for code in layout.numbers})
    subject = Subject(**{**_USUAL, **who, "own": own})
    return described(production.look_at(subject, layout.profiles[0], clear=True))


def _template_facts(layout: faces.Layout) -> list[Fact]:
    partners = "、".join(str(bilingual((each.title_zh, each.title))) for each in layout.partners.values())
    return [Fact(_("Size"), f"{layout.width:g} × {layout.height:g} mm"),
            Fact(_("Card profiles"), ", ".join(layout.profiles)),
            Fact(_("Partners"), partners or "—"),
            Fact(_("A name that is too long"), _("Its first and last part are printed") if layout.short else
                 _("Never shortened"))]


urls = [
    path("faces/", index, name="faces"),
    path("faces/<slug:name>", template, name="face-template"),
    path("holders/<int:pk>/face", holder, name="holder-face"),
    path("holders/<int:pk>/face/in-full", in_full, name="holder-face-in-full"),
]
