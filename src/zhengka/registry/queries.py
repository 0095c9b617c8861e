"""What is asked about holders: found by name, pinyin, initials or number; their history; the imports."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Q, QuerySet

from zhengka.areas.queries import issuing_units
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.formats import certnumber, idnumber
from zhengka.formats.certnumber import BadCertNumber
from zhengka.formats.idnumber import BadIdNumber
from zhengka.registry import photos
from zhengka.registry.imports import template
from zhengka.registry.imports.reasons import ROW_REASONS, Reason
from zhengka.registry.models import Certificate, Holder, Import

LAST_CHARACTER = "\U0010ffff"

PAGE = """
SELECT found.id FROM unnest(%(areas)s::bigint[]) AS unit (area), LATERAL (
    SELECT id, {keys} FROM registry_holder h
    WHERE h.area = unit.area AND {where} AND (%(after)s::bigint IS NULL OR ({keys}, id) > ({last}, %(after)s::bigint))
    ORDER BY {keys}, id LIMIT %(limit)s
) found ORDER BY {keys}, id LIMIT %(limit)s
"""
"""One short index scan for each issuing unit in range. Pinyin is read from the index over initials: its first letter
is theirs."""

BY_NAME = {"keys": "name", "where": "name >= %(low)s AND name < %(high)s", "last": "%(name)s"}
BY_INITIALS = {"keys": "initials, pinyin", "where": "initials >= %(low)s AND initials < %(high)s",
               "last": "%(initials)s, %(pinyin)s"}
BY_PINYIN = {"keys": "initials, pinyin", "last": "%(initials)s, %(pinyin)s", "where": (
    "initials >= left(%(low)s, 1) AND initials < left(%(low)s, 1) || %(end)s AND pinyin >= %(low)s "
    "AND pinyin < %(high)s AND NOT (initials >= %(low)s AND initials < %(high)s)")}


def find(text: str, *, actor: Actor, after: int | None = None, limit: int = 50) -> list[Holder]:
    """Holders in the actor's area by what an officer types: a full identity or certificate number (any that the
    person ever had), the beginning of the name, of its pinyin (`zhangs`), or of its initials (`zs`).

    At most `limit`, in one order; `after`: id of the last one of the page before.
    """
    if len(idnumber.plain(text[:64])) >= 15 and idnumber.plain(text[:64])[:14].isdigit():
        return _by_number(text, actor)
    word = text.strip()
    if not word:
        return []
    last = Holder.objects.filter(pk=after).first() if after else None
    if not word.isascii():
        return _holders(_page(BY_NAME, word, actor, last, limit))
    letters = "".join(word.split()).lower()
    found: list[int] = []
    if last is None or last.initials.startswith(letters):
        found = _page(BY_INITIALS, letters, actor, last, limit)
        last = None
    if len(found) < limit:
        found += _page(BY_PINYIN, letters, actor, last, limit - len(found))
    return _holders(found)


def holder(pk: int, *, actor: Actor) -> Holder:
    """The holder, with area; `Refusal("not-found")` for one that the actor may not see."""
    found = Holder.objects.select_related("area").filter(pk=pk, **_within(actor)).first()
    if found is None or not actor.may("holder.read"):
        raise Refusal("not-found")
    return found


def certificates(of: Holder) -> list[Certificate]:
    """Every certificate that the holder ever had, the newest first."""
    return list(of.certificates.order_by("-generation", "-issued_on", "-id"))


def history(of: Holder, also: Iterable[tuple[str, int]] = ()) -> QuerySet[Event]:
    """All that happened to the holder and their certificates, in order; `also`: (kind, id) of further subjects, which
    the rooms above name (cards, cases).
    """
    subjects: dict[str, list[int]] = {"holder": [of.pk], "certificate": [one.pk for one in certificates(of)]}
    for kind, pk in also:
        subjects.setdefault(kind, []).append(pk)
    wanted = Q()
    for kind, ids in subjects.items():
        wanted |= Q(subject=kind, subject_id__in=ids)
    return Event.objects.filter(wanted).order_by("at", "id")


def imports(*, actor: Actor) -> QuerySet[Import]:
    """The imports of the actor's area, the newest first."""
    return Import.objects.filter(**_within(actor)).select_related("area").order_by("-received_at", "-id")


def import_(pk: int, *, actor: Actor) -> Import:
    """One import; `Refusal("not-found")`."""
    found = imports(actor=actor).filter(pk=pk).first()
    if found is None:
        raise Refusal("not-found")
    return found


def import_columns() -> str:
    """The headings without which a file of holders is refused, alternatives as "A / B"."""
    return template.columns().needed()


def import_template(form: str) -> bytes:
    """An empty file of holders, "xlsx" or "csv"; `Refusal("not-found")` for another form."""
    if form not in template.FORMS:
        raise Refusal("not-found")
    return template.empty(form)


def import_reasons(record: Import) -> list[tuple[str, Reason, int]]:
    """Why rows of an import were refused: code, words, number of rows; the most frequent first."""
    counted = sorted(record.reasons.items(), key=lambda item: (-item[1], item[0]))
    return [(code, ROW_REASONS[code], rows) for code, rows in counted]


def import_rows(record: Import, *, after: int = 0, limit: int = 50) -> QuerySet[Holder]:
    """The holders that an import created, in the order of its rows, from behind row `after`."""
    within = record.area
    return Holder.objects.filter(source=record, area_id__gte=within.code, area_id__lte=within.last,
                                 source_row__gt=after).order_by("source_row")[:limit]


def imported(*, actor: Actor) -> QuerySet[Holder]:
    """The persons of the actor's area whom a file brought in."""
    return Holder.objects.filter(source__isnull=False, **_within(actor))


def counts(*, actor: Actor) -> dict[int, int]:
    """Holders per area (12-digit code), within the actor's range."""
    rows = Holder.objects.filter(**_within(actor)).values_list("area_id").annotate(Count("id"))
    return dict(rows.order_by("area_id"))


def portrait(name: str) -> bytes:
    """The portrait (JPEG) that a holder's `photo` names; `FileNotFoundError`, or `SealBroken` where it was changed."""
    return photos.read(name)


def photo_counts(*, actor: Actor) -> tuple[int, dict[str, int]]:
    """Imported persons with a usable photo, and those without by the fault (`photo-missing`: none came)."""
    rows = imported(actor=actor)
    faults = rows.filter(photo=None).values_list("photo_fault").annotate(n=Count("pk")).order_by("photo_fault")
    return rows.exclude(photo=None).count(), {fault or "photo-missing": number for fault, number in faults}


def masked(number: str) -> str:
    """A number with its middle hidden, as pages show it: `430104********121X44`."""
    if len(number) < 18:
        return number[:3] + "*" * max(len(number) - 7, 0) + number[-4:] if len(number) > 7 else "*" * len(number)
    return number[:6] + "*" * 8 + number[14:]


def number_of(certificate: Certificate) -> str:
    """The certificate's number, masked."""
    return masked(fields.open_(bytes(certificate.number), "certificate.number"))


def numbers_of_others(certificate_ids: Iterable[int]) -> set[int]:
    """Those of some certificates whose number does not begin with the ID number that their holder has now: it was
    corrected since.
    """
    rows = list(Certificate.objects.filter(pk__in=list(certificate_ids)).values_list(
        "pk", "number", "holder__id_number"))
    printed = fields.open_many([bytes(number) for _, number, _ in rows], "certificate.number")
    known = fields.open_many([bytes(number) for _, _, number in rows], "holder.id_number")
    return {pk for (pk, *_), number, own in zip(rows, printed, known, strict=True) if not number.startswith(own)}


def _within(actor: Actor) -> dict[str, Any]:
    return {"area_id__gte": actor.lo, "area_id__lte": actor.hi}


def _by_number(text: str, actor: Actor) -> list[Holder]:
    wanted = Q(pk__in=[])
    with suppress(BadCertNumber):
        found = Certificate.objects.filter(number_index=fields.index(str(certnumber.parse(text))))
        wanted |= Q(pk__in=list(found.values_list("holder_id", flat=True)))
    with suppress(BadIdNumber):
        wanted |= Q(id_index=fields.index(idnumber.parse(text).id18))
    return list(Holder.objects.select_related("area").filter(wanted, **_within(actor)))


def _page(by: dict[str, str], low: str, actor: Actor, last: Holder | None, limit: int) -> list[int]:
    """Ids of holders whose key begins with `low`, from behind `last`."""
    with connection.cursor() as cursor:
        cursor.execute(PAGE.format(**by), {
            "areas": [unit.code for unit in issuing_units(actor.lo, actor.hi)], "low": low, "end": LAST_CHARACTER,
            "high": low + LAST_CHARACTER, "limit": limit, "after": last.pk if last else None,
            "name": last.name if last else "", "pinyin": last.pinyin if last else "",
            "initials": last.initials if last else ""})
        return [row[0] for row in cursor.fetchall()]


def _holders(ids: Sequence[int]) -> list[Holder]:
    found = Holder.objects.select_related("area").in_bulk(list(ids))
    return [found[pk] for pk in ids if pk in found]


ENDING = """
SELECT c.area, (extract(year FROM c.valid_until) * 12 + extract(month FROM c.valid_until) - 1)::int AS month, count(*)
FROM registry_certificate c
WHERE c.state IN ('valid', 'frozen') AND c.area BETWEEN %(lo)s AND %(hi)s AND c.generation = ANY(%(generations)s)
  AND (c.generation = 3 OR NOT EXISTS (
      SELECT FROM registry_certificate n WHERE n.holder_id = c.holder_id AND n.generation = 3
                                           AND n.state IN ('valid', 'frozen')))
GROUP BY 1, 2
"""
"""A person counts once: with the card's certificate where there is one, else with the one on paper."""
TO_RENEW = """
SELECT d.id, d.holder_id, d.name, d.street, d.valid_until, d.number FROM (
    SELECT c.id, c.holder_id, c.valid_until, c.number, h.name, h.street, e.month, e.first, e.last,
           row_number() OVER (PARTITION BY e.month ORDER BY h.street NULLS LAST, c.id) AS place
    FROM registry_certificate c JOIN registry_holder h ON h.id = c.holder_id
    JOIN unnest(%(months)s::int[], %(firsts)s::int[], %(lasts)s::int[]) e (month, first, last)
      ON c.valid_until >= make_date(e.month / 12, e.month %% 12 + 1, 1)
     AND c.valid_until < make_date(e.month / 12, e.month %% 12 + 1, 1) + interval '1 month'
    WHERE c.state IN ('valid', 'frozen') AND c.area = %(area)s
      AND (c.generation = 3 OR NOT EXISTS (
          SELECT FROM registry_certificate n WHERE n.holder_id = c.holder_id AND n.generation = 3
                                               AND n.state IN ('valid', 'frozen')))
) d WHERE d.place > d.first AND d.place <= d.last ORDER BY d.street NULLS LAST, d.valid_until, d.id
"""


def ending(area: int | None = None, *, generations: Sequence[int] = (2, 3), actor: Actor) -> dict[int, dict[int, int]]:
    """When the certificates of the actor's area end, or those of one office in it: 12-digit code of the office → month
    (year × 12 + month − 1) → number. `generations`: 2 on paper, where a person has no other; 3 with a card.
    """
    found: dict[int, dict[int, int]] = {}
    if area is not None and not actor.sees(area):
        return found
    with connection.cursor() as cursor:
        cursor.execute(ENDING, {"lo": area or actor.lo, "hi": area or actor.hi, "generations": list(generations)})
        for office, month, number in cursor.fetchall():
            found.setdefault(office, {})[month] = number
    return found


class ToRenew(NamedTuple):
    """One person who is to be invited: number masked, `street` a 12-digit code or none."""

    certificate: int
    holder: int
    name: str
    street: int | None
    valid_until: date
    number: str


def to_renew(area: int, parts: Mapping[int, tuple[int, int]], *, actor: Actor) -> list[ToRenew]:
    """Persons of an office whose certificates end in given months, of each month those from one place to another.

    `parts`: month of the end → places before the first and of the last one, counted street by street, so that a street
    is invited together. `Refusal("not-found")` for another's office.
    """
    if not actor.sees(area):
        raise Refusal("not-found")
    with connection.cursor() as cursor:
        cursor.execute(TO_RENEW, {"area": area, "months": list(parts), "firsts": [first for first, _ in parts.values()],
                                  "lasts": [last for _, last in parts.values()]})
        rows = cursor.fetchall()
    opened = fields.open_many([bytes(row[-1]) for row in rows], "certificate.number")
    return [ToRenew(certificate, holder, name, street, ends, masked(number))
            for (certificate, holder, name, street, ends, _), number in zip(rows, opened, strict=True)]
