"""Portraits (照片采集): taken by a camera or from a file, measured, shown with what was found."""

from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.papers import queries, services
from zhengka.papers.checks import CHECKS, Finding
from zhengka.papers.models import Portrait
from zhengka.papers.reading import MOST_BYTES
from zhengka.web.access import Request, act, request_key, requires
from zhengka.web.staff import history, papers
from zhengka.web.staff.papers import OWNERS, Owner
from zhengka.web.staff.words import bilingual
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Row, Table, Text

OUTCOMES: dict[str, tuple[str, Text]] = {
    "passed": (words.GOOD, _("Passed")), "failed": (words.BAD, _("Failed")),
    "no-face": (words.QUIET, _("Not measured: no face was found")),
    "dark-glasses": (words.QUIET, _("Left out: dark glasses are allowed (visual disability)")),
}
"""Outcome of a check → its tone and words."""


class PhotoForm(forms.Form):
    """A portrait; `visual` is asked where no record says what the person's disability is."""

    photo = forms.FileField(label=_("Photo"), help_text=_(
        "JPEG, PNG or WebP: two-inch, recent, bare-headed, in colour, on white; at least 300 × 400 pixels."))
    visual = forms.BooleanField(label=_("The person applies for a visual disability and may wear dark glasses"),
                                required=False)

    def __init__(self, *args: Any, known: bool, **kwargs: Any) -> None:
        """`known`: the record says whether the person may wear dark glasses."""
        super().__init__(*args, **kwargs)
        self.fields["photo"].widget.attrs.update({
            "accept": "image/jpeg,image/png,image/webp", "data-camera-file": True})
        if known:
            del self.fields["visual"]


class OverruleForm(forms.Form):
    """Why a photo is kept although a check failed."""

    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}), help_text=_(
        "Such as: the person cannot hold the head upright. The reason stays in the history with the figures."))


@requires("case.confirm")
def of_holder(request: Request, pk: int) -> HttpResponse:
    """Take a portrait of a holder."""
    return _take(request, OWNERS["holder"](request, pk))


@requires("case.confirm")
def of_case(request: Request, pk: int) -> HttpResponse:
    """Take a portrait for a case."""
    return _take(request, OWNERS["case"](request, pk))


def _take(request: Request, owner: Owner) -> HttpResponse:
    papers.refuse_over(owner)
    form = PhotoForm(*((request.POST, request.FILES) if request.method == "POST" else ()), known=bool(owner.holder))
    if form.is_valid():
        try:
            return HttpResponseRedirect(reverse("staff:portrait", args=[_taken(request, owner, form)]))
        except Refusal as no:
            papers.explain(form, "photo", no)
    return render(request, "staff/portraits/take.html", {
        "title": _("Take a photo"), "caption": owner.title, "form": form, "back": owner.href,
        "breadcrumbs": owner.crumbs})


def _taken(request: Request, owner: Owner, form: PhotoForm) -> int:
    """The id of the portrait; a repeat gets that of the first one."""
    dark = queries.may_wear_dark_glasses(owner.holder) if owner.holder else form.cleaned_data["visual"]
    try:
        return services.take_portrait(
            owner.subject, form.cleaned_data["photo"].read(MOST_BYTES + 1), dark_glasses=dark, by=request.actor,
            request_id=request_key(request), at=timezone.now()).pk
    except Replayed as again:
        return again.event.subject_id


@requires("case.confirm", "case.read")
def portrait(request: Request, pk: int) -> HttpResponse:
    """One portrait: the photo with the face that was found, every figure beside its limits, and what to do."""
    return _page(request, queries.portrait(pk, actor=request.actor))


def _page(request: Request, row: Portrait, form: OverruleForm | None = None) -> HttpResponse:
    found, owner = queries.findings(row), OWNERS[row.subject](request, row.subject_id)
    may = request.actor.may("case.confirm") and row.state == Portrait.workflow.initial
    todo = dict.fromkeys(bilingual(CHECKS[one.code].todo) for one in found if one.outcome == "failed")
    return render(request, "staff/portraits/portrait.html", {
        "title": _("Photo"), "caption": owner.title, "portrait": row, "todo": list(todo), "table": _table(found),
        "face": dict(zip(("x", "y", "width", "height"), row.face, strict=True)) if row.face else None,
        "overrule_form": (form or OverruleForm()) if may else None, "back": owner.href,
        "again": reverse(f"staff:{row.subject}-portrait", args=[row.subject_id]) if request.actor.may(
            "case.confirm") else "",
        "events": history.of_row(request, row), "breadcrumbs": owner.crumbs})


def _table(found: list[Finding]) -> Table:
    columns = [Column(_("Check")), Column(_("Measured"), numeric=True), Column(_("Limits"), numeric=True),
               Column(_("Outcome"))]
    return Table(_("What was measured"), columns, [_line(one) for one in found])


def _line(one: Finding) -> Row:
    check, (tone, word) = CHECKS[one.code], OUTCOMES[one.outcome]
    unit = bilingual(check.unit)
    measured = "—" if one.value is None else f"{one.value:,.{check.digits}f} {unit}".strip()
    return Row([bilingual(check.what), measured, _limits(one, check.digits), Cell(word, tone=tone)])


def _limits(one: Finding, digits: int) -> str:
    """Between what the figure must lie, in words."""
    least, most = (None if limit is None else f"{limit:,.{digits}f}" for limit in (one.least, one.most))
    if least is not None and most is not None:
        return least if least == most else f"{least} – {most}"
    if least is not None:
        return gettext("at least %(n)s") % {"n": least}
    return gettext("at most %(n)s") % {"n": most}


@requires("case.confirm", "case.read")
def picture(request: Request, pk: int) -> HttpResponse:
    """The photo of a portrait that was not replaced."""
    response = HttpResponse(queries.picture(queries.portrait(pk, actor=request.actor)), content_type="image/jpeg")
    response.headers["Content-Security-Policy"] = papers.SANDBOX
    return response


@requires("case.confirm")
@require_POST
def overrule(request: Request, pk: int) -> HttpResponse:
    """Keep a portrait against its checks, for a reason."""
    row, form = queries.portrait(pk, actor=request.actor), OverruleForm(request.POST)
    if not form.is_valid():
        return _page(request, row, form)
    return act(request, lambda key: services.overrule_portrait(
        row, reason=form.cleaned_data["reason"], by=request.actor, request_id=key, at=timezone.now()),
        to=reverse("staff:portrait", args=[pk]), said=gettext("The photo is kept."))


urls = [
    path("holders/<int:pk>/portrait", of_holder, name="holder-portrait"),
    path("cases/<int:pk>/portrait", of_case, name="case-portrait"),
    path("portraits/<int:pk>", portrait, name="portrait"),
    path("portraits/<int:pk>/picture", picture, name="portrait-picture"),
    path("portraits/<int:pk>/overrule", overrule, name="portrait-overrule"),
]
