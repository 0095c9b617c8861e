"""Operators and venues in the visitor's language, by the codes that logs of gates have."""

from django.utils.translation import get_language

from zhengka.formats.rulebook import Named, Rulebook
from zhengka.gates import queries


def operator_word(operator: str) -> str:
    """The operator's name; its code where no file of rules has it any more."""
    found = queries.operators().get(operator)
    return _name(found.book) if found else operator


def place_words(operator: str, venue: str) -> str:
    """Operator and venue by their names."""
    found = queries.operators().get(operator)
    named = {one.id: _name(one) for one in found.book.venues} if found else {}
    return f"{operator_word(operator)} · {named.get(venue, venue or '—')}"


def service_word(operator: str, service: str) -> str:
    """The name of a service."""
    found = queries.operators().get(operator)
    return next((_name(one) for one in found.book.services if one.id == service), service) if found else service


def services_of(operator: str) -> list[tuple[str, str]]:
    """The services of an operator, for a form: code and name."""
    found = queries.operators().get(operator)
    return [(one.id, _name(one)) for one in found.book.services] if found else []


def rule_word(operator: str, rule: str) -> str:
    """What a rule says in plain words."""
    found = queries.operators().get(operator)
    told = found.words.get(rule) if found else None
    return (told.zh if (get_language() or "").startswith("zh") else told.en) if told else rule


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every venue of every operator, for a form: "operator/venue" and its name."""
    return [(_name(one.book), [(f"{code}/{venue.id}", f"{_name(one.book)} · {_name(venue)}")
                               for venue in one.book.venues])
            for code, one in queries.operators().items()]


def _name(one: Named | Rulebook) -> str:
    return one.zh if (get_language() or "").startswith("zh") else one.en
