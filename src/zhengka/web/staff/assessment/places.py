"""Designated institutions (指定机构): who they are, who may sign there, and the days that they open."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from zhengka.accounts import queries as accounts
from zhengka.accounts.models import Officer
from zhengka.areas.models import Area
from zhengka.assessment import queries, services
from zhengka.assessment.models import Institution, Licence
from zhengka.core.errors import Refusal
from zhengka.formats import idnumber
from zhengka.web.access import Request, act, mine, requires, seen
from zhengka.web.staff import history
from zhengka.web.staff.assessment import terms
from zhengka.web.staff.assessment.days import session_table
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.words import problem_words
from zhengka.web.ui import words
from zhengka.web.ui.forms import DateField
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table


class Categories(forms.TypedMultipleChoiceField):
    """Which categories a row stands for, as ticks."""

    def __init__(self, **options: Any) -> None:
        """All seven by default."""
        super().__init__(label=_("Categories"), coerce=int, choices=terms.category_choices,
                         widget=forms.CheckboxSelectMultiple, **options)


class ValidForm(forms.Form):
    """Days between which something holds."""

    valid_from = DateField(label=_("Valid from"))
    valid_to = DateField(label=_("Valid to"), required=False)

    def clean(self) -> dict[str, Any]:
        """The last day is not before the first."""
        given = super().clean() or self.cleaned_data
        if given.get("valid_from") and given.get("valid_to") and given["valid_to"] < given["valid_from"]:
            self.add_error("valid_to", gettext("The last day lies before the first."))
        return given


class InstitutionForm(ValidForm):
    """What the joint document says of an institution."""

    area = forms.ModelChoiceField(label=_("Serves"), queryset=Area.objects.none())
    name = forms.CharField(label=_("Name of the institution"), max_length=100)
    address = forms.CharField(label=_("Address"), max_length=200)
    categories = Categories()
    document = forms.CharField(label=_("Document that designates it"), max_length=200, help_text=_(
        "The joint document of the health office and the federation, with its number."))
    field_order = ("area", "name", "address", "categories", "document", "valid_from", "valid_to")

    def __init__(self, *args: Any, areas: Any, **kwargs: Any) -> None:
        """Offer the offices of the officer's area."""
        super().__init__(*args, **kwargs)
        self.fields["area"].queryset = areas  # type: ignore[attr-defined]
        self.fields["area"].label_from_instance = area_name  # type: ignore[attr-defined]


class LicenceForm(ValidForm):
    """Whom an institution lets assess what."""

    officer = forms.ModelChoiceField(label=_("Doctor"), queryset=Officer.objects.none())
    id_number = forms.CharField(
        label=_("ID number of the doctor"), max_length=30, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("So that nobody assesses themselves. Only a keyed index of it is kept."))
    categories = Categories()
    field_order = ("officer", "id_number", "categories", "valid_from", "valid_to")

    def __init__(self, *args: Any, doctors: Any, institution: Institution, **kwargs: Any) -> None:
        """Offer the doctors of the area, and what the institution itself may assess, but for putting parts together."""
        super().__init__(*args, **kwargs)
        self.fields["officer"].queryset = doctors  # type: ignore[attr-defined]
        self.fields["categories"].choices = [  # type: ignore[attr-defined]
            (str(one), terms.category(one)) for one in institution.categories if one != 7]

    def clean_id_number(self) -> str:
        """A number that can be one."""
        try:
            return idnumber.parse(self.cleaned_data["id_number"]).id18
        except idnumber.BadIdNumber:
            raise forms.ValidationError(gettext("This is no ID number. Check each digit.")) from None


@requires("assessment.plan", "assessment.designate")
def index(request: Request) -> HttpResponse:
    """The institutions that serve the officer's area."""
    columns = [Column(_("Institution")), Column(_("Serves")), Column(_("Categories")), Column(_("Valid")),
               Column(_("Standing"))]
    rows = [Row([Cell(one.name, href=reverse("staff:institution", args=[one.pk])), area_name(one.area),
                 terms.categories(one.categories), valid_words(one.valid_from, one.valid_to), _state(one)])
            for one in queries.institutions(actor=request.actor)]
    return render(request, "staff/assessment/institutions.html", {
        "title": _("Institutions"), "may_designate": request.actor.may("assessment.designate"),
        "table": Table(_("Institutions"), columns, rows, caption_hidden=True, empty=_(
            "Enter the institutions that the province has designated."))})


@requires("assessment.designate")
def new(request: Request) -> HttpResponse:
    """Enter a designated institution."""
    areas = mine(request, Area.objects.exclude(level="street"), area="code").order_by("code")
    form = InstitutionForm(request.POST or None, areas=areas)
    if request.method == "POST" and form.is_valid():
        wanted = services.Designation(**form.cleaned_data)
        try:
            return act(request, lambda key: services.register_institution(wanted, by=request.actor, request_id=key),
                       to=reverse("staff:institutions"), said=_("The institution is entered."))
        except Refusal as refusal:
            if refusal.code != "institution-known":
                raise
            form.add_error("name", problem_words(refusal.problem)[0])
    return _form(request, form, _("Enter an institution"), _("Enter it"), reverse("staff:institutions"))


@requires("assessment.plan", "assessment.designate")
def institution(request: Request, pk: int) -> HttpResponse:
    """One institution with its doctors and its days ahead."""
    row = queries.institution(pk, actor=request.actor)
    ours = request.actor.sees(row.area_id) and request.actor.may("assessment.designate")
    days = queries.sessions(actor=request.actor, since=timezone.localdate()).filter(institution=row)
    return render(request, "staff/assessment/institution.html", {
        "title": row.name, "caption": _("Institution"), "institution": row, "facts": _facts(row),
        "licences": _licences(request, row), "sessions": session_table(request, list(days), caption=_("Days ahead")),
        "may_designate": ours and row.state == "designated",
        "may_revoke": [one for one in _held(request, row) if ours],
        "may_plan": request.actor.may("assessment.plan") and row.state == "designated",
        "events": history.of_row(request, row), "breadcrumbs": trail((_("Institutions"), "staff:institutions"))})


@requires("assessment.designate")
@sensitive_post_parameters("id_number")
def license_(request: Request, pk: int) -> HttpResponse:
    """Let a doctor assess at an institution."""
    row = seen(request, Institution, pk)
    doctors = accounts.officers(actor=request.actor).filter(
        role="assessor", state="active", area__code__lte=row.area_id, area__last__gte=row.last)
    form = LicenceForm(request.POST or None, doctors=doctors, institution=row)
    back = reverse("staff:institution", args=[pk])
    if request.method == "POST" and form.is_valid():
        wanted = services.Licensing(**form.cleaned_data)
        try:
            return act(request, lambda key: services.license_assessor(row, wanted, by=request.actor, request_id=key),
                       to=back, said=_("The doctor may assess here."))
        except Refusal as refusal:
            if refusal.code not in ("licence-known", "own-account"):
                raise
            form.add_error("officer", problem_words(refusal.problem)[0])
    return _form(request, form, _("License a doctor"), _("License"), back, caption=row.name)


@requires("assessment.designate")
@require_POST
def end(request: Request, pk: int) -> HttpResponse:
    """Nothing more is assessed at an institution."""
    row = seen(request, Institution, pk)

    def do(key: UUID) -> Institution:
        return services.end_designation(row, by=request.actor, request_id=key, at=timezone.now())

    return act(request, do, to=reverse("staff:institution", args=[pk]), said=_("The designation has ended."))


@requires("assessment.designate")
@require_POST
def revoke(request: Request, pk: int) -> HttpResponse:
    """A doctor signs no more at an institution."""
    row = seen(request, Licence, pk)

    def do(key: UUID) -> Licence:
        return services.revoke_licence(row, by=request.actor, request_id=key, at=timezone.now())

    return act(request, do, to=reverse("staff:institution", args=[row.institution_id]),
               said=_("The licence is revoked."))


def valid_words(first: date, last: date | None) -> str:
    """From when to when something holds."""
    return f"{first} – {last or ''}".strip()


def _state(row: Institution | Licence) -> Cell:
    tone, word = words.look(row.kind(), row.state)
    return Cell(word, tone=tone)


def _facts(row: Institution) -> list[Fact]:
    return [Fact(_("Standing"), _state(row)), Fact(_("Serves"), area_name(row.area)), Fact(_("Address"), row.address),
            Fact(_("Categories"), terms.categories(row.categories)),
            Fact(_("Valid"), valid_words(row.valid_from, row.valid_to)),
            Fact(_("Document that designates it"), row.document)]


def _held(request: Request, row: Institution) -> list[Licence]:
    return list(queries.licences(actor=request.actor).filter(institution=row, state="licensed").order_by("pk"))


def _licences(request: Request, row: Institution) -> Table:
    columns = [Column(_("Doctor")), Column(_("Categories")), Column(_("Valid")), Column(_("Standing"))]
    found = queries.licences(actor=request.actor).filter(institution=row).order_by("state", "pk")
    rows = [Row([one.officer.name, terms.categories(one.categories), valid_words(one.valid_from, one.valid_to),
                 _state(one)]) for one in found]
    return Table(_("Doctors"), columns, rows, empty=_("Nobody may sign here yet, or their office is not yours."))


def _form(request: Request, form: forms.Form, title: Any, submit: Any, back: str,
          caption: str = "") -> HttpResponse:
    return render(request, "staff/form.html", {
        "title": title, "caption": caption, "form": form, "submit": submit, "back": back,
        "breadcrumbs": trail((_("Institutions"), "staff:institutions"))})


urls = [
    path("institutions/", index, name="institutions"),
    path("institutions/new", new, name="institution-new"),
    path("institutions/<int:pk>", institution, name="institution"),
    path("institutions/<int:pk>/licence", license_, name="institution-license"),
    path("institutions/<int:pk>/end", end, name="institution-end"),
    path("licences/<int:pk>/revoke", revoke, name="licence-revoke"),
]
