"""What is asked of whoever is to have a first certificate, and what an office may learn of a record elsewhere by it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from zhengka.bulk.services import Asked
from zhengka.cases.models import Case
from zhengka.cases.services.moving import day, part
from zhengka.core.errors import Refusal
from zhengka.registry import services as registry
from zhengka.registry.models import IN_FORCE


def refuse_unfit(index: bytes, category: int, asked: Asked, *, holds: str = "") -> None:
    """Who is to have a first certificate of a category is alive, has none in force, and is not barred from it.

    Of a record that the actor does not see, each reason has the one answer `elsewhere-unfit`; that record's office has
    it in an event who asked, kept though the opening is refused: the caller is no transaction. `holds`: what to say
    instead where a certificate is in force, to who brings it along.
    """
    if not asked.by.may("case.open"):
        raise Refusal("not-permitted", permission="case.open")
    beyond = registry.look_beyond(index, **vars(part(asked, "look up")))
    try:
        may_begin(index)
        refuse_barred(index, {category}, day(asked.at))
    except Refusal as no:
        if beyond is None:
            raise
        raise Refusal(holds if holds and no.code == "certificate-opened" else "elsewhere-unfit") from None


TELLS = frozenset({"certificate-opened", "category-barred", "record-closed"})
"""Refusals of a decision that say what stands in the person's record."""


def as_heard(case: Case, no: Refusal, asked: Asked) -> Refusal:
    """A refused decision as its office hears it: of a record that the actor does not see, as `refuse_unfit` says it.
    Called behind the transaction that was refused, so that the event of who asked is kept.
    """
    if no.code not in TELLS:
        return no
    by = replace(asked.by, permissions=asked.by.permissions | {"case.open"})  # who decides carries the clerk's act on
    asked = part(replace(asked, by=by), f"look up {case.pk}")
    return Refusal("elsewhere-unfit") if registry.look_beyond(bytes(case.person_index), **vars(asked)) else no


def check_term(born: date, issued: date, until: date, today: date) -> None:
    """A certificate that somebody brings was issued to a person who was born by then, and holds today:
    `term-impossible`, `brought-expired`.
    """
    if not born <= issued < until or issued > today:
        raise Refusal("term-impossible")
    if until < today:
        raise Refusal("brought-expired", since=until.isoformat())


def refuse_barred(person_index: bytes, categories: Collection[int], today: date) -> None:
    """`Refusal("category-barred")` where one of these was cancelled less than a year ago (办法 art. 24)."""
    if categories and (until := registry.bar(registry.had(person_index), categories, today)):
        raise Refusal("category-barred", until=until.isoformat())


def may_begin(index: bytes) -> None:
    """Who is to have a first certificate is alive and has none in force, at whichever office."""
    if registry.died(index):
        raise Refusal("record-closed")
    if any(one.state in IN_FORCE for one in registry.had(index)):
        raise Refusal("certificate-opened")
