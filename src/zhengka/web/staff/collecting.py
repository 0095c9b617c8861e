"""Cards that nobody collected (待领未领): how many for how long at each office, and which go back."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.custody import queries, rules, services
from zhengka.custody.models import Keeping
from zhengka.web.access import Request, act, requires
from zhengka.web.staff.custody_words import BUCKET_WORDS
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of, ticked
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Row, Table, Tile

OLDEST = len(rules.BUCKETS)


@requires("custody.read")
def index(request: Request) -> HttpResponse:
    """The ages of all cards that wait, by office, and the cards of one age."""
    at, actor = timezone.now(), request.actor
    aged = queries.ages(actor, at)
    asked, office = request.GET.get("age", ""), request.GET.get("office", "")
    bucket = int(asked) if asked in map(str, range(OLDEST + 1)) else None
    code = int(office) if office.isascii() and office.isdigit() and len(office) <= 12 else 0
    sums = [sum(each.counts[place] for each in aged) for place in range(OLDEST + 1)]
    rows, pager = page_of(request, queries.waiting(actor, at, office=code, bucket=bucket))
    may = bucket == OLDEST and actor.may("custody.keep") and actor.may("card.read")
    back = {"url": reverse("staff:waiting-back"), "label": words.act("send_back", "custody")} if may and rows else None
    return render(request, "staff/custody/waiting.html", {
        "title": _("Cards not collected"), "chart": list(zip(BUCKET_WORDS, sums, strict=True)), "back": back,
        "may_keep": actor.may("custody.keep"),
        "tiles": [Tile(_("Cards that wait"), sum(sums), href="?"), Tile(_("Went back"), queries.returned(actor))],
        "offices": _offices(aged), "cards": _cards(rows, pager, select=bool(back), titled=bucket,
                                                   linked=actor.may("card.read")),
        "breadcrumbs": trail((_("Cards"), "staff:cards"), (_("Parcels of cards"), "staff:custody"))})


@requires("custody.keep")
@require_POST
def send_back(request: Request) -> HttpResponse:
    """The ticked cards go back: they waited to the last stage."""
    ids = ticked(request, "card")
    return act(request, lambda key: services.send_back_many(ids, by=request.actor, request_id=key, at=timezone.now()),
               to=f"{reverse('staff:waiting')}?age={OLDEST}", said=_gone)


def _gone(moved: list[int]) -> str:
    return ngettext("%(n)d card went back.", "%(n)d cards went back.", len(moved)) % {"n": len(moved)}


def _offices(aged: list[queries.Aged]) -> Table:
    names = {row.code: area_name(row) for row in Area.objects.filter(code__in={each.office for each in aged})}
    columns = [Column(_("Office")), *(Column(word, numeric=True) for word in BUCKET_WORDS),
               Column(_("All"), numeric=True)]
    return Table(_("Cards that wait, by office and days"), columns, [
        Row([Cell(names.get(each.office, "—"), href=f"?office={each.office}"),
             *(Cell(many, href=f"?office={each.office}&age={place}" if many else "",
                    tone=words.BAD if many and place == OLDEST else "")
               for place, many in enumerate(each.counts)), each.total]) for each in aged],
        empty=_("No card waits to be collected."))


def _cards(rows: list[Keeping], pager: object, *, select: bool, titled: int | None, linked: bool) -> Table:
    columns = [Column(_("Holder")), Column(_("Serial")), Column(_("Waits since")), Column(_("Last reminder"))]
    return Table(BUCKET_WORDS[titled] if titled is not None else _("Cards that wait"), columns, [
        Row([Cell(row.card.holder.name, href=reverse("staff:card", args=[row.card_id]) if linked else ""),
             Cell(row.serial or "—", number=True),
             f"{timezone.localtime(row.waits_since):%Y-%m-%d}" if row.waits_since else "—",
             ngettext("after %(n)d day", "after %(n)d days", row.stage) % {"n": row.stage} if row.stage else "—"],
            value=str(row.card_id)) for row in rows],
        pager=pager, select="card" if select else "", empty=_("No card waits so long."))  # type: ignore[arg-type]


urls = [
    path("custody/waiting", index, name="waiting"),
    path("custody/waiting/back", send_back, name="waiting-back"),
]
