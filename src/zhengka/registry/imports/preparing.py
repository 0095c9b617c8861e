"""Checked rows made ready for the registry: personal data sealed and indexed, a column at a time."""

import polars as pl

from zhengka.core import fields

DIGEST = ("area", "number", "name", "ethnicity", "issued_on", "valid_until", "phone", "address", "guardian",
          "components")
"""Two rows of one person that agree in all of these say the same."""


def prepare(good: pl.DataFrame) -> pl.DataFrame:
    """The rows of `checking.Checked.good` with what the tables hold: `id_index`, `number_index`, `digest`, and the
    sealed `id_number`, `number`, `phone`, `address` and `guardian`; components as JSON text, province of the area.
    """
    rows = good.with_columns(
        guardian=_guardian(),
        components=_components(good["components"]),
        phone=_or_null("phone"), address=_or_null("address"),
        province=pl.col("area") // 10**10)
    whole = rows.select(pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in DIGEST],
                                      separator="\x1f")).to_series()
    return rows.with_columns(
        _indexed(rows["id18"], "id_index"), _indexed(rows["number"], "number_index"), _indexed(whole, "digest"),
        _sealed(rows["id18"], "id_number", "holder.id_number"), _sealed(rows["number"], "number", "certificate.number"),
        *(_sealed(rows[name], name, f"holder.{name}") for name in ("phone", "address", "guardian")))


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


def _sealed(texts: pl.Series, name: str, field: str) -> pl.Series:
    """Each text sealed; null stays null."""
    there = texts.is_not_null()
    sealed = pl.Series(name, fields.close_many(texts.filter(there).to_list(), field), dtype=pl.Binary)
    if len(sealed) == len(texts):
        return sealed
    places = pl.Series("place", there.arg_true()).cast(pl.Int64)
    whole = pl.DataFrame({"place": pl.arange(len(texts), eager=True)})
    return whole.join(pl.DataFrame([places, sealed]), on="place", how="left", maintain_order="left")[name]
