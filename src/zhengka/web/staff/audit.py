"""The journal of events (审计日志): for the audit administrator, who reads everything and changes nothing."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhengka.accounts import queries as accounts
from zhengka.accounts.models import Officer
from zhengka.core.models import Event
from zhengka.core.queries import EventFilter, events
from zhengka.web.access import Request, requires
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.words import FACT_WORDS, SUBJECT_WORDS, event_word, moment
from zhengka.web.ui import words
from zhengka.web.ui.forms import DateField
from zhengka.web.ui.parts import Cell, Column, Row, Table


class FilterForm(forms.Form):
    """Which events to show. Officers' names and records' keys may stand in an address: no holder's data."""

    subject = forms.ChoiceField(label=_("Subject"), required=False, choices=[("", _("All")), *SUBJECT_WORDS.items()])
    record = forms.IntegerField(label=_("Record"), required=False, min_value=1, widget=forms.TextInput(
        attrs={"inputmode": "numeric", "class": "govuk-input--width-20", "autocomplete": "off"}))
    officer = forms.CharField(label=_("Officer"), required=False, max_length=100, widget=forms.TextInput(
        attrs={"autocomplete": "off"}))
    day = DateField(label=_("Day"), required=False)


@requires("audit.read")
def index(request: Request) -> HttpResponse:
    """Every event in one's area, newest first."""
    form = FilterForm(request.GET or None)
    wanted = _wanted(form) if form.is_bound and form.is_valid() else EventFilter()
    rows, pager = page_of(request, events(wanted, actor=request.actor), newest=True)
    columns = [Column(_("Time")), Column(_("Act")), Column(_("Subject")), Column(_("From")), Column(_("To")),
               Column(_("Officer"))]
    logins = accounts.names({event.subject_id for event in rows if event.subject == Officer.kind()},
                            actor=request.actor)
    table = Table(_("Events"), columns, [_row(event, logins) for event in rows], pager=pager,
                  empty=_("No event passes this filter."))
    return render(request, "staff/audit.html", {"title": _("Journal of events"), "form": form, "table": table})


def _wanted(form: FilterForm) -> EventFilter:
    asked = form.cleaned_data
    day = asked.get("day")
    since = timezone.make_aware(datetime.combine(day, time())) if day else None  # midnight in the platform's zone
    return EventFilter(subject=asked["subject"], subject_id=asked["record"], officer=asked["officer"],
                       since=since, until=since + timedelta(days=1) if since else None)


def _row(event: Event, logins: Mapping[int, str]) -> Row:
    def state(name: str) -> Cell | str:
        tone, word = words.look(event.subject, name)
        return Cell(word, tone=tone) if name else "—"

    at = moment(event.at, seconds=True)
    name = [logins.get(event.subject_id, "")] if event.subject == Officer.kind() else []
    note = " · ".join([*filter(None, name), str(event.subject_id), f"v{event.version}"])
    subject = Cell(SUBJECT_WORDS.get(event.subject, event.subject), note=note)
    return Row([Cell(at, number=True), event_word(event.subject, event.action), subject, state(event.source),
                state(event.target), Cell(event.actor_name, note=_whose(event))])


def _whose(event: Event) -> str:
    """Whose right it was, where it was lent (委托)."""
    lender = event.facts.get("lent_by", "")
    return f"{FACT_WORDS['lent_by']}: {lender}" if lender else ""


urls = [path("audit/", index, name="audit")]
