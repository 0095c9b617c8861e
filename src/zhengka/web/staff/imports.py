"""Imports (数据导入): a file goes in, its progress is seen live, its rows come out counted; photos by the pack."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas.models import Area
from zhengka.areas.queries import issuing_units
from zhengka.core.errors import PROBLEMS, Refusal
from zhengka.core.events import Replayed
from zhengka.registry import queries, services
from zhengka.registry.models import Import
from zhengka.web.access import Request, mine, request_key, requires
from zhengka.web.staff import acts, history
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.words import bilingual, moment, problem_line, problem_words
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Tile

OUTCOMES = (("created", "good", _("new holders")), ("merged", "active", _("added to a holder who was there")),
            ("unchanged", "quiet", _("known already")), ("refused", "wait", _("to be corrected and sent again")))

MET: dict[str, Any] = {"missing": _("Missing: %(what)s"), "found": _("Found: %(what)s"), "bytes": _("Bytes: %(what)s"),
                       "most": _("At most: %(what)s"), "expected": _("Columns that are needed: %(what)s")}
"""Fact of a refused file → its words."""


class Offices(forms.Select):
    """A list of offices whose issuing units carry the names and the code by which a file's name may mean them."""

    def create_option(self, *args: Any, **options: Any) -> dict[str, Any]:
        """As a list does; the value of each option knows its office."""
        made = super().create_option(*args, **options)
        area = getattr(made["value"], "instance", None)
        if area is not None and area.issuing:
            made["attrs"]["data-names"] = "\n".join((area.name, area.name_en, area.unit6))
        return made


class FileForm(forms.Form):
    """A file for one office, which its name suggests where it holds exactly one unit's name."""

    file = forms.FileField(label=_("File"), widget=forms.FileInput(attrs={
        "data-suggests": "id_area", "data-suggests-said": _("Chosen by the name of the file.")}))
    area = forms.ModelChoiceField(label=_("For which office"), queryset=Area.objects.none(), widget=Offices)

    def __init__(self, *args: Any, areas: QuerySet[Area], hint: Any, **kwargs: Any) -> None:
        """Offer the offices of the officer's area."""
        super().__init__(*args, **kwargs)
        self.fields["area"].queryset = areas  # type: ignore[attr-defined]
        self.fields["area"].label_from_instance = area_name  # type: ignore[attr-defined]
        self.fields["file"].help_text = hint


def _form(request: Request, hint: Any) -> FileForm:
    """The form; the office of an officer's own unit is chosen already, who has several is asked for which the file is,
    and may send one for all of them.
    """
    units = [unit.code for unit in issuing_units(request.actor.lo, request.actor.hi)]
    own = request.user.area_id  # type: ignore[union-attr]
    areas = mine(request, Area.objects.filter(code__in=[*units, own]), area="code").order_by("code")
    data = (request.POST, request.FILES) if request.method == "POST" else ()
    only = next(iter(areas)).pk if len(areas) == 1 else None
    return FileForm(*data, areas=areas, hint=hint, initial={"area": own if own in units else only})


@requires("import.run")
def index(request: Request) -> HttpResponse:
    """Every import of one's area, newest first."""
    rows, pager = page_of(request, queries.imports(actor=request.actor), newest=True)
    columns = [Column(_("File")), Column(_("Office")), Column(_("Received at")), Column(_("State")),
               Column(_("Rows"), numeric=True), Column(_("Created"), numeric=True), Column(_("Merged"), numeric=True),
               Column(_("Unchanged"), numeric=True), Column(_("Refused"), numeric=True)]
    table = Table(_("Imports"), columns, [_row(record) for record in rows], pager=pager, caption_hidden=True,
                  empty=_("No file has been imported yet."))
    return render(request, "staff/imports.html", {
        "title": _("Imports"), "table": table, "may_photograph": request.actor.may("case.confirm")})


def _row(record: Import) -> Row:
    tone, word = words.look("import", record.state)
    counts = [record.rows, record.created, record.merged, record.unchanged, record.refused]
    return Row([Cell(record.filename, href=reverse("staff:import", args=[record.pk])), area_name(record.area),
                moment(record.received_at), Cell(word, tone=tone),
                *([f"{count:,}" for count in counts] if record.state == "done" else ["—"] * 5)])


@requires("import.run")
def new(request: Request) -> HttpResponse:
    """Send a file of second-generation records."""
    form = _form(request, gettext(
        "Excel (.xlsx) or CSV, with the columns as your office has them. It is taken whole or not at all; a file that "
        "was imported before changes nothing. Columns that are needed: %(columns)s") % {
            "columns": queries.import_columns()})
    if request.method == "POST" and form.is_valid():
        try:
            return _receive(request, form.cleaned_data["file"], form.cleaned_data["area"])
        except Refusal as refusal:
            _explain(form, refusal)
    return render(request, "staff/form.html", {
        "title": _("Import a file"), "form": form, "submit": _("Send the file"), "back": reverse("staff:imports"),
        "templates": [(kind, reverse("staff:import-template", args=[kind])) for kind in KINDS],
        "breadcrumbs": trail((_("Imports"), "staff:imports"))})


@requires("import.run")
def template(_request: Request, form: str) -> HttpResponse:
    """An empty file with every column that is read."""
    response = HttpResponse(queries.import_template(form), content_type=KINDS.get(form, ""))
    name = gettext("template.%(form)s") % {"form": form}
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response


KINDS = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
"""Form of a file of holders → its media type."""


def _receive(request: Request, file: "UploadedFile[bytes]", area: Area) -> HttpResponse:
    try:
        record = services.receive_import(file.name or "", file.file, area, by=request.actor,  # type: ignore[arg-type]
                                         request_id=request_key(request), at=timezone.now())
    except Replayed as again:
        return HttpResponseRedirect(reverse("staff:import", args=[again.event.subject_id]))
    return HttpResponseRedirect(reverse("staff:import", args=[record.pk]))


def _explain(form: FileForm, refusal: Refusal) -> None:
    """A file that is refused is a fault of the field; every other refusal is a page of its own."""
    if not refusal.code.startswith(("file-", "archive-", "columns-", "header-")):
        raise refusal
    form.add_error("file", problem_line(refusal.problem))


@requires("import.run")
def import_(request: Request, pk: int) -> HttpResponse:
    """One import: its progress while it runs, then what became of its rows."""
    record = queries.import_(pk, actor=request.actor)
    reasons = queries.import_reasons(record)
    problem = problem_words(PROBLEMS[record.problem]) if record.problem else None
    return render(request, "staff/import.html", {
        "title": record.filename, "caption": _("Import"), "record": record, "facts": _facts(record),
        "tiles": [Tile(words.look("row", name)[1], getattr(record, name), note=note, tone=tone if
                       getattr(record, name) else "") for name, tone, note in OUTCOMES],
        "reasons": [(bilingual(reason), number) for _code, reason, number in reasons], "problem": problem,
        "met": [str(MET.get(name, "%(what)s")) % {"what": fact} for name, fact in record.problem_facts.items()],
        "poll": reverse("staff:import-progress", args=[pk]), "events": history.of_row(request, record),
        "breadcrumbs": trail((_("Imports"), "staff:imports"))})


def _facts(record: Import) -> list[Fact]:
    finished = moment(record.finished_at, seconds=True)
    received = moment(record.received_at, seconds=True)
    return [Fact(_("Office"), area_name(record.area)), Fact(_("Rows"), record.rows or "—"),
            Fact(_("Received at"), received), Fact(_("Finished at"), finished),
            Fact(_("Digest of the file"), Cell(record.digest[:16] + "…", number=True))]


@requires("import.run")
def progress(request: Request, pk: int) -> HttpResponse:
    """The progress bar alone, asked for each second; at the end the whole page is loaded again."""
    record = queries.import_(pk, actor=request.actor)
    poll = reverse("staff:import-progress", args=[pk])
    response = render(request, "staff/import_progress.html", {"record": record, "poll": poll})
    if record.state != Import.workflow.initial:
        response.headers["HX-Refresh"] = "true"
    return response


@requires("import.run")
@require_POST
def refused(request: Request, pk: int) -> HttpResponse:
    """The rows that were refused, as a file of the same shape with a column of reasons; an event keeps who took it."""
    record = queries.import_(pk, actor=request.actor)
    try:
        name, data = services.fetch_refused(record, by=request.actor, request_id=request_key(request),
                                            at=timezone.now())
    except Replayed:  # the page has a new request id: pressing once more sends the file again
        return HttpResponseRedirect(reverse("staff:import", args=[pk]))
    response = HttpResponse(data, content_type=KINDS.get(record.form, KINDS["xlsx"]))
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response



@requires("case.confirm")
def photos(request: Request) -> HttpResponse:
    """Send a pack of portraits, each named by the ID number of its holder."""
    form = _form(request, _("A .zip file of JPEG or PNG pictures, each named by the ID number of its holder, such as "
                            "43010419000101000X.jpg."))
    if request.method == "POST" and form.is_valid():
        try:
            return _receive_photos(request, form.cleaned_data["file"], form.cleaned_data["area"])
        except Refusal as refusal:
            _explain(form, refusal)
    return render(request, "staff/form.html", {
        "title": _("Send photos"), "form": form, "submit": _("Send the pack"), "back": reverse("staff:imports"),
        "breadcrumbs": trail((_("Imports"), "staff:imports"))})


def _receive_photos(request: Request, file: "UploadedFile[bytes]", area: Area) -> HttpResponse:
    return acts.begin(request, lambda key: services.receive_photos(
        file.file, area, by=request.actor, request_id=key, at=timezone.now()))  # type: ignore[arg-type]


urls = [
    path("imports/", index, name="imports"),
    path("imports/new", new, name="import-new"),
    path("imports/template.<slug:form>", template, name="import-template"),
    path("imports/photos", photos, name="import-photos"),
    path("imports/<int:pk>", import_, name="import"),
    path("imports/<int:pk>/progress", progress, name="import-progress"),
    path("imports/<int:pk>/refused", refused, name="import-refused"),
]
