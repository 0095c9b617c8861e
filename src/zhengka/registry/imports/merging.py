"""Prepared rows into the registry: one person is one record, whatever the unit and the number. By sets, not by rows."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from zhengka.core import fields
from zhengka.registry.imports import bulk
from zhengka.registry.imports.binary import Cells
from zhengka.registry.imports.bulk import Batch, Told
from zhengka.registry.imports.deciding import CONTACTS, Known, KnownCertificate, meet
from zhengka.registry.imports.preparing import SEALED, sealed, with_seals
from zhengka.registry.models import Certificate, Holder, Sighting

CAME = ("area", "name", "ethnicity", "issued_on", "valid_until", "category", "grade", "replacement", "components")
"""What a merge event keeps of the row in clear form inside its seal, beside the sealed fields."""

MET = """
SELECT met.* FROM generate_series(0, %s) i,
    LATERAL (SELECT {columns} FROM {table} WHERE {key} = substring(%s::bytea FROM 16 * i + 1 FOR 16) OFFSET 0) met
"""
"""Many keys of sixteen bytes as one value, each looked up by itself: a list of forty thousand costs the driver more
than the database, and a join is left to the planner, who does not know how the tables grow.
"""
KNOWN = MET.format(columns="id_index, id, row_digest", table="registry_holder", key="id_index")
SEEN = MET.format(columns="digest", table="registry_sighting", key="digest")
PERSONS = """
SELECT id_index, id, version, area, province, state <> 'registered',
       phone IS NOT NULL, address IS NOT NULL, guardian IS NOT NULL
FROM registry_holder WHERE id = ANY(%s) ORDER BY id FOR UPDATE
"""
CERTIFICATES = """
SELECT holder_id, id, number_index, state, version, replacement, issued_on
FROM registry_certificate WHERE holder_id = ANY(%s) AND generation = 2 ORDER BY id FOR UPDATE
"""
FILL = """
UPDATE registry_holder h
SET version = new.version, phone = coalesce(h.phone, new.phone), address = coalesce(h.address, new.address),
    guardian = coalesce(h.guardian, new.guardian)
FROM unnest(%s::bigint[], %s::integer[], %s::bytea[], %s::bytea[], %s::bytea[])
     AS new (id, version, phone, address, guardian)
WHERE h.id = new.id AND h.id = ANY(%s)
"""
END = """
UPDATE registry_certificate c SET state = 'replaced', version = new.version
FROM unnest(%s::bigint[], %s::integer[]) AS new (id, version) WHERE c.id = new.id AND c.id = ANY(%s)
"""


@dataclass(frozen=True)
class Arrived:
    """A block's prepared rows: what each new person adds (`batches`, for `fresh` rows), and the `others` with the
    persons of theirs whom the registry knew when the block was made (`known`).
    """

    batches: tuple[Batch, ...]
    fresh: int
    others: pl.DataFrame
    known: pl.DataFrame


@dataclass
class Counts:
    """What became of the rows."""

    created: int = 0
    merged: int = 0
    unchanged: int = 0


class Arrivals:
    """Tells new persons from known ones, and makes the rows that new ones add. It runs ahead of the transaction, on a
    connection beside it: ids come from sequences, which no transaction holds back, and whom the import itself has
    brought is kept here. A person whom another import registers meanwhile breaks the unique index, and the file is
    taken again.
    """

    def __init__(self, import_id: int, told: Told, on: BaseDatabaseWrapper) -> None:
        """For one import: its row's id, who acts, under which request; the connection beside."""
        self._import, self._told, self._on = import_id, told, on
        self._brought = np.empty(0, np.uint64)

    def sort(self, rows: pl.DataFrame) -> Arrived:
        """The rows of a block, apart: first rows of persons whom neither registry nor import knew, and the others."""
        rows = rows.sort("id_index", maintain_order=True)
        known = _known(rows["id_index"], self._on)
        fresh = (rows["id_index"].is_first_distinct() & ~rows["id_index"].is_in(known["id_index"].implode())
                 & ~self._was_brought(rows["id_index"]))
        new = rows.filter(fresh)
        others = with_seals(rows.filter(~fresh).sort("place"))
        return Arrived(self._encoded(new) if new.height else (), new.height, others, known)

    def _was_brought(self, indexes: pl.Series) -> pl.Series:
        """Where an earlier block may have brought the person. The heads of the indexes are kept, eight bytes each: two
        persons with the same head cost a look, not a mistake.
        """
        heads = np.frombuffer(b"".join(indexes.to_list()), ">u8")[::2].astype(np.uint64)
        found = np.zeros(len(heads), np.bool_)
        if len(self._brought):
            places = np.searchsorted(self._brought, heads)
            found = self._brought[np.minimum(places, len(self._brought) - 1)] == heads
        self._brought = np.sort(np.concatenate([self._brought, heads[~found]]), kind="stable")
        return pl.Series(found)

    def _encoded(self, rows: pl.DataFrame) -> tuple[Batch, ...]:
        """Each row as a new person with certificate and two events."""
        rows = rows.with_columns(version=pl.lit(1, pl.Int32), facts=facts_of(self._import))
        ids, certificate_ids = (bulk.new_ids(model, rows["province"], self._on) for model in (Holder, Certificate))
        holders, certificates = rows.with_columns(id=ids), rows.with_columns(id=certificate_ids, holder_id=ids)
        return (
            bulk.encoded(Holder, rows.height, {
                **_columns(holders, "id", "province", "version", "area", "name", "pinyin", "initials", "sex",
                           "birth_date", "ethnicity", "id_index"),
                **{name: sealed(rows[name], SEALED[name]) for name in CONTACTS},
                "id_number": sealed(rows["id18"], "holder.id_number"),
                "state": "registered", "photo_fault": "", "registered_at": self._told.at, "source_id": self._import,
                "source_row": holders["row"], "row_digest": holders["digest"]}),
            self._told.events(holders, Holder, "register", "", "registered"),
            encoded_certificates(certificates, "valid", sealed(rows["number"], SEALED["number"])),
            self._told.events(certificates, Certificate, "issue", "", "valid"))


class Merger:
    """Takes the blocks of one import, in their order, within one transaction; the caller holds the province's lock."""

    def __init__(self, import_id: int, told: Told, area: tuple[int, int]) -> None:
        """For one import: its row's id, who acts, when; first and last code of the sender's area."""
        self._import, self._told, self._area = import_id, told, area
        self.counts = Counts()

    def take(self, block: Arrived) -> pl.DataFrame:
        """Take a block in; the answer is the rows (place and code) that cannot be, after all."""
        for batch in block.batches:
            batch.write()
        self.counts.created += block.fresh
        rows = block.others
        if rows.is_empty():
            return pl.DataFrame(schema={"place": pl.Int64, "code": pl.String})
        unknown = rows["id_index"].filter(~rows["id_index"].is_in(block.known["id_index"].implode()))
        return self._meet(rows, pl.concat([block.known, _known(unknown, connection)]))

    def _meet(self, rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
        """Rows of persons whom the registry knows: the same as before, or something to take in."""
        rows = rows.join(known, on="id_index", how="left", maintain_order="left")
        changed = rows.filter(pl.col("digest") != pl.col("row_digest").fill_null(b""))
        if changed.height:
            seen = {bytes(row[0]) for row in _by_index(SEEN, changed["digest"], connection)}
            changed = changed.filter(~pl.col("digest").is_in(list(seen))).unique(
                "digest", keep="first", maintain_order=True)
        left = self._merge(changed) if changed.height else {}
        merged = changed.height - len(left)
        self.counts.merged += merged
        self.counts.unchanged += rows.height - changed.height
        return pl.DataFrame({"place": list(left), "code": list(left.values())},
                            schema={"place": changed.schema["place"], "code": pl.String})

    def _merge(self, changed: pl.DataFrame) -> dict[int, str]:
        """Take the rows in, person by person in the order of the file; place and reason of those that cannot be."""
        persons = _persons(changed["holder_id"].unique().to_list())
        left: dict[int, str] = {}
        taken: list[tuple[Known, dict[str, Any]]] = []
        for row in changed.iter_rows(named=True):
            person = persons.get(row["id_index"])
            own = person is not None and self._area[0] <= person.area <= self._area[1]
            if person is None or person.closed or not meet(person, row, own=own):
                left[row["place"]] = "person-closed" if own else "person-elsewhere"
                continue
            taken.append((person, row | {"version": person.version}))
        touched = {person.id: person for person, _ in taken}
        self._write_holders(touched.values(), taken)
        self._write_certificates(touched.values())
        return left

    def _write_holders(self, touched: Iterable[Known], taken: list[tuple[Known, dict[str, Any]]]) -> None:
        people = list(touched)
        if not people:
            return
        with connection.cursor() as cursor:
            ids = [one.id for one in people]
            cursor.execute(FILL, [ids, [one.version for one in people],
                                  *([one.contacts.get(name) for one in people] for name in CONTACTS), ids])
        closed = fields.close_many([_came(row) for _, row in taken], "event.came")
        facts = [json.dumps({"import": self._import, "row": row["row"], "came": base64.b64encode(came).decode()})
                 for (_, row), came in zip(taken, closed, strict=True)]
        events = pl.DataFrame({
            "id": [one.id for one, _ in taken], "province": [one.province for one, _ in taken],
            "area": [one.area for one, _ in taken], "version": [row["version"] for _, row in taken], "facts": facts})
        self._told.events(events, Holder, "merge", "registered", "registered").write()
        bulk.write(Sighting, len(taken), {
            "digest": pl.Series([row["digest"] for _, row in taken], dtype=pl.Binary), "holder_id": events["id"],
            "import_id": self._import})

    def _write_certificates(self, touched: Iterable[Known]) -> None:
        """Numbers that came in, and those whose place they took."""
        pairs = [(person, one) for person in touched for one in person.certificates]
        self._end_known([pair for pair in pairs if pair[1].ended_by and pair[1].id is not None])
        added = [(person, one) for person, one in pairs if one.row is not None]
        if not added:
            return
        rows = pl.DataFrame([one.row for _, one in added], infer_schema_length=None).drop("version", strict=False)
        rows = rows.with_columns(
            pl.Series("holder_id", [person.id for person, _ in added]),
            pl.Series("area", [person.area for person, _ in added]),
            pl.Series("province", [person.province for person, _ in added]),
            pl.Series("version", [one.version for _, one in added]), facts=facts_of(self._import))
        rows = rows.with_columns(id=bulk.new_ids(Certificate, rows["province"]))
        encoded_certificates(rows, pl.Series([one.state for _, one in added]), rows["number"]).write()
        self._told.events(rows.with_columns(version=pl.lit(1)), Certificate, "issue", "", "valid").write()
        ended = rows.with_columns(pl.Series("row", [one.ended_by["row"] if one.ended_by else None for _, one in added]))
        self._tell_ended(ended.filter(pl.col("row").is_not_null()))

    def _end_known(self, ended: list[tuple[Known, KnownCertificate]]) -> None:
        if not ended:
            return
        with connection.cursor() as cursor:
            ids = [one.id for _, one in ended]
            cursor.execute(END, [ids, [one.version for _, one in ended], ids])
        self._tell_ended(pl.DataFrame({
            "id": [one.id for _, one in ended], "version": [one.version for _, one in ended],
            "province": [person.province for person, _ in ended], "area": [person.area for person, _ in ended],
            "row": [(one.ended_by or {})["row"] for _, one in ended]}))

    def _tell_ended(self, ended: pl.DataFrame) -> None:
        if ended.height:
            rows = ended.with_columns(facts=facts_of(self._import))
            self._told.events(rows, Certificate, "replace", "valid", "replaced").write()


def encoded_certificates(rows: pl.DataFrame, state: str | pl.Series, number: Cells | pl.Series) -> Batch:
    """Second-generation certificates, one for each row; `number`: their sealed numbers."""
    return bulk.encoded(Certificate, rows.height, {
        **_columns(rows, "id", "province", "version", "area", "holder_id", "number_index", "category",
                   "grade", "components", "replacement", "issued_on", "valid_until"),
        "number": number, "state": state, "generation": 2})


def facts_of(import_id: int) -> pl.Expr:
    """The facts of a row's event: which import, which row of its file. All are equally long, so all events are."""
    row = pl.col("row").cast(pl.String).str.pad_start(8)
    return pl.concat_str(pl.lit(f'{{"import": {import_id}, "row": '), row, pl.lit("}"))


def _columns(rows: pl.DataFrame, *names: str) -> dict[str, Any]:
    return {name: rows[name] for name in names}


def _came(row: dict[str, Any]) -> str:
    """What the row said, as JSON; sealed fields as they are sealed."""
    told: dict[str, Any] = {name: str(row[name]) for name in CAME}
    told |= {name: base64.b64encode(row[name]).decode() for name in ("number", *CONTACTS) if row[name] is not None}
    return json.dumps(told, ensure_ascii=False)


def _by_index(statement: str, indexes: pl.Series, on: BaseDatabaseWrapper) -> list[tuple[Any, ...]]:
    """Rows of a statement that takes many values of sixteen bytes."""
    if not len(indexes):
        return []
    return _rows(statement, [len(indexes) - 1, b"".join(indexes.to_list())], on)


def _rows(statement: str, values: list[Any], on: BaseDatabaseWrapper) -> list[tuple[Any, ...]]:
    with on.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _known(indexes: pl.Series, on: BaseDatabaseWrapper) -> pl.DataFrame:
    """Those of the blind indexes that the registry knows, with the holder's id and the digest of its first row."""
    found = _by_index(KNOWN, indexes.unique().sort(), on)  # neighbours in the index are met together
    return pl.DataFrame({"id_index": [bytes(row[0]) for row in found], "holder_id": [row[1] for row in found],
                         "row_digest": [row[2] and bytes(row[2]) for row in found]},
                        schema={"id_index": pl.Binary, "holder_id": pl.Int64, "row_digest": pl.Binary})


def _persons(ids: list[int]) -> dict[bytes, Known]:
    """The persons with these ids, by their blind index, locked, with their certificates; without those whose record is
    closed.
    """
    by_index: dict[bytes, Known] = {}
    for index, pk, version, area, province, closed, *filled in _rows(PERSONS, [ids], connection):
        there = {name for name, full in zip(CONTACTS, filled, strict=True) if full}
        by_index[bytes(index)] = Known(pk, version, area, province, there, closed=closed)
    by_id = {person.id: person for person in by_index.values()}
    for holder, pk, number, state, version, replacement, issued_on in _rows(CERTIFICATES, [list(by_id)], connection):
        by_id[holder].certificates.append(
            KnownCertificate(pk, bytes(number), state, version, replacement, issued_on))
    return by_index
