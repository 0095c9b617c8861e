"""What the gallery shows: invented rows for every part, in states that are hard to draw."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from zhengka.web.ui import words
from zhengka.web.ui.forms import DateField
from zhengka.web.ui.parts import Cell, Column, Event, Fact, Pager, Row, Stage, Table, Tile

UNITS = (("岳麓区", 8321), ("芙蓉区", 4039), ("长沙县", 15526), ("浏阳市", 32299), ("宁乡市", 30082), ("高新区", 1324))
HOLDERS = (
    ("阿依古丽·买买提", "900101196503140027", "肢体 2", "active"),
    ("𠮷田明", "900101198811020013", "视力 1", "suspended"),
    ("欧阳㛃", "900102200109300049", "听力 3", "issued"),
    ("王建国", "900103195212120019", "多重 1", "held"),
)


class Sample(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label=_("Name"), help_text=_("As on the identity card, with rare characters and dots."))
    born = DateField(label=_("Date of birth"))
    category = forms.ChoiceField(label=_("Category"), choices=[("", "—"), ("1", "视力"), ("4", "肢体")])
    way = forms.ChoiceField(label=_("Way of collection"), widget=forms.RadioSelect,
                            choices=[("desk", _("At the desk")), ("home", _("At home"))])
    needs = forms.MultipleChoiceField(label=_("Help needed"), widget=forms.CheckboxSelectMultiple, required=False,
                                      choices=[("sign", _("Sign language")), ("braille", _("Braille letter"))])
    file = forms.FileField(label=_("File of holders"), help_text=_("Excel (.xlsx) or CSV, at most 100 MB."))
    remark = forms.CharField(label=_("Remark"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    agree = forms.BooleanField(label=_("I have checked the data against the paper certificate"))


def exhibits(request: HttpRequest) -> dict[str, Any]:
    """The context of the gallery page."""
    form = Sample({}) if request.GET.get("errors") else Sample()
    return {
        "title": _("Gallery of parts"), "caption": _("For those who build pages"), "form": form,
        "breadcrumbs": [{"label": _("Worklist"), "href": "/"}, {"label": _("Gallery of parts")}],
        "navigation": _navigation(), "table": _table(), "bulk": _table(select="holder"), "none": _none(),
        "states": [(kind, state) for kind, table in words.STATES.items() for state in table],
        "tiles": _tiles(), "events": _events(), "stages": _stages(), "facts": _facts(),
        "bars": UNITS, "stack": [(name, (n * 5 // 8, n // 4, n // 30)) for name, n in UNITS],
        "series": [_("Made"), _("Waiting"), _("Held")],
        "points": [("1", 180, 0.31, "within"), ("2", 120, 0.48, "99.8"), ("3", 40, 0.15, "95")],
        "curves": {name: [(n, max(0.3 - width / n**0.5, 0.0), min(0.3 + width / n**0.5, 1.0)) for n in range(1, 181, 9)]
                   for name, width in (("95", 0.9), ("99.8", 1.4))},
    }


def _navigation() -> list[dict[str, Any]]:
    labels = [_("Worklist"), _("Holders"), _("Imports"), _("Cases"), _("Batches"), _("Cards"), _("Figures")]
    return [{"label": label, "href": f"#{place}", "current": place == 1, "count": 128 if place == 3 else 0}
            for place, label in enumerate(labels)]


def _table(select: str = "") -> Table:
    columns = [Column(_("Name"), "name"), Column(_("Number")), Column(_("Category and grade")),
               Column(_("Card")), Column(_("Age"), "age", numeric=True)]
    rows = [Row([Cell(name, href="#holder", note=_("Yuelu office")), Cell(number, number=True), grade,
                 Cell(words.look("card", state)[1], tone=words.look("card", state)[0]), 2026 - int(number[6:10])],
                value=str(place)) for place, (name, number, grade, state) in enumerate(HOLDERS)]
    pager = Pager(previous="#before", next="#after", shown=4, total=298485)
    return Table(_("Holders"), columns, rows, sort="name", pager=pager, select=select)


def _none() -> Table:
    return Table(_("No batch is open"), [], [], empty=_("Approve cases first; their cards then wait here."))


def _tiles() -> list[Tile]:
    return [
        Tile(_("Holders"), 298485, note=_("in 25 issuing units"), href="#holders"),
        Tile(_("To be reviewed"), 128, note=_("12 for more than 5 days"), href="#cases", tone="wait"),
        Tile(_("Cards in use"), 86682, unit=_("cards"), tone="good"),
        Tile(_("Reported lost today"), 3, href="#lost", tone="bad"),
    ]


def _events() -> list[Event]:
    return [
        Event(datetime(2026, 3, 15, 9, 12, tzinfo=UTC), words.act("report_lost"), by="李敏",
              facts=[(_("Reason"), _("Lost on a bus"))], tone="bad"),
        Event(datetime(2026, 2, 2, 1, 30, tzinfo=UTC), words.act("activate"), by="李敏", tone="good"),
        Event(datetime(2026, 1, 20, 7, 45, tzinfo=UTC), words.act("approve"), by="陈志强"),
    ]


def _stages() -> list[Stage]:
    return [Stage(_("Notified"), "done", "2026-01-04"), Stage(_("Confirmed"), "done", "2026-01-11"),
            Stage(_("Reviewed"), "now", _("3 days left")), Stage(_("Approved")), Stage(_("Card ordered"))]


def _facts() -> list[Fact]:
    return [Fact(_("Name"), "阿依古丽·买买提"),
            Fact(_("Certificate number"), Cell("900101********002742", number=True), "#read", _("Read in full")),
            Fact(_("Card"), Cell(words.look("card", "active")[1], tone="good"))]
