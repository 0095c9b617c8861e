"""Keys (密钥): what each is for and how long it lives, for the security administrator. They are made by use."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from zhengka.areas.models import Area
from zhengka.keys import queries
from zhengka.keys.models import Key
from zhengka.web.access import Request, requires
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.words import KEY_PURPOSE_WORDS
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Row, Table


@requires("key.manage")
def index(request: Request) -> HttpResponse:
    """Every key version of one's province. Never a value: the key store keeps those."""
    rows = list(queries.of_province(request.actor.lo))
    places = {area.code: area_name(area) for area in Area.objects.filter(code__in={key.area for key in rows})}
    columns = [Column(_("Purpose")), Column(_("Unit")), Column(_("Suite")), Column(_("Version"), numeric=True),
               Column(_("State")), Column(_("Check value")), Column(_("Works")), Column(_("Trusted until"))]
    table = Table(_("Keys"), columns, [_row(key, places.get(key.area, str(key.area))) for key in rows],
                  caption_hidden=True, empty=_("Keys are made when they are first needed."))
    return render(request, "staff/keys.html", {"title": _("Keys"), "table": table})


def _row(key: Key, place: str) -> Row:
    tone, word = words.look("key", "revoked" if key.revoked_at else key.state)
    works = gettext("%(first)s to %(last)s") % {"first": f"{key.not_before:%Y-%m-%d}",
                                                "last": f"{key.works_until:%Y-%m-%d}"}
    return Row([Cell(KEY_PURPOSE_WORDS.get(key.purpose, key.purpose), note=key.slot), place, key.suite, key.number,
                Cell(word, tone=tone), Cell(key.check_value, number=True), Cell(works, number=True),
                Cell(f"{key.not_after:%Y-%m-%d}", number=True)])


urls = [path("keys/", index, name="keys")]
