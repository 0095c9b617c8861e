"""What holds where when one travels (异地优惠查询): the rules of all operators, for people and as JSON, of no person.

Who says where they are registered, and their category and grade, sees what is for them; what is said stays in the
address and is kept by nobody.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date
from typing import Any

from django import forms
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from zhengka.areas.models import Area
from zhengka.core.actors import WHOLE_NATION
from zhengka.core.scope import enter
from zhengka.formats.certnumber import CATEGORIES, GRADES
from zhengka.formats.presenting import MULTIPLE
from zhengka.formats.rulebook import Person, Rule, who_holds
from zhengka.gates import queries as gates
from zhengka.gates.places import Operator
from zhengka.web.access import public
from zhengka.web.public import place_words as words
from zhengka.web.public.access import check_page
from zhengka.web.ui.parts import Cell, Column, Row, Table

COLUMNS = [Column(_("Service")), Column(_("Who")), Column(_("What is given")), Column(_("How to show it")),
           Column(_("Source"))]


class TravelForm(forms.Form):
    """Where to, from where, and what kind of holder; nothing must be told."""

    to = forms.ChoiceField(label=_("Where do you go?"), required=False)
    home = forms.ChoiceField(label=_("Where is your certificate from?"), required=False)
    category = forms.TypedChoiceField(label=_("Category"), required=False, coerce=int, empty_value=None)
    grade = forms.TypedChoiceField(label=_("Grade"), required=False, coerce=int, empty_value=None)

    def __init__(self, data: Any, *, chinese: bool) -> None:
        """Choices in the visitor's language."""
        super().__init__(data)
        towns = _towns(chinese=chinese)
        self.fields["to"].choices = [("", _("Everywhere")), *towns]  # type: ignore[attr-defined]
        self.fields["home"].choices = [("", _("Not told")), *_homes(towns, chinese=chinese)]  # type: ignore[attr-defined]
        for name, known in (("category", CATEGORIES), ("grade", GRADES)):
            self.fields[name].choices = [("", _("Not told")), *(  # type: ignore[attr-defined]
                (str(number), term.zh if chinese else term.en) for number, term in known.items())]

    @property
    def person(self) -> Person:
        """What was told of the holder; of a multiple disability nobody told the parts, and each may count."""
        told = self.cleaned_data
        area = int(told["home"]) * 10**6 if told["home"] else None
        return Person(area=area) if told["category"] == MULTIPLE else Person(told["category"], told["grade"], area=area)


@check_page
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The rules in a table for each operator: all of them, or those that are for a holder at a place."""
    enter(connection, *WHOLE_NATION)
    chinese = (get_language() or "").startswith("zh")
    form = TravelForm(request.GET or None, chinese=chinese)
    told = form.is_bound and form.is_valid()
    person, to = (form.person, form.cleaned_data["to"]) if told else (Person(), "")
    shown = [table for operator in gates.operators().values() if not to or to in [town.code for town in operator.towns]
             for table in [_table(operator, person, chinese=chinese)] if table.rows]
    return render(request, "public/places.html", {
        "title": _("What holds where when you travel"), "form": form, "tables": shown, "told": told})


@public
@require_safe
def as_json(_request: HttpRequest) -> HttpResponse:
    """All rules as JSON, for other people's programs."""
    answer = JsonResponse({"format": 1, "operators": [_told(operator) for operator in gates.operators().values()]},
                          json_dumps_params={"ensure_ascii": False})
    answer.headers["Cache-Control"] = "public, max-age=3600"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def _towns(*, chinese: bool) -> list[tuple[str, str]]:
    """Where operators work: code and name."""
    found = {town.code: town.zh if chinese else town.en
             for operator in gates.operators().values() for town in operator.towns}
    return sorted(found.items())


def _homes(towns: list[tuple[str, str]], *, chinese: bool) -> list[tuple[str, str]]:
    """Where a certificate may be from: this registry's offices, and the towns of operators elsewhere."""
    offices = [(f"{area.code:012}"[:6], _office(area, chinese=chinese)) for area in
               Area.objects.filter(issuing=True).select_related("parent").order_by("code")]
    known = {code for code, _name in offices}
    return sorted([*offices, *(town for town in towns if town[0] not in known)])


def _office(area: Area, *, chinese: bool) -> str:
    above = [area.parent] if area.parent else []
    return " ".join(each.name if chinese else each.name_en for each in (*above, area))


def _table(operator: Operator, person: Person, *, chinese: bool) -> Table:
    name = operator.book.zh if chinese else operator.book.en
    rules = _alike(operator, _for(operator, person, timezone.localdate()))
    rows = [_row(operator, alike, chinese=chinese) for alike in rules]
    return Table(name, COLUMNS, rows)


def _for(operator: Operator, person: Person, on: date) -> Iterator[Rule]:
    """The rules that may be for a person: of a service none behind the first that certainly is, for that one holds."""
    settled = set()
    for rule in operator.book.rules:
        holds = who_holds(rule.who, person, on)
        if holds is False or rule.service in settled or (rule.last and rule.last < on):
            continue
        if holds and rule.who.claim and not rule.venues:
            settled.add(rule.service)
        yield rule


def _row(operator: Operator, alike: list[Rule], *, chinese: bool) -> Row:
    """One line for rules that give the same to the same people, whatever the service."""
    rule, book = alike[0], operator.book
    told = operator.words[rule.id]
    return Row([
        Cell(words.named(book.services, {one.service for one in alike}, chinese=chinese),
             note=words.named(book.venues, rule.venues, chinese=chinese)),
        told.zh if chinese else told.en, Cell(words.price(rule), note=words.limits(rule, chinese=chinese)),
        words.ways(rule, chinese=chinese), told.source])


def _alike(operator: Operator, rules: Iterable[Rule]) -> list[list[Rule]]:
    """The rules put together that differ in their service alone, in the order in which they begin."""
    found: dict[tuple[Any, ...], list[Rule]] = {}
    for rule in rules:
        key = (operator.words[rule.id], rule.who, rule.benefit, rule.companions, rule.activated, rule.day, rule.month,
               rule.bands, rule.proofs, rule.venues)
        found.setdefault(key, []).append(rule)
    return list(found.values())


def _told(operator: Operator) -> dict[str, Any]:
    """An operator as the JSON has it: its rules as gates have them, with their words and sources."""
    book = operator.book
    rules = [_plain(rule) | {"zh": told.zh, "en": told.en, "source": told.source}
             for rule in book.rules for told in [operator.words[rule.id]]]
    return {"code": operator.code, "zh": book.zh, "en": book.en, "areas": [town._asdict() for town in operator.towns],
            "source": operator.source, "services": [asdict(one) for one in book.services],
            "venues": [asdict(one) for one in book.venues], "rules": rules}


def _plain(rule: Rule) -> dict[str, Any]:
    who = asdict(rule.who) | {"kinds": [kind._asdict() for kind in rule.who.kinds]}
    times = [asdict(band) | {"first": words.clock(band.first), "last": words.clock(band.last)} for band in rule.bands]
    return {
        "id": rule.id, "service": rule.service, "venues": rule.venues, "from": rule.first, "until": rule.last,
        "who": who, "activated": rule.activated, "benefit": rule.benefit, "companions": rule.companions,
        "quota": {"day": rule.day, "month": rule.month}, "times": times, "proofs": rule.proofs}
