"""My desk (我的工作台): a deputy for holidays (代班), one's right lent for some days (委托), the whole desk handed over
(移交).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from zhengka.accounts import queries as accounts
from zhengka.accounts import services
from zhengka.accounts.models import Cover, Delegation, Officer
from zhengka.accounts.roles import LENDABLE
from zhengka.accounts.services import Days
from zhengka.cases import queries as cases
from zhengka.cases import services as case_services
from zhengka.cases.queries import Desk
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.web.access import Request, act, requires, seen, sure
from zhengka.web.staff.navigation import trail
from zhengka.web.staff.words import problem_line, role_word
from zhengka.web.ui.forms import DateField
from zhengka.web.ui.parts import Text

OPEN = ("case.read", "batch.read", "plan.read")
"""Permissions of those who have a desk: everybody but administrators."""
FIELDS = {"days-wrong": "first", "days-overlap": "first", "days-too-many": "last"}
"""Refusal of a form → the field that it belongs to; the others belong to the colleague."""
STAND_INS: dict[str, type[Cover] | type[Delegation]] = {"cover": Cover, "delegation": Delegation}


class ColleagueForm(forms.Form):
    """A colleague of the same office."""

    colleague = forms.ModelChoiceField(label=_("Colleague"), queryset=Officer.objects.none())

    def __init__(self, *args: Any, among: "QuerySet[Officer]", **options: Any) -> None:
        """Offer these, by name and role."""
        super().__init__(*args, **options)
        self.fields["colleague"].queryset = among.order_by("name", "pk")  # type: ignore[attr-defined]
        self.fields["colleague"].label_from_instance = named  # type: ignore[attr-defined]


class StandInForm(ColleagueForm):
    """A colleague, and from when to when."""

    first = DateField(label=_("First day"))
    last = DateField(label=_("Last day"), help_text=_("At most 90 days. It ends by itself behind this day."))

    def days(self) -> Days:
        """Both ends."""
        return Days(self.cleaned_data["first"], self.cleaned_data["last"])


def named(officer: Officer) -> str:
    """An officer among colleagues: name, role, login name."""
    return f"{officer.name} · {role_word(officer.role)} · {officer.username}"


def may_open(actor: Actor) -> bool:
    """True for who has a desk."""
    return any(actor.may(permission) for permission in OPEN)


@requires(*OPEN)
def index(request: Request) -> HttpResponse:
    """Who stands in for whom, whose right is lent to whom, and how many cases lie on one's desk."""
    row, today = _oneself(request), timezone.localdate()
    return render(request, "staff/desk.html", {
        "title": _("My desk"), **_figures(request, row),
        "works_on_cases": request.actor.may("case.read"), "may_lend": row.role in LENDABLE,
        "covers": [(cover, cover.officer_id == row.pk) for cover in accounts.covers(row.pk, today)],
        "delegations": [(each, each.officer_id == row.pk, role_word(each.role))
                        for each in accounts.delegations(row.pk, today)]})


def _figures(request: Request, row: Officer) -> dict[str, int]:
    """How many cases are the officer's own, how many of these wait for a step of theirs and for others, and how many
    lie on the desk besides: of those for whom they stand in. The first and the last two make up the worklist's figure.
    """
    mine = cases.mine(request.actor, timezone.localdate())
    number, lies = _number(request, row), cases.number_on_desks(request.actor, mine)
    waits = cases.number_on_desks(request.actor, replace(mine, officers=(row.pk,)))
    return {"number": number, "waits": waits, "others": number - waits, "covered": lies - waits}


@requires("case.read")
def new_cover(request: Request) -> HttpResponse:
    """Name a deputy for some days: a colleague with the same role."""
    row = _oneself(request)
    form = StandInForm(request.POST or None, among=_colleagues(request, row).filter(role=row.role))

    def do(key: UUID) -> Cover:
        return services.set_cover(form.cleaned_data["colleague"], form.days(), by=request.actor, request_id=key,
                                  at=timezone.now())
    return _form(request, form, do, title=_("Name a deputy"), said=_("The deputy is named."), intro=_(
        "In these days your cases are on the deputy's desk, too. No right is lent: you both have the same role."))


@requires(*OPEN)
def new_delegation(request: Request) -> HttpResponse:
    """Ask that one's right be lent: to a colleague with another role."""
    row = _oneself(request)
    form = StandInForm(request.POST or None, among=_colleagues(request, row).filter(
        role__in=LENDABLE - {row.role} if row.role in LENDABLE else ()))

    def do(key: UUID) -> Delegation:
        return services.lend(form.cleaned_data["colleague"], form.days(), by=request.actor, request_id=key,
                             at=timezone.now())
    return _form(request, form, do, title=_("Lend my right"), said=_(
        "The delegation is asked for. It holds once the security administrator permits it."), intro=_(
        "In these days the colleague may do what your role may do, under their own name. Every such act names you as "
        "the one whose right it was. Two decisions on one case still need two persons."))


@requires("case.read")
def hand_over(request: Request) -> HttpResponse:
    """Hand one's whole desk over."""
    return _hand_over(request, _oneself(request), reverse("staff:desk"))


@requires("officer.manage")
def hand_over_of(request: Request, pk: int) -> HttpResponse:
    """Hand over the desk of an officer, as who administers the accounts."""
    return _hand_over(request, seen(request, Officer, pk), reverse("staff:officer", args=[pk]))


def _hand_over(request: Request, row: Officer, back: str) -> HttpResponse:
    number = _number(request, row)
    form = ColleagueForm(request.POST or None, among=_colleagues(request, row).filter(
        role__in=accounts.who_may("case.read")))

    if number and form.is_valid() and not sure(request):
        to = form.cleaned_data["colleague"]
        return render(request, "staff/sure.html", {
            "title": _("Hand over the desk"), "caption": row.name, "kind": "warning", "url": request.get_full_path(),
            "submit": ngettext("Hand over %(n)s case", "Hand over %(n)s cases", number) % {"n": f"{number:,}"},
            "hidden": [("colleague", str(to.pk))], "back": back, "lines": [named(to)],
            "meaning": _("All of them go to this colleague, also those that wait for others. To have one back, the "
                         "colleague has to give it back, or it is taken on by itself.")})

    def do(key: UUID) -> int:
        return case_services.hand_over(row, form.cleaned_data["colleague"], by=request.actor, request_id=key,
                                       at=timezone.now())
    return _form(request, form, do, title=_("Hand over the desk"), said=_handed, back=back, caption=row.name,
                 intro=ngettext("%(n)s open case goes to the colleague; its history says so.",
                                "%(n)s open cases go to the colleague; the history of each says so.", number)
                 % {"n": f"{number:,}"})


@requires(*OPEN)
@require_POST
def end(request: Request, pk: int, kind: str) -> HttpResponse:
    """End a cover or a delegation of one's own before its last day."""
    row: Cover | Delegation = seen(request, STAND_INS[kind], pk)

    def do(key: UUID) -> Cover | Delegation:
        told: dict[str, Any] = {"by": request.actor, "request_id": key, "at": timezone.now()}
        return services.end_cover(row, **told) if isinstance(row, Cover) else services.take_back(row, **told)

    return act(request, do, to=reverse("staff:desk"), said=ENDED[kind])


ENDED: dict[str, Text] = {"cover": _("The cover is ended."), "delegation": _("The right is taken back.")}


def _form(request: Request, form: forms.Form, do: Callable[[UUID], Any], *, title: Text,
          **options: Any) -> HttpResponse:
    """A page that is one form; what is refused stands at its field."""
    back = options.get("back") or reverse("staff:desk")
    if request.method == "POST" and form.is_valid():
        try:
            return act(request, do, to=back, said=options["said"])
        except Refusal as refusal:
            form.add_error(FIELDS.get(refusal.code, "colleague"), problem_line(refusal.problem))
    return render(request, "staff/form.html", {
        "title": title, "caption": options.get("caption", ""), "form": form, "intro": options["intro"], "submit": title,
        "back": back, "breadcrumbs": trail((_("My desk"), "staff:desk")) if back == reverse("staff:desk") else trail(
            (_("Officers"), "staff:officers"))})


def _handed(number: int) -> str:
    return ngettext("%(n)s case is handed over.", "%(n)s cases are handed over.", number) % {"n": f"{number:,}"}


def _oneself(request: Request) -> Officer:
    return Officer.get(request.actor.id or 0)


def _colleagues(request: Request, row: Officer) -> "QuerySet[Officer]":
    return accounts.colleagues(row, actor=request.actor)


def _number(request: Request, row: Officer) -> int:
    return cases.number_on_desks(request.actor, Desk((row.pk,)))


urls = [
    path("desk/", index, name="desk"),
    path("desk/cover", new_cover, name="cover-new"),
    path("desk/lend", new_delegation, name="delegation-new"),
    path("desk/hand-over", hand_over, name="desk-hand-over"),
    path("officers/<int:pk>/hand-over", hand_over_of, name="officer-hand-over"),
    path("covers/<int:pk>/end", end, {"kind": "cover"}, name="cover-end"),
    path("delegations/<int:pk>/end", end, {"kind": "delegation"}, name="delegation-end"),
]
