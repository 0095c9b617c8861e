"""Areas (区划) come from dated files; a load is repeated at will."""

import tomllib
from pathlib import Path
from typing import Any

from django.db import transaction

from zhengka.areas.models import Area
from zhengka.core.errors import Refusal

_WIDTH = {"nation": 10**12, "province": 10**10, "city": 10**8, "county": 10**6, "street": 10**3}
"""How many 12-digit codes lie in a subtree of each level."""


@transaction.atomic
def load(path: Path) -> list[Area]:
    """Load the areas of a dated file under `data/areas`, parents first, and return them in the order of the file.

    Idempotent: a known code gets what the file says now. A unit that left the file stays: rows point to it.
    """
    rows = tomllib.loads(path.read_text("utf-8"))["area"]
    return [Area.objects.update_or_create(code=code12(row["code"]), defaults=_defaults(row))[0] for row in rows]


def add_street(unit: Area, number: int, name: str, name_en: str = "") -> Area:
    """Keep a street or township (街道、乡镇) of an issuing unit, by the three digits that GB/T 10114 gives it there.

    Idempotent: a known street gets the name that is said now. `Refusal("street-wrong")` for another number than 1 to
    999, or one beyond the unit.
    """
    code = unit.code + number * _WIDTH["street"]
    if not (unit.issuing and 1 <= number < _WIDTH["street"] and code < unit.last):
        raise Refusal("street-wrong", unit=unit.code)
    street, _ = Area.objects.update_or_create(code=code, defaults={
        "last": code + _WIDTH["street"] - 1, "name": name, "name_en": name_en or name, "level": "street",
        "kind": unit.kind, "parent": unit})
    return street


def add_nation() -> Area:
    """Keep the nation's own office (国家级): its officers hold the ceremonies of the nation's keys. Idempotent."""
    nation, _ = Area.objects.update_or_create(code=0, defaults={
        "last": _WIDTH["nation"] - 1, "name": "中国", "name_en": "China", "level": "nation", "kind": "gb",
        "issuing": False})
    return nation


def code12(code: str) -> int:
    """The platform's 12-digit code of a six-digit one (GB/T 10114: six zeros follow)."""
    return int(code) * 10**6


def _defaults(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "last": code12(row["code"]) + _WIDTH[row["level"]] - 1, "name": row["name"], "name_en": row["name_en"],
        "level": row["level"], "kind": row["kind"], "issuing": row["issuing"],
        "parent_id": code12(row["parent"]) if "parent" in row else None,
        "reports_as": code12(row["parent_gb"]) if "parent_gb" in row else None,
        "valid_from": row.get("valid_from"), "valid_to": row.get("valid_to")}
