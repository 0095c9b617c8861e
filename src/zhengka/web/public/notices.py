"""The public notice (公示) on the net: which offices have any, and what hangs at one of them today.

A page shows the least that lets a neighbour object, with the name masked: the sheet that the office puts up in the
village names the person, and the net forgets nothing. From the day after its last one a notice is not found here.
"""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from zhengka.areas.models import Area
from zhengka.cases import board
from zhengka.cases.board import Posted
from zhengka.core.actors import WHOLE_NATION
from zhengka.core.errors import Refusal
from zhengka.core.scope import enter
from zhengka.formats import names
from zhengka.web.public.access import check_page
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.words import disability, unpublished
from zhengka.web.ui.parts import Cell, Column, Pager, Row, Table

SIZE = 50
COLUMNS = [Column(_("Name")), Column(_("Category and grade")), Column(_("First day")), Column(_("Last day"))]


@check_page
@require_safe
def offices(request: HttpRequest) -> HttpResponse:
    """The offices at which notices hang today, with how many."""
    enter(connection, *WHOLE_NATION)  # a passer-by, whoever is logged in
    hanging = board.offices(on=timezone.localdate())
    found = Area.objects.filter(code__in=hanging).select_related("parent").order_by("code")
    rows = [Row([Cell(office(area), href=reverse("public:notices-of", args=[area.pk])),
                 ngettext("%(n)s notice", "%(n)s notices", hanging[area.pk]) % {"n": hanging[area.pk]}])
            for area in found]
    return render(request, "public/notices.html", {
        "title": _("Public notices"), "table": Table(_("Offices"), [Column(_("Office")), Column(_("Notices"))], rows,
                                                     empty=_("No notice hangs today."))})


@check_page
@require_safe
def notices(request: HttpRequest, pk: int) -> HttpResponse:
    """What hangs at one office today."""
    area = Area.objects.filter(pk=pk, issuing=True).select_related("parent").first()
    if area is None:
        raise Refusal("not-found")
    enter(connection, area.code, area.last)
    after = request.GET.get("after", "")
    begun = after.isascii() and after.isdigit() and len(after) < 19
    found = board.posted(area.pk, on=timezone.localdate(), after=int(after) if begun else 0, limit=SIZE + 1)
    pager = Pager(previous="?" if begun else "", shown=min(len(found), SIZE), total=None,
                  next=f"?after={found[SIZE - 1].pk}" if len(found) > SIZE else "")
    return render(request, "public/notice_board.html", {
        "title": _("Public notice"), "caption": office(area),
        "table": Table(_("Notices that hang today"), COLUMNS, [row(each) for each in found[:SIZE]], pager=pager,
                       empty=_("No notice hangs here today."))})


def office(area: Area) -> str:
    """An office with the division above it: names of counties are not unique."""
    return f"{area_name(area.parent)} {area_name(area)}" if area.parent else area_name(area)


def row(each: Posted, *, masked: bool = True) -> Row:
    """One notice as a line; what its policy does not show is a dash."""
    name = names.masked(each.name) if masked else each.name
    return Row([Cell(name or "—"), disability(each.category, each.grade) if each.category and each.grade else "—",
                each.first.isoformat(), Cell(each.last.isoformat(), note=unpublished(each.assumed))])
