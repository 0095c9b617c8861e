"""Orders of blank cards from suppliers (采购): written, approved by another person, and held against what came."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.cards import queries as cards
from zhengka.core.dated import FileRefused
from zhengka.production.queries import PACE_WEEKS, outlook
from zhengka.programme import planning
from zhengka.stock import queries, services
from zhengka.stock.models import Order, Store
from zhengka.stock.services import Wanted
from zhengka.web.access import Request, act, requires, seen
from zhengka.web.staff import history
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.stock_acts import StoreField
from zhengka.web.staff.words import DELIVERY_WORDS, moment
from zhengka.web.ui import words
from zhengka.web.ui.forms import DateField
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table

TRAIL = ((_("Blank cards"), "staff:stock"), (_("Orders"), "staff:blank-orders"))
PRICE_FEN = 1300
"""What the notice of Hunan calculates with: 13 yuan a card."""
SHOWN = 10


class OrderForm(forms.Form):
    """A new order."""

    supplier = forms.CharField(label=_("Supplier"), max_length=60)
    quantity = forms.IntegerField(label=_("Number of blank cards"), min_value=1, max_value=10**8)
    price = forms.DecimalField(label=_("Price of one card in yuan"), min_value=0, max_value=10**5, decimal_places=2,
                               initial=Decimal(PRICE_FEN) / 100)
    store = StoreField(Store.objects.none(), label=_("For which store"))
    due = DateField(label=_("To come by"))

    def __init__(self, *args: Any, request: Request, **options: Any) -> None:
        """Offer the stores of the officer's offices."""
        super().__init__(*args, **options)
        self.fields["store"].queryset = queries.stores(actor=request.actor).filter(  # type: ignore[attr-defined]
            sort="store", state="open")

    def clean_due(self) -> date:
        """Not a day that is over."""
        due: date = self.cleaned_data["due"]
        if due < timezone.localdate():
            raise forms.ValidationError(_("Choose a day that is still to come."))
        return due

    def wanted(self) -> Wanted:
        """What is ordered."""
        told = self.cleaned_data
        return Wanted(told["supplier"], told["quantity"], int(told["price"] * 100), told["due"])


class WhyForm(forms.Form):
    """A reason."""

    why = forms.CharField(label=_("Reason"), max_length=200)


@requires("stock.read")
def index(request: Request) -> HttpResponse:
    """All orders of one's offices, the newest first."""
    rows, pager = page_of(request, queries.orders(actor=request.actor), newest=True)
    return render(request, "staff/stock/orders.html", {
        "title": _("Orders of blank cards"), "table": _table(rows, pager), "may_order": request.actor.may("stock.keep"),
        "breadcrumbs": trail(TRAIL[0])})


@requires("stock.keep")
def new(request: Request) -> HttpResponse:
    """Write an order; another person approves it."""
    form = OrderForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        return act(request, lambda key: services.order(form.cleaned_data["store"], form.wanted(), by=request.actor,
                                                       request_id=key, at=timezone.now()),
                   to=lambda pk: reverse("staff:blank-order", args=[pk]), said=_("It waits for a second person."))
    return render(request, "staff/form.html", {
        "title": _("Order blank cards"), "form": form, "submit": _("Write the order"),
        "intro": _("Another person compares quantity and price and approves it."),
        "back": reverse("staff:blank-orders"), "breadcrumbs": trail(*TRAIL)})


@requires("stock.read")
def order(request: Request, pk: int) -> HttpResponse:
    """One order: what was ordered, what came, how it differs, and what may be done."""
    row, today = seen(request, Order, pk), timezone.localdate()
    facts = [Fact(_("Supplier"), row.supplier), Fact(_("Number of blank cards"), row.quantity),
             Fact(_("Price of one card"), yuan(row.price_fen)), Fact(_("Together"), yuan(row.fen)),
             Fact(_("To come by"), str(row.due)),
             Fact(_("For which store"), Cell(row.store.name, href=reverse("staff:stock-store", args=[row.store_id]),
                                             note=area_name(row.area))),
             Fact(_("Came so far"), row.delivered), Fact(_("Still to come"), row.left)]
    facts += [Fact(_("Differs"), Cell(DELIVERY_WORDS[code], tone=words.BAD)) for code in row.faults(today)]
    if row.reason:
        facts.append(Fact(_("Reason"), row.reason))
    slips = row.slips.order_by("-at", "-id")[:SHOWN]
    table = Table(_("Deliveries"), [Column(_("When")), Column(_("Blank cards"), numeric=True)], [
        Row([Cell(moment(slip.at), href=reverse("staff:stock-slip", args=[slip.pk])),
             slip.quantity]) for slip in slips], empty=_("Nothing came yet."))
    steps = [step.action for step in row.table.open_to(row.state, request.actor.permissions)
             if step.action != "approve_order" or row.person != request.actor.person]
    return render(request, "staff/stock/order.html", {
        "title": str(row), "caption": _("Order of blank cards"), "order": row, "facts": facts, "steps": steps,
        "deliveries": table, "events": history.of_row(request, row), "breadcrumbs": trail(*TRAIL),
        "own": row.state == "proposed" and row.person == request.actor.person and request.actor.may("stock.confirm")})


@requires("stock.confirm")
@require_POST
def approve(request: Request, pk: int) -> HttpResponse:
    """The second person approves."""
    row = seen(request, Order, pk)
    return act(request, lambda key: services.approve(row, by=request.actor, request_id=key, at=timezone.now()),
               to=_url(row), said=_("Approved: the order goes to the supplier."))


@requires("stock.confirm")
def stop(request: Request, pk: int, action: str) -> HttpResponse:
    """Decline an order, or end one of which no more comes, with a reason."""
    row = seen(request, Order, pk)
    do, title, said = {
        "decline": (services.decline_order, _("Do not approve"), _("Declined: nothing is ordered.")),
        "end": (services.end_order, _("End the order"), _("The order is ended."))}[action]
    form = WhyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return act(request, lambda key: do(row, form.cleaned_data["why"], by=request.actor, request_id=key,
                                           at=timezone.now()), to=_url(row), said=said)
    return render(request, "staff/form.html", {
        "title": title, "caption": str(row), "form": form, "submit": title, "back": _url(row),
        "breadcrumbs": trail(*TRAIL)})


def open_orders(request: Request) -> Table:
    """The orders that are open or wait for a second person, those that are overdue first."""
    rows = queries.orders(actor=request.actor).filter(state__in=("proposed", "open")).order_by("due", "pk")[:SHOWN]
    return _table(list(rows), None)


def outlook_part(request: Request, at: Any) -> dict[str, Any] | None:
    """How long the blanks last, and the alarm; nothing for offices that keep none and wait for none."""
    plan = _planned(request)
    found = outlook(request.actor, at=at, planned=plan or 0)
    if not (found.on_hand or found.on_order or queries.stores(actor=request.actor).exists()):
        return None
    facts = [Fact(_("Here, on the way and in machines"), found.on_hand), Fact(_("On order"), found.on_order),
             Fact(_("Cards that wait to be made"), found.waiting),
             Fact(_("Cards of the plan until an order comes"),
                  _("The plan cannot be read.") if plan is None else found.planned),
             Fact(_("Used in a day"), f"{found.a_day:,.1f}"),
             Fact(_("Days that they last"), "—" if found.days is None else found.days),
             Fact(_("Days until an order comes"), found.lead)]
    return {"facts": facts, "alarm": found.alarm, "missing": found.missing, "weeks": PACE_WEEKS}


def _planned(request: Request) -> int | None:
    """Cards that the plans have made until an order comes; None where a plan is wrong, which its own page explains."""
    within = queries.lead_days(request.actor.lo, request.actor.hi)
    try:
        return planning.made_within(within, cards.counts_by_area(request.actor), today=timezone.localdate(),
                                    actor=request.actor)
    except FileRefused:
        return None


def yuan(fen: int) -> str:
    """Money in yuan, exact to the fen."""
    return f"¥{fen // 100:,}.{fen % 100:02d}"


def _table(rows: Any, pager: Any) -> Table:
    today = timezone.localdate()
    return Table(_("Orders"), [Column(_("Supplier")), Column(_("State")), Column(_("To come by")),
                               Column(_("Blank cards"), numeric=True), Column(_("Came"), numeric=True),
                               Column(_("Differs"))], [
        Row([Cell(row.supplier, href=_url(row), note=area_name(row.area)),
             Cell(words.look("blank-order", row.state)[1], tone=words.look("blank-order", row.state)[0]),
             str(row.due), row.quantity, row.delivered, _differs(row, today)]) for row in rows],
        pager=pager, empty=_("Nothing is on order."))


def _differs(row: Order, today: date) -> Cell:
    codes = row.faults(today)
    if not codes:
        return Cell("—")
    more = ", ".join(str(DELIVERY_WORDS[code]) for code in codes[1:])
    return Cell(DELIVERY_WORDS[codes[0]], tone=words.BAD, note=more)


def _url(row: Order) -> str:
    return reverse("staff:blank-order", args=[row.pk])


urls = [
    path("stock/orders", index, name="blank-orders"),
    path("stock/orders/new", new, name="blank-order-new"),
    path("orders/<int:pk>/", order, name="blank-order"),
    path("orders/<int:pk>/approve", approve, name="blank-order-approve"),
    path("orders/<int:pk>/decline", stop, {"action": "decline"}, name="blank-order-decline"),
    path("orders/<int:pk>/end", stop, {"action": "end"}, name="blank-order-end"),
]
