"""Which cards become a batch (组批): of a unit or a whole phase, a street, the urgent ones; counted beforehand."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhengka.areas.models import Area
from zhengka.cards import queries as cards
from zhengka.production import queries, services
from zhengka.production.models import Maker
from zhengka.programme import queries as programme
from zhengka.web.access import Request, act, mine, requires
from zhengka.web.staff import acts
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.words import PHASE_WORDS, bilingual
from zhengka.web.ui.parts import Column, Row, Table, Tile

PHASE = "phase"
"""Stands before the number of a phase in the value of a choice."""


class Group(NamedTuple):
    """One choice: its value, its words, the units that it holds (12-digit codes), and their card profile."""

    value: str
    label: str
    units: tuple[int, ...]
    profile: str


class OpenForm(forms.Form):
    """Which cards become a batch, and who makes them."""

    group = forms.ChoiceField(label=_("Cards that wait"), help_text=_(
        "Issuing unit or phase of the programme, card profile, number of cards. A phase is one batch for each unit."))
    street = forms.ChoiceField(label=_("Street"), required=False, help_text=_(
        "Only holders whose address names this street or township."))
    urgent = forms.BooleanField(label=_("Urgent cards only"), required=False, help_text=_(
        "In place of a lost card, for a child, or marked as urgent. They come first in any batch."))
    limit = forms.IntegerField(label=_("At most"), required=False, min_value=1, max_value=1_000_000, help_text=_(
        "Number of cards of each unit; empty for all that wait."), widget=forms.TextInput(
            attrs={"inputmode": "numeric", "class": "govuk-input--width-5", "autocomplete": "off"}))
    maker = forms.ModelChoiceField(label=_("Card maker"), queryset=Maker.objects.none(), empty_label=None)

    def __init__(self, *args: Any, groups: Sequence[Group], streets: Sequence[Area], **kwargs: Any) -> None:
        """Offer the groups of waiting cards, the streets of their units, and the makers that are trusted."""
        super().__init__(*args, **kwargs)
        self.groups = {group.value: group for group in groups}
        self.streets = {str(street.code): street for street in streets}
        self.fields["group"].choices = [(group.value, group.label) for group in groups]  # type: ignore[attr-defined]
        self.fields["street"].choices = [("", _("Every street")), *(  # type: ignore[attr-defined]
            (code, f"{area_name(street.parent)} · {area_name(street)}" if street.parent else area_name(street))
            for code, street in self.streets.items())]
        if not streets:
            del self.fields["street"]
        self.fields["maker"].queryset = queries.makers()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A street is one of the units that were chosen."""
        told = super().clean() or {}
        street, group = self.streets.get(told.get("street") or ""), self.groups.get(told.get("group", ""))
        if street and group and street.parent_id not in group.units:
            self.add_error("street", _("This street is not in the unit that was chosen."))
        return told

    @property
    def chosen(self) -> Group:
        """The group that was chosen."""
        return self.groups[self.cleaned_data["group"]]

    @property
    def only(self) -> services.Only:
        """What of its cards is wanted."""
        told = self.cleaned_data
        return services.Only(int(told["street"]) if told.get("street") else None, told["urgent"], told["limit"])


@requires("batch.make")
def new(request: Request) -> HttpResponse:
    """Open a batch of waiting cards, or first count those that would enter it."""
    groups = _groups(request)
    form = OpenForm(request.POST or None, groups=groups, streets=_streets(groups),
                    initial={"group": request.GET.get("group", "")})
    counted = None
    if request.method == "POST" and form.is_valid():
        if "look" not in request.POST:
            return _open(request, form)
        counted = _count(form)
    return render(request, "staff/batches/new.html", {
        "title": _("Open a batch"), "form": form, "counted": counted, "back": reverse("staff:batches"),
        "breadcrumbs": trail((_("Batches"), "staff:batches"))})


def _open(request: Request, form: OpenForm) -> HttpResponse:
    units = list(mine(request, Area.objects.all(), area="code").filter(code__in=form.chosen.units))

    profile, maker = form.chosen.profile, form.cleaned_data["maker"]
    told: dict[str, Any] = {"by": request.actor, "at": timezone.now(), "only": form.only}
    if form.chosen.value.startswith(PHASE):
        return acts.begin(request, lambda key: services.ask_phase(units, profile, maker, request_id=key, **told))
    return act(request, lambda key: services.open_batch(units[0], profile, maker, request_id=key, **told),
               to=lambda pk: reverse("staff:batch", args=[pk]), said=_("The batch is open."))


def _count(form: OpenForm) -> dict[str, Any]:
    """How many cards would enter, in all and for each unit."""
    chosen, today = form.chosen, timezone.localdate()
    by_unit = [(unit, services.entering([unit.code], chosen.profile, form.only, on=today))
               for unit in Area.objects.filter(code__in=chosen.units).order_by("code")]
    rows = [Row([area_name(unit), entering.cards, entering.urgent]) for unit, entering in by_unit if entering.cards]
    table = Table(_("Cards that would enter"), [Column(_("Issuing unit")), Column(_("Cards"), numeric=True),
                                                Column(_("Urgent"), numeric=True)], rows, caption_hidden=True)
    whole = sum(entering.cards for _unit, entering in by_unit)
    return {"table": table if len(rows) > 1 else None, "none": not whole, "tiles": [
        Tile(_("Cards that would enter"), whole),
        Tile(_("Urgent, and first"), sum(entering.urgent for _unit, entering in by_unit))]}


def _groups(request: Request) -> list[Group]:
    """Waiting cards by issuing unit and profile, and by phase of the programme where that is more than one unit."""
    phases = {unit.code: phase for unit, phase in programme.phases(actor=request.actor).items()}
    found, by_phase = list[Group](), dict[tuple[int, str], list[cards.Group]]()
    for group in cards.ordered_groups(request.actor):
        name = group.name if area_name(Area(name="1", name_en="2")) == "1" else group.name_en
        found.append(Group(f"{group.area}|{group.profile}", _label(name, group.profile, group.cards),
                           (group.area,), group.profile))
        by_phase.setdefault((phases.get(group.area, programme.FIRST), group.profile), []).append(group)
    whole = [Group(f"{PHASE}{phase}|{profile}", _label(PHASE_WORDS.get(phase, str(phase)), profile, sum(
        group.cards for group in groups)), tuple(group.area for group in groups), profile)
        for (phase, profile), groups in sorted(by_phase.items()) if len(groups) > 1]
    return [*found, *whole]


def _label(name: Any, profile: str, number: int) -> str:
    return f"{name} · {bilingual(cards.profile_title(profile))} · {number:,}"


def _streets(groups: Sequence[Group]) -> list[Area]:
    """The streets and townships that are kept of the units whose cards wait."""
    units = {unit for group in groups for unit in group.units}
    return list(Area.objects.filter(level="street", parent__in=units).select_related("parent").order_by("code"))


urls = [path("batches/new", new, name="batch-new")]
