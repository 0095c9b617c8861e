"""Who is to be assessed again (重新评定): whose day has come, or comes within three months, and the case to open."""

from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhengka.areas.models import Area
from zhengka.cases import recalls
from zhengka.cases.recalls import GROUPS, Due
from zhengka.web.access import Request, requires
from zhengka.web.staff.assessment import terms
from zhengka.web.staff.case_words import KIND_WORDS
from zhengka.web.staff.cases import FRESH, place
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import SIZE
from zhengka.web.staff.words import disability
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Pager, Row, Table, Text, Tile

GROUP_WORDS: dict[str, tuple[str, Text]] = {
    "due": (words.WAIT, _("Due now")), "30": ("", _("Within 30 days")), "90": ("", _("31 to 90 days"))}
"""Group of `recalls.GROUPS` → tone and words."""
OFFICES = 12
"""With more offices than these the chart shows those with the most persons due now."""
COLUMNS = [Column(_("Name")), Column(_("Category and grade")), Column(_("Assessed in")), Column(_("Again from")),
           Column(_("Office")), Column(_("Reminded on")), Column(_("Case to open"))]


@requires("case.read")
def index(request: Request) -> HttpResponse:
    """The persons of one group, how many there are of each at which office, and a link to the case that assesses anew.

    Whose doctors wrote that they need never be assessed again is in no group.
    """
    today, asked = timezone.localdate(), request.GET.get("group", "due")
    group = asked if asked in GROUPS else "due"
    found = recalls.listed(request.actor, group, today, after=place(request), limit=SIZE + 1)
    counted = _counted(request)
    tiles = [Tile(word, sum(numbers[at] for numbers in counted.values()), href=f"?group={name}", tone=tone)
             for at, (name, (tone, word)) in enumerate(GROUP_WORDS.items())]
    table = Table(GROUP_WORDS[group][1], COLUMNS, [_row(request, one) for one in found[:SIZE]],
                  pager=_pager(request, found), empty=_("Nobody is to be assessed again in this time."))
    return render(request, "staff/recalls.html", {
        "title": _("Another assessment"), "tiles": tiles, "group": group, "table": table, "chart": _chart(counted),
        "series": [word for _tone, word in GROUP_WORDS.values()], "breadcrumbs": trail((_("Cases"), "staff:cases"))})


def _counted(request: Request) -> dict[int, tuple[int, ...]]:
    """Persons by office and group, at most some minutes old: it looks at every one of them."""
    actor, today = request.actor, timezone.localdate()
    key = f"recalls-{actor.lo}-{actor.hi}-{today}"
    found: dict[int, tuple[int, ...]] | None = cache.get(key)
    if found is None:
        found = recalls.counted(actor, today)
        cache.set(key, found, FRESH)
    return found


def _chart(counted: dict[int, tuple[int, ...]]) -> list[tuple[str, tuple[int, ...]]]:
    """A bar for each office, those with the most persons due now first; none where there is one office alone."""
    most = sorted(counted, key=lambda area: -counted[area][0])[:OFFICES]
    names = Area.objects.in_bulk(most)
    return [(area_name(names[area]), counted[area]) for area in most] if len(counted) > 1 else []


def _row(request: Request, due: Due) -> Row:
    recall, holder, certificate = due.recall, due.recall.holder, due.certificate
    link = reverse("staff:holder", args=[holder.pk]) if holder and request.actor.may("holder.read") else ""
    return Row([
        Cell(holder.name if holder else recall.name, href=link),
        disability(certificate.category, certificate.grade) if certificate else Cell("—", note=_("no certificate")),
        terms.category(recall.category), Cell(recall.again_on.isoformat(), number=True), area_name(recall.area),
        recall.told_on.isoformat() if recall.told_on else "—", _opens(request, due)])


def _opens(request: Request, due: Due) -> Cell:
    """The kind of case that assesses this person anew, as a link for who may open it."""
    to = reverse("staff:case-brought", args=[due.recall.holder_id, due.kind]) if due.certificate else reverse(
        "staff:case-new")
    return Cell(KIND_WORDS[due.kind], href=to if request.actor.may("case.open") else "")


def _pager(request: Request, found: list[Due]) -> Pager:
    query: dict[str, Any] = {name: value for name, value in request.GET.items() if name != "after"}
    last = found[SIZE - 1].recall if len(found) > SIZE else None
    after = f"{last.again_on.isoformat()}.{last.pk}" if last else ""
    return Pager(previous="?" + urlencode(query) if "after" in request.GET else "",
                 next="?" + urlencode({**query, "after": after}) if after else "", shown=min(len(found), SIZE))


urls = [path("cases/again", index, name="recalls")]
