"""One case: where it stands, what is missing, what this officer may do now and why not the rest, what happened."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.assessment import queries as assessment
from zhengka.cases import assumed, book, queries, services
from zhengka.cases.models import Case
from zhengka.cases.workflow import UNDONE
from zhengka.core.errors import PROBLEMS
from zhengka.core.models import Event
from zhengka.papers import queries as portraits
from zhengka.papers.queries import Subject
from zhengka.papers.rules import Need
from zhengka.web.access import Request, act, requires, sure
from zhengka.web.staff import asking, beside, booking, history, letters, moving, papers
from zhengka.web.staff.assessment import terms
from zhengka.web.staff.case_words import KIND_WORDS, REASON_WORDS, STAGE_WORDS, STEP_SAID
from zhengka.web.staff.cases import due_cell
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.next_steps import (
    SHORTCUTS,
    ReasonForm,
    SourceForm,
    incomplete,
    main_act,
    named,
    reason_form,
    stands_in,
    verifying,
    why_closed,
)
from zhengka.web.staff.words import (
    PAPER_WORDS,
    PHASE_WORDS,
    bilingual,
    disability,
    masked,
    problem_line,
    unpublished,
)
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Fact, Stage, Text


@requires("case.read")
def case(request: Request, pk: int) -> HttpResponse:
    """The page of a case."""
    return _page(request, queries.get(pk, actor=request.actor))


def _page(request: Request, row: Case, wrong: tuple[str, ReasonForm] | None = None,
          source: SourceForm | None = None) -> HttpResponse:
    """The page, with the form of a step that was filled in wrongly, if one was."""
    needs = services.papers_needed(row) if row.ended_at is None else []
    brought = _papers(request, row, needs)
    here = reverse("staff:case", args=[row.pk])
    return render(request, "staff/case.html", {
        "title": row.name, "caption": KIND_WORDS[row.kind_of_case], "case": row,
        "seen": str(request.GET.get("seen") or row.version) if wrong else str(row.version),
        "wrong": wrong[1] if wrong else None,
        "stages": _stages(row), "facts": _facts(request, row), "missing": _missing(row, needs),
        **_offered(request, row, brought, dict([wrong] if wrong else []), source), "photo": _photo(request, row),
        "portrait": row.ended_at is None and row.holder_id is None and request.actor.may("case.confirm"),
        "papers": brought, "dispute": _dispute(request, row), "lost": beside.lost(request, row),
        "desk": _desk(request, row), "events": history.of_row(request, row, here=here),
        "letters": letters.section(request, [(row.kind(), row.pk)], here),
        "breadcrumbs": trail((_("Cases"), "staff:cases"))})


def _offered(request: Request, row: Case, brought: dict[str, Any], wrong: dict[str, ReasonForm],
             source: SourceForm | None) -> dict[str, Any]:
    """What the officer may do next, each with its button or form, the one that stands out, and why not the rest."""
    choices = [each for each in queries.choices(row, actor=request.actor)
               if each.step.permission != "case.clock" and each.step.action not in ("order", "end_notice", "arrive")
               and not (each.step.action == "confirm_move" and row.witness_person)]
    open_ = [each.step.action for each in choices if each.is_open]
    place = assessment.booked(row.pk, actor=request.actor) if row.ended_at is None else None
    first = assessment.unsigned(row.pk, actor=request.actor) if "countersign" in open_ else None
    lacking: list[Need] = brought.get("lacking", []) if "accept" in open_ else []
    buttons = [action for action in open_ if action not in services.NEEDS_REASON | services.BY_ASSESSMENT | {"verify"}
               and not (action == "accept" and lacking)]
    back = [action for action in open_ if action in services.NEEDS_REASON - services.BY_ASSESSMENT
            and action != "miss" and not (action in services.OF_A_DAY and place)]
    back += ["undo"] * (request.actor.may(UNDONE) and services.may_undo(row, by=request.actor))
    reasons = {action: reason_form(action) for action in (*back, "accept")} | wrong
    if "return_papers" in back:
        reasons["return_papers"].fields["reason"].initial = named(brought.get("lacking", []))
    if "undo" in back and row.kind_of_case == "cancellation":
        reasons["undo"].fields["reason"].help_text = beside.STAYS_ENDED
    may_book = place is None and services.waits_for_day(row) and request.actor.may("assessment.plan")
    other = asking.asking(request, row, choices) if row.ended_at is None else None
    return {
        "open": [(action, SHORTCUTS.get(action, "")) for action in buttons],
        "main": main_act(buttons, verify="verify" in open_, book=may_book, sign=first, place=place,
                         paper=brought.get("add") and any(need.paper != "photo" for need in lacking), photo=lacking),
        "back_steps": [(action, reasons[action]) for action in back], "accepting": reasons["accept"],
        "place": place, "first": first, "asking": other, "stands_in": stands_in(request.actor, row, choices),
        "source": source or SourceForm() if "verify" in open_ else None, "verifying": verifying(row.kind_of_case),
        "closed": [(words.act(each.step.action, "case"), why_closed(row, each))
                   for each in choices if not each.is_open and not (other and each.step.action == other.action)]
        + incomplete(lacking), "may_book": may_book,
        "no_day": booking.no_day(request, row) if may_book and not booking.days_for(row) else None,
        "lacking": [PAPER_WORDS[need.paper] for need in lacking] if all(need.may_follow for need in lacking) else []}


def _dispute(request: Request, row: Case) -> tuple[Any, str] | None:
    """Before whom the decision may be disputed now, in words, and the last day for it; None where it may not, or not
    by this officer.
    """
    kind = services.disputable(row, now := timezone.now()) if request.actor.may("case.open") else ""
    return (KIND_WORDS[kind], services.dispute_ends(kind, row, at=now).isoformat()) if kind else None


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


def _facts(request: Request, row: Case) -> list[Fact]:
    told, policy = services.told(row), book.policy(row.policy)
    facts = [Fact(_("Case number"), Cell(str(row.pk), number=True)), Fact(_("Person"), _person(request, row))]
    if "person" in told:
        facts.append(Fact(_("ID number"), Cell(masked(told["person"]["id_number"]), number=True)))
    facts += beside.facts(request, row)
    if row.certificate:
        facts.append(Fact(_("Category and grade"), disability(row.certificate.category, row.certificate.grade)))
    if wanted := told.get("wanted"):
        facts.append(Fact(_("Category applied for"), terms.category(wanted)))
    if row.found is not None:
        facts.append(Fact(_("Conclusion of the assessment"), disability(row.found["category"], row.found["grade"])
                          if row.found else _("Standard not met")))
    facts += _signed(request, row)
    if row.ended_at is None and (again := assessment.again(bytes(row.person_index))):
        facts.append(Fact(_("Another assessment"), terms.again(again, row.area_id)))
    if row.reason:
        facts.append(Fact(_("Reason"), REASON_WORDS.get(row.reason, row.reason)))
    if row.front:
        facts.append(Fact(_("Front office"), area_name(row.front)))
    facts += [Fact(_("Office"), area_name(row.area)),
              Fact(_("Officer in charge"), row.assignee.name if row.assignee else _("Nobody yet")),
              Fact(_("Opened"), _day(row.opened_at)), Fact(_("Due"), _due(row)), *_awaited(row),
              Fact(_("Policy"), bilingual((policy.source, policy.source_en)))]
    return [*facts, *_clocks(request, row)]


def _signed(request: Request, row: Case) -> list[Fact]:
    """The forms that were signed for a case, for who may read one: also where the doctors are another office's."""
    if not request.actor.may("assessment.read"):
        return []
    found = [result.assessment for result in assessment.results(row.pk, actor=request.actor)]
    return [Fact(_("Signed form"), Cell(one.institution_name, note=_day(one.signed_at), href=reverse(
        "staff:assessment", args=[one.pk]))) for one in found]


def _due(row: Case) -> Cell:
    """The day by which the next step is due, and the holidays without which it was counted."""
    cell, without = due_cell(row), unpublished(assumed.of_case(row)["due_on"])
    return replace(cell, note=f"{cell.note} · {without}") if without and row.ended_at is None else cell


def _awaited(row: Case) -> list[Fact]:
    """The day that the person was told for papers which are missing still."""
    until = services.papers_awaited(row)
    return [Fact(_("Papers to be brought by"), until.isoformat())] if until else []


def _person(request: Request, row: Case) -> Cell:
    may = row.holder and request.actor.may("holder.read") and request.actor.sees(row.holder.area_id)
    return Cell(row.name, href=reverse("staff:holder", args=[row.holder_id]) if may else "")


def _clocks(request: Request, row: Case) -> list[Fact]:
    """The days that a case keeps, the other office of a move, the card."""
    facts, without = [], {field: unpublished(years) for field, years in assumed.of_case(row).items()}
    if row.phase:
        facts.append(Fact(_("Phase"), PHASE_WORDS.get(row.phase, str(row.phase))))
    if row.notice_from and row.notice_ends:
        sheet = reverse("staff:notice-sheet", args=[row.place.pk])
        may_print = request.actor.may("case.confirm") and request.actor.sees(row.place.pk)
        days = f"{row.notice_from.isoformat()} – {row.notice_ends.isoformat()}"
        facts.append(Fact(_("Public notice"), Cell(days, note=without["notice_ends"]),
                          href=sheet if may_print else "", action=_("Print the sheet")))
    facts += moving.facts(row, without)
    if row.card:
        face = row.holder and request.actor.may("card.read") and request.actor.sees(row.holder.area_id)
        facts.append(Fact(_("Card"), moving.of_card(row.card.state), action=_("Look at the face of the card"),
                          href=reverse("staff:holder-face", args=[row.holder_id]) if face else ""))
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
        return _ended(row, names, line)
    at = _aside(row, names) if at is None else at
    return [Stage(STAGE_WORDS[name], "done" if place < at else "now" if place == at else "todo")
            for place, name in enumerate(names)]


def _ended(row: Case, names: list[str], line: list[tuple[str, str]]) -> list[Stage]:
    """The stages of a case that has ended: all done, or those up to the one whose step ended it."""
    if row.state in ("ordered", "approved", "rechecked", "arrived"):
        return [Stage(STAGE_WORDS[name], "done") for name in names]
    last = Event.objects.filter(subject="case", subject_id=row.pk, target=row.state).exclude(source=row.state).order_by(
        "version").last()
    action, source = (last.action, last.source) if last else ("", "")
    stage = _stages_of(row).get(action) or next((stage for stage, each in line if each == source), names[-1])
    at = names.index(stage) if stage in names else len(names) - 1
    return [Stage(STAGE_WORDS[name], "done" if place < at else "stopped" if place == at else "todo")
            for place, name in enumerate(names)]


def _aside(row: Case, names: list[str]) -> int:
    """The stage of a state off the line: that of the step which leads back from it."""
    stages = _stages_of(row)
    found = next((stages[step.action] for step in row.table.steps if step.source == row.state), names[-1])
    return names.index(found) if found in names else len(names) - 1


def _stages_of(row: Case) -> dict[str, str]:
    """Action of a step, also of one aside → its stage."""
    return {step.action: leg.stage for leg in book.pinned(row.policy, row.kind_of_case).kind.legs
            for step in (leg.step, *leg.aside)}


def _missing(row: Case, needs: Sequence[Need]) -> list[Any]:
    """What is missing besides the papers: a photo is one of these where the kind of case asks for it."""
    if row.ended_at:
        return []
    missing: list[Any] = beside.missing(row)
    if code := services.why_it_waits(row):
        missing.append(problem_line(PROBLEMS[code]))
    leads_to_card = any(step.action == "order" for step in row.table.steps)
    told_of = _hidden(row) or "photo" in [need.paper for need in needs]
    if leads_to_card and not told_of and not (row.holder and row.holder.photo):
        missing.append(_("A photo: without one the card is held before it is made."))
    if row.certificate and row.certificate.state not in ("valid", "frozen") and row.kind_of_case != "restoration":
        missing.append(_("A valid certificate."))
    return missing


def _day(at: Any) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d")


@requires("case.confirm", "case.review", "case.approve", "case.open")
@require_POST
def step(request: Request, pk: int) -> HttpResponse:
    """Take one step of a case; the form names the action."""
    row, action = queries.get(pk, actor=request.actor), request.POST.get("action", "")
    told: dict[str, Any] = {"by": request.actor, "at": timezone.now()}
    form = reason_form(action, request.POST)
    if action == "verify":
        source = SourceForm(request.POST)
        if not source.is_valid():
            return _page(request, row, source=source)
        return _done(request, pk, lambda key: services.verify(
            row, **source.cleaned_data, request_id=key, **told), STEP_SAID[action])
    if action == "undo" or action in services.NEEDS_REASON or (action == "accept" and "reason" in request.POST):
        if not form.is_valid():
            return _page(request, row, (action, form))
        told["reason"] = form.cleaned_data["reason"]
    seen = request.GET.get("seen", "")
    if action in GOES_ON and not sure(request) and (lacking := _lacking(request, row, action, seen)):
        return _incomplete(request, row, action, lacking)
    if seen.isdecimal():
        row.version = int(seen)
    take = partial(services.undo, row) if action == "undo" else partial(services.take, row, action)
    said = beside.STAYS_ENDED if (action, row.kind_of_case) == ("undo", "cancellation") else STEP_SAID.get(action, "")
    return _done(request, pk, lambda key: take(request_id=key, **told), said)


GOES_ON: dict[str, tuple[Text, Text]] = {
    "precheck": (_("Pass an application without its papers?"), _(
        "These papers are missing. Take them in first, or send the application back to be completed. If it goes on as "
        "it is, the county has to ask for them; the history keeps what was missing.")),
    "review": (_("Review a case without its papers?"), _(
        "These papers were to follow and are not there yet. Take them in first, or send the case back.")),
    "approve": (_("Approve a case without its papers?"), _(
        "These papers were to follow and are not there yet. Take them in first, or send the case back."))}
"""Step → what is asked before it is taken without papers, and what that means."""
NO_PHOTO = _("Without a photo the card is held before it is made.")


def _lacking(request: Request, row: Case, action: str, seen: str) -> Sequence[Need]:
    """The papers without which the case would go on by a step. A decision is asked about where they were to follow, and
    of who may take it and saw the case as it is: others hear why not.
    """
    if action == "precheck":
        return services.papers_missing(row)
    may = any(each.step.action == action and each.is_open for each in queries.choices(row, actor=request.actor))
    fresh = not seen.isdecimal() or int(seen) == row.version
    return services.papers_missing(row) if may and fresh and services.papers_awaited(row) else ()


def _incomplete(request: Request, row: Case, action: str, lacking: Sequence[Need]) -> HttpResponse:
    """What is missing is said before a case goes on without it, and whether it shall is asked."""
    title, meaning = GOES_ON[action]
    held = action != "precheck" and any(need.paper == "photo" for need in lacking) and "order" in row.table.actions
    return render(request, "staff/sure.html", {
        "title": title, "caption": row.name, "kind": "warning",
        "url": request.get_full_path(), "submit": words.act(action, "case"), "hidden": [("action", action)],
        "lines": [PAPER_WORDS[need.paper] for need in lacking], "back": reverse("staff:case", args=[row.pk]),
        "meaning": f"{meaning} {NO_PHOTO}" if held else meaning})


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


def _done(request: Request, pk: int, do: Any, said: Text) -> HttpResponse:
    def once(key: UUID) -> Any:
        return do(key)
    return act(request, once, to=reverse("staff:case", args=[pk]), said=said)


urls = [
    path("cases/<int:pk>", case, name="case"),
    path("cases/<int:pk>/step", step, name="case-step"),
    path("cases/<int:pk>/take-on", desk, {"action": "take-on"}, name="case-take-on"),
    path("cases/<int:pk>/give-back", desk, {"action": "give-back"}, name="case-give-back"),
]
