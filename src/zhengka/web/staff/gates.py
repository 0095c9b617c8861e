"""Gates (闸机): where they stand, what they log, what is amiss with it; vouchers used twice, and the bound."""

from datetime import datetime, timedelta
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

from zhengka.devices.models import Device
from zhengka.gates import queries, services
from zhengka.gates.clocks import Fault
from zhengka.gates.models import Post
from zhengka.gates.queries import GateLine
from zhengka.web.access import Request, act, requires, seen, sure
from zhengka.web.staff import history
from zhengka.web.staff.gate_places import choices, place_words, service_word, services_of
from zhengka.web.staff.gate_quotas import exceeded_table, exceeded_tile, quota_table
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import Place, page_of
from zhengka.web.staff.words import moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text, Tile

TRAIL = ((_("Gates"), "staff:gates"),)
CONNECTED = timedelta(minutes=5)
"""A gate that was heard of within this time can talk."""
REFUSED_WORDS: dict[str, Text] = {
    "event-shape": _("Not in the form of a log"), "event-value": _("A value that does not belong there"),
    "event-signature": _("Not signed by its gate"), "gate-unknown": _("A gate that is not paired"),
    "gate-shut-out": _("A gate that was shut out"), "post-unknown": _("Another place than the gate's"),
}
"""Why a line of an upload was refused; a test holds it complete against `gates.merging`."""
CLOCK_WORDS: dict[str, Text] = {
    "behind": _("The clock runs behind"), "ahead": _("The clock runs ahead"), "jumps": _("The clock was put back"),
}
"""What is wrong with a clock; complete against `gates.clocks`."""


class PostForm(forms.Form):
    """Where a gate stands."""

    place = forms.ChoiceField(label=_("Operator and venue"), help_text=_(
        "What the gate logs of another place is refused. Operators and venues come from their files of rules."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer every venue of every operator."""
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [("", "—"), *choices()]  # type: ignore[attr-defined]


class ServicesForm(PostForm):
    """Which services it gives there: asked once the place is known, where its operator has several."""

    asked = forms.CharField(widget=forms.HiddenInput, initial="1")
    services = forms.MultipleChoiceField(label=_("Services"), widget=forms.CheckboxSelectMultiple, help_text=_(
        "What this gate gives. With all of them ticked it also gives what the operator adds later."))

    def __init__(self, operator: str, *args: Any, **kwargs: Any) -> None:
        """Offer the services of the operator, all ticked."""
        super().__init__(*args, **kwargs)
        self.offered = services_of(operator)
        self.fields["place"].widget = forms.HiddenInput()
        self.fields["services"].choices = self.offered  # type: ignore[attr-defined]
        self.fields["services"].initial = [code for code, _name in self.offered]

    def settled(self) -> bool:
        """True where nothing is left to ask."""
        return len(self.offered) < 2 or self.is_valid()

    def chosen(self) -> tuple[str, ...]:
        """The codes of those that are ticked; none stands for all."""
        ticked: list[str] = self.cleaned_data["services"] if self.is_bound else []
        return tuple(ticked) if len(ticked) < len(self.offered) else ()


@requires("gate.read")
def index(request: Request) -> HttpResponse:
    """The gates of one's area, what their logs lack, double uses, and how many there could be."""
    at, actor = timezone.now(), request.actor
    lines = queries.gate_lines(actor=actor)
    found = queries.doubles(actor=actor)
    twice, pager = page_of(request, found, newest=True, where=Place("doubles", _("Double uses")))
    exceeded = queries.overruns(actor=actor, at=at)
    columns = [Column(_("Gate")), Column(_("Stands at")), Column(_("State")),
               Column(_("Events received"), numeric=True), Column(_("Events still missing"), numeric=True),
               Column(_("Last upload"))]
    table = Table(_("Gates"), columns, [_row(line) for line in lines], caption_hidden=True,
                  empty=_("No gate is entered among the devices."))
    return render(request, "staff/gates/index.html", {
        "title": _("Gates"), "tiles": [*_tiles(lines, found.count()), exceeded_tile(exceeded)], "table": table,
        "doubles": _doubles(twice, pager), "bounds": _bounds(actor, at),
        "quotas": quota_table(queries.quota_bounds(actor=actor, at=at, connected_since=at - CONNECTED)),
        "exceeded": exceeded_table(exceeded),
        "chart": [(line.gate.name, line.events) for line in lines if line.events]})


@requires("gate.read")
def gate(request: Request, pk: int) -> HttpResponse:
    """One gate: its post, its log, its clock, its uploads."""
    row = queries.gate(pk, actor=request.actor)
    line = next(one for one in queries.gate_lines(actor=request.actor) if one.gate.pk == row.pk)
    faults = queries.clock(row)
    rows, pager = page_of(request, queries.uploads(row), newest=True, where=Place("uploads", _("Uploads")))
    forks = queries.forks(actor=request.actor).filter(gate=row).order_by("seq").values_list("seq", flat=True)
    uploads = Table(_("Uploads"), [Column(_("When")), Column(_("Lines"), numeric=True), Column(_("New"), numeric=True),
                                   Column(_("Known"), numeric=True), Column(_("Refused"))],
                    [Row([moment(one.at), one.lines, one.fresh, one.repeats, _refused(one.refused)]) for one in rows],
                    pager=pager, empty=_("It sent nothing yet."))
    post = line.post
    return render(request, "staff/gates/gate.html", {
        "title": row.name, "caption": _("Gate"), "gate": row, "uploads": uploads,
        "facts": _facts(line, faults, leads_on=request.actor.may("device.read")),
        "forks": list(forks.distinct()), "faults": [_fault(one) for one in faults], "post": post, "posts": _posts(row),
        "may_post": request.actor.may("gate.manage") and post is None and row.state in ("registered", "active"),
        "may_leave": request.actor.may("gate.manage") and post is not None,
        "events": history.of_row(request, post) if post else None, "breadcrumbs": trail(*TRAIL)})


@requires("gate.manage")
def stand(request: Request, pk: int) -> HttpResponse:
    """Enter where a gate stands: the place first, then the services where its operator has several."""
    row, form = queries.gate(pk, actor=request.actor), PostForm(request.POST or None)
    caption, back, submit = row.name, reverse("staff:gate", args=[pk]), _("Go on")
    if request.method == "POST" and form.is_valid():
        operator, venue = form.cleaned_data["place"].split("/", 1)
        asked = ServicesForm(operator, request.POST if "asked" in request.POST else None, initial=form.cleaned_data)
        if asked.settled():
            return act(request, lambda key: services.stand(
                row, services.Place(operator, venue, asked.chosen()), by=request.actor, request_id=key,
                at=timezone.now()), to=back, said=_("The gate stands there now."))
        form, caption, submit = asked, f"{row.name} · {place_words(operator, venue)}", _("Enter the place")
    return render(request, "staff/form.html", {
        "title": _("Enter where the gate stands"), "caption": caption, "form": form, "back": back, "submit": submit,
        "breadcrumbs": trail(*TRAIL)})


@requires("gate.manage")
@require_POST
def leave(request: Request, pk: int) -> HttpResponse:
    """The gate stands there no more."""
    post = seen(request, Post, pk)
    back = reverse("staff:gate", args=[post.gate_id])
    if not sure(request):
        Post.workflow.step(post.state, "leave_post")
        return render(request, "staff/sure.html", {
            "title": _("End this post?"), "caption": place_words(post.operator, post.venue), "url": request.path,
            "kind": "warning", "meaning": _("What the gate logged of this place, and still brings of it, counts."),
            "submit": words.act("leave_post"), "back": back, "hidden": []})

    def do(key: UUID) -> Post:
        return services.leave(post, by=request.actor, request_id=key, at=timezone.now())

    return act(request, do, to=back, said=_("The post is ended."))


def _tiles(lines: list[GateLine], twice: int) -> list[Tile]:
    def tile(label: Text, number: int) -> Tile:
        return Tile(label, number, tone=words.WAIT if number else "")
    return [Tile(_("Gates at work"), sum(line.gate.state == "active" for line in lines)),
            Tile(_("Events received"), sum(line.events for line in lines)),
            tile(_("Events still missing"), sum(line.missing for line in lines)),
            tile(_("Double uses"), twice),
            tile(_("Logs that contradict themselves"), sum(bool(line.forks) for line in lines))]


def _row(line: GateLine) -> Row:
    tone, word = words.look("device", line.gate.state)
    at = place_words(line.post.operator, line.post.venue) if line.post else "—"
    amiss = gettext("Its log contradicts itself") if line.forks else ""
    return Row([Cell(line.gate.name, href=reverse("staff:gate", args=[line.gate.pk]), note=area_name(line.gate.area)),
                at, Cell(word, tone=tone, note=amiss), line.events, line.missing, moment(line.last_upload)])


def _facts(line: GateLine, faults: list[Fault], *, leads_on: bool) -> list[Fact]:
    """`leads_on`: the officer may look at the device, too."""
    device = reverse("staff:device", args=[line.gate.pk]) if leads_on else ""
    clock = Cell(_("Nothing found"), tone=words.GOOD) if not faults else Cell(_("Wrong"), tone=words.BAD)
    return [Fact(_("Office"), area_name(line.gate.area)), Fact(_("Place"), line.gate.place),
            Fact(_("Device"), Cell(line.gate.name, href=device)),
            Fact(_("Stands at"), place_words(line.post.operator, line.post.venue) if line.post else "—"),
            *([Fact(_("Services"), _given(line.post))] if line.post else []),
            Fact(_("Events received"), line.events), Fact(_("Events still missing"), line.missing),
            Fact(_("Double uses"), line.doubles), Fact(_("Clock"), clock),
            Fact(_("Last upload"), moment(line.last_upload))]


def _given(post: Post) -> str:
    """The services that a gate gives where it stands."""
    return " · ".join(service_word(post.operator, one) for one in post.services) or gettext("All of the operator's")


def _fault(fault: Fault) -> str:
    hours = round(fault.by.total_seconds() / 3600)
    by = ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours} if hours else gettext("some minutes")
    return gettext("%(what)s: by at least %(by)s, from event %(seq)d on.") % {
        "what": CLOCK_WORDS[fault.kind], "by": by, "seq": fault.seq}


def _posts(gate: Device) -> Table:
    rows = [Row([place_words(post.operator, post.venue), moment(post.since),
                 Cell(words.look("post", post.state)[1], tone=words.look("post", post.state)[0])])
            for post in queries.posts(gate)]
    return Table(_("Where it stood"), [Column(_("Place")), Column(_("Since")), Column(_("State"))], rows,
                 empty=_("It stood nowhere yet."))


def _refused(told: dict[str, int]) -> str:
    return "; ".join(f"{REFUSED_WORDS.get(code, code)}: {number}" for code, number in sorted(told.items())) or "—"


def _doubles(rows: list[Any], pager: Any) -> Table:
    return Table(_("Vouchers that were used more than once"), [
        Column(_("Counts at")), Column(_("Used again at")), Column(_("Found on"))],
        [Row([Cell(one.counted.gate.name, note=moment(one.counted.at)),
              Cell(one.again.gate.name, note=moment(one.again.at)), moment(one.found_at)]) for one in rows],
        pager=pager, empty=_("No voucher was used more than once."))


def _bounds(actor: Any, at: datetime) -> Table:
    rows = [Row([place_words(one.operator, one.venue), one.gates, one.connected, one.vouchers])
            for one in queries.bounds(actor=actor, connected_since=at - CONNECTED)]
    return Table(_("How often one voucher could be used too often now"), [
        Column(_("Place")), Column(_("Gates"), numeric=True), Column(_("Connected"), numeric=True),
        Column(_("At most too often"), numeric=True)], rows, empty=_("No gate stands anywhere."))


urls = [
    path("gates/", index, name="gates"),
    path("gates/<int:pk>/", gate, name="gate"),
    path("gates/<int:pk>/stand", stand, name="gate-stand"),
    path("posts/<int:pk>/leave", leave, name="post-leave"),
]
