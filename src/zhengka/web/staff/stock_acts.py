"""What an officer may do with the blank cards of a store: one form for each act, and how its answer is carried out."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhengka.core.actors import Actor
from zhengka.core.scope import seeing_all
from zhengka.production import queries as production
from zhengka.production.services import feed, use_by_hand
from zhengka.stock import queries, services
from zhengka.stock.models import Order, Store
from zhengka.stock.services import Use
from zhengka.stock.workflow import READY, SPOILED
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.stock_boxes import BoxesField, boxes
from zhengka.web.ui.parts import Text

OF_A_STORE: Mapping[str, Text] = {READY: _("Ready"), SPOILED: _("Spoiled")}
"""What of a store is counted or declared lost → its words."""
SERIALS = _("Numbers and runs as on the labels, such as 43000001-43000500, 43000600.")


def _serials(label: Any, *, required: bool = True) -> forms.CharField:
    return forms.CharField(label=label, help_text=SERIALS, max_length=200_000, required=required,
                           widget=forms.Textarea(attrs={"rows": 3}))


def _why(*, required: bool = True) -> forms.CharField:
    return forms.CharField(label=_("Reason"), max_length=200, required=required)


def _account() -> forms.ChoiceField:
    return forms.ChoiceField(label=_("Which of the blanks"), choices=list(OF_A_STORE.items()), required=False)


class StoreField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of stores, each with its office."""

    def label_from_instance(self, obj: Any) -> str:
        """Name and office."""
        return f"{obj.name} · {area_name(obj.area)}"


class OrderField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of open orders, each with what is still to come."""

    def label_from_instance(self, obj: Any) -> str:
        """Supplier, day, and how many are still to come."""
        return f"{obj.supplier} · {obj.due} · {obj.left:,}"


FIELDS: dict[str, Callable[[], dict[str, forms.Field]]] = {
    "receive": lambda: {
        "order": OrderField(Order.objects.none(), label=_("For the order"), required=False, empty_label=_("None")),
        "supplier": forms.CharField(label=_("Supplier"), max_length=60),
        "boxes": BoxesField(label=_("Boxes"))},
    "load": lambda: {"target": StoreField(Store.objects.none(), label=_("Machine")),
                     "serials": _serials(_("Serials"))},
    "unload": lambda: {"target": StoreField(Store.objects.none(), label=_("Store")), "serials": _serials(_("Serials"))},
    "ship": lambda: {"target": StoreField(Store.objects.none(), label=_("To which store")),
                     "serials": _serials(_("Serials"))},
    "use": lambda: {
        "issued": _serials(_("Serials that became cards"), required=False),
        "spoiled": _serials(_("Serials that were spoiled"), required=False),
        "why": _why(required=False), "batch": forms.CharField(label=_("Batch"), max_length=60, required=False),
        "operator": forms.CharField(label=_("Who worked the machine"), max_length=60, required=False)},
    **{act: lambda: {"serials": _serials(_("Serials")), "why": _why()}
       for act in ("spoil", "destroy", "find")},
    "lose": lambda: {"account": _account(), "serials": _serials(_("Serials")), "why": _why()},
    "count": lambda: {"account": _account(), "serials": _serials(_("Serials that lie there"), required=False)},
    "close": dict,
    "feed": lambda: {"maker": forms.ModelChoiceField(production.makers(), label=_("Card maker"))},
}
"""Act → the fields that it asks for."""


class Act(NamedTuple):
    """An act as the page shows it: its words, what it means, on which kinds of store, by which permission."""

    title: Text
    meaning: Text
    stores: tuple[str, ...]
    permission: str
    said: Text


ACTS: Mapping[str, Act] = {
    "receive": Act(_("Receive boxes"), _("Every serial of a box becomes known to the ledger, once for ever."),
                   ("store",), "stock.keep", _("The boxes are received.")),
    "load": Act(_("Load a machine"), _("The blanks go into a machine of this office."), ("store",), "stock.keep",
                _("The machine is loaded.")),
    "unload": Act(_("Take out of the machine"), _("Blanks that were not used go back into a store."), ("machine",),
                  "stock.keep", _("The blanks are back in the store.")),
    "use": Act(_("Write down what was made"),
               _("Which blanks became cards of a batch whose results came, and which were spoiled: no more became "
                 "cards than the batch has good ones."), ("machine",), "stock.use", _("It is written down.")),
    "ship": Act(_("Send to another store"),
                _("They stay on this office's account until the other store takes them in."), ("store",),
                "stock.keep", _("The blanks are on their way.")),
    "count": Act(_("Count the store"),
                 _("What you find is held against the ledger. A difference stays open until it is explained; the count "
                   "changes nothing."), ("store", "machine"), "stock.keep", _("The count is kept.")),
    "spoil": Act(_("Set spoiled blanks aside"), _("Faulty blanks that lie here."), ("store", "machine"), "stock.use",
                 _("They are set aside.")),
    "destroy": Act(_("Destroy spoiled blanks"), _("Another person must look at them and confirm."),
                   ("store", "machine"), "stock.keep", _("It waits for a second person.")),
    "lose": Act(_("Declare blanks lost"), _("Another person must confirm it."), ("store", "machine"), "stock.keep",
                _("It waits for a second person.")),
    "find": Act(_("Lost blanks turned up"), _("Blanks that were declared lost lie here again."), ("store",),
                "stock.keep", _("They are back on the account.")),
    "feed": Act(_("Feed a card maker"),
                _("From now on the card maker's blanks come out of this machine: its results must name each of them."),
                ("machine",), "stock.confirm", _("The card maker's blanks come out of this machine.")),
    "close": Act(_("Close the store"),
                 _("Nothing goes in or out of it from now on; its slips and counts stay. Only an empty store is "
                   "closed."), ("store", "machine"), "stock.keep", _("The store is closed.")),
}
FED = frozenset({"use", "close"})
"""What is not done with a machine that feeds a card maker: its results tell what was made, and it is needed."""
"""In the order of the buttons."""


class ActForm(forms.Form):
    """The form of one act on one store."""

    def __init__(self, data: Any, *, act: str, store: Store, actor: Actor) -> None:
        """Take the fields of the act, and offer the stores to which it can lead."""
        super().__init__(data)
        self.fields.update(FIELDS[act]())
        if "order" in self.fields:
            self.fields["order"].queryset = queries.orders(actor=actor).filter(  # type: ignore[attr-defined]
                area=store.area_id, state="open")
        if "target" in self.fields:
            self.fields["target"].queryset = _targets(act, store, actor)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Waste has a reason; what was used is something."""
        told = super().clean() or {}
        if "issued" in self.fields:
            if not told.get("issued") and not told.get("spoiled"):
                self.add_error("issued", _("Write down what was made, or what was spoiled."))
            if told.get("issued") and not told.get("batch"):
                self.add_error("batch", _("Say in which batch they became cards."))
            if told.get("spoiled") and not told.get("why"):
                self.add_error("why", _("Say why they were spoiled."))
        return told


def _targets(act: str, store: Store, actor: Actor) -> QuerySet[Store]:
    if act == "ship":
        return Store.objects.filter(sort="store", state="open").exclude(pk=store.pk).select_related("area").order_by(
            "area", "name")
    sort = {"load": "machine", "unload": "store"}[act]
    return queries.stores(actor=actor).filter(area=store.area_id, sort=sort, state="open")


def offered(store: Store, actor: Actor) -> list[str]:
    """The acts that this officer may do on this store now."""
    hidden = FED if production.makers().filter(store=store).exists() else frozenset[str]()
    return [name for name, act in ACTS.items() if store.state == "open" and store.sort in act.stores
            and actor.may(act.permission) and name not in hidden]


def form_of(act: str, store: Store, data: Any, actor: Actor) -> ActForm:
    """The form; the names of other offices' stores are read for it, nothing else of them."""
    if act != "ship":
        return ActForm(data, act=act, store=store, actor=actor)
    with seeing_all(connection):
        form = ActForm(data, act=act, store=store, actor=actor)
        field = form.fields["target"]
        field.choices = [("", "—"), *((str(row.pk), field.label_from_instance(row))  # type: ignore[attr-defined]
                                      for row in field.queryset)]  # type: ignore[attr-defined]
        if form.is_bound:
            form.full_clean()
        return form


def carry_out(act: str, store: Store, told: Mapping[str, Any], *, by: Actor, key: UUID) -> Any:
    """Do what the form says; what it did last (a slip, a count or a store)."""
    asked: dict[str, Any] = {"by": by, "request_id": key, "at": timezone.now()}
    runs = services.runs_of(told["serials"]) if told.get("serials") else []
    own: dict[str, Callable[[], Any]] = {
        "receive": lambda: services.receive(store, boxes(told), order=told["order"], **asked),
        "use": lambda: use_by_hand(store, _used(told), **asked)[-1],
        "feed": lambda: feed(told["maker"], store, **asked),
        "close": lambda: services.close_store(store, **asked),
        "count": lambda: services.count(store, runs, told["account"], **asked),
        "lose": lambda: (services.lose_spoiled if told["account"] else services.lose)(
            store, runs, told["why"], **asked),
        "ship": lambda: services.ship(store, told["target"], runs, **asked),
        **dict.fromkeys(("load", "unload"), lambda: services.shift(store, told["target"], runs, **asked))}
    return own.get(act, lambda: getattr(services, act)(store, runs, told["why"], **asked))()


def _used(told: Mapping[str, Any]) -> Use:
    made, waste = (services.runs_of(told[name]) if told[name] else [] for name in ("issued", "spoiled"))
    return Use(made, {told["why"]: waste}, told["batch"], told["operator"])
