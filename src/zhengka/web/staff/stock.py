"""Blank cards (空白卡): how many where, what waits for whom, where one piece is; and what is done with them."""

from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.core.errors import Refusal
from zhengka.formats import serials
from zhengka.production.queries import makers
from zhengka.stock import queries, services
from zhengka.stock.models import Count, Store
from zhengka.stock.workflow import ON_ITS_WAY
from zhengka.web.access import Request, act, mine, requires, seen
from zhengka.web.staff import history, stock_boxes, stock_orders, stock_past, stock_shipments, stock_sums
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.stock_acts import ACTS, OF_A_STORE, carry_out, form_of, offered
from zhengka.web.staff.stock_shipments import address, of_mine, words_of
from zhengka.web.staff.words import ACCOUNT_WORDS, SLIP_WORDS, STORE_WORDS, moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table

MANY = 20
"""Rows of each short list on the overview."""
WAITING = ("proposed", *ON_ITS_WAY)
"""States of a slip after which somebody has to look."""
TRAIL = ((_("Blank cards"), "staff:stock"),)
ENDS = {"count": "staff:stock-count", "feed": "staff:stock-store", "close": "staff:stock-store"}
"""Act → the page that shows what it did, where that is no slip."""


class StoreForm(forms.Form):
    """A new store or machine."""

    sort = forms.ChoiceField(label=_("Kind of store"), choices=[("", "—"), *STORE_WORDS.items()])
    name = forms.CharField(label=_("Name of the store"), max_length=60)
    area = forms.ModelChoiceField(label=_("Office"), queryset=Area.objects.none())
    keeper = forms.CharField(label=_("Looked after by"), max_length=60)
    reorder_at = forms.IntegerField(label=_("Alarm when fewer are left than"), min_value=0, max_value=10**8, initial=0)

    def __init__(self, *args: Any, areas: Any, **kwargs: Any) -> None:
        """Offer the issuing offices within the officer's area."""
        super().__init__(*args, **kwargs)
        self.fields["area"].queryset = areas  # type: ignore[attr-defined]
        self.fields["area"].label_from_instance = area_name  # type: ignore[attr-defined]


@requires("stock.read")
def index(request: Request) -> HttpResponse:
    """The balance of one's offices, what waits, the stores; and a way to any piece."""
    if asked := request.GET.get("serial", "").strip():
        return HttpResponseRedirect(reverse("staff:stock-piece", args=[int(asked)]) if asked.isascii()
                                    and asked.isdigit() and len(asked) <= 18 else reverse("staff:stock"))
    when = stock_past.asked(request)
    today = {} if when.past else {
        "outlook": stock_orders.outlook_part(request, when.at), "orders": stock_orders.open_orders(request),
        "waits": _waits(request, when.at), "waste": stock_sums.waste(request)}
    return render(request, "staff/stock/index.html", {
        "title": _("Blank cards"), **stock_sums.sums(request, when.at), **today, "stores": _stores(request, when.at),
        "may_keep": request.actor.may("stock.keep"), **when.told})


def _waits(request: Request, at: Any) -> Table:
    """What an officer of these offices has to look after."""
    rows = [Row([Cell(store.name, href=_url(store), note=area_name(store.area)), Cell(_("Runs low"), tone=words.WAIT),
                 many]) for store, many in queries.low(actor=request.actor, at=at)]
    rows += [Row([Cell(row.store.name, href=reverse("staff:stock-count", args=[row.pk]), note=area_name(row.area)),
                  Cell(_("Count differs"), tone=words.BAD), serials.amount(row.missing) + serials.amount(row.surplus)])
             for row in queries.differences(actor=request.actor)[:MANY]]
    waiting = queries.slips(actor=request.actor).filter(state__in=WAITING).order_by("at", "pk")
    rows += [Row([Cell(SLIP_WORDS[slip.sort], href=address(slip), note=area_name(slip.area)),
                  Cell(words.look("slip", slip.state)[1], tone=words.look("slip", slip.state)[0]), slip.quantity])
             for slip in waiting[:MANY]]
    if (more := waiting.count() - MANY) > 0:
        rows.append(Row([_("%(many)s newer slips") % {"many": more}, "", ""]))
    return Table(_("What waits"), [Column(_("What")), Column(_("Why")), Column(_("Blank cards"), numeric=True)], rows,
                 empty=_("Nothing waits."))


def _stores(request: Request, at: Any) -> Table:
    rows, pager = page_of(request, queries.stores(actor=request.actor))
    held = queries.in_stores([row.pk for row in rows], at)
    columns = [Column(_("Store")), Column(_("Office")), Column(_("Ready"), numeric=True),
               Column(_("Spoiled"), numeric=True)]
    return Table(_("Stores and machines"), columns, [
        Row([Cell(row.name, href=_url(row), note=STORE_WORDS[row.sort]), area_name(row.area),
             held.get((row.pk, "machine" if row.sort == "machine" else "stock"), 0), held.get((row.pk, "spoiled"), 0)])
        for row in rows], pager=pager, empty=_("No store is entered."))


@requires("stock.keep")
def new(request: Request) -> HttpResponse:
    """Enter a store or a machine."""
    form = StoreForm(request.POST or None, areas=mine(request, Area.objects.filter(issuing=True), area="code"))
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            return act(request, lambda key: services.open_store(
                told["area"], services.About(told["sort"], told["name"], told["keeper"], told["reorder_at"]),
                by=request.actor, request_id=key, at=timezone.now()),
                to=lambda pk: reverse("staff:stock-store", args=[pk]), said=_("The store is entered."))
        except Refusal as refusal:
            if refusal.code != "store-name-taken":
                raise
            form.add_error("name", _("The office has a store of this name already."))
    return render(request, "staff/form.html", {
        "title": _("Enter a store"), "form": form, "breadcrumbs": trail(*TRAIL), "submit": _("Enter the store"),
        "back": reverse("staff:stock")})


@requires("stock.read")
def store(request: Request, pk: int) -> HttpResponse:
    """One store: what lies in it, what was done with it, and what can be done."""
    row, when = seen(request, Store, pk), stock_past.asked(request)
    held = queries.in_stores([row.pk], when.at)
    facts: list[Fact] = [Fact(_("Office"), area_name(row.area)), Fact(_("Looked after by"), row.keeper)]
    facts += [Fact(word, held[row.pk, account]) for account, word in ACCOUNT_WORDS.items() if (row.pk, account) in held]
    facts += [Fact(_("Feeds the card maker"), maker.name) for maker in makers().filter(store=row)]
    if row.reorder_at:
        facts.append(Fact(_("Alarm when fewer are left than"), row.reorder_at))
    rows, pager = page_of(request, queries.slips_of(row).filter(at__lte=when.at), newest=True)
    acts = [] if when.past else offered(row, request.actor)
    return render(request, "staff/stock/store.html", {
        "title": row.name, "caption": STORE_WORDS[row.sort], "store": row, "facts": facts,
        "buttons": [(reverse("staff:stock-act", args=[pk, name]), ACTS[name].title)
                    for name in acts],
        "serials": serials.said(queries.runs_in(row, at=when.at if when.past else None)[:MANY]),
        "slips": _slips(rows, pager), "breadcrumbs": trail(*TRAIL), **when.told})


@requires("stock.keep", "stock.use", "stock.confirm")
def do(request: Request, pk: int, name: str) -> HttpResponse:
    """One act on one store: its form, and what it does."""
    row = seen(request, Store, pk)
    if name not in offered(row, request.actor):
        raise Refusal("step-not-open", subject="store", action=name)
    form = form_of(name, row, request.POST if request.method == "POST" else None, request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            return act(request, lambda key: carry_out(name, row, form.cleaned_data, by=request.actor, key=key),
                       to=lambda done: reverse(ENDS.get(name, "staff:stock-slip"), args=[done]), said=ACTS[name].said)
        except Refusal as refusal:
            said = stock_boxes.named(refusal, form.cleaned_data.get("boxes", []), words_of(refusal))
            form.add_error(_field_of(refusal, form), said)
    return render(request, "staff/form.html", {
        "title": ACTS[name].title, "caption": row.name, "intro": ACTS[name].meaning, "form": form,
        "submit": ACTS[name].title, "back": _url(row), "breadcrumbs": trail(*TRAIL)})


@requires("stock.read")
def slip(request: Request, pk: int) -> HttpResponse:
    """One slip: what moved, why, by whom; what a second person may do with it."""
    row = of_mine(request, pk)
    facts: list[Fact] = [
        Fact(_("Office"), area_name(row.area)), Fact(_("Blank cards"), row.quantity),
        Fact(_("Serials"), Cell(serials.said(row.serials[:MANY]), number=True,
                                note=_("and more") if len(row.serials) > MANY else ""))]
    if row.order_id:
        href = reverse("staff:blank-order", args=[row.order_id])
        facts.append(Fact(_("For the order"), Cell(str(row.order), href=href)))
    facts += [Fact(label, value) for label, value in (
        (_("Reason"), row.reason), (_("Batch"), row.batch), (_("Who worked the machine"), row.operator)) if value]
    if row.state == "short":
        facts.append(Fact(_("Missing"), Cell(serials.said(stock_shipments.missing(row)[:MANY]), number=True)))
    if row.shipment_id:
        href = reverse("staff:stock-slip", args=[row.shipment_id])
        facts.append(Fact(_("On the way of"), Cell(SLIP_WORDS["ship"], href=href)))
    steps = [step.action for step in row.table.open_to(row.state, request.actor.permissions)]
    boxes, pager = page_of(request, row.boxes.all())
    return render(request, "staff/stock/slip.html", {
        "title": SLIP_WORDS[row.sort], "slip": row, "facts": facts,
        "steps": stock_shipments.open_to(request, row) if row.sort == "ship" else steps,
        "boxes": _boxes(boxes, pager) if row.sort == "receive" else None,
        "events": history.of_row(request, row), "breadcrumbs": trail(*TRAIL)})


@requires("stock.confirm")
@require_POST
def confirm(request: Request, pk: int) -> HttpResponse:
    """The second person confirms."""
    row = of_mine(request, pk)
    return act(request, lambda key: services.confirm(row, by=request.actor, request_id=key, at=timezone.now()),
               to=address(row), said=_("Confirmed: the ledger has it."))


@requires("stock.confirm")
def decline(request: Request, pk: int) -> HttpResponse:
    """The second person does not confirm, and says why."""
    row = of_mine(request, pk)
    form = WhyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return act(request, lambda key: services.decline(
            row, form.cleaned_data["why"], by=request.actor, request_id=key, at=timezone.now()), to=address(row),
            said=_("Declined: nothing moved."))
    return render(request, "staff/form.html", {
        "title": _("Do not confirm"), "form": form, "submit": _("Do not confirm"), "back": address(row),
        "breadcrumbs": trail(*TRAIL)})


class WhyForm(forms.Form):
    """A reason."""

    why = forms.CharField(label=_("Reason"), max_length=200)


@requires("stock.read")
def count(request: Request, pk: int) -> HttpResponse:
    """One physical count: how it differs, and whether that is explained."""
    row = seen(request, Count, pk)
    facts = [Fact(_("Store"), Cell(row.store.name, href=_url(row.store))),
             Fact(_("Which of the blanks"), OF_A_STORE[row.account]), Fact(_("By the ledger"), row.expected),
             Fact(_("Found"), row.found), Fact(_("Missing"), serials.said(row.missing) or "—"),
             Fact(_("Too much"), serials.said(row.surplus) or "—")]
    return render(request, "staff/stock/count.html", {
        "title": _("Physical count"), "caption": row.store.name, "count": row, "facts": facts,
        "may_settle": row.state == "differs" and request.actor.may("stock.confirm"),
        "events": history.of_row(request, row), "breadcrumbs": trail(*TRAIL)})


@requires("stock.confirm")
@require_POST
def settle(request: Request, pk: int) -> HttpResponse:
    """Close a difference that slips explain."""
    row = seen(request, Count, pk)
    return act(request, lambda key: services.settle(row, by=request.actor, request_id=key, at=timezone.now()),
               to=reverse("staff:stock-count", args=[pk]), said=_("The difference is settled."))


@requires("stock.read")
def piece(request: Request, pk: int) -> HttpResponse:
    """Where one blank card is, and where it was from when to when."""
    stays = queries.history(pk, actor=request.actor)
    areas = {row.code: area_name(row) for row in Area.objects.filter(code__in={stay.area for stay in stays})}
    columns = [Column(_("Where")), Column(_("Office")), Column(_("Since")), Column(_("Until"))]
    table = Table(_("Where it was"), columns, [
        Row([Cell(ACCOUNT_WORDS[stay.account], note=stay.store, href=reverse("staff:stock-slip", args=[stay.slip])),
             areas.get(stay.area, ""), moment(stay.since), moment(stay.until)]) for stay in reversed(stays)])
    return render(request, "staff/stock/piece.html", {
        "title": str(pk), "caption": _("Blank card"), "table": table, "breadcrumbs": trail(*TRAIL)})


def _slips(rows: Any, pager: Any) -> Table:
    return Table(_("Slips"), [Column(_("Slip")), Column(_("State")), Column(_("Blank cards"), numeric=True),
                              Column(_("When"))], [
        Row([Cell(SLIP_WORDS[row.sort], href=address(row), note=row.reason),
             Cell(words.look("slip", row.state)[1], tone=words.look("slip", row.state)[0]), row.quantity,
             moment(row.at)]) for row in rows], pager=pager, empty=_("Nothing was done here yet."))


def _boxes(rows: Any, pager: Any) -> Table:
    """The boxes of a delivery."""
    return Table(_("Boxes"), [Column(_("Box")), Column(_("Serials")), Column(_("Blank cards"), numeric=True)], [
        Row([Cell(str(box), href=reverse("staff:stock-box", args=[box.pk]), note=box.seal),
             Cell(f"{box.first}-{box.last}", number=True), box.last - box.first + 1]) for box in rows],
        pager=pager, empty=_("No box is entered."))


def _field_of(refusal: Refusal, form: forms.Form) -> str | None:
    """The field that a refusal is about."""
    names = {"order-of-another": ("order",), "issued-without-batch": ("batch",), "issued-over-batch": ("issued",)}.get(
        refusal.code, ("serials", "issued", "boxes"))
    return next((name for name in names if name in form.fields), None)


def _url(row: Store) -> str:
    return reverse("staff:stock-store", args=[row.pk])


urls = [
    *stock_orders.urls,
    *stock_past.urls,
    *stock_shipments.urls,
    path("stock/", index, name="stock"),
    path("stock/new", new, name="stock-new"),
    path("stores/<int:pk>/", store, name="stock-store"),
    path("stores/<int:pk>/<slug:name>", do, name="stock-act"),
    path("slips/<int:pk>/", slip, name="stock-slip"),
    path("slips/<int:pk>/confirm", confirm, name="stock-confirm"),
    path("slips/<int:pk>/decline", decline, name="stock-decline"),
    path("counts/<int:pk>/", count, name="stock-count"),
    path("counts/<int:pk>/settle", settle, name="stock-settle"),
    path("pieces/<int:pk>/", piece, name="stock-piece"),
]
