"""Cases (办理): lists by state with bulk acts, and one case with its steps."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.cases import queries, services
from zhengka.cases.models import Case
from zhengka.cases.services import Done
from zhengka.core.errors import PROBLEMS, Refusal
from zhengka.web.access import Request, act, requires
from zhengka.web.staff import acts, history
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import SIZE, page_by_place, place, ticked
from zhengka.web.staff.words import PHASE_WORDS, disability, problem_words
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Stage, Table

STATES = ("notified", "confirmed", "reviewed", "ordered", "closed")
"""The states that a case rests in, in the order of the work; approved and ordered are one moment (证卡同办)."""

BULK = {
    "confirm": (services.confirm_many, _("Confirm"), "c", _(
        "Photo and data of each holder were shown and are right. A case whose photo is missing can be confirmed; its "
        "card is then held until the photo is there.")),
    "review": (services.review_many, _("Review"), "r", _(
        "You are the first of two officers. The approval must come from another person.")),
    "approve": (services.approve_many, _("Approve"), "a", _(
        "Each holder gets a certificate of the third generation, and the card is ordered. Cases that you reviewed "
        "yourself are left for a colleague.")),
}
"""Act → service for many, word, shortcut, what the officer takes upon them."""

SHORTCUTS = {"confirm": "c", "review": "r", "approve": "a"}
NEEDS_REASON = ("send_back", "send_back_to_review", "close")


class ReasonForm(forms.Form):
    """Why a case goes back or ends."""

    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


@requires("case.read")
def index(request: Request) -> HttpResponse:
    """The cases of one state, with the bulk act that is open to this officer."""
    counts = queries.counts(request.actor)
    state = request.GET.get("state", "")
    if state not in STATES:
        state = next((each for each in STATES if _bulk_of(request, each) and counts.get(each)), STATES[0])
    rows, pager = page_by_place(request, queries.worklist(request.actor, state, after=place(request), limit=SIZE + 1),
                                total=counts.get(state, 0))
    action = _bulk_of(request, state)
    table = Table(words.look("case", state)[1], COLUMNS, [case_row(case) for case in rows], pager=pager,
                  select="chosen" if action else "", caption_hidden=True, empty=_("No case is in this state."))
    return render(request, "staff/cases.html", {
        "title": _("Cases"), "table": table, "state": state, "action": action, "total": counts.get(state, 0),
        "word": BULK[action][1] if action else "", "shortcut": BULK[action][2] if action else "",
        "tabs": [(each, words.look("case", each)[1], counts.get(each, 0)) for each in STATES],
        "may_open": request.actor.may("case.open")})


COLUMNS = [Column(_("Name")), Column(_("Category and grade")), Column(_("Office")), Column(_("Phase")),
           Column(_("Photo")), Column(_("In this state since"))]


def case_row(case: Case) -> Row:
    """One line of a list of cases."""
    moved = timezone.localtime(case.moved_at)
    days = (timezone.now() - case.moved_at).days
    return Row([
        Cell(case.holder.name, href=reverse("staff:case", args=[case.pk])),
        disability(case.certificate.category, case.certificate.grade), area_name(case.area),
        str(PHASE_WORDS.get(case.phase, case.phase)),
        _("There") if case.holder.photo else Cell(_("Missing"), tone=words.WAIT),
        Cell(moved.strftime("%Y-%m-%d"), note=ngettext("%(n)s day", "%(n)s days", days) % {"n": days} if days else "")],
        value=str(case.pk))


def _bulk_of(request: Request, state: str) -> str:
    """The bulk act that takes cases from `state`, if this officer may do it."""
    for action, source in services.SOURCES.items():
        if source == state and request.actor.may(Case.workflow.step(source, action).permission):
            return action
    return ""


@requires("case.confirm", "case.review", "case.approve")
@require_POST
def bulk(request: Request) -> HttpResponse:
    """Do one act for many cases: first a page that says how many and what it means, then the act.

    Ticked cases are done at once, and the answer tells what became of them: a page has 50, and a form at most 1,000
    fields, which is a second. All of an area may be 300,000, which is minutes: they are asked for, and a worker does
    them.
    """
    action, everything = request.POST.get("action", ""), request.POST.get("all") == "1"
    if action not in BULK:
        raise Refusal("step-not-open", action=action)
    service, word, _key, meaning = BULK[action]
    source = services.SOURCES[action]
    if not request.actor.may(Case.workflow.step(source, action).permission):
        raise Refusal("not-permitted", action=action)
    chosen = ticked(request, "chosen")
    back = f"{reverse('staff:cases')}?state={source}"
    if request.POST.get("sure") == "1":
        told: dict[str, Any] = {"by": request.actor, "at": timezone.now()}
        if everything:
            return acts.begin(request, lambda key: services.ask_all(action, request_id=key, **told))
        return act(request, lambda key: service(chosen, request_id=key, **told), to=back, said=_said)
    number = queries.counts(request.actor).get(source, 0) if everything else len(chosen)
    return render(request, "staff/cases_bulk.html", {
        "title": word, "number": number, "chosen": [] if everything else chosen, "all": everything, "action": action,
        "meaning": meaning, "back": back, "breadcrumbs": trail((_("Cases"), "staff:cases"))})


def _said(done: Done) -> str:
    """What a bulk act did, in one sentence and one more for each reason why some were left."""
    moved = ngettext("%(n)s case is done.", "%(n)s cases are done.", done.moved) % {"n": f"{done.moved:,}"}
    left = [gettext("%(n)s left alone: %(why)s.") % {"n": f"{number:,}", "why": problem_words(PROBLEMS[code])[0]}
            for code, number in done.left.items()]
    return " ".join([moved, *left])


@requires("case.read")
def case(request: Request, pk: int) -> HttpResponse:
    """One case: where it stands, what is missing, what may be done by whom, what happened."""
    return _case_page(request, queries.get(pk, actor=request.actor), ReasonForm())


def _case_page(request: Request, row: Case, form: ReasonForm) -> HttpResponse:
    choices = [each for each in queries.choices(row, actor=request.actor) if each.step.action != "order"]
    holder = reverse("staff:holder", args=[row.holder_id]) if request.actor.may("holder.read") else ""
    return render(request, "staff/case.html", {
        "title": row.holder.name, "caption": _("Exchange of the certificate for a card"), "case": row, "form": form,
        "stages": _stages(row), "facts": _facts(row, holder), "missing": _missing(row),
        "open": [(each.step.action, SHORTCUTS.get(each.step.action, "")) for each in choices
                 if each.is_open and each.step.action not in NEEDS_REASON],
        "back_steps": [each.step.action for each in choices if each.is_open and each.step.action in NEEDS_REASON],
        "closed": [(words.act(each.step.action), _why(each.code, each.step.permission))
                   for each in choices if not each.is_open],
        "events": history.of_row(request, row), "breadcrumbs": trail((_("Cases"), "staff:cases"))})


def _facts(row: Case, holder: str) -> list[Fact]:
    facts = [
        Fact(_("Holder"), Cell(row.holder.name, href=holder)),
        Fact(_("Category and grade"), disability(row.certificate.category, row.certificate.grade)),
        Fact(_("Office"), area_name(row.area)), Fact(_("Phase"), PHASE_WORDS.get(row.phase, str(row.phase))),
        Fact(_("Opened"), timezone.localtime(row.opened_at).strftime("%Y-%m-%d"))]
    if row.card:
        tone, word = words.look("card", row.card.state)
        facts.append(Fact(_("Card"), Cell(word, tone=tone)))
    return facts


def _stages(row: Case) -> list[Stage]:
    names = ("notified", "confirmed", "reviewed", "ordered")
    if row.state == "closed":
        return [Stage(words.look("case", "notified")[1], "done"), Stage(words.look("case", "closed")[1], "stopped")]
    at = names.index(row.state) if row.state in names else len(names) - 1
    done = row.state == "ordered"
    return [Stage(words.look("case", name)[1], "done" if place < at or done else "now" if place == at else "todo")
            for place, name in enumerate(names)]


def _missing(row: Case) -> list[Any]:
    missing = []
    if row.state == "closed":
        return []
    if not row.holder.photo:
        missing.append(_("A photo: without one the card is held before it is made."))
    if row.state != "ordered" and row.certificate.state != "valid":
        missing.append(_("A valid certificate of the second generation."))
    return missing


def _why(code: str, permission: str) -> str:
    """Why a step is closed to this officer, in one sentence."""
    if code == "not-permitted":
        return str(PERMISSION_WORDS.get(permission, _("Another role does this step.")))
    return problem_words(PROBLEMS[code])[0]


PERMISSION_WORDS = {"case.open": _("The clerk does this step."), "case.confirm": _("The clerk does this step."),
                    "case.review": _("The reviewer does this step."), "case.approve": _("The approver does this step.")}


@requires("case.confirm", "case.review", "case.approve", "case.open")
@require_POST
def step(request: Request, pk: int) -> HttpResponse:
    """Take one step of a case; the form names the action."""
    row, action = queries.get(pk, actor=request.actor), request.POST.get("action", "")
    if action not in SINGLE:
        raise Refusal("step-not-open", action=action)
    more: dict[str, Any] = {}
    if action in NEEDS_REASON:
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return _case_page(request, row, form)
        more = {"reason": form.cleaned_data["reason"]}

    def do(key: UUID) -> Any:
        return SINGLE[action](row, by=request.actor, request_id=key, at=timezone.now(), **more)

    return act(request, do, to=reverse("staff:case", args=[pk]), said=STEP_SAID[action])


SINGLE: dict[str, Any] = {
    "confirm": services.confirm, "review": services.review, "approve": services.approve, "close": services.close,
    "send_back": services.send_back, "send_back_to_review": services.send_back}
STEP_SAID = {
    "confirm": _("Photo and data are confirmed."), "review": _("The case is reviewed."),
    "approve": _("The case is approved and the card is ordered."), "close": _("The case is closed."),
    "send_back": _("The case went back to the clerk."), "send_back_to_review": _("The case went back to the reviewer."),
}

urls = [
    path("cases/", index, name="cases"),
    path("cases/bulk", bulk, name="cases-bulk"),
    path("cases/<int:pk>", case, name="case"),
    path("cases/<int:pk>/step", step, name="case-step"),
]
