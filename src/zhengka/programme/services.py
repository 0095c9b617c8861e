"""A programme (试点) comes from a dated file; a load is repeated at will."""

import tomllib
from pathlib import Path

from django.db import transaction

from zhengka.areas.services import code12
from zhengka.programme.models import Programme, Target


@transaction.atomic
def load(path: Path) -> Programme:
    """Load a programme and its plan per issuing unit from a dated file under `data/programmes`.

    Idempotent: a repeat changes nothing, a corrected file corrects the plan. Its areas are loaded before it.
    """
    plan = tomllib.loads(path.read_text("utf-8"))
    programme, _ = Programme.objects.update_or_create(code=plan["code"], defaults={
        "title": plan["name"], "title_en": plan["name_en"], "counted_on": plan["counted_at"].date(),
        "budget_fen": sum(line["amount_fen"] for line in plan["budget"])})
    for row in plan["unit"]:
        Target.objects.update_or_create(programme=programme, area_id=code12(row["unit"]), defaults={
            "holders": row["holders"], "phase": row["phase"]})
    planned = [code12(row["unit"]) for row in plan["unit"]]
    Target.objects.filter(programme=programme).exclude(area_id__in=planned).delete()
    return programme
