"""Checked rows made ready for the registry: personal data indexed and sealed, a column at a time."""

import polars as pl

from zhengka.core import fields
from zhengka.formats.seal import OVERHEAD
from zhengka.formats.sm4 import BLOCK
from zhengka.registry.imports.binary import Cells, Texts

DIGEST = ("area", "number", "name", "ethnicity", "issued_on", "valid_until", "phone", "address", "guardian",
          "components")
"""Two rows of one person that agree in all of these say the same."""
SEALED = {"number": "certificate.number", "phone": "holder.phone", "address": "holder.address",
          "guardian": "holder.guardian"}
"""Column → the place to which its seal is bound."""


def prepare(good: pl.DataFrame) -> pl.DataFrame:
    """The rows of `checking.Checked.good` with `id_index`, `number_index` and `digest`; guardian and components as
    JSON text, contacts that are empty as null, province of the area. What is sealed is still in clear.
    """
    rows = good.with_columns(
        guardian=_guardian(),
        components=_components(good["components"]),
        phone=_or_null("phone"), address=_or_null("address"),
        province=pl.col("area") // 10**10)
    whole = rows.select(pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in DIGEST],
                                      separator="\x1f")).to_series()
    return rows.with_columns(
        _indexed(rows["id18"], "id_index"), _indexed(rows["number"], "number_index"), _indexed(whole, "digest"))


def sealed(texts: pl.Series, field: str) -> Cells:
    """Each text sealed, for COPY; null stays null."""
    clear = Texts(texts).blocks(BLOCK)
    lengths = clear.lengths
    return Cells(fields.close_rows(clear.rows, lengths, field), lengths + (lengths >= 0) * OVERHEAD)


def with_seals(rows: pl.DataFrame) -> pl.DataFrame:
    """Prepared rows with number and contacts as sealed values, to be looked at one by one."""
    return rows.with_columns(
        pl.Series(name, _sealed_values(rows[name], field), dtype=pl.Binary) for name, field in SEALED.items())


def _sealed_values(texts: pl.Series, field: str) -> list[bytes | None]:
    values = iter(fields.close_many(texts.drop_nulls().to_list(), field))
    return [None if absent else next(values) for absent in texts.is_null()]


def _or_null(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name))


def _guardian() -> pl.Expr:
    """Name and phone of the guardian (监护人) as JSON; null where there is none."""
    name, phone = pl.col("guardian_name").fill_null(""), pl.col("guardian_phone").fill_null("")
    told = pl.struct(name=name, phone=phone).struct.json_encode()
    return pl.when((name != "") | (phone != "")).then(told)


def _components(parts: pl.Series) -> pl.Series:
    texts = {str(part): part for part in parts.drop_nulls().to_list()}
    if not texts:
        return pl.repeat("[]", len(parts), eager=True)
    return pl.Series([str(part) if part else "[]" for part in parts.to_list()], dtype=pl.String)


def _indexed(texts: pl.Series, name: str) -> pl.Series:
    return pl.Series(name, fields.index_many(texts.to_list()), dtype=pl.Binary)
