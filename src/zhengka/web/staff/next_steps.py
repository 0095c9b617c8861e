"""What a case's page offers to do next: forms of its steps, the button that stands out, and why others are closed."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from zhengka.cases import fronts, services
from zhengka.cases.models import Case
from zhengka.cases.queries import Choice
from zhengka.core.actors import Actor
from zhengka.core.errors import PROBLEMS
from zhengka.papers.rules import Need
from zhengka.web.staff.case_words import PERMISSION_WHO, SOURCE_WORDS
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.words import PAPER_WORDS, bilingual, problem_line, problem_words
from zhengka.web.ui import words
from zhengka.web.ui.forms import LinesField

SHORTCUTS = {"confirm": "c", "precheck": "c", "accept": "c", "publish": "p", "verify": "v", "review": "r",
             "approve": "a", "recheck": "a", "request": "q"}
"""Step → its key."""

ASKED = {"accept": _("Where the papers are, or by when they come"), "object": _("Who objects, and to what"),
         "undo": _("How it was found that the report is wrong")}
"""Step → what is asked instead of a reason."""


class ReasonForm(forms.Form):
    """Why a case goes back or ends."""

    reason = LinesField(label=_("Reason"), max_length=200)


class SourceForm(forms.Form):
    """The second source in which a report was found true."""

    source = forms.ChoiceField(label=_("Second source"), choices=lambda: [("", "—"), *SOURCE_WORDS.items()])
    reference = forms.CharField(
        label=_("List number, or day and time of the call or visit"), max_length=40, help_text=_(
            "Such as 2026-118 or 2026-11-26 13:05. No name, no phone number: it stays in the history for ever."))

    def clean_reference(self) -> str:
        """No personal data, which nobody could take out of the history again."""
        text = str(self.cleaned_data["reference"])
        if not services.is_reference(text):
            raise forms.ValidationError(problem_line(PROBLEMS["reference-wrong"]))
        return text


def reason_form(action: str, said: Any = None) -> ReasonForm:
    """The form of one step: a page has several, and each has a name of its own."""
    form = ReasonForm(said, auto_id=f"id_{action}_%s")
    form.fields["reason"].label = ASKED.get(action, _("Reason"))
    return form


VERIFYING = (_("Is the report true?"), _(
    "Look for the person in a second source before anything stops. Both answers stay in the history."))
VERIFYING_RESTORATION = (_("Was it cancelled wrongly?"), _(
    "Find in a second source that the reason for the cancellation does not hold: the person is seen or called, or the "
    "list says otherwise. Both answers stay in the history."))
"""What is asked before a step is verified: of a report, and of who wants back what was cancelled."""


def verifying(kind: str) -> tuple[Any, Any]:
    """The question and the help with which a kind of case asks for a second source."""
    return VERIFYING_RESTORATION if kind == "restoration" else VERIFYING


def main_act(opens: Sequence[str], **others: Any) -> str:
    """The one act whose button stands out: the first step that is open, else the first of `others` that is there."""
    return next(iter(opens), next((name for name, there in others.items() if there), ""))


def incomplete(lacking: Sequence[Need]) -> list[tuple[Any, str]]:
    """Acceptance as a closed step, with the papers for which it waits, and which of them may follow."""
    if not lacking:
        return []
    first = [need for need in lacking if not need.may_follow]
    later = [need for need in lacking if need.may_follow]
    why = gettext("Papers are missing: %(papers)s") % {"papers": named(first or later)}
    if first and later:
        why = gettext("%(first)s; may follow later: %(papers)s") % {"first": why, "papers": named(later)}
    return [(words.act("accept", "case"), why)]


def named(needs: Sequence[Need]) -> str:
    """Papers by their names, in a row."""
    return bilingual(("、", ", ")).join(str(PAPER_WORDS[need.paper]) for need in needs)


def why_closed(row: Case, closed: Choice) -> str:
    """Why a step is closed to this officer, in one sentence; where another office takes it, which one."""
    if closed.code == "not-permitted":
        return str(PERMISSION_WHO.get(closed.step.permission, _("Another role does this step.")))
    if closed.code in ("office-wrong", "office-above") and (offices := fronts.offices_of(row, closed.step)):
        return gettext("Taken by: %(offices)s") % {"offices": ", ".join(map(area_name, offices))}
    return problem_words(PROBLEMS[closed.code])[0]


def stands_in(actor: Actor, row: Case, choices: Sequence[Choice]) -> str:
    """The office for which an officer of one above it would take the first open step; empty where it is the own one."""
    for each in choices:
        offices = fronts.offices_of(row, each.step) if each.is_open else []
        if offices:
            return "" if any(one.code == actor.lo for one in offices) else area_name(offices[0])
    return ""
