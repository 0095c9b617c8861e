"""Status lists (状态表): what every gate knows, how old it is, and a way to publish at once."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.cards import queries
from zhengka.cards.models import StatusPublication
from zhengka.cards.rules import NEXT_UPDATE, REFRESH
from zhengka.core.queue import later
from zhengka.web.access import Request, request_key, requires
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Row, Table, Tile


@requires("card.read")
def index(request: Request) -> HttpResponse:
    """The newest version of each list, with its age."""
    now = timezone.now()
    rows = list(queries.publications())
    columns = [Column(_("List")), Column(_("Version")), Column(_("How old")),
               Column(_("Blocked cards"), numeric=True), Column(_("Bytes"), numeric=True),
               Column(_("Digest")), Column(_("File"))]
    table = Table(_("Status lists"), columns, [_row(one, now) for one in rows], caption_hidden=True, empty=_(
        "A list is published once cards are prepared."))
    oldest = min((one.published_at for one in rows), default=None)
    return render(request, "staff/lists/index.html", {
        "title": _("Status lists"), "table": table, "may_publish": request.actor.may("card.suspend"),
        "tiles": [Tile(_("Number of lists"), len(rows)), Tile(_("Blocked cards"), sum(one.blocked for one in rows)),
                  Tile(_("Held back"), held := sum(one.held for one in rows), href=reverse("staff:holds"),
                       tone=words.WAIT if held else ""),
                  Tile(_("Oldest list"), age(now - oldest) if oldest else "—")]})


@requires("card.suspend")
@require_POST
def publish(request: Request) -> HttpResponse:
    """Ask the worker to publish every list that says something new; asking twice is asking once."""
    request_key(request)
    later("cards.publish_status_lists", once="all status lists", lock="all status lists")
    messages.success(request, gettext("The lists are being published; this page shows the new versions in a moment."))
    return HttpResponseRedirect(reverse("staff:lists"))


def age(passed: timedelta) -> str:
    """How long ago, in the largest unit that says enough."""
    minutes = max(int(passed.total_seconds()) // 60, 0)
    if minutes < 60:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = minutes // 60
    if hours < 48:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    return ngettext("%(n)d day", "%(n)d days", hours // 24) % {"n": hours // 24}


def _row(one: StatusPublication, now: datetime) -> Row:
    passed = now - one.published_at
    tone = words.BAD if passed > NEXT_UPDATE else words.WAIT if passed > REFRESH else words.GOOD
    url = reverse("public:status-list", args=[one.list_number])
    return Row([Cell(str(one.list_number), number=True), Cell(str(one.number), number=True),
                Cell(age(passed), tone=tone), one.blocked, one.size, Cell(one.digest[:16], number=True),
                Cell(_("Download"), href=url)])


urls = [path("lists/", index, name="lists"), path("lists/publish", publish, name="lists-publish")]
