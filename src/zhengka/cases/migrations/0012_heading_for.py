"""Which office a departure heads for stands beside what it was told, which is sealed: that office finds it by this."""

import json
from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from zhengka.cases.workflow import DEPARTURES
from zhengka.core import fields
from zhengka.core.scope import see_all
from zhengka.formats.seal import SealBroken


def note(apps: Any, editor: Any) -> None:
    """What open departures were told. One that no key of this installation opens stays unknown until its arrival."""
    see_all(editor.connection)
    case, area = apps.get_model("cases", "Case"), apps.get_model("areas", "Area")
    units = set(area.objects.values_list("pk", flat=True))
    for row in case.objects.filter(kind_of_case__in=DEPARTURES, ended_at__isnull=True, told__isnull=False):
        try:
            to = json.loads(fields.open_(bytes(row.told), "case.told")).get("to")
        except SealBroken:
            continue
        if to in units - {row.area_id}:
            case.objects.filter(pk=row.pk).update(heads_for=to)


class Migration(migrations.Migration):
    """The column, its index, and what was told before it."""

    dependencies = [("cases", "0011_departures")]
    operations = [
        migrations.AddField("case", "heads_for", models.ForeignKey(
            "areas.Area", null=True, on_delete=django.db.models.deletion.PROTECT, db_column="heads_for",
            db_index=False, related_name="+",
            help_text="of a departure: the office where the person moves, where it is known; that office sees when it "
                      "is due")),
        migrations.AddConstraint("case", models.CheckConstraint(
            condition=Q(heads_for__isnull=True) | Q(kind_of_case__in=DEPARTURES) & ~Q(heads_for=F("area")),
            name="case_heads_elsewhere")),
        migrations.AddIndex("case", models.Index(
            fields=["heads_for", "id"], name="case_heads_for", condition=Q(
                heads_for__isnull=False, counterpart__isnull=True, ended_at__isnull=True))),
        migrations.RunPython(note, migrations.RunPython.noop),
    ]
