"""Keys (密钥): the tree with states and check values, one key with its history. No page shows a key's value."""

from itertools import groupby
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.cards import key_use
from zhengka.cards import services as cards
from zhengka.keys import queries, rules, services
from zhengka.keys.models import Key
from zhengka.web.access import Request, act, requires, sure
from zhengka.web.staff import history
from zhengka.web.staff.key_use import name, use_facts, use_part
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.words import CEREMONY_WORDS, KEY_LEVEL_WORDS, Word, moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

KEPT_WORDS: dict[str, Word] = {
    "file": _("In the key file"), "token": _("In the hardware token"),
    "hybrid": _("Sealed by the token, opened in memory for each use"), "drawn": _("Nowhere: drawn when it is needed"),
    "none": _("Nowhere any more")}
"""Where a key lives → its words; complete against `keys.models.KEPT`."""

SAID: dict[str, Text] = {"activate": _("The key is at work. The version before it goes on reading for a year."),
                         "retire": _("The key is retired: it makes and reads nothing more.")}


@requires("key.manage")
def index(request: Request) -> HttpResponse:
    """Every key version of one's area and of the levels above it, level by level."""
    rows = list(queries.tree(request.actor).select_related("parent"))
    places = {area.code: area_name(area) for area in Area.objects.filter(code__in={key.area for key in rows})}
    columns = [Column(_("What the key is for")), Column(_("Place")), Column(_("Suite")),
               Column(_("Version"), numeric=True), Column(_("State")), Column(_("Check value")),
               Column(_("Comes from")), Column(_("Works"))]
    tables = [Table(KEY_LEVEL_WORDS[level], columns, [_row(key, places.get(key.area, gettext("Nation")))
                                                      for key in keys])
              for level, keys in groupby(rows, key=lambda key: key.level)]
    return render(request, "staff/keys/index.html", {
        "title": _("Keys"), "tables": tables, **use_part(rows, request.actor)})


@requires("key.manage")
def key(request: Request, pk: int) -> HttpResponse:
    """One key version: where it comes from and goes, who holds its components, what happened to it."""
    row = queries.key(pk, actor=request.actor)
    within, needed = request.actor.sees(row.area), key_use.needed(row)
    held = Table(_("Custodians"), [Column(_("Name")), Column(_("Staff number")), Column(_("Component"), numeric=True),
                                   Column(_("Check value of the component"))], [
        Row([one.name, one.person, one.number, Cell(one.check_value, number=True)])
        for one in row.custodians.order_by("number")], caption_hidden=True,
        empty=_("Nobody holds a component: the key was born in its store, or is drawn."))
    below = [Row([Cell(child.label, href=reverse("staff:key", args=[child.pk])), _state(child),
                  Cell(child.check_value, number=True)]) for child in row.children.order_by("label")]
    return render(request, "staff/keys/key.html", {
        "title": name(row), "caption": row.label, "key": row, "held": held,
        "facts": _facts(row) + use_facts(row, request.actor, needed),
        "below": Table(_("Drawn from it"), [
            Column(_("Key version")), Column(_("State")), Column(_("Check value"))], below) if below else None,
        "may_activate": within and row.state == "created",
        "may_retire": within and row.state in ("active", "retiring") and not needed
        and not row.carries_the_nation,
        "ceremonies": _ceremonies(row) if within else [], "events": history.of_row(request, row),
        "breadcrumbs": trail((_("Keys"), "staff:keys"))})


@requires("key.manage")
@require_POST
def change(request: Request, pk: int, action: str) -> HttpResponse:
    """Put a key to work, or retire one: asked a second time, since nothing is made with it afterwards."""
    row = queries.key(pk, actor=request.actor)
    if not sure(request):
        meaning = _("The version that works now makes nothing more, and goes on reading for a year.") if (
            action == "activate") else _("What still needs this key stops at once. What it signed stays trusted.")
        return render(request, "staff/sure.html", {
            "title": words.act(action), "caption": row.label, "meaning": meaning, "submit": words.act(action),
            "kind": "warning" if action == "retire" else "primary", "hidden": [],
            "url": reverse(f"staff:key-{action}", args=[pk]), "back": reverse("staff:key", args=[pk])})

    def do(request_id: UUID) -> Key:
        do_it = services.activate if action == "activate" else cards.retire_key
        return do_it(row, by=request.actor, request_id=request_id, at=timezone.now())

    return act(request, do, to=reverse("staff:key", args=[pk]), said=SAID[action])


def _facts(key: Key) -> list[Fact]:
    place = Area.objects.filter(code=key.area).first()
    facts = [Fact(_("State"), _state(key)), Fact(_("Place"), area_name(place) if place else _("Nation")),
             Fact(_("Suite"), key.suite), Fact(_("Version"), key.number),
             Fact(_("Check value"), Cell(key.check_value, number=True)),
             Fact(_("Where it lives"), KEPT_WORDS[key.kept]),
             Fact(_("Comes from"), _origin(key)), Fact(_("Works"), _days(key)),
             Fact(_("Trusted until"), f"{key.not_after:%Y-%m-%d}")]
    if _for_trials(key):
        facts.append(Fact(_("How it was made"), _("By the platform without a ceremony: for trials only")))
    if key.revoked_at:
        facts.append(Fact(_("Revoked at"), moment(key.revoked_at)))
    if key.reads_until:
        facts.append(Fact(_("Reads until"), f"{key.reads_until:%Y-%m-%d}"))
    if key.public:
        facts.append(Fact(_("Signatures made"), key.signatures))
    return facts


def _ceremonies(key: Key) -> list[tuple[str, Word]]:
    """Addresses and words of the ceremonies that can be opened over a key as it is now."""
    may = [kind for kind, fits in (
        ("rotate", key.state == "active" and not key.rule and key.purpose not in services.NEVER_ROTATED),
        ("export", key.state in ("created", "active", "retiring") and bool(key.exportable or key.rule)),
        ("recover", key.state != "destroyed" and key.custodians.exists()),
        ("revoke", bool(key.public) and key.revoked_at is None and key.state != "destroyed"),
        ("retire", key.state in ("active", "retiring") and (key.purpose in rules.MASTERS or key.carries_the_nation)),
        ("destroy", key.state in ("created", "retired"))) if fits]
    return [(reverse(f"staff:key-{'retire-by-two' if kind == 'retire' else kind}", args=[key.pk]),
             CEREMONY_WORDS[kind]) for kind in may]


def _for_trials(key: Key) -> bool:
    """A master that the platform made alone, at first use."""
    return key.parent is None and key.purpose in rules.MASTERS and not key.by_ceremony


def _origin(key: Key) -> Cell:
    if _for_trials(key):
        return Cell(_("No ceremony"), tone=words.WAIT)
    if key.parent is None:
        return Cell(_("A value of its own"))
    return Cell(key.parent.label, href=reverse("staff:key", args=[key.parent.pk]),
                note=gettext("drawn by %(rule)s") % {"rule": key.rule} if key.rule else "")


def _days(key: Key) -> str:
    return gettext("%(first)s to %(last)s") % {"first": f"{key.not_before:%Y-%m-%d}",
                                               "last": f"{key.works_until:%Y-%m-%d}"}


def _state(key: Key) -> Cell:
    tone, word = words.look("key", "revoked" if key.revoked_at else key.state)
    return Cell(word, tone=tone)


def _row(key: Key, place: str) -> Row:
    return Row([Cell(name(key), href=reverse("staff:key", args=[key.pk])), place, key.suite, key.number, _state(key),
                Cell(key.check_value, number=True), _origin(key), Cell(_days(key), number=True)])


urls = [
    path("keys/", index, name="keys"),
    path("keys/<int:pk>", key, name="key"),
    path("keys/<int:pk>/activate", change, {"action": "activate"}, name="key-activate"),
    path("keys/<int:pk>/retire", change, {"action": "retire"}, name="key-retire"),
]
