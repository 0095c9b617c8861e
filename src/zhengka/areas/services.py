"""Areas (区划) come from dated files; a load is repeated at will."""

import tomllib
from pathlib import Path
from typing import Any

from django.db import transaction

from zhengka.areas.models import Area

_WIDTH = {"nation": 10**12, "province": 10**10, "city": 10**8, "county": 10**6, "street": 10**3}
"""How many 12-digit codes lie in a subtree of each level."""


@transaction.atomic
def load(path: Path) -> list[Area]:
    """Load the areas of a dated file under `data/areas`, parents first, and return them in the order of the file.

    Idempotent: a known code gets what the file says now. A unit that left the file stays: rows point to it.
    """
    rows = tomllib.loads(path.read_text("utf-8"))["area"]
    return [Area.objects.update_or_create(code=code12(row["code"]), defaults=_defaults(row))[0] for row in rows]


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
