"""Whom an appointment is for: sealed as a whole, opened for the doctor's list and for the team's route."""

import json
from dataclasses import dataclass, field
from datetime import date

from zhengka.assessment.routes import Point
from zhengka.core import fields

FIELD = "appointment.person"


@dataclass(frozen=True)
class Person:
    """An applicant as the team needs to know them; `point` where a home visit goes to."""

    name: str = field(repr=False)
    born: date = field(repr=False)
    phone: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    point: Point | None = field(default=None, repr=False)


def close(person: Person) -> bytes:
    """The person, sealed."""
    return fields.close(json.dumps({
        "name": person.name, "born": person.born.isoformat(), "phone": person.phone, "address": person.address,
        "point": list(person.point) if person.point else None}, ensure_ascii=False), FIELD)


def open_many(sealed: list[bytes]) -> list[Person]:
    """The persons of a column of appointments."""
    found = [json.loads(text) for text in fields.open_many(sealed, FIELD)]
    return [Person(one["name"], date.fromisoformat(one["born"]), one["phone"], one["address"],
                   Point(*one["point"]) if one["point"] else None) for one in found]


def open_(sealed: bytes) -> Person:
    """One person."""
    return open_many([sealed])[0]
