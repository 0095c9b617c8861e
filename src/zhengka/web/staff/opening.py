"""Cases are opened at the counter (申领、申请): a first application, or what a holder brings."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from zhengka.areas import queries as areas
from zhengka.areas.models import Area
from zhengka.cases import fronts, queries, services
from zhengka.cases.workflow import KINDS
from zhengka.core.errors import PROBLEMS, Refusal
from zhengka.core.events import Replayed
from zhengka.formats.certnumber import CATEGORIES
from zhengka.formats.names import BadName, normalise
from zhengka.letters.rules import ADDRESS_UNITS
from zhengka.registry import queries as registry
from zhengka.registry.models import Holder
from zhengka.registry.services import Person
from zhengka.web.access import Request, act, onward, request_key, requires
from zhengka.web.staff.case_words import KIND_WORDS, REASON_WORDS
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.wishes import WishesField
from zhengka.web.staff.words import bilingual, disability, problem_line, problem_words
from zhengka.web.ui.forms import DateField, SometimesField

AT_THE_COUNTER = tuple(kind for kind in KINDS if kind != "new" and "transfer_in" not in kind)
"""Kinds of case that an officer opens for a holder."""

OF_FIELD = {"id-number-wrong": "id_number", "birth-after-application": "id_number", "guardian-missing": "guardian_name",
            "guardian-is-applicant": "guardian_id", "guardian-id-wrong": "guardian_id",
            "guardian-is-minor": "guardian_id", "phone-wrong": "phone", "guardian-phone-wrong": "guardian_phone",
            "certificate-opened": "id_number", "case-open": "id_number",
            "record-closed": "id_number", "category-barred": "wanted", "correction-empty": "name",
            "move-in-future": "moved", "move-before-issue": "moved", "move-nowhere": "to", "reason-unknown": "reason",
            "move-out-of-reach": "to",
            "elsewhere-unfit": "present_id", "cert-number-wrong": "number", "departure-missing": "number",
            "term-impossible": "valid_until", "brought-expired": "valid_until"}
"""Refusal → the field that it speaks of."""

PERSONAL = ("name", "id_number", "phone", "address", "guardian_name", "guardian_id", "guardian_phone")
"""Fields whose content no report of an error may show."""
ANOTHER = "another"
OFF = {"autocomplete": "off", "spellcheck": "false"}


def _categories() -> Iterator[tuple[str, str]]:
    """Kinds of disability, as they are chosen."""
    yield from ((str(category), f"{category} {bilingual((term.zh, term.en))}") for category, term in CATEGORIES.items())


class ApplicationForm(forms.Form):
    """What an applicant says, in the order in which it stands on the ID card and the household register."""

    name = forms.CharField(label=_("Name"), max_length=50, widget=forms.TextInput(attrs=OFF | {"autofocus": True}))
    id_number = forms.CharField(label=_("ID number"), max_length=24, widget=forms.TextInput(
        attrs=OFF | {"class": "govuk-input--width-20"}), help_text=_("18 characters; sex and birth date are in it."))
    wanted = forms.ChoiceField(label=_("Kind of disability"), choices=[])
    ethnicity = forms.CharField(label=_("Ethnicity"), max_length=20, required=False, initial="汉族",
                                widget=forms.TextInput(attrs=OFF))
    phone = forms.CharField(label=_("Phone"), max_length=20, required=False, widget=forms.TextInput(
        attrs=OFF | {"inputmode": "tel"}))
    address = forms.CharField(label=_("Address"), max_length=ADDRESS_UNITS, required=False,
                              widget=forms.TextInput(attrs=OFF))
    guardian_name = SometimesField(label=_("Guardian"), max_length=50, needed_when=_(
        "required for a minor, and for an intellectual or mental disability"), widget=forms.TextInput(attrs=OFF))
    guardian_id = SometimesField(label=_("The guardian's ID number"), max_length=24, needed_when=_(
        "required where a guardian is named"), widget=forms.TextInput(attrs=OFF))
    guardian_phone = forms.CharField(label=_("The guardian's phone"), max_length=20, required=False,
                                     widget=forms.TextInput(attrs=OFF))
    wishes = WishesField()
    unit = forms.ChoiceField(label=_("Office"), choices=[])

    def __init__(self, *args: Any, units: list[Area], away: bool = False, **options: Any) -> None:
        """`units`: the offices that may decide; `away`: none of them is the officer's own."""
        super().__init__(*args, **options)
        self.fields["unit"].choices = [  # type: ignore[attr-defined]
            (str(unit.code), f"{area_name(unit.parent)} {area_name(unit)}" if away and unit.parent else area_name(unit))
            for unit in units]
        if away:
            self.fields["unit"].label = _("Office of the household register")
            self.order_fields(("unit",))
            if len(units) > 1:  # a street has one, which stands there: typing begins with the name
                self.fields["unit"].widget.attrs["autofocus"] = self.fields["name"].widget.attrs.pop("autofocus")
        elif len(units) == 1:
            self.fields["unit"].widget, self.fields["unit"].initial = forms.HiddenInput(), str(units[0].code)
        self.fields["wanted"].choices = list(_categories())  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        """The name as the registry writes names."""
        try:
            return normalise(self.cleaned_data["name"])
        except BadName:
            raise forms.ValidationError(_("Enter the name as it stands on the ID card.")) from None

    def person(self) -> Person:
        """What the form says of the person."""
        return Person(**{name: str(self.cleaned_data[name]).strip() for name in (
            "name", "id_number", "ethnicity", "phone", "address", "guardian_name", "guardian_id", "guardian_phone")},
            wishes=" ".join(self.cleaned_data["wishes"]))


@requires("case.open")
@sensitive_post_parameters(*PERSONAL)
def new(request: Request) -> HttpResponse:
    """A first application, typed at the counter from top to bottom; `?for=another`: another office decides."""
    units, away = _units(request)
    form = ApplicationForm(request.POST or None, units=units, away=away)
    if request.method == "POST" and form.is_valid():
        area = next(unit for unit in units if str(unit.code) == form.cleaned_data["unit"])
        opened = page_of(form, lambda: services.apply(
            form.person(), int(form.cleaned_data["wanted"]), area, by=request.actor, request_id=request_key(request),
            at=timezone.now()))
        if opened:
            return opened
    return render(request, "staff/form.html", {
        "title": KIND_WORDS["new"], "form": form, "submit": _("Open the case"), "back": reverse("staff:cases"),
        "intro": "" if units else _("Your office receives no first application."),
        "breadcrumbs": trail((_("Cases"), "staff:cases"))})


class ArrivalForm(ApplicationForm):
    """Who arrives with a certificate of another office says what an applicant says, and what the certificate says."""

    number = forms.CharField(label=_("Certificate number"), max_length=30, widget=forms.TextInput(
        attrs=OFF | {"class": "govuk-input--width-20"}), help_text=_("As it stands on the certificate."))
    issued_on = DateField(label=_("Issued on"))
    valid_until = DateField(label=_("Valid until"))

    def __init__(self, *args: Any, **options: Any) -> None:
        """The kind of disability stands in the number."""
        super().__init__(*args, **options)
        del self.fields["wanted"]
        first = ["unit"] if next(iter(self.fields)) == "unit" else []
        self.order_fields([*first, "name", "id_number", "number", "issued_on", "valid_until"])

    def brought(self) -> services.Brought:
        """The certificate."""
        return services.Brought(*(self.cleaned_data[name] for name in ("number", "issued_on", "valid_until")))


@requires("case.open")
@sensitive_post_parameters(*PERSONAL, "number")
def arrival(request: Request) -> HttpResponse:
    """The arrival of somebody whose old office is not on this platform, or did not know where they would move."""
    units, away = _units(request)
    form = ArrivalForm(request.POST or None, units=units, away=away)
    if request.method == "POST" and form.is_valid():
        area = next(unit for unit in units if str(unit.code) == form.cleaned_data["unit"])
        opened = page_of(form, lambda: services.apply_arrival(
            form.person(), form.brought(), area, by=request.actor, request_id=request_key(request),
            at=timezone.now()))
        if opened:
            return opened
    return render(request, "staff/form.html", {
        "title": _("Arrival from another office"), "form": form, "submit": _("Open the case"),
        "back": reverse("staff:cases"), "intro": _(
            "For who brings a certificate along. Where the old office named yours, the case is on your list already."
        ) if units else _("Your office receives no arrivals."),
        "breadcrumbs": trail((_("Cases"), "staff:cases"))})


def _units(request: Request) -> tuple[list[Area], bool]:
    """The offices that may decide, and whether none of them is the officer's own; `?for=another`: none is."""
    own = [] if request.GET.get("for") == ANOTHER else list(areas.issuing_units(request.actor.lo, request.actor.hi))
    return own or list(fronts.deciders(request.actor)), not own


class BroughtForm(forms.Form):
    """What a holder brings; the fields are those of its kind."""

    def __init__(self, *args: Any, kind: str, holder: Holder | None, home: int = 0, **options: Any) -> None:
        """Fields of a kind. `holder`: None where the record is another office's and is not shown; `home`: then that
        office's 12-digit code, where it is known.
        """
        super().__init__(*args, **options)
        if reasons := services.REASONS.get(kind):
            self.fields["reason"] = forms.ChoiceField(
                label=_("Reason"), widget=forms.RadioSelect, choices=[(code, REASON_WORDS[code]) for code in reasons])
        if kind == "change":
            self.fields["wanted"] = forms.TypedChoiceField(
                label=_("Kind of disability to be assessed"), coerce=int, help_text=_(
                    "Another one than certified. Several at once are a multiple disability."),
                choices=[("0", _("the one certified now")), *_categories()])
        if kind == "correction":
            self.fields["name"] = forms.CharField(label=_("The right name"), max_length=50, required=False,
                                                  help_text=_("Leave empty what is right."))
            self.fields["id_number"] = forms.CharField(label=_("The right ID number"), max_length=24, required=False,
                                                       widget=forms.TextInput(attrs=OFF))
        if kind.startswith("transfer_out"):
            units = fronts.reached(kind, holder.area_id if holder else home)
            self.fields["moved"] = DateField(label=_("Day of the move in the household register"))
            self.fields["to"] = forms.TypedChoiceField(
                label=_("New office"), coerce=int, required=False,
                choices=[("0", _("not known yet")), *((unit.code, area_name(unit)) for unit in units)])
        if holder and kind.startswith("dispute"):
            self.fields["disputed"] = forms.TypedChoiceField(label=_("Which decision"), coerce=int, choices=[
                (case.pk, f"{KIND_WORDS[case.kind_of_case]} {timezone.localtime(case.opened_at):%Y-%m-%d}")
                for case in queries.of_holder(holder.pk).filter(ended_at__isnull=False)
                if services.disputable(case, timezone.now()) == kind])

    def told(self) -> dict[str, Any]:
        """What the case is told."""
        found = dict(self.cleaned_data)
        if "moved" in found:
            found["moved"] = found["moved"].isoformat()
        if found.get("wanted") == 0:
            del found["wanted"]
        return found


@requires("case.open")
@sensitive_post_parameters("name", "id_number")
def brought(request: Request, pk: int, kind: str) -> HttpResponse:
    """A case of one kind for one holder."""
    holder = registry.holder(pk, actor=request.actor)
    if kind not in AT_THE_COUNTER:
        raise Refusal("not-found")
    form = BroughtForm(request.POST or None, kind=kind, holder=holder)
    if request.method == "POST" and form.is_valid():
        opened = page_of(form, lambda: services.open_case(
            kind, holder, by=request.actor, request_id=request_key(request), at=timezone.now(), **form.told()))
        if opened:
            return opened
    certificate = next(iter(registry.certificates(holder)), None)
    return render(request, "staff/form.html", {
        "title": KIND_WORDS[kind], "caption": holder.name, "form": form, "submit": _("Open the case"),
        "back": reverse("staff:holder", args=[pk]),
        "intro": disability(certificate.category, certificate.grade) if certificate else "",
        "breadcrumbs": [*trail((_("Holders"), "staff:holders")),
                        {"label": holder.name, "href": reverse("staff:holder", args=[pk])}]})


@requires("case.open")
@require_POST
def dispute(request: Request, pk: int) -> HttpResponse:
    """The decision of a case is disputed at the counter, by whomever it concerns."""
    row, now = queries.get(pk, actor=request.actor), timezone.now()
    kind = services.disputable(row, now) or "dispute_city"
    return act(request, lambda key: services.dispute(kind, row, by=request.actor, request_id=key, at=now),
               to=lambda opened: reverse("staff:case", args=[opened]))


def page_of(form: forms.Form, do: Any) -> HttpResponse | None:
    """The page of the case that was opened; a refusal that speaks of a field stands at the field."""
    try:
        pk = do().pk
    except Replayed as again:
        pk = again.event.subject_id
    except Refusal as no:
        field = OF_FIELD.get(no.code)
        if field not in form.fields:  # who stands at the counter has an ID number; the category stands in the number
            field = {"present_id": "id_number", "wanted": "number"}.get(field or "")
        if field not in form.fields:
            raise
        form.add_error(field, problem_line(no.problem, _days(no)))
        form.open_case = onward(no)  # type: ignore[attr-defined]
        return None
    return HttpResponseRedirect(reverse("staff:case", args=[pk]))


def _days(no: Refusal) -> str:
    """The day of which a refusal speaks, in words; empty where it speaks of none."""
    return next((str(words) % {"day": no.facts[name]} for name, words in DAYS.items() if no.facts.get(name)), "")


DAYS: dict[str, Any] = {"until": _("Until %(day)s"), "opens": _("From %(day)s"), "last": _("The last day was %(day)s"),
                        "since": _("Since %(day)s")}
"""Fact of a refusal → its day in words."""


def kinds_for(holder: Holder) -> tuple[list[tuple[str, Any]], list[tuple[Any, str]]]:
    """The kinds of case that may be opened for a holder now, as links, and the others with the reason."""
    now, links, closed = timezone.now(), [], []
    for kind in AT_THE_COUNTER:
        if code := services.unopened(kind, holder, at=now):
            closed.append((KIND_WORDS[kind], problem_words(PROBLEMS[code])[0]))
        else:
            links.append((reverse("staff:case-brought", args=[holder.pk, kind]), KIND_WORDS[kind]))
    return links, closed


urls = [
    path("cases/new", new, name="case-new"),
    path("cases/arrival", arrival, name="case-arrival"),
    path("cases/<int:pk>/dispute", dispute, name="case-dispute"),
    path("holders/<int:pk>/cases/<str:kind>", brought, name="case-brought"),
]
