"""Who else may take a step that needs another person, and a case put on their desk (请办)."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.accounts.models import Officer
from zhengka.cases import fronts, queries, services
from zhengka.cases.models import Case
from zhengka.cases.queries import Choice
from zhengka.core.errors import Refusal
from zhengka.web.access import Request, act, requires
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.words import role_word
from zhengka.web.ui import words
from zhengka.web.ui.parts import Text

ASKED = frozenset({"case.confirm", "case.review", "case.approve"})
"""Permissions of the steps for which somebody else is asked; doctors have days, lists and licences of their own."""


class AskForm(forms.Form):
    """One of those who may take the step."""

    officer = forms.ChoiceField(label=_("Who is to take it"))

    def __init__(self, *args: Any, among: list[Officer], **options: Any) -> None:
        """Offer these, the nearest first."""
        super().__init__(*args, **options)
        self.fields["officer"].choices = [  # type: ignore[attr-defined]
            (str(one.pk), f"{one.name} · {area_name(one.area)} · {role_word(one.role)}") for one in among]


@dataclass(frozen=True)
class Asking:
    """What the page says of a step that another person must take: its action and word, those who may (None: nobody),
    and whether the officer could lend the own right to a colleague.
    """

    action: str
    word: Text
    form: AskForm | None
    may_lend: bool


def asking(request: Request, case: Case, choices: list[Choice]) -> Asking | None:
    """For the first step that is closed to this officer because they took the one before."""
    closed = next((each.step for each in choices if each.code == "same-person" and each.step.permission in ASKED), None)
    if closed is None:
        return None
    found = fronts.others(case, closed, timezone.localdate(), but=request.actor.person)
    return Asking(closed.action, words.act(closed.action, "case"), AskForm(among=found) if found else None,
                  may_lend=not any(one.area_id == request.actor.lo for one in found))


@requires("case.confirm", "case.review", "case.approve")
@require_POST
def ask(request: Request, pk: int) -> HttpResponse:
    """Put the case on the desk of somebody who may take the step that the form names."""
    row, action = queries.get(pk, actor=request.actor), request.POST.get("action", "")
    among = fronts.others(row, row.table.step(row.state, action), timezone.localdate(), but=request.actor.person)
    form = AskForm(request.POST, among=among)
    if not form.is_valid():
        raise Refusal("officer-unfit")
    to = next(one for one in among if str(one.pk) == form.cleaned_data["officer"])
    return act(request, lambda key: services.ask(
        row, action, to, by=request.actor, request_id=key, at=timezone.now()),
        to=reverse("staff:case", args=[pk]), said=_("The case is on the desk of %(name)s.") % {"name": to.name})


urls = [path("cases/<int:pk>/ask", ask, name="case-ask")]
