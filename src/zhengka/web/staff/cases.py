"""Cases (办理): what is on an officer's desk, what waits for a role, soonest first, with bulk acts; the office's whole
list.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.cases import fronts, late, queries, services
from zhengka.cases.models import NO_LIMIT, Case
from zhengka.cases.queries import Place, Wanted
from zhengka.cases.services import Done
from zhengka.cases.workflow import KINDS, STATES
from zhengka.core.errors import Refusal
from zhengka.web.access import Request, act, requires
from zhengka.web.staff import acts
from zhengka.web.staff.case_words import KIND_WORDS
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import SIZE, ticked
from zhengka.web.staff.words import disability
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Pager, Row, Table, Text

MINE, OTHERS, OFFICE, ENDED = "mine", "others", "office", "ended"
"""Lists besides those of a step: one's own desk, what on it waits for others, all that is open in the area, and what
ended last.
"""

BULK = {
    "confirm": (services.confirm_many, _("Confirm"), "c", _(
        "Photo and data of each holder were shown and are right. A case whose photo is missing can be confirmed; its "
        "card is then held until the photo is there.")),
    "review": (services.review_many, _("Review"), "r", _(
        "You are the first of two officers. The approval must come from another person.")),
    "approve": (services.approve_many, _("Approve"), "a", _(
        "What was applied for is decided and done: certificates are opened or ended, cards are ordered. Cases that you "
        "reviewed yourself are left for a colleague.")),
}
"""Act → service for many, word, shortcut, what the officer takes upon them."""


@requires("case.read")
def index(request: Request) -> HttpResponse:
    """The officer's desk, what waits for the role by step, the open and the ended cases of the area; bulk acts where
    there are any.
    """
    duties, desks = queries.duties(request.actor), _desks(request)
    shown = _list_of(request, duties)
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    found = queries.on_desks(request.actor, desks[shown], after=place(request), limit=SIZE + 1) if (
        shown in desks) else _found(request, shown, kind)
    action = shown if shown in BULK and shown in duties else ""
    table = Table(_title(shown), COLUMNS, [case_row(case) for case in found[:SIZE]], pager=_pager(request, found),
                  select="chosen" if action else "", caption_hidden=True, empty=_("No case waits here."))
    return render(request, "staff/cases.html", {
        "title": _("Cases"), "table": table, "shown": shown, "action": action, "total": duties.get(shown, 0),
        "word": BULK[action][1] if action else "", "shortcut": BULK[action][2] if action else "",
        "tabs": [*((name, _title(name), queries.number_on_desks(request.actor, desk))
                   for name, desk in desks.items()),
                 *((step, words.act(step, "case"), number) for step, number in duties.items()
                   if number or step == shown)],
        "others": [(OFFICE, _title(OFFICE)), (ENDED, _title(ENDED))], "kind": kind,
        "kinds": [] if shown in desks else [(name, KIND_WORDS[name]) for name in KINDS], "forecast": _forecast(request),
        "left": _left(request, _("Left alone"), request.session.get(LEFT, {})) if "left" in request.GET else None,
        "may_open": request.actor.may("case.open"), "may_see_late": request.actor.may("plan.read"),
        "may_receive": request.actor.may("case.open") and fronts.received_kinds(request.actor, timezone.localdate())})


def _forecast(request: Request) -> late.Forecast:
    """The forecast of the officer's area, at most some minutes old: it adds up every day of every office."""
    key = f"forecast-{request.actor.lo}-{request.actor.hi}"
    found: late.Forecast | None = cache.get(key)
    if found is None:
        found = late.forecast(request.actor, at=timezone.now())
        cache.set(key, found, FRESH)
    return found


FRESH = 300
"""Seconds for which a forecast is shown again."""

COLUMNS = [Column(_("Name")), Column(_("Kind of case")), Column(_("Category and grade")), Column(_("Office")),
           Column(_("State")), Column(_("Officer in charge")), Column(_("Due"))]


def case_row(case: Case) -> Row:
    """One line of a list of cases."""
    tone, state = words.look("case", case.state)
    days = (timezone.now() - case.moved_at).days
    since = ngettext("for %(n)s day", "for %(n)s days", days) % {"n": days} if days else gettext("since today")
    certificate = case.certificate
    return Row([
        Cell(case.name, href=reverse("staff:case", args=[case.pk])), str(KIND_WORDS[case.kind_of_case]),
        disability(certificate.category, certificate.grade) if certificate else "—", _office(case),
        Cell(state, tone=tone, note=since), case.assignee.name if case.assignee else "—",
        due_cell(case)], value=str(case.pk))


def _office(case: Case) -> Cell:
    """The office that decides, and the one that received the case, where it is another."""
    note = gettext("received by %(office)s") % {"office": area_name(case.front)} if case.front else ""
    return Cell(area_name(case.area), note=note)


def due_cell(case: Case, today: date | None = None) -> Cell:
    """The day by which the next step is due, in words and tone: never by colour alone."""
    if case.ended_at:
        return Cell("—")
    if case.due_on is None:
        return Cell(_("no day set"), note=_("by the policy of the case"))
    left = (case.due_on - (today or timezone.localdate())).days
    if left < 0:
        note, tone = ngettext("%(n)s day late", "%(n)s days late", -left) % {"n": -left}, words.BAD
    else:
        note = ngettext("%(n)s day left", "%(n)s days left", left) % {"n": left} if left else gettext("today")
        tone = words.WAIT if left <= SOON else words.QUIET
    return Cell(note, tone=tone, note=case.due_on.isoformat())


SOON = 3
"""Days before its last one from which a case is marked."""


def _title(shown: str) -> Any:
    return TITLES.get(shown) or words.act(shown, "case")


TITLES = {MINE: _("On my desk"), OTHERS: _("Waiting for others"), OFFICE: _("All open cases of my area"),
          ENDED: _("Ended lately")}


def _desks(request: Request) -> dict[str, queries.Desk]:
    """List → the desk that it shows, with the cases of those for whom one stands in today."""
    return {MINE: queries.mine(request.actor, timezone.localdate()), OTHERS: queries.with_others(request.actor)}


def _list_of(request: Request, duties: dict[str, int]) -> str:
    """Which list is shown: the one asked for, else the first step for which something waits, else the office's."""
    asked = request.GET.get("step", "")
    if asked in duties or asked in TITLES:
        return asked
    return next((step for step, number in duties.items() if number), OFFICE)


def _found(request: Request, shown: str, kind: str) -> list[Case]:
    if shown == ENDED:
        return queries.ended(request.actor, limit=SIZE)
    wanted = Wanted(STATES, kind) if shown == OFFICE else queries.waiting_for(shown, request.actor, kind)
    return queries.worklist(request.actor, wanted, after=place(request), limit=SIZE + 1)


def place(request: Request) -> Place:
    """The place after which the page begins, from the address; the start for nonsense."""
    day, _bar, key = request.GET.get("after", "").partition(".")
    try:
        return Place(date.fromisoformat(day), int(key)) if key.isascii() and len(key) < 19 else Place()
    except ValueError:
        return Place()


def _pager(request: Request, found: list[Case]) -> Pager:
    query = {name: value for name, value in request.GET.items() if name not in ("after", "left")}
    last = found[SIZE - 1] if len(found) > SIZE else None
    after = f"{(last.due_on or NO_LIMIT).isoformat()}.{last.pk}" if last else ""
    return Pager(previous="?" + urlencode(query) if "after" in request.GET else "",
                 next="?" + urlencode({**query, "after": after}) if after else "", shown=min(len(found), SIZE))


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
    if not request.actor.may(f"case.{action}"):
        raise Refusal("not-permitted", action=action)
    chosen = ticked(request, "chosen")
    back = f"{reverse('staff:cases')}?step={action}"
    if request.POST.get("sure") == "1":
        told: dict[str, Any] = {"by": request.actor, "at": timezone.now()}
        if everything:
            return acts.begin(request, lambda key: services.ask_all(action, request_id=key, **told))
        def do(key: UUID) -> Done:
            done = service(chosen, request_id=key, **told)
            request.session[LEFT] = {str(pk): code for pk, code in done.who.items()}
            return done
        return act(request, do, to=f"{back}&left=1", said=_said)
    number = services.waiting(action, request.actor).count() if everything else len(chosen)
    return render(request, "staff/cases_bulk.html", {
        "title": word, "number": number, "left": None if everything else _left(
            request, _("These would be left alone"), services.foresee(
                action, chosen, by=request.actor, request_id=uuid4(), at=timezone.now()).who),
        "chosen": [] if everything else chosen, "all": everything, "action": action,
        "meaning": meaning, "back": back, "breadcrumbs": trail((_("Cases"), "staff:cases"))})


LEFT = "cases-left"
"""Key of the session: which cases the last act on ticked ones left alone, and why."""


def _left(request: Request, title: Text, who: Mapping[Any, str]) -> Table | None:
    """The cases that an act leaves alone, each with a link and the reason; None where there is none, or none that
    the officer sees.
    """
    by_id = {int(pk): code for pk, code in who.items()}
    found = queries.named(by_id, actor=request.actor)
    rows = [Row([Cell(case.name, href=reverse("staff:case", args=[case.pk])), str(KIND_WORDS[case.kind_of_case]),
                 acts.why_left(by_id[case.pk])]) for case in found]
    columns = [Column(_("Name")), Column(_("Kind of case")), Column(_("Why"))]
    return Table(title, columns, rows) if rows else None


def _said(done: Done) -> str:
    """What a bulk act did, in one sentence and one more for each reason why some were left."""
    moved = ngettext("%(n)s case is done.", "%(n)s cases are done.", done.moved) % {"n": f"{done.moved:,}"}
    left = [gettext("%(n)s left alone: %(why)s.") % {"n": f"{number:,}", "why": acts.why_left(code)}
            for code, number in done.left.items()]
    if unwritten := sum(done.unwritten.values()):
        left.append(ngettext("%(n)s letter could not be written: see the letters.",
                             "%(n)s letters could not be written: see the letters.", unwritten) % {
                                 "n": f"{unwritten:,}"})
    return " ".join([moved, *left])


urls = [
    path("cases/", index, name="cases"),
    path("cases/bulk", bulk, name="cases-bulk"),
]
