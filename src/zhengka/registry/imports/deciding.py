"""What a row of a known person changes: pure, row by row. Nothing is overwritten silently."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

CONTACTS = ("phone", "address", "guardian")


@dataclass
class KnownCertificate:
    """A second-generation certificate of the person. `id` is None, and `row` the row, of one that comes in now;
    `ended_by`: the row whose number took its place, where that comes in now.
    """

    id: int | None
    number_index: bytes
    state: str
    version: int
    replacement: int
    issued_on: date
    row: dict[str, Any] | None = None
    ended_by: dict[str, Any] | None = None


@dataclass
class Known:
    """A person as the registry knows them; `filled`: contact fields that hold something; `closed`: the record has
    ended; `contacts`: those that rows have filled now.
    """

    id: int
    version: int
    area: int
    province: int
    filled: set[str]
    certificates: list[KnownCertificate] = field(default_factory=list)
    contacts: dict[str, Any] = field(default_factory=dict)
    closed: bool = False


def meet(known: Known, row: dict[str, Any], *, own: bool) -> bool:
    """Take in a row of a known person: contact data where there was none, and its certificate number.

    A number with a higher suffix, or the same suffix and a later day of issue, takes the place of the valid one. Any
    other unknown number is an old one: it is kept as replaced, so that it finds the person.

    `own`: who sent the file answers for the person's unit. Another's file changes nothing of what is in force: its old
    numbers find the person, and no more. False, with nothing taken in, where it has a later number: that is for the
    person's own unit.
    """
    new = all(one.number_index != row["number_index"] for one in known.certificates)
    valid = next((one for one in known.certificates if one.state == "valid"), None)
    if new and not own and valid and _later(row, valid):
        return False
    known.version += 1
    for name in CONTACTS if own else ():
        if row[name] is not None and name not in known.filled:
            known.contacts[name] = row[name]
            known.filled.add(name)
    if not new:
        return True
    fresh = KnownCertificate(None, row["number_index"], "valid", 1, row["replacement"], row["issued_on"], row)
    known.certificates.append(fresh)
    _end(valid if valid and _later(row, valid) else fresh, row)
    return True


def _end(certificate: KnownCertificate, row: dict[str, Any]) -> None:
    certificate.state, certificate.version, certificate.ended_by = "replaced", certificate.version + 1, row


def _later(row: dict[str, Any], valid: KnownCertificate) -> bool:
    return (row["replacement"], row["issued_on"]) > (valid.replacement, valid.issued_on)
