"""Cards that nobody collected (待领未领): how many for how long at each office, which go back, which wait again, and
the count of what lies there.
"""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.core.errors import Refusal
from zhengka.custody import queries, rules, services
from zhengka.custody.models import Keeping
from zhengka.custody.services import Difference
from zhengka.web.access import Request, act, requires, sure
from zhengka.web.staff.custody_words import BUCKET_WORDS
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of, ticked
from zhengka.web.staff.words import moment, problem_line
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Pager, Row, Table, Text, Tile

OLDEST = len(rules.BUCKETS)
BACK = "back"
"""What is asked for instead of an age: cards that went back."""
TRAIL = ((_("Cards"), "staff:cards"), (_("Parcels of cards"), "staff:custody"))
HERE = (*TRAIL, (_("Cards not collected"), "staff:waiting"))
SHOWN = 100
"""So many serials are named before a count is written down."""


class CountForm(forms.Form):
    """What lies at a counter."""

    office = forms.ModelChoiceField(label=_("Office"), queryset=Area.objects.none())
    serials = forms.CharField(label=_("Serials of the cards that lie there"), max_length=400_000, required=False,
                              widget=forms.Textarea(attrs={"rows": 8}),
                              help_text=_("Scan one card after another; each stands in a line of its own."))

    def __init__(self, *args: Any, request: Request, **options: Any) -> None:
        """Offer the offices at which cards wait."""
        super().__init__(*args, **options)
        self.fields["office"].queryset = queries.counters(request.actor)  # type: ignore[attr-defined]
        self.fields["office"].label_from_instance = area_name  # type: ignore[attr-defined]


@requires("custody.read")
def index(request: Request) -> HttpResponse:
    """The ages of all cards that wait, by office, and the cards of one age, or those that went back."""
    at, actor = timezone.now(), request.actor
    aged, went_back = queries.ages(actor, at), queries.returned(actor)
    asked, office = request.GET.get("age", ""), request.GET.get("office", "")
    bucket = int(asked) if asked in map(str, range(OLDEST + 1)) else None
    code = int(office) if office.isascii() and office.isdigit() and len(office) <= 12 else 0
    sums = [sum(each.counts[place] for each in aged) for place in range(OLDEST + 1)]
    found = went_back if asked == BACK else queries.waiting(actor, at, office=code, bucket=bucket)
    rows, pager = page_of(request, found)
    acts = _acts(asked) if rows and actor.may("custody.keep") and actor.may("card.read") else []
    title = _("Cards that went back") if asked == BACK else (
        BUCKET_WORDS[bucket] if bucket is not None else _("Cards that wait"))
    return render(request, "staff/custody/waiting.html", {
        "title": _("Cards not collected"), "chart": list(zip(BUCKET_WORDS, sums, strict=True)), "acts": acts,
        "may_keep": actor.may("custody.keep"),
        "tiles": [Tile(_("Cards that wait"), sum(sums), href="?"),
                  Tile(_("Went back"), went_back.count(), href=f"?age={BACK}")],
        "offices": _offices(aged), "cards": _cards(rows, pager, title, select="card" if acts else "",
                                                   linked=actor.may("card.read")),
        "breadcrumbs": trail(*TRAIL)})


def _acts(asked: str) -> list[dict[str, Any]]:
    """What may be done with the ticked cards of a list."""
    pack = {"url": reverse("staff:waiting-pack"), "label": _("Pack the ticked ones"), "kind": "secondary"}
    if asked == BACK:
        return [{"url": reverse("staff:waiting-again"), "label": words.act("call_back"), "kind": "primary"}, pack]
    if asked == str(OLDEST):
        return [{"url": reverse("staff:waiting-back"), "label": words.act("send_back", "custody"), "kind": "primary"},
                pack]
    return [pack]


@requires("custody.keep")
@require_POST
def send_back(request: Request) -> HttpResponse:
    """The ticked cards go back: they waited to the last stage."""
    ids = ticked(request, "card")
    return act(request, lambda key: services.send_back_many(ids, by=request.actor, request_id=key, at=timezone.now()),
               to=f"{reverse('staff:waiting')}?age={OLDEST}", said=_gone)


@requires("custody.keep")
@require_POST
def again(request: Request) -> HttpResponse:
    """The ticked cards, which had gone back, wait for their holders again."""
    ids = ticked(request, "card")
    return act(request, lambda key: services.call_back_many(ids, by=request.actor, request_id=key, at=timezone.now()),
               to=f"{reverse('staff:waiting')}?age={BACK}", said=_waits)


@requires("custody.keep")
@require_POST
def again_of_parcel(request: Request, pk: int) -> HttpResponse:
    """The cards that came in a parcel and had gone back wait for their holders again."""
    row = queries.parcel(pk, actor=request.actor)
    ids = list(queries.returned(request.actor).filter(parcel=row).values_list("card", flat=True))
    return act(request, lambda key: services.call_back_many(ids, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:parcel", args=[pk]), said=_waits)


@requires("custody.keep")
def count(request: Request) -> HttpResponse:
    """Count what lies at a counter: the differences are shown, and written down once that was confirmed."""
    form = CountForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        office, serials = form.cleaned_data["office"], form.cleaned_data["serials"].split()
        try:
            if not sure(request):
                return _differences(request, office, serials)
            return act(request, lambda key: services.count_waiting(
                office, serials, by=request.actor, request_id=key, at=timezone.now()),
                to=reverse("staff:waiting"), said=_("The cards are counted."))
        except Refusal as refusal:
            form.add_error("office", problem_line(refusal.problem))
    return render(request, "staff/form.html", {
        "title": _("Count the cards here"), "form": form, "submit": _("See what differs"),
        "back": reverse("staff:waiting"),
        "intro": _("Scan every card that lies at this office, those that went back, too. Nothing is written down "
                   "before you have seen what differs."), "breadcrumbs": trail(*HERE)})


def _differences(request: Request, office: Area, serials: list[str]) -> HttpResponse:
    told: Difference = services.compare(office, serials, by=request.actor)
    lines = [gettext("Missing: %(serial)s") % {"serial": each} for each in told.missing[:SHOWN]]
    lines += [gettext("By the records not here: %(serial)s") % {"serial": each} for each in told.strange[:SHOWN]]
    there = ngettext("%(n)d card is there", "%(n)d cards are there", told.there) % {"n": told.there}
    amiss = ngettext("%(n)d differs", "%(n)d differ", len(told.missing) + len(told.strange)) % {
        "n": len(told.missing) + len(told.strange)}
    return render(request, "staff/sure.html", {
        "title": _("Write this count down?"), "caption": area_name(office), "lines": lines, "kind": "primary",
        "meaning": gettext("%(there)s, %(amiss)s. Each that differs opens a case.") % {"there": there, "amiss": amiss},
        "url": reverse("staff:waiting-count"), "submit": _("Write it down"), "back": reverse("staff:waiting-count"),
        "hidden": [("office", str(office.pk)), ("serials", " ".join(serials))], "breadcrumbs": trail(*HERE)})


def _gone(moved: list[int]) -> str:
    return ngettext("%(n)d card went back.", "%(n)d cards went back.", len(moved)) % {"n": len(moved)}


def _waits(moved: list[int]) -> str:
    return ngettext("%(n)d card waits again.", "%(n)d cards wait again.", len(moved)) % {"n": len(moved)}


def _offices(aged: list[queries.Aged]) -> Table:
    names = {row.code: area_name(row) for row in Area.objects.filter(code__in={each.office for each in aged})}
    columns = [Column(_("Office")), *(Column(word, numeric=True) for word in BUCKET_WORDS),
               Column(_("All"), numeric=True), Column(_("Last counted"))]
    return Table(_("Cards that wait, by office and days"), columns, [
        Row([Cell(names.get(each.office, "—"), href=f"?office={each.office}"),
             *(Cell(many, href=f"?office={each.office}&age={place}" if many else "",
                    tone=words.BAD if many and place == OLDEST else "")
               for place, many in enumerate(each.counts)), each.total, moment(each.counted_at)]) for each in aged],
        empty=_("No card waits to be collected."))


def _cards(rows: list[Keeping], pager: Pager, title: Text, *, select: str, linked: bool) -> Table:
    columns = [Column(_("Holder")), Column(_("Serial")), Column(_("Waits since")), Column(_("Last reminder"))]
    return Table(title, columns, [
        Row([Cell(row.card.holder.name, href=reverse("staff:card", args=[row.card_id]) if linked else ""),
             Cell(row.serial or "—", number=True),
             f"{timezone.localtime(row.waits_since):%Y-%m-%d}" if row.waits_since else "—",
             ngettext("after %(n)d day", "after %(n)d days", row.stage) % {"n": row.stage} if row.stage else "—"],
            value=str(row.card_id)) for row in rows],
        pager=pager, select=select, empty=_("No card waits so long."))


urls = [
    path("custody/waiting", index, name="waiting"),
    path("custody/waiting/back", send_back, name="waiting-back"),
    path("custody/waiting/again", again, name="waiting-again"),
    path("custody/waiting/count", count, name="waiting-count"),
    path("parcels/<int:pk>/again", again_of_parcel, name="parcel-again"),
]
