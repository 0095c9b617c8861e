"""Which ordered cards enter a batch (选卡): of a unit and card profile, perhaps of one street, the urgent ones first.

Urgent (加急) is a card in place of one that was lost, a child's, and one that an officer wants at once, with a reason:
their holders have nothing to show meanwhile, or cannot wait for the next batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import BooleanField, Case, Count, Q, QuerySet, Value, When

from zhengka.areas.calendars import ADULT, add_months
from zhengka.cards.models import Card

LOST: Final = ("loss", "补办")
"""Reasons of an order after which the holder has no card: the kind of case that is its reason."""


@dataclass(frozen=True)
class Only:
    """What of the waiting cards is wanted: those of a street (12-digit code), urgent ones alone, the first so many."""

    street: int | None = None
    urgent: bool = False
    limit: int | None = None


EVERY: Final = Only()


@dataclass(frozen=True)
class Entering:
    """How many cards would enter a batch, and how many of them are urgent."""

    cards: int
    urgent: int


def is_urgent(on: date) -> Q:
    """The condition of a card that is urgent on a day."""
    return ~Q(urgent="") | Q(reason__in=LOST) | Q(holder__birth_date__gte=add_months(on, -12 * ADULT))


def waiting(areas: Sequence[int], profile: str, only: Only, *, on: date) -> "QuerySet[Card, Any]":
    """The cards that wait for a batch as `only` wants them, urgent ones first, else in the order of their orders."""
    rows = Card.objects.filter(state="ordered", area__in=areas, profile=profile).annotate(first=Case(
        When(is_urgent(on), then=Value(True)), default=Value(False), output_field=BooleanField()))
    if only.street is not None:
        rows = rows.filter(holder__street=only.street)
    if only.urgent:
        rows = rows.filter(first=True)
    return rows.order_by("-first", "pk")


def entering(areas: Sequence[int], profile: str, only: Only, *, on: date) -> Entering:
    """How many would enter now, unit by unit with the limit of each: nothing is locked."""
    counted = waiting(areas, profile, only, on=on).order_by().values_list("area").annotate(
        n=Count("pk"), hurried=Count("pk", filter=Q(first=True)))
    most = only.limit or 10**9
    return Entering(sum(min(n, most) for _, n, _ in counted), sum(min(hurried, most) for *_, hurried in counted))
