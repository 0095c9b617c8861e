"""From which day on somebody is to be assessed again, beside the sealed conclusion of their last assessment."""

import json
from collections.abc import Iterator
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from zhengka.core import fields
from zhengka.core.scope import allow, protect, see_all
from zhengka.formats.certnumber import CATEGORIES
from zhengka.formats.seal import SealBroken

GROUP = 2_000
LAST = """
SELECT DISTINCT ON (a.person_index) a.conclusion, a.person_index, a.case_id, coalesce(h.area, c.area), h.id, c.name
FROM assessment_assessment a JOIN cases_case c ON c.id = a.case_id
LEFT JOIN registry_holder h ON h.id_index = a.person_index
WHERE a.state <> 'differed' AND (h.id IS NULL OR h.state = 'registered')
ORDER BY a.person_index, a.id DESC
"""


def note(apps: Any, editor: Any) -> None:
    """Open the last conclusion of each person. One that no key of this installation opens is left out: its day is known
    again with the person's next assessment, and the page of a case shows none of it until then either.
    """
    recall = apps.get_model("cases", "Recall")
    see_all(editor.connection)
    with editor.connection.cursor() as cursor:
        cursor.execute(LAST)
        while rows := cursor.fetchmany(GROUP):
            recall.objects.bulk_create(recall(**row) for row in _due(rows))


def _due(rows: list[Any]) -> Iterator[dict[str, Any]]:
    for sealed, index, case_id, area, holder, name in rows:
        try:
            found = json.loads(fields.open_(bytes(sealed), "assessment.conclusion"))
        except SealBroken:
            continue
        if found["again"] and found["again"]["on"]:
            yield {"person_index": bytes(index), "case_id": case_id, "area_id": area, "holder_id": holder, "name": name,
                   "category": found["category"], "met": found["grade"] is not None, "again_on": found["again"]["on"]}


class Migration(migrations.Migration):
    """The table, its wall, and what was concluded before it."""

    dependencies = [("cases", "0009_resumed"), ("assessment", "0004_names"), ("registry", "0007_numbers_in_force")]
    operations = [
        migrations.CreateModel("Recall", [
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("person_index", models.BinaryField(help_text="blind index of the ID number, 16 bytes")),
            ("name", models.TextField(help_text="of the person, when they were assessed")),
            ("case_id", models.BigIntegerField(help_text="case of that assessment; it may be another office's")),
            ("category", models.PositiveSmallIntegerField(help_text="what was assessed")),
            ("met", models.BooleanField(help_text="a grade was certified")),
            ("again_on", models.DateField(help_text="first day")),
            ("told_on", models.DateField(null=True, help_text="day on which the person was reminded of it")),
            ("area", models.ForeignKey("areas.Area", on_delete=django.db.models.deletion.PROTECT, db_column="area",
                                       db_index=False)),
            ("holder", models.ForeignKey(
                "registry.Holder", null=True, on_delete=django.db.models.deletion.PROTECT, db_index=False,
                related_name="+",
                help_text="null: somebody without a record, such as a child that was too young"))]),
        *(migrations.AddConstraint("recall", constraint) for constraint in (
            models.UniqueConstraint(fields=["person_index"], name="recall_once"),
            models.CheckConstraint(condition=models.Q(category__in=sorted(CATEGORIES)), name="recall_category_known"))),
        *(migrations.AddIndex("recall", index) for index in (
            models.Index(fields=["area", "again_on", "id"], name="recall_by_day"),
            models.Index(fields=["holder"], name="recall_of_holder", condition=models.Q(holder__isnull=False)),
            models.Index(fields=["again_on", "id"], name="recall_to_tell",
                         condition=models.Q(told_on__isnull=True)))),
        migrations.RunSQL([protect("cases_recall"), allow("SELECT, INSERT, UPDATE, DELETE", "cases_recall")],
                          migrations.RunSQL.noop),
        migrations.RunPython(note, migrations.RunPython.noop),
    ]
