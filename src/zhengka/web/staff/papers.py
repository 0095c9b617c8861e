"""Papers (材料) of a holder or a case: what is there and what is missing, taken in, read for a purpose, withdrawn.

A page of a subject shows its papers by `section` and the template `staff/papers/section.html`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.cases import queries as cases
from zhengka.cases.services import papers_needed
from zhengka.core.errors import Refusal
from zhengka.papers import queries, services
from zhengka.papers.models import Paper
from zhengka.papers.queries import Subject
from zhengka.papers.reading import MOST_BYTES
from zhengka.papers.rules import Need
from zhengka.papers.services import Opened, Upload
from zhengka.registry import queries as registry
from zhengka.registry.models import Holder
from zhengka.web.access import Request, act, requires
from zhengka.web.staff import history, in_full
from zhengka.web.staff.in_full import PurposeForm, Reading
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.words import PAPER_WORDS, bilingual, moment, problem_line
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text

SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"
"""A paper comes from a stranger: whatever a browser takes it for, it runs nothing and loads nothing."""


LISTS: dict[str, tuple[Text, str]] = {"holder": (_("Holders"), "staff:holders"), "case": (_("Cases"), "staff:cases")}
"""Page of a subject → words and name of the list above it."""


@dataclass(frozen=True)
class Owner:
    """To whom papers belong: the subject, the name of the page that shows it, its words, the holder, if there is a
    record of one, whether it is over: what was decided on stays as it was (办法 art. 9(5)), and the papers it needs.
    """

    subject: Subject
    page: str
    title: str
    holder: Holder | None
    over: bool = False
    needs: Sequence[Need] = ()

    @property
    def href(self) -> str:
        """Address of the page that shows it."""
        return reverse(f"staff:{self.page}", args=[self.subject.pk])

    @property
    def crumbs(self) -> list[dict[str, Any]]:
        """The way to a page of one of its papers."""
        return [*trail(LISTS[self.page]), {"label": self.title, "href": self.href}]


def _holder(request: Request, pk: int) -> Owner:
    row = registry.holder(pk, actor=request.actor)
    return Owner(Subject(row.kind(), row.pk, row.area_id), "holder", row.name, row)


def _case(request: Request, pk: int) -> Owner:
    row = cases.get(pk, actor=request.actor)
    subject = Subject(row.kind(), row.pk, row.area_id, row.front_id)
    return Owner(subject, "case", row.name, row.holder, row.ended_at is not None, papers_needed(row))


OWNERS: dict[str, Callable[[Request, int], Owner]] = {"holder": _holder, "case": _case}
"""Kind of a subject → the one of this id, if the officer may see it."""


class WithdrawForm(forms.Form):
    """Why a paper is taken back."""

    reason = forms.CharField(label=_("Reason"), max_length=200)


class PaperForm(forms.Form):
    """A paper that somebody brought; the first one that is missing is `proposed`, so that a stack goes in by one key
    and a file each.
    """

    kind = forms.ChoiceField(label=_("Kind of paper"), choices=[
        ("", "—"), *((code, word) for code, word in PAPER_WORDS.items() if code != "photo")])
    file = forms.FileField(label=_("File"), help_text=_(
        "A scan or photo as JPEG, PNG, WebP or PDF: at most 20 MB, 25 million pixels, 50 pages. It is made anew: "
        "camera data, scripts and links are taken out."))

    def __init__(self, *args: Any, proposed: str = "", **options: Any) -> None:
        """The focus is on what is not known yet."""
        super().__init__(*args, **options)
        self.fields["kind"].initial = proposed
        self.fields["file" if proposed else "kind"].widget.attrs["autofocus"] = True


def section(request: Request, subject: Subject, *, needs: Sequence[Need] = (), photo: bool = False,
            over: bool = False) -> dict[str, Any]:
    """Context of `staff/papers/section.html`, as `papers`: the papers of a row, and which of `needs` are missing, as
    they are shown (`missing`) and as they are (`lacking`).

    `photo`: the person's record holds a photo; `over`: no more papers are taken in. Empty for who may not see cases.
    """
    if not request.actor.may("case.read"):
        return {}
    columns = [Column(_("Paper")), Column(_("Received on")), Column(_("Pages"), numeric=True), Column(_("State"))]
    table = Table(_("Papers"), columns, [_row(paper) for paper in queries.papers_of(subject)], caption_hidden=True,
                  empty=_("No paper was taken in yet."))
    missing = queries.missing(needs, subject, photo=photo) if needs else []
    may_add = not over and request.actor.may("case.open")
    return {"table": table, "lacking": missing,
            "missing": [(PAPER_WORDS[need.paper], bilingual((need.clause_zh, need.clause))) for need in missing],
            "add": reverse(f"staff:{subject.kind}-paper", args=[subject.pk]) if may_add else ""}


def _row(paper: Paper) -> Row:
    tone, word = words.look("paper", paper.state)
    return Row([Cell(PAPER_WORDS[paper.kind_of_paper], href=reverse("staff:paper", args=[paper.pk])),
                timezone.localtime(paper.received_at).strftime("%Y-%m-%d"), paper.pages, Cell(word, tone=tone)])


@requires("case.open")
def holder_paper(request: Request, pk: int) -> HttpResponse:
    """Take in a paper of a holder."""
    return _add(request, _holder(request, pk))


@requires("case.open")
def case_paper(request: Request, pk: int) -> HttpResponse:
    """Take in a paper of a case."""
    return _add(request, _case(request, pk))


def refuse_over(owner: Owner) -> None:
    """`Refusal("step-not-open")` where what the papers are for is over."""
    if owner.over:
        raise Refusal("step-not-open", subject=owner.subject.kind)


def _add(request: Request, owner: Owner) -> HttpResponse:
    refuse_over(owner)
    missing = [need.paper for need in queries.missing(owner.needs, owner.subject, photo=True)]
    form = PaperForm(*((request.POST, request.FILES) if request.method == "POST" else ()),
                     proposed=next(iter(missing), ""))
    if form.is_valid():
        file: UploadedFile[bytes] = form.cleaned_data["file"]
        upload = Upload(form.cleaned_data["kind"], file.name or "", file.read(MOST_BYTES + 1))
        try:
            return act(request, lambda key: services.add_paper(
                owner.subject, upload, by=request.actor, request_id=key, at=timezone.now()),
                to=owner.href, said=_("The paper is kept."))
        except Refusal as no:
            explain(form, "file", no)
    return render(request, "staff/form.html", {
        "title": _("Take in a paper"), "caption": owner.title, "form": form, "submit": _("Keep the paper"),
        "back": owner.href, "breadcrumbs": owner.crumbs})


def explain(form: forms.Form, field: str, no: Refusal) -> None:
    """What is wrong with a file is a fault of its field; every other refusal is a page of its own."""
    if not no.code.startswith(("paper-", "photo-")):
        raise no
    form.add_error(field, problem_line(no.problem))


@requires("case.read")
def paper(request: Request, pk: int) -> HttpResponse:
    """One paper: what is known of it, and its history; its content is read for a purpose."""
    return _page(request, queries.paper(pk, actor=request.actor))


def _page(request: Request, row: Paper, *, purpose: PurposeForm | None = None,
          withdraw: WithdrawForm | None = None) -> HttpResponse:
    there = row.state == Paper.workflow.initial
    owner = OWNERS[row.subject](request, row.subject_id)
    return render(request, "staff/papers/paper.html", {
        "title": PAPER_WORDS[row.kind_of_paper], "caption": owner.title, "paper": row, "facts": _facts(row),
        "in_full": Reading(_("Read the paper"), _("Save the file"), reverse("staff:paper-read", args=[row.pk]),
                           purpose or PurposeForm(), open=True) if there else None,
        "withdraw_form": (withdraw or WithdrawForm()) if there and not owner.over and request.actor.may(
            "case.open") else None,
        "events": history.of_row(request, row), "breadcrumbs": owner.crumbs})


def _facts(row: Paper) -> list[Fact]:
    facts: list[tuple[Text, Any]] = [
        (_("Office"), area_name(row.area)), (_("Name of the file"), queries.name_of(row)),
        (_("Received at"), moment(row.received_at)),
        (_("Pages"), row.pages), (_("Size"), f"{max(row.size // 1024, 1):,} KB")]
    return [Fact(label, value) for label, value in facts]


@requires("case.read")
@require_POST
def read(request: Request, pk: int) -> HttpResponse:
    """The paper itself, as a file to save; an event keeps who read it and why."""
    row = queries.paper(pk, actor=request.actor)
    return in_full.read(request, partial(services.open_paper, row), page=lambda form: _page(request, row, purpose=form),
                        shown=_file, back=reverse("staff:paper", args=[pk]))


def _file(opened: Opened) -> HttpResponse:
    response = HttpResponse(opened.data, content_type=opened.media)
    response.headers["Content-Disposition"] = content_disposition_header(True, opened.name) or "attachment"
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@requires("case.open")
@require_POST
def withdraw(request: Request, pk: int) -> HttpResponse:
    """Take a paper back for a reason."""
    row, form = queries.paper(pk, actor=request.actor), WithdrawForm(request.POST)
    refuse_over(OWNERS[row.subject](request, row.subject_id))
    if not form.is_valid():
        return _page(request, row, withdraw=form)
    return act(request, lambda key: services.withdraw_paper(
        row, reason=form.cleaned_data["reason"], by=request.actor, request_id=key, at=timezone.now()),
        to=reverse("staff:paper", args=[pk]), said=_("The paper is withdrawn, and its file is removed."))


urls = [
    path("holders/<int:pk>/paper", holder_paper, name="holder-paper"),
    path("cases/<int:pk>/paper", case_paper, name="case-paper"),
    path("papers/<int:pk>", paper, name="paper"),
    path("papers/<int:pk>/read", read, name="paper-read"),
    path("papers/<int:pk>/withdraw", withdraw, name="paper-withdraw"),
]
