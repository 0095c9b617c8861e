"""The sheet of public notices (公示) of an office, as it is put up in the village or community."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhengka.areas import queries as areas
from zhengka.cases import board
from zhengka.web.access import Request, requires
from zhengka.web.public.notices import COLUMNS, office, row
from zhengka.web.staff.paging import cursor
from zhengka.web.ui.parts import Pager, Table

SIZE = 100


@requires("case.confirm")
def sheet(request: Request, pk: int) -> HttpResponse:
    """What hangs today at an office, with names, and lines for who put it up and took it down."""
    area = areas.area(pk, actor=request.actor)
    found = board.posted(area.pk, on=timezone.localdate(), after=cursor(request) or 0, limit=SIZE + 1)
    pager = Pager(previous="?" if "after" in request.GET else "", shown=min(len(found), SIZE),
                  next=f"?after={found[SIZE - 1].pk}" if len(found) > SIZE else "")
    return render(request, "staff/notice_sheet.html", {
        "title": _("Public notice"), "office": office(area), "printed_at": timezone.localtime(),
        "back": reverse("staff:cases"),
        "table": Table(_("Results of assessments"), COLUMNS, [row(each, masked=False) for each in found[:SIZE]],
                       pager=pager, empty=_("No notice hangs here today."))})


urls = [path("notices/<int:pk>", sheet, name="notice-sheet")]
