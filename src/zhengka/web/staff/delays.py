"""How long a reported loss takes until gates refuse the card: to the signed list, to each operator, into force."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from zhengka.cards import reach
from zhengka.cards.reach import IN_FORCE, PUBLISHED, Delay
from zhengka.web.access import Request, requires
from zhengka.web.staff.navigation import trail
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Row, Table, Text, Tile

PERIOD = timedelta(days=7)
TRAIL = ((_("Status lists"), "staff:lists"),)


@requires("card.read", "list.release")
def index(request: Request) -> HttpResponse:
    """Median, 95 of 100, and the worst, for the newest losses of a week."""
    now = timezone.now()
    period = {"since": now - PERIOD, "until": now}
    published, reached = reach.published(request.actor, **period), reach.reached(request.actor, **period)
    lines: list[tuple[Text, Delay | None, timedelta | None]] = [(_("In the signed list"), published, PUBLISHED)]
    for one in reached:
        told = {"operator": one.operator, "n": one.gates}
        lines.append((ngettext("%(operator)s: seen by %(n)d gate", "%(operator)s: seen by %(n)d gates", one.gates)
                      % told, one.seen, None))
        lines.append((gettext("%(operator)s: in force") % told, one.in_force, IN_FORCE))
    columns = [Column(_("How far")), Column(_("Measured"), numeric=True), Column(_("Median"), numeric=True),
               Column(_("95 of 100"), numeric=True), Column(_("Worst"), numeric=True),
               Column(_("Promised"), numeric=True)]
    table = Table(_("Time from the report"), columns, [_row(*line) for line in lines], caption_hidden=True)
    chart = [(name, round(delay.p95.total_seconds())) for name, delay, _promise in lines if delay]
    return render(request, "staff/lists/delays.html", {
        "title": _("How fast losses reach gates"), "breadcrumbs": trail(*TRAIL), "table": table, "chart": chart,
        "newest": reach.NEWEST, "tiles": [
            Tile(_("Losses measured"), published.measured if published else 0),
            Tile(_("Median to the signed list"), seconds(published.median) if published else "—"),
            Tile(_("Operators that answered"), len(reached))]})


def seconds(passed: timedelta) -> str:
    """A time in seconds, or in minutes where it is longer than ten of them."""
    whole = passed.total_seconds()
    if whole < 600:
        return gettext("%(n)s s") % {"n": f"{whole:.1f}" if whole < 10 else f"{whole:.0f}"}
    return gettext("%(n)s min") % {"n": f"{whole / 60:.0f}"}


def _row(name: Text, delay: Delay | None, promise: timedelta | None) -> Row:
    if delay is None:
        return Row([name, 0, "—", "—", "—", seconds(promise) if promise else "—"])
    late = promise is not None and delay.worst > promise
    return Row([name, delay.measured, seconds(delay.median), seconds(delay.p95),
                Cell(seconds(delay.worst), tone=words.BAD if late else words.GOOD if promise else ""),
                seconds(promise) if promise else "—"])


urls = [path("lists/delays", index, name="lists-delays")]
