"""Cards that lie at an office are packed again (转运、退卡上送): for a street of it, or up to an office above."""

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

from zhengka.areas.models import Area
from zhengka.core.errors import Refusal
from zhengka.custody import queries, services
from zhengka.custody.models import Parcel
from zhengka.custody.services import Label
from zhengka.web.access import Request, act, requires
from zhengka.web.staff.collecting import HERE
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import ticked
from zhengka.web.staff.words import problem_line

FIELDS = {"parcel-target-wrong": "target", "parcel-known": "number"}
"""Refusal → the field that it belongs to; the others belong to the whole."""


class LabelForm(forms.Form):
    """What stands on the parcel."""

    target = forms.ModelChoiceField(label=_("Where they go"), queryset=Area.objects.none())
    number = forms.CharField(label=_("Number of the parcel"), max_length=64)
    seal = forms.CharField(label=_("Number of the seal"), max_length=64)

    def __init__(self, *args: Any, targets: "QuerySet[Area]", **options: Any) -> None:
        """Offer the offices to which these cards may go."""
        super().__init__(*args, **options)
        self.fields["target"].queryset = targets  # type: ignore[attr-defined]
        self.fields["target"].label_from_instance = area_name  # type: ignore[attr-defined]


@requires("custody.keep")
@require_POST
def pack(request: Request) -> HttpResponse:
    """Pack the ticked cards, which lie at one office: asked for the label first."""
    ids = ticked(request, "card")
    area, origin = _whence(request, ids)
    form = LabelForm(request.POST if "seal" in request.POST else None, targets=queries.targets(area, origin))
    if form.is_bound and form.is_valid():
        told = form.cleaned_data
        label = Label(told["number"], told["seal"], told["target"])

        def do(key: UUID) -> Parcel:
            return services.pack(ids, label, origin=origin, by=request.actor, request_id=key, at=timezone.now())
        try:
            return act(request, do, to=lambda pk: reverse("staff:parcel", args=[pk]), said=_("The cards are packed."))
        except Refusal as refusal:
            form.add_error(FIELDS.get(refusal.code), problem_line(refusal.problem))
    return render(request, "staff/custody/chosen.html", {
        "title": _("Pack cards again"), "caption": area_name(origin), "form": form, "submit": _("Pack"),
        "back": reverse("staff:waiting"), "url": reverse("staff:waiting-pack"), "name": "card", "chosen": ids,
        "number": ngettext("%(n)d card goes into the parcel.", "%(n)d cards go into the parcel.", len(ids)) % {
            "n": len(ids)},
        "intro": _("They go to a street that hands them out, or back up. Until the parcel is opened they wait for "
                   "nobody."), "breadcrumbs": trail(*HERE)})


def _whence(request: Request, ids: list[int]) -> tuple[Area, Area]:
    """The office whose cards these are, and the one at which they lie."""
    kept = queries.lying(ids, actor=request.actor)
    if not kept or len(kept) < len(set(ids)):
        raise Refusal("cards-not-here", many=len(set(ids)) - len(kept))
    if len({(row.area_id, row.office) for row in kept}) > 1:
        raise Refusal("cards-of-two-offices")
    return kept[0].area, Area.objects.get(pk=kept[0].office or 0)


urls = [
    path("custody/waiting/pack", pack, name="waiting-pack"),
]
