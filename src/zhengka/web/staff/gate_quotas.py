"""Quotas on the page of gates: by how much they could be exceeded while gates are cut off, and where they were."""

from collections.abc import Sequence

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from zhengka.gates.queries import Overrun, QuotaBound
from zhengka.web.staff.gate_places import operator_word, rule_word
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Row, Table, Tile


def quota_table(bounds: Sequence[QuotaBound]) -> Table:
    """For each rule with a quota: how often at most somebody could be served too often now."""
    rows = [Row([Cell(rule_word(one.operator, one.rule), note=operator_word(one.operator)),
                 _quota(one.limit, one.period), one.gates, one.connected, one.most]) for one in bounds]
    return Table(_("By how much a quota could be exceeded now, for one person"), [
        Column(_("Rule")), Column(_("Quota")), Column(_("Gates"), numeric=True), Column(_("Connected"), numeric=True),
        Column(_("At most too many"), numeric=True)], rows, empty=_("No rule of an operator here has a quota."))


def exceeded_table(found: Sequence[Overrun]) -> Table:
    """Quotas of this month that were exceeded."""
    rows = [Row([Cell(rule_word(one.operator, one.rule), note=operator_word(one.operator)),
                 _quota(one.limit, one.period), one.too_many, f"{one.day}", ", ".join(one.gates)]) for one in found]
    return Table(_("Quotas that were exceeded this month"), [
        Column(_("Rule")), Column(_("Quota")), Column(_("Too many"), numeric=True), Column(_("On or up to")),
        Column(_("At these gates"))], rows, empty=_("No quota was exceeded, as far as the gates have told."))


def exceeded_tile(found: Sequence[Overrun]) -> Tile:
    """How many they are."""
    return Tile(_("Quotas exceeded this month"), len(found), tone=words.WAIT if found else "")


def _quota(limit: int, period: str) -> str:
    return (gettext("%(n)d a day") if period == "day" else gettext("%(n)d a month")) % {"n": limit}
