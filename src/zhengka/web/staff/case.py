"""One case: where it stands, what is missing, what this officer may do now and why not the rest, what happened."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.assessment import queries as assessment
from zhengka.assessment.models import Session
from zhengka.cases import assumed, book, fronts, queries, services
from zhengka.cases.models import Case
from zhengka.cases.queries import Choice
from zhengka.cases.workflow import UNDO
from zhengka.core.errors import PROBLEMS
from zhengka.papers import queries as portraits
from zhengka.papers.queries import Subject
from zhengka.papers.rules import Need
from zhengka.web.access import Request, act, requires
from zhengka.web.staff import history, papers
from zhengka.web.staff.assessment import terms
from zhengka.web.staff.case_words import (
    KIND_WORDS,
    OTHERWISE,
    PERMISSION_WHO,
    REASON_WORDS,
    SOURCE_WORDS,
    STAGE_WORDS,
    STEP_SAID,
)
from zhengka.web.staff.cases import due_cell
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.words import PHASE_WORDS, bilingual, disability, masked, problem_words, unpublished
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Fact, Stage

SHORTCUTS = {"confirm": "c", "precheck": "c", "accept": "c", "publish": "p", "verify": "v", "review": "r",
             "approve": "a", "recheck": "a", "request": "q"}
"""Step → its key."""


class ReasonForm(forms.Form):
    """Why a case goes back or ends."""

    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


class SourceForm(forms.Form):
    """The second source in which a report was found true."""

    source = forms.ChoiceField(label=_("Second source"), choices=lambda: [("", "—"), *SOURCE_WORDS.items()])
    reference = forms.CharField(label=_("List number, or who was called when"), max_length=100)


class DayForm(forms.Form):
    """On which day, at which institution."""

    def __init__(self, *args: Any, days: list[Session], why: bool, **options: Any) -> None:
        """The days that have a free place; `why`: somebody wrote that the person need never be assessed again."""
        super().__init__(*args, **options)
        if why:
            self.fields["reason"] = forms.CharField(
                label=_("Why this person is assessed again"), max_length=200,
                help_text=_("The last assessment says: never again."))
        self.fields["day"] = forms.ChoiceField(label=_("Day"), widget=forms.RadioSelect, choices=[
            (str(day.pk), f"{day.day.isoformat()} {day.starts:%H:%M} · {day.institution.name} {day.place} · "
                          f"{day.capacity - day.taken}") for day in days])


@requires("case.read")
def case(request: Request, pk: int) -> HttpResponse:
    """The page of a case."""
    return _page(request, queries.get(pk, actor=request.actor), ReasonForm())


def _page(request: Request, row: Case, form: ReasonForm, source: SourceForm | None = None) -> HttpResponse:
    choices = [each for each in queries.choices(row, actor=request.actor)
               if each.step.permission != "case.clock" and each.step.action not in ("order", "end_notice", "arrive")]
    open_ = [each.step.action for each in choices if each.is_open]
    needs = services.papers_needed(row) if row.ended_at is None else []
    brought = _papers(request, row, needs)
    lacking = [str(word) for word, _clause in brought["missing"]] if "accept" in open_ else []
    place = assessment.booked(row.pk, actor=request.actor) if row.ended_at is None else None
    first = assessment.unsigned(row.pk, actor=request.actor) if "countersign" in open_ else None
    return render(request, "staff/case.html", {
        "title": row.name, "caption": KIND_WORDS[row.kind_of_case], "case": row, "form": form,
        "stages": _stages(row), "facts": _facts(request, row), "missing": _missing(row, needs),
        "open": [(action, SHORTCUTS.get(action, "")) for action in open_
                 if action not in services.NEEDS_REASON | services.BY_ASSESSMENT | {"verify"} | (
                     {"accept"} if lacking else set())],
        "back_steps": [action for action in open_ if action in services.NEEDS_REASON - services.BY_ASSESSMENT
                       and not (action == "miss" and place)]
        + ["undo"] * (request.actor.may(UNDO.permission) and services.may_undo(row)),
        "place": place, "first": first, "source": source or SourceForm() if "verify" in open_ else None,
        "closed": [(words.act(each.step.action, "case"), _why(row, each))
                   for each in choices if not each.is_open] + _incomplete(lacking),
        "photo": _photo(request, row),
        "portrait": row.ended_at is None and row.holder_id is None and request.actor.may("case.confirm"),
        "papers": brought, "lacking": lacking, "may_book": (place is None and services.waits_for_day(row)
                     and request.actor.may("assessment.plan")),
        "dispute": _dispute(request, row), "desk": _desk(request, row), "events": history.of_row(request, row),
        "breadcrumbs": trail((_("Cases"), "staff:cases"))})


def _dispute(request: Request, row: Case) -> Any:
    """Before whom the decision may be disputed now, in words; nothing where it may not, or not by this officer."""
    kind = services.disputable(row, timezone.now()) if request.actor.may("case.open") else ""
    return KIND_WORDS[kind] if kind else ""


def _desk(request: Request, row: Case) -> str:
    """What the officer may do with the case as such: take it on, or give it back; nothing once it has ended."""
    if row.ended_at is not None:
        return ""
    return "give_back" if row.assignee_id == request.actor.id else "take_on"


def _papers(request: Request, row: Case, needs: Sequence[Need]) -> dict[str, Any]:
    """The papers of a case, and which of those that its kind needs are missing."""
    subject = Subject(row.kind(), row.pk, row.area_id, row.front_id)
    return papers.section(request, subject, needs=needs, over=row.ended_at is not None,
                          photo=_hidden(row) or bool(row.holder and row.holder.photo))


def _hidden(row: Case) -> bool:
    """True where the person's record is another office's: the front office does not see what is on it."""
    return row.holder_id is not None and row.holder is None


def _photo(request: Request, row: Case) -> str:
    """Address of the person's photo, for who looks whether it is this person's case: the one that was taken for it,
    else that of the record; nothing where there is none, or none that this officer may see.
    """
    taken = portraits.portrait_of(Subject(row.kind(), row.pk, row.area_id))
    if taken and taken.file:
        return reverse("staff:portrait-picture", args=[taken.pk])
    may = row.holder and request.actor.may("holder.read") and request.actor.sees(row.holder.area_id)
    return reverse("staff:holder-photo", args=[row.holder_id]) if may and row.holder and row.holder.photo else ""


@requires("case.confirm")
def book_day(request: Request, pk: int) -> HttpResponse:
    """The days with a free place for a case; one of them is booked."""
    row = queries.get(pk, actor=request.actor)
    found = list(assessment.free_sessions(services.category_of(row), row.place.code, since=timezone.localdate())[:MOST])
    form = DayForm(request.POST or None, days=found, why=services.needs_no_other(row))
    if request.method == "POST" and form.is_valid():
        chosen = next(day for day in found if str(day.pk) == form.cleaned_data["day"])
        return act(request, lambda key: services.book_day(
            row, chosen, by=request.actor, request_id=key, at=timezone.now(),
            reason=form.cleaned_data.get("reason", "")),
            to=reverse("staff:case", args=[pk]), said=STEP_SAID["book"])
    return render(request, "staff/form.html", {
        "title": _("Book the assessment"), "caption": row.name, "form": form, "submit": _("Book this day"),
        "back": reverse("staff:case", args=[pk]),
        "intro": "" if found else _(
            "No day has a free place for this kind of disability. Open one on an institution's page."),
        "breadcrumbs": [*trail((_("Cases"), "staff:cases")),
                        {"label": row.name, "href": reverse("staff:case", args=[pk])}]})


MOST = 30
"""Days that are offered."""


def _facts(request: Request, row: Case) -> list[Fact]:
    told, policy = services.told(row), book.policy(row.policy)
    facts = [Fact(_("Person"), _person(request, row))]
    if "person" in told:
        facts.append(Fact(_("ID number"), Cell(masked(told["person"]["id_number"]), number=True)))
        if told["person"]["guardian_name"]:
            facts.append(Fact(_("Guardian"), told["person"]["guardian_name"]))
    if row.certificate:
        facts.append(Fact(_("Category and grade"), disability(row.certificate.category, row.certificate.grade)))
    if row.found is not None:
        facts.append(Fact(_("Conclusion of the assessment"), disability(row.found["category"], row.found["grade"])
                          if row.found else _("Standard not met")))
    if row.ended_at is None and (again := assessment.again(bytes(row.person_index))):
        facts.append(Fact(_("Another assessment"), terms.again(again, row.area_id)))
    if row.reason:
        facts.append(Fact(_("Reason"), REASON_WORDS.get(row.reason, row.reason)))
    if row.front:
        facts.append(Fact(_("Front office"), area_name(row.front)))
    facts += [Fact(_("Office"), area_name(row.area)),
              Fact(_("Officer in charge"), row.assignee.name if row.assignee else _("Nobody yet")),
              Fact(_("Opened"), _day(row.opened_at)), Fact(_("Due"), _due(row)),
              Fact(_("Policy"), bilingual((policy.source, policy.source_en)))]
    return [*facts, *_clocks(request, row)]


def _due(row: Case) -> Cell:
    """The day by which the next step is due, and the holidays without which it was counted."""
    cell, without = due_cell(row), unpublished(assumed.of_case(row)["due_on"])
    return replace(cell, note=f"{cell.note} · {without}") if without and row.ended_at is None else cell


def _person(request: Request, row: Case) -> Cell:
    may = row.holder_id and request.actor.may("holder.read") and request.actor.sees(row.area_id)
    return Cell(row.name, href=reverse("staff:holder", args=[row.holder_id]) if may else "")


def _clocks(request: Request, row: Case) -> list[Fact]:
    """The days that a case keeps, the other office of a move, the card."""
    facts, without = [], {field: unpublished(years) for field, years in assumed.of_case(row).items()}
    if row.phase:
        facts.append(Fact(_("Phase"), PHASE_WORDS.get(row.phase, str(row.phase))))
    if row.notice_from and row.notice_ends:
        sheet = reverse("staff:notice-sheet", args=[row.place.pk])
        days = f"{row.notice_from.isoformat()} – {row.notice_ends.isoformat()}"
        facts.append(Fact(_("Public notice"), Cell(days, note=without["notice_ends"]),
                          href=sheet if request.actor.sees(row.place.pk) else "", action=_("Print the sheet")))
    if row.freezes_on and row.lapses_on:
        facts += [Fact(_("Frozen after"), Cell(row.freezes_on.isoformat(), note=without["freezes_on"])),
                  Fact(_("Cancelled after"), Cell(row.lapses_on.isoformat(), note=without["lapses_on"]))]
    other = row.counterpart or getattr(row, "counterpart_of", None)
    if other is not None:
        tone, word = words.look("case", other.state)
        facts.append(Fact(_("At the other office"), Cell(word, tone=tone, note=area_name(other.area))))
    if row.card:
        tone, word = words.look("card", row.card.state)
        facts.append(Fact(_("Card"), Cell(word, tone=tone)))
    return facts


def _stages(row: Case) -> list[Stage]:
    """The stages of the kind under its policy: those behind the case, the one it is in, those to come."""
    line: list[tuple[str, str]] = []  # stage, the state from which its step leads on
    leads = {leg.step.action: leg.stage for leg in book.pinned(row.policy, row.kind_of_case).kind.legs}
    for step in row.table.steps:
        if step.action in leads:
            line.append((leads[step.action], step.source))
    names = list(dict.fromkeys(stage for stage, _source in line))
    at = next((names.index(stage) for stage, source in line if source == row.state), None)
    if row.ended_at:
        good = row.state in ("ordered", "approved", "rechecked", "arrived")
        return [Stage(STAGE_WORDS[name], "done" if good else "stopped" if place == len(names) - 1 else "done")
                for place, name in enumerate(names)]
    at = _aside(row, names) if at is None else at
    return [Stage(STAGE_WORDS[name], "done" if place < at else "now" if place == at else "todo")
            for place, name in enumerate(names)]


def _aside(row: Case, names: list[str]) -> int:
    """The stage of a state off the line: that of the step which leads back from it."""
    stages = {step.action: leg.stage for leg in book.pinned(row.policy, row.kind_of_case).kind.legs
              for step in (leg.step, *leg.aside)}
    found = next((stages[step.action] for step in row.table.steps if step.source == row.state), names[-1])
    return names.index(found) if found in names else len(names) - 1


def _missing(row: Case, needs: Sequence[Need]) -> list[Any]:
    """What is missing besides the papers: a photo is one of these where the kind of case asks for it."""
    if row.ended_at:
        return []
    missing = []
    leads_to_card = any(step.action == "order" for step in row.table.steps)
    told_of = _hidden(row) or "photo" in [need.paper for need in needs]
    if leads_to_card and not told_of and not (row.holder and row.holder.photo):
        missing.append(_("A photo: without one the card is held before it is made."))
    if row.certificate and row.certificate.state not in ("valid", "frozen") and row.kind_of_case != "restoration":
        missing.append(_("A valid certificate."))
    return missing


def _incomplete(lacking: Sequence[str]) -> list[tuple[Any, str]]:
    """Acceptance as a closed step, with the papers for which it waits."""
    return [(words.act("accept", "case"), gettext("Papers are missing: %(papers)s") % {"papers": ", ".join(lacking)})
            ] if lacking else []


def _why(row: Case, closed: Choice) -> str:
    """Why a step is closed to this officer, in one sentence; where another office takes it, which one."""
    if closed.code == "not-permitted":
        return str(PERMISSION_WHO.get(closed.step.permission, _("Another role does this step.")))
    if closed.code == "office-wrong" and (offices := fronts.offices_of(row, closed.step)):
        return gettext("Taken by: %(offices)s") % {"offices": ", ".join(map(area_name, offices))}
    return problem_words(PROBLEMS[closed.code])[0]


def _day(at: Any) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d")


@requires("case.confirm", "case.review", "case.approve", "case.open")
@require_POST
def step(request: Request, pk: int) -> HttpResponse:
    """Take one step of a case; the form names the action."""
    row, action = queries.get(pk, actor=request.actor), request.POST.get("action", "")
    told: dict[str, Any] = {"by": request.actor, "at": timezone.now()}
    form = ReasonForm(request.POST)
    if action == "verify":
        source = SourceForm(request.POST)
        if not source.is_valid():
            return _page(request, row, ReasonForm(), source)
        return _done(request, pk, action, lambda key: services.verify(
            row, **source.cleaned_data, request_id=key, **told))
    if action == "undo" or action in services.NEEDS_REASON or (action == "accept" and "reason" in request.POST):
        if not form.is_valid():
            return _page(request, row, form)
        told["reason"] = form.cleaned_data["reason"]
    take = partial(services.undo, row) if action == "undo" else partial(services.take, row, action)
    return _done(request, pk, action, lambda key: take(request_id=key, **told))


@requires("case.read")
@require_POST
def desk(request: Request, pk: int, action: str) -> HttpResponse:
    """Take the case on, from the colleague whom the page showed, or give it back."""
    row, seen = queries.get(pk, actor=request.actor), request.POST.get("seen", "")
    told: dict[str, Any] = {"by": request.actor, "at": timezone.now()}

    def do(key: UUID) -> Case:
        if action == "give-back":
            return services.give_back(row, request_id=key, **told)
        return services.take_on(row, seen=int(seen) if seen.isdecimal() else None, request_id=key, **told)

    return act(request, do, to=reverse("staff:case", args=[pk]), said=DESK_SAID[action])


DESK_SAID = {"take-on": _("The case is on your desk."), "give-back": _("The case is off your desk.")}


def _done(request: Request, pk: int, action: str, do: Any) -> HttpResponse:
    def once(key: UUID) -> Any:
        return do(key)
    return act(request, once, to=reverse("staff:case", args=[pk]), said=STEP_SAID.get(action, OTHERWISE))


urls = [
    path("cases/<int:pk>", case, name="case"),
    path("cases/<int:pk>/step", step, name="case-step"),
    path("cases/<int:pk>/take-on", desk, {"action": "take-on"}, name="case-take-on"),
    path("cases/<int:pk>/give-back", desk, {"action": "give-back"}, name="case-give-back"),
    path("cases/<int:pk>/book", book_day, name="case-book"),
]
