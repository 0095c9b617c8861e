"""The sums of the ledger of blank cards as pages show them: the equation, and who wastes most."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhengka.areas.models import Area
from zhengka.stock import queries
from zhengka.stock.queries import NEWEST_BOXES, Balance
from zhengka.web.access import Request
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.words import ACCOUNT_WORDS
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text, Tile

TOO_MUCH = 0.01
"""Waste above this share of what was used is shown as too much."""
KINDS: Mapping[str, tuple[Text, Text]] = {
    "machine": (_("Waste by machine"), _("Machine")), "operator": (_("Waste by operator"), _("Operator")),
    "box": (_("Waste by box"), _("Box"))}
"""By what waste is shown → the table's title, and what stands in its lines."""
PAGES = {"machine": "staff:stock-store", "box": "staff:stock-box"}


def sums(request: Request, at: datetime) -> dict[str, Any]:
    """What the overview shows of one's offices at a moment: tiles, a chart, and whether both sides are equal."""
    found = queries.balance(request.actor.lo, request.actor.hi, at)
    held = [(word, found.accounts[account]) for account, word in ACCOUNT_WORDS.items()]
    return {"tiles": [Tile(_("Received"), found.received), *(Tile(word, many) for word, many in held)], "chart": held,
            "equation": _equation(found)}


def _equation(found: Balance) -> list[Fact]:
    verdict = Cell(_("✓ Both sides are equal"), tone=words.GOOD) if found.closes else Cell(
        _("✗ The sides differ by %(many)s") % {"many": f"{found.received + found.came - found.went - found.there:+,}"},
        tone=words.BAD)
    return [Fact(_("Received from suppliers"), found.received), Fact(_("+ came from other offices"), found.came),
            Fact(_("− went to other offices"), found.went),
            Fact(_("= in stock + on the way + in machines + became cards + spoiled + destroyed + lost"), found.there),
            Fact(_("The ledger"), verdict)]


def waste(request: Request) -> list[Table]:
    """A table for machines, one for operators, one for boxes: those that waste most first."""
    since = timezone.now() - timedelta(days=365)
    found = {by: queries.waste(by, request.actor.lo, request.actor.hi, since) for by in KINDS}
    areas = {row.code: area_name(row) for row in Area.objects.filter(
        code__in={used.area for rows in found.values() for used in rows})}
    return [_waste(by, rows, areas) for by, rows in found.items()]


def _waste(by: str, rows: list[queries.Used], areas: Mapping[int, Text]) -> Table:
    title, of = KINDS[by]
    if by == "box":
        title = _("%(title)s, of the %(many)s newest") % {"title": title, "many": NEWEST_BOXES}
    columns = [Column(of), Column(_("Made"), numeric=True), Column(_("Spoiled"), numeric=True), Column(_("Share"))]
    return Table(title, columns, [
        Row([Cell(used.of, note=areas.get(used.area, ""),
                  href=reverse(PAGES[by], args=[used.key]) if by in PAGES else ""), used.issued, used.spoiled,
             Cell(f"{used.share:.1%}", tone=words.BAD if used.share > TOO_MUCH else "")])
        for used in rows], empty=_("Nothing was used yet."))
