"""Old booklets (旧证): which came back and which did not, and their destruction in counted batches by two persons."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.core.errors import Refusal
from zhengka.custody import queries, services
from zhengka.custody.models import Booklet, Pulping
from zhengka.web.access import Request, act, mine, requires, seen
from zhengka.web.staff import history
from zhengka.web.staff.custody_words import WHY_NOT_WORDS
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import Place, page_of, ticked
from zhengka.web.staff.words import problem_line
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Tile

TRAIL = ((_("Cards"), "staff:cards"), (_("Parcels of cards"), "staff:custody"),
         (_("Old booklets"), "staff:booklets"))
FEW = 20


class ProposeForm(forms.Form):
    """All booklets that lie at an office, as somebody counted them."""

    office = forms.ModelChoiceField(label=_("Office"), queryset=Area.objects.none())
    counted = forms.IntegerField(label=_("How many you counted"), min_value=1, max_value=10**6)
    how = forms.CharField(label=_("How they are destroyed"), max_length=100)

    def __init__(self, *args: Any, areas: Any, **options: Any) -> None:
        """Offer the issuing offices of the officer's area."""
        super().__init__(*args, **options)
        self.fields["office"].queryset = areas  # type: ignore[attr-defined]
        self.fields["office"].label_from_instance = area_name  # type: ignore[attr-defined]


class MissingForm(forms.Form):
    """Booklets that were written down as taken back and are not here."""

    why_not = forms.ChoiceField(label=_("Why they are not here"), choices=[("", _("Choose")), *WHY_NOT_WORDS.items()])
    reason = forms.CharField(label=_("What happened"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class CountForm(forms.Form):
    """As the second person counted them."""

    counted = forms.IntegerField(label=_("How many you counted"), min_value=1, max_value=10**6)


@requires("custody.read")
def index(request: Request) -> HttpResponse:
    """How many there are in each state, which did not come back, and what was destroyed."""
    counts = queries.booklets(request.actor)
    rows, pager = page_of(request, queries.pulpings(actor=request.actor), newest=True)
    may = request.actor.may("custody.keep")
    held, further = page_of(request, queries.booklets_in("held", actor=request.actor),
                            where=Place("held", _("Booklets that lie here")))
    absent = queries.booklets_in("absent", actor=request.actor).order_by("-pk")[:FEW]
    return render(request, "staff/custody/booklets.html", {
        "title": _("Old booklets"), "may_keep": may and counts.get("held"),
        "tiles": [*(Tile(words.look("booklet", state)[1], counts.get(state, 0))
                    for state in ("held", "listed", "destroyed", "absent")),
                  Tile(words.look("booklet", "missing")[1], counts.get("missing", 0), tone=words.BAD,
                       href=reverse("staff:troubles"))],
        "held": _lying(held, further, select="booklet" if may and held else ""),
        "absent": Table(_("Did not come back"), [Column(_("Holder")), Column(_("Why"))], [
            Row([Cell(row.card.holder.name, href=reverse("staff:booklet", args=[row.pk])), WHY_NOT_WORDS[row.why_not]])
            for row in absent], empty=_("All came back.")),
        "pulpings": _table(rows, pager), "breadcrumbs": trail(*TRAIL[:2])})


def _lying(rows: list[Booklet], pager: Any, *, select: str) -> Table:
    return Table(_("Booklets that lie here"), [Column(_("Holder")), Column(_("Card serial")), Column(_("Since"))], [
        Row([Cell(row.card.holder.name, href=reverse("staff:booklet", args=[row.pk])),
             Cell(row.card.serial or "—", number=True), f"{timezone.localtime(row.at):%Y-%m-%d}"], value=str(row.pk))
        for row in rows], pager=pager, select=select, empty=_("No old booklet lies here."))


@requires("custody.read")
def booklet(request: Request, pk: int) -> HttpResponse:
    """One old booklet: where it is, against which card it came, and what may be done with it."""
    row, actor = seen(request, Booklet, pk), request.actor
    facts = [Fact(_("Office"), area_name(row.area)),
             Fact(_("Card serial"), Cell(row.card.serial or "—", number=True, href=reverse(
                 "staff:card", args=[row.card_id]) if actor.may("card.read") else "")),
             Fact(_("Handed over"), f"{timezone.localtime(row.at):%Y-%m-%d}")]
    if row.why_not:
        facts.append(Fact(_("Why it did not come back"), WHY_NOT_WORDS[row.why_not]))
    return render(request, "staff/custody/booklet.html", {
        "title": _("Old booklet"), "caption": row.card.holder.name, "booklet": row, "facts": facts,
        "may_miss": row.state == "held" and actor.may("custody.keep"),
        "may_bring": row.state == "absent" and actor.may("card.hand_over"),
        "events": history.of_row(request, row), "breadcrumbs": trail(*TRAIL)})


@requires("custody.keep")
@require_POST
def missing(request: Request) -> HttpResponse:
    """Booklets that are ticked are not here: asked for the reason first, then a second person confirms it."""
    ids = ticked(request, "booklet")
    form = MissingForm(request.POST if "reason" in request.POST else None)
    if form.is_bound and form.is_valid():
        told = form.cleaned_data
        return act(request, lambda key: services.report_missing(
            ids, told["why_not"], told["reason"], by=request.actor, request_id=key, at=timezone.now()),
            to=reverse("staff:booklets"), said=_("It waits for a second person."))
    if not mine(request, Booklet.objects.filter(pk__in=ids, state="held")).exists():
        raise Refusal("booklets-none")
    return render(request, "staff/custody/chosen.html", {
        "title": _("Booklets that are not here"), "form": form, "submit": words.act("miss", "booklet"),
        "back": reverse("staff:booklets"), "url": reverse("staff:booklets-missing"), "name": "booklet", "chosen": ids,
        "number": ngettext("%(n)d booklet is meant.", "%(n)d booklets are meant.", len(ids)) % {"n": len(ids)},
        "intro": _("They were written down as taken back. No count asks for them any more, and each stands as a case "
                   "until a second person has confirmed it."), "breadcrumbs": trail(*TRAIL)})


@requires("custody.keep")
def new(request: Request) -> HttpResponse:
    """Propose that all booklets that lie here are destroyed."""
    form = ProposeForm(request.POST or None, areas=mine(request, Area.objects.filter(issuing=True), area="code"))
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            return act(request, lambda key: services.propose_pulping(
                told["office"], told["counted"], told["how"], by=request.actor, request_id=key,
                at=timezone.now()), to=lambda pk: reverse("staff:pulping", args=[pk]),
                said=_("It waits for a second person."))
        except Refusal as refusal:
            form.add_error("counted", problem_line(refusal.problem))
    return render(request, "staff/form.html", {
        "title": _("Propose to destroy them"), "form": form, "submit": _("Propose to destroy them"),
        "intro": _("Count the booklets that lie here. The number must be that of the list; report those that are not "
                   "here first."),
        "back": reverse("staff:booklets"), "breadcrumbs": trail(*TRAIL)})


@requires("custody.read")
def pulping(request: Request, pk: int) -> HttpResponse:
    """One counted batch."""
    return _page(request, seen(request, Pulping, pk), CountForm())


@requires("custody.confirm")
@require_POST
def confirm(request: Request, pk: int) -> HttpResponse:
    """The second person counted them, and they are destroyed."""
    row, form = seen(request, Pulping, pk), CountForm(request.POST)
    if form.is_valid():
        try:
            return act(request, lambda key: services.confirm_pulping(
                row, form.cleaned_data["counted"], by=request.actor, request_id=key, at=timezone.now()),
                to=reverse("staff:pulping", args=[pk]), said=_("The booklets are destroyed."))
        except Refusal as refusal:
            form.add_error("counted", problem_line(refusal.problem))
    return _page(request, row, form)


@requires("custody.confirm")
@require_POST
def decline(request: Request, pk: int) -> HttpResponse:
    """They are not destroyed."""
    row = seen(request, Pulping, pk)
    return act(request, lambda key: services.decline_pulping(row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:pulping", args=[pk]), said=_("The booklets lie there as before."))


@requires("card.hand_over")
@require_POST
def bring(request: Request, pk: int) -> HttpResponse:
    """A booklet that did not come back is brought now."""
    row = seen(request, Booklet, pk)
    return act(request, lambda key: services.bring(row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:booklet", args=[pk]), said=_("The old booklet is taken back."))


def _page(request: Request, row: Pulping, form: forms.Form) -> HttpResponse:
    facts = [Fact(_("Office"), area_name(row.area)), Fact(_("Booklets on the list"), row.quantity),
             Fact(_("How they are destroyed"), row.how)]
    if row.counted is not None:
        facts.append(Fact(_("Counted by the second person"), row.counted))
    decides = row.state == "proposed" and request.actor.may("custody.confirm")
    return render(request, "staff/custody/pulping.html", {
        "title": _("Destruction of old booklets"), "pulping": row, "facts": facts, "form": form if decides else None,
        "events": history.of_row(request, row), "breadcrumbs": trail(*TRAIL)})


def _table(rows: list[Pulping], pager: Any) -> Table:
    return Table(_("Counted batches"), [Column(_("When")), Column(_("State")), Column(_("Booklets"), numeric=True)], [
        Row([Cell(f"{timezone.localtime(row.at):%Y-%m-%d}", href=reverse("staff:pulping", args=[row.pk]), note=row.how),
             Cell(words.look("pulping", row.state)[1], tone=words.look("pulping", row.state)[0]), row.quantity])
        for row in rows], pager=pager, empty=_("None was destroyed yet."))


urls = [
    path("custody/booklets", index, name="booklets"),
    path("custody/booklets/new", new, name="pulping-new"),
    path("custody/booklets/missing", missing, name="booklets-missing"),
    path("booklets/<int:pk>/", booklet, name="booklet"),
    path("booklets/<int:pk>/bring", bring, name="booklet-bring"),
    path("pulpings/<int:pk>/", pulping, name="pulping"),
    path("pulpings/<int:pk>/confirm", confirm, name="pulping-confirm"),
    path("pulpings/<int:pk>/decline", decline, name="pulping-decline"),
]
