"""Holders (持证人): searched without leaving a trace of the number, shown masked, read in full for a purpose."""

import re
from functools import partial
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from zhengka.cards import queries as cards
from zhengka.cards.models import Card
from zhengka.cases import queries as cases
from zhengka.cases import search
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.papers.queries import Subject
from zhengka.registry import queries, services
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.photos import FAULTS
from zhengka.registry.services import InFull
from zhengka.web.access import Request, requires
from zhengka.web.staff import activations, handing, history, letters, papers, wishes
from zhengka.web.staff import in_full as reading
from zhengka.web.staff.case_words import FROZEN_WORDS, KIND_WORDS
from zhengka.web.staff.in_full import PurposeForm, Reading
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.opening import kinds_for
from zhengka.web.staff.paging import SIZE, cursor
from zhengka.web.staff.reader import holder_panel, with_reader
from zhengka.web.staff.words import SEX_WORDS, bilingual, disability, masked
from zhengka.web.ui import words
from zhengka.web.ui.forms import SearchField
from zhengka.web.ui.parts import Cell, Column, Fact, Pager, Row, Table

SOUGHT = "sought"
"""The session's key for the sealed words of the last search."""
CONTEXT = "session.sought"
SERIAL = re.compile(r"[0-9]{16}")
DESK_STEPS = {"activate": "primary", "report_lost": "warning-quiet", "report_found": "secondary"}
"""Steps of a card that are taken at the desk, and how their buttons look."""


class SearchForm(forms.Form):
    """What an officer knows of the person."""

    q = SearchField(label=_("Find a person, a case or a card"), max_length=64, required=True, help_text=_(
        "Name, pinyin (zhangsan), initials (zs), ID number, any certificate number that the person ever had, a case "
        "number, or a card's serial. Applicants without a record yet are found by name or ID number."))


@requires("holder.read")
@sensitive_post_parameters("q")
def index(request: Request) -> HttpResponse:
    """The search. What was typed is kept sealed in the session, never in an address; one hit opens at once."""
    if request.method == "POST":
        form = SearchForm(request.POST)
        if form.is_valid():
            request.session[SOUGHT] = fields.close(form.cleaned_data["q"], CONTEXT).hex()
            return HttpResponseRedirect(_only(request, form.cleaned_data["q"]) or reverse("staff:holders"))
        return _results(request, form, "")
    sealed = request.session.get(SOUGHT, "")
    text = fields.open_(bytes.fromhex(sealed), CONTEXT) if sealed else ""
    return _results(request, SearchForm(initial={"q": text}), text)


def _only(request: Request, text: str) -> str:
    """Address of the one page that the words mean: a card, a case, a holder, an applicant; empty where none or several
    are meant.
    """
    if card := _card_of(request, text):
        return reverse("staff:card", args=[card.pk])
    if case := search.by_number(text, actor=request.actor):
        return reverse("staff:case", args=[case.pk])
    hits = [reverse("staff:holder", args=[one.pk]) for one in queries.find(text, actor=request.actor, limit=2)]
    hits += [reverse("staff:case", args=[one.pk]) for one in search.of_applicants(text, actor=request.actor, limit=2)]
    return hits[0] if len(hits) == 1 else ""


def _card_of(request: Request, text: str) -> Card | None:
    """The card whose serial was typed, as it is printed in groups or not; None for anything else."""
    serial = text.replace(" ", "")
    if not SERIAL.fullmatch(serial) or not request.actor.may("card.read"):
        return None
    try:
        return cards.by_serial(serial, actor=request.actor)
    except Refusal:
        return None


def _results(request: Request, form: SearchForm, text: str) -> HttpResponse:
    after = cursor(request)
    found = queries.find(text, actor=request.actor, after=after, limit=SIZE + 1) if text else []
    shown, here = found[:SIZE], reverse("staff:holders")
    pager = Pager(previous=here if after else "", next=f"?after={shown[-1].pk}" if len(found) > SIZE else "",
                  shown=len(shown))
    columns = [Column(_("Name")), Column(_("ID number")), Column(_("Sex")), Column(_("Date of birth")),
               Column(_("Office")), Column(_("Open case")), Column(_("Photo"))]
    cases_of = search.open_of([one.pk for one in shown], actor=request.actor)
    applied = search.of_applicants(text, actor=request.actor, limit=SIZE + 1) if text and not after else []
    table = Table(_("Holders found"), columns, [_row(one, cases_of.get(one.pk, [])) for one in shown], pager=pager,
                  empty=_("Nobody in your area is found by these words. Check the spelling, or search by number."))
    return render(request, "staff/holders.html", {
        "title": _("Holders"), "form": form, "table": table if text and (shown or not applied) else None,
        "applied": _applied(applied[:SIZE]) if applied else None, "more": len(applied) > SIZE})


def _applied(rows: list[Case]) -> Table:
    """Cases of people whose record is not here, or not yet anywhere."""
    columns = [Column(_("Name")), Column(_("Case number")), Column(_("Kind of case")), Column(_("Office")),
               Column(_("State"))]

    def line(one: Case) -> Row:
        tone, word = words.look("case", one.state)
        return Row([Cell(one.name, href=reverse("staff:case", args=[one.pk])), Cell(str(one.pk), number=True),
                    str(KIND_WORDS[one.kind_of_case]), area_name(one.area), Cell(word, tone=tone)])

    return Table(_("Cases of applicants without a record here"), columns, [line(one) for one in rows])


def _case_cell(its: list[Case]) -> Cell | str:
    """The newest open case as a link, and how many more there are."""
    if not its:
        return "—"
    more = ngettext("and %(n)s more", "and %(n)s more", len(its) - 1) % {"n": len(its) - 1} if its[1:] else ""
    return Cell(KIND_WORDS[its[0].kind_of_case], href=reverse("staff:case", args=[its[0].pk]), note=more)


def _row(holder: Holder, its: list[Case]) -> Row:
    number = masked(fields.open_(bytes(holder.id_number), "holder.id_number"))
    return Row([Cell(holder.name, href=reverse("staff:holder", args=[holder.pk])), Cell(number, number=True),
                str(SEX_WORDS[holder.sex]),
                Cell(holder.birth_date.isoformat(), number=True), area_name(holder.area), _case_cell(its),
                _photo_cell(holder)])


def _photo_cell(holder: Holder) -> Cell:
    return Cell(_("There")) if holder.photo else Cell(_("Missing"), tone=words.WAIT)


@requires("holder.read")
def holder(request: Request, pk: int) -> HttpResponse:
    """One holder: the person masked, certificates, cards with their steps, cases, everything that happened."""
    return _page(request, queries.holder(pk, actor=request.actor))


@requires("holder.read")
@require_POST
def in_full(request: Request, pk: int) -> HttpResponse:
    """The same page with the numbers in full, once, for a purpose that the event keeps."""
    row = queries.holder(pk, actor=request.actor)
    return reading.read(request, partial(services.read_in_full, row),
                        page=lambda form: _page(request, row, purpose=form),
                        shown=lambda clear: _page(request, row, clear=clear), back=reverse("staff:holder", args=[pk]))


@requires("holder.read")
def photo(request: Request, pk: int) -> HttpResponse:
    """The holder's portrait."""
    row = queries.holder(pk, actor=request.actor)
    if not row.photo:
        raise Refusal("not-found")
    return HttpResponse(queries.portrait(row.photo), content_type="image/jpeg")


def _page(request: Request, row: Holder, *, clear: InFull | None = None,
          purpose: PurposeForm | None = None) -> HttpResponse:
    certificates = queries.certificates(row)
    its_cards, its_cases = list(cards.of_holder(row.pk)), list(cases.of_holder(row.pk))
    also = [("card", each.pk) for each in its_cards] + [("case", each.pk) for each in its_cases]
    told, here = queries.history(row, also), reverse("staff:holder", args=[row.pk])
    links, closed = kinds_for(row) if request.actor.may("case.open") else ([], [])
    may_photograph = request.actor.may("case.confirm") and row.state == "registered"
    panel = holder_panel(request, its_cards)
    page = render(request, "staff/holder.html", {
        "title": row.name, "caption": _("Holder"), "holder": row, "clear": clear,
        "facts": [*_facts(row, clear), wishes.fact(request, row, clear)],
        "in_full": None if clear else Reading(_("Show numbers, phone and address in full"), _("Show in full"), reverse(
            "staff:holder-in-full", args=[row.pk]), purpose or PurposeForm()),
        "may_photograph": may_photograph, "papers": papers.section(request, Subject(row.kind(), row.pk, row.area_id)),
        "photo_fault": bilingual(FAULTS.get(row.photo_fault, (row.photo_fault,) * 2)) if row.photo_fault else "",
        "certificates": _certificates(certificates, clear),
        "frozen": next((FROZEN_WORDS[one.frozen_for] for one in certificates if one.state == "frozen"), None),
        "cards": [_card(request, each) for each in its_cards],
        "letters": letters.section(request, [(row.kind(), row.pk), *also], here),
        "cases": _cases(its_cases), "kinds": links, "closed_kinds": closed,
        "events": history.of_rows(request, told, here=here),
        "panel": panel, "may_face": request.actor.may("card.read") and bool(certificates),
        "breadcrumbs": trail((_("Holders"), "staff:holders"))})
    return with_reader(page) if panel else page


def _facts(row: Holder, clear: InFull | None) -> list[Fact]:
    number = clear.id_number if clear else masked(fields.open_(bytes(row.id_number), "holder.id_number"))
    facts = [Fact(_("ID number"), Cell(number, number=True)), Fact(_("Sex"), SEX_WORDS[row.sex]),
             Fact(_("Date of birth"), row.birth_date.isoformat()), Fact(_("Ethnicity"), row.ethnicity or "—"),
             Fact(_("Office"), area_name(row.area)),
             Fact(_("Registered on"), timezone.localtime(row.registered_at).strftime("%Y-%m-%d"))]
    if clear is None:
        return facts
    guardian = " ".join(filter(None, [clear.guardian_name, clear.guardian_phone]))
    return [*facts, Fact(_("Phone"), Cell(clear.phone or "—", number=True)), Fact(_("Address"), clear.address or "—"),
            Fact(_("Guardian"), guardian or "—")]


def _certificates(rows: list[Certificate], clear: InFull | None) -> Table:
    columns = [Column(_("Number")), Column(_("Category and grade")), Column(_("Issued")), Column(_("Valid until")),
               Column(_("State"))]
    generation = {2: _("Second generation"), 3: _("Third generation")}

    def line(one: Certificate) -> Row:
        tone, word = words.look("certificate", one.state)
        number = clear.certificates.get(one.pk, "") if clear else queries.number_of(one)
        return Row([Cell(number, number=True, note=generation[one.generation]), disability(one.category, one.grade),
                    Cell(one.issued_on.isoformat(), number=True), Cell(one.valid_until.isoformat(), number=True),
                    Cell(word, tone=tone)])

    return Table(_("Certificates"), columns, [line(one) for one in rows], caption_hidden=True)


def _card(request: Request, card: Card) -> dict[str, Any]:
    """One card with the desk steps that are open to this officer."""
    steps = card.workflow.open_to(card.state, request.actor.permissions)
    may_open = request.actor.may("card.read")
    return {"row": card, "activation": activations.facts(card),
            "href": reverse("staff:card", args=[card.pk]) if may_open else "",
            "prove": handing.place_to_prove(request, card),
            "steps": [(step.action, DESK_STEPS[step.action], reverse("staff:card-step", args=[card.pk, step.action]))
                      for step in steps if step.action in DESK_STEPS and _may(step.action, card)]}


def _may(action: str, card: Card) -> bool:
    """False for a step that would be refused: too early, or of a certificate that is frozen or has ended."""
    return action != "activate" or cards.may_be_activated(card, timezone.now())


def _cases(rows: list[Any]) -> Table:
    columns = [Column(_("Case")), Column(_("Opened")), Column(_("State"))]

    def line(one: Any) -> Row:
        tone, word = words.look("case", one.state)
        return Row([Cell(KIND_WORDS[one.kind_of_case], href=reverse("staff:case", args=[one.pk])),
                    timezone.localtime(one.opened_at).strftime("%Y-%m-%d"), Cell(word, tone=tone)])

    return Table(_("Cases"), columns, [line(one) for one in rows], caption_hidden=True)


urls = [
    path("holders/", index, name="holders"),
    path("holders/<int:pk>", holder, name="holder"),
    path("holders/<int:pk>/in-full", in_full, name="holder-in-full"),
    path("holders/<int:pk>/photo", photo, name="holder-photo"),
]
